package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/workflow"
)

// Every kind of step, in good order and not.
func TestSteps(t *testing.T) {
	off, on := `{at: a, value: "100", equals: "off"}`, `{at: a, value: "100", equals: "on"}`
	for name, c := range map[string]struct {
		steps   string
		before  func(f *fake)
		cause   error
		text    string // in the cause
		outcome workflow.Outcome
		calls   []string
		takes   time.Duration // at least, and less than a second more
		report  []string
	}{
		"check holds":              {steps: `{id: x, check: [` + off + `]}`, outcome: workflow.Completed},
		"check does not hold":      {steps: `{id: x, check: [` + on + `]}`, cause: workflow.ErrCondition, text: "is false (off)", outcome: workflow.Refused},
		"check unknown":            {steps: `{id: x, check: [` + off + `]}`, before: func(f *fake) { f.machines["a"].status = pm.MeasurementValidityInv }, cause: workflow.ErrCondition, text: "the value is invalid", outcome: workflow.Refused},
		"check of nothing there":   {steps: `{id: x, check: [{at: a, value: "999", below: 3}]}`, cause: workflow.ErrCondition, text: "no device of this part", outcome: workflow.Refused},
		"check for some time":      {steps: `{id: x, check: [{at: a, value: "100", equals: "off", for: 5s}]}`, outcome: workflow.Completed, takes: 5 * time.Second},
		"check broken in the time": {steps: `{id: x, check: [{at: a, value: "100", equals: "off", for: 5s}]}`, before: func(f *fake) { f.after(3*time.Second, func() { f.machines["a"].state = "on" }) }, cause: workflow.ErrTooLate, outcome: workflow.Refused, takes: 5 * time.Second},
		"await":                    {steps: `{id: x, await: [` + on + `], within: 10s}`, before: func(f *fake) { f.after(3*time.Second, func() { f.machines["a"].state = "on" }) }, outcome: workflow.Completed, takes: 3 * time.Second},
		"await too long":           {steps: `{id: x, await: [` + on + `], within: 10s}`, cause: workflow.ErrTooLate, outcome: workflow.Refused, takes: 10 * time.Second},
		"await beyond the limit":   {steps: `{id: x, await: [` + on + `], within: 10m}`, cause: workflow.ErrTooLate, text: "the workflow took longer", outcome: workflow.Refused, takes: time.Minute},
		"confirmed":                {steps: `{id: x, confirm: "Sure?", within: 5s}`, outcome: workflow.Completed},
		"denied":                   {steps: `{id: x, confirm: "Sure?", within: 5s}`, before: answers(0, false, nil), cause: workflow.ErrRefused, text: "by tester", outcome: workflow.Refused},
		"confirmed late":           {steps: `{id: x, confirm: "Sure?", within: 5s}`, before: answers(4*time.Second, true, nil), outcome: workflow.Completed, takes: 4 * time.Second},
		"confirmed too late":       {steps: `{id: x, confirm: "Sure?", within: 5s}`, before: answers(6*time.Second, true, nil), cause: workflow.ErrTooLate, outcome: workflow.Refused, takes: 5 * time.Second},
		"yes with an error":        {steps: `{id: x, confirm: "Sure?", within: 5s}`, before: answers(0, true, errors.New("terminal gone")), cause: workflow.ErrRefused, text: "terminal gone", outcome: workflow.Refused},
		"do":                       {steps: `{id: x, do: {at: a, operation: "201", no-undo: on is fine, expect: [` + on + `]}}`, outcome: workflow.Completed, calls: []string{"a.201"}},
		"do, not when":             {steps: `{id: x, do: {at: a, operation: "201", no-undo: on is fine, when: [` + on + `]}}`, cause: workflow.ErrCondition, outcome: workflow.Refused},
		"do, not possible":         {steps: `{id: x, do: {at: a, operation: "201", no-undo: on is fine}}`, before: func(f *fake) { f.machines["a"].mode = pm.OperatingModeDis }, cause: workflow.ErrOperation, text: "operating mode Dis", outcome: workflow.Refused},
		"do, no such operation":    {steps: `{id: x, do: {at: a, operation: "999", no-undo: on is fine}}`, cause: workflow.ErrOperation, text: "no operation", outcome: workflow.Refused},
		"do, out of range":         {steps: `{id: x, do: {at: a, operation: "205", value: "11", no-undo: fine}}`, cause: workflow.ErrOperation, text: "outside", outcome: workflow.Refused},
		"do, refused":              {steps: `{id: x, do: {at: a, operation: "201", undo: [{at: a, operation: "202"}]}}`, before: at(1, refuse), cause: workflow.ErrOperation, outcome: workflow.Undone, calls: []string{"a.201", "a.202"}},
		"do, answer lost":          {steps: `{id: x, do: {at: a, operation: "201", timeout: 3s, undo: [{at: a, operation: "202"}]}}`, before: at(1, noAnswer), cause: workflow.ErrOperation, outcome: workflow.Undone, calls: []string{"a.201", "a.202"}, takes: 3 * time.Second},
		"do without its effect":    {steps: `{id: x, do: {at: a, operation: "202", expect: [` + on + `], expect-within: 2s, undo: [{at: a, operation: "201"}]}}`, cause: workflow.ErrTooLate, outcome: workflow.Undone, calls: []string{"a.202", "a.201"}, takes: 2 * time.Second},
		"a value is restored":      {steps: `{id: x, do: {at: a, operation: "205", value: "7", restore: true}}, {id: y, check: [` + on + `]}`, cause: workflow.ErrCondition, outcome: workflow.Undone, calls: []string{"a.205", "a.205"}},
		"hold and end":             {steps: `{id: x, ` + hold + `}, {id: y, await: [` + on + `], within: 5s}`, cause: workflow.ErrTooLate, outcome: workflow.Undone, calls: []string{"a.203", "a.203", "a.203", "a.203", "a.204"}, takes: 5 * time.Second},
		"hold and release":         {steps: `{id: x, ` + hold + `}, {id: z, release: x}, {id: y, check: [` + off + `]}`, outcome: workflow.Completed, calls: []string{"a.203", "a.204"}},
		"hold till the end":        {steps: `{id: x, ` + hold + `}`, outcome: workflow.Completed, calls: []string{"a.203", "a.204"}},
		"hold of what has no end":  {steps: `{id: x, ` + strings.Replace(hold, "203", "201", 1) + `}`, cause: workflow.ErrOperation, text: "must not be held", outcome: workflow.Refused},
		"hold renewed too rarely":  {steps: `{id: x, ` + strings.Replace(hold, "1500ms", "1900ms", 1) + `}`, cause: workflow.ErrOperation, text: "no room for a lost message", outcome: workflow.Refused},
		"report": {
			steps:   `{id: x, report: [{text: "The state is", at: a, value: "100"}, {text: "Level", at: a, value: "101", role: setting}, {text: "None", at: a, value: "999"}, {text: "How:", conditions: [{text: "it is on", at: a, value: "100", equals: "on"}]}]}`,
			outcome: workflow.Completed, report: []string{"The state is off", "Level 0", "None not known", "How:", "NOT OK: it is on, off (a)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(f *fake) {
				if c.before != nil {
					f.change(func() {})
					c.before(f)
					f.change(func() {})
				}
				begun := time.Now()
				res := f.run(f.t.Context(), "steps: ["+c.steps+"]", nil)
				took := time.Since(begun)
				require.Equal(f.t, c.outcome, res.Outcome, "%v\n%s", res.Cause, f.trail())
				if c.cause == nil {
					require.NoError(f.t, res.Cause, f.trail())
				} else {
					require.ErrorIs(f.t, res.Cause, c.cause)
					require.ErrorContains(f.t, res.Cause, c.text)
				}
				require.Equal(f.t, len(c.calls), len(f.called()), "%v", f.called())
				for i, want := range c.calls {
					require.Equal(f.t, want, f.called()[i])
				}
				require.GreaterOrEqual(f.t, took, c.takes)
				require.Less(f.t, took, c.takes+time.Second)
				require.Equal(f.t, c.report, res.Report)
				f.change(func() { require.Zero(f.t, f.machines["a"].level, "restored or never set") })
			}, "a")
		})
	}
}

const hold = `hold: {at: a, operation: "203", renew: 1500ms, limit: 20s, timeout: 1s, undo: [{at: a, operation: "204", timeout: 1s}]}`

// at makes the nth invocation go wrong.
func at(n int, what fault) func(f *fake) {
	return func(f *fake) {
		f.faults = func(is int, _ call) fault {
			if is == n {
				return what
			}
			return fine
		}
	}
}

func answers(after time.Duration, yes bool, err error) func(f *fake) {
	return func(f *fake) {
		f.human.answer = func(ctx context.Context) (bool, error) {
			select {
			case <-time.After(after):
				return yes, err
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
	}
}

// A hold is over when its lease is lost, when the device says no, and when it has lasted for long enough; the workflow notices, whatever it waits for.
func TestHoldIsOver(t *testing.T) {
	for name, c := range map[string]struct {
		faults func(n int, c call) fault
		text   string
		after  time.Duration
	}{
		"the lease is lost": {func(n int, c call) fault {
			if c.op == codeHold && n > 1 {
				return lose
			}
			return fine
		}, "not renewed for", lease},
		"answers are lost": {func(n int, c call) fault {
			if c.op == codeHold && n > 1 {
				return noAnswer
			}
			return fine
		}, "not renewed for", lease},
		"the device says no": {func(n int, c call) fault {
			if c.op == codeHold && n > 2 {
				return refuse
			}
			return fine
		}, "", 2 * lease},
		"it lasts for too long": {nil, "longer than 20s", 20 * time.Second},
		"one renewal is lost": {func(n int, c call) fault {
			if n == 2 {
				return lose
			}
			return fine
		}, "longer than 20s", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(f *fake) {
				f.faults = c.faults
				begun := time.Now()
				res := f.run(f.t.Context(), `steps: [{id: x, `+hold+`}, {id: y, await: [{at: a, value: "100", equals: "on"}], within: 50s}]`, nil)
				require.ErrorIs(f.t, res.Cause, workflow.ErrHold, f.trail())
				require.ErrorContains(f.t, res.Cause, c.text)
				require.Equal(f.t, workflow.Undone, res.Outcome, "%v", res.NotUndone)
				require.LessOrEqual(f.t, time.Since(begun), c.after+1500*time.Millisecond+time.Second, "a renewal under way is waited for")
				require.Equal(f.t, "off", f.state("a"))
				require.Equal(f.t, "a.204", f.called()[len(f.called())-1], "no renewal comes after the release")
			}, "a")
		})
	}
}

// Guards are watched during whatever the workflow does, and end where they should.
func TestGuards(t *testing.T) {
	steps := func(second string) string {
		return `steps: [{id: x, check: [{at: a, live: true}], guard: [{at: a, alert: "300", absent: true}], until: z}, {id: y, ` + second + `}, {id: z, await: [{at: a, value: "100", equals: "on"}], within: 2s}]`
	}
	for name, second := range map[string]string{
		"awaiting":  `await: [{at: a, value: "100", equals: "on"}], within: 20s`,
		"asking":    `confirm: "Sure?", within: 20s`,
		"invoking":  `do: {at: a, operation: "201", timeout: 20s, undo: [{at: a, operation: "202"}]}`,
		"expecting": `do: {at: a, operation: "202", expect: [{at: a, value: "100", equals: "on"}], expect-within: 20s, undo: [{at: a, operation: "202"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(f *fake) {
				answers(time.Hour, true, nil)(f)
				if name == "invoking" {
					at(1, lose)(f)
				}
				f.after(3*time.Second, func() { f.machines["a"].alert = true })
				begun := time.Now()
				res := f.run(f.t.Context(), steps(second), nil)
				require.ErrorIs(f.t, res.Cause, workflow.ErrGuard, f.trail())
				require.Less(f.t, time.Since(begun), 4*time.Second)
				require.NotEqual(f.t, workflow.Unsafe, res.Outcome)
			}, "a")
		})
	}
	t.Run("after its end", func(t *testing.T) {
		world(t, func(f *fake) {
			f.after(time.Second, func() { f.machines["a"].state, f.machines["a"].alert = "on", true })
			res := f.run(f.t.Context(), steps(`check: [{at: a, live: true}]`), nil)
			require.NoError(f.t, res.Cause)
		}, "a")
	})
	t.Run("unknown violates it", func(t *testing.T) {
		world(t, func(f *fake) {
			f.after(time.Second, func() { f.machines["a"].link = station.LinkResyncing })
			res := f.run(f.t.Context(), steps(`await: [{at: a, value: "100", equals: "on"}], within: 20s`), nil)
			require.ErrorIs(f.t, res.Cause, workflow.ErrGuard)
		}, "a")
	})
}

// The devices are what they were bound as, until the end.
func TestDevicesAreWatched(t *testing.T) {
	wait := `same: [patient]
devices: [{name: a}, {name: b}]
steps: [{id: x, do: {at: a, operation: "201", undo: [{at: a, operation: "202"}]}}, {id: y, await: [{at: b, value: "100", equals: "on"}], within: 20s}]`
	for name, spoil := range map[string]func(m *machine){
		"lost":    func(m *machine) { m.link = station.LinkLost },
		"gone":    func(m *machine) { m.link = station.LinkGone },
		"away":    func(m *machine) { m.link = "" },
		"patient": func(m *machine) { m.patient = "P2" },
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(f *fake) {
				f.after(time.Second, func() { spoil(f.machines["b"]) })
				res := f.run(f.t.Context(), wait, nil)
				require.ErrorIs(f.t, res.Cause, workflow.ErrDevice)
				require.Equal(f.t, workflow.Undone, res.Outcome)
				require.Equal(f.t, []string{"a.201", "a.202"}, f.called())
			}, "a", "b")
		})
	}
	t.Run("a link that heals", func(t *testing.T) {
		world(t, func(f *fake) {
			f.after(time.Second, func() { f.machines["b"].link = station.LinkResyncing })
			f.after(3*time.Second, func() { f.machines["b"].link, f.machines["b"].state = station.LinkLive, "on" })
			require.NoError(f.t, f.run(f.t.Context(), wait, nil).Cause)
		}, "a", "b")
	})
	t.Run("not the same from the beginning", func(t *testing.T) {
		world(t, func(f *fake) {
			f.change(func() { f.machines["b"].patient = "P2" })
			res := f.run(f.t.Context(), wait, nil)
			require.Equal(f.t, workflow.Refused, res.Outcome)
			require.ErrorContains(f.t, res.Cause, "have not the same patient")
		}, "a", "b")
	})
}

// three does three things at three devices, then fails.
const three = `devices: [{name: a}, {name: b}, {name: c}]
steps:
  - {id: one, do: {at: a, operation: "201", timeout: 2s, undo: [{at: a, operation: "202", timeout: 2s, expect: [{at: a, value: "100", equals: "off"}]}]}}
  - {id: two, do: {at: b, operation: "205", value: "7", timeout: 2s, restore: true}}
  - {id: three, hold: {at: c, operation: "203", renew: 1s, limit: 20s, timeout: 2s, undo: [{at: c, operation: "204", timeout: 2s}, {at: a, operation: "202", timeout: 2s}]}}
  - {id: ask, confirm: "Sure?", within: 5s}
  - {id: four, do: {at: a, operation: "202", timeout: 2s, no-undo: off is fine}}
  - {id: five, release: three}
`

// What was done is undone in the reverse order, once each; what cannot be undone is tried again and keeps nothing else from being undone.
func TestUndoing(t *testing.T) {
	after := []string{"c.204", "a.202", "b.205", "a.202"}
	world(t, func(f *fake) {
		answers(0, false, nil)(f)
		res := f.run(f.t.Context(), three, nil)
		require.Equal(f.t, workflow.Undone, res.Outcome, f.trail())
		require.Equal(f.t, append([]string{"a.201", "b.205", "c.203"}, after...), f.called())
		f.change(func() { require.Zero(f.t, f.machines["b"].level) })
	}, "a", "b", "c")
	world(t, func(f *fake) {
		answers(0, false, nil)(f)
		f.faults = func(_ int, c call) fault {
			if c.op == codeFree {
				return refuse
			}
			return fine
		}
		res := f.run(f.t.Context(), three, nil)
		require.Equal(f.t, workflow.Unsafe, res.Outcome)
		called := f.called()
		require.Equal(f.t, after, called[3:7], "the others do not wait for it")
		require.Equal(f.t, []string{"c.204", "c.204", "c.204"}, called[7:], "four attempts")
		require.Len(f.t, res.NotUndone, 1)
		require.Contains(f.t, res.NotUndone[0], "step three")
		require.Equal(f.t, res.NotUndone, f.human.alarms)
	}, "a", "b", "c")
	world(t, func(f *fake) {
		// It succeeds at last: nobody has to be told.
		answers(0, false, nil)(f)
		n := 0
		f.faults = func(_ int, c call) fault {
			if c.op == codeFree {
				if n++; n < 4 {
					return lose
				}
			}
			return fine
		}
		res := f.run(f.t.Context(), three, nil)
		require.Equal(f.t, workflow.Undone, res.Outcome)
		require.Empty(f.t, f.human.alarms)
	}, "a", "b", "c")
}

// At every invocation and every entry of the audit something goes wrong: the machines are as they were before, or people are told that they are not,
// and nothing is invoked of which the audit does not know before.
func TestFaultsEverywhere(t *testing.T) {
	for n := 1; n <= 8; n++ {
		for _, what := range []fault{refuse, lose, noAnswer} {
			t.Run(fmt.Sprintf("invocation %d %d", n, what), func(t *testing.T) {
				world(t, func(f *fake) {
					at(n, what)(f)
					f.settled(f.run(f.t.Context(), three, nil))
				}, "a", "b", "c")
			})
		}
	}
	entries := 0
	world(t, func(f *fake) {
		require.Equal(f.t, workflow.Completed, f.run(f.t.Context(), three, nil).Outcome)
		entries = len(f.audited)
	}, "a", "b", "c")
	require.Greater(t, entries, 20)
	for n := 1; n <= entries; n++ {
		t.Run(fmt.Sprintf("audit %d", n), func(t *testing.T) {
			world(t, func(f *fake) {
				f.broken = func(is int, _ workflow.Entry) bool { return is >= n }
				res := f.run(f.t.Context(), three, nil)
				if n < entries { // the last one tells of the end
					require.NotEqual(f.t, workflow.Completed, res.Outcome, "without an audit")
				}
				f.settled(res)
			}, "a", "b", "c")
		})
		t.Run(fmt.Sprintf("cancelled %d", n), func(t *testing.T) {
			world(t, func(f *fake) {
				ctx, cancel := context.WithCancel(f.t.Context())
				defer cancel()
				f.told = func(e workflow.Entry) {
					if e.Number == n {
						cancel()
					}
				}
				f.settled(f.run(ctx, three, nil))
			}, "a", "b", "c")
		})
	}
}

// settled holds the world against what must be so at the end.
func (f *fake) settled(res *workflow.Result) {
	f.t.Helper()
	<-time.After(lease + time.Second) // the world runs on by itself
	synctest.Wait()
	for name, m := range f.machines {
		require.NotEqual(f.t, "held", f.state(name), "a hold outlives its workflow\n%s", f.trail())
		if res.Outcome == workflow.Undone || res.Outcome == workflow.Refused {
			require.Equal(f.t, "off", f.state(name), f.trail())
			f.change(func() { require.Zero(f.t, m.level) })
		}
	}
	require.Equal(f.t, len(res.NotUndone) > 0, res.Outcome == workflow.Unsafe)
	require.Equal(f.t, res.NotUndone, f.human.alarms)
	require.Equal(f.t, res.Outcome == workflow.Completed, res.Cause == nil)
	// Each invocation of a step is in the audit first. Renewals and undoing are told as well.
	told := map[string]int{}
	for _, e := range f.audited {
		switch e.Event {
		case workflow.EventInvoke, workflow.EventRenewed:
			told[e.Device+"."+e.Operation]++
		case workflow.EventUndo, workflow.EventReleased:
			if part, op, ok := strings.Cut(e.Text, " "); ok {
				told[part+"."+op]++
			} else {
				told[e.Device+"."+codeSet]++ // restore
			}
		default:
		}
	}
	for _, c := range f.calls {
		require.Positive(f.t, told[c.String()], "%s is not in the audit\n%s", c, f.trail())
		told[c.String()]--
	}
}

func TestRepeat(t *testing.T) {
	world(t, func(f *fake) {
		rounds := 0
		f.human.answer = func(context.Context) (bool, error) {
			rounds++
			return rounds < 3, nil
		}
		res := f.run(f.t.Context(), `repeat: true
steps: [{id: x, `+hold+`}, {id: ask, confirm: "Again?", forever: true}]`, nil)
		require.ErrorIs(f.t, res.Cause, workflow.ErrRefused)
		require.Equal(f.t, []string{"a.203", "a.204", "a.203", "a.204", "a.203", "a.204"}, f.called())
	}, "a")
}

// A dry run invokes nothing, and tells what it could not judge.
func TestDryRun(t *testing.T) {
	world(t, func(f *fake) {
		res := f.run(f.t.Context(), `steps:
  - {id: ask, confirm: "Sure?", within: 5s}
  - {id: before, check: [{at: a, value: "100", equals: "off"}]}
  - {id: x, do: {at: a, operation: "201", undo: [{at: a, operation: "202"}], expect: [{text: it is on, at: a, value: "100", equals: "on"}]}, guard: [{text: no alarm, at: a, alert: "300", absent: true}]}
  - {id: y, `+hold+`}
  - {id: z, await: [{at: a, value: "101", role: setting, above: 3}], within: 1s}
`, func(o *workflow.Options) { o.DryRun, o.Human = true, nil })
		require.NoError(f.t, res.Cause, f.trail())
		require.Equal(f.t, workflow.Completed, res.Outcome)
		require.Empty(f.t, f.called())
		require.Equal(f.t, []string{
			"step ask: what a person would say to: Sure?", "step x: it is on is false now", "step x: the guard: no alarm is true now",
			"step z: 101 of a > 3 is false now",
		}, res.NotJudged)
		var would []string
		for _, e := range f.audited {
			require.True(f.t, e.DryRun)
			if e.Event == workflow.EventInvoke {
				would = append(would, e.Operation)
			}
		}
		require.Equal(f.t, []string{codeOn, codeHold}, would)
	}, "a")
	// What is before the first operation is judged.
	world(t, func(f *fake) {
		res := f.run(f.t.Context(), `steps: [{id: x, check: [{at: a, value: "100", equals: "on"}]}, {id: y, `+hold+`}]`, func(o *workflow.Options) { o.DryRun = true })
		require.ErrorIs(f.t, res.Cause, workflow.ErrCondition)
		require.Equal(f.t, workflow.Refused, res.Outcome)
		require.Empty(f.t, res.NotJudged)
	}, "a")
}

func TestOptions(t *testing.T) {
	world(t, func(f *fake) {
		w, err := workflow.Parse([]byte("workflow: test\nversion: 1\nlimit: 1m\ndevices: [{name: a}]\nparameters: [{name: who}]\nsteps: [{id: x, confirm: \"${who}?\", within: 1s}]\n"))
		require.NoError(f.t, err)
		for want, o := range map[string]workflow.Options{
			"Workflow and World":  {},
			"who":                 {Workflow: w, World: f},
			"no device \"b\"":     {Workflow: w, World: f, Parameters: map[string]string{"who": "x"}, Devices: map[string][]string{"b": {"b"}}},
			"a version is needed": {Workflow: &workflow.Workflow{Name: "x"}, World: f},
			"whom":                {Workflow: w, World: f, Parameters: map[string]string{"who": "x", "whom": "y"}},
		} {
			_, err := workflow.Run(f.t.Context(), o)
			require.ErrorContains(f.t, err, want)
		}
		// Without anybody to ask, nothing that needs an answer is done.
		res, err := workflow.Run(f.t.Context(), workflow.Options{Workflow: w, World: f, Parameters: map[string]string{"who": "x"}})
		require.NoError(f.t, err)
		require.ErrorIs(f.t, res.Cause, workflow.ErrRefused)
	}, "a")
}

// The hold of a ventilator is the one that must not last: whatever fails, and however often, no hold lasts for longer than its limit and a lease.
func TestNoHoldLastsLongerThanItsLimit(t *testing.T) {
	const limit = 14 * time.Second
	text := strings.NewReplacer("20s", limit.String()).Replace(`limit: 2m
devices: [{name: a}, {name: b}]
steps:
  - {id: prepare, do: {at: b, operation: "201", timeout: 3s, undo: [{at: b, operation: "202", timeout: 2s}]}}
  - {id: pause, hold: {at: a, operation: "203", renew: 1500ms, limit: 20s, timeout: 2s, undo: [{at: a, operation: "204", timeout: 2s}], expect: [{at: a, value: "100", equals: held}], expect-within: 7s}, guard: [{at: a, value: "100", equals: held}], until: resume}
  - {id: ask, confirm: "Go on?", within: 60s}
  - {id: expose, do: {at: b, operation: "201", timeout: 20s, undo: [{at: b, operation: "202", timeout: 2s}]}}
  - {id: resume, release: pause}
`)
	const never = time.Hour
	// Small numbers are drawn much more often than large ones: what is wanted is named.
	moments := []time.Duration{never, never, never, never, never, never, 0, 500 * time.Millisecond, 3 * time.Second, 8 * time.Second, 14 * time.Second, 17 * time.Second}
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom([]fault{fine, fine, fine, fine, fine, fine, refuse, lose, noAnswer}), 1, 30).Draw(rt, "faults")
		dies := rapid.SampledFrom(moments).Draw(rt, "the orchestrator dies")
		cancelled := rapid.SampledFrom(moments).Draw(rt, "it is cancelled")
		stale := rapid.SampledFrom(moments).Draw(rt, "the ventilator is stale")
		thinks := rapid.SampledFrom([]time.Duration{0, time.Second, 12 * time.Second, 16 * time.Second, 40 * time.Second}).Draw(rt, "the answer comes")
		broken := rapid.SampledFrom([]int{1000, 1000, 1000, 1000, 1, 8, 15, 25}).Draw(rt, "the audit breaks")
		var longest time.Duration
		var trail string
		world(t, func(f *fake) {
			begun := time.Now()
			answers(thinks, true, nil)(f)
			f.faults = func(n int, _ call) fault {
				if time.Since(begun) >= dies {
					return lose
				}
				return faults[n%len(faults)]
			}
			f.broken = func(n int, _ workflow.Entry) bool { return n >= broken }
			defer f.after(stale, func() { f.machines["a"].link = station.LinkResyncing }).Stop()
			ctx, cancel := context.WithCancel(f.t.Context())
			defer cancel()
			defer time.AfterFunc(cancelled, cancel).Stop()
			res := f.run(ctx, text, nil)
			<-time.After(2 * lease)
			synctest.Wait()
			f.change(func() {
				m := f.machines["a"]
				longest = m.heldFor
				if m.state == "held" {
					longest = time.Hour
				}
			})
			if res.Outcome == workflow.Unsafe && !slices.Equal(res.NotUndone, f.human.alarms) {
				longest = 2 * time.Hour // nobody was told
			}
			trail = f.trail()
		}, "a", "b")
		if longest > limit+lease {
			rt.Fatalf("held for %v\n%s", longest, trail)
		}
	})
}

// What is about all devices begins when it is known which there are, and says which.
func TestAllDevicesAreWaitedFor(t *testing.T) {
	const text = `
devices: [{name: all, many: true, operations: ["201"]}]
steps:
  - {id: ask, confirm: "Switch on?", within: 10s}
  - {id: x, do: {at: all, operation: "201", no-undo: on is fine}}
`
	all := func(o *workflow.Options) { o.Find, o.Devices = 20*time.Second, nil }
	world(t, func(f *fake) {
		f.machines["b"].link, f.machines["c"].link, f.machines["d"].bare = station.LinkConnecting, "", true
		f.change(func() {})
		f.after(3*time.Second, func() { f.machines["b"].link = station.LinkLive })
		f.after(7*time.Second, func() { f.machines["c"].link = station.LinkLive })
		begin := time.Now()
		res := f.run(f.t.Context(), text, all)
		require.NoError(t, res.Cause)
		require.Equal(t, []string{"a.201", "b.201", "c.201"}, f.called())
		require.GreaterOrEqual(t, f.calls[0].at.Sub(begin), 12*time.Second)
		require.Less(t, f.calls[0].at.Sub(begin), 13*time.Second)
		said := []string{"all: a, b, c", "all, left out as they have not the operations: d"}
		require.Equal(t, said, res.Report)
		require.Equal(t, []string{"Switch on?\n" + strings.Join(said, "\n")}, f.human.asked)
	}, "a", "b", "c", "d")
	for name, c := range map[string]struct {
		trouble func(f *fake)
		text    string
	}{
		"one that is not connected": {func(f *fake) { f.machines["b"].link = station.LinkConnecting }, "b is not connected yet"},
		"one that is not live":      {func(f *fake) { f.machines["b"].link = station.LinkResyncing }, "b, one for \"all\", is not live"},
		"one that comes and goes": {func(f *fake) {
			for i := range 20 {
				f.after(time.Duration(i)*time.Second, func() {
					f.machines["b"].link = []station.LinkState{station.LinkLive, station.LinkGone}[i%2]
				})
			}
		}, "devices come and go"},
	} {
		world(t, func(f *fake) {
			f.change(func() { c.trouble(f) })
			res := f.run(f.t.Context(), text, all)
			require.Equal(t, workflow.Refused, res.Outcome, name)
			require.ErrorContains(t, res.Cause, c.text)
			require.Empty(t, f.calls)
			f.change(func() { f.machines["b"].link = station.LinkLive })
			res = f.run(f.t.Context(), text, func(o *workflow.Options) {
				all(o)
				o.Devices, o.Settle = map[string][]string{"all": {"a"}}, time.Millisecond
			})
			require.NoError(t, res.Cause)
			require.Equal(t, []string{"a.201"}, f.called(), "who chooses need not wait for others")
			<-time.After(20 * time.Second)
		}, "a", "b")
	}
	w, err := workflow.Parse([]byte("workflow: test\nversion: 1\nlimit: 1m\n" + text))
	require.NoError(t, err)
	_, err = workflow.Run(t.Context(), workflow.Options{Workflow: w, World: &fake{}, Find: time.Second})
	require.ErrorContains(t, err, "longer than 5s")
}
