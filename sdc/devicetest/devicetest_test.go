package devicetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/devicetest"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// metronome counts the seconds in num, and can be set.
func metronome(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error {
	snap, err := mdib.ReadFile("../provider/testdata/device.xml")
	if err != nil {
		return err
	}
	cfg.MDIB, cfg.ApplyProposals, cfg.Policy = snap, true, provider.AllowAll()
	dev, err := provider.New(cfg)
	if err != nil {
		return err
	}
	ready(dev)
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := int64(1); ; n++ {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			if err := dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.NewDecimal(n, 0), time.Now()) }); err != nil {
				return errors.Join(err, <-ended)
			}
		}
	}
}

func number(s *mdib.Snapshot, handle string) string {
	state, ok := mdib.Get[*pm.NumericMetricState](s, handle)
	if !ok || state.MetricValue == nil {
		return ""
	}
	return state.MetricValue.Value.String()
}

func TestADeviceIsOperatedAndFollowed(t *testing.T) {
	for name, o := range map[string]devicetest.Options{"plain": {}, "TLS": {TLS: true}} {
		t.Run(name, func(t *testing.T) {
			devicetest.Run(t, metronome, o, func(t *testing.T, b *devicetest.Bench) {
				begun := time.Now()
				w := b.Watch()
				_, err := b.Consumer.SetValue(t.Context(), "value.set", pm.MustDecimal("25"))
				require.NoError(t, err)
				require.Equal(t, "25", number(b.Consumer.MDIB(), "num.set"))
				_, err = b.Consumer.SetValue(t.Context(), "value.set", pm.MustDecimal("15"))
				var failed *consumer.OperationError
				require.ErrorAs(t, err, &failed)
				b.Pass(10 * time.Minute)
				b.Until(10*time.Second, "one second more", func(s *mdib.Snapshot) bool { return number(s, "num") == "605" })
				require.WithinDuration(t, begun.Add(605*time.Second), time.Now(), time.Second, "the time of the test is the device's")
				require.NoError(t, b.InStep())
				require.NoError(t, w.Err())
				require.GreaterOrEqual(t, len(w.Take()), 600)
				require.Empty(t, w.Take())
				require.Empty(t, b.Findings(mdib.ProfileBase, mdib.SeverityError))
				require.NotEmpty(t, b.Findings(mdib.ProfileSDPi, mdib.SeverityInfo), "the fixture says little about itself")
				require.Equal(t, o.TLS, len(b.Consumer.XAddr()) > 5 && b.Consumer.XAddr()[:5] == "https")
			})
		})
	}
}

// What happens on the network is the test's to say.
func TestTheNetworkIsCutAndRestored(t *testing.T) {
	devicetest.Run(t, metronome, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) {
		w := b.Watch()
		b.Pass(10 * time.Second)
		b.Cut()
		b.Pass(20 * time.Second)
		require.NotEqual(t, consumer.Live, b.Consumer.Link().State)
		require.ErrorContains(t, b.InStep(), "has version")
		b.Restore()
		b.Until(time.Minute, "the link is live again", func(*mdib.Snapshot) bool { return b.Consumer.Link().State == consumer.Live })
		require.NoError(t, b.InStep())
		b.Reset()
		b.Pass(time.Minute)
		require.Equal(t, consumer.Live, b.Consumer.Link().State)
		require.NoError(t, b.InStep())
		gaps := 0
		for _, u := range w.Take() {
			if u.Gap != nil {
				gaps++
			}
		}
		require.Positive(t, gaps)
		require.NoError(t, w.Err())
	})
}

// A rule that is broken in between is told, also when all is well at the end.
func TestAWatchTellsWhatWasBroken(t *testing.T) {
	devicetest.Run(t, metronome, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) {
		w := b.Watch()
		for _, a := range []pm.ComponentActivation{pm.ComponentActivationOff, pm.ComponentActivationOn} {
			require.NoError(t, b.Provider.Update(func(tx *mdib.Tx) error { return tx.SetActivation("vmd", a) }))
			b.Pass(time.Second)
		}
		require.ErrorContains(t, w.Err(), "BICEPS R0025_0")
		require.NoError(t, b.InStep())
	})
}

// A test may end with the device stopped, or with the cable out.
func TestEnds(t *testing.T) {
	devicetest.Run(t, metronome, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) {
		w := b.Watch()
		require.NoError(t, b.Stop())
		b.Pass(time.Second)
		require.NotEqual(t, consumer.Live, b.Consumer.Link().State)
		require.NoError(t, w.Err())
	})
	devicetest.Run(t, metronome, devicetest.Options{}, func(_ *testing.T, b *devicetest.Bench) { b.Cut() })
}
