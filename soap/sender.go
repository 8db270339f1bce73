package soap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// Sender posts envelopes that have been assembled already to one URL, as
// notifications are. The URL is checked once.
type Sender struct {
	c   *Client
	u   *url.URL
	url string

	line  *Line // if set, what messages go over
	route *route
}

// Sender returns a sender to the URL.
func (c *Client) Sender(url string) (*Sender, error) {
	u, err := c.parseURL(url)
	if err != nil {
		return nil, err
	}
	return &Sender{c: c, u: u, url: url}, nil
}

// URL is where the sender sends to.
func (s *Sender) URL() string { return s.url }

// Send posts one message, given in parts, and waits for its answer. Any 2xx
// without a SOAP fault in it counts as delivered. Errors are as for [Client.Call].
//
// The parts are copied: they may be shared with other senders and reused as soon
// as Send has returned, whatever the transport is still doing.
func (s *Sender) Send(ctx context.Context, parts ...[]byte) error {
	return s.named(s.send(ctx, false, parts))
}

// SendMore is Send for a message after which others are waiting for the same receiver. Over a [Line] the receiver is asked not to make
// them wait: to confirm that it has the message before it has worked on it ("Prefer: respond-async" of RFC 7240). Whether it does
// is up to it; see [Endpoint.Early].
func (s *Sender) SendMore(ctx context.Context, parts ...[]byte) error {
	return s.named(s.send(ctx, true, parts))
}

func (s *Sender) named(err error) error {
	if err != nil {
		return fmt.Errorf("notify %s: %w", s.url, err)
	}
	return nil
}

func (s *Sender) send(ctx context.Context, more bool, parts [][]byte) error {
	if s.line != nil {
		return s.line.post(ctx, s, more, parts)
	}
	c := s.c
	ctx, cancel := c.timeout(ctx)
	defer cancel()
	defer c.end()
	doc := slices.Concat(parts...)
	x := c.exchange(KindRequest, http.MethodPost, s.u, doc)
	resp, err := c.roundTrip(ctx, http.MethodPost, s.u, c.header, doc, x)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 == 2 && resp.ContentLength == 0 {
		x.answered(resp.StatusCode, nil, false, "")
		_, _ = io.Copy(io.Discard, resp.Body) // reads the end, which frees the connection
		return resp.Body.Close()
	}
	_, err = c.answer(resp, x)
	return err
}

// Send posts one assembled envelope; see [Sender.Send].
func (c *Client) Send(ctx context.Context, url string, parts ...[]byte) error {
	s, err := c.Sender(url)
	if err != nil {
		return err
	}
	return s.Send(ctx, parts...)
}
