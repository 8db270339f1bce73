package sdc

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Names of the files of an identity's folder.
const (
	CAFile   = "ca.pem"
	CertFile = "cert.pem"
	KeyFile  = "key.pem"
	// BundleFile is a PKCS#12 file that stands for CertFile and KeyFile, and for CAFile if that is missing.
	BundleFile = "identity.p12"
	// CRLFile is optional: revocation lists of the authorities.
	CRLFile = "crl.pem"
	// AllowFile and DenyFile are optional lists of peers; see ParsePeerList.
	AllowFile = "allow.txt"
	DenyFile  = "deny.txt"
)

// Decrypter opens what is encrypted in the folder of an identity. Package sdc/keyfile has one.
type Decrypter interface {
	// Key opens an encrypted PKCS#8 key.
	Key(der []byte) (crypto.PrivateKey, error)
	// Bundle opens a PKCS#12 file: the key, its chain (leaf first) and the authorities.
	Bundle(data []byte) (key crypto.PrivateKey, chain, authorities []*x509.Certificate, err error)
}

// Folder says where an identity is and how it is read.
type Folder struct {
	// Dir holds ca.pem (one or more authorities), cert.pem (leaf first) and key.pem (PKCS#8, SEC 1 or PKCS#1), or identity.p12 in the place of the last two. There may be crl.pem
	// (revocation lists), allow.txt and deny.txt (lists of peers). A file of more than 32 MiB is an error.
	Dir string
	// Decrypter opens an encrypted key.pem and identity.p12; nil refuses both.
	Decrypter Decrypter
	// Now is the clock that the own certificate is judged by and that the Identity gets; nil means time.Now.
	Now func() time.Time
}

// LoadIdentity reads an identity from a folder with unencrypted keys; see Folder. The error names the file and what is wrong with it.
func LoadIdentity(dir string) (*Identity, error) { return Folder{Dir: dir}.Load() }

// Load reads the identity. The error names the file and what is wrong with it.
func (f Folder) Load() (*Identity, error) {
	c, err := f.read()
	if err != nil {
		return nil, err
	}
	return &Identity{Credentials: *c, Now: f.Now, folder: f}, nil
}

func (f Folder) read() (*Credentials, error) {
	c := &Credentials{}
	var authorities []*x509.Certificate
	bundle, err := readFile(filepath.Join(f.Dir, BundleFile))
	switch {
	case err == nil:
		authorities, err = f.openBundle(bundle, c)
	case errors.Is(err, fs.ErrNotExist):
		err = f.readPair(c)
	default:
		err = fmt.Errorf("identity: %w", err)
	}
	if err != nil {
		return nil, err
	}
	c.CAs = x509.NewCertPool()
	caPEM, err := readPEM(f.Dir, CAFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(authorities) > 0:
		for _, ca := range authorities {
			c.CAs.AddCert(ca)
		}
	case err != nil:
		return nil, err
	case !c.CAs.AppendCertsFromPEM(caPEM):
		return nil, fmt.Errorf("identity: %s holds no certificate in PEM form", filepath.Join(f.Dir, CAFile))
	}
	now := time.Now()
	if f.Now != nil {
		now = f.Now()
	}
	if err := c.check(now); err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, f.Dir)
	}
	if c.Revoked, err = readCRLs(filepath.Join(f.Dir, CRLFile)); err != nil {
		return nil, err
	}
	for name, list := range map[string]*PeerList{AllowFile: &c.Allow, DenyFile: &c.Deny} {
		l, err := ReadPeerList(filepath.Join(f.Dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("identity: %w", err)
		}
		*list = l
	}
	return c, nil
}

// openBundle reads identity.p12.
func (f Folder) openBundle(data []byte, c *Credentials) ([]*x509.Certificate, error) {
	path := filepath.Join(f.Dir, BundleFile)
	if f.Decrypter == nil {
		return nil, fmt.Errorf("identity: %s needs a passphrase", path)
	}
	key, chain, authorities, err := f.Decrypter.Bundle(data)
	if err != nil {
		return nil, fmt.Errorf("identity: %s: %w", path, err)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("identity: %s holds no certificate", path)
	}
	c.Certificate = tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, cert := range chain {
		c.Certificate.Certificate = append(c.Certificate.Certificate, cert.Raw)
	}
	return authorities, nil
}

// readPair reads cert.pem and key.pem.
func (f Folder) readPair(c *Credentials) error {
	certPEM, err := readPEM(f.Dir, CertFile)
	if err != nil {
		return err
	}
	keyPEM, err := readPEM(f.Dir, KeyFile)
	if err != nil {
		return err
	}
	if block := encryptedKey(keyPEM); block != nil {
		path := filepath.Join(f.Dir, KeyFile)
		switch {
		case block.Type != "ENCRYPTED PRIVATE KEY":
			return fmt.Errorf("identity: %s is encrypted in the old way of OpenSSL, which is not secure; convert it with: openssl pkcs8 -topk8 -in %s", path, path)
		case f.Decrypter == nil:
			return fmt.Errorf("identity: %s is encrypted and needs a passphrase", path)
		}
		key, err := f.Decrypter.Key(block.Bytes)
		if err != nil {
			return fmt.Errorf("identity: %s: %w", path, err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return fmt.Errorf("identity: %s: %w", path, err)
		}
		keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	if c.Certificate, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		return fmt.Errorf("identity: %s and %s in %s: %w", CertFile, KeyFile, f.Dir, err)
	}
	return nil
}

// readCRLs reads the revocation lists of a PEM file; none if there is no such file.
func readCRLs(path string) ([]*x509.RevocationList, error) {
	b, err := readFile(path)
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

// maxFile bounds each file of a folder. Lists of a national authority's revocations have a few megabytes.
const maxFile = 32 << 20

// readFile is os.ReadFile for files of at most maxFile.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxFile>>20)
	}
	return b, nil
}

func readPEM(dir, name string) ([]byte, error) {
	path := filepath.Join(dir, name)
	b, err := readFile(path)
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

func encryptedKey(keyPEM []byte) *pem.Block {
	for block, rest := pem.Decode(keyPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return block
		}
	}
	return nil
}

// digest changes when a file of the folder does. Contents are compared, not times: those of a file system may be coarse, and files may be moved into place
// with times of their own.
func (f Folder) digest() [sha256.Size]byte {
	sum := sha256.New()
	for _, name := range []string{CAFile, CertFile, KeyFile, BundleFile, CRLFile, AllowFile, DenyFile} {
		b, err := readFile(filepath.Join(f.Dir, name))
		fmt.Fprintf(sum, "%s %d %t\n", name, len(b), err == nil)
		_, _ = sum.Write(b) // a hash takes everything
	}
	return [sha256.Size]byte(sum.Sum(nil))
}
