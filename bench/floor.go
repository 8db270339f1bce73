package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// floor is the least a notification can cost: net/http as it comes, the same TLS, a handler that reads and answers 202.
type floor struct {
	server *http.Server
	url    string
	tls    *tls.Config
	ended  chan error
}

func (e *env) startFloor(ctx context.Context) (*floor, error) {
	sid, err := e.ca.identity("floor server", sdc.RoleConsumer)
	if err != nil {
		return nil, err
	}
	cid, err := e.ca.identity("floor client", sdc.RoleProvider)
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	f := &floor{url: "https://" + l.Addr().String() + "/sink", tls: cid.ClientTLS(sdc.RoleConsumer), ended: make(chan error, 1)}
	f.tls.NextProtos = []string{"http/1.1"}
	serverTLS := sid.ServerTLS(sdc.RoleProvider)
	serverTLS.NextProtos = []string{"http/1.1"}
	f.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := buffers.Get().(*bytes.Buffer)
		b.Reset()
		if _, err := b.ReadFrom(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		buffers.Put(b)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusAccepted)
	})}
	go func() { f.ended <- f.server.Serve(tls.NewListener(l, serverTLS)) }()
	return f, nil
}

func (f *floor) close() error {
	err := f.server.Close()
	if ended := <-f.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// floorClient is one kept-alive connection.
type floorClient struct {
	f    *floor
	c    *http.Client
	body []byte
}

func (f *floor) client(size int) *floorClient {
	return &floorClient{f, &http.Client{Transport: &http.Transport{
		TLSClientConfig: f.tls.Clone(), MaxConnsPerHost: 1, DisableCompression: true, WriteBufferSize: 32 << 10,
	}}, bytes.Repeat([]byte("x"), size)}
}

func (c *floorClient) close() { c.c.CloseIdleConnections() }

func (c *floorClient) post(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.f.url, bytes.NewReader(c.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", soap.ContentType)
	resp, err := c.c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	err = errors.Join(err, resp.Body.Close())
	if err == nil && resp.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("the floor answered %s", resp.Status)
	}
	return err
}

// rate posts serially for a while and returns messages a second.
func (c *floorClient) rate(ctx context.Context, d time.Duration) (float64, error) {
	if err := c.post(ctx); err != nil { // connects
		return 0, err
	}
	begin, n := time.Now(), 0
	for time.Since(begin) < d {
		if err := c.post(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

// paced posts n messages at a rate and returns how long each took.
func (c *floorClient) paced(ctx context.Context, rate float64, n int) ([]time.Duration, error) {
	if err := c.post(ctx); err != nil {
		return nil, err
	}
	out := make([]time.Duration, 0, n)
	return out, pace(ctx, rate, n, func(int) error {
		begin := time.Now()
		err := c.post(ctx)
		out = append(out, time.Since(begin))
		return err
	})
}

// pace calls f n times at a rate a second.
func pace(ctx context.Context, rate float64, n int, f func(i int) error) error {
	t := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer t.Stop()
	for i := range n {
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}

// messageSize is what a report with a body of n bytes has as a whole message.
func messageSize(body int) int {
	h := soap.NewHeader(soap.NewEndpoint("https://127.0.0.1:40000/"+sdcUUID+"/"+sdcUUID), sdc.NamespaceGlue+"/StateEventService/EpisodicMetricReport")
	h.Extra = []soap.Body{soap.RawBody(`<sdpi:ReportSequence xmlns:sdpi="` + sdc.NamespaceSDPi + `">10000</sdpi:ReportSequence>`)}
	return len(soap.AppendEnvelope(nil, h, nil)) + body
}

const sdcUUID = "6f1b7a10-6a3e-4b53-93a1-5c1b8a4c8d01"
