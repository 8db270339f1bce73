package reference

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// conceptDescription changes what a condition's type is called (step 5a).
func (a *animation) conceptDescription(time.Time) error {
	return a.describe(a.plan.described, func(d pm.Descriptor) {
		if t := d.Base().Type; t != nil {
			t.ConceptDescription = a.reword(t.ConceptDescription, "Condition")
		}
	})
}

// causes changes the texts on a condition's cause and remedy (step 5a).
func (a *animation) causes(time.Time) error {
	return a.describe(a.plan.caused, func(d pm.Descriptor) {
		c, ok := d.(pm.ConditionDescriptor)
		if !ok {
			return
		}
		base := c.BaseCondition()
		if len(base.CauseInfo) == 0 {
			base.CauseInfo = []pm.CauseInfo{{}}
		}
		cause := &base.CauseInfo[0]
		if cause.RemedyInfo == nil {
			cause.RemedyInfo = &pm.RemedyInfo{}
		}
		cause.Description = a.reword(cause.Description, "Cause")
		cause.RemedyInfo.Description = a.reword(cause.RemedyInfo.Description, "Remedy")
	})
}

// unit changes the unit of a metric (step 5a): to and fro between dimensionless and percent, which suit any number.
func (a *animation) unit(time.Time) error {
	return a.describe(a.plan.measured, func(d pm.Descriptor) {
		m, ok := d.(pm.MetricDescriptor)
		if !ok {
			return
		}
		unit := &m.BaseMetric().Unit
		next := build.Dimensionless()
		if unit.Code == next.Code {
			next = build.Percent()
		}
		*unit = *next.Value()
	})
}

// reword changes the texts that stand in the MDIB itself; those of the localization service are not the description's to change.
func (a *animation) reword(texts []pm.LocalizedText, what string) []pm.LocalizedText {
	text := fmt.Sprintf("%s, wording %d", what, a.round)
	found := false
	out := append([]pm.LocalizedText{}, texts...)
	for i := range out {
		if out[i].Ref == "" {
			out[i].Text, found = text, true
		}
	}
	if !found {
		out = append(out, build.Text(text)...)
	}
	return out
}

func (a *animation) describe(handle string, change func(pm.Descriptor)) error {
	if handle == "" {
		return nil
	}
	return a.p.Update(func(tx *mdib.Tx) error {
		if _, ok := tx.Base().Descriptor(handle); !ok {
			return nil // a test has taken it out
		}
		d, err := tx.EditDescriptor(handle)
		if err != nil {
			return err
		}
		change(d)
		return nil
	})
}

// insert puts in a VMD with a channel and a metric, with handles never used before (step 5b).
func (a *animation) insert(at time.Time) error {
	if a.visitor != "" || a.plan.host == "" || a.device.cfg.Complete {
		return nil
	}
	a.visits++
	handle := fmt.Sprintf("visitor%d", a.visits)
	for taken(a.p.MDIB(), handle) {
		a.visits++
		handle = fmt.Sprintf("visitor%d", a.visits)
	}
	metric := build.Numeric{
		Handle: handle + ".channel.metric", Type: build.Private("visits", "How often a subsystem has been inserted"), Unit: build.Dimensionless(),
		Category: pm.MetricCategoryMsrmt, Resolution: "1", Low: "0", High: "1000000000", Period: time.Minute,
	}.Descriptor()
	state := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.NewDecimal(int64(a.visits), 0))}}
	state.DescriptorHandle = metric.Handle
	state.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(at))
	state.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
	err := a.p.Update(func(tx *mdib.Tx) error {
		host, ok := mdib.Get[*pm.MdsState](tx.Base(), a.plan.host)
		if !ok || host.ActivationState == pm.ComponentActivationOff {
			return nil // a test has taken it out or switched it off, and then nothing in it is on (BICEPS R0025_0)
		}
		return tx.Insert(a.plan.host, build.VMD(handle, build.Private("visitor", "Subsystem that comes and goes"),
			build.Channel(handle+".channel", build.Private("visitor-channel", "Channel that comes and goes"), metric)), state)
	})
	if err == nil {
		a.visitor = handle
	}
	return err
}

func taken(s *mdib.Snapshot, handle string) bool {
	for _, h := range []string{handle, handle + ".channel", handle + ".channel.metric"} {
		if _, ok := s.Descriptor(h); ok {
			return true
		}
		if _, ok := s.State(h); ok {
			return true
		}
	}
	return false
}

// remove takes the VMD out again, leaf by leaf (step 5b).
func (a *animation) remove(time.Time) error {
	if a.visitor == "" {
		return nil
	}
	if _, ok := a.p.MDIB().Descriptor(a.visitor); ok { // it may have gone with its MDS
		for _, step := range mdib.DeleteTree(a.p.MDIB(), a.visitor) {
			if err := a.p.Update(step); err != nil {
				return err
			}
		}
	}
	a.visitor = ""
	return nil
}
