package sdc

import "crypto/tls"

// ProxyTLS returns the configuration for connections to a discovery proxy. The proxy speaks to
// providers as a consumer does and to consumers as a provider does, so its certificate must
// state both roles: whoever has only one of them cannot pose as a proxy.
func (id *Identity) ProxyTLS() *tls.Config {
	cfg := id.ClientTLS(RoleProvider)
	asProvider := cfg.VerifyConnection
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := asProvider(cs); err != nil {
			return err
		}
		return id.verify(cs, Admission{Role: RoleConsumer}, "")
	}
	return cfg
}
