package mdib

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Tx is a transaction: a private draft of the next MDIB version. It lives inside the function given to Store.Update and is for one
// goroutine.
//
// A transaction changes states of one kind, which is told in one report (see Kind), or the description: then states can change too, but only
// those of descriptors that are inserted or changed in the same transaction.
type Tx struct {
	store *Store
	base  *Snapshot
	done  bool
	err   error // of an operation that may have been carried out in part: nothing can be committed any more

	workspace

	description *draft   // nil until the description is touched
	removals    []string // context states to be removed
}

// workspace is what a transaction notes down. The store keeps its memory for the next one.
type workspace struct {
	edits   []edit
	index   map[string]int // into edits
	indexed bool           // the index is used: there are many edits
}

// maxSpare is how many edits at most a store keeps the memory of.
const maxSpare = 1024

// cleared refers to nothing any more.
func (w workspace) cleared() workspace {
	if len(w.edits) > maxSpare {
		return workspace{}
	}
	clear(w.edits)
	clear(w.index)
	return workspace{edits: w.edits[:0], index: w.index}
}

// edit is a state in the making.
type edit struct {
	handle  string
	before  pm.State // nil for a new state
	after   pm.State
	shared  bool // after is a shallow copy: what is behind its pointers belongs to before
	force   bool // its descriptor's version changed: counts as changed
	dropped bool // its descriptor has been deleted
}

// indexFrom is how many edits are looked up one by one.
const indexFrom = 12

// Base returns the MDIB as it was when the transaction began.
func (tx *Tx) Base() *Snapshot { return tx.base }

// State returns a state as the transaction has it so far, for reading: an edited one is the private copy.
func (tx *Tx) State(handle string) (pm.State, bool) {
	if i := tx.find(handle); i >= 0 {
		return tx.edits[i].after, true
	}
	if tx.deleted(handle) {
		return nil, false
	}
	return tx.base.states.Get(handle)
}

// Descriptor returns a descriptor without its children as the transaction has it so far, for reading.
func (tx *Tx) Descriptor(handle string) (pm.Descriptor, bool) {
	if tx.description == nil {
		return tx.base.Descriptor(handle)
	}
	if d, ok := tx.description.edited[handle]; ok && !tx.description.isDeleted[handle] {
		return d, true
	}
	n, ok := tx.description.work.nodes.Get(handle)
	if !ok {
		return nil, false
	}
	return n.descriptor, true
}

// Edit returns the transaction's private copy of a state, to be changed in place; T is its type:
//
//	s, err := mdib.Edit[*pm.NumericMetricState](tx, "hr")
//
// Versions, handles and descriptor handle are not to be changed. The error wraps ErrUnknownHandle, or tells of the wrong type.
func Edit[T pm.State](tx *Tx, handle string) (T, error) {
	var none T
	s, err := tx.EditState(handle)
	if err != nil {
		return none, err
	}
	t, ok := s.(T)
	if !ok {
		return none, fmt.Errorf("state %q is a %s, not a %v", clip(handle), s.TypeName().Local, reflect.TypeFor[T]())
	}
	return t, nil
}

// EditState is Edit for a state whose type the caller does not know.
func (tx *Tx) EditState(handle string) (pm.State, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	if i := tx.find(handle); i >= 0 {
		return tx.edits[i].after, nil
	}
	before, ok := tx.base.states.Get(handle)
	if !ok || tx.deleted(handle) {
		return nil, unknown(handle)
	}
	after := pm.CloneState(before)
	tx.record(edit{handle: handle, before: before, after: after})
	return after, nil
}

// touch is EditState for changes the commit makes itself: a shallow copy does for those.
func (tx *Tx) touch(handle string) int {
	if i := tx.find(handle); i >= 0 {
		return i
	}
	before, ok := tx.base.states.Get(handle)
	if !ok || tx.deleted(handle) {
		return -1
	}
	return tx.record(edit{handle: handle, before: before, after: pm.ShallowState(before), shared: true})
}

func (tx *Tx) find(handle string) int {
	if tx.indexed {
		if i, ok := tx.index[handle]; ok && !tx.edits[i].dropped {
			return i
		}
		return -1
	}
	for i := range tx.edits {
		if tx.edits[i].handle == handle && !tx.edits[i].dropped {
			return i
		}
	}
	return -1
}

func (tx *Tx) record(e edit) int {
	tx.edits = append(tx.edits, e)
	i := len(tx.edits) - 1
	switch {
	case tx.indexed:
		tx.index[e.handle] = i
	case len(tx.edits) == indexFrom:
		tx.indexed = true
		if tx.index == nil {
			tx.index = make(map[string]int, 4*indexFrom)
		}
		for i := range tx.edits {
			tx.index[tx.edits[i].handle] = i
		}
	}
	return i
}

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
// binding are set by the commit.
func (tx *Tx) InsertContextState(s pm.ContextState) (pm.ContextState, error) {
	if tx.done {
		return nil, ErrTxDone
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
	if tx.find(handle) >= 0 {
		return ruleError(idUnique, handle, "the handle is in use")
	}
	if err := tx.checkRetired(handle, s.TypeName()); err != nil {
		return err
	}
	tx.record(edit{handle: handle, after: s})
	return nil
}

// freshHandle makes a handle that has never been used in this store.
func (tx *Tx) freshHandle(descriptor string) string {
	for {
		tx.store.created++
		h := descriptor + "." + strconv.FormatUint(tx.store.created, 10)
		if _, known := tx.base.Parent(h); known || tx.find(h) >= 0 || tx.store.retired.handles.Has(h) {
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

// fail remembers the error of an operation that may be half done.
func (tx *Tx) fail(err error) error {
	tx.err = errors.Join(tx.err, err)
	return err
}

func (tx *Tx) checkRetired(handle string, typeName pm.QName) error {
	if r, ok := tx.store.retired.handles.Get(handle); ok && r.typeName != typeName {
		return ruleError(idSameType, handle, "the handle was that of a %s and cannot come back as a %s", r.typeName.Local, typeName.Local)
	}
	return nil
}

func (tx *Tx) deleted(handle string) bool {
	if tx.description == nil {
		return false
	}
	if s, ok := tx.base.states.Get(handle); ok {
		handle = s.BaseState().DescriptorHandle
	}
	return tx.description.isDeleted[handle]
}

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
// After an error the transaction cannot be committed.
func (tx *Tx) Insert(parent string, d pm.Descriptor, states ...pm.State) error {
	if tx.done {
		return ErrTxDone
	}
	if d == nil {
		return tx.fail(errors.New("there is no descriptor to insert"))
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
	tx.record(edit{handle: pm.HandleOf(s), after: s})
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
