package pairtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
	deviceURN  = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11"
)

// pair is a running device and a consumer that has not connected yet.
type pair struct {
	net      *memnet.Network // nil over real sockets
	dev      *provider.Provider
	consumer *consumer.Consumer
	stop     func() // stops the device and waits for it
}

func snapshot(t *testing.T) *mdib.Snapshot {
	t.Helper()
	snap, err := mdib.ReadFile("../provider/testdata/device.xml")
	require.NoError(t, err)
	return snap
}

// setup changes the configurations and prepares the device before it runs.
type setup struct {
	provider func(*provider.Config)
	consumer func(*consumer.Config)
	device   func(*provider.Provider)
}

// inBubble runs a device and a consumer on an in-memory network in virtual time.
func inBubble(t *testing.T, s setup, test func(t *testing.T, p *pair)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host(deviceIP), network.Host(consumerIP)
		p := &pair{net: network}
		p.run(t, s, provider.Config{
			EPR: deviceURN, MDIB: snapshot(t), Insecure: true, Dial: here.Dial, Listen: here.ListenAny, Transport: discovery.NewSilence(),
		}, consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny,
		}, test)
	})
}

// overTLS runs both over mutual TLS on loopback sockets.
func overTLS(t *testing.T, s setup, test func(t *testing.T, p *pair)) {
	t.Helper()
	new(pair).run(t, s, provider.Config{
		EPR: deviceURN, MDIB: snapshot(t), Identity: identity(t, "device", sdc.RoleProvider), Policy: provider.AllowAll(), Transport: discovery.NewSilence(),
	}, consumer.Config{Identity: identity(t, "consumer", sdc.RoleConsumer)}, test)
}

func (p *pair) run(t *testing.T, s setup, pc provider.Config, cc consumer.Config, test func(*testing.T, *pair)) {
	t.Helper()
	if s.provider != nil {
		s.provider(&pc)
	}
	if s.consumer != nil {
		s.consumer(&cc)
	}
	p.start(t, s, pc)
	defer func() { p.stop() }()
	var err error
	p.consumer, err = consumer.New(t.Context(), cc)
	require.NoError(t, err)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.consumer.Close(ctx) // the device may be gone on purpose
	}()
	test(t, p)
}

// start runs a device with the configuration; p.stop ends it.
func (p *pair) start(t *testing.T, s setup, pc provider.Config) {
	t.Helper()
	dev, err := provider.New(pc)
	require.NoError(t, err)
	if s.device != nil {
		s.device(dev)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	stopped := false
	p.dev, p.stop = dev, func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	select {
	case <-dev.Ready():
	case err := <-ended:
		stopped = true
		require.NoError(t, err, "the device ended before it was ready")
	}
}

// connect connects to the running device.
func (p *pair) connect(t *testing.T) *consumer.Device {
	t.Helper()
	d, err := p.consumer.Connect(t.Context(), p.endpoint())
	require.NoError(t, err)
	return d
}

func (p *pair) endpoint() discovery.Endpoint {
	return discovery.Endpoint{EPR: deviceURN, XAddrs: p.dev.XAddrs()}
}

// authority is made once per identity pair: both sides trust the same one.
var authority = func() func(*testing.T) *pki.CA {
	var ca *pki.CA
	return func(t *testing.T) *pki.CA {
		if ca == nil {
			var err error
			ca, err = pki.NewCA("", time.Hour)
			require.NoError(t, err)
		}
		return ca
	}
}()

func identity(t *testing.T, name string, role sdc.Role) *sdc.Identity {
	t.Helper()
	p, err := authority(t).Issue(pki.Request{Name: name, Role: role})
	require.NoError(t, err)
	id, err := p.Identity()
	require.NoError(t, err)
	return id
}

// follow collects the updates of a device until stop is called, and checks that
// none is missing: each begins where the one before it ended.
type follower struct {
	t    *testing.T
	c    chan consumer.Update
	done chan error
	stop func()
}

func follow(t *testing.T, d *consumer.Device) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{t: t, c: make(chan consumer.Update, 10000), done: make(chan error, 1)}
	f.stop = func() {
		cancel()
		_ = <-f.done
	}
	started := make(chan struct{})
	go func() {
		var last *mdib.Snapshot
		var end error
		first := true
		for u, err := range d.Updates(ctx) {
			if first {
				close(started)
				first = false
			}
			if err != nil {
				end = err
				break
			}
			if last != nil && u.Before != last {
				f.t.Errorf("an update is missing before version %d", u.Snapshot.Version().MdibVersion)
			}
			last = u.Snapshot
			f.c <- u
		}
		close(f.c)
		f.done <- end
	}()
	<-started
	return f
}

// next waits for the next update for which want holds, passing over others.
func (f *follower) next(what string, want func(consumer.Update) bool) consumer.Update {
	f.t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		select {
		case u, ok := <-f.c:
			require.True(f.t, ok, "the updates ended before %s", what)
			if want(u) {
				return u
			}
		case <-limit.C:
			require.Fail(f.t, "no "+what)
		}
	}
}

func linked(s consumer.LinkState) func(consumer.Update) bool {
	return func(u consumer.Update) bool { return u.Link.State == s }
}

func version(v uint64) func(consumer.Update) bool {
	return func(u consumer.Update) bool { return u.Snapshot.Version().MdibVersion >= v }
}
