package mdib

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// draft is the description in the making.
type draft struct {
	work      *editor
	edited    map[string]pm.Descriptor // private copies of descriptors that were there before
	order     []string                 // of edited
	created   []string                 // in the order of insertion: parents first
	isCreated map[string]bool          // without those deleted again
	deleted   []DescriptorChange       // children first
	isDeleted map[string]bool
}

func (tx *Tx) draft() *draft {
	if tx.description == nil {
		tx.description = &draft{
			work: tx.base.content.edit(), edited: map[string]pm.Descriptor{},
			isCreated: map[string]bool{}, isDeleted: map[string]bool{},
		}
	}
	return tx.description
}

// EditDescriptor returns the transaction's private copy of a descriptor without its children, to be changed in place. Handle and version are
// not to be changed, and it cannot be given children: Insert and Delete do that.
func (tx *Tx) EditDescriptor(handle string) (pm.Descriptor, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	d := tx.draft()
	n, ok := d.work.nodes.Get(handle)
	if !ok {
		return nil, unknown(handle)
	}
	if d.isCreated[handle] {
		return n.descriptor, nil
	}
	if c, ok := d.edited[handle]; ok {
		return c, nil
	}
	c := pm.CloneDescriptor(n.descriptor)
	d.edited[handle] = c
	d.order = append(d.order, handle)
	return c, nil
}

// EditDescriptorAs is EditDescriptor with the type of the descriptor:
//
//	d, err := mdib.EditDescriptorAs[*pm.NumericMetricDescriptor](tx, "hr")
func EditDescriptorAs[T pm.Descriptor](tx *Tx, handle string) (T, error) {
	var none T
	d, err := tx.EditDescriptor(handle)
	if err != nil {
		return none, err
	}
	t, ok := d.(T)
	if !ok {
		return none, fmt.Errorf("descriptor %q is a %s, not a %v", clip(handle), d.TypeName().Local, reflect.TypeFor[T]())
	}
	return t, nil
}

// Insert puts a copy of a descriptor below a parent, "" for an MDS, with everything below it that is in its child fields. states are
// states of the inserted descriptors; what has none gets an InitialState, context descriptors none. A state without descriptor
// handle belongs to d.
//
// Versions are set by the store: 0, or for a handle that was there before, one above the last (BICEPS R0034_0, R0038_0); such a handle
// must keep its type (R0098_0). A handle that this transaction deletes cannot be inserted in it (SDPi R1008). System context and context
// descriptors can only be inserted with their MDS.
//
// A nil descriptor, or a state that is a nil pointer, is an error that wraps ErrMissing; a plain nil among the states is passed over, like nil children.
//
// After an error the transaction cannot be committed.
func (tx *Tx) Insert(parent string, d pm.Descriptor, states ...pm.State) error {
	if tx.done {
		return ErrTxDone
	}
	if pm.IsNil(d) {
		return tx.fail(missing("the descriptor to insert"))
	}
	for _, s := range states {
		if s != nil && pm.IsNil(s) {
			return tx.fail(missing("a state to insert"))
		}
	}
	dr := tx.draft()
	var inserted []string
	var failed error
	dr.work.addTree(parent, pm.CloneDescriptor(d), func(d pm.Descriptor, err error) bool {
		handle := d.Base().Handle
		if err == nil {
			err = tx.checkInsert(handle, d)
		}
		if err != nil {
			failed = err
			return false
		}
		d.Base().DescriptorVersion, _ = tx.store.retired.versions(handle)
		dr.created = append(dr.created, handle)
		dr.isCreated[handle] = true
		inserted = append(inserted, handle)
		return true
	})
	if failed != nil {
		return tx.fail(failed)
	}
	for _, s := range states {
		if err := tx.insertState(d.Base().Handle, s); err != nil {
			return tx.fail(err)
		}
	}
	for _, handle := range inserted {
		n, _ := dr.work.nodes.Get(handle)
		if !isContext(n.descriptor) && !dr.work.states.Has(handle) {
			if err := tx.insertState(handle, InitialState(n.descriptor)); err != nil {
				return tx.fail(err)
			}
		}
	}
	return nil
}

func (tx *Tx) checkInsert(handle string, d pm.Descriptor) error {
	dr := tx.description
	if dr.isDeleted[handle] {
		return ruleError(idOnce, handle, "the handle is deleted in the same transaction; insert it in another")
	}
	if n, _ := dr.work.nodes.Get(handle); isFixed(d) && !dr.isCreated[n.mds] {
		return ruleError(idContext, handle, "a %s can only be inserted together with its MDS", d.TypeName().Local)
	}
	return tx.checkRetired(handle, d.TypeName())
}

// insertState adds a copy of a state of one of the descriptors just inserted.
func (tx *Tx) insertState(top string, s pm.State) error {
	if s == nil {
		return nil
	}
	s = pm.CloneState(s)
	base := s.BaseState()
	if base.DescriptorHandle == "" {
		base.DescriptorHandle = top
	}
	if !tx.description.isCreated[base.DescriptorHandle] {
		return ruleError("BICEPS R5052", pm.HandleOf(s), "the state belongs to %q, which is not among the inserted descriptors", clip(base.DescriptorHandle))
	}
	if c, ok := s.(pm.ContextState); ok {
		if h := c.BaseMulti().Handle; h == "" || h == base.DescriptorHandle {
			c.BaseMulti().Handle = tx.freshHandle(base.DescriptorHandle)
		}
		if err := tx.checkRetired(c.BaseMulti().Handle, s.TypeName()); err != nil {
			return err
		}
	}
	if err := tx.description.work.addState(s); err != nil {
		return err
	}
	tx.record(edit{key: tx.key(pm.HandleOf(s)), after: s})
	return nil
}

// Delete takes out a descriptor with everything below it and all their states. System context and context descriptors
// can only be deleted with their MDS. Strictly, nothing may be deleted that has children (BICEPS R5046_0): [DeleteTree] takes a tree out leaf by leaf,
// in several versions.
func (tx *Tx) Delete(handle string) error {
	if tx.done {
		return ErrTxDone
	}
	dr := tx.draft()
	top, ok := dr.work.nodes.Get(handle)
	if !ok {
		return unknown(handle)
	}
	list := dr.work.below(nil, handle)
	if top.parent != "" && !dr.isCreated[top.mds] {
		for _, h := range list {
			if n, _ := dr.work.nodes.Get(h); isFixed(n.descriptor) {
				return ruleError(idContext, h, "a %s can only be deleted together with its MDS", n.descriptor.TypeName().Local)
			}
		}
	}
	gone := make(map[string]bool, len(list))
	cancelled := false
	for _, h := range list {
		gone[h] = true
		n, _ := dr.work.nodes.Get(h)
		dr.work.remove(h)
		if dr.isCreated[h] {
			delete(dr.isCreated, h)
			cancelled = true
			continue
		}
		dr.isDeleted[h] = true
		before, _ := tx.base.Descriptor(h)
		dr.deleted = append(dr.deleted, DescriptorChange{Type: msg.DescriptionModificationTypeDel, Handle: h, Parent: n.parent, MDS: n.mds, Before: before})
	}
	if cancelled {
		dr.created = slices.DeleteFunc(dr.created, func(h string) bool { return !dr.isCreated[h] })
	}
	for i := range tx.edits {
		if gone[tx.edits[i].after.BaseState().DescriptorHandle] {
			tx.edits[i].dropped = true
		}
	}
	return nil
}

// isFixed: descriptors that come and go only with their MDS.
func isFixed(d pm.Descriptor) bool {
	_, system := d.(*pm.SystemContextDescriptor)
	return system || isContext(d)
}
