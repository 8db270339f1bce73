package soap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// A peer that writes header and body of its answers apart, with Nagle's algorithm
// on, costs no 40 ms an answer.
func TestClientDoesNotStallOnNagle(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetNoDelay(false)
		in := bufio.NewReader(conn)
		body := envelope(xmlscan.NsSOAP12, action, "<a/>")
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 Ok\r\nContent-Length: %d\r\n\r\n", len(body))
			_, _ = conn.Write(body)
		}
	}()
	c := newClient(t, soap.ClientConfig{})
	// Answers that are held back take 40 ms and more, all but a few. On a busy machine any may take long, but a quarter does not.
	var took []time.Duration
	for range 40 {
		start := time.Now()
		_, err := c.Call(t.Context(), soap.NewEndpoint("http://"+l.Addr().String()), "urn:do", nil)
		require.NoError(t, err)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	require.Less(t, took[len(took)/4], 38*time.Millisecond, "%v", took)
	c.Close()
	require.NoError(t, l.Close())
	<-done
}
