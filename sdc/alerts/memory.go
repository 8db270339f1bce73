package alerts

import (
	"maps"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// memory is what cannot be read from the MDIB. A turn works on a copy, which replaces the memory when the turn has been committed.
type memory struct {
	systems    map[string]systemMemory
	conditions map[string]conditionMemory
	signals    map[string]signalMemory
}

// own is the activation of a condition or signal.
type own struct {
	// wish is the activation it has for itself, whatever the system around it is.
	wish pm.AlertActivation
	// shown is the activation the manager has seen or set last; another one in the MDIB has been set by somebody.
	shown pm.AlertActivation
}

type systemMemory struct {
	activation pm.AlertActivation // last seen
	entries    map[pm.AlertSignalManifestation]entryMemory
	checked    time.Time                                 // the last self check fell due then; zero before the first
	quiet      map[pm.AlertSignalManifestation]time.Time // until when local signals are quiet, see Manager.Quiet; replaced, never changed
}

// entryMemory is about an entry of SystemSignalActivation.
type entryMemory struct {
	cap   pm.AlertActivation // no local signal is more active than this
	until time.Time          // when the cap goes back to On; zero means never
	shown pm.AlertActivation
}

type conditionMemory struct {
	own
	stated     bool      // the application judges a limit condition itself
	fact       bool      // what has been stated or judged
	since      time.Time // when the fact came; zero while it is not looked at
	at         time.Time // when the condition became present
	shown      bool      // presence last seen
	unseen     time.Time // since when it is present with a signal that nobody acknowledged
	seen       time.Time // since when all its signals are acknowledged
	escalation pm.AlertConditionPriority
}

type signalMemory struct {
	own
	episode
	presence  pm.AlertSignalPresence        // last seen
	location  pm.AlertSignalPrimaryLocation // last seen
	confirmed time.Time                     // when a delegate last confirmed
}

func newMemory(s *mdib.Snapshot, l *layout) *memory {
	return (&memory{}).clone(l, s)
}

// clone copies what is about things that are there, and adds what is new as the MDIB has it.
func (m *memory) clone(l *layout, s *mdib.Snapshot) *memory {
	c := &memory{
		systems:    make(map[string]systemMemory, len(l.systems)),
		conditions: make(map[string]conditionMemory, len(l.conditions)),
		signals:    make(map[string]signalMemory, len(l.signals)),
	}
	now := time.Now()
	for _, sys := range l.systems {
		if y, ok := m.systems[sys.handle]; ok {
			y.entries = maps.Clone(y.entries)
			c.systems[sys.handle] = y
		} else if state, ok := mdib.Get[*pm.AlertSystemState](s, sys.handle); ok {
			y := systemMemory{activation: state.ActivationState, entries: map[pm.AlertSignalManifestation]entryMemory{}}
			for _, e := range state.SystemSignalActivation {
				y.entries[e.Manifestation] = entryMemory{cap: pm.AlertActivationOn, shown: e.State}
			}
			c.systems[sys.handle] = y
		}
		system := c.systems[sys.handle].activation
		for _, x := range sys.conditions {
			if y, ok := m.conditions[x.handle]; ok {
				c.conditions[x.handle] = y
			} else if state, ok := mdib.Get[pm.ConditionState](s, x.handle); ok {
				b := state.BaseCondition()
				y := conditionMemory{own: newOwn(system, b.ActivationState), fact: b.Presence, shown: b.Presence, escalation: b.ActualPriority}
				if b.Presence {
					y.since, y.at = now, now
				}
				c.conditions[x.handle] = y
			}
		}
		for _, x := range sys.signals {
			if y, ok := m.signals[x.handle]; ok {
				c.signals[x.handle] = y
			} else if state, ok := mdib.Get[*pm.AlertSignalState](s, x.handle); ok {
				y := signalMemory{own: newOwn(system, state.ActivationState), presence: state.PresenceOrDefault(), location: state.LocationOrDefault(), confirmed: now}
				y.episode.resume(y.presence, now)
				c.signals[x.handle] = y
			}
		}
	}
	return c
}

// newOwn: what is off together with its system when the manager starts is taken to be off because of it.
func newOwn(system, is pm.AlertActivation) own {
	o := own{wish: is, shown: is}
	if system != pm.AlertActivationOn && is == system {
		o.wish = pm.AlertActivationOn
	}
	return o
}
