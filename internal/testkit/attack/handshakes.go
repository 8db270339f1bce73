package attack

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// handshakes come from peers without trust.
func handshakes() []Attack {
	const area = "TLS"
	bad := func(name, about string, cert func(t *Target) (tls.Certificate, error)) Attack {
		return Attack{name, area, about + "; no request is answered", false, func(ctx context.Context, t *Target) error {
			c, err := cert(t)
			if err != nil {
				return err
			}
			return t.untrusted(ctx, &tls.Config{Certificates: []tls.Certificate{c}, InsecureSkipVerify: true}) //nolint:gosec // an attacker does not care
		}}
	}
	return []Attack{
		{"plain-http", area, "HTTP without TLS on the secure port; no answer of SOAP", false, func(ctx context.Context, t *Target) error {
			return t.untrusted(ctx, nil)
		}},
		{"garbage-handshake", area, "random bytes in the place of a ClientHello; the connection is closed", false, func(ctx context.Context, t *Target) error {
			c, err := t.plain(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			junk := make([]byte, 4096)
			_, _ = rand.Read(junk)
			junk[0] = 0x16 // a handshake record, at first sight
			_, _ = c.Write(junk)
			return (&wire{Conn: c, in: bufio.NewReader(c)}).ended()
		}},
		{"old-tls", area, "TLS 1.1 at most; the handshake fails", false, func(ctx context.Context, t *Target) error {
			cfg := t.Trusted.Clone()
			cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			return t.untrusted(ctx, cfg)
		}},
		{"no-certificate", area, "a client without a certificate; no request is answered", false, func(ctx context.Context, t *Target) error {
			return t.untrusted(ctx, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // see above
		}},
		bad("foreign-authority", "a certificate of an authority that nobody knows", func(*Target) (tls.Certificate, error) {
			other, err := NewAuthority("somebody else")
			if err != nil {
				return tls.Certificate{}, err
			}
			return other.Issue("intruder", before(), after(), oidConsumer)
		}),
		bad("endless-name", "a certificate with a name of 40 KB, which the log and the audit cut", func(*Target) (tls.Certificate, error) {
			other, err := NewAuthority("somebody else")
			if err != nil {
				return tls.Certificate{}, err
			}
			return other.Issue(strings.Repeat("intruder", 5_000), before(), after(), oidConsumer)
		}),
		bad("expired", "a certificate that has expired", func(t *Target) (tls.Certificate, error) {
			return t.Authority.Issue("intruder", before().Add(-time.Hour), before(), oidConsumer)
		}),
		bad("not-yet-valid", "a certificate that is not valid yet", func(t *Target) (tls.Certificate, error) {
			return t.Authority.Issue("intruder", after(), after().Add(time.Hour), oidConsumer)
		}),
		bad("no-purpose", "a certificate of the right authority without an SDC key purpose", func(t *Target) (tls.Certificate, error) {
			return t.Authority.Issue("intruder", before(), after())
		}),
		bad("wrong-purpose", "a device's certificate used as a consumer's", func(t *Target) (tls.Certificate, error) {
			return t.Authority.Issue("intruder", before(), after(), oidProvider)
		}),
		bad("revoked", "a certificate that the lists revoke", func(t *Target) (tls.Certificate, error) {
			return t.Revoked.Certificate, nil
		}),
		{"silent-handshake", area, "connections that stop in the middle of the handshake; others are served meanwhile", false, func(ctx context.Context, t *Target) error {
			hello := []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}
			return t.besides(ctx, 200, func() (io.Closer, error) {
				c, err := t.flood(ctx)
				if err == nil {
					_, _ = c.Write(hello)
				}
				return c, err
			})
		}},
	}
}

func before() time.Time { return time.Now().Add(-time.Hour) }
func after() time.Time  { return time.Now().Add(time.Hour) }

// untrusted sends a good request with a configuration that the device must refuse. With TLS 1.3 a client learns that only when it reads.
func (t *Target) untrusted(ctx context.Context, cfg *tls.Config) error {
	w, err := t.openAs(ctx, cfg)
	if err != nil {
		return t.alive(ctx) // refused in the handshake
	}
	defer w.Close()
	_, _ = io.WriteString(w, t.request(t.path(), "", envelope(transferGet, "", "")))
	status, answer, err := w.answer()
	if err != nil && !errors.Is(err, errClosed) {
		return err
	}
	if status != 0 && status != 400 { // 400 is net/http's word about plain HTTP on a secure port
		return fmt.Errorf("answered %d: %.200s", status, answer)
	}
	return t.alive(ctx)
}

// besides holds many connections and checks that a good request is answered all the same.
func (t *Target) besides(ctx context.Context, n int, open func() (io.Closer, error)) error {
	for range n {
		c, err := open()
		if err != nil {
			break // turned away: that is an answer too
		}
		defer c.Close() //nolint:revive // all are held until the end
	}
	return t.alive(ctx)
}
