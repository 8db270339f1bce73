package plugathon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// manner is how an operation is expected to go.
type manner uint8

const (
	anyManner manner = iota
	atOnce           // Fin in the response, one report
	inSteps          // Wait in the response, then reports of Wait, Start and Fin
)

// trial is an operation that went well as far as could be told when it ended; the reports are counted later, so that
// one too many is not missed.
type trial struct {
	step        string
	transaction uint32
	manner      manner
	verdict     verdict
}

// operate takes the steps 6b to 6f one after another.
func (r *run) operate(ctx context.Context) []trial {
	var trials []trial
	for _, s := range []struct {
		id   string
		kind func(pm.OperationDescriptor) bool
		what string
		try  func(context.Context, mdib.Entity) trial
	}{
		{"6b", r.setsPatients, "SetContextState operation for patients", r.patient},
		{"6c", isOperation[*pm.SetValueOperationDescriptor], "SetValue operation", r.value},
		{"6d", isOperation[*pm.SetStringOperationDescriptor], "SetString operation", r.text},
		{"6e", isOperation[*pm.SetMetricStateOperationDescriptor], "SetMetricState operation", r.metrics},
		{"6f", joins, "Activate operation with three arguments", r.activate},
	} {
		if r.wants(s.id) {
			t := r.tryAll(ctx, s.kind, s.what, s.try)
			t.step = s.id
			trials = append(trials, t)
		}
	}
	return trials
}

// tryAll tries the operations of a kind until one goes well: which of several behaves as a step asks is the device's choice.
func (r *run) tryAll(ctx context.Context, kind func(pm.OperationDescriptor) bool, what string, try func(context.Context, mdib.Entity) trial) trial {
	var failed []string
	for e := range r.dev.MDIB().Entities() {
		op, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok || !kind(op) {
			continue
		}
		t := r.tryOne(ctx, e, try)
		if t.verdict.outcome == Pass {
			return t
		}
		failed = append(failed, e.Handle+": "+t.verdict.evidence)
	}
	if len(failed) == 0 {
		return trial{verdict: skipf("the device has no %s", what)}
	}
	return trial{verdict: failf("%s", strings.Join(failed, "; "))}
}

func (r *run) tryOne(ctx context.Context, e mdib.Entity, try func(context.Context, mdib.Entity) trial) trial {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	// Reference devices enable and disable operations all the time.
	enabled := r.await(ctx, func(s *mdib.Snapshot) bool {
		state, ok := mdib.Get[pm.OperationState](s, e.Handle)
		return ok && state.BaseOperation().OperatingMode == pm.OperatingModeEn
	})
	if !enabled {
		return trial{verdict: failf("not enabled within %s", r.cfg.StepTimeout)}
	}
	now, ok := r.dev.MDIB().Entity(e.Handle)
	if !ok {
		return trial{verdict: failf("removed meanwhile")}
	}
	return try(ctx, now)
}

// await waits until the mirror is as wanted.
func (r *run) await(ctx context.Context, as func(*mdib.Snapshot) bool) bool {
	for u, err := range r.dev.Updates(ctx) {
		if err != nil {
			return false
		}
		if as(u.Snapshot) {
			return true
		}
	}
	return false
}

func isOperation[T pm.OperationDescriptor](d pm.OperationDescriptor) bool { _, ok := d.(T); return ok }

// joins: three arguments for a text.
func joins(d pm.OperationDescriptor) bool {
	a, ok := d.(*pm.ActivateOperationDescriptor)
	return ok && len(a.Argument) == 3
}

func (r *run) setsPatients(d pm.OperationDescriptor) bool {
	_, sets := d.(*pm.SetContextStateOperationDescriptor)
	_, ok := r.patients(d)
	return sets && ok
}

// patients is the patient context that an operation is for.
func (r *run) patients(d pm.OperationDescriptor) (string, bool) {
	s := r.dev.MDIB()
	target := d.BaseOperation().OperationTarget
	if state, ok := s.State(target); ok {
		target = state.BaseState().DescriptorHandle
	}
	_, ok := mdib.Get[*pm.PatientContextDescriptor](s, target)
	return target, ok
}

// went tells whether an invocation went in its manner, as far as its result shows. The error is that of the call.
func went(how manner, res *consumer.Result, err error) verdict {
	if err != nil {
		return failf("%v", err)
	}
	var answered msg.InvocationState
	var reported []msg.InvocationState
	for _, s := range res.Steps {
		if s.Reported {
			reported = append(reported, s.State)
		} else {
			answered = s.State
		}
	}
	switch how {
	case atOnce:
		return judge(answered == msg.InvocationStateFin, "the response said %s", answered)
	case inSteps:
		want := []msg.InvocationState{msg.InvocationStateWait, msg.InvocationStateStart, msg.InvocationStateFin}
		return judge(answered == msg.InvocationStateWait && slices.Equal(reported, want), "the response said %s, the reports %v", answered, reported)
	}
	return judge(res.State == msg.InvocationStateFin, "it ended with %s", res.State)
}

// invoke makes a trial of an invocation, whose effect is looked for if it went well. It is looked for from before the call: devices go on changing what was set, so it may have
// come and gone when the device says that the operation has ended.
func (r *run) invoke(ctx context.Context, how manner, effect string, seen func(*mdib.Snapshot) bool, call func() (*consumer.Result, error)) trial {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	began, found := make(chan struct{}), make(chan bool, 1)
	begin := sync.OnceFunc(func() { close(began) })
	go func() {
		defer begin() // also if there is nothing to watch any more
		found <- r.await(watching, func(s *mdib.Snapshot) bool {
			begin()
			return seen(s)
		})
	}()
	<-began
	res, err := call()
	t := trial{manner: how, verdict: went(how, res, err)}
	if t.verdict.outcome != Pass {
		stop()
		<-found
		return t
	}
	t.transaction = res.TransactionID
	if !<-found {
		t.verdict = failf("%s, but no effect was seen: %s", t.verdict.evidence, effect)
		return t
	}
	t.verdict.evidence += "; " + effect
	return t
}

// patient: step 6b.
func (r *run) patient(ctx context.Context, op mdib.Entity) trial {
	descriptor, _ := r.patients(op.Descriptor.(pm.OperationDescriptor))
	var former []string
	for c := range r.dev.MDIB().Associated(descriptor) {
		former = append(former, c.BaseMulti().Handle)
	}
	pre, t := r.propose(ctx, op.Handle, descriptor, pm.ContextAssociationPre)
	if t.verdict.outcome != Pass {
		return t
	}
	assoc, t := r.propose(ctx, op.Handle, descriptor, pm.ContextAssociationAssoc)
	if t.verdict.outcome != Pass {
		return t
	}
	s := r.dev.MDIB()
	for c := range s.Associated(descriptor) {
		if h := c.BaseMulti().Handle; h != assoc {
			t.verdict = failf("%s is associated besides the new %s", h, assoc)
			return t
		}
	}
	for _, h := range former {
		state, ok := mdib.Get[pm.ContextState](s, h)
		if ok && state.BaseContext().ContextAssociation != pm.ContextAssociationDis {
			t.verdict = failf("the former patient %s is %s, not disassociated", h, state.BaseContext().ContextAssociationOrDefault())
			return t
		}
	}
	t.verdict = passf("%s is pre-associated, %s associated, %d former disassociated", pre, assoc, len(former))
	return t
}

// propose asks for a new patient context and returns the handle the device has given it.
func (r *run) propose(ctx context.Context, op, descriptor string, as pm.ContextAssociation) (string, trial) {
	name := "Script " + string(as)
	proposed := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{
		BaseDemographics: pm.BaseDemographics{Givenname: "Plug", Familyname: name},
		Sex:              pm.SexUnspec, PatientType: pm.PatientTypeAd,
	}}
	proposed.DescriptorHandle, proposed.Handle = descriptor, descriptor
	proposed.ContextAssociation = as
	proposed.Identification = []pm.InstanceIdentifier{{Root: "urn:oid:2.25.1", Extension: fmt.Sprintf("%s-%d", as, time.Now().UnixNano())}}
	known := map[string]bool{}
	for c := range r.dev.MDIB().ContextStates(descriptor) {
		known[c.BaseMulti().Handle] = true
	}
	made := ""
	t := r.invoke(ctx, anyManner, "a new "+string(as)+" state", func(s *mdib.Snapshot) bool {
		for c := range s.ContextStates(descriptor) {
			h := c.BaseMulti().Handle
			if !known[h] && c.BaseContext().ContextAssociation == as && hasIdentification(c, proposed.Identification[0]) {
				made = h
				return true
			}
		}
		return false
	}, func() (*consumer.Result, error) { return r.dev.SetContextState(ctx, op, proposed) })
	if made == descriptor {
		t.verdict = failf("the new state has the handle of its descriptor")
	}
	return made, t
}

func hasIdentification(c pm.ContextState, id pm.InstanceIdentifier) bool {
	return slices.ContainsFunc(c.BaseContext().Identification, func(o pm.InstanceIdentifier) bool { return o.Root == id.Root && o.Extension == id.Extension })
}

// value: step 6c.
func (r *run) value(ctx context.Context, op mdib.Entity) trial {
	target := op.Descriptor.(pm.OperationDescriptor).BaseOperation().OperationTarget
	var allowed []pm.Range
	if s, ok := op.State.(*pm.SetValueOperationState); ok {
		allowed = s.AllowedRange
	}
	next, err := r.another(target, allowed)
	if err != nil {
		return trial{verdict: failf("%v", err)}
	}
	return r.invoke(ctx, atOnce, fmt.Sprintf("%s is %s", target, next), func(s *mdib.Snapshot) bool { return number(s, target, next) },
		func() (*consumer.Result, error) { return r.dev.SetValue(ctx, op.Handle, next) })
}

func number(s *mdib.Snapshot, handle string, want pm.Decimal) bool {
	m, ok := mdib.Get[*pm.NumericMetricState](s, handle)
	if !ok || m.MetricValue == nil {
		return false
	}
	v, ok := m.MetricValue.Value.Get()
	return ok && v.Cmp(want) == 0
}

// another is a value for a numeric metric that it does not have now, within the ranges that are allowed.
func (r *run) another(handle string, allowed []pm.Range) (pm.Decimal, error) {
	d, ok := mdib.Get[*pm.NumericMetricDescriptor](r.dev.MDIB(), handle)
	if !ok {
		return pm.Decimal{}, fmt.Errorf("its target %s is no numeric metric", handle)
	}
	if len(allowed) == 0 {
		allowed = d.TechnicalRange
	}
	candidates := []pm.Decimal{pm.NewDecimal(1, 0), pm.NewDecimal(2, 0)}
	if len(allowed) > 0 {
		candidates = nil
		for i := range allowed {
			for _, bound := range []pm.Opt[pm.Decimal]{allowed[i].Lower, allowed[i].Upper} {
				if b, ok := bound.Get(); ok {
					candidates = append(candidates, b)
				}
			}
		}
	}
	for _, c := range candidates {
		if !number(r.dev.MDIB(), handle, c) {
			return c, nil
		}
	}
	return pm.Decimal{}, errors.New("its range allows one value only")
}

// text: step 6d.
func (r *run) text(ctx context.Context, op mdib.Entity) trial {
	target := op.Descriptor.(pm.OperationDescriptor).BaseOperation().OperationTarget
	values := []string{"script one", "script two"}
	if d, ok := mdib.Get[*pm.EnumStringMetricDescriptor](r.dev.MDIB(), target); ok {
		values = nil
		for i := range d.AllowedValue {
			values = append(values, d.AllowedValue[i].Value)
		}
	}
	if s, ok := op.State.(*pm.SetStringOperationState); ok && s.AllowedValues != nil {
		values = s.AllowedValues.Value
	}
	next := ""
	for _, v := range values {
		if next == "" || !str(r.dev.MDIB(), target, v) {
			next = v
		}
	}
	return r.invoke(ctx, inSteps, fmt.Sprintf("%s is %q", target, next), func(s *mdib.Snapshot) bool { return str(s, target, next) },
		func() (*consumer.Result, error) { return r.dev.SetString(ctx, op.Handle, next) })
}

func str(s *mdib.Snapshot, handle, want string) bool {
	var v *pm.StringMetricValue
	switch m, _ := s.State(handle); m := m.(type) {
	case *pm.StringMetricState:
		v = m.MetricValue
	case *pm.EnumStringMetricState:
		v = m.MetricValue
	}
	if v == nil {
		return false
	}
	got, ok := v.Value.Get()
	return ok && got == want
}

// metrics: step 6e, with the first two numeric settings at or below the target.
func (r *run) metrics(ctx context.Context, op mdib.Entity) trial {
	s := r.dev.MDIB()
	var proposed []pm.MetricState
	var wanted []pm.Decimal
	var handles []string
	for e := range s.Subtree(op.Descriptor.(pm.OperationDescriptor).BaseOperation().OperationTarget) {
		d, ok := e.Descriptor.(*pm.NumericMetricDescriptor)
		if !ok || d.MetricCategory != pm.MetricCategorySet || len(proposed) == 2 {
			continue
		}
		next, err := r.another(e.Handle, nil)
		if err != nil {
			continue
		}
		state, ok := e.State.(*pm.NumericMetricState)
		if !ok {
			continue
		}
		state = pm.CloneState(state).(*pm.NumericMetricState)
		if state.MetricValue == nil {
			state.MetricValue = &pm.NumericMetricValue{}
		}
		state.MetricValue.Value = pm.Some(next)
		state.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
		state.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(time.Now()))
		proposed, wanted, handles = append(proposed, state), append(wanted, next), append(handles, e.Handle)
	}
	if len(proposed) < 2 {
		return trial{verdict: failf("its target has %d numeric settings, not two", len(proposed))}
	}
	effect := fmt.Sprintf("%s is %s and %s is %s", handles[0], wanted[0], handles[1], wanted[1])
	return r.invoke(ctx, atOnce, effect, func(s *mdib.Snapshot) bool {
		return number(s, handles[0], wanted[0]) && number(s, handles[1], wanted[1])
	}, func() (*consumer.Result, error) { return r.dev.SetMetricState(ctx, op.Handle, proposed...) })
}

// activate: step 6f.
func (r *run) activate(ctx context.Context, op mdib.Entity) trial {
	d := op.Descriptor.(*pm.ActivateOperationDescriptor)
	// Different every time, so that the effect is not one of a former run.
	args := make([]string, len(d.Argument))
	for i := range d.Argument {
		n := time.Now().UnixMilli() % 100_000
		switch d.Argument[i].Arg.Local {
		case "decimal":
			args[i] = fmt.Sprintf("%d.5", n)
		case "anyURI":
			args[i] = fmt.Sprintf("urn:example:%d", n)
		default:
			args[i] = fmt.Sprintf("script%d", n)
		}
	}
	joined := strings.Join(args, "")
	return r.invoke(ctx, atOnce, fmt.Sprintf("%s is %q", d.OperationTarget, joined), func(s *mdib.Snapshot) bool { return str(s, d.OperationTarget, joined) },
		func() (*consumer.Result, error) { return r.dev.Activate(ctx, op.Handle, args...) })
}

// counted decides on a trial by the reports that came of it.
func (n *notebook) counted(t trial) verdict {
	if t.verdict.outcome != Pass || t.manner != atOnce {
		return t.verdict
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	reports := n.invoked[t.transaction]
	if len(reports) != 1 || reports[0].state != msg.InvocationStateFin {
		states := make([]msg.InvocationState, len(reports))
		for i := range reports {
			states[i] = reports[i].state
		}
		return failf("%s, but the reports said %v instead of one Fin", t.verdict.evidence, states)
	}
	return t.verdict
}
