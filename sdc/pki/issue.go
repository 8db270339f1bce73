package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// Request describes a participant's certificate.
type Request struct {
	// Name becomes the common name and, with Folder, the folder.
	Name string
	// Role decides the key purposes: sdc.RoleProvider, sdc.RoleConsumer or sdc.RoleBoth. Zero is an error, unless NoKeyPurpose or Purposes is set.
	Role sdc.Role
	// Purposes are further extended key usages, as dotted object identifiers.
	Purposes []string
	// OnlySDC leaves serverAuth and clientAuth out. Peers that judge certificates as web browsers do refuse such ones.
	OnlySDC bool
	// Identifiers are URIs that the certificate is bound to: the endpoint reference of a device (urn:uuid:...), its equipment identifier.
	Identifiers []string
	// Addresses are put into the certificate beside 127.0.0.1 and ::1. SDC peers do not compare them (SEC-1), other software may.
	Addresses []netip.Addr
	// Validity from now on; zero means two years. Negative makes an expired certificate, for tests.
	Validity time.Duration
	// NoKeyPurpose leaves the SDC key purposes out, for tests of peers.
	NoKeyPurpose bool
}

// Participant is an issued certificate with its key and authority.
type Participant struct {
	Certificate *x509.Certificate
	CA          *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Issue makes a certificate with a fresh ECDSA P-256 key, the key purposes of the role and serverAuth and clientAuth: every SDC
// participant is server and client at once.
func (ca *CA) Issue(r Request) (*Participant, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert, err := ca.certify(r, key.Public())
	if err != nil {
		return nil, err
	}
	return &Participant{Certificate: cert, CA: ca.Certificate, key: key}, nil
}

// certify makes the certificate of a public key.
func (ca *CA) certify(r Request, public crypto.PublicKey) (*x509.Certificate, error) {
	template, err := ca.template(r)
	if err != nil {
		return nil, err
	}
	cert, err := ca.create(template, public)
	if err != nil {
		return nil, fmt.Errorf("pki: %s: %w", r.Name, err)
	}
	return cert, nil
}

func (ca *CA) create(template *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, public, ca.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (ca *CA) template(r Request) (*x509.Certificate, error) {
	if err := checkName(r.Name); err != nil {
		return nil, err
	}
	if r.Role&sdc.RoleBoth == 0 && !r.NoKeyPurpose && len(r.Purposes) == 0 {
		return nil, fmt.Errorf("pki: %s: a role is needed: provider, consumer or both", r.Name)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	validity := r.Validity
	if validity == 0 {
		validity = defaultLeafValidity
	}
	now := time.Now()
	notBefore, notAfter := now.Add(-backdating), now.Add(validity)
	if validity < 0 {
		notBefore = notAfter.Add(-time.Hour)
	} else if notAfter.After(ca.Certificate.NotAfter) {
		notAfter = ca.Certificate.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: r.Name},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if !r.OnlySDC {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if !r.NoKeyPurpose {
		template.UnknownExtKeyUsage = r.Role.OIDs()
	}
	for _, text := range r.Purposes {
		oid, err := parseOID(text)
		if err != nil {
			return nil, fmt.Errorf("pki: %s: key purpose %q: %w", r.Name, text, err)
		}
		template.UnknownExtKeyUsage = append(template.UnknownExtKeyUsage, oid)
	}
	for _, text := range r.Identifiers {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			return nil, fmt.Errorf("pki: %s: identifier %q is no absolute URI", r.Name, text)
		}
		template.URIs = append(template.URIs, u)
	}
	for _, a := range r.Addresses {
		template.IPAddresses = append(template.IPAddresses, a.Unmap().AsSlice())
	}
	return template, nil
}

// parseOID reads a dotted object identifier.
func parseOID(text string) (asn1.ObjectIdentifier, error) {
	if _, err := x509.ParseOID(text); err != nil {
		return nil, errors.New("not an object identifier")
	}
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, errors.New("a number in it is too large")
		}
		oid = append(oid, n)
	}
	return oid, nil
}

// Identity returns the participant as one that can be used at once, without files.
func (p *Participant) Identity() (*sdc.Identity, error) {
	pool := x509.NewCertPool()
	pool.AddCert(p.CA)
	return sdc.NewIdentity(tls.Certificate{
		Certificate: [][]byte{p.Certificate.Raw},
		PrivateKey:  p.key,
		Leaf:        p.Certificate,
	}, pool)
}

// Key is the private key, for other forms of storing it.
func (p *Participant) Key() crypto.Signer { return p.key }

// Write stores ca.pem, cert.pem and key.pem (mode 0600) in a folder, as sdc.LoadIdentity reads them. An earlier certificate in the
// folder is replaced.
func (p *Participant) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	if err := writeKey(filepath.Join(dir, sdc.KeyFile), p.key, true); err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, sdc.CertFile), "CERTIFICATE", p.Certificate.Raw, 0o644, true); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, sdc.CAFile), "CERTIFICATE", p.CA.Raw, 0o644, true)
}

// Folder is where the certificate of a participant with this name lies under the authority's folder.
func Folder(dir, name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || len(name) > 64 {
		return fmt.Errorf("pki: name %q: %w", name, errName)
	}
	for _, c := range name {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(".-_ ", c) {
			continue
		}
		return fmt.Errorf("pki: name %q: %w", name, errName)
	}
	return nil
}

// ParseRole reads provider, consumer or both.
func ParseRole(text string) (sdc.Role, error) {
	switch text {
	case "provider":
		return sdc.RoleProvider, nil
	case "consumer":
		return sdc.RoleConsumer, nil
	case "both":
		return sdc.RoleBoth, nil
	}
	return 0, fmt.Errorf("pki: role %q is none of provider, consumer, both", text)
}
