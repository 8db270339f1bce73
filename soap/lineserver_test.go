package soap_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
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

// lineSink is a server in virtual time for what notifications are sent to.
type lineSink struct {
	t    *testing.T
	net  *memnet.Network
	tls  *tls.Config // of clients; nil is plain HTTP
	stop func()      // and waits until it has stopped
}

// newLineSink serves an endpoint at /dev until the test ends.
func newLineSink(t *testing.T, cfg soap.ServerConfig, e *soap.Endpoint) *lineSink {
	t.Helper()
	k := &lineSink{t: t, net: memnet.New(memnet.Config{})}
	t.Cleanup(k.net.Close)
	cfg.Insecure = cfg.TLS == nil
	s, err := soap.NewServer(cfg)
	require.NoError(t, err)
	s.Handle("/dev", e)
	l, err := k.net.Host("192.0.2.7").Listen(80)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stopped := false
	k.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(k.stop)
	return k
}

func (k *lineSink) dial() *rawClient {
	c, err := k.net.Host("192.0.2.1").Dial(k.t.Context(), "tcp", "192.0.2.7:80")
	require.NoError(k.t, err)
	if k.tls != nil {
		c = tls.Client(c, k.tls)
	}
	k.t.Cleanup(func() { _ = c.Close() })
	return &rawClient{c, bufio.NewReader(c)}
}

// notification is a message of an action.
func notification(action, text string) string {
	return string(soap.AppendEnvelope(nil, &soap.Header{Action: action}, soap.RawBody(`<b xmlns="urn:b">`+text+`</b>`)))
}

// notify is a plain request with a message and further header lines.
func notify(action, text, more string) string {
	doc := notification(action, text)
	return head(len(doc), more) + doc
}

func (c *rawClient) say(s string) {
	_, _ = io.WriteString(c, s) // a server that has closed is noticed when reading
}

// ownLoop tells whether the calling handler is that of a connection which was taken from net/http.
func ownLoop() bool { return bytes.Contains(debug.Stack(), []byte("lineServer")) }

// oddities are what a client may do with a connection over which notifications come: texts are sent, durations pass, nil ends what it sends.
var oddities = map[string][]any{
	"good":                    {notify("urn:do", "x", "")},
	"good, more to come":      {notify("urn:do", "x", "Prefer: respond-async\r\n")},
	"another preference":      {notify("urn:do", "x", "Prefer: wait=1\r\n")},
	"ten at once":             {strings.Repeat(notify("urn:do", "x", ""), 10)},
	"large":                   {notify("urn:do", strings.Repeat("x", 100_000), "")},
	"larger than plain":       {notify("urn:do", strings.Repeat("x", 300_000), "")},
	"larger than allowed":     {notify("urn:do", strings.Repeat("x", 1<<20), "")},
	"fault":                   {notify("urn:fail", "x", "")},
	"fault after more":        {notify("urn:fail", "x", "Prefer: respond-async\r\n")},
	"panic":                   {notify("urn:panic", "x", "")},
	"panic after more":        {notify("urn:panic", "x", "Prefer: respond-async\r\n")},
	"answer":                  {notify("urn:ask", "x", "")},
	"answer, gzip offered":    {notify("urn:ask", "x", "Accept-Encoding: gzip\r\n")},
	"unknown action":          {notify("urn:unknown", "x", "")},
	"no XML":                  {head(3, "") + "<no"},
	"SOAP 1.1":                {head(len(envelope(ns11, action, "")), "") + string(envelope(ns11, action, ""))},
	"handler too slow":        {notify("urn:slow", "x", "")},
	"nothing":                 {},
	"no more":                 {nil},
	"a pause":                 {119 * time.Second},
	"GET":                     {"GET /dev HTTP/1.1\r\nHost: x\r\n\r\n"},
	"HEAD":                    {"HEAD /dev HTTP/1.1\r\nHost: x\r\n\r\n"},
	"TRACE":                   {"TRACE /dev HTTP/1.1\r\nHost: x\r\n\r\n"},
	"CONNECT":                 {"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"},
	"no method":               {" /dev HTTP/1.1\r\nHost: x\r\n\r\n"},
	"HTTP/1.0":                {strings.Replace(notify("urn:do", "x", ""), "HTTP/1.1", "HTTP/1.0", 1)},
	"HTTP/1.2":                {strings.Replace(notify("urn:do", "x", ""), "HTTP/1.1", "HTTP/1.2", 1)},
	"HTTP/2":                  {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	"noise":                   {"\x16\x03\x01\x00\xA5\x01\n"},
	"empty lines before":      {"\r\n\r\n" + notify("urn:do", "x", "")},
	"another path":            {strings.Replace(notify("urn:do", "x", ""), "/dev", "/nobody", 1)},
	"escaped path":            {strings.Replace(notify("urn:do", "x", ""), "/dev", "/%64ev", 1)},
	"path with query":         {strings.Replace(notify("urn:do", "x", ""), "/dev", "/dev?x", 1)},
	"path with fragment":      {strings.Replace(notify("urn:do", "x", ""), "/dev", "/dev#x", 1)},
	"two slashes":             {strings.Replace(notify("urn:do", "x", ""), "/dev", "//dev", 1)},
	"slash at the end":        {strings.Replace(notify("urn:do", "x", ""), "/dev", "/dev/", 1)},
	"whole URL":               {strings.Replace(notify("urn:do", "x", ""), "/dev", "http://x/dev", 1)},
	"climbing path":           {strings.Replace(notify("urn:do", "x", ""), "/dev", "/a/../dev", 1)},
	"two spaces":              {strings.Replace(notify("urn:do", "x", ""), " HTTP", "  HTTP", 1)},
	"no host":                 {strings.Replace(notify("urn:do", "x", ""), "Host: x\r\n", "", 1)},
	"another host":            {strings.Replace(notify("urn:do", "x", ""), "Host: x", "Host: y", 1)},
	"bad host":                {strings.Replace(notify("urn:do", "x", ""), "Host: x", "Host: x y", 1)},
	"two hosts":               {notify("urn:do", "x", "Host: x\r\n")},
	"no content type":         {strings.Replace(notify("urn:do", "x", ""), "Content-Type: application/soap+xml\r\n", "", 1)},
	"another content type":    {strings.Replace(notify("urn:do", "x", ""), "soap+xml", "json", 1)},
	"another charset":         {strings.Replace(notify("urn:do", "x", ""), "soap+xml", "soap+xml; charset=utf-16", 1)},
	"two content types":       {notify("urn:do", "x", "Content-Type: text/plain\r\n")},
	"length twice":            {notify("urn:do", "x", fmt.Sprintf("Content-Length: %d\r\n", len(notification("urn:do", "x"))))},
	"two lengths":             {notify("urn:do", "x", "Content-Length: 1\r\n")},
	"length and chunks":       {notify("urn:do", "x", "Transfer-Encoding: chunked\r\n")},
	"chunks":                  {chunked(notification("urn:do", "x")) + "0\r\n\r\n"},
	"chunks with trailer":     {chunked(notification("urn:do", "x")) + "0\r\nA: b\r\n\r\n"},
	"broken chunks":           {chunked(notification("urn:do", "x")) + "x\r\n"},
	"negative length":         {head(-1, "")},
	"length with sign":        {strings.Replace(head(5, ""), "5", "+5", 1) + "hello"},
	"length with zeros":       {strings.Replace(head(5, ""), "5", "0005", 1) + "hello"},
	"length in hex":           {strings.Replace(head(5, ""), "5", "0x5", 1) + "hello"},
	"length with space":       {strings.Replace(head(5, ""), "5", "5 ", 1) + "hello"},
	"length 0":                {head(0, "")},
	"length with overflow":    {strings.Replace(head(5, ""), "5", "18446744073709551621", 1) + "hello"},
	"giant":                   {strings.Replace(head(5, ""), "5", "1000000000000", 1)},
	"no length":               {"POST /dev HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n\r\n"},
	"expects":                 {head(3, "Expect: 100-continue\r\n"), time.Second, "<no"},
	"expects something else":  {head(3, "Expect: me\r\n") + "<no"},
	"line feeds alone":        {strings.Replace(head(3, ""), "\r\n", "\n", -1) + "<no"},
	"carriage return alone":   {notify("urn:do", "x", "User-Agent: a\rb\r\n")},
	"folded line":             {notify("urn:do", "x", "User-Agent: a\r\n b\r\n")},
	"space before colon":      {notify("urn:do", "x", "User-Agent : a\r\n")},
	"no space after colon":    {notify("urn:do", "x", "User-Agent:a\r\n")},
	"no colon":                {notify("urn:do", "x", "User-Agent\r\n")},
	"no value":                {notify("urn:do", "x", "User-Agent:\r\n")},
	"no name":                 {notify("urn:do", "x", ": a\r\n")},
	"spaces around":           {notify("urn:do", "x", "User-Agent:  a \r\n")},
	"NUL":                     {notify("urn:do", "x", "User-Agent: a\x00\r\n")},
	"not ASCII":               {notify("urn:do", "x", "User-Agent: \xFF\r\n")},
	"unknown header":          {notify("urn:do", "x", "X-A: a\r\n")},
	"lower case":              {strings.Replace(notify("urn:do", "x", ""), "Content-Length", "content-length", 1)},
	"long header":             {notify("urn:do", "x", "User-Agent: "+strings.Repeat("a", 5000)+"\r\n")},
	"longer than allowed":     {notify("urn:do", "x", "User-Agent: "+strings.Repeat("a", 40_000)+"\r\n")},
	"many headers":            {notify("urn:do", "x", strings.Repeat("User-Agent: a\r\n", 50))},
	"close":                   {notify("urn:do", "x", "Connection: close\r\n")},
	"keep alive":              {notify("urn:do", "x", "Connection: keep-alive\r\n")},
	"upgrade":                 {notify("urn:do", "x", "Connection: upgrade\r\nUpgrade: websocket\r\n")},
	"gzip":                    {gzipped(notification("urn:do", "x"))},
	"unknown coding":          {notify("urn:do", "x", "Content-Encoding: br\r\n")},
	"header in pieces":        {"POST /dev HT", time.Second, "TP/1.1\r\nHost: x\r", time.Second, "\nContent-Type: application/soap+xml\r\nContent-Length: 3\r\n\r\n<no"},
	"half a header":           {"POST /dev HTTP/1.1\r\nHost: x\r\n"},
	"half a header, and end":  {"POST /dev HTTP/1.1\r\nHost: x\r\n", nil},
	"trickling header":        {"POST /dev HTTP/1.1\r\n", 2 * time.Second, "Host: x\r\n", 2 * time.Second, "User-Agent: a\r\n", 2 * time.Second, "\r\n"},
	"odd header in pieces":    {"GET /dev HTTP/1.1\r\n", time.Second, "Host: x\r\n", time.Second, "\r\n"},
	"body in pieces":          {head(3, "") + "<", time.Second, "n", time.Second, "o"},
	"half a body":             {head(3, "") + "<n"},
	"half a body, and end":    {head(3, "") + "<n", nil},
	"half a refused body":     {strings.Replace(head(3, ""), "/dev", "/nobody", 1) + "<n"},
	"trickling body":          {head(3, "") + "<", 14 * time.Second, "n", 2 * time.Second, "o"},
	"answered before the end": {strings.Replace(head(3, ""), "/dev", "/nobody", 1), time.Second, "<no"},
}

func chunked(doc string) string {
	return fmt.Sprintf("POST /dev HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(doc), doc)
}

func gzipped(doc string) string {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	_, _ = zw.Write([]byte(doc))
	_ = zw.Close()
	return head(b.Len(), "Content-Encoding: gzip\r\n") + b.String()
}

// oddSink is the endpoint for oddities. taken counts the messages of connections that were taken over.
func oddSink(notifications bool, taken *atomic.Int64) *soap.Endpoint {
	note := func() {
		if ownLoop() {
			taken.Add(1)
		}
	}
	return &soap.Endpoint{Notifications: notifications, Early: true, Actions: handlers{
		"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			note()
			return nil, r.Body().Skip()
		},
		"urn:fail": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			note()
			return nil, &soap.Fault{Code: soap.CodeSender, Reason: "no", Status: http.StatusForbidden}
		},
		"urn:panic": func(context.Context, *soap.Request) (*soap.Response, error) { panic("at the disco") },
		"urn:ask": func(context.Context, *soap.Request) (*soap.Response, error) {
			note()
			return &soap.Response{Action: "urn:answer", Body: soap.RawBody(`<b xmlns="urn:b">` + strings.Repeat("y", 2000) + `</b>`)}, nil
		},
		"urn:slow": func(context.Context, *soap.Request) (*soap.Response, error) {
			time.Sleep(61 * time.Second)
			return nil, nil
		},
	}}
}

// told is what a client hears, with the time of it, after a notification and then something odd.
func told(t *testing.T, k *lineSink, odd []any) string {
	c := k.dial()
	c.say(notify("urn:do", "first", ""))
	status, _ := c.answer()
	require.Equal(t, http.StatusAccepted, status)
	begin := time.Now()
	heard := make(chan string, 1)
	go func() {
		var b strings.Builder
		for {
			resp, err := http.ReadResponse(c.in, nil)
			if err != nil {
				fmt.Fprintf(&b, "%v: closed\n", time.Since(begin))
				heard <- b.String()
				return
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.Header.Get("Date") == "" && resp.StatusCode/100 != 1 && resp.StatusCode != http.StatusBadRequest {
				b.WriteString("no date ")
			}
			resp.Header.Del("Date")
			if resp.Header.Get("Content-Encoding") == "gzip" { // of a size that depends on the identifier
				zr, _ := gzip.NewReader(bytes.NewReader(body))
				body, err = io.ReadAll(zr)
				resp.Header.Del("Content-Length")
				resp.ContentLength = 0
			}
			var lines []string
			for name, values := range resp.Header {
				lines = append(lines, fmt.Sprint(name, values))
			}
			slices.Sort(lines)
			if i := bytes.Index(body, []byte("MessageID>urn:uuid:")); i >= 0 {
				body = append(body[:i:i], body[i+len("MessageID>urn:uuid:")+36:]...)
			}
			fmt.Fprintf(&b, "%v: %s %d %v %v close=%t %q %v\n", time.Since(begin), resp.Proto, resp.StatusCode, lines, resp.ContentLength, resp.Close, body, err)
		}
	}()
	for _, step := range odd {
		switch s := step.(type) {
		case string:
			c.say(s)
		case time.Duration:
			time.Sleep(s)
		case nil:
			_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		synctest.Wait()
	}
	time.Sleep(200 * time.Millisecond)
	c.say(notify("urn:do", "after it", "")) // is the connection still in order?
	return <-heard
}

// TestOddRequestsAmongNotifications: a connection that was taken from net/http behaves as one that was not, whatever comes over it: the same answers, closed at the
// same time.
func TestOddRequestsAmongNotifications(t *testing.T) {
	cert, pool := certificate(t)
	valid := func() time.Time { return cert.Leaf.NotAfter.Add(-time.Second) } // whatever the virtual time is
	for _, secure := range []bool{false, true} {
		for name, odd := range oddities {
			t.Run(fmt.Sprintf("%s, TLS %t", name, secure), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					cfg := soap.ServerConfig{MaxBody: 1 << 19}
					if secure {
						cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, Time: valid}
					}
					var answers [2]string
					for i := range answers {
						var taken atomic.Int64
						k := newLineSink(t, cfg, oddSink(i == 1, &taken))
						if secure {
							k.tls = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Time: valid}
						}
						answers[i] = told(t, k, odd)
						if i == 0 || strings.HasPrefix(name, "good") || name == "large" || name == "ten at once" {
							require.Equal(t, i == 1, taken.Load() > 0)
						}
						k.stop()
					}
					if name == "half a body, and end" { // net/http does not announce it
						answers[0] = strings.Replace(answers[0], "close=false", "close=true", 1)
					}
					require.Equal(t, answers[0], answers[1])
				})
			})
		}
	}
}

// TestNotificationsInTurns: while a message is handled that was answered early three more may be answered early, but are handled in their turn; the order is kept, also when
// a connection goes back to net/http.
func TestNotificationsInTurns(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var busy atomic.Int32
		var got []string
		own := map[string]bool{}
		k := newLineSink(t, soap.ServerConfig{}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			text, err := soap.Decode(r.Envelope, soap.Name{Space: "urn:b", Local: "b"}, (*xmlscan.Scanner).Text)
			if err != nil {
				return nil, err
			}
			if busy.Add(1) != 1 {
				return nil, errors.New("two at once")
			}
			defer busy.Add(-1)
			own[text] = ownLoop()
			time.Sleep(time.Second)
			got = append(got, text)
			return nil, nil
		}})
		c := k.dial()
		const more = "Prefer: respond-async\r\n"
		begin := time.Now()
		for i, header := range []string{"", more, more, more, more, more, more, "", more, more + "X-Odd: y\r\n", more, ""} {
			c.say(notify("urn:do", string(rune('a'+i)), header))
		}
		for i, due := range []time.Duration{
			1,          // a is handled
			1, 1, 1, 1, // b is being handled, c to e wait
			2, 3, // f and g when b and c are done
			8,        // h, which wants to wait, is handled as the eighth
			8, 9, 10, // i is being handled; j, the odd one, and k by net/http when they begin to be
			12, // l is handled as the twelfth
		} {
			status, _ := c.answer()
			require.Equal(t, http.StatusAccepted, status)
			require.Equal(t, due*time.Second, time.Since(begin), "%d", i)
		}
		require.Equal(t, "abcdefghijkl", strings.Join(got, ""))
		for c := range own {
			require.Equal(t, "b" <= c && c <= "i", own[c], c)
		}
	})
}

// TestNotificationsKeepOrder sends many messages through a Line, with and without more to come.
func TestNotificationsKeepOrder(t *testing.T) {
	var got []int
	url := serve(t, soap.ServerConfig{}, func(s *soap.Server) {
		s.Handle("/dev", &soap.Endpoint{Notifications: true, Early: true, Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			n, err := soap.Decode(r.Envelope, soap.Name{Space: "urn:b", Local: "b"}, func(s *xmlscan.Scanner) (int, error) {
				text, err := s.Text()
				return len(text), err
			})
			got = append(got, n) // the race detector sees whether two are handled at once
			return nil, err
		}})
	}) + "/dev"
	s, err := newLine(t, soap.ClientConfig{}).Sender(url)
	require.NoError(t, err)
	const n = 3000
	for i := range n {
		send := s.SendMore
		if i%7 == 0 || i == n-1 {
			send = s.Send
		}
		require.NoError(t, send(t.Context(), []byte(notification("urn:do", strings.Repeat("x", i)))))
	}
	require.Len(t, got, n)
	for i, size := range got {
		require.Equal(t, i, size)
	}
}

// TestNotificationsStop: a server that stops closes idle connections at once, lets what is under way finish and cuts it off when that takes too long.
func TestNotificationsStop(t *testing.T) {
	for name, tt := range map[string]struct {
		prefer string
		takes  time.Duration // to handle a message
		after  time.Duration // when the server has stopped
		status int
		cut    bool
	}{
		"idle":                   {"", 0, 0, 202, false},
		"under way":              {"", 3 * time.Second, 3 * time.Second, 202, false},
		"under way, answered":    {"Prefer: respond-async\r\n", 3 * time.Second, 3 * time.Second, 202, false},
		"takes long":             {"", time.Hour, 5 * time.Second, 0, true},
		"takes long, answered":   {"Prefer: respond-async\r\n", time.Hour, 5 * time.Second, 202, true},
		"idle after early reply": {"Prefer: respond-async\r\n", 0, 0, 202, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				var own, cut bool
				k := newLineSink(t, soap.ServerConfig{}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
					if own = ownLoop(); !own {
						return nil, nil
					}
					select {
					case <-time.After(tt.takes):
					case <-ctx.Done():
						cut = true
					}
					return nil, nil
				}})
				c := k.dial()
				c.say(notify("urn:do", "x", ""))
				status, _ := c.answer()
				require.Equal(t, 202, status)
				c.say(notify("urn:do", "x", tt.prefer))
				synctest.Wait()
				require.True(t, own)
				begin := time.Now()
				k.stop()
				require.Equal(t, tt.after, time.Since(begin).Truncate(time.Second))
				require.Equal(t, tt.cut, cut)
				status, _ = c.answer()
				require.Equal(t, tt.status, status)
				status, _ = c.answer()
				require.Zero(t, status)
			})
		})
	}
}

// TestNotificationsStopBetween: a message that comes while the server stops is not begun.
func TestNotificationsStopBetween(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var n int
		k := newLineSink(t, soap.ServerConfig{}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			n++
			time.Sleep(time.Second)
			return nil, nil
		}})
		c := k.dial()
		c.say(notify("urn:do", "x", ""))
		status, _ := c.answer()
		require.Equal(t, 202, status)
		c.say(notify("urn:do", "x", ""))
		synctest.Wait()
		go k.stop()
		synctest.Wait()
		c.say(notify("urn:do", "x", ""))
		status, _ = c.answer()
		require.Equal(t, 202, status)
		status, _ = c.answer()
		require.Zero(t, status)
		require.Equal(t, 2, n)
	})
}

// TestNotificationsRecheck: who is no longer trusted is refused with the next message, and loses the connection.
func TestNotificationsRecheck(t *testing.T) {
	cert, pool := certificate(t)
	valid := func() time.Time { return cert.Leaf.NotAfter.Add(-time.Second) } // whatever the virtual time is
	bubble.Test(t, func(t *testing.T) {
		var verdict error
		var own bool
		rechecks := 0
		k := newLineSink(t, soap.ServerConfig{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, Time: valid},
			Recheck: func(cs tls.ConnectionState, remote string) func() error {
				rechecks++
				require.Len(t, cs.PeerCertificates, 1)
				require.NotEmpty(t, remote)
				return func() error { return verdict }
			},
		}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			own = ownLoop()
			if r.Peer == nil || !r.Peer.Equal(cert.Leaf) || !r.Local.IsValid() || r.Host != "x" || !strings.HasPrefix(r.RemoteAddr, "192.0.2.1:") || r.Path != "/dev" {
				return nil, errors.New("the request does not tell who sent it")
			}
			return nil, nil
		}})
		k.tls = &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, ServerName: "127.0.0.1", Time: valid}
		for _, odd := range []string{"", "X-Odd: y\r\n"} { // of the second, net/http gets the connection back
			verdict = nil
			c := k.dial()
			for i := range 5 {
				header := ""
				if i == 3 {
					header = odd
				}
				c.say(notify("urn:do", "x", header))
				status, _ := c.answer()
				require.Equal(t, 202, status)
			}
			require.Equal(t, odd == "", own)
			verdict = errors.New("revoked")
			c.say(notify("urn:do", "x", "Prefer: respond-async\r\n"))
			status, _ := c.answer()
			require.Equal(t, http.StatusForbidden, status)
			status, _ = c.answer()
			require.Zero(t, status)
		}
		require.Equal(t, 2, rechecks, "once a connection")
	})
}

// TestNotificationsGiveTheirPlaceBack: connections count while they are open, whoever serves them.
func TestNotificationsGiveTheirPlaceBack(t *testing.T) {
	for _, odd := range []string{"", "X-Odd: y\r\n", "Connection: close\r\n"} {
		bubble.Test(t, func(t *testing.T) {
			k := newLineSink(t, soap.ServerConfig{MaxConns: 1}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
				return nil, nil
			}})
			for range 3 {
				c := k.dial()
				for _, header := range []string{"", "Prefer: respond-async\r\n", odd} {
					c.say(notify("urn:do", "x", header))
					status, _ := c.answer()
					require.Equal(t, 202, status)
				}
				if odd != "Connection: close\r\n" {
					other := k.dial()
					other.say(notify("urn:do", "x", ""))
					status, _ := other.answer()
					require.Zero(t, status, "one too many")
				}
				require.NoError(t, c.Close())
				synctest.Wait()
			}
		})
	}
}

// TestNotificationsClientGone: a handler learns that nobody is there any more, once the message has been answered.
func TestNotificationsClientGone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		gone := make(chan bool, 1)
		k := newLineSink(t, soap.ServerConfig{}, &soap.Endpoint{Notifications: true, Early: true, Fallback: func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
			if ownLoop() {
				<-ctx.Done()
				gone <- true
			}
			return nil, nil
		}})
		c := k.dial()
		for _, header := range []string{"", "Prefer: respond-async\r\n"} {
			c.say(notify("urn:do", "x", header))
			status, _ := c.answer()
			require.Equal(t, 202, status)
		}
		require.NoError(t, c.Close())
		require.True(t, <-gone)
	})
}
