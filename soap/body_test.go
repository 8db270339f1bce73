package soap_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Large bodies leave next to nothing to the collector, whether they end well or not: otherwise a few peers that send them have it run all the time, which everything else waits for.
func TestLargeBodiesLeaveNoGarbage(t *testing.T) {
	url := serveActions(t, soap.ServerConfig{MaxBodies: 1 << 30}, handlers{"urn:do": func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil }})
	doc := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">`+strings.Repeat(" ", 3<<20)+`</b>`)
	const requests = 80 // enough for chance to average out: the race detector has pools lose a quarter of what they are given
	for name, body := range map[string][]byte{
		"whole":  append([]byte(head(len(doc), "")), doc...),
		"chunks": append(fmt.Appendf([]byte(chunkedHead), "%x\r\n", len(doc)), append(bytes.Clone(doc), "\r\n0\r\n\r\n"...)...),
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, url)
			send := func() {
				_, err := c.Write(body)
				require.NoError(t, err)
				status, _ := c.answer()
				require.Equal(t, http.StatusAccepted, status)
			}
			send()
			require.Less(t, allocated(func() {
				for range requests {
					send()
				}
			}), requests*3<<20, "bytes for requests of 3 MB each, which leave three times as much behind if nothing is kept")
		})
		t.Run(name+" without an end", func(t *testing.T) {
			// One after the other: what is left behind is counted, not what is held.
			require.Less(t, allocated(func() {
				for range 20 {
					c := dialRaw(t, url)
					_, err := c.Write(body[:len(body)-8])
					require.NoError(t, err)
					require.NoError(t, c.Close())
				}
			}), 60<<20)
		})
	}
}

const chunkedHead = "POST /dev HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\n"

// allocated is how many bytes of memory were asked for meanwhile.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc) //nolint:gosec // far less
}

// Bodies of every size around those at which memory changes arrive as they were sent, on the wire or inflated, announced or not, and whatever came before in the same memory.
func TestBodiesOfAllSizes(t *testing.T) {
	name := soap.Name{Space: "urn:b", Local: "b"}
	var got string
	url := serveActions(t, soap.ServerConfig{}, handlers{"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		var err error
		got, err = soap.Decode(r.Envelope, name, (*xmlscan.Scanner).Text)
		return nil, err
	}})
	c := dialRaw(t, url)
	pattern := func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "%d,", i*n)
		}
		return b.String()[:n]
	}
	const k = 1 << 10
	for _, n := range []int{0, 1, 5 * k, 32 * k, 48 * k, 63 * k, 64 * k, 65 * k, 72 * k, 100 * k, 128 * k, 192*k + 7, 256 * k, 300 * k, 640 * k, 1024 * k, 90 * k, 3 * k} {
		for _, extra := range []int{-300, -1, 0, 1} { // the envelope is of about 300 bytes
			text := pattern(max(0, n+extra))
			doc := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">`+text+`</b>`)
			var zipped bytes.Buffer
			zw := gzip.NewWriter(&zipped)
			_, _ = zw.Write(doc)
			require.NoError(t, zw.Close())
			for how, raw := range map[string]string{
				"announced": head(len(doc), "") + string(doc),
				"chunked":   chunkedHead + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(doc), doc),
				"inflated":  head(zipped.Len(), "Content-Encoding: gzip\r\n") + zipped.String(),
			} {
				got = "nothing"
				_, err := io.WriteString(c, raw)
				require.NoError(t, err)
				status, _ := c.answer()
				require.Equal(t, http.StatusAccepted, status, "%s %d", how, len(text))
				require.True(t, text == got, "%s %d: %d bytes have come", how, len(text), len(got))
			}
		}
	}
}
