package soap_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

func newLine(t *testing.T, cfg soap.ClientConfig) *soap.Line {
	t.Helper()
	cfg.Insecure, cfg.Timeout = true, -1
	l, err := soap.NewLine(cfg)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	return l
}

// wire is a peer that does with its connections, one after the other, what a test says. It notes the bodies that it reads.
type wire struct {
	l     net.Listener
	mu    sync.Mutex
	got   []string
	conns int
	open  int
	peak  int
	ended sync.WaitGroup
	left  chan struct{} // for a test's own use
	stop  chan struct{} // closed when the test is over
}

// wireConn is one connection to a wire.
type wireConn struct {
	net.Conn
	w  *wire
	br *bufio.Reader
}

func newWire(t *testing.T, l net.Listener, serve func(i int, c *wireConn)) *wire {
	t.Helper()
	w := &wire{l: l, left: make(chan struct{}, 16), stop: make(chan struct{})}
	t.Cleanup(w.close) // after what the test does with it is closed
	w.ended.Go(func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.conns++
			w.open++
			w.peak = max(w.peak, w.open)
			w.mu.Unlock()
			w.ended.Go(func() {
				serve(i, &wireConn{c, w, bufio.NewReader(c)})
				_ = c.Close()
				w.mu.Lock()
				w.open--
				w.mu.Unlock()
			})
		}
	})
	return w
}

func (w *wire) url() string { return "http://" + w.l.Addr().String() + "/x" }

func (w *wire) close() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	_ = w.l.Close()
	w.ended.Wait()
}

func (w *wire) seen() (bodies string, conns int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.got, ","), w.conns
}

func (w *wire) connections() int {
	_, n := w.seen()
	return n
}

// read reads one message; false at the end.
func (c *wireConn) read() bool {
	r, err := http.ReadRequest(c.br)
	if err != nil {
		return false
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	c.w.mu.Lock()
	c.w.got = append(c.w.got, string(b))
	c.w.mu.Unlock()
	return true
}

func (c *wireConn) say(s string) { _, _ = c.Write([]byte(s)) }

// drained waits until the other end has closed.
func (c *wireConn) drained() { _, _ = io.Copy(io.Discard, c.br) }

const okAnswer = "HTTP/1.1 202 Accepted\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"

// onBoth runs a test over real sockets, and in memory where connections cannot be asked whether anything has arrived.
func onBoth(t *testing.T, serve func(i int, c *wireConn), use func(t *testing.T, w *wire, cfg soap.ClientConfig)) {
	t.Helper()
	t.Run("sockets", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		w := newWire(t, l, serve)
		use(t, w, soap.ClientConfig{})
	})
	t.Run("in memory", func(t *testing.T) {
		bubble.Test(t, func(t *testing.T) {
			n := memnet.New(memnet.Config{})
			t.Cleanup(n.Close)
			l, err := n.Host("192.0.2.7").Listen(0)
			require.NoError(t, err)
			w := newWire(t, l, serve)
			use(t, w, soap.ClientConfig{Dial: n.Host("192.0.2.1").Dial})
		})
	})
}

// What a peer sees of a line is what it sees of a client.
func TestLineRequest(t *testing.T) {
	record := func(use func(url string) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var raw bytes.Buffer
		w := newWire(t, l, func(_ int, c *wireConn) {
			c.br = bufio.NewReader(io.TeeReader(c.Conn, &raw))
			for c.read() {
				c.say(okAnswer)
			}
		})
		err = use("http://" + l.Addr().String() + "/urn:uuid:1/a%20b?x=y&z")
		require.NoError(t, err)
		w.close()
		return strings.ReplaceAll(raw.String(), l.Addr().String(), "HOST")
	}
	for name, cfg := range map[string]soap.ClientConfig{
		"plain":      {DisableCompression: true},
		"gzip":       {},
		"user agent": {UserAgent: "a/1"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Insecure = true
			var want, got string
			want = record(func(url string) error {
				c, err := soap.NewClient(cfg)
				require.NoError(t, err)
				defer c.Close()
				return errors.Join(c.Send(t.Context(), url, []byte("abc")), c.Send(t.Context(), url), c.Send(t.Context(), url, []byte("d")))
			})
			got = record(func(url string) error {
				l, err := soap.NewLine(cfg)
				require.NoError(t, err)
				defer l.Close()
				s, err := l.Sender(url)
				require.NoError(t, err)
				require.Equal(t, url, s.URL())
				return errors.Join(s.Send(t.Context(), []byte("a"), nil, []byte("bc")), s.Send(t.Context()), s.Send(t.Context(), []byte("d")))
			})
			require.Equal(t, want, got)
		})
	}
}

// TestLineAnswers: whatever the answer, the message has been written once, and the next one arrives.
func TestLineAnswers(t *testing.T) {
	fault := string(soap.AppendEnvelope(nil, soap.Receiver("x").Header(""), soap.Receiver("unknown")))
	length := func(n int) string { return "Content-Length: " + string(appendInt(n)) + "\r\n\r\n" }
	envelope := string(envelope(xmlscan.NsSOAP12, action, ""))
	ok := func(t *testing.T, err error) { require.NoError(t, err) }
	for name, tt := range map[string]struct {
		answer string
		check  func(*testing.T, error)
		keeps  bool
	}{
		"202":                   {okAnswer, ok, true},
		"204":                   {"HTTP/1.1 204 No Content\r\n\r\n", ok, true},
		"202 in small letters":  {"HTTP/1.1 202 Accepted\r\ncontent-length:0\r\n\r\n", ok, true},
		"202 chunked":           {"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ok, true},
		"202 until the end":     {"HTTP/1.1 202 Accepted\r\n\r\n", ok, false},
		"202 and close":         {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ok, false},
		"HTTP/1.0":              {"HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\n\r\n", ok, false},
		"HTTP/1.0 kept":         {"HTTP/1.0 202 Accepted\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", ok, true},
		"continue first":        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer, ok, true},
		"interim for ever":      {strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 10), isOther("interim"), false},
		"switching":             {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", isHTTP(101, 0), false},
		"200 with envelope":     {"HTTP/1.1 200 OK\r\n" + length(len(envelope)) + envelope, ok, true},
		"200 with text":         {"HTTP/1.1 200 OK\r\n" + length(2) + "ok", isOther("answer"), true},
		"200 with fault":        {"HTTP/1.1 200 OK\r\n" + length(len(fault)) + fault, isFault(200), true},
		"500 with fault":        {"HTTP/1.1 500 Internal Server Error\r\n" + length(len(fault)) + fault, isFault(500), true},
		"busy":                  {"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n" + length(0), isHTTP(503, 3*time.Second), true},
		"too many":              {"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\n" + length(0), isHTTP(429, 2*time.Second), true},
		"not found, closed":     {"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nnothing", isHTTP(404, 0), false},
		"longer than permitted": {"HTTP/1.1 200 OK\r\n" + length(1<<30) + "x", func(t *testing.T, err error) { require.ErrorIs(t, err, soap.ErrTooLarge) }, false},
		"header for ever":       {"HTTP/1.1 202 Accepted\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 80), isOther("header is longer"), false},
		"no HTTP":               {"SSH-2.0-x\r\n\r\n", isOther("answer"), false},
		"two lengths":           {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nabcde", isOther("answer"), false},
		"more than asked for":   {okAnswer + okAnswer, ok, false},
		"closed":                {"", isOther("EOF"), false},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(_ int, c *wireConn) {
				for c.read() {
					c.say(tt.answer)
					if tt.answer == "" || strings.HasSuffix(tt.answer, "nothing") || tt.answer == "HTTP/1.1 202 Accepted\r\n\r\n" {
						return // its end ends the answer
					}
				}
			}, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
				cfg.MaxResponse = 4096
				l := newLine(t, cfg)
				s, err := l.Sender(w.url())
				require.NoError(t, err)
				for _, m := range []string{"a", "b"} {
					tt.check(t, s.Send(t.Context(), []byte(m)))
				}
				bodies, conns := w.seen()
				require.Equal(t, "a,b", bodies)
				require.Equal(t, tt.keeps, conns == 1, "%d connections", conns)
				l.Close()
				require.ErrorIs(t, s.Send(t.Context(), []byte("c")), soap.ErrClosed)
			})
		})
	}
}

func appendInt(n int) []byte {
	var b []byte
	for ; n > 0 || b == nil; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return b
}

// A kept-alive connection that the peer has closed meanwhile costs nothing, and no message arrives twice.
func TestLineReconnects(t *testing.T) {
	// covers: SDPi R1001
	onBoth(t, func(_ int, c *wireConn) {
		c.read()
		c.say(okAnswer)
		_ = c.Close()
		c.w.left <- struct{}{}
	}, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
		s, err := newLine(t, cfg).Sender(w.url())
		require.NoError(t, err)
		for _, m := range []string{"a", "b", "c"} {
			require.NoError(t, s.Send(t.Context(), []byte(m)))
			<-w.left
			if cfg.Dial != nil {
				synctest.Wait() // the end has arrived
			}
		}
		bodies, conns := w.seen()
		require.Equal(t, "a,b,c", bodies)
		require.Equal(t, 3, conns)
		require.Equal(t, 1, w.peak)
	})
}

// When nobody knows whether a message has arrived it is not written again.
func TestLineRepeatsNothing(t *testing.T) {
	onBoth(t, func(i int, c *wireConn) {
		for c.read() && i > 0 {
			c.say(okAnswer)
		}
	}, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
		s, err := newLine(t, cfg).Sender(w.url())
		require.NoError(t, err)
		require.Error(t, s.Send(t.Context(), []byte("a")))
		require.NoError(t, s.Send(t.Context(), []byte("b")))
		require.NoError(t, s.Send(t.Context(), []byte("c")))
		bodies, conns := w.seen()
		require.Equal(t, "a,b,c", bodies)
		require.Equal(t, 2, conns)
	})
}

// A context ends the waiting for an answer, and with it the connection: the answer could be taken for that of the next message.
func TestLineContext(t *testing.T) {
	cause := errors.New("given up")
	silentAtFirst := func(i int, c *wireConn) {
		for c.read() {
			if i > 0 {
				c.say(okAnswer)
			} else {
				c.w.left <- struct{}{}
			}
		}
	}
	check := func(t *testing.T, ctx context.Context, w *wire, s *soap.Sender) {
		t.Helper()
		require.ErrorIs(t, s.Send(ctx, []byte("a")), cause)
		require.ErrorIs(t, s.Send(ctx, []byte("never")), cause)
		require.NoError(t, s.Send(t.Context(), []byte("b")))
		bodies, conns := w.seen()
		require.Equal(t, "a,b", bodies)
		require.Equal(t, 2, conns)
	}
	onBoth(t, silentAtFirst, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
		s, err := newLine(t, cfg).Sender(w.url())
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		given := make(chan struct{})
		go func() {
			defer close(given)
			<-w.left
			cancel(cause)
		}()
		check(t, ctx, w, s)
		<-given
	})
	inMemory(t, silentAtFirst, func(t *testing.T, w *wire, _ *soap.Line, s *soap.Sender) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, cause)
		defer cancel()
		check(t, ctx, w, s)
	})
}

// hesitant answers each message after the time that it names, or never if it names none.
func hesitant(_ int, c *wireConn) {
	for {
		r, err := http.ReadRequest(c.br)
		if err != nil {
			return
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		d, err := time.ParseDuration(string(b))
		if err != nil {
			c.drained()
			return
		}
		select {
		case <-time.After(d):
		case <-c.w.stop:
		}
		c.say(okAnswer)
	}
}

// inMemory runs a test with a line to one peer in virtual time.
func inMemory(t *testing.T, serve func(i int, c *wireConn), use func(t *testing.T, w *wire, l *soap.Line, s *soap.Sender)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		n := memnet.New(memnet.Config{})
		t.Cleanup(n.Close)
		listener, err := n.Host("192.0.2.7").Listen(0)
		require.NoError(t, err)
		w := newWire(t, listener, serve)
		l := newLine(t, soap.ClientConfig{Dial: n.Host("192.0.2.1").Dial})
		s, err := l.Sender(w.url())
		require.NoError(t, err)
		use(t, w, l, s)
	})
}

// A deadline holds for the message under way and for no other: neither for one that was answered before, nor for the next one, which has a later one.
func TestLineDeadline(t *testing.T) {
	late := errors.New("too late")
	inMemory(t, hesitant, func(t *testing.T, w *wire, l *soap.Line, s *soap.Sender) {
		send := func(within time.Duration, message string) (error, time.Duration) {
			begin := time.Now()
			l.SetDeadline(begin.Add(within), late)
			return s.Send(t.Context(), []byte(message)), time.Since(begin)
		}
		for range 100 { // through many deadlines of messages that were answered
			err, took := send(4*time.Second, "900ms")
			require.NoError(t, err)
			require.Equal(t, 900*time.Millisecond, took)
		}
		require.Equal(t, 1, w.connections())
		for _, within := range []time.Duration{4 * time.Second, 5 * time.Second, time.Second} { // one is earlier than what is waited for
			err, _ := send(6*time.Second, "1s")
			require.NoError(t, err)
			err, took := send(within, "never")
			require.ErrorIs(t, err, late)
			require.Equal(t, within, took)
		}
		conns := w.connections()
		<-time.After(time.Minute) // a deadline that passes while nothing is sent
		err, _ := send(0, "never")
		require.ErrorIs(t, err, late)
		require.Equal(t, conns, w.connections())
		err, _ = send(4*time.Second, "1s")
		require.NoError(t, err)
		l.SetDeadline(time.Time{}, nil)
		require.NoError(t, s.Send(t.Context(), []byte("1h")))
		require.Equal(t, conns+1, w.connections())
		l.SetDeadline(time.Now().Add(time.Second), nil)
		require.ErrorIs(t, s.Send(t.Context(), []byte("never")), context.DeadlineExceeded)
	})
}

// A deadline bounds the making of a connection as well.
func TestLineDeadlineOfDial(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLine(t, soap.ClientConfig{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		s, err := l.Sender("http://192.0.2.7/")
		require.NoError(t, err)
		late, begin := errors.New("too late"), time.Now()
		l.SetDeadline(begin.Add(3*time.Second), late)
		require.ErrorIs(t, s.Send(t.Context(), []byte("x")), late)
		require.Equal(t, 3*time.Second, time.Since(begin))
	})
}

// The time-out of the configuration bounds each message, with a deadline or without, and takes no context for that.
func TestLineTimeout(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := memnet.New(memnet.Config{})
		t.Cleanup(n.Close)
		listener, err := n.Host("192.0.2.7").Listen(0)
		require.NoError(t, err)
		w := newWire(t, listener, hesitant)
		l, err := soap.NewLine(soap.ClientConfig{Insecure: true, Timeout: 2 * time.Second, Dial: n.Host("192.0.2.1").Dial})
		require.NoError(t, err)
		defer l.Close()
		s, err := l.Sender(w.url())
		require.NoError(t, err)
		late := errors.New("too late")
		for _, c := range []struct {
			deadline time.Duration // 0: none
			message  string
			want     error
			took     time.Duration
		}{
			{0, "1s", nil, time.Second},
			{0, "1s", nil, time.Second},
			{0, "never", context.DeadlineExceeded, 2 * time.Second},
			{time.Hour, "never", context.DeadlineExceeded, 2 * time.Second},
			{time.Second, "never", late, time.Second},
			{time.Hour, "1s", nil, time.Second},
		} {
			begin := time.Now()
			l.SetDeadline(time.Time{}, nil)
			if c.deadline > 0 {
				l.SetDeadline(begin.Add(c.deadline), late)
			}
			require.ErrorIs(t, s.Send(t.Context(), []byte(c.message)), c.want)
			require.Equal(t, c.took, time.Since(begin))
		}
		require.Equal(t, 4, w.connections())
	})
}

// The messages of a line have many contexts in turn, as those of several subscriptions have. The end of one gives up the message that it is that of, and no other.
func TestLineContexts(t *testing.T) {
	inMemory(t, hesitant, func(t *testing.T, w *wire, _ *soap.Line, s *soap.Sender) {
		contexts, ends := make([]context.Context, 20), make([]context.CancelCauseFunc, 20)
		for i := range contexts {
			contexts[i], ends[i] = context.WithCancelCause(t.Context())
			defer ends[i](nil)
		}
		for range 3 {
			for _, ctx := range contexts {
				require.NoError(t, s.Send(ctx, []byte("1s")))
			}
		}
		for i := range 10 { // one that ends while another's message is under way
			other := time.AfterFunc(time.Second, func() { ends[i](nil) })
			require.NoError(t, s.Send(contexts[19], []byte("2s")))
			require.False(t, other.Stop())
			require.ErrorIs(t, s.Send(contexts[i], []byte("never")), context.Canceled)
		}
		require.Equal(t, 1, w.connections())
		for i := 10; i < 20; i++ {
			begin, cause := time.Now(), errors.New("given up")
			time.AfterFunc(time.Second, func() { ends[i](cause) })
			require.ErrorIs(t, s.Send(contexts[i], []byte("never")), cause)
			require.Equal(t, time.Second, time.Since(begin))
			require.NoError(t, s.Send(t.Context(), []byte("1s")))
			require.Equal(t, i-8, w.connections())
		}
	})
}

// counted is a context that never ends and counts who wants to be told.
type counted struct {
	context.Context
	done chan struct{}
	now  *int // registrations, all contexts together
	ever int  // of this one
}

func (c *counted) Done() <-chan struct{} { return c.done }

// AfterFunc is what package context calls to register.
func (c *counted) AfterFunc(func()) (stop func() bool) {
	*c.now++
	c.ever++
	return func() bool {
		*c.now--
		return true
	}
}

// A line registers with a context once, with few of them at the same time, and with none when it is disconnected.
func TestLineRegistrations(t *testing.T) {
	inMemory(t, hesitant, func(t *testing.T, _ *wire, l *soap.Line, s *soap.Sender) {
		var now int
		contexts := make([]*counted, 20)
		for i := range contexts {
			contexts[i] = &counted{Context: t.Context(), done: make(chan struct{}), now: &now}
		}
		for range 10 {
			for _, ctx := range contexts[:8] {
				require.NoError(t, s.Send(ctx, []byte("0s")))
			}
		}
		require.Equal(t, 8, now)
		for _, ctx := range contexts[:8] {
			require.Equal(t, 1, ctx.ever)
		}
		for _, ctx := range contexts {
			require.NoError(t, s.Send(ctx, []byte("0s")))
			require.Equal(t, 8, now)
		}
		l.Disconnect()
		require.Zero(t, now)
		require.NoError(t, s.Send(contexts[0], []byte("0s")))
		require.Positive(t, now)
	})
}

// A peer that refuses a large message before it has read it is understood, and one that takes nothing is given up in time.
func TestLineLargeMessage(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 16<<20) // more than sockets take
	t.Run("refused", func(t *testing.T) {
		onBoth(t, func(_ int, c *wireConn) {
			_, _ = c.br.ReadString('\n')
			c.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.drained()
		}, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
			s, err := newLine(t, cfg).Sender(w.url())
			require.NoError(t, err)
			isHTTP(413, 0)(t, s.Send(t.Context(), large))
		})
	})
	t.Run("not taken", func(t *testing.T) {
		onBoth(t, func(_ int, c *wireConn) { <-c.w.stop }, func(t *testing.T, w *wire, cfg soap.ClientConfig) {
			s, err := newLine(t, cfg).Sender(w.url())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // enough to connect on a busy machine
			defer cancel()
			require.ErrorIs(t, s.Send(ctx, large), context.DeadlineExceeded)
		})
	})
}

// Senders to one host share the connection; one to another host takes its place.
func TestLineHosts(t *testing.T) {
	// covers: SDPi R1001
	bubble.Test(t, func(t *testing.T) {
		n := memnet.New(memnet.Config{})
		t.Cleanup(n.Close)
		var wires []*wire
		for _, ip := range []string{"192.0.2.7", "192.0.2.8"} {
			l, err := n.Host(ip).Listen(80)
			require.NoError(t, err)
			w := newWire(t, l, func(_ int, c *wireConn) {
				for c.read() {
					c.say(okAnswer)
				}
			})
			wires = append(wires, w)
		}
		l := newLine(t, soap.ClientConfig{Dial: n.Host("192.0.2.1").Dial})
		for i, url := range []string{"http://192.0.2.7/a", "http://192.0.2.7:80/b", "http://192.0.2.8/c", "http://192.0.2.7/d"} {
			s, err := l.Sender(url)
			require.NoError(t, err)
			require.NoError(t, s.Send(t.Context(), appendInt(i)))
			synctest.Wait()
			require.Equal(t, 1, wires[0].open+wires[1].open)
		}
		bodies, conns := wires[0].seen()
		require.Equal(t, "0,1,3", bodies)
		require.Equal(t, 2, conns)
		_, err := l.Sender("http://192.0.2.7 /")
		require.Error(t, err)
	})
}

// A peer is judged before each message; one that is refused gets nothing, on whatever connection.
func TestLineRecheck(t *testing.T) {
	cert, pool := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := newWire(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}), func(_ int, c *wireConn) {
		for c.read() {
			c.say(okAnswer)
		}
	})
	refused := errors.New("revoked")
	var verdict error
	line, err := soap.NewLine(soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}, Recheck: func(cs tls.ConnectionState, remote string) func() error {
		return func() error {
			if len(cs.PeerCertificates) != 1 || remote != l.Addr().String() {
				return errors.New("wrong peer")
			}
			return verdict
		}
	}})
	require.NoError(t, err)
	defer line.Close()
	s, err := line.Sender(strings.Replace(w.url(), "http:", "https:", 1))
	require.NoError(t, err)
	require.NoError(t, s.Send(t.Context(), []byte("a")))
	require.NoError(t, s.Send(t.Context(), []byte("b")))
	verdict = refused
	require.ErrorIs(t, s.Send(t.Context(), []byte("never")), refused)
	verdict = nil
	require.NoError(t, s.Send(t.Context(), []byte("c")))
	bodies, _ := w.seen()
	require.Equal(t, "a,b,c", bodies)

	stranger, err := soap.NewLine(soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}})
	require.NoError(t, err)
	defer stranger.Close()
	s, err = stranger.Sender("https://" + netip.MustParseAddr("192.0.2.1").String() + "/x")
	require.NoError(t, err)
	require.ErrorContains(t, s.Send(t.Context(), []byte("never")), "certificate")
}

// Why a peer does not accept us comes after the handshake, with TLS 1.3, and is told, whatever becomes of the message.
func TestLineAlert(t *testing.T) {
	cert, pool := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	newWire(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert}), func(_ int, c *wireConn) { c.read() })
	for range 50 {
		line, err := soap.NewLine(soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}})
		require.NoError(t, err)
		s, err := line.Sender("https://" + l.Addr().String() + "/x")
		require.NoError(t, err)
		require.ErrorContains(t, s.Send(t.Context(), bytes.Repeat([]byte("x"), 100_000)), "certificate required")
		line.Close()
	}
}

func TestLineConfig(t *testing.T) {
	_, err := soap.NewLine(soap.ClientConfig{})
	require.ErrorIs(t, err, soap.ErrInsecure)
	l := newLine(t, soap.ClientConfig{})
	_, err = l.Sender("https://127.0.0.1/")
	require.Error(t, err)
	s, err := l.Sender("http://127.0.0.1:1/")
	require.NoError(t, err)
	var op *net.OpError
	require.ErrorAs(t, s.Send(t.Context(), []byte("x")), &op)
	require.Equal(t, "dial", op.Op)
}
