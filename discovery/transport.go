package discovery

import (
	"context"
	"net/netip"
)

// Datagram is a received datagram.
type Datagram struct {
	Data      []byte         // valid only while it is being handled
	From      netip.AddrPort // where it came from, and where answers go
	Multicast bool           // sent to the group, not to this participant alone
	Interface int            // index of the interface it came in by; 0 if not known
	Local     netip.Addr     // our address on the link it came by; not valid if there is only one
	Oversize  int            // length of one that is longer than is taken, of which nothing else is told; then Data is nil
	Zone      string         // name of the interface it came in by, "" if not known: what link-local addresses in it are completed with
}

// Transport carries the datagrams of one participant. Sending is safe from several
// goroutines and also after Serve has returned; [NewUDP], [NewPacketTransport] and
// [NewSilence] make transports.
type Transport interface {
	// Serve receives and calls handle, one datagram at a time, until ctx ends (then it
	// returns nil) or the network fails for good. It can be called again after that, but
	// not twice at a time.
	Serve(ctx context.Context, handle func(Datagram)) error
	// Multicast sends one datagram to the group.
	Multicast(data []byte) error
	// Unicast sends one datagram to one address.
	Unicast(to netip.AddrPort, data []byte) error
	// Close gives the sockets back and ends Serve with an error.
	Close() error
}
