package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

var (
	soakFor  = flag.Duration("soak.for", 0, "how long the soak with real sockets and processes lasts; 0 is a few seconds")
	soakSeed = flag.Uint64("soak.seed", 0, "which faults come when; 0 is another with each run")
)

// ground is the network under a soak: places where devices are, and one where their consumers are.
type ground interface {
	// dial and listen are those of a place; listen takes a port, 0 for any.
	dial(place int) dialer
	listen(ctx context.Context, place, port int) (net.Listener, error)
	// desk is where consumers are.
	desk() (dialer, func(context.Context) (net.Listener, error))
	// harms are what can happen to the network between a place and the desk. Each returns how to end it.
	harms(place int) map[string]func() func()
	// cut is the harm by which devices die without a word: nothing passes, and nothing is left of what was under way.
	cut(place int) (restore func())
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// soak is a fleet of devices that change all the time, consumers that come, stay and go, and faults that hit both at random.
type soak struct {
	t        *testing.T
	ground   ground
	seed     uint64
	places   int
	perPlace int
	port     uint16                       // of the discovery of the device in a process of its own
	identity func(sdc.Role) *sdc.Identity // nil: all are without TLS
	tick     time.Duration                // about how often each device changes
	calm     [2]time.Duration             // the least and the most time between two faults at one place
	fault    [2]time.Duration             // how long a fault lasts
	bound    time.Duration                // the links are live again within it
	honesty  time.Duration
	proof    time.Duration // 0: that of the consumer
	prompt   bool          // a commit takes no time at all

	members []*member
	clients map[bool]*consumer.Consumer // by TLS

	mu     sync.Mutex
	done   map[string]int // faults by name
	visits int
	deaf   int
	worst  time.Duration // until all links of a place were live again
	total  oracle.Verdict
}

// member is a device of the fleet and its steady consumer.
type member struct {
	s      *soak
	place  int
	epr    string
	box    *faults.Interposer // in the way of notifications; nil with TLS
	id     *sdc.Identity      // nil without
	mirror *consumer.Device
	view   *oracle.Observer

	turn    chan struct{} // holds a token while the device is exchanged or changed; a mutex would stop virtual time
	dev     *provider.Provider
	stop    func()
	up      bool
	history *oracle.History
}

// Resolve makes the soak a consumer.Locator.
func (s *soak) Resolve(_ context.Context, epr string) (discovery.Endpoint, error) {
	for _, m := range s.members {
		if m.epr == epr {
			return m.endpoint()
		}
	}
	return discovery.Endpoint{}, errors.New("nobody knows")
}

func (m *member) endpoint() (discovery.Endpoint, error) {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if !m.up {
		return discovery.Endpoint{}, errors.New("it is away")
	}
	return discovery.Endpoint{EPR: m.epr, XAddrs: m.dev.XAddrs()}, nil
}

// start begins a life of the device. The caller has its turn.
func (m *member) start(port int) {
	s := m.s
	cfg := provider.Config{
		EPR: m.epr, MDIB: snapshot(s.t), Identity: m.id, Insecure: m.id == nil, Transport: discovery.NewSilence(), StopTimeout: time.Second, MaxSubscription: 15 * time.Second,
		NotifyAnywhere: true, // consumers have one address, whichever way they go
		Dial:           s.ground.dial(m.place),
		Listen: func(ctx context.Context, _, _ string) (net.Listener, error) {
			return s.ground.listen(ctx, m.place, port)
		},
	}
	if m.box != nil {
		cfg.Dial = m.box.Dial
	}
	dev, err := provider.New(cfg)
	require.NoError(s.t, err)
	if m.history == nil {
		m.history = oracle.NewHistory(dev)
	} else {
		m.history.Restart(dev) // before anybody can see it
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		cancel()
		s.t.Errorf("%s does not start: %v", m.epr, err)
		return
	}
	m.dev, m.up = dev, true
	m.stop = func() {
		m.up = false
		cancel()
		_ = <-ended // an error is that it could not take its leave
	}
}

// away ends the device and begins its next life after a while.
func (m *member) away(d time.Duration, samePort bool, end func()) {
	m.turn <- struct{}{}
	port := 0
	if samePort {
		port = portOf(m.s.t, m.dev)
	}
	end()
	<-m.turn
	<-time.After(d)
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	m.start(port)
}

func portOf(t *testing.T, dev *provider.Provider) int {
	_, text, err := net.SplitHostPort(hostOf(dev.XAddrs()[0]))
	require.NoError(t, err)
	var port int
	_, err = fmt.Sscan(text, &port)
	require.NoError(t, err)
	return port
}

// change makes numbered changes until ctx ends, and looks at what an application would be shown.
func (m *member) change(ctx context.Context, r *rand.Rand) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.s.tick/2 + time.Duration(r.Int64N(int64(m.s.tick))))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		n := 1
		if r.IntN(200) == 0 {
			n = 50 // a burst
		}
		m.turn <- struct{}{}
		for range n {
			if !m.up {
				break
			}
			begin := time.Now()
			if err := m.history.Change(); err != nil {
				m.s.t.Errorf("%s: %v", m.epr, err)
			}
			if d := time.Since(begin); m.s.prompt && d > 0 {
				m.s.t.Errorf("%s: a commit took %v", m.epr, d)
			}
		}
		<-m.turn
		now := time.Now()
		m.view.CheckAt(m.mirror.View(), now, m.s.honesty)
	}
}

// live tells whether the steady consumer shows the device that there is now.
func (m *member) live() bool {
	v := m.mirror.View()
	return v.Live() && v.MDIB.Version().SequenceID == m.history.Version().SequenceID
}

// deeds are the faults that may hit a place. Each lasts for about d.
func (s *soak) deeds(place int, r *rand.Rand) map[string]func(d time.Duration) {
	var all, boxed []*member
	for _, m := range s.members {
		if m.place == place {
			all = append(all, m)
			if m.box != nil {
				boxed = append(boxed, m)
			}
		}
	}
	one := func() *member { return all[r.IntN(len(all))] }
	deeds := map[string]func(time.Duration){
		"killed, again at the same port": func(d time.Duration) {
			m := one()
			m.away(d, true, func() { s.kill(m) })
		},
		"killed, again at another port": func(d time.Duration) {
			m := one()
			m.away(d, false, func() { s.kill(m) })
		},
		"stopped and started": func(d time.Duration) {
			m := one()
			m.away(d, false, m.stop)
		},
		"new sequence": func(time.Duration) {
			m := one()
			m.turn <- struct{}{}
			defer func() { <-m.turn }()
			m.history.Disrupt(func() { m.dev.NewSequence() })
		},
		"100 parts put in and taken out": func(time.Duration) {
			m := one()
			for range 200 {
				m.turn <- struct{}{}
				err := m.history.ChangeDescription()
				<-m.turn
				if err != nil {
					s.t.Errorf("%s: %v", m.epr, err)
				}
				<-time.After(time.Millisecond)
			}
		},
	}
	for name, begin := range s.ground.harms(place) {
		deeds[name] = func(d time.Duration) {
			end := begin()
			<-time.After(d)
			end()
		}
	}
	if len(boxed) == 0 {
		return deeds
	}
	for name, deed := range map[string]faults.Deed{
		"notifications lost though confirmed": faults.Swallow, "notifications twice": faults.Twice, "notifications after the next": faults.Late,
		"connections broken after notifications": faults.Break, "notifications refused": faults.Refuse, "notifications garbled": faults.Garble,
	} {
		deeds[name] = func(d time.Duration) {
			m := boxed[r.IntN(len(boxed))]
			m.box.Do(every(2+r.IntN(20), deed))
			<-time.After(d)
			m.box.Do(nil)
		}
	}
	return deeds
}

// kill ends a device as kill -9 does: without a word. The caller has its turn.
func (s *soak) kill(m *member) {
	restore := s.ground.cut(m.place)
	m.stop()
	restore()
}

func between(r *rand.Rand, span [2]time.Duration) time.Duration {
	return span[0] + time.Duration(r.Int64N(int64(span[1]-span[0])))
}

// strike brings faults over a place, one after the other, until ctx ends, and sees to it that all links are live again in time after each.
func (s *soak) strike(ctx context.Context, place int) {
	r := rand.New(rand.NewPCG(s.seed, uint64(place)))
	deeds := s.deeds(place, r)
	names := slices.Sorted(maps.Keys(deeds))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(between(r, s.calm)):
		}
		name := names[r.IntN(len(names))]
		deeds[name](between(r, s.fault))
		healed, ok := s.await(place)
		s.mu.Lock()
		s.done[name]++
		s.worst = max(s.worst, healed)
		s.mu.Unlock()
		if !ok {
			return
		}
	}
}

// await waits until the links of a place are live.
func (s *soak) await(place int) (healed time.Duration, ok bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); ; <-tick.C {
		healed = time.Since(begin)
		var missing *member
		for _, m := range s.members {
			if m.place == place && !m.live() {
				missing = m
			}
		}
		if missing == nil {
			return healed, true
		}
		if healed > s.bound {
			link := missing.mirror.Link()
			s.t.Errorf("seed %d: %s is %s %v after the fault: %v", s.seed, missing.epr, link.State, healed, link.Cause)
			return healed, false
		}
	}
}

// visit is what consumers that come and go do, until ctx ends: every third of them subscribes and never takes a notification.
func (s *soak) visit(ctx context.Context, place int) {
	r := rand.New(rand.NewPCG(s.seed, uint64(1000+place)))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(between(r, s.calm)):
		}
		m := s.members[r.IntN(len(s.members))]
		deaf := r.IntN(3) == 0
		stay := between(r, s.fault)
		target, err := m.endpoint()
		if err != nil {
			continue
		}
		c, err := consumer.New(ctx, s.consumer(m.id != nil, deaf))
		if err != nil {
			if ctx.Err() == nil {
				s.t.Errorf("a visitor: %v", err)
			}
			continue
		}
		s.call(ctx, c, m, target, stay, deaf)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		_ = c.Close(closing) // the device may be away
		cancel()
	}
}

// call is one visit. The device need not be there.
func (s *soak) call(ctx context.Context, c *consumer.Consumer, m *member, target discovery.Endpoint, stay time.Duration, deaf bool) {
	connecting, cancel := context.WithTimeout(ctx, s.bound)
	defer cancel()
	dev, err := c.Connect(connecting, target)
	if err != nil {
		return
	}
	ctx, cancelStay := context.WithTimeout(ctx, stay)
	defer cancelStay()
	view := oracle.NewObserver(m.history)
	if err := view.Follow(ctx, dev); err != nil && !errors.Is(err, consumer.ErrLost) {
		s.t.Errorf("a visitor of %s: %v", m.epr, err)
	}
	s.add(m.epr+", seen by a visitor", view.SoFar())
	s.mu.Lock()
	defer s.mu.Unlock()
	if deaf {
		s.deaf++
	} else {
		s.visits++
	}
}

// add sums up what an observer found.
func (s *soak) add(who string, v oracle.Verdict) {
	for _, w := range v.Wrong {
		s.t.Errorf("seed %d: %s: %s", s.seed, who, w)
	}
	if v.Unannounced != 0 {
		s.t.Errorf("seed %d: %s: %d changes were lost unannounced", s.seed, who, v.Unannounced)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Committed += v.Committed
	s.total.Seen += v.Seen
	s.total.Announced += v.Announced
	s.total.Unannounced += v.Unannounced
	s.total.Gaps += v.Gaps
}

// consumer is the configuration of one; a deaf one never takes a notification.
func (s *soak) consumer(secure, deaf bool) consumer.Config {
	dial, listen := s.ground.desk()
	cfg := consumer.Config{
		Insecure: !secure, Dial: dial, LostAfter: 10 * time.Minute, Locators: []consumer.Locator{s}, ProofInterval: s.proof,
		Listen: func(ctx context.Context, _, _ string) (net.Listener, error) {
			l, err := listen(ctx)
			if err == nil && deaf {
				return nowhere{l}, nil
			}
			return l, err
		},
	}
	if secure {
		cfg.Identity = s.identity(sdc.RoleConsumer)
	}
	return cfg
}

// settle makes the fleet and connects the steady consumers.
func (s *soak) settle() {
	s.done, s.clients = map[string]int{}, map[bool]*consumer.Consumer{}
	for i := range s.places * s.perPlace {
		m := &member{s: s, turn: make(chan struct{}, 1), place: i % s.places, epr: fmt.Sprintf("urn:uuid:0f0e61ac-6d58-4a54-9c0d-%012d", i)}
		dial := s.ground.dial(m.place)
		if s.identity != nil && i/s.places%2 == 1 {
			m.id = s.identity(sdc.RoleProvider)
		} else {
			l, err := s.ground.listen(s.t.Context(), m.place, 0)
			require.NoError(s.t, err)
			m.box = faults.NewInterposer(l, dial, dial)
		}
		m.turn <- struct{}{}
		m.start(0)
		<-m.turn
		s.members = append(s.members, m)
	}
	for _, m := range s.members {
		secure := m.id != nil
		if s.clients[secure] == nil {
			c, err := consumer.New(s.t.Context(), s.consumer(secure, false))
			require.NoError(s.t, err)
			s.clients[secure] = c
		}
		target, err := m.endpoint()
		require.NoError(s.t, err)
		m.mirror, err = s.clients[secure].Connect(s.t.Context(), target)
		require.NoError(s.t, err)
		m.view = oracle.NewObserver(m.history)
	}
}

// run soaks until ctx ends, and judges.
func (s *soak) run(ctx context.Context) {
	s.settle()
	watching, unwatch := context.WithCancel(context.Background())
	var watchers, churn, changes sync.WaitGroup
	for _, m := range s.members {
		watchers.Go(func() {
			if err := m.view.Follow(watching, m.mirror); err != nil {
				s.t.Errorf("seed %d: the updates of %s ended: %v", s.seed, m.epr, err)
			}
		})
	}
	changing, still := context.WithCancel(context.Background())
	for i, m := range s.members {
		changes.Go(func() { m.change(changing, rand.New(rand.NewPCG(s.seed, uint64(2000+i)))) })
	}
	for place := range s.places {
		churn.Go(func() { s.strike(ctx, place) })
		churn.Go(func() { s.visit(ctx, place) })
	}
	churn.Wait()
	still()
	changes.Wait()
	for _, m := range s.members {
		caught, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := m.view.Caught(caught); err != nil {
			s.t.Errorf("seed %d: %s: %v", s.seed, m.epr, err)
		}
		cancel()
		s.add(m.epr, m.view.Verdict())
	}
	unwatch()
	watchers.Wait()
	s.leave()
}

// leave takes everything down.
func (s *soak) leave() {
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, c := range s.clients {
		if err := c.Close(closing); err != nil {
			s.t.Errorf("closing a consumer: %v", err)
		}
	}
	for _, m := range s.members {
		m.turn <- struct{}{}
		m.stop()
		<-m.turn
		if m.box != nil {
			require.NoError(s.t, m.box.Close())
		}
	}
	s.members, s.clients = nil, nil
}

// String is the line of the result.
func (s *soak) String() string {
	n := 0
	for _, times := range s.done {
		n += times
	}
	return fmt.Sprintf("seed %d: %d devices, %d faults of %d kinds, %d consumers came and went and %d that took nothing; %d changes, %d seen, %d announced in %d gaps, %d lost unannounced; "+
		"live again after %v at the latest", s.seed, s.places*s.perPlace, n, len(s.done), s.visits, s.deaf, s.total.Committed, s.total.Seen, s.total.Announced, s.total.Gaps,
		s.total.Unannounced, s.worst.Round(time.Millisecond))
}

// memory is a ground in memory.
type memory struct{ *memnet.Network }

func placeIP(place int) string { return fmt.Sprintf("192.0.2.%d", 100+place) }

func (g memory) dial(place int) dialer { return g.Host(placeIP(place)).Dial }

func (g memory) listen(_ context.Context, place, port int) (net.Listener, error) {
	return g.Host(placeIP(place)).Listen(port)
}

func (g memory) desk() (dialer, func(context.Context) (net.Listener, error)) {
	h := g.Host(consumerIP)
	return h.Dial, func(context.Context) (net.Listener, error) { return h.Listen(0) }
}

func (g memory) harms(place int) map[string]func() func() {
	ip := placeIP(place)
	return map[string]func() func(){
		"partition": func() func() {
			g.Partition(ip, consumerIP)
			return func() { g.Heal(ip, consumerIP) }
		},
		"nothing from devices to consumers": func() func() {
			g.PartitionOneWay(ip, consumerIP)
			return func() { g.HealOneWay(ip, consumerIP) }
		},
		"nothing from consumers to devices": func() func() {
			g.PartitionOneWay(consumerIP, ip)
			return func() { g.HealOneWay(consumerIP, ip) }
		},
		"slow": func() func() {
			g.SetLinkBetween(ip, consumerIP, memnet.Link{Latency: 100 * time.Millisecond, Jitter: 100 * time.Millisecond})
			return func() { g.SetLinkBetween(ip, consumerIP, memnet.Link{}) }
		},
		"connections reset": func() func() {
			g.Cut(ip, consumerIP)
			return func() { g.Cut(ip, consumerIP) }
		},
	}
}

func (g memory) cut(place int) func() {
	g.Partition(placeIP(place), consumerIP)
	return func() {
		g.Cut(placeIP(place), consumerIP)
		g.Heal(placeIP(place), consumerIP)
	}
}

// TestSoakInMemory is the soak in virtual time: minutes of it in seconds, with the same faults every time.
func TestSoakInMemory(t *testing.T) {
	seeds, length := []uint64{1, 2}, 90*time.Second
	if *soakSeed != 0 {
		seeds = []uint64{*soakSeed}
	}
	if *soakFor != 0 {
		length = *soakFor
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				network := memnet.New(memnet.Config{Seed: seed})
				defer network.Close()
				s := &soak{
					t: t, ground: memory{network}, seed: seed, places: 2, perPlace: 2, tick: 250 * time.Millisecond, prompt: true,
					calm: [2]time.Duration{100 * time.Millisecond, 5 * time.Second}, fault: [2]time.Duration{time.Second, 40 * time.Second},
					bound: 15 * time.Second, honesty: honesty,
				}
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				s.run(ctx)
				t.Log(s)
				require.Greater(t, len(s.done), 3)
				require.Positive(t, s.total.Gaps)
				require.Positive(t, s.visits)
			})
		})
	}
}
