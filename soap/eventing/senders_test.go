package eventing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/soap"
)

// someone makes a certificate; with the key of another one unless that is nil.
func someone(t *testing.T, name string, key *ecdsa.PrivateKey) tls.Certificate {
	t.Helper()
	if key == nil {
		var err error
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secured is a source and a sink with TLS, where every certificate is trusted: what is left is who is who.
type secured struct {
	t    *testing.T
	net  *memnet.Network
	sink *Sink
	box  inbox

	mu         sync.Mutex
	shown      tls.Certificate // by the source
	handshakes int             // with the source
	manager    string          // if set, what the source says its subscription manager is
	early      func(notifyTo string)
}

func inSecurity(t *testing.T, test func(t *testing.T, s *secured)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		s := &secured{t: t, net: memnet.New(memnet.Config{}), shown: someone(t, "source", nil)}
		defer s.net.Close()
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		serve := func(ip string, cfg *tls.Config) *soap.Server {
			l, err := s.net.Host(ip).Listen(443)
			require.NoError(t, err)
			cfg.ClientAuth = tls.RequireAnyClientCert
			srv, err := soap.NewServer(soap.ServerConfig{TLS: cfg})
			require.NoError(t, err)
			wg.Go(func() { _ = srv.Serve(ctx, l) })
			return srv
		}
		serve(providerIP, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.handshakes++
			return &s.shown, nil
		}}).Handle("/x", &soap.Endpoint{Actions: map[string]soap.Handler{
			ActionSubscribe: s.subscribed, ActionUnsubscribe: func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil },
		}})
		own := someone(t, "sink", nil)
		client := s.client(consumerIP, own)
		defer client.Close()
		var err error
		s.sink, err = NewSink(SinkConfig{
			Server: serve(consumerIP, &tls.Config{Certificates: []tls.Certificate{own}}), Client: client, BaseURL: "https://" + consumerIP,
		})
		require.NoError(t, err)
		defer closeSink(t, s.sink)
		test(t, s)
	})
}

func (s *secured) client(ip string, cert tls.Certificate) *soap.Client {
	c, err := soap.NewClient(soap.ClientConfig{
		TLS:  &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}, //nolint:gosec // everybody is trusted here
		Dial: s.net.Host(ip).Dial,
	})
	require.NoError(s.t, err)
	return c
}

func (s *secured) subscribed(_ context.Context, r *soap.Request) (*soap.Response, error) {
	m, err := decode(r, "Subscribe", decodeSubscribe)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.early != nil {
		s.early(m.notifyTo.Address)
	}
	manager := "https://" + providerIP + "/x"
	if s.manager != "" {
		manager = s.manager
	}
	return &soap.Response{Action: ActionSubscribeResponse, Body: subscribeResponse{manager: manager, expires: time.Minute}}, nil
}

func (s *secured) show(cert tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown, s.handshakes = cert, 0
}

func (s *secured) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handshakes
}

func (s *secured) subscribe(change func(*Request)) (*Subscription, error) {
	req := Request{Source: soap.NewEndpoint("https://" + providerIP + "/x"), Actions: []string{actMetric}, NoRenew: true, Notify: s.box.notify}
	if change != nil {
		change(&req)
	}
	return s.sink.Subscribe(s.t.Context(), req)
}

// post sends a message to the sink with a certificate, over a connection of its own.
func (s *secured) post(cert tls.Certificate, url, action string, body soap.Body) error {
	c := s.client("10.0.0.3", cert)
	defer c.Close()
	return c.Send(context.WithoutCancel(s.t.Context()), url, soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint(url), action), body))
}

func (s *secured) notify(cert tls.Certificate, sub *Subscription, text string) error {
	return s.post(cert, "https://"+consumerIP+sub.path(), actMetric, soap.RawBody(body(text)))
}

func (s *secured) requireRefused(err error) {
	s.t.Helper()
	var fault *soap.Fault
	require.ErrorAs(s.t, err, &fault)
	require.Equal(s.t, http.StatusForbidden, fault.Status)
	require.Contains(s.t, fault.Reason, "is not that of the event source")
	require.Empty(s.t, s.box.take())
}

// Nobody but the source is heard on a subscription, however much else is known of it.
func TestNobodyElseNotifiesOrEnds(t *testing.T) {
	inSecurity(t, func(t *testing.T, s *secured) {
		source, forger := s.shown, someone(t, "source", nil) // even by the same name
		s.early = func(notifyTo string) {
			s.early = nil
			require.NoError(t, s.post(source, notifyTo, actMetric, soap.RawBody(body("early"))))
		}
		sub, err := s.subscribe(nil)
		require.NoError(t, err)
		require.NoError(t, s.notify(source, sub, "1"))
		require.Equal(t, []string{"EpisodicMetricReport early", "EpisodicMetricReport 1"}, s.box.take())
		require.Equal(t, 1, s.asked())

		s.requireRefused(s.notify(forger, sub, "2"))
		for _, path := range []string{sub.path(), sub.endPath()} {
			s.requireRefused(s.post(forger, "https://"+consumerIP+path, ActionSubscriptionEnd, subscriptionEnd{manager: "x", status: StatusSourceShuttingDown}))
		}
		for range 100 {
			s.requireRefused(s.notify(forger, sub, "3"))
		}
		require.Equal(t, 2, s.asked(), "whoever forges does not make us knock at the source each time")
		pass(2 * refusedFor)
		s.requireRefused(s.notify(forger, sub, "4"))
		require.Equal(t, 3, s.asked())
		for i := range 2 * maxRefused {
			s.requireRefused(s.notify(someone(t, "forger", nil), sub, "5"))
			require.LessOrEqual(t, len(sub.req.Senders.refused), maxRefused, i)
		}
		require.NoError(t, sub.Err())
		require.NoError(t, s.post(source, "https://"+consumerIP+sub.endPath(), ActionSubscriptionEnd, subscriptionEnd{manager: "x", status: StatusSourceShuttingDown}))
		var end *EndError
		require.ErrorAs(t, sub.Err(), &end)
	})
}

// A source that gets a new certificate goes on, and so do its connections with the former one.
func TestSourceWithANewCertificateIsHeard(t *testing.T) {
	inSecurity(t, func(t *testing.T, s *secured) {
		first := s.shown
		sub, err := s.subscribe(nil)
		require.NoError(t, err)
		second := someone(t, "another name", nil)
		s.requireRefused(s.notify(second, sub, "0")) // which it does not show yet
		pass(2 * refusedFor)
		s.show(second)
		require.NoError(t, s.notify(second, sub, "1"))
		require.NoError(t, s.notify(second, sub, "2"))
		require.Equal(t, 1, s.asked())
		require.NoError(t, s.notify(first, sub, "3"))
		third := someone(t, "source", second.PrivateKey.(*ecdsa.PrivateKey)) //nolint:errcheck,forcetypeassert // made above
		require.NoError(t, s.notify(third, sub, "4"), "the key is the source's")
		require.Equal(t, 1, s.asked())
		require.Len(t, s.box.take(), 4)

		// Over the years the oldest are forgotten.
		for range maxKnown {
			next := someone(t, "source", nil)
			s.show(next)
			require.NoError(t, s.notify(next, sub, "5"))
		}
		require.Len(t, s.box.take(), maxKnown)
		require.Len(t, sub.req.Senders.Known(), maxKnown)
		s.requireRefused(s.notify(first, sub, "6"))
	})
}

func TestSenderWhenTheSourceCannotBeAsked(t *testing.T) {
	inSecurity(t, func(t *testing.T, s *secured) {
		source := s.shown
		shared := NewSenders()
		sub, err := s.subscribe(func(r *Request) { r.Senders = shared })
		require.NoError(t, err)
		s.net.Partition(providerIP, consumerIP)
		err = s.notify(someone(t, "somebody", nil), sub, "1")
		var fault *soap.Fault
		require.ErrorAs(t, err, &fault)
		require.Equal(t, http.StatusServiceUnavailable, fault.Status, "it may be the source")
		require.NoError(t, s.notify(source, sub, "2"), "which is heard all the same")
		s.net.Heal(providerIP, consumerIP)
		require.Equal(t, []string{"EpisodicMetricReport 2"}, s.box.take())
		require.True(t, shared.Knows(shared.Known()[0]))
	})
}

func TestSourceWithTwoCertificates(t *testing.T) {
	inSecurity(t, func(t *testing.T, s *secured) {
		sub, err := s.subscribe(func(r *Request) {
			r.AllowSender = func(c *x509.Certificate) bool { return c.Subject.CommonName == "second" }
		})
		require.NoError(t, err)
		require.NoError(t, s.notify(someone(t, "second", nil), sub, "1"))
		require.Len(t, s.box.take(), 1)
		s.requireRefused(s.notify(someone(t, "third", nil), sub, "1"))
	})
}

// A source cannot have a consumer send its requests to others.
func TestSubscriptionManagerElsewhere(t *testing.T) {
	inSecurity(t, func(t *testing.T, s *secured) {
		for _, manager := range []string{"https://10.0.0.9/x", "http://" + providerIP + "/x", "https://device.example/x", "urn:uuid:1", soap.Anonymous} {
			s.manager = manager
			_, err := s.subscribe(nil)
			var elsewhere *soap.ElsewhereError
			require.ErrorAs(t, err, &elsewhere)
			require.Equal(t, manager, elsewhere.Named)
			require.Empty(t, s.sink.subs, "forgotten")
		}
		s.manager = "https://" + providerIP + ":444/y"
		sub, err := s.subscribe(nil)
		require.NoError(t, err)
		require.ErrorContains(t, sub.Unsubscribe(t.Context()), "connection refused", "there it was looked for")
		s.manager = "https://10.0.0.9/x"
		var asked soap.Contact
		sub, err = s.subscribe(func(r *Request) {
			r.AllowManager = func(at soap.Contact, manager string) error {
				asked = at
				return nil
			}
		})
		require.NoError(t, err)
		require.Equal(t, s.manager, sub.Manager().Address)
		require.Equal(t, "https://"+providerIP+"/x", asked.URL)
		require.Equal(t, net.JoinHostPort(providerIP, "443"), asked.Remote)
		require.Error(t, sub.Unsubscribe(t.Context()))
		no := errors.New("no")
		_, err = s.subscribe(func(r *Request) { r.AllowManager = func(soap.Contact, string) error { return no } })
		require.ErrorIs(t, err, no)
	})
}
