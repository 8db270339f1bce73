package alerts

import (
	"cmp"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// weight orders priorities.
func weight(p pm.AlertConditionPriority) int {
	return slices.Index([]pm.AlertConditionPriority{pm.AlertConditionPriorityNone, pm.AlertConditionPriorityLo, pm.AlertConditionPriorityMe, pm.AlertConditionPriorityHi}, p)
}

// priorities lets conditions escalate and de-escalate. One that has gone has its own priority again.
func (t *turn) priorities(s *system) error {
	for _, c := range s.conditions {
		state, ok := stateOf[pm.ConditionState](t, c.handle)
		if !ok {
			continue
		}
		m := t.memory.conditions[c.handle]
		was := m.escalation
		if !m.shown {
			m.escalation, m.unseen, m.seen = "", time.Time{}, time.Time{}
		} else {
			t.escalate(c, &m)
		}
		t.memory.conditions[c.handle] = m
		if m.escalation == was && (was == "" || state.BaseCondition().ActualPriority == was) {
			continue
		}
		edited, err := mdib.Edit[pm.ConditionState](t.tx, c.handle)
		if err != nil {
			return err
		}
		edited.BaseCondition().ActualPriority = m.escalation
	}
	return nil
}

func (t *turn) escalate(c *condition, m *conditionMemory) {
	unseen, seen := len(c.signals) == 0, false
	for _, g := range c.signals {
		switch t.memory.signals[g.handle].presence {
		case pm.AlertSignalPresenceOn:
			unseen = true
		case pm.AlertSignalPresenceAck:
			seen = true
		}
	}
	keep := func(at *time.Time, is bool) {
		switch {
		case !is:
			*at = time.Time{}
		case at.IsZero():
			*at = t.now
		}
	}
	keep(&m.unseen, unseen)
	keep(&m.seen, seen && !unseen)
	current := m.escalation
	if current == "" {
		current = c.priority
	}
	after, ok := t.m.cfg.EscalateAfter[c.handle]
	if ok && c.escalated != "" && weight(current) < weight(c.escalated) && unseen && t.passed(m.unseen, after) {
		m.escalation = c.escalated
		t.note("alert condition escalated", "condition", c.handle, "priority", string(c.escalated))
		return
	}
	after, ok = t.m.cfg.DeescalateAfter[c.handle]
	if ok && c.deescalated != "" && weight(current) > weight(c.deescalated) && !m.seen.IsZero() && t.passed(m.seen, after) {
		m.escalation = c.deescalated
		t.note("alert condition de-escalated", "condition", c.handle, "priority", string(c.deescalated))
	}
}

// Present is a present alert condition.
type Present struct {
	Handle string
	Kind   pm.AlertConditionKind
	// Priority is the actual one.
	Priority pm.AlertConditionPriority
	// Rank orders conditions of one priority; the lower one comes first. 0 where the state has none.
	Rank int32
	// Since is when the condition was determined.
	Since pm.Timestamp
}

// PresentIn returns the present conditions of an MDIB, the most important first: by priority, then rank, then the latest.
func PresentIn(s *mdib.Snapshot) []Present {
	var out []Present
	for e := range s.Entities() {
		d, ok := e.Descriptor.(pm.ConditionDescriptor)
		if !ok {
			continue
		}
		state, ok := e.State.(pm.ConditionState)
		if !ok || !state.BaseCondition().Presence {
			continue
		}
		b := state.BaseCondition()
		p := Present{Handle: e.Handle, Kind: d.BaseCondition().Kind, Priority: b.ActualPriority, Rank: b.Rank.Or(0), Since: b.DeterminationTime.Or(0)}
		if p.Priority == "" {
			p.Priority = d.BaseCondition().Priority
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Present) int {
		return cmp.Or(cmp.Compare(weight(b.Priority), weight(a.Priority)), cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.Since, a.Since))
	})
	return out
}
