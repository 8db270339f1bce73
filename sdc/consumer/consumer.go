package consumer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Consumer is one SDC participant in the consumer's role. Create it with [New];
// its methods may be used by several goroutines.
type Consumer struct {
	cfg    Config
	client *soap.Client
	sink   *eventing.Sink
	// Where notifications arrive, for further sinks.
	server   *soap.Server
	reached  *sdc.Listener
	notifyAt func(ctx context.Context, source string) string // our URL for the source at another

	stop    context.CancelFunc // ends the server
	serving chan struct{}      // closed when the server has ended

	bindings bindings
	watching sync.WaitGroup // the watchers among the locators
	watchCtx context.Context

	mu       sync.Mutex
	locators []Locator
	devices  map[*Device]struct{}
	closed   bool
}

// New opens the place where notifications arrive and returns a consumer. ctx
// bounds the opening only. Close must be called when done.
func New(ctx context.Context, cfg Config) (*Consumer, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if reached := cfg.TimeService; reached != nil {
		cfg.Logger.Info("waiting for a time service")
		if err := reached(ctx); err != nil {
			return nil, fmt.Errorf("consumer: time service: %w", err)
		}
	}
	c := &Consumer{cfg: cfg, serving: make(chan struct{}), devices: make(map[*Device]struct{})}
	clientCfg := soap.ClientConfig{
		Insecure: cfg.Insecure, Dial: cfg.Dial, LocalAddr: c.localAddr, Timeout: cfg.RequestTimeout, Limits: cfg.Limits, Journal: c.journal(), Logger: cfg.Logger,
	}
	serverCfg := soap.ServerConfig{
		Insecure: cfg.Insecure, Limits: cfg.Limits, Journal: c.journal(), Logger: cfg.Logger,
		Understood: []soap.Name{{Space: sdc.NamespaceSDPi, Local: "ReportSequence"}},
	}
	cfg.Devices.Server(&serverCfg)
	scheme := "http"
	if cfg.Identity != nil {
		scheme = "https"
		a := sdc.Admission{Role: sdc.RoleProvider}
		clientCfg.TLS, serverCfg.TLS = cfg.Identity.Open(a), cfg.Identity.Accept(a)
		clientCfg.Recheck, serverCfg.Recheck = c.recheck(cfg.Identity.Recheck(a)), cfg.Identity.Recheck(a)
	}
	client, err := soap.NewClient(clientCfg)
	if err != nil {
		return nil, fmt.Errorf("consumer: %w", err)
	}
	server, err := soap.NewServer(serverCfg)
	if err != nil {
		return nil, fmt.Errorf("consumer: %w", err)
	}
	listener, err := cfg.Network.Listen(ctx, cfg.Listen, cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("consumer: no place for notifications: %w", err)
	}
	c.reached = listener
	c.notifyAt = func(ctx context.Context, source string) string { return listener.URLFor(ctx, scheme, source) }
	sink, err := eventing.NewSink(eventing.SinkConfig{Server: server, Client: client, BaseURLFor: c.notifyAt, Logger: cfg.Logger})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("consumer: %w", err), listener.Close())
	}
	serveCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.client, c.sink, c.stop = client, sink, stop
	c.server = server
	go func() {
		defer close(c.serving)
		if err := server.Serve(serveCtx, listener); err != nil {
			cfg.Logger.Error("notifications can no longer be received", "error", err)
		}
	}()
	c.watchCtx = serveCtx
	for _, l := range cfg.Locators {
		c.AddLocator(l)
	}
	return c, nil
}

// journal is where the messages of the consumer are noted; nil: nowhere.
func (c *Consumer) journal() soap.Journal { return soap.JournalOf(c.cfg.Journal, "consumer", "") }

// AddLocator is for a Locator that cannot be there before the consumer, as what NewDiscovery returns; see Config.Locators. It stays until the consumer
// is closed, though one that is closed earlier does no harm.
func (c *Consumer) AddLocator(l Locator) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.locators = append(c.locators, l)
	if w, ok := l.(Watcher); ok {
		c.watching.Go(func() { c.watch(c.watchCtx, w) })
	}
}

func (c *Consumer) locatorList() []Locator {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.locators)
}

// localAddr is where connections to a peer are made from: devices compare it with the address that notifications are to go to.
func (c *Consumer) localAddr(ctx context.Context, addr string) net.Addr {
	return c.reached.LocalFor(ctx, addr)
}

// Connect connects to a device: it reads the metadata, subscribes, reads the MDIB
// and returns once the mirror is complete and live. ctx bounds the connecting
// only; Device.Close disconnects.
func (c *Consumer) Connect(ctx context.Context, target discovery.Endpoint) (*Device, error) {
	d := newDevice(c, target)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	c.devices[d] = struct{}{}
	c.mu.Unlock()
	if err := d.connect(ctx); err != nil {
		// What has been subscribed is given back even if ctx has ended.
		closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.RequestTimeout)
		defer cancel()
		_ = d.Close(closeCtx) // the error that matters is the one of connecting
		return nil, fmt.Errorf("connecting to %s: %w", name(target), c.cfg.Identity.Explain(err))
	}
	return d, nil
}

// ConnectDiscovered is Connect for a device that has just appeared and that no user is
// waiting for: it first waits a random time that depends on Config.Priority, so
// that the consumers of a hospital do not all come at the same moment (GLUE R0076).
func (c *Consumer) ConnectDiscovered(ctx context.Context, target discovery.Endpoint) (*Device, error) {
	delay, err := discovery.ConnectDelay(c.cfg.Priority, nil)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c.Connect(ctx, target)
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to connect to %s: %w", name(target), context.Cause(ctx))
	}
}

func name(target discovery.Endpoint) string {
	if target.EPR != "" {
		return target.EPR
	}
	return fmt.Sprint(target.XAddrs)
}

// Close disconnects from every device and releases everything. ctx bounds the
// goodbyes; afterwards nothing is left behind in any case.
func (c *Consumer) Close(ctx context.Context) error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	var devices []*Device
	for d := range c.devices {
		devices = append(devices, d)
	}
	c.mu.Unlock()
	var wg sync.WaitGroup
	errs := make([]error, len(devices))
	for i, d := range devices {
		wg.Go(func() { errs[i] = d.Close(ctx) })
	}
	wg.Wait()
	var err error
	if first {
		err = c.sink.Close(ctx)
		c.stop()
	}
	<-c.serving
	c.watching.Wait()
	c.client.Close()
	return errors.Join(append(errs, err)...)
}

func (c *Consumer) forget(d *Device) {
	c.unbind(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.devices, d)
}

// Connect makes a Consumer for a single device. Closing the device closes both.
func Connect(ctx context.Context, target discovery.Endpoint, cfg Config) (*Device, error) {
	c, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	d, err := c.Connect(ctx, target)
	if err != nil {
		closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.RequestTimeout)
		defer cancel()
		return nil, errors.Join(err, c.Close(closeCtx))
	}
	d.ownsConsumer = true
	return d, nil
}
