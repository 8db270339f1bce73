package pmap

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

// Map is an immutable map from string to values, which its user gives their type: were it generic, every package that uses an MDIB would compile it anew.
// The zero Map is empty and ready to use.
//
// It is a compressed hash array mapped trie: every node has up to 32 places, each empty, an entry or a
// subtree, and a node never holds a subtree of a single entry. Equal contents with equal seeds therefore
// have equal shapes, whatever the order of the changes that led there. Hashes are seeded at random, so a peer that chooses
// keys cannot make it degenerate.
type Map struct {
	root *node
	len  int
	hash *Hasher
}

// Hasher is what hashes the keys of a map and of all its versions. Maps can share one: a [Key] then serves them all.
type Hasher struct {
	seed maphash.Seed
	fake func(string) uint64 // tests only: hashes that collide
}

// NewHasher returns a hasher with a random seed.
func NewHasher() *Hasher { return &Hasher{seed: maphash.MakeSeed()} }

// Empty returns an empty map that uses the hasher. The zero Map gets one of its own.
func (h *Hasher) Empty() Map { return Map{hash: h} }

// Key is a key that has been hashed, for who looks for the same one several times.
type Key struct {
	name string
	sum  uint64
	of   *Hasher
}

// Key returns the key of a name.
func (h *Hasher) Key(name string) Key { return Key{name: name, sum: h.sum(name), of: h} }

// Name is the key as a string.
func (k Key) Name() string { return k.name }

// Sum is the hash: equal for equal names of one hasher.
func (k Key) Sum() uint64 { return k.sum }

// under is the hash for a map.
func (k Key) under(h *Hasher) uint64 {
	if k.of == h {
		return k.sum
	}
	return h.sum(k.name)
}

func (h *Hasher) sum(key string) uint64 {
	if h.fake != nil {
		return h.fake(key)
	}
	return maphash.String(h.seed, key)
}

const (
	bitsPerLevel = 5
	levelMask    = 1<<bitsPerLevel - 1
	hashBits     = 64
)

// node is a trie node, or below the last level of the hash a plain list of entries whose hashes are equal.
type node struct {
	entryMap uint32 // places taken by entries, in the order of entries
	childMap uint32 // places taken by subtrees, in the order of children
	entries  []entry
	children []*node
	owner    *owner // the batch that made the node and may change it in place
}

type entry struct {
	key   string
	value any
}

// owner is the identity of a batch. Not empty, so that two have different addresses.
type owner struct{ _ byte }

// Len returns the number of entries.
func (m Map) Len() int { return m.len }

// Hasher returns what hashes the keys of the map; nil if it is the zero Map.
func (m Map) Hasher() *Hasher { return m.hash }

// Get returns the value of a key.
func (m Map) Get(key string) (any, bool) {
	if m.root == nil {
		return nil, false
	}
	return m.get(m.hash.sum(key), key)
}

// Find is Get for a key that has been hashed.
func (m Map) Find(key Key) (any, bool) {
	if m.root == nil {
		return nil, false
	}
	return m.get(key.under(m.hash), key.name)
}

func (m Map) get(h uint64, key string) (any, bool) {
	for n, shift := m.root, uint(0); shift < hashBits; shift += bitsPerLevel {
		bit := uint32(1) << (h >> shift & levelMask)
		if n.entryMap&bit != 0 {
			e := &n.entries[rank(n.entryMap, bit)]
			if e.key == key {
				return e.value, true
			}
			break
		}
		if n.childMap&bit == 0 {
			break
		}
		n = n.children[rank(n.childMap, bit)]
		if shift+bitsPerLevel >= hashBits {
			if i := n.find(key); i >= 0 {
				return n.entries[i].value, true
			}
		}
	}
	return nil, false
}

// Has reports whether there is a value for the key.
func (m Map) Has(key string) bool {
	_, ok := m.Get(key)
	return ok
}

// Set returns the map with key bound to value. O(log n).
func (m Map) Set(key string, value any) Map {
	b := Batch{m: m}
	b.Set(key, value)
	return b.m
}

// Delete returns the map without the key. O(log n).
func (m Map) Delete(key string) Map {
	b := Batch{m: m}
	b.Delete(key)
	return b.m
}

// All yields the entries in no particular order, which is the same for the same map.
func (m Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if m.root != nil {
			m.root.all(yield)
		}
	}
}

func (n *node) all(yield func(string, any) bool) bool {
	for i := range n.entries {
		if !yield(n.entries[i].key, n.entries[i].value) {
			return false
		}
	}
	for _, c := range n.children {
		if !c.all(yield) {
			return false
		}
	}
	return true
}

// Batch returns an editor that starts from the map. Many changes cost less there, because nodes the batch has made
// already are changed in place.
func (m Map) Batch() *Batch { return &Batch{m: m, owner: new(owner)} }

// Batch is an editor of a map for one goroutine. The map it started from never changes.
type Batch struct {
	m     Map
	owner *owner // nil: a batch of one change, nothing is its own
}

// Map returns what the batch has come to. The batch can be used on; the map returned does not change.
func (b *Batch) Map() Map {
	if b.owner != nil {
		b.owner = new(owner) // from here on the nodes made so far are shared
	}
	return b.m
}

// Len returns the number of entries.
func (b *Batch) Len() int { return b.m.len }

// Get returns the value of a key.
func (b *Batch) Get(key string) (any, bool) { return b.m.Get(key) }

// Has reports whether there is a value for the key.
func (b *Batch) Has(key string) bool { return b.m.Has(key) }

// Find is Get for a key that has been hashed.
func (b *Batch) Find(key Key) (any, bool) { return b.m.Find(key) }

// Set binds key to value.
func (b *Batch) Set(key string, value any) {
	if b.m.hash == nil {
		b.m.hash = NewHasher()
	}
	if b.m.root == nil {
		b.m.root = &node{owner: b.owner}
	}
	root, added := b.set(b.m.root, 0, b.m.hash.sum(key), entry{key, value})
	b.m.root = root
	if added {
		b.m.len++
	}
}

// Delete removes a key and reports whether it was there.
func (b *Batch) Delete(key string) bool {
	if b.m.root == nil {
		return false
	}
	root, ok := b.delete(b.m.root, 0, b.m.hash.sum(key), key)
	if !ok {
		return false
	}
	b.m.root = root
	b.m.len--
	return true
}

// set returns n with the entry in it, and whether the key is new.
func (b *Batch) set(n *node, shift uint, h uint64, e entry) (*node, bool) {
	if shift >= hashBits {
		if i := n.find(e.key); i >= 0 {
			return b.withEntry(n, i, e), false
		}
		n = b.own(n)
		n.entries = inserted(n.entries, len(n.entries), e)
		return n, true
	}
	bit := uint32(1) << (h >> shift & levelMask)
	if n.childMap&bit != 0 {
		i := rank(n.childMap, bit)
		child, added := b.set(n.children[i], shift+bitsPerLevel, h, e)
		return b.withChild(n, i, child), added
	}
	i := rank(n.entryMap, bit)
	if n.entryMap&bit == 0 {
		n = b.own(n)
		n.entries = inserted(n.entries, i, e)
		n.entryMap |= bit
		return n, true
	}
	if n.entries[i].key == e.key {
		return b.withEntry(n, i, e), false
	}
	// Two keys want one place: both move one level down.
	child := &node{owner: b.owner}
	other := n.entries[i]
	child, _ = b.set(child, shift+bitsPerLevel, b.m.hash.sum(other.key), other)
	child, _ = b.set(child, shift+bitsPerLevel, h, e)
	n = b.own(n)
	n.entries = removed(n.entries, i)
	n.entryMap &^= bit
	n.children = inserted(n.children, rank(n.childMap, bit), child)
	n.childMap |= bit
	return n, true
}

// delete returns n without the key, and whether it was there.
func (b *Batch) delete(n *node, shift uint, h uint64, key string) (*node, bool) {
	if shift >= hashBits {
		i := n.find(key)
		if i < 0 {
			return n, false
		}
		n = b.own(n)
		n.entries = removed(n.entries, i)
		return n, true
	}
	bit := uint32(1) << (h >> shift & levelMask)
	if n.entryMap&bit != 0 {
		i := rank(n.entryMap, bit)
		if n.entries[i].key != key {
			return n, false
		}
		n = b.own(n)
		n.entries = removed(n.entries, i)
		n.entryMap &^= bit
		return n, true
	}
	if n.childMap&bit == 0 {
		return n, false
	}
	i := rank(n.childMap, bit)
	child, ok := b.delete(n.children[i], shift+bitsPerLevel, h, key)
	if !ok {
		return n, false
	}
	if len(child.children) > 0 || len(child.entries) > 1 {
		return b.withChild(n, i, child), true
	}
	// One entry is left below: it moves up, so that the shape stays that of a map which never had the key.
	n = b.own(n)
	n.children = removed(n.children, i)
	n.childMap &^= bit
	n.entries = inserted(n.entries, rank(n.entryMap, bit), child.entries[0])
	n.entryMap |= bit
	return n, true
}

// own returns a node that may be changed: n itself if the batch made it, else a copy. The copy of a batch has lists of
// its own, so that later changes happen in place; the copy of a single change shares them, and its caller replaces the one it changes.
func (b *Batch) own(n *node) *node {
	if b.owner == nil {
		c := *n
		c.owner = nil
		return &c
	}
	if n.owner == b.owner {
		return n
	}
	c, entries := newNode(len(n.entries))
	copy(entries, n.entries)
	*c = node{entryMap: n.entryMap, childMap: n.childMap, entries: entries, children: slices.Clone(n.children), owner: b.owner}
	return c
}

// newNode returns a node and room for its entries. For few, as in most nodes, that is one allocation: a report of many states has most
// nodes of a map copied, on either side.
func newNode(entries int) (*node, []entry) {
	switch {
	case entries == 0:
		return new(node), nil
	case entries <= 2:
		var both struct {
			n    node
			room [2]entry
		}
		return &both.n, both.room[:entries:entries]
	case entries <= 4:
		var both struct {
			n    node
			room [4]entry
		}
		return &both.n, both.room[:entries:entries]
	}
	return new(node), make([]entry, entries)
}

func (b *Batch) withEntry(n *node, i int, e entry) *node {
	n = b.own(n)
	if b.owner == nil {
		n.entries = slices.Clone(n.entries)
	}
	n.entries[i] = e
	return n
}

func (b *Batch) withChild(n *node, i int, child *node) *node {
	if n.children[i] == child {
		return n // changed in place below
	}
	n = b.own(n)
	if b.owner == nil {
		n.children = slices.Clone(n.children)
	}
	n.children[i] = child
	return n
}

func (n *node) find(key string) int {
	for i := range n.entries {
		if n.entries[i].key == key {
			return i
		}
	}
	return -1
}

// rank is the index of a place among the places taken.
func rank(taken, bit uint32) int { return bits.OnesCount32(taken & (bit - 1)) }

func inserted[T any](s []T, i int, v T) []T {
	out := make([]T, len(s)+1)
	copy(out, s[:i])
	out[i] = v
	copy(out[i+1:], s[i:])
	return out
}

func removed[T any](s []T, i int) []T {
	if len(s) == 1 {
		return nil
	}
	out := make([]T, len(s)-1)
	copy(out, s[:i])
	copy(out[i:], s[i+1:])
	return out
}
