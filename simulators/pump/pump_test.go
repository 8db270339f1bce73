package pump_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/pump"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, opts simulators.Options, test func(b *bench)) {
	t.Helper()
	var d *pump.Pump
	simtest.Run(t, func() (s simulators.Simulator, err error) {
		d, err = pump.New(opts)
		return d, err
	}, func(b *simtest.Bench) { test(&bench{b, d}) })
}

type bench struct {
	*simtest.Bench
	pump *pump.Pump
}

func (b *bench) activate(op string) error {
	_, err := b.Consumer.Activate(b.T.Context(), op)
	return err
}

func (b *bench) set(metric, v string) error {
	_, err := b.Consumer.SetValue(b.T.Context(), pump.OpSet(metric), pm.MustDecimal(v))
	return err
}

func (b *bench) drug(d pump.Drug) error {
	_, err := b.Consumer.SetString(b.T.Context(), pump.OpSet(pump.HandleSetDrug), string(d))
	return err
}

func (b *bench) status() pump.Status {
	s, ok := mdib.Get[*pm.EnumStringMetricState](b.Consumer.MDIB(), pump.HandleStatus)
	require.True(b.T, ok)
	return pump.Status(s.MetricValue.Value.Or(""))
}

func (b *bench) alarm(condition string) bool { return simtest.Present(b.Consumer.MDIB(), condition) }

func TestMDIBConforms(t *testing.T) {
	d, err := pump.New(simulators.Options{})
	require.NoError(t, err)
	simtest.Conforms(t, d.MDIB())
}

func TestInfusionDeliversWhatIsSet(t *testing.T) {
	run(t, simulators.Options{Location: sdc.LocationDetail{Facility: "HOSP", PoC: "OR 1"}, Ensemble: "or-1"}, func(b *bench) {
		b.Pass(2 * time.Second)
		require.Equal(t, pump.Standby, b.status())
		require.Error(t, b.activate(pump.OpBolus), "nothing runs")
		require.Error(t, b.activate(pump.OpHold))
		require.NoError(t, b.drug(pump.Saline))
		require.NoError(t, b.set(pump.HandleSetRate, "120"))
		require.NoError(t, b.set(pump.HandleSetVTBI, "10"))
		require.NoError(t, b.activate(pump.OpStart))
		require.Equal(t, pump.Infusing, b.status())
		require.InDelta(t, 120, b.Value(pump.HandleFlow), 0)
		require.Error(t, b.drug(pump.Norepinephrine), "not while it runs")
		b.Pass(60 * time.Second)
		require.InDelta(t, 2, b.Value(pump.HandleDelivered), 0.1)
		require.InDelta(t, 8, b.Value(pump.HandleRemaining), 0.1)
		require.InDelta(t, 4, b.Value(pump.HandleTimeLeft), 1)
		require.True(t, b.alarm(pump.AlarmNearEnd))
		require.NoError(t, b.activate(pump.OpBolus))
		require.Error(t, b.activate(pump.OpBolus), "one at a time")
		b.Conforms()
		b.Pass(250 * time.Second)
		require.Equal(t, pump.Standby, b.status())
		require.InDelta(t, 10, b.Value(pump.HandleDelivered), 0.01)
		require.True(t, b.alarm(pump.AlarmComplete))
		require.Error(t, b.activate(pump.OpStart), "nothing is left")
		require.NoError(t, b.set(pump.HandleSetVTBI, "5"))
		require.NoError(t, b.activate(pump.OpStart))
		b.Pass(time.Second)
		require.False(t, b.alarm(pump.AlarmComplete))
		require.NoError(t, b.activate(pump.OpStop))
		require.NoError(t, b.activate(pump.OpStop), "stop is always accepted")
		b.Lints()
		require.Equal(t, pump.Standby, b.status())
		b.Conforms()
	})
}

func TestTheDrugLibraryBoundsTheRate(t *testing.T) {
	run(t, simulators.Options{}, func(b *bench) {
		b.Pass(time.Second)
		require.Error(t, b.set(pump.HandleSetRate, "31"), "remifentanil")
		require.NoError(t, b.drug(pump.Saline))
		require.NoError(t, b.set(pump.HandleSetRate, "400"))
		require.NoError(t, b.drug(pump.Norepinephrine))
		require.InDelta(t, 20, b.Value(pump.HandleSetRate), 0)
		require.InDelta(t, 64, b.Value(pump.HandleConcentration), 0)
		s, _ := mdib.Get[*pm.SetValueOperationState](b.Consumer.MDIB(), pump.OpSet(pump.HandleSetRate))
		require.Equal(t, "20.0", s.AllowedRange[0].Upper.Or(pm.Decimal{}).String())
		require.NoError(t, b.activate(pump.OpStart))
		require.Error(t, b.activate(pump.OpBolus), "no bolus of a vasopressor")
		r, err := b.Consumer.SetValue(b.T.Context(), pump.OpSet(pump.HandleSetRate), pm.MustDecimal("5.04"))
		require.NoError(t, err)
		require.Equal(t, msg.InvocationStateFinMod, r.State)
		require.InDelta(t, 5, b.Value(pump.HandleSetRate), 0)
		require.Equal(t, pump.Program{Drug: pump.Norepinephrine, Rate: 5, VTBI: 50, BolusVolume: 0.5}, b.pump.Program())
	})
}

func TestOcclusionStopsThePump(t *testing.T) {
	run(t, simulators.Options{}, func(b *bench) {
		require.NoError(t, b.set(pump.HandleSetRate, "12"))
		require.NoError(t, b.activate(pump.OpStart))
		b.Pass(5 * time.Second)
		b.pump.Occlude(true)
		b.Pass(20 * time.Second)
		require.Equal(t, pump.Infusing, b.status(), "the pressure rises slowly")
		require.Greater(t, b.Value(pump.HandlePressure), 100.0)
		b.Until(40*time.Second, "occlusion alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, pump.AlarmOcclusion) })
		b.Pass(time.Second)
		require.Equal(t, pump.Standby, b.status())
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(b.Consumer.MDIB(), build.AudibleSignal(pump.AlarmOcclusion)))
		b.Conforms()
		b.pump.Occlude(false)
		b.Pass(10 * time.Second)
		require.Less(t, b.Value(pump.HandlePressure), 15.0)
		require.True(t, b.alarm(pump.AlarmOcclusion), "until somebody sees to it")
		require.NoError(t, b.activate(pump.OpStart))
		b.Pass(time.Second)
		require.False(t, b.alarm(pump.AlarmOcclusion))
	})
}

func TestHoldLastsWhileItIsRenewed(t *testing.T) {
	// covers: SCO-10
	for _, c := range []struct {
		drug  pump.Drug
		after pump.Status // once nobody renews the hold
	}{{pump.Remifentanil, pump.Standby}, {pump.Saline, pump.Standby}, {pump.Norepinephrine, pump.Infusing}} {
		t.Run(string(c.drug), func(t *testing.T) {
			run(t, simulators.Options{}, func(b *bench) {
				require.NoError(t, b.drug(c.drug))
				require.NoError(t, b.activate(pump.OpStart))
				for range 4 {
					require.NoError(t, b.activate(pump.OpHold))
					require.Equal(t, pump.Paused, b.status())
					require.InDelta(t, 0, b.Value(pump.HandleFlow), 0)
					b.Pass(10 * time.Second)
				}
				require.Equal(t, pump.Paused, b.status())
				b.Pass(pump.HoldLease)
				require.Equal(t, c.after, b.status())
				require.True(t, b.alarm(pump.AlarmHoldOver))
				b.Conforms()
				require.NoError(t, b.activate(pump.OpStop))
				b.Pass(time.Second)
				require.False(t, b.alarm(pump.AlarmHoldOver))

				require.NoError(t, b.activate(pump.OpStart))
				require.NoError(t, b.activate(pump.OpHold))
				require.NoError(t, b.activate(pump.OpResume))
				require.Equal(t, pump.Infusing, b.status())
				b.Pass(pump.HoldLease + time.Second)
				require.Equal(t, pump.Infusing, b.status(), "the lease of a hold that was ended does nothing")
				require.False(t, b.alarm(pump.AlarmHoldOver))
			})
		})
	}
}

func TestAReasonWithinTheDevice(t *testing.T) {
	run(t, simulators.Options{}, func(b *bench) {
		require.NoError(t, b.activate(pump.OpStart))
		b.pump.Bar(true)
		b.Pass(time.Second)
		require.Equal(t, pump.Paused, b.status())
		b.pump.Bar(false)
		b.Pass(time.Second)
		require.Equal(t, pump.Infusing, b.status())
		require.NoError(t, b.activate(pump.OpStop))
		require.NoError(t, b.drug(pump.Norepinephrine))
		require.NoError(t, b.activate(pump.OpStart))
		b.pump.Bar(true)
		b.Pass(time.Second)
		require.Equal(t, pump.Infusing, b.status())
	})
}

func TestAVasopressorIsNotHeldForLong(t *testing.T) {
	run(t, simulators.Options{}, func(b *bench) {
		require.NoError(t, b.drug(pump.Norepinephrine))
		require.NoError(t, b.activate(pump.OpStart))
		held := time.Duration(0)
		for b.activate(pump.OpHold) == nil {
			b.Pass(time.Second)
			held += time.Second
		}
		require.InDelta(t, pump.HoldLimit.Seconds(), held.Seconds(), 1.1)
		require.Equal(t, pump.Infusing, b.status())
		require.True(t, b.alarm(pump.AlarmHoldOver))
		b.Pass(pump.HoldLockout)
		require.NoError(t, b.activate(pump.OpHold))
	})
}

func TestWithoutSupervisionAnOpioidStops(t *testing.T) {
	for _, c := range []struct {
		drug  pump.Drug
		after pump.Status
	}{{pump.Remifentanil, pump.Standby}, {pump.Norepinephrine, pump.Infusing}} {
		run(t, simulators.Options{}, func(b *bench) {
			require.NoError(t, b.drug(c.drug))
			require.NoError(t, b.activate(pump.OpStart))
			for range 4 {
				require.NoError(t, b.activate(pump.OpSupervise))
				b.Pass(15 * time.Second)
			}
			require.Equal(t, pump.Infusing, b.status())
			require.False(t, b.alarm(pump.AlarmUnwatched))
			b.Pass(6 * time.Second)
			require.Equal(t, c.after, b.status())
			require.True(t, b.alarm(pump.AlarmUnwatched))
			b.Conforms()

			require.NoError(t, b.activate(pump.OpStop))
			require.NoError(t, b.activate(pump.OpStart))
			require.NoError(t, b.activate(pump.OpSupervise))
			require.NoError(t, b.activate(pump.OpSuperviseEnd))
			b.Pass(pump.SupervisionLease + time.Second)
			require.Equal(t, pump.Infusing, b.status(), "it was ended in good order")
			require.False(t, b.alarm(pump.AlarmUnwatched))
		})
	}
}

func TestSameProgramGivesTheSameValues(t *testing.T) {
	record := func() (values []float64) {
		run(t, simulators.Options{Seed: 9}, func(b *bench) {
			require.NoError(t, b.activate(pump.OpStart))
			for range 3 {
				b.Pass(7 * time.Second)
				values = append(values, b.Value(pump.HandleDelivered), b.Value(pump.HandlePressure))
			}
		})
		return values
	}
	require.Equal(t, record(), record())
}
