package ventilator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, opts simulators.Options, test func(b *simtest.Bench)) {
	t.Helper()
	simtest.Run(t, func() (simulators.Simulator, error) { return ventilator.New(opts) }, test)
}

func TestMDIBConforms(t *testing.T) {
	// covers: GLUE R0080, GLUE R0010_0, SDPi R1531, SDPi R0017, SDPi R0015
	v, err := ventilator.New(simulators.Options{})
	require.NoError(t, err)
	simtest.Conforms(t, v.MDIB())
	numerics, waves := 0, 0
	for e := range v.MDIB().Entities() {
		switch e.Descriptor.(type) {
		case *pm.NumericMetricDescriptor, *pm.StringMetricDescriptor, *pm.EnumStringMetricDescriptor:
			numerics++
		case *pm.RealTimeSampleArrayMetricDescriptor:
			waves++
		}
	}
	require.GreaterOrEqual(t, numerics, 30)
	require.Equal(t, 3, waves)
}

func TestMeasurementsFollowTheSettings(t *testing.T) {
	run(t, simulators.Options{Seed: 3}, func(b *simtest.Bench) {
		b.Pass(20 * time.Second)
		require.InDelta(t, 450, b.Value(ventilator.HandleVTi), 15)
		require.InDelta(t, 14, b.Value(ventilator.HandleRR), 0.2)
		require.InDelta(t, 48, b.Value(ventilator.HandleCompliance), 2)
		require.InDelta(t, 11, b.Value(ventilator.HandleResistance), 1)
		require.InDelta(t, 40, b.Value(ventilator.HandleFiO2), 0)
		require.InDelta(t, 450*14/1000.0, b.Value(ventilator.HandleMVe), 0.4)
		peep, peak := b.Value(ventilator.HandlePEEP), b.Value(ventilator.HandlePpeak)
		require.InDelta(t, 5, peep, 0.5)
		r, err := b.Consumer.SetValue(b.T.Context(), ventilator.OpSet(ventilator.HandleSetPEEP), pm.MustDecimal("10"))
		require.NoError(t, err)
		require.Equal(t, msg.InvocationStateFin, r.State)
		require.InDelta(t, 10, b.Value(ventilator.HandleSetPEEP), 0, "the setting shows at once")
		b.Pass(15 * time.Second)
		require.InDelta(t, peep+5, b.Value(ventilator.HandlePEEP), 0.5)
		require.InDelta(t, peak+5, b.Value(ventilator.HandlePpeak), 1)
		b.Conforms()
	})
}

func TestWaveformsComeTenTimesASecond(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench) {
		b.Pass(time.Second)
		messages, samples, last := 0, 0, pm.Timestamp(0)
		stop := time.Now().Add(5 * time.Second)
		for u, err := range b.Consumer.Updates(b.T.Context()) {
			require.NoError(t, err)
			if u.Change != nil {
				for _, s := range u.Change.States {
					if s, ok := s.After.(*pm.RealTimeSampleArrayMetricState); ok && s.DescriptorHandle == ventilator.HandlePressure {
						messages++
						samples += len(s.MetricValue.Samples)
						at := s.MetricValue.DeterminationTime.Or(0)
						if last != 0 {
							require.EqualValues(t, 100, at-last, "no sample is missing")
						}
						last = at
					}
				}
			}
			if !time.Now().Before(stop) {
				break
			}
		}
		require.InDelta(t, 50, messages, 1)
		require.Equal(t, 10*messages, samples)
	})
}

func TestRefusedSettingsChangeNothing(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench) {
		b.Pass(time.Second)
		refused := func(_ *consumer.Result, err error) {
			t.Helper()
			var failed *consumer.OperationError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, msg.InvocationStateFail, failed.Result.State)
		}
		value := func(h, v string) (*consumer.Result, error) {
			return b.Consumer.SetValue(b.T.Context(), ventilator.OpSet(h), pm.MustDecimal(v))
		}
		refused(value(ventilator.HandleSetVT, "50"))
		refused(value(ventilator.HandleSetRate, "40")) // leaves no time to exhale
		refused(b.Consumer.SetString(b.T.Context(), ventilator.OpMode, "turbo"))
		numeric := func(h, v string) pm.MetricState {
			s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal(v))}}
			s.DescriptorHandle, s.MetricValue.MetricQuality.Validity = h, pm.MeasurementValidityVld
			return s
		}
		refused(b.Consumer.SetMetricState(b.T.Context(), ventilator.OpSettings, numeric(ventilator.HandleSetVT, "600"), numeric(ventilator.HandleSetPEEP, "90")))
		require.InDelta(t, 450, b.Value(ventilator.HandleSetVT), 0, "all or nothing")
		require.InDelta(t, 14, b.Value(ventilator.HandleSetRate), 0)

		r, err := b.Consumer.SetMetricState(b.T.Context(), ventilator.OpSettings, numeric(ventilator.HandleSetVT, "600"), numeric(ventilator.HandleSetPEEP, "8"))
		require.NoError(t, err)
		require.Equal(t, msg.InvocationStateFin, r.State)
		r, err = value(ventilator.HandleSetVT, "500.4")
		require.NoError(t, err)
		require.Equal(t, msg.InvocationStateFinMod, r.State, "rounded to the resolution")
		require.InDelta(t, 500, b.Value(ventilator.HandleSetVT), 0)
	})
}

func TestDisconnectionRaisesTheTechnicalAlarm(t *testing.T) {
	// covers: BICEPS alert lists, GLUE R0012_0_0, BICEPS R0029_0
	run(t, simulators.Options{Scenario: physio.Disconnection}, func(b *simtest.Bench) {
		b.Pass(10 * time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), ventilator.AlarmDisconnect))
		b.Until(20*time.Second, "disconnection alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, ventilator.AlarmDisconnect) })
		b.Pass(time.Second)
		snap := b.Consumer.MDIB()
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(snap, build.AudibleSignal(ventilator.AlarmDisconnect)))
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(snap, build.VisibleSignal(ventilator.AlarmDisconnect)))
		system, _ := mdib.Get[*pm.AlertSystemState](snap, build.HandleAlertSystem)
		require.Equal(t, []string{ventilator.AlarmDisconnect}, system.PresentTechnicalAlarmConditions)
		condition, _ := mdib.Get[*pm.AlertConditionState](snap, ventilator.AlarmDisconnect)
		require.True(t, condition.DeterminationTime.IsSet())

		// covers: BICEPS ack
		audible := build.AudibleSignal(ventilator.AlarmDisconnect)
		acknowledge := func(signal string, presence pm.AlertSignalPresence) error {
			s := &pm.AlertSignalState{Presence: presence}
			s.DescriptorHandle, s.ActivationState = signal, pm.AlertActivationOn
			_, err := b.Consumer.SetAlertState(b.T.Context(), bedside.OpAcknowledgeSignal(ventilator.AlarmDisconnect), s)
			return err
		}
		require.Error(t, acknowledge(build.AudibleSignal(ventilator.AlarmApnoea), pm.AlertSignalPresenceAck), "of another alarm")
		require.Error(t, acknowledge(audible, pm.AlertSignalPresenceOff), "it is still there")
		require.NoError(t, acknowledge(audible, pm.AlertSignalPresenceAck))
		require.Equal(t, pm.AlertSignalPresenceAck, simtest.Signal(b.Consumer.MDIB(), audible))
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(b.Consumer.MDIB(), build.VisibleSignal(ventilator.AlarmDisconnect)))

		_, err := b.Consumer.Activate(b.T.Context(), bedside.OpPauseAudio)
		require.NoError(t, err)
		snap = b.Consumer.MDIB()
		require.Equal(t, pm.AlertSignalPresenceOff, simtest.Signal(snap, build.AudibleSignal(ventilator.AlarmDisconnect)), "paused")
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(snap, build.VisibleSignal(ventilator.AlarmDisconnect)))
		b.Conforms()
		b.Until(60*time.Second, "end of the alarm", func(s *mdib.Snapshot) bool { return !simtest.Present(s, ventilator.AlarmDisconnect) })
		b.Pass(bedside.AudioPause)
		g, _ := mdib.Get[*pm.AlertSignalState](b.Consumer.MDIB(), build.AudibleSignal(ventilator.AlarmDisconnect))
		require.Equal(t, pm.AlertActivationOn, g.ActivationState, "the pause is over")
	})
}

func TestLimitsCanBeSet(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench) {
		b.Pass(15 * time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), ventilator.AlarmPpeak))
		propose := func(low, high string) error {
			s := &pm.LimitAlertConditionState{MonitoredAlertLimits: pm.AlertConditionMonitoredLimitsAll, Limits: build.Range(low, high)}
			s.DescriptorHandle, s.ActivationState = ventilator.AlarmPpeak, pm.AlertActivationOn
			_, err := b.Consumer.SetAlertState(b.T.Context(), bedside.OpLimits(ventilator.AlarmPpeak), s)
			return err
		}
		require.Error(t, propose("30", "20"), "the wrong way round")
		require.Error(t, propose("5", "1000"), "beyond what can be set")
		require.NoError(t, propose("5", "15"))
		b.Until(10*time.Second, "pressure alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, ventilator.AlarmPpeak) })
	})
}

func TestManoeuvres(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench) {
		b.Pass(10 * time.Second)
		status := func() string {
			s, _ := mdib.Get[*pm.StringMetricState](b.Consumer.MDIB(), "status")
			return s.MetricValue.Value.Or("")
		}
		_, err := b.Consumer.Activate(b.T.Context(), ventilator.OpHold)
		require.NoError(t, err)
		b.Until(8*time.Second, "hold", func(*mdib.Snapshot) bool { return status() == "Inspiratory hold" })
		b.Until(8*time.Second, "end of the hold", func(*mdib.Snapshot) bool { return status() == "Ventilating" })
		_, err = b.Consumer.Activate(b.T.Context(), ventilator.OpFlush)
		require.NoError(t, err)
		b.Pass(2 * time.Second)
		require.InDelta(t, 100, b.Value(ventilator.HandleFiO2), 0)
		b.Pass(2 * time.Minute)
		require.InDelta(t, 40, b.Value(ventilator.HandleFiO2), 0)

		_, err = b.Consumer.SetString(b.T.Context(), ventilator.OpMode, string(ventilator.Standby))
		require.NoError(t, err)
		_, err = b.Consumer.Activate(b.T.Context(), ventilator.OpHold)
		require.Error(t, err, "nothing to hold in standby")
		b.Pass(25 * time.Second)
		s, _ := mdib.Get[*pm.NumericMetricState](b.Consumer.MDIB(), ventilator.HandlePpeak)
		require.Equal(t, pm.MeasurementValidityNA, s.MetricValue.MetricQuality.Validity)
		require.False(t, simtest.Present(b.Consumer.MDIB(), ventilator.AlarmApnoea), "no alarm in standby")
	})
}

func TestLocationAndSelfCheck(t *testing.T) {
	// covers: BICEPS self-check, GLUE R0013
	run(t, simulators.Options{Location: sdc.LocationDetail{Facility: "HOSP", PoC: "ICU", Bed: "4"}}, func(b *simtest.Bench) {
		b.Pass(12 * time.Second)
		found := 0
		for s := range b.Consumer.MDIB().Associated(build.HandleLocation) {
			l := s.(*pm.LocationContextState)
			require.Equal(t, "4", l.LocationDetail.Bed)
			require.True(t, l.BindingMdibVersion.IsSet() && l.BindingStartTime.IsSet())
			require.NotEmpty(t, l.Validator)
			found++
		}
		require.Equal(t, 1, found)
		check := func() int64 {
			s, _ := mdib.Get[*pm.AlertSystemState](b.Consumer.MDIB(), build.HandleAlertSystem)
			return s.SelfCheckCount.Or(0)
		}
		before := check()
		b.Pass(10 * time.Second)
		require.Equal(t, before+2, check())
	})
}

func TestSameSeedGivesTheSameValues(t *testing.T) {
	record := func(seed uint64) (values []float64) {
		run(t, simulators.Options{Seed: seed, Scenario: physio.Desaturation}, func(b *simtest.Bench) {
			for range 4 {
				b.Pass(12 * time.Second)
				for _, h := range []string{ventilator.HandlePpeak, ventilator.HandleVTe, ventilator.HandleEtCO2} {
					values = append(values, b.Value(h))
				}
			}
		})
		return values
	}
	require.Equal(t, record(1), record(1))
}

func TestPauseLastsWhileItIsRenewedButNotForEver(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench) {
		b.Pass(10 * time.Second)
		state := func(s *mdib.Snapshot) ventilator.PauseState {
			m, ok := mdib.Get[*pm.EnumStringMetricState](s, ventilator.HandlePause)
			require.True(t, ok)
			return ventilator.PauseState(m.MetricValue.Value.Or(""))
		}
		is := func(want ventilator.PauseState) func(*mdib.Snapshot) bool {
			return func(s *mdib.Snapshot) bool { return state(s) == want }
		}
		flow := func() (most float64) {
			w, _ := mdib.Get[*pm.RealTimeSampleArrayMetricState](b.Consumer.MDIB(), ventilator.HandleFlow)
			for _, f := range w.MetricValue.Samples.Float64s(nil) {
				most = max(most, f, -f)
			}
			return most
		}
		for _, c := range []struct {
			op   string
			want ventilator.PauseState
		}{{ventilator.OpPauseInsp, ventilator.PausedInspiratory}, {ventilator.OpPauseExp, ventilator.PausedExpiratory}} {
			// Renewed every two seconds it lasts, and nothing moves.
			_, err := b.Consumer.Activate(b.T.Context(), c.op)
			require.NoError(t, err)
			require.Equal(t, ventilator.PauseRequested, state(b.Provider.MDIB()))
			for waiting := true; waiting; b.Pass(100 * time.Millisecond) {
				_, err = b.Consumer.Activate(b.T.Context(), c.op)
				require.NoError(t, err)
				waiting = state(b.Provider.MDIB()) == ventilator.PauseRequested
			}
			begin := time.Now()
			for range 2 {
				b.Pass(2 * time.Second)
				require.Equal(t, c.want, state(b.Provider.MDIB()))
				require.InDelta(t, 0, flow(), 0.5)
				_, err = b.Consumer.Activate(b.T.Context(), c.op)
				require.NoError(t, err)
			}
			// The caller dies: the ventilator goes on by itself once the lease has run out.
			b.Until(ventilator.PauseLease+time.Second, "end of the lease", is(ventilator.NotPaused))
			require.Less(t, time.Since(begin), ventilator.PauseLimit)
			require.False(t, simtest.Present(b.Provider.MDIB(), ventilator.AlarmPauseOver))
			b.Pass(30 * time.Second)
		}
		// A caller gone wild renews for ever: the limit holds, an alarm tells, and the next pause has to wait.
		refused := time.Duration(0)
		var longest, since time.Duration
		for range 300 {
			if _, err := b.Consumer.Activate(b.T.Context(), ventilator.OpPauseInsp); err != nil {
				refused += 100 * time.Millisecond
			}
			b.Pass(100 * time.Millisecond)
			if state(b.Provider.MDIB()) == ventilator.PausedInspiratory {
				since += 100 * time.Millisecond
				longest = max(longest, since)
			} else {
				since = 0
			}
		}
		require.InDelta(t, ventilator.PauseLimit.Seconds(), longest.Seconds(), 0.3)
		require.GreaterOrEqual(t, refused, ventilator.PauseLockout-5*time.Second)
		require.True(t, simtest.Present(b.Provider.MDIB(), ventilator.AlarmPauseOver))
		b.Conforms()
		// Asked to, it goes on at once.
		b.Pass(ventilator.PauseLockout)
		_, err := b.Consumer.Activate(b.T.Context(), ventilator.OpPauseInsp)
		require.NoError(t, err)
		b.Until(6*time.Second, "pause", is(ventilator.PausedInspiratory))
		require.False(t, simtest.Present(b.Provider.MDIB(), ventilator.AlarmPauseOver))
		_, err = b.Consumer.Activate(b.T.Context(), ventilator.OpResume)
		require.NoError(t, err)
		require.Equal(t, ventilator.NotPaused, state(b.Provider.MDIB()))
		b.Pass(10 * time.Second)
		require.InDelta(t, 14, b.Value(ventilator.HandleRR), 0.5)
	})
}
