package alerts

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Updater is a device: a provider, or what stands before one.
type Updater interface {
	// MDIB returns the current MDIB.
	MDIB() *mdib.Snapshot
	// Update commits a transaction; see provider.Provider.Update.
	Update(fn func(*mdib.Tx) error) error
}

// DefaultDelegationTimeout is how long a delegated signal may go without confirmation where the MDIB does not say.
const DefaultDelegationTimeout = 10 * time.Second

// retryAfter is when a settling that failed is tried again.
const retryAfter = time.Second

// Config configures a Manager. Device is needed, everything else has a default.
type Config struct {
	// Device is what the manager changes.
	Device Updater
	// Now is the device's clock, for the times in the MDIB; nil means time.Now. Delays are measured with the monotonic clock.
	Now func() time.Time
	// SelfCheck performs the self check of an alert system, quickly. A check that fails is logged and not counted, so that consumers
	// notice that it is overdue. Nil checks nothing beyond that the manager runs.
	SelfCheck func(system string) error
	// AutoLimit returns the limits of a condition for the present value of its source, while its AutoLimitActivationState is On; they are clipped to
	// MaxLimits. Nil leaves limits as they are.
	AutoLimit func(condition string, value pm.Decimal, limits pm.Range) pm.Range
	// EscalateAfter is, by the handle of a condition with CanEscalate, how long it is present and a signal of it unacknowledged before its priority rises.
	EscalateAfter map[string]time.Duration
	// DeescalateAfter is, by the handle of a condition with CanDeescalate, how long it is present and acknowledged before its priority sinks.
	DeescalateAfter map[string]time.Duration
	// DelegationTimeout is for delegated signals about which the MDIB says nothing; 0 means DefaultDelegationTimeout.
	DelegationTimeout time.Duration
	// Logger receives alerts that come and go; nil discards.
	Logger *slog.Logger
}

// Manager keeps the alert states of a device right. Its methods are safe for concurrent use, but not from within a transaction of the device.
type Manager struct {
	cfg Config
	log *slog.Logger

	wake chan struct{} // holds one

	mu     sync.Mutex // held across transactions: before every lock of the device
	layout *layout
	memory *memory
	next   time.Time // when time alone changes something; zero means never
}

// New makes a manager for a device. It changes nothing yet: Run, Evaluate and the other methods do.
func New(cfg Config) (*Manager, error) {
	if pm.IsNil(cfg.Device) {
		return nil, errors.New("alerts: Device is missing")
	}
	for _, m := range []map[string]time.Duration{cfg.EscalateAfter, cfg.DeescalateAfter} {
		for handle, d := range m {
			if d < 0 {
				return nil, errors.New("alerts: the delay for " + handle + " is negative")
			}
		}
	}
	if cfg.DelegationTimeout < 0 {
		return nil, errors.New("alerts: DelegationTimeout is negative")
	}
	if cfg.DelegationTimeout == 0 {
		cfg.DelegationTimeout = DefaultDelegationTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Manager{cfg: cfg, log: cfg.Logger, wake: make(chan struct{}, 1)}
	m.layout = newLayout(cfg.Device.MDIB(), cfg.DelegationTimeout)
	m.memory = newMemory(cfg.Device.MDIB(), m.layout)
	return m, nil
}

// MDIB returns the device's current MDIB.
func (m *Manager) MDIB() *mdib.Snapshot { return m.cfg.Device.MDIB() }

// Run checks the alert systems, and settles what time and changes noticed bring about, until ctx ends. It returns nil then.
func (m *Manager) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-m.wake:
		}
		if err := m.transact(nil, nil, true); err != nil {
			m.log.Error("the alert states could not be settled; trying again", "err", err, "after", retryAfter)
			timer.Reset(retryAfter)
			continue
		}
		// The settling may have woken us: everything up to now is settled.
		if due, ok := m.due(); ok {
			timer.Reset(time.Until(due))
		} else {
			timer.Stop()
		}
	}
}

func (m *Manager) due() (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.next, !m.next.IsZero()
}

// Notice says that something was committed past the manager. It never blocks and may be called within a transaction, so it fits
// provider.Hooks: Run evaluates soon after.
func (m *Manager) Notice() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Evaluate settles everything for the MDIB and the time as they are now.
func (m *Manager) Evaluate() error { return m.transact(nil, nil, false) }

// Update commits a transaction of the device. If fn changes alert states, everything that depends on them is settled in the same transaction; where
// it contradicts a rule, the rule wins. After a transaction about metrics, components or the description the alert states are settled in one of their own, so
// the value that raised an alert is reported before it.
func (m *Manager) Update(fn func(*mdib.Tx) error) error {
	if fn == nil {
		return errors.New("alerts: there is no transaction")
	}
	return m.transact(fn, nil, false)
}

// transact runs fn, if any, and settles; act, if any, comes before that and changes what the manager remembers. It wakes Run when the
// time of the next change has moved.
func (m *Manager) transact(fn func(*mdib.Tx) error, act func(*turn) error, check bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.next
	defer func() {
		if !check && !m.next.Equal(before) {
			m.Notice()
		}
	}()
	if fn == nil {
		return m.settle(nil, act, check)
	}
	kind := mdib.KindNone
	if err := m.settle(func(tx *mdib.Tx) (bool, error) {
		if err := fn(tx); err != nil {
			return false, err
		}
		kind = tx.Kind()
		return kind == mdib.KindAlert || act != nil, nil
	}, act, check); err != nil {
		return err
	}
	switch kind {
	case mdib.KindMetric, mdib.KindComponent, mdib.KindDescription:
		return m.settle(nil, nil, check)
	}
	return nil
}

// settle runs one transaction: fn, and if that says so the turn. What the manager remembers changes with the MDIB or not at all.
func (m *Manager) settle(fn func(*mdib.Tx) (bool, error), act func(*turn) error, check bool) error {
	var t *turn
	err := m.cfg.Device.Update(func(tx *mdib.Tx) error {
		if fn != nil {
			if ok, err := fn(tx); err != nil || !ok {
				return err
			}
		}
		base := tx.Base()
		if m.layout == nil || m.layout.version != base.DescriptionVersion() {
			m.layout = newLayout(base, m.cfg.DelegationTimeout)
		}
		t = &turn{m: m, tx: tx, layout: m.layout, memory: m.memory.clone(m.layout, base), now: time.Now(), check: check}
		if act != nil {
			if err := act(t); err != nil {
				return err
			}
		}
		return t.run()
	})
	if err != nil || t == nil {
		return err
	}
	m.memory, m.next = t.memory, t.next
	for _, note := range t.notes {
		note()
	}
	return nil
}
