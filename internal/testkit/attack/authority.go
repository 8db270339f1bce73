package attack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// Key purposes of SDC participants (GLUE).
var (
	oidProvider = asn1.ObjectIdentifier{1, 2, 840, 10004, 20701, 1, 1}
	oidConsumer = asn1.ObjectIdentifier{1, 2, 840, 10004, 20701, 1, 2}
)

// Authority issues certificates, also such as no authority should.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority that is valid for a day.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-12 * time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Authority{certificate, key}, err
}

// loadAuthority takes an authority's certificate and key, as [Authority.pair] gives them.
func loadAuthority(pair tls.Certificate) (*Authority, error) {
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the authority has a key of type %T", pair.PrivateKey)
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	return &Authority{certificate, key}, err
}

// pair is the authority's certificate with its key.
func (a *Authority) pair() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{a.certificate.Raw}, PrivateKey: a.key, Leaf: a.certificate}
}

// Issue makes a certificate with a fresh key that is valid from and until the times, with the SDC key purposes.
func (a *Authority) Issue(name string, from, until time.Time, purposes ...asn1.ObjectIdentifier) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, UnknownExtKeyUsage: purposes,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// Identity makes a participant of a role that trusts the authority.
func (a *Authority) Identity(name string, role sdc.Role) (*sdc.Identity, error) {
	purpose := oidConsumer
	if role == sdc.RoleProvider {
		purpose = oidProvider
	}
	cert, err := a.Issue(name, time.Now().Add(-time.Hour), time.Now().Add(6*time.Hour), purpose)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return sdc.NewIdentity(cert, pool)
}

// Revoke makes a list that revokes certificates.
func (a *Authority) Revoke(certs ...*x509.Certificate) (*x509.RevocationList, error) {
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(6 * time.Hour)}
	for _, c := range certs {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.certificate, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(der)
}
