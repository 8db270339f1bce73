package pki

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// Severity of a Finding.
type Severity string

// Severities: an error keeps peers from accepting the certificate, a warning may, an info is worth knowing.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Finding is something about a certificate.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Subject  string   `json:"subject"`
	Message  string   `json:"message"`
}

// LintConfig says what else is known.
type LintConfig struct {
	// Now is the time to judge validity by; zero is now.
	Now time.Time
	// Role is what the certificate is meant for; 0 for either.
	Role sdc.Role
	// EPR is the endpoint reference or equipment identifier it is meant to be bound to; "" for none.
	EPR string
	// CAs are the authorities that peers trust; nil leaves the chain alone.
	CAs []*x509.Certificate
}

// Lint judges the certificate of a participant, with the rest of its chain, for use with SDC. Without errors, peers with the default rules accept it.
func Lint(chain []*x509.Certificate, cfg LintConfig) []Finding {
	if len(chain) == 0 {
		return []Finding{{"CERT-none", SeverityError, "", "there is no certificate"}}
	}
	leaf, now := chain[0], cfg.Now
	if now.IsZero() {
		now = time.Now()
	}
	var out []Finding
	add := func(id string, s Severity, format string, args ...any) {
		out = append(out, Finding{id, s, leaf.Subject.String(), fmt.Sprintf(format, args...)})
	}
	switch {
	case now.Before(leaf.NotBefore):
		add("SEC-2", SeverityError, "not valid before %s", leaf.NotBefore.Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		add("SEC-2", SeverityError, "expired on %s", leaf.NotAfter.Format(time.RFC3339))
	case leaf.NotAfter.Sub(now) < 30*24*time.Hour:
		add("SEC-2", SeverityWarning, "expires on %s; renew it", leaf.NotAfter.Format(time.RFC3339))
	}
	roles := sdc.CertificateRoles(leaf)
	switch {
	case roles == 0:
		add("GLUE EKU", SeverityError, "states no SDC key purpose: neither %s (provider) nor %s (consumer)", sdc.OIDProvider, sdc.OIDConsumer)
	case cfg.Role != 0 && roles&cfg.Role != cfg.Role:
		add("GLUE EKU", SeverityError, "states %s, but is meant for %s", roles, cfg.Role)
	case roles == sdc.RoleBoth && cfg.Role != sdc.RoleBoth:
		add("GLUE EKU", SeverityInfo, "states both roles; one that has only the role it needs can do less harm")
	}
	if !usage(leaf, x509.ExtKeyUsageServerAuth) || !usage(leaf, x509.ExtKeyUsageClientAuth) {
		add("CERT-web", SeverityWarning, "states not both of serverAuth and clientAuth: this stack accepts that, peers that judge as browsers do refuse it")
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		add("CERT-usage", SeverityError, "key usage lacks digitalSignature, which TLS needs")
	}
	if leaf.IsCA {
		add("CERT-ca", SeverityError, "is a certificate authority, not a participant")
	}
	if len(leaf.UnhandledCriticalExtensions) > 0 {
		add("CERT-critical", SeverityError, "has critical extensions that are not known: %v", leaf.UnhandledCriticalExtensions)
	}
	if err := checkKey(leaf.PublicKey); err != nil {
		add("CERT-key", SeverityError, "%v", err)
	}
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.MD2WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.UnknownSignatureAlgorithm:
		add("CERT-signature", SeverityError, "is signed with %s, which is not secure or not known", leaf.SignatureAlgorithm)
	}
	if leaf.Subject.String() == "" {
		add("CERT-subject", SeverityWarning, "has no subject: logs and allow lists can name it by its fingerprint only")
	}
	lintIdentifiers(leaf, cfg.EPR, add)
	if cfg.CAs != nil {
		roots, others := x509.NewCertPool(), x509.NewCertPool()
		for _, ca := range cfg.CAs {
			roots.AddCert(ca)
			if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCRLSign == 0 {
				add("SEC-3", SeverityWarning, "its authority %s may not sign revocation lists", ca.Subject)
			}
		}
		for _, c := range chain[1:] {
			others.AddCert(c)
		}
		at := now
		if at.Before(leaf.NotBefore) || at.After(leaf.NotAfter) {
			at = leaf.NotBefore // told above
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err != nil {
			add("SEC-1", SeverityError, "does not chain to the authorities: %v", err)
		}
	}
	return out
}

func lintIdentifiers(leaf *x509.Certificate, epr string, add func(string, Severity, string, ...any)) {
	ids := sdc.Identifiers(leaf)
	switch {
	case epr != "" && !sdc.BoundTo(leaf, epr):
		add("CERT-binding", SeverityError, "is not bound to %s but to %q", epr, ids)
	case len(ids) == 0:
		add("CERT-binding", SeverityInfo, "is bound to no endpoint reference: consumers cannot demand it")
	}
	for _, id := range ids {
		if low := strings.ToLower(id); !strings.HasPrefix(low, "urn:uuid:") && !strings.HasPrefix(low, "urn:oid:") {
			add("SDPi R0015", SeverityWarning, "identifier %q is neither urn:uuid nor urn:oid", id)
		}
	}
}

func usage(c *x509.Certificate, want x509.ExtKeyUsage) bool {
	for _, u := range c.ExtKeyUsage {
		if u == want || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// ReadCertificates reads every certificate of a PEM file.
func ReadCertificates(path string) ([]*x509.Certificate, error) { return readCertificates(path) }
