package station

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Errors of a station.
var (
	// ErrNotConnected says that there is no connection to a device.
	ErrNotConnected = errors.New("not connected")
	// ErrRunning refuses a second Run.
	ErrRunning = errors.New("the station has been run already")
)

// Station follows many devices. Make it with [New]; its methods may be used by several goroutines.
type Station struct {
	cfg  Config
	log  *slog.Logger
	view atomic.Pointer[View]

	history *history

	dirty  chan struct{} // one token: something has changed
	urgent chan struct{} // one token: and the next view must not wait

	mu       sync.Mutex
	running  bool
	members  map[string]*member
	waiting  waiters // taken by a rule, but too many
	watchers map[chan struct{}]struct{}
}

// New makes a station that has not begun yet. The error tells everything that is wrong with the configuration.
func New(cfg Config) (*Station, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Station{
		cfg: cfg, log: cfg.Logger, dirty: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		members: make(map[string]*member), watchers: make(map[chan struct{}]struct{}),
		history: newHistory(cfg.History, cfg.Logger),
	}
	s.view.Store(&View{Time: time.Now()})
	return s, nil
}

// Run follows the devices until ctx ends, which is no error; then it disconnects from all of them. A station runs once.
func (s *Station) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return ErrRunning
	}
	s.running = true
	s.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { s.publish(ctx) })
	for e := range s.cfg.Discovery.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
		s.discovered(ctx, e, &wg)
	}
	err := error(nil)
	if ctx.Err() == nil {
		err = errors.New("station: discovery has ended")
	}
	<-ctx.Done()
	wg.Wait()
	return err
}

// View is the newest view; never nil.
func (s *Station) View() *View { return s.view.Load() }

// Views yields the newest view at once and each newer one, until ctx ends. A reader that is slow misses those between.
func (s *Station) Views(ctx context.Context) iter.Seq[*View] {
	return func(yield func(*View) bool) {
		news := make(chan struct{}, 1)
		s.mu.Lock()
		s.watchers[news] = struct{}{}
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			delete(s.watchers, news)
			s.mu.Unlock()
		}()
		var last *View
		for {
			if v := s.view.Load(); v != last {
				last = v
				if !yield(v) {
					return
				}
			}
			select {
			case <-news:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Device is the connection to a device, to invoke operations by. ErrNotConnected if there is none now.
func (s *Station) Device(epr string) (*consumer.Device, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.members[epr]; ok {
		if d := m.connection.Load(); d != nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", epr, ErrNotConnected)
}

// discovered takes news of a device.
func (s *Station) discovered(ctx context.Context, e discovery.Event, wg *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	epr := e.Endpoint.EPR
	m := s.members[epr]
	rule, taken := s.ruleFor(e.Endpoint)
	if e.Kind == discovery.Gone || !taken {
		s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.EPR == epr })
		if m != nil {
			m.tell(news{endpoint: e.Endpoint, gone: e.Kind == discovery.Gone, released: e.Kind != discovery.Gone})
		}
		s.changed(true)
		return
	}
	if m != nil {
		m.tell(news{endpoint: e.Endpoint, restarted: e.Kind == discovery.Restarted})
		return
	}
	if len(e.Endpoint.XAddrs) == 0 {
		return
	}
	w := waiter{Endpoint: e.Endpoint, sender: e.Sender, since: time.Now()}
	if len(s.members) >= s.cfg.MaxDevices || rule.Max > 0 && s.countOf(rule) >= rule.Max {
		s.wait(w)
		return
	}
	s.add(ctx, w, rule, wg)
}

// add begins to follow a device. The caller holds the lock.
func (s *Station) add(ctx context.Context, w waiter, rule Rule, wg *sync.WaitGroup) {
	m := newMember(s, w, rule)
	s.members[w.EPR] = m
	s.changed(true)
	wg.Go(func() {
		again := m.run(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.members, w.EPR)
		s.history.forget(w.EPR)
		s.changed(true)
		if ctx.Err() != nil {
			return
		}
		s.turnOver(m.sender)
		next, rule, ok := s.next(nil)
		if again {
			s.wait(m.waiter())
		}
		if ok {
			s.waiting = slices.DeleteFunc(s.waiting, func(w waiter) bool { return w.EPR == next.EPR })
			s.add(ctx, next, rule, wg)
		}
	})
}

// ruleFor finds the first rule that takes a device.
func (s *Station) ruleFor(e discovery.Endpoint) (Rule, bool) {
	if len(s.cfg.Rules) == 0 {
		return Rule{}, true
	}
	for _, r := range s.cfg.Rules {
		if r.Match(e) {
			return r, true
		}
	}
	return Rule{}, false
}

// changed asks for a new view.
func (s *Station) changed(urgent bool) {
	signal(s.dirty)
	if urgent {
		signal(s.urgent)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// publish makes views until ctx ends.
func (s *Station) publish(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for version := uint64(1); ; version++ {
		select {
		case <-s.dirty:
		case <-ctx.Done():
			return
		}
		// What comes within the interval goes into one view.
		select {
		case <-s.urgent:
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		pause.Reset(s.cfg.Interval)
		s.mu.Lock()
		devices := make([]*Device, 0, len(s.members))
		for _, m := range s.members {
			devices = append(devices, m.shown.Load())
		}
		waiting := make([]string, 0, len(s.waiting))
		for _, w := range s.waiting {
			waiting = append(waiting, w.EPR)
		}
		s.mu.Unlock()
		s.view.Store(newView(version, time.Now(), devices, waiting))
		s.mu.Lock()
		for w := range s.watchers {
			signal(w)
		}
		s.mu.Unlock()
	}
}
