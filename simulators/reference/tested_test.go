package reference_test

import (
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
