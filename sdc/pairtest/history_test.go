package pairtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/churn"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/history"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

func remembering(c *provider.Config) {
	c.History, c.Log = true, history.Config{Waveforms: true}
}

// read collects a history.
func read(t *testing.T, d *consumer.Device, q *hm.Query) (events []consumer.HistoryEvent) {
	t.Helper()
	for e, err := range d.History(t.Context(), q) {
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

func versions(events []consumer.HistoryEvent) (out []uint64) {
	for _, e := range events {
		if e.Initial || e.Report != nil {
			out = append(out, e.Version.MdibVersion)
		}
	}
	return out
}

func statuses(events []consumer.HistoryEvent) (out []hm.Status) {
	for _, e := range events {
		out = append(out, e.Status...)
	}
	return out
}

func between(s *mdib.Snapshot, first, last uint64) *hm.Query {
	v := s.Version()
	return &hm.Query{ProvideInitialMdib: true, Version: &hm.VersionRange{SequenceID: v.SequenceID, InstanceID: v.InstanceID, Start: first, End: last}}
}

// Whatever the device did, the history tells it as it was: every MDIB, from the first to the last.
func TestHistoryRetellsWhatHappened(t *testing.T) {
	// covers: SDPi R1026, R0511, R0512, R0513, R0514, R0515, R0520, R0521, R0522, R0523, R0524, R0525, R0526, R0529
	test := func(t *testing.T, p *pair) {
		d := p.connect(t)
		require.Contains(t, d.Services(), sdc.HistoryService)
		was := []*mdib.Snapshot{p.dev.MDIB()}
		c := churn.New(p.dev, 3, "vmd")
		for len(was) < 250 {
			_, err := c.Step()
			require.NoError(t, err)
			if s := p.dev.MDIB(); s != was[len(was)-1] {
				was = append(was, s)
			}
		}
		first := was[0].Version().MdibVersion
		check := func(events []consumer.HistoryEvent, want []*mdib.Snapshot) {
			t.Helper()
			require.Empty(t, statuses(events))
			require.Len(t, events, len(want))
			require.True(t, events[0].Initial)
			for i, e := range events {
				require.NotNil(t, e.MDIB, "event %d", i)
				require.True(t, e.MDIB.Equal(want[i]), "event %d: version %d", i, e.Version.MdibVersion)
				require.Equal(t, i == 0, e.Report == nil)
				require.False(t, i > 0 && e.Time.Before(events[i-1].Time))
			}
		}
		check(read(t, d, between(was[0], first, first+249)), was)
		check(read(t, d, between(was[0], first+100, first+120)), was[100:121])

		q := between(was[0], first+100, first+102)
		q.ProvideInitialMdib = false
		require.Equal(t, []uint64{first + 100, first + 101, first + 102}, versions(read(t, d, q)))

		// The live connection has not noticed.
		require.Equal(t, consumer.Live, d.Link().State)
		require.NoError(t, p.dev.Flush(t.Context()))
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
	}
	t.Run("in memory", func(t *testing.T) { inBubble(t, setup{provider: remembering}, test) })
	t.Run("mutual TLS", func(t *testing.T) { overTLS(t, setup{provider: remembering}, test) })
}

func TestHistoryByTime(t *testing.T) {
	// covers: SDPi R0515, R0516
	inBubble(t, setup{provider: func(c *provider.Config) {
		c.History, c.Log = true, history.Config{MaxAge: time.Minute}
	}}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		begin := time.Now()
		v := p.dev.MDIB().Version().MdibVersion
		at := func(s int) pm.Timestamp { return pm.TimestampOf(begin.Add(time.Duration(s) * time.Second)) }
		for i := range 10 { // at 10 s, 20 s ... 100 s
			<-time.After(10 * time.Second)
			require.NoError(t, setNumber(p.dev, string(rune('0'+i))))
		}
		span := func(from, to int) *hm.Query {
			return &hm.Query{ProvideInitialMdib: true, Reports: []hm.ReportType{hm.EpisodicMetricReport}, Time: &hm.TimeRange{Start: at(from), End: at(to)}}
		}
		events := read(t, d, span(65, 80))
		require.Equal(t, []uint64{v + 6, v + 7, v + 8}, versions(events))
		require.Equal(t, at(60), pm.TimestampOf(events[0].Time), "since when the MDIB at the beginning held")
		require.Equal(t, at(70), pm.TimestampOf(events[1].Time))
		require.Empty(t, statuses(events))
		require.Equal(t, []uint64{v + 6, v + 7}, versions(read(t, d, span(60, 70))), "both ends belong to it")

		// What was dropped: the range is a hint, and the device says what it has.
		events = read(t, d, span(0, 50))
		require.Equal(t, []uint64{v + 3, v + 4, v + 5}, versions(events))
		require.Equal(t, []hm.Status{{Kind: hm.StatusTimeNotFullyServed, Time: hm.TimeRange{Start: at(30), End: at(50)}}}, statuses(events))
		events = read(t, d, span(95, 5000))
		require.Equal(t, []uint64{v + 9, v + 10}, versions(events))
		require.Equal(t, at(100), statuses(events)[0].Time.End)

		for name, q := range map[string]*hm.Query{
			"dropped": span(1, 2), "to come": span(5000, 6000), "dropped versions": between(p.dev.MDIB(), v, v+1), "versions to come": between(p.dev.MDIB(), v+50, v+51),
			"another sequence": {Version: &hm.VersionRange{SequenceID: "urn:other", End: 100}},
		} {
			events := read(t, d, q)
			require.Empty(t, versions(events), name)
			last := statuses(events)
			require.Contains(t, []hm.StatusKind{hm.StatusOther, hm.StatusIncompleteRecords}, last[len(last)-1].Kind, name)
		}
		events = read(t, d, between(p.dev.MDIB(), v, v+100))
		require.Contains(t, statuses(events), hm.Status{Kind: hm.StatusVersionsNotFullyServed, Version: hm.VersionRange{
			SequenceID: p.dev.MDIB().Version().SequenceID, InstanceID: p.dev.MDIB().Version().InstanceID, Start: v + 3, End: v + 10,
		}})
		require.Contains(t, statuses(events), hm.Status{Kind: hm.StatusIncompleteRecords, Reports: []hm.ReportType{hm.WaveformStream}})
	})
}

func TestHistoryOverSeveralSequences(t *testing.T) {
	// covers: SDPi R0515, R0523
	inBubble(t, setup{provider: remembering}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		begin := pm.TimestampOf(time.Now())
		require.NoError(t, setNumber(p.dev, "1"))
		old := p.dev.MDIB()
		<-time.After(time.Second)
		p.dev.NewSequence()
		<-time.After(time.Second)
		require.NoError(t, setNumber(p.dev, "2"))
		events := read(t, d, &hm.Query{ProvideInitialMdib: true, Time: &hm.TimeRange{Start: begin, End: pm.TimestampOf(time.Now())}})
		require.Len(t, events, 3)
		require.True(t, events[0].Initial)
		require.True(t, events[0].MDIB.Equal(old), "what happens at the very beginning of the range is part of its MDIB")
		require.True(t, events[1].Initial)
		require.NotEqual(t, old.Version().SequenceID, events[1].Version.SequenceID)
		require.Equal(t, uint64(0), events[1].Version.MdibVersion)
		require.True(t, events[2].MDIB.Equal(p.dev.MDIB()))

		events = read(t, d, between(old, 0, 1000))
		require.Equal(t, old.Version().SequenceID, events[len(events)-1].Version.SequenceID, "one sequence only")
	})
}

func TestHistoryFilters(t *testing.T) {
	// covers: SDPi R0514, R0516
	inBubble(t, setup{provider: remembering}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		v := p.dev.MDIB().Version().MdibVersion
		require.NoError(t, setNumber(p.dev, "1")) // v+1
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.SetPresence("cond", true) }))
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.Insert("mds", churn.NewVMD("x")) }))
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("x.num", pm.MustDecimal("1"), time.Now()) }))
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.Delete("x") }))
		for name, c := range map[string]struct {
			reports []hm.ReportType
			handles []string
			want    []uint64
		}{
			"metric reports":  {reports: []hm.ReportType{hm.EpisodicMetricReport}, want: []uint64{v + 1, v + 4}},
			"no reports":      {reports: []hm.ReportType{}},
			"one metric":      {handles: []string{"num"}, want: []uint64{v + 1}},
			"a subtree":       {handles: []string{"vmd"}, want: []uint64{v + 1}},
			"what is gone":    {handles: []string{"x"}, want: []uint64{v + 3, v + 4, v + 5}},
			"an MDS":          {handles: []string{"mds"}, want: []uint64{v + 1, v + 2, v + 3, v + 4, v + 5}},
			"an unknown name": {handles: []string{"nowhere"}},
			"both":            {reports: []hm.ReportType{hm.DescriptionModificationReport}, handles: []string{"x"}, want: []uint64{v + 3, v + 5}},
		} {
			q := between(p.dev.MDIB(), v+1, v+5)
			q.ProvideInitialMdib, q.Reports, q.Handles = false, c.reports, c.handles
			require.Equal(t, c.want, versions(read(t, d, q)), name)
		}
	})
}

func TestHistoricTexts(t *testing.T) {
	// covers: SDPi R0517, R0518, R0519
	refer := func(ref string) func(*mdib.Tx) error {
		return func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("num")
			if err != nil {
				return err
			}
			d.Base().Type.ConceptDescription = []pm.LocalizedText{{Ref: ref, Version: pm.Some[uint64](1)}}
			return nil
		}
	}
	run := func(t *testing.T, static bool, test func(t *testing.T, ask func(*hm.Query) []consumer.HistoryEvent)) {
		inBubble(t, setup{provider: func(c *provider.Config) {
			lowPriority(t)(c)
			remembering(c)
			c.StaticTexts = static
		}}, func(t *testing.T, p *pair) {
			d := p.connect(t)
			v := p.dev.MDIB().Version().MdibVersion
			require.NoError(t, setNumber(p.dev, "1"))
			require.NoError(t, p.dev.Update(refer("hello")))
			require.NoError(t, setNumber(p.dev, "2"))
			require.NoError(t, p.dev.Update(refer("bye")))
			require.NoError(t, p.dev.Update(refer("hello")))
			test(t, func(q *hm.Query) []consumer.HistoryEvent {
				q.Version, q.ProvideInitialMdib = between(p.dev.MDIB(), v, v+5).Version, true
				return read(t, d, q)
			})
		})
	}
	texts := func(events []consumer.HistoryEvent) (out []string) {
		for i, e := range events {
			for _, text := range e.Texts {
				require.Equal(t, 2, i, "with the event that refers to it, once")
				out = append(out, text.Text)
			}
		}
		return out
	}
	t.Run("sent ahead", func(t *testing.T) {
		run(t, false, func(t *testing.T, ask func(*hm.Query) []consumer.HistoryEvent) {
			require.Empty(t, texts(ask(&hm.Query{})))
			require.Equal(t, []string{"Welcome", "Willkommen"}, texts(ask(&hm.Query{Texts: true})))
			require.Equal(t, []string{"Willkommen"}, texts(ask(&hm.Query{Texts: true, Languages: []pm.Language{"de"}})))
			events := ask(&hm.Query{Texts: true, Languages: []pm.Language{"fr", "en-us"}})
			require.Equal(t, []string{"Welcome"}, texts(events))
			require.Equal(t, []hm.Status{{Kind: hm.StatusLanguagesNotAvailable, Languages: []pm.Language{"fr"}}}, statuses(events))
			require.Empty(t, texts(ask(&hm.Query{FollowMdsLang: pm.Some(true)})), "the MDS speaks en, which the catalogue has no text in")
		})
	})
	t.Run("static", func(t *testing.T) {
		run(t, true, func(t *testing.T, ask func(*hm.Query) []consumer.HistoryEvent) {
			events := ask(&hm.Query{Texts: true})
			require.Empty(t, texts(events))
			require.Equal(t, []hm.Status{{Kind: hm.StatusLocalizedTextsAreStatic}}, statuses(events))
		})
	})
}

func TestHistoryThatIsRefusedOrBrokenOff(t *testing.T) {
	// covers: SDPi R0512, R0514
	t.Run("switched off", func(t *testing.T) {
		inBubble(t, setup{}, func(t *testing.T, p *pair) {
			d := p.connect(t)
			require.NotContains(t, d.Services(), sdc.HistoryService)
			for _, err := range d.History(t.Context(), &hm.Query{}) {
				var missing *consumer.ServiceError
				require.ErrorAs(t, err, &missing)
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		inBubble(t, setup{provider: remembering}, func(t *testing.T, p *pair) {
			d := p.connect(t)
			for name, q := range map[string]*hm.Query{
				"no range":   {},
				"two ranges": {Time: &hm.TimeRange{}, Version: &hm.VersionRange{SequenceID: "x"}},
				"backwards":  {Time: &hm.TimeRange{Start: 2, End: 1}},
				"versions":   {Version: &hm.VersionRange{SequenceID: "x", Start: 2, End: 1}},
			} {
				n := 0
				for _, err := range d.History(t.Context(), q) {
					var fault *soap.Fault
					require.ErrorAs(t, err, &fault, name)
					require.Equal(t, soap.CodeSender, fault.Code)
					n++
				}
				require.Equal(t, 1, n)
			}
		})
	})
	long := func(t *testing.T, p *pair) (*consumer.Device, *hm.Query) {
		d := p.connect(t)
		v := p.dev.MDIB().Version().MdibVersion
		for i := range 800 {
			require.NoError(t, setNumber(p.dev, string(rune('0'+i%10))))
		}
		return d, between(p.dev.MDIB(), v, v+800)
	}
	t.Run("the reader has seen enough", func(t *testing.T) {
		inBubble(t, setup{provider: remembering}, func(t *testing.T, p *pair) {
			d, q := long(t, p)
			n := 0
			for _, err := range d.History(t.Context(), q) {
				require.NoError(t, err)
				if n++; n == 5 {
					break
				}
			}
			require.Equal(t, 5, n)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for _, err := range d.History(ctx, q) {
				require.ErrorIs(t, err, context.Canceled)
			}
			require.Len(t, read(t, d, q), 801, "longer than the queue of a subscription")
		})
	})
	t.Run("the device leaves", func(t *testing.T) {
		inBubble(t, setup{provider: remembering}, func(t *testing.T, p *pair) {
			d, q := long(t, p)
			var last error
			var seen []uint64
			for e, err := range d.History(t.Context(), q) {
				if last = err; err == nil {
					seen = append(seen, e.Version.MdibVersion)
				}
				if len(seen) == 1 {
					p.stop()
				}
			}
			if last != nil { // it may have been told to the end before it left
				require.ErrorIs(t, last, consumer.ErrHistoryIncomplete)
			}
			require.True(t, slices.IsSorted(seen))
		})
	})
}
