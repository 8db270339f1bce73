package soap_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/soap"
)

// pages is a journal in memory.
type pages struct {
	mu      sync.Mutex
	entries []soap.JournalEntry
}

func (p *pages) Note(e soap.JournalEntry) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.Document = bytes.Clone(e.Document)
	p.entries = append(p.entries, e)
	return uint64(len(p.entries))
}

// take returns what has been noted since it was called last. Numbers of requests are made relative to that.
func (p *pages) take(t *testing.T) []soap.JournalEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.entries
	for i, e := range out {
		require.False(t, e.Time.IsZero())
		if e.Kind == soap.KindAnswer {
			asked := out[e.Answers-1]
			require.NotEqual(t, soap.KindAnswer, asked.Kind)
			require.Equal(t, asked.Sent, !e.Sent)
			require.Equal(t, []string{asked.Path, asked.Method, asked.Transport, asked.Peer}, []string{e.Path, e.Method, e.Transport, e.Peer})
			require.Equal(t, e.Time.Sub(asked.Time), e.Duration)
			require.Less(t, int(e.Answers), i+1, "what is answered stands before the answer")
		}
	}
	p.entries = nil
	return out
}

// brief is what an entry says in short.
func brief(e soap.JournalEntry) string {
	s := "got "
	if e.Sent {
		s = "sent "
	}
	s += string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprint(" ", e.Status)
	}
	if e.Compressed {
		s += " gzip"
	}
	if e.Document != nil {
		s += " doc"
	}
	if e.Problem != "" {
		s += " problem"
	}
	return s
}

func briefs(entries []soap.JournalEntry) (out []string) {
	for _, e := range entries {
		out = append(out, brief(e))
	}
	return out
}

// Every kind of exchange stands once in the journals of both sides, with the documents as they were sent.
func TestJournalOfRequests(t *testing.T) {
	long := `<b xmlns="urn:b">` + strings.Repeat("long ", 1000) + `</b>`
	cert, pool := certificate(t)
	secure := &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, RootCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	var there, here pages
	url := serve(t, soap.ServerConfig{TLS: secure, MaxBody: 100 << 10, Journal: &there}, func(s *soap.Server) {
		s.Handle("/dev", &soap.Endpoint{
			Actions: handlers{
				"urn:do":   echo,
				"urn:only": func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil },
				"urn:long": func(context.Context, *soap.Request) (*soap.Response, error) {
					return &soap.Response{Action: "urn:r", Body: soap.RawBody(long)}, nil
				},
			},
			Get: func(_ context.Context, query string) (*soap.Document, error) {
				if query != "wsdl" {
					return nil, nil
				}
				return &soap.Document{ContentType: "text/xml", Body: []byte(long)}, nil
			},
		})
		s.Handle("/post", &soap.Endpoint{Actions: handlers{"urn:do": echo}})
	})
	url = strings.Replace(url, "http:", "https:", 1)
	address := strings.TrimPrefix(url, "https://")
	c := newClient(t, soap.ClientConfig{TLS: secure, Journal: &here, MaxResponse: 50 << 10})
	call := func(path, action string, body soap.Body) func() error {
		return func() error {
			_, err := c.Call(t.Context(), soap.NewEndpoint(url+path), action, body)
			return err
		}
	}
	get := func(path string) func() error {
		return func() error {
			_, _, err := c.Get(t.Context(), url+path)
			return err
		}
	}
	for _, tt := range []struct {
		name        string
		do          func() error
		here, there []string
		fails       bool
	}{
		{"answered", call("/dev", "urn:do", soap.RawBody(`<b xmlns="urn:b">hi</b>`)),
			[]string{"sent request doc", "got answer 200 doc"}, []string{"got request doc", "sent answer 200 doc"}, false},
		{"compressed", call("/dev", "urn:long", nil),
			[]string{"sent request doc", "got answer 200 gzip doc"}, []string{"got request doc", "sent answer 200 gzip doc"}, false},
		{"accepted", func() error { return c.Send(t.Context(), url+"/dev", []byte(notification("urn:only", ""))) },
			[]string{"sent request doc", "got answer 202"}, []string{"got request doc", "sent answer 202"}, false},
		{"fault", call("/dev", "urn:unknown", nil),
			[]string{"sent request doc", "got answer 400 doc"}, []string{"got request doc", "sent answer 400 doc"}, true},
		{"no message", func() error { return c.Send(t.Context(), url+"/dev", []byte("<no")) },
			[]string{"sent request doc", "got answer 400 doc"}, []string{"got request doc", "sent answer 400 doc"}, true},
		{"nothing there", call("/elsewhere", "urn:do", nil),
			[]string{"sent request doc", "got answer 404"}, []string{"got request problem", "sent answer 404"}, true},
		{"too large", func() error { return c.Send(t.Context(), url+"/dev", bytes.Repeat([]byte("<"), 100<<10+1)) },
			[]string{"sent request doc", "got answer 413"}, []string{"got request problem", "sent answer 413"}, true},
		{"document", get("/dev?wsdl"), []string{"sent request", "got answer 200 gzip doc"}, []string{"got request", "sent answer 200 gzip doc"}, false},
		{"no document", get("/dev?other"), []string{"sent request", "got answer 404"}, []string{"got request", "sent answer 404 problem"}, true},
		{"nothing to get", get("/post"), []string{"sent request", "got answer 405"}, []string{"got request problem", "sent answer 405"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			require.Equal(t, tt.fails, err != nil, "%v", err)
			sent, got := here.take(t), there.take(t)
			require.Equal(t, tt.here, briefs(sent))
			require.Equal(t, tt.there, briefs(got))
			for i := range sent {
				require.Equal(t, "https", sent[i].Transport)
				require.Equal(t, address, sent[i].Peer)
				require.Equal(t, "peer", sent[i].Certificate.Subject.CommonName)
				require.Equal(t, "https", got[i].Transport)
				require.Equal(t, "peer", got[i].Certificate.Subject.CommonName)
				require.True(t, strings.HasPrefix(got[i].Peer, "127.0.0.1:"))
				require.NotEqual(t, address, got[i].Peer)
				require.Equal(t, sent[i].Path, got[i].Path)
				if got[i].Document != nil && sent[i].Document != nil {
					require.Equal(t, string(sent[i].Document), string(got[i].Document))
				}
			}
		})
	}

	t.Run("handshake fails", func(t *testing.T) {
		stranger := newClient(t, soap.ClientConfig{TLS: &tls.Config{RootCAs: pool}, Journal: &here})
		_, err := stranger.Call(t.Context(), soap.NewEndpoint(url+"/dev"), "urn:do", nil)
		require.Error(t, err)
		entries := here.take(t)
		require.True(t, entries[len(entries)-1].Problem != "" && entries[len(entries)-1].Document == nil, "%v", briefs(entries))
		require.Eventually(t, func() bool { there.mu.Lock(); defer there.mu.Unlock(); return len(there.entries) == 1 }, 5*time.Second, time.Millisecond)
		got := there.take(t)
		require.Equal(t, []string{"got connection problem"}, briefs(got))
		require.Contains(t, got[0].Problem, "handshake")
	})
	t.Run("no HTTP", func(t *testing.T) {
		conn, err := tls.Dial("tcp", address, secure)
		require.NoError(t, err)
		_, _ = io.WriteString(conn, "garbage\r\n\r\n")
		_, _ = io.ReadAll(conn)
		_ = conn.Close()
		require.Eventually(t, func() bool { there.mu.Lock(); defer there.mu.Unlock(); return len(there.entries) == 1 }, 5*time.Second, time.Millisecond)
		got := there.take(t)
		require.Equal(t, []string{"got connection problem"}, briefs(got))
		require.Contains(t, got[0].Problem, "no HTTP request")
		require.Equal(t, "peer", got[0].Certificate.Subject.CommonName)
	})
	t.Run("nobody there", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		nowhere := l.Addr().String()
		require.NoError(t, l.Close())
		_, err = c.Call(t.Context(), soap.NewEndpoint("https://"+nowhere+"/x"), "urn:do", nil)
		require.Error(t, err)
		entries := here.take(t)
		require.Equal(t, []string{"sent request problem"}, briefs(entries))
		require.Equal(t, nowhere, entries[0].Peer)
	})
}

// What a server answers that is no message is noted without it.
func TestJournalOfAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"too large", reply(200, bytes.Repeat([]byte("x"), 2000)), "got answer 200 problem"},
		{"foreign", reply(502, []byte("<html>no</html>"), "Content-Type", "text/html"), "got answer 502 doc"},
		{"broken gzip", reply(200, []byte("no gzip"), "Content-Encoding", "gzip"), "got answer 200 problem"},
		{"empty", reply(200, nil), "got answer 200"},
		{"none", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "got answer problem"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := peer(t, tt.h)
			send := func(t *testing.T, cfg soap.ClientConfig, send func(soap.ClientConfig) error, kind string) {
				var here pages
				cfg.Insecure, cfg.MaxResponse, cfg.Journal = true, 1000, &here
				err := send(cfg)
				require.Equal(t, tt.name != "empty", err != nil, "%v", err)
				require.Equal(t, []string{"sent " + kind + " doc", tt.want}, briefs(here.take(t)))
			}
			doc := []byte(notification("urn:do", ""))
			t.Run("client", func(t *testing.T) {
				send(t, soap.ClientConfig{}, func(cfg soap.ClientConfig) error { return newClient(t, cfg).Send(t.Context(), url, doc) }, "request")
			})
			t.Run("line", func(t *testing.T) {
				send(t, soap.ClientConfig{}, func(cfg soap.ClientConfig) error {
					s, err := newLine(t, cfg).Sender(url)
					require.NoError(t, err)
					return s.Send(t.Context(), doc[:10], doc[10:])
				}, "notification")
			})
		})
	}
}

// Notifications stand in both journals once, whoever serves the connection, and also those that are confirmed before they are handled.
func TestJournalOfNotifications(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var there, here pages
		var own []bool
		k := newLineSink(t, soap.ServerConfig{Journal: &there}, &soap.Endpoint{
			Notifications: true, Early: true,
			Actions: handlers{
				"urn:only": func(context.Context, *soap.Request) (*soap.Response, error) {
					own = append(own, ownLoop())
					return nil, nil
				},
				"urn:no": func(context.Context, *soap.Request) (*soap.Response, error) { return nil, soap.Receiver("no") },
			},
		})
		l, err := soap.NewLine(soap.ClientConfig{Insecure: true, DisableCompression: true, Dial: k.net.Host("192.0.2.1").Dial, Journal: &here})
		require.NoError(t, err)
		defer l.Close()
		s, err := l.Sender("http://192.0.2.7:80/dev")
		require.NoError(t, err)
		var docs []string
		for i := range 6 {
			doc := notification("urn:only", strings.Repeat("x", 10*i))
			docs = append(docs, doc)
			send := s.Send
			if i > 3 {
				send = s.SendMore
			}
			require.NoError(t, send(t.Context(), []byte(doc[:20]), []byte(doc[20:])))
			synctest.Wait()
		}
		require.Error(t, s.Send(t.Context(), []byte(notification("urn:no", ""))))
		synctest.Wait()
		require.Equal(t, []bool{false, true, true, true, true, true}, own, "the first over net/http, those after it by the line server")
		sent, got := here.take(t), there.take(t)
		require.Len(t, sent, 14)
		require.Len(t, got, 14)
		for i := range sent {
			require.Equal(t, "/dev", sent[i].Path)
			require.Equal(t, "/dev", got[i].Path)
			require.Equal(t, "192.0.2.7:80", sent[i].Peer)
			require.Equal(t, string(sent[i].Document), string(got[i].Document))
			want := []string{"sent notification doc", "got notification doc"}
			if i%2 == 1 {
				want = []string{"got answer 202", "sent answer 202"}
			}
			if i == 13 {
				want = []string{"got answer 500 doc", "sent answer 500 doc"}
			}
			require.Equal(t, want, []string{brief(sent[i]), brief(got[i])})
			if i%2 == 0 && i < 12 {
				require.Equal(t, docs[i/2], string(sent[i].Document))
			}
		}
		k.stop()
		require.Empty(t, there.take(t), "connections that end in good order are no news")
	})
}

// A kept-alive connection that has gone makes the message go over another one; it is noted once.
func TestJournalOfMessagesSentAgain(t *testing.T) {
	var here pages
	url, conns := peer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusAccepted)
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	s, err := newLine(t, soap.ClientConfig{Insecure: true, Journal: &here}).Sender(url)
	require.NoError(t, err)
	for range 3 {
		_ = s.Send(t.Context(), []byte(notification("urn:do", "")))
	}
	require.Len(t, here.take(t), 6)
	require.GreaterOrEqual(t, conns.Load(), int32(2))
}

// confirming is a connection that confirms what is written to it.
type confirming struct {
	net.Conn
	due []byte
}

func (*confirming) Idle() bool { return true }

func (c *confirming) Write(b []byte) (int, error) {
	c.due = []byte("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
	return len(b), nil
}

func (c *confirming) Read(b []byte) (int, error) {
	n := copy(b, c.due)
	c.due = c.due[n:]
	return n, nil
}

// Without a journal a report takes no memory for one.
func TestNoJournalTakesNoMemory(t *testing.T) {
	url, _ := peer(t, func(http.ResponseWriter, *http.Request) {})
	line := newLine(t, soap.ClientConfig{Insecure: true, Over: func(c net.Conn) net.Conn { return &confirming{Conn: c} }})
	s, err := line.Sender(url)
	require.NoError(t, err)
	ctx, parts := t.Context(), [][]byte{[]byte(notification("urn:do", ""))}
	allocs := testing.AllocsPerRun(100, func() {
		if err := s.Send(ctx, parts...); err != nil {
			t.Fatal(err)
		}
	})
	require.Equal(t, float64(1), allocs, "that of the connection of the test")
}

func TestJournalOf(t *testing.T) {
	require.Nil(t, soap.JournalOf(nil, "provider", "urn:x"))
	var p pages
	soap.JournalOf(&p, "provider", "urn:x").Note(soap.JournalEntry{Time: time.Now()})
	e := p.take(t)[0]
	require.Equal(t, []string{"provider", "urn:x"}, []string{e.Role, e.Self})
}
