package soap_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// watchedConn is what a test lays on connections.
type watchedConn struct {
	net.Conn
	writes []string
	closed int
	busy   atomic.Bool
}

func (c *watchedConn) Write(b []byte) (int, error) {
	c.writes = append(c.writes, string(b))
	return c.Conn.Write(b)
}

func (c *watchedConn) Close() error {
	c.closed++
	return c.Conn.Close()
}

func (c *watchedConn) Idle() bool { return !c.busy.Load() }

// What an application lays on the connections sees whole requests in the clear, also with TLS, says whether a connection can be used, and hears of its end.
func TestOver(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var conns []*watchedConn
		cfg := soap.ClientConfig{Insecure: true, DisableCompression: true, Over: func(c net.Conn) net.Conn {
			w := &watchedConn{Conn: c}
			conns = append(conns, w)
			return w
		}}
		fail := atomic.Bool{}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if fail.Load() {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(http.StatusAccepted)
		}))
		if secure {
			server.StartTLS()
			cfg.TLS = server.Client().Transport.(*http.Transport).TLSClientConfig
		} else {
			server.Start()
		}
		line, err := soap.NewLine(cfg)
		require.NoError(t, err)
		to, err := line.Sender(server.URL + "/sink")
		require.NoError(t, err)
		body := strings.Repeat("x", 100_000)
		send := func() error { return to.Send(t.Context(), []byte("<a>"), []byte(body), []byte("</a>")) }
		require.NoError(t, send())
		require.NoError(t, send())
		require.Len(t, conns, 1)
		require.Len(t, conns[0].writes, 2)
		for _, w := range conns[0].writes {
			require.True(t, strings.HasPrefix(w, "POST /sink HTTP/1.1\r\n"))
			require.True(t, strings.HasSuffix(w, "\r\n\r\n<a>"+body+"</a>"))
		}
		conns[0].busy.Store(true)
		require.NoError(t, send())
		require.Len(t, conns, 2, "one that cannot be used is replaced")
		require.Equal(t, 1, conns[0].closed)
		fail.Store(true)
		require.Error(t, send())
		require.Equal(t, 1, conns[1].closed, "also when the peer has broken it")
		fail.Store(false)
		require.NoError(t, send())
		line.Close()
		require.Equal(t, 1, conns[len(conns)-1].closed)

		client, err := soap.NewClient(cfg)
		require.NoError(t, err)
		before := len(conns)
		require.NoError(t, client.Send(t.Context(), server.URL+"/sink", []byte("<a/>")))
		require.Len(t, conns, before+1, "a client has it as well")
		require.Contains(t, strings.Join(conns[before].writes, ""), "<a/>")
		client.Close()
		server.Close()
	}
}
