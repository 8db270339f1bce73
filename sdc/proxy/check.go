package proxy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/soap"
)

// checkAgain is the pause before a check that has failed is repeated.
const checkAgain = time.Second

// watch checks devices when they are due, until ctx ends (SDPi R1025).
func (p *Proxy) watch(ctx context.Context) {
	var checks sync.WaitGroup
	defer checks.Wait()
	free := make(chan struct{}, p.cfg.Checkers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case free <- struct{}{}: // first, so that who is next is decided when there is room for it
		case <-ctx.Done():
			return
		}
		p.mu.Lock()
		e, due := p.reg.next(time.Now())
		var target discovery.Endpoint
		if e != nil {
			target = e.endpoint
		}
		p.mu.Unlock()
		if e != nil {
			checks.Go(func() {
				defer func() { <-free }()
				began := time.Now()
				err := p.ask(ctx, target)
				p.judge(ctx, e, began, err)
			})
			continue
		}
		<-free
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-p.earlier:
		case <-ctx.Done():
			return
		}
	}
}

// errSilent says that a device without an address has not said Hello for long.
var errSilent = errors.New("no Hello for too long, and no address to ask")

// ask sends a directed Probe to the addresses of a device in turn until one answers.
func (p *Proxy) ask(ctx context.Context, e discovery.Endpoint) error {
	if len(e.XAddrs) == 0 {
		return errSilent
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.CheckTimeout)
	defer cancel()
	var errs []error
	for i, x := range e.XAddrs {
		// One address that swallows everything must not use up the time of the others.
		one, cancelOne := context.WithTimeout(ctx, p.cfg.CheckTimeout/time.Duration(len(e.XAddrs)-i))
		found, err := discovery.DirectedProbe(one, p.prober, x, discovery.Filter{})
		cancelOne()
		var fault *soap.Fault
		switch {
		case errors.As(err, &fault) && fault.Status != 404:
			return nil // it does not take Probes, but it is there
		case err != nil:
			errs = append(errs, err)
		case len(found) > 0 && found[0].EPR != "" && found[0].EPR != e.EPR:
			errs = append(errs, errors.New(x+" is another device by now, "+found[0].EPR))
		default:
			return nil
		}
	}
	return errors.Join(errs...)
}

// judge draws the consequences of a check: a device that does not answer twice is gone, and subscribers get a Bye on its behalf
// (SDPi R7006).
func (p *Proxy) judge(ctx context.Context, e *entry, began time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reg.checked(e, time.Now())
	if ctx.Err() != nil {
		return // the question was broken off
	}
	defer wake(p.earlier) // what has been put back may be due before what is waited for
	p.stats.Checks++
	if err != nil {
		p.stats.CheckFailures++
	}
	switch {
	case e.gone:
	case err == nil:
		p.reg.alive(e, time.Now())
	case e.heard.After(began):
		p.reg.alive(e, e.heard) // it has said Hello meanwhile
	case !e.failed && !errors.Is(err, errSilent):
		e.failed = true
		p.reg.schedule(e, time.Now().Add(checkAgain))
	default:
		p.log.LogAttrs(context.Background(), slog.LevelInfo, "device is gone", slog.String("epr", e.endpoint.EPR), slog.Any("error", err))
		p.stats.Died++
		p.reg.remove(e)
		p.publishBye(e.endpoint.EPR)
	}
}
