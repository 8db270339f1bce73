package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/net/ipv6"
)

// GroupIPv6 is the multicast group of WS-Discovery for IPv6, of the link.
func GroupIPv6() netip.Addr { return netip.MustParseAddr("ff02::c") }

// openLink6 opens the sockets for discovery over IPv6 from one address.
func openLink6(addr netip.Addr, ifi *net.Interface, cfg UDPConfig) (*PacketTransport, error) {
	group := netip.AddrPortFrom(GroupIPv6().WithZone(ifi.Name), cfg.Port)
	receive, err := listenGroup6(group, addr, ifi)
	if err != nil {
		return nil, fmt.Errorf("discovery: receive socket on port %d: %w", cfg.Port, err)
	}
	send, err := listenSend6(addr, ifi, cfg.TTL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("discovery: send socket on %s: %w", addr, err), receive.Close())
	}
	return NewPacketTransport(receive, send, group), nil
}

func listenGroup6(group netip.AddrPort, addr netip.Addr, ifi *net.Interface) (*groupConn6, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = shareGroup6(fd) }); cerr != nil {
			return cerr
		}
		return err
	}}
	c, err := lc.ListenPacket(context.Background(), "udp6", "[::]:"+strconv.Itoa(int(group.Port())))
	if err != nil {
		return nil, err
	}
	g := &groupConn6{UDPConn: c.(*net.UDPConn), group: group.Addr().WithZone(""), addr: addr.WithZone(""), index: ifi.Index}
	g.packets = ipv6.NewPacketConn(g.UDPConn)
	if err := g.packets.JoinGroup(ifi, &net.UDPAddr{IP: g.group.AsSlice()}); err != nil {
		return nil, errors.Join(fmt.Errorf("join %s on %s: %w", g.group, ifi.Name, err), g.Close())
	}
	_ = g.packets.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true) // not every system can
	return g, nil
}

// groupConn6 is the socket that hears the IPv6 group.
type groupConn6 struct {
	*net.UDPConn
	packets *ipv6.PacketConn
	group   netip.Addr
	addr    netip.Addr // ours, without its zone
	index   int        // of our interface
}

func (g *groupConn6) readInfo(b []byte) (int, Datagram, error) {
	for {
		n, cm, src, err := g.packets.ReadFrom(b)
		if err != nil {
			return 0, Datagram{}, err
		}
		d := Datagram{Multicast: true}
		if ua, ok := src.(*net.UDPAddr); ok {
			d.From = ua.AddrPort()
		}
		if cm != nil {
			dst, _ := netip.AddrFromSlice(cm.Dst)
			d.Interface = cm.IfIndex
			d.Multicast = dst == g.group
			if !(d.Multicast && d.Interface == g.index || dst == g.addr) {
				continue
			}
		}
		return n, d, nil
	}
}

func listenSend6(addr netip.Addr, ifi *net.Interface, hops int) (*net.UDPConn, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(context.Background(), "udp6", netip.AddrPortFrom(addr, 0).String())
	if err != nil {
		return nil, err
	}
	c := pc.(*net.UDPConn)
	p := ipv6.NewPacketConn(c)
	for _, set := range []func() error{
		func() error { return p.SetMulticastInterface(ifi) },
		func() error { return p.SetMulticastHopLimit(hops) },
		func() error { return p.SetMulticastLoopback(true) },
	} {
		if err := set(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}
