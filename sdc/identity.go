package sdc

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/internal/sparing"
)

// Credentials are who a participant is and whom it trusts: what an Identity can replace while it is in use.
type Credentials struct {
	// Certificate is the participant's own chain (leaf first) and private key.
	Certificate tls.Certificate
	// CAs are the authorities that peers must chain to.
	CAs *x509.CertPool
	// Revoked are revocation lists of the authorities in CAs; a peer whose certificate is on one is refused (SEC-3). A list that is not signed by
	// the issuer of the certificate, or is past its NextUpdate, is not believed: then the peer is refused too, because nobody knows.
	Revoked []*x509.RevocationList
	// Allow, if not nil, lists the only peers that are accepted; an empty list accepts nobody.
	Allow PeerList
	// Deny lists peers that are refused even if they are on Allow.
	Deny PeerList
}

// KeyPurposes are extended key usages that count beyond those of IEEE 11073-20701, as dotted object identifiers.
type KeyPurposes struct {
	// Provider and Consumer stand for that role just as OIDProvider and OIDConsumer do.
	Provider, Consumer []string
	// Required are purposes of which a peer must state at least one, beside its role; without any nothing more is asked for.
	Required []string
}

// Identity is who a participant is and whom it trusts: its certificate and private key, and the authorities whose
// certificates it accepts. Use LoadIdentity, NewIdentity or the pki package to make one; change the fields before first use only, and use Replace or
// Reload afterwards. It must not be copied.
type Identity struct {
	// Credentials are those at the start; Replace and Reload leave the fields alone. Current tells what is used.
	Credentials

	// AllowMissingKeyPurpose accepts peers whose certificate chains to CAs but states no SDC role at all, with a warning in the log.
	// For benches with foreign test certificates only: by default such peers are refused. A peer that states only the wrong
	// role is refused in any case.
	AllowMissingKeyPurpose bool
	// Purposes are further key purposes that count.
	Purposes KeyPurposes
	// MinTLS is the lowest TLS version used; zero means TLS 1.2, the floor of GLUE R0063. Set tls.VersionTLS13 for SDPi R1544.
	// Lower values are raised to the floor. With TLS 1.2 only suites with authenticated encryption and forward secrecy are spoken.
	MinTLS uint16
	// Resume lets connections that we open continue an earlier TLS session, which saves both sides work when many reconnect at once. Certificates are judged again all the same. Off
	// by default: servers made with OpenSSL refuse resumption with client certificates unless they were prepared for it.
	Resume bool
	// Authorise, if set, has the last word on a peer whose certificate passed all other checks, for example an allow list.
	// Its error becomes part of the PeerError. It must be safe for concurrent use.
	Authorise func(leaf *x509.Certificate) error
	// Now is the clock that validity is judged by (SEC-2); nil means time.Now.
	Now func() time.Time
	// Refused is told of every peer that was refused, for counting and alarms. It runs in the handshake and must return quickly.
	Refused func(*PeerError)
	// Reloaded is told the outcome of every attempt of Watch to use changed files: nil, or why the former credentials stay.
	Reloaded func(error)
	// KeyLog, if set, gets the keys of all connections, in the format of NSS that Wireshark reads. Whoever has them reads all that was said on these connections: never set it where
	// patients are, but on a test bench only, to see what is wrong on the wire. It gets one line with each Write.
	KeyLog io.Writer
	// Logger receives refusals (100 at once and then one a second, with the number of those in between), reloads, and what AllowMissingKeyPurpose lets pass; nil discards.
	Logger *slog.Logger

	folder     Folder // where it was loaded from, if it was
	replaced   atomic.Pointer[Credentials]
	generation atomic.Uint64 // rises with every replacement

	telling sparing.Teller // in the log
	mu      sync.Mutex
	refused map[Reason]uint64
}

// NewIdentity checks that the pieces fit together: the certificate is for the key, has not expired and chains to one of the authorities.
// The error says which of them does not hold.
func NewIdentity(cert tls.Certificate, cas *x509.CertPool) (*Identity, error) {
	c := Credentials{Certificate: cert, CAs: cas}
	if err := c.check(time.Now()); err != nil {
		return nil, err
	}
	return &Identity{Credentials: c}, nil
}

// check tells whether the pieces fit together at that time, and fills Certificate.Leaf.
func (c *Credentials) check(now time.Time) error {
	cert := &c.Certificate
	if len(cert.Certificate) == 0 {
		return errors.New("identity: no certificate")
	}
	if c.CAs == nil {
		return errors.New("identity: no certificate authority")
	}
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return fmt.Errorf("identity: certificate: %w", err)
		}
		cert.Leaf = leaf
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return errors.New("identity: no private key that can sign")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
		return errors.New("identity: the private key does not belong to the certificate")
	}
	var rest []*x509.Certificate
	for _, der := range cert.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("identity: chain: %w", err)
		}
		rest = append(rest, c)
	}
	if _, err := verifyChain(leaf, rest, c.CAs, now); err != nil {
		return fmt.Errorf("identity: own certificate %q: %w", leaf.Subject, err)
	}
	return nil
}

// Validate tells what is wrong with the options; provider and consumer ask before they start.
func (id *Identity) Validate() error {
	var errs []error
	if len(id.Current().Certificate.Certificate) == 0 {
		errs = append(errs, errors.New("identity: no certificate"))
	}
	for _, list := range [][]string{id.Purposes.Provider, id.Purposes.Consumer, id.Purposes.Required} {
		for _, oid := range list {
			if _, err := x509.ParseOID(oid); err != nil {
				errs = append(errs, fmt.Errorf("identity: key purpose %q is no object identifier", oid))
			}
		}
	}
	return errors.Join(errs...)
}

// Current returns what is in use now. What it points to must not be changed.
func (id *Identity) Current() Credentials {
	if c := id.replaced.Load(); c != nil {
		return *c
	}
	return id.Credentials
}

// Replace puts new credentials in the place of those in use, if they fit together as NewIdentity demands; the error says what does not, and nothing has
// changed then. New connections use them at once. Peers on connections that exist are judged again before the next message in either direction; one that is no
// longer accepted has its connection closed.
func (id *Identity) Replace(c Credentials) error {
	if err := c.check(id.now()); err != nil {
		return err
	}
	id.replaced.Store(&c)
	id.generation.Add(1)
	return nil
}

// Roles returns the SDC roles that the own certificate states.
func (id *Identity) Roles() Role { return id.roles(id.Leaf()) }

// Leaf returns the own certificate.
func (id *Identity) Leaf() *x509.Certificate {
	cert := id.Current().Certificate
	if cert.Leaf != nil {
		return cert.Leaf
	}
	if len(cert.Certificate) > 0 {
		if leaf, err := x509.ParseCertificate(cert.Certificate[0]); err == nil {
			return leaf
		}
	}
	// NewIdentity refuses what does not parse, so only an Identity put together by hand gets here.
	return &x509.Certificate{}
}

// Refusals counts the peers that were refused so far, by reason.
func (id *Identity) Refusals() map[Reason]uint64 {
	id.mu.Lock()
	defer id.mu.Unlock()
	return maps.Clone(id.refused)
}

func (id *Identity) now() time.Time {
	if id.Now != nil {
		return id.Now()
	}
	return time.Now()
}

func (id *Identity) log() *slog.Logger {
	if id.Logger != nil {
		return id.Logger
	}
	return slog.New(slog.DiscardHandler)
}
