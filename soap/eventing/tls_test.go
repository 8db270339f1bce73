package eventing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// mutualTLS returns server and client configurations that trust one self-signed certificate.
func mutualTLS(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
		&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool}
}

// TestLoopbackTLS runs both roles over real sockets with mutual TLS.
func TestLoopbackTLS(t *testing.T) {
	serverTLS, clientTLS := mutualTLS(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serving, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	start := func() (*soap.Server, string, *counting) {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		count := &counting{Listener: l}
		srv, err := soap.NewServer(soap.ServerConfig{TLS: serverTLS})
		require.NoError(t, err)
		wg.Go(func() { _ = srv.Serve(serving, count) })
		return srv, "https://" + l.Addr().String(), count
	}
	provider, providerURL, _ := start()
	source, err := NewSource(SourceConfig{Client: soap.ClientConfig{TLS: clientTLS}})
	require.NoError(t, err)
	provider.Handle("/StateEvent", &soap.Endpoint{Actions: map[string]soap.Handler{ActionSubscribe: source.SubscribeHandler()}})
	provider.HandlePrefix(source.ManagerPath(), source.ManagerEndpoint())

	consumer, consumerURL, conns := start()
	client, err := soap.NewClient(soap.ClientConfig{TLS: clientTLS})
	require.NoError(t, err)
	defer client.Close()
	sink, err := NewSink(SinkConfig{Server: consumer, Client: client, BaseURL: consumerURL})
	require.NoError(t, err)

	const n = 500
	got := make(chan string, 2*n)
	subscribe := func(action string) *Subscription {
		sub, err := sink.Subscribe(ctx, Request{
			Source: soap.NewEndpoint(providerURL + "/StateEvent"), Actions: []string{action},
			Notify: func(_ context.Context, r *soap.Request) error {
				if r.Peer == nil {
					return fmt.Errorf("no certificate")
				}
				text, err := r.Body().Text()
				got <- text
				return err
			},
		})
		require.NoError(t, err)
		return sub
	}
	metric, alert := subscribe(actMetric), subscribe(actAlert)
	require.Regexp(t, `^https://127\.0\.0\.1:\d+/`, metric.Manager().Address)
	for i := range n {
		require.Equal(t, 1, source.Publish([]string{actMetric, actAlert}[i%2], body(i)))
		if i%200 == 199 { // stay below the bound of the queue
			for j := i - 199; j <= i; j++ {
				require.Equal(t, fmt.Sprint(j), <-got)
			}
		}
	}
	for i := 400; i < n; i++ {
		require.Equal(t, fmt.Sprint(i), <-got)
	}
	_, err = metric.GetStatus(ctx)
	require.NoError(t, err)
	require.NoError(t, metric.Unsubscribe(ctx))
	require.NoError(t, source.Close(ctx))
	select {
	case <-alert.Done():
	case <-ctx.Done():
		t.Fatal("no end")
	}
	var end *EndError
	require.ErrorAs(t, alert.Err(), &end)
	require.Equal(t, StatusSourceShuttingDown, end.Status)
	require.NoError(t, sink.Close(ctx))
	require.Equal(t, 1, conns.count())
}

// counting counts accepted connections.
type counting struct {
	net.Listener
	mu sync.Mutex
	n  int
}

func (c *counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
	}
	return conn, err
}

func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// TestStalledHandshake: a connection whose handshake hangs costs one message, not the consumer.
func TestStalledHandshake(t *testing.T) {
	inBubble(t, SourceConfig{Client: soap.ClientConfig{TLS: &tls.Config{InsecureSkipVerify: true}}}, func(t *testing.T, b *bench) {
		serverTLS, _ := mutualTLS(t)
		serverTLS.ClientAuth = tls.NoClientCert
		l, err := b.net.Host(consumerIP).Listen(0)
		require.NoError(t, err)
		k := &listener{mem: l, url: "https://" + l.Addr().String()}
		srv := &http.Server{Handler: http.HandlerFunc(k.serve)}
		b.wg.Go(func() {
			silent, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = silent.Close() }()
			_ = srv.Serve(tls.NewListener(l, serverTLS))
		})
		defer func() { _ = srv.Close() }()
		b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", k, "b", time.Minute, actAlert)
		b.source.Publish(actMetric, body(1))
		b.source.Publish(actAlert, body(2))
		pass(10 * time.Second)
		require.Empty(t, k.take("/a"))
		require.Len(t, k.take("/a_e"), 1)
		require.Equal(t, "2", bodies(k.take("/b")))
		require.Equal(t, [2]int{2, 1}, [2]int{l.Stats().Accepted, l.Stats().Peak}, "accepted, and at one time")
	})
}
