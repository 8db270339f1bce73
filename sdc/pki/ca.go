// Package pki makes the certificates of a bench or demonstration: one authority and participants with the SDC key purposes of
// IEEE 11073-20701. It is no replacement for a hospital's or manufacturer's PKI: keys lie in files.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// CAKeyFile is the authority's private key beside sdc.CAFile.
const CAKeyFile = "ca-key.pem"

const (
	defaultCAValidity   = 10 * 365 * 24 * time.Hour
	defaultLeafValidity = 2 * 365 * 24 * time.Hour
	// backdating lets certificates be used at once on hosts whose clocks are a little behind.
	backdating = 5 * time.Minute
)

// CA is a certificate authority.
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewCA makes an authority with a fresh ECDSA P-256 key. An empty name becomes "SDC test CA", a zero validity ten years.
func NewCA(name string, validity time.Duration) (*CA, error) {
	if name == "" {
		name = "SDC test CA"
	}
	if validity <= 0 {
		validity = defaultCAValidity
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdating),
		NotAfter:              now.Add(validity),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("pki: authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: authority: %w", err)
	}
	return &CA{Certificate: cert, key: key}, nil
}

// Write stores the authority as ca.pem and ca-key.pem (mode 0600) in a folder, which is made if need be. It never overwrites
// an authority: the error then wraps fs.ErrExist.
func (ca *CA) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	// The key first: a folder must not end up with a ca.pem whose key was lost.
	if err := writeKey(filepath.Join(dir, CAKeyFile), ca.key, false); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, sdc.CAFile), "CERTIFICATE", ca.Certificate.Raw, 0o644, false)
}

// ReadCA reads what Write stored.
func ReadCA(dir string) (*CA, error) {
	certs, err := readCertificates(filepath.Join(dir, sdc.CAFile))
	if err != nil {
		return nil, err
	}
	key, err := readKey(filepath.Join(dir, CAKeyFile))
	if err != nil {
		return nil, err
	}
	cert := certs[0]
	if public, ok := cert.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key.Public()) {
		return nil, fmt.Errorf("pki: %s does not belong to %s in %s", CAKeyFile, sdc.CAFile, dir)
	}
	if !cert.IsCA {
		return nil, fmt.Errorf("pki: %s in %s is no certificate authority", sdc.CAFile, dir)
	}
	return &CA{Certificate: cert, key: key}, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pki: key: %w", err)
	}
	return key, nil
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("pki: serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil
}

var errName = errors.New("a name has letters, digits, '.', '-', '_' or spaces, and does not begin with a '.'")
