package sdc

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// roles are those a certificate states, by the purposes of IEEE 11073-20701 and those configured.
func (id *Identity) roles(leaf *x509.Certificate) Role {
	roles := CertificateRoles(leaf)
	for _, oid := range id.Purposes.Provider {
		if statesPurpose(leaf, oid) {
			roles |= RoleProvider
		}
	}
	for _, oid := range id.Purposes.Consumer {
		if statesPurpose(leaf, oid) {
			roles |= RoleConsumer
		}
	}
	return roles
}

func (id *Identity) requiredPurpose(leaf *x509.Certificate) error {
	if len(id.Purposes.Required) == 0 {
		return nil
	}
	for _, oid := range id.Purposes.Required {
		if statesPurpose(leaf, oid) {
			return nil
		}
	}
	return fmt.Errorf("one of %s is required", strings.Join(id.Purposes.Required, ", "))
}

// checkRevocation looks for a chain of which no certificate is revoked. Without lists none is.
func checkRevocation(chains [][]*x509.Certificate, lists []*x509.RevocationList, now time.Time) error {
	if len(lists) == 0 {
		return nil
	}
	var err error
	for _, chain := range chains {
		if err = checkChain(chain, lists, now); err == nil {
			return nil
		}
	}
	return err
}

func checkChain(chain []*x509.Certificate, lists []*x509.RevocationList, now time.Time) error {
	for i, cert := range chain[:len(chain)-1] {
		issuer := chain[i+1]
		known := false
		for _, list := range lists {
			if !bytes.Equal(list.RawIssuer, issuer.RawSubject) {
				continue
			}
			if err := list.CheckSignatureFrom(issuer); err != nil {
				return fmt.Errorf("revocation list of %s: %w", issuer.Subject, err)
			}
			if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
				return fmt.Errorf("revocation list of %s is out of date since %s", issuer.Subject, list.NextUpdate.Format(time.RFC3339))
			}
			known = true
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
					return fmt.Errorf("certificate %s was revoked on %s", cert.Subject, entry.RevocationTime.Format(time.RFC3339))
				}
			}
		}
		if !known {
			return fmt.Errorf("no revocation list of %s", issuer.Subject)
		}
	}
	return nil
}

func verifyChain(leaf *x509.Certificate, rest []*x509.Certificate, roots *x509.CertPool, now time.Time) ([][]*x509.Certificate, error) {
	intermediates := x509.NewCertPool()
	for _, c := range rest {
		intermediates.AddCert(c)
	}
	return leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   now,
		// SDC certificates may carry the SDC purposes only, which Go's verifier does not know.
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
}
