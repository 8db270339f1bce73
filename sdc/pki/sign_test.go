package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
)

const epr = "urn:uuid:7f0d1c3e-2b6a-4a86-8f5b-0d9c1c6c3e11"

func csr(t *testing.T, key crypto.Signer, uris ...string) []byte {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "asks"}}
	for _, text := range uris {
		u, err := url.Parse(text)
		require.NoError(t, err)
		template.URIs = append(template.URIs, u)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func TestSign(t *testing.T) {
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	request := csr(t, key, epr, "urn:oid:1.2")
	cert, ignored, err := ca.Sign(request, pki.Request{Role: sdc.RoleProvider, Identifiers: []string{epr}, Purposes: []string{"1.2.3.4"}})
	require.NoError(t, err)
	require.Equal(t, "asks", cert.Subject.CommonName)
	require.True(t, key.PublicKey.Equal(cert.PublicKey))
	require.Equal(t, []string{epr}, sdc.Identifiers(cert), "what was asked for is not simply granted")
	require.Equal(t, []string{"urn:oid:1.2"}, ignored)
	require.Equal(t, sdc.RoleProvider, sdc.CertificateRoles(cert))
	require.Contains(t, pki.Describe(cert).Purposes, "1.2.3.4")
	require.Empty(t, errorsOf(pki.Lint([]*x509.Certificate{cert}, pki.LintConfig{Role: sdc.RoleProvider, EPR: epr, CAs: []*x509.Certificate{ca.Certificate}})))

	weak, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	block, _ := pem.Decode(request)
	block.Bytes[len(block.Bytes)-1] ^= 1
	for name, c := range map[string]struct {
		request []byte
		want    string
	}{
		"no PEM":          {[]byte("x"), "no certificate signing request"},
		"something else":  {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), "no certificate signing request"},
		"nonsense":        {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{1}}), "signing request"},
		"wrong signature": {pem.EncodeToMemory(block), "signature"},
		"curve too short": {csr(t, weak), "P-224"},
		"RSA too short":   {csr(t, short), "1024 bits"},
	} {
		_, _, err := ca.Sign(c.request, pki.Request{Role: sdc.RoleProvider})
		require.ErrorContains(t, err, c.want, name)
	}
	_, _, err = ca.Sign(csr(t, key), pki.Request{})
	require.ErrorContains(t, err, "role")
	for _, bad := range []pki.Request{{Purposes: []string{"x"}}, {Identifiers: []string{"no uri"}}} {
		bad.Name, bad.Role = "a", sdc.RoleBoth
		_, err := ca.Issue(bad)
		require.Error(t, err)
	}
}

func TestRenew(t *testing.T) {
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	dir := t.TempDir()
	p, err := ca.Issue(pki.Request{Name: "dev", Role: sdc.RoleProvider, Identifiers: []string{epr}, OnlySDC: true, Validity: time.Hour})
	require.NoError(t, err)
	folder, err := pki.Folder(dir, "dev")
	require.NoError(t, err)
	require.NoError(t, p.Write(folder))
	next, err := ca.Renew(dir, "dev", 0)
	require.NoError(t, err)
	require.NotEqual(t, p.Certificate.SerialNumber, next.Certificate.SerialNumber)
	require.False(t, p.Certificate.PublicKey.(*ecdsa.PublicKey).Equal(next.Certificate.PublicKey), "a fresh key")
	require.WithinDuration(t, time.Now().Add(time.Hour), next.Certificate.NotAfter, time.Minute)
	was, is := pki.Describe(p.Certificate), pki.Describe(next.Certificate)
	require.Equal(t, was.Purposes, is.Purposes)
	require.Equal(t, was.Identifiers, is.Identifiers)
	require.Equal(t, was.Addresses, is.Addresses)
	id, err := sdc.LoadIdentity(folder)
	require.NoError(t, err)
	require.Equal(t, next.Certificate.Raw, id.Leaf().Raw)

	other, err := pki.NewCA("other", 0)
	require.NoError(t, err)
	_, err = other.Renew(dir, "dev", 0)
	require.ErrorContains(t, err, "not of this authority")
	_, err = ca.Renew(dir, "nobody", 0)
	require.ErrorIs(t, err, os.ErrNotExist)
	left, err := sdc.LoadIdentity(filepath.Join(dir, "dev"))
	require.NoError(t, err)
	require.Equal(t, next.Certificate.Raw, left.Leaf().Raw)
}

func errorsOf(findings []pki.Finding) []string {
	var out []string
	for _, f := range findings {
		if f.Severity == pki.SeverityError {
			out = append(out, f.ID+": "+f.Message)
		}
	}
	return out
}

func TestLint(t *testing.T) {
	ca, err := pki.NewCA("", 0)
	require.NoError(t, err)
	other, err := pki.NewCA("other", 0)
	require.NoError(t, err)
	issue := func(r pki.Request) *x509.Certificate {
		r.Name = "dev"
		p, err := ca.Issue(r)
		require.NoError(t, err)
		return p.Certificate
	}
	good := issue(pki.Request{Role: sdc.RoleProvider, Identifiers: []string{epr}})
	for name, c := range map[string]struct {
		cert *x509.Certificate
		cfg  pki.LintConfig
		id   string
		sev  pki.Severity
	}{
		"expired":         {issue(pki.Request{Role: sdc.RoleProvider, Validity: -time.Hour}), pki.LintConfig{}, "SEC-2", pki.SeverityError},
		"not yet valid":   {good, pki.LintConfig{Now: time.Now().Add(-time.Hour)}, "SEC-2", pki.SeverityError},
		"expires soon":    {issue(pki.Request{Role: sdc.RoleProvider, Validity: time.Hour}), pki.LintConfig{}, "SEC-2", pki.SeverityWarning},
		"no purpose":      {issue(pki.Request{NoKeyPurpose: true}), pki.LintConfig{}, "GLUE EKU", pki.SeverityError},
		"wrong role":      {good, pki.LintConfig{Role: sdc.RoleConsumer}, "GLUE EKU", pki.SeverityError},
		"both roles":      {issue(pki.Request{Role: sdc.RoleBoth}), pki.LintConfig{}, "GLUE EKU", pki.SeverityInfo},
		"only SDC":        {issue(pki.Request{Role: sdc.RoleProvider, OnlySDC: true}), pki.LintConfig{}, "CERT-web", pki.SeverityWarning},
		"authority":       {ca.Certificate, pki.LintConfig{}, "CERT-ca", pki.SeverityError},
		"not bound":       {good, pki.LintConfig{EPR: "urn:uuid:1"}, "CERT-binding", pki.SeverityError},
		"bound to none":   {issue(pki.Request{Role: sdc.RoleProvider}), pki.LintConfig{}, "CERT-binding", pki.SeverityInfo},
		"odd identifier":  {issue(pki.Request{Role: sdc.RoleProvider, Identifiers: []string{"https://a.example/1"}}), pki.LintConfig{}, "SDPi R0015", pki.SeverityWarning},
		"other authority": {good, pki.LintConfig{CAs: []*x509.Certificate{other.Certificate}}, "SEC-1", pki.SeverityError},
	} {
		var found bool
		findings := pki.Lint([]*x509.Certificate{c.cert}, c.cfg)
		for _, f := range findings {
			found = found || f.ID == c.id && f.Severity == c.sev
		}
		require.True(t, found, "%s: %v", name, findings)
	}
	require.Empty(t, pki.Lint([]*x509.Certificate{good}, pki.LintConfig{Role: sdc.RoleProvider, EPR: epr, CAs: []*x509.Certificate{ca.Certificate}}))
	require.Len(t, errorsOf(pki.Lint(nil, pki.LintConfig{})), 1)
}
