package soap

import (
	"container/list"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// connGate bounds the connections of one listener. Two kinds are told apart:
//
//   - A connection on which no request has arrived yet is unproven. It may be in the middle of
//     a handshake, or silent on purpose. When there are too many of them the oldest makes
//     room for the new one: whoever means it needs a few milliseconds to send a request,
//     and whoever floods us with silence pushes out its own.
//   - One with a request is proven. These count for the peer that showed itself, by its
//     certificate where there is one, and are never closed for the sake of others.
//
// Waiting in line is no choice: it would let whoever is greedy starve the others. Nor is it always the oldest of all: while others have no more than a connection or two, it is
// one of the IP address that has the most.
//
// What is computed for an unproven connection, the handshake before all, is computed in turn, and so is what comes of large bodies.
type connGate struct {
	net.Listener
	total, perPeer, unproven int
	turns                    *turns
	patience                 time.Duration // for a turn
	bodies                   time.Duration // the same, for what comes of a large body
	log                      *slog.Logger

	mu      sync.Mutex
	open    int
	waiting list.List      // of *gatedConn, unproven, oldest first
	byHost  map[string]int // how many of them an address has
	byPeer  map[string]int
	stopped bool
}

func newConnGate(l net.Listener, cfg *ServerConfig, turns *turns, log *slog.Logger) *connGate {
	return &connGate{
		Listener: l, total: cfg.MaxConns, perPeer: cfg.MaxConnsPerPeer, unproven: cfg.MaxUnproven,
		turns: turns, patience: cfg.ReadHeaderTimeout, bodies: cfg.ReadTimeout, log: log,
		byHost: make(map[string]int), byPeer: make(map[string]int),
	}
}

// Accept returns the next connection for which there is room.
func (g *connGate) Accept() (net.Conn, error) {
	for {
		raw, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &gatedConn{Conn: raw, gate: g, host: hostOf(raw.RemoteAddr()), left: make(chan struct{})}
		out, ok := g.take(c)
		if out != nil {
			g.log.Debug("connection without a request made room for another", "peer", out.RemoteAddr())
			_ = out.Conn.Close() // its server goroutine notices, and gives the place back
		}
		if ok {
			return c, nil
		}
		g.log.Warn("connection refused: too many are open", "peer", c.host)
		_ = raw.Close()
	}
}

// take finds a place for c. The connection that has to make room, if any, is returned.
func (g *connGate) take(c *gatedConn) (out *gatedConn, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return nil, false
	}
	if g.open >= g.total || g.waiting.Len() >= g.unproven {
		if out = g.oldestLocked(); out == nil {
			return nil, false
		}
		g.leaveLocked(out)
	}
	g.open++
	c.place = g.waiting.PushBack(c)
	g.byHost[c.host]++
	return out, true
}

// oldestLocked is the oldest unproven connection of the address that has the most of them; nil if there is none.
func (g *connGate) oldestLocked() (oldest *gatedConn) {
	most := 0
	for e := g.waiting.Front(); e != nil; e = e.Next() {
		if c, ok := e.Value.(*gatedConn); ok && g.byHost[c.host] > most {
			oldest, most = c, g.byHost[c.host]
		}
	}
	return oldest
}

// provenLocked takes a connection from the unproven.
func (g *connGate) provenLocked(c *gatedConn) {
	g.waiting.Remove(c.place)
	c.place = nil
	if g.byHost[c.host]--; g.byHost[c.host] == 0 {
		delete(g.byHost, c.host)
	}
}

// prove moves a connection to those of a peer. False says that the peer has too many.
func (g *connGate) prove(c *gatedConn, peer string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case c.peer == peer:
		return true
	case c.place == nil: // closed or pushed out already
		return false
	case g.byPeer[peer] >= g.perPeer:
		return false
	}
	g.provenLocked(c)
	c.peer = peer
	g.byPeer[peer]++
	c.settle()
	return true
}

// leaveLocked gives the place of a connection back, once.
func (g *connGate) leaveLocked(c *gatedConn) {
	switch {
	case c.place != nil:
		g.provenLocked(c)
	case c.peer != "":
		if g.byPeer[c.peer]--; g.byPeer[c.peer] == 0 {
			delete(g.byPeer, c.peer)
		}
		c.peer = ""
	default:
		return
	}
	g.open--
}

// stop closes the unproven connections, for which Shutdown would wait as if a request
// were under way, and each that comes from now on.
func (g *connGate) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	for e := g.waiting.Front(); e != nil; e = e.Next() {
		if c, ok := e.Value.(*gatedConn); ok {
			_ = c.Conn.Close()
		}
	}
}

func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// gatedConn is a connection that has a place.
type gatedConn struct {
	net.Conn
	gate *connGate
	host string // where it comes from
	who  string // the peer of its requests; used by the goroutine that serves it alone

	settled atomic.Bool   // proven, and not reading a large body, or closed: no turns
	turn    atomic.Bool   // held
	unread  atomic.Bool   // something has come that is no request so far; for the journal
	once    sync.Once     // closes
	left    chan struct{} // when the connection is closed

	// Guarded by gate.mu; one of them is set as long as the connection has its place.
	place *list.Element // among the unproven
	peer  string        // whose it is, once proven
}

// Read ends the turn, and returns in the next one.
func (c *gatedConn) Read(p []byte) (int, error) {
	if c.settled.Load() {
		return c.Conn.Read(p)
	}
	c.rest()
	n, err := c.Conn.Read(p)
	if !c.work() {
		return 0, c.late()
	}
	return n, err
}

// Write writes between turns: the peer may not take it.
func (c *gatedConn) Write(p []byte) (int, error) {
	if c.settled.Load() {
		return c.Conn.Write(p)
	}
	c.rest()
	n, err := c.Conn.Write(p)
	if !c.work() {
		return n, c.late()
	}
	return n, err
}

// work waits for the turn; false if it does not come.
func (c *gatedConn) work() bool {
	if c.settled.Load() {
		return true
	}
	key, patience := c.host, c.gate.patience
	if c.who != "" {
		key, patience = c.who, c.gate.bodies
	}
	if !c.gate.turns.take(key, patience, c.left) {
		return c.settled.Load()
	}
	c.turn.Store(true)
	if c.settled.Load() { // while it was waited for
		c.rest()
	}
	return true
}

// late is what comes of waiting for a turn for too long.
func (c *gatedConn) late() error {
	if c.who != "" {
		return errNoTurn
	}
	return os.ErrDeadlineExceeded
}

// rest gives the turn back, if it is held.
func (c *gatedConn) rest() {
	if c.turn.CompareAndSwap(true, false) {
		c.gate.turns.give()
	}
}

// unsettle has what comes worked on in turn again: it belongs to a large body. The server may read on in a goroutine of its own when the body has ended, and
// until settle is called that one may give the turn back too early, or wait for one in vain. That does no harm: nothing is computed then.
func (c *gatedConn) unsettle() { c.settled.Store(false) }

// settle ends all turns.
func (c *gatedConn) settle() {
	c.settled.Store(true)
	c.rest()
}

// Close closes the connection and gives its place back.
func (c *gatedConn) Close() error {
	c.once.Do(func() { close(c.left) })
	c.settle()
	err := c.Conn.Close()
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.leaveLocked(c)
	return err
}

// CloseWrite lets the server end an answer in good order while the client is
// still sending what was refused.
func (c *gatedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
