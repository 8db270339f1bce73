package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/sdc/proxy"
)

// The counters of a discovery proxy are for few who ask shortly: others do not get in, and what is silent or slow is let go of.
func TestMetricsAreBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		ln, err := network.Host("192.0.2.1").Listen(0)
		require.NoError(t, err)
		m := newMetricsServer(ln, func() proxy.Stats { return proxy.Stats{Hellos: 7} })
		defer func() { require.NoError(t, m.close()) }()
		// send opens a connection from an address and says something.
		send := func(ip, text string) net.Conn {
			c, err := network.Host(ip).Dial(t.Context(), "tcp", ln.Addr().String())
			require.NoError(t, err)
			_, _ = io.WriteString(c, text)
			return c
		}
		const request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
		answer := func(c net.Conn) (int, string) {
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				return 0, ""
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return resp.StatusCode, string(body)
		}
		status, body := answer(send("192.0.2.2", request))
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "sdc_discovery_proxy_hellos_total 7\n")
		status, _ = answer(send("192.0.2.3", "GET /metrics HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 16<<10)+"\r\n\r\n"))
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status)

		// lasts is how long a connection is kept on which no answer is due.
		lasts := func(text string) time.Duration {
			began := time.Now()
			_, err := io.Copy(io.Discard, send("192.0.2.3", text))
			require.NoError(t, err)
			return time.Since(began)
		}
		require.Equal(t, 5*time.Second, lasts(""))
		require.Equal(t, 5*time.Second, lasts("GET /metrics HTTP/1.1\r\nHost: x\r\n"))
		require.Equal(t, time.Minute, lasts(request))
		require.LessOrEqual(t, lasts("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), 10*time.Second, "a body that does not come")

		served := 0
		for range 40 { // kept alive
			if status, _ := answer(send("192.0.2.4", request)); status == http.StatusOK {
				served++
			}
		}
		require.Equal(t, maxMetricsConnsOfOne, served)
		status, _ = answer(send("192.0.2.5", request))
		require.Equal(t, http.StatusOK, status, "another one")
	})
}
