package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/netns"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

const (
	// proof is the interval of proof of the consumers here.
	proof = time.Second
	// processBound is how soon after the end of a fault the link must be live again.
	processBound = 20 * time.Second
	// processHonesty is how long data may be shown as live after the device has changed them: twice the interval of proof, and the way on a busy machine.
	processHonesty = 4 * proof
)

// remote is a device in a process of its own.
type remote struct {
	*netns.Process
	instance uint32
	xaddr    string
	snap     atomic.Pointer[mdib.Snapshot]
}

func (r *remote) MDIB() *mdib.Snapshot { return r.snap.Load() }

// Update is for changes that can be named only.
func (*remote) Update(func(*mdib.Tx) error) error { return errors.New("not over here") }

func (r *remote) Change(n uint64) error {
	r.Tell("change %d", n)
	s, err := unpack(r.Expect("changed "))
	if err == nil {
		r.snap.Store(s)
	}
	return err
}

func (r *remote) count(t *testing.T) leaks {
	r.Tell("count")
	var l leaks
	_, err := fmt.Sscan(r.Expect("counted "), &l.goroutines, &l.files, &l.heap)
	require.NoError(t, err)
	return l
}

// ward is what the processes of one row share.
type ward struct {
	t       *testing.T
	ca      *pki.CA
	dir     string
	udp     int
	dev     *remote
	history *oracle.History
	locator *discovery.Client
	client  *consumer.Consumer
	mirror  *consumer.Device
	view    *oracle.Observer
}

func (w *ward) certificate(name string, role sdc.Role) *big.Int {
	p, err := w.ca.Issue(pki.Request{Name: name, Role: role})
	require.NoError(w.t, err)
	require.NoError(w.t, p.Write(filepath.Join(w.dir, name)))
	return p.Certificate.SerialNumber
}

func (w *ward) identity(name string) *sdc.Identity {
	w.certificate(name, sdc.RoleConsumer)
	id, err := sdc.LoadIdentity(filepath.Join(w.dir, name))
	require.NoError(w.t, err)
	return id
}

// newWard makes a ward of the port of discovery. Who counts what is left takes the port before: to keep it from others takes a file until the end of the test.
func newWard(t *testing.T, udp uint16) *ward {
	ca, err := pki.NewCA("", 24*time.Hour)
	require.NoError(t, err)
	w := &ward{t: t, ca: ca, dir: t.TempDir(), udp: int(udp)}
	w.certificate("device", sdc.RoleProvider)
	return w
}

// start begins a life of the device.
func (w *ward) start(port int, env ...string) {
	r := &remote{Process: netns.Start(w.t, env, "device", filepath.Join(w.dir, "device"), filepath.Join(w.dir, "state"), fmt.Sprint(w.udp), fmt.Sprint(port))}
	var packed string
	_, err := fmt.Sscan(r.Expect("up "), &r.instance, &r.xaddr, &packed)
	require.NoError(w.t, err)
	s, err := unpack(packed)
	require.NoError(w.t, err)
	r.snap.Store(s)
	before := w.dev
	w.dev = r
	if before == nil {
		w.history = oracle.NewHistory(r)
		return
	}
	require.Greater(w.t, r.instance, before.instance, "the number of the start rises")
	require.NotEqual(w.t, before.MDIB().Version().SequenceID, s.Version().SequenceID)
	w.history.Restart(r)
}

func (w *ward) port() int {
	_, port, err := net.SplitHostPort(hostOf(w.dev.xaddr))
	require.NoError(w.t, err)
	var n int
	_, err = fmt.Sscan(port, &n)
	require.NoError(w.t, err)
	return n
}

// changes makes numbered changes for a while, and looks at what an application is shown.
func (w *ward) changes(d time.Duration) {
	w.changesUntil(d, func() bool { return false })
}

func (w *ward) changesUntil(d time.Duration, done func() bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end) && !done(); <-tick.C {
		require.NoError(w.t, w.history.Change())
		if w.mirror != nil {
			now := time.Now()
			w.view.CheckAt(w.mirror.View(), now, processHonesty)
		}
	}
}

// another connects one more consumer and tells the serial number of the certificate that it was shown.
func (w *ward) another(within time.Duration) (*big.Int, error) {
	id := w.identity("another")
	var serial atomic.Pointer[big.Int]
	id.Authorise = func(leaf *x509.Certificate) error {
		serial.Store(leaf.SerialNumber)
		return nil
	}
	c, err := consumer.New(w.t.Context(), consumer.Config{Identity: id})
	require.NoError(w.t, err)
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = c.Close(ctx) // the device may be unable to hear it
	}()
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	_, err = c.Connect(ctx, discovery.Endpoint{EPR: deviceURN, XAddrs: []string{w.dev.xaddr}})
	return serial.Load(), err
}

// process is a row of the matrix with the device in a process of its own.
type process struct {
	name string
	gaps bool // some must be announced; without it there are some only where the machine was too slow for the interval of proof
	env  []string
	// needs skips the row where it cannot be run; nil is everywhere.
	needs func(t *testing.T)
	run   func(w *ward)
}

// settableClock skips a row where the clock of a process cannot be set.
func settableClock(t *testing.T) {
	if err := faults.ClockSettable(); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: the clock of a process cannot be set: %v", err)
	}
}

// clockSteps are how far a clock is off after each step, and by how much it was set with it, in seconds.
var clockSteps = []struct {
	to int
	by int64
}{{3600, 3600}, {0, -3600}}

func processes() []process {
	return []process{
		{name: "kill -9 of the device's process, again at the same port", gaps: true, run: func(w *ward) {
			port := w.port()
			w.dev.Kill()
			w.start(port)
		}},
		{name: "kill -9 of the device's process, again at another port", gaps: true, run: func(w *ward) {
			port := w.port()
			taken, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp4", "127.0.0.1:0") // so that it cannot be the same by chance
			require.NoError(w.t, err)
			w.dev.Kill()
			w.start(0)
			require.NoError(w.t, taken.Close())
			require.NotEqual(w.t, port, w.port())
		}},
		{name: "the device out of file descriptors for 2 s", run: func(w *ward) {
			before := w.dev.count(w.t)
			w.dev.Tell("exhaust")
			require.Equal(w.t, "true", w.dev.Expect("exhausted"), "no more files")
			_, err := w.another(time.Second)
			require.Error(w.t, err, "nobody else gets in")
			w.changes(time.Second)
			w.dev.Tell("relieve")
			w.dev.Expect("relieved")
			_, err = w.another(processBound)
			require.NoError(w.t, err, "and all is well again")
			w.settled(before, w.dev.count)
		}},
		{name: "the device with GOMEMLIMIT=8MiB", env: []string{"GOMEMLIMIT=8MiB"}, run: func(w *ward) {
			for range 50 {
				require.NoError(w.t, w.history.Change())
			}
		}},
		{name: "the clock of the device's process set by +1 h and then by -1 h", env: []string{clockVar + "=1"}, needs: settableClock, run: func(w *ward) {
			for _, step := range clockSteps {
				w.dev.Tell("step %d", step.to)
				by, err := strconv.ParseInt(w.dev.Expect("stepped "), 10, 64)
				require.NoError(w.t, err)
				require.InDelta(w.t, step.by, by, 60)
				w.changes(3 * time.Second)
			}
		}},
		{name: "the device's certificate replaced in mid-session", run: func(w *ward) {
			serial := w.certificate("device", sdc.RoleProvider)
			w.dev.Tell("reload")
			w.dev.Expect("reloaded")
			w.changes(time.Second)
			shown, err := w.another(processBound)
			require.NoError(w.t, err)
			require.Equal(w.t, serial, shown, "new connections see the new certificate")
		}},
	}
}

// left is what the row has left in this process; nil where others run beside it.
func (w *ward) left(before leaks) *Leaks {
	if !counted() {
		return nil
	}
	return w.settled(before, func(*testing.T) leaks { return count() })
}

// settled waits until no more files and goroutines are held than before.
func (w *ward) settled(before leaks, now func(*testing.T) leaks) *Leaks {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	after := now(w.t)
	for end := time.Now().Add(time.Minute); after.files > before.files || after.goroutines > before.goroutines; after = now(w.t) {
		require.True(w.t, time.Now().Before(end), "before %+v, after %+v", before, after)
		<-tick.C
	}
	return after.minus(before)
}

// TestProcesses is the part of the fault matrix that needs real processes, sockets and TLS.
//
// covers: COEX-4, WSD-1
func TestProcesses(t *testing.T) {
	for _, p := range processes() {
		t.Run(p.name, func(t *testing.T) {
			together(t)
			record(t, inProcess(t, p))
		})
	}
}

func inProcess(t *testing.T, p process) Row {
	if p.needs != nil {
		p.needs(t)
	}
	port := udpport.Free(t)
	before := count()
	w := newWard(t, port)
	w.start(0, p.env...)
	row := w.judge(p)
	w.dev.Stop()
	row.Leaks = w.left(before)
	return row
}

// follow connects to the device and lets the oracle watch. The returned function ends that and judges.
func (w *ward) follow() (end func() oracle.Verdict) {
	t := w.t
	var err error
	w.locator, err = discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: uint16(w.udp)}})
	require.NoError(t, err)
	w.client, err = consumer.New(t.Context(), consumer.Config{
		Identity: w.identity("consumer"), ProofInterval: proof, LostAfter: 5 * time.Minute, Locators: []consumer.Locator{w.locator},
	})
	require.NoError(t, err)
	w.mirror, err = w.client.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{w.dev.xaddr}})
	require.NoError(t, err)
	w.view = oracle.NewObserver(w.history)
	ctx, cancel := context.WithCancel(context.Background())
	followed := make(chan error, 1)
	go func() { followed <- w.view.Follow(ctx, w.mirror) }()
	caught := func() {
		caught, cancelCaught := context.WithTimeout(ctx, time.Minute)
		defer cancelCaught()
		require.NoError(t, w.view.Caught(caught))
	}
	caught()
	return func() oracle.Verdict {
		caught()
		v := w.view.Verdict()
		cancel()
		require.NoError(t, <-followed)
		closing, cancelClosing := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancelClosing()
		require.NoError(t, w.client.Close(closing))
		require.NoError(t, w.locator.Close())
		require.Empty(t, v.Wrong)
		require.Zero(t, v.Unannounced)
		return v
	}
}

// healed goes on with the changes until the link is live, and tells how long that took.
func (w *ward) healed() time.Duration {
	over := time.Now()
	live := func() bool {
		v := w.mirror.View()
		return v.Live() && v.MDIB.Version().SequenceID == w.history.Version().SequenceID
	}
	w.changesUntil(processBound, live)
	require.True(w.t, live(), "not live %v after the fault: %v", processBound, w.mirror.Link().Cause)
	return time.Since(over).Round(time.Millisecond)
}

func (w *ward) judge(p process) Row {
	end := w.follow()
	w.changes(500 * time.Millisecond)
	p.run(w)
	healed := w.healed()
	w.changes(500 * time.Millisecond)
	v := end()
	if p.gaps {
		require.Positive(w.t, v.Gaps, "the fault must not go unnoticed")
	}
	return Row{Fault: p.name, Where: Loopback, Bound: processBound, Healed: healed, Verdict: v}
}

// TestConsumersInProcesses is the part of the fault matrix in which the consumer is a process of its own.
func TestConsumersInProcesses(t *testing.T) {
	t.Run("stopped", func(t *testing.T) {
		together(t)
		// For six times the interval of proof, while the device goes on.
		overWatcher(t, "the consumer's process stopped for 6 s (SIGSTOP), six times the interval of proof", nil, func(s *watched) {
			s.p.Signal(syscall.SIGSTOP)
			s.w.changes(6 * proof)
			s.p.Signal(syscall.SIGCONT)
		}, func(s *watched) bool { return s.interrupted })
	})
	t.Run("clock", func(t *testing.T) {
		together(t)
		settableClock(t)
		// Each time for longer than its subscriptions last.
		name := "the clock of the consumer's process set by +1 h and then by -1 h, for longer than its subscriptions each time"
		overWatcher(t, name, []string{clockVar + "=1"}, func(s *watched) {
			for _, step := range clockSteps {
				require.InDelta(t, step.by, s.do("step %d", step.to).By, 60)
				s.w.changes(watcherSubscription + time.Second)
				s.until(s.caught)
			}
		}, func(*watched) bool { return true })
	})
	t.Run("files", func(t *testing.T) {
		together(t)
		overWatcher(t, "the consumer out of file descriptors for 2 s", nil, func(s *watched) {
			require.True(t, s.do("exhaust").Exhausted)
			s.w.changes(2 * time.Second)
			s.do("relieve")
		}, func(*watched) bool { return true })
	})
	t.Run("memory", func(t *testing.T) {
		together(t)
		overWatcher(t, "the consumer with GOMEMLIMIT=8MiB", []string{"GOMEMLIMIT=8MiB"}, func(s *watched) {
			for range 100 {
				require.NoError(t, s.w.history.Change())
			}
		}, func(*watched) bool { return true })
	})
}

// overWatcher runs a row with a watcher, until what the fault must bring about is seen.
func overWatcher(t *testing.T, name string, env []string, fault func(*watched), seenFault func(*watched) bool) {
	before := count()
	w := newWard(t, udpport.Free(t))
	w.certificate("watcher", sdc.RoleConsumer)
	id, err := sdc.LoadIdentity(filepath.Join(w.dir, "device"))
	require.NoError(t, err)
	dev, err := provider.New(provider.Config{
		EPR: deviceURN, MDIB: snapshot(t), Identity: id, Network: sdc.Network{DiscoveryPort: uint16(w.udp)}, StopTimeout: 5 * time.Second,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	<-dev.Ready()
	w.history = oracle.NewHistory(dev)
	w.view = oracle.NewObserver(w.history)
	p := netns.Start(t, env, "watcher", filepath.Join(w.dir, "watcher"), dev.XAddrs()[0])

	seen := &watched{w: w, p: p, known: map[mdib.Version]*mdib.Snapshot{}}
	seen.until(seen.caught)
	w.changes(500 * time.Millisecond)
	seen.until(seen.caught)
	fault(seen)
	over := time.Now()
	seen.until(func() bool { return seenFault(seen) && seen.caught() })
	healed := time.Since(over)
	w.changes(500 * time.Millisecond)
	seen.until(seen.caught)
	v := w.view.Verdict()
	p.Stop()
	cancel()
	require.NoError(t, <-ended)
	require.Empty(t, v.Wrong)
	require.Zero(t, v.Unannounced)
	require.Less(t, healed, processBound)
	record(t, Row{
		Fault: name, Where: Loopback, Bound: processBound, Healed: healed.Round(time.Millisecond), Verdict: v,
		Leaks: w.left(before),
	})
}

// watched is what a watcher said.
type watched struct {
	w           *ward
	p           *netns.Process
	last        *mdib.Snapshot
	known       map[mdib.Version]*mdib.Snapshot
	interrupted bool
	did         *said // its answer to what it was told
}

// do tells the watcher to do something and returns its answer.
func (s *watched) do(format string, args ...any) said {
	s.did = nil
	s.p.Tell(format, args...)
	s.until(func() bool { return s.did != nil })
	return *s.did
}

// caught tells whether all that the device has done was seen.
func (s *watched) caught() bool {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return s.w.view.Caught(now) == nil
}

// until takes what the watcher says.
func (s *watched) until(done func() bool) {
	t := s.w.t
	for !done() {
		var line said
		require.NoError(t, json.Unmarshal([]byte(s.p.Expect("say ")), &line))
		if line.Kind == "did" {
			s.did = &line
			continue
		}
		link := consumer.Link{State: line.State, StaleSince: line.StaleSince}
		if line.Kind == "view" {
			if snap := s.known[line.Version]; snap != nil {
				s.w.view.CheckAt(consumer.View{MDIB: snap, Link: link, Confirmed: line.Confirmed}, line.Now, processHonesty)
			}
			s.interrupted = s.interrupted || line.Interrupted
			continue
		}
		snap, err := unpack(line.MDIB)
		require.NoError(t, err)
		require.True(t, line.Follows)
		u := consumer.Update{Link: link, Before: s.last, Snapshot: snap}
		if line.HasGap {
			u.Gap = &consumer.Gap{Stale: line.Stale, From: line.From, To: line.To}
		}
		s.w.view.Take(u)
		s.last = snap
		s.known[snap.Version()] = snap
	}
}
