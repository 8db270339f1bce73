package web

import (
	"net"
	"sync"
)

// Bounds on connections: browsers open half a dozen each. What is silent holds a descriptor of the station, which needs them for devices.
const (
	maxConns      = 256
	maxConnsOfOne = 128 // of one address: it may be that of a proxy before all browsers
)

// bounded closes connections beyond the bounds at once.
type bounded struct {
	net.Listener

	mu     sync.Mutex
	open   int
	byHost map[string]int
}

func bound(l net.Listener) *bounded { return &bounded{Listener: l, byHost: make(map[string]int)} }

// Accept waits for a connection within the bounds.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			host = c.RemoteAddr().String()
		}
		if b.enter(host) {
			return &boundConn{Conn: c, leave: sync.OnceFunc(func() { b.leave(host) })}, nil
		}
		_ = c.Close()
	}
}

func (b *bounded) enter(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open >= maxConns || b.byHost[host] >= maxConnsOfOne {
		return false
	}
	b.open++
	b.byHost[host]++
	return true
}

func (b *bounded) leave(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if b.byHost[host]--; b.byHost[host] == 0 {
		delete(b.byHost, host)
	}
}

// boundConn gives its place back when it is closed.
type boundConn struct {
	net.Conn
	leave func()
}

func (c *boundConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite lets the server end an answer in good order while the browser is still sending.
func (c *boundConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
