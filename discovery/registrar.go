package discovery

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"
)

// registrar announces a target at a discovery proxy, and by multicast while none can be reached
// (SDPi R1021, R1022).
type registrar struct {
	t       *Target
	node    *node
	proxies *proxies
	due     chan struct{} // holds one token when Hello is due
	// lately is the proxy that has had a Hello, for the Bye. Used by run, and after its end.
	lately    proxyLink
	multicast atomic.Bool // the group has had a Hello
}

func newRegistrar(t *Target, n *node) *registrar {
	return &registrar{t: t, node: n, proxies: t.proxies, due: make(chan struct{}, 1)}
}

// run says Hello whenever it is due until ctx ends.
func (r *registrar) run(ctx context.Context) {
	b := backoff{lo: r.proxies.cfg.RetryMin, hi: r.proxies.cfg.RetryMax}
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	for {
		due := false
		select {
		case <-ctx.Done():
			return
		case <-r.due:
			due = true
		case <-r.proxies.news:
		case <-retry.C:
		}
		was := r.proxies.managed()
		proxy, err := r.hello(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			b.reset()
			retry.Stop()
			r.lately = proxy
			r.proxies.set(proxy.url, nil)
			continue
		}
		r.proxies.failed(proxy.url)
		r.proxies.set("", err)
		if (due || was) && !r.proxies.cfg.KeepAdHoc {
			r.t.log.Info("announced ad hoc", "error", err)
			if err := r.group(r.t.current()); err != nil {
				r.t.log.Warn("Hello not sent", "error", err)
			}
		}
		if proxy.url != "" {
			retry.Reset(b.pause())
		}
	}
}

func (r *registrar) hello(ctx context.Context) (proxyLink, error) {
	proxy, ok := r.proxies.current()
	if !ok {
		return proxy, errNoProxy
	}
	return proxy, proxy.say(ctx, body{kind: kindHello, endpoints: []Endpoint{forLink(r.t.current(), netip.Addr{})}}, r.node.nextSequence())
}

// group says Hello by multicast.
func (r *registrar) group(e Endpoint) error {
	r.multicast.Store(true)
	_, err := r.node.multicast(body{kind: kindHello, endpoints: []Endpoint{e}}, nil)
	return err
}

// bye says Bye to the proxy, if it has had a Hello. It works after run and takes at most
// the RequestTimeout.
func (r *registrar) bye() {
	if r.lately.url == "" {
		return
	}
	err := r.lately.say(context.Background(), body{kind: kindBye, endpoints: []Endpoint{{EPR: r.t.cfg.Endpoint.EPR}}}, r.node.nextSequence())
	if err != nil {
		r.t.log.Warn("Bye not said to the discovery proxy", "proxy", r.lately.url, "error", err)
	}
}

// findProxies asks the group for proxies, once.
func findProxies(n *node) {
	_, err := n.multicast(body{kind: kindProbe, filter: Filter{Types: []Name{wsd("DiscoveryProxy")}}}, nil)
	n.check(err)
}
