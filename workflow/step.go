package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
)

func (r *runner) step(ctx context.Context, s *Step) error {
	deadline := time.Time{}
	if s.Within > 0 {
		deadline = time.Now().Add(s.Within)
	}
	switch {
	case s.Check != nil:
		return r.check(ctx, s.ID, s.Check)
	case s.Await != nil:
		return r.until(ctx, s.ID, s.Await, deadline)
	case s.Confirm != "":
		return r.confirm(ctx, s, deadline)
	case s.Do != nil:
		return r.do(ctx, s)
	case s.Hold != nil:
		return r.hold(ctx, s)
	case s.Release != "":
		return r.release(ctx, s)
	}
	return r.report(ctx, s)
}

// check wants conditions to hold now. Those that have to for some time are given that.
func (r *runner) check(ctx context.Context, step string, list []Condition) error {
	if r.assumes() {
		return r.assume(ctx, step, "", list)
	}
	if longest := longestFor(list); longest > 0 {
		return r.until(ctx, step, list, time.Now().Add(longest+tick))
	}
	t, evidence := r.look(list)
	if err := r.record(ctx, Entry{Event: EventJudged, Step: step, Outcome: t.String(), Evidence: evidence}); err != nil {
		return err
	}
	if t != True {
		return conditionError(ErrCondition, evidence)
	}
	return nil
}

// assume notes in a dry run how conditions stand that are taken to hold. what is "" for those of the step itself.
func (r *runner) assume(ctx context.Context, step, what string, list []Condition) error {
	t, evidence := r.look(list)
	for _, e := range evidence {
		text := e.Text + " is " + e.Truth.String() + " now"
		if what != "" {
			text = what + ": " + text
		}
		r.notJudged(step, text)
	}
	return r.record(ctx, Entry{Event: EventJudged, Step: step, Outcome: t.String(), Text: "taken to hold", Evidence: evidence})
}

// notJudged adds to what a dry run cannot tell.
func (r *runner) notJudged(step, text string) {
	if line := "step " + step + ": " + text; !slices.Contains(r.result.NotJudged, line) {
		r.result.NotJudged = append(r.result.NotJudged, line)
	}
}

func longestFor(list []Condition) time.Duration {
	longest := time.Duration(0)
	for i := range list {
		c := &list[i]
		longest = max(longest, c.For)
		for _, l := range [][]Condition{c.All, c.Any, c.None, c.Of} {
			longest = max(longest, longestFor(l))
		}
	}
	return longest
}

func (r *runner) confirm(ctx context.Context, s *Step, deadline time.Time) error {
	question := strings.Join(append([]string{fill(s.Confirm, r.judge.args)}, r.who...), "\n")
	if err := r.record(ctx, Entry{Event: EventAsked, Step: s.ID, Text: question}); err != nil {
		return err
	}
	switch {
	case r.Human == nil && r.DryRun:
		r.notJudged(s.ID, "what a person would say to: "+question)
		return r.record(ctx, Entry{Event: EventAnswered, Step: s.ID, Outcome: "yes", Text: "nobody, as it is a dry run"})
	case r.Human == nil:
		return fmt.Errorf("%w: nobody is there to be asked", ErrRefused)
	}
	ask, stop := context.WithCancel(ctx)
	type answer struct {
		yes bool
		who string
		err error
	}
	got := make(chan answer, 1)
	done := make(chan struct{})
	var a answer
	go func() {
		defer close(done)
		var a answer
		a.yes, a.who, a.err = r.Human.Confirm(ask, question)
		got <- a
	}()
	defer func() {
		stop()
		<-done
	}()
	for {
		select {
		case a = <-got:
		default:
			if err := r.wait(ctx, deadline, done); err != nil {
				return fmt.Errorf("asking: %w", err)
			}
			continue
		}
		break
	}
	outcome := "no"
	if a.yes && a.err == nil {
		outcome = "yes"
	}
	if err := r.record(ctx, Entry{Event: EventAnswered, Step: s.ID, Outcome: outcome, Text: a.who}); err != nil {
		return err
	}
	switch {
	case a.err != nil:
		return fmt.Errorf("%w: %w", ErrRefused, a.err)
	case !a.yes:
		return fmt.Errorf("%w by %s", ErrRefused, a.who)
	}
	// The answer may have taken long.
	return r.watch(ctx)
}

// do invokes an operation at every device of the part.
func (r *runner) do(ctx context.Context, s *Step) error {
	a := s.Do
	return r.each(ctx, s.ID, a.When, &a.Call, func(sys *station.System, op *station.Operation, request msg.SetRequest) error {
		u := undoing{step: s.ID, calls: a.Undo, device: sys.Device, fresh: &freshness{}}
		if a.Restore {
			var err error
			if u.restore, err = restorer(r.World.View(), sys, op); err != nil {
				return err
			}
		}
		// First what undoes it, then the deed: its outcome may never be known.
		if a.NoUndo == "" {
			r.stack = append(r.stack, u)
		}
		res, err := r.invoke(ctx, s.ID, &a.Call, sys, op, request)
		if res != nil && len(res.Steps) > 0 {
			u.fresh.known, u.fresh.version = true, res.Steps[len(res.Steps)-1].MDIBVersion
		}
		return err
	})
}

// each invokes an operation, by how, at every device of its part: if the conditions hold, and the request can be made and invoked now. Then
// it waits for what is expected of them.
func (r *runner) each(ctx context.Context, step string, when []Condition, c *Call, how func(sys *station.System, op *station.Operation, request msg.SetRequest) error) error {
	if when != nil {
		if err := r.check(ctx, step, when); err != nil {
			return err
		}
	}
	targets := r.parts(c.At)
	if len(targets) == 0 {
		return fmt.Errorf("%w: no device for %q", ErrDevice, c.At)
	}
	for _, sys := range targets {
		request, op, err := r.prepare(c, sys)
		if err != nil {
			return err
		}
		if err := how(sys, op, request); err != nil {
			return err
		}
	}
	return r.expect(ctx, step, c)
}

func (r *runner) expect(ctx context.Context, step string, c *Call) error {
	if c.Expect == nil {
		return nil
	}
	return r.until(ctx, step, c.Expect, time.Now().Add(orDefault(c.ExpectWithin, defaultExpect)))
}

// prepare makes the request of a call and checks that it can be invoked now.
func (r *runner) prepare(c *Call, sys *station.System) (msg.SetRequest, *station.Operation, error) {
	op, err := r.w.operation(c, sys)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrOperation, c.At, err)
	}
	switch err := possible(sys, op); {
	case err != nil && r.assumes():
		r.notJudged(r.result.Step, "whether the operation would be possible: "+err.Error())
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrOperation, c.At, err)
	}
	request, err := r.w.request(c, sys, op, r.judge.args)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrOperation, c.At, err)
	}
	return request, op, nil
}

// invoke invokes an operation and goes on watching meanwhile. The result is nil if the device did not tell.
func (r *runner) invoke(ctx context.Context, step string, c *Call, sys *station.System, op *station.Operation, request msg.SetRequest) (*consumer.Result, error) {
	entry := Entry{Event: EventInvoke, Step: step, Device: sys.Device, Operation: op.Handle, Request: describeRequest(request)}
	if err := r.record(ctx, entry); err != nil {
		return nil, err
	}
	r.acted = true
	if r.DryRun {
		return nil, nil //nolint:nilnil // nothing was invoked
	}
	call, stop := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer stop()
	var res *consumer.Result
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err = r.World.Invoke(call, sys.Device, request)
	}()
	var failed error
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
			if failed = r.wait(ctx, time.Time{}, done); failed != nil {
				stop() // what it has done is undone: that is on the stack
				<-done
				ended = true
			}
		}
	}
	entry.Event, entry.Request = EventOutcome, ""
	entry.Outcome, entry.Text = outcomeOf(res, err)
	if recordErr := r.record(context.WithoutCancel(ctx), entry); failed == nil {
		failed = recordErr
	}
	if failed == nil && err != nil {
		failed = fmt.Errorf("%w: %s: %w", ErrOperation, c.At, err)
	}
	return res, failed
}

func outcomeOf(res *consumer.Result, err error) (outcome, text string) {
	switch {
	case res != nil && err != nil:
		return string(res.State), err.Error()
	case err != nil:
		return "unknown", err.Error()
	case res != nil:
		return string(res.State), ""
	}
	return "ended", ""
}

// report puts lines into the result.
func (r *runner) report(ctx context.Context, s *Step) error {
	for _, item := range s.Report {
		lines := []string{fill(item.Text, r.judge.args)}
		switch {
		case item.At != "":
			lines = r.reportValues(&item)
		case item.Conditions != nil:
			lines = r.reportConditions(&item)
		}
		for _, line := range lines {
			r.result.Report = append(r.result.Report, line)
			if err := r.record(ctx, Entry{Event: EventReport, Step: s.ID, Text: line}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *runner) reportValues(item *Item) []string {
	var lines []string
	code, _ := r.w.code(item.Value)
	for _, sys := range r.parts(item.At) {
		v := findValue(sys, code, item.Role)
		if v == nil {
			continue
		}
		line := fill(item.Text, r.judge.args) + " " + shown(v)
		if status := v.Status(time.Now()); status != station.Current {
			line += " (" + string(status) + ")"
		}
		lines = append(lines, line)
	}
	if lines == nil {
		lines = []string{fill(item.Text, r.judge.args) + " not known"}
	}
	return lines
}

// reportConditions says of each condition how it stands, once for every device that tells of it.
func (r *runner) reportConditions(item *Item) []string {
	lines := []string{fill(item.Text, r.judge.args)}
	for i := range item.Conditions {
		_, evidence := r.look(item.Conditions[i : i+1])
		for _, e := range evidence {
			verdict := map[Truth]string{True: "ok", False: "NOT OK", Unknown: "not known"}[e.Truth]
			line := verdict + ": " + e.Text
			for _, more := range []string{e.Value, e.Why} {
				if more != "" {
					line += ", " + more
				}
			}
			if e.Device != "" {
				line += " (" + r.nameOf(e.Device) + ")"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// nameOf is what a device is called by people.
func (r *runner) nameOf(epr string) string {
	if d := r.World.View().Device(epr); d != nil && d.Name != "" {
		return d.Name
	}
	return epr
}
