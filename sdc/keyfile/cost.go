package keyfile

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// Bounds on what a file may ask for before it is known whether the passphrase opens it. They are a few times of what is recommended today: seconds on
// a processor of a desk, tens of seconds on a very small one.
const (
	// MaxIterations is how many iterations of a hash a file may ask for in all: PBKDF2 for a key; for the checksum, certificates and key of a PKCS#12 file together.
	MaxIterations = 4_000_000
	// MaxScryptCost bounds the product of scrypt's parameters (cost, block size and parallelization).
	MaxScryptCost = 1 << 21
	// MaxScryptMemory is how many bytes scrypt may take.
	MaxScryptMemory = 256 << 20
)

// CostError says that a file asks for so much work to turn the passphrase into a key that it is not tried. The program would seem to hang, perhaps for years.
type CostError struct {
	// Of names what there would be too much of.
	Of string
	// Asked is what the file asks for, Max what is done at most. Asked ends at the greatest int64.
	Asked, Max int64
}

func (e *CostError) Error() string {
	return fmt.Sprintf("turning the passphrase into a key would take %d %s, and %d is the most that is done; encrypt the key anew with fewer (openssl has -iter)", e.Asked, e.Of, e.Max)
}

var (
	oidPBES2         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidPBMAC1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
	oidScrypt        = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidPKCS12PBE     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1}
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncryptedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidShroudedKey   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
)

// cost adds up what derivations of keys take.
type cost struct{ iterations int64 }

// readable reads DER as those do who open the file.
func readable(der []byte, v any) bool {
	_, err := asn1.Unmarshal(der, v)
	return err == nil
}

// add counts n iterations, done so many times.
func (c *cost) add(n int, times int64) error {
	if n <= 0 {
		return nil // taken for one by those who derive
	}
	if asked := int64(n); asked > MaxIterations || c.iterations+times*asked > MaxIterations {
		return &CostError{Of: "iterations of a hash", Asked: max(asked, c.iterations+times*min(asked, MaxIterations)), Max: MaxIterations}
	}
	c.iterations += times * int64(n)
	return nil
}

// algorithm counts what one encryption or checksum with a passphrase takes. What cannot be read costs nothing: whoever is to open it cannot read it either.
func (c *cost) algorithm(a pkix.AlgorithmIdentifier) error {
	switch n := len(oidPKCS12PBE); {
	case a.Algorithm.Equal(oidPBES2), a.Algorithm.Equal(oidPBMAC1):
		var p struct{ Derivation, With pkix.AlgorithmIdentifier }
		if !readable(a.Parameters.FullBytes, &p) {
			return nil
		}
		return c.derivation(p.Derivation)
	case len(a.Algorithm) == n+1 && a.Algorithm[:n].Equal(oidPKCS12PBE):
		var p struct {
			Salt       []byte
			Iterations int
		}
		if !readable(a.Parameters.FullBytes, &p) {
			return nil
		}
		return c.add(p.Iterations, 3) // a key, of two blocks for triple DES, and an initialization vector
	}
	return nil
}

// derivation counts PBKDF2 and scrypt.
func (c *cost) derivation(a pkix.AlgorithmIdentifier) error {
	switch {
	case a.Algorithm.Equal(oidPBKDF2):
		var p struct {
			Salt       asn1.RawValue
			Iterations int
		}
		if !readable(a.Parameters.FullBytes, &p) {
			return nil
		}
		return c.add(p.Iterations, 1)
	case a.Algorithm.Equal(oidScrypt):
		var p struct {
			Salt                     []byte
			Cost, Block, Parallelism int
		}
		if !readable(a.Parameters.FullBytes, &p) {
			return nil
		}
		return scryptCost(int64(p.Cost), int64(p.Block), int64(p.Parallelism))
	}
	return nil
}

func scryptCost(n, r, p int64) error {
	if n <= 0 || r <= 0 || p <= 0 {
		return nil // scrypt refuses it
	}
	const rounds = "rounds of scrypt (cost by block size by parallelization)"
	for _, factor := range []int64{n, r, p} {
		if factor > MaxScryptCost {
			return &CostError{Of: rounds, Asked: factor, Max: MaxScryptCost}
		}
	}
	if n*r > MaxScryptCost || n*r*p > MaxScryptCost { // each is at most 2^21, so that the first product cannot overflow
		return &CostError{Of: rounds, Asked: n * r * max(1, min(p, 1<<62/(n*r))), Max: MaxScryptCost}
	}
	if memory := 128 * r * (n + p); memory > MaxScryptMemory {
		return &CostError{Of: "bytes of memory for scrypt", Asked: memory, Max: MaxScryptMemory}
	}
	return nil
}

// encryptedKey is EncryptedPrivateKeyInfo of PKCS#8.
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// keyCost reports what it would take to open an encrypted PKCS#8 key, if that is too much.
func keyCost(der []byte) error {
	var k encryptedKey
	if !readable(der, &k) {
		return nil
	}
	return new(cost).algorithm(k.Algorithm)
}

// content is ContentInfo of PKCS#7.
type content struct {
	Type asn1.ObjectIdentifier
	Data asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

// bundleCost reports what it would take to open a PKCS#12 file, if that is too much: its checksum, its encrypted parts, and keys in the parts that are not. A
// key within an encrypted part is not seen here. Programs make no such files for keys, and nobody can who does not know the passphrase, since the checksum comes first.
func bundleCost(data []byte) error {
	var file struct {
		Version int
		Safe    content
		Check   struct {
			Digest struct {
				Algorithm pkix.AlgorithmIdentifier
				Digest    []byte
			}
			Salt       []byte
			Iterations int `asn1:"optional,default:1"`
		} `asn1:"optional"`
	}
	if !readable(data, &file) {
		return nil
	}
	var c cost
	check := c.add(file.Check.Iterations, 1)
	if file.Check.Digest.Algorithm.Algorithm.Equal(oidPBMAC1) { // has a number of its own
		check = c.algorithm(file.Check.Digest.Algorithm)
	}
	if check != nil {
		return check
	}
	var safe []byte
	var parts []content
	if !readable(file.Safe.Data.Bytes, &safe) {
		return nil
	}
	if !readable(safe, &parts) {
		return nil
	}
	for _, p := range parts {
		if err := c.part(p); err != nil {
			return err
		}
	}
	return nil
}

func (c *cost) part(p content) error {
	switch {
	case p.Type.Equal(oidEncryptedData):
		var e struct {
			Version int
			Content struct {
				Type      asn1.ObjectIdentifier
				Algorithm pkix.AlgorithmIdentifier
				Data      []byte `asn1:"tag:0,optional"`
			}
		}
		if !readable(p.Data.Bytes, &e) {
			return nil
		}
		return c.algorithm(e.Content.Algorithm)
	case p.Type.Equal(oidData):
		var octets []byte
		var bags []struct {
			Kind       asn1.ObjectIdentifier
			Value      asn1.RawValue `asn1:"tag:0,explicit"`
			Attributes asn1.RawValue `asn1:"set,optional"`
		}
		if !readable(p.Data.Bytes, &octets) {
			return nil
		}
		if !readable(octets, &bags) {
			return nil
		}
		for _, b := range bags {
			var k encryptedKey
			if !b.Kind.Equal(oidShroudedKey) {
				continue
			}
			if !readable(b.Value.Bytes, &k) {
				continue
			}
			if err := c.algorithm(k.Algorithm); err != nil {
				return err
			}
		}
	}
	return nil
}
