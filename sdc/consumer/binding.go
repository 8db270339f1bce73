package consumer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
)

// Binding says what the certificate of a device must name, beyond having the key purpose of a provider. Without binding any trusted provider could
// take the place of another.
type Binding uint8

// Bindings.
const (
	// BindNone asks for nothing.
	BindNone Binding = iota
	// BindEPR demands that the certificate names the endpoint reference of the device (sdc.BoundTo).
	BindEPR
	// BindEquipment demands that it names the endpoint reference, or the equipment identifier of one of the device's MDSs (SDPi R0015). The latter
	// is known only once the MDIB has been read; until then, nothing is refused.
	BindEquipment
)

// bindings knows which devices live at which addresses, so that connections can be judged by whom they are for.
type bindings struct {
	mu     sync.Mutex
	byAddr map[string]map[*Device]struct{}
}

// bound is what is known of one device.
type bound struct {
	mu          sync.Mutex
	epr         string
	equipment   []string
	mdibKnown   bool
	certificate *x509.Certificate // that it showed last
}

// recheck is that of the identity, and the binding of the devices at the address.
func (c *Consumer) recheck(of func(tls.ConnectionState, string) func() error) soap.Recheck {
	if c.cfg.Binding == BindNone {
		return of
	}
	return func(cs tls.ConnectionState, addr string) func() error {
		accepted := of(cs, addr)
		return func() error {
			if err := accepted(); err != nil || len(cs.PeerCertificates) == 0 {
				return err
			}
			return c.checkBinding(addr, cs.PeerCertificates[0])
		}
	}
}

func (c *Consumer) checkBinding(addr string, leaf *x509.Certificate) error {
	c.bindings.mu.Lock()
	devices := maps.Clone(c.bindings.byAddr[addr])
	c.bindings.mu.Unlock()
	for d := range devices {
		if err := d.showed(leaf); err != nil {
			return err
		}
	}
	return nil
}

// showed judges the certificate that a device, or somebody in its place, showed.
func (d *Device) showed(leaf *x509.Certificate) error {
	mode := d.consumer.cfg.Binding
	if mode == BindNone || leaf == nil {
		return nil
	}
	b := &d.bound
	b.mu.Lock()
	defer b.mu.Unlock()
	b.certificate = leaf
	wanted := b.equipment
	if b.epr != "" {
		wanted = append(wanted[:len(wanted):len(wanted)], b.epr)
	}
	for _, id := range wanted {
		if sdc.BoundTo(leaf, id) {
			return nil
		}
	}
	if b.epr == "" || mode == BindEquipment && !b.mdibKnown {
		return nil
	}
	have := "nothing"
	if ids := sdc.Identifiers(leaf); len(ids) > 0 {
		have = strings.Join(ids, ", ")
	}
	return &sdc.PeerError{
		Reason: sdc.NotBound, Subject: leaf.Subject.String(), Fingerprint: sdc.Fingerprint(leaf),
		Want: sdc.RoleProvider, Have: sdc.CertificateRoles(leaf), Err: fmt.Errorf("it names %s, not %s", have, strings.Join(wanted, " or ")),
	}
}

// bindTo makes the addresses known at which the device is to show its certificate.
func (d *Device) bindTo(epr string, urls ...string) error {
	c := d.consumer
	if c.cfg.Binding == BindNone {
		return nil
	}
	d.bound.mu.Lock()
	d.bound.epr = epr
	leaf := d.bound.certificate
	d.bound.mu.Unlock()
	c.bindings.mu.Lock()
	for _, raw := range urls {
		if addr, ok := hostPort(raw); ok {
			if c.bindings.byAddr == nil {
				c.bindings.byAddr = map[string]map[*Device]struct{}{}
			}
			if c.bindings.byAddr[addr] == nil {
				c.bindings.byAddr[addr] = map[*Device]struct{}{}
			}
			c.bindings.byAddr[addr][d] = struct{}{}
		}
	}
	c.bindings.mu.Unlock()
	return d.showed(leaf)
}

// unbindFrom forgets that the device was thought to be at an address.
func (d *Device) unbindFrom(raw string) {
	c := d.consumer
	addr, ok := hostPort(raw)
	if !ok {
		return
	}
	c.bindings.mu.Lock()
	defer c.bindings.mu.Unlock()
	if devices := c.bindings.byAddr[addr]; devices != nil {
		if delete(devices, d); len(devices) == 0 {
			delete(c.bindings.byAddr, addr)
		}
	}
}

// bindToEquipment tells the binding what the MDIB says of the device.
func (d *Device) bindToEquipment(resp *msg.GetMdibResponse) error {
	if d.consumer.cfg.Binding != BindEquipment || resp.Mdib.MdDescription == nil {
		return nil
	}
	var ids []string
	for _, mds := range resp.Mdib.MdDescription.Mds {
		id, ok, err := ext.EquipmentIdentifier(mds.Extension)
		if err != nil {
			return fmt.Errorf("equipment identifier of %s: %w", mds.Handle, err)
		}
		if ok {
			ids = append(ids, id)
		}
	}
	d.bound.mu.Lock()
	d.bound.equipment, d.bound.mdibKnown = ids, true
	leaf := d.bound.certificate
	d.bound.mu.Unlock()
	return d.showed(leaf)
}

// unbind forgets the addresses of a device.
func (c *Consumer) unbind(d *Device) {
	c.bindings.mu.Lock()
	defer c.bindings.mu.Unlock()
	for addr, devices := range c.bindings.byAddr {
		if delete(devices, d); len(devices) == 0 {
			delete(c.bindings.byAddr, addr)
		}
	}
}

func hostPort(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "", false
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port), true
}
