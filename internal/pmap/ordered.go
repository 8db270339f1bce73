package pmap

import "iter"

// Ordered is an immutable map from uint64 to string, in the order of the keys. The zero Ordered is empty.
//
// It is a treap whose priorities are a hash of the key: equal contents have equal shapes, and the depth is O(log n) as long
// as nobody chooses keys to spoil it. Its user here numbers things itself.
type Ordered struct {
	root *treap
	len  int
}

type treap struct {
	key         uint64
	value       string
	left, right *treap
}

// Len returns the number of entries.
func (o Ordered) Len() int { return o.len }

// Get returns the value of a key.
func (o Ordered) Get(key uint64) (string, bool) {
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
	return "", false
}

// Min returns the entry with the smallest key.
func (o Ordered) Min() (key uint64, value string, ok bool) {
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
func (o Ordered) Set(key uint64, value string) Ordered {
	if _, ok := o.Get(key); ok {
		return Ordered{replace(o.root, key, value), o.len}
	}
	return Ordered{insert(o.root, &treap{key: key, value: value}), o.len + 1}
}

// Delete returns the map without the key. O(log n).
func (o Ordered) Delete(key uint64) Ordered {
	if _, ok := o.Get(key); !ok {
		return o
	}
	return Ordered{remove(o.root, key), o.len - 1}
}

// All yields the entries in the order of their keys.
func (o Ordered) All() iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) { o.root.all(yield) }
}

// Values yields the values in the order of their keys.
func (o Ordered) Values() iter.Seq[string] {
	return func(yield func(string) bool) {
		o.root.all(func(_ uint64, v string) bool { return yield(v) })
	}
}

func (t *treap) all(yield func(uint64, string) bool) bool {
	return t == nil || t.left.all(yield) && yield(t.key, t.value) && t.right.all(yield)
}

func replace(t *treap, key uint64, value string) *treap {
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
func insert(t, n *treap) *treap {
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

func remove(t *treap, key uint64) *treap {
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
func split(t *treap, key uint64) (below, over *treap) {
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
func join(below, over *treap) *treap {
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
