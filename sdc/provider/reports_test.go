package provider_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

func edit[T pm.State](handle string, f func(T)) func(*mdib.Tx) error {
	return func(tx *mdib.Tx) error {
		s, err := mdib.Edit[T](tx, handle)
		if err != nil {
			return err
		}
		f(s)
		return nil
	}
}

func TestEachKindOfReport(t *testing.T) {
	// covers: SDPi R1007, SDPi R1004, BICEPS OperationalStateReport, BICEPS waveform, SDPi R0800, SDPi R1030
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		sequence := b.dev.MDIB().Version().SequenceID
		version := b.dev.MDIB().Version().MdibVersion
		for i, c := range []struct {
			change func(*mdib.Tx) error
			want   string
		}{
			{setNum("1"), sdc.ActionEpisodicMetricReport},
			{edit("cond", func(s *pm.AlertConditionState) { s.Presence = true }), sdc.ActionEpisodicAlertReport},
			{edit("vmd", func(s *pm.VmdState) { s.OperatingCycles = pm.Some[int32](1) }), sdc.ActionEpisodicComponentReport},
			{edit("loc.1", func(s *pm.LocationContextState) { s.LocationDetail = &pm.LocationDetail{Bed: "4"} }), sdc.ActionEpisodicContextReport},
			{edit("act", func(s *pm.ActivateOperationState) { s.OperatingMode = pm.OperatingModeDis }), sdc.ActionEpisodicOperationalStateReport},
			{func(tx *mdib.Tx) error {
				s, err := mdib.Edit[*pm.RealTimeSampleArrayMetricState](tx, "wave")
				if err != nil {
					return err
				}
				s.MetricValue = &pm.SampleArrayValue{Samples: pm.Samples{pm.MustDecimal("0.1"), pm.MustDecimal("0.2")}}
				s.MetricValue.DeterminationTime = pm.Some(pm.Timestamp(1))
				s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityVld
				return nil
			}, sdc.ActionWaveformStream},
			{func(tx *mdib.Tx) error {
				d, err := tx.EditDescriptor("num")
				if err != nil {
					return err
				}
				d.Base().Type = &pm.CodedValue{Code: "151563"}
				return nil
			}, sdc.ActionDescriptionModificationReport},
		} {
			require.NoError(t, b.dev.Update(c.change), c.want)
			n := b.peer.take(1)[0]
			require.Equal(t, c.want, n.action)
			group := n.message.(msg.Report).Version()
			version++
			require.Equal(t, version, group.MdibVersion, c.want)
			require.Equal(t, sequence, group.SequenceId)
			require.Equal(t, version, b.dev.MDIB().Version().MdibVersion)
			require.Equal(t, strconv.Itoa(i+1), n.number)
		}
		require.NoError(t, b.stop())
		require.Equal(t, 2, b.peer.pending(), "one report for each version, then the SubscriptionEnds")
	})
}

func TestNothingToReport(t *testing.T) {
	// covers: BICEPS C-5, BICEPS C-11, SDCri: MdibVersion
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		before := b.dev.MDIB()
		require.NoError(t, b.dev.Update(func(*mdib.Tx) error { return nil }))
		require.NoError(t, b.dev.Update(edit("vmd", func(*pm.VmdState) {})))
		stop := errors.New("no")
		require.ErrorIs(t, b.dev.Update(func(tx *mdib.Tx) error {
			if err := setNum("1")(tx); err != nil {
				return err
			}
			return stop
		}), stop)
		require.PanicsWithValue(t, "at the disco", func() {
			_ = b.dev.Update(func(*mdib.Tx) error { panic("at the disco") })
		})
		require.Same(t, before, b.dev.MDIB())
		require.NoError(t, b.dev.Update(setNum("2")))
		n := b.peer.take(1)[0]
		require.Equal(t, before.Version().MdibVersion+1, n.message.(msg.Report).Version().MdibVersion, "the first report is that of the change")
	})
}

// TestOrderUnderLoad: many goroutines change the MDIB while operations run; every subscription sees strictly ascending versions.
func TestOrderUnderLoad(t *testing.T) {
	// covers: SDPi R1006, SDPi R1007, SDPi R0801
	const writers, changes = 8, 25
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		start := b.dev.MDIB().Version().MdibVersion
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range changes {
					var err error
					switch w % 4 {
					case 0:
						err = b.dev.Update(setNum(strconv.Itoa(i*100 + w)))
					case 1:
						err = b.dev.Update(edit("vmd", func(s *pm.VmdState) { s.OperatingCycles = pm.Some(int32(i*100 + w)) }))
					case 2:
						err = b.dev.Update(edit("cond", func(s *pm.AlertConditionState) { s.Rank = pm.Some(int32(i*100 + w)) }))
					case 3:
						value := "3"
						if i%2 == 0 {
							value = "4"
						}
						var r *msg.SetValueResponse
						if r, err = call[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", value)); err == nil && r.InvocationInfo.InvocationState != msg.InvocationStateFin {
							err = errors.New(string(r.InvocationInfo.InvocationState))
						}
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		end := b.dev.MDIB().Version().MdibVersion
		operations := writers / 4 * changes
		last, numbers := start, map[string]int{}
		for _, n := range b.peer.take(int(end-start) + operations) {
			numbers[n.path]++
			require.Equal(t, strconv.Itoa(numbers[n.path]), n.number)
			v := n.message.(msg.Report).Version().MdibVersion
			if _, ok := n.message.(*msg.OperationInvokedReport); ok {
				require.Equal(t, last, v, "an operation is told of with the version that is current")
				continue
			}
			require.Equal(t, last+1, v)
			last = v
		}
		require.Equal(t, end, last)
	})
}

func TestNoReportSequence(t *testing.T) {
	inBubble(t, func(c *provider.Config) { c.NoReportSequence = true }, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		require.NoError(t, b.dev.Update(setNum("1")))
		require.Empty(t, b.peer.take(1)[0].number)
	})
}

func TestHooks(t *testing.T) {
	var mu sync.Mutex
	var reports []string
	var states []msg.InvocationState
	configure := func(c *provider.Config) {
		c.ApplyProposals = true
		c.Hooks.Committed = func(report string, bytes int, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			reports = append(reports, report+" "+strconv.FormatBool(bytes > 0))
		}
		c.Hooks.Operation = func(_ string, s msg.InvocationState) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, s)
		}
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		require.NoError(t, b.dev.Update(setNum("1")))
		b.peer.subscribeAll()
		require.NoError(t, b.dev.Update(setNum("2")))
		mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "99"))
		require.Equal(t, []string{"EpisodicMetricReport false", "EpisodicMetricReport true"}, reports, "nobody encodes what nobody wants")
		require.Equal(t, []msg.InvocationState{msg.InvocationStateFail}, states)
	})
}

// TestUpdateFromHandlers: what a handler changes is told of before its end, and handlers of two SCO do not wait for each other.
func TestUpdateFromHandlers(t *testing.T) {
	// covers: SCO-7
	prepare := func(p *provider.Provider) {
		must(p.HandleSetValue("value.set", func(_ context.Context, c *provider.SetValue) error {
			for _, v := range []string{"1", "2"} {
				if err := c.Update(setNum(v)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	inBubble(t, nil, prepare, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		mustCall[*msg.SetValueResponse](b.peer, "Set", sdc.ActionSetValue, setValue("value.set", "5"))
		notes := b.peer.take(3)
		require.Equal(t, sdc.ActionEpisodicMetricReport, notes[0].action)
		require.Equal(t, sdc.ActionEpisodicMetricReport, notes[1].action)
		require.Equal(t, msg.InvocationStateFin, invoked(t, notes[2]).InvocationInfo.InvocationState)
	})
}
