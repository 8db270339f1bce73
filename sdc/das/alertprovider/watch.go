package alertprovider

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/das"
)

// maxChanges bounds the changes of one condition that wait for their confirmation; further ones share the time of the last.
const maxChanges = 32

// change is a state of a condition that has to be confirmed in time.
type change struct {
	version uint64
	due     time.Time
}

// watch is one monitoring by one consumer. It knows no locks and no clock.
type watch struct {
	key     string // tells the consumer from others
	peer    *sdc.Peer
	name    string
	from    mdib.Version
	until   time.Time
	within  time.Duration
	seen    map[string]uint64   // version of each condition that has been looked at
	changes map[string][]change // by condition, oldest first
	present map[string]uint64   // conditions that were present at the takeover and have not been confirmed
}

func newWatch(key, name string, peer *sdc.Peer, s *mdib.Snapshot, conditions []string, within time.Duration, until time.Time) *watch {
	w := &watch{
		key: key, name: name, peer: peer, from: s.Version(), until: until, within: within,
		seen: map[string]uint64{}, changes: map[string][]change{}, present: map[string]uint64{},
	}
	for _, h := range conditions {
		if c, ok := condition(s, h); ok {
			w.seen[h] = c.StateVersion
			if c.Presence {
				w.present[h] = c.StateVersion
			}
		}
	}
	return w
}

func condition(s *mdib.Snapshot, handle string) (*pm.AlertConditionState, bool) {
	c, ok := mdib.Get[pm.ConditionState](s, handle)
	if !ok {
		return nil, false
	}
	return c.BaseCondition(), true
}

// observe takes note of the conditions that have changed, at a time that is not later than now. false: the MDIB is of another sequence.
func (w *watch) observe(s *mdib.Snapshot, conditions []string, at time.Time) bool {
	if v := s.Version(); v.SequenceID != w.from.SequenceID || v.InstanceID != w.from.InstanceID {
		return false
	}
	there := 0
	for _, h := range conditions {
		c, ok := condition(s, h)
		if !ok {
			continue
		}
		there++
		last, known := w.seen[h]
		if known && c.StateVersion <= last {
			continue
		}
		w.seen[h] = c.StateVersion
		if !c.Presence {
			delete(w.present, h) // what has gone does not sound
		}
		if !known && !c.Presence {
			continue // new in the description, and nothing to tell
		}
		list := w.changes[h]
		if len(list) >= maxChanges {
			list[len(list)-1].version = c.StateVersion
			continue
		}
		w.changes[h] = append(list, change{c.StateVersion, at.Add(w.within)})
	}
	if there != len(w.seen) {
		w.forget(conditions)
	}
	return true
}

// forget drops conditions that are no longer there.
func (w *watch) forget(conditions []string) {
	for h := range w.seen {
		if !slices.Contains(conditions, h) {
			delete(w.seen, h)
			delete(w.changes, h)
			delete(w.present, h)
		}
	}
}

// confirm takes occurrences as delivered, all or none.
func (w *watch) confirm(list []das.Occurrence) error {
	for _, o := range list {
		switch seen, ok := w.seen[o.Condition]; {
		case !ok:
			return fmt.Errorf("%q is no alert condition that is monitored", clip(o.Condition))
		case o.Version > seen:
			return fmt.Errorf("version %d of %s has not been reported: the last one is %d", o.Version, o.Condition, seen)
		}
	}
	for _, o := range list {
		rest := slices.DeleteFunc(w.changes[o.Condition], func(c change) bool { return c.version <= o.Version })
		if w.changes[o.Condition] = rest; len(rest) == 0 {
			delete(w.changes, o.Condition)
		}
		if v, ok := w.present[o.Condition]; ok && o.Version >= v {
			delete(w.present, o.Condition)
		}
	}
	return nil
}

// due is when the first change is to be confirmed; zero if there is none.
func (w *watch) due() (first time.Time) {
	for _, list := range w.changes {
		if first.IsZero() || list[0].due.Before(first) {
			first = list[0].due
		}
	}
	return first
}

// lapses is when it ends by itself.
func (w *watch) lapses() time.Time {
	if due := w.due(); !due.IsZero() && due.Before(w.until) {
		return due
	}
	return w.until
}

// lapsed tells why it has ended by itself; "" if it has not.
func (w *watch) lapsed(now time.Time) (Reason, string) {
	if due := w.due(); !due.IsZero() && !now.Before(due) {
		var late []string
		for h, list := range w.changes {
			if !now.Before(list[0].due) {
				late = append(late, h)
			}
		}
		slices.Sort(late)
		return NotConfirmed, strings.Join(late, " ")
	}
	if !now.Before(w.until) {
		return NotRenewed, ""
	}
	return "", ""
}

func (w *watch) quiet() bool { return len(w.present) == 0 }

// unconfirmed counts conditions.
func (w *watch) unconfirmed() int {
	n := len(w.changes)
	for h := range w.present {
		if _, twice := w.changes[h]; !twice {
			n++
		}
	}
	return n
}

func clip(s string) string {
	const limit = 64
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
}
