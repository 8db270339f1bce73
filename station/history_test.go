package station

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestRingKeepsTheNewest(t *testing.T) {
	r := ring[int]{limit: 37}
	var all []int
	for i := range 500 {
		r.push(i)
		all = append(all, i)
		if len(all) > 37 {
			all = all[len(all)-37:]
		}
		if i%7 == 0 {
			r.drop()
			all = all[1:]
		}
		require.Equal(t, len(all), r.n)
		for k := range all {
			require.Equal(t, all[k], *r.at(k))
		}
	}
}

func remembering(t *testing.T, cfg HistoryConfig) (*history, *Station) {
	cfg, err := cfg.withDefaults()
	require.NoError(t, err)
	h := newHistory(cfg, slog.New(slog.DiscardHandler))
	return h, &Station{history: h}
}

func TestTrendsAreKeptForHoursInBoundedMemory(t *testing.T) {
	h, s := remembering(t, HistoryConfig{})
	begin := time.UnixMilli(1_800_000_000_000)
	v := Value{Ref: Ref{"d", "hr"}, Validity: pm.MeasurementValidityVld, Activation: pm.ComponentActivationOn}
	at := begin
	for i := range 9 * 3600 {
		at = begin.Add(time.Duration(i) * time.Second)
		v.Determined, v.Number = at, pm.Some(pm.NewDecimal(int64(i%60), 0))
		h.number(&v, nil)
	}
	points := s.Points(Query{Ref: v.Ref})
	require.InDelta(t, 600, len(points), 2)
	require.True(t, points[len(points)-1].Time.Equal(at))
	trend := s.Trend(Query{Ref: v.Ref})
	require.InDelta(t, 960, len(trend), 2)
	require.InDelta(t, 8*3600, at.Sub(trend[0].Begin).Seconds(), 60)
	for _, b := range trend[:len(trend)-1] {
		require.Equal(t, 30, b.Count)
		require.Equal(t, 29.0, b.Greatest-b.Least)
		require.Equal(t, (b.Least+b.Greatest)/2, b.Mean)
	}
	require.Len(t, s.Trend(Query{Ref: v.Ref, Since: at.Add(-time.Hour)}), 121)

	// What must not be used is a point without being part of the trend.
	v.Validity, v.Determined = pm.MeasurementValidityInv, at.Add(time.Second)
	h.number(&v, nil)
	points = s.Points(Query{Ref: v.Ref})
	require.False(t, points[len(points)-1].Usable())
	require.Equal(t, trend, s.Trend(Query{Ref: v.Ref}))
}

func TestWaveformsAreKeptForAMinuteInBoundedMemory(t *testing.T) {
	h, s := remembering(t, HistoryConfig{MaxSeries: 1})
	begin := time.UnixMilli(1_800_000_000_000)
	w := Wave{Ref: Ref{"d", "ecg"}, SamplePeriod: 5 * time.Millisecond, Validity: pm.MeasurementValidityVld}
	block := make(pm.Samples, 20)
	for i := range 1000 {
		h.samples(&w, begin.Add(time.Duration(i)*100*time.Millisecond), block, nil, i == 500)
	}
	blocks := s.Blocks(Query{Ref: w.Ref}, 0)
	require.InDelta(t, 600, len(blocks), 1)
	for i, b := range blocks {
		require.Equal(t, uint64(1000-len(blocks)+i+1), b.Seq)
		require.Equal(t, b.Seq == 501, b.Gap)
	}
	require.Len(t, s.Blocks(Query{Ref: w.Ref}, 990), 10, "what is new to a reader")
	h.samples(&w, begin.Add(100*time.Second), make(pm.Samples, maxSamples+7), nil, false)
	blocks = s.Blocks(Query{Ref: w.Ref}, 0)
	require.Len(t, blocks, 1, "a device that sends too much replaces its own history only")
	require.Len(t, blocks[0].Samples, maxSamples)
	w.Handle = "another"
	h.samples(&w, begin, block, nil, false)
	require.Empty(t, s.Blocks(Query{Ref: w.Ref}, 0), "more series than MaxSeries")
	h.forget("d")
	h.samples(&w, begin, block, nil, false)
	require.Len(t, s.Blocks(Query{Ref: w.Ref}, 0), 1)
}
