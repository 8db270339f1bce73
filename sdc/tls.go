package sdc

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Reason says why a peer was refused.
type Reason string

// Reasons of a PeerError.
const (
	// NoCertificate: the peer sent no certificate (SDPi R0502).
	NoCertificate Reason = "no certificate"
	// Untrusted: the certificate does not chain to a trusted authority (SEC-1).
	Untrusted Reason = "not issued by a trusted authority"
	// OutsideValidity: the certificate has expired or is not valid yet (SEC-2).
	OutsideValidity Reason = "outside its validity period"
	// NoKeyPurpose: the certificate states no SDC role.
	NoKeyPurpose Reason = "states no SDC key purpose"
	// WrongRole: the certificate states an SDC role, but not the one this connection needs.
	WrongRole Reason = "states the wrong SDC role"
	// Revoked: the certificate is on a revocation list, or no valid list tells of it (SEC-3).
	Revoked Reason = "revoked"
	// Unauthorised: the application's own check (Identity.Authorise) refused the certificate.
	Unauthorised Reason = "not authorised"
)

// PeerError is the refusal of a peer during the TLS handshake.
type PeerError struct {
	Reason Reason
	// Subject is the distinguished name in the peer's certificate; empty when it sent none.
	Subject string
	// Want are the roles of which the connection needed one; Have those that the certificate states.
	Want, Have Role
	// Err is the verifier's own error, if any.
	Err error
}

func (e *PeerError) Error() string {
	s := "peer refused: "
	if e.Subject != "" {
		s += fmt.Sprintf("certificate %q ", e.Subject)
	}
	s += string(e.Reason)
	switch e.Reason {
	case NoKeyPurpose:
		s += fmt.Sprintf(" (needs extended key usage %s)", e.Want.oidText())
	case WrongRole:
		s += fmt.Sprintf(" (needs %s, states %s)", e.Want, e.Have)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the verifier's own error.
func (e *PeerError) Unwrap() error { return e.Err }

func (r Role) oidText() string {
	s := ""
	for _, oid := range r.OIDs() {
		if s != "" {
			s += " or "
		}
		s += oid.String()
	}
	return s
}

// ServerTLS returns the configuration for accepting connections: TLS 1.2 or newer, a client certificate required, chained to the
// trusted authorities and stating one of the expected roles of the peer. A provider's HTTP server expects RoleConsumer, a
// consumer's notification sink RoleProvider. Host names are not compared (SEC-1). HTTP/1.1 only (SDPi R1003).
func (id *Identity) ServerTLS(peer Role) *tls.Config {
	cfg := id.config(peer)
	// Not RequireAndVerifyClientCert: Go's own verifier would demand clientAuth, which SDC certificates need not carry.
	cfg.ClientAuth = tls.RequireAnyClientCert
	return cfg
}

// ClientTLS returns the configuration for opening connections, with the same rules as ServerTLS for the certificate of the server.
func (id *Identity) ClientTLS(peer Role) *tls.Config {
	cfg := id.config(peer)
	// Trust rests on chain and key purpose, checked in VerifyConnection; addresses are dynamic, so host names say nothing (SEC-1).
	cfg.InsecureSkipVerify = true
	// Our one certificate is offered whatever authorities the server names: a wrong one then fails with a readable reason at the server.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c := id.Certificate
		return &c, nil
	}
	return cfg
}

func (id *Identity) config(peer Role) *tls.Config {
	return &tls.Config{
		MinVersion:   max(id.MinTLS, tls.VersionTLS12),
		Certificates: []tls.Certificate{id.Certificate},
		NextProtos:   []string{"http/1.1"},
		// VerifyConnection, unlike VerifyPeerCertificate, also runs on resumed sessions.
		VerifyConnection: func(cs tls.ConnectionState) error { return id.verify(cs, peer) },
	}
}

func (id *Identity) verify(cs tls.ConnectionState, want Role) error {
	if len(cs.PeerCertificates) == 0 {
		return &PeerError{Reason: NoCertificate, Want: want}
	}
	return id.VerifyPeer(cs.PeerCertificates, want)
}

// VerifyPeer applies the rules of ServerTLS and ClientTLS to a certificate chain (leaf first). The error is a *PeerError.
func (id *Identity) VerifyPeer(chain []*x509.Certificate, want Role) error {
	if len(chain) == 0 {
		return &PeerError{Reason: NoCertificate, Want: want}
	}
	leaf := chain[0]
	refusal := &PeerError{Subject: leaf.Subject.String(), Want: want, Have: CertificateRoles(leaf)}
	verified, err := verifyChain(leaf, chain[1:], id.CAs)
	if err != nil {
		refusal.Reason, refusal.Err = Untrusted, err
		if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			refusal.Reason = OutsideValidity
		}
		return refusal
	}
	if err := id.checkRevocation(verified); err != nil {
		refusal.Reason, refusal.Err = Revoked, err
		if id.Logger != nil {
			id.Logger.LogAttrs(context.Background(), slog.LevelWarn, "peer refused by revocation",
				slog.String("subject", refusal.Subject), slog.String("serial", leaf.SerialNumber.Text(16)), slog.Any("error", err))
		}
		return refusal
	}
	switch {
	case refusal.Have&want != 0:
	case refusal.Have != 0:
		refusal.Reason = WrongRole
		return refusal
	case id.AllowMissingKeyPurpose:
		if id.Logger != nil {
			id.Logger.LogAttrs(context.Background(), slog.LevelWarn, "peer accepted without SDC key purpose",
				slog.String("subject", refusal.Subject), slog.String("role", want.String()))
		}
	default:
		refusal.Reason = NoKeyPurpose
		return refusal
	}
	if id.Authorise != nil {
		if err := id.Authorise(leaf); err != nil {
			refusal.Reason, refusal.Err = Unauthorised, err
			return refusal
		}
	}
	return nil
}

// checkRevocation looks for a chain of which no certificate is revoked. Without lists none is.
func (id *Identity) checkRevocation(chains [][]*x509.Certificate) error {
	if len(id.Revoked) == 0 {
		return nil
	}
	var err error
	for _, chain := range chains {
		if err = id.checkChain(chain); err == nil {
			return nil
		}
	}
	return err
}

func (id *Identity) checkChain(chain []*x509.Certificate) error {
	for i, cert := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		known := false
		for _, list := range id.Revoked {
			if !bytes.Equal(list.RawIssuer, issuer.RawSubject) {
				continue
			}
			if err := list.CheckSignatureFrom(issuer); err != nil {
				return fmt.Errorf("revocation list of %s: %w", issuer.Subject, err)
			}
			if !list.NextUpdate.IsZero() && time.Now().After(list.NextUpdate) {
				return fmt.Errorf("revocation list of %s is out of date since %s", issuer.Subject, list.NextUpdate.Format(time.RFC3339))
			}
			known = true
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
					return fmt.Errorf("certificate %s was revoked on %s", cert.Subject, entry.RevocationTime.Format(time.RFC3339))
				}
			}
		}
		if !known {
			return fmt.Errorf("no revocation list of %s", issuer.Subject)
		}
	}
	return nil
}

func verifyChain(leaf *x509.Certificate, rest []*x509.Certificate, roots *x509.CertPool) ([][]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, c := range rest {
		intermediates.AddCert(c)
	}
	return leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   time.Now(),
		// SDC certificates may carry the SDC purposes only, which Go's verifier does not know.
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
}
