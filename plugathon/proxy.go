package plugathon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// managed is steps 1c and 1d: the device as a discovery proxy tells of it.
type managed struct {
	client    *consumer.Discovery // nil without a proxy
	transport discovery.Transport
	cancel    context.CancelFunc
	watching  sync.WaitGroup
	began     time.Time
	before    map[string]bool // what the proxy listed before the device was looked for

	mu    sync.Mutex
	proxy string                   // URL of the proxy in use
	lost  error                    // why there is none
	news  map[string]time.Duration // the first of each endpoint, since began
}

// attend begins steps 1c and 1d. The result is never nil.
func (r *run) attend(ctx context.Context) (*managed, error) {
	m := &managed{cancel: func() {}, began: time.Now(), news: map[string]time.Duration{}}
	if r.cfg.Proxy == "" || !r.wants("1c", "1d") {
		return m, nil
	}
	cfg := discovery.ClientConfig{Timing: r.cfg.Timing, MaxEndpoints: maxHeard, Logger: r.log}
	cfg.Managed.Learn = r.cfg.Proxy == sdc.LearnProxy
	if !cfg.Managed.Learn {
		cfg.Managed.URL = r.cfg.Proxy
	}
	cfg.Managed.Changed = func(proxy string, err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.proxy, m.lost = proxy, err
	}
	if r.cfg.Discovery != nil {
		var err error
		if m.transport, err = r.cfg.Discovery(); err != nil {
			return m, err
		}
		cfg.Transport = m.transport
	}
	client, err := r.cfg.Consumer.NewDiscovery(cfg)
	if err != nil {
		return m, err
	}
	m.client = client
	ctx, m.cancel = context.WithCancel(ctx)
	asking, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	found, err := client.Probe(asking, discovery.Filter{Types: discovery.DeviceTypes()}, time.Second)
	if err != nil {
		return m, err
	}
	m.before = map[string]bool{}
	for _, e := range found {
		m.before[e.EPR] = true
	}
	m.watching.Go(func() {
		for e := range client.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
			m.hear(e)
		}
	})
	return m, nil
}

// maxHeard bounds the endpoints that are noted.
const maxHeard = 10_000

// hear notes news that only a Hello can have brought: a device that was not listed before, or that has changed.
func (m *managed) hear(e discovery.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	epr := e.Endpoint.EPR
	switch {
	case m.proxy == "": // by multicast
	case e.Kind == discovery.Found && !m.before[epr], e.Kind == discovery.Changed, e.Kind == discovery.Restarted:
		if _, known := m.news[epr]; !known && len(m.news) < maxHeard {
			m.news[epr] = time.Since(m.began)
		}
	default:
	}
}

func (m *managed) close() {
	m.cancel()
	if m.client != nil {
		_ = m.client.Close() // nothing is lost by it
	}
	m.watching.Wait()
	if m.transport != nil {
		_ = m.transport.Close()
	}
}

// inUse is the proxy, or why there is none.
func (m *managed) inUse() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.proxy == "" {
		return "", fmt.Errorf("the discovery proxy cannot be reached: %w", m.lost)
	}
	return m.proxy, nil
}

// hello: step 1c.
func (m *managed) hello(epr string) verdict {
	if m.client == nil {
		return skipf("no discovery proxy")
	}
	proxy, err := m.inUse()
	if err != nil {
		return failf("%v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if after, ok := m.news[epr]; ok {
		return passf("Hello of %s by %s after %s", epr, proxy, after.Round(time.Millisecond))
	}
	return skipf("not observed: %s passed on no Hello of %s in %s; start the device, or move it, while this runs",
		proxy, epr, time.Since(m.began).Round(time.Second))
}

// answers: step 1d.
func (m *managed) answers(ctx context.Context, epr string) verdict {
	if m.client == nil {
		return skipf("no discovery proxy")
	}
	matches, err := m.client.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, time.Second)
	if err != nil {
		return failf("Probe: %v", err)
	}
	answered := false
	for _, e := range matches {
		answered = answered || e.EPR == epr
	}
	resolved, err := m.client.Resolve(ctx, epr)
	proxy, lost := m.inUse()
	switch {
	case lost != nil:
		return failf("%v", lost)
	case !answered:
		return failf("%s has no ProbeMatch of %s among %d", proxy, epr, len(matches))
	case err != nil:
		return failf("Resolve: %v", err)
	case len(resolved.XAddrs) == 0:
		return failf("the ResolveMatch of %s has no address", proxy)
	}
	return passf("ProbeMatch of %s, and ResolveMatch with %s", proxy, strings.Join(resolved.XAddrs, " "))
}
