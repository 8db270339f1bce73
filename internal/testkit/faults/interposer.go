// Package faults does to devices and consumers what happens to them: to their messages what networks, and bad devices, do, to their files what a full
// disk does, to their clocks what those do who set them, and to their processes what ends them at once.
package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Deed is what an Interposer does with one notification.
type Deed uint8

const (
	// Pass hands it on, and its answer back.
	Pass Deed = iota
	// Swallow answers 202 for it and hands nothing on: it is lost, and the sender believes that it arrived.
	Swallow
	// Twice hands it on twice.
	Twice
	// Late answers 202, and hands it on after the one that follows.
	Late
	// Break hands it on and breaks the connection instead of answering.
	Break
	// Refuse answers with a server error.
	Refuse
	// Garble hands on something that is no XML.
	Garble
)

// Interposer is a middlebox in the way of notifications. The device connects to it by [Interposer.Dial].
type Interposer struct {
	listener net.Listener
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	client   *http.Transport
	server   *http.Server
	served   chan struct{}

	mu     sync.Mutex
	decide func(n int) Deed
	count  int
	done   map[Deed]int
	held   []func(context.Context) // handed on after the next
}

// NewInterposer listens for devices and hands on by dial. The device reaches the listener by reach. Close ends it.
func NewInterposer(l net.Listener, reach, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *Interposer {
	p := &Interposer{
		listener: l, dial: reach, served: make(chan struct{}), done: map[Deed]int{},
		client: &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 4},
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(l) // ends with Close
	}()
	return p
}

// Close ends everything.
func (p *Interposer) Close() error {
	err := p.server.Close()
	<-p.served
	p.client.CloseIdleConnections()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Do says what becomes of each notification from now on, by its number: 0, 1, 2 ...
func (p *Interposer) Do(decide func(n int) Deed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide, p.count = decide, 0
}

// Done tells how often something was done.
func (p *Interposer) Done(d Deed) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[d]
}

// Dial connects the device to the interposer whomever it means to reach.
func (p *Interposer) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return p.dial(ctx, network, p.listener.Addr().String())
}

func (p *Interposer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p.mu.Lock()
	deed := Pass
	if p.decide != nil {
		deed = p.decide(p.count)
		p.count++
	}
	p.done[deed]++
	held := p.held
	p.held = nil
	p.mu.Unlock()
	hand := func(ctx context.Context) (*http.Response, error) { return p.hand(ctx, r, body) }
	switch deed {
	case Swallow:
		w.WriteHeader(http.StatusAccepted)
	case Refuse:
		w.WriteHeader(http.StatusInternalServerError)
	case Late:
		p.mu.Lock()
		p.held = append(p.held, func(ctx context.Context) { discard(hand(ctx)) })
		p.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	case Break:
		discard(hand(r.Context()))
		panic(http.ErrAbortHandler) // the way of net/http to break a connection
	case Garble:
		body = []byte("\x00<garbled")
		answer(w, r, hand)
	case Twice:
		discard(hand(r.Context()))
		answer(w, r, hand)
	case Pass:
		answer(w, r, hand)
	}
	for _, h := range held {
		h(r.Context())
	}
}

func answer(w http.ResponseWriter, r *http.Request, hand func(context.Context) (*http.Response, error)) {
	resp, err := hand(r.Context())
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer discard(resp, nil)
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // the device sees a broken answer
}

func discard(resp *http.Response, err error) {
	if err == nil {
		_ = resp.Body.Close() // nothing of it matters
	}
}

func (p *Interposer) hand(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	return p.client.RoundTrip(req)
}
