package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// ClientConfig configures a [Client]. The zero value searches on loopback.
type ClientConfig struct {
	// Transport carries the messages; nil is UDP as configured by UDP. A transport that
	// is given belongs to the caller, who closes it after the client.
	Transport Transport
	UDP       UDPConfig
	// Timing has the delays of repetition; zero fields take defaults.
	Timing Timing
	// Managed asks a discovery proxy in the place of the group.
	Managed ManagedConfig
	// Peers are URLs of devices that are asked besides the group or the proxy, each by a directed Probe through PeerClient,
	// which is needed then and belongs to the caller: for devices behind routers. A Watch asks them every 30 s, and
	// reports one gone that has not answered twice. A peer "soap.udp://192.0.2.7:3702", an IP address and the port of the
	// group unless another is given, gets each Probe and Resolve of the group by unicast datagram, too; it needs no PeerClient.
	Peers      []string
	PeerClient *soap.Client
	// MatchTimeout is how long Resolve waits for an answer; 0 is 10 s (DPWS MATCH_TIMEOUT).
	MatchTimeout time.Duration
	// MaxEndpoints bounds how many endpoints one Watch or Probe keeps; 0 is 1024. Of more, a Probe ignores the last. A Watch
	// gives each newcomer the place of an endpoint of the sender that has most of them, one of the later half of these, and tells
	// that one as Gone; what a discovery proxy or one of Peers told stays. Both are logged.
	MaxEndpoints int
	// Journal, if set, is told of every datagram; exchanges with a proxy and with Peers are noted by the clients for them.
	Journal soap.Journal
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

const (
	defaultMatchTimeout = 10 * time.Second
	defaultMaxEndpoints = 1024
	defaultProbe        = 3 * time.Second // APP_MAX_DELAY and some for the way
)

// Errors of a client that can be told apart with errors.Is.
var (
	// ErrClosed is returned by a closed client.
	ErrClosed = errors.New("discovery client is closed")
	// ErrNoAnswer says that nobody answered a Resolve in time.
	ErrNoAnswer = errors.New("no answer")
)

// Client searches for devices. Its methods may be called from several goroutines. Close
// it when done.
type Client struct {
	cfg    ClientConfig
	log    *slog.Logger
	node   *node
	cancel context.CancelFunc
	done   chan struct{} // closed when it listens no more

	session *session // nil without managed discovery
	wg      sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	err      error
	watches  map[*watch]struct{}
	probes   map[string]*probe        // by the id of the message
	resolves map[string]chan Endpoint // by the id of the message; each holds one answer
	atPeers  [][]string               // EPRs of what was found at each of the peers
	peersDue chan struct{}            // holds one token when the peers are to be asked
}

// NewClient opens the transport and listens.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.MatchTimeout <= 0 {
		cfg.MatchTimeout = defaultMatchTimeout
	}
	if cfg.MaxEndpoints <= 0 {
		cfg.MaxEndpoints = defaultMaxEndpoints
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var byDatagram []netip.AddrPort
	var err error
	if cfg.Peers, byDatagram, err = splitPeers(cfg.Peers, cfg.UDP.Port); err != nil {
		return nil, err
	}
	if len(cfg.Peers) > 0 && cfg.PeerClient == nil {
		return nil, errors.New("discovery: Peers need a PeerClient to reach them")
	}
	for _, url := range cfg.Peers {
		if _, err := cfg.PeerClient.Sender(url); err != nil {
			return nil, fmt.Errorf("discovery: peer: %w", err)
		}
	}
	managed, err := cfg.Managed.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	n, err := newNode(cfg.Transport, cfg.UDP, cfg.Timing, cfg.Journal, cfg.Logger, 0)
	if err != nil {
		return nil, err
	}
	n.askAlso = byDatagram
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		cfg: cfg, log: cfg.Logger, node: n, cancel: cancel, done: make(chan struct{}),
		watches: map[*watch]struct{}{}, probes: map[string]*probe{}, resolves: map[string]chan Endpoint{},
		atPeers: make([][]string, len(cfg.Peers)), peersDue: make(chan struct{}, 1),
	}
	if len(cfg.Peers) > 0 {
		c.wg.Go(func() { c.followPeers(ctx) })
	}
	if managed.enabled() {
		c.session = newSession(c, managed)
		c.wg.Go(func() { c.session.run(ctx) })
	}
	n.onLinks(c.linkCame)
	go func() {
		defer close(c.done)
		if err := n.serve(ctx, c.handle); err != nil {
			c.log.Error("discovery client has stopped listening", "error", err)
			c.mu.Lock()
			c.err = fmt.Errorf("discovery client: %w", err)
			c.mu.Unlock()
		}
	}()
	return c, nil
}

// Close ends everything under way and waits for it. Further calls do nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	<-c.done
	if again {
		return nil
	}
	return c.node.close()
}

// Err returns why the client has stopped listening by itself; nil while it works and
// after Close.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// stopped is why nothing more can come once done is closed.
func (c *Client) stopped() error {
	if err := c.Err(); err != nil {
		return err
	}
	return ErrClosed
}

// probe is one Probe under way.
type probe struct {
	filter Filter
	order  []string
	found  map[string]Endpoint
}

// Probe asks the group once and collects those who answer for as long as the duration says
// (0 is 3 s), each endpoint once. Answers that do not match are ignored. Those without an
// address are completed by a Resolve if that is answered in time. When ctx ends first,
// what has come so far is returned with the context's error. In managed mode the proxy
// is asked, and what it answers is returned at once; if it fails, the group is asked.
func (c *Client) Probe(ctx context.Context, f Filter, d time.Duration) ([]Endpoint, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if d <= 0 {
		d = defaultProbe
	}
	return c.withPeers(ctx, f, d, func() ([]Endpoint, error) { return c.search(ctx, f, d) })
}

// search asks the proxy or the group.
func (c *Client) search(ctx context.Context, f Filter, d time.Duration) ([]Endpoint, error) {
	if proxy, ok := c.session.use(ctx); ok {
		found, err := proxy.probe(ctx, f)
		if err == nil {
			return c.bounded(f, found), nil
		}
		c.session.failed(ctx, err)
	}
	p := &probe{filter: f, found: map[string]Endpoint{}}
	id, err := c.ask(body{kind: kindProbe, filter: f}, func(id string) { c.probes[id] = p })
	defer func() {
		c.mu.Lock()
		delete(c.probes, id)
		c.mu.Unlock()
	}()
	if err == nil {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		case <-c.done:
			err = c.stopped()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	endpoints := make([]Endpoint, 0, len(p.order))
	for _, epr := range p.order {
		endpoints = append(endpoints, p.found[epr].Clone())
	}
	return endpoints, err
}

// Resolve asks where the device with an EPR can be reached. ErrNoAnswer after MatchTimeout, and
// at once when a proxy says that it does not know the device.
func (c *Client) Resolve(ctx context.Context, epr string) (Endpoint, error) {
	if len(c.cfg.Peers) == 0 {
		return c.resolve(ctx, epr)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	at := make(chan Endpoint, 1)
	asking.Go(func() {
		if e, ok := c.resolveAtPeers(ctx, epr); ok {
			at <- e
			cancel() // the group need not answer any more
		}
	})
	e, err := c.resolve(ctx, epr)
	if err != nil && !errors.Is(err, ErrNoAnswer) && ctx.Err() == nil {
		asking.Wait() // the group cannot be asked, which takes no time; the peers take some
	}
	if err != nil {
		select {
		case e = <-at:
			err = nil
		default:
		}
	}
	return e, err
}

// resolve asks the proxy or the group.
func (c *Client) resolve(ctx context.Context, epr string) (Endpoint, error) {
	if proxy, ok := c.session.use(ctx); ok {
		e, known, err := proxy.resolve(ctx, epr)
		switch {
		case err != nil:
			c.session.failed(ctx, err)
		case known:
			return e, nil
		default:
			return Endpoint{}, fmt.Errorf("resolve %s: the discovery proxy does not know it: %w", epr, ErrNoAnswer)
		}
	}
	answer := make(chan Endpoint, 1)
	m := body{kind: kindResolve, endpoints: []Endpoint{{EPR: epr}}}
	id, err := c.ask(m, func(id string) { c.resolves[id] = answer })
	defer func() {
		c.mu.Lock()
		delete(c.resolves, id)
		c.mu.Unlock()
	}()
	if err != nil {
		return Endpoint{}, err
	}
	timer := time.NewTimer(c.cfg.MatchTimeout)
	defer timer.Stop()
	select {
	case e := <-answer:
		return e, nil
	case <-timer.C:
		return Endpoint{}, fmt.Errorf("resolve %s: %w", epr, ErrNoAnswer)
	case <-ctx.Done():
		return Endpoint{}, ctx.Err()
	case <-c.done:
		return Endpoint{}, c.stopped()
	}
}

// ask sends a message to the group. expect is called with its id under the lock before
// an answer can come.
func (c *Client) ask(m body, expect func(id string)) (string, error) {
	select {
	case <-c.done:
		return "", c.stopped()
	default:
	}
	return c.node.multicast(m, func(id string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		expect(id)
	})
}

// handle takes a message to those who wait for it.
func (c *Client) handle(m *message, d Datagram) {
	switch m.kind {
	case kindHello, kindBye, kindProbeMatches, kindResolveMatches:
	default:
		return // questions to devices
	}
	believed := true
	if s := c.session; s != nil {
		s.proxies.heard(m)
		believed = s.proxies.cfg.KeepAdHoc || !s.proxies.managed()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range m.endpoints {
		if e.EPR == "" {
			continue
		}
		c.collect(m, e)
		if believed {
			c.takeLocked(m.kind, e, m.sequence, m.hasSequence, d.From.Addr().Unmap())
		}
	}
}

// take hands what is said of an endpoint, other than by datagram, to every Watch.
func (c *Client) take(k kind, e Endpoint, seq appSequence, hasSeq bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeLocked(k, e, seq, hasSeq, netip.Addr{})
}

func (c *Client) takeLocked(k kind, e Endpoint, seq appSequence, hasSeq bool, sender netip.Addr) {
	wanted := false
	for w := range c.watches {
		displaced := w.tracker.displaced
		became := w.tracker.apply(k, e, seq, hasSeq, sender)
		if w.tracker.displaced != displaced {
			c.log.Warn("too many endpoints, one gives way", "epr", e.EPR, "limit", c.cfg.MaxEndpoints)
			w.wake()
		}
		switch became {
		case taken:
			w.wake()
		case resolve:
			wanted = true
		case overflow:
			c.log.Warn("too many endpoints, one is ignored", "epr", e.EPR, "limit", c.cfg.MaxEndpoints)
		}
	}
	if wanted {
		c.resolveLater(e.EPR)
	}
}

// bounded returns the endpoints that match, at most MaxEndpoints.
func (c *Client) bounded(f Filter, found []Endpoint) []Endpoint {
	out := make([]Endpoint, 0, len(found))
	for _, e := range found {
		switch {
		case e.EPR == "" || !f.Match(e):
		case len(out) >= c.cfg.MaxEndpoints:
			c.log.Warn("too many answers, some are ignored", "limit", c.cfg.MaxEndpoints)
			return out
		default:
			out = append(out, e)
		}
	}
	return out
}

// collect gives an answer to the call that asked. Under the lock.
func (c *Client) collect(m *message, e Endpoint) {
	switch m.kind {
	case kindProbeMatches:
		p := c.probes[m.relatesTo]
		if p == nil || !p.filter.Match(e) {
			return
		}
		if _, known := p.found[e.EPR]; !known {
			if len(p.order) >= c.cfg.MaxEndpoints {
				c.log.Warn("too many answers, one is ignored", "epr", e.EPR, "limit", c.cfg.MaxEndpoints)
				return
			}
			p.order = append(p.order, e.EPR)
			if len(e.XAddrs) == 0 {
				c.resolveLater(e.EPR)
			}
		}
		p.found[e.EPR] = e
	case kindResolveMatches:
		if answer, ok := c.resolves[m.relatesTo]; ok {
			select {
			case answer <- e.Clone():
			default: // a second answer
			}
		}
		for _, p := range c.probes {
			if known, ok := p.found[e.EPR]; ok && len(known.XAddrs) == 0 {
				known.XAddrs, known.MetadataVersion = e.XAddrs, e.MetadataVersion
				p.found[e.EPR] = known
			}
		}
	}
}

// resolveLater asks for an address, unless too much is under way: the next Hello
// will bring it up again.
func (c *Client) resolveLater(epr string) {
	c.node.background(func(context.Context) {
		_, err := c.node.multicast(body{kind: kindResolve, endpoints: []Endpoint{{EPR: epr}}}, nil)
		c.node.check(err)
	})
}
