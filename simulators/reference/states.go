package reference

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
)

// begin switches on what the script needs.
func (a *animation) begin() error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.systems {
			s, err := mdib.Edit[*pm.AlertSystemState](tx, h)
			if err != nil {
				return err
			}
			s.ActivationState = pm.AlertActivationOn
			for i := range s.SystemSignalActivation {
				s.SystemSignalActivation[i].State = pm.AlertActivationOn
			}
		}
		alerts := append([]string{}, a.plan.conditions...)
		for _, signals := range a.plan.signals {
			alerts = append(alerts, signals...)
		}
		for _, h := range alerts {
			s, err := mdib.Edit[pm.AlertState](tx, h)
			if err != nil {
				return err
			}
			s.BaseAlert().ActivationState = pm.AlertActivationOn
		}
		return nil
	})
}

// numbers moves numeric metrics and distributions (step 4a).
func (a *animation) numbers(at time.Time) error {
	a.round++
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.numbers {
			d, ok := mdib.Get[*pm.NumericMetricDescriptor](tx.Base(), h)
			if !ok || !a.moves(tx, h) {
				continue
			}
			low, high := span(d.TechnicalRange)
			v, _ := pm.DecimalFromFloat(low+(high-low)*(0.2+0.6*a.rng.Float64()), bedside.Digits(d.Resolution))
			if err := tx.SetNumeric(h, v, at); err != nil {
				return err
			}
		}
		for _, h := range a.plan.distributions {
			if err := a.distribution(tx, h, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *animation) distribution(tx *mdib.Tx, handle string, at time.Time) error {
	d, ok := mdib.Get[*pm.DistributionSampleArrayMetricDescriptor](tx.Base(), handle)
	if !ok || !a.moves(tx, handle) {
		return nil
	}
	s, err := mdib.Edit[*pm.DistributionSampleArrayMetricState](tx, handle)
	if err != nil {
		return err
	}
	low, high := span(d.TechnicalRange)
	samples := make(pm.Samples, 16)
	for i := range samples {
		samples[i], _ = pm.DecimalFromFloat(low+(high-low)*a.rng.Float64(), bedside.Digits(d.Resolution))
	}
	s.MetricValue = &pm.SampleArrayValue{Samples: samples}
	s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(at))
	s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
	return nil
}

// texts moves string and enumeration metrics (step 4b).
func (a *animation) texts(at time.Time) error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.strings {
			if !a.moves(tx, h) {
				continue
			}
			text := fmt.Sprintf("Text %d", a.round)
			if d, ok := mdib.Get[*pm.EnumStringMetricDescriptor](tx.Base(), h); ok {
				if len(d.AllowedValue) == 0 {
					continue
				}
				text = d.AllowedValue[a.round%len(d.AllowedValue)].Value
			}
			if err := tx.SetString(h, text, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// alerts lets conditions come and go and their signals follow (steps 4c, 4d).
func (a *animation) alerts(time.Time) error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.conditions {
			if !there(tx, h) || a.device.isHeld(h) {
				continue
			}
			s, err := mdib.Edit[pm.ConditionState](tx, h)
			if err != nil {
				return err
			}
			c := s.BaseCondition()
			parent, _ := tx.Base().Parent(h)
			system, ok := mdib.Get[*pm.AlertSystemState](tx.Base(), parent)
			// Present only while condition and system are on (BICEPS R0029_0).
			c.Presence = !c.Presence && c.ActivationState == pm.AlertActivationOn && ok && system.ActivationState == pm.AlertActivationOn
			if err := a.signal(tx, h, c.Presence); err != nil {
				return err
			}
		}
		return a.signal(tx, "", a.round%2 == 0)
	})
}

func (a *animation) signal(tx *mdib.Tx, condition string, present bool) error {
	for _, h := range a.plan.signals[condition] {
		if !there(tx, h) {
			continue
		}
		s, err := mdib.Edit[*pm.AlertSignalState](tx, h)
		if err != nil {
			return err
		}
		s.Presence = pm.AlertSignalPresenceOff
		if present && s.ActivationState == pm.AlertActivationOn {
			s.Presence = pm.AlertSignalPresenceOn
		}
	}
	return nil
}

// selfChecks lets every alert system that declares it check itself (step 4e).
func (a *animation) selfChecks(at time.Time) error {
	var due []string
	for _, h := range a.plan.systems {
		d, ok := mdib.Get[*pm.AlertSystemDescriptor](a.p.MDIB(), h)
		if !ok {
			continue
		}
		period, ok := d.SelfCheckPeriod.Get()
		if !ok || period.Std() <= 0 || a.now < a.systems[h] {
			continue
		}
		a.systems[h] = a.now + min(period.Std(), longestSelfCheck)
		due = append(due, h)
	}
	if len(due) == 0 {
		return nil
	}
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range due {
			if !there(tx, h) {
				continue
			}
			s, err := mdib.Edit[*pm.AlertSystemState](tx, h)
			if err != nil {
				return err
			}
			s.LastSelfCheck, s.SelfCheckCount = pm.Some(pm.TimestampOf(at)), pm.Some(s.SelfCheckCount.Or(0)+1)
		}
		return nil
	})
}

// powerAndClock moves batteries, and clocks where there is no battery (step 4g).
func (a *animation) powerAndClock(time.Time) error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.batteries {
			if !there(tx, h) {
				continue
			}
			s, err := mdib.Edit[*pm.BatteryState](tx, h)
			if err != nil {
				return err
			}
			s.ChargeCycles = pm.Some(s.ChargeCycles.Or(0) + 1)
			s.ChargeStatus = pm.ChargeStatusChB
			if a.round%2 == 0 {
				s.ChargeStatus = pm.ChargeStatusFul
			}
		}
		if len(a.plan.batteries) > 0 {
			return nil
		}
		for _, h := range a.plan.clocks {
			if !there(tx, h) {
				continue
			}
			s, err := mdib.Edit[*pm.ClockState](tx, h)
			if err != nil {
				return err
			}
			// The estimate of the error is what moves in a clock that nobody sets.
			s.Accuracy = pm.Some(pm.NewDecimal(int64(50+a.round%2), 3))
		}
		return nil
	})
}

// components moves MDSs and VMDs (step 4g).
func (a *animation) components(time.Time) error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.components {
			if !there(tx, h) {
				continue
			}
			s, err := mdib.Edit[pm.ComponentState](tx, h)
			if err != nil {
				return err
			}
			c := s.BaseComponent()
			c.OperatingCycles = pm.Some(c.OperatingCycles.Or(0) + 1)
		}
		return nil
	})
}

// operations disables and enables operations (step 4h).
func (a *animation) operations(time.Time) error {
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.toggled {
			if !there(tx, h) || a.device.isHeld(h) {
				continue
			}
			s, err := mdib.Edit[pm.OperationState](tx, h)
			if err != nil {
				return err
			}
			// What is not available, because its component is off, does not become so by itself (BICEPS R0025_0).
			switch op := s.BaseOperation(); op.OperatingMode {
			case pm.OperatingModeEn:
				op.OperatingMode = pm.OperatingModeDis
			case pm.OperatingModeDis:
				op.OperatingMode = pm.OperatingModeEn
			case pm.OperatingModeNA:
			}
		}
		return nil
	})
}

// there tells whether a state is still in the MDIB: a test may have taken it out.
func there(tx *mdib.Tx, handle string) bool {
	_, ok := tx.Base().State(handle)
	return ok
}
