package eventing

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	providerIP = "10.0.0.1"
	consumerIP = "10.0.0.2"

	actMetric = "http://example.org/StateEvent/EpisodicMetricReport"
	actAlert  = "http://example.org/StateEvent/EpisodicAlertReport"
	actOp     = "http://example.org/Set/OperationInvokedReport"
)

// bench is a provider with an event source on a network in memory.
type bench struct {
	t      *testing.T
	net    *memnet.Network
	source *Source
	server *soap.Server
	client *soap.Client // of the consumer's host
	url    string       // of the provider
	ctx    context.Context
	wg     sync.WaitGroup
}

// inBubble runs a test in virtual time with a source of the given configuration at
// /StateEvent (all actions) and /Set (actOp only).
func inBubble(t *testing.T, cfg SourceConfig, test func(t *testing.T, b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		n := memnet.New(memnet.Config{Link: memnet.Link{Latency: time.Millisecond}})
		defer n.Close()
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		b := &bench{t: t, net: n, ctx: ctx}
		defer b.wg.Wait()
		defer cancel()

		l, err := n.Host(providerIP).Listen(8080)
		require.NoError(t, err)
		b.url = "http://" + l.Addr().String()
		cfg.Client.Insecure = true
		cfg.Client.Dial = n.Host(providerIP).Dial
		b.source, err = NewSource(cfg)
		require.NoError(t, err)
		b.server, err = soap.NewServer(soap.ServerConfig{Insecure: true})
		require.NoError(t, err)
		b.server.Handle("/StateEvent", &soap.Endpoint{Actions: map[string]soap.Handler{ActionSubscribe: b.source.SubscribeHandler()}})
		b.server.Handle("/Set", &soap.Endpoint{Actions: map[string]soap.Handler{ActionSubscribe: b.source.SubscribeHandler(actOp)}})
		b.server.HandlePrefix(b.source.ManagerPath(), b.source.ManagerEndpoint())
		b.serve(b.server, l)

		b.client, err = soap.NewClient(soap.ClientConfig{Insecure: true, Dial: n.Host(consumerIP).Dial})
		require.NoError(t, err)
		defer b.client.Close()
		defer func() {
			if b.source.ctx.Err() == nil {
				b.closeSource()
			}
		}()
		test(t, b)
	})
}

func (b *bench) closeSource() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), time.Minute)
	defer cancel()
	require.NoError(b.t, b.source.Close(ctx))
}

func (b *bench) serve(srv *soap.Server, l *memnet.Listener) {
	b.wg.Go(func() { _ = srv.Serve(b.ctx, l) })
}

// sink starts a sink on the consumer's host.
func (b *bench) sink() (*Sink, *memnet.Listener) {
	b.t.Helper()
	l, err := b.net.Host(consumerIP).Listen(0)
	require.NoError(b.t, err)
	srv, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(b.t, err)
	b.serve(srv, l)
	k, err := NewSink(SinkConfig{Server: srv, Client: b.client, BaseURL: "http://" + l.Addr().String()})
	require.NoError(b.t, err)
	return k, l
}

// listener is a consumer under full control of the test: it records what is posted to it and
// answers what the test says.
type listener struct {
	url    string
	mem    *memnet.Listener
	answer func(m message, w http.ResponseWriter, r *http.Request) // nil answers 202

	mu  sync.Mutex
	got []message
	now int // requests under way
	max int // most of them at one time
}

// message is one recorded POST.
type message struct {
	path, action, to, id, body, doc string
	proto                           string
	number                          string // of the test's number header
	header                          http.Header
	length                          int64
	at                              time.Time
}

func (b *bench) listener(ip string) *listener {
	b.t.Helper()
	l, err := b.net.Host(ip).Listen(0)
	require.NoError(b.t, err)
	k := &listener{mem: l, url: "http://" + l.Addr().String()}
	srv := &http.Server{Handler: http.HandlerFunc(k.serve)}
	b.wg.Go(func() { _ = srv.Serve(l) })
	context.AfterFunc(b.ctx, func() { _ = srv.Close() })
	return k
}

func (k *listener) serve(w http.ResponseWriter, r *http.Request) {
	doc, _ := io.ReadAll(r.Body)
	m := message{path: r.URL.Path, header: r.Header, proto: r.Proto, length: r.ContentLength, doc: string(doc), at: time.Now()}
	env, err := soap.Parse(doc, xmlscan.Limits{})
	if err == nil {
		m.action, m.to, m.id = env.Header.Action, env.Header.To, env.Header.MessageID
		if b, ok := env.Header.Block(xmlscan.Name{Space: "urn:test", Local: "Number"}); ok {
			s := b.Scanner()
			_ = s.Root()
			m.number, _ = s.Text()
		}
		if s := env.Body(); s != nil {
			if raw, err := s.Raw(); err == nil {
				m.body = string(raw.XML)
			}
		}
	}
	k.mu.Lock()
	k.got = append(k.got, m)
	k.now++
	k.max = max(k.max, k.now)
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.now--
		k.mu.Unlock()
	}()
	if k.answer != nil {
		k.answer(m, w, r)
	} else {
		w.WriteHeader(http.StatusAccepted)
	}
}

// take returns what was recorded at a path ("" for all) since the last call, once everything is quiet.
func (k *listener) take(path string) []message {
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []message
	k.got = slices.DeleteFunc(k.got, func(m message) bool {
		if path != "" && m.path != path {
			return false
		}
		out = append(out, m)
		return true
	})
	return out
}

func bodies(ms []message) string {
	var out []string
	for _, m := range ms {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(m.body, "<x>"), "</x>"))
	}
	return strings.Join(out, " ")
}

func numberHeader(n uint64) soap.Body {
	return soap.RawBody(fmt.Sprintf(`<n:Number xmlns:n="urn:test">%d</n:Number>`, n))
}

func body(text any) []byte { return []byte(fmt.Sprintf("<x>%v</x>", text)) }

// subscribeTo subscribes at a service of the source for a listener's paths /path and /path_e.
func (b *bench) subscribeTo(service string, k *listener, path string, expires time.Duration, actions ...string) soap.EndpointReference {
	b.t.Helper()
	epr, err := b.trySubscribe(service, k, path, expires, actions...)
	require.NoError(b.t, err)
	return epr
}

func (b *bench) trySubscribe(service string, k *listener, path string, expires time.Duration, actions ...string) (soap.EndpointReference, error) {
	env, err := b.client.Call(b.ctx, soap.NewEndpoint(b.url+service), ActionSubscribe, &subscribeRequest{
		notifyTo: soap.NewEndpoint(k.url + "/" + path),
		endTo:    soap.NewEndpoint(k.url + "/" + path + "_e"),
		expires:  expires, dialect: DialectAction, filter: actionFilter(actions),
	})
	if err != nil {
		return soap.EndpointReference{}, err
	}
	require.Equal(b.t, ActionSubscribeResponse, env.Header.Action)
	m, err := soap.Decode(env, wse("SubscribeResponse"), decodeSubscribeResponse)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, m.expires)
	require.Empty(b.t, m.manager.ReferenceParameters)
	return *m.manager, nil
}

// call sends a request to a subscription manager and returns the granted or remaining duration.
func (b *bench) call(manager soap.EndpointReference, action string, body soap.Body, answer string) (string, error) {
	b.t.Helper()
	env, err := b.client.Call(b.ctx, manager, action, body)
	if err != nil {
		return "", err
	}
	require.Equal(b.t, action+"Response", env.Header.Action)
	if answer == "" {
		return "", env.ExpectEmpty()
	}
	return soap.Decode(env, wse(answer), decodeExpires)
}

func (b *bench) renew(manager soap.EndpointReference, d time.Duration) (string, error) {
	return b.call(manager, ActionRenew, expiresMessage{element: "wse:Renew", expires: d}, "RenewResponse")
}

func (b *bench) status(manager soap.EndpointReference) (string, error) {
	return b.call(manager, ActionGetStatus, emptyMessage("wse:GetStatus"), "GetStatusResponse")
}

func (b *bench) unsubscribe(manager soap.EndpointReference) error {
	_, err := b.call(manager, ActionUnsubscribe, emptyMessage("wse:Unsubscribe"), "")
	return err
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }
