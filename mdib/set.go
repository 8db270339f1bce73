package mdib

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// The functions of this file are what device makers do most often. Each is one EditState and a few assignments.

// SetNumeric gives a numeric metric a valid value, determined at the given time.
func (tx *Tx) SetNumeric(handle string, value pm.Decimal, at time.Time) error {
	s, err := Edit[*pm.NumericMetricState](tx, handle)
	if err != nil {
		return err
	}
	if s.MetricValue == nil {
		s.MetricValue = &pm.NumericMetricValue{}
	}
	s.MetricValue.Value = pm.Some(value)
	determined(&s.MetricValue.AbstractMetricValue, at)
	return nil
}

// SetString gives a string or enumeration metric a valid value, determined at the given time. A text that is none of the
// values an enumeration allows is refused.
func (tx *Tx) SetString(handle, value string, at time.Time) error {
	state, err := tx.EditState(handle)
	if err != nil {
		return err
	}
	var place **pm.StringMetricValue
	switch s := state.(type) {
	case *pm.EnumStringMetricState:
		if d, ok := tx.Descriptor(handle); ok && !allowed(d.(*pm.EnumStringMetricDescriptor), value) {
			return ruleError("BICEPS ranges", handle, "%q is none of the allowed values", clip(value))
		}
		place = &s.MetricValue
	case *pm.StringMetricState:
		place = &s.MetricValue
	default:
		return wrongType(state, "string metric")
	}
	if *place == nil {
		*place = &pm.StringMetricValue{}
	}
	(*place).Value = pm.Some(value)
	determined(&(*place).AbstractMetricValue, at)
	return nil
}

func allowed(d *pm.EnumStringMetricDescriptor, value string) bool {
	for i := range d.AllowedValue {
		if d.AllowedValue[i].Value == value {
			return true
		}
	}
	return len(d.AllowedValue) == 0
}

// SetSamples gives a waveform its newest samples, in the unit of the descriptor, the first taken at the given time. The slice belongs to the
// MDIB afterwards.
func (tx *Tx) SetSamples(handle string, samples pm.Samples, first time.Time) error {
	s, err := Edit[*pm.RealTimeSampleArrayMetricState](tx, handle)
	if err != nil {
		return err
	}
	if s.MetricValue == nil {
		s.MetricValue = &pm.SampleArrayValue{}
	}
	s.MetricValue.Samples = samples
	s.MetricValue.ApplyAnnotation, s.MetricValue.Annotation = nil, nil
	determined(&s.MetricValue.AbstractMetricValue, first)
	return nil
}

func determined(v *pm.AbstractMetricValue, at time.Time) {
	v.DeterminationTime = pm.Some(pm.TimestampOf(at))
	v.MetricQuality.Validity = pm.MeasurementValidityVld
}

// ClearValue takes the value or the samples of a metric away and says why: Ong while a measurement goes on, NA when there is none to
// be had, Inv and so on. A metric that is without a value for the same reason already stays as it is.
func (tx *Tx) ClearValue(handle string, why pm.MeasurementValidity, at time.Time) error {
	state, err := tx.EditState(handle)
	if err != nil {
		return err
	}
	if m, ok := state.(pm.MetricState); ok {
		if v, has := valueOf(m); v != nil && !has && v.MetricQuality.Validity == why {
			return nil
		}
	}
	var v *pm.AbstractMetricValue
	switch s := state.(type) {
	case *pm.NumericMetricState:
		s.MetricValue = &pm.NumericMetricValue{}
		v = &s.MetricValue.AbstractMetricValue
	case *pm.EnumStringMetricState:
		s.MetricValue = &pm.StringMetricValue{}
		v = &s.MetricValue.AbstractMetricValue
	case *pm.StringMetricState:
		s.MetricValue = &pm.StringMetricValue{}
		v = &s.MetricValue.AbstractMetricValue
	case *pm.RealTimeSampleArrayMetricState:
		s.MetricValue = &pm.SampleArrayValue{}
		v = &s.MetricValue.AbstractMetricValue
	case *pm.DistributionSampleArrayMetricState:
		s.MetricValue = &pm.SampleArrayValue{}
		v = &s.MetricValue.AbstractMetricValue
	default:
		return wrongType(state, "metric")
	}
	v.MetricQuality.Validity = why
	v.DeterminationTime = pm.Some(pm.TimestampOf(at))
	return nil
}

// SetPresence says whether an alert condition is present. The commit stamps the change (GLUE R0012_0_0) and keeps the list of present
// conditions in the state of the alert system.
func (tx *Tx) SetPresence(handle string, present bool) error {
	s, err := Edit[pm.ConditionState](tx, handle)
	if err != nil {
		return err
	}
	s.BaseCondition().Presence = present
	return nil
}

// SetOperatingMode says whether an operation can be invoked.
func (tx *Tx) SetOperatingMode(handle string, mode pm.OperatingMode) error {
	s, err := Edit[pm.OperationState](tx, handle)
	if err != nil {
		return err
	}
	s.BaseOperation().OperatingMode = mode
	return nil
}

// SetActivation sets the activation state of a metric or component.
func (tx *Tx) SetActivation(handle string, a pm.ComponentActivation) error {
	state, err := tx.EditState(handle)
	if err != nil {
		return err
	}
	switch s := state.(type) {
	case pm.MetricState:
		s.BaseMetric().ActivationState = a
	case pm.ComponentState:
		s.BaseComponent().ActivationState = a
	default:
		return wrongType(state, "metric or component")
	}
	return nil
}

// Disassociate ends all associations of a context descriptor.
func (tx *Tx) Disassociate(descriptor string) error {
	d, ok := tx.Descriptor(descriptor)
	if !ok {
		return unknown(descriptor)
	}
	if !isContext(d) {
		return fmt.Errorf("%q is a %s, not a context", clip(descriptor), d.TypeName().Local)
	}
	for c := range tx.base.Associated(descriptor) {
		s, err := Edit[pm.ContextState](tx, c.BaseMulti().Handle)
		if err != nil {
			return err
		}
		s.BaseContext().ContextAssociation = pm.ContextAssociationDis
	}
	return nil
}

func wrongType(s pm.State, want string) error {
	return fmt.Errorf("state %q is a %s, not that of a %s", clip(pm.HandleOf(s)), s.TypeName().Local, want)
}
