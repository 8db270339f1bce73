package web_test

import (
	"context"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/web"
)

// fixed is a station whose view never changes.
type fixed struct {
	*station.Offline
	view *station.View
}

func (f *fixed) View() *station.View { return f.view }

func (*fixed) Views(ctx context.Context) iter.Seq[*station.View] {
	return func(func(*station.View) bool) { <-ctx.Done() }
}

// stationOf has a view whose documents have at least so many bytes.
func stationOf(t *testing.T, size int) *fixed {
	t.Helper()
	s, err := station.NewOffline(station.Config{})
	require.NoError(t, err)
	return &fixed{s, &station.View{Devices: []*station.Device{{EPR: "urn:x", Name: strings.Repeat("n", size)}}}}
}

// served is a web view whose browsers say themselves where they are.
type served struct {
	t *testing.T
	h *web.Handler
	s *httptest.Server
}

const where = "X-Test-Peer"

func serveAnywhere(t *testing.T, cfg web.Config) *served {
	t.Helper()
	h, err := web.New(cfg)
	require.NoError(t, err)
	s := &served{t: t, h: h}
	s.s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.Header.Get(where)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.s.Close)
	return s
}

// follow returns a connection, or the status of the refusal.
func (s *served) follow(peer string) (*websocket.Conn, int) {
	s.t.Helper()
	conn, resp, err := websocket.Dial(s.t.Context(), s.s.URL+"/api/v1/live", &websocket.DialOptions{HTTPHeader: http.Header{where: {peer}}})
	require.NotNil(s.t, resp)
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		require.NotEmpty(s.t, resp.Header.Get("Retry-After"))
		return nil, resp.StatusCode
	}
	conn.SetReadLimit(64 << 20)
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, resp.StatusCode
}

// One address cannot take the places of all followers. Loopback can: a proxy there stands for many.
func TestOnePeerHasAShareOfTheFollowers(t *testing.T) {
	s := serveAnywhere(t, web.Config{Station: stationOf(t, 1), MaxClients: 8})
	first, status := s.follow("192.0.2.1:1")
	require.Equal(t, http.StatusSwitchingProtocols, status)
	_, status = s.follow("192.0.2.1:2")
	require.Equal(t, http.StatusSwitchingProtocols, status)
	_, status = s.follow("[::ffff:192.0.2.1]:3")
	require.Equal(t, http.StatusServiceUnavailable, status, "more than a quarter")
	_, status = s.follow("192.0.2.2:1")
	require.Equal(t, http.StatusSwitchingProtocols, status)

	require.NoError(t, first.CloseNow())
	require.Eventually(t, func() bool {
		_, status := s.follow("192.0.2.1:4")
		return status == http.StatusSwitchingProtocols
	}, time.Minute, 10*time.Millisecond, "the place is free again")

	for _, peer := range []string{"127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "127.0.0.1:2", "127.0.0.1:3"} {
		_, status = s.follow(peer)
		require.Equal(t, http.StatusSwitchingProtocols, status, peer)
	}
	for _, peer := range []string{"127.0.0.1:4", "192.0.2.3:1"} {
		_, status = s.follow(peer)
		require.Equal(t, http.StatusServiceUnavailable, status, peer)
	}
}

// unread is the answer to a browser that does not read: a write waits for release.
type unread struct {
	*httptest.ResponseRecorder
	writing func()
	release chan struct{}
	until   time.Time
}

func (u *unread) SetWriteDeadline(at time.Time) error {
	u.until = at
	return nil
}

func (u *unread) Write(data []byte) (int, error) {
	u.writing()
	<-u.release
	return u.ResponseRecorder.Write(data)
}

// Documents that nobody reads are bounded, for each peer and for all; followers for whom there is no room are let go.
func TestWhatNobodyReadsIsBounded(t *testing.T) {
	const size = 12 << 20
	s := serveAnywhere(t, web.Config{Station: stationOf(t, size)})
	release := make(chan struct{})
	var asking sync.WaitGroup
	defer asking.Wait()
	releaseAll := sync.OnceFunc(func() { close(release) })
	defer releaseAll()
	var stuck []*unread
	// ask returns the status of a refusal, or 0 when the answer is on its way and waits there.
	ask := func(peer string) int {
		writing, ended := make(chan struct{}), make(chan struct{})
		u := &unread{ResponseRecorder: httptest.NewRecorder(), writing: sync.OnceFunc(func() { close(writing) }), release: release}
		r := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/view", http.NoBody)
		r.RemoteAddr = peer
		asking.Go(func() {
			defer close(ended)
			s.h.ServeHTTP(u, r)
		})
		<-writing
		if u.Header().Get("Retry-After") != "" {
			return u.Code // told once it is released; the header tells that it is a refusal
		}
		stuck = append(stuck, u)
		return 0
	}
	require.Zero(t, ask("192.0.2.1:1"))
	require.False(t, stuck[0].until.IsZero())
	require.LessOrEqual(t, time.Until(stuck[0].until), 5*time.Second, "who does not read is given up")
	require.NotZero(t, ask("192.0.2.1:2"), "more than a quarter")

	conn, status := s.follow("192.0.2.1:3")
	require.Equal(t, http.StatusSwitchingProtocols, status)
	_, _, err := conn.Read(t.Context())
	require.Error(t, err, "there is no room for the first message")
	conn, status = s.follow("192.0.2.2:1")
	require.Equal(t, http.StatusSwitchingProtocols, status)
	_, data, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.Greater(t, len(data), size)
	require.NoError(t, conn.CloseNow())

	// Each peer may have one, until there is no room for any more.
	require.Eventually(t, func() bool { return ask("192.0.2.2:2") == 0 }, time.Minute, 10*time.Millisecond, "what was delivered counts no more")
	for _, peer := range []string{"192.0.2.3:1", "127.0.0.1:1", "127.0.0.1:2"} {
		require.Zero(t, ask(peer), peer)
	}
	for _, peer := range []string{"192.0.2.4:1", "127.0.0.1:3"} {
		require.NotZero(t, ask(peer), peer)
	}
	releaseAll()
	asking.Wait()
	for _, u := range stuck {
		require.Equal(t, http.StatusOK, u.Code)
		require.Greater(t, u.Body.Len(), size)
	}
	require.Zero(t, ask("192.0.2.4:2"))
}

// told hands on the messages of a log.
type told struct {
	slog.Handler
	messages chan string
}

func (told) Enabled(context.Context, slog.Level) bool { return true }

func (l told) Handle(_ context.Context, r slog.Record) error { //nolint:gocritic // an interface of slog
	select {
	case l.messages <- r.Message:
	default:
	}
	return nil
}

// A browser that does not read its document is given up, over a real connection.
func TestDocumentHasAWriteDeadline(t *testing.T) {
	log := told{slog.DiscardHandler, make(chan string, 16)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	// More than the buffers of a connection hold.
	(&scene{t: t}).serve(l, web.Config{Station: stationOf(t, 48<<20), WriteTimeout: 100 * time.Millisecond, Logger: slog.New(log)})
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET /api/v1/view HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	select {
	case message := <-log.messages:
		require.Equal(t, "answer not delivered", message)
	case <-time.After(time.Minute):
		require.Fail(t, "the answer waits for ever")
	}
}
