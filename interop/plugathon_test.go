package interop

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/plugathon"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// beyondThePeer names the steps that the peer's provider, animated as provider.py does it, cannot do, and why. Everything else of the script it has to pass.
func beyondThePeer() map[string]string {
	return map[string]string{
		"1c": "no discovery proxy is configured", "1d": "no discovery proxy is configured",
		"4f": "the animation has waveforms of one rate, below ten a second", "4i": "the animation has no waveform of 50 samples",
		"5a": "the animation changes concept descriptions of metrics only",
		"7a": "the script's texts are in two languages",
	}
}

// Our part of the plug-a-thon's script, played against a device that is not ours.
func TestPlugathonWithPeerProvider(t *testing.T) {
	t.Parallel()
	python(t)
	file, err := filepath.Abs(reftest.Samples(t, "mdibs/sdc11073-PlugathonMdibV2.xml")[0])
	require.NoError(t, err)
	w := newWorld(t, true, sdc.RoleConsumer)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := consumer.New(ctx, consumer.Config{
		Identity: w.ours, Network: w.network(), Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.WithoutCancel(ctx))) }()

	var p *peer
	results, err := plugathon.Run(ctx, plugathon.Config{
		Consumer: c, Window: 8 * time.Second,
		Discovery: func() (discovery.Transport, error) { return discovery.NewUDP(discovery.UDPConfig{Port: w.port}) },
		Find: func(ctx context.Context) (discovery.Endpoint, error) { // once Hellos are listened for
			p = w.start(t, "provider.py", "--mdib", file, "--max-subscription", "4")
			p.expect(t, "ready")
			for _, h := range []string{"set_value_0.sco.mds_0", "set_metric_0.sco.vmd_1.mds_0", "activate_1.sco.mds_0"} { // as steps 6c, 6e and 6f ask
				p.do(t, "mode", map[string]any{"do": "mode", "handle": h, "delayed": false})
			}
			p.do(t, "animate", map[string]any{"do": "animate", "interval": 0.3})
			return resolve(ctx, t, w), nil
		},
	})
	require.NoError(t, err)
	for _, r := range results {
		if why, ok := beyondThePeer()[r.ID]; ok {
			require.NotEqual(t, plugathon.Pass, r.Outcome, "%s: %s, it is said", r.ID, why)
			continue
		}
		require.Equal(t, plugathon.Pass, r.Outcome, "%s %s: %s", r.ID, r.Title, r.Evidence)
	}
	p.stop(t)
	p.complaints(t, whileStopping...)
}
