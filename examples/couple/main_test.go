package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/pump"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var here = sdc.LocationDetail{PoC: "ICU", Bed: "4"}

// ward is a pump with both its roles and monitors on real sockets over mutual TLS.
type ward struct {
	t       *testing.T
	network sdc.Network
	bed     *simulators.Bed
	pump    *provider.Provider
	said    chan string

	identity func(sdc.Role) *sdc.Identity
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{
		t: t, network: thermometer.Network(t), bed: simulators.NewBed(physio.Config{}), said: make(chan string, 100), identity: thermometer.Identities(t),
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, config{
			identity: w.identity(sdc.RoleProvider | sdc.RoleConsumer), network: w.network, location: here, ensemble: "bed-4", bed: w.bed,
			ready: func(p *provider.Provider) { ready <- p }, say: func(what string) { w.said <- what },
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	w.pump = <-ready
	w.next("paused: no monitor in this place")
	return w
}

// monitor starts one. edit may be nil.
func (w *ward) monitor(location sdc.LocationDetail, ensemble string, edit func(*provider.Config)) (m *provider.Provider, stop func()) {
	w.t.Helper()
	device, err := monitor.New(simulators.Options{Location: location, Ensemble: ensemble, Bed: w.bed})
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
	cfg := provider.Config{Identity: w.identity(sdc.RoleProvider), Network: w.network, Timing: discovery.PromptTiming()}
	if edit != nil {
		edit(&cfg)
	}
	go func() { ended <- simulators.Run(ctx, device, cfg, func(p *provider.Provider) { ready <- p }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ended)
	})
	w.t.Cleanup(stop)
	return <-ready, stop
}

// next waits for what the pump says next.
func (w *ward) next(want string) {
	w.t.Helper()
	select {
	case got := <-w.said:
		require.Contains(w.t, got, want)
	case <-time.After(45 * time.Second):
		require.Fail(w.t, "not said: "+want)
	}
}

// until waits for something to be said, whatever else is.
func (w *ward) until(want string) {
	w.t.Helper()
	for {
		select {
		case got := <-w.said:
			if strings.Contains(got, want) {
				return
			}
		case <-time.After(45 * time.Second):
			require.Fail(w.t, "not said: "+want)
		}
	}
}

// infuses starts the pump as a clinician would.
func (w *ward) infuses() {
	w.t.Helper()
	dev, err := consumer.Connect(w.t.Context(), discovery.Endpoint{EPR: w.pump.EPR(), XAddrs: w.pump.XAddrs()},
		consumer.Config{Identity: w.identity(sdc.RoleConsumer), Network: w.network})
	require.NoError(w.t, err)
	_, err = dev.Activate(w.t.Context(), pump.OpStart)
	require.NoError(w.t, err)
	require.NoError(w.t, dev.Close(w.t.Context()))
	w.status(pump.Infusing)
}

// status waits until the pump itself shows one.
func (w *ward) status(want pump.Status) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		s, ok := mdib.Get[*pm.EnumStringMetricState](w.pump.MDIB(), pump.HandleStatus)
		return ok && s.MetricValue != nil && s.MetricValue.Value.Or("") == string(want)
	}, time.Minute, 10*time.Millisecond, "the pump is not %s", want)
}

func limit(t *testing.T, m *provider.Provider, high string) {
	t.Helper()
	require.NoError(t, m.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.LimitAlertConditionState](tx, monitor.AlarmHR)
		if err == nil {
			s.Limits.Upper = pm.Some(pm.MustDecimal(high))
		}
		return err
	}))
}

func TestThePumpFollowsTheMonitorOfItsPlace(t *testing.T) {
	w := newWard(t)
	// Neither of these is the monitor of the pump.
	w.monitor(sdc.LocationDetail{PoC: "ICU", Bed: "5"}, "bed-4", nil)
	w.monitor(here, "bed-5", nil)
	m, stop := w.monitor(here, "bed-4", nil)
	w.next("infusing is allowed")
	w.infuses()
	limit(t, m, "55")
	w.next("paused: alarm of the monitor: Heart rate outside limits")
	w.status(pump.Paused)
	limit(t, m, "120")
	w.next("infusing is allowed")
	w.status(pump.Infusing)
	stop()
	w.next("paused: ")
	w.status(pump.Paused)
}

// A monitor that is there and answers but reports nothing might as well not be there.
func TestASilentMonitorPausesThePump(t *testing.T) {
	w := newWard(t)
	wire := &wire{open: make(chan struct{})}
	close(wire.open)
	w.monitor(here, "bed-4", func(cfg *provider.Config) { cfg.Dial = wire.dial })
	w.next("infusing is allowed")
	w.infuses()
	wire.cut()
	w.next("paused: ")
	w.status(pump.Paused)
	wire.mend()
	w.until("infusing is allowed")
	w.status(pump.Infusing)
}

// A monitor that is moved to another bed has nothing to say about this one any more, and a pump without a monitor does not infuse.
func TestAMonitorThatIsMovedEndsTheCoupling(t *testing.T) {
	w := newWard(t)
	m, _ := w.monitor(here, "bed-4", nil)
	w.next("infusing is allowed")
	w.infuses()
	require.NoError(t, m.SetLocation(sdc.LocationDetail{PoC: "ICU", Bed: "5"}))
	w.next("paused: the monitor is lost")
	w.status(pump.Paused)
	// What happens there is none of the pump's business, and calm there does not let it infuse here.
	limit(t, m, "55")
	limit(t, m, "120")
	w.status(pump.Paused)
	require.NoError(t, m.SetLocation(here))
	w.until("infusing is allowed")
	w.status(pump.Infusing)
}

// wire is what a monitor sends its reports over. While it is cut, everything seems to be sent and nothing arrives.
type wire struct {
	mu   sync.Mutex
	open chan struct{} // closed while it is not cut
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = make(chan struct{})
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.open)
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &cable{Conn: c, wire: w, closed: make(chan struct{})}, nil
}

type cable struct {
	net.Conn
	wire   *wire
	once   sync.Once
	closed chan struct{}
}

func (c *cable) Write(b []byte) (int, error) {
	c.wire.mu.Lock()
	open := c.wire.open
	c.wire.mu.Unlock()
	select {
	case <-open:
		return c.Conn.Write(b)
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *cable) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
