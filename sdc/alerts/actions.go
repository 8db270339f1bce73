package alerts

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func refuse(id, handle, format string, args ...any) error {
	return &mdib.RuleError{ID: id, Handle: handle, Msg: fmt.Sprintf(format, args...)}
}

func unknown(handle, what string) error {
	return fmt.Errorf("alerts: there is no %s %q: %w", what, handle, mdib.ErrUnknownHandle)
}

// SetPresence says whether the fact behind an alert condition is there. The condition is present once its generation delay has passed, while it
// and its alert system are on. A limit condition is not judged by its sources any more from then on, until Judge. The error wraps mdib.ErrUnknownHandle.
func (m *Manager) SetPresence(handle string, there bool) error {
	return m.SetPresences(map[string]bool{handle: there})
}

// SetPresences is SetPresence for several conditions, by their handles, which are told of in one report. If one of them is unknown, nothing has changed.
func (m *Manager) SetPresences(facts map[string]bool) error {
	return m.transact(nil, func(t *turn) error {
		for handle, there := range facts {
			c, ok := t.layout.conditions[handle]
			if !ok {
				return unknown(handle, "alert condition")
			}
			y := t.memory.conditions[handle]
			y.fact, y.stated = there, c.judged()
			t.memory.conditions[handle] = y
		}
		return nil
	}, false)
}

// Judge has a limit condition judged by its sources again.
func (m *Manager) Judge(handle string) error {
	return m.transact(nil, func(t *turn) error {
		c, ok := t.layout.conditions[handle]
		if !ok {
			return unknown(handle, "alert condition")
		}
		if !c.judged() {
			return refuse("BICEPS limits", handle, "it is no limit condition with a numeric metric as its source")
		}
		y := t.memory.conditions[handle]
		y.stated = false
		t.memory.conditions[handle] = y
		return nil
	}, false)
}

// SetActivation sets the activation of an alert system, condition or signal.
func (m *Manager) SetActivation(handle string, a pm.AlertActivation) error {
	switch a {
	case pm.AlertActivationOn, pm.AlertActivationOff, pm.AlertActivationPsd:
	default:
		return refuse("BICEPS schema", handle, "%q is no activation state", a)
	}
	return m.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[pm.AlertState](tx, handle)
		if err != nil {
			return err
		}
		s.BaseAlert().ActivationState = a
		return nil
	})
}

// Acknowledge acknowledges a signal, all signals of a condition, or all of an alert system: a generated one is silent until its condition has
// gone or AcknowledgeTimeout has passed, a latched one ends. It is refused for a signal that does not support it, and where there is
// nothing to acknowledge; a signal that is acknowledged already is no error.
func (m *Manager) Acknowledge(handle string) error {
	return m.transact(nil, func(t *turn) error { return t.acknowledge(handle) }, false)
}

func (t *turn) acknowledge(handle string) error {
	if g, ok := t.layout.signals[handle]; ok {
		done, err := t.acknowledgeSignal(g)
		if err == nil && !done {
			err = refuse("BICEPS ack", handle, "there is nothing to acknowledge")
		}
		return err
	}
	var signals []*signal
	if c, ok := t.layout.conditions[handle]; ok {
		signals = c.signals
	} else if s := t.system(handle); s != nil {
		signals = s.signals
	} else {
		return unknown(handle, "alert system, condition or signal")
	}
	some := false
	var failed error
	for _, g := range signals {
		done, err := t.acknowledgeSignal(g)
		some = some || done
		if err != nil {
			failed = err
		}
	}
	if !some && failed == nil {
		failed = refuse("BICEPS ack", handle, "there is nothing to acknowledge")
	}
	if some {
		return nil // what does not support it goes on
	}
	return failed
}

func (t *turn) acknowledgeSignal(g *signal) (bool, error) {
	y := t.memory.signals[g.handle]
	if y.presence == pm.AlertSignalPresenceAck {
		return true, nil
	}
	if y.presence == pm.AlertSignalPresenceOn && !g.ackable {
		return false, refuse("BICEPS ack", g.handle, "the signal does not support acknowledgement")
	}
	done := y.acknowledge(y.presence, t.now)
	t.memory.signals[g.handle] = y
	return done, nil
}

func (t *turn) system(handle string) *system {
	for _, s := range t.layout.systems {
		if s.handle == handle {
			return s
		}
	}
	return nil
}

// PauseAudio pauses the audible local signals of an alert system for a time; 0 means until ResumeAudio. Conditions go on, and so do signals of other
// manifestations and remote ones. Signals that are off stay off.
func (m *Manager) PauseAudio(system string, d time.Duration) error {
	return m.Pause(system, pm.AlertSignalManifestationAud, d)
}

// ResumeAudio ends a pause.
func (m *Manager) ResumeAudio(system string) error {
	return m.Resume(system, pm.AlertSignalManifestationAud)
}

// Pause is PauseAudio for any manifestation.
func (m *Manager) Pause(system string, manifestation pm.AlertSignalManifestation, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("alerts: a pause of %v", d)
	}
	return m.cap(system, manifestation, pm.AlertActivationPsd, d)
}

// Resume ends a pause of any manifestation.
func (m *Manager) Resume(system string, manifestation pm.AlertSignalManifestation) error {
	return m.cap(system, manifestation, pm.AlertActivationOn, 0)
}

func (m *Manager) cap(handle string, manifestation pm.AlertSignalManifestation, limit pm.AlertActivation, d time.Duration) error {
	return m.transact(nil, func(t *turn) error {
		s := t.system(handle)
		if s == nil {
			return unknown(handle, "alert system")
		}
		if len(t.localSignals(s, manifestation)) == 0 {
			return refuse("BICEPS B-128", handle, "the alert system has no local signals of manifestation %s", manifestation)
		}
		e := t.memory.systems[handle].entries
		y := e[manifestation]
		y.cap, y.until = limit, time.Time{}
		if d > 0 {
			y.until = t.now.Add(d)
		}
		e[manifestation] = y
		return nil
	}, false)
}

// SetPriority sets the actual priority of a present condition to its own, or to the one it can escalate or de-escalate to.
func (m *Manager) SetPriority(handle string, p pm.AlertConditionPriority) error {
	return m.transact(nil, func(t *turn) error { return t.setPriority(handle, p) }, false)
}

func (t *turn) setPriority(handle string, p pm.AlertConditionPriority) error {
	c, ok := t.layout.conditions[handle]
	if !ok {
		return unknown(handle, "alert condition")
	}
	if err := c.allows(p); err != nil {
		return err
	}
	y := t.memory.conditions[handle]
	if !y.shown {
		return refuse("BICEPS escalation", handle, "the condition is not present")
	}
	y.escalation, y.unseen, y.seen = p, time.Time{}, time.Time{} // the delays count from here
	t.memory.conditions[handle] = y
	return nil
}

func (c *condition) allows(p pm.AlertConditionPriority) error {
	if p == "" || p != c.priority && p != c.escalated && p != c.deescalated {
		return refuse("BICEPS escalation", c.handle, "the condition has priority %s and cannot become %q", c.priority, p)
	}
	return nil
}
