package keyfile_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/keyfile"
	"github.com/semeco/go-sdc/sdc/pki"
)

// integer is a number as DER has it.
func integer(t testing.TB, n int64) []byte {
	t.Helper()
	b, err := asn1.Marshal(n)
	require.NoError(t, err)
	return b
}

// dear replaces the numbers of a file, which its makers would take hours to write, by others of the same length in bytes.
func dear(t testing.TB, file []byte, cheap, dear int64, times int) []byte {
	t.Helper()
	from, to := integer(t, cheap), integer(t, dear)
	require.Len(t, to, len(from))
	require.Equal(t, times, bytes.Count(file, from))
	return bytes.ReplaceAll(file, from, to)
}

const (
	few  = 0x010203 // three bytes
	many = 0x7ffffe
)

// A file that asks for hours of work is refused, and is told from one with another passphrase.
func TestCostlyFiles(t *testing.T) {
	dir, p := folder(t)
	secretBytes := []byte(secret)
	scrypt, err := pkcs8.MarshalPrivateKey(p.Key(), secretBytes, &pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 1 << 14, BlockSize: 8, ParallelizationParameter: 1}})
	require.NoError(t, err)
	pbkdf2, err := pkcs8.MarshalPrivateKey(p.Key(), secretBytes, &pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: few, HMACHash: crypto.SHA256}})
	require.NoError(t, err)
	pass := keyfile.Passphrase(secret)
	for name, der := range map[string][]byte{"scrypt": scrypt, "PBKDF2": pbkdf2} {
		_, err = pass.Key(der)
		require.NoError(t, err, name)
	}
	for name, der := range map[string][]byte{
		"PBKDF2":              rebuilt(t, pbkdf2, math.MaxInt32),
		"PBKDF2 for ever":     rebuilt(t, pbkdf2, math.MaxInt64),
		"PBKDF2 a bit more":   rebuilt(t, pbkdf2, keyfile.MaxIterations+1),
		"scrypt cost":         rebuilt(t, scrypt, 1<<40),
		"scrypt memory":       rebuilt(t, scrypt, 1<<18),
		"scrypt for ever":     rebuilt(t, scrypt, 1<<62),
		"scrypt a bit longer": rebuilt(t, scrypt, 1<<20),
	} {
		_, err = pass.Key(der)
		var cost *keyfile.CostError
		require.ErrorAs(t, err, &cost, name)
		require.Greater(t, cost.Asked, cost.Max, name)
		require.NotErrorIs(t, err, keyfile.ErrPassphrase)
	}
	// As a user sees it: the file is named, and what to do.
	key := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: rebuilt(t, pbkdf2, math.MaxInt32)})
	require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.KeyFile), key, 0o600))
	_, err = load(dir, secret)
	require.ErrorContains(t, err, sdc.KeyFile)
	require.ErrorContains(t, err, "2147483647 iterations")
	require.ErrorContains(t, err, "-iter")
}

func TestCostlyBundles(t *testing.T) {
	dir, p := folder(t)
	for name, enc := range map[string]*pkcs12.Encoder{"modern": pkcs12.Modern2023, "triple DES": pkcs12.LegacyDES, "RC2": pkcs12.LegacyRC2, "PBMAC1": pkcs12.Modern2026} {
		data, err := enc.WithIterations(few).Encode(p.Key(), p.Certificate, nil, secret)
		require.NoError(t, err, name)
		_, _, _, err = keyfile.Passphrase(secret).Bundle(data)
		require.NoError(t, err, name)
		bad := dear(t, data, few, many, 3) // the checksum, the certificates, the key
		_, _, _, err = keyfile.Passphrase(secret).Bundle(bad)
		var cost *keyfile.CostError
		require.ErrorAs(t, err, &cost, name)
		require.Greater(t, cost.Asked, int64(keyfile.MaxIterations), name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, sdc.BundleFile), bad, 0o600))
		_, err = load(dir, secret)
		require.ErrorContains(t, err, sdc.BundleFile, name)
	}
}

// rebuilt is an encrypted PKCS#8 key whose derivation has another first number.
func rebuilt(t testing.TB, der []byte, n int64) []byte {
	t.Helper()
	type algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	var key struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters struct{ Derivation, Cipher algorithm }
		}
		Data []byte
	}
	_, err := asn1.Unmarshal(der, &key)
	require.NoError(t, err)
	var numbers []asn1.RawValue
	_, err = asn1.Unmarshal(key.Algorithm.Parameters.Derivation.Parameters.FullBytes, &numbers)
	require.NoError(t, err)
	numbers[1] = asn1.RawValue{FullBytes: integer(t, n)}
	key.Algorithm.Parameters.Derivation.Parameters.FullBytes, err = asn1.Marshal(numbers)
	require.NoError(t, err)
	out, err := asn1.Marshal(key)
	require.NoError(t, err)
	return out
}

// FuzzCost: whatever is in a file, what it costs is worked out, and beyond the bounds by a number that says so.
func FuzzCost(f *testing.F) {
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(f, err)
	p, err := ca.Issue(pki.Request{Name: "device", Role: sdc.RoleProvider})
	require.NoError(f, err)
	pass := keyfile.Passphrase(secret)
	key, err := pass.EncryptQuickly(p.Key())
	require.NoError(f, err)
	block, _ := pem.Decode(key)
	bundle, err := pass.EncodeBundle(p.Key(), p.Certificate, p.CA)
	require.NoError(f, err)
	f.Add(block.Bytes)
	f.Add(bundle)
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, err := range keyfile.Costs(data) {
			var cost *keyfile.CostError
			require.True(t, err == nil || errors.As(err, &cost) && cost.Asked > cost.Max, "%v", err)
		}
	})
}
