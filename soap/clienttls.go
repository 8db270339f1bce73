package soap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// dialTLS opens a connection and shakes hands on it.
func dialTLS(ctx context.Context, cfg *ClientConfig, base *tls.Config, network, addr string) (*tls.Conn, error) {
	raw, err := cfg.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	conn, err := secured(ctx, base, raw, addr)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

// secured shakes hands on a connection to an address.
func secured(ctx context.Context, base *tls.Config, raw net.Conn, addr string) (*tls.Conn, error) {
	conf := base
	if conf.ServerName == "" && !conf.InsecureSkipVerify {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conf = base.Clone()
		conf.ServerName = host
	}
	conn := tls.Client(raw, conf)
	shake, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	err := conn.HandshakeContext(shake)
	return conn, err
}

// clientConn is a connection of a client over TLS.
type clientConn struct {
	*tls.Conn
	check func() error // judges the peer again; nil: nobody does

	once   sync.Once
	broken chan struct{} // closed when reading has failed
	why    error         // then
}

func newClientConn(conn *tls.Conn, cfg *ClientConfig, addr string) *clientConn {
	c := &clientConn{Conn: conn, broken: make(chan struct{})}
	if cfg.Recheck != nil {
		c.check = cfg.Recheck(conn.ConnectionState(), addr)
	}
	return c
}

// Read reads, and remembers why no more can be read.
func (c *clientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.once.Do(func() {
			c.why = err
			close(c.broken)
		})
	}
	return n, err
}

// alertTimeout bounds the waiting for an alert that may have arrived.
const alertTimeout = time.Second

// Write refuses to write to a peer that is no longer accepted. A peer that does not accept us says so in an alert, which with TLS 1.3
// comes after our handshake is over, and closes: what we write then fails for a reason that tells nobody anything. The
// alert is the error that matters, and the transport is always reading.
func (c *clientConn) Write(b []byte) (int, error) {
	if c.check != nil {
		if err := c.check(); err != nil {
			_ = c.Close() // the error that matters is why
			return 0, err
		}
	}
	n, err := c.Conn.Write(b)
	if err == nil {
		return n, nil
	}
	timer := time.NewTimer(alertTimeout)
	defer timer.Stop()
	select {
	case <-c.broken:
		if isAlert(c.why) {
			err = c.why
		}
	case <-timer.C:
	}
	return n, err
}

// isAlert tells whether err is an alert of the peer: crypto/tls has no other way to say so.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// PeerCertificate asks who is at an https URL now: it opens a connection of its own, without resuming an earlier session, and returns
// the leaf of the certificate shown in the handshake, after ClientConfig.TLS has accepted it. Nothing is sent.
func (c *Client) PeerCertificate(ctx context.Context, url string) (*x509.Certificate, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	u, err := c.parseURL(url)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" {
		return nil, fmt.Errorf("address %q shows no certificate", url)
	}
	ctx, cancel := c.timeout(ctx)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = "443"
	}
	fresh := c.transport.TLSClientConfig.Clone()
	fresh.ClientSessionCache = nil // a session resumed shows the certificate it began with
	conn, err := dialTLS(ctx, &c.cfg, fresh, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", url, err)
	}
	defer func() { _ = conn.NetConn().Close() }() // nothing was said, so no leave need be taken
	return conn.ConnectionState().PeerCertificates[0], nil
}
