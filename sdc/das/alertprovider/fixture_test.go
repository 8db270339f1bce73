package alertprovider

import (
	"context"
	"crypto/x509"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/das/internal/dastest"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	effective = dastest.EffectiveTimeout
	within    = dastest.ConfirmWithin
	holdoff   = 20 * time.Second
)

// fake is a device without a network.
type fake struct {
	*mdib.Store
	fails    atomic.Bool
	handlers map[string]func(context.Context, *provider.Activate) error
	ends     map[string]func(context.Context, *provider.Call) error
}

func (f *fake) MDIB() *mdib.Snapshot { return f.Load() }
func (f *fake) EPR() string          { return "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a11" }

func (f *fake) Update(fn func(*mdib.Tx) error) error {
	if f.fails.Load() {
		return errors.New("the device fails")
	}
	_, err := f.Store.Update(fn)
	return err
}

func (f *fake) HandleActivate(handle string, h func(context.Context, *provider.Activate) error) error {
	f.handlers[handle] = h
	return nil
}

func (f *fake) HandleEffectEnd(handle string, h func(context.Context, *provider.Call) error) error {
	f.ends[handle] = h
	return nil
}

// gate is an alarm manager of which a test can have what would end a quiet stuck.
type gate struct {
	*alerts.Manager
	stuck atomic.Pointer[chan struct{}] // until it is closed
}

func (g *gate) Quiet(until time.Time, manifestations []pm.AlertSignalManifestation, systems ...string) error {
	if stuck := g.stuck.Load(); stuck != nil && until.IsZero() {
		<-*stuck
	}
	return g.Manager.Quiet(until, manifestations, systems...)
}

// bench is a monitored device in virtual time.
type bench struct {
	*Monitoring
	t      *testing.T
	dev    *fake
	alarms *gate
	stop   func() // ends Run
	events []audit.Event
	phases []Phase
}

func inBubble(t *testing.T, test func(b *bench)) {
	t.Helper()
	inBubbleWith(t, func() *mdib.Snapshot { return dastest.Snapshot(t) }, test)
}

// inBubbleWith is inBubble with another MDIB.
func inBubbleWith(t *testing.T, start func() *mdib.Snapshot, test func(b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, dev: &fake{
			Store: mdib.NewStore(start(), mdib.Config{}), handlers: map[string]func(context.Context, *provider.Activate) error{},
			ends: map[string]func(context.Context, *provider.Call) error{},
		}}
		var err error
		b.Monitoring, err = New(Config{
			Device: b.dev, Holdoff: holdoff, Audit: audit.SinkFunc(func(e audit.Event) { b.events = append(b.events, e) }),
			Changed: func(s Status) { b.phases = append(b.phases, s.Phase) },
		})
		require.NoError(t, err)
		manager, err := alerts.New(alerts.Config{Device: b.Monitoring})
		require.NoError(t, err)
		b.alarms = &gate{Manager: manager}
		require.ErrorContains(t, b.call("das.activate", consumerA(), "early"), "cannot be monitored now")
		ctx, cancel := context.WithCancel(context.Background())
		outer, end := context.WithCancel(context.Background())
		ran, managed := make(chan error, 1), make(chan error, 1)
		go func() { managed <- b.alarms.Run(outer) }()
		go func() { ran <- b.Run(ctx, b.alarms) }()
		b.stop = sync.OnceFunc(func() {
			cancel()
			require.NoError(t, <-ran)
		})
		defer func() {
			b.stop()
			end()
			require.NoError(t, <-managed)
		}()
		synctest.Wait()
		test(b)
	})
}

func peer(name string) *sdc.Peer {
	return &sdc.Peer{Certificate: &x509.Certificate{Raw: []byte(name)}, Remote: "192.0.2.7:1"}
}

func consumerA() *sdc.Peer { return peer("A") }
func consumerB() *sdc.Peer { return peer("B") }

// call invokes an operation as the provider does.
func (b *bench) call(handle string, by *sdc.Peer, arguments ...string) error {
	c := &provider.Activate{Call: &provider.Call{Handle: handle, Peer: by}}
	for _, a := range arguments {
		c.Arguments = append(c.Arguments, provider.Argument{Value: a})
	}
	return b.dev.handlers[handle](b.t.Context(), c)
}

func (b *bench) activate(by *sdc.Peer) {
	b.t.Helper()
	require.NoError(b.t, b.call("das.activate", by, "Ward 3"))
}

// confirm confirms conditions as they are now.
func (b *bench) confirm(conditions ...string) error {
	var words []string
	for _, h := range conditions {
		words = append(words, strconv.FormatUint(b.version(h), 10)+":"+h)
	}
	return b.call("das.confirm", consumerA(), b.MDIB().Version().SequenceID, strings.Join(words, " "))
}

func (b *bench) version(condition string) uint64 {
	s, ok := mdib.Get[pm.ConditionState](b.MDIB(), condition)
	require.True(b.t, ok)
	return s.BaseCondition().StateVersion
}

// raise makes a condition present or not.
func (b *bench) raise(condition string, there bool) {
	b.t.Helper()
	require.NoError(b.t, b.alarms.SetPresence(condition, there))
	synctest.Wait()
}

func (b *bench) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// keep lets time pass while the consumer renews.
func (b *bench) keep(d time.Duration) {
	b.t.Helper()
	for range d / time.Second {
		b.after(time.Second)
		b.activate(consumerA())
	}
}

func (b *bench) sounds(handle string) bool {
	s, ok := mdib.Get[*pm.AlertSignalState](b.MDIB(), handle)
	require.True(b.t, ok)
	return s.PresenceOrDefault() == pm.AlertSignalPresenceOn
}

func (b *bench) modes() string {
	out := ""
	for _, h := range []string{"das.activate", "das.confirm", "das.end"} {
		s, _ := mdib.Get[pm.OperationState](b.MDIB(), h)
		out += " " + string(s.BaseOperation().OperatingMode)
	}
	return out[1:]
}

// is checks the phase, and that operations and signals agree with it.
func (b *bench) is(p Phase) {
	b.t.Helper()
	synctest.Wait()
	require.Equal(b.t, p, b.Status().Phase, "%+v", b.Status())
	require.Equal(b.t, map[Phase]string{Local: "En Dis Dis", Pending: "En En En", Quiet: "En En En", Disabled: "Dis Dis Dis"}[p], b.modes())
	want := pm.AlertActivationOn
	if p == Quiet {
		want = pm.AlertActivationPsd
	}
	for _, h := range []string{"hr.aud", "spo2.aud"} {
		s, _ := mdib.Get[*pm.AlertSignalState](b.MDIB(), h)
		require.Equal(b.t, want, s.ActivationState, h)
	}
	for _, f := range mdib.Validate(b.MDIB()) {
		require.NotEqual(b.t, mdib.SeverityError, f.Severity, "%s %s: %s", f.ID, f.Handle, f.Message)
	}
}

// fellBack checks that everything is back, and says why.
func (b *bench) fellBack(why Reason) {
	b.t.Helper()
	b.is(Disabled)
	require.Equal(b.t, why, b.Status().Ended)
	last := b.events[len(b.events)-1]
	require.Equal(b.t, audit.Monitored, last.Kind)
	require.Equal(b.t, "end", last.Action)
	require.Equal(b.t, string(why), last.Outcome)
	require.Equal(b.t, "Ward 3", last.User)
}
