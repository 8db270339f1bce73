package sdc

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"
)

// Role is a set of SDC roles, as certificates state them by extended key usages (IEEE 11073-20701).
type Role uint8

// The roles. A certificate may carry both.
const (
	RoleProvider Role = 1 << iota
	RoleConsumer
	RoleBoth = RoleProvider | RoleConsumer
)

// Object identifiers of the key purposes of IEEE 11073-20701 (GLUE EKU provider, GLUE EKU consumer).
// OIDProvider is also the participant key purpose of the plain SDC service provider, offered as a discovery scope.
const (
	OIDProvider = "1.2.840.10004.20701.1.1"
	OIDConsumer = "1.2.840.10004.20701.1.2"
)

// String names the roles: "provider", "consumer", "provider+consumer", or "none".
func (r Role) String() string {
	var names []string
	if r&RoleProvider != 0 {
		names = append(names, "provider")
	}
	if r&RoleConsumer != 0 {
		names = append(names, "consumer")
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "+")
}

// OIDs returns the key purposes that stand for the roles.
func (r Role) OIDs() []asn1.ObjectIdentifier {
	var oids []asn1.ObjectIdentifier
	if r&RoleProvider != 0 {
		oids = append(oids, asn1.ObjectIdentifier{1, 2, 840, 10004, 20701, 1, 1})
	}
	if r&RoleConsumer != 0 {
		oids = append(oids, asn1.ObjectIdentifier{1, 2, 840, 10004, 20701, 1, 2})
	}
	return oids
}

// CertificateRoles returns the SDC roles that a certificate's extended key usages state; 0 when it states none.
func CertificateRoles(cert *x509.Certificate) Role {
	var roles Role
	for _, oid := range cert.UnknownExtKeyUsage {
		switch oid.String() {
		case OIDProvider:
			roles |= RoleProvider
		case OIDConsumer:
			roles |= RoleConsumer
		}
	}
	return roles
}
