package discovery

import (
	"context"
	"net"
	"net/netip"
	"sync"
)

// Silence is a [Transport] without a network: nothing that is sent on it arrives anywhere, and nothing is ever heard. It is for participants
// whose peers know their address or ask a discovery proxy, where sockets for multicast are not to be opened.
type Silence struct {
	once   sync.Once
	closed chan struct{}
}

// NewSilence makes one. As with other transports, closing it is the business of whoever makes it.
func NewSilence() *Silence { return &Silence{closed: make(chan struct{})} }

// Serve implements [Transport]: it waits until ctx ends, or with [net.ErrClosed] until the transport is closed.
func (s *Silence) Serve(ctx context.Context, _ func(Datagram)) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.closed:
		return net.ErrClosed
	}
}

// Multicast implements [Transport]; it sends nothing.
func (*Silence) Multicast([]byte) error { return nil }

// Unicast implements [Transport]; it sends nothing.
func (*Silence) Unicast(netip.AddrPort, []byte) error { return nil }

// Close implements [Transport].
func (s *Silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
