package provider

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestModifiableData(t *testing.T) {
	// covers: BICEPS R5010, BICEPS R5011
	current := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("1"))}}
	current.DescriptorHandle, current.StateVersion = "m", 5
	current.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
	current.BodySite = []pm.CodedValue{{Code: "1"}, {Code: "2"}}
	change := func(f func(*pm.NumericMetricState)) *pm.NumericMetricState {
		c := pm.CloneState(current).(*pm.NumericMetricState)
		f(c)
		return c
	}
	value := change(func(s *pm.NumericMetricState) { s.MetricValue.Value = pm.Some(pm.MustDecimal("2")) })
	quality := change(func(s *pm.NumericMetricState) { s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityQst })
	activation := change(func(s *pm.NumericMetricState) { s.ActivationState = pm.ComponentActivationOff })
	site := change(func(s *pm.NumericMetricState) { s.BodySite[1].Code = "3" })
	more := change(func(s *pm.NumericMetricState) { s.BodySite = append(s.BodySite, pm.CodedValue{Code: "2"}) })
	explicit := change(func(s *pm.NumericMetricState) {
		s.ActivationState = pm.ComponentActivationOn
		s.MetricValue.MetricQuality.Mode = "Real"
		s.MetricValue.MetricQuality.Qi = pm.Some(pm.MustDecimal("1.0"))
		s.MetricValue.Value = pm.Some(pm.MustDecimal("1.00"))
		s.BodySite[0].CodingSystem = pm.DefaultCodingSystem
	})
	sparse := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal("2"))}}
	sparse.DescriptorHandle, sparse.StateVersion = "m", 99
	sparse.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld

	for name, c := range map[string]struct {
		proposed *pm.NumericMetricState
		allowed  []string
		want     string
	}{
		"no list allows everything":       {activation, nil, ""},
		"nothing changed":                 {change(func(*pm.NumericMetricState) {}), []string{"@Nothing"}, ""},
		"versions do not count":           {change(func(s *pm.NumericMetricState) { s.StateVersion = 77; s.DescriptorVersion = 8 }), []string{"@Nothing"}, ""},
		"attribute named":                 {activation, []string{"@ActivationState"}, ""},
		"attribute named without @":       {activation, []string{"ActivationState"}, ""},
		"attribute not named":             {activation, []string{"pm:MetricValue"}, "@ActivationState"},
		"element with all below":          {value, []string{"pm:MetricValue"}, ""},
		"path to the attribute":           {value, []string{"./pm:MetricValue/@Value"}, ""},
		"path with another prefix":        {value, []string{"/dom:MetricValue/@Value"}, ""},
		"beside the path":                 {quality, []string{"pm:MetricValue/@Value"}, "@MetricValue/MetricQuality/Validity"},
		"wildcard":                        {value, []string{"*/@Value"}, ""},
		"second of several":               {site, []string{"pm:MetricValue"}, "@BodySite/Code"},
		"one more":                        {more, []string{"pm:MetricValue"}, "BodySite"},
		"one of the expressions":          {site, []string{"@ActivationState", "pm:BodySite"}, ""},
		"implied values written out":      {explicit, []string{"@Nothing"}, ""},
		"left out is unchanged":           {sparse, []string{"pm:MetricValue/@Value"}, ""},
		"an expression beyond the subset": {activation, []string{"pm:MetricValue[1]"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, changedBeyond(current, c.proposed, c.allowed))
		})
	}
}
