package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Proxy is a discovery proxy. Make it with New and Run it.
type Proxy struct {
	cfg     Config
	log     *slog.Logger
	prober  *soap.Client
	started atomic.Bool
	ready   chan struct{}
	urls    atomic.Pointer[[]string] // at the start
	earlier chan struct{}            // tells that a check is due earlier
	dirty   chan struct{}            // tells that there is something to save

	mu     sync.Mutex // guards the next three, and orders what is published
	reg    *registry
	stats  Stats
	source *eventing.Source // nil until Run
}

// Stats counts since the start of a proxy.
type Stats struct {
	Entries       int    // devices listed now
	Hellos, Byes  uint64 // received, and believed
	Refused       uint64 // Hello and Bye
	Probes        uint64
	Resolves      uint64
	Checks        uint64 // directed Probes sent
	CheckFailures uint64 // of these not answered
	Died          uint64 // devices for which Bye was said on their behalf
	Saves         uint64 // of the state file
	SaveErrors    uint64
	// Events tells of the subscriptions.
	Events eventing.SourceStats
}

// ErrRan is returned by Run when the proxy runs or has run before.
var ErrRan = errors.New("discovery proxy: runs only once; make a new one")

// New checks the configuration and reads the state file. A file that is torn is set aside with a warning: the devices will
// announce themselves again.
func New(cfg Config) (*Proxy, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Proxy{
		cfg: cfg, log: cfg.Logger, ready: make(chan struct{}),
		earlier: make(chan struct{}, 1), dirty: make(chan struct{}, 1), reg: newRegistry(&cfg),
	}
	if cfg.StateFile != "" {
		if err := p.load(); err != nil {
			return nil, fmt.Errorf("discovery proxy: %w", err)
		}
	}
	probing := soap.ClientConfig{
		Insecure: cfg.Insecure, Dial: cfg.Dial, Timeout: cfg.CheckTimeout, MaxResponse: 1 << 20, MaxConnsPerHost: 1,
		IdleTimeout: 2 * time.Second, // thousands of connections would be kept otherwise
		Journal:     cfg.journal(),
		Logger:      cfg.Logger,
	}
	if cfg.Identity != nil {
		probing.TLS = cfg.Identity.ClientTLS(sdc.RoleProvider)
	}
	var err error
	if p.prober, err = soap.NewClient(probing); err != nil {
		return nil, fmt.Errorf("discovery proxy: %w", err)
	}
	return p, nil
}

func (p *Proxy) load() error {
	entries, err := readState(p.cfg.StateFile)
	if errors.Is(err, ErrTorn) {
		aside := p.cfg.StateFile + ".torn"
		p.log.Warn("beginning without devices", "error", err, "aside", aside)
		return os.Rename(p.cfg.StateFile, aside)
	}
	if err != nil {
		return err
	}
	now := time.Now()
	for _, e := range entries {
		if len(p.reg.entries) == p.cfg.MaxEntries {
			p.log.Warn("the state file has more devices than are permitted; the rest is forgotten", "limit", p.cfg.MaxEntries)
			break
		}
		if p.reg.entries[e.endpoint.EPR] == nil {
			e.heard = now // they get the time of one check to show that they are still there
			p.reg.insert(e)
		}
	}
	return nil
}

// EPR is the stable address of the proxy.
func (p *Proxy) EPR() string { return p.cfg.EPR }

// Ready is closed when the proxy serves.
func (p *Proxy) Ready() <-chan struct{} { return p.ready }

// URL is where participants reach the proxy, at the first of its addresses; "" until Ready.
func (p *Proxy) URL() string {
	if u := p.URLs(); len(u) > 0 {
		return u[0]
	}
	return ""
}

// URLs are all addresses at which the proxy was reached when it became Ready.
func (p *Proxy) URLs() []string {
	if u := p.urls.Load(); u != nil {
		return slices.Clone(*u)
	}
	return nil
}

// Stats returns the counters.
func (p *Proxy) Stats() Stats {
	p.mu.Lock()
	s, source := p.stats, p.source
	s.Entries = len(p.reg.entries)
	p.mu.Unlock()
	if source != nil {
		s.Events = source.Stats()
	}
	return s
}

// Endpoints returns the devices that match, in the order of their EPRs.
func (p *Proxy) Endpoints(f discovery.Filter) []discovery.Endpoint {
	p.mu.Lock()
	all := p.reg.endpoints()
	p.mu.Unlock()
	return match(f, all)
}

// Run serves until ctx ends. It returns nil after an orderly end, once everything it started has stopped. It can be called once.
func (p *Proxy) Run(ctx context.Context) error {
	if !p.started.CompareAndSwap(false, true) {
		return ErrRan
	}
	defer p.prober.Close()
	ln, err := p.cfg.Network.Listen(ctx, p.cfg.Listen, p.log)
	if err != nil {
		return fmt.Errorf("discovery proxy: listen: %w", err)
	}
	scheme := "https"
	if p.cfg.Identity == nil {
		scheme = "http"
	}
	urls := func() []string {
		out := ln.URLs(scheme)
		for i := range out {
			out[i] += "/"
		}
		return out
	}
	source, server, err := p.build(func(r *soap.Request) []string { return ln.URLsAt(scheme, r.Local) })
	if err != nil {
		return errors.Join(fmt.Errorf("discovery proxy: %w", err), ln.Close())
	}
	p.mu.Lock()
	p.source = source
	p.mu.Unlock()
	first := urls()
	p.urls.Store(&first)

	lasting := context.WithoutCancel(ctx)
	working, stop := context.WithCancel(lasting)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(working, ln) }()
	var jobs sync.WaitGroup
	jobs.Go(func() { p.watch(working) })
	if p.cfg.StateFile != "" {
		jobs.Go(func() { p.keep(working) })
	}
	announcing, leave := context.WithCancel(lasting)
	defer leave()
	var announced sync.WaitGroup
	if !p.cfg.Quiet {
		target, err := discovery.NewTarget(discovery.TargetConfig{
			Endpoint:  discovery.Endpoint{EPR: p.cfg.EPR, Types: discovery.ProxyTypes(), XAddrs: first},
			Transport: p.cfg.Transport, Timing: p.cfg.Timing, Journal: p.cfg.journal(), Logger: p.log,
			UDP: p.cfg.Network.UDP(),
		})
		if err == nil {
			announced.Go(func() {
				for {
					select {
					case <-announcing.Done():
						return
					case <-ln.Changed():
						if err := target.SetXAddrs(urls()); err != nil {
							p.log.Error("the addresses cannot be announced", "error", err)
						}
					}
				}
			})
			announced.Go(func() {
				if err := target.Run(announcing); err != nil {
					p.log.Error("the proxy is not known by multicast any more", "error", err)
				}
			})
		} else {
			p.log.Error("the proxy is not made known by multicast", "error", err)
		}
	}
	close(p.ready)
	p.log.Info("discovery proxy serves", "epr", p.cfg.EPR, "urls", first, "devices", p.Stats().Entries)
	select {
	case <-ctx.Done():
	case err = <-served:
		served = nil
	}
	leave()
	announced.Wait()
	stop()
	if served != nil {
		err = errors.Join(err, <-served)
	}
	jobs.Wait()
	closing, cancel := context.WithTimeout(lasting, p.cfg.StopTimeout)
	defer cancel()
	return errors.Join(err, source.Close(closing))
}

// keep writes the state file while something changes, and at the end.
func (p *Proxy) keep(ctx context.Context) {
	pause := time.NewTimer(p.cfg.SaveEvery)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			p.save()
			return
		case <-p.dirty:
		}
		p.save()
		pause.Reset(p.cfg.SaveEvery)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

func (p *Proxy) save() {
	p.mu.Lock()
	entries := p.reg.copies()
	p.mu.Unlock()
	data, err := encodeState(entries)
	if err == nil {
		err = writeState(p.cfg.StateFile, data)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.stats.SaveErrors++
		p.log.Error("the devices are not saved", "error", err)
		return
	}
	p.stats.Saves++
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
