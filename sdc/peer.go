package sdc

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"log/slog"
	"strings"
)

// Peer is the participant on the other side of a connection, as its certificate tells.
type Peer struct {
	// Certificate is what the peer authenticated with; nil over plain HTTP, where peers are unknown.
	Certificate *x509.Certificate
	// Remote is its address and port.
	Remote string
}

// Fingerprint is the SHA-256 fingerprint of the certificate in hexadecimal digits; "" for an unknown peer.
func (p *Peer) Fingerprint() string { return Fingerprint(p.Certificate) }

// Subject is the distinguished name of the certificate; "" for an unknown peer.
func (p *Peer) Subject() string {
	if p.Certificate == nil {
		return ""
	}
	return p.Certificate.Subject.String()
}

// Roles are the roles of IEEE 11073-20701 that the certificate states; 0 for an unknown peer.
func (p *Peer) Roles() Role {
	if p.Certificate == nil {
		return 0
	}
	return CertificateRoles(p.Certificate)
}

// Identifiers are the URIs that the certificate is bound to; see BoundTo.
func (p *Peer) Identifiers() []string {
	if p.Certificate == nil {
		return nil
	}
	return Identifiers(p.Certificate)
}

// String names the peer for people: subject, beginning of the fingerprint, and address.
func (p *Peer) String() string {
	if p.Certificate == nil {
		return "unknown peer at " + p.Remote
	}
	return p.Subject() + " (" + p.Fingerprint()[:16] + ") at " + p.Remote
}

// LogValue keeps logs to what identifies the peer.
func (p *Peer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", p.Subject()), slog.String("sha256", p.Fingerprint()), slog.String("remote", p.Remote))
}

type peerKey struct{}

// WithPeer returns a context that tells whom a request came from.
func WithPeer(ctx context.Context, p *Peer) context.Context {
	return context.WithValue(ctx, peerKey{}, p)
}

// PeerFrom returns whom a request came from: in every handler of a provider, whatever the service (SEC-4). The peer is never nil; without
// one it is unknown.
func PeerFrom(ctx context.Context) *Peer {
	if p, ok := ctx.Value(peerKey{}).(*Peer); ok && p != nil {
		return p
	}
	return &Peer{}
}

// Fingerprint is the SHA-256 fingerprint of a certificate in hexadecimal digits; "" for nil.
func Fingerprint(cert *x509.Certificate) string {
	if cert == nil {
		return ""
	}
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Identifiers are the URIs in the subject alternative names of a certificate: endpoint references (urn:uuid:...) and equipment identifiers that it is bound to.
func Identifiers(cert *x509.Certificate) []string {
	out := make([]string, 0, len(cert.URIs))
	for _, u := range cert.URIs {
		out = append(out, u.String())
	}
	return out
}

// BoundTo tells whether a certificate is bound to an endpoint reference or equipment identifier: whether one of the URIs in its subject alternative
// names is that identifier. UUIDs and the names of URNs are compared without case.
func BoundTo(cert *x509.Certificate, identifier string) bool {
	if identifier == "" {
		return false
	}
	for _, have := range Identifiers(cert) {
		if have == identifier || strings.HasPrefix(strings.ToLower(have), "urn:") && strings.EqualFold(have, identifier) {
			return true
		}
	}
	return false
}
