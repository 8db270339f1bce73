package reference_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/reference"
)

// TestHeldConditionsStay: what a conformance test has decided outlasts the animation.
func TestHeldConditionsStay(t *testing.T) {
	device, err := reference.New(reference.Config{})
	require.NoError(t, err)
	simtest.Run(t, func() (simulators.Simulator, error) { return device, nil }, func(b *simtest.Bench) {
		const held, free = "mds0.alerts.limit", "mds0.alerts.technical"
		b.Until(20*time.Second, "the condition is present", func(s *mdib.Snapshot) bool { return simtest.Present(s, held) })
		device.Hold(held)
		device.Hold("nobody")
		was := simtest.Present(b.Provider.MDIB(), free)
		changes := 0
		for range 60 {
			b.Pass(time.Second)
			require.True(t, simtest.Present(b.Provider.MDIB(), held))
			if is := simtest.Present(b.Provider.MDIB(), free); is != was {
				was = is
				changes++
			}
		}
		require.Greater(t, changes, 5)
	})
}

// TestSetMetricsRest: for two seconds after a metric has been set nothing else is reported of it; then it moves again.
func TestSetMetricsRest(t *testing.T) {
	device, err := reference.New(reference.Config{})
	require.NoError(t, err)
	simtest.Run(t, func() (simulators.Simulator, error) { return device, nil }, func(b *simtest.Bench) {
		determined := func(h string) pm.Timestamp {
			s, ok := b.Provider.MDIB().State(h)
			require.True(t, ok)
			switch s := s.(type) {
			case *pm.NumericMetricState:
				return s.MetricValue.DeterminationTime.Or(0)
			case *pm.StringMetricState:
				return s.MetricValue.DeterminationTime.Or(0)
			case *pm.RealTimeSampleArrayMetricState:
				return s.MetricValue.DeterminationTime.Or(0)
			}
			require.Fail(t, "no metric", h)
			return 0
		}
		b.Pass(5 * time.Second) // all have values
		moving := []string{"mds0.vitals.rate", "mds0.vitals.note", "mds0.waves.fast0", "mds0.waves.slow"}
		for range 5 { // whatever is due next
			b.Pass(1900 * time.Millisecond)
			before := map[string]pm.Timestamp{}
			for _, h := range moving {
				device.Hold(h)
				before[h] = determined(h)
			}
			other := determined("mds0.waves.fast1")
			b.Pass(1900 * time.Millisecond)
			for _, h := range moving {
				require.Equal(t, before[h], determined(h), h)
			}
			require.Greater(t, determined("mds0.waves.fast1"), other, "others go on")
			b.Pass(5 * time.Second)
			for _, h := range moving {
				require.Greater(t, determined(h), before[h], h)
			}
		}
	})
}

// TestHeldOperationsStay: what has been decided on an operation lasts.
func TestHeldOperationsStay(t *testing.T) {
	device, err := reference.New(reference.Config{})
	require.NoError(t, err)
	simtest.Run(t, func() (simulators.Simulator, error) { return device, nil }, func(b *simtest.Bench) {
		toggled := ""
		b.Until(20*time.Second, "an operation is disabled", func(s *mdib.Snapshot) bool {
			for e := range s.Entities() {
				if op, ok := e.State.(pm.OperationState); ok && op.BaseOperation().OperatingMode == pm.OperatingModeDis {
					toggled = e.Handle
				}
			}
			return toggled != ""
		})
		device.Hold(toggled)
		for range 20 {
			b.Pass(time.Second)
			op, ok := mdib.Get[pm.OperationState](b.Provider.MDIB(), toggled)
			require.True(t, ok)
			require.Equal(t, pm.OperatingModeDis, op.BaseOperation().OperatingMode)
		}
	})
}

// TestCompleteDeviceKeepsItsParts: a tool that walks through its copy of the MDIB finds everything in it.
func TestCompleteDeviceKeepsItsParts(t *testing.T) {
	handles := func(s *mdib.Snapshot) (out []string) {
		for e := range s.Entities() {
			out = append(out, e.Handle)
		}
		return out
	}
	for _, complete := range []bool{true, false} {
		run(t, reference.Config{Complete: complete}, func(b *simtest.Bench) {
			was, same := handles(b.Provider.MDIB()), true
			for range 30 {
				b.Pass(time.Second)
				same = same && slices.Equal(was, handles(b.Provider.MDIB()))
			}
			require.Equal(t, complete, same)
		})
	}
}

// TestPartsMayBeTakenOut: the animation goes on with what is left, and with what comes back.
func TestPartsMayBeTakenOut(t *testing.T) {
	// covers: BICEPS C-7
	run(t, reference.Config{}, func(b *simtest.Bench) {
		b.Pass(12 * time.Second) // the visitor is there
		for _, handle := range []string{"mds1", "mds0.monitoring", "mds0.alerts", "mds0.battery", "mds0.sco"} {
			require.NoError(t, b.Provider.Update(func(tx *mdib.Tx) error { return tx.Delete(handle) }), handle)
			before := b.Provider.MDIB().Version().MdibVersion
			b.Pass(25 * time.Second)
			require.Greater(t, b.Provider.MDIB().Version().MdibVersion, before)
		}
		require.NoError(t, b.Provider.Update(func(tx *mdib.Tx) error { return tx.Delete("mds0") }))
		b.Pass(25 * time.Second)
	})
}

// TestOffStaysOff: the animation enables nothing that a cascade has made unavailable (BICEPS R0025_0).
func TestOffStaysOff(t *testing.T) {
	// covers: BICEPS R0025_0
	run(t, reference.Config{}, func(b *simtest.Bench) {
		for _, step := range mdib.SwitchOff("mds0") {
			require.NoError(t, b.Provider.Update(step))
		}
		for range 30 {
			b.Pass(time.Second)
			snap := b.Provider.MDIB()
			for e := range snap.Subtree("mds0") {
				switch s := e.State.(type) {
				case pm.OperationState:
					require.Equal(t, pm.OperatingModeNA, s.BaseOperation().OperatingMode, e.Handle)
				case pm.ComponentState:
					require.Equal(t, pm.ComponentActivationOff, s.BaseComponent().ActivationState, e.Handle)
				case pm.MetricState:
					require.Equal(t, pm.ComponentActivationOff, s.BaseMetric().ActivationState, e.Handle)
				}
			}
			require.False(t, simtest.Present(snap, "mds0.alerts.limit"))
		}
	})
}
