package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// Info is what a person wants to know about a certificate.
type Info struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	CA        bool      `json:"ca"`
	// Roles are the SDC roles: "provider", "consumer", "provider+consumer" or "none".
	Roles     string   `json:"roles"`
	Purposes  []string `json:"purposes"`
	Addresses []string `json:"addresses,omitempty"`
	// Identifiers are the URIs it is bound to: endpoint references, equipment identifiers.
	Identifiers []string `json:"identifiers,omitempty"`
	SHA256      string   `json:"sha256"`
}

// Show reads every certificate in a PEM file.
func Show(path string) ([]Info, error) {
	certs, err := readCertificates(path)
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(certs))
	for _, c := range certs {
		infos = append(infos, Describe(c))
	}
	return infos, nil
}

// Describe tells what is in a certificate.
func Describe(c *x509.Certificate) Info {
	sum := sha256.Sum256(c.Raw)
	info := Info{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.SerialNumber.Text(16),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, CA: c.IsCA,
		Roles: sdc.CertificateRoles(c).String(), SHA256: hex.EncodeToString(sum[:]),
	}
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			info.Purposes = append(info.Purposes, "serverAuth")
		case x509.ExtKeyUsageClientAuth:
			info.Purposes = append(info.Purposes, "clientAuth")
		default:
			info.Purposes = append(info.Purposes, fmt.Sprintf("x509 usage %d", u))
		}
	}
	for _, oid := range c.UnknownExtKeyUsage {
		switch oid.String() {
		case sdc.OIDProvider:
			info.Purposes = append(info.Purposes, "SDC provider ("+sdc.OIDProvider+")")
		case sdc.OIDConsumer:
			info.Purposes = append(info.Purposes, "SDC consumer ("+sdc.OIDConsumer+")")
		default:
			info.Purposes = append(info.Purposes, oid.String())
		}
	}
	for _, ip := range c.IPAddresses {
		info.Addresses = append(info.Addresses, ip.String())
	}
	info.Addresses = append(info.Addresses, c.DNSNames...)
	info.Identifiers = sdc.Identifiers(c)
	return info
}

// String writes the facts one a line, for people.
func (i Info) String() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, value)
		}
	}
	line("subject", i.Subject)
	line("issuer", i.Issuer)
	line("serial", i.Serial)
	line("valid", i.NotBefore.UTC().Format(time.RFC3339)+" to "+i.NotAfter.UTC().Format(time.RFC3339))
	if i.CA {
		line("kind", "certificate authority")
	} else {
		line("roles", i.Roles)
	}
	line("purposes", strings.Join(i.Purposes, ", "))
	line("bound to", strings.Join(i.Identifiers, ", "))
	line("addresses", strings.Join(i.Addresses, ", "))
	line("sha256", i.SHA256)
	return b.String()
}
