package consumer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// AllowHosts returns a policy for Config.AllowAddress: besides the host at which the device was reached, its addresses may have one of the hosts
// given, names or IP addresses, with the same scheme.
func AllowHosts(hosts ...string) func(device soap.Contact, named string) error {
	return func(device soap.Contact, named string) error {
		refused := device.SameHost(named)
		if refused == nil {
			return nil
		}
		at, err := url.Parse(device.URL)
		if err != nil {
			return refused
		}
		for _, host := range hosts {
			other := soap.Contact{URL: at.Scheme + "://" + strings.TrimSuffix(net.JoinHostPort(strings.Trim(host, "[]"), ""), ":")}
			if other.SameHost(named) == nil {
				return nil
			}
		}
		return refused
	}
}

// allow applies the policy on the addresses that a device names. The error is a *soap.ElsewhereError.
func (c *Consumer) allow(device soap.Contact, named string) error {
	if c.cfg.AllowAddress == nil {
		return device.SameHost(named)
	}
	err := c.cfg.AllowAddress(device, named)
	var elsewhere *soap.ElsewhereError
	if err == nil || errors.As(err, &elsewhere) {
		return err
	}
	return &soap.ElsewhereError{Reached: device.URL, Named: named, Err: err}
}

// offered lists the services of the device by port type, each with those of its addresses that may be followed, in the order of the device and no more than
// maxAddresses. A service without such an address is an error: the device lies, or has addresses that the application has to allow.
func (c *Consumer) offered(m *dpws.Metadata, device soap.Contact) (map[string]places, error) {
	services := make(map[string]places)
	for _, h := range m.Hosted {
		var at places
		var refused error
		for _, t := range h.Types {
			if t.Space != sdc.NamespaceGlue && t != (xmlscan.Name{Space: sdc.NamespaceHistory, Local: sdc.HistoryService}) {
				continue
			}
			if at == nil {
				if at, refused = c.followed(h.Endpoints, device); refused != nil {
					return nil, fmt.Errorf("%s: %w", t.Local, refused)
				}
			}
			services[t.Local] = at
		}
	}
	if _, ok := services[sdc.GetService]; !ok {
		return nil, &ServiceError{Service: sdc.GetService}
	}
	return services, nil
}

// followed leaves of the addresses of a service those that may be followed. If there is none, the error is why not the first.
func (c *Consumer) followed(named []soap.EndpointReference, device soap.Contact) (at places, refused error) {
	for _, e := range named {
		if len(at) == maxAddresses {
			break
		}
		e.Address = localnet.Complete(e.Address, localnet.ZoneOf(device.URL)) // link-local: on the link by which the device was reached
		err := c.allow(device, e.Address)
		switch {
		case err != nil && refused == nil:
			refused = err
		case err == nil && !slices.ContainsFunc(at, func(o soap.EndpointReference) bool { return o.Address == e.Address }):
			at = append(at, e)
		}
	}
	if len(at) == 0 {
		return nil, refused
	}
	return at, nil
}

// isSame judges whoever answers for a device that the consumer has been connected to: nobody else may take its place while it is away, however trusted. It shows
// a certificate that it is known by, or the key of one, or has renewed one: then the new one has the same subject and the same identifiers.
func (d *Device) isSame(leaf *x509.Certificate) error {
	known := d.senders.Known()
	if leaf == nil || len(known) == 0 || d.senders.Knows(leaf) {
		return nil
	}
	for _, k := range known {
		if k.Subject.String() != "" && k.Subject.String() == leaf.Subject.String() && slices.Equal(sdc.Identifiers(k), sdc.Identifiers(leaf)) {
			return nil
		}
	}
	return &sdc.PeerError{
		Reason: sdc.NotBound, Subject: leaf.Subject.String(), Fingerprint: sdc.Fingerprint(leaf), Want: sdc.RoleProvider, Have: sdc.CertificateRoles(leaf),
		Err: fmt.Errorf("the device that was connected is %q", known[len(known)-1].Subject),
	}
}

// guarded completes a subscription by who may notify for it and where it may be managed.
func (d *Device) guarded(r eventing.Request) eventing.Request {
	r.AllowManager, r.Senders = d.consumer.allow, d.senders
	if allow := d.consumer.cfg.AllowSender; allow != nil {
		r.AllowSender = func(sender *x509.Certificate) bool { return allow(d, sender) }
	}
	return r
}
