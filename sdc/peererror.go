package sdc

import (
	"errors"
	"fmt"
	"net"
	"strings"
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
	// NoKeyPurpose: the certificate states no SDC role, or none of the purposes that KeyPurposes.Required asks for.
	NoKeyPurpose Reason = "states no SDC key purpose"
	// WrongRole: the certificate states an SDC role, but not the one this connection needs.
	WrongRole Reason = "states the wrong SDC role"
	// Revoked: the certificate is on a revocation list, or no valid list tells of it (SEC-3).
	Revoked Reason = "revoked"
	// Denied: the certificate is on the deny list.
	Denied Reason = "on the deny list"
	// NotAllowed: there is an allow list and the certificate is not on it.
	NotAllowed Reason = "not on the allow list"
	// NotBound: the certificate does not name the device that was meant to be reached.
	NotBound Reason = "not bound to this device"
	// Unauthorised: the application's own check (Identity.Authorise) refused the certificate.
	Unauthorised Reason = "not authorised"
	// RefusedByPeer: the other side did not accept our certificate. Its log says why; TLS tells only a hint.
	RefusedByPeer Reason = "our certificate was refused by the peer"
)

// PeerError is the refusal of a peer in the TLS handshake, or of one that was accepted and no longer is.
type PeerError struct {
	Reason Reason
	// Subject is the distinguished name in the peer's certificate, cut after 256 bytes, in that of our own for RefusedByPeer; empty when there is none.
	Subject string
	// Fingerprint is the SHA-256 fingerprint of that certificate in hexadecimal digits; empty when there is none. A handshake is refused before
	// the peer has proved that the certificate is its own.
	Fingerprint string
	// Remote is the peer's address and port where it is known: on the accepting side.
	Remote string
	// Want are the roles of which the connection needed one; Have those that the certificate states.
	Want, Have Role
	// Err is the verifier's own error, if any.
	Err error
}

func (e *PeerError) Error() string {
	s := "peer refused: "
	if e.Reason == RefusedByPeer {
		s = "refused by the peer: "
	}
	if e.Subject != "" {
		s += fmt.Sprintf("certificate %q ", e.Subject)
	}
	switch e.Reason {
	case NoKeyPurpose:
		s += fmt.Sprintf("%s (needs extended key usage %s)", e.Reason, e.Want.oidText())
	case WrongRole:
		s += fmt.Sprintf("%s (needs %s, states %s)", e.Reason, e.Want, e.Have)
	case RefusedByPeer:
		s += fmt.Sprintf("(role %s) was not accepted; the reason stands in the log of the peer", e.Have)
	default:
		s += string(e.Reason)
	}
	if e.Err != nil {
		s += ": " + clip(e.Err.Error())
	}
	return s
}

// maxTold bounds what is told of a certificate, in bytes: the names in it may be of many kilobytes, and nobody has vouched for them.
const maxTold = 256

func clip(s string) string {
	if len(s) <= maxTold {
		return s
	}
	return strings.ToValidUTF8(s[:maxTold], "") + "..."
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

// Explain makes a *PeerError with reason RefusedByPeer of an error by which a peer ended a handshake with us: TLS has only alerts such as
// "bad certificate" for it, which do not say whose certificate it was. Other errors are returned as they are.
func (id *Identity) Explain(err error) error {
	var op *net.OpError
	var known *PeerError
	if id == nil || err == nil || errors.As(err, &known) || !errors.As(err, &op) || op.Op != "remote error" {
		return err
	}
	leaf := id.Leaf()
	return &PeerError{
		Reason: RefusedByPeer, Subject: leaf.Subject.String(), Fingerprint: Fingerprint(leaf), Have: id.Roles(), Err: err,
	}
}
