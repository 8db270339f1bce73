package monitor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, opts simulators.Options, test func(b *simtest.Bench, m *monitor.Monitor)) {
	t.Helper()
	var m *monitor.Monitor
	simtest.Run(t, func() (s simulators.Simulator, err error) {
		m, err = monitor.New(opts)
		return m, err
	}, func(b *simtest.Bench) { test(b, m) })
}

func TestMDIBConforms(t *testing.T) {
	// covers: GLUE R0080, GLUE R0010_0, SDPi R1531, SDPi R0017, SDPi R0703–R0706
	m, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	simtest.Conforms(t, m.MDIB())
	members := []string{monitor.HandleNIBPSys, monitor.HandleNIBPDia, monitor.HandleNIBPMean}
	for _, h := range members {
		d, ok := mdib.Get[*pm.NumericMetricDescriptor](m.MDIB(), h)
		require.True(t, ok)
		require.Len(t, d.Relation, 1)
		require.Equal(t, pm.RelationKindSST, d.Relation[0].Kind)
		require.Equal(t, "150020", d.Relation[0].Code.Code)
		require.ElementsMatch(t, members, append([]string{h}, d.Relation[0].Entries...))
	}
}

func TestNumericsComeFromTheSignals(t *testing.T) {
	run(t, simulators.Options{Seed: 5}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Pass(40 * time.Second)
		require.InDelta(t, 72, b.Value(monitor.HandleHR), 6)
		require.InDelta(t, b.Value(monitor.HandleHR), b.Value(monitor.HandlePR), 4)
		require.Greater(t, b.Value(monitor.HandleSpO2), 95.0)
		require.Greater(t, b.Value(monitor.HandleABPSys), b.Value(monitor.HandleABPMean))
		require.Greater(t, b.Value(monitor.HandleABPMean), b.Value(monitor.HandleABPDia))
		require.InDelta(t, 14, b.Value(monitor.HandleRR), 1)
		require.InDelta(t, 38, b.Value(monitor.HandleEtCO2), 5)
		require.InDelta(t, 0, b.Value(monitor.HandleFiCO2), 2)
		require.InDelta(t, 37, b.Value(monitor.HandleCore), 0.6)
		for e := range b.Consumer.MDIB().Entities() {
			if c, ok := e.State.(pm.ConditionState); ok {
				require.False(t, c.BaseCondition().Presence, "a stable patient has no alarm: %s", e.Handle)
			}
			if w, ok := e.Descriptor.(*pm.RealTimeSampleArrayMetricDescriptor); ok {
				s := e.State.(*pm.RealTimeSampleArrayMetricState)
				require.EqualValues(t, bedside.Step/w.SamplePeriod.Std(), len(s.MetricValue.Samples), e.Handle)
			}
		}
		b.Conforms()
	})
}

func TestDesaturationRaisesTheAlarm(t *testing.T) {
	// covers: BICEPS alert presence order, BICEPS alert lists, GLUE R0012_0_0
	run(t, simulators.Options{Scenario: physio.Desaturation}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Pass(14 * time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), monitor.AlarmSpO2))
		b.Until(45*time.Second, "SpO2 alarm", func(s *mdib.Snapshot) bool {
			if !simtest.Present(s, monitor.AlarmSpO2) {
				return false
			}
			// A version tells of one kind of change only: the value was there in an earlier one.
			v, ok := mdib.Get[*pm.NumericMetricState](s, monitor.HandleSpO2)
			require.True(b.T, ok)
			require.Less(b.T, v.MetricValue.Value.Or(pm.Decimal{}).Float64(), 90.0)
			return true
		})
		b.Pass(time.Second)
		snap := b.Consumer.MDIB()
		require.Less(t, b.Value(monitor.HandleSpO2), 90.0)
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(snap, build.VisibleSignal(monitor.AlarmSpO2)))
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(snap, build.AudibleSignal(monitor.AlarmSpO2)))
		system, _ := mdib.Get[*pm.AlertSystemState](snap, build.HandleAlertSystem)
		require.Contains(t, system.PresentPhysiologicalAlarmConditions, monitor.AlarmSpO2)
		b.Conforms()
		b.Until(2*time.Minute, "end of the alarm", func(s *mdib.Snapshot) bool { return !simtest.Present(s, monitor.AlarmSpO2) })
	})
}

func TestTachycardiaRaisesTheAlarm(t *testing.T) {
	run(t, simulators.Options{Scenario: physio.Tachycardia}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Until(60*time.Second, "heart rate alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, monitor.AlarmHR) })
	})
}

func TestDisconnectionRaisesApnoea(t *testing.T) {
	run(t, simulators.Options{Scenario: physio.Disconnection}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Until(60*time.Second, "apnoea alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, monitor.AlarmApnoea) })
	})
}

func TestCuffMeasuresOnDemand(t *testing.T) {
	// covers: SDPi R0707, BICEPS validity: no value
	run(t, simulators.Options{}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Pass(15 * time.Second)
		_, err := b.Consumer.Activate(b.T.Context(), monitor.OpNIBPStop)
		require.Error(t, err, "nothing to stop")
		_, err = b.Consumer.Activate(b.T.Context(), monitor.OpNIBPStart)
		require.NoError(t, err)
		value := func(h string) *pm.NumericMetricValue {
			s, ok := mdib.Get[*pm.NumericMetricState](b.Consumer.MDIB(), h)
			require.True(t, ok)
			return s.MetricValue
		}
		handles := []string{monitor.HandleNIBPSys, monitor.HandleNIBPDia, monitor.HandleNIBPMean}
		for _, h := range handles {
			require.Equal(t, pm.MeasurementValidityOng, value(h).MetricQuality.Validity)
			require.False(t, value(h).Value.IsSet())
		}
		_, err = b.Consumer.Activate(b.T.Context(), monitor.OpNIBPStart)
		require.Error(t, err, "one is under way")
		b.Pass(11 * time.Second)
		first := value(handles[0])
		require.True(t, first.StartTime.IsSet() && first.StopTime.IsSet())
		require.InDelta(t, 10_000, float64(first.StopTime.Or(0)-first.StartTime.Or(0)), 200, "ms")
		for _, h := range handles {
			require.Equal(t, pm.MeasurementValidityVld, value(h).MetricQuality.Validity)
			require.Equal(t, first.StartTime, value(h).StartTime)
			require.Equal(t, first.StopTime, value(h).StopTime)
		}
		require.InDelta(t, b.Value(monitor.HandleABPMean), b.Value(monitor.HandleNIBPMean), 4)
		require.InDelta(t, b.Value(monitor.HandleABPSys), b.Value(monitor.HandleNIBPSys), 6)
		b.Conforms()
	})
}

func TestSensorOffGivesNoValueAndATechnicalAlarm(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench, m *monitor.Monitor) {
		b.Pass(15 * time.Second)
		require.Positive(t, b.Value(monitor.HandleHR))
		m.Plug(monitor.SensorECG, false)
		b.Pass(3 * time.Second)
		s, _ := mdib.Get[*pm.NumericMetricState](b.Consumer.MDIB(), monitor.HandleHR)
		require.Equal(t, pm.MeasurementValidityNA, s.MetricValue.MetricQuality.Validity)
		require.False(t, s.MetricValue.Value.IsSet())
		require.True(t, simtest.Present(b.Consumer.MDIB(), monitor.AlarmECGOff))
		require.False(t, simtest.Present(b.Consumer.MDIB(), monitor.AlarmAsystole), "no leads is no asystole")
		b.Conforms()
		m.Plug(monitor.SensorECG, true)
		b.Pass(5 * time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), monitor.AlarmECGOff))
		require.InDelta(t, 72, b.Value(monitor.HandleHR), 6)
	})
}

func TestLimitsBothWays(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Pass(15 * time.Second)
		require.InDelta(t, 120, b.Value(monitor.HandleHRHigh), 0)
		_, err := b.Consumer.SetValue(b.T.Context(), monitor.OpSet(monitor.HandleHRHigh), pm.MustDecimal("45"))
		require.Error(t, err, "below the lower limit")
		require.InDelta(t, 120, b.Value(monitor.HandleHRHigh), 0)
		_, err = b.Consumer.SetValue(b.T.Context(), monitor.OpSet(monitor.HandleHRHigh), pm.MustDecimal("60"))
		require.NoError(t, err)
		require.InDelta(t, 60, b.Value(monitor.HandleHRHigh), 0)
		b.Until(5*time.Second, "heart rate alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, monitor.AlarmHR) })
		s := &pm.LimitAlertConditionState{MonitoredAlertLimits: pm.AlertConditionMonitoredLimitsAll, Limits: build.Range("40", "130")}
		s.DescriptorHandle, s.ActivationState = monitor.AlarmHR, pm.AlertActivationOn
		_, err = b.Consumer.SetAlertState(b.T.Context(), bedside.OpLimits(monitor.AlarmHR), s)
		require.NoError(t, err)
		b.Pass(2 * time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), monitor.AlarmHR))
		require.InDelta(t, 130, b.Value(monitor.HandleHRHigh), 0)
		require.InDelta(t, 40, b.Value(monitor.HandleHRLow), 0)
	})
}

func TestPatientIsAdmitted(t *testing.T) {
	// covers: BICEPS R0124, BICEPS SetContextState semantics, BICEPS binding versions
	run(t, simulators.Options{}, func(b *simtest.Bench, _ *monitor.Monitor) {
		admit := func(name string) string {
			s := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: name}}}
			s.DescriptorHandle, s.Handle, s.ContextAssociation = build.HandlePatient, build.HandlePatient, pm.ContextAssociationAssoc
			r, err := b.Consumer.SetContextState(b.T.Context(), build.OpSetPatient, s)
			require.NoError(t, err)
			return r.Target
		}
		first, second := admit("Nobody"), admit("Noone")
		require.NotEqual(t, first, second)
		var associated []string
		for s := range b.Consumer.MDIB().Associated(build.HandlePatient) {
			associated = append(associated, s.BaseMulti().Handle)
			require.True(t, s.BaseContext().BindingMdibVersion.IsSet())
		}
		require.Equal(t, []string{second}, associated)
		b.Conforms()
	})
}

func TestSameSeedGivesTheSameValues(t *testing.T) {
	record := func(seed uint64) (values []float64) {
		run(t, simulators.Options{Seed: seed, Scenario: physio.Tachycardia}, func(b *simtest.Bench, _ *monitor.Monitor) {
			for range 3 {
				b.Pass(12 * time.Second)
				for _, h := range []string{monitor.HandleHR, monitor.HandleABPSys, monitor.HandlePI, monitor.HandleCore} {
					values = append(values, b.Value(h))
				}
				s, _ := mdib.Get[*pm.RealTimeSampleArrayMetricState](b.Consumer.MDIB(), monitor.HandleECGII)
				values = s.MetricValue.Samples.Float64s(values)
			}
		})
		return values
	}
	one := record(1)
	require.Equal(t, one, record(1))
	require.NotEqual(t, one, record(2))
}
