package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// PacketConn is what a transport needs of a packet socket. *net.UDPConn has it.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	SetReadDeadline(t time.Time) error
	Close() error
}

// infoConn is a PacketConn that knows how a datagram came in.
type infoConn interface {
	readInfo(b []byte) (n int, d Datagram, err error)
}

// PacketTransport is a Transport over two packet sockets: one is bound to the port of the
// group and has joined it, the other has a port of its own, from which everything is sent
// and to which answers come.
type PacketTransport struct {
	receive, send PacketConn
	group         netip.AddrPort
	zone          string // name of the interface that both are on, if they are on one
	serving       atomic.Bool
}

// NewPacketTransport returns a transport over two sockets, which it closes in the end. group
// is where multicast messages go.
func NewPacketTransport(receive, send PacketConn, group netip.AddrPort) *PacketTransport {
	return &PacketTransport{receive: receive, send: send, group: group}
}

// maxReceive bounds a received datagram in bytes. Peers may send more than MaxDatagram
// allows; one that is beyond this bound is dropped, and told of.
const maxReceive = 16 << 10

// readBuffer holds any datagram there is: some systems fail to read what they must cut.
const readBuffer = 1 << 16

// How many reads may fail one after the other, and the pause after each.
const (
	maxReadErrors  = 100
	readErrorPause = 50 * time.Millisecond
)

// Multicast implements Transport.
func (t *PacketTransport) Multicast(data []byte) error { return t.Unicast(t.group, data) }

// Unicast implements Transport.
func (t *PacketTransport) Unicast(to netip.AddrPort, data []byte) error {
	_, err := t.send.WriteToUDPAddrPort(data, to)
	return err
}

// Close implements Transport.
func (t *PacketTransport) Close() error {
	return errors.Join(t.receive.Close(), t.send.Close())
}

// Serve implements Transport.
func (t *PacketTransport) Serve(ctx context.Context, handle func(Datagram)) error {
	if !t.serving.CompareAndSwap(false, true) {
		return errors.New("transport is served already")
	}
	defer t.serving.Store(false)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	serial := func(d Datagram) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			d.Zone = t.zone
			handle(d)
		}
	}
	conns := []PacketConn{t.receive, t.send}
	errs := make([]error, len(conns))
	var readers sync.WaitGroup
	for i, c := range conns {
		readers.Go(func() {
			woken := make(chan struct{})
			stop := context.AfterFunc(ctx, func() {
				_ = c.SetReadDeadline(time.Unix(1, 0)) // a closed socket needs no waking
				close(woken)
			})
			errs[i] = read(ctx, c, i == 0, serial)
			cancel() // one socket does not go without the other
			if !stop() {
				<-woken
			}
			_ = c.SetReadDeadline(time.Time{}) // for the next Serve
		})
	}
	readers.Wait()
	return errors.Join(errs...)
}

// read passes datagrams on until ctx ends (nil) or the socket does not work any more.
func read(ctx context.Context, c PacketConn, group bool, handle func(Datagram)) error {
	buf := make([]byte, readBuffer)
	info, _ := c.(infoConn)
	failures := 0
	for {
		var n int
		d := Datagram{Multicast: group}
		var err error
		if info != nil {
			n, d, err = info.readInfo(buf)
		} else {
			n, d.From, err = c.ReadFromUDPAddrPort(buf)
		}
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end was asked for, and the error is how it shows
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("discovery socket: %w", err)
		case err != nil:
			// Some systems report here what an earlier datagram met, such as a closed port.
			if failures++; failures > maxReadErrors {
				return fmt.Errorf("discovery socket: %w", err)
			}
			pause(ctx, readErrorPause)
			continue
		}
		failures = 0
		if !d.From.IsValid() || d.From.Port() == 0 {
			continue
		}
		d.From = netip.AddrPortFrom(d.From.Addr().Unmap(), d.From.Port())
		if n > maxReceive {
			d.Oversize = n
		} else {
			d.Data = buf[:n]
		}
		handle(d)
	}
}

// pause waits, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
