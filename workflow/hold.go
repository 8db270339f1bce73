package workflow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/station"
)

// held is a hold at one device while it lasts. A goroutine renews it; that it does so is all that keeps it up.
type held struct {
	begin time.Time
	limit time.Duration
	lease time.Duration
	stop  context.CancelFunc
	done  chan struct{}

	mu    sync.Mutex
	last  time.Time // of the last renewal that went well
	cause error
}

// over says why a hold does not last any more; nil if it does.
func (h *held) over() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	switch {
	case h.cause != nil:
		return h.cause
	case now.Sub(h.begin) >= h.limit:
		return fmt.Errorf("longer than %v", h.limit)
	case now.Sub(h.last) >= h.lease:
		return fmt.Errorf("not renewed for %v", now.Sub(h.last).Round(time.Millisecond))
	}
	return nil
}

// hold begins a hold at every device of the part.
func (r *runner) hold(ctx context.Context, s *Step) error {
	h := s.Hold
	return r.each(ctx, s.ID, h.When, &h.Call, func(sys *station.System, op *station.Operation, request msg.SetRequest) error {
		switch {
		case op.Effective == 0:
			return fmt.Errorf("%w: %s: the device does not end operation %s by itself; it must not be held", ErrOperation, h.At, op.Handle)
		case 2*h.Renew > op.Effective*9/10: // the second has to be there in time
			return fmt.Errorf("%w: %s: operation %s lasts %v; renewing it every %v leaves no room for a lost message", ErrOperation, h.At, op.Handle, op.Effective, h.Renew)
		}
		keep := &held{begin: time.Now(), last: time.Now(), limit: h.Limit, lease: op.Effective, done: make(chan struct{})}
		var renewing context.Context
		renewing, keep.stop = context.WithCancel(context.WithoutCancel(ctx))
		r.stack = append(r.stack, undoing{step: s.ID, calls: h.Undo, end: h.End, device: sys.Device, hold: keep})
		_, err := r.invoke(ctx, s.ID, &h.Call, sys, op, request)
		if err != nil || r.DryRun {
			close(keep.done)
		} else {
			go r.renew(renewing, s, sys, op, request, keep)
		}
		return err
	})
}

// renew invokes the operation of a hold again until it is stopped. One that goes badly is tried again while the lease lasts.
func (r *runner) renew(ctx context.Context, s *Step, sys *station.System, op *station.Operation, request msg.SetRequest, keep *held) {
	defer close(keep.done)
	ticker := time.NewTicker(s.Hold.Renew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if ctx.Err() != nil {
			return // both were so: a renewal more would make the hold longer, and its undoing wait
		}
		// Not cancelled by the release, which waits: a renewal that reaches the device after it would begin the hold anew.
		call, stop := context.WithTimeout(context.WithoutCancel(ctx), s.Hold.Renew)
		sent := time.Now()
		res, err := r.World.Invoke(call, sys.Device, request)
		stop()
		entry := Entry{Event: EventRenewed, Step: s.ID, Device: sys.Device, Operation: op.Handle}
		entry.Outcome, entry.Text = outcomeOf(res, err)
		auditErr := r.record(ctx, entry)
		keep.mu.Lock()
		switch {
		case auditErr != nil:
			keep.cause = auditErr
		case err == nil:
			keep.last = sent
		case res != nil: // the device has said no
			keep.cause = err
		}
		over := keep.cause
		keep.mu.Unlock()
		if over != nil {
			r.wake()
			return
		}
	}
}

// wake makes the runner look.
func (r *runner) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// release ends the holds of a step.
func (r *runner) release(ctx context.Context, s *Step) error {
	var rest []undoing
	var jobs []job
	for _, u := range r.stack {
		if u.step != s.Release || u.hold == nil {
			rest = append(rest, u)
			continue
		}
		u.hold.stop()
		jobs = append(jobs, r.jobs(u, EventReleased)...)
	}
	r.stack = rest
	if !r.attempt(context.WithoutCancel(ctx), EventReleased, jobs) {
		return fmt.Errorf("%w: the hold of step %s could not be released", ErrOperation, s.Release)
	}
	return nil
}
