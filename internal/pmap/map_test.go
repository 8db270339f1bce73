package pmap

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func collect(m Map) map[string]any { return maps.Collect(m.All()) }

// TestMapModel compares a map, and all its earlier versions, with Go's. The bad hashes drive keys into the lists below the last level.
func TestMapModel(t *testing.T) {
	hashes := map[string]func(string) uint64{
		"random": nil,
		"equal":  func(string) uint64 { return 42 },
		"top":    func(s string) uint64 { return uint64(s[len(s)-1]) << 60 },
		"few":    func(s string) uint64 { return uint64(len(s)) * 0x0101010101010101 },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				var m Map
				if hash != nil {
					m.hash = &Hasher{fake: hash}
				}
				model := map[string]any{}
				type version struct {
					m     Map
					model map[string]any
				}
				var versions []version
				batch := m.Batch()
				single := rapid.Bool().Draw(t, "single")
				key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 200).Draw(t, "n")) })
				for i := range rapid.IntRange(0, 300).Draw(t, "steps") {
					k := key.Draw(t, "key")
					if rapid.IntRange(0, 2).Draw(t, "op") == 0 {
						_, had := model[k]
						delete(model, k)
						if single {
							m = m.Delete(k)
						} else {
							require.Equal(t, had, batch.Delete(k))
						}
					} else {
						model[k] = i
						if single {
							m = m.Set(k, i)
						} else {
							batch.Set(k, i)
						}
					}
					if i%20 == 0 {
						if !single {
							m = batch.Map()
						}
						versions = append(versions, version{m, maps.Clone(model)})
					}
				}
				if !single {
					m = batch.Map()
				}
				versions = append(versions, version{m, model})
				for _, v := range versions {
					require.Equal(t, len(v.model), v.m.Len())
					require.Equal(t, v.model, collect(v.m))
					for i := range 201 {
						k := fmt.Sprint("k", i)
						want, has := v.model[k]
						got, ok := v.m.Get(k)
						require.Equal(t, has, ok)
						require.Equal(t, want, got)
						require.Equal(t, has, v.m.Has(k))
					}
				}
			})
		})
	}
}

// TestMapShape: deleting gives back the shape of a map that never had the keys, so nothing stays deep or empty.
func TestMapShape(t *testing.T) {
	var m Map
	m = m.Set("kept", 1)
	for i := range 5000 {
		m = m.Set(fmt.Sprint(i), i)
	}
	for i := range 5000 {
		m = m.Delete(fmt.Sprint(i))
	}
	require.Equal(t, 1, m.Len())
	require.Empty(t, m.root.children)
	require.Len(t, m.root.entries, 1)
	require.Equal(t, 0, m.Delete("kept").Len())
	require.Equal(t, 1, m.Delete("absent").Len())
	require.Empty(t, m.Delete("kept").root.entries)
}

func TestMapStopsEarly(t *testing.T) {
	var m Map
	for i := range 1000 {
		m = m.Set(fmt.Sprint(i), i)
	}
	n := 0
	for range m.All() {
		if n++; n == 500 {
			break
		}
	}
	require.Equal(t, 500, n)
	for range (Map{}).All() {
		t.Fatal("empty")
	}
}

func BenchmarkMap(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		keys := make([]string, n)
		batch := Map{}.Batch()
		for i := range keys {
			keys[i] = fmt.Sprint("handle.", i)
			batch.Set(keys[i], i)
		}
		m := batch.Map()
		b.Run(fmt.Sprint("get/", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if _, ok := m.Get(keys[i%n]); !ok {
					b.Fatal()
				}
			}
		})
		b.Run(fmt.Sprint("set/", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				m.Set(keys[i%n], i)
			}
		})
	}
}

// Most nodes have few entries and are copied in one allocation. The hash is fixed: how many nodes there are depends on it.
func TestBatchAllocations(t *testing.T) {
	m := Map{hash: &Hasher{fake: func(s string) uint64 {
		h := uint64(1)
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 0x9E3779B97F4A7C15
			h ^= h >> 32
		}
		return h
	}}}
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint("handle", i)
		m = m.Set(keys[i], nil)
	}
	nodes, many := 0, 0
	var count func(n *node)
	count = func(n *node) {
		nodes++
		if len(n.entries) > 4 {
			many++
		}
		if len(n.children) > 0 {
			many++
		}
		for _, c := range n.children {
			count(c)
		}
	}
	count(m.root)
	got := testing.AllocsPerRun(20, func() {
		b := m.Batch()
		for _, k := range keys {
			b.Set(k, t)
		}
		b.Map()
	})
	require.LessOrEqual(t, got, float64(nodes+many+3), "one for each node, one for each long list, and three for the batch and its owners")
	require.Less(t, many, nodes/2)
}
