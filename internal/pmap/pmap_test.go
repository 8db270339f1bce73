package pmap

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestAgainstGoMap drives random batches and checks that the map equals a Go map
// after each, and that no earlier version has changed.
func TestAgainstGoMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Map[int]
		want := map[string]int{}
		type version struct {
			m    Map[int]
			want map[string]int
		}
		var old []version
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("h", rapid.IntRange(0, 300).Draw(t, "key")) })
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			b := m.Edit()
			for range rapid.IntRange(0, 60).Draw(t, "edits") {
				k := key.Draw(t, "k")
				if rapid.IntRange(0, 2).Draw(t, "op") == 0 {
					_, had := want[k]
					if b.Delete(k) != had {
						t.Fatalf("delete %s: had %v", k, had)
					}
					delete(want, k)
					continue
				}
				v := rapid.Int().Draw(t, "v")
				b.Set(k, v)
				want[k] = v
			}
			m = b.Map()
			old = append(old, version{m, maps.Clone(want)})
		}
		for _, v := range old {
			if got := maps.Collect(v.m.All()); len(got) != v.m.Len() || !maps.Equal(got, v.want) {
				t.Fatalf("got %v want %v", got, v.want)
			}
			for k, w := range v.want {
				if g, ok := v.m.Get(k); !ok || g != w {
					t.Fatalf("%s: %v %v, want %v", k, g, ok, w)
				}
			}
			if _, ok := v.m.Get("absent"); ok {
				t.Fatal("found what is not there")
			}
		}
	})
}

func TestEqualHashesAreKeptApart(t *testing.T) {
	// Equal hashes cannot be forced from outside; the list below the last level is
	// entered directly.
	b := Map[int]{}.Edit()
	last := &node[int]{owner: b.token}
	for i := range 5 {
		last, _ = b.set(last, 0, maxDepth+1, entry[int]{fmt.Sprint(i), i})
	}
	require.Len(t, last.entries, 5)
	last = b.delete(last, 0, maxDepth+1, "3")
	require.Len(t, last.entries, 4)
	for _, e := range last.entries {
		require.NotEqual(t, "3", e.key)
	}
}

func BenchmarkSet(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := Map[int]{}.Edit()
			keys := make([]string, n)
			for i := range keys {
				keys[i] = fmt.Sprint("handle.", i)
				e.Set(keys[i], i)
			}
			m := e.Map()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e := m.Edit()
				e.Set(keys[i%n], i)
				m = e.Map()
				i++
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	e := Map[int]{}.Edit()
	for i := range 10_000 {
		e.Set(fmt.Sprint("handle.", i), i)
	}
	m := e.Map()
	b.ReportAllocs()
	for b.Loop() {
		m.Get("handle.777")
	}
}
