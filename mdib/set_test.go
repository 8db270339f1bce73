package mdib

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func ranged(low, high string) pm.Range {
	return pm.Range{Lower: pm.Some(pm.MustDecimal(low)), Upper: pm.Some(pm.MustDecimal(high))}
}

// within gives metrics of the fixture technical ranges.
func within(t *testing.T, st *Store, category pm.MetricCategory, ranges ...pm.Range) {
	t.Helper()
	if ranges == nil {
		return
	}
	commit(t, st, func(tx *Tx) error {
		hr, err := EditDescriptorAs[*pm.NumericMetricDescriptor](tx, "hr")
		require.NoError(t, err)
		hr.MetricCategory, hr.TechnicalRange = category, ranges
		ecg, err := EditDescriptorAs[*pm.RealTimeSampleArrayMetricDescriptor](tx, "ecg")
		require.NoError(t, err)
		ecg.TechnicalRange = ranges
		return nil
	})
}

// A measured number outside of every technical range is kept and does not pass for a valid one. covers: BICEPS ranges
func TestSetNumericBeyondTheTechnicalRange(t *testing.T) {
	two := []pm.Range{ranged("0", "10"), ranged("20", "30")}
	for name, c := range map[string]struct {
		ranges []pm.Range
		value  string
		want   pm.MeasurementValidity
	}{
		"no range":          {nil, "1000", pm.MeasurementValidityVld},
		"within":            {two, "5", pm.MeasurementValidityVld},
		"on a bound":        {two, "30.0", pm.MeasurementValidityVld},
		"above all":         {two, "30.1", pm.MeasurementValidityOflw},
		"below all":         {two, "-0.1", pm.MeasurementValidityUflw},
		"between":           {two, "15", pm.MeasurementValidityQst},
		"above, no lower":   {[]pm.Range{{Upper: pm.Some(pm.MustDecimal("3"))}}, "4", pm.MeasurementValidityOflw},
		"below, no upper":   {[]pm.Range{{Lower: pm.Some(pm.MustDecimal("3"))}}, "2", pm.MeasurementValidityUflw},
		"a range of naught": {[]pm.Range{ranged("10", "0")}, "5", pm.MeasurementValidityQst},
	} {
		t.Run(name, func(t *testing.T) {
			st, _ := newStore(t)
			within(t, st, pm.MetricCategoryMsrmt, c.ranges...)
			commit(t, st, func(tx *Tx) error { return tx.SetNumeric("hr", pm.MustDecimal(c.value), t0) })
			v := state[*pm.NumericMetricState](t, st.Load(), "hr").MetricValue
			require.Equal(t, pm.Some(pm.MustDecimal(c.value)), v.Value, "what was measured is kept")
			require.Equal(t, c.want, v.MetricQuality.Validity)
			if c.want != pm.MeasurementValidityVld {
				commit(t, st, func(tx *Tx) error {
					return tx.SetNumeric("hr", c.ranges[0].Lower.Or(c.ranges[0].Upper.Or(pm.Decimal{})), t0)
				})
			}
		})
	}
}

// A setting that the device cannot have is a mistake, not a measurement. covers: BICEPS ranges
func TestSettingsBeyondTheTechnicalRangeAreRefused(t *testing.T) {
	for _, category := range []pm.MetricCategory{pm.MetricCategorySet, pm.MetricCategoryPreset} {
		st, _ := newStore(t)
		within(t, st, category, ranged("0", "10"))
		refused(t, st, "BICEPS ranges", func(tx *Tx) error { return tx.SetNumeric("hr", pm.MustDecimal("11"), t0) })
		commit(t, st, func(tx *Tx) error { return tx.SetNumeric("hr", pm.MustDecimal("10"), t0) })
	}
}

// The validity of a waveform is that of all its new samples. covers: BICEPS ranges
func TestSetSamplesBeyondTheTechnicalRange(t *testing.T) {
	for name, c := range map[string]struct {
		samples []string
		want    pm.MeasurementValidity
	}{
		"within":    {[]string{"0", "5", "10"}, pm.MeasurementValidityVld},
		"above":     {[]string{"0", "11", "10"}, pm.MeasurementValidityOflw},
		"below":     {[]string{"0", "-1", "10"}, pm.MeasurementValidityUflw},
		"both":      {[]string{"-1", "11"}, pm.MeasurementValidityQst},
		"between":   {[]string{"15"}, pm.MeasurementValidityQst},
		"no sample": {nil, pm.MeasurementValidityVld},
	} {
		t.Run(name, func(t *testing.T) {
			st, _ := newStore(t)
			within(t, st, pm.MetricCategoryMsrmt, ranged("0", "10"))
			if name == "between" {
				within(t, st, pm.MetricCategoryMsrmt, ranged("0", "10"), ranged("20", "30"))
			}
			var samples pm.Samples
			for _, s := range c.samples {
				samples = append(samples, pm.MustDecimal(s))
			}
			commit(t, st, func(tx *Tx) error { return tx.SetSamples("ecg", samples, t0) })
			v := state[*pm.RealTimeSampleArrayMetricState](t, st.Load(), "ecg").MetricValue
			require.Equal(t, c.want, v.MetricQuality.Validity)
			require.Equal(t, samples, v.Samples)
		})
	}
}
