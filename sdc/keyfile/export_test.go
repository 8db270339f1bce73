package keyfile

import "crypto"

// EncryptQuickly is EncryptKey with few iterations: the usual number takes seconds under the race detector.
func (p Passphrase) EncryptQuickly(key crypto.PrivateKey) ([]byte, error) {
	return p.encryptKey(key, 1000)
}

// Costs are the complaints about a file, taken for a key and for a bundle.
func Costs(file []byte) []error { return []error{keyCost(file), bundleCost(file)} }
