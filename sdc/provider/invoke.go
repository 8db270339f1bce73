package provider

import (
	"context"
	"crypto/x509"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/soap"
)

// invocation is what the response to a request tells.
type invocation struct {
	id uint32
	outcome
}

// invoke takes a request to its transaction. It returns when the call has ended (Direct), was queued (Delayed), or was refused.
//
// A refused call of an operation that exists is reported like any other end; of one that does not exist there is nothing to report on.
func (p *Provider) invoke(ctx context.Context, r msg.SetRequest, header *soap.Header) invocation {
	return p.invokeFor(ctx, sdc.PeerFrom(ctx), r, header)
}

// Invoke runs an operation on behalf of the device itself, of a key on its front for example, so that consumers are told as of their own calls: the
// OperationInvokedReport names the device's own certificate as the source (GLUE R0078_0), or the anonymous participant over plain HTTP. No policy is
// asked and no safety information expected; everything else is as for a call over the network, audit included. It returns when the call has ended, or
// was queued if the operation is Delayed. A call that was refused has the state Fail and the reason, as has one without a request, or of a device that does not run yet.
func (p *Provider) Invoke(ctx context.Context, r msg.SetRequest) msg.InvocationInfo {
	if pm.IsNil(r) {
		return outcome{msg.InvocationStateFail, refuse(msg.InvocationErrorInv, "the request is missing")}.info(0)
	}
	select {
	case <-p.ready:
	default:
		return outcome{msg.InvocationStateFail, refuse(msg.InvocationErrorOth, "the device does not run yet")}.info(0)
	}
	own := &sdc.Peer{}
	if p.cfg.Identity != nil && !p.cfg.Insecure {
		own.Certificate = p.cfg.Identity.Leaf()
	}
	i := p.invokeFor(ctx, own, r, nil)
	return i.info(i.id)
}

// invokeFor is invoke for a peer; without a header for the device itself.
func (p *Provider) invokeFor(ctx context.Context, peer *sdc.Peer, r msg.SetRequest, header *soap.Header) invocation {
	own := header == nil
	if own {
		header = &soap.Header{}
	}
	id := p.transactions.Add(1)
	op, refusal := p.check(r)
	if op == nil {
		p.record(peer, audit.Event{Kind: audit.Invoked, Action: header.Action, Operation: clip(r.BaseSet().OperationHandleRef), Transaction: id})
		p.record(peer, audit.Event{Kind: audit.Finished, Action: header.Action, Transaction: id, Outcome: outcome{msg.InvocationStateFail, refusal}.String()})
		return invocation{id, outcome{msg.InvocationStateFail, refusal}}
	}
	call := &Call{
		Handle: op.Base().Handle, Target: op.BaseOperation().OperationTarget, Operation: op,
		TransactionID: id, Caller: peer.Certificate, Peer: peer, Source: source(peer.Certificate), p: p,
	}
	fail := func(refusal *Refused) invocation {
		o := outcome{msg.InvocationStateFail, refusal}
		p.reportInvocation(call, o)
		p.ended(call, o)
		return invocation{id, o}
	}
	// Before anything that the refusal of a wrong argument would tell.
	access := &Access{Peer: peer, Kind: AccessControl, Service: p.serviceByAction[header.Action], Action: header.Action, Operation: op}
	if !own {
		if err := p.authorise(ctx, access); err != nil {
			return fail(refuse(msg.InvocationErrorOth, "not permitted: %v", err))
		}
	}
	p.record(peer, audit.Event{
		Kind: audit.Invoked, Service: access.Service, Action: access.Action, Operation: call.Handle, Target: call.Target, Transaction: id,
	})
	if refusal == nil && !own {
		refusal = p.checkSafety(op, r, header)
	}
	if refusal != nil {
		return fail(refusal)
	}
	h, ok := p.handlerOf(op)
	if !ok {
		return fail(refuse(msg.InvocationErrorOth, "operation %s is not implemented", call.Handle))
	}
	parent, _ := p.store.Load().Parent(call.Handle)
	queue, ok := p.reserve(parent)
	if !ok {
		return fail(refuse(msg.InvocationErrorOth, "too many operations are waiting; try again later"))
	}
	limit := p.cfg.MaxTimeToFinish
	if d, ok := op.BaseOperation().MaxTimeToFinish.Get(); ok && d.Std() > 0 {
		limit = d.Std()
	}
	t := &transaction{
		p: p, call: call, handler: h, request: r, delayed: p.isDelayed(call.Handle),
		state: outcome{state: msg.InvocationStateWait}, done: make(chan struct{}),
	}
	// The caller's connection must not decide over the operation, so its context is not the parent.
	t.ctx, t.cancel = context.WithTimeout(p.opCtx, limit)
	if t.delayed {
		// Told before it is queued, so that Wait precedes Start.
		p.reportInvocation(call, t.state)
	}
	t.watch()
	queue.submit(t)
	if t.delayed {
		return invocation{id, outcome{state: msg.InvocationStateWait}}
	}
	wait, cancel := context.WithTimeout(ctx, p.cfg.DirectTimeout)
	defer cancel()
	select {
	case <-t.done:
		return invocation{id, t.current()}
	case <-wait.Done():
		if o := t.current(); o.state.Final() {
			return invocation{id, o}
		}
		return invocation{id, outcome{state: msg.InvocationStateWait}}
	}
}

// handlerOf returns what runs the calls of an operation: the registered handler if it is of the operation's kind, else the default behaviour if
// that is switched on.
func (p *Provider) handlerOf(op pm.OperationDescriptor) (handler, bool) {
	k := kindOf(op)
	p.opMu.Lock()
	h, ok := p.handlers[op.Base().Handle]
	p.opMu.Unlock()
	if ok {
		return h, h.kind == k
	}
	if !p.cfg.ApplyProposals {
		return handler{}, false
	}
	return p.defaultHandler(k)
}

func (p *Provider) isDelayed(handle string) bool {
	p.opMu.Lock()
	defer p.opMu.Unlock()
	i, ok := p.invocation[handle]
	if !ok {
		i = p.cfg.Invocation
	}
	return i == Delayed
}

// ended tells the hooks and the audit of the end of a call.
func (p *Provider) ended(c *Call, o outcome) {
	p.hooks.operation(c.Handle, o.state)
	p.record(c.Peer, audit.Event{Kind: audit.Finished, Operation: c.Handle, Target: c.Target, Transaction: c.TransactionID, Outcome: o.String()})
}

// String is the state with the code of the error. The message is left out: it may repeat what was asked for.
func (o outcome) String() string {
	if o.refusal != nil {
		return string(o.state) + " " + string(o.refusal.code())
	}
	return string(o.state)
}

// info is the outcome as messages tell it.
func (o outcome) info(id uint32) msg.InvocationInfo {
	info := msg.InvocationInfo{TransactionId: id, InvocationState: o.state}
	if r := o.refusal; r != nil {
		info.InvocationError = r.code()
		if r.Message != "" {
			lang := r.Lang
			if lang == "" {
				lang = "en"
			}
			info.InvocationErrorMessage = []pm.LocalizedText{{Lang: lang, Text: r.Message}}
		}
	}
	return info
}

func source(caller *x509.Certificate) pm.InstanceIdentifier {
	root, extension := sdc.InvocationSource(caller)
	return pm.InstanceIdentifier{Root: root, Extension: extension}
}
