package mdib

import (
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Follow applies a report that was made elsewhere, with all the versions it carries, as a Mirror does: for a device that shows what another one
// did, a replayed recording for example. No rule is checked and nothing is added. Report of the change returns the report given, which
// belongs to the store afterwards.
//
// A report of another sequence is a *SequenceError, one of a lower MDIB version ErrOld; other errors say that it does not fit. A report that fails changes nothing. Do
// not mix it with Update, unless nothing is to be followed any more.
func (st *Store) Follow(report msg.Report) (*Change, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	c, err := MirrorConfig{MaxStates: maxStates}.follow(st.current.Load(), report)
	if err != nil {
		return nil, err
	}
	st.retire(c)
	if c.After != c.Before {
		st.current.Store(c.After)
	}
	return c, nil
}

// Replace puts another MDIB in the place of the present one, as it is, versions included. It is for a device that shows what another one did, where
// what led there is not known. Consumers see it as a gap or a new sequence with the next report.
func (st *Store) Replace(s *Snapshot) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.leaving = nil
	st.current.Store(s)
}

// Retired is what a store remembers of a handle that was removed, so that its versions and its type go on when it comes back
// (BICEPS R0034_0, R0038_0, R0098_0).
type Retired struct {
	Handle string
	// Type is that of the descriptor, or of the context state.
	Type pm.QName
	// DescriptorVersion and StateVersion are the last ones.
	DescriptorVersion, StateVersion uint64
}

// Memory is what a store knows beside the MDIB itself. A device that goes on where it stopped gives it back by Config.Memory.
type Memory struct {
	// Retired handles, the oldest removal first.
	Retired []Retired
	// DescriptorFloor and StateFloor are above every version of the handles that are not remembered any more.
	DescriptorFloor, StateFloor uint64
	// Created counts the handles made for context states.
	Created uint64
}

// Save returns the MDIB and what belongs to it, of one moment.
func (st *Store) Save() (*Snapshot, Memory) {
	st.mu.Lock()
	defer st.mu.Unlock()
	r := &st.retired
	m := Memory{DescriptorFloor: r.descriptorFloor, StateFloor: r.stateFloor, Created: st.created}
	for handle := range r.order.Values() {
		h, _ := r.handles.Get(handle)
		m.Retired = append(m.Retired, Retired{
			Handle: handle, Type: h.typeName, DescriptorVersion: h.descriptorVersion, StateVersion: h.stateVersion,
		})
	}
	return st.current.Load(), m
}

// restore takes back what Save returned.
func (st *Store) restore(m *Memory) {
	if m == nil {
		return
	}
	st.retired.descriptorFloor, st.retired.stateFloor, st.created = m.DescriptorFloor, m.StateFloor, m.Created
	for _, h := range m.Retired {
		st.retired.remove(h.Handle) // once each
		st.retired.add(h.Handle, retiredHandle{typeName: h.Type, descriptorVersion: h.DescriptorVersion, stateVersion: h.StateVersion})
	}
}
