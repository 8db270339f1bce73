package interop

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/churn"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// The oracle of internal/testkit/oracle with an independent stack on one side: whoever has the device numbers each change in the data itself, and what the other side's
// application sees must be exactly that, minus what is announced as missing.

// cutter keeps track of connections and cuts them.
type cutter struct {
	mu    sync.Mutex
	conns []net.Conn
	shut  bool // new ones are cut at once
}

func (c *cutter) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	if c.shut {
		cut(conn)
	}
}

// cut ends a connection as a network does: by a reset.
func cut(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// close cuts all connections. With shut, it does that to new ones until open.
func (c *cutter) close(shut bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = shut
	for _, conn := range c.conns {
		cut(conn)
	}
	n, c.conns = len(c.conns), nil
	return n
}

func (c *cutter) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = false
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		c.add(conn)
	}
	return conn, err
}

func (c *cutter) listen(ctx context.Context, network, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, network, addr)
	return cuttable{l, c}, err
}

type cuttable struct {
	net.Listener
	cutter *cutter
}

func (l cuttable) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.cutter.add(conn)
	}
	return conn, err
}

// seen is a number that an application saw, and in which version.
type seen struct {
	version uint64
	number  string
	gap     bool // it came with a gap
}

// TestOracleOverPeerProvider: our consumer follows a device of the peer that numbers its changes, while connections are cut. The peer ends a subscription when one
// delivery fails, and does not say so: our consumer has to find that out, announce the gap, and subscribe anew.
func TestOracleOverPeerProvider(t *testing.T) {
	t.Parallel()
	// covers: COEX-7, CONS-3
	w := newWorld(t, true, sdc.RoleConsumer)
	p := w.start(t, "provider.py", "--mdib", "testdata/device.xml")
	p.expect(t, "ready")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	links := &cutter{}
	dev, err := consumer.Connect(ctx, resolve(ctx, t, w), consumer.Config{
		Identity: w.ours, Network: w.network(), Dial: links.dial, Listen: links.listen, ProofInterval: 2 * time.Second, LostAfter: patience,
	})
	require.NoError(t, err)
	defer func() { _ = dev.Close(ctx) }()
	handle := first[*pm.NumericMetricState](dev.MDIB())
	var mu sync.Mutex
	var saw []seen
	grown := make(chan struct{}, 1)
	watching, unwatch := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() {
		for u, err := range dev.Updates(watching) {
			if err != nil {
				watched <- err
				return
			}
			mu.Lock()
			saw = append(saw, seen{u.Snapshot.Version().MdibVersion, numberOf(u.Snapshot, handle), u.Gap != nil})
			mu.Unlock()
			select {
			case grown <- struct{}{}:
			default:
			}
		}
		watched <- nil
	}()
	until := func(what string, met func() bool) {
		t.Helper()
		for !met() {
			select {
			case <-grown:
			case err := <-watched:
				require.NoError(t, err, what)
			case <-ctx.Done():
				require.FailNow(t, "in vain", "%s: %v", what, dev.Link().Cause)
			}
		}
	}
	number := func() int {
		n, _ := strconv.Atoi(numberOf(dev.MDIB(), handle))
		return n
	}

	const times = 200
	p.do(t, "counting", map[string]any{"do": "count", "times": times, "interval": 0.05})
	until("the first numbers", func() bool { return number() >= 20 })
	require.Positive(t, links.close(false), "connections to cut")
	until("healed after a cut", func() bool { return number() >= 60 })
	require.Positive(t, links.close(true))
	<-time.After(2 * time.Second)
	links.open()
	var counted struct {
		Handle  string
		History [][2]uint64
	}
	p.expect(t, "counted").decode(t, &counted)
	require.Equal(t, counted.Handle, handle)
	until("all numbers", func() bool { return number() == times && dev.Link().State == consumer.Live })
	unwatch()
	require.NoError(t, <-watched)

	truth := map[uint64]string{}
	for _, h := range counted.History {
		truth[h[0]] = fmt.Sprint(h[1])
	}
	judge(t, saw, truth, true)
	var theirs picture
	p.do(t, "mdib", map[string]any{"do": "dump"}).decode(t, &theirs)
	requireSame(t, pictureOf(dev.MDIB()), theirs)
	require.NoError(t, dev.Close(ctx))
	p.stop(t)
	p.complaints(t, append(slices.Clone(whileStopping), whenCut...)...)
}

// whenCut is what the peer logs when the connections by which it delivers are cut.
// And that we unsubscribe from what it has ended already.
var whenCut = []string{"could not send notification", "unknown Subscription identifier"}

// judge requires that what was seen is the truth, with gaps where versions are missing. Of the peer's devices there may be versions that are not numbered.
func judge(t *testing.T, saw []seen, truth map[uint64]string, gaps bool) {
	t.Helper()
	announced, one := 0, 0
	for i, s := range saw {
		if want, ok := truth[s.version]; ok {
			require.Equal(t, want, s.number, "version %d", s.version)
			one++
		}
		switch {
		case s.gap:
			announced++
		case i > 0:
			last := saw[i-1].version
			require.True(t, s.version == last || s.version == last+1, "version %d follows %d without a gap", s.version, last)
		}
	}
	if gaps {
		require.Positive(t, announced, "the cuts must not go unnoticed")
		require.Greater(t, one, len(truth)/4)
	} else {
		require.Zero(t, announced)
		require.GreaterOrEqual(t, one, len(truth))
	}
}

func first[T pm.State](s *mdib.Snapshot) string {
	for e := range s.Entities() {
		if _, ok := e.State.(T); ok {
			return e.Handle
		}
	}
	return ""
}

func numberOf(s *mdib.Snapshot, handle string) string {
	state, _ := mdib.Get[*pm.NumericMetricState](s, handle)
	if state == nil || state.MetricValue == nil {
		return ""
	}
	v, _ := state.MetricValue.Value.Get()
	return v.String()
}

// TestOracleOverPeerConsumer: the peer's consumer follows our device, while the connections by which we deliver are cut. It cannot announce gaps (a gap is a line in
// its log) and never subscribes anew, so our device has to see to it that nothing is missing: what was under way when a connection broke is delivered by the next.
func TestOracleOverPeerConsumer(t *testing.T) {
	t.Parallel()
	// covers: COEX-7, EVT-2, SDPi R1006
	python(t)
	snap, err := mdib.ReadFile("testdata/device.xml")
	require.NoError(t, err)
	w := newWorld(t, true, sdc.RoleProvider)
	links := &cutter{}
	dev, err := provider.New(provider.Config{EPR: w.epr, MDIB: snap, Identity: w.ours, Network: w.network(), Timing: discovery.PromptTiming(), Dial: links.dial})
	require.NoError(t, err)
	stop := run(t, dev)
	p := w.start(t, "consumer.py")
	p.expect(t, "connected")
	handle := first[*pm.NumericMetricState](dev.MDIB())
	p.do(t, "following", map[string]any{"do": "follow", "handle": handle})
	truth := map[uint64]string{}
	const times, cuts = 300, 6
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := range times {
		require.NoError(t, dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(handle, pm.NewDecimal(int64(n), 0), time.Now()) }))
		truth[dev.MDIB().Version().MdibVersion] = fmt.Sprint(n)
		if n%(times/cuts) == times/cuts/2 {
			require.Positive(t, links.close(false), "a connection to cut")
		}
		<-tick.C
	}
	var got struct {
		Seen      [][2]any
		Reached   bool
		Connected bool
	}
	p.do(t, "seen", map[string]any{"do": "seen", "version": dev.MDIB().Version().MdibVersion}).decode(t, &got)
	require.True(t, got.Reached && got.Connected, "it has the last version, and is still subscribed")
	var saw []seen
	for _, s := range got.Seen {
		saw = append(saw, seen{version: uint64(s[0].(float64)), number: s[1].(string)})
	}
	judge(t, saw, truth, false)
	var theirs picture
	p.do(t, "mdib", map[string]any{"do": "dump"}).decode(t, &theirs)
	requireSame(t, pictureOf(dev.MDIB()), theirs)
	require.NoError(t, stop())
	p.expect(t, "ended")
	p.stop(t)
	p.complaints(t, append(slices.Clone(inGoodOrder), whenCut...)...)
}

// TestRandomTransactionsReachThePeer: whatever our device does, the peer's consumer has exactly the device's MDIB whenever nothing is under way.
func TestRandomTransactionsReachThePeer(t *testing.T) {
	t.Parallel()
	// covers: BICEPS R5003, BICEPS R5024, BICEPS R5025_0, BICEPS R5046_0, BICEPS R5051, BICEPS R5052, BICEPS R5053, SDPi R1006, SDPi R1007
	python(t)
	snap, err := mdib.ReadFile("testdata/device.xml")
	require.NoError(t, err)
	w := newWorld(t, false, sdc.RoleProvider)
	dev, err := provider.New(provider.Config{EPR: w.epr, MDIB: snap, Insecure: true, Network: w.network(), Timing: discovery.PromptTiming()})
	require.NoError(t, err)
	stop := run(t, dev)
	p := w.start(t, "consumer.py")
	p.expect(t, "connected")
	const seed, steps, rest = 11, 600, 20
	c := churn.New(dev, seed, "vmd")
	counts := map[string]int{}
	for i := 1; i <= steps; i++ {
		before := dev.MDIB()
		what, err := c.Step()
		require.NoError(t, err, "seed %d, step %d: %s", seed, i, what)
		if dev.MDIB() != before {
			counts[what]++
		}
		if i%rest != 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, dev.Flush(ctx))
		cancel()
		var theirs picture
		p.do(t, "mdib", map[string]any{"do": "dump", "version": dev.MDIB().Version().MdibVersion}).decode(t, &theirs)
		requireSame(t, pictureOf(dev.MDIB()), theirs)
	}
	require.Len(t, counts, churn.Kinds, "every kind of transaction took place: %v", counts)
	t.Log(counts)
	require.NoError(t, stop())
	p.expect(t, "ended")
	p.stop(t)
	p.complaints(t, inGoodOrder...)
}
