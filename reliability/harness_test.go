package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
	boxIP      = "192.0.2.3"
	deviceURN  = "urn:uuid:0f0e61ac-6d58-4a54-9c0d-2f5a3d7a2b10"
	deviceMDIB = "../sdc/provider/testdata/device.xml"
	// honesty is how long data may be shown as live after the device has changed them: twice the interval of proof, and the way.
	honesty = 11 * time.Second
)

func snapshot(t testing.TB) *mdib.Snapshot {
	t.Helper()
	s, err := mdib.ReadFile(deviceMDIB)
	require.NoError(t, err)
	return s
}

// bench is a device, a consumer that mirrors it, and an oracle that watches both; on an in-memory network in virtual time.
type bench struct {
	t       *testing.T
	net     *memnet.Network
	box     *faults.Interposer // in the way of every notification
	history *oracle.History
	dev     *provider.Provider
	stop    func()
	client  *consumer.Consumer
	mirror  *consumer.Device
	view    *oracle.Observer

	mu    sync.Mutex
	links []consumer.Link
	quiet bool // no changes are made
}

// fault is one row of the matrix.
type fault struct {
	name  string
	bound time.Duration // the link is live again within it, counted from the end of the fault
	// gaps tells that some must be announced; without it none may be.
	gaps bool
	// most is how many there may be at most; 0 is any number.
	most int
	// direct leaves the interposer out of the way of notifications.
	direct   bool
	consumer func(*consumer.Config)
	provider func(*provider.Config)
	// run brings the fault about and returns when it is over.
	run func(b *bench)
}

// Resolve makes the bench a consumer.Locator.
func (b *bench) Resolve(context.Context, string) (discovery.Endpoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dev == nil || len(b.dev.XAddrs()) == 0 {
		return discovery.Endpoint{}, errors.New("nobody knows")
	}
	return discovery.Endpoint{EPR: deviceURN, XAddrs: b.dev.XAddrs()}, nil
}

// start runs a device at a host and port; 0 is any.
func (b *bench) start(host string, port int, f *fault) {
	t, here := b.t, b.net.Host(host)
	cfg := provider.Config{
		EPR: deviceURN, MDIB: snapshot(t), Insecure: true, Transport: discovery.NewSilence(), Dial: here.Dial, StopTimeout: time.Second, MaxSubscription: 15 * time.Second,
		Listen: func(context.Context, string, string) (net.Listener, error) { return here.Listen(port) },
	}
	if !f.direct {
		cfg.Dial = b.box.Dial
	}
	if f.provider != nil {
		f.provider(&cfg)
	}
	dev, err := provider.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		require.NoError(t, err, "the device ended before it was ready")
	}
	b.mu.Lock()
	b.dev, b.stop = dev, sync.OnceFunc(func() {
		cancel()
		_ = <-ended // an error is that it could not take its leave
	})
	b.mu.Unlock()
	if b.history == nil {
		b.history = oracle.NewHistory(dev)
	} else {
		b.history.Restart(dev)
	}
}

// kill ends the device as kill -9 does: without a word, its connections reset.
func (b *bench) kill() {
	b.pause(true)
	for _, peer := range []string{consumerIP, boxIP} {
		b.net.Partition(deviceIP, peer)
	}
	b.stop()
	for _, peer := range []string{consumerIP, boxIP} {
		b.net.Cut(deviceIP, peer)
		b.net.Heal(deviceIP, peer)
	}
}

// restart is the device's next life.
func (b *bench) restart(host string, port int) {
	b.start(host, port, &fault{})
	b.pause(false)
}

func (b *bench) pause(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.quiet = on
}

func (b *bench) port() int {
	_, port, err := net.SplitHostPort(hostOf(b.dev.XAddrs()[0]))
	require.NoError(b.t, err)
	var n int
	_, err = fmt.Sscan(port, &n)
	require.NoError(b.t, err)
	return n
}

// wait lets virtual time pass.
func (b *bench) wait(d time.Duration) { <-time.After(d) }

// inVirtualTime runs one fault and returns its row of the matrix.
func inVirtualTime(t *testing.T, f fault) (row Row) {
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(memnet.Config{Seed: 1})}
		defer b.net.Close()
		there, box := b.net.Host(consumerIP), b.net.Host(boxIP)
		l, err := box.Listen(0)
		require.NoError(t, err)
		b.box = faults.NewInterposer(l, b.net.Host(deviceIP).Dial, box.Dial)
		defer func() { require.NoError(t, b.box.Close()) }()
		b.start(deviceIP, 0, &f)
		defer func() { b.stop() }()
		cfg := consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny, LostAfter: 10 * time.Minute, Locators: []consumer.Locator{b},
		}
		if f.consumer != nil {
			f.consumer(&cfg)
		}
		b.client, err = consumer.New(t.Context(), cfg)
		require.NoError(t, err)
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = b.client.Close(ctx) // the device may be gone on purpose
		}()
		b.mirror, err = b.client.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: b.dev.XAddrs()})
		require.NoError(t, err)
		row = b.judge(f)
	})
	return row
}

// judge runs a fault while the device changes all the time, and tells what came of it.
func (b *bench) judge(f fault) Row {
	t := b.t
	b.view = oracle.NewObserver(b.history)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	joined := make(chan struct{})
	wg.Go(func() {
		first := true
		for u, err := range b.mirror.Updates(ctx) {
			if err != nil {
				t.Errorf("the updates ended: %v", err)
				return
			}
			b.view.Take(u)
			b.mu.Lock()
			b.links = append(b.links, u.Link)
			b.mu.Unlock()
			if first {
				close(joined)
				first = false
			}
		}
	})
	<-joined
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() { b.change(stop) })
	stopWriter := sync.OnceFunc(func() {
		close(stop)
		writer.Wait()
	})
	defer stopWriter()
	b.wait(2 * time.Second)
	f.run(b)
	over := time.Now()
	b.wait(f.bound)
	require.Equal(t, consumer.Live, b.mirror.Link().State, "not live %v after the fault: %v", f.bound, b.mirror.Link().Cause)
	stopWriter()
	caught, cancelCaught := context.WithTimeout(ctx, 30*time.Second)
	defer cancelCaught()
	require.NoError(t, b.view.Caught(caught))
	v := b.view.Verdict()
	require.Empty(t, v.Wrong)
	require.Zero(t, v.Unannounced)
	if f.gaps {
		require.NotZero(t, v.Gaps, "the fault must not go unnoticed")
		require.True(t, f.most == 0 || v.Gaps <= f.most, "%d gaps", v.Gaps)
	} else {
		require.Zero(t, v.Gaps, "nothing was lost")
	}
	require.Positive(t, v.Seen)
	return Row{Fault: f.name, Where: InMemory, Bound: f.bound, Healed: b.healed(over), Verdict: v}
}

// change makes a numbered change every 100 ms, and looks at what an application is shown.
func (b *bench) change(stop <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		b.mu.Lock()
		quiet := b.quiet
		b.mu.Unlock()
		if !quiet {
			begin := time.Now()
			if err := b.history.Change(); err != nil {
				b.t.Errorf("the device: %v", err)
				return
			}
			if d := time.Since(begin); d > 0 {
				b.t.Errorf("a commit took %v", d)
			}
		}
		b.view.Check(b.mirror.View(), honesty)
	}
}

// healed tells how long after the end of the fault the link became live for good.
func (b *bench) healed(over time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.links) - 1; i > 0; i-- {
		if b.links[i-1].State != consumer.Live {
			return max(b.links[i].Since.Sub(over), 0)
		}
	}
	return 0
}
