package mdib

import (
	"fmt"
	"slices"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The functions of this file are what device makers do most often. Each is one EditState and a few assignments.

// SetNumeric gives a numeric metric a value, determined at the given time. It is valid if it lies in one of the metric's technical ranges, or if there are
// none.
//
// A number outside of them all is kept, since it is what was determined, but it does not pass for a valid one: its validity is Oflw above them, Uflw below
// them, Qst between them (BICEPS MeasurementValidity; see [pm.ValidityIn]). A setting or presetting is not determined but chosen, so one that the device cannot
// have is refused, with a *RuleError of "BICEPS ranges". A device that knows better edits the state.
func (tx *Tx) SetNumeric(handle string, value pm.Decimal, at time.Time) error {
	key := tx.key(handle)
	s, err := editOf[*pm.NumericMetricState](tx, key)
	if err != nil {
		return err
	}
	validity := pm.MeasurementValidityVld
	if d, ok := tx.descriptor(key); ok {
		d := d.(*pm.NumericMetricDescriptor)
		validity = pm.ValidityIn(d.TechnicalRange, value)
		if validity != pm.MeasurementValidityVld && isChosen(d.MetricCategory) {
			return ruleError(idRanges, handle, "%s is outside of every technical range, %s", value, pm.RangesText(d.TechnicalRange))
		}
	}
	if s.MetricValue == nil {
		s.MetricValue = &pm.NumericMetricValue{}
	}
	s.MetricValue.Value = pm.Some(value)
	determined(&s.MetricValue.AbstractMetricValue, at, validity)
	return nil
}

// isChosen tells values that somebody chooses from those that are found out.
func isChosen(c pm.MetricCategory) bool {
	return c == pm.MetricCategorySet || c == pm.MetricCategoryPreset
}

// SetString gives a string or enumeration metric a valid value, determined at the given time. A text that is none of the
// values an enumeration allows is refused, and so is one that XML has no way to write: consumers would get another.
func (tx *Tx) SetString(handle, value string, at time.Time) error {
	if i := xmlscan.Illegal(value); i >= 0 {
		return ruleError("BICEPS schema", handle, "the text has a character at byte %d that XML does not allow", i)
	}
	state, err := tx.EditState(handle)
	if err != nil {
		return err
	}
	var place **pm.StringMetricValue
	switch s := state.(type) {
	case *pm.EnumStringMetricState:
		if d, ok := tx.Descriptor(handle); ok && !allowed(d.(*pm.EnumStringMetricDescriptor), value) {
			return ruleError(idRanges, handle, "%q is none of the allowed values", clip(value))
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
	determined(&(*place).AbstractMetricValue, at, pm.MeasurementValidityVld)
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
//
// There is one validity for all of them. It is Vld if every sample lies in a technical range, or if there are none; otherwise Oflw if those outside lie above all ranges, Uflw
// if they lie below, and Qst if both occur or some lie between. Samples outside are kept.
func (tx *Tx) SetSamples(handle string, samples pm.Samples, first time.Time) error {
	s, err := tx.editWaveform(handle)
	if err != nil {
		return err
	}
	if s.MetricValue == nil {
		s.MetricValue = &pm.SampleArrayValue{}
	}
	s.MetricValue.Samples = samples
	s.MetricValue.ApplyAnnotation, s.MetricValue.Annotation = nil, nil
	validity := pm.MeasurementValidityVld
	if d, ok := tx.Descriptor(handle); ok {
		validity = validityOf(samples, d.(*pm.RealTimeSampleArrayMetricDescriptor).TechnicalRange)
	}
	determined(&s.MetricValue.AbstractMetricValue, first, validity)
	return nil
}

// validityOf is the validity that all samples have together.
func validityOf(samples pm.Samples, ranges []pm.Range) pm.MeasurementValidity {
	all := pm.MeasurementValidityVld
	switch len(ranges) {
	case 0:
		return all
	case 1: // the usual case, and there may be thousands of samples
		if least, greatest := samples.MinMax(); ranges[0].Contains(least) && ranges[0].Contains(greatest) {
			return all
		}
	}
	for _, x := range samples {
		switch v := pm.ValidityIn(ranges, x); {
		case v == pm.MeasurementValidityVld || v == all:
		case all == pm.MeasurementValidityVld:
			all = v
		default:
			return pm.MeasurementValidityQst
		}
	}
	return all
}

// editWaveform is Edit, but does not copy the samples that are about to be replaced: a third of what a waveform commit allocates.
func (tx *Tx) editWaveform(handle string) (*pm.RealTimeSampleArrayMetricState, error) {
	key := tx.key(handle)
	before, place, _ := tx.base.states.Find(key)
	w, ok := before.(*pm.RealTimeSampleArrayMetricState)
	if tx.done || !ok || w.MetricValue == nil || tx.find(key) >= 0 || tx.deleted(handle) {
		return Edit[*pm.RealTimeSampleArrayMetricState](tx, handle)
	}
	after := w.CloneWithoutSamples()
	tx.record(edit{key: key, before: w, place: place, after: after})
	return after, nil
}

func determined(v *pm.AbstractMetricValue, at time.Time, validity pm.MeasurementValidity) {
	v.DeterminationTime = pm.Some(pm.TimestampOf(at))
	v.MetricQuality.Validity = validity
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

// SetAlertActivation sets the activation of an alert system, condition or signal. What is not on is neither present (BICEPS R0029_0) nor
// generated; a system takes its conditions and signals along, and the commit keeps SystemSignalActivation (R0116, B-128).
func (tx *Tx) SetAlertActivation(handle string, a pm.AlertActivation) error {
	state, err := Edit[pm.AlertState](tx, handle)
	if err != nil {
		return err
	}
	setActivation(state, a)
	if _, ok := state.(*pm.AlertSystemState); !ok || a == pm.AlertActivationOn {
		return nil
	}
	for child := range tx.base.Children(handle) {
		s, err := Edit[pm.AlertState](tx, child)
		if err != nil {
			return err
		}
		setActivation(s, a)
	}
	return nil
}

func setActivation(s pm.AlertState, a pm.AlertActivation) {
	s.BaseAlert().ActivationState = a
	if a == pm.AlertActivationOn {
		return
	}
	switch s := s.(type) {
	case pm.ConditionState:
		s.BaseCondition().Presence = false
	case *pm.AlertSignalState:
		s.Presence = pm.AlertSignalPresenceOff
	}
}

// summary is the entry of SystemSignalActivation for local signals in these states (BICEPS B-128).
func summary(signals []pm.AlertActivation) pm.AlertActivation {
	switch {
	case slices.Contains(signals, pm.AlertActivationOn):
		return pm.AlertActivationOn
	case slices.Contains(signals, pm.AlertActivationPsd):
		return pm.AlertActivationPsd
	}
	return pm.AlertActivationOff
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
