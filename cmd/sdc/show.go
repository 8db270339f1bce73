package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// concept is a coded value for people: its description, else its name, else its code.
func concept(c *pm.CodedValue) string {
	if c == nil {
		return ""
	}
	for _, t := range c.ConceptDescription {
		if t.Text != "" && (t.Lang == "" || strings.HasPrefix(t.Lang, "en")) {
			return t.Text
		}
	}
	for _, t := range c.ConceptDescription {
		if t.Text != "" {
			return t.Text
		}
	}
	if c.SymbolicCodeName != "" {
		return c.SymbolicCodeName
	}
	return c.Code
}

// typeName is the type of a descriptor or state as the standard calls it.
func typeName(v interface{ TypeName() pm.QName }) string { return v.TypeName().Local }

// unit is the unit of a metric, "" without one.
func unit(d pm.Descriptor) string {
	m, ok := d.(pm.MetricDescriptor)
	if !ok {
		return ""
	}
	u := &m.BaseMetric().Unit
	const dimensionless = "262656" // MDC_DIM_DIMLESS
	if u.Code == dimensionless {
		return ""
	}
	return concept(u)
}

// value is the content of a state for people, in one line.
func value(d pm.Descriptor, s pm.State) string {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		if s.MetricValue == nil {
			return noValue(s.BaseMetric())
		}
		v, ok := s.MetricValue.Value.Get()
		if !ok {
			return string(s.MetricValue.MetricQuality.Validity)
		}
		return strings.TrimSpace(v.String()+" "+unit(d)) + doubt(&s.MetricValue.AbstractMetricValue)
	case *pm.StringMetricState:
		return text(s)
	case *pm.EnumStringMetricState:
		return text(&s.StringMetricState)
	case *pm.RealTimeSampleArrayMetricState:
		return samples(d, s.BaseMetric(), s.MetricValue)
	case *pm.DistributionSampleArrayMetricState:
		return samples(d, s.BaseMetric(), s.MetricValue)
	case pm.ConditionState:
		c := s.BaseCondition()
		if c.Presence {
			return "PRESENT"
		}
		return "not present, " + string(c.ActivationState)
	case *pm.AlertSignalState:
		return strings.Trim(string(s.PresenceOrDefault())+", "+string(s.ActivationState), ", ")
	case *pm.AlertSystemState:
		n := len(s.PresentPhysiologicalAlarmConditions) + len(s.PresentTechnicalAlarmConditions)
		return fmt.Sprintf("%s, %d present", s.ActivationState, n)
	case pm.OperationState:
		return "operation " + string(s.BaseOperation().OperatingMode)
	case *pm.ClockState:
		if t, ok := s.DateAndTime.Get(); ok {
			return t.Time().Format(time.RFC3339)
		}
	case *pm.BatteryState:
		if m := s.CapacityRemaining; m != nil {
			return m.MeasuredValue.String() + " " + concept(&m.MeasurementUnit) + " " + string(s.ChargeStatus)
		}
	case pm.ContextState:
		return contextText(s)
	}
	if c, ok := s.(pm.ComponentState); ok {
		return string(c.BaseComponent().ActivationStateOrDefault())
	}
	return ""
}

func noValue(m *pm.AbstractMetricState) string {
	return "no value (" + string(m.ActivationStateOrDefault()) + ")"
}

func text(s *pm.StringMetricState) string {
	if s.MetricValue == nil {
		return noValue(s.BaseMetric())
	}
	v, ok := s.MetricValue.Value.Get()
	if !ok {
		return string(s.MetricValue.MetricQuality.Validity)
	}
	return fmt.Sprintf("%q", v) + doubt(&s.MetricValue.AbstractMetricValue)
}

func samples(d pm.Descriptor, m *pm.AbstractMetricState, v *pm.SampleArrayValue) string {
	if v == nil {
		return noValue(m)
	}
	n := len(v.Samples)
	if n == 0 {
		return "no samples"
	}
	return strings.TrimSpace(fmt.Sprintf("%d samples, last %s %s", n, v.Samples[n-1], unit(d))) + doubt(&v.AbstractMetricValue)
}

// doubt marks values that are not valid: nobody may take them for good ones.
func doubt(v *pm.AbstractMetricValue) string {
	switch v.MetricQuality.Validity {
	case pm.MeasurementValidityVld, pm.MeasurementValidityVldated:
		return ""
	}
	return " [" + string(v.MetricQuality.Validity) + "]"
}

func contextText(s pm.ContextState) string {
	base := s.BaseContext()
	parts := []string{string(base.ContextAssociationOrDefault())}
	switch s := s.(type) {
	case *pm.LocationContextState:
		if l := s.LocationDetail; l != nil {
			for _, f := range []string{l.Facility, l.Building, l.Floor, l.PoC, l.Room, l.Bed} {
				if f != "" {
					parts = append(parts, f)
				}
			}
		}
	case *pm.PatientContextState:
		if s.CoreData != nil {
			core := s.CoreData.BaseCoreData()
			if n := strings.TrimSpace(core.Givenname + " " + core.Familyname); n != "" {
				parts = append(parts, n)
			}
		}
	}
	for _, id := range base.Identification {
		if id.Extension != "" {
			parts = append(parts, id.Extension)
		}
	}
	return strings.Join(parts, " ")
}

// entry is an entity as --json shows it.
type entry struct {
	Handle     string        `json:"handle"`
	Type       string        `json:"type"`
	Parent     string        `json:"parent,omitempty"`
	Depth      int           `json:"depth"`
	Name       string        `json:"name,omitempty"`
	Value      string        `json:"value,omitempty"`
	Unit       string        `json:"unit,omitempty"`
	Descriptor pm.Descriptor `json:"descriptor,omitempty"`
	States     []pm.State    `json:"states,omitempty"`
}

// newEntry converts an entity; whole adds descriptor and states.
func newEntry(e mdib.Entity, whole bool) entry {
	out := entry{
		Handle: e.Handle, Type: typeName(e.Descriptor), Parent: e.Parent, Depth: e.Depth,
		Name: concept(e.Descriptor.Base().Type), Unit: unit(e.Descriptor),
	}
	if e.State != nil {
		out.Value = value(e.Descriptor, e.State)
	}
	if !whole {
		return out
	}
	out.Descriptor = e.Descriptor
	if e.State != nil {
		out.States = append(out.States, e.State)
	}
	for _, c := range e.Contexts {
		out.States = append(out.States, c)
	}
	return out
}
