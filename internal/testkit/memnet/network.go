// Package memnet is an in-memory IP network for tests: several hosts with their own addresses,
// stream connections that behave like TCP (buffered, with deadlines, half close and reset) and
// datagram sockets with unicast and multicast groups.
//
// Everything blocks on sync.Cond or on channels and measures time with package time, so a whole
// network lives inside a testing/synctest bubble: virtual time passes as soon as every goroutine
// of the test waits. net/http clients and servers and crypto/tls work on top of it.
//
// Disturbances are part of the interface: latency and jitter, seeded loss and duplication of
// datagrams, partitions that stall streams and swallow datagrams, and cuts that reset streams.
// The package starts no goroutine of its own.
package memnet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Link describes how messages travel between two hosts. The zero value is a perfect link.
type Link struct {
	// Latency is the one-way delay of every stream segment and datagram.
	Latency time.Duration
	// Jitter is added to Latency, uniformly from [0, Jitter). Datagrams may overtake each
	// other because of it; the bytes of a stream never do.
	Jitter time.Duration
	// Loss is the probability, 0 to 1, that a datagram disappears. Streams lose nothing.
	Loss float64
	// Duplicate is the probability, 0 to 1, that a datagram arrives twice.
	Duplicate float64
}

// Config sets up a Network. The zero value is a perfect network with the documented defaults.
type Config struct {
	// Seed makes loss, duplication and jitter reproducible.
	Seed uint64
	// Link is the link between all hosts that have none of their own (see SetLinkBetween).
	Link Link
	// StreamBuffer bounds the bytes in flight per direction of a connection; a writer blocks
	// when it is full. Default 64 KiB.
	StreamBuffer int
	// Backlog bounds the connections that wait for Accept; more are refused. Default 128.
	Backlog int
	// DatagramQueue bounds the datagrams waiting at one packet socket; more are dropped and
	// counted. Default 1024.
	DatagramQueue int
}

// Network connects hosts. It is safe for concurrent use.
type Network struct {
	cfg Config

	mu      sync.RWMutex
	rng     *rand.Rand
	hosts   map[netip.Addr]*Host
	link    Link
	links   map[pair]Link
	blocked map[pair]bool
	oneWay  map[way]bool
	conns   map[*Conn]struct{} // accepting ends; resetting one resets its peer
	changed chan struct{}      // closed and replaced when a partition changes
}

// pair is an unordered pair of addresses.
type pair struct{ a, b netip.Addr }

// way is one of the two directions between two hosts.
type way struct{ from, to netip.Addr }

func (w way) pair() pair { return pairOf(w.from, w.to) }

func pairOf(a, b netip.Addr) pair {
	if b.Less(a) {
		a, b = b, a
	}
	return pair{a, b}
}

// New returns an empty network. Inside a synctest bubble call it within the bubble.
func New(cfg Config) *Network {
	if cfg.StreamBuffer <= 0 {
		cfg.StreamBuffer = 64 << 10
	}
	if cfg.Backlog <= 0 {
		cfg.Backlog = 128
	}
	if cfg.DatagramQueue <= 0 {
		cfg.DatagramQueue = 1024
	}
	return &Network{
		cfg:     cfg,
		rng:     rand.New(rand.NewPCG(cfg.Seed, 0x9e3779b97f4a7c15)),
		hosts:   make(map[netip.Addr]*Host),
		link:    cfg.Link,
		links:   make(map[pair]Link),
		blocked: make(map[pair]bool),
		oneWay:  make(map[way]bool),
		conns:   make(map[*Conn]struct{}),
		changed: make(chan struct{}),
	}
}

// Host returns the host with the given IP address and creates it at first use.
// It panics when ip is not an IP address: that is a mistake in the test.
func (n *Network) Host(ip string) *Host {
	addr := netip.MustParseAddr(ip)
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[addr]
	if h == nil {
		h = &Host{
			net:       n,
			addr:      addr,
			listeners: make(map[int]*Listener),
			packets:   make(map[int][]*PacketConn),
			nextPort:  49152,
		}
		n.hosts[addr] = h
	}
	return h
}

// SetLink replaces the link between all hosts without one of their own.
func (n *Network) SetLink(l Link) {
	n.mu.Lock()
	n.link = l
	n.mu.Unlock()
}

// SetLinkBetween gives two hosts a link of their own; a and b may be the same host.
func (n *Network) SetLinkBetween(a, b string, l Link) {
	n.mu.Lock()
	n.links[pairOf(netip.MustParseAddr(a), netip.MustParseAddr(b))] = l
	n.mu.Unlock()
}

// Partition stops all traffic between two hosts: streams stall (nothing is lost, writers block
// when the buffer is full, Dial waits for its context), datagrams disappear.
func (n *Network) Partition(a, b string) {
	n.setBlocked(true, pairOf(netip.MustParseAddr(a), netip.MustParseAddr(b)))
}

// Heal undoes Partition; stalled streams continue where they were.
func (n *Network) Heal(a, b string) {
	n.setBlocked(false, pairOf(netip.MustParseAddr(a), netip.MustParseAddr(b)))
}

// PartitionOneWay stops the traffic from one host to another, not the other way round. What the second sends still arrives, as far as it
// needs no answer: connections cannot be made in either direction.
func (n *Network) PartitionOneWay(from, to string) {
	w := way{netip.MustParseAddr(from), netip.MustParseAddr(to)}
	n.change(func() { n.oneWay[w] = true })
}

// HealOneWay undoes PartitionOneWay.
func (n *Network) HealOneWay(from, to string) {
	w := way{netip.MustParseAddr(from), netip.MustParseAddr(to)}
	n.change(func() { delete(n.oneWay, w) })
}

func (n *Network) setBlocked(on bool, p pair) {
	n.change(func() {
		if on {
			n.blocked[p] = true
		} else {
			delete(n.blocked, p)
		}
	})
}

// change changes what is blocked and wakes everybody who may be concerned.
func (n *Network) change(edit func()) {
	n.mu.Lock()
	edit()
	close(n.changed)
	n.changed = make(chan struct{})
	conns := n.connsLocked(func(*Conn) bool { return true })
	n.mu.Unlock()
	for _, c := range conns {
		c.rd.wake()
		c.wr.wake()
	}
}

// Cut resets every stream between two hosts, as if a middlebox had sent RST to both ends, and
// returns how many it was.
func (n *Network) Cut(a, b string) int {
	p := pairOf(netip.MustParseAddr(a), netip.MustParseAddr(b))
	n.mu.RLock()
	conns := n.connsLocked(func(c *Conn) bool { return c.hosts() == p })
	n.mu.RUnlock()
	for _, c := range conns {
		c.reset()
	}
	return len(conns)
}

// Conns returns how many streams are open between two hosts (neither end closed).
func (n *Network) Conns(a, b string) int {
	p := pairOf(netip.MustParseAddr(a), netip.MustParseAddr(b))
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.connsLocked(func(c *Conn) bool { return c.hosts() == p }))
}

func (n *Network) connsLocked(keep func(*Conn) bool) []*Conn {
	var out []*Conn
	for c := range n.conns {
		if keep(c) {
			out = append(out, c)
		}
	}
	return out
}

// Close closes every listener and packet socket and resets every stream.
func (n *Network) Close() {
	n.mu.RLock()
	var hosts []*Host
	for _, h := range n.hosts {
		hosts = append(hosts, h)
	}
	n.mu.RUnlock()
	for _, h := range hosts {
		h.close()
	}
	n.mu.RLock()
	conns := n.connsLocked(func(*Conn) bool { return true })
	n.mu.RUnlock()
	for _, c := range conns {
		c.reset()
	}
}

func (n *Network) host(addr netip.Addr) *Host {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.hosts[addr]
}

func (n *Network) isBlocked(w way) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.blocked[w.pair()] || n.oneWay[w]
}

// blockedOn tells whether no connection can be made between two hosts, and returns the channel that closes when any partition changes.
func (n *Network) blockedOn(p pair) (bool, <-chan struct{}) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.blocked[p] || n.oneWay[way{p.a, p.b}] || n.oneWay[way{p.b, p.a}], n.changed
}

func (n *Network) linkLocked(p pair) Link {
	if l, ok := n.links[p]; ok {
		return l
	}
	return n.link
}

// delay draws the one-way delay of one segment.
func (n *Network) delay(p pair) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.delayLocked(n.linkLocked(p))
}

func (n *Network) delayLocked(l Link) time.Duration {
	d := l.Latency
	if l.Jitter > 0 {
		d += time.Duration(n.rng.Int64N(int64(l.Jitter)))
	}
	return d
}

// fate draws the delays of the copies of one datagram; none means it is lost.
func (n *Network) fate(w way) []time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.blocked[w.pair()] || n.oneWay[w] {
		return nil
	}
	l := n.linkLocked(w.pair())
	if l.Loss > 0 && n.rng.Float64() < l.Loss {
		return nil
	}
	copies := []time.Duration{n.delayLocked(l)}
	if l.Duplicate > 0 && n.rng.Float64() < l.Duplicate {
		copies = append(copies, n.delayLocked(l))
	}
	return copies
}

func (n *Network) add(c *Conn) {
	n.mu.Lock()
	n.conns[c] = struct{}{}
	n.mu.Unlock()
}

func (n *Network) remove(c *Conn) {
	n.mu.Lock()
	delete(n.conns, c)
	n.mu.Unlock()
}

// String names the network in test output.
func (n *Network) String() string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return fmt.Sprintf("memnet(%d hosts, %d connections)", len(n.hosts), len(n.conns))
}
