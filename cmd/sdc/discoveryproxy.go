package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/semeco/go-sdc/internal/connbound"
	"github.com/semeco/go-sdc/sdc/proxy"
)

type proxyCmd struct {
	netFlags
	trustFlags
	Port       uint16        `help:"TCP port. Default: any free one."`
	EPR        string        `name:"epr" placeholder:"URN" help:"Endpoint reference, urn:uuid:... Default: a new one."`
	State      string        `type:"path" placeholder:"FILE" help:"Keep the list of devices in this file over restarts."`
	CheckEvery time.Duration `default:"1m" help:"How often each device is asked whether it is there."`
	MaxEntries int           `default:"10000" help:"Most devices listed; one more is refused and falls back to multicast."`
	MaxPerPeer int           `default:"1000" help:"Most devices that one certificate holder may announce."`
	Quiet      bool          `help:"Do not announce the proxy by multicast: participants must be told its URL."`
	Anywhere   bool          `name:"notify-anywhere" help:"Let consumers have notifications sent to other hosts than the one they subscribe from."`
	Metrics    string        `placeholder:"ADDR" help:"Serve counters at http://ADDR/metrics in the text format of Prometheus, without authentication."`
	JSON       bool          `name:"json" help:"First line: {\"epr\":..,\"url\":..} once reachable."`
}

// proxyUp is the first line of sdc discovery-proxy --json.
type proxyUp struct {
	EPR     string `json:"epr"`
	URL     string `json:"url"`
	Metrics string `json:"metrics,omitempty"`
}

func (c *proxyCmd) Run(e *env) error {
	if c.DiscoveryProxy != "" {
		return usagef("a discovery proxy has no other one above it")
	}
	if c.CheckEvery < time.Second || c.MaxEntries <= 0 || c.MaxPerPeer <= 0 {
		return usagef("--check-every takes a second or more, --max-entries and --max-per-peer positive numbers")
	}
	if err := errors.Join(checkEPR(c.EPR), checkListen("--metrics", c.Metrics)); err != nil {
		return err
	}
	id, err := c.identity("both", e)
	if err != nil {
		return err
	}
	network := c.network()
	network.ListenPort = c.Port
	p, err := proxy.New(proxy.Config{
		EPR: c.EPR, Identity: id, Insecure: c.Insecure, Network: network, StateFile: c.State, CheckEvery: c.CheckEvery,
		MaxEntries: c.MaxEntries, MaxPerPeer: c.MaxPerPeer, Quiet: c.Quiet, NotifyAnywhere: c.Anywhere, Journal: e.journal, Logger: e.log,
	})
	if err != nil {
		return usageError{err}
	}
	metrics, err := serveMetrics(e.ctx, c.Metrics, p)
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	select {
	case <-p.Ready():
	case err := <-ran:
		return errors.Join(err, metrics.close())
	}
	if c.JSON {
		err = writeJSON(e.out, proxyUp{p.EPR(), p.URL(), metrics.url()})
	} else {
		_, err = fmt.Fprintf(e.out, "discovery proxy %s\nat %s\n", p.EPR(), p.URL())
		if u := metrics.url(); u != "" && err == nil {
			_, err = fmt.Fprintf(e.out, "metrics at %s\n", u)
		}
		if err == nil {
			_, err = fmt.Fprint(e.out, "stop with Ctrl-C\n")
		}
	}
	if err != nil {
		cancel()
	}
	return errors.Join(err, <-ran, metrics.close())
}

// metricsServer serves the counters of a proxy; its zero value serves nothing.
type metricsServer struct {
	address string
	server  *http.Server
	done    chan struct{}
}

func serveMetrics(ctx context.Context, address string, p *proxy.Proxy) (*metricsServer, error) {
	if address == "" {
		return new(metricsServer), nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return newMetricsServer(ln, p.Stats), nil
}

// Bounds on connections to the counters, of which a collector needs one. They are not to take the descriptors that the proxy needs for devices and consumers.
const (
	maxMetricsConns      = 32
	maxMetricsConnsOfOne = 16
)

func newMetricsServer(ln net.Listener, stats func() proxy.Stats) *metricsServer {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		writeMetrics(w, stats())
	})
	m := &metricsServer{
		address: ln.Addr().String(), done: make(chan struct{}),
		server: &http.Server{
			Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute,
			MaxHeaderBytes: 8 << 10,
		},
	}
	ln = connbound.Listen(ln, connbound.Limits{All: maxMetricsConns, OfOne: maxMetricsConnsOfOne})
	go func() {
		defer close(m.done)
		_ = m.server.Serve(ln) // until close
	}()
	return m
}

func (m *metricsServer) url() string {
	if m.server == nil {
		return ""
	}
	return "http://" + m.address + "/metrics"
}

func (m *metricsServer) close() error {
	if m.server == nil {
		return nil
	}
	err := m.server.Close()
	<-m.done
	return err
}

// writeMetrics writes the counters in the text format of Prometheus.
func writeMetrics(w io.Writer, s proxy.Stats) {
	for _, m := range []struct {
		kind, name, help string
		value            uint64
	}{
		{"gauge", "devices", "Devices listed.", uint64(s.Entries)},
		{"counter", "hellos_total", "Hellos taken.", s.Hellos},
		{"counter", "byes_total", "Byes taken.", s.Byes},
		{"counter", "refused_total", "Hellos and Byes refused.", s.Refused},
		{"counter", "probes_total", "Probes answered.", s.Probes},
		{"counter", "resolves_total", "Resolves answered.", s.Resolves},
		{"counter", "checks_total", "Directed Probes sent to devices.", s.Checks},
		{"counter", "check_failures_total", "Directed Probes that were not answered.", s.CheckFailures},
		{"counter", "died_total", "Devices for which Bye was said on their behalf.", s.Died},
		{"counter", "saves_total", "State files written.", s.Saves},
		{"counter", "save_errors_total", "State files that could not be written.", s.SaveErrors},
		{"gauge", "subscriptions", "Subscriptions of consumers.", uint64(s.Events.Subscriptions)},
		{"counter", "notifications_total", "Notifications confirmed by consumers.", s.Events.Delivered},
		{"counter", "notifications_dropped_total", "Notifications that were never confirmed.", s.Events.Dropped},
	} {
		name := "sdc_discovery_proxy_" + m.name
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, m.help, name, m.kind, name, m.value)
	}
}
