package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// undoing is what has to be invoked if the workflow fails.
type undoing struct {
	step    string
	device  string // EPR of the device that was asked
	calls   []Call
	end     []Call // in good order, if that is something else
	restore restoring
	fresh   *freshness // for restore
	hold    *held
}

// pauses between attempts to undo: a device that is lost may come back.
const undoPause = 2 * time.Second

// job is one thing to be undone.
type job struct {
	u    undoing
	name string
	do   func(ctx context.Context) error
}

// jobs are what has to be done to undo an entry, in order.
func (r *runner) jobs(u undoing, event Event) []job {
	var out []job
	if u.restore != nil {
		out = append(out, job{u, "restore", func(ctx context.Context) error { return r.restore(ctx, u) }})
	}
	calls := u.calls
	if event == EventReleased && u.end != nil {
		calls = u.end
	}
	for i := range calls {
		c := &calls[i]
		out = append(out, job{u, c.At + " " + c.Operation + c.Handle, func(ctx context.Context) error { return r.undoCall(ctx, u, c) }})
	}
	return out
}

// undoAll runs the stack from the top. Whatever fails, the rest is undone.
func (r *runner) undoAll(ctx context.Context) {
	// Nothing may be renewed any more, whatever is still ahead.
	for _, u := range r.stack {
		if u.hold != nil {
			u.hold.stop()
		}
	}
	var jobs []job
	for i := len(r.stack) - 1; i >= 0; i-- {
		jobs = append(jobs, r.jobs(r.stack[i], EventUndo)...)
	}
	r.stack = nil
	r.attempt(ctx, EventUndo, jobs)
}

// finish releases what is still held at a good end; what else was done is meant to last. True says that something could not be released.
func (r *runner) finish(ctx context.Context) bool {
	var jobs []job
	for i := len(r.stack) - 1; i >= 0; i-- {
		if u := r.stack[i]; u.hold != nil {
			u.hold.stop()
			jobs = append(jobs, r.jobs(u, EventReleased)...)
		}
	}
	r.stack = nil
	return !r.attempt(ctx, EventReleased, jobs)
}

// attempt does every job in order, then again those that went badly, at most maxAttempts times: what can be undone does not wait for a device
// that does not answer. It tells whether all went well in the end.
func (r *runner) attempt(ctx context.Context, event Event, jobs []job) bool {
	var last []error
	for n := 0; n < maxAttempts && len(jobs) > 0; n++ {
		if n > 0 {
			<-time.After(undoPause)
		}
		var again []job
		last = nil
		for _, j := range jobs {
			if j.u.hold != nil {
				<-j.u.hold.done // no renewal may come after it
			}
			entry := Entry{Event: event, Step: j.u.step, Device: j.u.device, Text: j.name}
			r.tell(ctx, entry)
			err := j.do(ctx)
			if err == nil {
				entry.Event = EventUndone
				r.tell(ctx, entry)
				continue
			}
			entry.Event, entry.Text = EventNotUndone, fmt.Sprintf("%s: attempt %d: %v", j.name, n+1, err)
			r.tell(ctx, entry)
			again, last = append(again, j), append(last, err)
		}
		jobs = again
	}
	for i, j := range jobs {
		r.result.NotUndone = append(r.result.NotUndone, fmt.Sprintf("step %s: %s of %s: %v", j.u.step, j.name, r.nameOf(j.u.device), last[i]))
	}
	return len(jobs) == 0
}

func (r *runner) restore(ctx context.Context, u undoing) error {
	request, err := u.restore(r.World.View(), u.fresh)
	if err != nil || request == nil || r.DryRun {
		return err
	}
	call, stop := context.WithTimeout(ctx, defaultTimeout)
	defer stop()
	_, err = r.World.Invoke(call, u.device, request)
	return err
}

// undoCall invokes an undoing at the device that was asked, or, if it is for another part, at that one's. Unlike a step it does not want the
// view to be fresh: it is better to try than to know.
func (r *runner) undoCall(ctx context.Context, u undoing, c *Call) error {
	var errs []error
	for _, b := range r.bound {
		if b.part != c.At || r.samePart(u, c.At) && b.ref.Device != u.device {
			continue
		}
		errs = append(errs, r.undoAt(ctx, b, c))
	}
	return errors.Join(errs...)
}

// samePart tells whether the device that was asked plays the part too.
func (r *runner) samePart(u undoing, part string) bool {
	for _, b := range r.bound {
		if b.part == part && b.ref.Device == u.device {
			return true
		}
	}
	return false
}

func (r *runner) undoAt(ctx context.Context, b bound, c *Call) error {
	d := r.World.View().Device(b.ref.Device)
	if d == nil {
		return errors.New("the device is not there")
	}
	sys := d.System(b.ref.Handle)
	if sys == nil {
		return errors.New("the device does not show what it was bound as")
	}
	op, err := r.w.operation(c, sys)
	if err != nil {
		return err
	}
	request, err := r.w.request(c, sys, op, r.judge.args)
	if err != nil || r.DryRun {
		return err
	}
	call, stop := context.WithTimeout(ctx, orDefault(c.Timeout, defaultTimeout))
	defer stop()
	if _, err := r.World.Invoke(call, b.ref.Device, request); err != nil {
		return err
	}
	if c.Expect == nil {
		return nil
	}
	r.judge.forget(c.Expect)
	deadline := time.Now().Add(orDefault(c.ExpectWithin, defaultExpect))
	for {
		t, evidence := r.look(c.Expect)
		switch {
		case t == True:
			return nil
		case !time.Now().Before(deadline):
			return conditionError(ErrCondition, evidence)
		}
		timer := time.NewTimer(min(tick, time.Until(deadline)))
		select {
		case <-r.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}
