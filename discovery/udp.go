package discovery

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
)

// UDPConfig says where discovery takes place. The zero value is loopback and the standard
// port.
type UDPConfig struct {
	// Address is an address of the interface to use; the zero value is 127.0.0.1, unless
	// Addresses or Interfaces are named. Nothing is sent to or taken from any other interface.
	Address netip.Addr
	// Addresses and Interfaces name further ones, of both IP families. Of a named interface one address of each family
	// is used, unless addresses of that family are named. What is not there yet is used when it comes; what goes is left.
	Addresses  []netip.Addr
	Interfaces []string
	// Port is the UDP port of the group; 0 is DefaultPort. Tests use another so as not to
	// hear their neighbours.
	Port uint16
	// TTL is how many hops a multicast datagram may go; 0 is 1, the link. It is the hop limit of IPv6, whose group
	// ff02::c does not leave the link in any case.
	TTL int
	// Changed, if set, is told the addresses in use when interfaces have come or gone. It must return soon. It is called
	// only where Addresses or Interfaces are named.
	Changed func([]netip.Addr)
}

// ErrIPv6 refuses an IPv6 address where NewUDP is to open a single pair of sockets over IPv4.
var ErrIPv6 = errors.New("discovery over IPv6 needs UDPConfig.Addresses or Interfaces")

// several reports whether more than one IPv4 address is to be used.
func (c UDPConfig) several() bool {
	return len(c.Addresses) > 0 || len(c.Interfaces) > 0 || c.Address.Unmap().Is6()
}

// IsZero reports whether nothing is configured.
func (c UDPConfig) IsZero() bool {
	return !c.several() && !c.Address.IsValid() && c.Port == 0 && c.TTL == 0
}

// OpenUDP opens discovery over UDP on everything that is named; see [NewUDP] for a single IPv4 address.
func OpenUDP(cfg UDPConfig, log *slog.Logger) (Transport, error) {
	if !cfg.several() {
		return NewUDP(cfg)
	}
	if cfg.Address.IsValid() {
		cfg.Addresses = append([]netip.Addr{cfg.Address}, cfg.Addresses...)
	}
	for _, a := range cfg.Addresses {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
			return nil, fmt.Errorf("discovery: %s is not the address of an interface", a)
		}
	}
	if cfg.Port == 0 {
		cfg.Port = DefaultPort
	}
	if cfg.TTL == 0 {
		cfg.TTL = 1
	}
	return newReach(cfg, log)
}

// NewUDP opens the sockets for discovery over IPv4 multicast (WSD-1): one that shares the
// port of the group with all other participants of the host (COEX-1), and one with a port
// of its own to send from.
func NewUDP(cfg UDPConfig) (*PacketTransport, error) {
	addr := cfg.Address.Unmap()
	switch {
	case !addr.IsValid():
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case addr.Is6():
		return nil, fmt.Errorf("%w: %s", ErrIPv6, addr)
	case addr.IsUnspecified() || addr.IsMulticast():
		return nil, fmt.Errorf("discovery: %s is not the address of an interface", addr)
	}
	if cfg.Port == 0 {
		cfg.Port = DefaultPort
	}
	if cfg.TTL == 0 {
		cfg.TTL = 1
	}
	ifi, err := interfaceOf(addr)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	return openLink(addr, ifi, cfg)
}

// interfaceOf finds the interface an address belongs to. All of 127.0.0.0/8 belongs
// to the loopback interface, whatever that lists; it is found by its flag and not
// by the multicast flag, which it lacks on some systems.
func interfaceOf(addr netip.Addr) (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if addr.IsLoopback() && all[i].Flags&net.FlagLoopback != 0 {
			return &all[i], nil
		}
		addrs, err := all[i].Addrs()
		if err != nil {
			continue // it may just have gone
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == addr {
					return &all[i], nil
				}
			}
		}
	}
	return nil, fmt.Errorf("no interface of this host has the address %s", addr)
}
