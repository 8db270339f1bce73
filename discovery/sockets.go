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
	"golang.org/x/net/ipv6"
)

// openLink opens the sockets for discovery from one address of an interface, over the version of IP that the address is of.
func openLink(addr netip.Addr, ifi *net.Interface, cfg UDPConfig) (*PacketTransport, error) {
	group := netip.AddrPortFrom(GroupIPv4(), cfg.Port)
	if addr.Is6() {
		group = netip.AddrPortFrom(GroupIPv6().WithZone(ifi.Name), cfg.Port)
	}
	receive, err := listenGroup(group, addr, ifi)
	if err != nil {
		return nil, fmt.Errorf("discovery: receive socket on port %d: %w", cfg.Port, err)
	}
	send, err := listenSend(addr, ifi, cfg.TTL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("discovery: send socket on %s: %w", addr, err), receive.Close())
	}
	t := NewPacketTransport(receive, send, group)
	t.zone = ifi.Name
	return t, nil
}

// listenGroup opens the socket that hears the group. It is bound to all addresses,
// because one bound to a single address hears no multicast; what came in by another
// interface is filtered out.
func listenGroup(group netip.AddrPort, addr netip.Addr, ifi *net.Interface) (*groupConn, error) {
	network, all, share := "udp4", "0.0.0.0", shareGroup
	if addr.Is6() {
		network, all, share = "udp6", "::", shareGroup6
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = share(fd) }); cerr != nil {
			return cerr
		}
		return err
	}}
	c, err := lc.ListenPacket(context.Background(), network, net.JoinHostPort(all, strconv.Itoa(int(group.Port()))))
	if err != nil {
		return nil, err
	}
	conn := c.(*net.UDPConn)
	g := &groupConn{UDPConn: conn, ip: multicastOf(conn, addr), group: group.Addr().WithZone(""), addr: addr.WithZone(""), index: ifi.Index}
	if err := g.ip.JoinGroup(ifi, &net.UDPAddr{IP: g.group.AsSlice()}); err != nil {
		return nil, errors.Join(fmt.Errorf("join %s on %s: %w", g.group, ifi.Name, err), g.Close())
	}
	g.ip.tellWhere()
	return g, nil
}

// groupConn is the socket that hears the group.
type groupConn struct {
	*net.UDPConn
	ip    multicast
	group netip.Addr // without a zone, as addr is
	addr  netip.Addr // ours
	index int        // of our interface
}

// readInfo reads the next datagram that came to the group by our interface, or to our
// address.
func (g *groupConn) readInfo(b []byte) (int, Datagram, error) {
	for {
		n, where, src, err := g.ip.read(b)
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
		if where.known {
			dst, _ := netip.AddrFromSlice(where.to)
			dst = dst.Unmap()
			d.Interface = where.index
			d.Multicast = dst == g.group
			if !(d.Multicast && d.Interface == g.index || dst == g.addr) {
				continue
			}
		}
		return n, d, nil
	}
}

// listenSend opens the socket everything is sent from. Its being bound to the address of
// the interface keeps the datagrams on that interface and gives them a source that
// answers find; on loopback nothing else does.
func listenSend(addr netip.Addr, ifi *net.Interface, hops int) (*net.UDPConn, error) {
	network := "udp4"
	if addr.Is6() {
		network = "udp6"
	}
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(context.Background(), network, netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		return nil, err
	}
	c := pc.(*net.UDPConn)
	p := multicastOf(c, addr)
	for _, set := range []func() error{
		func() error { return p.SetMulticastInterface(ifi) },
		func() error { return p.setHops(hops) },
		func() error { return p.SetMulticastLoopback(true) }, // other participants of this host
	} {
		if err := set(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// multicast is what both versions of IP can do, which have it in packages of their own.
type multicast interface {
	JoinGroup(ifi *net.Interface, group net.Addr) error
	SetMulticastInterface(ifi *net.Interface) error
	SetMulticastLoopback(on bool) error
	setHops(n int) error
	// tellWhere asks for read to tell where datagrams came in. Not every system can; the kernel's own filter remains there.
	tellWhere()
	read(b []byte) (n int, w where, from net.Addr, err error)
}

// where tells where a datagram came in, if that is known: at which interface, and to which address.
type where struct {
	known bool
	index int
	to    net.IP
}

func multicastOf(c *net.UDPConn, addr netip.Addr) multicast {
	if addr.Is6() {
		return multicast6{ipv6.NewPacketConn(c)}
	}
	return multicast4{ipv4.NewPacketConn(c)}
}

type multicast4 struct{ *ipv4.PacketConn }

func (m multicast4) setHops(n int) error { return m.SetMulticastTTL(n) }
func (m multicast4) tellWhere()          { _ = m.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true) }

func (m multicast4) read(b []byte) (n int, w where, from net.Addr, err error) {
	n, cm, from, err := m.ReadFrom(b)
	if cm != nil {
		w = where{true, cm.IfIndex, cm.Dst}
	}
	return n, w, from, err
}

type multicast6 struct{ *ipv6.PacketConn }

func (m multicast6) setHops(n int) error { return m.SetMulticastHopLimit(n) }
func (m multicast6) tellWhere()          { _ = m.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true) }

func (m multicast6) read(b []byte) (n int, w where, from net.Addr, err error) {
	n, cm, from, err := m.ReadFrom(b)
	if cm != nil {
		w = where{true, cm.IfIndex, cm.Dst}
	}
	return n, w, from, err
}
