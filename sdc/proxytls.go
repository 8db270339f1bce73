package sdc

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
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

// CheckProxy tells what is wrong with the address of a discovery proxy as a configuration has it: "" for none, [LearnProxy], or an http or https URL.
func CheckProxy(address string) error {
	if address == "" || address == LearnProxy {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("DiscoveryProxy %q is no http(s) URL and not %q", address, LearnProxy)
	}
	return nil
}

// ProxyTLS returns the configuration for connections to a discovery proxy; see ProxyAdmission.
func (id *Identity) ProxyTLS() *tls.Config { return id.Open(id.ProxyAdmission()) }
