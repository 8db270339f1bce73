package soap_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// peer is an HTTP server with whatever manners a test wants; it counts its connections.
func peer(t *testing.T, h http.HandlerFunc) (url string, conns *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns = new(atomic.Int32)
	hs := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}}
	done := make(chan struct{})
	go func() { defer close(done); _ = hs.Serve(l) }()
	t.Cleanup(func() { _ = hs.Close(); <-done })
	return "http://" + l.Addr().String() + "/x", conns
}

func reply(status int, doc []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write(doc)
	}
}

func TestClientAnswers(t *testing.T) {
	s12 := xmlscan.NsSOAP12
	fault := envelope(s12, `<wsa:Action>`+soap.ActionFault+`</wsa:Action>`,
		`<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text xml:lang="en-US">unknown</e:Text></e:Reason></e:Fault>`)
	good := envelope(s12, action, "<a/>")
	tests := map[string]struct {
		status int
		doc    []byte
		header []string
		check  func(*testing.T, error)
	}{
		"good":               {200, good, nil, nil},
		"without action":     {200, envelope(s12, "", "<a/>"), nil, nil},
		"gzip":               {200, gz(good), []string{"Content-Encoding", "gzip"}, nil},
		"fault 500":          {500, fault, nil, isFault(500)},
		"fault 400":          {400, fault, nil, isFault(400)},
		"fault 200":          {200, fault, nil, isFault(200)},
		"empty 200":          {200, nil, nil, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrNoResponse) }},
		"empty gzip":         {200, gz(nil), []string{"Content-Encoding", "gzip"}, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrNoResponse) }},
		"empty 202":          {202, nil, nil, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrNoResponse) }},
		"empty 404":          {404, nil, nil, isHTTP(404, 0)},
		"text 404":           {404, []byte("not found"), nil, isHTTP(404, 0)},
		"redirect":           {307, nil, []string{"Location", "/elsewhere"}, isHTTP(307, 0)},
		"busy":               {429, nil, []string{"Retry-After", "3"}, isHTTP(429, 3*time.Second)},
		"busy for ages":      {503, nil, []string{"Retry-After", "99999999"}, isHTTP(503, time.Hour)},
		"busy oddly":         {503, nil, []string{"Retry-After", "soon"}, isHTTP(503, 0)},
		"busy in the past":   {503, nil, []string{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"}, isHTTP(503, 0)},
		"envelope with 500":  {500, good, nil, isHTTP(500, 0)},
		"text 200":           {200, []byte("ok"), nil, isOther("answer")},
		"another message":    {200, envelope(s12, action+`<wsa:RelatesTo>urn:uuid:x</wsa:RelatesTo>`, ""), nil, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrRelatesTo) }},
		"soap 1.1":           {200, envelope(ns11, action, ""), nil, isOther("VersionMismatch")},
		"unknown must":       {200, envelope(s12, action+`<x:a xmlns:x="urn:x" e:mustUnderstand="1"/>`, ""), nil, isOther("MustUnderstand")},
		"too large":          {200, envelope(s12, action, strings.Repeat(" ", 70000)), nil, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrTooLarge) }},
		"bomb":               {200, gz(make([]byte, 1<<22)), []string{"Content-Encoding", "gzip"}, func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrTooLarge) }},
		"broken gzip":        {200, []byte("plain"), []string{"Content-Encoding", "gzip"}, isOther("gzip")},
		"coding not offered": {200, good, []string{"Content-Encoding", "br"}, isOther("not offered")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url, _ := peer(t, reply(tt.status, tt.doc, tt.header...))
			c := newClient(t, soap.ClientConfig{MaxResponse: 65536})
			env, err := c.Call(t.Context(), soap.NewEndpoint(url), "urn:do", soap.RawBody("<a/>"))
			if tt.check == nil {
				require.NoError(t, err)
				require.Equal(t, "a", env.BodyName().Local)
				return
			}
			require.Error(t, err)
			require.Nil(t, env)
			tt.check(t, err)
		})
	}
}

func isFault(status int) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		var f *soap.Fault
		require.ErrorAs(t, err, &f)
		require.Equal(t, status, f.Status)
		require.Equal(t, "unknown", f.Reason)
	}
}

func isHTTP(status int, after time.Duration) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		var he *soap.HTTPError
		require.ErrorAs(t, err, &he)
		require.Equal(t, status, he.Status)
		require.Equal(t, after, he.RetryAfter)
		require.Equal(t, status == 429 || status == 503, he.Busy())
	}
}

func isOther(text string) func(*testing.T, error) {
	return func(t *testing.T, err error) { require.ErrorContains(t, err, text) }
}

func TestClientRequest(t *testing.T) {
	// covers: SDPi R0005, SDPi R1003, MDPWS encoding, MDPWS R0006
	type seen struct {
		r    *http.Request
		body []byte
	}
	for name, disable := range map[string]bool{"requests": false, "notifications": true} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var got []seen
			url, conns := peer(t, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				mu.Lock()
				got = append(got, seen{r, b})
				mu.Unlock()
				_, _ = w.Write(envelope(xmlscan.NsSOAP12, action, ""))
			})
			c := newClient(t, soap.ClientConfig{DisableCompression: disable})
			url = strings.TrimSuffix(url, "/x") + "/urn:uuid:1/Get/?wsdl"
			for range 3 {
				_, err := c.Call(t.Context(), soap.NewEndpoint(url), "urn:do", nil)
				require.NoError(t, err)
			}
			require.NoError(t, c.Send(t.Context(), url, []byte("a"), nil, []byte("bc")))
			require.NoError(t, c.Send(t.Context(), url))
			require.EqualValues(t, 1, conns.Load())
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, "abc", string(got[3].body))
			require.Len(t, got, 5)
			for _, s := range got {
				require.Equal(t, http.MethodPost, s.r.Method)
				require.Equal(t, "/urn:uuid:1/Get/?wsdl", s.r.RequestURI)
				require.Equal(t, "HTTP/1.1", s.r.Proto)
				require.Equal(t, soap.ContentType, s.r.Header.Get("Content-Type"))
				require.Equal(t, int64(len(s.body)), s.r.ContentLength)
				require.Empty(t, s.r.TransferEncoding)
				require.Empty(t, s.r.Header.Get("User-Agent"))
				require.Equal(t, map[bool]string{true: "", false: "gzip"}[disable], s.r.Header.Get("Accept-Encoding"))
			}
		})
	}
}

func TestSend(t *testing.T) {
	tests := map[string]struct {
		status int
		doc    string
		ok     bool
	}{
		"202":           {202, "", true},
		"204":           {204, "", true},
		"200 with text": {200, "ok", false},
		"200 envelope":  {200, string(envelope(xmlscan.NsSOAP12, action, "")), true},
		"200 fault":     {200, string(soap.AppendEnvelope(nil, soap.Receiver("x").Header(""), soap.Receiver("x"))), false},
		"500":           {500, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			url, _ := peer(t, reply(tt.status, []byte(tt.doc)))
			c := newClient(t, soap.ClientConfig{DisableCompression: true, MaxConnsPerHost: 1})
			s, err := c.Sender(url)
			require.NoError(t, err)
			require.Equal(t, url, s.URL())
			for range 2 { // the connection stays in order
				err = s.Send(t.Context(), []byte("<a/>"))
				require.Equal(t, tt.ok, err == nil, "%v", err)
			}
		})
	}
}

// The memory of a message is not read any more once Send has returned, although
// the transport may still be busy with it.
func TestSendLetsGoOfItsParts(t *testing.T) {
	url, _ := peer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest) // without reading the body
	})
	c := newClient(t, soap.ClientConfig{})
	part := bytes.Repeat([]byte("x"), 8<<20) // more than the socket takes
	err := c.Send(t.Context(), url, part)
	require.Error(t, err)
	clear(part) // the race detector would see a reader
}

func TestClientContext(t *testing.T) {
	release := make(chan struct{})
	url, _ := peer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	c := newClient(t, soap.ClientConfig{Timeout: 20 * time.Millisecond})
	_, err := c.Call(t.Context(), soap.NewEndpoint(url), "urn:do", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	c = newClient(t, soap.ClientConfig{Timeout: -1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Call(ctx, soap.NewEndpoint(url), "urn:do", nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Send(ctx, url, []byte("x")), context.Canceled)
	c.Close()
	require.ErrorIs(t, c.Send(t.Context(), url, []byte("x")), soap.ErrClosed)
}

// A kept-alive connection that the peer closed in the meantime costs nothing.
func TestClientReconnects(t *testing.T) {
	url, conns := peer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusAccepted)
	})
	c := newClient(t, soap.ClientConfig{MaxConnsPerHost: 1})
	for range 3 {
		require.NoError(t, c.Send(t.Context(), url, []byte("<a/>")))
	}
	require.EqualValues(t, 3, conns.Load())
}

func TestPlainHTTPIsRefused(t *testing.T) {
	_, err := soap.NewClient(soap.ClientConfig{})
	require.ErrorIs(t, err, soap.ErrInsecure)
	_, err = soap.NewServer(soap.ServerConfig{})
	require.ErrorIs(t, err, soap.ErrInsecure)
	secure, err := soap.NewClient(soap.ClientConfig{TLS: &tls.Config{}})
	require.NoError(t, err)
	defer secure.Close()
	_, err = secure.Call(t.Context(), soap.NewEndpoint("http://127.0.0.1:1/"), "urn:do", nil)
	require.ErrorIs(t, err, soap.ErrInsecure)
	bench := newClient(t, soap.ClientConfig{})
	for _, url := range []string{"https://127.0.0.1:1/", "ftp://127.0.0.1/", "urn:uuid:1", "", "http://u:p@127.0.0.1/", "http://%zz/", "http:127.0.0.1:1/x", "http://127.0.0.1:0/", "http://127.0.0.1:65536/"} {
		_, err = bench.Sender(url)
		require.Error(t, err, url)
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

func TestMutualTLS(t *testing.T) {
	// covers: SDPi R1003
	cert, pool := certificate(t)
	var mu sync.Mutex
	var subject string
	url := serve(t, soap.ServerConfig{TLS: &tls.Config{
		Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}}, func(s *soap.Server) {
		s.Handle("/dev", &soap.Endpoint{Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			subject = r.Peer.Subject.CommonName
			return &soap.Response{Action: "urn:r"}, nil
		}})
	})
	url = strings.Replace(url, "http:", "https:", 1) + "/dev"
	good := newClient(t, soap.ClientConfig{TLS: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, NextProtos: []string{"h2"}}})
	_, err := good.Call(t.Context(), soap.NewEndpoint(url), "urn:do", nil)
	require.NoError(t, err)
	mu.Lock()
	require.Equal(t, "peer", subject)
	mu.Unlock()

	// Whatever a client offers, HTTP/1.1 is all it gets.
	conn, err := tls.Dial("tcp", strings.Split(strings.TrimPrefix(url, "https://"), "/")[0], &tls.Config{
		Certificates: []tls.Certificate{cert}, RootCAs: pool, NextProtos: []string{"h2", "http/1.1"},
	})
	require.NoError(t, err)
	require.Equal(t, "http/1.1", conn.ConnectionState().NegotiatedProtocol)
	require.NoError(t, conn.Close())

	anonymous := newClient(t, soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}})
	_, err = anonymous.Call(t.Context(), soap.NewEndpoint(url), "urn:do", nil)
	require.Error(t, err)
	stranger := newClient(t, soap.ClientConfig{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	_, err = stranger.Call(t.Context(), soap.NewEndpoint(url), "urn:do", nil)
	require.Error(t, err)
	plain := newClient(t, soap.ClientConfig{})
	_, err = plain.Call(t.Context(), soap.NewEndpoint(strings.Replace(url, "https:", "http:", 1)), "urn:do", nil)
	require.Error(t, err)
}

func TestClientDial(t *testing.T) {
	url := serveActions(t, soap.ServerConfig{}, handlers{"urn:do": echo})
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/dev")
	var asked atomic.Value
	c := newClient(t, soap.ClientConfig{Dial: func(ctx context.Context, network, a string) (net.Conn, error) {
		asked.Store(a)
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}})
	_, err := c.Call(t.Context(), soap.NewEndpoint("http://device.invalid:99/dev"), "urn:do", soap.RawBody(`<b xmlns="urn:b">x</b>`))
	require.NoError(t, err)
	require.Equal(t, "device.invalid:99", asked.Load())
}
