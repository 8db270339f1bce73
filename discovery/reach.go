package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/internal/localnet"
)

// reach is a transport over several interfaces and both IP families. Each link, that is each
// address of ours that is used, has sockets of its own; links come and go with the interfaces.
type reach struct {
	cfg UDPConfig
	log *slog.Logger

	mu     sync.Mutex
	links  []*link
	closed bool
	wg     sync.WaitGroup // readers of links
	handle func(*link, Datagram)
	came   func() // told when links have come; set before Serve
}

// link is one of our addresses with its sockets.
type link struct {
	*PacketTransport
	localnet.Place
	cancel context.CancelFunc // ends its readers; nil while nobody serves
}

// newReach opens the links that there are. No link at all is an error only if addresses are named.
func newReach(cfg UDPConfig, log *slog.Logger) (*reach, error) {
	r := &reach{cfg: cfg, log: log}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	_, _, err := r.update()
	if err != nil && len(r.links) == 0 {
		return nil, err
	}
	return r, nil
}

// update opens links that have come and closes those that have gone. The error says which cannot be opened.
func (r *reach) update() (came, went bool, err error) {
	now, err := localnet.Places(r.cfg.Addresses, r.cfg.Interfaces)
	if err != nil {
		return false, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false, false, net.ErrClosed
	}
	var kept []*link
	for _, l := range r.links {
		if slices.ContainsFunc(now, func(p localnet.Place) bool { return p.Addr == l.Addr && p.Interface.Index == l.Interface.Index }) {
			kept = append(kept, l)
			continue
		}
		r.log.Info("discovery leaves an address", "address", l.Addr, "interface", l.Interface.Name)
		l.stop()
		went = true
	}
	var errs []error
	for _, p := range now {
		if slices.ContainsFunc(kept, func(l *link) bool { return l.Addr == p.Addr }) {
			continue
		}
		t, err := openLink(p.Addr, &p.Interface, r.cfg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l := &link{PacketTransport: t, Place: p}
		r.log.Info("discovery uses an address", "address", l.Addr, "interface", l.Interface.Name)
		kept = append(kept, l)
		r.serveLocked(l)
		came = true
	}
	r.links = kept
	return came, went, errors.Join(errs...)
}

func (l *link) stop() {
	if l.cancel != nil {
		l.cancel()
	}
	_ = l.PacketTransport.Close() // nothing can be done about it
}

// serveLocked begins to read from a link if somebody serves.
func (r *reach) serveLocked(l *link) {
	if r.handle == nil || l.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	handle := r.handle
	r.wg.Go(func() {
		if err := l.Serve(ctx, func(d Datagram) { handle(l, d) }); err != nil && ctx.Err() == nil {
			r.log.Warn("discovery on an address has ended", "address", l.Addr, "error", err)
		}
	})
}

// Serve implements Transport. It also watches the interfaces.
func (r *reach) Serve(ctx context.Context, handle func(Datagram)) error {
	var one sync.Mutex
	r.mu.Lock()
	if r.handle != nil {
		r.mu.Unlock()
		return errors.New("transport is served already")
	}
	r.handle = func(l *link, d Datagram) {
		one.Lock()
		defer one.Unlock()
		if ctx.Err() == nil {
			d.Local, d.Zone = l.Addr, l.Interface.Name
			handle(d)
		}
	}
	for _, l := range r.links {
		r.serveLocked(l)
	}
	r.mu.Unlock()
	poll := time.NewTicker(localnet.PollEvery)
	defer poll.Stop()
	var err error
	for err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-poll.C:
			came, went, updateErr := r.update()
			if errors.Is(updateErr, net.ErrClosed) {
				err = updateErr
			} else if updateErr != nil {
				r.log.Debug("an address cannot be used", "error", updateErr)
			}
			if (came || went) && r.cfg.Changed != nil {
				r.cfg.Changed(r.addresses())
			}
			if came && r.came != nil {
				r.came()
			}
		}
	}
	r.mu.Lock()
	r.handle = nil
	for _, l := range r.links {
		if l.cancel != nil {
			l.cancel()
			l.cancel = nil
		}
	}
	r.mu.Unlock()
	r.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *reach) addresses() []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []netip.Addr
	for _, l := range r.links {
		out = append(out, l.Addr)
	}
	return out
}

// Multicast implements Transport: the datagram leaves by every link. It is an error if it leaves by none.
func (r *reach) Multicast(data []byte) error {
	return r.multicastEach(func(netip.Addr) []byte { return data })
}

// multicastEach sends by every link what build makes for its address.
func (r *reach) multicastEach(build func(local netip.Addr) []byte) error {
	r.mu.Lock()
	links := slices.Clone(r.links)
	r.mu.Unlock()
	errs, sent := []error{}, false
	for _, l := range links {
		if err := l.Multicast(build(l.Addr)); err != nil {
			errs = append(errs, fmt.Errorf("from %s: %w", l.Addr, err))
		} else {
			sent = true
		}
	}
	if sent {
		return nil
	}
	return errors.Join(append(errs, ErrNoLink)...)
}

// ErrNoLink says that there is no interface by which a datagram could be sent: there is none, or none of those in use carries multicast.
var ErrNoLink = errors.New("no interface to send by")

// Unicast implements Transport: by the link that is on the peer's own network, or by the first of its IP family, from which
// it is routed.
func (r *reach) Unicast(to netip.AddrPort, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *link
	for _, l := range r.links {
		if l.Addr.Is4() != to.Addr().Is4() || to.Addr().IsLoopback() != l.Addr.IsLoopback() {
			continue
		}
		near := l.On(to.Addr())
		if best == nil || near {
			best = l
		}
		if near {
			break
		}
	}
	if best == nil {
		return fmt.Errorf("to %s: %w", to, ErrNoLink)
	}
	return best.Unicast(to, data)
}

// Close implements Transport.
func (r *reach) Close() error {
	r.mu.Lock()
	r.closed = true
	links := r.links
	r.links = nil
	for _, l := range links {
		l.stop()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return nil
}

// forLink is an endpoint as those see it who talk to us by one of our addresses: that one comes first, then those of the same IP
// family. Link-local addresses of other links are left out, as nobody could use them. Without an address of ours, as for a
// discovery proxy, all link-local ones are, unless there is nothing else.
func forLink(e Endpoint, local netip.Addr) Endpoint {
	if len(e.XAddrs) < 2 {
		return e
	}
	local = local.Unmap()
	ours := func(ip netip.Addr) bool { return ip == local || ip.Zone() == "" && ip == local.WithZone("") }
	var kept []string
	for _, x := range e.XAddrs {
		if ip := localnet.Host(x); !localnet.NeedsZone(ip) || ours(ip) {
			kept = append(kept, x)
		}
	}
	if kept == nil {
		return e
	}
	rank := func(x string) int {
		switch ip := localnet.Host(x); {
		case !local.IsValid() || !ip.IsValid():
			return 2
		case ours(ip):
			return 0
		case ip.Is4() == local.Is4():
			return 1
		}
		return 2
	}
	slices.SortStableFunc(kept, func(a, b string) int { return rank(a) - rank(b) })
	e.XAddrs = kept
	return e
}
