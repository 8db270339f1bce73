package diff

import (
	"strconv"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Kind says what became of something.
type Kind string

const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Part says what a Change is about.
type Part string

const (
	// MDIB is the whole: its versions and what extends it.
	MDIB       Part = "mdib"
	Descriptor Part = "descriptor"
	State      Part = "state"
)

// Change is one difference from the first MDIB to the second.
type Change struct {
	Kind Kind
	Part Part
	// Handle of the descriptor or state, the own one of a context state; "" for the MDIB.
	Handle string
	// Type is the name of the type, that of the second MDIB if both have one; "" for the MDIB.
	Type string
	// Parent is the handle of the parent of a descriptor, of the descriptor of a context state.
	Parent string
	// Fields are what differs, for Changed.
	Fields []Field
}

// Field is one field that differs.
type Field struct {
	// Path names the field in the terms of the schema from the descriptor or state on, for example MetricValue/@Value or Type/ConceptDescription[2]. Two paths
	// are not of the schema: @xsi:type for a type and (parent) for the place in the tree.
	Path string
	// Before and After are the values as written; nil where there is none.
	Before, After *string
}

// Options of a comparison.
type Options struct {
	// Versions compares versions too: those of the MDIB with its sequence, of descriptors and of states.
	Versions bool
}

// Snapshots returns the differences from a to b: of the MDIB, then in the order of a's tree, then what is new in the order of b's. States of
// descriptors that only one of both has are not told apart from them, except context states.
func Snapshots(a, b *mdib.Snapshot, o Options) []Change {
	c := &comparison{a: a, b: b, o: o}
	if o.Versions {
		c.versions()
	}
	for e := range a.Entities() {
		c.entity(e)
	}
	for e := range b.Entities() {
		c.added(e)
	}
	return c.changes
}

type comparison struct {
	a, b    *mdib.Snapshot
	o       Options
	changes []Change
}

func (c *comparison) versions() {
	list := func(s *mdib.Snapshot) fields {
		v := s.Version()
		f := fields{}
		f.add("@MdibVersion", strconv.FormatUint(v.MdibVersion, 10))
		f.add("@SequenceId", v.SequenceID)
		if id, ok := v.InstanceID.Get(); ok {
			f.add("@InstanceId", strconv.FormatUint(id, 10))
		}
		f.add("MdDescription/@DescriptionVersion", strconv.FormatUint(s.DescriptionVersion(), 10))
		f.add("MdState/@StateVersion", strconv.FormatUint(s.StateVersion(), 10))
		return f
	}
	if f := compare(list(c.a), list(c.b)); len(f) > 0 {
		c.changes = append(c.changes, Change{Kind: Changed, Part: MDIB, Fields: f})
	}
}

// entity compares a descriptor of a and its states with what b has of it.
func (c *comparison) entity(a mdib.Entity) {
	b, ok := c.b.Entity(a.Handle)
	if !ok {
		c.changes = append(c.changes, Change{Kind: Removed, Part: Descriptor, Handle: a.Handle, Type: typeOf(a.Descriptor), Parent: a.Parent})
	} else {
		x, y := c.flatten(a.Descriptor), c.flatten(b.Descriptor)
		if a.Parent != b.Parent {
			x.add("(parent)", a.Parent)
			y.add("(parent)", b.Parent)
		}
		if f := compare(x, y); len(f) > 0 {
			c.changes = append(c.changes, Change{Kind: Changed, Part: Descriptor, Handle: a.Handle, Type: typeOf(b.Descriptor), Parent: b.Parent, Fields: f})
		}
		switch {
		case a.State != nil && b.State != nil:
			c.state(a.Handle, "", a.State, b.State)
		case a.State != nil:
			c.changes = append(c.changes, Change{Kind: Removed, Part: State, Handle: a.Handle, Type: typeOf(a.State)})
		case b.State != nil:
			c.changes = append(c.changes, Change{Kind: Added, Part: State, Handle: a.Handle, Type: typeOf(b.State)})
		}
	}
	for _, s := range a.Contexts {
		h := s.BaseMulti().Handle
		if other, ok := c.b.State(h); ok {
			c.state(h, other.BaseState().DescriptorHandle, s, other)
		} else {
			c.changes = append(c.changes, Change{Kind: Removed, Part: State, Handle: h, Type: typeOf(s), Parent: a.Handle})
		}
	}
}

func (c *comparison) state(handle, parent string, a, b pm.State) {
	if a == b { // snapshots of one device share what has not changed
		return
	}
	if f := compare(c.flatten(a), c.flatten(b)); len(f) > 0 {
		c.changes = append(c.changes, Change{Kind: Changed, Part: State, Handle: handle, Type: typeOf(b), Parent: parent, Fields: f})
	}
}

// added tells what only b has.
func (c *comparison) added(b mdib.Entity) {
	if _, ok := c.a.Descriptor(b.Handle); !ok {
		c.changes = append(c.changes, Change{Kind: Added, Part: Descriptor, Handle: b.Handle, Type: typeOf(b.Descriptor), Parent: b.Parent})
	}
	for _, s := range b.Contexts {
		if _, ok := c.a.State(s.BaseMulti().Handle); !ok {
			c.changes = append(c.changes, Change{Kind: Added, Part: State, Handle: s.BaseMulti().Handle, Type: typeOf(s), Parent: b.Handle})
		}
	}
}

func typeOf(v interface{ TypeName() pm.QName }) string { return v.TypeName().Local }
