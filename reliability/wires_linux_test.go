package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/netns"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// wired is a device and a consumer on two hosts with a wire in between, where the kernel's own TCP has to cope with what happens to its packets.
type wired struct {
	t            *testing.T
	wire         *netns.Wire
	device, desk *netns.Host
	history      *oracle.History
	mirror       *consumer.Device
	view         *oracle.Observer
}

// lines is a row of the matrix on a wire.
type lines struct {
	name string
	gaps bool // some must be announced; without it there are some where the network was too slow for the interval of proof
	run  func(w *wired)
}

// outage is how long the longer partitions last here: a multiple of the interval of proof and of the subscriptions. The page is made with the full 30 s.
func outage() time.Duration {
	if counted() {
		return 30 * time.Second
	}
	return 8 * time.Second
}

// wireSubscription is how long subscriptions last here.
const wireSubscription = 4 * time.Second

func impaired(d time.Duration, imp netns.Impairment) func(*wired) {
	return func(w *wired) {
		w.wire.ImpairBoth(imp)
		w.changes(d)
		// How many frames there are is up to the kernel and to how busy the machine is: it goes on until some have suffered, each way.
		suffered := func() bool {
			for _, h := range []*netns.Host{w.device, w.desk} {
				s := w.wire.Stats(h)
				if imp.Loss > 0 && s.Lost == 0 || imp.Duplicate > 0 && s.Duplicated == 0 || imp.Reorder > 0 && s.Reordered == 0 {
					return false
				}
			}
			return true
		}
		w.changesUntil(time.Minute, suffered)
		for _, h := range []*netns.Host{w.device, w.desk} {
			s := w.wire.Stats(h)
			require.Equal(w.t, imp.Loss > 0, s.Lost > 0, "%+v", s)
			require.Equal(w.t, imp.Duplicate > 0, s.Duplicated > 0, "%+v", s)
			require.Equal(w.t, imp.Reorder > 0, s.Reordered > 0, "%+v", s)
		}
		w.wire.ImpairBoth(netns.Impairment{})
	}
}

// severed cuts what some hosts send.
func severed(d time.Duration, who func(*wired) []*netns.Host) func(*wired) {
	return func(w *wired) {
		for _, h := range who(w) {
			w.wire.Impair(h, netns.Impairment{Cut: true})
		}
		w.changes(d)
		w.wire.ImpairBoth(netns.Impairment{})
	}
}

func fromBoth(w *wired) []*netns.Host   { return []*netns.Host{w.device, w.desk} }
func fromDevice(w *wired) []*netns.Host { return []*netns.Host{w.device} }
func fromDesk(w *wired) []*netns.Host   { return []*netns.Host{w.desk} }

func wires() []lines {
	long := outage()
	return []lines{
		{name: "1 % of the packets lost", run: impaired(8*time.Second, netns.Impairment{Loss: 0.01})},
		{name: "5 % of the packets lost", run: impaired(8*time.Second, netns.Impairment{Loss: 0.05})},
		{name: "20 % of the packets lost", run: impaired(8*time.Second, netns.Impairment{Loss: 0.2})},
		{name: "25 % of the packets reordered", run: impaired(5*time.Second, netns.Impairment{Reorder: 0.25})},
		{name: "20 % of the packets twice", run: impaired(5*time.Second, netns.Impairment{Duplicate: 0.2})},
		{name: "delay 200 ms and jitter 100 ms, each way", run: impaired(8*time.Second, netns.Impairment{Delay: 200 * time.Millisecond, Jitter: 100 * time.Millisecond})},
		{name: "5 % lost, 5 % twice, 10 % reordered, delay 20 ms and jitter 20 ms", run: impaired(8*time.Second, netns.Impairment{
			Loss: 0.05, Duplicate: 0.05, Reorder: 0.1, Delay: 20 * time.Millisecond, Jitter: 20 * time.Millisecond,
		})},
		{name: "partition of 1 s", run: severed(time.Second, fromBoth)},
		{name: fmt.Sprintf("partition of %v, longer than the subscription of %v", long, wireSubscription), gaps: true, run: severed(long, fromBoth)},
		{name: fmt.Sprintf("nothing from device to consumer for %v", long), gaps: true, run: severed(long, fromDevice)},
		{name: fmt.Sprintf("nothing from consumer to device for %v", long), gaps: true, run: severed(long, fromDesk)},
	}
}

// TestWires is the part of the fault matrix in network namespaces: real TCP and TLS over a wire that harms packets.
func TestWires(t *testing.T) {
	for _, l := range wires() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			record(t, overWire(t, l))
		})
	}
}

func overWire(t *testing.T, l lines) Row {
	lab := netns.New(t)
	w := &wired{t: t, wire: lab.Wire(1), device: lab.Host("device"), desk: lab.Host("desk")}
	w.device.AttachWire(w.wire, "eth0", "10.7.0.1/24")
	w.desk.AttachWire(w.wire, "eth0", "10.7.0.2/24")
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	dir := t.TempDir()
	identity := func(name string, role sdc.Role) *sdc.Identity {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		require.NoError(t, p.Write(filepath.Join(dir, name)))
		id, err := sdc.LoadIdentity(filepath.Join(dir, name))
		require.NoError(t, err)
		return id
	}
	dev, err := provider.New(provider.Config{
		EPR: deviceURN, MDIB: snapshot(t), Identity: identity("device", sdc.RoleProvider), Transport: discovery.NewSilence(), StopTimeout: 5 * time.Second,
		Dial: w.device.Dial,
		Listen: func(ctx context.Context, _, _ string) (net.Listener, error) {
			return w.device.Listen(ctx, "tcp", "10.7.0.1:0")
		},
	})
	require.NoError(t, err)
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(running) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()
	<-dev.Ready()
	w.history = oracle.NewHistory(dev)
	c, err := consumer.New(t.Context(), consumer.Config{
		Identity: identity("desk", sdc.RoleConsumer), ProofInterval: proof, LostAfter: 5 * time.Minute, SubscriptionLength: wireSubscription,
		Dial: w.desk.Dial,
		Listen: func(ctx context.Context, _, _ string) (net.Listener, error) {
			return w.desk.Listen(ctx, "tcp", "10.7.0.2:0")
		},
	})
	require.NoError(t, err)
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, c.Close(closing))
	}()
	w.mirror, err = c.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: dev.XAddrs()})
	require.NoError(t, err)
	return w.judge(l)
}

// changes makes numbered changes for a while, and looks at what an application is shown.
func (w *wired) changes(d time.Duration) { w.changesUntil(d, func() bool { return false }) }

func (w *wired) changesUntil(d time.Duration, done func() bool) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end) && !done(); <-tick.C {
		require.NoError(w.t, w.history.Change())
		now := time.Now()
		w.view.CheckAt(w.mirror.View(), now, processHonesty)
	}
}

func (w *wired) judge(l lines) Row {
	t := w.t
	w.view = oracle.NewObserver(w.history)
	ctx, cancel := context.WithCancel(context.Background())
	followed := make(chan error, 1)
	go func() { followed <- w.view.Follow(ctx, w.mirror) }()
	defer func() {
		cancel()
		require.NoError(t, <-followed)
	}()
	caught := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		require.NoError(t, w.view.Caught(ctx))
	}
	caught()
	w.changes(time.Second)
	l.run(w)
	over := time.Now()
	live := func() bool { return w.mirror.View().Live() }
	w.changesUntil(processBound, live)
	require.True(t, live(), "not live %v after the fault: %v", processBound, w.mirror.Link().Cause)
	healed := time.Since(over)
	w.changes(time.Second)
	caught()
	v := w.view.Verdict()
	require.Empty(t, v.Wrong)
	require.Zero(t, v.Unannounced)
	require.Positive(t, v.Seen)
	if l.gaps {
		require.Positive(t, v.Gaps, "the fault must not go unnoticed")
	}
	return Row{Fault: l.name, Where: Spaces, Bound: processBound, Healed: healed.Round(time.Millisecond), Verdict: v}
}
