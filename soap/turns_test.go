package soap_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// crowd counts who is in at the same time.
type crowd struct{ now, most atomic.Int32 }

// enter stays for a moment, so that others would come if they could.
func (c *crowd) enter() {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	<-time.After(2 * time.Millisecond)
}

// signer is a key whose use is counted.
type signer struct {
	crypto.Signer
	*crowd
}

func (s signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.enter()
	return s.Signer.Sign(rand, digest, opts)
}

// However many shake hands at once, only so many handshakes are computed at a time, and one that has stopped in the middle is not waited for.
func TestHandshakesInTurn(t *testing.T) {
	cert, pool := certificate(t)
	var in crowd
	counted := cert
	counted.PrivateKey = signer{cert.PrivateKey.(crypto.Signer), &in} //nolint:errcheck,forcetypeassert // an ECDSA key
	url := serve(t, soap.ServerConfig{Turns: 1, TLS: &tls.Config{Certificates: []tls.Certificate{counted}}}, func(s *soap.Server) {
		s.Handle("/dev", &soap.Endpoint{Fallback: echo})
	})
	for range 20 {
		_, err := dialRaw(t, url).Write([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3})
		require.NoError(t, err)
	}
	var all sync.WaitGroup
	for range 20 {
		c := dialRaw(t, url)
		all.Go(func() {
			secure := tls.Client(c.Conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
			if err := secure.HandshakeContext(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if status := (&rawClient{secure, bufio.NewReader(secure)}).ask(); status != http.StatusOK {
				t.Error("answered", status)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, in.most.Load())
}

// Large documents are worked on one after the other, small ones beside them, and a handler that waits for something else holds nobody up.
func TestLargeDocumentsInTurn(t *testing.T) {
	var in crowd
	waiting, release := make(chan struct{}, 1), make(chan struct{})
	name := soap.Name{Space: "urn:b", Local: "b"}
	url := serveActions(t, soap.ServerConfig{Turns: 1}, handlers{
		"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			text, err := soap.Decode(r.Envelope, name, func(s *xmlscan.Scanner) (string, error) {
				in.enter()
				return s.Text()
			})
			if err == nil && text == "wait" {
				waiting <- struct{}{}
				<-release
			}
			return nil, err
		},
		"urn:before": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			waiting <- struct{}{}
			<-release
			_, err := soap.Decode(r.Envelope, name, (*xmlscan.Scanner).Text)
			return nil, err
		},
	})
	large := strings.Repeat("x", 80<<10)
	post := func(action string) <-chan int {
		status := make(chan int, 1)
		c := dialRaw(t, url)
		go func() {
			doc := string(envelope(xmlscan.NsSOAP12, "<wsa:Action>"+action+"</wsa:Action>", `<b xmlns="urn:b">`+large+`</b>`))
			if _, err := io.WriteString(c, head(len(doc), "")+doc); err != nil {
				status <- 0
				return
			}
			got, _ := c.answer()
			status <- got
		}()
		return status
	}
	var answers []<-chan int
	for range 10 {
		answers = append(answers, post("urn:do"))
	}
	for _, a := range answers {
		require.Equal(t, http.StatusAccepted, <-a)
	}
	require.EqualValues(t, 1, in.most.Load())

	held := post("urn:before") // waits with its body unread
	<-waiting
	require.Equal(t, http.StatusAccepted, <-post("urn:do"))
	require.Equal(t, http.StatusAccepted, dialRaw(t, url).post("hi", ""))
	close(release)
	require.Equal(t, http.StatusAccepted, <-held)
}

// Whoever waits too long for a turn is told to come again.
func TestNoTurn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		begun, release := make(chan struct{}, 2), make(chan struct{})
		m := serveInMemory(t, soap.ServerConfig{Turns: 1, ReadTimeout: 300 * time.Millisecond}, handlers{"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			_, err := soap.Decode(r.Envelope, soap.Name{Space: "urn:b", Local: "b"}, func(s *xmlscan.Scanner) (string, error) {
				text, err := s.Text()
				if len(text) > 64<<10 {
					begun <- struct{}{}
					<-release
				}
				return text, err
			})
			return nil, err
		}})
		large := strings.Repeat("x", 80<<10)
		first := make(chan int, 1)
		c, late := m.dial("192.0.2.2"), m.dial("192.0.2.2")
		require.Equal(t, http.StatusAccepted, late.ask()) // a new connection would wait for a turn too
		go func() { first <- c.post(large, "") }()
		<-begun
		doc := string(envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">`+large+`</b>`))
		_, err := io.WriteString(late, head(len(doc), "")+doc)
		require.NoError(t, err)
		status, retry := late.answer()
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, "1", retry)
		close(release)
		require.Equal(t, http.StatusAccepted, <-first)
	})
}

// memory is a server in memory, and virtual time.
type memory struct {
	t       *testing.T
	network *memnet.Network
}

// serveInMemory runs a server until the test ends.
func serveInMemory(t *testing.T, cfg soap.ServerConfig, h handlers) *memory {
	t.Helper()
	network := memnet.New(memnet.Config{})
	cfg.Insecure = true
	s, err := soap.NewServer(cfg)
	require.NoError(t, err)
	s.Handle("/dev", &soap.Endpoint{Actions: h})
	l, err := network.Host("192.0.2.1").Listen(80)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		network.Close()
	})
	return &memory{t, network}
}

// dial connects from a host, and waits until the server has noticed.
func (m *memory) dial(host string) *rawClient {
	m.t.Helper()
	c, err := m.network.Host(host).Dial(m.t.Context(), "tcp", "192.0.2.1:80")
	require.NoError(m.t, err)
	m.t.Cleanup(func() { _ = c.Close() })
	synctest.Wait()
	return &rawClient{c, bufio.NewReader(c)}
}

// An address that floods with connections pushes out its own, not those of others.
func TestFloodPushesOutItsOwn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := serveInMemory(t, soap.ServerConfig{MaxUnproven: 4}, handlers{"urn:do": echo})
		good := m.dial("192.0.2.2") // the oldest, and slow to say something
		var flood []net.Conn
		for range 20 {
			flood = append(flood, m.dial("192.0.2.66"))
		}
		late := m.dial("192.0.2.3")
		require.Equal(t, http.StatusOK, good.ask())
		require.Equal(t, http.StatusOK, late.ask())
		for _, c := range flood[:17] {
			require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
			_, err := c.Read(make([]byte, 1))
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "still open")
		}
	})
}

// Of a message with too many header blocks the rest is not even looked at, wherever they stand.
func TestHeaderBlocksAreBounded(t *testing.T) {
	for name, doc := range map[string]string{
		"blocks":     string(envelope(xmlscan.NsSOAP12, action+strings.Repeat(`<x xmlns="urn:x"/>`, 64), `</broken>`)),
		"addressing": string(envelope(xmlscan.NsSOAP12, strings.Repeat(action, 65), `</broken>`)),
		"headers":    strings.Replace(string(envelope(xmlscan.NsSOAP12, action, `</broken>`)), "<e:Body>", strings.Repeat("<e:Header/>", 65)+"<e:Body>", 1),
		"others":     strings.Replace(string(envelope(xmlscan.NsSOAP12, action, `</broken>`)), "<e:Body>", strings.Repeat("<e:Other/>", 65)+"<e:Body>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			e := parse(t, doc)
			var f *soap.Fault
			require.ErrorAs(t, e.Check(), &f)
			require.Nil(t, e.Body())
			require.Error(t, e.ExpectEmpty())
		})
	}
	require.NoError(t, parse(t, string(envelope(xmlscan.NsSOAP12, action+strings.Repeat(`<x xmlns="urn:x"/>`, 63), ``))).Check())
}

// Handlers that compute for long take turns, also with large documents; what is small goes on beside them.
func TestTurnsOfHandlers(t *testing.T) {
	var in crowd
	begun, release := make(chan struct{}, 20), make(chan struct{})
	url := serveActions(t, soap.ServerConfig{Turns: 1}, handlers{
		"urn:long": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			turn := r.Turn()
			begun <- struct{}{}
			if err := turn.Begin(); err != nil {
				return nil, err
			}
			defer turn.End()
			in.enter()
			<-release
			return nil, nil
		},
		"urn:do": func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil },
	})
	long := strings.Replace(action, "urn:do", "urn:long", 1)
	doc := string(envelope(xmlscan.NsSOAP12, long, ""))
	beside := dialRaw(t, url)
	require.Equal(t, http.StatusAccepted, beside.ask())
	var conns []*rawClient
	for range 10 {
		c := dialRaw(t, url)
		require.Equal(t, http.StatusAccepted, c.ask())
		conns = append(conns, c)
	}
	for _, c := range conns {
		_, err := io.WriteString(c, head(len(doc), "")+doc)
		require.NoError(t, err)
	}
	for range conns {
		<-begun
	}
	require.Equal(t, http.StatusAccepted, beside.ask())
	close(release)
	for _, c := range conns {
		status, _ := c.answer()
		require.Equal(t, http.StatusAccepted, status)
	}
	require.EqualValues(t, 1, in.most.Load())
	require.NoError(t, new(soap.Request).Turn().Begin(), "of no server")
}
