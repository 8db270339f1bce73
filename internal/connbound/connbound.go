// Package connbound bounds the connections of a listener that serves people and tools beside the protocol: a view in a browser, counters. What says nothing there holds a
// descriptor of the process, which needs them for devices. (soap.Server has bounds of its own, which know who is trusted.)
package connbound

import (
	"net"
	"sync"
)

// Limits are how many connections may be open. Those beyond are closed at once.
type Limits struct {
	// All bounds the connections of the listener.
	All int
	// OfOne bounds those of one IP address, which may be that of a proxy before many.
	OfOne int
}

// Listen returns l with bounds.
func Listen(l net.Listener, limits Limits) net.Listener {
	return &listener{Listener: l, limits: limits, byHost: make(map[string]int)}
}

type listener struct {
	net.Listener
	limits Limits

	mu     sync.Mutex
	open   int
	byHost map[string]int
}

// Accept waits for a connection within the bounds.
func (b *listener) Accept() (net.Conn, error) {
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
			return &conn{Conn: c, leave: sync.OnceFunc(func() { b.leave(host) })}, nil
		}
		_ = c.Close()
	}
}

func (b *listener) enter(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open >= b.limits.All || b.byHost[host] >= b.limits.OfOne {
		return false
	}
	b.open++
	b.byHost[host]++
	return true
}

func (b *listener) leave(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if b.byHost[host]--; b.byHost[host] == 0 {
		delete(b.byHost, host)
	}
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	leave func()
}

func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite lets a server end an answer in good order while the other side is still sending.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
