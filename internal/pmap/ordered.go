package pmap

import "iter"

// Ordered is an immutable map from uint64 to V, in the order of the keys. The zero Ordered is empty.
//
// It is a treap whose priorities are a hash of the key: equal contents have equal shapes, and the depth is O(log n) as long
// as nobody chooses keys to spoil it. Its user here numbers things itself.
type Ordered[V any] struct {
	root *treap[V]
	len  int
}

type treap[V any] struct {
	key         uint64
	value       V
	left, right *treap[V]
}

// Len returns the number of entries.
func (o Ordered[V]) Len() int { return o.len }

// Get returns the value of a key.
func (o Ordered[V]) Get(key uint64) (V, bool) {
	for t := o.root; t != nil; {
		switch {
		case key == t.key:
			return t.value, true
		case key < t.key:
			t = t.left
		default:
			t = t.right
		}
	}
	var none V
	return none, false
}

// Min returns the entry with the smallest key.
func (o Ordered[V]) Min() (key uint64, value V, ok bool) {
	t := o.root
	if t == nil {
		return 0, value, false
	}
	for t.left != nil {
		t = t.left
	}
	return t.key, t.value, true
}

// Set returns the map with key bound to value. O(log n).
func (o Ordered[V]) Set(key uint64, value V) Ordered[V] {
	if _, ok := o.Get(key); ok {
		return Ordered[V]{replace(o.root, key, value), o.len}
	}
	return Ordered[V]{insert(o.root, &treap[V]{key: key, value: value}), o.len + 1}
}

// Delete returns the map without the key. O(log n).
func (o Ordered[V]) Delete(key uint64) Ordered[V] {
	if _, ok := o.Get(key); !ok {
		return o
	}
	return Ordered[V]{remove(o.root, key), o.len - 1}
}

// All yields the entries in the order of their keys.
func (o Ordered[V]) All() iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) { o.root.all(yield) }
}

// Values yields the values in the order of their keys.
func (o Ordered[V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		o.root.all(func(_ uint64, v V) bool { return yield(v) })
	}
}

func (t *treap[V]) all(yield func(uint64, V) bool) bool {
	return t == nil || t.left.all(yield) && yield(t.key, t.value) && t.right.all(yield)
}

func replace[V any](t *treap[V], key uint64, value V) *treap[V] {
	c := *t
	switch {
	case key == t.key:
		c.value = value
	case key < t.key:
		c.left = replace(t.left, key, value)
	default:
		c.right = replace(t.right, key, value)
	}
	return &c
}

// insert puts a new node in; it may become the root of the subtree.
func insert[V any](t, n *treap[V]) *treap[V] {
	if t == nil {
		return n
	}
	if above(n.key, t.key) {
		n.left, n.right = split(t, n.key)
		return n
	}
	c := *t
	if n.key < t.key {
		c.left = insert(t.left, n)
	} else {
		c.right = insert(t.right, n)
	}
	return &c
}

func remove[V any](t *treap[V], key uint64) *treap[V] {
	if key == t.key {
		return join(t.left, t.right)
	}
	c := *t
	if key < t.key {
		c.left = remove(t.left, key)
	} else {
		c.right = remove(t.right, key)
	}
	return &c
}

// split parts a tree into the keys below and above a key that is not in it.
func split[V any](t *treap[V], key uint64) (below, over *treap[V]) {
	if t == nil {
		return nil, nil
	}
	c := *t
	if t.key < key {
		c.right, over = split(t.right, key)
		return &c, over
	}
	below, c.left = split(t.left, key)
	return below, &c
}

// join is the inverse of split.
func join[V any](below, over *treap[V]) *treap[V] {
	switch {
	case below == nil:
		return over
	case over == nil:
		return below
	case above(below.key, over.key):
		c := *below
		c.right = join(below.right, over)
		return &c
	default:
		c := *over
		c.left = join(below, over.left)
		return &c
	}
}

// above tells which of two keys is nearer to the root.
func above(a, b uint64) bool {
	pa, pb := mix(a), mix(b)
	return pa > pb || pa == pb && a > b
}

// mix spreads the bits of a key; it is a bijection (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
