package soap

import (
	"log/slog"
	"net"
	"sync"
)

// limitListener closes connections beyond a total or beyond a share of one peer
// at once: waiting in line would let whoever is greedy starve the others.
type limitListener struct {
	net.Listener
	total, perPeer int
	log            *slog.Logger

	mu     sync.Mutex
	open   int
	byPeer map[string]int
}

func newLimitListener(l net.Listener, total, perPeer int, log *slog.Logger) net.Listener {
	return &limitListener{Listener: l, total: total, perPeer: perPeer, log: log, byPeer: make(map[string]int)}
}

// Accept returns the next connection within the limits.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := hostOf(conn.RemoteAddr())
		if l.take(peer) {
			return &limitedConn{Conn: conn, done: sync.OnceFunc(func() { l.release(peer) })}, nil
		}
		l.log.Warn("connection refused: too many are open", "peer", peer)
		_ = conn.Close()
	}
}

func (l *limitListener) take(peer string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.total || l.byPeer[peer] >= l.perPeer {
		return false
	}
	l.open++
	l.byPeer[peer]++
	return true
}

func (l *limitListener) release(peer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.byPeer[peer]--; l.byPeer[peer] == 0 {
		delete(l.byPeer, peer)
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

type limitedConn struct {
	net.Conn
	done func()
}

// Close closes the connection and gives its place back.
func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.done()
	return err
}

// CloseWrite lets the server end an answer in good order while the client is
// still sending what was refused.
func (c *limitedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
