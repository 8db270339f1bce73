package lint

import (
	"strings"

	"github.com/semeco/go-sdc/mdib/pm"
)

func stateRules() []Rule {
	return []Rule{
		{ID: "BICEPS R5001", Profile: base, Title: "Timestamps are milliseconds since 1970.", check: timestamps},
		{ID: "BICEPS samples", Profile: base, Title: "Samples have a period, and annotations lie within them.", check: samplePeriods},
		{ID: "BICEPS ranges", Profile: base, Title: "Ranges are ordered, and values lie within the range or list of their descriptor.", check: ranges},
		{ID: "BICEPS R5011", Profile: base, Title: "ModifiableData names parts of the state that the operation sets.", check: modifiableData},
	}
}

// Timestamps outside of these were likely given in seconds or microseconds.
const (
	plausibleFrom  pm.Timestamp = 100_000_000_000   // 1973 in ms; seconds until the year 5138 lie below
	plausibleUntil pm.Timestamp = 7_258_118_400_000 // 2200 in ms
)

func timestamps(p *pass) {
	for v, t := range all[pm.Timestamp](p) {
		if t != 0 && (t < plausibleFrom || t >= plausibleUntil) {
			p.warnf(v.handle, "%s is %d: hardly milliseconds since 1970", v.field, t)
		}
	}
}

func samplePeriods(p *pass) {
	for h, d := range descriptors[*pm.RealTimeSampleArrayMetricDescriptor](p) {
		if d.SamplePeriod.Std() <= 0 {
			p.errorf(h, "the sample period %s is not positive", d.SamplePeriod)
		}
	}
}

func ranges(p *pass) {
	for v, r := range all[*pm.Range](p) {
		lower, hasLower := r.Lower.Get()
		upper, hasUpper := r.Upper.Get()
		if hasLower && hasUpper && lower.Cmp(upper) > 0 {
			p.errorf(v.handle, "%s goes from %s down to %s", v.field, lower, upper)
		}
		if step, ok := r.StepWidth.Get(); ok && step.Cmp(pm.Decimal{}) <= 0 {
			p.warnf(v.handle, "%s has the step width %s", v.field, step)
		}
	}
}

func modifiableData(p *pass) {
	for h, d := range descriptors[pm.SetStateOperationDescriptor](p) {
		if _, activates := d.(*pm.ActivateOperationDescriptor); activates {
			continue // what an action changes is not written as parts of one state
		}
		states := settable(p, d)
		for _, expression := range d.BaseSetState().ModifiableData {
			if strings.TrimSpace(expression) == "" {
				p.warnf(h, "an entry of ModifiableData is empty")
				continue
			}
			found := len(states) == 0
			for _, s := range states {
				known, ok := pathExists(s, expression)
				found = found || known || !ok
			}
			if !found {
				p.warnf(h, "ModifiableData names %q, which a %s does not have", clip(expression), states[0].TypeName().Local)
			}
		}
	}
}

// settable returns an empty state of each kind that an operation sets: those of its target and, for a target of another kind, such as a channel
// with metrics, of what lies below.
func settable(p *pass, d pm.SetStateOperationDescriptor) []pm.State {
	sets := func(any) bool { return false }
	switch d.(type) {
	case *pm.SetMetricStateOperationDescriptor:
		sets = is[pm.MetricState]
	case *pm.SetComponentStateOperationDescriptor:
		sets = is[pm.ComponentState]
	case *pm.SetAlertStateOperationDescriptor:
		sets = is[pm.AlertState]
	case *pm.SetContextStateOperationDescriptor:
		sets = is[pm.ContextState]
	}
	target := d.BaseOperation().OperationTarget
	if state, ok := p.s.State(target); ok && sets(state) {
		return []pm.State{state}
	}
	var out []pm.State
	for e := range p.s.Subtree(target) {
		if s := pm.NewStateFor(e.Descriptor); sets(s) {
			out = append(out, s)
		}
	}
	return out
}
