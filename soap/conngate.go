package soap

import (
	"container/list"
	"log/slog"
	"net"
	"sync"
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
// Waiting in line is no choice: it would let whoever is greedy starve the others.
type connGate struct {
	net.Listener
	total, perPeer, unproven int
	log                      *slog.Logger

	mu      sync.Mutex
	open    int
	waiting list.List // of *gatedConn, unproven, oldest first
	byPeer  map[string]int
	stopped bool
}

func newConnGate(l net.Listener, cfg *ServerConfig, log *slog.Logger) *connGate {
	return &connGate{
		Listener: l, total: cfg.MaxConns, perPeer: cfg.MaxConnsPerPeer, unproven: cfg.MaxUnproven, log: log,
		byPeer: make(map[string]int),
	}
}

// Accept returns the next connection for which there is room.
func (g *connGate) Accept() (net.Conn, error) {
	for {
		raw, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &gatedConn{Conn: raw, gate: g}
		out, ok := g.take(c)
		if out != nil {
			g.log.Debug("connection without a request made room for another", "peer", out.RemoteAddr())
			_ = out.Conn.Close() // its server goroutine notices, and gives the place back
		}
		if ok {
			return c, nil
		}
		g.log.Warn("connection refused: too many are open", "peer", hostOf(raw.RemoteAddr()))
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
		oldest := g.waiting.Front()
		if oldest == nil {
			return nil, false
		}
		out, _ = oldest.Value.(*gatedConn)
		g.leaveLocked(out)
	}
	g.open++
	c.place = g.waiting.PushBack(c)
	return out, true
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
	g.waiting.Remove(c.place)
	c.place, c.peer = nil, peer
	g.byPeer[peer]++
	return true
}

// leaveLocked gives the place of a connection back, once.
func (g *connGate) leaveLocked(c *gatedConn) {
	switch {
	case c.place != nil:
		g.waiting.Remove(c.place)
		c.place = nil
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
	who  string // the peer of its requests; used by the goroutine that serves it alone

	// Guarded by gate.mu; one of them is set as long as the connection has its place.
	place *list.Element // among the unproven
	peer  string        // whose it is, once proven
}

// Close closes the connection and gives its place back.
func (c *gatedConn) Close() error {
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
