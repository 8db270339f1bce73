package mdib

import (
	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/pm"
)

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

// retired remembers removed handles.
type retired struct {
	max     int
	handles retiredMap
	order   pmap.Ordered // by the count of removals
	count   uint64
	// descriptorFloor and stateFloor are above every version of what was forgotten.
	descriptorFloor, stateFloor uint64
}

type retiredHandle struct {
	typeName                        pm.QName // of the descriptor, or of the context state
	descriptorVersion, stateVersion uint64
	order                           uint64
}

func (r *retired) add(handle string, h retiredHandle) {
	h.order = r.count
	r.count++
	r.handles = r.handles.Set(handle, h)
	r.order = r.order.Set(h.order, handle)
	for r.handles.Len() > r.max {
		at, oldest, _ := r.order.Min()
		old, _ := r.handles.Get(oldest)
		r.descriptorFloor = max(r.descriptorFloor, old.descriptorVersion+1)
		r.stateFloor = max(r.stateFloor, old.stateVersion+1)
		r.order = r.order.Delete(at)
		r.handles = r.handles.Delete(oldest)
	}
}

func (r *retired) remove(handle string) {
	if h, ok := r.handles.Get(handle); ok {
		r.handles = r.handles.Delete(handle)
		r.order = r.order.Delete(h.order)
	}
}

// versions returns the versions that a handle starts with when it is put in.
func (r *retired) versions(handle string) (descriptor, state uint64) {
	if h, ok := r.handles.Get(handle); ok {
		return h.descriptorVersion + 1, h.stateVersion + 1
	}
	return r.descriptorFloor, r.stateFloor
}
