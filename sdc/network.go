package sdc

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// DefaultDiscoveryPort is the UDP port of WS-Discovery.
const DefaultDiscoveryPort = 3702

// Network says where a participant lives. The zero value is loopback with an ephemeral TCP port and the standard discovery port:
// nothing leaves the host unless an interface's address is named.
type Network struct {
	// Address is the address of one interface of this host; it goes into every published URL and decides the interface for
	// multicast. The zero value means 127.0.0.1.
	Address netip.Addr
	// DiscoveryPort is the UDP port for WS-Discovery, 0 meaning 3702. Tests use another so as not to hear their neighbours.
	DiscoveryPort uint16
	// ListenPort is the TCP port to listen on; 0 lets the system choose.
	ListenPort uint16
}

// Loopback returns the network that stays on this host: 127.0.0.1.
func Loopback() Network { return Network{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1})} }

// IP returns the address, with the default applied.
func (n Network) IP() netip.Addr {
	if !n.Address.IsValid() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return n.Address.Unmap()
}

// UDPPort returns the discovery port, with the default applied.
func (n Network) UDPPort() uint16 {
	if n.DiscoveryPort == 0 {
		return DefaultDiscoveryPort
	}
	return n.DiscoveryPort
}

// ListenAddress returns the TCP address to listen on, for example "127.0.0.1:0".
func (n Network) ListenAddress() string { return netip.AddrPortFrom(n.IP(), n.ListenPort).String() }

// Validate checks that the address can be published and belongs to this host.
func (n Network) Validate() error {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("network: cannot list the addresses of this host: %w", err)
	}
	return n.validate(addrs)
}

func (n Network) validate(host []net.Addr) error {
	ip := n.IP()
	switch {
	case ip.IsUnspecified():
		return fmt.Errorf("network: %s is no address of an interface; name the one that peers shall use", ip)
	case ip.IsMulticast():
		return fmt.Errorf("network: %s is a multicast address", ip)
	case ip.Is4() && ip.IsLoopback():
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
