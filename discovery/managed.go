package discovery

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// ManagedConfig turns managed discovery on: presence is announced to and asked from a discovery
// proxy, over HTTP(S), in the place of multicast (the managed discovery option of SDPi). While no
// proxy can be reached discovery is ad hoc (SDPi R1022, R1024), and the proxy is tried again with
// growing pauses. The zero value is ad hoc discovery alone.
type ManagedConfig struct {
	// URL is the address of the proxy.
	URL string
	// Learn uses a proxy that makes itself known by multicast when URL is empty. Who may pose as
	// a proxy is up to Client: with TLS, to whom its configuration trusts.
	Learn bool
	// Client reaches the proxy; required if URL or Learn is set. It belongs to the caller.
	Client *soap.Client
	// Sink receives the notifications of the proxy; it is for a [Client], needed by Watch. Without it
	// a Watch asks the proxy every half minute or so.
	Sink *eventing.Sink
	// KeepAdHoc goes on with multicast while there is a proxy: a target says Hello and Bye both
	// ways, a client believes both. Otherwise a client in managed mode believes the proxy alone,
	// so that nobody can forge a Bye.
	KeepAdHoc bool
	// RequestTimeout bounds one exchange with the proxy; 0 is 5 s.
	RequestTimeout time.Duration
	// RetryMin and RetryMax bound the pause before a proxy is tried again: it doubles from the one
	// to the other, and half of it is random. 0 is 1 s and 60 s.
	RetryMin, RetryMax time.Duration
	// Changed, if set, is told when discovery becomes managed (the URL of the proxy) or ad hoc
	// ("" and why). It must return soon.
	Changed func(proxy string, err error)
}

// Bounds of managed discovery.
const (
	defaultProxyTimeout = 5 * time.Second
	firstRetry          = time.Second
	lastRetry           = time.Minute
	maxLearnt           = 4                // proxies remembered, the latest
	proxyExpires        = 30 * time.Second // duration of subscriptions at the proxy
	pollProxy           = 30 * time.Second // without a sink
)

func (c ManagedConfig) enabled() bool { return c.URL != "" || c.Learn }

func (c ManagedConfig) withDefaults() (ManagedConfig, error) {
	if !c.enabled() {
		return c, nil
	}
	if c.Client == nil {
		return c, errors.New("managed discovery needs a Client to reach the proxy")
	}
	if c.URL != "" {
		if _, err := c.Client.Sender(c.URL); err != nil {
			return c, err
		}
	}
	def := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.RequestTimeout, defaultProxyTimeout)
	def(&c.RetryMin, firstRetry)
	def(&c.RetryMax, lastRetry)
	return c, nil
}

// backoff is the pause between attempts.
type backoff struct {
	lo, hi, next time.Duration
}

func (b *backoff) reset() { b.next = 0 }

// pause returns the next pause: at least half of it fixed, the rest random.
func (b *backoff) pause() time.Duration {
	b.next = min(max(2*b.next, b.lo), max(b.hi, b.lo))
	return b.next/2 + rand.N(b.next/2+1)
}

// proxies says which proxy to use: the configured one, or one that made itself known.
type proxies struct {
	cfg  ManagedConfig
	news chan struct{} // holds one token when another proxy is to be tried

	mu     sync.Mutex
	learnt []learntProxy // the latest first
	mode   string        // URL of the proxy in use, "" if ad hoc
	told   bool          // Changed has been called
}

type learntProxy struct{ epr, url string }

func newProxies(cfg ManagedConfig) *proxies {
	return &proxies{cfg: cfg, news: make(chan struct{}, 1)}
}

// current is the proxy to try next.
func (p *proxies) current() (proxyLink, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.cfg.URL
	if u == "" && len(p.learnt) > 0 {
		u = p.learnt[0].url
	}
	return proxyLink{p.cfg.Client, u, p.cfg.RequestTimeout}, u != ""
}

// failed puts a proxy that cannot be reached behind the others.
func (p *proxies) failed(u string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.learnt); n > 1 && p.learnt[0].url == u {
		p.learnt = append(p.learnt[1:n:n], p.learnt[0])
	}
}

// heard learns from multicast messages of proxies.
func (p *proxies) heard(m *message) {
	if !p.cfg.Learn || p.cfg.URL != "" {
		return
	}
	for _, e := range m.endpoints {
		switch m.kind {
		case kindHello, kindProbeMatches, kindResolveMatches:
			if e.isProxy() {
				p.learn(e)
			}
		case kindBye:
			p.mu.Lock()
			p.learnt = slices.DeleteFunc(p.learnt, func(l learntProxy) bool {
				return l.epr == e.EPR && l.url != p.mode // one in use is believed to be gone when it does not answer
			})
			p.mu.Unlock()
		}
	}
}

func (p *proxies) learn(e Endpoint) {
	for _, x := range e.XAddrs {
		if _, err := p.cfg.Client.Sender(x); err != nil {
			continue // another scheme than the configuration permits
		}
		p.mu.Lock()
		known := slices.ContainsFunc(p.learnt, func(l learntProxy) bool { return l == learntProxy{e.EPR, x} })
		if !known {
			p.learnt = slices.DeleteFunc(p.learnt, func(l learntProxy) bool { return l.epr == e.EPR })
			p.learnt = slices.Insert(p.learnt, 0, learntProxy{e.EPR, x})
			p.learnt = p.learnt[:min(len(p.learnt), maxLearnt)]
		}
		idle := p.mode == ""
		p.mu.Unlock()
		if idle {
			wake(p.news) // also for one that is known: it is back
		}
		return
	}
}

// set notes the mode and tells of a change.
func (p *proxies) set(u string, err error) {
	p.mu.Lock()
	changed := p.mode != u || !p.told
	p.mode, p.told = u, true
	p.mu.Unlock()
	if changed && p.cfg.Changed != nil {
		p.cfg.Changed(u, err)
	}
}

func (p *proxies) managed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode != ""
}

// adHoc reports whether the proxy has been tried without success.
func (p *proxies) adHoc() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told && p.mode == ""
}

// errNoProxy says that no proxy is known yet.
var errNoProxy = errors.New("no discovery proxy is known")

// wake leaves a token in a channel that holds one.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
