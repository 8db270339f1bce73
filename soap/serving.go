package soap

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
)

// serving is what one call of [Server.Serve] knows of its connections.
type serving struct {
	conns sync.WaitGroup // open connections, whoever serves them
	back  returns

	journal Journal // nil: none

	mu       sync.Mutex
	stopping bool
	lines    map[*lineServer]struct{}
}

func newServing(addr net.Addr, journal Journal) *serving {
	return &serving{
		journal: journal,
		back:    returns{addr: addr, conns: make(chan *returnedConn), closed: make(chan struct{})},
		lines:   make(map[*lineServer]struct{}),
	}
}

// peerConn is what the requests of a connection know of it.
type peerConn struct {
	conn     net.Conn        // as it was accepted, with TLS, if any
	ctx      context.Context // of the connection, without what net/http adds
	run      *serving
	gated    *gatedConn
	standing standing
	returned bool // net/http has got it back, and keeps it
}

type connKey struct{}

// connOf returns the connection of a request; nil if no server of ours has accepted it.
func connOf(r *http.Request) *peerConn {
	c, _ := r.Context().Value(connKey{}).(*peerConn)
	return c
}

// connContext lets requests find their connection.
func (v *serving) connContext(ctx context.Context, conn net.Conn) context.Context {
	if back, ok := conn.(interface{ peer() *peerConn }); ok {
		return back.peer().ctx
	}
	c := &peerConn{conn: conn, run: v}
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c.gated, _ = conn.(*gatedConn)
	c.ctx = context.WithValue(ctx, connKey{}, c)
	return c.ctx
}

// connState counts the connections. Those that are taken over are counted on.
func (v *serving) connState(conn net.Conn, st http.ConnState) {
	if v.journal != nil {
		v.noteState(conn, st)
	}
	switch st {
	case http.StateNew:
		if _, ok := conn.(interface{ peer() *peerConn }); !ok {
			v.conns.Add(1)
		}
	case http.StateClosed:
		v.conns.Done()
	default:
	}
}

// add notes a connection that is about to be taken over; false when it is too late for that.
func (v *serving) add(l *lineServer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.stopping {
		v.lines[l] = struct{}{}
	}
	return !v.stopping
}

func (v *serving) remove(l *lineServer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.lines, l)
}

// stop ends the connections that were taken over: idle ones at once, the others with the request under way.
func (v *serving) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopping = true
	for l := range v.lines {
		l.stop()
	}
}

// cut closes the connections that were taken over.
func (v *serving) cut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for l := range v.lines {
		_ = l.peer.conn.Close()
	}
}

// wait waits until all connections have ended; false when ctx ends first.
func (v *serving) wait(ctx context.Context) bool {
	ended := make(chan struct{})
	go func() {
		v.conns.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// returns is the listener through which net/http gets connections back.
type returns struct {
	addr   net.Addr
	conns  chan *returnedConn
	closed chan struct{}
	once   sync.Once
}

// give gives a connection back; false when nobody takes it any more.
func (b *returns) give(c *returnedConn) bool {
	select {
	case b.conns <- c:
		return true
	case <-b.closed:
		return false
	}
}

// Accept waits for the next connection.
func (b *returns) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		if _, ok := c.Conn.(*tls.Conn); ok {
			return returnedTLS{c}, nil
		}
		return c, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

// Close lets nothing be given back any more.
func (b *returns) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// Addr is that of the listener through which the connections came.
func (b *returns) Addr() net.Addr { return b.addr }

// returnedConn is a connection that net/http gets back, with what has been read of it.
type returnedConn struct {
	net.Conn
	in   io.Reader
	from *peerConn
}

func (c *returnedConn) peer() *peerConn { return c.from }

// Read reads, first what has been read before.
func (c *returnedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// CloseWrite is what net/http ends an answer with while a peer is still sending.
func (c *returnedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// returnedTLS tells net/http whom the connection is from.
type returnedTLS struct{ *returnedConn }

// ConnectionState is that of TLS.
func (c returnedTLS) ConnectionState() tls.ConnectionState {
	return c.Conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // Accept has seen to it
}
