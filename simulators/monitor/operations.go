package monitor

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/measure"
)

// cuffTime is how long a cuff measurement takes.
const cuffTime = 10 * time.Second

// cuffState is a cuff measurement under way; left is zero when there is none.
type cuffState struct {
	left  time.Duration
	start time.Time
	sum   measure.PressureValues
	n     float64
}

// Attach registers the handlers of the operations.
func (m *Monitor) Attach(p *provider.Provider) error {
	errs := []error{
		bedside.Attach(p, m.alarms, bedside.Place{Location: m.opts.Location, Ensemble: m.opts.Ensemble}),
		p.HandleActivate(OpNIBPStart, func(context.Context, *provider.Activate) error { return m.cuffStart(p, time.Now()) }),
		p.HandleActivate(OpNIBPStop, func(context.Context, *provider.Activate) error { return m.cuffStop(p, time.Now()) }),
	}
	for _, row := range mirrors() {
		errs = append(errs, p.HandleSetValue(OpSet(row.metric), func(_ context.Context, call *provider.SetValue) error {
			return m.setLimit(p, row, call.Value)
		}))
	}
	return errors.Join(errs...)
}

// cuffStart inflates the cuff: until the measurement is done its values are being determined (BICEPS validity Ong).
func (m *Monitor) cuffStart(p *provider.Provider, at time.Time) error {
	m.mu.Lock()
	busy := m.cuff.left > 0
	if !busy {
		m.cuff = cuffState{left: cuffTime, start: at}
	}
	m.mu.Unlock()
	if busy {
		return provider.Refuse("a cuff measurement is under way")
	}
	return p.Update(func(tx *mdib.Tx) error { return clearCuff(tx, pm.MeasurementValidityOng, at) })
}

func (m *Monitor) cuffStop(p *provider.Provider, at time.Time) error {
	m.mu.Lock()
	busy := m.cuff.left > 0
	m.cuff = cuffState{}
	m.mu.Unlock()
	if !busy {
		return provider.Refuse("there is no cuff measurement to stop")
	}
	return p.Update(func(tx *mdib.Tx) error { return clearCuff(tx, pm.MeasurementValidityNA, at) })
}

func clearCuff(tx *mdib.Tx, why pm.MeasurementValidity, at time.Time) error {
	for _, h := range cuff() {
		if err := tx.ClearValue(h, why, at); err != nil {
			return err
		}
	}
	return nil
}

// cuffStep lets bedside.Step of a cuff measurement pass. What the cuff feels is the pressure of the artery, averaged
// over the measurement and a little damped.
func (m *Monitor) cuffStep(p *provider.Provider, at time.Time) error {
	m.mu.Lock()
	c := &m.cuff
	if c.left <= 0 {
		m.mu.Unlock()
		return nil
	}
	if v, ok := m.signals.pressure.Values(); ok {
		c.sum.Systolic += v.Systolic
		c.sum.Diastolic += v.Diastolic
		c.sum.Mean += v.Mean
		c.n++
	}
	c.left -= bedside.Step
	if c.left > 0 {
		m.mu.Unlock()
		return nil
	}
	done := *c
	*c = cuffState{}
	m.mu.Unlock()
	if done.n == 0 {
		return p.Update(func(tx *mdib.Tx) error { return clearCuff(tx, pm.MeasurementValidityNA, at) })
	}
	mean := done.sum.Mean / done.n
	damp := func(v float64) float64 { return mean + 0.96*(v/done.n-mean) }
	values := []bedside.Value{
		{Handle: HandleNIBPSys, Value: damp(done.sum.Systolic), OK: true},
		{Handle: HandleNIBPDia, Value: damp(done.sum.Diastolic), OK: true},
		{Handle: HandleNIBPMean, Value: mean, OK: true},
	}
	return p.Update(func(tx *mdib.Tx) error {
		if err := bedside.Numerics(tx, at, values); err != nil {
			return err
		}
		for _, h := range cuff() {
			s, err := mdib.Edit[*pm.NumericMetricState](tx, h)
			if err != nil {
				return err
			}
			// One measurement cycle: the same times in all members (SDPi R0707).
			s.MetricValue.StartTime, s.MetricValue.StopTime = pm.Some(pm.TimestampOf(done.start)), pm.Some(pm.TimestampOf(at))
		}
		return nil
	})
}

// setLimit sets one side of a limit alarm, and shows it as the value of the metric that was set.
func (m *Monitor) setLimit(p *provider.Provider, row mirror, value pm.Decimal) error {
	err := p.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.LimitAlertConditionState](tx, row.condition)
		if err != nil {
			return err
		}
		side, other := &s.Limits.Lower, s.Limits.Upper
		if row.upper {
			side, other = &s.Limits.Upper, s.Limits.Lower
		}
		if o, ok := other.Get(); ok && (row.upper && value.Cmp(o) <= 0 || !row.upper && value.Cmp(o) >= 0) {
			return provider.Refuse("the lower limit must stay below the upper limit; the other one is %s", o)
		}
		*side = pm.Some(value)
		return nil
	})
	if err != nil {
		return err
	}
	return m.showLimits(p, time.Now())
}

// showLimits brings the metrics that show limits up to date with them.
func (m *Monitor) showLimits(p *provider.Provider, at time.Time) error {
	return p.Update(func(tx *mdib.Tx) error {
		for _, row := range mirrors() {
			limit, ok := mdib.Get[*pm.LimitAlertConditionState](tx.Base(), row.condition)
			if !ok {
				continue
			}
			side := limit.Limits.Lower
			if row.upper {
				side = limit.Limits.Upper
			}
			value, ok := side.Get()
			if !ok {
				if err := tx.ClearValue(row.metric, pm.MeasurementValidityNA, at); err != nil {
					return err
				}
				continue
			}
			if shown, ok := mdib.Get[*pm.NumericMetricState](tx.Base(), row.metric); ok && shown.MetricValue != nil {
				if old, ok := shown.MetricValue.Value.Get(); ok && old.Cmp(value) == 0 {
					continue
				}
			}
			if err := tx.SetNumeric(row.metric, value, at); err != nil {
				return err
			}
		}
		return nil
	})
}
