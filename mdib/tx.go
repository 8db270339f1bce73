package mdib

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Tx is a transaction: a private draft of the next MDIB version. It lives inside the function given to Store.Update and is for one
// goroutine.
//
// A transaction changes states of one kind, which is told in one report (see Kind), or the description: then states can change too, but only
// those of descriptors that are inserted or changed in the same transaction.
type Tx struct {
	store  *Store
	base   *Snapshot
	hasher *pmap.Hasher // of the base
	done   bool
	err    error // of an operation that may have been carried out in part: nothing can be committed any more

	workspace

	description *draft   // nil until the description is touched
	removals    []string // context states to be removed
}

// workspace is what a transaction notes down. The store keeps its memory for the next one.
type workspace struct {
	edits   []edit
	edited  sums           // their keys
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
	key     pmap.Key // of the handle
	before  pm.State // nil for a new state
	place   int      // of before in the states of the base
	after   pm.State
	shared  bool // after is a shallow copy: what is behind its pointers belongs to before
	force   bool // its descriptor's version changed: counts as changed
	dropped bool // its descriptor has been deleted
	counts  bool // the commit found that it changed
}

// indexFrom is how many edits are looked up one by one, which is seldom done before a state is edited again.
const indexFrom = 64

func (e *edit) handle() string { return e.key.Name() }

// key is what the maps of the base know a handle by.
func (tx *Tx) key(handle string) pmap.Key { return tx.hasher.Key(handle) }

// Base returns the MDIB as it was when the transaction began.
func (tx *Tx) Base() *Snapshot { return tx.base }

// Kind tells what the transaction is about as far as it has been edited: KindDescription once the description has been touched, otherwise the
// kind of the first state that was edited, KindNone before that. Code that completes the transactions of others needs to know, because a
// transaction has one kind.
func (tx *Tx) Kind() Kind {
	if tx.description != nil {
		return KindDescription
	}
	for i := range tx.edits {
		if k := KindOf(tx.edits[i].after); k != KindNone {
			return k
		}
	}
	return KindNone
}

// State returns a state as the transaction has it so far, for reading: an edited one is the private copy.
func (tx *Tx) State(handle string) (pm.State, bool) {
	key := tx.key(handle)
	if i := tx.find(key); i >= 0 {
		return tx.edits[i].after, true
	}
	if tx.deleted(handle) {
		return nil, false
	}
	s, _, ok := tx.base.states.Find(key)
	return s, ok
}

// Descriptor returns a descriptor without its children as the transaction has it so far, for reading.
func (tx *Tx) Descriptor(handle string) (pm.Descriptor, bool) { return tx.descriptor(tx.key(handle)) }

func (tx *Tx) descriptor(key pmap.Key) (pm.Descriptor, bool) {
	if tx.description == nil {
		n, ok := tx.base.nodes.Find(key)
		if !ok {
			return nil, false
		}
		return n.descriptor, true
	}
	handle := key.Name()
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
func Edit[T pm.State](tx *Tx, handle string) (T, error) { return editOf[T](tx, tx.key(handle)) }

func editOf[T pm.State](tx *Tx, key pmap.Key) (T, error) {
	var none T
	s, err := tx.editState(key)
	if err != nil {
		return none, err
	}
	t, ok := s.(T)
	if !ok {
		return none, fmt.Errorf("state %q is a %s, not a %v", clip(key.Name()), s.TypeName().Local, reflect.TypeFor[T]())
	}
	return t, nil
}

// EditState is Edit for a state whose type the caller does not know.
func (tx *Tx) EditState(handle string) (pm.State, error) { return tx.editState(tx.key(handle)) }

func (tx *Tx) editState(key pmap.Key) (pm.State, error) {
	if tx.done {
		return nil, ErrTxDone
	}
	if i := tx.find(key); i >= 0 {
		return tx.edits[i].after, nil
	}
	before, place, ok := tx.base.states.Find(key)
	if !ok || tx.deleted(key.Name()) {
		return nil, unknown(key.Name())
	}
	after := pm.CloneState(before)
	tx.record(edit{key: key, before: before, place: place, after: after})
	return after, nil
}

// touch is EditState for changes the commit makes itself: a shallow copy does for those.
func (tx *Tx) touch(handle string) int {
	key := tx.key(handle)
	if i := tx.find(key); i >= 0 {
		return i
	}
	before, place, ok := tx.base.states.Find(key)
	if !ok || tx.deleted(handle) {
		return -1
	}
	return tx.record(edit{key: key, before: before, place: place, after: pm.ShallowState(before), shared: true})
}

// find returns the place of a handle in edits, -1 if it has not been edited.
func (tx *Tx) find(key pmap.Key) int {
	if tx.edited.lacks(key) {
		return -1
	}
	if tx.indexed {
		if i, ok := tx.index[key.Name()]; ok && !tx.edits[i].dropped {
			return i
		}
		return -1
	}
	for i := range tx.edits {
		if e := &tx.edits[i]; e.key.Sum() == key.Sum() && e.handle() == key.Name() && !e.dropped {
			return i
		}
	}
	return -1
}

func (tx *Tx) record(e edit) int {
	tx.edits = append(tx.edits, e)
	tx.edited.add(e.key)
	i := len(tx.edits) - 1
	switch {
	case tx.indexed:
		tx.index[e.handle()] = i
	case len(tx.edits) == indexFrom:
		tx.indexed = true
		if tx.index == nil {
			tx.index = make(map[string]int, 4*indexFrom)
		}
		for i := range tx.edits {
			tx.index[tx.edits[i].handle()] = i
		}
	}
	return i
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
