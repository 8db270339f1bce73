package interop

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// everyReport are the kinds of report that a device with every kind of entry sends.
var everyReport = []string{
	"EpisodicMetricReport", "EpisodicAlertReport", "EpisodicComponentReport", "EpisodicContextReport",
	"EpisodicOperationalStateReport", "WaveformStream", "DescriptionModificationReport", "OperationInvokedReport",
}

// everyOperation are the kinds of operation.
var everyOperation = []string{
	"SetValue", "SetString", "Activate", "SetMetricState", "SetComponentState", "SetAlertState", "SetContextState",
}

// The peer's consumer finds our device, mirrors it through every kind of report,
// renews, invokes every kind of operation and leaves.
func TestPeerConsumerOfOurProvider(t *testing.T) {
	// covers: COEX-1, COEX-7, EVT-2, EVT-3, MDPWS R0008, MDPWS R0015, WSD-1
	for _, secure := range []bool{false, true} {
		for _, invocation := range []provider.Invocation{provider.Direct, provider.Delayed} {
			name := map[bool]string{false: "plain", true: "tls"}[secure] + map[provider.Invocation]string{provider.Direct: "-direct", provider.Delayed: "-delayed"}[invocation]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				python(t)
				snap, err := mdib.ReadFile("testdata/device.xml")
				require.NoError(t, err)
				peerConsumer(t, snap, secure, invocation, everyReport, everyOperation)
			})
		}
	}
}

// The same with the plug-a-thon's MDIB, which has another shape.
func TestPeerConsumerOfPlugathonDevice(t *testing.T) {
	t.Parallel()
	python(t)
	files := reftest.Samples(t, "mdibs/sdc11073-PlugathonMdibV2.xml")
	snap, err := mdib.ReadFile(files[0])
	require.NoError(t, err)
	peerConsumer(t, snap, true, provider.Delayed, everyReport, []string{"SetValue", "SetString", "Activate", "SetMetricState", "SetContextState"})
}

func peerConsumer(t *testing.T, snap *mdib.Snapshot, secure bool, invocation provider.Invocation, reports, operations []string) {
	w := newWorld(t, secure, sdc.RoleProvider)
	dev, err := provider.New(provider.Config{
		EPR: w.epr, MDIB: snap, Identity: w.ours, Policy: provider.AllowAll(), Insecure: !secure, Network: w.network(), Timing: discovery.PromptTiming(),
		MaxSubscription: 5 * time.Second, ApplyProposals: true, Invocation: invocation,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	require.NoError(t, err)
	handleActivates(t, dev)
	stop := run(t, dev)
	require.NoError(t, dev.SetLocation(sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: "bed1"}))

	p := w.start(t, "consumer.py")
	var connected struct {
		Types, Scopes, XAddrs, Services []string
		Subscribed, TLS                 bool
	}
	p.expect(t, "connected").decode(t, &connected)
	require.Equal(t, secure, connected.TLS)
	require.True(t, connected.Subscribed, "every subscription was granted")
	require.Equal(t, dev.XAddrs(), connected.XAddrs)
	require.True(t, slices.ContainsFunc(connected.Scopes, func(s string) bool { return strings.HasPrefix(s, "sdc.ctxt.loc:/") }), "%q", connected.Scopes)

	// Everything changes while the peer reads and operates.
	driver := newDriver(dev)
	moving := make(chan struct{})
	moved := make(chan error, 1)
	go func() { moved <- driver.drive(moving) }()

	var got struct{ Results map[string]any }
	p.do(t, "got", map[string]any{"do": "get"}).decode(t, &got)
	for name, result := range got.Results {
		if text, isText := result.(string); isText {
			t.Errorf("%s failed: %s", name, text)
		}
	}
	require.EqualValues(t, 0, got.Results["GetMdState unknown"])
	require.EqualValues(t, 1, got.Results["GetMdState one"])

	var operated struct {
		Done   map[string]int
		Failed []string
	}
	p.do(t, "operations", map[string]any{"do": "operate", "skip": []string{driver.toggled()}}).decode(t, &operated)
	for _, e := range p.all("operated") {
		checkOperated(t, e, invocation, w)
	}
	require.Empty(t, operated.Failed)
	for _, kind := range operations {
		require.Positive(t, operated.Done[kind], "%s was invoked", kind)
	}

	var received struct {
		Counts  map[string]int
		Missing []string
	}
	p.do(t, "reports", map[string]any{"do": "wait", "reports": reports, "timeout": 20}).decode(t, &received)
	require.Empty(t, received.Missing, "of %v", received.Counts)

	var renewed struct{ Renewed, Connected bool }
	p.do(t, "renewed", map[string]any{"do": "renewed", "timeout": 15}).decode(t, &renewed)
	require.True(t, renewed.Renewed && renewed.Connected, "subscriptions of 5 s are renewed in time")

	close(moving)
	require.NoError(t, <-moved)
	var theirs picture
	p.do(t, "mdib", map[string]any{"do": "dump", "version": dev.MDIB().Version().MdibVersion}).decode(t, &theirs)
	requireSame(t, pictureOf(dev.MDIB()), theirs)

	// Our end tells it: SubscriptionEnd for both subscriptions.
	require.NoError(t, stop())
	p.expect(t, "ended")
	p.stop(t)
	p.complaints(t, inGoodOrder...)
}

// inGoodOrder is what the peer logs although all is as it should be: when a device goes away in an orderly way; and when a report that is older than the MDIB that was read comes after it,
// as it may while the peer begins. Reports in the wrong order would show as a version that was left out, which it complains of first.
var inGoodOrder = []string{"SourceShuttingDown", "ignoring too old Mdib version"}

// checkOperated checks the life of one operation as the peer saw it.
func checkOperated(t *testing.T, e event, invocation provider.Invocation, w *world) {
	t.Helper()
	var op struct {
		Kind, Handle, State, Response string
		Error, Target                 *string
		Reports                       []string
		Source                        *struct{ Root, Extension string }
	}
	e.decode(t, &op)
	if op.State == "skipped" {
		return
	}
	require.Equal(t, "Fin", op.State, "%s", e.raw)
	if invocation == provider.Delayed {
		require.Equal(t, "Wait", op.Response, "%s", e.raw)
		require.Equal(t, []string{"Wait", "Start", "Fin"}, op.Reports, "%s", e.raw)
	} else {
		require.Equal(t, "Fin", op.Response, "%s", e.raw)
	}
	if op.Source != nil && w.ours != nil {
		require.Contains(t, op.Source.Extension, "BEGIN CERTIFICATE", "the invoker is named by its certificate")
	}
}

// run runs a device until stop is called.
func run(t *testing.T, dev *provider.Provider) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		cancel()
		require.NoError(t, err, "the device ended before it was ready")
	case <-time.After(patience):
		cancel()
		require.FailNow(t, "the device does not get ready")
	}
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// handleActivates gives every Activate operation a handler: its arguments, joined,
// become the value of its target if that is a string metric.
func handleActivates(t *testing.T, dev *provider.Provider) {
	t.Helper()
	for e := range dev.MDIB().Entities() {
		d, ok := e.Descriptor.(*pm.ActivateOperationDescriptor)
		if !ok {
			continue
		}
		target := d.OperationTarget
		require.NoError(t, dev.HandleActivate(e.Handle, func(_ context.Context, call *provider.Activate) error {
			if _, ok := mdib.Get[*pm.StringMetricState](call.MDIB(), target); !ok {
				return nil
			}
			var joined strings.Builder
			for _, a := range call.Arguments {
				joined.WriteString(a.Value)
			}
			return call.Update(func(tx *mdib.Tx) error { return tx.SetString(target, joined.String(), time.Now()) })
		}))
	}
}

// driver changes a device, every kind of entry in turn.
type driver struct {
	dev     *provider.Provider
	byType  map[string][]string // handles by the type of the descriptor
	n       int
	present string
}

func newDriver(dev *provider.Provider) *driver {
	d := &driver{dev: dev, byType: map[string][]string{}}
	for e := range dev.MDIB().Entities() {
		name := e.Descriptor.TypeName().Local
		d.byType[name] = append(d.byType[name], e.Handle)
	}
	return d
}

// drive steps every 20 ms until told to stop.
func (d *driver) drive(stop <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-tick.C:
			if err := d.step(); err != nil {
				return err
			}
		}
	}
}

func (d *driver) step() error {
	d.n++
	steps := []func() error{d.metric, d.waveform, d.alert, d.component, d.operational, d.context, d.describe, d.insert}
	return steps[d.n%len(steps)]()
}

// each updates every entry of a type in one transaction.
func (d *driver) each(typeName string, change func(tx *mdib.Tx, handle string) error) error {
	if len(d.byType[typeName]) == 0 {
		return nil
	}
	return d.dev.Update(func(tx *mdib.Tx) error {
		for _, handle := range d.byType[typeName] {
			if err := change(tx, handle); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *driver) metric() error {
	return d.each("NumericMetricDescriptor", func(tx *mdib.Tx, h string) error {
		return tx.SetNumeric(h, pm.MustDecimal(fmt.Sprint(d.n%30+10)), time.Now()) // within what the operations allow: the peer sets what it finds
	})
}

func (d *driver) waveform() error {
	return d.each("RealTimeSampleArrayMetricDescriptor", func(tx *mdib.Tx, h string) error {
		samples := make(pm.Samples, 50)
		for i := range samples {
			samples[i] = pm.MustDecimal(fmt.Sprintf("%d.%02d", d.n%7, i))
		}
		return tx.SetSamples(h, samples, time.Now())
	})
}

func (d *driver) alert() error {
	for _, typeName := range []string{"AlertConditionDescriptor", "LimitAlertConditionDescriptor"} {
		err := d.each(typeName, func(tx *mdib.Tx, h string) error { return tx.SetPresence(h, d.n%16 < 8) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) component() error {
	return d.each("VmdDescriptor", func(tx *mdib.Tx, h string) error {
		s, err := mdib.Edit[*pm.VmdState](tx, h)
		if err == nil {
			s.OperatingHours = pm.Some(uint32(d.n))
		}
		return err
	})
}

// toggled is the operation that operational switches, which the peer shall not call.
func (d *driver) toggled() string {
	activates := d.byType["ActivateOperationDescriptor"]
	return activates[len(activates)-1]
}

func (d *driver) operational() error {
	last := d.toggled()
	for _, mode := range []pm.OperatingMode{pm.OperatingModeNA, pm.OperatingModeDis} {
		if err := d.dev.Update(func(tx *mdib.Tx) error { return tx.SetOperatingMode(last, mode) }); err != nil {
			return err
		}
	}
	return nil
}

// context moves the device, about once a second.
func (d *driver) context() error {
	if d.n%48 != 5 {
		return nil
	}
	return d.dev.SetLocation(sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: fmt.Sprintf("bed%d", d.n)})
}

func (d *driver) describe() error {
	h := d.byType["NumericMetricDescriptor"][0]
	return d.dev.Update(func(tx *mdib.Tx) error {
		m, err := mdib.EditDescriptorAs[*pm.NumericMetricDescriptor](tx, h)
		if err == nil {
			m.Type.ConceptDescription = []pm.LocalizedText{{Lang: "en", Text: fmt.Sprintf("changed %d", d.n)}}
		}
		return err
	})
}

// insert adds a VMD with channel and metric, and the next time removes it.
func (d *driver) insert() error {
	return d.dev.Update(func(tx *mdib.Tx) error {
		if d.present != "" {
			handle := d.present
			d.present = ""
			return tx.Delete(handle)
		}
		d.present = fmt.Sprintf("added.vmd.%d", d.n)
		metric := &pm.StringMetricDescriptor{}
		metric.Handle = fmt.Sprintf("added.metric.%d", d.n)
		metric.Type = &pm.CodedValue{Code: "184353"}
		metric.Unit = pm.CodedValue{Code: "262656"}
		metric.MetricCategory = pm.MetricCategoryMsrmt
		metric.MetricAvailability = pm.MetricAvailabilityIntr
		channel := &pm.ChannelDescriptor{}
		channel.Handle = fmt.Sprintf("added.channel.%d", d.n)
		channel.Type = &pm.CodedValue{Code: "70058"}
		channel.Metric = []pm.MetricDescriptor{metric}
		vmd := &pm.VmdDescriptor{}
		vmd.Handle = d.present
		vmd.Type = &pm.CodedValue{Code: "70057"}
		vmd.Channel = []*pm.ChannelDescriptor{channel}
		return tx.Insert(d.byType["MdsDescriptor"][0], vmd)
	})
}
