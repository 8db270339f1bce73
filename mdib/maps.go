package mdib

import (
	"iter"

	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The maps of the package: those of pmap with types. What a map holds is what these methods have put there, so that the assertions hold.

// nodeMap holds nodes by the handles of their descriptors.
type nodeMap struct{ m pmap.Map }

func (m nodeMap) Len() int               { return m.m.Len() }
func (m nodeMap) Has(handle string) bool { return m.m.Has(handle) }
func (m nodeMap) Batch() nodeBatch       { return nodeBatch{m.m.Batch()} }

func (m nodeMap) Get(handle string) (*node, bool) {
	v, ok := m.m.Get(handle)
	n, _ := v.(*node)
	return n, ok
}

func (m nodeMap) Find(handle pmap.Key) (*node, bool) {
	v, ok := m.m.Find(handle)
	n, _ := v.(*node)
	return n, ok
}

// nodeBatch is an editor of a nodeMap.
type nodeBatch struct{ b *pmap.Batch }

func (b nodeBatch) Find(handle pmap.Key) (*node, bool) {
	v, ok := b.b.Find(handle)
	n, _ := v.(*node)
	return n, ok
}

func (b nodeBatch) Len() int                   { return b.b.Len() }
func (b nodeBatch) Has(handle string) bool     { return b.b.Has(handle) }
func (b nodeBatch) Set(handle string, n *node) { b.b.Set(handle, n) }
func (b nodeBatch) Delete(handle string)       { b.b.Delete(handle) }
func (b nodeBatch) Map() nodeMap               { return nodeMap{b.b.Map()} }

func (b nodeBatch) Get(handle string) (*node, bool) {
	v, ok := b.b.Get(handle)
	n, _ := v.(*node)
	return n, ok
}

// stateMap holds single states by the handles of their descriptors and context states by their own.
type stateMap struct{ t pmap.Table }

func (m stateMap) Len() int               { return m.t.Len() }
func (m stateMap) Has(handle string) bool { return m.t.Has(handle) }
func (m stateMap) Batch() stateBatch      { return stateBatch{m.t.Batch()} }

func (m stateMap) Get(handle string) (pm.State, bool) {
	v, ok := m.t.Get(handle)
	s, _ := v.(pm.State)
	return s, ok
}

// Find returns the place of the state as well, for Replace.
func (m stateMap) Find(handle pmap.Key) (pm.State, int, bool) {
	v, place, ok := m.t.Find(handle)
	s, _ := v.(pm.State)
	return s, place, ok
}

func (m stateMap) Replace(place int, s pm.State) stateMap { return stateMap{m.t.Replace(place, s)} }

func (m stateMap) All() iter.Seq2[string, pm.State] {
	return func(yield func(string, pm.State) bool) {
		for handle, v := range m.t.All() {
			if s, _ := v.(pm.State); !yield(handle, s) {
				return
			}
		}
	}
}

// stateBatch is an editor of a stateMap.
type stateBatch struct{ b *pmap.TableBatch }

func (b stateBatch) Find(handle pmap.Key) (pm.State, int, bool) {
	v, place, ok := b.b.Find(handle)
	s, _ := v.(pm.State)
	return s, place, ok
}

func (b stateBatch) Replace(place int, s pm.State) { b.b.Replace(place, s) }
func (b stateBatch) Len() int                      { return b.b.Len() }
func (b stateBatch) Has(handle string) bool        { return b.b.Has(handle) }
func (b stateBatch) Set(handle string, s pm.State) { b.b.Set(handle, s) }
func (b stateBatch) Delete(handle string)          { b.b.Delete(handle) }
func (b stateBatch) Map() stateMap                 { return stateMap{b.b.Table()} }

func (b stateBatch) Get(handle string) (pm.State, bool) {
	v, ok := b.b.Get(handle)
	s, _ := v.(pm.State)
	return s, ok
}

// retiredMap holds what is remembered of handles that are gone.
type retiredMap struct{ m pmap.Map }

func (m retiredMap) Len() int               { return m.m.Len() }
func (m retiredMap) Has(handle string) bool { return m.m.Has(handle) }
func (m retiredMap) Set(handle string, h retiredHandle) retiredMap {
	return retiredMap{m.m.Set(handle, h)}
}
func (m retiredMap) Delete(handle string) retiredMap { return retiredMap{m.m.Delete(handle)} }

func (m retiredMap) Get(handle string) (retiredHandle, bool) {
	v, ok := m.m.Get(handle)
	h, _ := v.(retiredHandle)
	return h, ok
}
