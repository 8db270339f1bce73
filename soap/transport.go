package soap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// roundTrip sends one request. payload is nil for GET; the caller releases it.
func (c *Client) roundTrip(ctx context.Context, u *url.URL, header http.Header, p *payload) (*http.Response, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	req := &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if p != nil {
		req.Method = http.MethodPost
		req.ContentLength = p.size()
		// GetBody lets the transport start again on a fresh connection when the kept-alive
		// one turns out to have been closed before anything was written.
		req.GetBody = p.open
		req.Body, _ = p.open()
	}
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return resp, err
}

// payload is a request body in parts. The transport may go on reading a body
// after RoundTrip has returned; release cuts it off, so that the memory can be
// reused for the next message without one byte of it leaking into this one.
type payload struct {
	mu    sync.Mutex
	parts [][]byte // nil once released
}

var errReleased = errors.New("request body is gone")

func (p *payload) size() (n int64) {
	for _, part := range p.parts {
		n += int64(len(part))
	}
	return n
}

func (p *payload) open() (io.ReadCloser, error) { return &payloadReader{p: p}, nil }

func (p *payload) release() {
	p.mu.Lock()
	p.parts = nil
	p.mu.Unlock()
}

// payloadReader deliberately has no WriteTo: that would hand the memory out of the lock.
type payloadReader struct {
	p         *payload
	part, off int
}

func (r *payloadReader) Read(b []byte) (int, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.p.parts == nil {
		return 0, errReleased
	}
	n := 0
	for n < len(b) && r.part < len(r.p.parts) {
		from := r.p.parts[r.part]
		m := copy(b[n:], from[r.off:])
		n += m
		r.off += m
		if r.off == len(from) {
			r.part, r.off = r.part+1, 0
		}
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *payloadReader) Close() error { return nil }

// answer turns a response into an envelope, or nil when it has no body and a 2xx
// status. Faults, other statuses and broken bodies are errors.
func (c *Client) answer(resp *http.Response) (*Envelope, error) {
	ok := resp.StatusCode/100 == 2
	doc, err := c.readBody(resp)
	if err != nil {
		if ok {
			return nil, err
		}
		return nil, c.httpError(resp, err)
	}
	if len(doc) == 0 {
		if ok {
			return nil, nil
		}
		return nil, c.httpError(resp, nil)
	}
	env, err := Parse(doc, c.cfg.Limits)
	if err == nil {
		var f *Fault
		var isFault bool
		if f, isFault, err = env.Fault(); isFault && err == nil {
			f.Status = resp.StatusCode
			f.RelatesTo = env.Header.RelatesTo
			return nil, f
		}
	}
	switch {
	case !ok:
		return nil, c.httpError(resp, err)
	case err != nil:
		return nil, fmt.Errorf("answer: %w", err)
	}
	return env, nil
}

func (c *Client) httpError(resp *http.Response, cause error) *HTTPError {
	return &HTTPError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now()), Cause: cause}
}

// readBody reads and closes the body of a response, inflated, within the limit.
func (c *Client) readBody(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }() // nothing to be done about it after reading
	if resp.ContentLength > c.cfg.MaxResponse {
		return nil, ErrTooLarge
	}
	doc, err := readAll(resp.Body, resp.ContentLength, c.cfg.MaxResponse)
	if err != nil || len(doc) == 0 {
		return nil, err
	}
	switch enc := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
		return doc, nil
	case "gzip", "x-gzip":
		return c.mem.inflate(doc, c.cfg.MaxResponse)
	default:
		return nil, fmt.Errorf("content encoding %q was not offered", enc)
	}
}
