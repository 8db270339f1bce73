package bedside

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Value is a number for a metric, or its absence.
type Value struct {
	Handle string
	Value  float64
	// OK is false when the value cannot be derived at present.
	OK bool
}

// Digits returns how many digits after the point a resolution has.
func Digits(resolution pm.Decimal) int {
	_, scale, ok := resolution.Coefficient()
	if !ok {
		return 0
	}
	return scale
}

// Numerics writes values as of a time into numeric metrics, with the digits of each metric's
// resolution. Metrics that are switched off are left alone. What cannot be derived has the validity NA.
func Numerics(tx *mdib.Tx, at time.Time, values []Value) error {
	for _, v := range values {
		if s, ok := mdib.Get[*pm.NumericMetricState](tx.Base(), v.Handle); ok && s.ActivationStateOrDefault() != pm.ComponentActivationOn {
			continue
		}
		d, ok := mdib.Get[*pm.NumericMetricDescriptor](tx.Base(), v.Handle)
		if ok && v.OK {
			if dec, ok := pm.DecimalFromFloat(v.Value, Digits(d.Resolution)); ok {
				if err := tx.SetNumeric(v.Handle, dec, at); err != nil {
					return err
				}
				continue
			}
		}
		if err := tx.ClearValue(v.Handle, pm.MeasurementValidityNA, at); err != nil {
			return err
		}
	}
	return nil
}

// Numeric returns the current value of a numeric metric that is valid.
func Numeric(snap *mdib.Snapshot, handle string) (float64, bool) {
	s, ok := mdib.Get[*pm.NumericMetricState](snap, handle)
	if !ok || s.MetricValue == nil {
		return 0, false
	}
	v, ok := s.MetricValue.Value.Get()
	if !ok || s.MetricValue.MetricQuality.Validity != pm.MeasurementValidityVld {
		return 0, false
	}
	return v.Float64(), true
}

// Trace collects the samples of one waveform.
type Trace struct {
	Handle  string
	digits  int
	samples pm.Samples
}

// NewTrace makes a collector with the given digits after the point.
func NewTrace(handle string, digits int) *Trace { return &Trace{Handle: handle, digits: digits} }

// Add takes the next sample.
func (t *Trace) Add(v float64) {
	d, _ := pm.DecimalFromFloat(v, t.digits)
	t.samples = append(t.samples, d)
}

// Waveforms writes what was collected into the waveform metrics and starts anew. A trace
// without samples has lost its sensor: its metric gets the validity NA.
func Waveforms(tx *mdib.Tx, first time.Time, traces ...*Trace) error {
	for _, t := range traces {
		samples := t.samples
		t.samples = make(pm.Samples, 0, len(samples))
		if s, ok := mdib.Get[*pm.RealTimeSampleArrayMetricState](tx.Base(), t.Handle); ok && s.ActivationStateOrDefault() != pm.ComponentActivationOn {
			continue
		}
		if len(samples) == 0 {
			if err := tx.ClearValue(t.Handle, pm.MeasurementValidityNA, first); err != nil {
				return err
			}
			continue
		}
		if err := tx.SetSamples(t.Handle, samples, first); err != nil {
			return err
		}
	}
	return nil
}
