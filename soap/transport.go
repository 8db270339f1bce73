package soap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// roundTrip sends one request, without a body for GET, and notes it, or what it failed with, in x.
//
// doc must be memory of its own that is never written again: the transport may
// go on reading it after RoundTrip has returned, so that a buffer from a pool
// could leak one message into another. It is a bytes.Reader because those are
// what net/http writes together with the header, in one packet if it fits.
func (c *Client) roundTrip(ctx context.Context, method string, u *url.URL, header http.Header, doc []byte, x *exchange) (*http.Response, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	req := &http.Request{
		Method: method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	switch {
	case method == http.MethodGet:
	case len(doc) == 0:
		req.Body = http.NoBody // says Content-Length: 0
	default:
		req.ContentLength = int64(len(doc))
		// GetBody lets the transport start again on a fresh connection when the kept-alive
		// one turns out to have been closed before anything was written.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(doc)), nil }
		req.Body, _ = req.GetBody()
	}
	if x != nil {
		ctx = WithContact(ctx, func(at Contact) { x.reached(at.Remote, at.Certificate) })
	}
	resp, err := c.transport.RoundTrip(req.WithContext(traceContact(ctx, u)))
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	x.failed(err)
	return resp, err
}

// answer turns a response into an envelope, or nil when it has no body and a 2xx
// status, and notes it in x. Faults, other statuses and broken bodies are errors.
func (c *Client) answer(resp *http.Response, x *exchange) (*Envelope, error) {
	ok := resp.StatusCode/100 == 2
	doc, err := c.readBody(resp, x)
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
	if date := resp.Header.Get("Date"); date != "" {
		env.Date, _ = http.ParseTime(date) // one that cannot be read is none
	}
	return env, nil
}

func (c *Client) httpError(resp *http.Response, cause error) *HTTPError {
	return &HTTPError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now()), Cause: cause}
}

// readBody reads and closes the body of a response, inflated, within the limit, and notes it in x.
func (c *Client) readBody(resp *http.Response, x *exchange) (doc []byte, err error) {
	defer func() {
		_ = resp.Body.Close() // nothing to be done about it after reading
		if x != nil {
			x.answered(resp.StatusCode, doc, len(doc) > 0 && zipped(resp.Header), problemOf(err))
		}
	}()
	if resp.ContentLength > c.cfg.MaxResponse {
		return nil, ErrTooLarge
	}
	doc, err = c.mem.readAll(resp.Body, resp.ContentLength, c.cfg.MaxResponse)
	if err != nil || len(doc) == 0 {
		return nil, err
	}
	switch enc := codingOf(resp.Header); enc {
	case "", "identity":
		return doc, nil
	case "gzip", "x-gzip":
		return c.mem.inflate(doc, c.cfg.MaxResponse, nil)
	default:
		return nil, fmt.Errorf("content encoding %q was not offered", enc)
	}
}

// codingOf is the content coding that the header of a message names, in lower case.
func codingOf(h http.Header) string {
	return strings.ToLower(strings.TrimSpace(strings.Join(h["Content-Encoding"], ",")))
}

// zipped tells whether the content of a message is compressed.
func zipped(h http.Header) bool { return strings.HasSuffix(codingOf(h), "gzip") }
