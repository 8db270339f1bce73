package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/net/ipv4"
)

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

// ErrIPv6 refuses an IPv6 address: discovery takes place over IPv4.
var ErrIPv6 = errors.New("discovery over IPv6 is not supported")

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
	group := netip.AddrPortFrom(GroupIPv4(), cfg.Port)
	receive, err := listenGroup(group, addr, ifi)
	if err != nil {
		return nil, fmt.Errorf("discovery: receive socket on port %d: %w", cfg.Port, err)
	}
	send, err := listenSend(addr, ifi, cfg.TTL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("discovery: send socket on %s: %w", addr, err), receive.Close())
	}
	return NewPacketTransport(receive, send, group), nil
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

// listenGroup opens the socket that hears the group. It is bound to all addresses,
// because one bound to a single address hears no multicast; what came in by another
// interface is filtered out.
func listenGroup(group netip.AddrPort, addr netip.Addr, ifi *net.Interface) (*groupConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = shareGroup(fd) }); cerr != nil {
			return cerr
		}
		return err
	}}
	c, err := lc.ListenPacket(context.Background(), "udp4", "0.0.0.0:"+strconv.Itoa(int(group.Port())))
	if err != nil {
		return nil, err
	}
	g := &groupConn{UDPConn: c.(*net.UDPConn), group: group.Addr(), addr: addr, index: ifi.Index}
	g.packets = ipv4.NewPacketConn(g.UDPConn)
	if err := g.packets.JoinGroup(ifi, &net.UDPAddr{IP: group.Addr().AsSlice()}); err != nil {
		return nil, errors.Join(fmt.Errorf("join %s on %s: %w", group.Addr(), ifi.Name, err), g.Close())
	}
	// Not every system tells where a datagram came in; the kernel's own filter remains there.
	_ = g.packets.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
	return g, nil
}

// groupConn is the socket that hears the group.
type groupConn struct {
	*net.UDPConn
	packets *ipv4.PacketConn
	group   netip.Addr
	addr    netip.Addr // ours
	index   int        // of our interface
}

// readInfo reads the next datagram that came to the group by our interface, or to our
// address.
func (g *groupConn) readInfo(b []byte) (int, Datagram, error) {
	for {
		n, cm, src, err := g.packets.ReadFrom(b)
		if err != nil {
			return 0, Datagram{}, err
		}
		d := Datagram{Multicast: true}
		if ua, ok := src.(*net.UDPAddr); ok {
			d.From = ua.AddrPort()
		}
		if g.addr.IsLoopback() && !d.From.Addr().Unmap().IsLoopback() {
			continue
		}
		if cm != nil {
			dst, _ := netip.AddrFromSlice(cm.Dst)
			d.Interface = cm.IfIndex
			d.Multicast = dst.Unmap() == g.group
			if !(d.Multicast && d.Interface == g.index || dst.Unmap() == g.addr) {
				continue
			}
		}
		return n, d, nil
	}
}

// listenSend opens the socket everything is sent from. Its being bound to the address of
// the interface keeps the datagrams on that interface and gives them a source that
// answers find; on loopback nothing else does.
func listenSend(addr netip.Addr, ifi *net.Interface, ttl int) (*net.UDPConn, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		return nil, err
	}
	c := pc.(*net.UDPConn)
	p := ipv4.NewPacketConn(c)
	for _, set := range []func() error{
		func() error { return p.SetMulticastInterface(ifi) },
		func() error { return p.SetMulticastTTL(ttl) },
		func() error { return p.SetMulticastLoopback(true) }, // other participants of this host
	} {
		if err := set(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}
