package mdib

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// commit turns the draft into the next snapshot and publishes it; nil, nil if nothing changed. The caller holds the store's lock.
func (tx *Tx) commit() (*Change, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	for i := range tx.edits {
		if err := tx.edits[i].checkIdentity(); err != nil {
			return nil, err
		}
	}
	next := *tx.base
	next.version.MdibVersion++
	c := &Change{Version: next.version, Before: tx.base, After: &next}
	updated, err := tx.updatedDescriptors()
	if err != nil {
		return nil, err
	}
	if err := tx.applyRules(next.version.MdibVersion); err != nil {
		return nil, err
	}
	if err := tx.finishStates(c, updated); err != nil {
		return nil, err
	}
	if dr := tx.description; dr != nil && len(updated)+len(dr.created)+len(dr.deleted) > 0 {
		c.Kind = KindDescription
		next.descriptionVersion++
		next.stateVersion++
		if err := tx.finishDescription(c, updated); err != nil {
			return nil, err
		}
	} else {
		if len(c.States) == 0 {
			tx.store.leave(tx.removals, nil)
			return nil, nil
		}
		next.stateVersion++
		if err := tx.putStates(c); err != nil {
			return nil, err
		}
	}
	tx.store.dropContexts(c, tx.removals)
	tx.store.retire(c)
	tx.store.current.Store(&next)
	return c, nil
}

// checkIdentity: the application must not have touched what identifies the state.
func (e *edit) checkIdentity() error {
	if e.dropped {
		return nil
	}
	if h := pm.HandleOf(e.after); h != e.handle() {
		return ruleError(idUnique, e.handle(), "the handle of the state was changed to %q", clip(h))
	}
	if e.before != nil && e.before.BaseState().DescriptorHandle != e.after.BaseState().DescriptorHandle {
		return ruleError(idPairing, e.handle(), "the descriptor handle of the state was changed to %q", clip(e.after.BaseState().DescriptorHandle))
	}
	return nil
}

// updatedDescriptors returns the descriptors that were there before and have changed, by their content or because a child came or went
// (BICEPS R0033), with their versions raised, and puts them into the draft. Their states are due for a new version, too.
func (tx *Tx) updatedDescriptors() ([]pm.Descriptor, error) {
	dr := tx.description
	if dr == nil {
		return nil, nil
	}
	var updated []pm.Descriptor
	seen := map[string]bool{}
	for _, handle := range dr.order {
		if dr.isDeleted[handle] {
			continue
		}
		after := dr.edited[handle]
		before, _ := tx.base.Descriptor(handle)
		if err := checkDescriptor(handle, after); err != nil {
			return nil, err
		}
		after.Base().DescriptorVersion = before.Base().DescriptorVersion
		if !pm.EqualDescriptor(before, after) {
			updated = append(updated, after)
			seen[handle] = true
		}
	}
	bump := func(parent string) {
		if parent == "" || seen[parent] || dr.isCreated[parent] || dr.isDeleted[parent] {
			return
		}
		before, _ := tx.base.Descriptor(parent)
		updated = append(updated, pm.ShallowDescriptor(before))
		seen[parent] = true
	}
	for _, handle := range dr.created {
		n, _ := dr.work.nodes.Get(handle)
		if err := checkDescriptor(handle, n.descriptor); err != nil {
			return nil, err
		}
		n.descriptor.Base().DescriptorVersion, _ = tx.store.retired.versions(handle)
		bump(n.parent)
	}
	for i := range dr.deleted {
		bump(dr.deleted[i].Parent)
	}
	slices.SortStableFunc(updated, func(a, b pm.Descriptor) int { // parents first (BICEPS R5025)
		return cmp.Compare(dr.work.depth(a.Base().Handle), dr.work.depth(b.Base().Handle))
	})
	for _, d := range updated {
		d.Base().DescriptorVersion++
		dr.work.setDescriptor(d)
		n, _ := dr.work.nodes.Get(d.Base().Handle)
		if i := tx.touch(d.Base().Handle); i >= 0 {
			tx.edits[i].force = true
		}
		for _, h := range n.contexts {
			if i := tx.touch(h); i >= 0 {
				tx.edits[i].force = true
			}
		}
	}
	return updated, nil
}

func checkDescriptor(handle string, d pm.Descriptor) error {
	if d.Base().Handle != handle {
		return ruleError(idUnique, handle, "the handle of the descriptor was changed to %q", clip(d.Base().Handle))
	}
	if _, kids := detach(d); len(kids) > 0 {
		return ruleError(idNested, handle, "a descriptor cannot be given children by editing it; use Insert")
	}
	if flaw := pm.DescriptorFlaw(d); flaw != "" {
		return ruleError(idSchema, handle, "of the %s %s", d.TypeName().Local, flaw)
	}
	if flaw := pm.TextFlaw(d); flaw != "" {
		return ruleError(idSchema, handle, "of the %s %s", d.TypeName().Local, flaw)
	}
	return nil
}

// finishStates fills c.States with the states that count as changed, their versions raised.
func (tx *Tx) finishStates(c *Change, updated []pm.Descriptor) error {
	for i := range tx.edits {
		e := &tx.edits[i]
		if e.dropped {
			continue
		}
		after := e.after.BaseState()
		d, ok := tx.versionOf(e)
		if !ok {
			continue
		}
		if e.before == nil {
			_, after.StateVersion = tx.store.retired.versions(e.handle())
		} else {
			before := e.before.BaseState()
			after.StateVersion, after.DescriptorVersion = before.StateVersion, before.DescriptorVersion
			if !e.force && sameContent(e.before, e.after) {
				continue
			}
			after.StateVersion++
		}
		after.DescriptorVersion, e.counts = d, true
		if c.States == nil {
			c.States = make([]StateChange, 0, len(tx.edits)-i)
		}
		c.States = append(c.States, StateChange{Handle: e.handle(), Before: e.before, After: e.after})
	}
	dr := tx.description
	if dr != nil && len(updated)+len(dr.created)+len(dr.deleted) > 0 {
		return tx.checkCarried(c, updated)
	}
	for i := range c.States {
		kind := KindOf(c.States[i].After)
		if i == 0 {
			c.Kind = kind
		}
		if kind != c.Kind {
			return fmt.Errorf("%w: the %s state %q and the %s state %q need two", ErrMixedKinds, c.Kind, c.States[0].Handle, kind, c.States[i].Handle)
		}
	}
	return nil
}

// versionOf returns the version of the descriptor that an edited state belongs to; false if the descriptor is gone.
func (tx *Tx) versionOf(e *edit) (uint64, bool) {
	if tx.description == nil && e.before != nil {
		return e.before.BaseState().DescriptorVersion, true // all states of a store refer to the present version
	}
	nodes := tx.base.nodes.Get
	if tx.description != nil {
		nodes = tx.description.work.nodes.Get
	}
	n, ok := nodes(e.after.BaseState().DescriptorHandle)
	if !ok {
		return 0, false
	}
	return n.descriptor.Base().DescriptorVersion, true
}

// checkCarried: a description report carries states only next to their descriptor (BICEPS R5052), and only descriptors that
// changed (C-5).
func (tx *Tx) checkCarried(c *Change, updated []pm.Descriptor) error {
	carried := make(map[string]bool, len(updated))
	for _, d := range updated {
		carried[d.Base().Handle] = true
	}
	for i := range c.States {
		if h := c.States[i].After.BaseState().DescriptorHandle; !carried[h] && !tx.description.isCreated[h] {
			return fmt.Errorf("%w: the description changes, and with it only states of changed descriptors can: not %q", ErrMixedKinds, c.States[i].Handle)
		}
	}
	return nil
}

// sameContent compares two states whose versions are the same. The time a clock shows does not count: it ticks without
// anything having changed.
func sameContent(before, after pm.State) bool {
	if a, ok := after.(*pm.ClockState); ok {
		c := *a
		c.DateAndTime = before.(*pm.ClockState).DateAndTime
		after = &c
	}
	return pm.EqualState(before, after)
}

// putStates makes the content of a state transaction.
func (tx *Tx) putStates(c *Change) error {
	if c.Kind == KindContext { // some may be new
		e := c.After.content.edit()
		if err := e.put(c.States); err != nil {
			return err
		}
		c.After.content = e.content()
		return nil
	}
	many := len(c.States) > 1
	var b stateBatch
	if many {
		b = c.After.states.Batch()
	}
	for i := range tx.edits {
		switch e := &tx.edits[i]; {
		case !e.counts:
		case many:
			b.Replace(e.place, e.after)
		default:
			c.After.states = c.After.states.Replace(e.place, e.after)
		}
	}
	if many {
		c.After.states = b.Map()
	}
	return nil
}

func (e *editor) put(states []StateChange) error {
	for i := range states {
		s := &states[i]
		if s.Before == nil && !e.states.Has(s.Handle) {
			if err := e.addState(s.After); err != nil {
				return err
			}
			continue
		}
		e.states.Set(s.Handle, s.After)
	}
	return nil
}

// finishDescription makes the content and lists the descriptor changes in the order of the report: updates, deletions, insertions. Whatever happens to a
// parent stands before what happens to its children, deletions included (BICEPS R5025_0). Deletions come before insertions, so that a place of which
// there is only one is free for what is inserted.
func (tx *Tx) finishDescription(c *Change, updated []pm.Descriptor) error {
	dr := tx.description
	if err := dr.work.put(c.States); err != nil {
		return err
	}
	c.After.content = dr.work.content()
	states := make(map[string][]pm.State, len(c.States))
	for i := range c.States {
		h := c.States[i].After.BaseState().DescriptorHandle
		states[h] = append(states[h], c.States[i].After)
	}
	c.Descriptors = make([]DescriptorChange, 0, len(updated)+len(dr.deleted)+len(dr.created))
	for _, d := range updated {
		h := d.Base().Handle
		n, _ := c.After.nodes.Get(h)
		before, _ := tx.base.Descriptor(h)
		c.Descriptors = append(c.Descriptors, DescriptorChange{
			Type: msg.DescriptionModificationTypeUpt, Handle: h, Parent: n.parent, MDS: n.mds, Before: before, After: d, States: states[h],
		})
	}
	deleted := len(c.Descriptors)
	c.Descriptors = append(c.Descriptors, dr.deleted...)
	if len(dr.deleted) > 1 {
		was := tx.base.content.edit()
		slices.SortStableFunc(c.Descriptors[deleted:], func(a, b DescriptorChange) int { return was.depth(a.Handle) - was.depth(b.Handle) })
	}
	for _, h := range dr.created {
		n, _ := c.After.nodes.Get(h)
		c.Descriptors = append(c.Descriptors, DescriptorChange{
			Type: msg.DescriptionModificationTypeCrt, Handle: h, Parent: n.parent, MDS: n.mds, After: n.descriptor, States: states[h],
		})
	}
	return nil
}

// leave remembers context states to be dropped, as far as they have not been edited since.
func (st *Store) leave(handles []string, c *Change) {
	for _, h := range handles {
		if !slices.Contains(st.leaving, h) && !(c != nil && c.changes(h)) {
			st.leaving = append(st.leaving, h)
		}
	}
}

// dropContexts takes the context states out that are to be removed. It is called with a change that is about to be committed.
func (st *Store) dropContexts(c *Change, removals []string) {
	st.leave(removals, c)
	if len(st.leaving) == 0 {
		return
	}
	e := c.After.content.edit()
	for _, h := range st.leaving {
		if c.changes(h) {
			continue
		}
		if s, ok := e.states.Get(h); ok {
			st.retired.add(h, retiredHandle{typeName: s.TypeName(), stateVersion: s.BaseState().StateVersion})
			e.removeContext(h)
		}
	}
	c.After.content = e.content()
	st.leaving = nil
}

func (c *Change) changes(state string) bool {
	return slices.ContainsFunc(c.States, func(s StateChange) bool { return s.Handle == state })
}

// retire remembers what a change deleted and forgets what it brought back.
func (st *Store) retire(c *Change) {
	for i := range c.Descriptors {
		d := &c.Descriptors[i]
		switch d.Type {
		case msg.DescriptionModificationTypeDel:
			r := retiredHandle{typeName: d.Before.TypeName(), descriptorVersion: d.Before.Base().DescriptorVersion}
			if s, ok := c.Before.states.Get(d.Handle); ok {
				r.stateVersion = s.BaseState().StateVersion
			}
			st.retired.add(d.Handle, r)
			for s := range c.Before.ContextStates(d.Handle) {
				st.retired.add(s.BaseMulti().Handle, retiredHandle{typeName: s.TypeName(), stateVersion: s.BaseState().StateVersion})
			}
		case msg.DescriptionModificationTypeCrt:
			st.retired.remove(d.Handle)
		}
	}
	for i := range c.States {
		if s := &c.States[i]; s.Before == nil {
			st.retired.remove(s.Handle)
		}
	}
}
