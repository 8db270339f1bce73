package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Quiet pauses the local signals of the given manifestations until a time, because somebody else is watching the alarms and has proved it: see package das. It is a
// lease: when the time comes the signals are back by the manager's own doing, whatever has become of the caller, and with the zero time, or one that has passed, they
// are back at once. A call replaces the one before it for the alert systems named, all of them without any; manifestations that are not named are not quiet.
//
// Quiet stands beside Pause and what users have switched: it ends neither, and no user ends it. Conditions and remote signals go on. The error wraps
// mdib.ErrUnknownHandle for a system that is not there; nothing has changed then.
func (m *Manager) Quiet(until time.Time, manifestations []pm.AlertSignalManifestation, systems ...string) error {
	return m.transact(nil, func(t *turn) error {
		for _, handle := range systems {
			if t.system(handle) == nil {
				return unknown(handle, "alert system")
			}
		}
		for _, s := range t.layout.systems {
			if len(systems) > 0 && !slices.Contains(systems, s.handle) {
				continue
			}
			y := t.memory.systems[s.handle]
			y.quiet = nil
			if until.After(t.now) {
				y.quiet = make(map[pm.AlertSignalManifestation]time.Time, len(manifestations))
				for _, g := range manifestations {
					y.quiet[g] = until
				}
			}
			t.memory.systems[s.handle] = y
		}
		return nil
	}, false)
}

// quiets tells whether the local signals of a manifestation are quiet, and forgets what has run out.
func (t *turn) quiets(s *system, g pm.AlertSignalManifestation) bool {
	m := t.memory.systems[s.handle]
	until, ok := m.quiet[g]
	if !ok {
		return false
	}
	if !t.passed(until, 0) {
		return true
	}
	m.quiet = maps.Clone(m.quiet)
	delete(m.quiet, g)
	t.memory.systems[s.handle] = m
	t.note("alert signals are not quiet any more", "system", s.handle, "manifestation", string(g))
	return false
}
