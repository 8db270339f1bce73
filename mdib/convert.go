package mdib

import (
	"errors"
	"math"

	"github.com/semeco/go-sdc/mdib/pm"
)

// maxFaults bounds how many faults of one MDIB are told at once.
const maxFaults = 20

// FromMdib makes a snapshot of an MDIB in tree form, for example the content of a GetMdibResponse. Descriptors without a state
// get one with initial values, see InitialState; context descriptors none.
//
// It refuses handles that are not unique (BICEPS R0007_0) or hold characters they must not (R0105_0), descriptors below parents
// they cannot have (tree rules), and states without descriptor or of the wrong type (R0023). The error joins
// up to 20 *RuleError. What else is wrong with an MDIB, Validate tells.
//
// The snapshot shares the content with m, which must not be changed afterwards.
func FromMdib(m *pm.Mdib) (*Snapshot, error) {
	if m == nil {
		return nil, errors.New("mdib: there is no MDIB to make a snapshot of")
	}
	s, faults := fromMdib(m, false, math.MaxInt)
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	e := s.content.edit()
	for entity := range s.Entities() {
		if entity.State == nil && !isContext(entity.Descriptor) {
			e.states.Set(entity.Handle, InitialState(entity.Descriptor))
		}
	}
	s.content = e.content()
	return s, nil
}

func fromMdib(m *pm.Mdib, lenient bool, most int) (*Snapshot, []error) {
	s := &Snapshot{version: VersionOf(m.MdibVersionGroup), mdibExtension: m.Extension}
	e := s.content.edit()
	e.lenient, e.fresh = lenient, true
	var faults []error
	fault := func(err error) bool {
		if err != nil {
			faults = append(faults, err)
		}
		return len(faults) < maxFaults
	}
	// room is asked for as the tree grows: what is built of a huge MDIB takes several times the memory of what was received.
	room := func() bool {
		err := e.checkSize(most)
		if err != nil {
			faults = append(faults, err)
		}
		return err == nil
	}
	if d := m.MdDescription; d != nil {
		s.descriptionVersion, s.descriptionExtension = d.DescriptionVersion, d.Extension
		for _, mds := range d.Mds {
			if mds != nil && !e.addTree("", mds, func(_ pm.Descriptor, err error) bool { return fault(err) && room() }) {
				return nil, faults
			}
		}
	}
	if st := m.MdState; st != nil {
		s.stateVersion, s.stateExtension = st.StateVersion, st.Extension
		for _, state := range st.State {
			if !pm.IsNil(state) && !(fault(e.addState(state)) && room()) {
				return nil, faults
			}
		}
	}
	s.content = e.content()
	return s, faults
}

// addTree adds a descriptor and all below it, parents first, telling visit of each and how it went. Below a descriptor that was refused nothing is added.
// It stops where visit returns false.
func (e *editor) addTree(parent string, d pm.Descriptor, visit func(pm.Descriptor, error) bool) bool {
	flat, kids := detach(d)
	err := e.add(parent, flat)
	if !visit(flat, err) {
		return false
	}
	if err != nil {
		return true
	}
	for _, k := range kids {
		if !e.addTree(flat.Base().Handle, k, visit) {
			return false
		}
	}
	return true
}

// InitialState returns the state a descriptor has before anything is known: the values the schema implies, and for what it
// requires: alerts are on, limits are the widest allowed, operations are enabled. nil for context descriptors, whose states come as contexts do.
func InitialState(d pm.Descriptor) pm.State {
	if isContext(d) {
		return nil
	}
	state := pm.NewStateFor(d)
	switch s := state.(type) {
	case pm.AlertState:
		s.BaseAlert().ActivationState = pm.AlertActivationOn
		if limit, ok := s.(*pm.LimitAlertConditionState); ok {
			limit.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsAll
			limit.Limits = *d.(*pm.LimitAlertConditionDescriptor).MaxLimits.Clone()
		}
	case pm.OperationState:
		s.BaseOperation().OperatingMode = pm.OperatingModeEn
	}
	return state
}

// Mdib returns the whole MDIB in tree form, as GetMdibResponse carries it, context states included (SDPi R7002). The tree is the
// caller's, what is below it is shared with the snapshot: not to be changed.
func (s *Snapshot) Mdib() *pm.Mdib {
	return &pm.Mdib{
		MdibVersionGroup: s.version.Group(), Extension: s.mdibExtension,
		MdDescription: s.MdDescription(), MdState: s.MdState(),
	}
}

// MdDescription returns all descriptors in tree form; see Mdib.
func (s *Snapshot) MdDescription() *pm.MdDescription {
	d := &pm.MdDescription{DescriptionVersion: s.descriptionVersion, Extension: s.descriptionExtension}
	for h := range s.Roots() {
		d.Mds = append(d.Mds, s.tree(h).(*pm.MdsDescriptor))
	}
	return d
}

// Tree returns a descriptor with all its children, a copy that shares with the snapshot what is behind pointers.
func (s *Snapshot) Tree(handle string) (pm.Descriptor, bool) {
	if !s.nodes.Has(handle) {
		return nil, false
	}
	return s.tree(handle), true
}

func (s *Snapshot) tree(handle string) pm.Descriptor {
	n, _ := s.nodes.Get(handle)
	if n.children.Len() == 0 {
		return n.descriptor
	}
	d := pm.ShallowDescriptor(n.descriptor)
	for child := range n.children.Values() {
		attach(d, s.tree(child)) // there is a place: add checked it
	}
	return d
}

// MdState returns all states in the order of the containment tree; see Mdib.
func (s *Snapshot) MdState() *pm.MdState {
	st := &pm.MdState{StateVersion: s.stateVersion, Extension: s.stateExtension, State: make([]pm.State, 0, s.states.Len())}
	for h := range s.Roots() {
		st.State = s.appendStates(st.State, h)
	}
	return st
}

func (s *Snapshot) appendStates(list []pm.State, handle string) []pm.State {
	n, _ := s.nodes.Get(handle)
	if state, ok := s.states.Get(handle); ok {
		list = append(list, state)
	}
	for _, h := range n.contexts {
		state, _ := s.states.Get(h)
		list = append(list, state)
	}
	for child := range n.children.Values() {
		list = s.appendStates(list, child)
	}
	return list
}
