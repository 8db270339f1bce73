package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Lab is the network of one test. Its methods, and those of what it makes, fail the test when
// the kernel refuses; they are called from the goroutine of the test.
type Lab struct {
	t     testing.TB
	hosts map[string]*Host
	plugs int // names the ports of segments
	base  *space
}

// Host is a namespace: a machine with its own interfaces, addresses, routes and ports.
type Host struct {
	lab  *Lab
	name string
	*space
}

// Segment is an Ethernet segment, made of a bridge in a namespace of its own.
type Segment struct {
	lab    *Lab
	bridge *netlink.Bridge
	space  *space
}

// Plug is the joint of a host's interface with a segment.
type Plug struct {
	host    *Host
	segment *Segment
	name    string // of the interface on the host
	port    string // of the interface on the bridge
}

// space is a network namespace.
type space struct {
	file   *os.File
	handle *netlink.Handle
}

// New begins a network without any host. It goes away with the test.
func New(t testing.TB) *Lab {
	t.Helper()
	l := &Lab{t: t, hosts: map[string]*Host{}}
	base, err := newSpace()
	if err != nil {
		missing(t, "SDC_REQUIRE_NETNS", "network namespaces", err)
	}
	l.base = base
	t.Cleanup(base.close)
	return l
}

// missing skips the test for want of something, or fails it where the variable says that it must be there.
func missing(t testing.TB, variable, what string, err error) {
	t.Helper()
	if os.Getenv(variable) == "1" {
		t.Fatalf("%s cannot be made, and %s=1: %v", what, variable, err)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s cannot be made: %v", what, err)
}

// newSpace makes a namespace whose loopback interface is up.
func newSpace() (*space, error) {
	var s space
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		var err error
		s.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.handle, err = netlink.NewHandleAt(nsHandle(s.file)); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	lo, err := s.handle.LinkByName("lo")
	if err == nil {
		err = s.handle.LinkSetUp(lo)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return &s, nil
}

func (s *space) close() {
	s.handle.Close()
	_ = s.file.Close()
}

// do runs fn on a thread that is in the namespace.
func (s *space) do(fn func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("setns", err)
		}
		return fn()
	})
}

// onThread runs fn on a thread of its own, which ends with it: what fn does to
// the thread's namespaces touches nobody else.
func onThread(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so the thread ends
		err := errors.New("the function ended its goroutine")
		defer func() { done <- err }()
		err = fn()
	}()
	return <-done
}

// Host adds a machine that has only its loopback interface.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	if l.hosts[name] != nil {
		l.t.Fatalf("there is a host %q already", name)
	}
	s, err := newSpace()
	l.check(err, "host %s", name)
	l.t.Cleanup(s.close)
	h := &Host{lab: l, name: name, space: s}
	l.hosts[name] = h
	return h
}

// Segment adds an Ethernet segment.
func (l *Lab) Segment() *Segment {
	l.t.Helper()
	l.plugs++
	snooping := false // without a querier it would have to guess who listens
	br := &netlink.Bridge{
		LinkAttrs:         netlink.LinkAttrs{Name: fmt.Sprintf("br%d", l.plugs)},
		MulticastSnooping: &snooping,
	}
	l.check(l.base.handle.LinkAdd(br), "segment")
	l.check(l.base.handle.LinkSetUp(br), "segment")
	return &Segment{lab: l, bridge: br, space: l.base}
}

// Attach joins the host to the segment by a new interface with the given addresses, in CIDR
// notation. It has an IPv6 link-local address besides, made of its hardware address.
// Addresses can be used at once: they are not checked for duplicates.
func (h *Host) Attach(s *Segment, ifname string, cidrs ...string) *Plug {
	h.lab.t.Helper()
	h.lab.plugs++
	p := &Plug{host: h, segment: s, name: ifname, port: fmt.Sprintf("port%d", h.lab.plugs)}
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: p.port, MasterIndex: s.bridge.Index})
	veth.PeerName = ifname
	veth.PeerNamespace = netlink.NsFd(h.file.Fd())
	veth.PeerHardwareAddr = net.HardwareAddr{0x02, 0, 0, 0, byte(h.lab.plugs >> 8), byte(h.lab.plugs)}
	h.lab.check(s.space.handle.LinkAdd(veth), "interface %s of %s", ifname, h.name)
	p.setPort(true)
	link := h.link(ifname)
	// The kernel's own link-local address could not be used for a second or two.
	h.lab.check(h.handle.LinkSetIP6AddrGenMode(link, addrGenModeNone), "%s of %s", ifname, h.name)
	h.SetUp(ifname, true)
	m := veth.PeerHardwareAddr
	local := net.IP{0xfe, 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]}
	for _, cidr := range append([]string{local.String() + "/64"}, cidrs...) {
		h.AddAddress(ifname, cidr)
	}
	return p
}

// addrGenModeNone is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const addrGenModeNone = 1

// SetUp switches an interface of the host on or off.
func (h *Host) SetUp(ifname string, up bool) {
	h.lab.t.Helper()
	set := h.handle.LinkSetDown
	if up {
		set = h.handle.LinkSetUp
	}
	h.lab.check(set(h.link(ifname)), "%s of %s up %t", ifname, h.name, up)
}

// AddAddress gives an interface a further address, in CIDR notation. It can be used at once.
func (h *Host) AddAddress(ifname, cidr string) {
	h.lab.t.Helper()
	a := h.address(cidr)
	a.Flags = unix.IFA_F_NODAD
	h.lab.check(h.handle.AddrAdd(h.link(ifname), a), "address %s of %s", cidr, h.name)
}

// RemoveAddress takes an address away.
func (h *Host) RemoveAddress(ifname, cidr string) {
	h.lab.t.Helper()
	h.lab.check(h.handle.AddrDel(h.link(ifname), h.address(cidr)), "address %s of %s", cidr, h.name)
}

func (h *Host) address(cidr string) *netlink.Addr {
	h.lab.t.Helper()
	a, err := netlink.ParseAddr(cidr)
	h.lab.check(err, "address %q", cidr)
	return a
}

// DefaultRoute sends what is for no attached segment to a router, of the same IP family.
func (h *Host) DefaultRoute(router string) {
	h.lab.t.Helper()
	gw := net.ParseIP(router)
	h.lab.check(h.handle.RouteAdd(&netlink.Route{Gw: gw}), "route of %s by %s", h.name, router)
}

// Forward makes the host a router between its segments, for IPv4 and IPv6.
func (h *Host) Forward() {
	h.lab.t.Helper()
	h.Do(func() error {
		for _, f := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile(f, []byte("1"), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// Do runs fn on a thread in the host's namespace; an error of it fails the test. Sockets that
// fn itself opens are the host's; goroutines that it starts are not on the host.
func (h *Host) Do(fn func() error) {
	h.lab.t.Helper()
	h.lab.check(h.do(fn), "on %s", h.name)
}

// Name returns the name given to the host.
func (h *Host) Name() string { return h.name }

func (h *Host) link(name string) netlink.Link {
	h.lab.t.Helper()
	link, err := h.handle.LinkByName(name)
	h.lab.check(err, "interface %s of %s", name, h.name)
	return link
}

// Unplug pulls the cable: the host sees that the carrier is lost.
func (p *Plug) Unplug() { p.host.lab.t.Helper(); p.setPort(false) }

// Plug puts the cable back in.
func (p *Plug) Plug() { p.host.lab.t.Helper(); p.setPort(true) }

func (p *Plug) setPort(up bool) {
	p.host.lab.t.Helper()
	set := p.segment.space.handle.LinkSetDown
	if up {
		set = p.segment.space.handle.LinkSetUp
	}
	p.host.lab.check(set(p.link()), "plug of %s", p.host.name)
}

// Silence makes the segment lose all that comes from the host and all that goes to it, which
// the host cannot see: the carrier stays.
func (p *Plug) Silence() {
	p.host.lab.t.Helper()
	p.host.lab.check(p.segment.space.handle.LinkSetNoMaster(p.link()), "silence %s", p.host.name)
}

// Restore ends Silence.
func (p *Plug) Restore() {
	p.host.lab.t.Helper()
	p.host.lab.check(p.segment.space.handle.LinkSetMaster(p.link(), p.segment.bridge), "restore %s", p.host.name)
}

// Remove takes the interface out of the host, as an unplugged network adapter does.
func (p *Plug) Remove() {
	p.host.lab.t.Helper()
	p.host.lab.check(p.segment.space.handle.LinkDel(p.link()), "remove from %s", p.host.name)
}

func (p *Plug) link() netlink.Link {
	p.host.lab.t.Helper()
	link, err := p.segment.space.handle.LinkByName(p.port)
	p.host.lab.check(err, "plug of %s", p.host.name)
	return link
}

func (l *Lab) check(err error, format string, args ...any) {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}
