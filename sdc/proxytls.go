package sdc

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// ProxyAdmission is for connections to a discovery proxy. The proxy speaks to providers as a
// consumer does and to consumers as a provider does, so its certificate must state both roles:
// whoever has only one of them cannot pose as a proxy.
func (id *Identity) ProxyAdmission() Admission {
	return Admission{Role: RoleProvider, Check: func(leaf *x509.Certificate) error {
		if have := id.roles(leaf); have != 0 && have&RoleBoth != RoleBoth { // none at all has been judged before
			return fmt.Errorf("a discovery proxy needs the key purposes of both roles, and the certificate states %s", have)
		}
		return nil
	}}
}

// PeerRoles returns the roles that the certificate of a peer states, by the key purposes of IEEE 11073-20701 and those
// configured in Purposes.
func (id *Identity) PeerRoles(leaf *x509.Certificate) Role { return id.roles(leaf) }

// LearnProxy in the place of a URL takes the discovery proxy that makes itself known by multicast.
const LearnProxy = "auto"

// ProxyTLS returns the configuration for connections to a discovery proxy; see ProxyAdmission.
func (id *Identity) ProxyTLS() *tls.Config { return id.Open(id.ProxyAdmission()) }
