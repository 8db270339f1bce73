package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/netns"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

// cabled is a ground of network namespaces: each place is a host with a wire to the desk.
type cabled struct {
	lab   *netns.Lab
	table *netns.Host
	hosts []*netns.Host
	wires []*netns.Wire
}

func newCabled(t *testing.T, places int, seed uint64) *cabled {
	g := &cabled{lab: netns.New(t)}
	g.table = g.lab.Host("desk")
	for i := range places {
		h, w := g.lab.Host(fmt.Sprint("place", i)), g.lab.Wire(seed+uint64(i))
		h.AttachWire(w, "eth0", fmt.Sprintf("10.7.%d.1/24", i))
		g.table.AttachWire(w, fmt.Sprint("eth", i), fmt.Sprintf("10.7.%d.2/24", i))
		// Consumers have one address, whichever wire they are reached by.
		h.DefaultRoute(fmt.Sprintf("10.7.%d.2", i))
		g.hosts, g.wires = append(g.hosts, h), append(g.wires, w)
	}
	return g
}

func (g *cabled) dial(place int) dialer { return g.hosts[place].Dial }

func (g *cabled) listen(ctx context.Context, place, port int) (net.Listener, error) {
	return g.hosts[place].Listen(ctx, "tcp", fmt.Sprintf("10.7.%d.1:%d", place, port))
}

func (g *cabled) desk() (dialer, func(context.Context) (net.Listener, error)) {
	return g.table.Dial, func(ctx context.Context) (net.Listener, error) { return g.table.Listen(ctx, "tcp", "10.7.0.2:0") }
}

func (g *cabled) harms(place int) map[string]func() func() {
	h, w := g.hosts[place], g.wires[place]
	both := func(imp netns.Impairment) func() func() {
		return func() func() {
			w.ImpairBoth(imp)
			return func() { w.ImpairBoth(netns.Impairment{}) }
		}
	}
	cut := netns.Impairment{Cut: true}
	return map[string]func() func(){
		"partition": both(cut),
		"nothing from devices to consumers": func() func() {
			w.Impair(h, cut)
			return func() { w.Impair(h, netns.Impairment{}) }
		},
		"nothing from consumers to devices": func() func() {
			w.Impair(g.table, cut)
			return func() { w.Impair(g.table, netns.Impairment{}) }
		},
		"5 % of the packets lost":          both(netns.Impairment{Loss: 0.05}),
		"20 % of the packets lost":         both(netns.Impairment{Loss: 0.2}),
		"25 % of the packets reordered":    both(netns.Impairment{Reorder: 0.25}),
		"20 % of the packets twice":        both(netns.Impairment{Duplicate: 0.2}),
		"delay 200 ms and jitter 100 ms":   both(netns.Impairment{Delay: 200 * time.Millisecond, Jitter: 100 * time.Millisecond}),
		"a bit of everything to every one": both(netns.Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.1, Delay: 10 * time.Millisecond, Jitter: 20 * time.Millisecond}),
	}
}

func (g *cabled) cut(place int) func() {
	g.wires[place].ImpairBoth(netns.Impairment{Cut: true})
	return func() { g.wires[place].ImpairBoth(netns.Impairment{}) }
}

// TestSoak is the soak with real TCP and TLS over wires that harm packets, and beside it the process of a device that is killed again and again.
// In its short form it is there to see that it works; make soak does it for ten minutes.
func TestSoak(t *testing.T) {
	seed, length := *soakSeed, *soakFor
	places, perPlace := 3, 4
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	if length == 0 {
		seed, length, places, perPlace = 1, 3*time.Second, 1, 2
	}
	t.Logf("seed %d", seed)
	began := time.Now()
	g := newCabled(t, places, seed)
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	dir := t.TempDir()
	for name, role := range map[sdc.Role]string{sdc.RoleProvider: "provider", sdc.RoleConsumer: "consumer"} {
		p, err := ca.Issue(pki.Request{Name: role, Role: name})
		require.NoError(t, err)
		require.NoError(t, p.Write(filepath.Join(dir, role)))
	}
	port := udpport.Free(t)
	before := count()
	s := &soak{
		t: t, port: port, ground: g, seed: seed, places: places, perPlace: perPlace, tick: 100 * time.Millisecond,
		calm: [2]time.Duration{100 * time.Millisecond, 2 * time.Second}, fault: [2]time.Duration{200 * time.Millisecond, 8 * time.Second},
		bound: processBound, honesty: processHonesty, proof: proof,
		identity: func(r sdc.Role) *sdc.Identity {
			id, err := sdc.LoadIdentity(filepath.Join(dir, map[sdc.Role]string{sdc.RoleProvider: "provider", sdc.RoleConsumer: "consumer"}[r]))
			if err != nil {
				t.Errorf("an identity: %v", err)
			}
			return id
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var fleet sync.WaitGroup
	fleet.Go(func() { s.run(ctx) })
	s.killAgainAndAgain(ctx)
	fleet.Wait()
	after := (&ward{t: t}).settled(before, func(*testing.T) leaks { return count() })
	require.Less(t, after.Heap, int64(16<<20), "bytes of heap more than before")
	require.NotEmpty(t, s.done)
	t.Logf("%v, %s; left: goroutines, files, heap %s", length, s, left(after))
	recordSoak(t, Soak{Began: began, Length: length, Bound: s.bound, Result: s.String(), Faults: s.done, Leaks: after})
}

// killAgainAndAgain has a device in a process of its own, beside the fleet, that is killed and started again until ctx ends.
func (s *soak) killAgainAndAgain(ctx context.Context) {
	r := rand.New(rand.NewPCG(s.seed, 3000))
	w := newWard(s.t, s.port)
	w.start(0)
	end := w.follow()
	for {
		w.changesUntil(between(r, s.calm), func() bool { return ctx.Err() != nil })
		if ctx.Err() != nil {
			break
		}
		port := w.port()
		name := "kill -9 of a process, again at the same port"
		if r.IntN(2) == 0 {
			name, port = "kill -9 of a process, again at any port", 0
		}
		w.dev.Kill()
		w.start(port)
		healed := w.healed()
		s.mu.Lock()
		s.done[name]++
		s.worst = max(s.worst, healed)
		s.mu.Unlock()
	}
	s.add("the device in a process of its own", end())
	w.dev.Stop()
}
