package sdc

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Names of the files that LoadIdentity reads.
const (
	CAFile   = "ca.pem"
	CertFile = "cert.pem"
	KeyFile  = "key.pem"
	// CRLFile is optional: revocation lists of the authorities.
	CRLFile = "crl.pem"
)

// Identity is who a participant is and whom it trusts: its certificate and private key, and the authorities whose
// certificates it accepts. Use LoadIdentity, NewIdentity or the pki package to make one; change the options before first use only.
type Identity struct {
	// Certificate is the participant's own chain (leaf first) and private key.
	Certificate tls.Certificate
	// CAs are the authorities that peers must chain to.
	CAs *x509.CertPool

	// Revoked are revocation lists of the authorities in CAs; a peer whose certificate is on one is refused (SEC-3). A list that is not signed by
	// the issuer of the certificate, or is past its NextUpdate, is not believed: then the peer is refused too, because nobody knows.
	Revoked []*x509.RevocationList

	// AllowMissingKeyPurpose accepts peers whose certificate chains to CAs but states no SDC role at all, with a warning in the log.
	// For benches with foreign test certificates only: by default such peers are refused. A peer that states only the wrong
	// role is refused in any case.
	AllowMissingKeyPurpose bool
	// MinTLS is the lowest TLS version used; zero means TLS 1.2, the floor of GLUE R0063. Set tls.VersionTLS13 for SDPi R1544.
	// Lower values are raised to the floor.
	MinTLS uint16
	// Authorise, if set, has the last word on a peer whose certificate passed all other checks, for example an allow list.
	// Its error becomes part of the PeerError. It must be safe for concurrent use.
	Authorise func(leaf *x509.Certificate) error
	// Logger receives what AllowMissingKeyPurpose lets pass; nil discards.
	Logger *slog.Logger
}

// NewIdentity checks that the pieces fit together: the certificate is for the key, has not expired and chains to one of the authorities.
// The error says which of them does not hold.
func NewIdentity(cert tls.Certificate, cas *x509.CertPool) (*Identity, error) {
	if len(cert.Certificate) == 0 {
		return nil, errors.New("identity: no certificate")
	}
	if cas == nil {
		return nil, errors.New("identity: no certificate authority")
	}
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, fmt.Errorf("identity: certificate: %w", err)
		}
		cert.Leaf = leaf
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("identity: no private key that can sign")
	}
	if public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(key.Public()) {
		return nil, errors.New("identity: the private key does not belong to the certificate")
	}
	var rest []*x509.Certificate
	for _, der := range cert.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("identity: chain: %w", err)
		}
		rest = append(rest, c)
	}
	if _, err := verifyChain(leaf, rest, cas); err != nil {
		return nil, fmt.Errorf("identity: own certificate %q: %w", leaf.Subject, err)
	}
	return &Identity{Certificate: cert, CAs: cas}, nil
}

// LoadIdentity reads ca.pem (one or more authorities), cert.pem (leaf first), key.pem (unencrypted PKCS#8, SEC 1 or PKCS#1) and, if there is one,
// crl.pem (revocation lists) from a folder.
// The error names the file and what is wrong with it.
func LoadIdentity(dir string) (*Identity, error) {
	caPEM, err := readPEM(dir, CAFile)
	if err != nil {
		return nil, err
	}
	certPEM, err := readPEM(dir, CertFile)
	if err != nil {
		return nil, err
	}
	keyPEM, err := readPEM(dir, KeyFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(caPEM) {
		return nil, fmt.Errorf("identity: %s holds no certificate in PEM form", filepath.Join(dir, CAFile))
	}
	if encryptedKey(keyPEM) {
		path := filepath.Join(dir, KeyFile)
		return nil, fmt.Errorf("identity: %s is encrypted, which is not supported; decrypt it once with: openssl pkey -in %s -out key.pem", path, path)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("identity: %s and %s in %s: %w", CertFile, KeyFile, dir, err)
	}
	id, err := NewIdentity(cert, pool)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, dir)
	}
	if id.Revoked, err = readCRLs(filepath.Join(dir, CRLFile)); err != nil {
		return nil, err
	}
	return id, nil
}

// readCRLs reads the revocation lists of a PEM file; none if there is no such file.
func readCRLs(path string) ([]*x509.RevocationList, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	var lists []*x509.RevocationList
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("identity: %s holds a %s, not only revocation lists", path, block.Type)
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("identity: %s: %w", path, err)
		}
		lists = append(lists, list)
	}
	if lists == nil {
		return nil, fmt.Errorf("identity: %s holds no revocation list in PEM form", path)
	}
	return lists, nil
}

func readPEM(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("identity: %s is missing; a folder with %s, %s and %s is needed: %w", path, CAFile, CertFile, KeyFile, err)
	case err != nil:
		return nil, fmt.Errorf("identity: %w", err)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, fmt.Errorf("identity: %s is empty", path)
	}
	return b, nil
}

func encryptedKey(keyPEM []byte) bool {
	for block, rest := pem.Decode(keyPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

// Roles returns the SDC roles that the own certificate states.
func (id *Identity) Roles() Role { return CertificateRoles(id.Leaf()) }

// Leaf returns the own certificate.
func (id *Identity) Leaf() *x509.Certificate {
	if id.Certificate.Leaf != nil {
		return id.Certificate.Leaf
	}
	leaf, err := x509.ParseCertificate(id.Certificate.Certificate[0])
	if err != nil {
		// NewIdentity refuses what does not parse, so only an Identity put together by hand gets here.
		return &x509.Certificate{}
	}
	return leaf
}
