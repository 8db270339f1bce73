package eventing

import (
	"context"
	"net"
	"sync"
	"time"
)

// gate opens connections one at a time: the next only when the last has been closed (SDPi R1001).
// The HTTP client keeps to one connection by itself, but counts one as gone a moment before it
// is closed, and it lets dials run on after their request was given up; the gate holds it to the
// letter and leaves nothing behind.
type gate struct {
	dialer  func(ctx context.Context, network, addr string) (net.Conn, error)
	timeout time.Duration
	ctx     context.Context
	cancel  context.CancelFunc
	free    chan struct{} // holds a token while no connection is open
	dials   sync.WaitGroup

	mu  sync.Mutex
	cur net.Conn
}

func newGate(ctx context.Context, dialer func(context.Context, string, string) (net.Conn, error), timeout time.Duration) *gate {
	g := &gate{dialer: dialer, timeout: timeout, free: make(chan struct{}, 1)}
	g.ctx, g.cancel = context.WithCancel(ctx)
	g.free <- struct{}{}
	return g
}

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	g.mu.Lock()
	if err := g.ctx.Err(); err != nil {
		g.mu.Unlock()
		return nil, err
	}
	g.dials.Add(1)
	g.mu.Unlock()
	defer g.dials.Done()
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	defer context.AfterFunc(g.ctx, cancel)()
	select {
	case <-g.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := g.dialer(ctx, network, addr)
	if err != nil {
		g.free <- struct{}{}
		return nil, err
	}
	gc := &gatedConn{Conn: c, gate: g}
	g.mu.Lock()
	g.cur = gc
	g.mu.Unlock()
	return gc, nil
}

// close closes the connection, ends a dial under way and waits for it. No connection is opened after it.
func (g *gate) close() {
	g.mu.Lock()
	g.cancel()
	g.mu.Unlock()
	g.dials.Wait()
	g.mu.Lock()
	cur := g.cur
	g.mu.Unlock()
	if cur != nil {
		_ = cur.Close() // what it would say comes too late for everybody
	}
}

// gatedConn tells its gate when it has been closed.
type gatedConn struct {
	net.Conn
	gate *gate
	once sync.Once
}

func (c *gatedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.gate.mu.Lock()
		if c.gate.cur == net.Conn(c) {
			c.gate.cur = nil
		}
		c.gate.mu.Unlock()
		c.gate.free <- struct{}{}
	})
	return err
}
