package mdib

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

const sequence = "urn:uuid:0c9ba2f2-0000-4000-8000-000000000000"

// newMirror is a mirror of the fixture at MDIB version 10.
func newMirror(t testing.TB, cfg MirrorConfig) *Mirror {
	m := NewMirror(cfg)
	r := fixture(t).Response()
	r.MdibVersion = 10
	_, err := m.Reset(r)
	require.NoError(t, err)
	return m
}

func group0(version uint64) msg.AbstractReport {
	return msg.AbstractReport{MdibVersionGroup: pm.MdibVersionGroup{MdibVersion: version, SequenceId: sequence}}
}

func hrState(version uint64, value string) *pm.NumericMetricState {
	s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal(value))}}
	s.DescriptorHandle, s.StateVersion = "hr", version
	s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
	return s
}

func metricReport(version uint64, states ...pm.MetricState) *msg.EpisodicMetricReport {
	r := &msg.EpisodicMetricReport{}
	r.AbstractReport = group0(version)
	r.ReportPart = []msg.MetricReportPart{{MetricState: states}}
	return r
}

func describe(version uint64, parts ...msg.DescriptionModificationReportPart) *msg.DescriptionModificationReport {
	return &msg.DescriptionModificationReport{AbstractReport: group0(version), ReportPart: parts}
}

func descriptionPart(typ msg.DescriptionModificationType, parent string, d pm.Descriptor, states ...pm.State) msg.DescriptionModificationReportPart {
	return msg.DescriptionModificationReportPart{ModificationType: typ, ParentDescriptor: parent, Descriptor: []pm.Descriptor{d}, State: states}
}

const (
	crt = msg.DescriptionModificationTypeCrt
	upt = msg.DescriptionModificationTypeUpt
	del = msg.DescriptionModificationTypeDel
)

func hrOf(m *Mirror) string {
	s, _ := Get[*pm.NumericMetricState](m.Load(), "hr")
	if s == nil || s.MetricValue == nil {
		return ""
	}
	return s.MetricValue.Value.Or(pm.Decimal{}).String()
}

func TestMirrorVersions(t *testing.T) {
	// covers: CONS-1, CONS-2, BICEPS R5029
	m := NewMirror(MirrorConfig{})
	require.Zero(t, m.Load().Len(), "empty, not nil")
	_, err := m.Apply(metricReport(1))
	require.ErrorIs(t, err, ErrNotReady)

	for _, all := range []bool{false, true} {
		m := newMirror(t, MirrorConfig{AllReports: all})
		before := m.Load()
		_, err := m.Apply(metricReport(9, hrState(1, "70")))
		require.ErrorIs(t, err, ErrOld)
		require.Same(t, before, m.Load())

		_, err = m.Apply(metricReport(12, hrState(1, "70")))
		if all {
			var gap *GapError
			require.ErrorAs(t, err, &gap)
			require.Equal(t, GapError{Have: 10, Got: 12}, *gap)
			require.ErrorContains(t, err, "have MDIB version 10, got 12")
			require.Same(t, before, m.Load())
		} else {
			require.NoError(t, err)
			require.EqualValues(t, 12, m.Load().Version().MdibVersion)
		}

		for name, spoil := range map[string]func(*pm.MdibVersionGroup){
			"sequence":     func(g *pm.MdibVersionGroup) { g.SequenceId = "urn:other" },
			"case matters": func(g *pm.MdibVersionGroup) { g.SequenceId = "URN:uuid:0c9ba2f2-0000-4000-8000-000000000000" },
			"instance":     func(g *pm.MdibVersionGroup) { g.InstanceId = pm.Some(uint64(1)) },
		} {
			before := m.Load()
			r := metricReport(before.Version().MdibVersion+1, hrState(9, "70"))
			spoil(&r.MdibVersionGroup)
			_, err = m.Apply(r)
			var seq *SequenceError
			require.ErrorAs(t, err, &seq, name)
			require.Equal(t, before.Version(), seq.Have)
			require.NotEmpty(t, seq.Error())
			require.Same(t, before, m.Load())
		}
	}
	_, err = newMirror(t, MirrorConfig{}).Apply(&msg.GetMdib{})
	require.ErrorContains(t, err, "not a report")
}

// TestMirrorSameVersion: some devices tell of a version first in a description report, then in a state report.
func TestMirrorSameVersion(t *testing.T) {
	m := newMirror(t, MirrorConfig{AllReports: true})
	d := numeric("hr")
	d.DescriptorVersion, d.SafetyClassification = 1, pm.SafetyClassificationMedA
	s := hrState(1, "70")
	s.DescriptorVersion = 1
	c, err := m.Apply(describe(11, descriptionPart(upt, "chan", d, s)))
	require.NoError(t, err)
	require.Len(t, c.Descriptors, 1)
	require.Len(t, c.States, 1)
	require.Equal(t, []pm.State{s}, c.Descriptors[0].States)
	after := m.Load()

	repeated := hrState(1, "70")
	repeated.DescriptorVersion = 1
	c, err = m.Apply(metricReport(11, repeated))
	require.NoError(t, err)
	require.Empty(t, c.States, "known already")
	require.Empty(t, c.Notes)
	require.Same(t, after, m.Load())
	require.Same(t, c.Before, c.After)

	c, err = m.Apply(metricReport(11, func() pm.MetricState { s := hrState(2, "71"); s.DescriptorVersion = 1; return s }()))
	require.NoError(t, err)
	require.Len(t, c.States, 1)
	require.Equal(t, "71", hrOf(m))

	c, err = m.Apply(describe(11, descriptionPart(upt, "chan", pm.CloneDescriptor(d))))
	require.NoError(t, err)
	require.Empty(t, c.Descriptors)
	c, err = m.Apply(describe(12, descriptionPart(crt, "chan", numeric("new"))))
	require.NoError(t, err)
	require.Len(t, c.Descriptors, 1)
	c, err = m.Apply(describe(12, descriptionPart(crt, "chan", numeric("new"))))
	require.NoError(t, err)
	require.Empty(t, c.Descriptors, "created already, the same")
}

func TestMirrorStateVersions(t *testing.T) {
	m := newMirror(t, MirrorConfig{AllReports: true})
	for i, tc := range []struct {
		version uint64
		value   string
		want    string
		note    string
	}{
		{1, "70", "70", ""},
		{2, "71", "71", ""},
		{1, "72", "71", "BICEPS R5003"},   // fell: ignored
		{5, "73", "73", "BICEPS R0038_0"}, // jumped: applied
		{5, "74", "74", "BICEPS R0038_0"}, // changed without a new version: applied
		{5, "74", "74", ""},               // the same again
	} {
		before := m.Load()
		c, err := m.Apply(metricReport(uint64(11+i), hrState(tc.version, tc.value)))
		require.NoError(t, err)
		require.Equal(t, tc.want, hrOf(m))
		if tc.note == "BICEPS R5003" {
			require.Len(t, c.Ignored, 1)
			require.Equal(t, [2]uint64{2, tc.version}, [2]uint64{c.Ignored[0].Before.BaseState().StateVersion, c.Ignored[0].After.BaseState().StateVersion})
		} else {
			require.Empty(t, c.Ignored)
		}
		require.Equal(t, hrOf(m) != func() string {
			s, _ := Get[*pm.NumericMetricState](before, "hr")
			if s.MetricValue == nil {
				return ""
			}
			return s.MetricValue.Value.Or(pm.Decimal{}).String()
		}(), len(c.States) == 1)
		if tc.note == "" {
			require.Empty(t, c.Notes)
		} else {
			require.Len(t, c.Notes, 1)
			require.Equal(t, tc.note, c.Notes[0].ID)
			require.Contains(t, c.Notes[0].String(), "hr")
		}
	}
	// A clock ticks without a new version, and a state may refer to a descriptor version that is not known.
	clock := &pm.ClockState{DateAndTime: pm.Some(pm.TimestampOf(t0))}
	clock.DescriptorHandle = "clock"
	r := &msg.EpisodicComponentReport{}
	r.AbstractReport, r.ReportPart = group0(17), []msg.ComponentReportPart{{ComponentState: []pm.ComponentState{clock}}}
	c, err := m.Apply(r)
	require.NoError(t, err)
	require.Len(t, c.States, 1)
	require.Empty(t, c.Notes)
	s := hrState(6, "75")
	s.DescriptorVersion = 4
	c, err = m.Apply(metricReport(18, s, hrState(7, "76"), nil))
	require.NoError(t, err)
	require.Len(t, c.States, 1, "told once, the last counts")
	require.Equal(t, "76", hrOf(m))
	require.Equal(t, []string{"BICEPS R5051", "BICEPS R0007_0"}, []string{c.Notes[0].ID, c.Notes[1].ID})
}

func TestMirrorPeriodicReports(t *testing.T) {
	// covers: BICEPS periodic reports
	m := newMirror(t, MirrorConfig{AllReports: true})
	_, err := m.Apply(metricReport(11, hrState(3, "70")))
	require.NoError(t, err)
	periodic := func(version uint64, states ...pm.MetricState) *msg.PeriodicMetricReport {
		r := &msg.PeriodicMetricReport{}
		r.AbstractMetricReport = metricReport(version, states...).AbstractMetricReport
		return r
	}
	before := m.Load()
	c, err := m.Apply(periodic(5, hrState(1, "60"), hrState(2, "61"), hrState(3, "70")))
	require.NoError(t, err)
	require.True(t, c.Periodic)
	require.Empty(t, c.States)
	require.Empty(t, c.Notes)
	require.Same(t, before, m.Load())

	c, err = m.Apply(periodic(20, hrState(4, "71"), hrState(6, "73")))
	require.NoError(t, err, "periodic versions are no gaps")
	require.Len(t, c.States, 1)
	require.Equal(t, "73", hrOf(m))
	require.EqualValues(t, 20, c.Version.MdibVersion)
	require.EqualValues(t, 11, m.Load().Version().MdibVersion, "periodic reports do not move the version")

	gone := hrState(9, "90")
	gone.DescriptorHandle = "removed.since"
	c, err = m.Apply(periodic(21, gone, hrState(7, "74")))
	require.NoError(t, err, "a period may tell of what has been removed since")
	require.Len(t, c.States, 1)
	require.Equal(t, "74", hrOf(m))

	for kind, r := range map[Kind]msg.Report{
		KindAlert:       &msg.PeriodicAlertReport{},
		KindComponent:   &msg.PeriodicComponentReport{},
		KindContext:     &msg.PeriodicContextReport{},
		KindOperational: &msg.PeriodicOperationalStateReport{},
	} {
		*r.BaseReport() = group0(3)
		c, err := m.Apply(r)
		require.NoError(t, err)
		require.True(t, c.Periodic)
		require.Equal(t, kind, c.Kind)
	}
}

func TestMirrorObservedValues(t *testing.T) {
	// covers: BICEPS waveform
	m := newMirror(t, MirrorConfig{AllReports: true})
	value := &pm.SampleArrayValue{Samples: pm.Samples{pm.MustDecimal("0.1")}}
	value.MetricQuality.Validity = pm.MeasurementValidityVld
	r := &msg.ObservedValueStream{AbstractReport: group0(11), Value: []msg.ObservedValue{{Metric: "ecg", StateVersion: 1, Value: value}}}
	c, err := m.Apply(wire(t, r))
	require.NoError(t, err)
	require.Equal(t, KindWaveform, c.Kind)
	require.Len(t, c.States, 1)
	s := state[*pm.RealTimeSampleArrayMetricState](t, m.Load(), "ecg")
	require.Equal(t, "0.1", s.MetricValue.Samples[0].String())
	require.EqualValues(t, 1, s.StateVersion)
	require.EqualValues(t, 11, m.Load().Version().MdibVersion)

	before := m.Load()
	for _, h := range []string{"nobody", "hr"} {
		_, err = m.Apply(&msg.ObservedValueStream{AbstractReport: group0(12), Value: []msg.ObservedValue{{Metric: "ecg", StateVersion: 2}, {Metric: h}}})
		require.Error(t, err)
		require.Same(t, before, m.Load())
	}
}

func TestMirrorPassesThrough(t *testing.T) {
	m := newMirror(t, MirrorConfig{AllReports: true})
	before := m.Load()
	for _, version := range []uint64{3, 10, 50} { // their versions do not follow the others
		c, err := m.Apply(&msg.OperationInvokedReport{AbstractReport: group0(version)})
		require.NoError(t, err)
		require.Equal(t, KindInvocation, c.Kind)
		require.IsType(t, &msg.OperationInvokedReport{}, c.Report())
		c, err = m.Apply(&msg.SystemErrorReport{AbstractReport: group0(version)})
		require.NoError(t, err)
		require.Equal(t, KindSystemError, c.Kind)
	}
	require.Same(t, before, m.Load())
	r := &msg.OperationInvokedReport{AbstractReport: group0(11)}
	r.SequenceId = "urn:other"
	_, err := m.Apply(r)
	var seq *SequenceError
	require.ErrorAs(t, err, &seq)
}

// TestMirrorRefuses: what does not fit leads to an error and changes nothing, even if the beginning of the report would fit.
func TestMirrorRefuses(t *testing.T) {
	// covers: CONS-2, BICEPS R0007_0, BICEPS R0023, BICEPS tree rules
	unknownState := hrState(1, "70")
	unknownState.DescriptorHandle = "nobody"
	wrongType := &pm.StringMetricState{}
	wrongType.DescriptorHandle = "hr"
	wave := &pm.RealTimeSampleArrayMetricState{}
	wave.DescriptorHandle = "hr"
	newPatient := func(handle, descriptor string) *msg.EpisodicContextReport {
		s := &pm.PatientContextState{}
		s.Handle, s.DescriptorHandle = handle, descriptor
		r := &msg.EpisodicContextReport{}
		r.AbstractReport, r.ReportPart = group0(11), []msg.ContextReportPart{{ContextState: []pm.ContextState{s}}}
		return r
	}
	fits := descriptionPart(crt, "chan", numeric("fits"))
	for name, tc := range map[string]struct {
		report msg.Message
		id     string // of the rule; "" for an unknown handle
	}{
		"unknown descriptor":    {metricReport(11, hrState(1, "70"), unknownState), "BICEPS R0023"},
		"wrong type":            {metricReport(11, hrState(1, "70"), wrongType), "BICEPS R0023"},
		"waveform of a numeric": {&msg.WaveformStream{AbstractReport: group0(11), State: []*pm.RealTimeSampleArrayMetricState{nil, wave}}, "BICEPS R0023"},
		"context handle in use": {newPatient("hr", "pat"), "BICEPS R0007_0"},
		"context of a location": {newPatient("p", "loc"), "BICEPS R0023"},
		"no context handle":     {newPatient("", "pat"), "BICEPS R0105_0"},
		"update of nobody":      {describe(11, fits, descriptionPart(upt, "", numeric("nobody"))), ""},
		"another type":          {describe(11, fits, descriptionPart(upt, "chan", text("hr"))), "BICEPS R0098_0"},
		"no parent":             {describe(11, fits, descriptionPart(crt, "", numeric("x"))), "BICEPS tree rules"},
		"unknown parent":        {describe(11, fits, descriptionPart(crt, "nobody", numeric("x"))), ""},
		"wrong parent":          {describe(11, fits, descriptionPart(crt, "mds", numeric("x"))), "BICEPS tree rules"},
		"second alert system":   {describe(11, fits, descriptionPart(crt, "mds", alerts("x."))), "BICEPS tree rules"},
		"handle in use":         {describe(11, fits, descriptionPart(crt, "chan", numeric("spo2")), descriptionPart(crt, "waves", numeric("spo2"))), "BICEPS R0007_0"},
		"state of nobody":       {describe(11, fits, descriptionPart(upt, "chan", numeric("hr"), unknownState)), "BICEPS R0023"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMirror(t, MirrorConfig{AllReports: true})
			before := m.Load()
			_, err := m.Apply(tc.report)
			require.Error(t, err)
			if tc.id == "" {
				require.ErrorIs(t, err, ErrUnknownHandle)
			} else {
				var rule *RuleError
				require.ErrorAs(t, err, &rule)
				require.Equal(t, tc.id, rule.ID)
			}
			require.Same(t, before, m.Load())
			require.True(t, before.ContentEqual(fixture(t)))
			_, err = m.Apply(metricReport(11, hrState(1, "70")))
			require.NoError(t, err, "the mirror goes on")
		})
	}
	m := newMirror(t, MirrorConfig{})
	p := newPatient("p", "pat")
	_, err := m.Apply(p)
	require.NoError(t, err)
	moved := newPatient("p", "b.pat")
	_, err = m.Apply(moved)
	require.ErrorContains(t, err, "in use")
}

func TestMirrorBearsWith(t *testing.T) {
	m := newMirror(t, MirrorConfig{AllReports: true})
	note := func(c *Change) []string {
		var ids []string
		for _, n := range c.Notes {
			ids = append(ids, n.ID)
		}
		return ids
	}
	c, err := m.Apply(describe(11, descriptionPart(crt, "mds", vmd("v", channel("v.c", numeric("v.m"))))))
	require.NoError(t, err)
	require.Equal(t, []string{"BICEPS R5024"}, note(c), "nested children are put in")
	require.Len(t, c.Descriptors, 3)
	_, ok := m.Load().State("v.m")
	require.False(t, ok, "states are not made up")

	c, err = m.Apply(describe(12, descriptionPart(del, "mds", vmd("v"), hrState(9, "1")), descriptionPart(del, "mds", vmd("v"))))
	require.NoError(t, err)
	require.Equal(t, []string{"BICEPS R5053", "BICEPS R5046_0", "BICEPS C-5"}, note(c))
	require.Len(t, c.Descriptors, 3, "all of the subtree")

	v := vmd("vmd", channel("ignored"))
	v.DescriptorVersion = 3
	c, err = m.Apply(describe(13, descriptionPart("", "mds", v), descriptionPart(upt, "mds", vmd("vmd")),
		descriptionPart(upt, "mds", func() pm.Descriptor { d := vmd("vmd"); d.DescriptorVersion = 3; return d }()),
		descriptionPart(upt, "mds", func() pm.Descriptor {
			d := vmd("vmd")
			d.DescriptorVersion, d.SafetyClassification = 3, pm.SafetyClassificationMedB
			return d
		}()),
		msg.DescriptionModificationReportPart{Descriptor: []pm.Descriptor{nil}, State: []pm.State{nil}}))
	require.NoError(t, err)
	require.Equal(t, []string{"BICEPS R5024", "BICEPS R0034_0", "BICEPS R5003", "BICEPS R0034_0"}, note(c))
	require.Len(t, c.Descriptors, 2)
	require.Equal(t, []string{"chan", "waves"}, func() (out []string) {
		for h := range m.Load().Children("vmd") {
			out = append(out, h)
		}
		return out
	}())

	// A state that changed and whose descriptor went in the same report is not told as changed.
	c, err = m.Apply(describe(14, descriptionPart(upt, "chan", func() pm.Descriptor { d := numeric("hr"); d.DescriptorVersion = 1; return d }(), hrState(1, "70")),
		descriptionPart(del, "chan", numeric("hr"))))
	require.NoError(t, err)
	require.Empty(t, c.States)
	require.Len(t, c.Descriptors, 2)
}

// TestMirrorLimits: what a device sends cannot grow the mirror without bound.
func TestMirrorLimits(t *testing.T) {
	m := NewMirror(MirrorConfig{MaxStates: fixture(t).Len() + 1})
	_, err := m.Reset(fixture(t).Response())
	require.NoError(t, err)
	before := m.Load()
	_, err = m.Apply(describe(1, descriptionPart(crt, "mds", vmd("v1")), descriptionPart(crt, "mds", vmd("v2"))))
	require.ErrorContains(t, err, "more than")
	require.Same(t, before, m.Load())
	_, err = NewMirror(MirrorConfig{MaxStates: 3}).Reset(fixture(t).Response())
	require.ErrorIs(t, err, ErrTooLarge)

	// No more is built of what is too large than is allowed, be it descriptors or states.
	many := []*pm.VmdDescriptor{}
	for i := range 20_000 {
		many = append(many, vmd(fmt.Sprint("v", i)))
	}
	huge := fixture(t).Response()
	huge.Mdib.MdDescription.Mds[0].Vmd = append(huge.Mdib.MdDescription.Mds[0].Vmd, many...)
	var old, now runtime.MemStats
	m = NewMirror(MirrorConfig{MaxStates: 100})
	runtime.ReadMemStats(&old)
	_, err = m.Reset(huge)
	runtime.ReadMemStats(&now)
	require.ErrorIs(t, err, ErrTooLarge)
	require.Less(t, now.TotalAlloc-old.TotalAlloc, uint64(4<<20))
	require.Zero(t, m.Load().Len())

	states := fixture(t).Response()
	for i := range 200 {
		s := &pm.OperatorContextState{}
		s.Handle, s.DescriptorHandle = fmt.Sprint("s", i), "op"
		states.Mdib.MdState.State = append(states.Mdib.MdState.State, s)
	}
	_, err = m.Reset(states)
	require.ErrorIs(t, err, ErrTooLarge)

	m = newMirror(t, MirrorConfig{AllReports: true})
	add := func(version uint64, a pm.ContextAssociation) error {
		s := &pm.OperatorContextState{}
		s.Handle, s.DescriptorHandle, s.ContextAssociation = fmt.Sprint("s", version), "op", a
		r := &msg.EpisodicContextReport{}
		r.AbstractReport, r.ReportPart = group0(version), []msg.ContextReportPart{{ContextState: []pm.ContextState{s}}}
		_, err := m.Apply(r)
		return err
	}
	version := uint64(11)
	require.NoError(t, add(version, pm.ContextAssociationAssoc))
	for range maxContexts + 10 {
		version++
		require.NoError(t, add(version, ""))
	}
	e, _ := m.Load().Entity("op")
	require.Len(t, e.Contexts, maxContexts)
	require.Equal(t, "s11", e.Contexts[0].BaseMulti().Handle, "what is associated stays")
	for range maxContexts - 1 {
		version++
		require.NoError(t, add(version, pm.ContextAssociationAssoc))
	}
	require.ErrorContains(t, add(version+1, pm.ContextAssociationAssoc), "context states")
}

func TestMirrorReset(t *testing.T) {
	m := newMirror(t, MirrorConfig{})
	before := m.Load()
	broken := fixture(t).Response()
	broken.Mdib.MdState.State = append(broken.Mdib.MdState.State, &pm.NumericMetricState{}, hrState(1, "1"))
	_, err := m.Reset(broken)
	var rule *RuleError
	require.ErrorAs(t, err, &rule)
	require.Same(t, before, m.Load(), "keeps what it had")

	// Versions come from the response; a device that gives them only in the MDIB is understood too.
	r := fixture(t).Response()
	r.MdibVersionGroup = pm.MdibVersionGroup{}
	r.Mdib.MdibVersion = 77
	s, err := m.Reset(r)
	require.NoError(t, err)
	require.EqualValues(t, 77, s.Version().MdibVersion)
	require.Same(t, s, m.Load())

	// Odd handles and missing states are a device's own business.
	odd := mds("ö ")
	m2 := NewMirror(MirrorConfig{})
	s, err = m2.Reset(&msg.GetMdibResponse{Mdib: pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{odd}}}})
	require.NoError(t, err)
	require.Zero(t, s.NumStates())
	require.NotEmpty(t, Validate(s))
	s, err = m2.Reset(&msg.GetMdibResponse{})
	require.NoError(t, err)
	require.Zero(t, s.Len())
}

// TestReaders: readers see whole versions, never a mixture, while one writer commits and a mirror follows.
func TestReaders(t *testing.T) {
	// covers: SDCri: MdibVersion
	st, _ := newStore(t)
	m := NewMirror(MirrorConfig{AllReports: true})
	_, err := m.Reset(st.Load().Response())
	require.NoError(t, err)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, load := range []func() *Snapshot{st.Load, m.Load, st.Load} {
		readers.Go(func() {
			last := uint64(0)
			for {
				s := load()
				v := s.Version().MdibVersion
				if v < last {
					t.Error("versions go back")
					return
				}
				last = v
				a, b := hrValue(s, "hr"), hrValue(s, "b.hr")
				if a != b {
					t.Errorf("a mixture of %s and %s", a, b)
					return
				}
				n := 0
				for range s.Entities() {
					n++
				}
				if n != s.Len() {
					t.Error("the tree is not whole")
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 300 {
		var c *Change
		if i%10 == 9 {
			c = commit(t, st, func(tx *Tx) error { return tx.Insert("chan", numeric(fmt.Sprint("n", i))) })
		} else {
			c = commit(t, st, func(tx *Tx) error {
				for _, h := range []string{"hr", "b.hr"} {
					if err := tx.SetNumeric(h, pm.NewDecimal(int64(i), 0), t0); err != nil {
						return err
					}
				}
				return nil
			})
		}
		_, err := m.Apply(c.Report())
		require.NoError(t, err)
	}
	close(done)
	readers.Wait()
}

func hrValue(s *Snapshot, handle string) string {
	v, ok := Get[*pm.NumericMetricState](s, handle)
	if !ok || v.MetricValue == nil {
		return ""
	}
	return v.MetricValue.Value.Or(pm.Decimal{}).String()
}

// TestWriters: writers are served one after the other, each on the result of the former.
func TestWriters(t *testing.T) {
	st := NewStore(sized(t, 20), Config{})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 50 {
				_, err := st.Update(func(tx *Tx) error {
					n := int64(0)
					if s, _ := tx.State("m0"); s.(*pm.NumericMetricState).MetricValue != nil {
						n, _, _ = s.(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}).Coefficient()
					}
					return tx.SetNumeric("m0", pm.NewDecimal(n+1, 0), t0)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	require.Equal(t, "400", hrValue(st.Load(), "m0"))
	require.EqualValues(t, 400, st.Load().Version().MdibVersion)
}
