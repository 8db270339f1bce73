package alertconsumer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/das"
)

// Device is a *consumer.Device.
type Device interface {
	MDIB() *mdib.Snapshot
	EPR() string
	Updates(ctx context.Context) iter.Seq2[consumer.Update, error]
	Activate(ctx context.Context, operation string, arguments ...string) (*consumer.Result, error)
}

// again is after what time a request that got no answer is made again.
const again = 250 * time.Millisecond

// Monitor monitors the alarms of one device. Make it with New.
type Monitor struct {
	cfg Config
	dev Device

	wake, deliver chan struct{} // each holds one

	mu      sync.Mutex
	model   model
	last    Status
	running bool
	cancel  context.CancelFunc // of the activation under way

	telling sync.Mutex
}

// New makes a monitor for a device that is connected. Nothing is sent before Run. The error wraps das.ErrNotOffered if the device does not offer it.
func New(dev *consumer.Device, cfg Config) (*Monitor, error) {
	if dev == nil {
		return nil, errors.New("alertconsumer: the device is missing")
	}
	return newMonitor(dev, cfg)
}

func newMonitor(dev Device, cfg Config) (*Monitor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	ops, err := das.Find(dev.MDIB(), cfg.MDS, cfg.Codes)
	if err != nil {
		return nil, fmt.Errorf("alertconsumer: %w", err)
	}
	if cfg.RenewEvery >= ops.EffectiveTimeout {
		return nil, fmt.Errorf("alertconsumer: RenewEvery, %v, is not shorter than the InvocationEffectiveTimeout of the device, %v", cfg.RenewEvery, ops.EffectiveTimeout)
	}
	return &Monitor{cfg: cfg, dev: dev, wake: make(chan struct{}, 1), deliver: make(chan struct{}, 1), last: Status{Phase: Off},
		model: model{cfg: cfg, found: das.ErrNotOffered}}, nil // until the first update
}

// Status tells how things are.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.model.status()
}

// Run takes over and keeps the monitoring until ctx ends, and then ends it (DEV-49). It returns nil if it is ended then; the cause of the first loss with Config.Once;
// what has become of the device if that is lost or closed; and why monitoring could not be ended, after which the device falls back by itself within its
// InvocationEffectiveTimeout. It can be called once.
func (m *Monitor) Run(ctx context.Context) error {
	m.mu.Lock()
	if m.running {
		m.mu.Unlock()
		return errors.New("alertconsumer: runs only once")
	}
	m.running, m.model.since = true, time.Now()
	m.mu.Unlock()
	work, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { m.follow(work) })
	workers.Go(func() { m.deliverAll(work) })
	err := m.keep(work, &workers)
	cancel()
	workers.Wait()
	return errors.Join(err, m.leave(ctx))
}

// leave ends monitoring for good.
func (m *Monitor) leave(ctx context.Context) error {
	m.mu.Lock()
	owed, ops, dead := m.model.on || m.model.giveBack, m.model.ops, m.model.dead
	m.mu.Unlock()
	var err error
	if owed && dead == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.EndTimeout)
		defer cancel()
		if _, err = m.dev.Activate(ctx, ops.End); err != nil {
			err = fmt.Errorf("monitoring could not be ended, the device falls back within %v: %w", ops.EffectiveTimeout, err)
		}
	}
	m.change(func(model *model, now time.Time) {
		model.lose(nil, now, false)
		model.giveBack = false
	})
	return err
}

// change changes the model, and tells.
func (m *Monitor) change(fn func(model *model, now time.Time)) {
	m.mu.Lock()
	fn(&m.model, time.Now())
	waiting := m.model.on && len(m.model.queue) > 0
	if m.model.busy && m.model.calling != 0 && m.model.renewing() != m.model.calling {
		m.cancel() // the renewal of what is lost
	}
	m.mu.Unlock()
	if waiting {
		nudge(m.deliver)
	}
	nudge(m.wake)
	m.tell()
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell logs and reports what has changed.
func (m *Monitor) tell() {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.mu.Lock()
	s := m.model.status()
	news := s.Phase != m.last.Phase || s.Cause != m.last.Cause || s.Takeovers != m.last.Takeovers //nolint:errorlint // whether it is another one
	lost := m.last.Phase != Off && s.Phase == Off && s.Cause != nil
	m.last = s
	m.mu.Unlock()
	if !news {
		return
	}
	if lost {
		m.cfg.Logger.Warn("the monitoring of a device's alarms is lost", "device", m.dev.EPR(), "cause", s.Cause)
	} else {
		m.cfg.Logger.Info("monitoring of a device's alarms", "device", m.dev.EPR(), "phase", string(s.Phase), "cause", s.Cause)
	}
	m.cfg.Changed(s)
}

// follow takes the updates of the device.
func (m *Monitor) follow(ctx context.Context) {
	for ctx.Err() == nil {
		for u, err := range m.dev.Updates(ctx) {
			if errors.Is(err, consumer.ErrSlowReader) {
				m.change(func(model *model, now time.Time) { model.lose(ErrUpdates, now, false) })
				break
			}
			if err != nil {
				m.change(func(model *model, now time.Time) {
					model.dead = err
					model.lose(err, now, false)
				})
				return
			}
			m.change(func(model *model, now time.Time) { model.update(u, now) })
		}
	}
}

// keep takes over, renews and watches the times until ctx ends or there is nothing more to be done.
func (m *Monitor) keep(ctx context.Context, calls *sync.WaitGroup) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		m.mu.Lock()
		what, next := m.model.plan(time.Now())
		cause := m.model.cause
		if m.model.dead != nil {
			cause = m.model.dead
		}
		m.mu.Unlock()
		m.tell()
		switch what {
		case stop:
			return cause
		case activate:
			calls.Go(m.begin(ctx))
			continue
		case tellEnd:
			m.giveBack(ctx)
			continue
		case wait:
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-m.wake:
		}
	}
	return nil
}

// begin prepares an activation, which takes over or renews (DEV-48).
func (m *Monitor) begin(ctx context.Context) (call func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ops, renewed, until, at := m.model.ops, m.model.renewing(), m.model.until, m.model.snap.Version()
	sent := time.Now()
	if renewed == 0 {
		until = sent.Add(ops.EffectiveTimeout)
	}
	within, cancel := context.WithDeadline(ctx, until)
	m.model.busy, m.model.calling, m.cancel = true, renewed, cancel
	return func() {
		defer cancel()
		res, err := m.dev.Activate(within, ops.Activate, m.cfg.Name)
		if err == nil {
			at = finOf(res, at)
		}
		m.change(func(model *model, now time.Time) {
			model.busy = false
			if ctx.Err() != nil && err != nil {
				model.giveBack = true // whether it was taken over nobody knows
				return
			}
			model.activated(renewed, at, sent, now, err)
		})
	}
}

// finOf is the version of the MDIB in the report with the final state, or in the response if no report has told it.
func finOf(r *consumer.Result, in mdib.Version) mdib.Version {
	for _, s := range r.Steps {
		if s.State.Final() {
			in.MdibVersion = s.MDIBVersion
			if s.Reported {
				break
			}
		}
	}
	return in
}

// giveBack tells the device once that monitoring has ended. If that fails it finds out by itself.
func (m *Monitor) giveBack(ctx context.Context) {
	m.mu.Lock()
	ops := m.model.ops
	m.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, m.cfg.EndTimeout)
	defer cancel()
	if _, err := m.dev.Activate(within, ops.End); err != nil && ctx.Err() == nil {
		m.cfg.Logger.Info("the end of monitoring could not be told", "device", m.dev.EPR(), "err", err)
	} else if err != nil {
		return // leave tries again
	}
	m.change(func(model *model, _ time.Time) { model.giveBack = false })
}

// deliverAll delivers and confirms what is queued.
func (m *Monitor) deliverAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.deliver:
		}
		for m.deliverNext(ctx) {
		}
	}
}

// deliverNext delivers what has queued up; false if there is nothing.
func (m *Monitor) deliverNext(ctx context.Context) bool {
	m.mu.Lock()
	if !m.model.on || len(m.model.queue) == 0 || ctx.Err() != nil {
		m.mu.Unlock()
		return false
	}
	batch, number, ops, sequence := m.model.queue, m.model.number, m.model.ops, m.model.from.SequenceID
	m.model.queue, m.model.under = nil, batch
	m.mu.Unlock()
	within, cancel := context.WithDeadline(ctx, batch[0].at.Add(ops.ConfirmWithin))
	defer cancel()
	err := m.cfg.Deliver(within, batch)
	switch {
	case err != nil:
		err = &DeliveryError{Err: err}
	case within.Err() != nil:
		err = ErrLate
	default:
		err = m.confirm(within, ops, sequence, batch)
	}
	m.change(func(model *model, now time.Time) {
		model.under = nil
		switch {
		case !model.on || model.number != number: // lost meanwhile
		case ctx.Err() != nil: // ended; leave tells
		case err != nil:
			model.lose(err, now, true)
		default:
			model.confirmed += uint64(len(batch))
			model.look(now)
		}
	})
	return err == nil
}

// confirm confirms the delivery, as often as it takes to get an answer.
func (m *Monitor) confirm(ctx context.Context, ops das.Operations, sequence string, batch []Alert) error {
	latest := make(map[string]int, len(batch))
	var list []das.Occurrence
	for _, a := range batch {
		if i, ok := latest[a.Condition]; ok {
			list[i].Version = max(list[i].Version, a.Version)
			continue
		}
		latest[a.Condition] = len(list)
		list = append(list, das.Occurrence{Condition: a.Condition, Version: a.Version})
	}
	for len(list) > 0 {
		part := list[:min(len(list), das.MaxOccurrences)]
		text, err := das.FormatOccurrences(part)
		if err != nil {
			return err
		}
		_, err = m.dev.Activate(ctx, ops.Confirm, sequence, text)
		var word *consumer.OperationError
		switch {
		case err == nil:
			list = list[len(part):]
			continue
		case errors.As(err, &word):
			return err
		case ctx.Err() != nil:
			return errors.Join(ErrLate, err)
		}
		pause := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	return nil
}
