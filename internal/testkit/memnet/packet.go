package memnet

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// MaxDatagram is the largest payload of a datagram in bytes (UDP over IPv4).
const MaxDatagram = 65507

// PacketConn is a datagram socket. It implements net.PacketConn and the AddrPort methods of
// *net.UDPConn.
//
// Several sockets of a host may bind the same port, as with SO_REUSEADDR: a multicast datagram
// reaches every one that joined the group, a unicast one only the socket that bound last.
type PacketConn struct {
	host *Host
	addr *net.UDPAddr

	mu            sync.Mutex
	cond          *sync.Cond
	queue         []datagram // ordered by arrival
	dropped       int
	groups        map[netip.Addr]bool
	noLoop        bool
	closed        bool
	readDeadline  time.Time
	writeDeadline time.Time
}

type datagram struct {
	data []byte
	from netip.AddrPort
	at   time.Time
}

// ListenPacket opens a datagram socket; port 0 picks a free one.
func (h *Host) ListenPacket(port int) (*PacketConn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if port == 0 {
		port = h.ephemeralLocked()
	}
	if port < 0 || port > 65535 {
		return nil, &net.OpError{Op: "listen", Net: "udp", Err: errors.New("port out of range")}
	}
	pc := &PacketConn{
		host:   h,
		addr:   &net.UDPAddr{IP: h.addr.AsSlice(), Port: port},
		groups: make(map[netip.Addr]bool),
	}
	pc.cond = sync.NewCond(&pc.mu)
	h.packets[port] = append(h.packets[port], pc)
	return pc, nil
}

// JoinGroup subscribes to a multicast group such as "239.255.255.250".
func (p *PacketConn) JoinGroup(group netip.Addr) error {
	if !group.IsMulticast() {
		return p.opError("join", syscall.EINVAL)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.opError("join", net.ErrClosed)
	}
	p.groups[group] = true
	return nil
}

// LeaveGroup undoes JoinGroup.
func (p *PacketConn) LeaveGroup(group netip.Addr) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.opError("leave", net.ErrClosed)
	}
	delete(p.groups, group)
	return nil
}

// SetMulticastLoopback says whether this socket's multicast datagrams reach sockets of the same
// host (the socket itself included). Default true.
func (p *PacketConn) SetMulticastLoopback(on bool) error {
	p.mu.Lock()
	p.noLoop = !on
	p.mu.Unlock()
	return nil
}

// Dropped returns how many datagrams were dropped because the queue was full.
func (p *PacketConn) Dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// ReadFrom implements net.PacketConn; the address is a *net.UDPAddr. A datagram larger than b
// is cut off.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// ReadFromUDPAddrPort is ReadFrom with the address as netip.AddrPort.
func (p *PacketConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.closed:
			return 0, netip.AddrPort{}, p.opError("read", net.ErrClosed)
		case passed(p.readDeadline):
			return 0, netip.AddrPort{}, p.opError("read", os.ErrDeadlineExceeded)
		}
		wake := p.readDeadline
		if len(p.queue) > 0 {
			d := p.queue[0]
			if !time.Now().Before(d.at) {
				p.queue[0] = datagram{}
				p.queue = p.queue[1:]
				return copy(b, d.data), d.from, nil
			}
			if wake.IsZero() || d.at.Before(wake) {
				wake = d.at
			}
		}
		if wake.IsZero() {
			p.cond.Wait()
			continue
		}
		timer := time.AfterFunc(time.Until(wake), p.wake)
		p.cond.Wait()
		timer.Stop()
	}
}

func (p *PacketConn) wake() {
	p.mu.Lock()
	p.cond.Broadcast()
	p.mu.Unlock()
}

// WriteTo implements net.PacketConn; addr must be a *net.UDPAddr.
func (p *PacketConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	ua, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, p.opError("write", syscall.EINVAL)
	}
	ap := ua.AddrPort()
	return p.WriteToUDPAddrPort(b, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
}

// WriteToUDPAddrPort is WriteTo with the address as netip.AddrPort. It never blocks; what
// nobody receives is lost without an error.
func (p *PacketConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	p.mu.Lock()
	closed, noLoop, deadline := p.closed, p.noLoop, p.writeDeadline
	p.mu.Unlock()
	switch {
	case closed:
		return 0, p.opError("write", net.ErrClosed)
	case passed(deadline):
		return 0, p.opError("write", os.ErrDeadlineExceeded)
	case len(b) > MaxDatagram:
		return 0, p.opError("write", syscall.EMSGSIZE)
	case !to.IsValid() || to.Port() == 0:
		return 0, p.opError("write", syscall.EINVAL)
	}
	from := p.addr.AddrPort()
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	data := append([]byte(nil), b...) // shared by all receivers, which only read it
	for _, r := range p.receivers(to, noLoop) {
		for _, d := range p.host.net.fate(way{p.host.addr, r.host.addr}) {
			r.deliver(datagram{data: data, from: from, at: time.Now().Add(d)})
		}
	}
	return len(b), nil
}

// receivers lists the sockets that a datagram to the given address reaches, in a fixed order so
// that a seed always gives the same run.
func (p *PacketConn) receivers(to netip.AddrPort, noLoop bool) []*PacketConn {
	n := p.host.net
	if !to.Addr().IsMulticast() {
		h := n.host(to.Addr())
		if h == nil {
			return nil
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if l := h.packets[int(to.Port())]; len(l) > 0 {
			return []*PacketConn{l[len(l)-1]}
		}
		return nil
	}
	n.mu.RLock()
	hosts := make([]*Host, 0, len(n.hosts))
	for _, h := range n.hosts {
		hosts = append(hosts, h)
	}
	n.mu.RUnlock()
	slices.SortFunc(hosts, func(a, b *Host) int { return a.addr.Compare(b.addr) })
	var out []*PacketConn
	for _, h := range hosts {
		if noLoop && h == p.host {
			continue
		}
		h.mu.Lock()
		l := slices.Clone(h.packets[int(to.Port())])
		h.mu.Unlock()
		for _, r := range l {
			if r.joined(to.Addr()) {
				out = append(out, r)
			}
		}
	}
	return out
}

func (p *PacketConn) joined(group netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.groups[group]
}

func (p *PacketConn) deliver(d datagram) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if len(p.queue) >= p.host.net.cfg.DatagramQueue {
		p.dropped++
		return
	}
	i := len(p.queue)
	for i > 0 && p.queue[i-1].at.After(d.at) {
		i--
	}
	p.queue = slices.Insert(p.queue, i, d)
	p.cond.Broadcast()
}

// Close closes the socket; a Read that waits fails with net.ErrClosed.
func (p *PacketConn) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return p.opError("close", net.ErrClosed)
	}
	p.closed = true
	p.queue = nil
	p.cond.Broadcast()
	p.mu.Unlock()
	h := p.host
	h.mu.Lock()
	defer h.mu.Unlock()
	h.packets[p.addr.Port] = slices.DeleteFunc(h.packets[p.addr.Port], func(o *PacketConn) bool { return o == p })
	return nil
}

// LocalAddr returns a *net.UDPAddr.
func (p *PacketConn) LocalAddr() net.Addr { return p.addr }

// SetDeadline implements net.PacketConn.
func (p *PacketConn) SetDeadline(t time.Time) error {
	p.mu.Lock()
	p.readDeadline, p.writeDeadline = t, t
	p.cond.Broadcast()
	p.mu.Unlock()
	return nil
}

// SetReadDeadline implements net.PacketConn; it also ends a Read that is waiting.
func (p *PacketConn) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	p.readDeadline = t
	p.cond.Broadcast()
	p.mu.Unlock()
	return nil
}

// SetWriteDeadline implements net.PacketConn.
func (p *PacketConn) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	p.writeDeadline = t
	p.mu.Unlock()
	return nil
}

func (p *PacketConn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: p.addr, Err: err}
}
