package discovery

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/soap"
)

// watcher collects what a Watch reports.
type watcher struct {
	mu     sync.Mutex
	events []Event
	done   chan struct{}
	cancel context.CancelFunc
}

// watching begins a Watch in a bubble. When it returns the Watch hears what is said, and its Probe is out.
func watching(t *testing.T, c *Client, f Filter) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w := &watcher{done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(w.done)
		for e := range c.Watch(ctx, f) {
			w.mu.Lock()
			w.events = append(w.events, e)
			w.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-w.done
	})
	synctest.Wait()
	return w
}

// take returns the kinds since the last call, leaving Alive out.
func (w *watcher) take() []EventKind {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kinds []EventKind
	for _, e := range w.events {
		if e.Kind != Alive {
			kinds = append(kinds, e.Kind)
		}
	}
	w.events = nil
	return kinds
}

// last returns the last event, leaving Alive out: devices say Hello whenever they like.
func (w *watcher) last() Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.events) {
		if e.Kind != Alive {
			return e
		}
	}
	return Event{}
}

func TestWatch(t *testing.T) {
	// covers: SDPi R3001, SDPi R3002, COEX-4
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		_, stopEarly := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		time.Sleep(5 * time.Second)
		p.forget()

		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{Types: DeviceTypes()})
		time.Sleep(5 * time.Second)
		require.Equal(t, []EventKind{Found}, w.take(), "by the initial Probe")

		late, _ := l.target(t, "10.0.0.2", TargetConfig{Endpoint: testEndpoint(otherEPR), Timing: Timing{HelloDelay: -1}})
		time.Sleep(5 * time.Second)
		require.Equal(t, testEndpoint(otherEPR), w.last().Endpoint)
		require.Equal(t, []EventKind{Found}, w.take(), "by its Hello")

		require.NoError(t, late.SetScopes([]string{"a:b"}))
		time.Sleep(5 * time.Second)
		require.Equal(t, late.Endpoint(), w.last().Endpoint)
		require.Equal(t, []EventKind{Changed}, w.take())

		stopEarly()
		time.Sleep(5 * time.Second)
		require.Equal(t, testEPR, w.last().Endpoint.EPR)
		require.Equal(t, []EventKind{Gone}, w.take())

		// the same device at another address
		e := testEndpoint(testEPR)
		e.XAddrs, e.MetadataVersion = []string{"https://10.0.0.1:7777/x"}, e.MetadataVersion+1
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: e, Timing: Timing{HelloDelay: -1}})
		time.Sleep(5 * time.Second)
		require.Equal(t, e, w.last().Endpoint)
		require.Equal(t, []EventKind{Found}, w.take())

		// no probing but at the start and on request
		time.Sleep(time.Hour)
		require.Empty(t, w.take())
		require.Len(t, first(p.seen(kindProbe)), 1)
		w.mu.Lock()
		w.events = nil
		w.mu.Unlock()
		require.NoError(t, c.Refresh())
		time.Sleep(5 * time.Second)
		require.Len(t, first(p.seen(kindProbe)), 2)
	})
}

func TestWatchSeesRestart(t *testing.T) {
	// covers: COEX-3
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{})
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Timing: Timing{HelloDelay: -1}})
		_, crash := l.target(t, "10.0.0.2", TargetConfig{Endpoint: testEndpoint(otherEPR), Timing: Timing{HelloDelay: -1}})
		time.Sleep(time.Second)
		require.Equal(t, []EventKind{Found, Found}, w.take())

		// it goes without a Bye that anybody hears, and comes back: only it is reported
		l.net.Partition("10.0.0.2", "10.0.0.3")
		crash()
		time.Sleep(time.Minute)
		l.net.Heal("10.0.0.2", "10.0.0.3")
		require.Empty(t, w.take())
		l.target(t, "10.0.0.2", TargetConfig{Endpoint: testEndpoint(otherEPR), Timing: Timing{HelloDelay: -1}})
		time.Sleep(time.Second)
		require.Equal(t, otherEPR, w.last().Endpoint.EPR)
		require.Equal(t, []EventKind{Restarted}, w.take())
	})
}

func TestWatchIgnoresForeign(t *testing.T) {
	// covers: COEX-5
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{Types: DeviceTypes()})
		printer := Endpoint{
			EPR: otherEPR, Types: []Name{{Space: "urn:printer", Local: "Print"}},
			XAddrs: []string{"http://10.0.0.9/print"}, MetadataVersion: 1,
		}
		send := func(k kind, e ...Endpoint) {
			h := &soap.Header{To: To, Action: k.action(), MessageID: soap.NewMessageID(), Extra: []soap.Body{appSequence{1, 1}}}
			require.NoError(t, p.transport.Multicast(soap.AppendEnvelope(nil, h, body{kind: k, endpoints: e})))
		}
		send(kindHello, printer)
		send(kindProbeMatches, printer, Endpoint{Types: DeviceTypes(), XAddrs: []string{"a:b"}}) // one without EPR
		send(kindBye, printer)
		send(kindResolve, printer)
		for name, data := range refusedDatagrams(t) {
			require.NoError(t, p.transport.Multicast(data), name)
		}
		time.Sleep(5 * time.Second)
		require.Empty(t, w.take())
		// known types beside unknown ones are what is looked for
		e := testEndpoint(testEPR)
		e.Types = append(e.Types, Name{Space: "urn:printer", Local: "Print"})
		send(kindHello, e)
		synctest.Wait()
		require.Equal(t, []EventKind{Found}, w.take())
	})
}

func TestWatchResolves(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{Types: DeviceTypes()})
		time.Sleep(time.Second)
		p.forget()

		// a device whose Hello leaves the address out, as SDPi's example does
		e := testEndpoint(testEPR)
		e.XAddrs = nil
		h := &soap.Header{To: To, Action: ActionHello, MessageID: soap.NewMessageID(), Extra: []soap.Body{appSequence{1, 1}}}
		require.NoError(t, p.transport.Multicast(soap.AppendEnvelope(nil, h, body{kind: kindHello, endpoints: []Endpoint{e}})))
		time.Sleep(time.Second)
		require.Empty(t, w.take(), "useless without an address")
		asked := first(p.seen(kindResolve))
		require.Len(t, asked, 1)
		require.Equal(t, testEPR, asked[0].msg.endpoints[0].EPR)

		h = &soap.Header{
			To: soap.Anonymous, Action: ActionResolveMatches, MessageID: soap.NewMessageID(),
			RelatesTo: asked[0].msg.id, Extra: []soap.Body{appSequence{1, 2}},
		}
		answer := body{kind: kindResolveMatches, endpoints: []Endpoint{testEndpoint(testEPR)}}
		require.NoError(t, p.transport.Unicast(asked[0].from, soap.AppendEnvelope(nil, h, answer)))
		time.Sleep(time.Second)
		require.Equal(t, testEndpoint(testEPR), w.last().Endpoint)
		require.Equal(t, []EventKind{Found}, w.take())
	})
}

func TestWatchSlowReader(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		c := l.client(t, "10.0.0.3", ClientConfig{})
		var targets []*Target
		for i := range 3 {
			e := testEndpoint(fmt.Sprintf("urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f000%d", i))
			target, _ := l.target(t, fmt.Sprintf("10.0.1.%d", i), TargetConfig{Endpoint: e, Timing: PromptTiming()})
			targets = append(targets, target)
		}
		latest := map[string]Endpoint{}
		events := 0
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for e := range c.Watch(ctx, Filter{}) {
			events++
			latest[e.Endpoint.EPR] = e.Endpoint
			if events == 1 {
				for i := range 200 { // while the reader is busy
					for _, target := range targets {
						require.NoError(t, target.SetScopes([]string{fmt.Sprintf("a:%d", i)}))
					}
					time.Sleep(time.Second)
				}
			}
		}
		require.Len(t, latest, 3)
		for _, target := range targets {
			require.Equal(t, target.Endpoint(), latest[target.Endpoint().EPR], "the latest state is not lost")
		}
		require.Less(t, events, 50, "what is old is merged")
	})
}

func TestProbe(t *testing.T) {
	// covers: SDPi R3002
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		for i := range 3 {
			e := testEndpoint(fmt.Sprintf("urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f000%d", i))
			e.Scopes = []string{fmt.Sprintf("sdc.ctxt.loc:/x/bed%d", i), "sdc.mds.pkp:1.2"}
			l.target(t, fmt.Sprintf("10.0.1.%d", i), TargetConfig{Endpoint: e})
		}
		time.Sleep(5 * time.Second)
		p.forget()
		c := l.client(t, "10.0.0.3", ClientConfig{})
		probe := func(f Filter) []string {
			began := time.Now()
			all, err := c.Probe(t.Context(), f, 0)
			require.NoError(t, err)
			require.Equal(t, 3*time.Second, time.Since(began))
			var eprs []string
			for _, e := range all {
				require.Len(t, e.XAddrs, 1)
				eprs = append(eprs, e.EPR[len(e.EPR)-1:])
			}
			slices.Sort(eprs)
			return eprs
		}
		require.Equal(t, []string{"0", "1", "2"}, probe(Filter{Types: DeviceTypes()}))
		require.Equal(t, []string{"1"}, probe(Filter{Scopes: []string{"sdc.ctxt.loc:/x/bed1"}}))
		require.Empty(t, probe(Filter{Scopes: []string{"sdc.ctxt.pat:"}}))
		asked := p.seen(kindProbe)
		require.Len(t, first(asked), 3)
		requireCopies(t, asked[:2])
		require.False(t, asked[0].msg.hasSequence)

		_, err := c.Probe(t.Context(), Filter{MatchBy: MatchUUID}, 0)
		require.ErrorIs(t, err, ErrMatchingRule)
		ctx, cancel := context.WithTimeout(t.Context(), 2900*time.Millisecond)
		defer cancel()
		all, err := c.Probe(ctx, Filter{}, time.Hour)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, all, 3, "what has come so far")
		_, err = c.Probe(t.Context(), Filter{Scopes: []string{"a:" + string(bytes.Repeat([]byte{'x'}, MaxDatagram))}}, 0)
		require.ErrorIs(t, err, ErrTooLong)
	})
}

func TestProbeResolves(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		p := l.tap(t, "10.0.0.9")
		c := l.client(t, "10.0.0.3", ClientConfig{})
		reply := func(q captured, k kind, number uint32, e Endpoint) {
			h := &soap.Header{
				To: soap.Anonymous, Action: k.action(), MessageID: soap.NewMessageID(),
				RelatesTo: q.msg.id, Extra: []soap.Body{appSequence{1, number}},
			}
			require.NoError(t, p.transport.Unicast(q.from, soap.AppendEnvelope(nil, h, body{kind: k, endpoints: []Endpoint{e}})))
		}
		type result struct {
			all []Endpoint
			err error
		}
		done := make(chan result, 1)
		go func() {
			all, err := c.Probe(t.Context(), Filter{Types: DeviceTypes()}, 3*time.Second)
			done <- result{all, err}
		}()
		time.Sleep(time.Second)
		asked := p.seen(kindProbe)[0]
		hidden, silent, foreign := testEndpoint(testEPR), testEndpoint(otherEPR), testEndpoint("urn:uuid:3")
		hidden.XAddrs, silent.XAddrs, foreign.Types = nil, nil, nil
		reply(asked, kindProbeMatches, 1, hidden)
		reply(asked, kindProbeMatches, 1, silent)
		reply(asked, kindProbeMatches, 1, foreign) // answers what it was not asked
		time.Sleep(time.Second)
		resolves := first(p.seen(kindResolve))
		require.Len(t, resolves, 2)
		reply(resolves[0], kindResolveMatches, 2, testEndpoint(testEPR))
		got := <-done
		require.NoError(t, got.err)
		require.Equal(t, []Endpoint{testEndpoint(testEPR), silent}, got.all)
	})
}

func TestResolve(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		c := l.client(t, "10.0.0.3", ClientConfig{})
		e, err := c.Resolve(t.Context(), testEPR)
		require.NoError(t, err)
		require.Equal(t, testEndpoint(testEPR), e)
		began := time.Now()
		_, err = c.Resolve(t.Context(), otherEPR)
		require.ErrorIs(t, err, ErrNoAnswer)
		require.Equal(t, 10*time.Second, time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = c.Resolve(ctx, otherEPR)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, c.resolves)
		require.Empty(t, c.probes)
	})
}

func TestLossyNetwork(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		l.net.SetLink(memnet.Link{Latency: time.Millisecond, Jitter: 200 * time.Millisecond, Duplicate: 0.5})
		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{})
		target, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR)})
		time.Sleep(5 * time.Second)
		require.Equal(t, []EventKind{Found}, w.take(), "once, whatever was duplicated")
		for i := range 20 { // in quick succession: Hellos overtake one another
			require.NoError(t, target.SetScopes([]string{fmt.Sprintf("a:%d", i)}))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		require.Equal(t, target.Endpoint(), w.last().Endpoint, "an old Hello does not override")
		w.take()
		stop()
		time.Sleep(time.Second)
		require.Equal(t, []EventKind{Gone}, w.take())
	})
}

func TestClientClose(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		c := l.client(t, "10.0.0.3", ClientConfig{})
		w := watching(t, c, Filter{})
		results := make(chan error, 2)
		go func() {
			_, err := c.Probe(t.Context(), Filter{}, time.Hour)
			results <- err
		}()
		go func() {
			_, err := c.Resolve(t.Context(), testEPR)
			results <- err
		}()
		synctest.Wait()
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-results, ErrClosed)
		require.ErrorIs(t, <-results, ErrClosed)
		<-w.done
		require.NoError(t, c.Err())
		require.NoError(t, c.Close(), "again")
		require.ErrorIs(t, c.Refresh(), nil, "nothing is watched")
		_, err := c.Probe(t.Context(), Filter{}, 0)
		require.ErrorIs(t, err, ErrClosed)
		for range c.Watch(t.Context(), Filter{}) {
			t.Fatal("an event from a closed client")
		}
		for range c.Watch(t.Context(), Filter{MatchBy: MatchUUID}) {
			t.Fatal("an event by an unsupported rule")
		}
	})
}

func TestWatchLimit(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		var log bytes.Buffer
		c := l.client(t, "10.0.0.3", ClientConfig{MaxEndpoints: 2, Logger: testLogger(&log)})
		w := watching(t, c, Filter{})
		for i := range 4 {
			e := testEndpoint(fmt.Sprintf("urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f000%d", i))
			l.target(t, fmt.Sprintf("10.0.1.%d", i), TargetConfig{Endpoint: e, Timing: PromptTiming()})
		}
		time.Sleep(time.Second)
		// Each that answers is told of, and for each newcomer one gives way.
		present := 0
		for _, k := range w.take() {
			switch k {
			case Found:
				present++
			case Gone:
				present--
			}
			require.LessOrEqual(t, present, 2)
		}
		require.Equal(t, 2, present)
		all, err := c.Probe(t.Context(), Filter{}, time.Second)
		require.NoError(t, err)
		require.Len(t, all, 2)
		require.NoError(t, c.Close())
		require.Contains(t, log.String(), "too many endpoints")
		require.Contains(t, log.String(), "too many answers")
	})
}
