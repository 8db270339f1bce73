package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/soap"
)

// pages is a journal in memory.
type pages struct {
	mu      sync.Mutex
	entries []soap.JournalEntry
}

func (p *pages) Note(e soap.JournalEntry) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.Document = bytes.Clone(e.Document)
	p.entries = append(p.entries, e)
	return uint64(len(p.entries))
}

// count counts the entries by what they say in short.
func (p *pages) count() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]int{}
	for _, e := range p.entries {
		s := "got "
		if e.Sent {
			s = "sent "
		}
		if m, err := decodeDatagram(e.Document); err == nil {
			s += m.kind.String()
		}
		for _, f := range []struct {
			is   bool
			name string
		}{{e.Multicast, " to all"}, {e.Repeated, " again"}, {e.Problem != "", " problem"}, {e.Document == nil, " nothing"}} {
			if f.is {
				s += f.name
			}
		}
		out[s]++
	}
	return out
}

// Each datagram stands in the journals of both sides, the first of its copies apart from the others.
func TestJournalOfDatagrams(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		var there, here pages
		c := l.client(t, "10.0.0.2", ClientConfig{Journal: &here})
		_, stop := l.target(t, "10.0.0.1", TargetConfig{Endpoint: testEndpoint(testEPR), Journal: &there})
		time.Sleep(5 * time.Second)
		_, err := c.Probe(t.Context(), Filter{}, 4*time.Second)
		require.NoError(t, err)
		_, err = c.Resolve(t.Context(), testEPR)
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		stranger := l.transport(t, "10.0.0.9")
		require.NoError(t, stranger.Multicast([]byte("garbage")))
		require.NoError(t, stranger.Multicast(bytes.Repeat([]byte("x"), maxReceive+1)))
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		expect := func(sent, got string) map[string]int {
			out := map[string]int{"got  to all problem": 1, "got  to all problem nothing": 1} // what the stranger said
			for _, k := range strings.Fields(sent) {
				to := map[bool]string{true: " to all"}[!strings.HasSuffix(k, "Matches")]
				out["sent "+k+to], out["sent "+k+to+" again"] = 1, 1
				if to != "" && k != "Bye" { // what is sent to all comes back, to those who still listen
					out["got "+k+to+" again"] += 2
				}
			}
			for _, k := range strings.Fields(got) {
				to := map[bool]string{true: " to all"}[!strings.HasSuffix(k, "Matches")]
				out["got "+k+to]++
				out["got "+k+to+" again"]++
			}
			return out
		}
		require.Equal(t, expect("Hello ProbeMatches ResolveMatches Bye", "Probe Resolve"), there.count())
		require.Equal(t, expect("Probe Resolve", "Hello ProbeMatches ResolveMatches Bye"), here.count())
		for _, e := range append(there.entries, here.entries...) {
			require.Equal(t, []any{soap.KindDatagram, "udp", e.Multicast && e.Sent}, []any{e.Kind, e.Transport, e.Peer == ""})
			require.False(t, e.Time.IsZero())
		}
	})
}

// noWay is a transport that sends nothing.
type noWay struct{ *Silence }

func (noWay) Multicast([]byte) error               { return errors.New("no way") }
func (noWay) Unicast(netip.AddrPort, []byte) error { return errors.New("no way") }

// What could not be sent is told.
func TestJournalOfDatagramsThatAreNotSent(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var here pages
		silence := NewSilence()
		c, err := NewClient(ClientConfig{Transport: noWay{silence}, Journal: &here})
		require.NoError(t, err)
		_, err = c.Probe(t.Context(), Filter{}, time.Second)
		require.Error(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, silence.Close())
		require.Equal(t, "map[sent Probe to all:1 sent to all problem nothing:1]", fmt.Sprint(firsts(here.count())))
	})
}

// firsts leaves out what repeats.
func firsts(counts map[string]int) map[string]int {
	out := map[string]int{}
	for k := range counts {
		if !strings.Contains(k, "again") {
			out[strings.ReplaceAll(k, "  ", " ")] = 1
		}
	}
	return out
}
