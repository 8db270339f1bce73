package provider

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// effect is what a call of an operation with InvocationEffectiveTimeout has brought about and what lasts until it is not called again in time (SCO-10).
type effect struct {
	call  *Call
	until time.Time
	again chan struct{} // holds one token when until has moved
	ended bool
}

// HandleEffectEnd registers what ends the effect of an operation whose descriptor has an InvocationEffectiveTimeout (SCO-10): h runs when that time has passed since the
// last call that ended with Fin or FinMod, on the goroutine of the operation's SCO like the calls themselves, so that no call runs meanwhile. It also runs when the
// provider stops, since nobody can call again then. ctx ends after half of Config.StopTimeout.
//
// If the descriptor says Retriggerable (the implied value), a call in time prolongs the effect; otherwise calls are refused while it lasts, with or without a
// handler here. The error says that h is nil, or that the MDIB has an entry with this handle which is no operation.
func (p *Provider) HandleEffectEnd(handle string, h func(ctx context.Context, last *Call) error) error {
	if d, ok := p.MDIB().Descriptor(handle); ok && kindOf(d) == "" {
		return fmt.Errorf("provider: %q is a %s, no operation", handle, d.TypeName().Local)
	}
	if h == nil {
		return fmt.Errorf("provider: what ends the effect of %q is nil", handle)
	}
	p.opMu.Lock()
	defer p.opMu.Unlock()
	p.effectEnds[handle] = h
	return nil
}

// checkEffect refuses a call of an operation that cannot be retriggered while its effect lasts.
func (p *Provider) checkEffect(op pm.OperationDescriptor) *Refused {
	if op.BaseOperation().RetriggerableOrDefault() {
		return nil
	}
	p.opMu.Lock()
	defer p.opMu.Unlock()
	if e, ok := p.effects[op.Base().Handle]; ok {
		return refuse(msg.InvocationErrorOth, "operation %s is in effect and cannot be triggered again for %v", op.Base().Handle, max(0, time.Until(e.until)).Round(time.Millisecond))
	}
	return nil
}

// beginEffect starts or prolongs the effect of a call that the handler has carried out.
func (p *Provider) beginEffect(c *Call) {
	timeout, ok := c.Operation.BaseOperation().InvocationEffectiveTimeout.Get()
	if !ok || timeout.Std() <= 0 {
		return
	}
	p.opMu.Lock()
	defer p.opMu.Unlock()
	until := time.Now().Add(timeout.Std())
	if e, ok := p.effects[c.Handle]; ok {
		e.call, e.until = c, until
		select {
		case e.again <- struct{}{}:
		default:
		}
		return
	}
	e := &effect{call: c, until: until, again: make(chan struct{}, 1)}
	p.effects[c.Handle] = e
	p.operations.Go(func() { p.watchEffect(e) })
}

// watchEffect waits for the time of an effect to pass, or for the provider to stop, and then has it ended.
func (p *Provider) watchEffect(e *effect) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.opMu.Lock()
		rest := time.Until(e.until)
		p.opMu.Unlock()
		if rest <= 0 {
			ended := make(chan bool, 1)
			p.atSCO(e, func() { ended <- p.endEffect(e, false) })
			if <-ended {
				return
			}
			continue // prolonged by a call that was before it in the queue
		}
		timer.Reset(rest)
		select {
		case <-timer.C:
		case <-e.again:
		case <-p.opCtx.Done():
			p.endEffectNow(e)
			return
		}
	}
}

// endEffectNow ends an effect because the provider stops: after the call that may be running, but not later than a quarter of StopTimeout, should that call not obey its context.
func (p *Provider) endEffectNow(e *effect) {
	ended := make(chan struct{})
	p.atSCO(e, func() {
		p.endEffect(e, true)
		close(ended)
	})
	late := time.NewTimer(p.cfg.StopTimeout / 4)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		p.endEffect(e, true)
	}
}

// atSCO queues something behind the calls that wait, whatever the length of the queue.
func (p *Provider) atSCO(e *effect, do func()) {
	p.opMu.Lock()
	handle := e.call.Handle
	p.opMu.Unlock()
	parent, _ := p.store.Load().Parent(handle)
	p.enqueue(parent, &transaction{p: p, effect: do})
}

// endEffect runs what ends an effect, once, and then forgets it; false if its time has not passed, unless stopping.
func (p *Provider) endEffect(e *effect, stopping bool) bool {
	p.opMu.Lock()
	if !stopping && e.until.After(time.Now()) {
		p.opMu.Unlock()
		return false
	}
	again, last := e.ended, e.call
	e.ended = true
	h := p.effectEnds[last.Handle]
	p.opMu.Unlock()
	if again {
		return true
	}
	if h != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.opCtx), p.cfg.StopTimeout/2)
		defer cancel()
		if err := recovered(func() error { return h(ctx, last) }); err != nil {
			p.log.LogAttrs(ctx, slog.LevelError, "the effect of an operation could not be ended", slog.String("operation", last.Handle), slog.String("error", err.Error()))
		}
	}
	// Only now: until the device is back where it was, an operation that cannot be retriggered stays refused.
	p.opMu.Lock()
	defer p.opMu.Unlock()
	delete(p.effects, last.Handle)
	return true
}

// recovered turns a panic into an error (SCO-6).
func recovered(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return fn()
}
