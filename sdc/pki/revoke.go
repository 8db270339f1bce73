package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// RevocationList signs a list of the certificates given, in PEM form as sdc.CRLFile holds it. validity is how long the list is to be believed;
// zero means 30 days. number must rise from list to list.
func (ca *CA) RevocationList(number int64, validity time.Duration, revoked ...*x509.Certificate) ([]byte, error) {
	entries := make([]x509.RevocationListEntry, 0, len(revoked))
	for _, c := range revoked {
		entries = append(entries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now()})
	}
	return ca.signList(number, validity, entries)
}

func (ca *CA) signList(number int64, validity time.Duration, entries []x509.RevocationListEntry) ([]byte, error) {
	if validity == 0 {
		validity = 30 * 24 * time.Hour
	}
	now := time.Now()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: now.Add(-backdating), NextUpdate: now.Add(validity), RevokedCertificateEntries: entries,
	}, ca.Certificate, ca.key)
	if err != nil {
		return nil, fmt.Errorf("pki: revocation list: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}

// Revoke adds the certificate of a participant to the authority's revocation list in dir (crl.pem, made if need be) and returns the path of the
// list. Every participant has to get the new list into its own folder.
func (ca *CA) Revoke(dir, name string) (string, error) {
	folder, err := Folder(dir, name)
	if err != nil {
		return "", err
	}
	certs, err := readCertificates(filepath.Join(folder, sdc.CertFile))
	if err != nil {
		return "", err
	}
	return ca.RevokeCertificate(dir, certs[0])
}

// RevokeCertificate is Revoke for a certificate that is at hand. One of another authority is an error.
func (ca *CA) RevokeCertificate(dir string, cert *x509.Certificate) (string, error) {
	if err := cert.CheckSignatureFrom(ca.Certificate); err != nil {
		return "", fmt.Errorf("pki: the certificate of %q is not of this authority: %w", cert.Subject, err)
	}
	return ca.RevokeSerial(dir, cert.SerialNumber)
}

// ParseSerial reads a serial number in hexadecimal digits, as Info has it; colons between them are ignored.
func ParseSerial(text string) (*big.Int, error) {
	n, ok := new(big.Int).SetString(strings.ReplaceAll(text, ":", ""), 16)
	if !ok || n.Sign() <= 0 || n.BitLen() > maxSerial {
		return nil, fmt.Errorf("pki: %q is no serial number in hexadecimal digits, as sdc pki show has it", text)
	}
	return n, nil
}

// maxSerial is the length of a serial number in bits (RFC 5280, 4.1.2.2).
const maxSerial = 160

// RevokeSerial is Revoke for a certificate that is lost: its serial number is known alone, and not checked against anything.
func (ca *CA) RevokeSerial(dir string, serial *big.Int) (string, error) {
	path := filepath.Join(dir, sdc.CRLFile)
	number, entries := int64(1), []x509.RevocationListEntry(nil)
	old, err := os.ReadFile(path)
	switch {
	case err == nil:
		block, _ := pem.Decode(old)
		if block == nil {
			return "", fmt.Errorf("pki: %s holds no revocation list", path)
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return "", fmt.Errorf("pki: %s: %w", path, err)
		}
		number, entries = list.Number.Int64()+1, list.RevokedCertificateEntries
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("pki: %w", err)
	}
	for _, e := range entries {
		if e.SerialNumber.Cmp(serial) == 0 {
			return path, nil // it is on the list
		}
	}
	entries = append(entries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: time.Now()})
	b, err := ca.signList(number, 0, entries)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, b, 0o644); err != nil { //nolint:gosec // a revocation list is public
		return "", fmt.Errorf("pki: %w", err)
	}
	return path, nil
}
