package soap_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// report is a body of the size of a waveform notification.
func report() []byte {
	return []byte(`<b xmlns="urn:b">` + strings.Repeat("<s>1.10 1.11 1.12</s>", 280) + `</b>`)
}

func BenchmarkAppendEnvelope(b *testing.B) {
	body := soap.RawBody(report())
	h := soap.NewHeader(soap.NewEndpoint("http://127.0.0.1:1234/urn:uuid:1/Get"), "urn:do")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = soap.AppendEnvelope(buf[:0], h, body)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkParse(b *testing.B) {
	doc := soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint("http://127.0.0.1:1234/"), "urn:do"), soap.RawBody(report()))
	b.ReportAllocs()
	var p soap.Parser
	for b.Loop() {
		e, err := p.Parse(doc, xmlscan.Limits{})
		if err != nil || e.Check() != nil {
			b.Fatal(err)
		}
	}
}

// sinkServer is the receiving end of a notification: decode nothing, answer 202.
func sinkServer(b *testing.B) string {
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(b, err)
	s.Handle("/sink", &soap.Endpoint{Fallback: func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	b.Cleanup(func() { cancel(); require.NoError(b, <-done) })
	return "http://" + l.Addr().String() + "/sink"
}

func BenchmarkSend(b *testing.B) {
	url := sinkServer(b)
	c, err := soap.NewClient(soap.ClientConfig{Insecure: true, DisableCompression: true, MaxConnsPerHost: 1})
	require.NoError(b, err)
	defer c.Close()
	s, err := c.Sender(url)
	require.NoError(b, err)
	body := report()
	h := soap.NewHeader(soap.NewEndpoint(url), "urn:do")
	var head []byte
	tail := soap.AppendTail(nil)
	b.ReportAllocs()
	for b.Loop() {
		head = soap.AppendHead(head[:0], h)
		if err := s.Send(b.Context(), head, body, tail); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNotify is a notification over a line to a connection of notifications, both ends, as reports go.
func BenchmarkNotify(b *testing.B) {
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(b, err)
	s.Handle("/sink", &soap.Endpoint{Notifications: true, Fallback: func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil }})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	defer func() { cancel(); require.NoError(b, <-done) }()
	line, err := soap.NewLine(soap.ClientConfig{Insecure: true, DisableCompression: true})
	require.NoError(b, err)
	defer line.Close()
	to, err := line.Sender("http://" + ln.Addr().String() + "/sink")
	require.NoError(b, err)
	h := soap.NewHeader(soap.NewEndpoint("http://127.0.0.1:1234/sink"), "urn:do")
	head, body, tail := soap.AppendHead(nil, h), report(), soap.AppendTail(nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := to.Send(b.Context(), head, body, tail); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendNetHTTP is the same with net/http alone, for comparison.
func BenchmarkSendNetHTTP(b *testing.B) {
	url := sinkServer(b)
	tr := &http.Transport{DisableCompression: true, MaxConnsPerHost: 1}
	defer tr.CloseIdleConnections()
	doc := soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint(url), "urn:do"), soap.RawBody(report()))
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(doc))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", soap.ContentType)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}
