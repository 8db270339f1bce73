package mdib

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

// alertRules makes the activation states of each alert system in which something was edited agree with one another, in the same
// commit and so in the same report:
//
//   - a system that is not on takes its conditions and signals along (BICEPS R0116); one that comes back on takes those along
//     that are as it was and have not been edited;
//   - a condition that is not on is not present (BICEPS R0029_0);
//   - an entry of SystemSignalActivation that was edited is carried over to the local signals, and every entry then
//     summarises them (BICEPS B-128).
//
// Which of them had been off for themselves before is not remembered here; package sdc/alerts does. In a transaction that changes the
// description nothing is done: states other than those of changed descriptors cannot go along.
func (tx *Tx) alertRules() {
	if tx.description != nil {
		return
	}
	var systems []string
	for i := range tx.edits {
		s, ok := tx.edits[i].after.(pm.AlertState)
		if !ok {
			continue
		}
		system := s.BaseState().DescriptorHandle
		if _, ok := s.(*pm.AlertSystemState); !ok {
			system = tx.parent(system)
		}
		if !slices.Contains(systems, system) {
			systems = append(systems, system)
		}
	}
	for _, system := range systems {
		if s, ok := tx.stateOf(system).(*pm.AlertSystemState); ok {
			tx.followSystem(system, s.ActivationState)
			tx.summariseSignals(system, s)
		}
	}
}

func (tx *Tx) stateOf(handle string) pm.State {
	s, _ := tx.State(handle)
	return s
}

func (tx *Tx) followSystem(system string, is pm.AlertActivation) {
	if is == "" {
		return // refused later, with the reason
	}
	was := is
	if before, ok := tx.base.states.Get(system); ok {
		if s, ok := before.(*pm.AlertSystemState); ok {
			was = s.ActivationState
		}
	}
	for child := range tx.base.Children(system) {
		s, ok := tx.stateOf(child).(pm.AlertState)
		if !ok {
			continue
		}
		own := s.BaseAlert().ActivationState
		if is != pm.AlertActivationOn || was != is && own == was && tx.find(tx.key(child)) < 0 {
			own = is
		}
		c, isCondition := s.(pm.ConditionState)
		gone := isCondition && own != pm.AlertActivationOn && c.BaseCondition().Presence
		if own == s.BaseAlert().ActivationState && !gone {
			continue
		}
		after := tx.edits[tx.touch(child)].after.(pm.AlertState)
		after.BaseAlert().ActivationState = own
		if gone {
			after.(pm.ConditionState).BaseCondition().Presence = false
		}
	}
}

// summariseSignals: BICEPS B-128.
func (tx *Tx) summariseSignals(system string, s *pm.AlertSystemState) {
	if len(s.SystemSignalActivation) == 0 {
		return
	}
	var before []pm.SystemSignalActivation
	if b, ok := tx.base.states.Get(system); ok {
		if b, ok := b.(*pm.AlertSystemState); ok {
			before = b.SystemSignalActivation
		}
	}
	own := false // whether the list belongs to the transaction
	for i := range s.SystemSignalActivation {
		entry := s.SystemSignalActivation[i]
		signals := tx.localSignals(system, entry.Manifestation)
		if len(signals) == 0 {
			continue
		}
		if s.ActivationState == pm.AlertActivationOn && !slices.Contains(before, entry) {
			tx.carryOver(entry.State, signals)
		}
		activations := make([]pm.AlertActivation, len(signals))
		for k, h := range signals {
			activations[k] = tx.stateOf(h).(*pm.AlertSignalState).ActivationState
		}
		is := summary(activations)
		if is == entry.State {
			continue
		}
		if !own {
			after := tx.edits[tx.touch(system)].after.(*pm.AlertSystemState)
			after.SystemSignalActivation = slices.Clone(after.SystemSignalActivation)
			s, own = after, true
		}
		s.SystemSignalActivation[i].State = is
	}
}

func (tx *Tx) localSignals(system string, m pm.AlertSignalManifestation) []string {
	var out []string
	for child := range tx.base.Children(system) {
		d, ok := tx.base.Descriptor(child)
		if !ok {
			continue
		}
		if d, ok := d.(*pm.AlertSignalDescriptor); !ok || d.Manifestation != m {
			continue
		}
		if s, ok := tx.stateOf(child).(*pm.AlertSignalState); ok && s.LocationOrDefault() == pm.AlertSignalPrimaryLocationLoc {
			out = append(out, child)
		}
	}
	return out
}

// carryOver applies an edited entry to the signals, as far as they do not fit it yet.
func (tx *Tx) carryOver(entry pm.AlertActivation, signals []string) {
	var from []pm.AlertActivation // what gives way
	switch entry {
	case pm.AlertActivationOff:
		from = []pm.AlertActivation{pm.AlertActivationOn, pm.AlertActivationPsd}
	case pm.AlertActivationPsd:
		from = []pm.AlertActivation{pm.AlertActivationOn}
	case pm.AlertActivationOn:
		paused := false
		for _, h := range signals {
			switch tx.stateOf(h).(*pm.AlertSignalState).ActivationState {
			case pm.AlertActivationOn:
				return
			case pm.AlertActivationPsd:
				paused = true
			case pm.AlertActivationOff:
			}
		}
		from = []pm.AlertActivation{pm.AlertActivationOff}
		if paused {
			from = []pm.AlertActivation{pm.AlertActivationPsd}
		}
	}
	for _, h := range signals {
		if s := tx.stateOf(h).(*pm.AlertSignalState); slices.Contains(from, s.ActivationState) {
			tx.edits[tx.touch(h)].after.(*pm.AlertSignalState).ActivationState = entry
		}
	}
}
