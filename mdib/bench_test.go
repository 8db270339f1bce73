package mdib

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The cost of a commit grows with the logarithm of the MDIB: compare the sizes.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		st := NewStore(sized(b, n), Config{})
		handles := make([]string, n)
		for i := range handles {
			handles[i] = fmt.Sprint("m", i)
		}
		for _, metrics := range []int{1, 50} {
			b.Run(fmt.Sprintf("metrics=%d/descriptors=%d", metrics, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := range b.N {
					_, err := st.Update(func(tx *Tx) error {
						for k := range metrics {
							if err := tx.SetNumeric(handles[(i*metrics+k)%n], pm.NewDecimal(int64(i), 0), t0); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("insert+delete/descriptors=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			d := numeric("new")
			for range b.N {
				if _, err := st.Update(func(tx *Tx) error { return tx.Insert("chan", d) }); err != nil {
					b.Fatal(err)
				}
				if _, err := st.Update(func(tx *Tx) error { return tx.Delete("new") }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		for _, metrics := range []int{1, 50} {
			b.Run(fmt.Sprintf("metrics=%d/descriptors=%d", metrics, n), func(b *testing.B) {
				st := NewStore(sized(b, n), Config{})
				m := NewMirror(MirrorConfig{AllReports: true})
				_, err := m.Reset(st.Load().Response())
				require.NoError(b, err)
				reports := make([]msg.Report, b.N)
				for i := range reports {
					c, err := st.Update(func(tx *Tx) error {
						for k := range metrics {
							if err := tx.SetNumeric(fmt.Sprint("m", (i*metrics+k)%n), pm.NewDecimal(int64(i), 0), t0); err != nil {
								return err
							}
						}
						return nil
					})
					require.NoError(b, err)
					reports[i] = c.Report()
				}
				b.ReportAllocs()
				b.ResetTimer()
				for _, r := range reports {
					if _, err := m.Apply(r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := sized(b, 10_000)
	b.ReportAllocs()
	for range b.N {
		if _, ok := Get[*pm.NumericMetricState](s, "m77"); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkMDSOf(b *testing.B) {
	s := sized(b, 10_000)
	b.ReportAllocs()
	for range b.N {
		if _, ok := s.MDSOf("m77"); !ok {
			b.Fatal()
		}
	}
}

func BenchmarkLoadMdib(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		m := sized(b, n).Mdib()
		b.Run(fmt.Sprint("from/", n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := FromMdib(m); err != nil {
					b.Fatal(err)
				}
			}
		})
		s := sized(b, n)
		b.Run(fmt.Sprint("to/", n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				_ = s.Mdib()
			}
		})
	}
}

// What a commit of many states and its application by a mirror allocate: mostly the states themselves, which the report of the commit brings along here.
func TestAllocations(t *testing.T) {
	const metrics = 50
	st := NewStore(sized(t, 100), Config{})
	m := NewMirror(MirrorConfig{AllReports: true})
	_, err := m.Reset(st.Load().Response())
	require.NoError(t, err)
	handles := make([]string, metrics)
	for i := range handles {
		handles[i] = fmt.Sprint("m", i)
	}
	n, reports := int64(0), []msg.Report(nil)
	commits := testing.AllocsPerRun(20, func() {
		n++
		c, err := st.Update(func(tx *Tx) error {
			for _, h := range handles {
				if err := tx.SetNumeric(h, pm.NewDecimal(n, 0), t0); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err)
		reports = append(reports, c.Report())
	})
	require.LessOrEqual(t, commits, metrics+20.0)
	next := 0
	applications := testing.AllocsPerRun(20, func() {
		_, err := m.Apply(reports[next])
		require.NoError(t, err)
		next++
	})
	require.LessOrEqual(t, applications, 22.0)
}
