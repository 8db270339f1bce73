package reference_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/localization"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, cfg reference.Config, test func(b *simtest.Bench)) {
	t.Helper()
	simtest.Run(t, func() (simulators.Simulator, error) { return reference.New(cfg) }, test)
}

func TestDefaultHasEverything(t *testing.T) {
	// covers: GLUE R0080, GLUE R0010_0, BICEPS B-6_0, SDPi R1531, SDPi R0017
	snap, err := reference.Default()
	require.NoError(t, err)
	simtest.Conforms(t, snap)
	kinds := map[string]int{}
	for e := range snap.Entities() {
		kinds[reflect.TypeOf(e.Descriptor).Elem().Name()]++
	}
	for _, d := range []pm.Descriptor{
		&pm.MdsDescriptor{}, &pm.VmdDescriptor{}, &pm.ChannelDescriptor{}, &pm.ScoDescriptor{}, &pm.ClockDescriptor{}, &pm.BatteryDescriptor{},
		&pm.SystemContextDescriptor{}, &pm.PatientContextDescriptor{}, &pm.LocationContextDescriptor{}, &pm.EnsembleContextDescriptor{},
		&pm.OperatorContextDescriptor{}, &pm.WorkflowContextDescriptor{}, &pm.MeansContextDescriptor{},
		&pm.AlertSystemDescriptor{}, &pm.AlertConditionDescriptor{}, &pm.LimitAlertConditionDescriptor{}, &pm.AlertSignalDescriptor{},
		&pm.NumericMetricDescriptor{}, &pm.StringMetricDescriptor{}, &pm.EnumStringMetricDescriptor{},
		&pm.RealTimeSampleArrayMetricDescriptor{}, &pm.DistributionSampleArrayMetricDescriptor{},
		&pm.SetValueOperationDescriptor{}, &pm.SetStringOperationDescriptor{}, &pm.ActivateOperationDescriptor{}, &pm.SetContextStateOperationDescriptor{},
		&pm.SetMetricStateOperationDescriptor{}, &pm.SetComponentStateOperationDescriptor{}, &pm.SetAlertStateOperationDescriptor{},
	} {
		require.Positive(t, kinds[reflect.TypeOf(d).Elem().Name()], "%T", d)
	}
	require.Equal(t, 2, kinds["MdsDescriptor"])
}

// seen counts what a consumer was told.
type seen struct {
	reports      map[mdib.Kind]int
	states       map[string]int // by handle
	samples      map[string]int
	kinds        map[string]int // updates by type of state
	created      int
	deleted      int
	descriptions map[string]int
}

// watch collects updates for d, which must follow one another without a gap.
func watch(b *simtest.Bench, d time.Duration) seen {
	s := seen{map[mdib.Kind]int{}, map[string]int{}, map[string]int{}, map[string]int{}, 0, 0, map[string]int{}}
	stop := time.Now().Add(d)
	for u, err := range b.Consumer.Updates(b.T.Context()) {
		require.NoError(b.T, err)
		require.Nil(b.T, u.Gap)
		if u.Change != nil {
			s.add(u.Change)
		}
		if !time.Now().Before(stop) {
			break
		}
	}
	return s
}

func (s *seen) add(c *mdib.Change) {
	s.reports[c.Kind]++
	for _, x := range c.States {
		s.states[x.Handle]++
		s.kinds[x.After.TypeName().Local]++
		if w, ok := x.After.(*pm.RealTimeSampleArrayMetricState); ok && w.MetricValue != nil {
			s.samples[x.Handle] = len(w.MetricValue.Samples)
		}
	}
	for _, x := range c.Descriptors {
		switch x.Type {
		case msg.DescriptionModificationTypeCrt:
			s.created++
		case msg.DescriptionModificationTypeDel:
			s.deleted++
		default:
			s.descriptions[x.Handle]++
		}
	}
}

// TestEverySampleMDIBIsAnimated runs steps 4 and 5 of the script on whatever the MDIB has.
// TestDefaultHasWhatTestsLookFor: with one MDS already, entries without a list of jurisdictions, for tests of what may not be there without it.
func TestDefaultHasWhatTestsLookFor(t *testing.T) {
	// covers: BICEPS B-284_0, BICEPS B-402_0
	snap, err := reference.Default()
	require.NoError(t, err)
	mds, ok := mdib.Get[*pm.MdsDescriptor](snap, "mds0")
	require.True(t, ok)
	require.Nil(t, mds.ApprovedJurisdictions)
	with, without := 0, 0
	for e := range snap.Subtree("mds0") {
		switch s := e.State.(type) {
		case *pm.MdsState:
			require.Nil(t, s.OperatingJurisdiction)
		case *pm.VmdState:
			d, ok := mdib.Get[*pm.VmdDescriptor](snap, e.Handle)
			require.True(t, ok)
			if d.ApprovedJurisdictions != nil {
				with++
				continue
			}
			without++
			require.Nil(t, s.OperatingJurisdiction)
		}
	}
	require.Positive(t, with)
	require.Positive(t, without)
}

func TestEverySampleMDIBIsAnimated(t *testing.T) {
	samples := map[string]*mdib.Snapshot{}
	for _, file := range reftest.Samples(t, "mdibs/*.xml") {
		snap, err := mdib.ReadFile(file)
		if err != nil {
			// Only what must be understood and is not may keep a file from being used.
			require.ErrorContains(t, err, "must be understood", file)
			continue
		}
		samples[filepath.Base(file)] = snap
	}
	require.GreaterOrEqual(t, len(samples), 7)
	for name, snap := range samples {
		t.Run(name, func(t *testing.T) { animated(t, snap) })
	}
}

func TestDefaultIsAnimated(t *testing.T) {
	snap, err := reference.Default()
	require.NoError(t, err)
	s := animated(t, snap)
	for _, kind := range []string{
		"NumericMetricState", "EnumStringMetricState", "LimitAlertConditionState", "AlertSignalState", "BatteryState", "MdsState", "VmdState", "DistributionSampleArrayMetricState",
	} {
		require.GreaterOrEqual(t, s.kinds[kind], 5, kind)
	}
	require.GreaterOrEqual(t, s.reports[mdib.KindOperational], 5)
	require.InDelta(t, 300, s.states["mds0.waves.fast0"], 5)
	require.Equal(t, 100, s.samples["mds0.waves.fast2"])
	require.InDelta(t, 60, s.states["mds0.waves.slow"], 2)
	require.Equal(t, 50, s.samples["mds0.waves.slow"])
	require.GreaterOrEqual(t, s.states["mds0.alerts"], 6, "self checks")
}

func animated(t *testing.T, snap *mdib.Snapshot) (s seen) {
	t.Helper()
	run(t, reference.Config{MDIB: snap}, func(b *simtest.Bench) {
		s = watch(b, 30*time.Second)
		expect := map[mdib.Kind]int{mdib.KindComponent: 5, mdib.KindDescription: 6}
		for e := range snap.Entities() {
			switch d := e.Descriptor.(type) {
			case *pm.NumericMetricDescriptor, *pm.StringMetricDescriptor, *pm.EnumStringMetricDescriptor:
				expect[mdib.KindMetric] = 5
			case *pm.RealTimeSampleArrayMetricDescriptor:
				expect[mdib.KindWaveform] = 290
			case pm.ConditionDescriptor:
				expect[mdib.KindAlert] = 5
			case *pm.AlertSystemDescriptor:
				if d.SelfCheckPeriod.IsSet() {
					require.GreaterOrEqual(t, s.states[e.Handle], 2, e.Handle)
				}
			}
		}
		for kind, n := range expect {
			require.GreaterOrEqual(t, s.reports[kind], n, kind)
		}
		require.GreaterOrEqual(t, s.created, 6, "a VMD with channel and metric at least twice")
		require.GreaterOrEqual(t, s.deleted, 6)
		located := 0
		for e := range b.Consumer.MDIB().Entities() {
			if _, ok := e.Descriptor.(*pm.LocationContextDescriptor); ok {
				for range b.Consumer.MDIB().Associated(e.Handle) {
					located++
				}
				require.Positive(t, located, "step 3b")
			}
		}
		b.SchemaValid()
	})
	return s
}

// find returns the first operation of a type that test accepts.
func find[D pm.OperationDescriptor](t *testing.T, snap *mdib.Snapshot, test func(D) bool) D {
	t.Helper()
	for e := range snap.Entities() {
		if d, ok := e.Descriptor.(D); ok && test(d) {
			return d
		}
	}
	require.Fail(t, "no such operation")
	panic("not reached")
}

func states(r *consumer.Result) (out []msg.InvocationState) {
	for _, s := range r.Steps {
		out = append(out, s.State)
	}
	return out
}

func TestOperationsOfThePlugathonMDIB(t *testing.T) {
	snap, err := mdib.ReadFile(filepath.Join(reftest.Dir(t), "samples/mdibs/sdc11073-PlugathonMdibV2.xml"))
	require.NoError(t, err)
	operations(t, snap)
}

func TestOperationsOfTheDefault(t *testing.T) {
	snap, err := reference.Default()
	require.NoError(t, err)
	operations(t, snap)
}

// operations runs steps 6b to 6f.
func operations(t *testing.T, snap *mdib.Snapshot) {
	const fin, wait, start = msg.InvocationStateFin, msg.InvocationStateWait, msg.InvocationStateStart
	run(t, reference.Config{MDIB: snap}, func(b *simtest.Bench) {
		ctx := b.T.Context()
		b.Pass(3 * time.Second)
		// 6b
		patient := find(t, snap, func(d *pm.SetContextStateOperationDescriptor) bool {
			_, ok := mdib.Get[*pm.PatientContextDescriptor](snap, d.OperationTarget)
			return ok
		})
		propose := func(a pm.ContextAssociation) string {
			s := &pm.PatientContextState{}
			s.DescriptorHandle, s.Handle, s.ContextAssociation = patient.OperationTarget, patient.OperationTarget, a
			r, err := b.Consumer.SetContextState(ctx, patient.Handle, s)
			require.NoError(t, err)
			require.Equal(t, []msg.InvocationState{fin, fin}, states(r))
			return r.Target
		}
		require.NotEmpty(t, propose(pm.ContextAssociationPre))
		first, second := propose(pm.ContextAssociationAssoc), propose(pm.ContextAssociationAssoc)
		one, _ := mdib.Get[*pm.PatientContextState](b.Consumer.MDIB(), first)
		require.Equal(t, pm.ContextAssociationDis, one.ContextAssociation)
		two, _ := mdib.Get[*pm.PatientContextState](b.Consumer.MDIB(), second)
		require.Equal(t, pm.ContextAssociationAssoc, two.ContextAssociation)
		// 6c
		value := find(t, snap, func(*pm.SetValueOperationDescriptor) bool { return true })
		r, err := b.Consumer.SetValue(ctx, value.Handle, pm.MustDecimal("42"))
		require.NoError(t, err)
		require.Equal(t, []msg.InvocationState{fin, fin}, states(r), "the response and exactly one report")
		require.InDelta(t, 42, b.Value(value.OperationTarget), 0)
		// 6d
		text := find(t, snap, func(d *pm.SetStringOperationDescriptor) bool {
			_, ok := mdib.Get[*pm.EnumStringMetricDescriptor](snap, d.OperationTarget)
			return ok
		})
		enum, _ := mdib.Get[*pm.EnumStringMetricDescriptor](snap, text.OperationTarget)
		r, err = b.Consumer.SetString(ctx, text.Handle, enum.AllowedValue[1].Value)
		require.NoError(t, err)
		require.Equal(t, []msg.InvocationState{wait, wait, start, fin}, states(r))
		_, err = b.Consumer.SetString(ctx, text.Handle, "no such value")
		require.Error(t, err)
		// 6e
		set := find(t, snap, func(*pm.SetMetricStateOperationDescriptor) bool { return true })
		var proposed []pm.MetricState
		for e := range snap.Subtree(set.OperationTarget) {
			if _, ok := e.Descriptor.(*pm.NumericMetricDescriptor); ok && len(proposed) < 2 {
				s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.NewDecimal(int64(7+len(proposed)), 0))}}
				s.DescriptorHandle, s.MetricValue.MetricQuality.Validity = e.Handle, pm.MeasurementValidityVld
				proposed = append(proposed, s)
			}
		}
		require.Len(t, proposed, 2)
		r, err = b.Consumer.SetMetricState(ctx, set.Handle, proposed...)
		require.NoError(t, err)
		require.Equal(t, []msg.InvocationState{fin, fin}, states(r))
		require.InDelta(t, 7, b.Value(pm.HandleOf(proposed[0])), 0)
		require.InDelta(t, 8, b.Value(pm.HandleOf(proposed[1])), 0)
		// 6f
		join := find(t, snap, func(d *pm.ActivateOperationDescriptor) bool { return len(d.Argument) == 3 })
		r, err = b.Consumer.Activate(ctx, join.Handle, "text", "1.50", "urn:x:y")
		require.NoError(t, err)
		require.Equal(t, []msg.InvocationState{fin, fin}, states(r))
		joined, _ := mdib.Get[*pm.StringMetricState](b.Consumer.MDIB(), join.OperationTarget)
		require.Equal(t, "text1.50urn:x:y", joined.MetricValue.Value.Or(""))
		b.Pass(20 * time.Second)
		require.InDelta(t, 42, b.Value(value.OperationTarget), 0, "what was set stays")
	})
}

func TestDefaultReferencesResolve(t *testing.T) {
	// covers: BICEPS R5006
	d, err := reference.New(reference.Config{})
	require.NoError(t, err)
	var cfg provider.Config
	require.NoError(t, d.Configure(&cfg))
	require.NotNil(t, cfg.Localization)
	require.Empty(t, cfg.Localization.Check(d.MDIB()))
	for _, lang := range []string{"en-US", "de", "el-GR", "zh-CN"} {
		require.Contains(t, cfg.Localization.Languages(), lang, "step 7a")
	}
	refs := 0
	for e := range d.MDIB().Entities() {
		localization.References(e.Descriptor, func(text pm.LocalizedText) {
			refs++
			require.True(t, text.Version.IsSet())
		})
	}
	require.Equal(t, 3, refs)
	own := cfg.Localization
	require.NoError(t, d.Configure(&cfg))
	require.Same(t, own, cfg.Localization, "a catalogue of the caller's stays")
}

func TestInvocationAndLocationAreConfigurable(t *testing.T) {
	snap, err := reference.Default()
	require.NoError(t, err)
	_, err = reference.New(reference.Config{Invocation: map[string]provider.Invocation{"nothing": provider.Direct}})
	require.ErrorContains(t, err, "nothing")
	cfg := reference.Config{MDIB: snap, Invocation: map[string]provider.Invocation{"mds0.sco.number": provider.Delayed, "mds0.sco.choice": provider.Direct}}
	cfg.Location = sdc.LocationDetail{Facility: "F", Bed: "9"}
	run(t, cfg, func(b *simtest.Bench) {
		r, err := b.Consumer.SetValue(b.T.Context(), "mds0.sco.number", pm.MustDecimal("1"))
		require.NoError(t, err)
		require.Contains(t, states(r), msg.InvocationStateWait)
		r, err = b.Consumer.SetString(b.T.Context(), "mds0.sco.choice", "OFF")
		require.NoError(t, err)
		require.NotContains(t, states(r), msg.InvocationStateWait)
		for s := range b.Consumer.MDIB().Associated("mds0.location") {
			require.Equal(t, "9", s.(*pm.LocationContextState).LocationDetail.Bed)
		}
	})
}

// A bench asks for context states by identifier and by filter, which a device need not answer: the reference device does.
func TestContextsMayBeAskedFor(t *testing.T) {
	// covers: BICEPS R5037, BICEPS R5044
	cfg := reference.Config{}
	cfg.Location = sdc.LocationDetail{Facility: "F", Bed: "9"}
	run(t, cfg, func(b *simtest.Bench) {
		ctx := b.T.Context()
		handles := func(states []pm.ContextState) (out []pm.Handle) {
			for _, s := range states {
				out = append(out, pm.HandleOf(s))
			}
			return out
		}
		id := pm.InstanceIdentifier{Root: "urn:oid:1.2.3", Extension: "4711"}
		patient := find(t, b.Provider.MDIB(), func(d *pm.SetContextStateOperationDescriptor) bool {
			_, ok := mdib.Get[*pm.PatientContextDescriptor](b.Provider.MDIB(), d.OperationTarget)
			return ok
		})
		admitted := &pm.PatientContextState{}
		admitted.DescriptorHandle, admitted.Handle, admitted.ContextAssociation = patient.OperationTarget, patient.OperationTarget, pm.ContextAssociationAssoc
		admitted.Identification = []pm.InstanceIdentifier{id}
		r, err := b.Consumer.SetContextState(ctx, patient.Handle, admitted)
		require.NoError(t, err)

		of := func(kind string) pm.Opt[pm.QName] { return pm.Some(pm.QName{Space: pm.Namespace, Local: kind}) }
		byID, err := b.Consumer.GetContextStatesByIdentification(ctx, of("PatientContextState"), id)
		require.NoError(t, err)
		require.Equal(t, []pm.Handle{r.Target}, handles(byID.ContextState))
		byID, err = b.Consumer.GetContextStatesByIdentification(ctx, pm.Opt[pm.QName]{}, pm.InstanceIdentifier{Root: "urn:oid:1.2.3", Extension: "4712"})
		require.NoError(t, err)
		require.Empty(t, byID.ContextState)
		byFilter, err := b.Consumer.GetContextStatesByFilter(ctx, of("LocationContextState"), "pm:State[@ContextAssociation='Assoc']/pm:LocationDetail[@Bed='9']")
		require.NoError(t, err)
		var located []pm.Handle
		for _, mds := range []string{"mds0", "mds1"} {
			for s := range b.Consumer.MDIB().Associated(mds + ".location") {
				located = append(located, pm.HandleOf(s))
			}
		}
		require.Len(t, located, 2)
		require.ElementsMatch(t, located, handles(byFilter.ContextState))
	})
}
