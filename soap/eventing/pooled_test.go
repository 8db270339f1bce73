package eventing

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// counted notes how often it is encoded.
type counted struct {
	text  string
	times int
}

func (c *counted) AppendXML(b []byte) []byte {
	c.times++
	return append(append(append(b, "<x>"...), c.text...), "</x>"...)
}

// The memory of a body is used again, but not before the slowest subscription has got it, repetitions and all: each gets what was published.
func TestBodiesAreShared(t *testing.T) {
	inBubble(t, SourceConfig{NumberHeader: numberHeader}, func(t *testing.T, b *bench) {
		require.Zero(t, b.source.PublishBody(actMetric, nil), "nobody waits for it, so it is not encoded")
		fast, slow, ending := b.listener(consumerIP), b.listener(consumerIP), b.listener(consumerIP)
		n := 0
		slow.answer = func(_ message, w http.ResponseWriter, _ *http.Request) {
			pass(50 * time.Millisecond)
			if n++; n%3 == 1 {
				w.WriteHeader(http.StatusServiceUnavailable) // and it is repeated
				return
			}
			w.WriteHeader(http.StatusAccepted)
		}
		ending.answer = func(_ message, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
		for _, k := range []*listener{fast, slow, ending} {
			b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		}
		var want []string
		for i := range 40 {
			c := &counted{text: fmt.Sprint(i, strings.Repeat("x", (i*37)%50))}
			want = append(want, c.text)
			require.Equal(t, len("<x></x>")+len(c.text), b.source.PublishBody(actMetric, c))
			require.Equal(t, 1, c.times)
			if i%4 == 0 {
				pass(20 * time.Millisecond)
			}
		}
		pass(30 * time.Second)
		require.Equal(t, strings.Join(want, " "), bodies(fast.take("/a")))
		var got []message
		for _, m := range slow.take("/a") {
			if len(got) == 0 || got[len(got)-1].number != m.number {
				got = append(got, m)
				continue
			}
			require.Equal(t, got[len(got)-1].body, m.body, "a repetition")
		}
		require.Equal(t, strings.Join(want, " "), bodies(got))
		require.NotEmpty(t, ending.take("/a_e"))
	})
}

// A large body is not kept, and what is kept does not cost memory again.
func TestBodiesAreKept(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		small, large := soap.RawBody(body(strings.Repeat("y", 10_000))), soap.RawBody(body(strings.Repeat("y", maxPooled)))
		b.source.PublishBody(actMetric, large)
		pass(time.Second)
		require.Len(t, k.take("/a"), 1)
		for range 10 {
			b.source.PublishBody(actMetric, small)
			pass(time.Second)
			require.Len(t, k.take("/a"), 1)
			if p, ok := b.source.bodies.Get().(*pooled); ok { // the race detector makes pools forget
				require.LessOrEqual(t, cap(p.bytes), maxPooled)
				require.Zero(t, p.users.Load())
				b.source.bodies.Put(p)
			}
		}
	})
}

// What waits takes about the memory that it counts for, also when reports of another kind are large.
func TestBodiesWaitInTheirSize(t *testing.T) {
	inBubble(t, SourceConfig{NotifyTimeout: time.Hour}, func(t *testing.T, b *bench) {
		others, stalled := b.listener(consumerIP), b.listener(consumerIP)
		stop := make(chan struct{})
		answer := sync.OnceFunc(func() { close(stop) })
		defer answer()
		stalled.answer = func(message, http.ResponseWriter, *http.Request) { <-stop }
		b.subscribeTo("/StateEvent", others, "a", time.Minute, actAlert)
		b.subscribeTo("/StateEvent", stalled, "a", time.Minute, actMetric)
		small, large := soap.RawBody(body(strings.Repeat("y", 1_000))), soap.RawBody(body(strings.Repeat("y", 500_000)))
		const n = 40
		for range n {
			b.source.PublishBody(actAlert, large)
			pass(100 * time.Millisecond)
			b.source.PublishBody(actMetric, small)
			pass(100 * time.Millisecond)
		}
		require.Len(t, others.take("/a"), n)
		waiting, counted, taken := 0, 0, 0
		b.source.mu.Lock()
		for _, c := range b.source.consumers {
			c.mu.Lock()
			for _, j := range c.queue.jobs[c.queue.head:] {
				waiting, counted, taken = waiting+1, counted+len(j.body), taken+cap(j.body)
				require.Equal(t, []byte(small), j.body)
			}
			c.mu.Unlock()
		}
		b.source.mu.Unlock()
		require.Equal(t, n-1, waiting)
		require.LessOrEqual(t, taken, 2*counted+waiting*maxLoose)
		answer()
		pass(time.Second)
		require.Len(t, stalled.take("/a"), n)
	})
}

// Memory that is about that of the body goes on serving; that of a much larger one is given back.
func TestBodiesFit(t *testing.T) {
	for _, c := range []struct {
		size, memory int
		stays        bool
	}{
		{0, 16 << 10, true},
		{1000, 16 << 10, true},
		{1000, 20_000, false},
		{100_000, 131_072, true},
		{500_000, 1_000_000, true},
		{500_000, 1_100_000, false},
	} {
		home := &sync.Pool{}
		p := &pooled{bytes: append(make([]byte, 0, c.memory), strings.Repeat("x", c.size)...), home: home}
		p.users.Store(1)
		q := p.fitted()
		require.Equal(t, c.stays, p == q, c)
		require.Equal(t, strings.Repeat("x", c.size), string(q.bytes))
		require.EqualValues(t, 1, q.users.Load())
		require.LessOrEqual(t, cap(q.bytes), 2*c.size+maxLoose)
	}
}
