package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/soap"
)

// site is a proxy on loopback with real sockets and mutual TLS, and an authority for those who come to it.
type site struct {
	t  *testing.T
	ca *pki.CA
	*Proxy
}

func newSite(t *testing.T, cfg Config) *site {
	t.Helper()
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	s := &site{t: t, ca: ca}
	cfg.Identity, cfg.Quiet = s.identity("proxy", sdc.RoleBoth), true
	s.Proxy, err = New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ran)
	})
	return s
}

func (s *site) identity(name string, role sdc.Role) *sdc.Identity {
	s.t.Helper()
	pair, err := s.ca.Issue(pki.Request{Name: name, Role: role})
	require.NoError(s.t, err)
	id, err := pair.Identity()
	require.NoError(s.t, err)
	return id
}

func (s *site) client(id *sdc.Identity) *soap.Client {
	s.t.Helper()
	c, err := soap.NewClient(soap.ClientConfig{TLS: id.ClientTLS(sdc.RoleProvider), Timeout: time.Minute})
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

// fill lists devices of several peers with as many scopes as fit.
func (s *site) fill(n int) {
	s.t.Helper()
	for i := range n {
		a := at(i)
		a.Endpoint.XAddrs = nil
		for j := range 200 {
			a.Endpoint.Scopes = append(a.Endpoint.Scopes, fmt.Sprintf("sdc.ctxt.loc:/a/b?n=%d&amp=%d", i, j)[:24])
		}
		s.mu.Lock()
		_, err := s.reg.hello(a, fmt.Sprint("peer ", i/300), time.Now())
		s.mu.Unlock()
		require.NoError(s.t, err)
	}
}

// most is the most memory of the heap in use until stop is called.
func most() (stop func() uint64) {
	end, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-tick.C:
			case <-end:
				peak <- most
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-peak
	}
}

// Whoever asks for everything on many connections and reads nothing is told to come again; others are served meanwhile, and memory has a bound.
func TestProbesWhoseAnswersNobodyReads(t *testing.T) {
	s := newSite(t, Config{})
	s.fill(1800) // which makes an answer of 11 MB
	hostile, good := s.identity("hostile", sdc.RoleConsumer), s.client(s.identity("good", sdc.RoleConsumer))
	everything := func() {
		found, err := discovery.DirectedProbe(t.Context(), good, s.URL(), discovery.Filter{Types: discovery.DeviceTypes()})
		require.NoError(t, err)
		require.Len(t, found, 1800)
	}
	everything()
	u, err := url.Parse(s.URL())
	require.NoError(t, err)
	probe := string(soap.AppendEnvelope(nil, &soap.Header{To: discovery.To, Action: discovery.ActionProbe, MessageID: soap.NewMessageID()}, soap.RawBody(
		`<wsd:Probe xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"/>`)))
	stop := most()
	var conns []net.Conn
	var all sync.WaitGroup
	for range 60 {
		c, err := tls.Dial("tcp", u.Host, hostile.ClientTLS(sdc.RoleProvider))
		require.NoError(t, err)
		defer c.Close()
		conns = append(conns, c)
		all.Go(func() {
			_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n%s", len(probe), probe)
			if err == nil {
				_, _ = io.ReadFull(c, make([]byte, 12)) // which comes with the answer
			}
		})
	}
	all.Wait()
	everything()
	for _, c := range conns {
		_ = c.Close()
	}
	peak := stop() >> 20
	t.Logf("%d MiB of heap at most", peak)
	require.Less(t, peak, uint64(300))
}

// A Probe for very many scopes is refused before anything is compared.
func TestProbeForManyScopes(t *testing.T) {
	s := newSite(t, Config{})
	s.fill(10)
	c := s.client(s.identity("hostile", sdc.RoleConsumer))
	_, err := discovery.DirectedProbe(t.Context(), c, s.URL(), discovery.Filter{Scopes: strings.Fields(strings.Repeat("sdc.ctxt.loc:/a ", 3000))})
	var f *soap.Fault
	require.ErrorAs(t, err, &f)
	require.Contains(t, f.Reason, "more than 64")
}
