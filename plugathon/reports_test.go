package plugathon

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// fixture is a notebook on an MDIB with an alert system.
func fixture(t *testing.T) (*notebook, *mdib.Store, time.Time) {
	t.Helper()
	snap, err := mdib.ReadFile("../lint/testdata/good.xml")
	require.NoError(t, err)
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return newNotebook(snap, began.Add(30*time.Second)), mdib.NewStore(snap, mdib.Config{}), began
}

func TestUpdatesAfterTheWindowDoNotCount(t *testing.T) {
	n, store, began := fixture(t)
	for i := range 8 {
		c, err := store.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("temperature", pm.NewDecimal(int64(i), 0), began) })
		require.NoError(t, err)
		at := began.Add(time.Duration(i) * time.Second)
		if i >= 4 {
			at = began.Add(31 * time.Second)
		}
		n.note(consumer.Update{Time: at, Change: c, Report: c.Report()})
	}
	v := n.verdicts()["4a"]
	require.Equal(t, Fail, v.outcome, v.evidence)
	require.Contains(t, v.evidence, "4 numeric metric updates of 1 entries")
}

func TestWaveformRates(t *testing.T) {
	for _, c := range []struct {
		name           string
		size, messages int
		every          time.Duration
		want           Outcome
	}{
		{"right", 100, 100, 100 * time.Millisecond, Pass},
		{"a little slow", 100, 100, 112 * time.Millisecond, Pass},
		{"too slow", 100, 100, 200 * time.Millisecond, Fail},
		{"too fast", 100, 200, 50 * time.Millisecond, Fail},
		{"too few samples", 99, 100, 100 * time.Millisecond, Fail},
		{"too short", 100, 20, 100 * time.Millisecond, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _, began := fixture(t)
			for i := range c.messages {
				for _, h := range []string{"a", "b", "c"} {
					n.state(h, &pm.RealTimeSampleArrayMetricState{MetricValue: &pm.SampleArrayValue{Samples: make(pm.Samples, c.size)}}, began.Add(time.Duration(i)*c.every))
				}
			}
			v := n.verdicts()["4f"]
			require.Equal(t, c.want, v.outcome, v.evidence)
			delete(n.waves, "c")
			require.Equal(t, Fail, n.verdicts()["4f"].outcome, "two are not three")
		})
	}
}

func TestSelfChecks(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []time.Duration // of each move of the count
		want Outcome
	}{
		{"never", nil, Fail},
		{"once", []time.Duration{5}, Fail},
		{"twice", []time.Duration{5, 10}, Pass},
		{"with a pause", []time.Duration{5, 25}, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _, began := fixture(t)
			for i, at := range c.at {
				s := &pm.AlertSystemState{SelfCheckCount: pm.Some(int64(4 + i))}
				n.state("alerts", s, began.Add(at*time.Second))
				n.state("alerts", s, began.Add(at*time.Second+time.Millisecond)) // other changes of the state do not count
			}
			v := n.verdicts()["4e"]
			require.Equal(t, c.want, v.outcome, v.evidence)
		})
	}
	n, _, _ := fixture(t)
	n.checks["alerts"].period = 11 * time.Second
	n.checks["alerts"].moves = 5
	require.Contains(t, n.verdicts()["4e"].evidence, "longer than 10s")
	n.checks = nil
	require.Equal(t, Skip, n.verdicts()["4e"].outcome)
}

func TestDescriptionChanges(t *testing.T) {
	n, store, began := fixture(t)
	change := func(at time.Duration, edit func(tx *mdib.Tx) error) {
		t.Helper()
		c, err := store.Update(edit)
		require.NoError(t, err)
		n.note(consumer.Update{Time: began.Add(at), Change: c, Report: c.Report()})
	}
	text := func(s string) []pm.LocalizedText { return []pm.LocalizedText{{Lang: "en", Text: s}} }
	round := func(at time.Duration, word, unit string) {
		change(at, func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("hot")
			if err != nil {
				return err
			}
			d.Base().Type.ConceptDescription = text(word)
			return nil
		})
		change(at, func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("hot")
			if err != nil {
				return err
			}
			d.(pm.ConditionDescriptor).BaseCondition().CauseInfo = []pm.CauseInfo{{RemedyInfo: &pm.RemedyInfo{Description: text(word)}}}
			return nil
		})
		change(at, func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor("temperature")
			if err != nil {
				return err
			}
			d.(pm.MetricDescriptor).BaseMetric().Unit.Code = unit
			return nil
		})
	}
	round(time.Second, "one", "1")
	require.Equal(t, Fail, n.verdicts()["5a"].outcome, "once is not enough")
	round(14*time.Second, "two", "2")
	require.Equal(t, Fail, n.verdicts()["5a"].outcome, "13 s apart")
	round(24*time.Second, "three", "3")
	v := n.verdicts()["5a"]
	require.Equal(t, Pass, v.outcome, v.evidence)
}

func TestVisitors(t *testing.T) {
	n, store, began := fixture(t)
	note := func(c *mdib.Change, err error) {
		t.Helper()
		require.NoError(t, err)
		n.note(consumer.Update{Time: began, Change: c, Report: c.Report()})
	}
	metric := func(h string) *pm.StringMetricDescriptor {
		m := &pm.StringMetricDescriptor{}
		m.Handle, m.MetricCategory, m.MetricAvailability = h, pm.MetricCategoryMsrmt, pm.MetricAvailabilityIntr
		m.Type = &pm.CodedValue{Code: "1"}
		m.Unit = pm.CodedValue{Code: "1"}
		return m
	}
	vmd := func(h string, channels ...*pm.ChannelDescriptor) *pm.VmdDescriptor {
		v := &pm.VmdDescriptor{Channel: channels}
		v.Handle = h
		return v
	}
	channel := func(h string, m ...pm.MetricDescriptor) *pm.ChannelDescriptor {
		c := &pm.ChannelDescriptor{Metric: m}
		c.Handle = h
		return c
	}
	insert := func(d pm.Descriptor) { note(store.Update(func(tx *mdib.Tx) error { return tx.Insert("mds", d) })) }
	remove := func(h string) { note(store.Update(func(tx *mdib.Tx) error { return tx.Delete(h) })) }

	insert(vmd("bare"))
	remove("bare")
	require.Equal(t, Fail, n.verdicts()["5b"].outcome, "without channel and metric")
	insert(vmd("v1", channel("c1", metric("m1"))))
	remove("v1")
	v := n.verdicts()["5b"]
	require.Equal(t, Pass, v.outcome, v.evidence)
	insert(vmd("v1", channel("c1", metric("m1"))))
	v = n.verdicts()["5b"]
	require.Equal(t, Fail, v.outcome)
	require.Contains(t, v.evidence, "twice")
}

func TestMannersOfOperations(t *testing.T) {
	const (
		wait, start, fin = msg.InvocationStateWait, msg.InvocationStateStart, msg.InvocationStateFin
	)
	answered := func(s msg.InvocationState, reports ...msg.InvocationState) *consumer.Result {
		r := &consumer.Result{State: fin, Steps: []consumer.Step{{State: s}}}
		for _, s := range reports {
			r.Steps = append(r.Steps, consumer.Step{State: s, Reported: true})
		}
		return r
	}
	for _, c := range []struct {
		name string
		how  manner
		res  *consumer.Result
		err  error
		want Outcome
	}{
		{"at once", atOnce, answered(fin, fin), nil, Pass},
		{"not at once", atOnce, answered(wait, wait, start, fin), nil, Fail},
		{"in steps", inSteps, answered(wait, wait, start, fin), nil, Pass},
		{"not in steps", inSteps, answered(fin, fin), nil, Fail},
		{"out of order", inSteps, answered(wait, start, wait, fin), nil, Fail},
		{"a step left out", inSteps, answered(wait, start, fin), nil, Fail},
		{"any", anyManner, answered(wait, fin), nil, Pass},
		{"any, changed", anyManner, &consumer.Result{State: msg.InvocationStateFinMod}, nil, Fail},
		{"refused", anyManner, nil, context.DeadlineExceeded, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := went(c.how, c.res, c.err)
			require.Equal(t, c.want, v.outcome, v.evidence)
		})
	}
}

func TestReportsAreCounted(t *testing.T) {
	n, _, began := fixture(t)
	invoked := func(id uint32, state msg.InvocationState) {
		r := &msg.OperationInvokedReport{ReportPart: []msg.OperationInvokedReportPart{{OperationHandleRef: "op"}}}
		r.ReportPart[0].InvocationInfo.TransactionId = id
		r.ReportPart[0].InvocationInfo.InvocationState = state
		n.note(consumer.Update{Time: began.Add(time.Hour), Report: r}) // the window is for states only
	}
	invoked(1, msg.InvocationStateFin)
	invoked(2, msg.InvocationStateFin)
	invoked(2, msg.InvocationStateFin)
	invoked(3, msg.InvocationStateStart)
	passed := func(id uint32, how manner) trial { return trial{transaction: id, manner: how, verdict: passf("went")} }
	require.Equal(t, Pass, n.counted(passed(1, atOnce)).outcome)
	require.Equal(t, Fail, n.counted(passed(2, atOnce)).outcome, "two reports")
	require.Equal(t, Fail, n.counted(passed(3, atOnce)).outcome, "not Fin")
	require.Equal(t, Fail, n.counted(passed(4, atOnce)).outcome, "no report")
	require.Equal(t, Pass, n.counted(passed(2, inSteps)).outcome)
	require.Equal(t, Skip, n.counted(trial{verdict: skipf("no such operation")}).outcome)
}

func TestLostMirrorIsTold(t *testing.T) {
	n, _, began := fixture(t)
	n.note(consumer.Update{Time: began, Gap: &consumer.Gap{Cause: &mdib.GapError{Have: 1, Got: 3}}})
	r := &run{verdicts: map[string]verdict{"3a": passf("read")}}
	r.mirrored(n)
	require.Equal(t, Fail, r.verdicts["3a"].outcome)
	require.Contains(t, r.verdicts["3a"].evidence, "lost 1 times")
}

func sprint(format, element string) string { return fmt.Sprintf(format, element, element) }

func TestHello(t *testing.T) {
	const hello = `<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:wsa="http://www.w3.org/2005/08/addressing"><s12:Body><wsd:` +
		`%s><wsa:EndpointReference><wsa:Address> urn:uuid:1 </wsa:Address></wsa:EndpointReference></wsd:%s></s12:Body></s12:Envelope>`
	e := &ears{hellos: map[string]time.Duration{}, began: time.Now()}
	for _, junk := range []string{"", "<", "<a/>", sprint(hello, "Bye"), sprint(hello, "ProbeMatch")} {
		e.hear([]byte(junk))
	}
	require.Empty(t, e.hellos)
	e.hear([]byte(sprint(hello, "Hello")))
	require.Contains(t, e.hellos, "urn:uuid:1")
	require.Equal(t, Skip, e.verdict("urn:uuid:1").outcome, "discovery was not used")
}
