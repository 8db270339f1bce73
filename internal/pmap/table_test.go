package pmap

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTableModel compares a table, and all its earlier versions, with Go's maps.
func TestTableModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			t     Table
			model map[string]any
		}
		var versions []version
		table, model := NewHasher().EmptyTable(), map[string]any{}
		if rapid.Bool().Draw(t, "zero") {
			table = Table{}
		}
		batch := table.Batch()
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 300).Draw(t, "n")) })
		for i := range rapid.IntRange(0, 400).Draw(t, "steps") {
			k := key.Draw(t, "key")
			old, had := model[k]
			got, ok := batch.Get(k)
			require.Equal(t, had, ok)
			require.Equal(t, old, got)
			require.Equal(t, had, batch.Has(k))
			switch op := rapid.IntRange(0, 7).Draw(t, "op"); {
			case op == 0:
				delete(model, k)
				require.Equal(t, had, batch.Delete(k))
			case op < 4 && had:
				model[k] = i
				value, place, ok := batch.Find(batch.keys().hash.Key(k))
				require.True(t, ok)
				require.Equal(t, old, value)
				batch.Replace(place, i)
			case op == 4 && had: // one change alone, of the version before
				table = batch.Table()
				value, place, ok := table.Find(NewHasher().Key(k))
				require.True(t, ok)
				require.Equal(t, old, value)
				other := table.Replace(place, i)
				got, _ := other.Get(k)
				require.Equal(t, i, got)
				versions = append(versions, version{table, maps.Clone(model)})
				model[k] = i
				versions = append(versions, version{other, maps.Clone(model)})
				batch = other.Batch()
			default:
				model[k] = i
				batch.Set(k, i)
			}
			require.Equal(t, len(model), batch.Len())
			if i%50 == 0 {
				versions = append(versions, version{batch.Table(), maps.Clone(model)})
			}
		}
		versions = append(versions, version{batch.Table(), model})
		for _, v := range versions {
			require.Equal(t, len(v.model), v.t.Len())
			require.Equal(t, v.model, maps.Collect(v.t.All()))
			for i := range 301 {
				k := fmt.Sprint("k", i)
				want, has := v.model[k]
				got, ok := v.t.Get(k)
				require.Equal(t, has, ok)
				require.Equal(t, want, got)
				require.Equal(t, has, v.t.Has(k))
				if h := v.t.Hasher(); h != nil {
					got, _, ok = v.t.Find(h.Key(k))
					require.Equal(t, has, ok)
					require.Equal(t, want, got)
				}
			}
		}
	})
}

// The place of a deleted key is taken by the next one, so that a table in which keys come and go does not grow; it holds nothing of what was there.
func TestTableReusesPlaces(t *testing.T) {
	var table Table
	for i := range 1000 {
		b := table.Batch()
		b.Set(fmt.Sprint(i), i)
		b.Set(fmt.Sprint("and ", i), i)
		table = b.Table()
		require.LessOrEqual(t, table.values.len, 4)
		b.Delete(fmt.Sprint(i))
		require.True(t, b.Delete(fmt.Sprint("and ", i)))
		table = b.Table()
	}
	require.Zero(t, table.Len())
	require.Equal(t, [blockLen]any{}, table.values.root.at)
	for range table.All() {
		t.Fatal("empty")
	}
}

// Neighbours that are replaced together share what is copied: one allocation for each block, and two for the batch and its owners each.
func TestTableBatchAllocations(t *testing.T) {
	const n = 160
	b := Table{}.Batch()
	keys := make([]Key, n)
	for i := range keys {
		b.Set(fmt.Sprint("handle", i), 0)
		keys[i] = b.keys().hash.Key(fmt.Sprint("handle", i))
	}
	table := b.Table()
	got := testing.AllocsPerRun(20, func() {
		b := table.Batch()
		for range 3 {
			for i := range keys {
				_, place, _ := b.Find(keys[i])
				b.Replace(place, t)
			}
		}
		b.Table()
	})
	require.LessOrEqual(t, got, float64(n/blockLen+1+3))
}

func BenchmarkTable(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		keys := make([]Key, n)
		h := NewHasher()
		batch := h.EmptyTable().Batch()
		for i := range keys {
			keys[i] = h.Key(fmt.Sprint("handle.", i))
			batch.Set(keys[i].Name(), i)
		}
		table := batch.Table()
		b.Run(fmt.Sprint("find/", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if _, _, ok := table.Find(keys[i%n]); !ok {
					b.Fatal()
				}
			}
		})
		b.Run(fmt.Sprint("replace/", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				_ = table.Replace(i%n, i)
			}
		})
	}
}
