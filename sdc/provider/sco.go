package provider

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/semeco/go-sdc/mdib/msg"
)

// sco is the queue of one service control object: its transactions run one after the other in the order they were queued (SCO-3).
// The goroutine that runs them lives only while there are some.
type sco struct {
	p      *Provider
	handle string // of the SCO

	mu      sync.Mutex
	waiting []*transaction
	taken   int // queued, running, or promised a place
	running bool
}

// queueLocked returns the queue of an SCO. The caller holds p.opMu until it has taken a place: a queue without any is forgotten.
func (p *Provider) queueLocked(handle string) *sco {
	s, ok := p.queues[handle]
	if !ok {
		s = &sco{p: p, handle: handle}
		p.queues[handle] = s
	}
	return s
}

// reserve promises a place in the queue of an SCO; false when it is full.
func (p *Provider) reserve(handle string) (*sco, bool) {
	p.opMu.Lock()
	defer p.opMu.Unlock()
	s := p.queueLocked(handle)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= p.cfg.QueueLength {
		return nil, false
	}
	s.taken++
	return s, true
}

// enqueue queues something that must not be lost: it takes a place even if there is none left.
func (p *Provider) enqueue(handle string, t *transaction) {
	p.opMu.Lock()
	s := p.queueLocked(handle)
	s.mu.Lock()
	s.taken++
	s.mu.Unlock()
	p.opMu.Unlock()
	s.submit(t)
}

// submit takes the promised place.
func (s *sco) submit(t *transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, t)
	if !s.running {
		s.running = true
		s.p.operations.Go(s.work)
	}
}

func (s *sco) work() {
	for {
		t := s.next()
		if t == nil {
			return
		}
		t.execute()

		s.mu.Lock()
		s.taken--
		s.mu.Unlock()
	}
}

// next takes the first transaction off the queue; nil ends the worker, and the queue is forgotten unless somebody holds a place.
func (s *sco) next() *transaction {
	s.p.opMu.Lock()
	defer s.p.opMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.running = false
		if s.taken == 0 {
			delete(s.p.queues, s.handle)
		}
		return nil
	}
	t := s.waiting[0]
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	return t
}

// outcome is a state of a transaction and why.
type outcome struct {
	state   msg.InvocationState
	refusal *Refused // for Fail
}

// transaction is one call on its way to exactly one final state.
type transaction struct {
	p       *Provider
	call    *Call
	handler handler
	request msg.SetRequest
	delayed bool
	effect  func()          // not a call but the end of a former call's effect; nothing else is set then
	ctx     context.Context // ends with MaxTimeToFinish or the provider
	cancel  context.CancelFunc

	mu    sync.Mutex // also orders the reports of this transaction
	state outcome
	done  chan struct{} // closed with the final state
}

// execute runs the handler, on the goroutine of the SCO.
func (t *transaction) execute() {
	if t.effect != nil {
		t.effect()
		return
	}
	defer t.cancel()
	if !t.start() {
		return // timed out or cancelled while it waited
	}
	// What held when the request came may have changed while it waited (SCO-2).
	if _, refusal := t.p.check(t.request); refusal != nil {
		t.finish(outcome{msg.InvocationStateFail, refusal})
		return
	}
	o := t.p.outcomeOf(t.call, t.run())
	if o.state == msg.InvocationStateFin || o.state == msg.InvocationStateFinMod {
		// Also of a call that was reported as too late: what it did lasts all the same.
		t.p.beginEffect(t.call)
	}
	t.finish(o)
}

// run turns a panic of the handler into an error (SCO-6).
func (t *transaction) run() (err error) {
	defer func() {
		if v := recover(); v != nil {
			t.p.log.LogAttrs(t.ctx, slog.LevelError, "operation handler panicked",
				slog.String("operation", t.call.Handle), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	return t.handler.run(t.ctx, t.call, t.request)
}

var errPanic = errors.New("handler panicked")

// outcomeOf maps what a handler returned to the final state.
func (p *Provider) outcomeOf(c *Call, err error) outcome {
	var refused *Refused
	switch {
	case err == nil && c.wasModified():
		return outcome{state: msg.InvocationStateFinMod}
	case err == nil:
		return outcome{state: msg.InvocationStateFin}
	case errors.As(err, &refused):
		return outcome{msg.InvocationStateFail, refused}
	case errors.Is(err, ErrCancelled):
		return outcome{state: msg.InvocationStateCnclld}
	case errors.Is(err, ErrCancelledManually):
		return outcome{state: msg.InvocationStateCnclldMan}
	case errors.Is(err, context.DeadlineExceeded):
		return outcome{msg.InvocationStateFail, errTooLate()}
	case errors.Is(err, context.Canceled):
		return outcome{state: msg.InvocationStateCnclld}
	}
	// Details of an unexpected error are for the log, not for the network.
	p.log.LogAttrs(context.Background(), slog.LevelError, "operation handler failed",
		slog.String("operation", c.Handle), slog.Uint64("transaction", uint64(c.TransactionID)), slog.String("error", err.Error()))
	return outcome{msg.InvocationStateFail, refuse(msg.InvocationErrorUnspec, "the device could not carry out the operation")}
}

func errTooLate() *Refused {
	return refuse(msg.InvocationErrorOth, "the operation was not finished in time")
}

// watch ends the transaction when its time is over, even if the handler does not return. The watcher is done when the transaction is.
func (t *transaction) watch() {
	t.p.operations.Go(func() {
		select {
		case <-t.done:
		case <-t.ctx.Done():
			if errors.Is(t.ctx.Err(), context.DeadlineExceeded) {
				t.finish(outcome{msg.InvocationStateFail, errTooLate()})
			} else {
				t.finish(outcome{state: msg.InvocationStateCnclld})
			}
		}
	})
}

// start tells that the handler runs now; false when the transaction is over already.
func (t *transaction) start() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.state.Final() {
		return false
	}
	if t.ctx.Err() != nil {
		return false // the watcher is about to end it
	}
	t.state = outcome{state: msg.InvocationStateStart}
	if t.delayed {
		t.p.reportInvocation(t.call, t.state)
	}
	return true
}

// finish sets the final state and reports it; only the first call does.
func (t *transaction) finish(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.state.Final() {
		if o.state == msg.InvocationStateFin || o.state == msg.InvocationStateFinMod {
			t.p.log.LogAttrs(context.Background(), slog.LevelWarn, "operation took effect after it had been reported as ended",
				slog.String("operation", t.call.Handle), slog.Uint64("transaction", uint64(t.call.TransactionID)), slog.String("reported", string(t.state.state)))
		}
		return
	}
	t.state = o
	t.p.reportInvocation(t.call, o)
	t.p.ended(t.call, o)
	close(t.done)
}

func (t *transaction) current() outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}
