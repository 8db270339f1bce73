package pm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestRangesForPeople(t *testing.T) {
	lower, upper, step := pm.Some(pm.MustDecimal("0.1")), pm.Some(pm.MustDecimal("500")), pm.Some(pm.MustDecimal("0.10"))
	for want, r := range map[string]pm.Range{
		"0.1 to 500":                  {Lower: lower, Upper: upper},
		"0.1 to 500 in steps of 0.10": {Lower: lower, Upper: upper, StepWidth: step},
		"at least 0.1":                {Lower: lower},
		"at most 500":                 {Upper: upper},
		"any number":                  {},
	} {
		require.Equal(t, want, r.String())
		require.Equal(t, want, fmt.Sprintf("%v", &r), "also in what is printed for debugging")
	}
	require.Equal(t, "0.1 to 500 or at least 0.1", pm.RangesText([]pm.Range{{Lower: lower, Upper: upper}, {Lower: lower}}))
	require.Empty(t, pm.RangesText(nil))
	require.Contains(t, pm.RangesText(make([]pm.Range, 100)), "any number or 92 more ranges")
}

func TestOptionalValuesArePrintedAsWhatTheyHold(t *testing.T) {
	require.Equal(t, "1.50", pm.Some(pm.MustDecimal("1.50")).String())
	require.Equal(t, "absent", pm.Opt[pm.Decimal]{}.String())
	s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("1.50"))}}
	require.Contains(t, fmt.Sprintf("%+v", s.MetricValue), "Value:1.50")
}

// The bounds belong to a range, a bound that is absent bounds nothing, and without ranges everything is allowed.
func TestInRanges(t *testing.T) {
	bound := func(s string) pm.Opt[pm.Decimal] { return pm.Some(pm.MustDecimal(s)) }
	between, below, above := pm.Range{Lower: bound("1.0"), Upper: bound("2"), StepWidth: bound("1")}, pm.Range{Upper: bound("-5")}, pm.Range{Lower: bound("100.0")}
	for x, want := range map[string]bool{
		"-5.01": true, "-5": true, "-4.99": false, "0.999": false, "1": true, "1.5": true, "2.000": true, "2.0001": false, "99.9": false, "100": true, "1000": true,
	} {
		d := pm.MustDecimal(x)
		require.Equal(t, want, pm.InRanges([]pm.Range{between, below, above}, d), x)
		require.Equal(t, want, between.Contains(d) || below.Contains(d) || above.Contains(d), x)
		require.True(t, pm.InRanges(nil, d))
		require.True(t, pm.Range{}.Contains(d))
	}
}
