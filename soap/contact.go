package soap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
)

// Contact is whom a client reached.
type Contact struct {
	// URL is the address that the message was sent to.
	URL string
	// Remote is the IP address and port that it led to.
	Remote string
	// Certificate is what the peer showed; nil without TLS.
	Certificate *x509.Certificate
}

type contactKey struct{}

// WithContact returns a context for one call of a Client. tell learns whom the call has reached before anything is sent there; once more when
// the message is sent again over another connection. If the call fails and tell has not been called, nothing was sent. A context that has somebody who is told
// already tells both.
func WithContact(ctx context.Context, tell func(Contact)) context.Context {
	if before, ok := ctx.Value(contactKey{}).(func(Contact)); ok {
		also := tell
		tell = func(c Contact) {
			before(c)
			also(c)
		}
	}
	return context.WithValue(ctx, contactKey{}, tell)
}

// traceContact makes the transport tell who was reached, if the context asks for it.
func traceContact(ctx context.Context, u *url.URL) context.Context {
	tell, ok := ctx.Value(contactKey{}).(func(Contact))
	if !ok {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		at := Contact{URL: u.String(), Remote: info.Conn.RemoteAddr().String()}
		if secure, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
			if chain := secure.ConnectionState().PeerCertificates; len(chain) > 0 {
				at.Certificate = chain[0]
			}
		}
		tell(at)
	}})
}

// ElsewhereError refuses an address that a peer named and that leads elsewhere than to the peer: whoever followed it could be made to talk to third
// parties, and to take what they answer for the peer's.
type ElsewhereError struct {
	// Reached is the URL at which the peer was reached, Named what it named.
	Reached, Named string
	// Err says what is wrong with it.
	Err error
}

// Error gives both addresses.
func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("the peer reached at %q names the address %.200q, which leads elsewhere: %v", e.Reached, e.Named, e.Err)
}

// Unwrap returns what is wrong with the address.
func (e *ElsewhereError) Unwrap() error { return e.Err }

// SameHost is the usual policy on addresses that a peer names for its services and the like: they must have the scheme of the URL
// at which it was reached, and its host, as written there or as the IP address that it led to. The port may be another. The error is an *ElsewhereError.
func (c *Contact) SameHost(address string) error {
	if err := c.sameHost(address); err != nil {
		return &ElsewhereError{Reached: c.URL, Named: address, Err: err}
	}
	return nil
}

func (c *Contact) sameHost(address string) error {
	at, err := url.Parse(c.URL)
	if err != nil {
		return fmt.Errorf("it is not known where the peer is: %w", err)
	}
	to, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("it is no URL")
	case to.Scheme != at.Scheme:
		return fmt.Errorf("its scheme is not %s", at.Scheme)
	case to.User != nil:
		return errors.New("it holds credentials")
	case equalHosts(to.Hostname(), at.Hostname()):
		return nil
	}
	if remote, _, err := net.SplitHostPort(c.Remote); err == nil && equalHosts(to.Hostname(), remote) {
		return nil
	}
	return fmt.Errorf("its host is not %s", at.Hostname())
}

// equalHosts compares names without case, and IP addresses however they are written. The zone of a link-local address is of this side alone: a peer
// knows none.
func equalHosts(a, b string) bool {
	x, errA := netip.ParseAddr(a)
	y, errB := netip.ParseAddr(b)
	if errA == nil && errB == nil {
		return x.Unmap().WithZone("") == y.Unmap().WithZone("")
	}
	return a != "" && strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}
