// Package keyfile opens and makes encrypted key files: PKCS#8 with PBES2, as openssl pkcs8 and openssl genpkey write it, and PKCS#12, as Windows
// and most certificate authorities hand it out. It stands apart because a device whose keys lie in the clear, or in hardware, has no need of it.
//
//	id, err := sdc.Folder{Dir: dir, Decrypter: keyfile.Passphrase(text)}.Load()
package keyfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// PassphraseVariable is the variable of the environment that Read looks at when no file is given.
const PassphraseVariable = "SDC_PASSPHRASE"

// ErrPassphrase is wrapped when the passphrase does not open the file.
var ErrPassphrase = errors.New("the passphrase is wrong")

// Passphrase opens what was encrypted with it. It implements sdc.Decrypter, and never prints itself.
type Passphrase []byte

// Read returns the passphrase in a file, without the end of the line, or with an empty path the one in PassphraseVariable. It is an
// error if there is none; with an empty path and no such variable the result is nil without an error.
func Read(path string) (Passphrase, error) {
	if path == "" {
		if text, ok := os.LookupEnv(PassphraseVariable); ok {
			return notEmpty([]byte(text), PassphraseVariable)
		}
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	return notEmpty(bytes.TrimRight(text, "\r\n"), path)
}

func notEmpty(text []byte, where string) (Passphrase, error) {
	if len(text) == 0 {
		return nil, fmt.Errorf("passphrase: %s is empty", where)
	}
	return text, nil
}

// Key opens an encrypted PKCS#8 key: PBES2 with PBKDF2 or scrypt, and AES or triple DES. One that asks for more work than MaxIterations or MaxScryptCost is
// refused with a *CostError.
func (p Passphrase) Key(der []byte) (crypto.PrivateKey, error) {
	if err := keyCost(der); err != nil {
		return nil, err
	}
	key, _, err := pkcs8.ParsePrivateKey(der, p)
	if err != nil {
		// The library cannot tell a wrong passphrase from another fault of what comes out.
		return nil, fmt.Errorf("%w, or the key is damaged or encrypted in an unknown way: %w", ErrPassphrase, err)
	}
	return key, nil
}

// Bundle opens a PKCS#12 file with one key. One that asks for more work than MaxIterations is refused with a *CostError.
func (p Passphrase) Bundle(data []byte) (key crypto.PrivateKey, chain, authorities []*x509.Certificate, err error) {
	if err := bundleCost(data); err != nil {
		return nil, nil, nil, err
	}
	key, leaf, others, err := pkcs12.DecodeChain(data, string(p))
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, nil, fmt.Errorf("%w: %w", ErrPassphrase, err)
	case err != nil:
		return nil, nil, nil, err
	}
	chain = []*x509.Certificate{leaf}
	for _, c := range others {
		if bytes.Equal(c.RawSubject, c.RawIssuer) {
			authorities = append(authorities, c)
		} else {
			chain = append(chain, c)
		}
	}
	return key, chain, authorities, nil
}

// String hides the passphrase.
func (p Passphrase) String() string { return "passphrase hidden" }

// GoString hides the passphrase.
func (p Passphrase) GoString() string { return p.String() }

// LogValue hides the passphrase.
func (p Passphrase) LogValue() slog.Value { return slog.StringValue(p.String()) }

// EncryptKey writes a key in PEM form, encrypted with PBES2: PBKDF2 with SHA-256 and AES-256.
func (p Passphrase) EncryptKey(key crypto.PrivateKey) ([]byte, error) {
	return p.encryptKey(key, 600_000)
}

func (p Passphrase) encryptKey(key crypto.PrivateKey, iterations int) ([]byte, error) {
	der, err := pkcs8.MarshalPrivateKey(key, p, &pkcs8.Opts{
		Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: iterations, HMACHash: crypto.SHA256},
	})
	if err != nil {
		return nil, fmt.Errorf("encrypting the key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

// EncodeBundle writes a PKCS#12 file that Windows, OpenSSL 1.1 and later and Java read: AES-256 and SHA-256.
func (p Passphrase) EncodeBundle(key crypto.PrivateKey, leaf *x509.Certificate, authorities ...*x509.Certificate) ([]byte, error) {
	data, err := pkcs12.Modern.Encode(key, leaf, authorities, string(p))
	if err != nil {
		return nil, fmt.Errorf("making the PKCS#12 file: %w", err)
	}
	return data, nil
}
