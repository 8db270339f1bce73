package provider_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestPeriodicReports(t *testing.T) {
	// covers: BICEPS periodic reports, COEX-6
	configure := func(c *provider.Config) {
		c.Periodic = provider.Periodic{Metric: time.Second, Alert: 2 * time.Second, Component: 3 * time.Second, Context: 4 * time.Second, Operational: 5 * time.Second}
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("StateEvent", "state", sdc.ActionPeriodicMetricReport, sdc.ActionPeriodicAlertReport, sdc.ActionPeriodicComponentReport,
			sdc.ActionPeriodicContextReport, sdc.ActionPeriodicOperationalStateReport, sdc.ActionEpisodicMetricReport))
		begin := time.Now()
		version := b.dev.MDIB().Version().MdibVersion
		counts := map[string]int{}
		for range 30 + 15 + 10 + 7 + 6 {
			n := b.peer.take(1)[0]
			counts[n.action]++
			r := n.message.(msg.Report)
			require.Equal(t, version, r.Version().MdibVersion, "a periodic report does not raise the version")
			switch r := r.(type) {
			case *msg.PeriodicMetricReport:
				require.Len(t, r.ReportPart, 1, "one part for each MDS that has some")
				require.Equal(t, "mds", r.ReportPart[0].SourceMds)
				require.Len(t, r.ReportPart[0].MetricState, 4, "all metrics but the waveform")
			case *msg.PeriodicAlertReport:
				require.Len(t, r.ReportPart[0].AlertState, 3)
			case *msg.PeriodicComponentReport:
				require.Len(t, r.ReportPart, 2)
				require.Equal(t, "mds2", r.ReportPart[1].SourceMds)
				require.Len(t, r.ReportPart[1].ComponentState, 3)
			case *msg.PeriodicContextReport:
				require.Len(t, r.ReportPart, 1)
				require.Equal(t, "loc.1", r.ReportPart[0].ContextState[0].BaseMulti().Handle)
			case *msg.PeriodicOperationalStateReport:
				require.Len(t, r.ReportPart[0].OperationState, 10)
			}
		}
		require.Equal(t, map[string]int{
			sdc.ActionPeriodicMetricReport: 30, sdc.ActionPeriodicAlertReport: 15, sdc.ActionPeriodicComponentReport: 10,
			sdc.ActionPeriodicContextReport: 7, sdc.ActionPeriodicOperationalStateReport: 6,
		}, counts)
		require.InDelta(t, 30*time.Second, time.Since(begin), float64(time.Second))
		require.Equal(t, version, b.dev.MDIB().Version().MdibVersion)

		require.NoError(t, b.dev.Update(setNum("7")))
		episodic := b.peer.take(1)[0]
		require.Equal(t, sdc.ActionEpisodicMetricReport, episodic.action)
		for {
			n := b.peer.take(1)[0]
			if r, ok := n.message.(*msg.PeriodicMetricReport); ok {
				require.Equal(t, version+1, r.MdibVersion)
				require.Equal(t, "7", r.ReportPart[0].MetricState[0].(*pm.NumericMetricState).MetricValue.Value.Or(pm.Decimal{}).String())
				break
			}
		}
	})
}

// retrievable gives a descriptor the extension.
func retrievable(d pm.Descriptor, by ...msg.RetrievabilityInfo) {
	ext.SetRetrievability(&d.Base().Extension, msg.Retrievability{By: by})
}

func TestPeriodicReportsByRetrievability(t *testing.T) {
	// covers: BICEPS periodic reports
	every := func(d time.Duration) msg.RetrievabilityInfo {
		return msg.RetrievabilityInfo{Method: msg.RetrievabilityMethodPer, UpdatePeriod: pm.Some(pm.DurationOf(d))}
	}
	configure := func(c *provider.Config) {
		store := mdib.NewStore(c.MDIB, mdib.Config{})
		_, err := store.Update(func(tx *mdib.Tx) error {
			for handle, by := range map[string][]msg.RetrievabilityInfo{
				"num":   {{Method: msg.RetrievabilityMethodEp}, every(2 * time.Second)},
				"mode":  {{Method: msg.RetrievabilityMethodPer}}, // implied: 1 s
				"text":  {{Method: msg.RetrievabilityMethodGet}},
				"wave":  {every(time.Second)},
				"clock": {every(time.Nanosecond)}, // no flood
			} {
				d, err := tx.EditDescriptor(handle)
				if err != nil {
					return err
				}
				retrievable(d, by...)
			}
			return nil
		})
		if err != nil {
			panic(err)
		}
		c.MDIB = store.Load()
		c.Periodic = provider.Periodic{Retrievability: true, Metric: 4 * time.Second}
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		require.NoError(t, b.peer.subscribe("StateEvent", "state", sdc.ActionPeriodicMetricReport))
		handles := func() (got []string) {
			for _, s := range b.peer.take(1)[0].message.(*msg.PeriodicMetricReport).ReportPart[0].MetricState {
				got = append(got, s.BaseState().DescriptorHandle)
			}
			return got
		}
		begin := time.Now()
		require.Equal(t, []string{"mode"}, handles())
		require.Equal(t, []string{"num", "mode"}, handles())
		require.Equal(t, []string{"mode"}, handles())
		require.Equal(t, []string{"num", "num.set", "mode"}, handles(), "what has no extension keeps the fixed period; due together, told together")
		require.InDelta(t, 4*time.Second, time.Since(begin), float64(100*time.Millisecond))

		// The description decides, also when it changes.
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error {
			for _, h := range []string{"num", "mode"} {
				d, err := tx.EditDescriptor(h)
				if err != nil {
					return err
				}
				retrievable(d, every(10*time.Second))
			}
			return nil
		}))
		require.Equal(t, []string{"num.set"}, handles())
		require.InDelta(t, 8*time.Second, time.Since(begin), float64(100*time.Millisecond), "the beat of what stays goes on")

		require.NoError(t, b.peer.subscribe("StateEvent", "component", sdc.ActionPeriodicComponentReport))
		at := time.Now()
		for range 20 {
			for b.peer.take(1)[0].path != "/sink/component" {
			}
		}
		require.GreaterOrEqual(t, time.Since(at), 19*provider.MinPeriod)
	})
}

func TestBadPeriods(t *testing.T) {
	for _, p := range []provider.Periodic{{Metric: -time.Second}, {Alert: time.Millisecond}, {Context: 1}} {
		_, err := provider.New(provider.Config{MDIB: device(t), Insecure: true, Periodic: p})
		require.ErrorContains(t, err, "periodic")
	}
}

func TestSystemErrorReport(t *testing.T) {
	// covers: BICEPS SystemErrorReport
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		before := b.dev.MDIB()
		code := pm.CodedValue{Code: "4711"}
		require.NoError(t, b.dev.ReportSystemError(code, pm.LocalizedText{Lang: "en", Text: "Flash memory is worn out"}, "mds2"))
		require.NoError(t, b.dev.ReportSystemError(code, pm.LocalizedText{}))
		notes := b.peer.take(2)
		r := notes[0].message.(*msg.SystemErrorReport)
		require.Equal(t, sdc.ActionSystemErrorReport, notes[0].action)
		require.Equal(t, before.Version().MdibVersion, r.MdibVersion)
		require.Len(t, r.ReportPart, 1)
		require.Equal(t, "mds2", r.ReportPart[0].SourceMds)
		require.Equal(t, "4711", r.ReportPart[0].ErrorCode.Code)
		require.Equal(t, "Flash memory is worn out", r.ReportPart[0].ErrorInfo.Text)
		r = notes[1].message.(*msg.SystemErrorReport)
		require.Len(t, r.ReportPart, 2, "all MDSs")
		require.Nil(t, r.ReportPart[0].ErrorInfo)

		require.Error(t, b.dev.ReportSystemError(pm.CodedValue{}, pm.LocalizedText{}))
		require.ErrorContains(t, b.dev.ReportSystemError(code, pm.LocalizedText{}, "vmd"), "no MDS")
		require.Same(t, before, b.dev.MDIB())
		require.Zero(t, b.peer.pending())
	})
}

func TestObservedValueStream(t *testing.T) {
	// covers: BICEPS waveform
	samples := func(v string) pm.Samples { return pm.Samples{pm.MustDecimal(v), pm.MustDecimal("1")} }
	inBubble(t, func(c *provider.Config) { c.ObservedValues = true }, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		require.NoError(t, b.dev.StreamObserved(time.Now(), map[string]pm.Samples{"wave": samples("0.5")}))
		require.NoError(t, b.dev.Update(edit("wave", func(s *pm.RealTimeSampleArrayMetricState) { s.ActivationState = pm.ComponentActivationOn })))
		require.NoError(t, b.dev.StreamObserved(time.Now(), map[string]pm.Samples{"wave": samples("0.7")}))
		notes := b.peer.take(3)
		first := notes[0].message.(*msg.ObservedValueStream)
		require.Equal(t, sdc.ActionObservedValueStream, notes[0].action)
		require.Len(t, first.Value, 1)
		require.Equal(t, "wave", first.Value[0].Metric)
		require.Equal(t, uint64(1), first.Value[0].StateVersion)
		require.Equal(t, "0.5", first.Value[0].Value.Samples[0].String())
		require.Equal(t, sdc.ActionWaveformStream, notes[1].action, "other changes are a waveform stream")
		last := notes[2].message.(*msg.ObservedValueStream)
		require.Equal(t, first.MdibVersion+2, last.MdibVersion)
		require.Equal(t, uint64(3), last.Value[0].StateVersion)
		require.Error(t, b.dev.StreamObserved(time.Now(), map[string]pm.Samples{"num": samples("1")}))
		require.Error(t, b.dev.StreamObserved(time.Now(), map[string]pm.Samples{"nowhere": samples("1")}))
	})
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		require.NoError(t, b.dev.StreamObserved(time.Now(), map[string]pm.Samples{"wave": samples("0.5")}))
		require.Equal(t, sdc.ActionWaveformStream, b.peer.take(1)[0].action, "off by default")
	})
}
