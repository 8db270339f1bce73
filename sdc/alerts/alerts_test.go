package alerts

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestTheValueIsReportedBeforeItsAlert(t *testing.T) {
	// covers: BICEPS alert presence order, BICEPS alert lists
	inBubble(t, Config{}, func(b *bench) {
		b.dev.take()
		b.hr("121")
		changes := b.dev.take()
		require.Len(t, changes, 2)
		require.Equal(t, mdib.KindMetric, changes[0].Kind)
		require.Equal(t, mdib.KindAlert, changes[1].Kind)
		require.True(t, b.present("hr.limit"))
		system, _ := mdib.Get[*pm.AlertSystemState](b.MDIB(), "alerts")
		require.Equal(t, []string{"hr.limit"}, system.PresentPhysiologicalAlarmConditions)
		b.hr("120")
		require.False(t, b.present("hr.limit"), "a value on the limit does not violate it")
		b.hr("49.9")
		require.True(t, b.present("hr.limit"))
	})
}

func TestLimits(t *testing.T) {
	value := func(v string, q pm.MeasurementValidity) *pm.NumericMetricValue {
		m := &pm.NumericMetricValue{}
		if v != "" {
			m.Value = decimal(v)
		}
		m.MetricQuality.Validity = q
		return m
	}
	const (
		all, none, loOff, hiOff = pm.AlertConditionMonitoredLimitsAll, pm.AlertConditionMonitoredLimitsNone, pm.AlertConditionMonitoredLimitsLoOff, pm.AlertConditionMonitoredLimitsHiOff
		vld                     = pm.MeasurementValidityVld
	)
	for name, c := range map[string]struct {
		monitored pm.AlertConditionMonitoredLimits
		value     *pm.NumericMetricValue
		was, want bool
	}{
		"inside":                       {all, value("100", vld), true, false},
		"on the lower limit":           {all, value("50", vld), false, false},
		"below":                        {all, value("49.99", vld), false, true},
		"above":                        {all, value("120.01", vld), false, true},
		"below, low off":               {loOff, value("1", vld), false, false},
		"above, low off":               {loOff, value("200", vld), false, true},
		"above, high off":              {hiOff, value("200", vld), false, false},
		"below, high off":              {hiOff, value("1", vld), false, true},
		"none monitored":               {none, value("1", vld), true, false},
		"questionable":                 {all, value("1", pm.MeasurementValidityQst), false, true},
		"validated":                    {all, value("1", pm.MeasurementValidityVldated), false, true},
		"from a calibration":           {all, value("1", pm.MeasurementValidityCalib), true, false},
		"invalid":                      {all, value("1", pm.MeasurementValidityInv), true, false},
		"not available":                {all, value("", pm.MeasurementValidityNA), true, false},
		"going on, was there":          {all, value("", pm.MeasurementValidityOng), true, true},
		"going on, was not there":      {all, value("", pm.MeasurementValidityOng), false, false},
		"going on, not monitored":      {none, value("", pm.MeasurementValidityOng), true, false},
		"overflow":                     {all, value("", pm.MeasurementValidityOflw), false, true},
		"overflow, high not monitored": {hiOff, value("", pm.MeasurementValidityOflw), false, false},
		"underflow":                    {all, value("", pm.MeasurementValidityUflw), false, true},
		"no value":                     {all, value("", vld), true, false},
	} {
		s := &pm.LimitAlertConditionState{MonitoredAlertLimits: c.monitored, Limits: pm.Range{Lower: decimal("50"), Upper: decimal("120")}}
		require.Equal(t, c.want, violates(s, c.value, c.was), name)
	}
}

func TestConditionsComeAfterTheirDelayAndGoAtOnce(t *testing.T) {
	// covers: GLUE R0012_0_0
	inBubble(t, Config{}, func(b *bench) {
		require.NoError(t, b.SetPresence("sensor", true))
		b.after(1999 * time.Millisecond)
		require.False(t, b.present("sensor"))
		b.after(time.Millisecond)
		require.True(t, b.present("sensor"), "2 s after the fact")
		s, _ := mdib.Get[*pm.AlertConditionState](b.MDIB(), "sensor")
		require.Equal(t, pm.Some(pm.TimestampOf(time.Now())), s.DeterminationTime)
		b.after(time.Second)
		require.NoError(t, b.SetPresence("sensor", false))
		require.False(t, b.present("sensor"))
		s, _ = mdib.Get[*pm.AlertConditionState](b.MDIB(), "sensor")
		require.Equal(t, pm.Some(pm.TimestampOf(time.Now())), s.DeterminationTime)

		require.NoError(t, b.SetPresence("sensor", true))
		b.after(time.Second)
		require.NoError(t, b.SetPresence("sensor", false))
		b.after(time.Minute)
		require.False(t, b.present("sensor"), "a short fact is no condition")
		require.ErrorIs(t, b.SetPresence("nobody", true), mdib.ErrUnknownHandle)
	})
}

func TestPresenceCanBeStatedInATransaction(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.dev.take()
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.SetPresence("sensor", true) }))
		changes := b.dev.take()
		require.Len(t, changes, 1, "signals change in the same report")
		require.Equal(t, "On", b.presence("sensor.vis"))
		require.Error(t, b.Update(func(*mdib.Tx) error { return errors.New("no") }))
		require.Empty(t, b.dev.take())
	})
}

func TestLimitConditionsCanBeStatedToo(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.hr("80")
		require.NoError(t, b.SetPresence("hr.limit", true))
		require.True(t, b.present("hr.limit"))
		b.hr("81")
		require.True(t, b.present("hr.limit"), "the application's word holds")
		require.NoError(t, b.Judge("hr.limit"))
		require.False(t, b.present("hr.limit"))
		require.Error(t, b.Judge("sensor"))
	})
}

func TestChangesPastTheManagerAreNoticed(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.dev.notify = b.Notice
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("hr", pm.MustDecimal("30"), time.Now()) }))
		b.after(0)
		require.True(t, b.present("hr.limit"))
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetAlertActivation("hr.vis", pm.AlertActivationOff) }))
		b.after(0)
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetAlertActivation("alerts", pm.AlertActivationOff) }))
		b.after(0)
		require.NoError(t, b.SetActivation("alerts", pm.AlertActivationOn))
		require.Equal(t, "Off", b.activation("hr.vis"), "it was off for itself")
		require.Equal(t, "On", b.activation("hr.aud"))
		require.True(t, b.present("hr.limit"))
	})
}

func TestSelfCheck(t *testing.T) {
	// covers: BICEPS self-check
	var broken atomic.Bool
	check := func(string) error {
		if broken.Load() {
			return errors.New("the loudspeaker is gone")
		}
		return nil
	}
	inBubble(t, Config{SelfCheck: check}, func(b *bench) {
		state := func() *pm.AlertSystemState {
			s, _ := mdib.Get[*pm.AlertSystemState](b.MDIB(), "alerts")
			return s
		}
		start := time.Now()
		require.EqualValues(t, 1, state().SelfCheckCount.Or(0), "the first one at once")
		for i := range 10 {
			b.dev.take()
			b.after(5 * time.Second)
			require.EqualValues(t, i+2, state().SelfCheckCount.Or(0))
			require.Equal(t, pm.Some(pm.TimestampOf(start.Add(time.Duration(i+1)*5*time.Second))), state().LastSelfCheck)
			changes := b.dev.take()
			require.Len(t, changes, 1, "each check is reported")
			require.Len(t, changes[0].States, 1)
		}
		other, _ := mdib.Get[*pm.AlertSystemState](b.MDIB(), "alerts2")
		require.False(t, other.LastSelfCheck.IsSet(), "it declares no period")
		broken.Store(true)
		b.after(time.Minute)
		require.EqualValues(t, 11, state().SelfCheckCount.Or(0))
		require.Equal(t, pm.Some(pm.TimestampOf(start.Add(50*time.Second))), state().LastSelfCheck, "a failed check does not count")
		broken.Store(false)
		b.after(5 * time.Second)
		require.EqualValues(t, 12, state().SelfCheckCount.Or(0))
		require.NoError(t, b.SetActivation("alerts", pm.AlertActivationOff))
		b.after(5 * time.Second)
		require.EqualValues(t, 13, state().SelfCheckCount.Or(0), "a system that is off checks itself on")
	})
}

// A system that comes later checks itself at once, too, and not when the manager wakes for another reason.
func TestSelfCheckOfASystemInsertedLater(t *testing.T) {
	// covers: BICEPS self-check
	inBubble(t, Config{}, func(b *bench) {
		b.after(61 * time.Second)
		vmd := &pm.VmdDescriptor{}
		vmd.AlertSystem = &pm.AlertSystemDescriptor{SelfCheckPeriod: seconds(5)}
		vmd.AbstractDescriptor, vmd.AlertSystem.AbstractDescriptor = base("late.vmd"), base("late.alerts")
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.Insert("mds", vmd) }))
		synctest.Wait()
		for n := range int64(3) {
			s, _ := mdib.Get[*pm.AlertSystemState](b.MDIB(), "late.alerts")
			require.Equal(t, n+1, s.SelfCheckCount.Or(0))
			b.after(5 * time.Second)
		}
	})
}

func TestAutoLimits(t *testing.T) {
	inBubble(t, Config{AutoLimit: func(_ string, v pm.Decimal, r pm.Range) pm.Range {
		low, _ := pm.DecimalFromFloat(v.Float64()-20, 0)
		high, _ := pm.DecimalFromFloat(v.Float64()+20, 0)
		return pm.Range{Lower: pm.Some(low), Upper: pm.Some(high)}
	}}, func(b *bench) {
		limits := func() string {
			s, _ := mdib.Get[*pm.LimitAlertConditionState](b.MDIB(), "hr.limit")
			return s.Limits.Lower.Or(pm.Decimal{}).String() + " " + s.Limits.Upper.Or(pm.Decimal{}).String()
		}
		b.hr("80")
		require.Equal(t, "50 120", limits(), "off")
		p := &pm.LimitAlertConditionState{AutoLimitActivationState: pm.AlertActivationOn}
		p.DescriptorHandle = "hr.limit"
		require.NoError(t, b.SetAlertState(p))
		require.Equal(t, "60 100", limits())
		b.hr("240")
		require.Equal(t, "220 250", limits(), "within MaxLimits")
	})
}

func TestEscalation(t *testing.T) {
	inBubble(t, Config{
		EscalateAfter: map[string]time.Duration{"hr.limit": 20 * time.Second}, DeescalateAfter: map[string]time.Duration{"hr.limit": 5 * time.Second},
	}, func(b *bench) {
		priority := func() pm.AlertConditionPriority { return PresentIn(b.MDIB())[0].Priority }
		b.hr("130")
		b.after(19 * time.Second)
		require.Equal(t, pm.AlertConditionPriorityMe, priority())
		b.after(time.Second)
		require.Equal(t, pm.AlertConditionPriorityHi, priority())
		b.hr("100")
		b.hr("130")
		require.Equal(t, pm.AlertConditionPriorityMe, priority(), "each episode begins with the condition's own")
		require.NoError(t, b.SetActivation("hr.vis", pm.AlertActivationOff))
		require.NoError(t, b.SetActivation("hr.tan", pm.AlertActivationOff))
		b.after(4 * time.Second)
		require.NoError(t, b.Acknowledge("hr.aud"))
		b.after(6 * time.Second)
		require.Equal(t, pm.AlertConditionPriorityLo, priority())
		require.Error(t, b.SetPriority("hr.limit", pm.AlertConditionPriorityNone))
		require.NoError(t, b.SetPriority("hr.limit", pm.AlertConditionPriorityHi))
		require.Equal(t, pm.AlertConditionPriorityHi, priority())
		b.hr("100")
		require.Error(t, b.SetPriority("hr.limit", pm.AlertConditionPriorityHi), "it is not present")
		require.Error(t, b.SetPriority("sensor", pm.AlertConditionPriorityHi), "it cannot escalate")
		s, _ := mdib.Get[*pm.LimitAlertConditionState](b.MDIB(), "hr.limit")
		require.Empty(t, s.ActualPriority)
	})
}

func TestPresentConditionsByImportance(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		require.Empty(t, PresentIn(b.MDIB()))
		b.hr("130")
		require.NoError(t, b.SetPresence("pump", true))
		b.after(time.Second)
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.SetPresence("sensor", true) }))
		order := func() []string {
			var out []string
			for _, p := range PresentIn(b.MDIB()) {
				out = append(out, p.Handle)
			}
			return out
		}
		require.Equal(t, []string{"sensor", "hr.limit", "pump"}, order(), "the latest first")
		require.NoError(t, b.Update(func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.AlertConditionState](tx, "pump")
			s.Rank = pm.Some(int32(-1))
			return err
		}))
		require.Equal(t, []string{"pump", "sensor", "hr.limit"}, order())
		require.NoError(t, b.SetPriority("hr.limit", pm.AlertConditionPriorityHi))
		require.Equal(t, []string{"hr.limit", "pump", "sensor"}, order())
	})
}

func TestTheDescriptionMayChange(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.hr("130")
		d := conditionOf("late", pm.AlertConditionKindTec)
		state := &pm.AlertConditionState{}
		state.ActivationState = pm.AlertActivationOn
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.Insert("alerts", &d, state) }))
		require.NoError(t, b.SetPresence("late", true))
		require.True(t, b.present("late"))
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.Delete("hr.limit") }))
		require.NoError(t, b.Update(func(tx *mdib.Tx) error { return tx.Delete("late") }))
		require.ErrorIs(t, b.SetPresence("late", true), mdib.ErrUnknownHandle)
		require.NoError(t, b.SetActivation("alerts", pm.AlertActivationOff))
	})
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{
		{}, {Device: newDevice(t), DelegationTimeout: -1}, {Device: newDevice(t), EscalateAfter: map[string]time.Duration{"x": -1}},
	} {
		_, err := New(cfg)
		require.Error(t, err)
	}
	m, err := New(Config{Device: newDevice(t)})
	require.NoError(t, err)
	require.Error(t, m.Update(nil))
	require.Error(t, m.SetAlertState(nil))
}
