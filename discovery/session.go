package discovery

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// session is a client's dealing with discovery proxies: it subscribes to Hello and Bye, asks what
// is present, and falls back to multicast while no proxy can be reached (SDPi R1023, R1024).
type session struct {
	c       *Client
	proxies *proxies
	decided chan struct{} // closed when the first attempt has succeeded or failed
	ask     chan struct{} // holds one token when there is another Watch
	lost    chan error    // holds one error when a request to the proxy has failed
}

func newSession(c *Client, cfg ManagedConfig) *session {
	return &session{
		c: c, proxies: newProxies(cfg), decided: make(chan struct{}),
		ask: make(chan struct{}, 1), lost: make(chan error, 1),
	}
}

// settle is how long devices may take to register anew after the proxy has been away. Only
// then those that it does not list are believed to be gone.
const (
	settle     = 2*helloEvery + 10*time.Second
	leaveProxy = 2 * time.Second // bounds the Unsubscribe
)

func (s *session) run(ctx context.Context) {
	if s.proxies.cfg.Learn && s.proxies.cfg.URL == "" {
		findProxies(s.c.node)
	}
	b := backoff{lo: s.proxies.cfg.RetryMin, hi: s.proxies.cfg.RetryMax}
	first := true
	for ctx.Err() == nil {
		proxy, ok := s.proxies.current()
		err := errNoProxy
		if ok {
			err = s.attend(ctx, proxy, func() {
				b.reset()
				s.proxies.set(proxy.url, nil)
				if first {
					close(s.decided)
					first = false
				}
			})
			if ctx.Err() != nil {
				return
			}
			s.proxies.failed(proxy.url)
		}
		was := s.proxies.managed()
		s.proxies.set("", err)
		if first {
			close(s.decided)
			first = false
		} else if was {
			s.c.log.Info("discovery is ad hoc", "proxy", proxy.url, "error", err)
			if err := s.c.probeGroup(); err != nil {
				s.c.log.Warn("Probe not sent", "error", err)
			}
		}
		retry := time.NewTimer(b.pause())
		if !ok {
			retry.Stop() // until one makes itself known
		}
		select {
		case <-retry.C:
		case <-s.proxies.news:
		case <-ctx.Done():
		}
		retry.Stop()
	}
}

// attend keeps in touch with a proxy until it is lost; ready is called once it works.
func (s *session) attend(ctx context.Context, proxy proxyLink, ready func()) error {
	select {
	case err := <-s.lost:
		s.c.log.Debug("an earlier failure", "error", err)
	default:
	}
	var ended <-chan struct{}
	var sub *eventing.Subscription
	if sink := s.proxies.cfg.Sink; sink != nil {
		asking, cancel := context.WithTimeout(ctx, proxy.timeout)
		var err error
		sub, err = sink.Subscribe(asking, eventing.Request{
			Source: soap.NewEndpoint(proxy.url), Dialect: DialectProxy, Filter: soap.RawBody(ActionHello + " " + ActionBye),
			Expires: proxyExpires, Notify: s.notify,
		})
		cancel()
		if err != nil {
			return err
		}
		ended = sub.Done()
		defer func() {
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(proxy.timeout, leaveProxy))
			defer cancel()
			_ = sub.Unsubscribe(leaving) // it expires by itself
		}()
	}
	present, err := s.probe(ctx, proxy)
	if err != nil {
		return err
	}
	ready()
	absent, settled := s.c.absent(present), false
	reconcile := time.NewTimer(settle)
	defer reconcile.Stop()
	poll := time.NewTimer(pollProxy)
	defer poll.Stop()
	if sub != nil {
		poll.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			return sub.Err()
		case err := <-s.lost:
			return err
		case <-s.ask:
			if _, err := s.probe(ctx, proxy); err != nil {
				return err
			}
		case <-reconcile.C:
			settled = true
			if len(absent) == 0 {
				continue
			}
			present, err := s.probe(ctx, proxy)
			if err != nil {
				return err
			}
			s.c.depart(absent, present)
		case <-poll.C:
			known := s.c.present()
			present, err := s.probe(ctx, proxy)
			if err != nil {
				return err
			}
			if settled {
				s.c.depart(known, present)
			}
			poll.Reset(between(pollProxy, pollProxy+pollProxy/4))
		}
	}
}

// probe asks for what every Watch looks for and hands over the answers. It returns what is present.
func (s *session) probe(ctx context.Context, proxy proxyLink) (map[string]bool, error) {
	present := map[string]bool{}
	for _, f := range s.c.filters() {
		found, err := proxy.probe(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			present[e.EPR] = true
			s.c.take(kindProbeMatches, e, appSequence{}, false)
		}
	}
	return present, nil
}

// notify takes a Hello or Bye that the proxy passes on.
func (s *session) notify(_ context.Context, r *soap.Request) error {
	k := kindHello
	switch r.Header.Action {
	case ActionHello:
	case ActionBye:
		k = kindBye
	default:
		return soap.ActionNotSupported(r.Header.Action)
	}
	a, err := decodeAnnouncement(r.Envelope, k)
	if err != nil {
		return err
	}
	var seq appSequence
	if a.Sequence != nil {
		seq = appSequence{a.Sequence.Instance, a.Sequence.Number}
	}
	s.c.take(k, a.Endpoint, seq, a.Sequence != nil)
	return nil
}

// use is the proxy if discovery is managed. It waits for the first attempt to be decided.
func (s *session) use(ctx context.Context) (proxyLink, bool) {
	if s == nil {
		return proxyLink{}, false
	}
	select {
	case <-s.decided:
	case <-ctx.Done():
		return proxyLink{}, false
	case <-s.c.done:
		return proxyLink{}, false
	}
	if !s.proxies.managed() {
		return proxyLink{}, false
	}
	return s.proxies.current()
}

// failed tells that a request to the proxy has failed, unless that was the caller's doing or the
// proxy's own answer.
func (s *session) failed(ctx context.Context, err error) {
	var f *soap.Fault
	if ctx.Err() != nil || errors.As(err, &f) {
		return
	}
	select {
	case s.lost <- err:
	default:
	}
}
