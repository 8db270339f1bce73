package mdib

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/semeco/go-sdc/mdib/pm"
)

// NewContextState makes a new state of a context descriptor with a handle of its own, not associated yet. What it becomes is up to the
// caller; an association set here begins with the commit.
func (tx *Tx) NewContextState(descriptor string) (pm.ContextState, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	d, ok := tx.Descriptor(descriptor)
	if !ok {
		return nil, unknown(descriptor)
	}
	s, ok := pm.NewStateFor(d).(pm.ContextState)
	if !ok {
		return nil, fmt.Errorf("%q is a %s, not a context", clip(descriptor), d.TypeName().Local)
	}
	s.BaseMulti().Handle = tx.freshHandle(descriptor)
	return s, tx.addContext(s)
}

// NewContext is NewContextState with the type of the state.
func NewContext[T pm.ContextState](tx *Tx, descriptor string) (T, error) {
	var none T
	d, ok := tx.Descriptor(descriptor)
	if ok {
		if s := pm.NewStateFor(d); s != nil {
			if _, ok := s.(T); !ok {
				return none, fmt.Errorf("a state of %q is a %s, not a %v", clip(descriptor), s.TypeName().Local, reflect.TypeFor[T]())
			}
		}
	}
	s, err := tx.NewContextState(descriptor)
	if err != nil {
		return none, err
	}
	return s.(T), nil
}

// InsertContextState puts in a copy of a context state that was made elsewhere, in a SetContextState request for example, and
// returns the copy. If its handle is empty or that of its descriptor, it gets a handle of its own (SetContextState semantics). Versions and
// binding are set by the commit. A state that is nil is an error that wraps ErrMissing.
func (tx *Tx) InsertContextState(s pm.ContextState) (pm.ContextState, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	if pm.IsNil(s) {
		return nil, missing("the context state to insert")
	}
	descriptor := s.BaseState().DescriptorHandle
	d, ok := tx.Descriptor(descriptor)
	if !ok {
		return nil, unknown(descriptor)
	}
	if !pm.Pairs(d, s) {
		return nil, ruleError(idPairing, s.BaseMulti().Handle, "a %s cannot belong to the %s %q", s.TypeName().Local, d.TypeName().Local, clip(descriptor))
	}
	c := pm.CloneState(s).(pm.ContextState)
	if h := c.BaseMulti().Handle; h == "" || h == descriptor {
		c.BaseMulti().Handle = tx.freshHandle(descriptor)
	}
	return c, tx.addContext(c)
}

func (tx *Tx) addContext(s pm.ContextState) error {
	handle := s.BaseMulti().Handle
	e := editor{nodes: tx.base.nodes.Batch(), states: tx.base.states.Batch()}
	if tx.description != nil {
		e = *tx.description.work
	}
	if err := e.checkHandle(handle); err != nil {
		return err
	}
	key := tx.key(handle)
	if tx.find(key) >= 0 {
		return ruleError(idUnique, handle, "the handle is in use")
	}
	if err := tx.checkRetired(handle, s.TypeName()); err != nil {
		return err
	}
	tx.record(edit{key: key, after: s})
	return nil
}

// freshHandle makes a handle that has never been used in this store.
func (tx *Tx) freshHandle(descriptor string) string {
	for {
		tx.store.created++
		h := descriptor + "." + strconv.FormatUint(tx.store.created, 10)
		if _, known := tx.base.Parent(h); known || tx.find(tx.key(h)) >= 0 || tx.store.retired.handles.Has(h) {
			continue
		}
		if tx.description != nil && (tx.description.work.nodes.Has(h) || tx.description.work.states.Has(h)) {
			continue
		}
		return h
	}
}

// RemoveContextState removes a context state whose association has been No in a version before this one (BICEPS R5027). BICEPS has no
// way to report it: the state leaves the MDIB with the next commit that changes something, this one or a later one, unless it is
// edited before.
func (tx *Tx) RemoveContextState(handle string) error {
	if tx.done {
		return ErrTxDone
	}
	s, ok := tx.base.states.Get(handle)
	c, isContext := s.(pm.ContextState)
	if !ok || !isContext {
		return unknown(handle)
	}
	if a := c.BaseContext().ContextAssociationOrDefault(); a != pm.ContextAssociationNo {
		return ruleError("BICEPS R5027", handle, "the association must be No in an earlier version before the state is removed, it is %s", a)
	}
	tx.removals = append(tx.removals, handle)
	return nil
}
