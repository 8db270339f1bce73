package mdib

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// waveformStore has one waveform with samples and an annotation.
func waveformStore(tb testing.TB) *Store {
	tb.Helper()
	s := sized(tb, 1)
	st := NewStore(s, Config{})
	d := &pm.RealTimeSampleArrayMetricDescriptor{SamplePeriod: pm.DurationOf(5 * time.Millisecond), Resolution: pm.NewDecimal(1, 2)}
	d.Handle, d.MetricCategory, d.MetricAvailability = "wave", pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	d.Type, d.Unit = &pm.CodedValue{Code: "1"}, pm.CodedValue{Code: "2"}
	_, err := st.Update(func(tx *Tx) error { return tx.Insert("chan", d) })
	require.NoError(tb, err)
	return st
}

// SetSamples replaces the samples without touching those of the version before.
func TestSetSamplesLeavesTheFormerAlone(t *testing.T) {
	st := waveformStore(t)
	now := time.UnixMilli(1_700_000_000_000)
	first := pm.Samples{pm.NewDecimal(1, 0), pm.NewDecimal(2, 0)}
	set := func(samples pm.Samples) {
		_, err := st.Update(func(tx *Tx) error {
			if err := tx.SetSamples("wave", samples, now); err != nil {
				return err
			}
			s, err := Edit[*pm.RealTimeSampleArrayMetricState](tx, "wave") // the same copy again
			if err != nil {
				return err
			}
			s.PhysiologicalRange = append(s.PhysiologicalRange, pm.Range{})
			return nil
		})
		require.NoError(t, err)
		now = now.Add(time.Second)
	}
	set(first)
	before, ok := Get[*pm.RealTimeSampleArrayMetricState](st.Load(), "wave")
	require.True(t, ok)
	kept := before.Clone()
	set(pm.Samples{pm.NewDecimal(3, 0)})
	after, ok := Get[*pm.RealTimeSampleArrayMetricState](st.Load(), "wave")
	require.True(t, ok)
	require.True(t, kept.Equal(before), "the version before changed")
	require.Equal(t, pm.Samples{pm.NewDecimal(3, 0)}, after.MetricValue.Samples)
	require.Equal(t, before.StateVersion+1, after.StateVersion)
	require.Len(t, before.PhysiologicalRange, 1)
	require.Len(t, after.PhysiologicalRange, 2)
}

func BenchmarkSetSamples(b *testing.B) {
	st := waveformStore(b)
	values := [2]pm.Samples{make(pm.Samples, 100), make(pm.Samples, 100)}
	for i := range values[1] {
		values[1][i] = pm.NewDecimal(int64(i), 2)
	}
	now := time.UnixMilli(1_700_000_000_000)
	b.ReportAllocs()
	for i := range b.N {
		if _, err := st.Update(func(tx *Tx) error { return tx.SetSamples("wave", values[i%2], now) }); err != nil {
			b.Fatal(err)
		}
	}
}
