package sdc

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
	"github.com/semeco/go-sdc/internal/sparing"
)

// Listener is the presence of a participant on a [Network]: it accepts connections at each of its addresses, and nowhere else, and knows
// by which of them a peer reaches it. Where interfaces or several addresses are named it follows them as they come and go (SDPi R2000); all
// have the same port if they can, and an address that comes back has the one it had. Its methods may be called by several goroutines.
type Listener struct {
	network Network
	open    func(ctx context.Context, network, address string) (net.Listener, error)
	follows bool
	log     *slog.Logger
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	conns   chan net.Conn
	changed chan struct{}
	wg      sync.WaitGroup
	telling sparing.Teller // of connections that cannot be accepted

	mu    sync.Mutex
	bound []*bound // in the order in which they were named
	ports map[netip.Addr]uint16
	err   error // why nothing is accepted any more
}

// bound is one address that is listened at; it does not change.
type bound struct {
	net.Listener
	at    netip.AddrPort // with its zone
	place localnet.Place // the zero value if not known
}

// acceptErrorPause is the pause after accepting has failed for a reason that passes.
const acceptErrorPause = 50 * time.Millisecond

// Listen opens the network. open makes one listener; nil is the system's. With one of the caller's own the addresses are taken as they are
// named. ctx bounds the opening only; Close ends it. Addresses that cannot be used are an error, but where interfaces are followed only if none can be used.
func (n Network) Listen(ctx context.Context, open func(ctx context.Context, network, address string) (net.Listener, error), log *slog.Logger) (*Listener, error) {
	l := &Listener{
		network: n, open: open, follows: open == nil && n.several(), log: log,
		conns: make(chan net.Conn), changed: make(chan struct{}, 1), ports: map[netip.Addr]uint16{},
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if open == nil {
		l.open = new(net.ListenConfig).Listen
	} else if len(n.Interfaces) > 0 {
		return nil, errors.New("network: interfaces cannot be named together with a listener of one's own")
	}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	places, err := l.places()
	if err == nil {
		_, err = l.update(ctx, places)
	}
	if err == nil && len(l.bound) == 0 {
		err = fmt.Errorf("network: no interface of this host is %s", n)
	}
	if err != nil && (!l.follows || len(l.bound) == 0) {
		return nil, errors.Join(err, l.Close())
	}
	if err != nil {
		l.log.Warn("an address cannot be listened at", "error", err)
	}
	if l.follows {
		l.wg.Go(l.follow)
	}
	return l, nil
}

// places lists where to listen.
func (l *Listener) places() ([]localnet.Place, error) {
	if l.follows {
		return l.network.places()
	}
	var out []localnet.Place
	known, _ := localnet.Places(l.network.addresses(), nil) // nothing depends on it but what is preferred
	for _, a := range l.network.addresses() {
		p := localnet.Place{Addr: a}
		if i := slices.IndexFunc(known, func(k localnet.Place) bool { return k.Addr == a }); i >= 0 {
			p = known[i]
		}
		out = append(out, p)
	}
	return out, nil
}

// update listens at those places alone. The error says where it cannot.
func (l *Listener) update(ctx context.Context, places []localnet.Place) (changed bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return false, net.ErrClosed
	}
	var now []*bound
	var errs []error
	for _, p := range places {
		i := slices.IndexFunc(l.bound, func(b *bound) bool {
			return b.at.Addr() == p.Addr && b.place.Interface.Index == p.Interface.Index
		})
		if i >= 0 {
			now = append(now, l.bound[i])
			continue
		}
		b, err := l.bind(ctx, p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l.log.Debug("listening", "address", b.at)
		now, changed = append(now, b), true
		l.wg.Go(func() { l.accept(b) })
	}
	for _, b := range l.bound {
		if !slices.Contains(now, b) {
			l.log.Info("an address has gone", "address", b.at)
			_ = b.Close() // nothing can be done about it
			changed = true
		}
	}
	l.bound = now
	return changed, errors.Join(errs...)
}

// bind listens at one place, at the port it had before or that the others have if that is possible.
func (l *Listener) bind(ctx context.Context, p localnet.Place) (*bound, error) {
	ports := []uint16{l.network.ListenPort}
	if ports[0] == 0 {
		for _, port := range []uint16{l.ports[p.Addr], l.ports[netip.Addr{}]} {
			if port != 0 && !slices.Contains(ports, port) {
				ports = slices.Insert(ports, len(ports)-1, port)
			}
		}
	}
	var ln net.Listener
	var err error
	for _, port := range ports {
		if ln, err = l.open(ctx, "tcp", netip.AddrPortFrom(p.Addr, port).String()); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", p.Addr, err)
	}
	b := &bound{Listener: ln, place: p}
	if b.at, err = netip.ParseAddrPort(ln.Addr().String()); err != nil {
		return nil, errors.Join(fmt.Errorf("listen at %s: %w", p.Addr, err), ln.Close())
	}
	if p.Addr.Zone() != "" { // which the system need not tell of a listener
		b.at = netip.AddrPortFrom(p.Addr, b.at.Port())
	}
	l.ports[p.Addr] = b.at.Port()
	if l.ports[netip.Addr{}] == 0 {
		l.ports[netip.Addr{}] = b.at.Port() // what the others try
	}
	return b, nil
}

// follow looks at the interfaces from time to time.
func (l *Listener) follow() {
	poll := time.NewTicker(localnet.PollEvery)
	defer poll.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-poll.C:
		}
		l.Refresh()
	}
}

// Refresh looks at the interfaces now, for those who know that some have come or gone, and not only from time to time.
func (l *Listener) Refresh() {
	if !l.follows {
		return
	}
	places, err := l.places()
	if err != nil {
		l.log.Warn("the interfaces cannot be looked at", "error", err)
		return
	}
	changed, err := l.update(l.ctx, places)
	if err != nil {
		l.log.Debug("an address cannot be listened at", "error", err)
	}
	if changed {
		l.tell()
	}
}

func (l *Listener) tell() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// accept takes connections at one address until it is given up.
func (l *Listener) accept(b *bound) {
	for {
		c, err := b.Accept()
		if err == nil {
			select {
			case l.conns <- c:
			case <-l.ctx.Done():
				_ = c.Close()
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil {
			return
		}
		// Out of file descriptors, for example; others may close some.
		var passing interface{ Temporary() bool }
		if !errors.As(err, &passing) || !passing.Temporary() {
			l.drop(b, err)
			return
		}
		if ok, untold := l.telling.Tell(time.Now()); ok {
			l.log.Warn("a connection cannot be accepted", "address", b.at, "error", err, "untold", untold)
		}
		pause := time.NewTimer(acceptErrorPause)
		select {
		case <-pause.C:
		case <-l.ctx.Done():
			pause.Stop()
			return
		}
	}
}

// drop gives up an address that does not work. It is tried anew if the addresses are followed.
func (l *Listener) drop(b *bound, err error) {
	l.log.Error("nothing is accepted any more", "address", b.at, "error", err)
	_ = b.Close()
	l.mu.Lock()
	l.bound = slices.DeleteFunc(slices.Clone(l.bound), func(o *bound) bool { return o == b })
	if len(l.bound) == 0 && !l.follows {
		l.err = err
		l.cancel()
	}
	l.mu.Unlock()
	l.tell()
}

// Accept returns the next connection at any of the addresses.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.err != nil {
			return nil, l.err
		}
		return nil, net.ErrClosed
	}
}

// Close gives all addresses back and waits for what it has started.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.cancel()
	var errs []error
	for _, b := range l.bound {
		errs = append(errs, b.Close())
	}
	l.bound = nil
	l.mu.Unlock()
	l.wg.Wait()
	return errors.Join(errs...)
}

// Addr is the first of the addresses, the zero TCPAddr if there is none.
func (l *Listener) Addr() net.Addr {
	if at := l.Addrs(); len(at) > 0 {
		return net.TCPAddrFromAddrPort(at[0])
	}
	return new(net.TCPAddr)
}

// Addrs are the addresses listened at now, link-local ones with their zone.
func (l *Listener) Addrs() []netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]netip.AddrPort, len(l.bound))
	for i, b := range l.bound {
		out[i] = b.at
	}
	return out
}

// Changed has a token when Addrs may have changed.
func (l *Listener) Changed() <-chan struct{} { return l.changed }

// URLs are the addresses as URLs without a path, for use on this host: link-local ones have their zone, which is not for others.
func (l *Listener) URLs(scheme string) []string {
	var out []string
	for _, at := range l.Addrs() {
		out = append(out, baseURL(scheme, at.Addr(), at.Port()))
	}
	return out
}

func baseURL(scheme string, a netip.Addr, port uint16) string {
	u := scheme + "://" + localnet.URLHost(netip.AddrPortFrom(a, port))
	return localnet.Complete(u, a.Zone())
}

// URLsAt are the addresses as URLs without a path, for a peer that is connected to one of them: that one comes first. There is always one.
func (l *Listener) URLsAt(scheme string, local netip.AddrPort) []string {
	all := l.Addrs()
	i := slices.Index(all, local)
	switch {
	case i > 0:
		all = slices.Insert(slices.Delete(all, i, i+1), 0, local)
	case len(all) == 0: // the last has just gone
		all = []netip.AddrPort{local}
	}
	out := make([]string, len(all))
	for i, at := range all {
		out[i] = scheme + "://" + localnet.URLHost(at)
	}
	return out
}

// URLFor is the address, as a URL without a path, by which the peer at a URL reaches this participant. With [Listener.LocalFor] it is also the one
// that connections to the peer come from.
func (l *Listener) URLFor(ctx context.Context, scheme, peer string) string {
	b := l.nearest(ctx, localnet.Host(peer))
	if b == nil {
		return ""
	}
	return scheme + "://" + localnet.URLHost(b.at)
}

// LocalFor is the address to connect to a peer, "address:port", from, so that it is the one by which the peer reaches this participant:
// peers expect both to be the same. It is nil where the system chooses that one by itself, or no address is on the peer's network.
func (l *Listener) LocalFor(ctx context.Context, address string) net.Addr {
	to, err := netip.ParseAddrPort(address)
	if err != nil || to.Addr().IsLoopback() {
		return nil
	}
	b := l.nearest(ctx, to.Addr())
	if b == nil || !b.place.On(to.Addr().Unmap()) {
		return nil
	}
	if source, err := localnet.Source(ctx, to.Addr()); err != nil || source == b.at.Addr() {
		return nil
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.at.Addr(), 0))
}

// nearest is the address from which a peer is best talked to: the system's choice, else one on the peer's own network, else one of the
// interface that the system takes, else one of the IP family, else any. nil if there is none at all.
func (l *Listener) nearest(ctx context.Context, peer netip.Addr) *bound {
	l.mu.Lock()
	all := slices.Clone(l.bound)
	l.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	if len(all) == 1 || !peer.IsValid() {
		return all[0]
	}
	peer = peer.Unmap()
	source, err := localnet.Source(ctx, peer)
	rank := func(b *bound) int {
		switch a := b.at.Addr().Unmap(); {
		case err == nil && a == source:
			return 0
		case b.place.On(peer):
			return 1
		case err == nil && a.Is4() == peer.Is4() && b.place.On(source):
			return 2
		case a.Is4() == peer.Is4() && a.IsLoopback() == peer.IsLoopback():
			return 3
		case a.Is4() == peer.Is4():
			return 4
		}
		return 5
	}
	return slices.MinFunc(all, func(a, b *bound) int { return rank(a) - rank(b) })
}
