package mdib

import (
	"iter"

	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Snapshot is one version of an MDIB. It is immutable and safe for concurrent use; the descriptors and states it hands out are
// shared and must not be changed.
type Snapshot struct {
	version            Version
	descriptionVersion uint64
	stateVersion       uint64
	content
	mdibExtension, descriptionExtension, stateExtension pm.Extension
}

// content is what a description or state change replaces.
type content struct {
	nodes    nodeMap
	states   stateMap // single states by descriptor handle, context states by their own
	roots    pmap.Ordered
	nextRoot uint64
}

// hasher is that of both maps; a new one while nothing is there yet.
func (c content) hasher() *pmap.Hasher {
	if h := c.nodes.m.Hasher(); h != nil {
		return h
	}
	return pmap.NewHasher()
}

// node is a descriptor and its place in the tree. Nodes are replaced, never changed, once they are in a snapshot.
type node struct {
	descriptor pm.Descriptor // without children
	parent     string        // "" for an MDS
	mds        string
	order      uint64       // key among its siblings
	next       uint64       // counts the children there have been
	children   pmap.Ordered // handles; the key is the place in the schema, then the order of insertion
	contexts   []string     // handles of the context states, in the order of creation
}

// Version returns MDIB version, sequence and instance.
func (s *Snapshot) Version() Version { return s.version }

// DescriptionVersion is MdDescription/@DescriptionVersion: it rises by one with every commit that changed a descriptor.
func (s *Snapshot) DescriptionVersion() uint64 { return s.descriptionVersion }

// StateVersion is MdState/@StateVersion: it rises by one with every commit that changed a state.
func (s *Snapshot) StateVersion() uint64 { return s.stateVersion }

// Len is the number of descriptors.
func (s *Snapshot) Len() int { return s.nodes.Len() }

// NumStates is the number of states, context states included.
func (s *Snapshot) NumStates() int { return s.states.Len() }

// Descriptor returns the descriptor of a handle, without its children: ask Children.
func (s *Snapshot) Descriptor(handle string) (pm.Descriptor, bool) {
	n, ok := s.nodes.Get(handle)
	if !ok {
		return nil, false
	}
	return n.descriptor, true
}

// State returns the single state of a descriptor by the descriptor's handle, or a context state by its own.
func (s *Snapshot) State(handle string) (pm.State, bool) { return s.states.Get(handle) }

// Get returns the state or the descriptor of a handle, whichever is of type T:
//
//	hr, ok := mdib.Get[*pm.NumericMetricState](snapshot, "hr")
//
// T may be an interface such as pm.MetricState or pm.MetricDescriptor.
func Get[T any](s *Snapshot, handle string) (T, bool) {
	if state, ok := s.states.Get(handle); ok {
		if t, ok := state.(T); ok {
			return t, true
		}
	}
	if n, ok := s.nodes.Get(handle); ok {
		if t, ok := n.descriptor.(T); ok {
			return t, true
		}
	}
	var none T
	return none, false
}

// ContextStates yields the states of a context descriptor in the order they were made in.
func (s *Snapshot) ContextStates(descriptor string) iter.Seq[pm.ContextState] {
	return func(yield func(pm.ContextState) bool) {
		n, ok := s.nodes.Get(descriptor)
		if !ok {
			return
		}
		for _, h := range n.contexts {
			state, _ := s.states.Get(h)
			if c, ok := state.(pm.ContextState); ok && !yield(c) {
				return
			}
		}
	}
}

// Associated returns the associated states of a context descriptor: at most one for patients and locations of a
// conforming device (BICEPS R0124, R0133).
func (s *Snapshot) Associated(descriptor string) iter.Seq[pm.ContextState] {
	return func(yield func(pm.ContextState) bool) {
		for c := range s.ContextStates(descriptor) {
			if c.BaseContext().ContextAssociation == pm.ContextAssociationAssoc && !yield(c) {
				return
			}
		}
	}
}

// Parent returns the handle of a descriptor's parent, "" for an MDS; for a context state, that of its descriptor.
func (s *Snapshot) Parent(handle string) (string, bool) {
	if n, ok := s.nodes.Get(handle); ok {
		return n.parent, true
	}
	if state, ok := s.states.Get(handle); ok {
		return state.BaseState().DescriptorHandle, true
	}
	return "", false
}

// Children yields the handles of a descriptor's children in the order of the schema, and of insertion where that is free.
func (s *Snapshot) Children(handle string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if n, ok := s.nodes.Get(handle); ok {
			n.children.Values()(yield)
		}
	}
}

// Roots yields the handles of the MDSs.
func (s *Snapshot) Roots() iter.Seq[string] { return s.roots.Values() }

// MDSOf returns the handle of the MDS that a descriptor or context state belongs to; an MDS belongs to itself.
func (s *Snapshot) MDSOf(handle string) (string, bool) {
	n, ok := s.nodes.Get(handle)
	if !ok {
		state, isState := s.states.Get(handle)
		if !isState {
			return "", false
		}
		if n, ok = s.nodes.Get(state.BaseState().DescriptorHandle); !ok {
			return "", false
		}
	}
	return n.mds, true
}

// Entity is a descriptor with its place in the tree and its states.
type Entity struct {
	// Handle of the descriptor.
	Handle string
	// Parent is the handle of the parent; "" for an MDS.
	Parent string
	// MDS is the handle of the MDS the descriptor belongs to, its own for an MDS.
	MDS string
	// Depth is 0 for an MDS, 1 for its children and so on.
	Depth int
	// Descriptor is without its children.
	Descriptor pm.Descriptor
	// State is the single state; nil for context descriptors, and where a consumer was given none.
	State pm.State
	// Contexts are the states of a context descriptor.
	Contexts []pm.ContextState
}

// Entity returns a descriptor with its states.
func (s *Snapshot) Entity(handle string) (Entity, bool) {
	n, ok := s.nodes.Get(handle)
	if !ok {
		return Entity{}, false
	}
	depth := 0
	for p := n.parent; p != ""; depth++ {
		above, _ := s.nodes.Get(p)
		p = above.parent
	}
	return s.entity(handle, n, depth), true
}

func (s *Snapshot) entity(handle string, n *node, depth int) Entity {
	e := Entity{Handle: handle, Parent: n.parent, MDS: n.mds, Depth: depth, Descriptor: n.descriptor}
	if isContext(n.descriptor) {
		for _, h := range n.contexts {
			state, _ := s.states.Get(h)
			e.Contexts = append(e.Contexts, state.(pm.ContextState))
		}
	} else {
		e.State, _ = s.states.Get(handle)
	}
	return e
}

// Entities yields everything in the order of the containment tree: parents before children.
func (s *Snapshot) Entities() iter.Seq[Entity] {
	return func(yield func(Entity) bool) {
		for h := range s.Roots() {
			if !s.walk(h, 0, yield) {
				return
			}
		}
	}
}

// Subtree yields a descriptor and everything below it, parents before children.
func (s *Snapshot) Subtree(handle string) iter.Seq[Entity] {
	return func(yield func(Entity) bool) {
		if e, ok := s.Entity(handle); ok {
			s.walk(handle, e.Depth, yield)
		}
	}
}

func (s *Snapshot) walk(handle string, depth int, yield func(Entity) bool) bool {
	n, ok := s.nodes.Get(handle)
	if !ok {
		return true
	}
	if !yield(s.entity(handle, n, depth)) {
		return false
	}
	for child := range n.children.Values() {
		if !s.walk(child, depth+1, yield) {
			return false
		}
	}
	return true
}

// Equal reports whether both snapshots are the same version of the same MDIB with the same content.
func (s *Snapshot) Equal(o *Snapshot) bool { return s.version == o.version && s.ContentEqual(o) }

// ContentEqual reports whether both have the same descriptors and states, their versions included, in the same order. The order of
// the context states of a descriptor means nothing and is not compared.
func (s *Snapshot) ContentEqual(o *Snapshot) bool {
	if s.nodes.Len() != o.nodes.Len() || s.states.Len() != o.states.Len() {
		return false
	}
	next, stop := iter.Pull(o.Entities())
	defer stop()
	for a := range s.Entities() {
		b, ok := next()
		if !ok || a.Handle != b.Handle || a.Parent != b.Parent || !pm.EqualDescriptor(a.Descriptor, b.Descriptor) {
			return false
		}
	}
	for h, a := range s.states.All() {
		b, ok := o.states.Get(h)
		if !ok || !pm.EqualState(a, b) {
			return false
		}
	}
	return true
}

func isContext(d pm.Descriptor) bool {
	_, ok := d.(pm.ContextDescriptor)
	return ok
}
