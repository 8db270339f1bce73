package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// minRSA is the shortest RSA key that is certified, in bits.
const minRSA = 2048

// Sign certifies the key of a certificate signing request in PEM form. Its signature must be right, which shows that who asks has the key. Of what it asks for only the common
// name is taken, and that only if r.Name is empty: what a certificate states is the decision of the authority, so key purposes, identifiers and addresses are those of r. ignored lists names that
// the request asks for and r does not have.
func (ca *CA) Sign(request []byte, r Request) (cert *x509.Certificate, ignored []string, err error) {
	block, _ := pem.Decode(request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return nil, nil, errors.New("pki: no certificate signing request in PEM form")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("pki: signing request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, nil, fmt.Errorf("pki: signing request: its signature is wrong: %w", err)
	}
	if err := checkKey(csr.PublicKey); err != nil {
		return nil, nil, fmt.Errorf("pki: signing request: %w", err)
	}
	if r.Name == "" {
		r.Name = csr.Subject.CommonName
	}
	if cert, err = ca.certify(r, csr.PublicKey); err != nil {
		return nil, nil, err
	}
	granted := map[string]bool{}
	for _, n := range append(Describe(cert).Addresses, sdc.Identifiers(cert)...) {
		granted[n] = true
	}
	asked := append([]string{}, csr.DNSNames...)
	for _, ip := range csr.IPAddresses {
		asked = append(asked, ip.String())
	}
	for _, u := range csr.URIs {
		asked = append(asked, u.String())
	}
	for _, n := range asked {
		if !granted[n] {
			ignored = append(ignored, n)
		}
	}
	return cert, ignored, nil
}

// checkKey refuses keys that are too weak, or of a kind that TLS peers do not know.
func checkKey(key any) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return fmt.Errorf("an RSA key of %d bits is too short; %d are needed", k.N.BitLen(), minRSA)
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return fmt.Errorf("a key on the curve %s is too short; P-256 is needed", k.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		return fmt.Errorf("keys of the kind %T are not certified", key)
	}
	return nil
}

// Renew issues a certificate that says what the one of a participant in the authority's folder says, from now on and with a fresh key, and writes both into the participant's
// folder. A validity of zero is that of the former certificate. The former one stays valid until it expires or is revoked.
func (ca *CA) Renew(dir, name string, validity time.Duration) (*Participant, error) {
	folder, err := Folder(dir, name)
	if err != nil {
		return nil, err
	}
	certs, err := readCertificates(filepath.Join(folder, sdc.CertFile))
	if err != nil {
		return nil, err
	}
	old := certs[0]
	if err := old.CheckSignatureFrom(ca.Certificate); err != nil {
		return nil, fmt.Errorf("pki: the certificate of %s is not of this authority: %w", name, err)
	}
	if validity == 0 {
		validity = old.NotAfter.Sub(old.NotBefore) - backdating
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template, err := ca.template(Request{Name: name, NoKeyPurpose: true, Validity: validity})
	if err != nil {
		return nil, err
	}
	template.Subject, template.KeyUsage = old.Subject, old.KeyUsage
	template.ExtKeyUsage, template.UnknownExtKeyUsage = old.ExtKeyUsage, old.UnknownExtKeyUsage
	template.IPAddresses, template.DNSNames, template.URIs = old.IPAddresses, old.DNSNames, old.URIs
	cert, err := ca.create(template, key.Public())
	if err != nil {
		return nil, fmt.Errorf("pki: %s: %w", name, err)
	}
	p := &Participant{Certificate: cert, CA: ca.Certificate, key: key}
	if err := p.Write(folder); err != nil {
		return nil, err
	}
	return p, nil
}

// WriteCertificate stores a certificate in PEM form; an earlier one is replaced.
func WriteCertificate(path string, cert *x509.Certificate) error {
	return writePEM(path, "CERTIFICATE", cert.Raw, 0o644, true)
}
