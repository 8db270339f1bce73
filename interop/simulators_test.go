package interop

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/simulators/ventilator"
)

// The peer's consumer finds each simulated device while it runs at full speed,
// validates every message, and invokes every operation that is enabled.
func TestPeerConsumerOfSimulators(t *testing.T) {
	options := simulators.Options{
		Seed:     1,
		Location: sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: "bed1"},
	}
	for name, sim := range map[string]struct {
		open    func() (simulators.Simulator, error)
		reports []string
		skip    string // an operation that makes no sense at any time: switched on and off, or the end of another
	}{
		"ventilator": {
			func() (simulators.Simulator, error) { return ventilator.New(options) },
			[]string{"EpisodicMetricReport", "WaveformStream", "OperationInvokedReport"}, ventilator.OpResume, // no pause begins for a while after it
		},
		"monitor": {
			func() (simulators.Simulator, error) { return monitor.New(options) },
			[]string{"EpisodicMetricReport", "WaveformStream", "OperationInvokedReport"}, "op.nibp.stop",
		},
		"reference": {
			func() (simulators.Simulator, error) { return reference.New(reference.Config{Options: options}) },
			everyReport, "mds0.sco.idle",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			python(t)
			device, err := sim.open()
			require.NoError(t, err)
			peerConsumerOfSimulator(t, device, sim.reports, sim.skip)
		})
	}
}

func peerConsumerOfSimulator(t *testing.T, sim simulators.Simulator, reports []string, skip string) {
	w := newWorld(t, true, sdc.RoleProvider)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- simulators.Run(ctx, sim, provider.Config{
			EPR: w.epr, Identity: w.ours, Policy: provider.AllowAll(), Network: w.network(), Timing: discovery.PromptTiming(), MaxSubscription: 5 * time.Second,
			Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		}, func(*provider.Provider) { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err, "the device ended before it was ready")
	}
	stopped := false
	defer func() {
		if !stopped {
			cancel()
			_ = <-ended
		}
	}()

	p := w.start(t, "consumer.py")
	p.expect(t, "connected")
	var got struct{ Results map[string]any }
	p.do(t, "got", map[string]any{"do": "get"}).decode(t, &got)
	for name, result := range got.Results {
		if text, isText := result.(string); isText {
			t.Errorf("%s failed: %s", name, text)
		}
	}
	var operated struct {
		Done   map[string]int
		Failed []string
	}
	p.do(t, "operations", map[string]any{"do": "operate", "skip": []string{skip}}).decode(t, &operated)
	require.NotEmpty(t, operated.Done)
	require.Empty(t, operated.Failed)

	var received struct {
		Counts  map[string]int
		Missing []string
	}
	p.do(t, "reports", map[string]any{"do": "wait", "reports": reports, "timeout": 30}).decode(t, &received)
	require.Empty(t, received.Missing, "of %v", received.Counts)
	var renewed struct{ Renewed, Connected bool }
	p.do(t, "renewed", map[string]any{"do": "renewed", "timeout": 15}).decode(t, &renewed)
	require.True(t, renewed.Renewed && renewed.Connected, "subscriptions of 5 s are renewed in time")

	cancel()
	stopped = true
	require.NoError(t, <-ended)
	p.expect(t, "ended")
	p.stop(t)
	p.complaints(t, inGoodOrder...)
}
