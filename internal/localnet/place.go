package localnet

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// PollEvery is how often the interfaces are looked at by those who follow them.
const PollEvery = 2 * time.Second

// Place is an address of this host that is in use.
type Place struct {
	Addr      netip.Addr   // with its zone if it is link-local IPv6
	Prefix    netip.Prefix // the network it is in, without a zone
	Interface net.Interface
}

// On reports whether an address is on the place's own network, so that it is reached without a router.
func (p Place) On(peer netip.Addr) bool {
	peer = peer.Unmap()
	if zone := peer.Zone(); zone != "" {
		return zone == p.Interface.Name && p.Prefix.Contains(peer.WithZone(""))
	}
	return p.Prefix.Contains(peer)
}

// Places lists the addresses of this host that are chosen: all named ones that exist, and of each named interface one of each IP
// family of which none is named, for preference one that is not link-local. A named link-local address with a zone is that of the interface alone,
// without one that of any. What is not there, or is switched off, is left out.
func Places(addresses []netip.Addr, interfaces []string) ([]Place, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []Place
	for _, ifi := range all {
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it may just have gone
		}
		out = append(out, choose(ifi, addrs, addresses, slices.Contains(interfaces, ifi.Name))...)
	}
	return out, nil
}

// choose picks from the addresses of one interface. named says that one of each IP family is wanted in any case.
func choose(ifi net.Interface, addrs []net.Addr, wanted []netip.Addr, named bool) []Place {
	var here []Place
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		bits, _ := n.Mask.Size()
		p := Place{Addr: ip.Unmap(), Interface: ifi}
		p.Prefix = netip.PrefixFrom(p.Addr, bits).Masked()
		if NeedsZone(p.Addr) {
			p.Addr = p.Addr.WithZone(ifi.Name)
		}
		here = append(here, p)
	}
	// Of each family the address that reaches furthest comes first.
	slices.SortStableFunc(here, func(a, b Place) int {
		return cmp.Compare(linkLocal(a.Addr), linkLocal(b.Addr))
	})
	chosen := func(p Place) bool {
		return slices.ContainsFunc(wanted, func(a netip.Addr) bool { return same(a, p.Addr) })
	}
	taken := map[bool]bool{} // by whether it is IPv6
	for _, p := range here {
		taken[p.Addr.Is6()] = taken[p.Addr.Is6()] || chosen(p)
	}
	var out []Place
	for _, p := range here {
		first := named && !taken[p.Addr.Is6()]
		if first || chosen(p) {
			taken[p.Addr.Is6()] = true
			out = append(out, p)
		}
	}
	// All of 127.0.0.0/8 is this host, whatever the interface lists.
	if ifi.Flags&net.FlagLoopback != 0 {
		for _, a := range wanted {
			if a = a.Unmap(); a.Is4() && a.IsLoopback() && !slices.ContainsFunc(out, func(p Place) bool { return p.Addr == a }) {
				out = append(out, Place{Addr: a, Prefix: netip.PrefixFrom(a, 8).Masked(), Interface: ifi})
			}
		}
	}
	return out
}

func linkLocal(a netip.Addr) int {
	if a.IsLinkLocalUnicast() {
		return 1
	}
	return 0
}

// same reports whether a wanted address is one of this host: a zone counts only if there is one.
func same(wanted, have netip.Addr) bool {
	wanted = wanted.Unmap()
	return wanted == have || wanted.Zone() == "" && wanted == have.WithZone("")
}

// Source is the address of this host from which the system would talk to a peer. Nothing is sent.
func Source(ctx context.Context, peer netip.Addr) (netip.Addr, error) {
	c, err := new(net.Dialer).DialContext(ctx, "udp", netip.AddrPortFrom(peer, 9).String())
	if err != nil {
		return netip.Addr{}, err
	}
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	_ = c.Close()
	return local.Addr().Unmap(), err
}
