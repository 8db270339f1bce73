package provider_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
)

// device returns the MDIB of the tests, fresh.
func device(t testing.TB) *mdib.Snapshot {
	t.Helper()
	f, err := os.Open("testdata/device.xml")
	require.NoError(t, err)
	defer f.Close()
	snap, err := mdib.Read(f)
	require.NoError(t, err)
	return snap
}

// bench is a running device and a peer of it.
type bench struct {
	dev  *provider.Provider
	peer *peer
	host *memnet.Host // of the peer, in memory
	stop func() error // ends the device and returns what Run returned
}

// inBubble runs a device and a plain-HTTP peer on an in-memory network in virtual time. configure may change the configuration,
// prepare may register handlers before the device runs.
func inBubble(t *testing.T, configure func(*provider.Config), prepare func(*provider.Provider), test func(t *testing.T, b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		host, other := network.Host(deviceIP), network.Host(consumerIP)
		cfg := provider.Config{
			MDIB: device(t), Insecure: true, Dial: host.Dial, Listen: host.ListenAny, Transport: newQuiet(),
		}
		if configure != nil {
			configure(&cfg)
		}
		dev, err := provider.New(cfg)
		require.NoError(t, err)
		if prepare != nil {
			prepare(dev)
		}
		ln, err := other.Listen(0)
		require.NoError(t, err)
		run(t, dev, ln, other.Dial, nil, func(t *testing.T, b *bench) {
			b.host = other
			test(t, b)
		})
	})
}

// overTLS runs a device and a peer over mutual TLS on loopback sockets.
func overTLS(t *testing.T, configure func(*provider.Config), prepare func(*provider.Provider), test func(t *testing.T, b *bench)) {
	t.Helper()
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	identity := func(name string, role sdc.Role) *sdc.Identity {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		id, err := p.Identity()
		require.NoError(t, err)
		return id
	}
	cfg := provider.Config{MDIB: device(t), Identity: identity("device", sdc.RoleProvider), Policy: provider.AllowAll(), Transport: newQuiet()}
	if configure != nil {
		configure(&cfg)
	}
	dev, err := provider.New(cfg)
	require.NoError(t, err)
	if prepare != nil {
		prepare(dev)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	run(t, dev, ln, (&net.Dialer{}).DialContext, identity("consumer", sdc.RoleConsumer), test)
}

func run(t *testing.T, dev *provider.Provider, ln net.Listener, dial func(context.Context, string, string) (net.Conn, error), id *sdc.Identity, test func(*testing.T, *bench)) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		require.NoError(t, err, "the device ended before it was ready")
	}
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	p := newPeer(t, dev.XAddrs()[0], ln, dial, id)
	defer p.close()
	b := &bench{dev: dev, peer: p, stop: stop}
	defer func() { require.NoError(t, stop()) }()
	test(t, b)
}

// note is a message that a device sent to a peer.
type note struct {
	action, path string
	number       string      // of the ReportSequence header
	message      msg.Message // nil for SubscriptionEnd and the history
	raw          string      // of SubscriptionEnd and the history
}

// peer is the other side in raw messages: a client and a notification sink.
type peer struct {
	t      *testing.T
	client *soap.Client
	device string // URL of the device
	sink   string // URL of the sink
	cert   *x509.Certificate
	tls    *tls.Config
	stop   func()

	mu      sync.Mutex
	notes   []note
	arrived chan struct{}
	hold    chan struct{} // if set, the sink answers only when it is closed
}

func newPeer(t *testing.T, device string, ln net.Listener, dial func(context.Context, string, string) (net.Conn, error), id *sdc.Identity) *peer {
	t.Helper()
	p := &peer{t: t, device: device, sink: "http://" + ln.Addr().String(), arrived: make(chan struct{}, 1)}
	clientCfg := soap.ClientConfig{Dial: dial, Insecure: true}
	serverCfg := soap.ServerConfig{Insecure: true}
	if id != nil {
		p.cert, p.tls = id.Leaf(), id.ClientTLS(sdc.RoleProvider)
		p.sink = "https://" + ln.Addr().String()
		clientCfg = soap.ClientConfig{Dial: dial, TLS: id.ClientTLS(sdc.RoleProvider)}
		serverCfg = soap.ServerConfig{TLS: id.ServerTLS(sdc.RoleProvider)}
	}
	var err error
	p.client, err = soap.NewClient(clientCfg)
	require.NoError(t, err)
	server, err := soap.NewServer(serverCfg)
	require.NoError(t, err)
	server.HandlePrefix("/sink", &soap.Endpoint{Fallback: p.receive})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln) }()
	p.stop = func() {
		cancel()
		require.NoError(t, <-served)
	}
	return p
}

func (p *peer) close() {
	p.client.Close()
	p.stop()
}

func (p *peer) receive(ctx context.Context, r *soap.Request) (*soap.Response, error) {
	n := note{action: r.Header.Action, path: r.Path}
	if block, ok := r.Header.Block(xmlscan.Name{Space: sdc.NamespaceSDPi, Local: "ReportSequence"}); ok {
		s := block.Scanner()
		if err := s.Root(); err != nil {
			return nil, err
		}
		n.number, _ = s.Attr("", "MessageNumber")
	}
	if n.action == eventing.ActionSubscriptionEnd || n.action == sdc.ActionHistoricMdibReport {
		raw, err := r.Body().Raw()
		if err != nil {
			return nil, err
		}
		n.raw = string(raw.AppendXML(nil))
	} else {
		m, err := msg.Decode(r.Body())
		if err != nil {
			p.t.Errorf("notification %s cannot be read: %v", n.action, err)
			return nil, err
		}
		n.message = m
	}
	p.mu.Lock()
	p.notes = append(p.notes, n)
	hold := p.hold
	p.mu.Unlock()
	select {
	case p.arrived <- struct{}{}:
	default:
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	return nil, nil
}

// take waits for n messages and removes them.
func (p *peer) take(n int) []note {
	p.t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		p.mu.Lock()
		if len(p.notes) >= n {
			got := p.notes[:n:n]
			p.notes = p.notes[n:]
			p.mu.Unlock()
			return got
		}
		have := len(p.notes)
		p.mu.Unlock()
		select {
		case <-p.arrived:
		case <-deadline.C:
			p.t.Fatalf("waited for %d messages, got %d", n, have)
		}
	}
}

// pending returns how many messages wait to be taken.
func (p *peer) pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.notes)
}

// subscribe subscribes to actions at a hosted service.
func (p *peer) subscribe(service, name string, actions ...string) error {
	_, err := p.subscribeRaw(service, name, actions...)
	return err
}

func (p *peer) subscribeRaw(service, name string, actions ...string) (*soap.Envelope, error) {
	return p.client.Call(p.t.Context(), soap.NewEndpoint(p.device+"/"+service), eventing.ActionSubscribe, soap.RawBody(
		`<wse:Subscribe xmlns:wse="`+xmlscan.NsEventing+`"><wse:EndTo><wsa:Address>`+p.sink+`/sink/`+name+`_e</wsa:Address></wse:EndTo>`+
			`<wse:Delivery Mode="`+eventing.ModePush+`"><wse:NotifyTo><wsa:Address>`+p.sink+`/sink/`+name+`</wsa:Address></wse:NotifyTo></wse:Delivery>`+
			`<wse:Expires>PT1H</wse:Expires><wse:Filter Dialect="`+eventing.DialectAction+`">`+strings.Join(actions, " ")+`</wse:Filter></wse:Subscribe>`))
}

// subscribeAll subscribes to everything the device has, as a consumer does: once for each hosted service.
func (p *peer) subscribeAll() {
	p.t.Helper()
	var state []string
	for _, name := range []string{sdc.StateEventService, sdc.ContextService, sdc.DescriptionEventService, sdc.WaveformService} {
		s, _ := sdc.ServiceByName(name)
		state = append(state, s.Notifications()...)
	}
	require.NoError(p.t, p.subscribe("StateEvent", "state", state...))
	require.NoError(p.t, p.subscribe("Set", "set", sdc.ActionOperationInvokedReport))
}

// call sends a request to a hosted service and decodes the answer.
func call[R msg.Message](p *peer, service, action string, request soap.Body) (R, error) {
	p.t.Helper()
	var zero R
	env, err := p.client.Call(p.t.Context(), soap.NewEndpoint(p.device+"/"+service), action, request)
	if err != nil {
		return zero, err
	}
	require.Equal(p.t, sdc.ResponseAction(action), env.Header.Action)
	m, err := soap.Decode(env, zero.BodyName(), msg.Decode)
	if err != nil {
		return zero, err
	}
	return m.(R), nil
}

func mustCall[R msg.Message](p *peer, service, action string, request soap.Body) R {
	p.t.Helper()
	r, err := call[R](p, service, action, request)
	require.NoError(p.t, err)
	return r
}

// setNum changes the measured value.
func setNum(value string) func(*mdib.Tx) error {
	return func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.NumericMetricState](tx, "num")
		if err != nil {
			return err
		}
		s.MetricValue = &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal(value))}
		s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(time.Now()))
		s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
		return nil
	}
}
