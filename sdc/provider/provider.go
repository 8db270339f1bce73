package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/sparing"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/safety"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Provider is one device. Make it with New, register handlers, Run it; Update may be called at any time from any goroutine.
type Provider struct {
	unasked bool // the application has said nothing of a policy
	cfg     Config
	log     *slog.Logger
	hooks   Hooks
	store   *mdib.Store
	// changes is the log of what was committed; nil unless a service needs it.
	changes *history.Log

	// publishing orders commits and reports: whoever holds it may commit and hand reports to the subscriptions (SDPi R1004, R1006).
	publishing sync.Mutex
	source     atomic.Pointer[eventing.Source] // nil until Run listens
	encoded    mdibCache

	serviceByAction map[string]string // port types by the actions of requests and notifications

	opMu       sync.Mutex // guards the next five
	handlers   map[string]handler
	invocation map[string]Invocation
	queues     map[string]*sco // by handle of the SCO; only those with work
	effects    map[string]*effect
	effectEnds map[string]func(context.Context, *Call) error

	transactions atomic.Uint32  // the last transaction id
	refusals     sparing.Teller // of peers, in the audit
	operations   sync.WaitGroup
	opCtx        context.Context // parent of all calls; set by Run before it serves

	started atomic.Bool
	ready   chan struct{}
	reached atomic.Pointer[sdc.Listener]
	rescope chan struct{} // tells that the scopes may have changed
	target  atomic.Pointer[discovery.Target]

	redescribed chan struct{} // tells the periodic reports that the description may have changed
}

// ErrRan is returned by Run when the provider runs or has run before.
var ErrRan = errors.New("provider: runs only once; make a new one")

// New checks the configuration and makes a device that is not on the network yet. The error names everything that is wrong.
func New(cfg Config) (*Provider, error) {
	unasked := cfg.Policy == nil
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Provider{
		cfg: cfg, unasked: unasked, log: cfg.Logger, hooks: cfg.Hooks,
		serviceByAction: servicesByAction(),
		handlers:        map[string]handler{}, invocation: map[string]Invocation{}, queues: map[string]*sco{},
		effects: map[string]*effect{}, effectEnds: map[string]func(context.Context, *Call) error{},
		ready: make(chan struct{}), rescope: make(chan struct{}, 1), redescribed: make(chan struct{}, 1),
	}
	p.store = mdib.NewStore(cfg.MDIB, cfg.Store)
	if cfg.Archive || cfg.History {
		p.changes = history.New(p.store.Load(), p.now(), cfg.Log)
	}
	// Not refused: a device maker may have to live with a rule that peers do not look at. Package mdib tells all of it.
	for _, f := range mdib.Validate(cfg.MDIB) {
		if f.Severity == mdib.SeverityError {
			p.log.Warn("the MDIB breaks a rule", "rule", f.ID, "handle", f.Handle, "finding", f.Message)
		}
	}
	if cfg.Identity != nil && cfg.Identity.Roles()&sdc.RoleProvider == 0 {
		p.log.Warn("the certificate states no SDC provider key purpose; consumers that check it will refuse this device",
			"subject", cfg.Identity.Leaf().Subject.String(), "oid", sdc.OIDProvider)
	}
	return p, nil
}

// EPR is the stable address of the device.
func (p *Provider) EPR() string { return p.cfg.EPR }

// MDIB returns the current MDIB.
func (p *Provider) MDIB() *mdib.Snapshot { return p.store.Load() }

// Ready is closed when the device serves and answers those who look for it; the first Hello follows within Timing.HelloDelay.
func (p *Provider) Ready() <-chan struct{} { return p.ready }

// XAddrs returns the URLs the device can be reached at; none until Ready. They are for use on this host: a link-local one has its zone.
func (p *Provider) XAddrs() []string {
	if l := p.reached.Load(); l != nil {
		return p.xaddrs(l)
	}
	return nil
}

// xaddrs are the addresses of the device itself.
func (p *Provider) xaddrs(l *sdc.Listener) []string {
	out := l.URLs(p.scheme())
	for i, base := range out {
		out[i] = base + p.devicePath()
	}
	return out
}

// Stats tells of the subscriptions; the zero value until Ready.
func (p *Provider) Stats() eventing.SourceStats {
	if s := p.source.Load(); s != nil {
		return s.Stats()
	}
	return eventing.SourceStats{}
}

// Run puts the device on the network and keeps it there until ctx ends: it listens, says Hello, serves, and at the end says Bye (WSD-5),
// cancels the operations under way, and ends every subscription with SourceShuttingDown (EVT-3), all within Config.StopTimeout.
// It returns nil after such an orderly end, once everything it started has stopped. It can be called once.
func (p *Provider) Run(ctx context.Context) error {
	if !p.started.CompareAndSwap(false, true) {
		return ErrRan
	}
	if ok, err := p.waitForTime(ctx); !ok {
		return err
	}
	p.tellUnhandled()
	ln, err := p.cfg.Network.Listen(ctx, p.cfg.Listen, p.log)
	if err != nil {
		return fmt.Errorf("provider: listen: %w", err)
	}
	return p.serve(ctx, ln)
}

// waitForTime waits for a time service if there is one (SDPi R1540). false without error says that ctx ended before.
func (p *Provider) waitForTime(ctx context.Context) (bool, error) {
	if p.cfg.TimeService == nil {
		return true, nil
	}
	p.log.Info("waiting for a time service")
	err := p.cfg.TimeService(ctx)
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // stopped before it had begun, which is orderly
	}
	if err != nil {
		return false, fmt.Errorf("provider: time service: %w", err)
	}
	return true, nil
}

func (p *Provider) serve(ctx context.Context, ln *sdc.Listener) error {
	proxy, err := p.proxyClient()
	if err != nil {
		return errors.Join(fmt.Errorf("provider: %w", err), ln.Close())
	}
	if proxy != nil {
		defer proxy.Close()
	}
	target, err := p.newTarget(ln, proxy)
	if err != nil {
		return errors.Join(fmt.Errorf("provider: %w", err), ln.Close())
	}
	source, server, err := p.build(ln, target)
	if err != nil {
		return errors.Join(fmt.Errorf("provider: %w", err), ln.Close())
	}

	// What runs until the device leaves the network outlives ctx for as long as leaving takes.
	lasting := context.WithoutCancel(ctx)
	var cancelOps, cancelServe context.CancelFunc
	p.opCtx, cancelOps = context.WithCancel(lasting)
	defer cancelOps()
	serveCtx, cancelServe := context.WithCancel(lasting)
	defer cancelServe()
	p.source.Store(source)
	served := make(chan error, 1)
	go func() { served <- server.Serve(serveCtx, ln) }()

	if p.cfg.Periodic.enabled() {
		var periodic sync.WaitGroup
		periodic.Go(func() { p.reportPeriodically(serveCtx) })
		defer periodic.Wait()
		defer cancelServe()
	}

	p.reached.Store(ln)
	p.target.Store(target)
	announced, err := p.announce(ctx, target, ln)
	if err == nil {
		close(p.ready)
		p.log.Info("device is on the network", "epr", p.cfg.EPR, "xaddrs", p.XAddrs())
		select {
		case <-ctx.Done():
		case err = <-served:
			served = nil
		}
	}

	stop, cancelStop := context.WithTimeout(lasting, p.cfg.StopTimeout)
	defer cancelStop()
	if announced != nil {
		err = errors.Join(err, announced.leave(stop))
	}
	cancelOps()
	cancelServe()
	if served != nil {
		err = errors.Join(err, <-served)
	}
	err = errors.Join(err, p.waitOperations(stop), source.Close(stop))
	p.log.Info("device has left the network", "epr", p.cfg.EPR)
	return err
}

// waitOperations waits for handlers to return; one that does not obey its context must not keep the device from stopping.
func (p *Provider) waitOperations(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		p.operations.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("provider: an operation handler did not return though its context has ended")
	}
}

func (p *Provider) scheme() string {
	if p.cfg.Identity != nil {
		return "https"
	}
	return "http"
}

// devicePath is the path of the device's own endpoint; the hosted services lie below it.
func (p *Provider) devicePath() string {
	return "/" + strings.TrimPrefix(p.cfg.EPR, "urn:uuid:")
}

// journal is where the messages of the device are noted; nil: nowhere.
func (p *Provider) journal() soap.Journal {
	return soap.JournalOf(p.cfg.Journal, "provider", p.cfg.EPR)
}

// maxBodies is soap.ServerConfig.MaxBodies of a device: whoever asks a device for something says little, and a device under attack has to do with little memory.
const maxBodies = 6 << 20

// build makes the event source and the server with all endpoints.
func (p *Provider) build(ln *sdc.Listener, target *discovery.Target) (*eventing.Source, *soap.Server, error) {
	client := soap.ClientConfig{Insecure: p.cfg.Insecure, Dial: p.cfg.Dial, Over: p.cfg.OverNotifications, Journal: p.journal(), Logger: p.log}
	serve := soap.ServerConfig{Insecure: p.cfg.Insecure, MaxBodies: maxBodies, StopTimeout: p.cfg.StopTimeout / 2, Journal: p.journal(), Logger: p.log,
		Understood: []soap.Name{safety.HeaderName()}}
	p.cfg.Consumers.Server(&serve)
	if id := p.cfg.Identity; id != nil {
		a := sdc.Admission{Role: sdc.RoleConsumer, Refused: p.recordRefusal}
		client.TLS, serve.TLS = id.Open(a), id.Accept(a)
		recheck := id.Recheck(a)
		client.Recheck = recheck
		serve.Recheck = func(cs tls.ConnectionState, remote string) func() error {
			p.record(&sdc.Peer{Certificate: cs.PeerCertificates[0], Remote: remote}, audit.Event{Kind: audit.Connected})
			return recheck(cs, remote)
		}
	}
	server, err := soap.NewServer(serve)
	if err != nil {
		return nil, nil, err
	}
	events := eventing.SourceConfig{
		Client: client, ManagerPath: p.devicePath() + "/subscriptions",
		MaxExpires: p.cfg.MaxSubscription, Logger: p.log, Authorise: p.authoriseSubscription,
	}
	events.MaxSubscriptions, events.MaxPerPeer = p.cfg.Consumers.Subscriptions()
	at := func(r *soap.Request) []string { return ln.URLsAt(p.scheme(), r.Local) }
	events.BaseURLs = at
	if p.cfg.NotifyAnywhere {
		events.AllowTarget = eventing.AnyTarget
	}
	if !p.cfg.NoReportSequence {
		events.NumberHeader = reportSequence
	}
	source, err := eventing.NewSource(events)
	if err != nil {
		return nil, nil, err
	}
	server.HandlePrefix(source.ManagerPath(), source.ManagerEndpoint())
	if err := p.mount(server, source, target, at); err != nil {
		return nil, nil, errors.Join(err, source.Close(context.Background()))
	}
	return source, server, nil
}
