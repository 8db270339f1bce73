package consumer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// Step is one state an invocation went through.
type Step struct {
	// State is the invocation state.
	State msg.InvocationState
	// MDIBVersion is the version the response or report told of.
	MDIBVersion uint64
	// Reported is false for the response to the request and true for a report.
	Reported bool
}

// Result is how an invocation ended.
type Result struct {
	// TransactionID identifies the invocation at the device.
	TransactionID uint32
	// State is the final state.
	State msg.InvocationState
	// Error and Message tell more of a failure; "" and nil otherwise.
	Error   msg.InvocationError
	Message []pm.LocalizedText
	// Target is the handle of what was changed, if the device said so; for
	// SetContextState that is the context state created.
	Target string
	// Source names who invoked, as the device saw it (GLUE R0078_0). Like Target it is
	// told by reports only, and zero if none has come.
	Source pm.InstanceIdentifier
	// Steps are all states seen, in order.
	Steps []Step
}

// String tells state, error and message, and what was changed; not the steps, nor who invoked, which is a whole certificate.
func (r *Result) String() string {
	s := fmt.Sprintf("transaction %d", r.TransactionID)
	if r.Target != "" {
		s += ", target " + r.Target
	}
	return s + ": " + r.outcome()
}

// OperationError says that an invocation did not end well. It wraps nothing; the
// Result has all that is known.
type OperationError struct {
	// Operation is the handle of the operation.
	Operation string
	Result    *Result
}

func (e *OperationError) Error() string {
	return fmt.Sprintf("operation %s ended with %s", e.Operation, e.Result.outcome())
}

func (r *Result) outcome() string {
	s := string(r.State)
	if r.Error != "" {
		s += fmt.Sprintf(" (%s)", r.Error)
	}
	for _, t := range r.Message {
		if t.Text != "" {
			return s + ": " + t.Text
		}
	}
	return s
}

// Invocation is an operation under way.
type Invocation struct {
	operation string
	dev       *Device

	mu       sync.Mutex
	result   Result
	final    bool
	told     bool
	done     chan struct{} // closed at the final state
	reported chan struct{} // closed when a report has told the final state
}

// TransactionID identifies the invocation at the device.
func (i *Invocation) TransactionID() uint32 { return i.result.TransactionID }

// Wait returns the result once the final state is known and, after a success, the
// mirror has caught up with the MDIB version that came with it, so that the
// effect can be seen in Device.MDIB (SCO-7). The error is an
// *OperationError for Fail, Cnclld and CnclldMan; the result is returned with it.
// If the device is lost or closed before, the error says so and the outcome is
// unknown.
func (i *Invocation) Wait(ctx context.Context) (*Result, error) {
	select {
	case <-i.done:
	default:
		select {
		case <-i.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for operation %s: %w", i.operation, context.Cause(ctx))
		case <-i.dev.ended:
			return nil, fmt.Errorf("waiting for operation %s: %w", i.operation, i.dev.endCause())
		}
	}
	if !i.unknown() {
		i.awaitReport(ctx)
	}
	i.mu.Lock()
	r := i.result
	i.mu.Unlock()
	switch r.State {
	case msg.InvocationStateFin, msg.InvocationStateFinMod:
		i.dev.await(ctx, r.Steps[len(r.Steps)-1].MDIBVersion)
		return &r, nil
	}
	return &r, &OperationError{Operation: i.operation, Result: &r}
}

// catchUp bounds how long a finished operation waits for its report and for the
// mirror: the answer to a request may overtake the reports of what it changed.
const catchUp = 2 * time.Second

// unknown tells that the device has refused an operation that it does not have: no report tells of that.
func (i *Invocation) unknown() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.result.State != msg.InvocationStateFail {
		return false
	}
	_, ok := mdib.Get[pm.OperationDescriptor](i.dev.MDIB(), i.operation)
	return !ok
}

// awaitReport waits for the report that repeats a final state told by the
// response: only reports say what was changed and who invoked.
func (i *Invocation) awaitReport(ctx context.Context) {
	if a := i.dev.consumer.cfg.Actions; a != nil && !slices.Contains(a, sdc.ActionOperationInvokedReport) {
		return
	}
	timer := time.NewTimer(catchUp)
	defer timer.Stop()
	select {
	case <-i.reported:
	case <-timer.C:
	case <-ctx.Done():
	case <-i.dev.ended:
	}
}

// await waits until the mirror has reached a version, the link is no longer live, or catchUp has passed.
func (d *Device) await(ctx context.Context, version uint64) {
	if d.consumer.cfg.Actions != nil || d.MDIB().Version().MdibVersion >= version {
		return // with a selection of reports the version may never come
	}
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	for u, err := range d.Updates(ctx) {
		if err != nil || u.Link.State != Live || u.Snapshot.Version().MdibVersion >= version {
			return
		}
	}
}

// step records one state. A final state that came with the response may be
// followed by one report that repeats it; nothing else can change a final result.
func (i *Invocation) step(info *msg.InvocationInfo, version uint64, part *msg.OperationInvokedReportPart) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r := &i.result
	if i.final && info.InvocationState != r.State {
		return
	}
	if len(r.Steps) >= maxSteps && !info.InvocationState.Final() {
		return
	}
	r.Steps = append(r.Steps[:len(r.Steps):len(r.Steps)], Step{State: info.InvocationState, MDIBVersion: version, Reported: part != nil})
	r.State, r.Error, r.Message = info.InvocationState, info.InvocationError, info.InvocationErrorMessage
	if part != nil {
		r.Target, r.Source = part.OperationTarget, part.InvocationSource
	}
	if !r.State.Final() {
		return
	}
	if !i.final {
		i.final = true
		close(i.done)
	}
	if part != nil && !i.told {
		i.told = true
		close(i.reported)
	}
}

// maxSteps bounds the steps kept of one invocation; of those beyond it only the final state counts.
const maxSteps = 64

// invocations matches OperationInvokedReports to the invocations of this
// consumer. Reports may overtake the response that tells their transaction id, so
// the last reports nobody asked for yet are kept (SCO-8).
type invocations struct {
	mu     sync.Mutex
	open   map[uint32]*Invocation
	recent []recentReport // ring
	next   int
}

type recentReport struct {
	part    *msg.OperationInvokedReportPart
	version uint64
}

// keptReports bounds the reports kept for responses still to come. Other
// consumers' operations are among them, so it is well above what one has under way.
const keptReports = 256

// maxOpen bounds invocations whose final report never came; the oldest is
// forgotten beyond it.
const maxOpen = 1024

func (v *invocations) add(i *Invocation, info *msg.InvocationInfo, version uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := info.TransactionId
	i.step(info, version, nil)
	for k := range v.recent {
		// The ring is walked from its oldest entry on.
		r := v.recent[(v.next+k)%len(v.recent)]
		if r.part.InvocationInfo.TransactionId == id && r.part.OperationHandleRef == i.operation {
			i.step(&r.part.InvocationInfo, r.version, r.part)
		}
	}
	if v.open == nil {
		v.open = make(map[uint32]*Invocation)
	}
	if len(v.open) >= maxOpen {
		oldest := id
		for k := range v.open {
			oldest = min(oldest, k)
		}
		delete(v.open, oldest)
	}
	v.open[id] = i
}

func (v *invocations) report(rep *msg.OperationInvokedReport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k := range rep.ReportPart {
		part := &rep.ReportPart[k]
		if i := v.open[part.InvocationInfo.TransactionId]; i != nil && i.operation == part.OperationHandleRef {
			i.step(&part.InvocationInfo, rep.MdibVersion, part)
			if part.InvocationInfo.InvocationState.Final() {
				delete(v.open, part.InvocationInfo.TransactionId)
			}
			continue
		}
		r := recentReport{part, rep.MdibVersion}
		if len(v.recent) < keptReports {
			v.recent = append(v.recent, r)
			continue
		}
		v.recent[v.next] = r
		v.next = (v.next + 1) % keptReports
	}
}

// Invoke sends a request of the Set or Context service and returns once the
// device has answered it; [Invocation.Wait] waits for the outcome. Errors are
// *soap.Fault when the device refused the message as such, *ServiceError when it
// does not offer the service, *AccessError when the operation is not for this user, [ErrLost] or [ErrClosed] when the Device has ended.
// Safety information that the operation asks for is sent along, see Config.SafetyInfo.
func (d *Device) Invoke(ctx context.Context, req msg.SetRequest) (*Invocation, error) {
	if err := checkRequest(req); err != nil {
		return nil, err
	}
	service, action := sdc.SetService, sdc.NamespaceGlue+"/SetService/"+req.BodyName().Local
	if _, ok := req.(*msg.SetContextState); ok {
		service, action = sdc.ContextService, sdc.ActionSetContextState
	}
	if err := d.checkAccess(req.BaseSet().OperationHandleRef); err != nil {
		return nil, err
	}
	info, err := d.safetyInfo(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("operation %s: %w", req.BaseSet().OperationHandleRef, err)
	}
	resp, err := d.call(ctx, service, action, req, info...)
	if err != nil {
		return nil, fmt.Errorf("operation %s: %w", req.BaseSet().OperationHandleRef, err)
	}
	set, ok := resp.(msg.SetResponse)
	if !ok {
		return nil, fmt.Errorf("operation %s: answered by %s", req.BaseSet().OperationHandleRef, resp.BodyName())
	}
	outcome := &set.BaseSetResponse().InvocationInfo
	i := &Invocation{operation: req.BaseSet().OperationHandleRef, dev: d, done: make(chan struct{}), reported: make(chan struct{})}
	i.result.TransactionID = outcome.TransactionId
	d.invocations.add(i, outcome, set.Version().MdibVersion)
	return i, nil
}

// checkAccess refuses operations that are not for the users of this consumer. An
// unknown handle is left to the device to refuse.
func (d *Device) checkAccess(operation string) error {
	op, ok := mdib.Get[pm.OperationDescriptor](d.MDIB(), operation)
	if !ok {
		return nil
	}
	level := op.BaseOperation().AccessLevelOrDefault()
	if slices.Contains(d.consumer.cfg.AccessLevels, level) {
		return nil
	}
	return &AccessError{Operation: operation, Level: level}
}

func (d *Device) invokeAndWait(ctx context.Context, req msg.SetRequest) (*Result, error) {
	i, err := d.Invoke(ctx, req)
	if err != nil {
		return nil, err
	}
	return i.Wait(ctx)
}

// SetValue sets a number and waits for the outcome, see [Invocation.Wait].
func (d *Device) SetValue(ctx context.Context, operation string, value pm.Decimal) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetValue{AbstractSet: setOf(operation), RequestedNumericValue: value})
}

// SetString sets a text and waits for the outcome.
func (d *Device) SetString(ctx context.Context, operation, value string) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetString{AbstractSet: setOf(operation), RequestedStringValue: value})
}

// Activate triggers an action with arguments in the order of the operation's
// descriptor, and waits for the outcome.
func (d *Device) Activate(ctx context.Context, operation string, arguments ...string) (*Result, error) {
	req := &msg.Activate{AbstractSet: setOf(operation)}
	for _, a := range arguments {
		req.Argument = append(req.Argument, msg.Argument{ArgValue: a})
	}
	return d.invokeAndWait(ctx, req)
}

// SetMetricState proposes metric states and waits for the outcome.
func (d *Device) SetMetricState(ctx context.Context, operation string, proposed ...pm.MetricState) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetMetricState{AbstractSet: setOf(operation), ProposedMetricState: proposed})
}

// SetComponentState proposes component states and waits for the outcome.
func (d *Device) SetComponentState(ctx context.Context, operation string, proposed ...pm.ComponentState) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetComponentState{AbstractSet: setOf(operation), ProposedComponentState: proposed})
}

// SetAlertState proposes an alert state and waits for the outcome.
func (d *Device) SetAlertState(ctx context.Context, operation string, proposed pm.AlertState) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetAlertState{AbstractSet: setOf(operation), ProposedAlertState: proposed})
}

// SetContextState proposes context states and waits for the outcome. A proposed
// state whose Handle equals its DescriptorHandle asks for a new one.
func (d *Device) SetContextState(ctx context.Context, operation string, proposed ...pm.ContextState) (*Result, error) {
	return d.invokeAndWait(ctx, &msg.SetContextState{AbstractSet: setOf(operation), ProposedContextState: proposed})
}

func setOf(operation string) msg.AbstractSet {
	return msg.AbstractSet{OperationHandleRef: operation}
}

// call sends a request, with further header blocks, to the hosted service that offers a port type and decodes the answer. Once the Device has ended nothing is
// sent: nobody knows who is at its address.
func (d *Device) call(ctx context.Context, service, action string, req msg.Message, extra ...soap.Body) (msg.Message, error) {
	select {
	case <-d.ended:
		return nil, d.endCause()
	default:
	}
	to, ok := d.service(service)
	if !ok {
		return nil, &ServiceError{Service: service}
	}
	var began time.Time
	var env *soap.Envelope
	err := d.at(ctx, to, func(ctx context.Context, to soap.EndpointReference) (err error) {
		header := soap.NewHeader(to, action)
		header.Extra = extra
		began = time.Now()
		env, err = d.consumer.client.Exchange(ctx, to.Address, header, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.compareClocks(env.Date, began, time.Now())
	return d.decodeBody(env)
}

func (d *Device) decodeBody(env *soap.Envelope) (msg.Message, error) {
	m, err := soap.DecodeAnswer(env, env.BodyName(), d.consumer.cfg.decode().Decode)
	if err != nil {
		return nil, &AnswerError{Body: env.BodyName(), Err: err}
	}
	return m, nil
}
