package discovery

import "net/netip"

// UDPConfig says where discovery takes place. The zero value is loopback and the standard
// port.
type UDPConfig struct {
	// Address is an IPv4 address of the interface to use; the zero value is 127.0.0.1.
	// Nothing is sent to or taken from any other interface.
	Address netip.Addr
	// Port is the UDP port of the group; 0 is DefaultPort. Tests use another so as not to
	// hear their neighbours.
	Port uint16
	// TTL is how many hops a multicast datagram may go; 0 is 1, the link.
	TTL int
}
