// Package discoverytest is what the tests of packages above discovery have in common.
package discoverytest

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
)

// Timing has the delays of discovery as tests want them: none before Hello and matches, and short ones between repetitions.
func Timing() discovery.Timing {
	return discovery.Timing{HelloDelay: -1, MatchDelay: -1, MinDelay: 10 * time.Millisecond, MaxDelay: 20 * time.Millisecond}
}

// Silence is a discovery transport on which nothing is ever heard: for devices that are connected to by address.
type Silence struct {
	once   sync.Once
	closed chan struct{}
}

// NewSilence makes one. In a bubble of virtual time it has to be made there.
func NewSilence() *Silence { return &Silence{closed: make(chan struct{})} }

// Serve implements discovery.Transport: it waits until ctx ends or the transport is closed.
func (s *Silence) Serve(ctx context.Context, _ func(discovery.Datagram)) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.closed:
		return net.ErrClosed
	}
}

// Multicast implements discovery.Transport.
func (*Silence) Multicast([]byte) error { return nil }

// Unicast implements discovery.Transport.
func (*Silence) Unicast(netip.AddrPort, []byte) error { return nil }

// Close implements discovery.Transport.
func (s *Silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
