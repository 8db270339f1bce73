package codec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// Whatever is asked for in whatever order, all values are distinct, zero at first and stay as they were written.
func TestSlabs(t *testing.T) {
	type value struct {
		n    int
		list []int
	}
	s := xmlscan.NewScanner([]byte("<a>"+strings.Repeat("<b/>", 100)+"</a>"), xmlscan.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		s.Reset([]byte("<a>"+strings.Repeat("<b/>", rapid.IntRange(0, 100).Draw(t, "size"))+"</a>"), xmlscan.Limits{})
		d := Batch(s)
		defer d.Done()
		if rapid.Bool().Draw(t, "plain") {
			d = New(s)
		}
		var single []*value
		lists, numbers := make([][]value, 3), [][]int(nil)
		next := 1
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch k := rapid.IntRange(0, 5).Draw(t, "what"); k {
			case 0:
				v := Make[value](d, 0)
				if v.n != 0 || v.list != nil {
					t.Fatal("used before")
				}
				v.n = next
				single = append(single, v)
			case 1:
				l := SampleRoom[int](d, 1, rapid.IntRange(1, 400).Draw(t, "n"), 100)
				if len(l) != 0 {
					t.Fatal("not empty")
				}
				for len(l) < cap(l) {
					l = append(l, next)
				}
				numbers = append(numbers, append(l, next))
			default:
				l := Extend(d, 0, lists[k%3])
				if v := &l[len(l)-1]; v.n != 0 || v.list != nil {
					t.Fatal("used before")
				}
				l[len(l)-1].n = next
				lists[k%3] = l
			}
			next++
			s.Child() // the document is read on meanwhile
			if s.Kind() == xmlscan.Start && s.Depth() > 1 {
				_ = s.Skip()
			}
		}
		seen := map[int]bool{}
		once := func(n int) {
			if n == 0 || seen[n] {
				t.Fatalf("%d is overwritten or shared", n)
			}
			seen[n] = true
		}
		for _, v := range single {
			once(v.n)
		}
		for _, l := range lists {
			for i := range l {
				once(l[i].n)
				if i > 0 && l[i].n < l[i-1].n {
					t.Fatal("out of order")
				}
			}
		}
		for _, l := range numbers {
			once(l[0])
			for _, n := range l {
				if n != l[0] {
					t.Fatal("numbers overwritten")
				}
			}
		}
	})
}

// The next document gets memory of its own.
func TestSlabsBelongToOneDocument(t *testing.T) {
	s := xmlscan.NewScanner([]byte("<a/>"), xmlscan.Limits{})
	first := Batch(s)
	for range 3 {
		Make[int](first, 0)
	}
	first.Done()
	second := Batch(s)
	require.Same(t, first, second)
	require.Equal(t, slab[int]{each: 8}, *second.slabs[0].(*slab[int]))
}
