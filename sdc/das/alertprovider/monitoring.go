package alertprovider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/provider"
)

// DefaultHoldoff is how long the operations stay disabled after a fallback.
const DefaultHoldoff = 10 * time.Second

// retryAfter is when something that the device could not do is tried again.
const retryAfter = time.Second

// Device is a *provider.Provider.
type Device interface {
	MDIB() *mdib.Snapshot
	Update(fn func(*mdib.Tx) error) error
	EPR() string
	HandleActivate(handle string, h func(ctx context.Context, call *provider.Activate) error) error
	HandleEffectEnd(handle string, h func(ctx context.Context, last *provider.Call) error) error
}

// Quieter is what pauses the local signals: an *alerts.Manager whose Device is the Monitoring.
type Quieter interface {
	// Quiet pauses local signals until a time and not longer, in the place of a former call; the zero time ends it at once.
	Quiet(until time.Time, manifestations []pm.AlertSignalManifestation, systems ...string) error
}

// Config describes a monitoring. Device is needed, everything else has a default.
type Config struct {
	// Device is the device; its MDIB has the operations of das.Description.
	Device Device
	// MDS is the handle of the MDS whose alarms are monitored; "" if one only has the operations.
	MDS string
	// Codes are the types of the operations, as in das.Description.
	Codes das.Codes
	// Manifestations are those of the local signals that are paused; nil is the audible ones. What is not named goes on sounding, blinking or shaking.
	Manifestations []pm.AlertSignalManifestation
	// Holdoff is how long nobody can activate after a fallback, so that a consumer that fails again and again cannot keep a device quiet most of the time. 0 means DefaultHoldoff.
	Holdoff time.Duration
	// Audit is told who took over, and how and why it ended; nil keeps no record. The calls themselves are recorded by the provider.
	Audit audit.Sink
	// Changed, if set, is called with the status after each change of the phase or the consumer, one call at a time. It must return quickly, and may call
	// no method of the Monitoring but Status.
	Changed func(Status)
	// Logger receives takeovers, and fallbacks as warnings; nil discards.
	Logger *slog.Logger
}

// Monitoring lets a consumer monitor the alarms of a device. Make it with New. It stands between the device and its alerts.Manager, as that one's Device.
type Monitoring struct {
	cfg Config
	ops das.Operations
	log *slog.Logger

	wake chan struct{} // holds one

	// applying is held while the device is brought to what is wanted, so that what is wanted last is done last. It is taken before every other lock.
	applying sync.Mutex
	applied  wanted
	clean    bool // the last time nothing failed

	mu       sync.Mutex // held for moments, never across a transaction of the device or a call of the alarms
	quieter  Quieter    // nil while Run does not run
	watch    *watch     // nil while nobody monitors
	changed  time.Time  // the first change of alerts that has not been looked at; zero without
	off      bool       // by Disable
	blocked  time.Time  // after a fallback
	since    time.Time
	last     Status // told last
	ended    Reason
	detail   string
	untold   []audit.Event
	roll     das.Roll
	telling  sync.Mutex // orders Changed and audit
	finished bool       // Run has ended
}

// wanted is what the device is brought to.
type wanted struct {
	until             time.Time // the lease of the quiet
	activate, confirm pm.OperatingMode
}

// New makes a monitoring and registers the handlers of its operations. They refuse until Run runs. The error says which operations are missing, or what is wrong
// with them: also that the device does not say MaxTechnicalConfirmationDelay, without which nothing would bring an alarm back.
func New(cfg Config) (*Monitoring, error) {
	if cfg.Device == nil {
		return nil, errors.New("alertprovider: Device is missing")
	}
	if cfg.Holdoff < 0 {
		return nil, errors.New("alertprovider: Holdoff is negative")
	}
	if cfg.Holdoff == 0 {
		cfg.Holdoff = DefaultHoldoff
	}
	if cfg.Manifestations == nil {
		cfg.Manifestations = []pm.AlertSignalManifestation{pm.AlertSignalManifestationAud}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Audit == nil {
		cfg.Audit = audit.SinkFunc(func(audit.Event) {})
	}
	if cfg.Changed == nil {
		cfg.Changed = func(Status) {}
	}
	snap := cfg.Device.MDIB()
	ops, err := das.Find(snap, cfg.MDS, cfg.Codes)
	if err != nil {
		return nil, fmt.Errorf("alertprovider: %w", err)
	}
	if ops.ConfirmWithin <= 0 {
		return nil, fmt.Errorf("alertprovider: operation %s does not say MaxTechnicalConfirmationDelay", ops.Activate)
	}
	m := &Monitoring{cfg: cfg, ops: ops, log: cfg.Logger, wake: make(chan struct{}, 1), last: Status{Phase: Local}}
	for _, h := range m.roll.In(snap, ops.MDS) {
		if err := das.CheckHandle(h); err != nil {
			return nil, fmt.Errorf("alertprovider: %w", err)
		}
	}
	return m, errors.Join(
		cfg.Device.HandleActivate(ops.Activate, m.activate),
		cfg.Device.HandleActivate(ops.Confirm, m.confirm),
		cfg.Device.HandleActivate(ops.End, m.end),
		cfg.Device.HandleEffectEnd(ops.Activate, m.effectEnd),
	)
}

// MDIB returns the device's current MDIB.
func (m *Monitoring) MDIB() *mdib.Snapshot { return m.cfg.Device.MDIB() }

// Update commits a transaction of the device, and looks at the alerts after it. It is for the alerts.Manager above; what is committed past that is looked at with the
// manager's next transaction.
func (m *Monitoring) Update(fn func(*mdib.Tx) error) error {
	kind := mdib.KindNone
	err := m.cfg.Device.Update(func(tx *mdib.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		kind = tx.Kind()
		return nil
	})
	switch kind {
	case mdib.KindNone, mdib.KindAlert, mdib.KindDescription:
		m.notice()
	}
	return err
}

// notice says that alerts may have changed. The time counts from here, whenever Run comes to look.
func (m *Monitoring) notice() {
	m.mu.Lock()
	if m.watch != nil && m.changed.IsZero() {
		m.changed = time.Now()
	}
	watched := m.watch != nil
	m.mu.Unlock()
	if watched {
		m.nudge()
	}
}

func (m *Monitoring) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run watches the times until ctx ends, which ends a monitoring and disables the operations; the local signals are back then. It returns nil, and can be called
// once. The alarm manager has to run as well, and should end after it.
func (m *Monitoring) Run(ctx context.Context, alarms Quieter) error {
	if alarms == nil {
		return errors.New("alertprovider: there is no alarm manager")
	}
	m.mu.Lock()
	if m.quieter != nil || m.finished {
		m.mu.Unlock()
		return errors.New("alertprovider: runs only once")
	}
	m.quieter, m.since = alarms, time.Now()
	m.mu.Unlock()
	if err := m.recover(); err != nil {
		return fmt.Errorf("alertprovider: alert signals that a former run may have left paused cannot be switched on: %w", err)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			m.mu.Lock()
			m.finishLocked(Stopped, "")
			m.off, m.finished = true, true
			m.mu.Unlock()
			m.settle()
			m.mu.Lock()
			m.quieter = nil
			m.mu.Unlock()
			return nil
		}
		timer.Reset(m.settle())
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-m.wake:
		}
	}
}

// recover brings back the signals of a device that starts with the MDIB of one that was stopped while it was monitored, by a loss of power for example: what is paused there
// would be taken for what its users wish. The confirming operation tells: it is enabled only then. What is off stays off.
func (m *Monitoring) recover() error {
	snap := m.cfg.Device.MDIB()
	if s, ok := mdib.Get[pm.OperationState](snap, m.ops.Confirm); !ok || s.BaseOperation().OperatingMode != pm.OperatingModeEn {
		return nil
	}
	return m.Update(func(tx *mdib.Tx) error {
		for e := range snap.Subtree(m.ops.MDS) {
			d, ok := e.Descriptor.(*pm.AlertSignalDescriptor)
			if !ok || !slices.Contains(m.cfg.Manifestations, d.Manifestation) {
				continue
			}
			s, ok := e.State.(*pm.AlertSignalState)
			if !ok || s.ActivationState != pm.AlertActivationPsd || s.LocationOrDefault() != pm.AlertSignalPrimaryLocationLoc {
				continue
			}
			if err := tx.SetAlertActivation(e.Handle, pm.AlertActivationOn); err != nil {
				return err
			}
		}
		return nil
	})
}

// idle is how long Run waits when no time is set.
const idle = time.Hour

// settle looks at changes and times, brings the device to what is wanted, and tells. It returns after what time it has to be called again.
func (m *Monitoring) settle() time.Duration {
	m.applying.Lock()
	now := time.Now()
	m.mu.Lock()
	m.lookLocked(now)
	want, quieter := m.wantedLocked(now), m.quieter
	next := m.nextLocked(now)
	m.mu.Unlock()
	if quieter != nil { // else Run does not run, and nothing is touched
		if m.clean = m.apply(want, quieter); !m.clean {
			next = min(next, retryAfter)
		}
	}
	m.applying.Unlock()
	m.tell()
	return next
}

// lookLocked takes note of changes and ends what has lapsed.
func (m *Monitoring) lookLocked(now time.Time) {
	if !m.blocked.IsZero() && !now.Before(m.blocked) {
		m.blocked = time.Time{}
		m.since = now
	}
	if m.watch == nil {
		m.changed = time.Time{}
		return
	}
	at := now
	if !m.changed.IsZero() {
		at = m.changed
	}
	m.changed = time.Time{}
	snap := m.cfg.Device.MDIB()
	wasQuiet := m.watch.quiet()
	if !m.watch.observe(snap, m.roll.In(snap, m.ops.MDS), at) {
		m.finishLocked(NewSequence, "")
		return
	}
	if reason, detail := m.watch.lapsed(now); reason != "" {
		m.finishLocked(reason, detail)
		return
	}
	if m.watch.quiet() != wasQuiet {
		m.since = now
	}
}

// wantedLocked is what the device should be like.
func (m *Monitoring) wantedLocked(now time.Time) wanted {
	w := wanted{activate: pm.OperatingModeEn, confirm: pm.OperatingModeDis}
	switch {
	case m.off || !m.blocked.IsZero():
		w.activate = pm.OperatingModeDis
	case m.watch != nil:
		w.confirm = pm.OperatingModeEn
		if m.watch.quiet() {
			w.until = m.watch.lapses()
		}
	}
	if !w.until.After(now) {
		w.until = time.Time{}
	}
	return w
}

func (m *Monitoring) nextLocked(now time.Time) time.Duration {
	switch {
	case m.watch != nil:
		return max(0, m.watch.lapses().Sub(now))
	case !m.blocked.IsZero():
		return max(0, m.blocked.Sub(now))
	}
	return idle
}

// apply brings the device to what is wanted, the signals first: false if something failed. The caller holds applying.
func (m *Monitoring) apply(want wanted, quieter Quieter) bool {
	ok := true
	if !m.clean || !want.until.Equal(m.applied.until) {
		if err := quieter.Quiet(want.until, m.cfg.Manifestations, m.systems()...); err != nil {
			m.log.Error("the local alert signals could not be set; trying again", "quiet", !want.until.IsZero(), "err", err)
			ok = false
		}
	}
	if !m.clean || want.activate != m.applied.activate || want.confirm != m.applied.confirm {
		if err := m.setModes(want); err != nil {
			m.log.Error("the operations of the distributed alarm system could not be switched; trying again", "err", err)
			ok = false
		}
	}
	m.applied = want
	return ok
}

func (m *Monitoring) setModes(want wanted) error {
	return m.cfg.Device.Update(func(tx *mdib.Tx) error {
		for handle, mode := range map[string]pm.OperatingMode{m.ops.Activate: want.activate, m.ops.Confirm: want.confirm, m.ops.End: want.confirm} {
			if s, ok := tx.State(handle); ok && s.(pm.OperationState).BaseOperation().OperatingMode == mode {
				continue
			}
			if err := tx.SetOperatingMode(handle, mode); err != nil {
				return err
			}
		}
		return nil
	})
}

// systems are the alert systems of the MDS.
func (m *Monitoring) systems() (out []string) {
	for e := range m.cfg.Device.MDIB().Subtree(m.ops.MDS) {
		if _, ok := e.Descriptor.(*pm.AlertSystemDescriptor); ok {
			out = append(out, e.Handle)
		}
	}
	return out
}

// finishLocked ends a monitoring, if there is one. All but an end by the consumer disable the operations for a while (DEV-49).
func (m *Monitoring) finishLocked(reason Reason, detail string) {
	w := m.watch
	if w == nil {
		return
	}
	now := time.Now()
	m.watch, m.changed, m.since = nil, time.Time{}, now
	m.ended, m.detail = reason, detail
	if reason != EndedByConsumer {
		m.blocked = now.Add(m.cfg.Holdoff)
	}
	m.recordLocked(w, "end", string(reason), detail)
}

func (m *Monitoring) recordLocked(w *watch, action, outcome, detail string) {
	m.untold = append(m.untold, audit.Event{
		Time: time.Now(), Kind: audit.Monitored, Device: m.cfg.Device.EPR(), Fingerprint: w.peer.Fingerprint(), Subject: w.peer.Subject(), Remote: w.peer.Remote,
		User: w.name, Action: action, Operation: m.ops.Activate, Outcome: outcome, Reason: detail,
	})
}

// Status tells how things are.
func (m *Monitoring) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.statusLocked()
}

func (m *Monitoring) statusLocked() Status {
	s := Status{Phase: Local, Since: m.since, Ended: m.ended, Detail: m.detail}
	switch w := m.watch; {
	case m.off:
		s.Phase = Disabled
	case !m.blocked.IsZero():
		s.Phase, s.Until = Disabled, m.blocked
	case w != nil:
		s.Phase = Pending
		if w.quiet() {
			s.Phase = Quiet
		}
		s.Name, s.Peer, s.Until, s.From, s.Unconfirmed = w.name, w.peer.String(), w.until, w.from, w.unconfirmed()
	}
	return s
}

// tell logs, records and reports what has changed since it was told last.
func (m *Monitoring) tell() {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.mu.Lock()
	events := slices.Clone(m.untold)
	m.untold = m.untold[:0]
	s := m.statusLocked()
	news := s.Phase != m.last.Phase || s.Name != m.last.Name || s.Peer != m.last.Peer || s.Ended != m.last.Ended || s.From != m.last.From
	m.last = s
	m.mu.Unlock()
	for _, e := range events {
		level := slog.LevelInfo
		if e.Outcome != "" && e.Outcome != string(EndedByConsumer) {
			level = slog.LevelWarn
		}
		m.log.Log(context.Background(), level, "distributed alarm system: "+e.Action, "name", e.User, "subject", e.Subject, "remote", e.Remote, "outcome", e.Outcome, "reason", e.Reason)
		m.cfg.Audit.Record(e)
	}
	if news {
		m.cfg.Changed(s)
	}
}
