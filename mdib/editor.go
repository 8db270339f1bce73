package mdib

import (
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/pm"
)

// editor changes the content of an MDIB while keeping its structure sound: handles are unique, every descriptor stands where
// the schema allows it, every state belongs to a descriptor of its type. It makes new content; what it started from stays as it is.
type editor struct {
	nodes    nodeBatch
	states   stateBatch
	hasher   *pmap.Hasher // of both
	roots    pmap.Ordered
	nextRoot uint64
	lenient  bool // for content of a peer: handles may hold any characters
	fresh    bool // started from nothing and not shared with anybody yet
}

func (c content) edit() *editor {
	h := c.hasher()
	if c.nodes.m.Hasher() == nil {
		c.nodes, c.states = nodeMap{h.Empty()}, stateMap{h.EmptyTable()}
	}
	return &editor{nodes: c.nodes.Batch(), states: c.states.Batch(), hasher: h, roots: c.roots, nextRoot: c.nextRoot}
}

// content returns what the editor has come to. The editor can be used on.
func (e *editor) content() content {
	return content{nodes: e.nodes.Map(), states: e.states.Map(), roots: e.roots, nextRoot: e.nextRoot}
}

// checkHandle: BICEPS R0105_0 and R0007_0.
func (e *editor) checkHandle(handle string) error {
	if handle == "" {
		return ruleError(idHandleChars, handle, "a handle must not be empty")
	}
	if !e.lenient {
		for i := range len(handle) {
			if c := handle[i]; c < 0x21 || c > 0x7E {
				return ruleError(idHandleChars, handle, "a handle holds visible ASCII characters only")
			}
		}
	}
	if e.nodes.Has(handle) || e.states.Has(handle) {
		return ruleError(idUnique, handle, "the handle is in use")
	}
	return nil
}

// add puts in one descriptor, which has no children. parent is "" for an MDS.
func (e *editor) add(parent string, d pm.Descriptor) error {
	handle := d.Base().Handle
	if err := e.checkHandle(handle); err != nil {
		return err
	}
	var above *node
	var aboveDescriptor pm.Descriptor
	mds := handle
	if parent != "" {
		var ok bool
		if above, ok = e.nodes.Get(parent); !ok {
			return unknown(parent)
		}
		aboveDescriptor, mds = above.descriptor, above.mds
	}
	place, only := slot(aboveDescriptor, d)
	if place < 0 {
		if above == nil {
			return ruleError(idTree, handle, "a %s needs a parent", d.TypeName().Local)
		}
		return ruleError(idTree, handle, "a %s cannot be a child of the %s %q", d.TypeName().Local, aboveDescriptor.TypeName().Local, clip(parent))
	}
	n := &node{descriptor: d, parent: parent, mds: mds}
	if above == nil {
		n.order = e.nextRoot
		e.nextRoot++
		e.roots = e.roots.Set(n.order, handle)
	} else {
		if only {
			if other, ok := e.sibling(above, d); ok {
				return ruleError(idTree, handle, "%q has a %s already: %q", clip(parent), d.TypeName().Local, clip(other))
			}
		}
		n.order = uint64(place)<<56 | above.next
		c := *above
		c.next++
		c.children = c.children.Set(n.order, handle)
		e.nodes.Set(parent, &c)
	}
	e.nodes.Set(handle, n)
	return nil
}

// sibling finds the child of a parent that stands in the only place there is for d.
func (e *editor) sibling(parent *node, d pm.Descriptor) (string, bool) {
	place, _ := slot(parent.descriptor, d)
	// Single places come before the lists in the schema, so this looks at a handful of children at most.
	for order, h := range parent.children.All() {
		switch at := int(order >> 56); {
		case at == place:
			return h, true
		case at > place:
			return "", false
		}
	}
	return "", false
}

// setDescriptor replaces a descriptor by one of the same type without children.
func (e *editor) setDescriptor(d pm.Descriptor) {
	old, _ := e.nodes.Get(d.Base().Handle)
	c := *old
	c.descriptor = d
	e.nodes.Set(d.Base().Handle, &c)
}

// remove takes out a descriptor that has no children, and its states.
func (e *editor) remove(handle string) {
	n, ok := e.nodes.Get(handle)
	if !ok {
		return
	}
	e.states.Delete(handle)
	for _, h := range n.contexts {
		e.states.Delete(h)
	}
	e.nodes.Delete(handle)
	if n.parent == "" {
		e.roots = e.roots.Delete(n.order)
		return
	}
	above, _ := e.nodes.Get(n.parent)
	c := *above
	c.children = c.children.Delete(n.order)
	e.nodes.Set(n.parent, &c)
}

// depth is 0 for an MDS.
func (e *editor) depth(handle string) int {
	depth := -1
	for handle != "" {
		n, ok := e.nodes.Get(handle)
		if !ok {
			break
		}
		handle = n.parent
		depth++
	}
	return depth
}

// below appends a descriptor's handle and those below it, children before parents.
func (e *editor) below(list []string, handle string) []string {
	n, ok := e.nodes.Get(handle)
	if !ok {
		return list
	}
	for child := range n.children.Values() {
		list = e.below(list, child)
	}
	return append(list, handle)
}

// pair checks that a state belongs to a descriptor of its type (BICEPS R0023) and returns the descriptor's node. key is that of its handle.
func (e *editor) pair(s pm.State, key pmap.Key) (*node, error) {
	descriptor := key.Name()
	n, ok := e.nodes.Find(key)
	if !ok {
		return nil, &RuleError{
			ID: idPairing, Handle: pm.HandleOf(s), err: ErrUnknownHandle,
			Msg: fmt.Sprintf("there is no descriptor %q for the %s", clip(descriptor), s.TypeName().Local),
		}
	}
	if !pm.Pairs(n.descriptor, s) {
		return nil, ruleError(idPairing, pm.HandleOf(s), "a %s cannot belong to the %s %q", s.TypeName().Local, n.descriptor.TypeName().Local, clip(descriptor))
	}
	return n, nil
}

// addState puts in a state that is not there yet.
func (e *editor) addState(s pm.State) error {
	n, err := e.pair(s, e.hasher.Key(s.BaseState().DescriptorHandle))
	if err != nil {
		return err
	}
	handle := pm.HandleOf(s)
	if !isContext(n.descriptor) {
		if e.states.Has(handle) {
			return ruleError(idPairing, handle, "the descriptor has a state already")
		}
		e.states.Set(handle, s)
		return nil
	}
	if err := e.checkHandle(handle); err != nil {
		return err
	}
	c := *n
	if !e.fresh {
		c.contexts = slices.Clip(c.contexts) // others see this array
	}
	c.contexts = append(c.contexts, handle)
	e.nodes.Set(s.BaseState().DescriptorHandle, &c)
	e.states.Set(handle, s)
	return nil
}

// removeContext takes out a context state.
func (e *editor) removeContext(handle string) {
	s, ok := e.states.Get(handle)
	if !ok {
		return
	}
	e.states.Delete(handle)
	n, _ := e.nodes.Get(s.BaseState().DescriptorHandle)
	c := *n
	c.contexts = slices.DeleteFunc(slices.Clone(n.contexts), func(h string) bool { return h == handle })
	e.nodes.Set(s.BaseState().DescriptorHandle, &c)
}
