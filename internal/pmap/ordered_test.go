package pmap

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOrderedModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Ordered
		model := map[uint64]string{}
		old, oldModel := o, maps.Clone(model)
		for i := range rapid.IntRange(0, 300).Draw(t, "steps") {
			k := rapid.Uint64Range(0, 60).Draw(t, "key")
			if rapid.IntRange(0, 2).Draw(t, "op") == 0 {
				o = o.Delete(k)
				delete(model, k)
			} else {
				v := strconv.Itoa(i)
				o = o.Set(k, v)
				model[k] = v
			}
			if i == 100 {
				old, oldModel = o, maps.Clone(model)
			}
		}
		compare := func(o Ordered, model map[uint64]string) {
			require.Equal(t, len(model), o.Len())
			keys := slices.Sorted(maps.Keys(model))
			var got []uint64
			for k, v := range o.All() {
				got = append(got, k)
				require.Equal(t, model[k], v)
			}
			require.Equal(t, keys, got)
			for k := range uint64(61) {
				want, has := model[k]
				v, ok := o.Get(k)
				require.Equal(t, has, ok)
				require.Equal(t, want, v)
			}
			k, v, ok := o.Min()
			require.Equal(t, len(keys) > 0, ok)
			if ok {
				require.Equal(t, keys[0], k)
				require.Equal(t, model[k], v)
			}
			require.Len(t, slices.Collect(o.Values()), len(keys))
		}
		compare(o, model)
		compare(old, oldModel)
	})
}

// TestOrderedDepth: keys counted up, the way children get theirs, stay in a flat tree.
func TestOrderedDepth(t *testing.T) {
	var o Ordered
	for i := range uint64(10_000) {
		o = o.Set(i, "")
	}
	var depth func(*treap) int
	depth = func(n *treap) int {
		if n == nil {
			return 0
		}
		return 1 + max(depth(n.left), depth(n.right))
	}
	require.Less(t, depth(o.root), 50)
	n := 0
	for range o.Values() {
		if n++; n == 10 {
			break
		}
	}
	require.Equal(t, 10, n)
}
