package discovery

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

// step is one message and what the reader is told after it.
type step struct {
	k    kind
	e    func(*Endpoint)
	seq  appSequence // zero: none
	want []EventKind
}

func with(edits ...func(*Endpoint)) func(*Endpoint) {
	return func(e *Endpoint) {
		for _, edit := range edits {
			edit(e)
		}
	}
}

func version(v uint32) func(*Endpoint) { return func(e *Endpoint) { e.MetadataVersion = v } }
func scope(s string) func(*Endpoint)   { return func(e *Endpoint) { e.Scopes = []string{s} } }
func xaddrs(s ...string) func(*Endpoint) {
	return func(e *Endpoint) { e.XAddrs = s }
}
func foreign(e *Endpoint) { e.Types = e.Types[:1] }
func addressOnly(e *Endpoint) {
	e.Types, e.Scopes = nil, nil
}

func TestTracker(t *testing.T) {
	hello, bye, match, resolved := kindHello, kindBye, kindProbeMatches, kindResolveMatches
	for name, steps := range map[string][]step{
		"hello, bye": {
			{hello, nil, appSequence{1, 1}, []EventKind{Found}},
			{bye, nil, appSequence{1, 2}, []EventKind{Gone}},
			{bye, nil, appSequence{1, 3}, nil},
		},
		"periodic hello": {
			{hello, nil, appSequence{1, 1}, []EventKind{Found}},
			{hello, nil, appSequence{1, 2}, []EventKind{Alive}},
		},
		"change": {
			{hello, version(1), appSequence{1, 1}, []EventKind{Found}},
			{hello, with(version(2), scope("a:b")), appSequence{1, 2}, []EventKind{Changed}},
		},
		"old hello does not override": {
			{hello, with(version(2), scope("a:new")), appSequence{1, 5}, []EventKind{Found}},
			{hello, with(version(1), scope("a:old")), appSequence{1, 4}, nil},
			{hello, with(version(1), scope("a:old")), appSequence{1, 5}, nil},
		},
		"peer that never counts its metadata version": {
			{hello, with(version(1), scope("a:old")), appSequence{1, 1}, []EventKind{Found}},
			{hello, with(version(1), scope("a:new")), appSequence{1, 2}, []EventKind{Changed}},
			{match, with(version(1), scope("a:new")), appSequence{1, 1}, []EventKind{Alive}},
		},
		"peer whose matches count the version and whose hellos do not": {
			{hello, version(1), appSequence{1, 1}, []EventKind{Found}},
			{match, version(2), appSequence{1, 1}, []EventKind{Alive}},
			{hello, version(1), appSequence{1, 2}, []EventKind{Alive}},
		},
		"old match does not override": {
			{hello, with(version(2), scope("a:new")), appSequence{1, 5}, []EventKind{Found}},
			{match, with(version(1), scope("a:old")), appSequence{1, 4}, nil},
		},
		"match after bye": {
			{hello, nil, appSequence{1, 1}, []EventKind{Found}},
			{bye, nil, appSequence{1, 3}, []EventKind{Gone}},
			{match, nil, appSequence{1, 2}, nil},
			{hello, nil, appSequence{1, 2}, nil},
			{hello, nil, appSequence{1, 4}, []EventKind{Found}},
		},
		"old bye": {
			{hello, nil, appSequence{1, 5}, []EventKind{Found}},
			{bye, nil, appSequence{1, 4}, nil},
		},
		"restart with bye": {
			{hello, nil, appSequence{1, 9}, []EventKind{Found}},
			{bye, nil, appSequence{1, 10}, []EventKind{Gone}},
			{hello, nil, appSequence{2, 1}, []EventKind{Found}},
			{bye, nil, appSequence{1, 11}, nil},
			{hello, nil, appSequence{1, 12}, nil},
		},
		"restart without bye, lower metadata version": {
			{hello, version(9), appSequence{1, 9}, []EventKind{Found}},
			{hello, version(1), appSequence{2, 1}, []EventKind{Restarted}},
			{hello, version(9), appSequence{1, 10}, nil},
		},
		"peer that draws its instance at random": {
			{hello, nil, appSequence{900, 1}, []EventKind{Found}},
			{hello, nil, appSequence{20, 1}, []EventKind{Restarted}},
			{hello, nil, appSequence{900, 2}, nil},
			{hello, nil, appSequence{20, 2}, []EventKind{Alive}},
		},
		"restart seen by a match": {
			{hello, nil, appSequence{1, 9}, []EventKind{Found}},
			{match, nil, appSequence{2, 1}, []EventKind{Restarted}},
		},
		"no sequence at all": {
			{hello, version(2), appSequence{}, []EventKind{Found}},
			{hello, version(1), appSequence{}, nil},
			{hello, with(version(3), scope("a:b")), appSequence{}, []EventKind{Changed}},
			{bye, nil, appSequence{}, []EventKind{Gone}},
			{hello, version(3), appSequence{}, []EventKind{Found}},
		},
		"foreign": {
			{hello, foreign, appSequence{1, 1}, nil},
			{bye, nil, appSequence{1, 2}, nil},
		},
		"matches no longer": {
			{hello, nil, appSequence{1, 1}, []EventKind{Found}},
			{hello, foreign, appSequence{1, 2}, []EventKind{Gone}},
			{hello, foreign, appSequence{1, 3}, nil},
			{hello, nil, appSequence{1, 4}, []EventKind{Found}},
		},
		"without address": {
			{hello, xaddrs(), appSequence{1, 1}, nil},
			{resolved, addressOnly, appSequence{1, 2}, []EventKind{Found}},
			{hello, xaddrs(), appSequence{1, 3}, []EventKind{Alive}},
			{hello, with(version(8), xaddrs()), appSequence{1, 4}, nil},
			{resolved, version(8), appSequence{1, 5}, []EventKind{Alive}},
			{hello, with(version(9), xaddrs()), appSequence{1, 6}, nil},
			{resolved, with(version(9), xaddrs("https://h/2")), appSequence{1, 7}, []EventKind{Changed}},
			{hello, with(version(9), xaddrs()), appSequence{2, 1}, nil},
			{resolved, version(9), appSequence{2, 2}, []EventKind{Restarted}},
		},
		"without address, gone before resolved": {
			{hello, xaddrs(), appSequence{1, 1}, nil},
			{bye, nil, appSequence{1, 3}, nil},
			{resolved, nil, appSequence{1, 2}, nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTracker(Filter{Types: []Name{medical()}}, 10)
			for i, s := range steps {
				e := testEndpoint(testEPR)
				if s.e != nil {
					s.e(&e)
				}
				x.apply(s.k, e, s.seq, s.seq != appSequence{}, netip.Addr{})
				var got []EventKind
				for ev, ok := x.next(); ok; ev, ok = x.next() {
					got = append(got, ev.Kind)
					require.Equal(t, testEPR, ev.Endpoint.EPR)
					if ev.Kind != Gone {
						require.NotEmpty(t, ev.Endpoint.XAddrs)
						require.True(t, ev.Endpoint.HasType(medical()))
					}
				}
				require.Equal(t, s.want, got, "step %d: %v %v", i, s.k, s.seq)
			}
		})
	}
}

// What anybody can say in the name of a device, with numbers and versions as high as there are or as if from another life, does not keep the device itself from being heard for longer than messages
// can overtake one another.
func TestForgedAnnouncementsPass(t *testing.T) {
	real, bogus := xaddrs("https://device/"), xaddrs("https://intruder/")
	for name, forged := range map[string]step{
		"highest number":   {kindHello, with(bogus, version(1)), appSequence{1, math.MaxUint32}, nil},
		"highest version":  {kindHello, with(bogus, version(math.MaxUint32)), appSequence{1, math.MaxUint32}, nil},
		"other life":       {kindHello, with(bogus, version(1)), appSequence{2, 1}, nil},
		"last life":        {kindHello, with(bogus, version(math.MaxUint32)), appSequence{math.MaxUint32, math.MaxUint32}, nil},
		"match":            {kindProbeMatches, with(bogus, version(math.MaxUint32)), appSequence{2, math.MaxUint32}, nil},
		"without sequence": {kindHello, with(bogus, version(math.MaxUint32)), appSequence{}, nil},
	} {
		for _, answer := range []kind{kindHello, kindProbeMatches} {
			t.Run(name+", "+answer.String(), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					x := newTracker(Filter{}, 10)
					say := func(k kind, edit func(*Endpoint), seq appSequence) Endpoint {
						e := testEndpoint(testEPR)
						edit(&e)
						x.apply(k, e, seq, seq != appSequence{}, netip.Addr{})
						return x.entries[testEPR].endpoint
					}
					say(kindHello, with(real, version(1)), appSequence{1, 1})
					require.Equal(t, []string{"https://intruder/"}, say(forged.k, forged.e, forged.seq).XAddrs, "nobody can tell")
					time.Sleep(overtaking + time.Second)
					for n := uint32(2); n < 4; n++ {
						require.Equal(t, []string{"https://device/"}, say(answer, with(real, version(1)), appSequence{1, n}).XAddrs)
					}
				})
			})
		}
	}
}

func TestTrackerMerges(t *testing.T) {
	x := newTracker(Filter{}, 10)
	number := uint32(0)
	apply := func(k kind, edit func(*Endpoint)) {
		e := testEndpoint(testEPR)
		if edit != nil {
			edit(&e)
		}
		number++
		x.apply(k, e, appSequence{1, number}, true, netip.Addr{})
	}
	only := func(want EventKind, scope string) {
		t.Helper()
		e, ok := x.next()
		require.True(t, ok)
		require.Equal(t, want, e.Kind)
		if scope != "" {
			require.Equal(t, []string{scope}, e.Endpoint.Scopes, "the latest state")
		}
		_, ok = x.next()
		require.False(t, ok)
	}
	apply(kindHello, nil)
	apply(kindHello, scope("a:1"))
	apply(kindHello, scope("a:2"))
	only(Found, "a:2")

	apply(kindHello, scope("a:3"))
	apply(kindHello, scope("a:3"))
	only(Changed, "a:3")

	apply(kindHello, scope("a:4"))
	apply(kindBye, nil)
	only(Gone, "a:4")

	apply(kindHello, scope("a:5"))
	apply(kindBye, nil)
	_, ok := x.next()
	require.False(t, ok, "came and went while nobody looked")

	apply(kindHello, scope("a:6"))
	only(Found, "a:6")
	apply(kindBye, nil)
	apply(kindHello, scope("a:6"))
	only(Restarted, "a:6")
}

func TestTrackerLimit(t *testing.T) {
	x := newTracker(Filter{}, 3)
	hello := func(i int) verdict {
		return x.apply(kindHello, testEndpoint(fmt.Sprintf("urn:uuid:%d", i)), appSequence{1, 1}, true, netip.Addr{})
	}
	for i := range 3 {
		require.Equal(t, taken, hello(i))
	}
	require.Equal(t, overflow, hello(3), "those known stay")
	for range 3 {
		_, ok := x.next()
		require.True(t, ok)
	}
	require.Equal(t, overflow, hello(3))
	require.Equal(t, taken, x.apply(kindBye, Endpoint{EPR: "urn:uuid:1"}, appSequence{1, 2}, true, netip.Addr{}))
	require.Equal(t, overflow, hello(3), "the reader has not been told yet")
	e, _ := x.next()
	require.Equal(t, Gone, e.Kind)
	require.Equal(t, taken, hello(3), "one that has gone makes place")
	require.Len(t, x.entries, 3)
	e, _ = x.next()
	require.Equal(t, "urn:uuid:3", e.Endpoint.EPR)
}

// A flood of invented devices displaces its own: whoever comes afterwards is told of and stays, and so do those known before.
func TestFloodDisplacesItsOwn(t *testing.T) {
	intruder, other := netip.MustParseAddr("192.0.2.66"), netip.MustParseAddr("192.0.2.5")
	x := newTracker(Filter{}, 100)
	said := map[EventKind]map[string]int{Found: {}, Gone: {}}
	read := func() {
		for e, ok := x.next(); ok; e, ok = x.next() {
			said[e.Kind][e.Endpoint.EPR]++
		}
	}
	n := 0
	flood := func(read func()) {
		for range 1000 {
			n++
			require.Equal(t, taken, x.apply(kindHello, testEndpoint(fmt.Sprintf("urn:uuid:%d", n)), appSequence{1, 1}, true, intruder))
			read()
			require.LessOrEqual(t, len(x.entries), 100)
			require.Len(t, x.order, len(x.entries))
			require.LessOrEqual(t, len(x.pending), 200)
		}
	}
	hello := func(epr string, sender netip.Addr) {
		require.Equal(t, taken, x.apply(kindHello, testEndpoint(epr), appSequence{1, 1}, true, sender))
	}
	hello("urn:uuid:known", other)
	hello("urn:uuid:managed", netip.Addr{})
	flood(read)
	hello("urn:uuid:new", other)
	flood(read)
	hello("urn:uuid:while-nobody-reads", other)
	flood(func() {})
	read()
	for _, epr := range []string{"urn:uuid:known", "urn:uuid:managed", "urn:uuid:new", "urn:uuid:while-nobody-reads"} {
		require.Equal(t, 1, said[Found][epr], epr)
		require.Zero(t, said[Gone][epr], epr)
	}
	require.Equal(t, 100, len(said[Found])-len(said[Gone]), "what the reader believes present is what is kept")
	require.Zero(t, x.leaving)
}

// A reader that does not read at all makes it no larger: of those that have left it is told before others leave.
func TestFloodWhileNobodyReads(t *testing.T) {
	x := newTracker(Filter{}, 3)
	n := 0
	hello := func() verdict {
		n++
		return x.apply(kindHello, testEndpoint(fmt.Sprintf("urn:uuid:%d", n)), appSequence{1, 1}, true, netip.MustParseAddr("192.0.2.66"))
	}
	for range 3 {
		hello()
	}
	for range 3 {
		_, ok := x.next()
		require.True(t, ok)
	}
	for range 1000 {
		hello()
		require.LessOrEqual(t, len(x.pending), 6)
	}
	for _, ok := x.next(); ok; _, ok = x.next() {
	}
	require.Equal(t, taken, hello())
}

func TestRecent(t *testing.T) {
	// covers: WSD-3
	r := newRecent()
	require.True(t, r.add("a"))
	require.False(t, r.add("a"))
	for i := range maxRecent - 1 {
		require.True(t, r.add(fmt.Sprint(i)))
	}
	require.False(t, r.add("a"), "within the memory")
	require.True(t, r.add("b"))
	require.True(t, r.add("a"), "the oldest is forgotten")
	require.Len(t, r.ids, maxRecent, "memory is bounded")
}
