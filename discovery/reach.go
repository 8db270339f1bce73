package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
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
}

// link is one of our addresses with its sockets.
type link struct {
	*PacketTransport
	addr   netip.Addr // with its zone if it is link-local
	prefix netip.Prefix
	ifi    net.Interface
	cancel context.CancelFunc // ends its readers; nil while nobody serves
}

// pollLinks is how often the interfaces are looked at.
const pollLinks = 2 * time.Second

// newReach opens the links that there are. No link at all is an error only if addresses are named.
func newReach(cfg UDPConfig, log *slog.Logger) (*reach, error) {
	r := &reach{cfg: cfg, log: log}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	_, err := r.update()
	if err != nil && len(r.links) == 0 {
		return nil, err
	}
	return r, nil
}

// place is where a link could be.
type place struct {
	addr   netip.Addr
	prefix netip.Prefix
	ifi    net.Interface
}

// places lists the addresses of this host that the configuration chooses: all named ones that exist, and of each named
// interface one of each IP family, for IPv6 rather one that is routed than the link-local one.
func places(cfg UDPConfig) ([]place, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []place
	add := func(p place) {
		if !slices.ContainsFunc(out, func(o place) bool { return o.addr == p.addr }) {
			out = append(out, p)
		}
	}
	for i := range all {
		ifi := all[i]
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it may just have gone
		}
		var here []place
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			ip, _ := netip.AddrFromSlice(n.IP)
			bits, _ := n.Mask.Size()
			p := place{addr: ip.Unmap(), ifi: ifi}
			p.prefix = netip.PrefixFrom(p.addr, bits).Masked()
			if p.addr.IsLinkLocalUnicast() && p.addr.Is6() {
				p.addr = p.addr.WithZone(ifi.Name)
			}
			here = append(here, p)
		}
		// Of each family the address that reaches furthest comes first.
		slices.SortStableFunc(here, func(a, b place) int {
			return cmp.Compare(bool2int(a.addr.IsLinkLocalUnicast()), bool2int(b.addr.IsLinkLocalUnicast()))
		})
		named := slices.Contains(cfg.Interfaces, ifi.Name)
		var taken [2]bool
		for _, p := range here {
			family := bool2int(p.addr.Is6())
			switch {
			case slices.ContainsFunc(cfg.Addresses, func(a netip.Addr) bool { return a.Unmap().WithZone("") == p.addr.WithZone("") }):
				add(p)
			case named && !taken[family]:
				add(p)
			default:
				continue
			}
			taken[family] = true
		}
	}
	return out, nil
}

func bool2int(b bool) int {
	if b {
		return 1
	}
	return 0
}

// update opens links that have come and closes those that have gone. The error says which cannot be opened.
func (r *reach) update() (changed bool, err error) {
	now, err := places(r.cfg)
	if err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false, net.ErrClosed
	}
	var kept []*link
	for _, l := range r.links {
		if slices.ContainsFunc(now, func(p place) bool { return p.addr == l.addr && p.ifi.Index == l.ifi.Index }) {
			kept = append(kept, l)
			continue
		}
		r.log.Info("discovery leaves an address", "address", l.addr, "interface", l.ifi.Name)
		l.stop()
		changed = true
	}
	var errs []error
	for _, p := range now {
		if slices.ContainsFunc(kept, func(l *link) bool { return l.addr == p.addr }) {
			continue
		}
		t, err := openLink(p.addr, &p.ifi, r.cfg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l := &link{PacketTransport: t, addr: p.addr, prefix: p.prefix, ifi: p.ifi}
		r.log.Info("discovery uses an address", "address", l.addr, "interface", l.ifi.Name)
		kept = append(kept, l)
		r.serveLocked(l)
		changed = true
	}
	r.links = kept
	return changed, errors.Join(errs...)
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
			r.log.Warn("discovery on an address has ended", "address", l.addr, "error", err)
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
			d.Local = l.addr
			handle(d)
		}
	}
	for _, l := range r.links {
		r.serveLocked(l)
	}
	r.mu.Unlock()
	poll := time.NewTicker(pollLinks)
	defer poll.Stop()
	var err error
	for err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-poll.C:
			changed, updateErr := r.update()
			if errors.Is(updateErr, net.ErrClosed) {
				err = updateErr
			} else if updateErr != nil {
				r.log.Debug("an address cannot be used", "error", updateErr)
			}
			if changed && r.cfg.Changed != nil {
				r.cfg.Changed(r.addresses())
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
		out = append(out, l.addr)
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
		if err := l.Multicast(build(l.addr)); err != nil {
			errs = append(errs, fmt.Errorf("from %s: %w", l.addr, err))
		} else {
			sent = true
		}
	}
	if sent {
		return nil
	}
	return errors.Join(append(errs, errNoLink)...)
}

var errNoLink = errors.New("no interface to send by")

// Unicast implements Transport: by the link that is on the peer's own network, or by the first of its IP family, from which
// it is routed.
func (r *reach) Unicast(to netip.AddrPort, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *link
	for _, l := range r.links {
		if l.addr.Is4() != to.Addr().Is4() || to.Addr().IsLoopback() != l.addr.IsLoopback() {
			continue
		}
		near := l.prefix.Contains(to.Addr().WithZone(""))
		if zone := to.Addr().Zone(); zone != "" {
			near = l.ifi.Name == zone
		}
		if best == nil || near {
			best = l
		}
		if near {
			break
		}
	}
	if best == nil {
		return fmt.Errorf("to %s: %w", to, errNoLink)
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

// preferLocal puts those addresses first that are at one of ours, so that whoever talks to us by it can reach them, then
// those of the same IP family.
func preferLocal(e Endpoint, local netip.Addr) Endpoint {
	if len(e.XAddrs) < 2 || !local.IsValid() {
		return e
	}
	rank := func(x string) int {
		u, err := url.Parse(x)
		if err != nil {
			return 2
		}
		ip, err := netip.ParseAddr(u.Hostname())
		switch {
		case err != nil:
			return 2
		case ip.WithZone("") == local.WithZone(""):
			return 0
		case ip.Is4() == local.Is4():
			return 1
		}
		return 2
	}
	e.XAddrs = slices.Clone(e.XAddrs)
	slices.SortStableFunc(e.XAddrs, func(a, b string) int { return rank(a) - rank(b) })
	return e
}
