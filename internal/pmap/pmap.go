// Package pmap is a persistent map from strings to values: a hash array mapped
// trie. A Map never changes; an edit makes a new one that shares all but the
// path to what was edited, so that readers need no locks and a writer pays
// O(log n), with 32 entries a level.
package pmap

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

const (
	fanout   = 5 // bits of the hash used per level
	mask     = 1<<fanout - 1
	maxDepth = 64 / fanout // beyond it the hashes are equal
)

// Map is an immutable map. The zero Map is empty.
type Map[V any] struct {
	root *node[V]
	n    int
	seed maphash.Seed
}

// node is a branch: bit i of the bitmaps says that the part i of the hash leads to
// an entry or to a further node. Below maxDepth a node is a plain list of entries
// of one hash.
type node[V any] struct {
	owner   *byte // the Builder that may change the node in place; nil once shared
	entryAt uint32
	nodeAt  uint32
	entries []entry[V]
	nodes   []*node[V]
}

type entry[V any] struct {
	key   string
	value V
}

// Len is the number of entries.
func (m Map[V]) Len() int { return m.n }

// Get returns the value of a key.
func (m Map[V]) Get(key string) (V, bool) {
	var zero V
	n := m.root
	if n == nil {
		return zero, false
	}
	h := maphash.String(m.seed, key)
	for depth := 0; ; depth++ {
		if depth > maxDepth {
			for i := range n.entries {
				if n.entries[i].key == key {
					return n.entries[i].value, true
				}
			}
			return zero, false
		}
		bit := uint32(1) << (h & mask)
		switch {
		case n.entryAt&bit != 0:
			e := &n.entries[bits.OnesCount32(n.entryAt&(bit-1))]
			return e.value, e.key == key
		case n.nodeAt&bit == 0:
			return zero, false
		}
		n = n.nodes[bits.OnesCount32(n.nodeAt&(bit-1))]
		h >>= fanout
	}
}

// All iterates over the entries in no particular order.
func (m Map[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { m.root.all(yield) }
}

func (n *node[V]) all(yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.entries {
		if !yield(n.entries[i].key, n.entries[i].value) {
			return false
		}
	}
	for _, c := range n.nodes {
		if !c.all(yield) {
			return false
		}
	}
	return true
}

// Edit starts a batch of edits on top of the map.
func (m Map[V]) Edit() *Builder[V] {
	if m.root == nil {
		m.seed = maphash.MakeSeed()
	}
	return &Builder[V]{m: m, token: new(byte)}
}

// Builder collects edits. Nodes that it made itself it changes in place, so that a
// batch copies each node at most once. Not safe for concurrent use.
type Builder[V any] struct {
	m     Map[V]
	token *byte
}

// Get returns the value of a key, edits included.
func (b *Builder[V]) Get(key string) (V, bool) { return b.m.Get(key) }

// Len is the number of entries, edits included.
func (b *Builder[V]) Len() int { return b.m.n }

// Map returns the map with all edits made so far. The Builder can be used on; it
// does not change what it has returned.
func (b *Builder[V]) Map() Map[V] {
	b.token = new(byte) // what is handed out is nobody's to change any more
	return b.m
}

// Set puts a value in the place of a key's former value, if any.
func (b *Builder[V]) Set(key string, value V) {
	h := maphash.String(b.m.seed, key)
	var added bool
	b.m.root, added = b.set(b.m.root, h, 0, entry[V]{key, value})
	if added {
		b.m.n++
	}
}

// own returns the node itself if it belongs to the builder, else a copy that does.
func (b *Builder[V]) own(n *node[V]) *node[V] {
	if n == nil {
		return &node[V]{owner: b.token}
	}
	if n.owner == b.token {
		return n
	}
	c := &node[V]{owner: b.token, entryAt: n.entryAt, nodeAt: n.nodeAt}
	// One spare place saves the copy that an insertion would need next.
	c.entries = append(make([]entry[V], 0, len(n.entries)+1), n.entries...)
	if len(n.nodes) > 0 {
		c.nodes = append(make([]*node[V], 0, len(n.nodes)+1), n.nodes...)
	}
	return c
}

func (b *Builder[V]) set(n *node[V], h uint64, depth int, e entry[V]) (*node[V], bool) {
	n = b.own(n)
	if depth > maxDepth {
		for i := range n.entries {
			if n.entries[i].key == e.key {
				n.entries[i] = e
				return n, false
			}
		}
		n.entries = append(n.entries, e)
		return n, true
	}
	bit := uint32(1) << (h & mask)
	at := bits.OnesCount32(n.entryAt & (bit - 1))
	below := bits.OnesCount32(n.nodeAt & (bit - 1))
	switch {
	case n.nodeAt&bit != 0:
		c, added := b.set(n.nodes[below], h>>fanout, depth+1, e)
		n.nodes[below] = c
		return n, added
	case n.entryAt&bit == 0:
		n.entryAt |= bit
		n.entries = insert(n.entries, at, e)
		return n, true
	case n.entries[at].key == e.key:
		n.entries[at] = e
		return n, false
	}
	// Two keys meet here: both move one level down.
	old := n.entries[at]
	oldHash := maphash.String(b.m.seed, old.key) >> (fanout * (depth + 1))
	c, _ := b.set(nil, oldHash, depth+1, old)
	c, _ = b.set(c, h>>fanout, depth+1, e)
	n.entryAt &^= bit
	n.entries = remove(n.entries, at)
	n.nodeAt |= bit
	n.nodes = insert(n.nodes, below, c)
	return n, true
}

// Delete removes a key and tells whether it was there.
func (b *Builder[V]) Delete(key string) bool {
	if _, ok := b.m.Get(key); !ok {
		return false
	}
	b.m.root = b.delete(b.m.root, maphash.String(b.m.seed, key), 0, key)
	b.m.n--
	return true
}

// delete removes a key that is there; the result is nil if nothing is left.
func (b *Builder[V]) delete(n *node[V], h uint64, depth int, key string) *node[V] {
	n = b.own(n)
	bit := uint32(1) << (h & mask)
	switch {
	case depth > maxDepth:
		for i := range n.entries {
			if n.entries[i].key == key {
				n.entries = remove(n.entries, i)
				break
			}
		}
	case n.entryAt&bit != 0:
		n.entries = remove(n.entries, bits.OnesCount32(n.entryAt&(bit-1)))
		n.entryAt &^= bit
	default:
		below := bits.OnesCount32(n.nodeAt & (bit - 1))
		c := b.delete(n.nodes[below], h>>fanout, depth+1, key)
		switch {
		case c == nil:
			n.nodes = remove(n.nodes, below)
			n.nodeAt &^= bit
		case len(c.nodes) == 0 && len(c.entries) == 1:
			// A lone entry moves up, so that the trie does not stay deep.
			n.nodes = remove(n.nodes, below)
			n.nodeAt &^= bit
			n.entries = insert(n.entries, bits.OnesCount32(n.entryAt&(bit-1)), c.entries[0])
			n.entryAt |= bit
		default:
			n.nodes[below] = c
		}
	}
	if len(n.entries) == 0 && len(n.nodes) == 0 {
		return nil
	}
	return n
}

func insert[T any](s []T, i int, v T) []T {
	var zero T
	s = append(s, zero)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

func remove[T any](s []T, i int) []T {
	copy(s[i:], s[i+1:])
	var zero T
	s[len(s)-1] = zero
	return s[:len(s)-1]
}
