package discovery

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testEPR  = "urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f0f01"
	otherEPR = "urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f0f02"
)

func testEndpoint(epr string) Endpoint {
	return Endpoint{
		EPR:             epr,
		Types:           DeviceTypes(),
		Scopes:          []string{"sdc.mds.pkp:1.2.840.10004.20701.1.1", "sdc.ctxt.loc:/sdc.ctxt.loc.detail/fac1%2F%2F%2Fpoc1%2F%2Fbed1?fac=fac1&poc=poc1&bed=bed1"},
		XAddrs:          []string{"https://127.0.0.1:6464/3d1dcb2c"},
		MetadataVersion: 7,
	}
}

// lan is an in-memory network with the discovery group.
type lan struct {
	net *memnet.Network
}

func newLAN(t *testing.T) *lan {
	n := memnet.New(memnet.Config{})
	t.Cleanup(n.Close)
	return &lan{n}
}

func (l *lan) group() netip.AddrPort { return netip.AddrPortFrom(GroupIPv4(), DefaultPort) }

// transport returns the transport of a participant on a host.
func (l *lan) transport(t *testing.T, ip string) *PacketTransport {
	t.Helper()
	receive, err := l.net.Host(ip).ListenPacket(DefaultPort)
	require.NoError(t, err)
	require.NoError(t, receive.JoinGroup(GroupIPv4()))
	send, err := l.net.Host(ip).ListenPacket(0)
	require.NoError(t, err)
	tr := NewPacketTransport(receive, send, l.group())
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// target runs a target on a host until the test ends or stop is called, which waits.
func (l *lan) target(t *testing.T, ip string, cfg TargetConfig) (target *Target, stop func()) {
	t.Helper()
	if cfg.Transport == nil {
		cfg.Transport = l.transport(t, ip)
	}
	target, err := NewTarget(cfg)
	require.NoError(t, err)
	return target, runTarget(t, target)
}

func runTarget(t *testing.T, target *Target) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- target.Run(ctx) }()
	<-target.Ready()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ran)
	})
	t.Cleanup(stop)
	return stop
}

func (l *lan) client(t *testing.T, ip string, cfg ClientConfig) *Client {
	t.Helper()
	cfg.Transport = l.transport(t, ip)
	c, err := NewClient(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// captured is a datagram seen by a tap.
type captured struct {
	at   time.Time
	from netip.AddrPort
	size int
	msg  *message
	data []byte
}

// tap is a participant that only listens and speaks when told to.
type tap struct {
	t         *testing.T
	transport *PacketTransport
	mu        sync.Mutex
	all       []captured
}

func (l *lan) tap(t *testing.T, ip string) *tap {
	p := &tap{t: t, transport: l.transport(t, ip)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() {
		done <- p.transport.Serve(ctx, func(d Datagram) {
			data := bytes.Clone(d.Data)
			m, err := decodeDatagram(data)
			if err != nil {
				m = nil
			}
			p.mu.Lock()
			p.all = append(p.all, captured{time.Now(), d.From, len(data), m, data})
			p.mu.Unlock()
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return p
}

// seen returns what was captured of a kind, and 0 for all.
func (p *tap) seen(k kind) []captured {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []captured
	for _, c := range p.all {
		if k == 0 || c.msg != nil && c.msg.kind == k {
			out = append(out, c)
		}
	}
	return out
}

func (p *tap) forget() {
	p.mu.Lock()
	p.all = nil
	p.mu.Unlock()
}

// first returns the first copy of each message.
func first(all []captured) []captured {
	ids := map[string]bool{}
	var out []captured
	for _, c := range all {
		if c.msg == nil || ids[c.msg.id] {
			continue
		}
		ids[c.msg.id] = true
		out = append(out, c)
	}
	return out
}

func medical() Name { return Name{Space: xmlscan.NsMDPWS, Local: "MedicalDevice"} }

func testLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
