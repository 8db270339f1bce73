package provider

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// Call is what all operation calls share.
type Call struct {
	// Handle is the operation's handle, Target its OperationTarget.
	Handle, Target string
	// Operation is the operation's descriptor at the time of the call; read-only.
	Operation pm.OperationDescriptor
	// TransactionID as told to the caller.
	TransactionID uint32
	// Caller is the caller's certificate for authorisation (SEC-4); nil over plain HTTP.
	Caller *x509.Certificate
	// Peer is the caller with its address. It is never nil.
	Peer *sdc.Peer
	// Source names the caller in the reports: the certificate in PEM form (GLUE R0078_0), or the anonymous participant.
	Source pm.InstanceIdentifier

	p *Provider

	mu       sync.Mutex // a handler that is late writes while its transaction is being ended
	modified bool
	affected string
}

// MDIB returns the device's current MDIB.
func (c *Call) MDIB() *mdib.Snapshot { return c.p.MDIB() }

// Update commits a change on behalf of the call, as Provider.Update does. What the handler changes this way is reported before the final
// state of the call (SCO-7).
func (c *Call) Update(fn func(*mdib.Tx) error) error { return c.p.Update(fn) }

// Modified makes the call end with FinMod instead of Fin: the value asked for could not be reached and the next best was taken.
func (c *Call) Modified() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.modified = true
}

// SetTarget names the entry that was affected in the final report, where it is another than the operation's target: the handle of a new
// context state, for example. Consumers look for it, so it has to be a descriptor or context state of the MDIB as it is now: call this after the Update that
// makes it. Otherwise the error wraps mdib.ErrUnknownHandle, and what was named before stays.
func (c *Call) SetTarget(handle string) error {
	if !exists(c.p.MDIB(), handle) {
		return fmt.Errorf("provider: target %q of a call of %s: %w", clip(handle), c.Handle, mdib.ErrUnknownHandle)
	}
	c.affect(handle)
	return nil
}

func (c *Call) affect(handle string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.affected = handle
}

func (c *Call) wasModified() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.modified
}

func (c *Call) reportedTarget() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.affected != "" {
		return c.affected
	}
	return c.Target
}

// SetValue is a call of an operation that sets a number. Value lies in the operation's AllowedRange; whether it is a multiple of
// a StepWidth there is not checked: it is for the handler to refuse, or to round and say so by [Call.Modified].
type SetValue struct {
	*Call
	Value pm.Decimal
}

// SetString is a call of an operation that sets a text. Value is among the operation's AllowedValues and no longer than MaxLength.
type SetString struct {
	*Call
	Value string
}

// Activate is a call of an operation that triggers an action. Arguments are as many and of the types that the descriptor declares (SCO-4).
type Activate struct {
	*Call
	Arguments []Argument
}

// SetMetricState is a call of an operation that sets whole metric states, of which ModifiableData may allow a part.
type SetMetricState struct {
	*Call
	Proposed []pm.MetricState
}

// SetComponentState is a call of an operation that sets whole component states, of which ModifiableData may allow a part.
type SetComponentState struct {
	*Call
	Proposed []pm.ComponentState
}

// SetAlertState is a call of an operation that sets a whole alert state, of which ModifiableData may allow a part.
type SetAlertState struct {
	*Call
	Proposed pm.AlertState
}

// SetContextState is a call of an operation that sets context states. A proposed state whose handle is its descriptor's asks for a new state.
type SetContextState struct {
	*Call
	Proposed []pm.ContextState
}

// Invocation says how the caller learns of the result.
type Invocation uint8

const (
	// Direct calls are answered when they are done: the response holds the final state, and exactly one report repeats it.
	// A call that is still running after Config.DirectTimeout is answered with Wait, its final state reported later.
	Direct Invocation = iota
	// Delayed calls are answered at once with Wait; reports tell of Wait, Start and the final state.
	Delayed
)

// kind is a kind of operation, named after its request.
type kind string

const (
	kindSetValue          kind = "SetValue"
	kindSetString         kind = "SetString"
	kindActivate          kind = "Activate"
	kindSetMetricState    kind = "SetMetricState"
	kindSetComponentState kind = "SetComponentState"
	kindSetAlertState     kind = "SetAlertState"
	kindSetContextState   kind = "SetContextState"
)

// kindOf returns the kind of request an operation takes; "" for a descriptor that is no operation.
func kindOf(d pm.Descriptor) kind {
	switch d.(type) {
	case *pm.SetValueOperationDescriptor:
		return kindSetValue
	case *pm.SetStringOperationDescriptor:
		return kindSetString
	case *pm.ActivateOperationDescriptor:
		return kindActivate
	case *pm.SetMetricStateOperationDescriptor:
		return kindSetMetricState
	case *pm.SetComponentStateOperationDescriptor:
		return kindSetComponentState
	case *pm.SetAlertStateOperationDescriptor:
		return kindSetAlertState
	case *pm.SetContextStateOperationDescriptor:
		return kindSetContextState
	}
	return ""
}

// kindOfRequest returns the kind of a request; "" for one that invokes no operation.
func kindOfRequest(r msg.SetRequest) kind { return kind(r.BodyName().Local) }

// handler runs a request that passed all checks.
type handler struct {
	kind kind
	run  func(ctx context.Context, call *Call, request msg.SetRequest) error
}

// HandleSetValue registers the handler of a SetValue operation, in the place of an earlier one. The handler runs on the goroutine of the
// operation's SCO, one call at a time; ctx ends when MaxTimeToFinish has passed or the provider stops. It may call Update.
// The result becomes the final state: nil is Fin (FinMod after Call.Modified), *Refused is Fail with its code and message, ErrCancelled is Cnclld,
// any other error and a panic are Fail without details, which go to the log.
//
// The error says that h is nil, or that the MDIB has an entry with this handle which is no operation of this kind. A handle that is not in the MDIB is accepted:
// the operation may be inserted later. Run logs such handles, and the operations that have no handler.
func (p *Provider) HandleSetValue(handle string, h func(ctx context.Context, call *SetValue) error) error {
	return p.handle(handle, kindSetValue, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetValue{c, r.(*msg.SetValue).RequestedNumericValue})
	})
}

// HandleSetString is HandleSetValue for SetString operations.
func (p *Provider) HandleSetString(handle string, h func(ctx context.Context, call *SetString) error) error {
	return p.handle(handle, kindSetString, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetString{c, r.(*msg.SetString).RequestedStringValue})
	})
}

// HandleActivate is HandleSetValue for Activate operations.
func (p *Provider) HandleActivate(handle string, h func(ctx context.Context, call *Activate) error) error {
	return p.handle(handle, kindActivate, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		args, err := arguments(c.Operation, r.(*msg.Activate))
		if err != nil {
			return err
		}
		return h(ctx, &Activate{c, args})
	})
}

// HandleSetMetricState is HandleSetValue for SetMetricState operations.
func (p *Provider) HandleSetMetricState(handle string, h func(ctx context.Context, call *SetMetricState) error) error {
	return p.handle(handle, kindSetMetricState, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetMetricState{c, r.(*msg.SetMetricState).ProposedMetricState})
	})
}

// HandleSetComponentState is HandleSetValue for SetComponentState operations.
func (p *Provider) HandleSetComponentState(handle string, h func(ctx context.Context, call *SetComponentState) error) error {
	return p.handle(handle, kindSetComponentState, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetComponentState{c, r.(*msg.SetComponentState).ProposedComponentState})
	})
}

// HandleSetAlertState is HandleSetValue for SetAlertState operations.
func (p *Provider) HandleSetAlertState(handle string, h func(ctx context.Context, call *SetAlertState) error) error {
	return p.handle(handle, kindSetAlertState, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetAlertState{c, r.(*msg.SetAlertState).ProposedAlertState})
	})
}

// HandleSetContextState is HandleSetValue for SetContextState operations.
func (p *Provider) HandleSetContextState(handle string, h func(ctx context.Context, call *SetContextState) error) error {
	return p.handle(handle, kindSetContextState, h == nil, func(ctx context.Context, c *Call, r msg.SetRequest) error {
		return h(ctx, &SetContextState{c, r.(*msg.SetContextState).ProposedContextState})
	})
}

// handle keeps a handler; without says that the application has given none.
func (p *Provider) handle(handle string, k kind, without bool, run func(context.Context, *Call, msg.SetRequest) error) error {
	if d, ok := p.MDIB().Descriptor(handle); ok && kindOf(d) != k {
		return fmt.Errorf("provider: %q is a %s, which takes no %s", handle, d.TypeName().Local, k)
	}
	if without {
		return fmt.Errorf("provider: the handler of %q is nil", handle)
	}
	p.opMu.Lock()
	defer p.opMu.Unlock()
	p.handlers[handle] = handler{kind: k, run: run}
	return nil
}

// tellUnhandled logs what is likely forgotten or mistyped when a device starts: operations whose calls can only fail, and handlers that nobody can call.
func (p *Provider) tellUnhandled() {
	var without []string
	operations := 0
	for e := range p.MDIB().Entities() {
		op, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok {
			continue
		}
		operations++
		if _, ok := p.handlerOf(op); !ok {
			without = append(without, e.Handle)
		}
	}
	if len(without) > 0 {
		p.log.Warn("operations have no handler: their calls end with Fail", "handles", without)
	}
	p.opMu.Lock()
	var unknown []string
	for h := range p.handlers {
		if _, ok := p.MDIB().Descriptor(h); !ok {
			unknown = append(unknown, h)
		}
	}
	p.opMu.Unlock()
	if len(unknown) > 0 {
		slices.Sort(unknown)
		p.log.Warn("handlers are for operations that the MDIB does not have", "handles", unknown)
	}
	if operations > 0 && p.unasked && p.cfg.Identity != nil {
		p.log.Info("the device is read-only: Config.Policy says who may call its operations")
	}
}

// SetInvocation chooses how the calls of one operation are answered from now on; without it Config.Invocation decides.
func (p *Provider) SetInvocation(handle string, i Invocation) {
	p.opMu.Lock()
	defer p.opMu.Unlock()
	p.invocation[handle] = i
}
