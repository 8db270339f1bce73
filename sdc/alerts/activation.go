package alerts

import (
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Activation states are computed from what each element wishes for itself and what lies above it: the alert system, for local
// signals the cap of their manifestation and a quiet (Manager.Quiet), and for fallback signals a delegate. What somebody sets becomes the wish, or for
// SystemSignalActivation the cap; what a system or a cap forced is not a wish, and so everything comes back as it was.

// notice finds out what somebody has set since the last turn.
func (t *turn) notice(s *system) {
	state, ok := stateOf[*pm.AlertSystemState](t, s.handle)
	if !ok {
		return
	}
	m := t.memory.systems[s.handle]
	moved := state.ActivationState != m.activation
	m.activation = state.ActivationState
	forced := func(is pm.AlertActivation) bool {
		return moved || state.ActivationState != pm.AlertActivationOn && is == state.ActivationState
	}
	for _, c := range s.conditions {
		y := t.memory.conditions[c.handle]
		if cs, ok := stateOf[pm.ConditionState](t, c.handle); ok {
			if is := cs.BaseAlert().ActivationState; is != y.own.shown && !forced(is) {
				y.wish = is
				t.memory.conditions[c.handle] = y
			}
		}
	}
	var seen []pm.AlertSignalManifestation
	for _, g := range s.signals {
		y := t.memory.signals[g.handle]
		gs, ok := stateOf[*pm.AlertSignalState](t, g.handle)
		switch {
		case !ok:
		case gs.LocationOrDefault() == pm.AlertSignalPrimaryLocationRem:
			if y.location != gs.LocationOrDefault() {
				y.confirmed = t.now
			}
			if is := gs.ActivationState; is != y.shown && !forced(is) {
				y.wish = is
				if is == pm.AlertActivationOn {
					y.confirmed = t.now
				}
			}
			t.memory.signals[g.handle] = y
		case !slices.Contains(seen, g.manifestation):
			seen = append(seen, g.manifestation)
			m.entries[g.manifestation] = t.noticeEntry(s, state, m.entries[g.manifestation], g.manifestation, forced)
		}
	}
	t.memory.systems[s.handle] = m
}

// noticeEntry looks at the local signals of one manifestation and their entry in SystemSignalActivation, if there is one.
func (t *turn) noticeEntry(s *system, state *pm.AlertSystemState, m entryMemory, manifestation pm.AlertSignalManifestation, forced func(pm.AlertActivation) bool) entryMemory {
	if m.cap == "" {
		m.cap = pm.AlertActivationOn
	}
	group := t.localSignals(s, manifestation)
	entry := entryOf(state, manifestation)
	activations := make([]pm.AlertActivation, 0, len(group))
	for _, g := range group {
		gs, _ := stateOf[*pm.AlertSignalState](t, g.handle)
		activations = append(activations, gs.ActivationState)
	}
	wishAll := func(wish func(signalMemory) pm.AlertActivation) {
		for _, g := range group {
			y := t.memory.signals[g.handle]
			y.wish = wish(y)
			t.memory.signals[g.handle] = y
		}
	}
	if entry != "" && m.shown != "" && entry != m.shown && entry != summary(activations) && !forced(entry) {
		m.cap, m.until = entry, time.Time{}
		some := slices.ContainsFunc(group, func(g *signal) bool { return t.memory.signals[g.handle].wish == pm.AlertActivationOn })
		if entry == pm.AlertActivationOn && !some {
			wishAll(func(signalMemory) pm.AlertActivation { return pm.AlertActivationOn })
		}
		return m
	}
	for i, g := range group {
		is, y := activations[i], t.memory.signals[g.handle]
		if is == y.shown || forced(is) {
			continue
		}
		if is == pm.AlertActivationOn && m.cap != pm.AlertActivationOn {
			// One signal comes on alone: what keeps the others down is theirs from now on.
			limit := m.cap
			wishAll(func(y signalMemory) pm.AlertActivation { return lesser(y.wish, limit) })
			m.cap, m.until = pm.AlertActivationOn, time.Time{}
			y = t.memory.signals[g.handle]
		}
		y.wish = is
		t.memory.signals[g.handle] = y
	}
	if m.cap != pm.AlertActivationOn && !m.until.IsZero() && t.passed(m.until, 0) {
		m.cap, m.until = pm.AlertActivationOn, time.Time{}
		t.note("alert signals resumed", "system", s.handle, "manifestation", string(manifestation))
	}
	return m
}

func (t *turn) localSignals(s *system, manifestation pm.AlertSignalManifestation) []*signal {
	var out []*signal
	for _, g := range s.signals {
		if g.manifestation != manifestation {
			continue
		}
		if gs, ok := stateOf[*pm.AlertSignalState](t, g.handle); ok && gs.LocationOrDefault() == pm.AlertSignalPrimaryLocationLoc {
			out = append(out, g)
		}
	}
	return out
}

func entryOf(s *pm.AlertSystemState, m pm.AlertSignalManifestation) pm.AlertActivation {
	for _, e := range s.SystemSignalActivation {
		if e.Manifestation == m {
			return e.State
		}
	}
	return ""
}

// lesser returns the less active of two activation states.
func lesser(a, b pm.AlertActivation) pm.AlertActivation {
	if a == pm.AlertActivationOff || b == pm.AlertActivationOn {
		return a
	}
	if b == pm.AlertActivationOff || a == pm.AlertActivationOn {
		return b
	}
	return a
}

// summary is what an entry of SystemSignalActivation says for local signals in these states (BICEPS B-128).
func summary(signals []pm.AlertActivation) pm.AlertActivation {
	switch {
	case slices.Contains(signals, pm.AlertActivationOn):
		return pm.AlertActivationOn
	case slices.Contains(signals, pm.AlertActivationPsd):
		return pm.AlertActivationPsd
	}
	return pm.AlertActivationOff
}

// delegation looks whether the delegate of a signal still confirms.
func (t *turn) delegation(g *signal) error {
	state, ok := stateOf[*pm.AlertSignalState](t, g.handle)
	if !ok || !g.delegable || state.LocationOrDefault() != pm.AlertSignalPrimaryLocationRem {
		return nil
	}
	y := t.memory.signals[g.handle]
	if y.wish != pm.AlertActivationOn || !t.passed(y.confirmed, g.confirm) {
		return nil
	}
	t.warn("a delegated alert signal is not confirmed any more; falling back", "signal", g.handle, "after", g.confirm)
	if len(g.fallbacks) > 0 {
		y.wish = pm.AlertActivationOff
		t.memory.signals[g.handle] = y
		return nil
	}
	s, err := mdib.Edit[*pm.AlertSignalState](t.tx, g.handle)
	if err != nil {
		return err
	}
	s.Location = pm.AlertSignalPrimaryLocationLoc
	return nil
}

// delegated tells whether another participant generates the signal in the place of g.
func (t *turn) delegated(g *signal) bool {
	return slices.ContainsFunc(g.primaries, func(p *signal) bool {
		y := t.memory.signals[p.handle]
		s, ok := stateOf[*pm.AlertSignalState](t, p.handle)
		return ok && s.LocationOrDefault() == pm.AlertSignalPrimaryLocationRem && y.wish == pm.AlertActivationOn &&
			t.memory.systems[p.system].activation == pm.AlertActivationOn
	})
}

// activate sets the activation states of a system (BICEPS R0116, B-128).
func (t *turn) activate(s *system) error {
	m := t.memory.systems[s.handle]
	set := func(handle string, is pm.AlertActivation) error {
		if state, ok := stateOf[pm.AlertState](t, handle); !ok || state.BaseAlert().ActivationState == is {
			if ok && m.activation == pm.AlertActivationOn && is != pm.AlertActivationOn {
				// Edited, though nothing changes: when a system comes on, the commit leaves what has been edited alone.
				_, err := t.tx.EditState(handle)
				return err
			}
			return nil
		}
		state, err := mdib.Edit[pm.AlertState](t.tx, handle)
		if err != nil {
			return err
		}
		state.BaseAlert().ActivationState = is
		return nil
	}
	for _, c := range s.conditions {
		y := t.memory.conditions[c.handle]
		if y.own.shown = y.wish; m.activation != pm.AlertActivationOn {
			y.own.shown = m.activation
		}
		t.memory.conditions[c.handle] = y
		if err := set(c.handle, y.own.shown); err != nil {
			return err
		}
	}
	groups := map[pm.AlertSignalManifestation][]pm.AlertActivation{}
	for _, g := range s.signals {
		state, ok := stateOf[*pm.AlertSignalState](t, g.handle)
		if !ok {
			continue
		}
		y := t.memory.signals[g.handle]
		y.shown = y.wish
		local := state.LocationOrDefault() == pm.AlertSignalPrimaryLocationLoc
		if local {
			if limit := m.entries[g.manifestation].cap; limit != "" {
				y.shown = lesser(y.shown, limit)
			}
			if t.delegated(g) || t.quiets(s, g.manifestation) {
				y.shown = lesser(y.shown, pm.AlertActivationPsd)
			}
		}
		if m.activation != pm.AlertActivationOn {
			y.shown = m.activation
		}
		if local {
			groups[g.manifestation] = append(groups[g.manifestation], y.shown)
		}
		t.memory.signals[g.handle] = y
		if err := set(g.handle, y.shown); err != nil {
			return err
		}
	}
	return t.summarise(s, groups)
}

func (t *turn) summarise(s *system, groups map[pm.AlertSignalManifestation][]pm.AlertActivation) error {
	state, ok := stateOf[*pm.AlertSystemState](t, s.handle)
	if !ok {
		return nil
	}
	m := t.memory.systems[s.handle]
	for i := range state.SystemSignalActivation {
		e := state.SystemSignalActivation[i]
		is := e.State
		if group := groups[e.Manifestation]; len(group) > 0 {
			is = summary(group)
		}
		y := m.entries[e.Manifestation]
		y.shown = is
		m.entries[e.Manifestation] = y
		if is == e.State {
			continue
		}
		edited, err := mdib.Edit[*pm.AlertSystemState](t.tx, s.handle)
		if err != nil {
			return err
		}
		edited.SystemSignalActivation[i].State = is
		state = edited
	}
	return nil
}
