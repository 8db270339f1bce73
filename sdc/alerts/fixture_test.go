package alerts

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func code(c string) *pm.CodedValue { return &pm.CodedValue{Code: c} }

func base(handle string) pm.AbstractDescriptor {
	return pm.AbstractDescriptor{Handle: handle, Type: code("1")}
}

func decimal(s string) pm.Opt[pm.Decimal] { return pm.Some(pm.MustDecimal(s)) }

func seconds(n int) pm.Opt[pm.Duration] {
	return pm.Some(pm.DurationOf(time.Duration(n) * time.Second))
}

func conditionOf(handle string, kind pm.AlertConditionKind, source ...string) pm.AlertConditionDescriptor {
	d := pm.AlertConditionDescriptor{Kind: kind, Priority: pm.AlertConditionPriorityMe, Source: source}
	d.AbstractDescriptor = base(handle)
	return d
}

func signalOf(handle, of string, m pm.AlertSignalManifestation, change func(*pm.AlertSignalDescriptor)) *pm.AlertSignalDescriptor {
	d := &pm.AlertSignalDescriptor{ConditionSignaled: of, Manifestation: m}
	d.AbstractDescriptor = base(handle)
	if change != nil {
		change(d)
	}
	return d
}

// snapshot is a device with
//   - the metric hr and the limit condition hr.limit of 50 to 120 on it, signalled by hr.vis (latching), hr.aud (after 3 s, can be acknowledged for
//     30 s), the remote hr.tan.remote and its fallback hr.tan;
//   - the technical condition sensor (after 2 s), signalled by sensor.vis and sensor.aud (latching, can be acknowledged without end);
//   - a VMD with an alert system of its own: the condition pump, signalled by pump.vis there and by pump.up in the MDS's alert system.
func snapshot(t require.TestingT) *mdib.Snapshot {
	hr := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	hr.AbstractDescriptor = base("hr")
	hr.MetricCategory, hr.MetricAvailability, hr.Unit = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont, *code("264864")
	channel := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{hr}}
	channel.AbstractDescriptor = base("chan")

	limit := &pm.LimitAlertConditionDescriptor{
		AlertConditionDescriptor: conditionOf("hr.limit", pm.AlertConditionKindPhy, "hr"), AutoLimitSupported: true,
		MaxLimits: pm.Range{Lower: decimal("20"), Upper: decimal("250")},
	}
	limit.CanEscalate, limit.CanDeescalate = pm.AlertConditionPriorityHi, pm.AlertConditionPriorityLo
	sensor := conditionOf("sensor", pm.AlertConditionKindTec)
	sensor.DefaultConditionGenerationDelay = seconds(2)
	ackable := func(d *pm.AlertSignalDescriptor) { d.AcknowledgementSupported = true }
	system := &pm.AlertSystemDescriptor{
		SelfCheckPeriod: seconds(5),
		AlertCondition:  []pm.ConditionDescriptor{limit, &sensor},
		AlertSignal: []*pm.AlertSignalDescriptor{
			signalOf("hr.vis", "hr.limit", pm.AlertSignalManifestationVis, func(d *pm.AlertSignalDescriptor) { d.Latching = true }),
			signalOf("hr.aud", "hr.limit", pm.AlertSignalManifestationAud, func(d *pm.AlertSignalDescriptor) {
				d.AcknowledgementSupported, d.AcknowledgeTimeout, d.DefaultSignalGenerationDelay = true, seconds(30), seconds(3)
				d.MinSignalGenerationDelay, d.MaxSignalGenerationDelay = seconds(1), seconds(10)
			}),
			signalOf("hr.tan", "hr.limit", pm.AlertSignalManifestationTan, func(d *pm.AlertSignalDescriptor) { d.DefaultSignalGenerationDelay = seconds(8) }),
			signalOf("hr.tan.remote", "hr.limit", pm.AlertSignalManifestationTan, func(d *pm.AlertSignalDescriptor) { d.SignalDelegationSupported = true }),
			signalOf("sensor.vis", "sensor", pm.AlertSignalManifestationVis, nil),
			signalOf("sensor.aud", "sensor", pm.AlertSignalManifestationAud, func(d *pm.AlertSignalDescriptor) { ackable(d); d.Latching = true }),
			signalOf("pump.up", "pump", pm.AlertSignalManifestationVis, ackable),
			signalOf("pump.moving", "pump", pm.AlertSignalManifestationOth, func(d *pm.AlertSignalDescriptor) { d.SignalDelegationSupported = true }),
		},
	}
	system.AbstractDescriptor = base("alerts")
	pump := conditionOf("pump", pm.AlertConditionKindTec)
	below := &pm.AlertSystemDescriptor{
		AlertCondition: []pm.ConditionDescriptor{&pump},
		AlertSignal:    []*pm.AlertSignalDescriptor{signalOf("pump.vis", "pump", pm.AlertSignalManifestationVis, nil)},
	}
	below.AbstractDescriptor = base("alerts2")

	moving := &pm.SetAlertStateOperationDescriptor{}
	moving.AbstractDescriptor, moving.OperationTarget, moving.InvocationEffectiveTimeout = base("op.moving"), "pump.moving", seconds(4)
	sco := &pm.ScoDescriptor{Operation: []pm.OperationDescriptor{moving}}
	sco.AbstractDescriptor = base("sco")
	clock := &pm.ClockDescriptor{}
	clock.AbstractDescriptor = base("clock")
	vmd := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{channel}}
	vmd.AbstractDescriptor, vmd.AlertSystem = base("vmd"), below
	mds := &pm.MdsDescriptor{Clock: clock, Vmd: []*pm.VmdDescriptor{vmd}}
	mds.AbstractDescriptor, mds.AlertSystem, mds.Sco = base("mds"), system, sco

	s, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(t, err)
	st := mdib.NewStore(s, mdib.Config{})
	_, err = st.Update(func(tx *mdib.Tx) error {
		for e := range s.Entities() {
			if _, ok := e.State.(pm.AlertState); !ok {
				continue
			}
			a, err := mdib.Edit[pm.AlertState](tx, e.Handle)
			if err != nil {
				return err
			}
			a.BaseAlert().ActivationState = pm.AlertActivationOn
			switch a := a.(type) {
			case *pm.AlertSystemState:
				for _, m := range []pm.AlertSignalManifestation{pm.AlertSignalManifestationAud, pm.AlertSignalManifestationVis, pm.AlertSignalManifestationTan} {
					a.SystemSignalActivation = append(a.SystemSignalActivation, pm.SystemSignalActivation{Manifestation: m, State: pm.AlertActivationOn})
				}
			case *pm.LimitAlertConditionState:
				a.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsAll
				a.Limits = pm.Range{Lower: decimal("50"), Upper: decimal("120")}
			case *pm.AlertSignalState:
				if e.Handle == "hr.tan.remote" {
					a.Location, a.ActivationState = pm.AlertSignalPrimaryLocationRem, pm.AlertActivationOff
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	return st.Load()
}

// device is a store that keeps its changes. Every version must be sound.
type device struct {
	st      *mdib.Store
	mu      sync.Mutex
	changes []*mdib.Change
	notify  func()
}

func newDevice(t require.TestingT) *device {
	return &device{st: mdib.NewStore(snapshot(t), mdib.Config{})}
}

func (d *device) MDIB() *mdib.Snapshot { return d.st.Load() }

func (d *device) Update(fn func(*mdib.Tx) error) error {
	c, err := d.st.Update(fn)
	if c != nil {
		d.mu.Lock()
		d.changes = append(d.changes, c)
		d.mu.Unlock()
		if d.notify != nil {
			d.notify()
		}
	}
	return err
}

func (d *device) take() []*mdib.Change {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.changes
	d.changes = nil
	return c
}

// bench is a manager that runs on a device in virtual time.
type bench struct {
	t   *testing.T
	dev *device
	*Manager
}

func inBubble(t *testing.T, cfg Config, test func(b *bench)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		dev := newDevice(t)
		cfg.Device = dev
		m, err := New(cfg)
		require.NoError(t, err)
		done := make(chan error, 1)
		ctx := t.Context()
		go func() { done <- m.Run(ctx) }()
		t.Cleanup(func() { require.NoError(t, <-done) })
		synctest.Wait()
		test(&bench{t, dev, m})
		b := bench{t, dev, m}
		b.sound()
	})
}

// after lets time pass.
func (b *bench) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// sound checks the rules for each version since the last look.
func (b *bench) sound() {
	b.t.Helper()
	for _, c := range b.dev.take() {
		for _, f := range mdib.Validate(c.After) {
			require.NotEqual(b.t, mdib.SeverityError, f.Severity, "version %d: %s %s: %s", c.Version.MdibVersion, f.ID, f.Handle, f.Message)
		}
	}
}

func (b *bench) hr(value string) {
	b.t.Helper()
	require.NoError(b.t, b.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("hr", pm.MustDecimal(value), time.Now()) }))
}

func (b *bench) present(handle string) bool {
	b.t.Helper()
	s, ok := mdib.Get[pm.ConditionState](b.MDIB(), handle)
	require.True(b.t, ok, handle)
	return s.BaseCondition().Presence
}

func (b *bench) presence(handle string) string {
	b.t.Helper()
	s, ok := mdib.Get[*pm.AlertSignalState](b.MDIB(), handle)
	require.True(b.t, ok, handle)
	return string(s.PresenceOrDefault())
}

func (b *bench) activation(handle string) string {
	b.t.Helper()
	s, ok := mdib.Get[pm.AlertState](b.MDIB(), handle)
	require.True(b.t, ok, handle)
	return string(s.BaseAlert().ActivationState)
}

func (b *bench) entry(m pm.AlertSignalManifestation) string {
	b.t.Helper()
	s, ok := mdib.Get[*pm.AlertSystemState](b.MDIB(), "alerts")
	require.True(b.t, ok)
	i := slices.IndexFunc(s.SystemSignalActivation, func(e pm.SystemSignalActivation) bool { return e.Manifestation == m })
	return string(s.SystemSignalActivation[i].State)
}
