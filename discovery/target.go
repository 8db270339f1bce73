package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/soap"
)

// TargetConfig configures a [Target]. Only Endpoint.EPR is required.
type TargetConfig struct {
	// Endpoint is what is announced. A MetadataVersion of 0 starts with the seconds since
	// 1970, so that it also rises over restarts; set it to continue a stored one.
	Endpoint Endpoint
	// Transport carries the messages; nil is UDP as configured by UDP. A transport that
	// is given belongs to the caller, who closes it after Run has returned.
	Transport Transport
	UDP       UDPConfig
	// Timing has the delays; zero fields take defaults.
	Timing Timing
	// Managed announces the device to a discovery proxy. Probes of the group are answered as
	// ever, so that clients that do not reach the proxy find the device.
	Managed ManagedConfig
	// InstanceID must be greater after each restart (WSD-1); 0 takes the seconds since 1970
	// at which Run starts.
	InstanceID uint32
	// Journal, if set, is told of every datagram; exchanges with a proxy are noted by the client for it.
	Journal soap.Journal
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// Target makes a device known. Its methods may be called from several goroutines.
type Target struct {
	cfg     TargetConfig
	log     *slog.Logger
	started atomic.Bool
	ready   chan struct{}
	changed chan struct{} // holds one token when Hello is due
	proxies *proxies      // nil without managed discovery

	mu       sync.Mutex
	endpoint Endpoint   // its slices are replaced, never changed
	node     *node      // nil until Run
	register *registrar // nil until Run, and without managed discovery
	left     bool       // Bye is due or said
}

// ErrRan is returned by Run when the target runs or has run before.
var ErrRan = errors.New("discovery target runs only once")

// ErrNotRunning is returned by SayHello while Run does not announce the target.
var ErrNotRunning = errors.New("discovery target is not running")

// NewTarget checks the configuration. Nothing is sent before [Target.Run].
func NewTarget(cfg TargetConfig) (*Target, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	e := cfg.Endpoint.Clone()
	if e.MetadataVersion == 0 {
		e.MetadataVersion = uint32(time.Now().Unix())
	}
	if err := checkEndpoint(e); err != nil {
		return nil, err
	}
	t := &Target{
		cfg: cfg, log: cfg.Logger, endpoint: e,
		ready: make(chan struct{}), changed: make(chan struct{}, 1),
	}
	managed, err := cfg.Managed.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if managed.enabled() {
		t.proxies = newProxies(managed)
	}
	return t, nil
}

// Run announces the device until ctx ends: it says Hello, answers Probe and Resolve, says
// Hello from time to time, and says Bye at the end (WSD-5), for which it takes up to
// Timing.MaxDelay more. It returns nil after such an orderly end. It can be called once.
func (t *Target) Run(ctx context.Context) error {
	if !t.started.CompareAndSwap(false, true) {
		return ErrRan
	}
	n, err := newNode(t.cfg.Transport, t.cfg.UDP, t.cfg.Timing, t.cfg.Journal, t.log, t.cfg.InstanceID)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	var registering sync.WaitGroup
	t.mu.Lock()
	t.node = n
	if t.proxies != nil {
		t.register = newRegistrar(t, n)
		registering.Go(func() { t.register.run(serving) })
	}
	t.mu.Unlock()
	n.onLinks(func() { wake(t.changed) }) // those on it have heard nothing yet
	served := make(chan error, 1)
	go func() {
		defer close(served)
		served <- n.serve(serving, t.handle)
	}()
	close(t.ready)
	err = t.announce(ctx, n, served)
	stop()
	if err == nil {
		err = <-served
	}
	registering.Wait()
	t.mu.Lock()
	t.left = true
	t.mu.Unlock()
	// What is still to be repeated must not follow the Bye.
	n.quiet()
	t.bye(n)
	return errors.Join(err, n.close())
}

// bye says Bye wherever Hello has been said, at the same time.
func (t *Target) bye(n *node) {
	var proxy sync.WaitGroup
	defer proxy.Wait()
	if r := t.register; r != nil {
		proxy.Go(r.bye)
		if !r.multicast.Load() && !t.proxies.cfg.KeepAdHoc {
			return
		}
	}
	if err := n.multicastAll(body{kind: kindBye, endpoints: []Endpoint{{EPR: t.cfg.Endpoint.EPR}}}); err != nil {
		t.log.Warn("Bye not sent", "error", err)
	}
}

// hello says Hello where it is to be said: by multicast, which the error is about, or to
// the proxy, in the background.
func (t *Target) hello(n *node, e Endpoint) error {
	if r := t.register; r != nil {
		if !t.proxies.cfg.KeepAdHoc && t.proxies.adHoc() {
			return r.group(e) // the proxy is told when it is back
		}
		wake(r.due)
		if !t.proxies.cfg.KeepAdHoc {
			return nil
		}
	}
	_, err := n.multicast(body{kind: kindHello, endpoints: []Endpoint{e}}, nil)
	return err
}

// announce says Hello when it is due, until ctx ends (nil) or the transport fails.
func (t *Target) announce(ctx context.Context, n *node, served <-chan error) error {
	if t.proxies != nil && t.proxies.cfg.Learn {
		findProxies(n)
	}
	due := time.NewTimer(between(0, n.timing.HelloDelay))
	defer due.Stop()
	said := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served:
			if err == nil {
				return nil // ctx has ended
			}
			return fmt.Errorf("discovery target: %w", err)
		case <-due.C:
		case <-t.changed:
			if !said {
				continue // the first Hello will tell
			}
		}
		said = true
		if err := t.hello(n, t.current()); err != nil {
			t.log.Warn("Hello not sent", "error", err)
		}
		if n.timing.HelloEvery > 0 {
			due.Reset(between(n.timing.HelloEvery, n.timing.HelloEveryMax))
		}
	}
}

// Ready is closed once the target answers; the first Hello follows within
// Timing.HelloDelay.
func (t *Target) Ready() <-chan struct{} { return t.ready }

// Endpoint returns what is announced at present.
func (t *Target) Endpoint() Endpoint { return t.current().Clone() }

func (t *Target) current() Endpoint {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.endpoint
}

// SetTypes replaces the types. Like all changes it raises MetadataVersion and says Hello
// (WSD-4), unless nothing changes.
func (t *Target) SetTypes(types []Name) error {
	return t.Update(func(e *Endpoint) { e.Types = types })
}

// SetScopes replaces the scopes.
func (t *Target) SetScopes(scopes []string) error {
	return t.Update(func(e *Endpoint) { e.Scopes = scopes })
}

// SetXAddrs replaces the transport addresses.
func (t *Target) SetXAddrs(xaddrs []string) error {
	return t.Update(func(e *Endpoint) { e.XAddrs = xaddrs })
}

// Update changes types, scopes and addresses in one step, with one rise of
// MetadataVersion and one Hello. Changes of EPR and MetadataVersion are ignored. What
// cannot be announced, because it is no URI or does not fit into a datagram, is refused and
// changes nothing.
func (t *Target) Update(edit func(*Endpoint)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.endpoint.Clone()
	edit(&e)
	e = e.Clone() // the caller keeps what it has put in
	e.EPR, e.MetadataVersion = t.endpoint.EPR, t.endpoint.MetadataVersion
	if e.sameMetadata(t.endpoint) {
		return nil
	}
	e.MetadataVersion++
	if err := checkEndpoint(e); err != nil {
		return err
	}
	t.endpoint = e
	select {
	case t.changed <- struct{}{}:
	default: // a Hello is due anyway
	}
	return nil
}

// SayHello announces the device once more, as it is. When it returns the first datagram is
// out; the repetitions follow by themselves, as does what goes to a discovery proxy. Before Run and after its end it is an error.
func (t *Target) SayHello() error {
	t.mu.Lock() // held while sending, so that no Hello follows the Bye
	defer t.mu.Unlock()
	if t.node == nil || t.left {
		return ErrNotRunning
	}
	return t.hello(t.node, t.endpoint)
}

// checkEndpoint refuses what cannot be announced.
func checkEndpoint(e Endpoint) error {
	isURI := func(s string) bool {
		return s != "" && !strings.ContainsAny(s, " \t\r\n") && strings.Contains(s, ":")
	}
	if !isURI(e.EPR) || len(e.EPR) > maxID {
		return fmt.Errorf("discovery: EPR %q is no URI", e.EPR)
	}
	for _, s := range slices.Concat(e.Scopes, e.XAddrs) {
		if !isURI(s) {
			return fmt.Errorf("discovery: %q is no URI", s)
		}
	}
	for _, n := range e.Types {
		if n.Local == "" {
			return errors.New("discovery: type without a name")
		}
	}
	// The longest message is a ResolveMatches with the longest numbers.
	h := &soap.Header{
		To: soap.Anonymous, Action: ActionResolveMatches,
		MessageID: soap.NewMessageID(), RelatesTo: soap.NewMessageID(),
		Extra: []soap.Body{appSequence{math.MaxUint32, math.MaxUint32}},
	}
	if len(soap.AppendEnvelope(nil, h, body{kind: kindResolveMatches, endpoints: []Endpoint{e}})) > MaxDatagram {
		return fmt.Errorf("discovery: %w: types, scopes and addresses are too long", ErrTooLong)
	}
	return nil
}

// handle answers what came by datagram.
func (t *Target) handle(m *message, d Datagram) {
	n := t.node // set before serve was called
	switch m.kind {
	case kindHello, kindBye, kindProbeMatches, kindResolveMatches:
		if t.proxies != nil {
			t.proxies.heard(m)
		}
	case kindProbe:
		if err := m.filter.Validate(); err != nil {
			if !d.Multicast { // WSD-2; the group gets no answer
				n.fault(d.From, m.id, soap.MatchingRuleNotSupported(SupportedRules()...))
			}
			return
		}
		if !m.filter.Match(t.current()) {
			return
		}
		n.answer(d.From, m.id, between(0, n.timing.MatchDelay), func() (body, bool) {
			e := forLink(t.current(), d.Local)
			return body{kind: kindProbeMatches, endpoints: []Endpoint{e}}, m.filter.Match(e)
		})
	case kindResolve:
		if m.endpoints[0].EPR != t.cfg.Endpoint.EPR {
			return
		}
		n.answer(d.From, m.id, between(0, n.timing.ResolveDelay), func() (body, bool) {
			return body{kind: kindResolveMatches, endpoints: []Endpoint{forLink(t.current(), d.Local)}}, true
		})
	}
}

// HandleProbe answers a Probe that was sent to the device's own HTTP(S) endpoint (MDPWS
// R0015). It is a soap.Handler for ActionProbe. If the device is not what is looked for, the
// answer is an empty ProbeMatches; a matching rule that is not supported is a
// MatchingRuleNotSupported fault (WSD-2).
func (t *Target) HandleProbe(_ context.Context, r *soap.Request) (*soap.Response, error) {
	f, err := soap.Decode(r.Envelope, wsd("Probe"), decodeFilter)
	if err != nil {
		return nil, err
	}
	if f.Validate() != nil {
		return nil, soap.MatchingRuleNotSupported(SupportedRules()...)
	}
	answer := body{kind: kindProbeMatches}
	t.mu.Lock()
	n := t.node
	if f.Match(t.endpoint) {
		answer.endpoints = []Endpoint{forLink(t.endpoint, r.Local.Addr())}
	}
	t.mu.Unlock()
	resp := &soap.Response{Action: ActionProbeMatches, Body: answer}
	if n != nil {
		resp.Extra = []soap.Body{n.nextSequence()}
	}
	return resp, nil
}
