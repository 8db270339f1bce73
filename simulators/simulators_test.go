package simulators_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/light"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/pump"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/simulators/xray"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the ventilator does to the patient is seen by the monitor at the same bed.
func TestDevicesShareABed(t *testing.T) {
	bed := simulators.NewBed(physio.Config{Seed: 4})
	simtest.Run(t, func() (simulators.Simulator, error) { return monitor.New(simulators.Options{Bed: bed}) }, func(b *simtest.Bench) {
		vent, err := ventilator.New(simulators.Options{Bed: bed})
		require.NoError(t, err)
		p, err := provider.New(provider.Config{MDIB: vent.MDIB(), Insecure: true, Model: vent.Model(), Device: vent.Device()})
		require.NoError(t, err)
		require.NoError(t, vent.Attach(p))
		ctx, cancel := context.WithCancel(b.T.Context())
		ended := make(chan error, 1)
		go func() { ended <- vent.Run(ctx, p) }()
		b.Pass(60 * time.Second)
		require.InDelta(t, 14, b.Value(monitor.HandleRR), 1)
		etCO2 := b.Value(monitor.HandleEtCO2)
		s, ok := mdib.Get[*pm.NumericMetricState](p.MDIB(), ventilator.HandleEtCO2)
		require.True(t, ok)
		require.InDelta(t, etCO2, s.MetricValue.Value.Or(pm.Decimal{}).Float64(), 2, "both measure the same gas")
		cancel()
		require.NoError(t, <-ended)
		b.Pass(30 * time.Second)
		require.InDelta(t, 14, b.Value(monitor.HandleRR), 1, "somebody else ventilates when the ventilator has gone")
	})
}

// What the pump puts into the vein is seen by the monitor at the same bed.
func TestThePumpActsOnWhatTheMonitorSees(t *testing.T) {
	bed := simulators.NewBed(physio.Config{Seed: 4, Spontaneous: 14})
	simtest.Run(t, func() (simulators.Simulator, error) { return monitor.New(simulators.Options{Bed: bed}) }, func(b *simtest.Bench) {
		d, err := pump.New(simulators.Options{Bed: bed})
		require.NoError(t, err)
		p, err := provider.New(provider.Config{MDIB: d.MDIB(), Insecure: true, Model: d.Model(), Device: d.Device()})
		require.NoError(t, err)
		require.NoError(t, d.Attach(p))
		ctx, cancel := context.WithCancel(b.T.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, p) }()
		b.Pass(60 * time.Second)
		require.InDelta(t, 13, b.Value(monitor.HandleRR), 1.5)
		require.Greater(t, b.Value(monitor.HandleSpO2), 95.0)
		require.InDelta(t, 37, b.Value(monitor.HandleEtCO2), 4)
		remove := bed.Infuse(func(dt time.Duration) (physio.Drug, float64) { return physio.Remifentanil, 1000 * dt.Hours() })
		b.Until(8*time.Minute, "low saturation", func(s *mdib.Snapshot) bool { return simtest.Present(s, monitor.AlarmSpO2) })
		require.Less(t, b.Value(monitor.HandleRR), 8.0)
		remove()
		b.Until(8*time.Minute, "recovery", func(s *mdib.Snapshot) bool { return !simtest.Present(s, monitor.AlarmSpO2) })
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestTapsSeeTheSameSamples(t *testing.T) {
	bed := simulators.NewBed(physio.Config{})
	a, b := bed.Tap(), bed.Tap()
	first := a.Next(nil, 50)
	require.Equal(t, first, b.Next(nil, 50))
	require.Equal(t, simulators.SampleStep, first[0].Time)
	a.Next(nil, 5000)
	late := b.Next(nil, 1)
	require.Greater(t, late[0].Time, 10*time.Second, "what a device does not fetch is not kept for ever")
	a.Close()
	b.Close()
}

// Every device comes up on real sockets of loopback and leaves in good order.
func TestRunOnLoopback(t *testing.T) {
	for name, device := range map[string]func() (simulators.Simulator, error){
		"ventilator": func() (simulators.Simulator, error) { return ventilator.New(simulators.Options{}) },
		"monitor":    func() (simulators.Simulator, error) { return monitor.New(simulators.Options{}) },
		"pump":       func() (simulators.Simulator, error) { return pump.New(simulators.Options{}) },
		"xray":       func() (simulators.Simulator, error) { return xray.New(simulators.Options{}) },
		"light":      func() (simulators.Simulator, error) { return light.New(simulators.Options{}) },
		"reference":  func() (simulators.Simulator, error) { return reference.New(reference.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			sim, err := device()
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ready := false
			err = simulators.Run(ctx, sim, provider.Config{Insecure: true, Network: sdc.Network{}}, func(p *provider.Provider) {
				ready = true
				require.NotEmpty(t, p.XAddrs())
				cancel()
			})
			require.NoError(t, err)
			require.True(t, ready)
		})
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	sim, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	require.ErrorContains(t, simulators.Run(t.Context(), sim, provider.Config{}, nil), "Identity is missing")
}
