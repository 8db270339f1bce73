package display_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/display"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func span(low, high, step, precision string) (r pm.Range) {
	for field, text := range map[*pm.Opt[pm.Decimal]]string{&r.Lower: low, &r.Upper: high, &r.StepWidth: step} {
		if text != "" {
			*field = pm.Some(pm.MustDecimal(text))
		}
	}
	if precision != "" {
		ext.SetDisplayPrecision(&r.Extension, pm.MustDecimal(precision))
	}
	return r
}

func TestDisplayPrecision(t *testing.T) {
	// covers: SDPi R1015, R1016, R1017
	for name, c := range map[string]struct {
		resolution               string
		technical, physiological []pm.Range
		value, want              string
	}{
		"resolution":                          {resolution: "0.1", value: "36.64", want: "36.6"},
		"trailing zeros mean nothing":         {resolution: "0.0100", value: "36.6449", want: "36.64"},
		"zeros before the point do":           {resolution: "10", value: "36.6", want: "40"},
		"a whole number with a fraction":      {resolution: "1.00", value: "36.6", want: "37"},
		"more digits than there are":          {resolution: "0.01", value: "5", want: "5.00"},
		"step width before resolution":        {resolution: "0.01", technical: []pm.Range{span("0", "100", "0.5", "")}, value: "36.6", want: "36.5"},
		"display precision before step width": {resolution: "0.01", technical: []pm.Range{span("0", "100", "0.5", "0.10")}, value: "36.66", want: "36.7"},
		"the range that holds the value":      {resolution: "9", technical: []pm.Range{span("0", "10", "0.1", ""), span("10", "", "1", "")}, value: "36.6", want: "37"},
		"the first of two":                    {resolution: "9", technical: []pm.Range{span("0", "10", "0.1", ""), span("10", "", "1", "")}, value: "10", want: "10.0"},
		"no range holds the value":            {resolution: "0.1", technical: []pm.Range{span("0", "10", "5", "")}, value: "36.64", want: "36.6"},
		"physiological before technical": {
			resolution: "9", technical: []pm.Range{span("", "", "5", "")}, physiological: []pm.Range{span("30", "40", "", "0.01")}, value: "36.666", want: "36.67",
		},
		"a physiological range elsewhere": {
			resolution: "9", technical: []pm.Range{span("", "", "0.5", "")}, physiological: []pm.Range{span("50", "60", "", "0.01")}, value: "36.6", want: "36.5",
		},
		"the active range says nothing": {
			resolution: "0.1", technical: []pm.Range{span("", "", "5", "")}, physiological: []pm.Range{span("30", "40", "", "")}, value: "36.64", want: "36.6",
		},
		"steps are counted from the lower end": {resolution: "1", technical: []pm.Range{span("1", "99", "2", "")}, value: "36", want: "37"},
		"below zero":                           {resolution: "0.1", value: "-0.25", want: "-0.3"},
		"half":                                 {resolution: "0.1", value: "0.25", want: "0.3"},
		"nothing":                              {resolution: "0", value: "1.23456", want: "1.23456"},
		"a step of nothing":                    {resolution: "0.1", technical: []pm.Range{span("", "", "0", "0")}, value: "36.64", want: "36.6"},
	} {
		d := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal(c.resolution), TechnicalRange: c.technical}
		s := &pm.NumericMetricState{PhysiologicalRange: c.physiological}
		require.Equal(t, c.want, display.Value(d, s, pm.MustDecimal(c.value)).String(), name)
	}
	wave := &pm.RealTimeSampleArrayMetricDescriptor{Resolution: pm.MustDecimal("0.5")}
	require.Equal(t, "1.5", display.Value(wave, nil, pm.MustDecimal("1.6")).String())
	_, ok := display.StepFor(&pm.StringMetricDescriptor{}, nil, pm.MustDecimal("1"))
	require.False(t, ok)
}
