package misbehave

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// gate stands between a device and all its connections and datagrams. When its context ends it is open, unless the device has been killed.
type gate struct {
	ctx context.Context
	log *slog.Logger

	mu     sync.Mutex
	frozen chan struct{} // closed when the freeze under way ends; nil: there is none
	away   bool          // vanished
	dead   bool          // killed
	conns  map[*gateConn]struct{}
	held   []net.Conn // closed by their owners during a freeze, which the peer does not hear of before its end
}

func newGate(ctx context.Context, log *slog.Logger) *gate {
	return &gate{ctx: ctx, log: log, conns: map[*gateConn]struct{}{}}
}

// spells calls begin and end as the spell says until ctx ends, and end at the end as well. The first time is drawn.
func spells(ctx context.Context, s Spell, r *rand.Rand, begin, end func()) {
	defer end()
	wait := time.Duration(r.Int64N(int64(s.Every-s.For))) + 1
	for pause(ctx, wait) {
		begin()
		if !pause(ctx, s.For) {
			return
		}
		end()
		wait = s.Every - s.For
	}
}

// pause waits so long; false if ctx has ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (g *gate) freeze() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.frozen == nil && !g.dead {
		g.frozen = make(chan struct{})
		g.log.Warn("misbehaving", "deed", "freeze", "connections", len(g.conns))
	}
}

func (g *gate) thaw() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.frozen == nil {
		return
	}
	close(g.frozen)
	g.frozen = nil
	for _, c := range g.held {
		_ = c.Close() // its owner has given it up already
	}
	g.held = nil
	g.log.Warn("misbehaving no more", "deed", "freeze")
}

func (g *gate) vanish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return
	}
	g.away = true
	g.log.Warn("misbehaving", "deed", "vanish", "connections", len(g.conns))
	g.cut()
}

func (g *gate) back() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.away {
		g.away = false
		g.log.Warn("misbehaving no more", "deed", "vanish")
	}
}

// kill is vanish for good.
func (g *gate) kill() {
	g.thaw()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dead = true
	g.log.Warn("misbehaving", "deed", "restart", "connections", len(g.conns))
	g.cut()
}

// cut resets all connections. The caller holds mu.
func (g *gate) cut() {
	for c := range g.conns {
		reset(c.Conn)
	}
	clear(g.conns)
}

// reset ends a connection so that nothing of it goes on: the peer hears of it in a reset, not in an orderly end.
func reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // else it is closed in good order
	}
	_ = c.Close()
}

// pass waits for the end of a freeze; false if done was closed before.
func (g *gate) pass(done <-chan struct{}) bool {
	g.mu.Lock()
	frozen := g.frozen
	g.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-g.ctx.Done():
		case <-done:
		}
	}
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// gone tells whether the device is not on the network. The caller holds mu.
func (g *gate) gone() bool { return g.dead || g.away && g.ctx.Err() == nil }

func (g *gate) isGone() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gone()
}

// admit puts a connection behind the gate; false, and it is reset, if the device is not on the network.
func (g *gate) admit(c net.Conn) (net.Conn, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone() {
		reset(c)
		return nil, false
	}
	gc := &gateConn{Conn: c, gate: g, closed: make(chan struct{})}
	g.conns[gc] = struct{}{}
	return gc, true
}

// gateConn is a connection of the device.
type gateConn struct {
	net.Conn
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

// Read returns nothing that comes during a freeze before its end.
func (c *gateConn) Read(b []byte) (int, error) {
	if !c.gate.pass(c.closed) {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(b)
	if !c.gate.pass(c.closed) {
		return 0, net.ErrClosed
	}
	return n, err
}

// Write waits for the end of a freeze.
func (c *gateConn) Write(b []byte) (int, error) {
	if !c.gate.pass(c.closed) {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// Close ends reading and writing at once; during a freeze the peer hears of it afterwards.
func (c *gateConn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.closed)
		g := c.gate
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.conns, c)
		if g.frozen == nil {
			err = c.Conn.Close()
			return
		}
		// As many as there are connections: none comes during a freeze.
		g.held = append(g.held, c.Conn)
		err = c.Conn.SetDeadline(time.Unix(1, 0)) // ends what is being read or written
	})
	return err
}

// listener is where a device listens.
type listener struct {
	net.Listener
	gate   *gate
	once   sync.Once
	closed chan struct{}
}

// Accept takes no connection during a freeze and resets those of a device that has vanished.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.gate.pass(l.closed) {
			_ = c.Close()
			return nil, net.ErrClosed
		}
		if gc, ok := l.gate.admit(c); ok {
			return gc, nil
		}
	}
}

// Close ends it.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func (g *gate) listener(l net.Listener) net.Listener {
	return &listener{Listener: l, gate: g, closed: make(chan struct{})}
}

// dialer opens connections to subscribers as open does.
func (g *gate) dialer(open func(ctx context.Context, network, addr string) (net.Conn, error)) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !g.pass(ctx.Done()) {
			return nil, context.Cause(ctx)
		}
		if err := g.unreachable(); err != nil {
			return nil, err
		}
		c, err := open(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if gc, ok := g.admit(c); ok {
			return gc, nil
		}
		return nil, g.unreachable()
	}
}

// unreachable is why nobody can be reached; nil if they can.
func (g *gate) unreachable() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.dead:
		return context.Canceled // nothing is tried again
	case g.gone():
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	}
	return nil
}
