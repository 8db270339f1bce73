package alertconsumer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/das/alertconsumer"
	"github.com/semeco/go-sdc/sdc/das/alertprovider"
	"github.com/semeco/go-sdc/sdc/das/internal/dastest"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	epr      = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a13"
	deviceIP = "192.0.2.1"
	wardIP   = "192.0.2.2"
	otherIP  = "192.0.2.3"
	holdoff  = 20 * time.Second
)

// bench is a device whose alarms can be monitored.
type bench struct {
	t      *testing.T
	net    *memnet.Network
	dev    *provider.Provider
	mon    *alertprovider.Monitoring
	alarms *alerts.Manager
	broken atomic.Bool // the alert system does not check itself
}

func inBubble(t *testing.T, test func(b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(memnet.Config{})}
		defer b.net.Close()
		host := b.net.Host(deviceIP)
		defer b.serve(provider.Config{
			EPR: epr, MDIB: dastest.Snapshot(t), Insecure: true, Dial: host.Dial, Listen: host.ListenAny, Transport: discovery.NewSilence(),
		})()
		test(b)
	})
}

// serve runs a device; what is returned stops it.
func (b *bench) serve(cfg provider.Config) (stop func()) {
	b.t.Helper()
	var err error
	b.dev, err = provider.New(cfg)
	require.NoError(b.t, err)
	b.mon, err = alertprovider.New(alertprovider.Config{Device: b.dev, Holdoff: holdoff})
	require.NoError(b.t, err)
	b.alarms, err = alerts.New(alerts.Config{Device: b.mon, SelfCheck: func(string) error {
		if b.broken.Load() {
			return errors.New("the loudspeaker is gone")
		}
		return nil
	}})
	require.NoError(b.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	go func() { ended <- b.dev.Run(ctx) }()
	go func() { ended <- b.alarms.Run(ctx) }()
	go func() { ended <- b.mon.Run(ctx, b.alarms) }()
	<-b.dev.Ready()
	return func() {
		cancel()
		for range 3 {
			require.NoError(b.t, <-ended)
		}
	}
}

// raise makes a condition present or not.
func (b *bench) raise(condition string, there bool) {
	b.t.Helper()
	require.NoError(b.t, b.alarms.SetPresence(condition, there))
	synctest.Wait()
}

func (b *bench) sounds(handle string) bool {
	s, ok := mdib.Get[*pm.AlertSignalState](b.dev.MDIB(), handle)
	require.True(b.t, ok)
	return s.PresenceOrDefault() == pm.AlertSignalPresenceOn
}

func (b *bench) phase() alertprovider.Phase { return b.mon.Status().Phase }

func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// ward is a consumer that monitors.
type ward struct {
	*alertconsumer.Monitor
	t    *testing.T
	dev  *consumer.Device
	stop func() error // ends Run and returns what it does

	mu        sync.Mutex
	delivered []alertconsumer.Alert
	changes   []alertconsumer.Status
	deliver   func(ctx context.Context) error
}

func (b *bench) connect(cfg consumer.Config) *consumer.Device {
	b.t.Helper()
	c, err := consumer.New(b.t.Context(), cfg)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = c.Close(context.Background()) })
	d, err := c.Connect(b.t.Context(), discovery.Endpoint{EPR: epr, XAddrs: b.dev.XAddrs()})
	require.NoError(b.t, err)
	return d
}

// at connects a consumer with an address of its own.
func (b *bench) at(ip string) *consumer.Device {
	b.t.Helper()
	host := b.net.Host(ip)
	return b.connect(consumer.Config{Insecure: true, Dial: host.Dial, Listen: host.ListenAny, LostAfter: time.Hour})
}

// monitor starts to monitor.
func (b *bench) monitor(d *consumer.Device, cfg alertconsumer.Config) *ward {
	b.t.Helper()
	w := &ward{t: b.t, dev: d}
	if cfg.Name == "" {
		cfg.Name = "Ward 3"
	}
	cfg.Deliver = func(ctx context.Context, list []alertconsumer.Alert) error {
		w.mu.Lock()
		w.delivered = append(w.delivered, list...)
		deliver := w.deliver
		w.mu.Unlock()
		if deliver != nil {
			return deliver(ctx)
		}
		return nil
	}
	cfg.Changed = func(s alertconsumer.Status) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changes = append(w.changes, s)
	}
	var err error
	w.Monitor, err = alertconsumer.New(d, cfg)
	require.NoError(b.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	b.t.Cleanup(func() { _ = w.stop() })
	return w
}

// got returns what has been delivered since the last call, HANDLE+ or HANDLE-.
func (w *ward) got() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.delivered {
		sign := "-"
		if a.Present() {
			sign = "+"
		}
		out = append(out, a.Condition+sign)
	}
	w.delivered = nil
	return out
}

// phases returns the phases told since the last call.
func (w *ward) phases() (out []alertconsumer.Phase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.changes {
		out = append(out, s.Phase)
	}
	w.changes = nil
	return slices.Compact(out)
}

func (w *ward) whenDelivering(fn func(ctx context.Context) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliver = fn
}

// is checks the phase on both sides.
func (b *bench) is(w *ward, at alertconsumer.Phase, device alertprovider.Phase) {
	b.t.Helper()
	require.Equal(b.t, at, w.Status().Phase, "%+v", w.Status())
	require.Equal(b.t, device, b.phase(), "%+v", b.mon.Status())
}
