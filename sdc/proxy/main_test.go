package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	proxyIP    = "192.0.2.1"
	deviceIP   = "192.0.2.2"
	consumerIP = "192.0.2.3"
	otherIP    = "192.0.2.4"
	proxyURL   = "http://" + proxyIP + ":6464/"
)

func epr(n int) string { return fmt.Sprintf("urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-%012x", n) }

// ward is an in-memory network, to be used in a bubble.
type ward struct {
	t   *testing.T
	net *memnet.Network
}

func newWard(t *testing.T) *ward {
	n := memnet.New(memnet.Config{})
	t.Cleanup(n.Close)
	return &ward{t, n}
}

func (w *ward) transport(ip string) *discovery.PacketTransport {
	w.t.Helper()
	receive, err := w.net.Host(ip).ListenPacket(discovery.DefaultPort)
	require.NoError(w.t, err)
	require.NoError(w.t, receive.JoinGroup(discovery.GroupIPv4()))
	send, err := w.net.Host(ip).ListenPacket(0)
	require.NoError(w.t, err)
	tr := discovery.NewPacketTransport(receive, send, netip.AddrPortFrom(discovery.GroupIPv4(), discovery.DefaultPort))
	w.t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// proxy runs a proxy without TLS until the test ends or stop is called.
func (w *ward) proxy(cfg Config) (p *Proxy, stop func()) {
	w.t.Helper()
	host := w.net.Host(proxyIP)
	cfg.Insecure, cfg.Dial = true, host.Dial
	cfg.Listen = func(context.Context, string, string) (net.Listener, error) { return host.Listen(6464) }
	transport := w.transport(proxyIP)
	cfg.Transport = transport
	p, err := New(cfg)
	require.NoError(w.t, err)
	end := w.run(p.Run, p.Ready())
	return p, func() {
		end()
		_ = transport.Close() // for the next proxy of this host
	}
}

// run runs something until the test ends or the returned function is called, which waits.
func (w *ward) run(run func(context.Context) error, ready <-chan struct{}) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- run(ctx) }()
	select {
	case <-ready:
	case err := <-ran:
		w.t.Fatalf("ended before it began: %v", err)
	}
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ran)
	})
	w.t.Cleanup(stop)
	return stop
}

func (w *ward) http(ip string) *soap.Client {
	c, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: w.net.Host(ip).Dial})
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	return c
}

// device is a discovery target with an HTTP endpoint of its own that answers directed Probes.
func (w *ward) device(ip, epr string, managed discovery.ManagedConfig) (t *discovery.Target, stop func()) {
	w.t.Helper()
	ln, err := w.net.Host(ip).Listen(0)
	require.NoError(w.t, err)
	server, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(w.t, err)
	managed.Client = w.http(ip)
	t, err = discovery.NewTarget(discovery.TargetConfig{
		Endpoint: discovery.Endpoint{
			EPR: epr, Types: discovery.DeviceTypes(), Scopes: []string{sdc.PKPScope(sdc.OIDProvider)},
			XAddrs: []string{"http://" + ln.Addr().String() + "/"},
		},
		Transport: w.transport(ip), Managed: managed, Timing: discovery.Timing{HelloDelay: -1},
	})
	require.NoError(w.t, err)
	server.Handle("/", &soap.Endpoint{Actions: map[string]soap.Handler{discovery.ActionProbe: t.HandleProbe}})
	up := make(chan struct{})
	close(up)
	w.run(func(ctx context.Context) error { return server.Serve(ctx, ln) }, up)
	return t, w.run(t.Run, t.Ready())
}

// client is a discovery client with a sink for notifications.
func (w *ward) client(ip string, managed discovery.ManagedConfig) *discovery.Client {
	w.t.Helper()
	ln, err := w.net.Host(ip).Listen(0)
	require.NoError(w.t, err)
	server, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(w.t, err)
	up := make(chan struct{})
	close(up)
	w.run(func(ctx context.Context) error { return server.Serve(ctx, ln) }, up)
	managed.Client = w.http(ip)
	managed.Sink, err = eventing.NewSink(eventing.SinkConfig{Server: server, Client: managed.Client, BaseURL: "http://" + ln.Addr().String()})
	require.NoError(w.t, err)
	c, err := discovery.NewClient(discovery.ClientConfig{Transport: w.transport(ip), Managed: managed})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, c.Close()) })
	return c
}

// diary is what a Watch has told.
type diary struct {
	mu     sync.Mutex
	events []discovery.Event
}

func (w *ward) watch(c *discovery.Client) *diary {
	d := new(diary)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range c.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
			d.mu.Lock()
			d.events = append(d.events, e)
			d.mu.Unlock()
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
	return d
}

// told returns the kinds of events since the last call.
func (d *diary) told() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var kinds []string
	for _, e := range d.events {
		kinds = append(kinds, e.Kind.String())
	}
	d.events = nil
	return strings.Join(kinds, " ")
}

// ear counts the multicast messages of a kind that the network carries.
type ear struct {
	mu   sync.Mutex
	seen []string
}

func (w *ward) ear() *ear {
	e := new(ear)
	tr := w.transport("192.0.2.99")
	up := make(chan struct{})
	close(up)
	w.run(func(ctx context.Context) error {
		return tr.Serve(ctx, func(d discovery.Datagram) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.seen = append(e.seen, string(d.Data))
		})
	}, up)
	return e
}

// heard counts the datagrams that hold all of the texts.
func (e *ear) heard(texts ...string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.seen {
		if !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(s, t) }) {
			n++
		}
	}
	return n
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// stateOf is what a TLS connection would say of a peer.
func stateOf(t *testing.T, id *sdc.Identity) tls.ConnectionState {
	t.Helper()
	var chain []*x509.Certificate
	for _, der := range id.Certificate.Certificate {
		c, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		chain = append(chain, c)
	}
	return tls.ConnectionState{PeerCertificates: chain}
}
