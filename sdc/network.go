package sdc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/localnet"
)

// DefaultDiscoveryPort is the UDP port of WS-Discovery.
const DefaultDiscoveryPort = 3702

// Network says where a participant lives. The zero value is loopback with an ephemeral TCP port and the standard discovery port:
// nothing leaves the host unless an interface or its address is named. There is no wildcard: what is not named is not used.
type Network struct {
	// Address is the address of one interface of this host; it goes into every published URL and decides the interface for
	// multicast. The zero value means 127.0.0.1, unless Addresses or Interfaces are named.
	Address netip.Addr
	// Addresses and Interfaces name further ones, of both IP families. Of a named interface one address of each family is used,
	// for preference one that is not link-local, unless addresses of that family are named. They are followed as they come, go and
	// change (SDPi R2000); one of them must be there at the start. The zone of a link-local address says of which interface; it stays on this host.
	Addresses  []netip.Addr
	Interfaces []string
	// TTL is how many hops multicast messages may go, 1 to 255; 0 means 1, the link. IPv6 calls it hop limit; its discovery group does not leave the link in any case.
	TTL int
	// DiscoveryPort is the UDP port for WS-Discovery, 0 meaning 3702. Tests use another so as not to hear their neighbours.
	DiscoveryPort uint16
	// ListenPort is the TCP port to listen on; 0 lets the system choose.
	ListenPort uint16
}

// Loopback returns the network that stays on this host: 127.0.0.1.
func Loopback() Network { return Network{Address: loopback()} }

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// several reports whether more may be used than the one Address.
func (n Network) several() bool { return len(n.Addresses) > 0 || len(n.Interfaces) > 0 }

// addresses are those that are named, with the default applied.
func (n Network) addresses() []netip.Addr {
	var out []netip.Addr
	if n.Address.IsValid() || !n.several() {
		out = append(out, n.IP())
	}
	for _, a := range n.Addresses {
		out = append(out, a.Unmap())
	}
	return out
}

// places are those addresses of this host that are chosen, in the order in which they are named.
func (n Network) places() ([]localnet.Place, error) {
	named := n.addresses()
	places, err := localnet.Places(named, n.Interfaces)
	rank := func(p localnet.Place) int {
		if i := slices.IndexFunc(named, func(a netip.Addr) bool { return a.WithZone("") == p.Addr.WithZone("") }); i >= 0 {
			return i
		}
		return len(named) + slices.Index(n.Interfaces, p.Interface.Name)
	}
	slices.SortStableFunc(places, func(a, b localnet.Place) int { return rank(a) - rank(b) })
	return places, err
}

// IP returns the one address, with the default applied; of several the first.
func (n Network) IP() netip.Addr {
	switch {
	case n.Address.IsValid():
		return n.Address.Unmap()
	case len(n.Addresses) > 0:
		return n.Addresses[0].Unmap()
	}
	return loopback()
}

// String names the addresses and interfaces.
func (n Network) String() string {
	var out []string
	for _, a := range n.addresses() {
		out = append(out, a.String())
	}
	return strings.Join(append(out, n.Interfaces...), ", ")
}

// UDPPort returns the discovery port, with the default applied.
func (n Network) UDPPort() uint16 {
	if n.DiscoveryPort == 0 {
		return DefaultDiscoveryPort
	}
	return n.DiscoveryPort
}

// UDP returns where discovery takes place on this network.
func (n Network) UDP() discovery.UDPConfig {
	cfg := discovery.UDPConfig{Port: n.UDPPort(), TTL: n.TTL}
	if n.several() {
		cfg.Addresses, cfg.Interfaces = n.addresses(), n.Interfaces
	} else {
		cfg.Address = n.IP()
	}
	return cfg
}

// Validate checks that the addresses can be published, and that they belong to this host: of several one at least.
func (n Network) Validate() error {
	if err := n.check(); err != nil {
		return err
	}
	if n.several() {
		places, err := n.places()
		if err != nil {
			return fmt.Errorf("network: cannot list the addresses of this host: %w", err)
		}
		if len(places) == 0 {
			return fmt.Errorf("network: no interface of this host is, or has, %s", n)
		}
		return nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("network: cannot list the addresses of this host: %w", err)
	}
	return n.validate(addrs)
}

// check refuses what can be used on no host.
func (n Network) check() error {
	for _, ip := range n.addresses() {
		switch {
		case !ip.IsValid():
			return errors.New("network: one of the addresses is empty")
		case ip.IsUnspecified():
			return fmt.Errorf("network: %s is no address of an interface; name the one that peers shall use", ip)
		case ip.IsMulticast():
			return fmt.Errorf("network: %s is a multicast address", ip)
		}
	}
	if slices.Contains(n.Interfaces, "") {
		return errors.New("network: one of the interfaces has no name")
	}
	if n.TTL < 0 || n.TTL > 255 {
		return fmt.Errorf("network: a TTL of %d is not within 1 to 255", n.TTL)
	}
	return nil
}

func (n Network) validate(host []net.Addr) error {
	if err := n.check(); err != nil {
		return err
	}
	ip := n.IP()
	if ip.Is4() && ip.IsLoopback() {
		return nil // all of 127.0.0.0/8 is this host, whatever the interface lists
	}
	for _, a := range host {
		var listed netip.Addr
		switch a := a.(type) {
		case *net.IPNet:
			listed, _ = netip.AddrFromSlice(a.IP)
		case *net.IPAddr:
			listed, _ = netip.AddrFromSlice(a.IP)
		}
		if listed.Unmap() == ip.WithZone("") {
			return nil
		}
	}
	return &AddressError{Address: ip, Err: errNotHere}
}

var errNotHere = errors.New("no interface of this host has it")

// AddressError says that a network address cannot be used on this host.
type AddressError struct {
	Address netip.Addr
	Err     error
}

func (e *AddressError) Error() string { return fmt.Sprintf("network: %s: %v", e.Address, e.Err) }

// Unwrap returns the cause.
func (e *AddressError) Unwrap() error { return e.Err }
