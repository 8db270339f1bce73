package interop

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

// ward is a station of which the test says what it shows.
type ward struct{ view atomic.Pointer[station.View] }

func (w *ward) View() *station.View                { return w.view.Load() }
func (*ward) Points(station.Query) []station.Point { return nil }

// show has patients with a heart rate each, of one device, and a pressure of another.
func (w *ward) show(rates map[string]int) {
	v := &station.View{Time: time.Now()}
	system := func(epr, code, number, unit string) *station.System {
		return &station.System{
			Device: epr, Handle: "mds", Link: station.Link{State: station.LinkLive}, Clock: station.Clock{Known: true},
			Values: []*station.Value{{
				Ref: station.Ref{Device: epr, Handle: "h"}, MDS: "mds", Meaning: station.Meaning{Code: station.MDC(code), Role: station.Measured},
				Unit: station.Unit{Code: station.MDC(unit)}, Number: pm.Some(pm.MustDecimal(number)), Validity: pm.MeasurementValidityVld,
				Activation: pm.ComponentActivationOn, Determined: v.Time, Arrived: v.Time,
			}},
		}
	}
	for id, rate := range rates {
		v.Patients = append(v.Patients, &station.Patient{
			Key: id, IDs: []station.Identifier{{Root: "urn:oid:2.25.8", Extension: id}},
			Systems: []*station.System{
				system("urn:uuid:ecg-"+id, "147842", fmt.Sprint(rate), "264864"), system("urn:uuid:line-"+id, "150037", "100", "266016"),
			},
		})
	}
	w.view.Store(v)
}

// The peer, which validates every message, reads derived values like those of any device, and follows patients who come and go.
func TestPeerConsumerOfAnAggregator(t *testing.T) {
	t.Parallel()
	python(t)
	w := newWorld(t, true, sdc.RoleProvider)
	source := &ward{}
	source.show(nil)
	a, err := aggregate.New(aggregate.Config{
		Source: source, Interval: 100 * time.Millisecond, ClockAccuracy: 50 * time.Millisecond,
		Provider: provider.Config{
			EPR: w.epr, Identity: w.ours, Network: w.network(), Timing: discovery.PromptTiming(),
			Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		},
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	defer func() {
		if !stopped {
			cancel()
			_ = <-ended
		}
	}()
	<-a.Provider().Ready()
	p := w.start(t, "consumer.py")
	p.expect(t, "connected")

	// same compares everything once both are at one version: the alert systems check themselves in between.
	same := func() {
		t.Helper()
		for end := time.Now().Add(patience); ; {
			ours := a.Provider().MDIB()
			var theirs picture
			p.do(t, "mdib", map[string]any{"do": "dump", "version": ours.Version().MdibVersion}).decode(t, &theirs)
			if theirs.Version == ours.Version().MdibVersion {
				requireSame(t, pictureOf(ours), theirs)
				return
			}
			require.True(t, time.Now().Before(end), "never at one version")
		}
	}
	until := func(what string, ok func(*mdib.Snapshot) bool) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(patience); !ok(a.Provider().MDIB()); <-tick.C {
			require.True(t, time.Now().Before(end), what)
		}
	}
	index := func(s *mdib.Snapshot, mds string) string {
		m, ok := mdib.Get[*pm.NumericMetricState](s, mds+".derived.shock-index")
		if !ok || m.MetricValue == nil || !m.MetricValue.Value.IsSet() {
			return ""
		}
		return m.MetricValue.Value.Or(pm.Decimal{}).String()
	}
	source.show(map[string]int{"1": 80})
	until("a patient", func(s *mdib.Snapshot) bool { return index(s, "patient-1") == "0.80" })
	same()
	source.show(map[string]int{"1": 95, "2": 60})
	until("two patients", func(s *mdib.Snapshot) bool { return index(s, "patient-1") == "0.95" && index(s, "patient-2") == "0.60" })
	same()
	source.show(map[string]int{"2": 61})
	until("one patient left", func(s *mdib.Snapshot) bool {
		return index(s, "patient-2") == "0.61" && !slices.Contains(slices.Collect(s.Roots()), "patient-1")
	})
	same()

	cancel()
	stopped = true
	require.NoError(t, <-ended)
	p.expect(t, "ended")
	p.stop(t)
	// A derived value is as old as its oldest input, which the peer remarks on after a second.
	p.complaints(t, append(slices.Clone(inGoodOrder), "age of states outside limit")...)
}
