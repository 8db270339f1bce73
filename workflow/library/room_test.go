package library_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/workflow"
	"github.com/semeco/go-sdc/workflow/library"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// room is simulated devices and a station on an in-memory network, in virtual time.
type room struct {
	t       *testing.T
	network *memnet.Network
	station *station.Station
	devices map[string]*device
	world   *world
	human   *human
	audit   *audit
}

// device is a simulated device on a host of its own.
type device struct {
	name, host, epr string
	*provider.Provider
	stop func()
}

const stationHost = "192.0.2.1"

var place = sdc.LocationDetail{Facility: "HOSP", PoC: "OR 1"}

// inRoom puts devices into a room and calls test once the station sees all of them.
func inRoom(t *testing.T, sims map[string]simulators.Simulator, test func(r *room)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		r := &room{t: t, network: memnet.New(memnet.Config{}), devices: map[string]*device{}, human: &human{yes: true}, audit: &audit{}}
		defer r.network.Close()
		var endpoints station.Endpoints
		n := 10
		for name, sim := range sims {
			n++
			d := &device{name: name, host: fmt.Sprintf("192.0.2.%d", n)}
			host := r.network.Host(d.host)
			ctx, cancel := context.WithCancel(t.Context())
			ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
			go func() {
				ended <- simulators.Run(ctx, sim, provider.Config{
					Insecure: true, Listen: host.ListenAny, Dial: host.Dial, Transport: discovery.NewSilence(), MaxSubscription: 15 * time.Second,
				}, func(p *provider.Provider) { ready <- p })
			}()
			d.stop = sync.OnceFunc(func() {
				cancel()
				<-ended //nolint:errcheck // a device that was cut off cannot say goodbye
			})
			defer d.stop()
			d.Provider = <-ready
			d.epr = d.EPR()
			r.devices[name] = d
			endpoints = append(endpoints, discovery.Endpoint{EPR: d.epr, XAddrs: d.XAddrs()})
		}
		// Waveforms take most of the time of such a room and no workflow looks at them.
		var actions []string
		for _, service := range sdc.Services() {
			for _, a := range service.Notifications() {
				if a != sdc.ActionWaveformStream {
					actions = append(actions, a)
				}
			}
		}
		host := r.network.Host(stationHost)
		c, err := consumer.New(t.Context(), consumer.Config{
			Insecure: true, Listen: host.ListenAny, Dial: host.Dial, Actions: actions, RequestTimeout: 3 * time.Second, LostAfter: 10 * time.Second, UpdateQueue: 1 << 16,
		})
		require.NoError(t, err)
		r.station, err = station.New(station.Config{Consumer: c, Discovery: endpoints, Immediately: true})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.station.Run(ctx) }()
		defer func() {
			cancel()
			require.NoError(t, <-ended)
			closing, done := context.WithTimeout(context.Background(), 5*time.Second)
			defer done()
			_ = c.Close(closing) // devices that were cut off do not answer
		}()
		r.world = &world{World: workflow.OnStation(r.station), r: r, counts: map[string]int{}}
		r.until(10*time.Second, "all devices live", func() bool {
			v := r.station.View()
			for _, d := range v.Devices {
				if !d.Live() {
					return false
				}
			}
			return len(v.Devices) == len(sims)
		})
		test(r)
	})
}

// pass lets time pass.
func (r *room) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (r *room) until(d time.Duration, what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(d); !ok(); r.pass(100 * time.Millisecond) {
		require.True(r.t, time.Now().Before(end), "did not happen in %v: %s", d, what)
	}
}

// cut pulls the cable between the station and a device.
func (r *room) cut(name string) { r.network.Partition(stationHost, r.devices[name].host) }

// text is what a device itself shows of an enumeration, whatever the network says.
func (d *device) text(handle string) string {
	s, ok := mdib.Get[*pm.EnumStringMetricState](d.MDIB(), handle)
	if !ok || s.MetricValue == nil {
		return ""
	}
	return s.MetricValue.Value.Or("")
}

func (d *device) number(handle string) float64 {
	s, ok := mdib.Get[*pm.NumericMetricState](d.MDIB(), handle)
	if !ok || s.MetricValue == nil {
		return 0
	}
	return s.MetricValue.Value.Or(pm.Decimal{}).Float64()
}

func (d *device) present(condition string) bool {
	s, ok := mdib.Get[pm.ConditionState](d.MDIB(), condition)
	return ok && s.BaseCondition().Presence
}

// run runs a workflow of the library to its end.
func (r *room) run(ctx context.Context, name string, edit func(*workflow.Options)) *workflow.Result {
	w, err := library.Get(name)
	require.NoError(r.t, err)
	o := workflow.Options{Workflow: w, World: r.world, Human: r.human, Audit: r.audit, Settle: time.Second}
	if edit != nil {
		edit(&o)
	}
	res, err := workflow.Run(ctx, o)
	require.NoError(r.t, err)
	return res
}

// fault is what goes wrong with an invocation.
type fault string

const (
	refused   fault = "refused by the device"
	lost      fault = "request lost"        // the device never gets it
	noAnswer  fault = "answer lost"         // the device does it, nobody hears of it
	cutBefore fault = "device cut off"      // with the invocation, until the end
	cancelled fault = "operator cancels"    // while it is under way
	dies      fault = "orchestrator dies"   // nothing gets out from now on
	crash     fault = "device switched off" // with the invocation
)

func faults() []fault {
	return []fault{refused, lost, noAnswer, cutBefore, cancelled, dies, crash}
}

// world is the world of the station with a fault at the nth invocation of an operation.
type world struct {
	workflow.World
	r *room

	mu     sync.Mutex
	at     string // operation handle
	n      int    // which invocation of it, from 1
	fault  fault
	cancel context.CancelFunc
	counts map[string]int
	dead   bool
	done   []string // operations that reached a device, in order
}

func (w *world) inject(operation string, n int, f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.n, w.fault = operation, n, f
}

func (w *world) Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error) {
	op := request.BaseSet().OperationHandleRef
	w.mu.Lock()
	w.counts[op]++
	f := fault("")
	if w.at == op && w.n == w.counts[op] {
		f = w.fault
	}
	if f == dies {
		w.dead = true
	}
	dead := w.dead
	w.mu.Unlock()
	if dead {
		return nil, errors.New("dead")
	}
	device := ""
	for name, d := range w.r.devices {
		if d.epr == epr {
			device = name
		}
	}
	switch f {
	case refused:
		res := &consumer.Result{State: msg.InvocationStateFail, Error: msg.InvocationErrorOth}
		return res, &consumer.OperationError{Operation: op, Result: res}
	case lost:
		<-ctx.Done()
		return nil, ctx.Err()
	case cutBefore:
		w.r.cut(device)
	case crash:
		w.r.devices[device].stop()
	case cancelled:
		w.cancel()
	}
	res, err := w.World.Invoke(ctx, epr, request)
	w.mu.Lock()
	if err == nil {
		w.done = append(w.done, op)
	}
	w.mu.Unlock()
	if f == noAnswer {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return res, err
}

// human answers every question the same way.
type human struct {
	yes    bool
	silent bool
	answer chan bool // if it is set, the answers come from there

	mu     sync.Mutex
	asked  int
	alarms []string
}

func (h *human) Confirm(ctx context.Context, _ string) (bool, string, error) {
	h.mu.Lock()
	h.asked++
	h.mu.Unlock()
	if h.silent || h.answer != nil {
		select {
		case yes := <-h.answer:
			return yes, "tester", nil
		case <-ctx.Done():
			return false, "", ctx.Err()
		}
	}
	return h.yes, "tester", nil
}

func (h *human) Alarm(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alarms = append(h.alarms, text)
}

// audit keeps entries, and can break.
type audit struct {
	mu      sync.Mutex
	entries []workflow.Entry
	broken  bool
}

func (a *audit) Record(_ context.Context, e workflow.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken {
		return errors.New("disk full")
	}
	a.entries = append(a.entries, e)
	return nil
}

// trail is the audit as text, for failures.
func (a *audit) trail() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	for _, e := range a.entries {
		fmt.Fprintf(&b, "%s %d %s %s %s %s %s\n", e.Time.Format("05.000"), e.Number, e.Event, e.Step, e.Operation, e.Outcome, e.Text)
	}
	return b.String()
}

func place2() sdc.LocationDetail { return sdc.LocationDetail{Facility: "HOSP", PoC: "OR 2"} }

// slow delays the invocations of one operation.
type slow struct {
	workflow.World
	operation string
	by        time.Duration
}

func (s slow) Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error) {
	if request.BaseSet().OperationHandleRef == s.operation {
		select {
		case <-time.After(s.by):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.World.Invoke(ctx, epr, request)
}

// before does something before the nth invocation of an operation.
type before struct {
	workflow.World
	operation string
	n         int
	count     *int
	do        func()
}

func (b before) Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error) {
	if request.BaseSet().OperationHandleRef == b.operation {
		if *b.count++; *b.count == b.n {
			b.do()
		}
	}
	return b.World.Invoke(ctx, epr, request)
}
