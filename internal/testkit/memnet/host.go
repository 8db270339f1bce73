package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Host is one participant of the network with one IP address.
type Host struct {
	net  *Network
	addr netip.Addr

	mu        sync.Mutex
	listeners map[int]*Listener
	packets   map[int][]*PacketConn // per port in order of binding
	nextPort  int
}

// IP returns the address of the host as text.
func (h *Host) IP() string { return h.addr.String() }

// Addr returns the address of the host.
func (h *Host) Addr() netip.Addr { return h.addr }

// ephemeralLocked finds an unused port.
func (h *Host) ephemeralLocked() int {
	for {
		p := h.nextPort
		h.nextPort++
		if h.nextPort > 65535 {
			h.nextPort = 49152
		}
		if h.listeners[p] == nil && len(h.packets[p]) == 0 {
			return p
		}
	}
}

// Listen opens a stream listener; port 0 picks a free one.
func (h *Host) Listen(port int) (*Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if port == 0 {
		port = h.ephemeralLocked()
	}
	addr := &net.TCPAddr{IP: h.addr.AsSlice(), Port: port}
	if h.listeners[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: syscall.EADDRINUSE}
	}
	l := &Listener{
		host:  h,
		addr:  addr,
		queue: make(chan *Conn, h.net.cfg.Backlog),
		done:  make(chan struct{}),
	}
	h.listeners[port] = l
	return l, nil
}

// ListenAny opens a stream listener on a free port. It has the shape of net.ListenConfig.Listen, which configurations ask for; what address
// they would listen on is no matter here, since a host has one.
func (h *Host) ListenAny(context.Context, string, string) (net.Listener, error) { return h.Listen(0) }

// Dial connects to address ("ip:port") over a stream; network must be tcp or tcp4. It has the
// shape of net.Dialer.DialContext and http.Transport.DialContext. An address without listener
// is refused, an unknown host is unreachable, a partitioned one waits for ctx.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := h.dial(ctx, network, address)
	if err != nil {
		oe := &net.OpError{Op: "dial", Net: network, Source: &net.TCPAddr{IP: h.addr.AsSlice()}, Err: err}
		if ap, perr := netip.ParseAddrPort(address); perr == nil {
			oe.Addr = net.TCPAddrFromAddrPort(ap)
		}
		return nil, oe
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, network, address string) (*Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, fmt.Errorf("memnet knows no names: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 1 || port > 65535 {
		return nil, fmt.Errorf("port %q out of range", portText)
	}
	target := h.net.host(ip)
	if target == nil {
		return nil, syscall.EHOSTUNREACH
	}
	p := pairOf(h.addr, ip)
	// the way there and back
	if err := wait(ctx, h.net.delay(p)+h.net.delay(p)); err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		blocked, changed := h.net.blockedOn(p)
		if !blocked {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
	target.mu.Lock()
	l := target.listeners[port]
	target.mu.Unlock()
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	h.mu.Lock()
	local := &net.TCPAddr{IP: h.addr.AsSlice(), Port: h.ephemeralLocked()}
	h.mu.Unlock()
	client, server := newPair(h.net, l, p, local, l.addr)
	if !l.offer(server) {
		return nil, syscall.ECONNREFUSED
	}
	return client, nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Host) close() {
	h.mu.Lock()
	var ls []*Listener
	for _, l := range h.listeners {
		ls = append(ls, l)
	}
	var ps []*PacketConn
	for _, l := range h.packets {
		ps = append(ps, l...)
	}
	h.mu.Unlock()
	sort.Slice(ls, func(i, j int) bool { return ls[i].addr.Port < ls[j].addr.Port })
	for _, l := range ls {
		_ = l.Close()
	}
	for _, p := range ps {
		_ = p.Close()
	}
}

// Listener accepts streams at one port of a host. It implements net.Listener.
type Listener struct {
	host  *Host
	addr  *net.TCPAddr
	queue chan *Conn
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	stats  ListenerStats
}

// ListenerStats counts the connections of a listener. A connection is open until one of its two
// ends closes it or it is cut.
type ListenerStats struct {
	Accepted int // connections established since the start
	Open     int // open now
	Peak     int // most that were open at the same time
}

// Stats returns the counters.
func (l *Listener) Stats() ListenerStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	default:
	}
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Addr returns the address as *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return l.addr }

// Close stops listening; connections not yet accepted are reset, accepted ones stay.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.closed = true
	close(l.done)
	l.mu.Unlock()
	l.host.mu.Lock()
	delete(l.host.listeners, l.addr.Port)
	l.host.mu.Unlock()
	for {
		select {
		case c := <-l.queue:
			c.reset()
		default:
			return nil
		}
	}
}

// offer queues a new connection and counts it; false when the listener is closed or full.
func (l *Listener) offer(server *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.queue <- server:
	default:
		return false
	}
	l.stats.Accepted++
	l.stats.Open++
	l.stats.Peak = max(l.stats.Peak, l.stats.Open)
	l.host.net.add(server)
	return true
}

func (l *Listener) gone(server *Conn) {
	l.mu.Lock()
	l.stats.Open--
	l.mu.Unlock()
	l.host.net.remove(server)
}

// IsRefused reports whether err says that nobody listens at the address that was called.
func IsRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
