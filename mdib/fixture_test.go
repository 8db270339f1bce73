package mdib

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

func code(c string) *pm.CodedValue { return &pm.CodedValue{Code: c} }

func base(handle string) pm.AbstractDescriptor {
	return pm.AbstractDescriptor{Handle: handle, Type: code("1")}
}

func numeric(handle string) *pm.NumericMetricDescriptor {
	d := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("1")}
	d.AbstractDescriptor = base(handle)
	d.MetricCategory, d.MetricAvailability, d.Unit = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont, *code("264864")
	return d
}

func waveform(handle string) *pm.RealTimeSampleArrayMetricDescriptor {
	d := &pm.RealTimeSampleArrayMetricDescriptor{Resolution: pm.MustDecimal("0.01"), SamplePeriod: pm.MustDuration("PT0.01S")}
	d.AbstractDescriptor = base(handle)
	d.MetricCategory, d.MetricAvailability, d.Unit = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont, *code("266418")
	return d
}

func text(handle string) *pm.StringMetricDescriptor {
	d := &pm.StringMetricDescriptor{}
	d.AbstractDescriptor = base(handle)
	d.MetricCategory, d.MetricAvailability, d.Unit = pm.MetricCategorySet, pm.MetricAvailabilityIntr, *code("262656")
	return d
}

func enum(handle string, values ...string) *pm.EnumStringMetricDescriptor {
	d := &pm.EnumStringMetricDescriptor{StringMetricDescriptor: *text(handle)}
	for _, v := range values {
		d.AllowedValue = append(d.AllowedValue, pm.AllowedValue{Value: v})
	}
	return d
}

func channel(handle string, metrics ...pm.MetricDescriptor) *pm.ChannelDescriptor {
	d := &pm.ChannelDescriptor{Metric: metrics}
	d.AbstractDescriptor = base(handle)
	return d
}

func vmd(handle string, channels ...*pm.ChannelDescriptor) *pm.VmdDescriptor {
	d := &pm.VmdDescriptor{Channel: channels}
	d.AbstractDescriptor = base(handle)
	return d
}

func condition(handle string, kind pm.AlertConditionKind, source ...string) *pm.AlertConditionDescriptor {
	d := &pm.AlertConditionDescriptor{Kind: kind, Priority: pm.AlertConditionPriorityMe, Source: source}
	d.AbstractDescriptor = base(handle)
	return d
}

func signal(handle, of string) *pm.AlertSignalDescriptor {
	d := &pm.AlertSignalDescriptor{ConditionSignaled: of, Manifestation: pm.AlertSignalManifestationVis}
	d.AbstractDescriptor = base(handle)
	return d
}

func alerts(p string) *pm.AlertSystemDescriptor {
	limit := &pm.LimitAlertConditionDescriptor{MaxLimits: pm.Range{Lower: pm.Some(pm.MustDecimal("30")), Upper: pm.Some(pm.MustDecimal("220"))}}
	limit.AlertConditionDescriptor = *condition(p+"limit", pm.AlertConditionKindPhy, p+"hr")
	d := &pm.AlertSystemDescriptor{
		AlertCondition: []pm.ConditionDescriptor{condition(p+"tec", pm.AlertConditionKindTec), limit},
		AlertSignal:    []*pm.AlertSignalDescriptor{signal(p+"sig", p+"limit")},
	}
	d.AbstractDescriptor = base(p + "alerts")
	return d
}

func mds(p string) *pm.MdsDescriptor {
	set := &pm.SetValueOperationDescriptor{}
	set.AbstractDescriptor, set.OperationTarget = base(p+"set"), p+"limitset"
	act := &pm.ActivateOperationDescriptor{}
	act.AbstractDescriptor, act.OperationTarget = base(p+"act"), p+"mds"
	sco := &pm.ScoDescriptor{Operation: []pm.OperationDescriptor{set, act}}
	sco.AbstractDescriptor = base(p + "sco")
	clock := &pm.ClockDescriptor{}
	clock.AbstractDescriptor = base(p + "clock")
	battery := &pm.BatteryDescriptor{}
	battery.AbstractDescriptor = base(p + "battery")
	pat, loc, op := &pm.PatientContextDescriptor{}, &pm.LocationContextDescriptor{}, &pm.OperatorContextDescriptor{}
	pat.AbstractDescriptor, loc.AbstractDescriptor, op.AbstractDescriptor = base(p+"pat"), base(p+"loc"), base(p+"op")
	ctx := &pm.SystemContextDescriptor{PatientContext: pat, LocationContext: loc, OperatorContext: []*pm.OperatorContextDescriptor{op}}
	ctx.AbstractDescriptor = base(p + "ctx")
	d := &pm.MdsDescriptor{
		SystemContext: ctx, Clock: clock, Battery: []*pm.BatteryDescriptor{battery},
		Vmd: []*pm.VmdDescriptor{
			vmd(p+"vmd", channel(p+"chan", numeric(p+"hr"), numeric(p+"spo2"), numeric(p+"limitset"), text(p+"text"), enum(p+"mode", "a", "b")), channel(p+"waves", waveform(p+"ecg"), waveform(p+"pleth"))),
			vmd(p + "vmd2"),
		},
	}
	d.AbstractDescriptor, d.AlertSystem, d.Sco = base(p+"mds"), alerts(p), sco
	return d
}

// fixture is an MDIB with everything in it: the handles of the first MDS are plain, those of the second begin with "b.".
func fixture(t testing.TB) *Snapshot {
	m := &pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds(""), mds("b.")}}}
	m.SequenceId = "urn:uuid:0c9ba2f2-0000-4000-8000-000000000000"
	s, err := FromMdib(m)
	require.NoError(t, err)
	return s
}

// sized has one channel with n metrics.
func sized(t testing.TB, n int) *Snapshot {
	c := channel("chan")
	for i := range n {
		c.Metric = append(c.Metric, numeric(fmt.Sprint("m", i)))
	}
	d := &pm.MdsDescriptor{Vmd: []*pm.VmdDescriptor{vmd("vmd", c)}}
	d.AbstractDescriptor = base("mds")
	s, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{d}}})
	require.NoError(t, err)
	return s
}

// clock is a clock that moves by a second with every look.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.UnixMilli(1_700_000_000_000)} }

func (c *clock) now() time.Time {
	c.t = c.t.Add(time.Second)
	return c.t
}

// last is the time of the last look.
func (c *clock) last() pm.Opt[pm.Timestamp] { return pm.Some(pm.TimestampOf(c.t)) }

func newStore(t testing.TB) (*Store, *clock) {
	c := newClock()
	return NewStore(fixture(t), Config{Now: c.now}), c
}

// commit runs a transaction that must change something.
func commit(t testing.TB, st *Store, fn func(tx *Tx) error) *Change {
	t.Helper()
	before := st.Load()
	c, err := st.Update(fn)
	require.NoError(t, err)
	require.NotNil(t, c, "the transaction changed nothing")
	require.Same(t, before, c.Before)
	require.Same(t, st.Load(), c.After)
	require.Equal(t, before.Version().MdibVersion+1, c.Version.MdibVersion)
	require.Equal(t, c.After.Version(), c.Version)
	return c
}

// refused runs a transaction that must fail by a rule and change nothing.
func refused(t testing.TB, st *Store, id string, fn func(tx *Tx) error) {
	t.Helper()
	before := st.Load()
	_, err := st.Update(fn)
	var rule *RuleError
	require.ErrorAs(t, err, &rule)
	require.Equal(t, id, rule.ID)
	require.Same(t, before, st.Load())
}

func state[T pm.State](t testing.TB, s *Snapshot, handle string) T {
	t.Helper()
	v, ok := Get[T](s, handle)
	require.True(t, ok, handle)
	return v
}

func descriptor(t testing.TB, s *Snapshot, handle string) pm.Descriptor {
	t.Helper()
	d, ok := s.Descriptor(handle)
	require.True(t, ok, handle)
	return d
}

// wire sends a report over an imagined network.
func wire(t testing.TB, r msg.Message) msg.Message {
	t.Helper()
	m, err := msg.Unmarshal(r.AppendXML(nil))
	require.NoError(t, err)
	return m
}
