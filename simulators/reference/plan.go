package reference

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// plan says which entries of an MDIB play which part, found by their types.
type plan struct {
	numbers, strings     []string // metrics that move by themselves
	waves, distributions []string
	conditions           []string
	signals              map[string][]string // by condition; "" has those of none
	systems              []string
	batteries, clocks    []string
	components           []string // MDSs and VMDs
	toggled              []string // operations that are enabled and disabled
	described            string   // condition whose type has a concept description
	caused               string   // condition whose causes change
	hasCause             bool
	measured             string // metric whose unit changes
	host                 string // MDS that gets a VMD now and then
}

// newPlan casts the parts.
func newPlan(s *mdib.Snapshot) plan {
	pl := plan{signals: map[string][]string{}}
	settable := settable(s)
	var restNumbers, restStrings []string
	pick := func(d pm.MetricDescriptor, handle string, to, rest *[]string) {
		c := d.BaseMetric().MetricCategory
		switch {
		case settable[handle]:
		case c == pm.MetricCategorySet || c == pm.MetricCategoryPreset:
			*rest = append(*rest, handle)
		default:
			*to = append(*to, handle)
		}
	}
	for e := range s.Entities() {
		switch d := e.Descriptor.(type) {
		case *pm.MdsDescriptor:
			if pl.host == "" {
				pl.host = e.Handle
			}
			pl.components = append(pl.components, e.Handle)
		case *pm.VmdDescriptor:
			pl.components = append(pl.components, e.Handle)
		case *pm.BatteryDescriptor:
			pl.batteries = append(pl.batteries, e.Handle)
		case *pm.ClockDescriptor:
			pl.clocks = append(pl.clocks, e.Handle)
		case *pm.NumericMetricDescriptor:
			pick(d, e.Handle, &pl.numbers, &restNumbers)
		case *pm.EnumStringMetricDescriptor:
			pick(d, e.Handle, &pl.strings, &restStrings)
		case *pm.StringMetricDescriptor:
			pick(d, e.Handle, &pl.strings, &restStrings)
		case *pm.RealTimeSampleArrayMetricDescriptor:
			pl.waves = append(pl.waves, e.Handle)
		case *pm.DistributionSampleArrayMetricDescriptor:
			pl.distributions = append(pl.distributions, e.Handle)
		case *pm.AlertSystemDescriptor:
			pl.systems = append(pl.systems, e.Handle)
		case pm.ConditionDescriptor:
			pl.condition(e.Handle, d)
		case *pm.AlertSignalDescriptor:
			pl.signals[d.ConditionSignaled] = append(pl.signals[d.ConditionSignaled], e.Handle)
		}
	}
	// An MDIB without measurements still shows updates: settings that no operation sets move in their place.
	if len(pl.numbers) == 0 {
		pl.numbers = restNumbers
	}
	if len(pl.strings) == 0 {
		pl.strings = restStrings
	}
	for _, h := range append(append([]string{}, pl.numbers...), restNumbers...) {
		if pl.measured == "" {
			pl.measured = h
		}
	}
	pl.toggled = toggled(s)
	return pl
}

func (pl *plan) condition(handle string, d pm.ConditionDescriptor) {
	pl.conditions = append(pl.conditions, handle)
	base := d.BaseCondition()
	if pl.described == "" && base.Type != nil {
		pl.described = handle
	}
	// The first one with a cause, or the first one, which is given a cause.
	if pl.caused == "" || len(base.CauseInfo) > 0 && !pl.hasCause {
		pl.caused, pl.hasCause = handle, len(base.CauseInfo) > 0
	}
}

// settable are the metrics that operations write to, which must not move by themselves.
func settable(s *mdib.Snapshot) map[string]bool {
	out := map[string]bool{}
	for e := range s.Entities() {
		op, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok {
			continue
		}
		target := op.BaseOperation().OperationTarget
		out[target] = true
		if _, ok := op.(*pm.SetMetricStateOperationDescriptor); !ok {
			continue
		}
		for below := range s.Subtree(target) {
			if m, ok := below.Descriptor.(pm.MetricDescriptor); ok && m.BaseMetric().MetricCategory == pm.MetricCategorySet {
				out[below.Handle] = true
			}
		}
	}
	return out
}

// toggled finds operations that nobody needs: those that trigger an action without arguments on a component; failing that, any
// without arguments; failing that, the last of a kind that has more than one.
func toggled(s *mdib.Snapshot) []string {
	var onComponent, without []string
	kinds := map[pm.QName][]string{}
	for e := range s.Entities() {
		op, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok {
			continue
		}
		kinds[op.TypeName()] = append(kinds[op.TypeName()], e.Handle)
		a, ok := op.(*pm.ActivateOperationDescriptor)
		if !ok || len(a.Argument) > 0 {
			continue
		}
		without = append(without, e.Handle)
		if target, ok := s.Descriptor(a.OperationTarget); ok {
			if _, ok := target.(pm.ComponentDescriptor); ok {
				onComponent = append(onComponent, e.Handle)
			}
		}
	}
	switch {
	case len(onComponent) > 0:
		return onComponent[:1]
	case len(without) > 0:
		return without[:1]
	}
	for e := range s.Entities() {
		if op, ok := e.Descriptor.(pm.OperationDescriptor); ok {
			if all := kinds[op.TypeName()]; len(all) > 1 {
				return all[len(all)-1:]
			}
		}
	}
	return nil
}
