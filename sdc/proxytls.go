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

// ProxyTLS returns the configuration for connections to a discovery proxy; see ProxyAdmission.
func (id *Identity) ProxyTLS() *tls.Config { return id.Open(id.ProxyAdmission()) }
