package station

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Ref names a metric, condition, operation or other entry of a device.
type Ref struct {
	// Device is the EPR of the device, Handle the entry in its MDIB.
	Device string `json:"device"`
	Handle string `json:"handle"`
}

// Status says what a value is good for.
type Status string

// The statuses. If several hold, the first in this order is told.
const (
	Former       Status = "former"       // determined before the present patient was associated, or that cannot be ruled out
	Stale        Status = "stale"        // the device is not live
	Invalid      Status = "invalid"      // there is no value, or the device says that it must not be used
	Old          Status = "old"          // older than the device promises its values to be
	Questionable Status = "questionable" // the device says so
	Current      Status = "current"      // good
)

// Usable tells whether a value may be used: Current, and Questionable with care.
func (s Status) Usable() bool { return s == Current || s == Questionable }

// Value is a metric with a number or text as of one moment. It is immutable.
type Value struct {
	Ref
	// MDS is the handle of the MDS the metric belongs to.
	MDS     string
	Meaning Meaning
	// Symbol is the symbolic name of the code, "" if the device does not tell; Label is for people.
	Symbol, Label string
	Unit          Unit
	// Number is the value of a numeric metric, Text that of others; neither is set if there is no value.
	Number pm.Opt[pm.Decimal]
	Text   string
	// Resolution is the smallest step of a number.
	Resolution pm.Decimal
	// Ranges are the technical ranges of a number.
	Ranges []pm.Range
	// Validity and Mode are what the device says of the value; Validity is "" if there is no value at all.
	Validity pm.MeasurementValidity
	Mode     pm.GenerationMode
	// Activation is whether the metric is being determined.
	Activation pm.ComponentActivation
	// Determined is when the value was determined, by the clock of the station; the time of arrival if the device does not tell.
	Determined time.Time
	// Arrived is when the station got it.
	Arrived time.Time
	// Period is the longest time between two determinations, 0 if the device promises none; Lifetime is how long a value stays
	// useful, 0 if not told.
	Period, Lifetime time.Duration
	// Stale tells that the device is not live, since StaleSince.
	Stale      bool
	StaleSince time.Time
	// Former tells that the value is or may be of a patient before the present one.
	Former bool

	numeric bool
}

// Numeric tells whether the metric is a number, even if it has none now.
func (v *Value) Numeric() bool { return v.numeric }

// Age is how old the value is.
func (v *Value) Age(now time.Time) time.Duration { return max(0, now.Sub(v.Determined)) }

// Status says what the value is good for at a time.
func (v *Value) Status(now time.Time) Status {
	return status(v.Former, v.Stale, v.Validity, v.Activation, v.overdue(now))
}

// Patience is how long after it was determined a value that is determined continuously is waited for: its period with a small tolerance, for the way and for
// values that come in turns. 0 for others.
func (v *Value) Patience() time.Duration {
	if v.Period <= 0 {
		return 0
	}
	return 3*v.Period + 2*time.Second
}

func (v *Value) overdue(now time.Time) bool {
	age, patience := v.Age(now), v.Patience()
	return v.Lifetime > 0 && age > v.Lifetime || patience > 0 && age > patience
}

func status(former, stale bool, validity pm.MeasurementValidity, activation pm.ComponentActivation, old bool) Status {
	switch {
	case former:
		return Former
	case stale:
		return Stale
	case activation != pm.ComponentActivationOn:
		return Invalid
	}
	switch validity {
	case pm.MeasurementValidityVld, pm.MeasurementValidityVldated:
		if old {
			return Old
		}
		return Current
	case pm.MeasurementValidityQst:
		if old {
			return Old
		}
		return Questionable
	}
	return Invalid
}

// Float returns the number; ok is false if there is none.
func (v *Value) Float() (f float64, ok bool) {
	d, ok := v.Number.Get()
	return d.Float64(), ok
}

// Wave is a waveform metric. Its samples are in the history.
type Wave struct {
	Ref
	MDS           string
	Meaning       Meaning
	Symbol, Label string
	Unit          Unit
	// SamplePeriod is the time between two samples.
	SamplePeriod time.Duration
	Resolution   pm.Decimal
	Ranges       []pm.Range
	Validity     pm.MeasurementValidity
	Mode         pm.GenerationMode
	Activation   pm.ComponentActivation
	// Determined is the time of the newest sample by the clock of the station, Arrived when it came.
	Determined, Arrived time.Time
	Stale               bool
	StaleSince          time.Time
	Former              bool
}

// waveTimeout is how long a waveform may make no progress before it is old.
const waveTimeout = 3 * time.Second

// Status says what the waveform is good for at a time.
func (w *Wave) Status(now time.Time) Status {
	return status(w.Former, w.Stale, w.Validity, w.Activation, now.Sub(w.Determined) > waveTimeout)
}
