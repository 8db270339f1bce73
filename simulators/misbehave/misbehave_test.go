package misbehave_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
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
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/misbehave"
	"github.com/semeco/go-sdc/simulators/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
)

// deeds collects what the log tells of deeds.
type deeds struct {
	*record
	with []slog.Attr
}

type record struct {
	mu     sync.Mutex
	done   []map[string]string
	others []string // warnings and errors that tell of no deed
}

func (d *deeds) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &deeds{d.record, slices.Concat(d.with, attrs)}
}

func (d *deeds) WithGroup(string) slog.Handler { return d }

func (d *deeds) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "misbehaving" || r.Level != slog.LevelWarn {
		if r.Level >= slog.LevelWarn {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.others = append(d.others, r.Message)
		}
		return nil
	}
	attrs := map[string]string{}
	for _, a := range d.with {
		attrs[a.Key] = a.Value.String()
	}
	r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.String(); return true })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = append(d.done, attrs)
	return nil
}

func (d *deeds) Enabled(context.Context, slog.Level) bool { return true }

func (d *deeds) of(name string) (out []map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.done {
		if a["deed"] == name {
			out = append(out, a)
		}
	}
	return out
}

// airwaves is discovery of which the test sees what is sent.
type airwaves struct {
	*discovery.Silence
	mu   sync.Mutex
	sent map[string]string // Hellos and Byes with their repetitions: the action of each
}

func (a *airwaves) Multicast(b []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, action := range []string{discovery.ActionHello, discovery.ActionBye} {
		if strings.Contains(string(b), action+"<") {
			a.sent[string(b)] = action
		}
	}
	return nil
}

func (a *airwaves) Unicast(netip.AddrPort, []byte) error { return nil }

func (a *airwaves) count(action string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sent {
		if s == action {
			n++
		}
	}
	return n
}

// bench is a device that misbehaves and a consumer that follows it, in virtual time unless it is over TLS.
type bench struct {
	t      *testing.T
	epr    string
	dev    *consumer.Device
	deeds  *deeds
	air    *airwaves
	stop   func() error // ends the device and tells what Run returned
	lives  atomic.Int32 // devices made
	mu     sync.Mutex
	events []consumer.Update // links, gaps and reports, without snapshots
}

func (b *bench) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// gaps are the gaps that the consumer has announced.
func (b *bench) gaps() (out []consumer.Gap) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.events {
		if u.Gap != nil {
			out = append(out, *u.Gap)
		}
	}
	return out
}

// states are the states of the link so far, without repetitions.
func (b *bench) states() (out []consumer.LinkState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.events {
		if n := len(out); n == 0 || out[n-1] != u.Link.State {
			out = append(out, u.Link.State)
		}
	}
	return out
}

// reports is how many have come.
func (b *bench) reports() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.events {
		if u.Report != nil {
			n++
		}
	}
	return n
}

// inOrder fails if the application was shown an older version after a newer one of the same sequence.
func (b *bench) inOrder() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var last mdib.Version
	for _, u := range b.events {
		v := u.Snapshot.Version()
		if v.SequenceID == last.SequenceID {
			require.GreaterOrEqual(b.t, v.MdibVersion, last.MdibVersion)
		}
		last = v
	}
}

func plan(t *testing.T, args ...string) misbehave.Plan {
	t.Helper()
	p, err := misbehave.Parse(args)
	require.NoError(t, err)
	return p
}

// run runs device and consumer until test returns.
func run(t *testing.T, p misbehave.Plan, pc provider.Config, cc consumer.Config, test func(b *bench)) {
	t.Helper()
	b := &bench{t: t, deeds: &deeds{record: &record{}}, air: &airwaves{Silence: discovery.NewSilence(), sent: map[string]string{}}, epr: "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12"}
	pc.EPR, pc.Transport, pc.Logger, pc.MaxSubscription = b.epr, b.air, slog.New(b.deeds), 15*time.Second
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := make(chan []string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- misbehave.Run(ctx, p, 1, func() (simulators.Simulator, error) {
			b.lives.Add(1)
			return monitor.New(simulators.Options{Seed: 3})
		}, pc, func(p *provider.Provider) { ready <- p.XAddrs() })
	}()
	b.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	defer func() { require.NoError(t, b.stop()) }()
	var xaddrs []string
	select {
	case xaddrs = <-ready:
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
		require.Fail(t, "ended before it was ready")
	}
	cc.UpdateQueue, cc.LostAfter = 1<<20, 10*time.Minute
	c, err := consumer.New(t.Context(), cc)
	require.NoError(t, err)
	leave := func() { _ = c.Close(context.Background()) }
	defer leave()
	for { // the device may be hung or gone at this moment
		if b.dev, err = c.Connect(t.Context(), discovery.Endpoint{EPR: b.epr, XAddrs: xaddrs}); err == nil {
			break
		}
		require.NoError(t, t.Context().Err(), "%v", err)
		<-time.After(time.Second)
	}
	var wg sync.WaitGroup
	following, enough := context.WithCancel(t.Context())
	defer wg.Wait()
	defer enough()
	wg.Go(func() {
		for u, err := range b.dev.Updates(following) {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.events = append(b.events, u)
			b.mu.Unlock()
		}
	})
	test(b)
}

func inBubble(t *testing.T, args []string, test func(b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host(deviceIP), network.Host(consumerIP)
		listen := func(_ context.Context, _, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			n, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			return here.Listen(n)
		}
		run(t, plan(t, args...), provider.Config{Insecure: true, Listen: listen, Dial: here.Dial},
			consumer.Config{Insecure: true, Listen: there.ListenAny, Dial: there.Dial}, test)
	})
}

func TestBehaving(t *testing.T) {
	inBubble(t, nil, func(b *bench) {
		b.pass(time.Minute)
		require.Empty(t, b.gaps())
		require.Empty(t, b.deeds.done)
		require.Equal(t, 1, b.air.count(discovery.ActionHello))
		require.NoError(t, b.stop())
		require.Equal(t, 1, b.air.count(discovery.ActionBye))
	})
}

// What is lost is announced as a gap, and the log names the version that the gap includes.
func TestLose(t *testing.T) {
	inBubble(t, []string{"lose=50"}, func(b *bench) {
		b.pass(time.Minute)
		lost := b.deeds.of("lose")
		require.NotEmpty(t, lost)
		gaps := b.gaps()
		require.NotEmpty(t, gaps)
		for _, l := range lost[:len(lost)-1] { // the last may not have been noticed yet
			require.Equal(t, b.epr, l["device"], "there may be several")
			version, err := strconv.ParseUint(l["mdib_version"], 10, 64)
			require.NoError(t, err)
			covered := false
			for _, g := range gaps {
				covered = covered || g.From.MdibVersion < version && version <= g.To.MdibVersion
			}
			require.True(t, covered, "version %d was lost and no gap says so: %v", version, gaps)
		}
		b.inOrder()
	})
}

// Repetitions change nothing.
func TestRepeat(t *testing.T) {
	inBubble(t, []string{"repeat=5"}, func(b *bench) {
		b.pass(30 * time.Second)
		require.Greater(t, len(b.deeds.of("repeat")), 5)
		require.Empty(t, b.gaps())
		seen := map[uint64]bool{}
		for _, u := range b.events {
			if u.Report != nil {
				require.False(t, seen[u.Snapshot.Version().MdibVersion], "version %d was shown twice", u.Snapshot.Version().MdibVersion)
				seen[u.Snapshot.Version().MdibVersion] = true
			}
		}
		require.NotEmpty(t, seen)
	})
}

// A report that is no XML is announced as a gap, and the consumer lives again soon.
func TestGarble(t *testing.T) {
	inBubble(t, []string{"garble=100"}, func(b *bench) {
		b.pass(time.Minute)
		require.NotEmpty(t, b.deeds.of("garble"))
		require.NotEmpty(t, b.gaps())
		require.Greater(t, b.reports(), 100)
		b.inOrder()
	})
}

// A report that comes after its successor is never shown after it.
func TestSwap(t *testing.T) {
	inBubble(t, []string{"swap=50"}, func(b *bench) {
		b.pass(time.Minute)
		require.NotEmpty(t, b.deeds.of("swap"))
		require.NotEmpty(t, b.gaps())
		require.Greater(t, b.reports(), 50)
		b.inOrder()
	})
}

// Reports come late by the delay. One that is longer than the consumer's proof allows makes the link stale.
func TestDelay(t *testing.T) {
	inBubble(t, []string{"delay=2s"}, func(b *bench) {
		b.pass(30 * time.Second)
		require.NotEmpty(t, b.deeds.of("delay"))
		require.Greater(t, b.reports(), 20)
		old := 0
		for _, u := range b.events {
			if u.Report == nil {
				continue
			}
			for _, s := range u.Change.States {
				if m, ok := s.After.(*pm.NumericMetricState); ok && m.MetricValue != nil {
					if at, ok := m.MetricValue.DeterminationTime.Get(); ok && u.Time.Sub(at.Time()) >= 2*time.Second-time.Millisecond {
						old++
					}
				}
			}
		}
		require.Positive(t, old)
		require.Empty(t, b.gaps(), "late is not lost")
		b.inOrder()
	})
	inBubble(t, []string{"delay=30s"}, func(b *bench) {
		b.pass(2 * time.Minute)
		require.Contains(t, b.states(), consumer.Stale)
	})
}

// A hung device is found out, and nothing is missing afterwards without being announced.
func TestFreeze(t *testing.T) {
	inBubble(t, []string{"freeze=20s/2m"}, func(b *bench) {
		b.pass(5 * time.Minute)
		require.GreaterOrEqual(t, len(b.deeds.of("freeze")), 2)
		require.Contains(t, b.states(), consumer.Stale)
		require.Greater(t, b.reports(), 100)
		b.inOrder()
	})
}

// A device that is away is found out and followed again when it is back, in the same sequence.
func TestVanish(t *testing.T) {
	inBubble(t, []string{"vanish=20s/2m"}, func(b *bench) {
		sequence := b.dev.MDIB().Version().SequenceID
		b.pass(5 * time.Minute)
		require.GreaterOrEqual(t, len(b.deeds.of("vanish")), 2)
		require.Contains(t, b.states(), consumer.Stale)
		require.NotEmpty(t, b.gaps())
		require.Equal(t, sequence, b.dev.MDIB().Version().SequenceID)
		require.Zero(t, b.air.count(discovery.ActionBye))
		b.inOrder()
	})
}

// A device that restarts says no Bye, and is followed again at the same address with another sequence.
func TestRestart(t *testing.T) {
	inBubble(t, []string{"restart=1m"}, func(b *bench) {
		sequence := b.dev.MDIB().Version().SequenceID
		b.pass(90 * time.Second)
		require.Len(t, b.deeds.of("restart"), 1)
		b.deeds.mu.Lock()
		require.Empty(t, b.deeds.others, "one that was killed says nothing of what it could not do")
		b.deeds.mu.Unlock()
		require.EqualValues(t, 2, b.lives.Load())
		require.Zero(t, b.air.count(discovery.ActionBye))
		require.Equal(t, 2, b.air.count(discovery.ActionHello))
		require.NotEmpty(t, b.gaps())
		require.Equal(t, consumer.Live, b.dev.Link().State)
		require.NotEqual(t, sequence, b.dev.MDIB().Version().SequenceID)
		require.NoError(t, b.stop())
		require.Equal(t, 1, b.air.count(discovery.ActionBye), "in the end it leaves in good order")
	})
}

func TestRefuseOperations(t *testing.T) {
	inBubble(t, []string{"refuse-operations"}, func(b *bench) {
		_, err := b.dev.SetValue(b.t.Context(), monitor.OpSet(monitor.HandleHRHigh), pm.MustDecimal("140"))
		var refused *consumer.OperationError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, msg.InvocationStateFail, refused.Result.State)
		require.Len(t, b.deeds.of("refuse-operations"), 1)
	})
}

// Nobody waits longer than he wants to for an operation that never ends, and the device stops all the same.
func TestHangOperations(t *testing.T) {
	inBubble(t, []string{"hang-operations"}, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.t.Context(), 3*time.Minute)
		defer cancel()
		_, err := b.dev.SetValue(ctx, monitor.OpSet(monitor.HandleHRHigh), pm.MustDecimal("140"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, b.deeds.of("hang-operations"), 1)
		require.NoError(t, b.stop())
	})
}

func TestNoHelloNoBye(t *testing.T) {
	inBubble(t, []string{"no-hello", "no-bye"}, func(b *bench) {
		b.pass(10 * time.Second)
		require.NoError(t, b.stop())
		require.Zero(t, b.air.count(discovery.ActionHello))
		require.Zero(t, b.air.count(discovery.ActionBye))
		require.NotEmpty(t, b.deeds.of("no-hello"))
		require.NotEmpty(t, b.deeds.of("no-bye"))
	})
}

// Deeds are the same for the same seed.
func TestDeterministic(t *testing.T) {
	once := func() (out []string) {
		inBubble(t, []string{"lose=7", "repeat=5", "freeze=1s/20s"}, func(b *bench) {
			b.pass(30 * time.Second)
			for _, d := range b.deeds.done {
				if d["deed"] != "freeze" && len(out) < 20 {
					out = append(out, fmt.Sprint(d["deed"], d["notification"]))
				}
			}
		})
		return out
	}
	first := once()
	require.Len(t, first, 20)
	require.Equal(t, first, once())
}

// overTLS runs both over mutual TLS on loopback sockets.
func overTLS(t *testing.T, args []string, test func(b *bench)) {
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	identity := func(name string, role sdc.Role) *sdc.Identity {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		id, err := p.Identity()
		require.NoError(t, err)
		return id
	}
	run(t, plan(t, args...), provider.Config{Identity: identity("device", sdc.RoleProvider), Policy: provider.AllowAll()},
		consumer.Config{Identity: identity("consumer", sdc.RoleConsumer)}, test)
}

// until follows the device until ok holds after an update.
func (b *bench) until(ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	for _, err := range b.dev.Updates(ctx) {
		require.NoError(b.t, err)
		if ok() {
			return
		}
	}
	require.Fail(b.t, "it did not come to pass")
}

// The seam is above TLS, and a device in the midst of every deed stops soon.
func TestOverTLS(t *testing.T) {
	overTLS(t, []string{"lose=20", "repeat=3", "swap=10", "delay=100ms", "no-bye"}, func(b *bench) {
		b.until(func() bool { return len(b.deeds.of("repeat")) > 2 && len(b.gaps()) > 0 })
		require.NoError(t, b.stop())
		require.NotEmpty(t, b.deeds.of("no-bye"))
	})
}

// Real connections freeze and are cut, and the consumer follows again each time.
func TestGateOverTLS(t *testing.T) {
	overTLS(t, []string{"freeze=200ms/1300ms", "vanish=200ms/1700ms"}, func(b *bench) {
		for _, deed := range []string{"freeze", "vanish"} {
			before := len(b.deeds.of(deed))
			b.until(func() bool { return len(b.deeds.of(deed)) > before })
			reports := b.reports()
			b.until(func() bool { return b.dev.Link().State == consumer.Live && b.reports() > reports+5 })
		}
		before := len(b.deeds.of("freeze"))
		b.until(func() bool { return len(b.deeds.of("freeze")) > before })
		require.NoError(t, b.stop()) // in the midst of it
		b.inOrder()
	})
}

func TestParse(t *testing.T) {
	p, err := misbehave.Parse([]string{"lose=3", "freeze=5s/1m", "restart=1h", "no-bye"})
	require.NoError(t, err)
	require.Equal(t, misbehave.Plan{Lose: 3, Freeze: misbehave.Spell{For: 5 * time.Second, Every: time.Minute}, Restart: time.Hour, NoBye: true}, p)
	for _, bad := range []string{
		"", "shout", "lose", "lose=", "lose=0", "lose=-1", "lose=x", "swap=1", "delay=0s", "delay=2m", "delay=5", "freeze=1m", "freeze=1m/1m", "freeze=2m/1m",
		"vanish=0s/1m", "restart=1s", "no-bye=1", "no-bye=", "LOSE=1", "refuse-operations=x",
	} {
		_, err := misbehave.Parse([]string{bad})
		require.Error(t, err, bad)
		require.Contains(t, err.Error(), misbehave.Usage(), bad)
	}
	for _, bad := range [][]string{{"lose=1", "lose=2"}, {"refuse-operations", "hang-operations"}} {
		_, err := misbehave.Parse(bad)
		require.Error(t, err, bad)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	none := errors.New("none")
	create := func() (simulators.Simulator, error) { return nil, none }
	require.ErrorIs(t, misbehave.Run(t.Context(), misbehave.Plan{}, 0, create, provider.Config{}, nil), none)
	cfg := provider.Config{Insecure: true, Network: sdc.Network{Interfaces: []string{"lo"}}}
	require.ErrorContains(t, misbehave.Run(t.Context(), plan(t, "vanish=1s/1m"), 0, create, cfg, nil), "interfaces")
}
