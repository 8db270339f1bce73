package web_test

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Connections that say nothing do not take the station's descriptors: beyond the share of an address they are closed at once, and a place that becomes free can be had.
func TestConnectionsAreBounded(t *testing.T) {
	s := newScene(t, nil)
	address := strings.Trim(strings.TrimPrefix(s.url, "http:"), "/")
	// ask tells whether a new connection is served, and leaves it open.
	ask := func() (net.Conn, bool) {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: " + address + "\r\n\r\n"))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
			return c, false
		}
		_ = resp.Body.Close()
		return c, true
	}
	var held []net.Conn
	for range 128 {
		c, ok := ask()
		require.True(t, ok, "connection %d", len(held))
		held = append(held, c)
	}
	for range 20 {
		_, ok := ask()
		require.False(t, ok)
	}
	require.NoError(t, held[0].Close())
	require.Eventually(t, func() bool {
		_, ok := ask()
		return ok
	}, time.Minute, 10*time.Millisecond)
}
