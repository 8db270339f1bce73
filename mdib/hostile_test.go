package mdib

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// TestMirrorUnderFire: whatever reports say, the mirror does not panic, keeps a sound structure, and changes nothing when it fails.
func TestMirrorUnderFire(t *testing.T) {
	start := fixture(t)
	var handles []string
	for e := range start.Entities() {
		if e.MDS == "mds" {
			handles = append(handles, e.Handle)
		}
	}
	handles = append(handles, "", "x", "y", "z", "p1", "p2")
	handle := rapid.SampledFrom(handles)
	descriptors := []func(string) pm.Descriptor{
		func(h string) pm.Descriptor { return numeric(h) },
		func(h string) pm.Descriptor { return waveform(h) },
		func(h string) pm.Descriptor { return vmd(h, channel(h+"c"), channel(h+"c")) },
		func(h string) pm.Descriptor { return channel(h, numeric("x"), nil) },
		func(h string) pm.Descriptor { return mds(h) },
		func(h string) pm.Descriptor { return alerts(h) },
		func(h string) pm.Descriptor { return signal(h, h) },
		func(h string) pm.Descriptor {
			d := &pm.PatientContextDescriptor{}
			d.AbstractDescriptor = base(h)
			return d
		},
		func(string) pm.Descriptor { return nil },
	}
	states := []func() pm.State{
		func() pm.State { return &pm.NumericMetricState{} },
		func() pm.State { return &pm.RealTimeSampleArrayMetricState{} },
		func() pm.State { return &pm.VmdState{} },
		func() pm.State { return &pm.AlertSystemState{} },
		func() pm.State { return &pm.AlertConditionState{} },
		func() pm.State { return &pm.PatientContextState{} },
		func() pm.State { return &pm.LocationContextState{} },
		func() pm.State { return &pm.ActivateOperationState{} },
		func() pm.State { return nil },
	}
	state := rapid.Custom(func(t *rapid.T) pm.State {
		s := rapid.SampledFrom(states).Draw(t, "state")()
		if s == nil {
			return nil
		}
		s.BaseState().DescriptorHandle = handle.Draw(t, "of")
		s.BaseState().StateVersion = rapid.SampledFrom([]uint64{0, 1, 2, 9, 1 << 63, 1<<64 - 1}).Draw(t, "version")
		if c, ok := s.(pm.ContextState); ok {
			c.BaseMulti().Handle = handle.Draw(t, "handle")
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		m := NewMirror(MirrorConfig{AllReports: rapid.Bool().Draw(t, "all")})
		_, err := m.Reset(start.Response())
		require.NoError(t, err)
		t.Repeat(map[string]func(*rapid.T){
			"report": func(t *rapid.T) {
				before := m.Load()
				group := msg.AbstractReport{MdibVersionGroup: before.Version().Group()}
				group.MdibVersion += rapid.SampledFrom([]uint64{0, 1, 1, 1, 2, 1<<64 - 1}).Draw(t, "later")
				var r msg.Message
				all := rapid.SliceOfN(state, 0, 4).Draw(t, "states")
				switch rapid.IntRange(0, 6).Draw(t, "kind") {
				case 0:
					x := &msg.EpisodicMetricReport{}
					x.AbstractReport = group
					x.ReportPart = []msg.MetricReportPart{{MetricState: only[pm.MetricState](all)}}
					r = x
				case 1:
					x := &msg.PeriodicAlertReport{}
					x.AbstractReport = group
					x.ReportPart = []msg.AlertReportPart{{AlertState: only[pm.AlertState](all)}}
					r = x
				case 2:
					x := &msg.EpisodicContextReport{}
					x.AbstractReport = group
					x.ReportPart = []msg.ContextReportPart{{ContextState: only[pm.ContextState](all)}}
					r = x
				case 3:
					r = &msg.WaveformStream{AbstractReport: group, State: only[*pm.RealTimeSampleArrayMetricState](all)}
				case 4:
					r = &msg.ObservedValueStream{AbstractReport: group, Value: []msg.ObservedValue{{Metric: handle.Draw(t, "metric"), StateVersion: 3}}}
				default:
					x := &msg.DescriptionModificationReport{AbstractReport: group}
					for range rapid.IntRange(0, 4).Draw(t, "parts") {
						d := rapid.SampledFrom(descriptors).Draw(t, "descriptor")(handle.Draw(t, "handle"))
						if d != nil {
							d.Base().DescriptorVersion = rapid.SampledFrom([]uint64{0, 1, 2, 1<<64 - 1}).Draw(t, "version")
						}
						x.ReportPart = append(x.ReportPart, descriptionPart(
							rapid.SampledFrom([]msg.DescriptionModificationType{crt, upt, del, "", "odd"}).Draw(t, "type"), handle.Draw(t, "parent"), d, all...))
					}
					r = x
				}
				copied, err := FromMdib(before.Mdib().Clone())
				require.NoError(t, err)
				c, err := m.Apply(r)
				if err != nil {
					require.Same(t, before, m.Load())
					require.False(t, errors.Is(err, ErrNotReady))
				} else {
					require.Same(t, c.After, m.Load())
				}
				again, err := FromMdib(before.Mdib())
				require.NoError(t, err)
				require.True(t, copied.ContentEqual(again), "an older snapshot changed")
			},
			"": func(t *rapid.T) {
				s := m.Load()
				n := 0
				for e := range s.Entities() {
					n++
					for _, c := range e.Contexts {
						require.Equal(t, e.Handle, c.BaseState().DescriptorHandle)
					}
					require.True(t, e.State == nil || pm.Pairs(e.Descriptor, e.State))
				}
				require.Equal(t, s.Len(), n, "everything hangs together")
				_, faults := fromMdib(s.Mdib(), true, math.MaxInt)
				require.Empty(t, faults)
			},
		})
	})
}

// TestManyContextStates: what reading them costs grows with their number and not with its square.
func TestManyContextStates(t *testing.T) {
	cost := func(n int) uint64 {
		m := fixture(t).Mdib().Clone()
		m.MdState = &pm.MdState{}
		d := &pm.PatientContextDescriptor{}
		d.AbstractDescriptor = base("many")
		contexts := &pm.SystemContextDescriptor{PatientContext: d}
		contexts.Handle = "many.sys"
		m.MdDescription.Mds[0].SystemContext = contexts
		for i := range n {
			s := &pm.PatientContextState{}
			s.DescriptorHandle, s.Handle = "many", fmt.Sprint("many", i)
			m.MdState.State = append(m.MdState.State, s)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		snap, faults := fromMdib(m, true, math.MaxInt)
		runtime.ReadMemStats(&after)
		require.Empty(t, faults)
		e, ok := snap.Entity("many")
		require.True(t, ok)
		require.Len(t, e.Contexts, n)
		return after.TotalAlloc - before.TotalAlloc
	}
	require.Less(t, cost(20_000), 40*cost(1000))
}

func only[S pm.State](all []pm.State) []S {
	var out []S
	for _, s := range all {
		if t, ok := s.(S); ok {
			out = append(out, t)
		}
	}
	return out
}

// FuzzMirror feeds documents to a mirror: an MDIB or a report each.
func FuzzMirror(f *testing.F) {
	snap := fixture(f)
	f.Add(snap.Response().AppendXML(nil))
	for _, r := range []msg.Report{
		metricReport(1, hrState(1, "70")),
		describe(1, descriptionPart(crt, "mds", vmd("v")), descriptionPart(del, "chan", numeric("hr")), descriptionPart(upt, "mds", vmd("vmd"), &pm.VmdState{})),
		&msg.WaveformStream{AbstractReport: group0(1)},
		&msg.ObservedValueStream{AbstractReport: group0(1), Value: []msg.ObservedValue{{Metric: "ecg"}}},
	} {
		f.Add(r.AppendXML(nil))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		message, err := msg.Unmarshal(doc)
		if err != nil {
			return
		}
		m := NewMirror(MirrorConfig{})
		if _, err := m.Reset(snap.Response()); err != nil {
			t.Fatal(err)
		}
		if r, ok := message.(*msg.GetMdibResponse); ok {
			if _, err := m.Reset(r); err != nil {
				return
			}
			Validate(m.Load())
		} else if _, err := m.Apply(message); err != nil {
			return
		}
		if _, faults := fromMdib(m.Load().Mdib(), true, math.MaxInt); len(faults) > 0 {
			t.Fatal(faults)
		}
	})
}
