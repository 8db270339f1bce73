package soap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/soap"
)

func TestSameHost(t *testing.T) {
	for _, c := range []struct {
		url, remote, named string
		ok                 bool
	}{
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://192.0.2.1:1/b", true},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://192.0.2.1:2/b?wsdl", true},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "HTTPS://192.0.2.1/b", true},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "http://192.0.2.1:1/b", false},
		{"http://192.0.2.1:1/a", "192.0.2.1:1", "https://192.0.2.1:1/b", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://192.0.2.11:1/b", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://192.0.2.1:1@192.0.2.2/b", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://user@192.0.2.1:1/b", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://device.example/b", false},
		{"https://device.example:1/a", "192.0.2.1:1", "https://DEVICE.example.:1/b", true},
		{"https://device.example:1/a", "192.0.2.1:1", "https://192.0.2.1:1/b", true},
		{"https://device.example:1/a", "192.0.2.1:1", "https://192.0.2.2:1/b", false},
		{"https://[fe80::1%25eth0]:1/a", "[fe80::1%eth0]:1", "https://[FE80:0::1]:1/b", true},
		{"https://[fe80::1%25eth0]:1/a", "[fe80::1%eth0]:1", "https://[fe80::2]:1/b", false},
		{"https://[::ffff:192.0.2.1]:1/a", "192.0.2.1:1", "https://192.0.2.1:1/b", true},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "/relative", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "urn:uuid:1", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "https://", false},
		{"https://192.0.2.1:1/a", "192.0.2.1:1", "://%zz", false},
		{"", "", "https://192.0.2.1:1/b", false},
	} {
		at := soap.Contact{URL: c.url, Remote: c.remote}
		err := at.SameHost(c.named)
		if c.ok {
			require.NoError(t, err, "%+v", c)
			continue
		}
		var elsewhere *soap.ElsewhereError
		require.ErrorAs(t, err, &elsewhere, "%+v", c)
		require.Equal(t, c.named, elsewhere.Named)
		require.Equal(t, c.url, elsewhere.Reached)
		require.Error(t, errors.Unwrap(err))
	}
}

// A client learns whom it talks to: of each call, and, when it wants to know who is there now, without one.
func TestContact(t *testing.T) {
	cert, pool := certificate(t)
	var mu sync.Mutex
	shown := cert
	handshakes := 0
	url := serve(t, soap.ServerConfig{TLS: &tls.Config{
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			mu.Lock()
			defer mu.Unlock()
			handshakes++
			return &shown, nil
		},
	}}, func(s *soap.Server) {
		s.Handle("/x", &soap.Endpoint{Fallback: func(context.Context, *soap.Request) (*soap.Response, error) {
			return &soap.Response{Action: action}, nil
		}})
	})
	url = strings.Replace(url, "http:", "https:", 1) + "/x"
	c := newClient(t, soap.ClientConfig{Insecure: true, TLS: &tls.Config{
		Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}})
	var at []soap.Contact
	call := func() {
		_, err := c.Call(soap.WithContact(t.Context(), func(c soap.Contact) { at = append(at, c) }), soap.NewEndpoint(url), action, nil)
		require.NoError(t, err)
	}
	call()
	call()
	require.Len(t, at, 2)
	for _, a := range at {
		require.Equal(t, url, a.URL)
		require.Equal(t, "https://"+a.Remote+"/x", url)
		require.Equal(t, cert.Certificate[0], a.Certificate.Raw)
	}
	other, _ := certificate(t)
	mu.Lock()
	shown, handshakes = other, 0
	mu.Unlock()
	call()
	require.Equal(t, cert.Certificate[0], at[2].Certificate.Raw, "the connection is that of before")
	also := 0
	ctx := soap.WithContact(t.Context(), func(soap.Contact) { also++ })
	_, err := c.Call(soap.WithContact(ctx, func(c soap.Contact) { at = append(at, c) }), soap.NewEndpoint(url), action, nil)
	require.NoError(t, err)
	require.Len(t, at, 4)
	require.Equal(t, 1, also, "both are told")
	_, err = c.Call(ctx, soap.NewEndpoint("http://127.0.0.1:1/x"), action, nil)
	require.Error(t, err)
	require.Equal(t, 1, also, "nothing was sent")
	now, err := c.PeerCertificate(t.Context(), url)
	require.NoError(t, err)
	require.Equal(t, other.Certificate[0], now.Raw, "asked anew, not resumed")
	mu.Lock()
	require.Equal(t, 1, handshakes)
	mu.Unlock()

	_, err = c.PeerCertificate(t.Context(), "http://192.0.2.1/x")
	require.ErrorContains(t, err, "shows no certificate")
	_, err = c.PeerCertificate(t.Context(), "https://127.0.0.1:1/x")
	require.Error(t, err)
	c.Close()
	_, err = c.PeerCertificate(t.Context(), url)
	require.ErrorIs(t, err, soap.ErrClosed)
}

// lateConn lets nothing be read after the handshake until a write has failed, and nothing be written until the peer is gone.
type lateConn struct {
	net.Conn
	shaken, gone <-chan struct{}
	once         sync.Once
	failed       chan struct{}
}

func (c *lateConn) Read(b []byte) (int, error) {
	select {
	case <-c.shaken:
		<-c.failed
	default:
	}
	return c.Conn.Read(b)
}

func (c *lateConn) Write(b []byte) (int, error) {
	select {
	case <-c.shaken:
		<-c.gone
	default:
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		c.once.Do(func() { close(c.failed) })
	}
	return n, err
}

// With TLS 1.3 a server refuses its client after the client's handshake is over. What comes of the request that is being written is the server's
// reason, not that the connection broke.
func TestRefusalIsToldWhateverBreaksFirst(t *testing.T) {
	cert, _ := certificate(t)
	network := memnet.New(memnet.Config{})
	defer network.Close()
	listener, err := network.Host("192.0.2.1").Listen(443)
	require.NoError(t, err)
	for _, repeatable := range []bool{false, true} {
		gone, shaken := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(gone)
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			_ = tls.Server(raw, &tls.Config{
				Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert,
				VerifyConnection: func(tls.ConnectionState) error { return errors.New("not this one") },
			}).Handshake()
			_ = raw.Close()
		}()
		c := newClient(t, soap.ClientConfig{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true},
			Dial: func(ctx context.Context, n, addr string) (net.Conn, error) {
				raw, err := network.Host("192.0.2.2").Dial(ctx, n, addr)
				return &lateConn{Conn: raw, shaken: shaken, gone: gone, failed: make(chan struct{})}, err
			},
			Recheck: func(tls.ConnectionState, string) func() error {
				close(shaken)
				return func() error { return nil }
			},
		})
		if repeatable {
			_, _, err = c.Get(t.Context(), "https://192.0.2.1/x")
		} else {
			_, err = c.Call(t.Context(), soap.NewEndpoint("https://192.0.2.1/x"), action, nil)
		}
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "remote error", op.Op, "an alert, not %v", err)
		c.Close()
	}
}

func TestHandshakeThatIsNeverFinished(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		listener, err := network.Host("192.0.2.1").Listen(443)
		require.NoError(t, err)
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				defer func() { _ = c.Close() }()
			}
		}()
		c, err := soap.NewClient(soap.ClientConfig{TLS: &tls.Config{InsecureSkipVerify: true}, Dial: network.Host("192.0.2.2").Dial, Timeout: 3 * time.Second})
		require.NoError(t, err)
		defer c.Close()
		began := time.Now()
		_, err = c.Call(t.Context(), soap.NewEndpoint("https://192.0.2.1/x"), action, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = c.PeerCertificate(t.Context(), "https://192.0.2.1/x")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 6*time.Second, time.Since(began))
		time.Sleep(time.Minute) // the transport gives up its own attempt as well
	})
}

// A connection that breaks without a word stays what it is, and costs no more than a moment.
func TestBrokenConnectionIsNoRefusal(t *testing.T) {
	cert, pool := certificate(t)
	url := serve(t, soap.ServerConfig{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}}, func(s *soap.Server) {
		s.Handle("/x", &soap.Endpoint{Fallback: func(context.Context, *soap.Request) (*soap.Response, error) {
			panic(http.ErrAbortHandler)
		}})
	})
	url = strings.Replace(url, "http:", "https:", 1) + "/x"
	c := newClient(t, soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}})
	began := time.Now()
	_, err := c.Call(t.Context(), soap.NewEndpoint(url), action, nil)
	require.Error(t, err)
	require.Less(t, time.Since(began), 10*time.Second)
	var unknown x509.UnknownAuthorityError
	_, err = newClient(t, soap.ClientConfig{TLS: &tls.Config{}}).Call(t.Context(), soap.NewEndpoint(url), action, nil)
	require.ErrorAs(t, err, &unknown)
}
