package alerts

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// judge tells whether a source of a limit condition lies beyond a monitored limit. A measurement that goes on leaves the verdict as it was; a value
// that is not available, invalid or from a calibration violates nothing, because missing values are the business of technical conditions.
// A value above or below every technical range (Oflw, Uflw) is beyond any limit on that side.
func (t *turn) judge(c *condition, was bool) (bool, error) {
	state, ok := stateOf[*pm.LimitAlertConditionState](t, c.handle)
	if !ok {
		return false, nil
	}
	verdict := false
	for _, source := range c.sources {
		metric, ok := stateOf[*pm.NumericMetricState](t, source)
		if !ok || metric.MetricValue == nil || metric.ActivationStateOrDefault() != pm.ComponentActivationOn {
			continue
		}
		if t.m.cfg.AutoLimit != nil && c.autoLimits && state.AutoLimitActivationState == pm.AlertActivationOn {
			if value, ok := metric.MetricValue.Value.Get(); ok && reliable(metric.MetricValue.MetricQuality.Validity) {
				if err := t.adapt(c, state, value); err != nil {
					return false, err
				}
				state, _ = stateOf[*pm.LimitAlertConditionState](t, c.handle)
			}
		}
		verdict = violates(state, metric.MetricValue, was) || verdict
	}
	return verdict, nil
}

func (t *turn) adapt(c *condition, state *pm.LimitAlertConditionState, value pm.Decimal) error {
	limits := clip(t.m.cfg.AutoLimit(c.handle, value, state.Limits), c.maxLimits)
	if limits.Lower == state.Limits.Lower && limits.Upper == state.Limits.Upper {
		return nil
	}
	edited, err := mdib.Edit[*pm.LimitAlertConditionState](t.tx, c.handle)
	if err != nil {
		return err
	}
	edited.Limits.Lower, edited.Limits.Upper = limits.Lower, limits.Upper
	return nil
}

// reliable values are looked at; a questionable one may be right.
func reliable(v pm.MeasurementValidity) bool {
	switch v {
	case pm.MeasurementValidityVld, pm.MeasurementValidityVldated, pm.MeasurementValidityQst:
		return true
	}
	return false
}

func violates(s *pm.LimitAlertConditionState, v *pm.NumericMetricValue, was bool) bool {
	lower, hasLower := s.Limits.Lower.Get()
	upper, hasUpper := s.Limits.Upper.Get()
	switch s.MonitoredAlertLimits {
	case pm.AlertConditionMonitoredLimitsNone:
		hasLower, hasUpper = false, false
	case pm.AlertConditionMonitoredLimitsLoOff:
		hasLower = false
	case pm.AlertConditionMonitoredLimitsHiOff:
		hasUpper = false
	case pm.AlertConditionMonitoredLimitsAll:
	}
	switch q := v.MetricQuality.Validity; {
	case q == pm.MeasurementValidityOng:
		return was && (hasLower || hasUpper)
	case q == pm.MeasurementValidityOflw:
		return hasUpper
	case q == pm.MeasurementValidityUflw:
		return hasLower
	case !reliable(q):
		return false
	}
	value, ok := v.Value.Get()
	return ok && (hasLower && value.Cmp(lower) < 0 || hasUpper && value.Cmp(upper) > 0)
}

// clip keeps limits within the widest ones.
func clip(limits, widest pm.Range) pm.Range {
	low, hasLow := widest.Lower.Get()
	high, hasHigh := widest.Upper.Get()
	bound := func(x pm.Opt[pm.Decimal]) pm.Opt[pm.Decimal] {
		switch v, ok := x.Get(); {
		case ok && hasLow && v.Cmp(low) < 0:
			return widest.Lower
		case ok && hasHigh && v.Cmp(high) > 0:
			return widest.Upper
		}
		return x
	}
	limits.Lower, limits.Upper = bound(limits.Lower), bound(limits.Upper)
	return limits
}
