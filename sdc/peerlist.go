package sdc

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// PeerPattern describes certificates, in one of these forms:
//
//	sha256:9f86d0...      the fingerprint of one certificate, colons allowed
//	subject:CN=a,O=b      the whole distinguished name, as sdc pki show writes it
//	issuer:CN=a,O=b       the whole distinguished name of the issuer
//	cn:workplace-*        the common name; a * at the end stands for any rest
//	epr:urn:uuid:...      an endpoint reference or equipment identifier that the certificate is bound to (BoundTo)
//	purpose:1.2.840...    an extended key usage it states
//	role:consumer         a role of IEEE 11073-20701 it states: consumer or provider
//
// The zero value matches nothing. ParsePeerPattern makes one.
type PeerPattern struct {
	kind, value string
}

// ParsePeerPattern reads a pattern. The error says what is wrong with it.
func ParsePeerPattern(text string) (PeerPattern, error) {
	kind, value, ok := strings.Cut(strings.TrimSpace(text), ":")
	value = strings.TrimSpace(value)
	if !ok || value == "" {
		return PeerPattern{}, fmt.Errorf("%q is none of sha256:, subject:, issuer:, cn:, epr:, purpose: and role: with a value", text)
	}
	switch kind {
	case "sha256":
		value = strings.ToLower(strings.ReplaceAll(value, ":", ""))
		if b, err := hex.DecodeString(value); err != nil || len(b) != 32 {
			return PeerPattern{}, fmt.Errorf("%q is no SHA-256 fingerprint of 64 hexadecimal digits", text)
		}
	case "cn":
		if i := strings.IndexByte(value, '*'); i >= 0 && i != len(value)-1 {
			return PeerPattern{}, fmt.Errorf("%q: a * may stand at the end only", text)
		}
	case "purpose":
		if _, err := x509.ParseOID(value); err != nil {
			return PeerPattern{}, fmt.Errorf("%q is no object identifier", text)
		}
	case "role":
		if value != "consumer" && value != "provider" {
			return PeerPattern{}, fmt.Errorf("%q: the roles are consumer and provider", text)
		}
	case "subject", "issuer", "epr":
	default:
		return PeerPattern{}, fmt.Errorf("%q is none of sha256:, subject:, issuer:, cn:, epr:, purpose: and role: with a value", text)
	}
	return PeerPattern{kind, value}, nil
}

// Match tells whether a certificate is one that the pattern describes; never for nil.
func (p PeerPattern) Match(cert *x509.Certificate) bool {
	if cert == nil {
		return false
	}
	switch p.kind {
	case "sha256":
		return Fingerprint(cert) == p.value
	case "subject":
		return cert.Subject.String() == p.value
	case "issuer":
		return cert.Issuer.String() == p.value
	case "cn":
		if prefix, ok := strings.CutSuffix(p.value, "*"); ok {
			return strings.HasPrefix(cert.Subject.CommonName, prefix)
		}
		return cert.Subject.CommonName == p.value
	case "epr":
		return BoundTo(cert, p.value)
	case "purpose":
		return statesPurpose(cert, p.value)
	case "role":
		role := RoleConsumer
		if p.value == "provider" {
			role = RoleProvider
		}
		return CertificateRoles(cert)&role != 0
	}
	return false
}

// String is the pattern as it can be parsed.
func (p PeerPattern) String() string {
	if p.kind == "" {
		return ""
	}
	return p.kind + ":" + p.value
}

// PeerList is a list of patterns, as allow and deny lists are.
type PeerList []PeerPattern

// Match returns the first pattern that describes the certificate.
func (l PeerList) Match(cert *x509.Certificate) (PeerPattern, bool) {
	for _, p := range l {
		if p.Match(cert) {
			return p, true
		}
	}
	return PeerPattern{}, false
}

// ParsePeerList reads one pattern a line; empty lines and what follows a # at the beginning of a line or after white space mean nothing. The error names the line. A list without
// patterns is empty, not nil.
func ParsePeerList(text []byte) (PeerList, error) {
	list := PeerList{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		s := string(line)
		for i := range s {
			if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
				s = s[:i]
				break
			}
		}
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		p, err := ParsePeerPattern(s)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, p)
	}
	return list, nil
}

// ReadPeerList is ParsePeerList for a file of at most 32 MiB. The error names it.
func ReadPeerList(path string) (PeerList, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	list, err := ParsePeerList(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// statesPurpose tells whether an extended key usage that is not one of the web's is stated.
func statesPurpose(cert *x509.Certificate, oid string) bool {
	for _, have := range cert.UnknownExtKeyUsage {
		if have.String() == oid {
			return true
		}
	}
	return false
}
