package alerts

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// turn settles the alert states within a transaction.
type turn struct {
	m      *Manager
	tx     *mdib.Tx
	layout *layout
	memory *memory
	now    time.Time
	check  bool // self checks are done
	next   time.Time
	notes  []func() // to be logged once committed
}

func (t *turn) run() error {
	for _, s := range t.layout.systems {
		t.notice(s)
	}
	for _, s := range t.layout.systems {
		for _, g := range s.signals {
			if err := t.delegation(g); err != nil {
				return err
			}
		}
	}
	for _, step := range []func(*system) error{t.activate, t.conditions, t.signals, t.priorities, t.selfCheck} {
		for _, s := range t.layout.systems {
			if err := step(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// wakeAt says that something changes by itself then.
func (t *turn) wakeAt(when time.Time) {
	if t.next.IsZero() || when.Before(t.next) {
		t.next = when
	}
}

// passed tells whether a delay since a time has passed, and has the manager wake when it does.
func (t *turn) passed(since time.Time, delay time.Duration) bool {
	end := since.Add(delay)
	if t.now.Before(end) {
		t.wakeAt(end)
		return false
	}
	return true
}

func (t *turn) note(msg string, args ...any) {
	t.notes = append(t.notes, func() { t.m.log.Info(msg, args...) })
}

func (t *turn) warn(msg string, args ...any) {
	t.notes = append(t.notes, func() { t.m.log.Warn(msg, args...) })
}

// stateOf returns a state as it is in the transaction; nil if there is none of this type.
func stateOf[T any](t *turn, handle string) (T, bool) {
	s, _ := t.tx.State(handle)
	v, ok := s.(T)
	return v, ok
}

// conditions brings the presence of a system's conditions up to date.
func (t *turn) conditions(s *system) error {
	for _, c := range s.conditions {
		if err := t.condition(c); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) condition(c *condition) error {
	state, ok := stateOf[pm.ConditionState](t, c.handle)
	if !ok {
		return nil
	}
	m := t.memory.conditions[c.handle]
	b := state.BaseCondition()
	on := b.ActivationState == pm.AlertActivationOn && t.memory.systems[c.system].activation == pm.AlertActivationOn
	delay := b.ActualConditionGenerationDelay.Or(pm.DurationOf(c.delay)).Std()
	switch {
	case c.judged() && !m.stated:
		fact, err := t.judge(c, m.fact)
		if err != nil {
			return err
		}
		m.fact = fact
	case on && b.Presence != m.shown: // somebody has stated the presence itself
		m.fact = b.Presence
		if m.fact {
			m.since = t.now.Add(-delay)
		}
	}
	present := false
	if on && m.fact {
		if m.since.IsZero() {
			m.since = t.now
		}
		present = m.shown || t.passed(m.since, delay)
	} else {
		m.since = time.Time{}
	}
	if present != m.shown {
		m.at = time.Time{}
		if present {
			m.at = t.now
		}
		t.note("alert condition", "condition", c.handle, "present", present)
	}
	m.shown = present
	t.memory.conditions[c.handle] = m
	if present == b.Presence {
		return nil
	}
	return t.tx.SetPresence(c.handle, present)
}

// signals brings the presence of a system's signals up to date.
func (t *turn) signals(s *system) error {
	for _, g := range s.signals {
		if err := t.signal(g); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) signal(g *signal) error {
	state, ok := stateOf[*pm.AlertSignalState](t, g.handle)
	if !ok {
		return nil
	}
	m := t.memory.signals[g.handle]
	shown := state.PresenceOrDefault()
	in := input{activation: state.ActivationState, latching: g.latching}
	is := shown
	switch {
	case g.condition != nil:
		if in.activation == pm.AlertActivationOn && shown != m.presence {
			// Somebody has changed the presence itself: an acknowledgement counts, the rest is for the condition to say.
			if shown == pm.AlertSignalPresenceAck && g.ackable || shown == pm.AlertSignalPresenceOff && m.presence == pm.AlertSignalPresenceLatch {
				m.acknowledge(m.presence, t.now)
			}
		}
		c := t.memory.conditions[g.condition.handle]
		in.present = c.shown
		delay := state.ActualSignalGenerationDelay.Or(pm.DurationOf(g.delay)).Std()
		if len(g.primaries) > 0 {
			delay = 0 // a fallback signal's delay counts from the last confirmation of the delegate, see delegation
		}
		in.due = in.present && (m.generated || t.passed(c.at, delay))
		in.ackOver = m.acked && g.ackTimeout > 0 && t.passed(m.ackedAt, g.ackTimeout)
		is = m.next(in)
	case in.activation != pm.AlertActivationOn:
		is = pm.AlertSignalPresenceOff
	}
	if is != m.presence {
		t.note("alert signal", "signal", g.handle, "presence", string(is))
	}
	m.presence, m.location = is, state.LocationOrDefault()
	t.memory.signals[g.handle] = m
	if is == shown {
		return nil
	}
	s, err := mdib.Edit[*pm.AlertSignalState](t.tx, g.handle)
	if err != nil {
		return err
	}
	s.Presence = is
	return nil
}

// selfCheck checks the system if it is time (BICEPS self-check). Checks keep to their schedule, however late the last one came.
func (t *turn) selfCheck(s *system) error {
	m := t.memory.systems[s.handle]
	if s.period <= 0 {
		return nil
	}
	due := m.checked.Add(s.period)
	if m.checked.IsZero() {
		due = t.now
	}
	if !t.check || t.now.Before(due) {
		t.wakeAt(due)
		return nil
	}
	if m.checked = due; t.now.Sub(due) > s.period {
		m.checked = t.now // the device was asleep
	}
	t.wakeAt(m.checked.Add(s.period))
	t.memory.systems[s.handle] = m
	if check := t.m.cfg.SelfCheck; check != nil {
		if err := check(s.handle); err != nil {
			t.warn("the self check of an alert system failed", "system", s.handle, "err", err)
			return nil
		}
	}
	state, err := mdib.Edit[*pm.AlertSystemState](t.tx, s.handle)
	if err != nil {
		return err
	}
	state.LastSelfCheck = pm.Some(pm.TimestampOf(t.m.cfg.Now()))
	state.SelfCheckCount = pm.Some(state.SelfCheckCount.Or(0) + 1)
	return nil
}
