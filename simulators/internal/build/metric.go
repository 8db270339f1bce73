package build

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Numeric is a row of a table of numbers.
type Numeric struct {
	Handle   string
	Type     Code
	Unit     Code
	Category pm.MetricCategory
	// Resolution is the smallest step, a power of ten such as "0.1".
	Resolution string
	// Low and High bound the technical range.
	Low, High string
	// Period is the longest time between two determinations; 0 is a value that
	// comes on demand.
	Period time.Duration
	// Site is where on the patient it is measured; may be empty.
	Site Code
}

// Descriptor makes the descriptor.
func (n Numeric) Descriptor() *pm.NumericMetricDescriptor {
	d := &pm.NumericMetricDescriptor{
		AbstractMetricDescriptor: metric(n.Handle, n.Type, n.Unit, n.Category, n.Period),
		Resolution:               pm.MustDecimal(n.Resolution),
		TechnicalRange:           []pm.Range{Range(n.Low, n.High)},
	}
	if n.Site.Code != "" {
		d.BodySite = []pm.CodedValue{*n.Site.Value()}
	}
	return d
}

// Wave is a row of a table of waveforms.
type Wave struct {
	Handle     string
	Type       Code
	Unit       Code
	Resolution string
	Low, High  string
	// Period is the time between two samples.
	Period time.Duration
}

// Descriptor makes the descriptor. message is the time that one report covers.
func (w Wave) Descriptor(message time.Duration) *pm.RealTimeSampleArrayMetricDescriptor {
	return &pm.RealTimeSampleArrayMetricDescriptor{
		AbstractMetricDescriptor: metric(w.Handle, w.Type, w.Unit, pm.MetricCategoryMsrmt, message),
		Resolution:               pm.MustDecimal(w.Resolution),
		SamplePeriod:             pm.DurationOf(w.Period),
		TechnicalRange:           []pm.Range{Range(w.Low, w.High)},
	}
}

// Enum makes the descriptor of a text of which only some are allowed; each value is its own description unless
// texts has one.
func Enum(handle string, code Code, category pm.MetricCategory, values ...Code) *pm.EnumStringMetricDescriptor {
	d := &pm.EnumStringMetricDescriptor{
		StringMetricDescriptor: pm.StringMetricDescriptor{AbstractMetricDescriptor: metric(handle, code, Dimensionless(), category, 0)},
	}
	for _, v := range values {
		d.AllowedValue = append(d.AllowedValue, pm.AllowedValue{Value: v.Code, Type: v.Value()})
	}
	return d
}

// String makes the descriptor of a free text.
func String(handle string, code Code, category pm.MetricCategory) *pm.StringMetricDescriptor {
	return &pm.StringMetricDescriptor{AbstractMetricDescriptor: metric(handle, code, Dimensionless(), category, 0)}
}

func metric(handle string, code, unit Code, category pm.MetricCategory, period time.Duration) pm.AbstractMetricDescriptor {
	m := pm.AbstractMetricDescriptor{
		AbstractDescriptor: Base(handle, code),
		MetricCategory:     category, MetricAvailability: pm.MetricAvailabilityCont, Unit: *unit.Value(),
	}
	m.SafetyClassification = pm.SafetyClassificationMedA
	if period > 0 {
		m.DeterminationPeriod = pm.Some(pm.DurationOf(period))
	} else {
		m.MetricAvailability = pm.MetricAvailabilityIntr
	}
	return m
}

// Base is the part of all descriptors; an empty code leaves the type out.
func Base(handle string, code Code) pm.AbstractDescriptor {
	b := pm.AbstractDescriptor{Handle: handle}
	if code.Code != "" {
		b.Type = code.Value()
	}
	return b
}

// Range is a range of decimals; "" leaves a side open.
func Range(low, high string) pm.Range {
	var r pm.Range
	if low != "" {
		r.Lower = pm.Some(pm.MustDecimal(low))
	}
	if high != "" {
		r.Upper = pm.Some(pm.MustDecimal(high))
	}
	return r
}

// Channel groups metrics.
func Channel(handle string, code Code, metrics ...pm.MetricDescriptor) *pm.ChannelDescriptor {
	c := &pm.ChannelDescriptor{Metric: metrics}
	c.AbstractDescriptor = Base(handle, code)
	return c
}

// VMD groups channels.
func VMD(handle string, code Code, channels ...*pm.ChannelDescriptor) *pm.VmdDescriptor {
	v := &pm.VmdDescriptor{Channel: channels}
	v.AbstractDescriptor = Base(handle, code)
	return v
}

// Numerics makes descriptors of rows.
func Numerics(rows []Numeric) []pm.MetricDescriptor {
	out := make([]pm.MetricDescriptor, len(rows))
	for i, r := range rows {
		out[i] = r.Descriptor()
	}
	return out
}

// Waves makes descriptors of rows.
func Waves(message time.Duration, rows ...Wave) []pm.MetricDescriptor {
	out := make([]pm.MetricDescriptor, len(rows))
	for i, r := range rows {
		out[i] = r.Descriptor(message)
	}
	return out
}
