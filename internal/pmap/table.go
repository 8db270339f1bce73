package pmap

import "iter"

// Table is a Map for values that are replaced far more often than keys come and go. The values stand apart from the keys, each at a place of its own, so that a
// batch that replaces many copies blocks of neighbours rather than most nodes of the trie, and who has looked a key up replaces its value without looking again.
//
// The zero Table is empty and ready to use.
type Table struct {
	index  Map // of places, as int
	values blocks
	free   *freed
}

// freed are places whose keys were deleted, the last one first.
type freed struct {
	place int
	next  *freed
}

// EmptyTable returns an empty table that uses the hasher. The zero Table gets one of its own.
func (h *Hasher) EmptyTable() Table { return Table{index: h.Empty()} }

// Len returns the number of entries.
func (t Table) Len() int { return t.index.len }

// Hasher returns what hashes the keys of the table; nil if it is the zero Table.
func (t Table) Hasher() *Hasher { return t.index.hash }

// Get returns the value of a key.
func (t Table) Get(key string) (any, bool) {
	place, ok := t.index.Get(key)
	if !ok {
		return nil, false
	}
	return t.values.get(place.(int)), true
}

// Find is Get for a key that has been hashed. It returns the place of the value too, which is the same in all versions of the table
// until the key is deleted.
func (t Table) Find(key Key) (value any, place int, ok bool) {
	p, ok := t.index.Find(key)
	if !ok {
		return nil, 0, false
	}
	place = p.(int)
	return t.values.get(place), place, true
}

// Has reports whether there is a value for the key.
func (t Table) Has(key string) bool { return t.index.Has(key) }

// All yields the entries in no particular order, which is the same for the same keys.
func (t Table) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for key, place := range t.index.All() {
			if !yield(key, t.values.get(place.(int))) {
				return
			}
		}
	}
}

// Replace returns the table with another value at a place that Find has returned.
func (t Table) Replace(place int, value any) Table {
	t.values.set(nil, place, value)
	return t
}

// Batch returns an editor that starts from the table.
func (t Table) Batch() *TableBatch { return &TableBatch{t: t, owner: new(owner)} }

// TableBatch is an editor of a table for one goroutine. The table it started from never changes.
type TableBatch struct {
	t     Table
	index *Batch // nil until a key comes or goes
	owner *owner // of blocks
}

// Table returns what the batch has come to. The batch can be used on; the table returned does not change.
func (b *TableBatch) Table() Table {
	b.owner = new(owner) // from here on the blocks made so far are shared
	if b.index != nil {
		b.t.index = b.index.Map()
	}
	return b.t
}

// keys is the index as it is at present.
func (b *TableBatch) keys() Map {
	if b.index != nil {
		return b.index.m
	}
	return b.t.index
}

// Len returns the number of entries.
func (b *TableBatch) Len() int { return b.keys().len }

// Has reports whether there is a value for the key.
func (b *TableBatch) Has(key string) bool { return b.keys().Has(key) }

// Get returns the value of a key.
func (b *TableBatch) Get(key string) (any, bool) {
	place, ok := b.keys().Get(key)
	if !ok {
		return nil, false
	}
	return b.t.values.get(place.(int)), true
}

// Find is that of Table.
func (b *TableBatch) Find(key Key) (value any, place int, ok bool) {
	p, ok := b.keys().Find(key)
	if !ok {
		return nil, 0, false
	}
	place = p.(int)
	return b.t.values.get(place), place, true
}

// Replace puts another value at a place that Find has returned.
func (b *TableBatch) Replace(place int, value any) { b.t.values.set(b.owner, place, value) }

// Set binds key to value.
func (b *TableBatch) Set(key string, value any) {
	place, ok := b.keys().Get(key)
	if !ok {
		place = b.take()
		b.edit().Set(key, place)
	}
	b.Replace(place.(int), value)
}

// Delete removes a key and reports whether it was there.
func (b *TableBatch) Delete(key string) bool {
	place, ok := b.keys().Get(key)
	if !ok {
		return false
	}
	b.edit().Delete(key)
	b.Replace(place.(int), nil)
	b.t.free = &freed{place.(int), b.t.free}
	return true
}

// take returns a place for a new key.
func (b *TableBatch) take() int {
	if f := b.t.free; f != nil {
		b.t.free = f.next
		return f.place
	}
	b.t.values.len++
	return b.t.values.len - 1
}

func (b *TableBatch) edit() *Batch {
	if b.index == nil {
		b.index = b.t.index.Batch()
	}
	return b.index
}

const (
	bitsPerBlock = 4
	blockLen     = 1 << bitsPerBlock
	blockMask    = blockLen - 1
)

// blocks is an immutable array: a tree of blocks, all leaves of which are equally deep. A place written in base blockLen is the way to its value.
type blocks struct {
	root  *block
	shift uint // of the first digit of a place
	len   int  // places there have been
}

// block holds values in a leaf, blocks otherwise.
type block struct {
	owner *owner // the batch that made the block and may change it in place
	at    [blockLen]any
}

func (v blocks) get(place int) any {
	b := v.root
	for shift := v.shift; shift > 0; shift -= bitsPerBlock {
		b, _ = b.at[place>>shift&blockMask].(*block)
	}
	return b.at[place&blockMask]
}

// set makes v an array with another value, for a batch; nil if it is for a single change.
func (v *blocks) set(o *owner, place int, value any) {
	for place>>v.shift >= blockLen { // one level more
		root := &block{owner: o}
		root.at[0] = v.root
		v.root = root
		v.shift += bitsPerBlock
	}
	v.root = v.root.with(o, v.shift, place, value)
}

// with returns the block, or a copy if it belongs to others, with another value below it. A nil block is an empty one.
func (b *block) with(o *owner, shift uint, place int, value any) *block {
	switch {
	case b == nil:
		b = &block{owner: o}
	case o == nil || b.owner != o:
		c := *b
		c.owner = o
		b = &c
	}
	if shift == 0 {
		b.at[place&blockMask] = value
		return b
	}
	p := &b.at[place>>shift&blockMask]
	below, _ := (*p).(*block)
	if changed := below.with(o, shift-bitsPerBlock, place, value); changed != below {
		*p = changed
	}
	return b
}
