package components

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Stage is how far a measurement, setting or calculation has come.
type Stage uint8

// Stages.
const (
	Initializing   Stage = iota + 1 // it is being prepared
	Ready                           // it is prepared and waits
	Performed                       // it is being measured, applied or calculated
	Deinitializing                  // it is being ended
	Deinitialized                   // it has ended
	Failed                          // it has failed
)

// Activation returns the activation state of a metric in this stage (BICEPS 5-4-7_0_0 to 5-4-7_17), the same for measurements, settings
// and calculations; "" for an unknown stage.
func (s Stage) Activation() pm.ComponentActivation {
	switch s {
	case Initializing:
		return pm.ComponentActivationNotRdy
	case Ready:
		return pm.ComponentActivationStndBy
	case Performed:
		return pm.ComponentActivationOn
	case Deinitializing:
		return pm.ComponentActivationShtdn
	case Deinitialized:
		return pm.ComponentActivationOff
	case Failed:
		return pm.ComponentActivationFail
	}
	return ""
}

// SetStage sets the activation state of a metric. Below a component that is off a metric is off in every stage (BICEPS R0025_0).
func SetStage(tx *mdib.Tx, metric string, s Stage) error {
	a := s.Activation()
	if a == "" {
		return refuse("BICEPS 5-4-7", metric, "%d is no stage", s)
	}
	if _, ok := mdib.Get[pm.MetricState](tx.Base(), metric); !ok {
		return refuse("BICEPS 5-4-7", metric, "it is no metric")
	}
	if a != pm.ComponentActivationOff {
		if h, off := tx.Base().OffAbove(metric); off {
			return refuse("BICEPS R0025_0", metric, "%q above it is off", h)
		}
	}
	return tx.SetActivation(metric, a)
}

// SetValidity sets the validity of a metric's value. A value cannot be there while its measurement goes on or it is not available (Ong, NA): it is taken
// away then, determined at the given time. With any other validity the value stays; a metric without one is refused.
func SetValidity(tx *mdib.Tx, metric string, v pm.MeasurementValidity, at time.Time) error {
	switch v {
	case pm.MeasurementValidityOng, pm.MeasurementValidityNA:
		return tx.ClearValue(metric, v, at)
	}
	state, err := tx.EditState(metric)
	if err != nil {
		return err
	}
	var q *pm.MetricQuality
	switch s := state.(type) {
	case *pm.NumericMetricState:
		if s.MetricValue != nil && s.MetricValue.Value.IsSet() {
			q = &s.MetricValue.MetricQuality
		}
	case *pm.EnumStringMetricState:
		if s.MetricValue != nil && s.MetricValue.Value.IsSet() {
			q = &s.MetricValue.MetricQuality
		}
	case *pm.StringMetricState:
		if s.MetricValue != nil && s.MetricValue.Value.IsSet() {
			q = &s.MetricValue.MetricQuality
		}
	case *pm.RealTimeSampleArrayMetricState:
		if s.MetricValue != nil && len(s.MetricValue.Samples) > 0 {
			q = &s.MetricValue.MetricQuality
		}
	case *pm.DistributionSampleArrayMetricState:
		if s.MetricValue != nil && len(s.MetricValue.Samples) > 0 {
			q = &s.MetricValue.MetricQuality
		}
	}
	if q == nil {
		return refuse("BICEPS validity: no value", metric, "there is no value that could be %s", v)
	}
	q.Validity = v
	return nil
}
