package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/heapfloor"
	"github.com/semeco/go-sdc/mdib"
)

// TestMain lets the tests start themselves as a child.
func TestMain(m *testing.M) {
	defer heapfloor.Raise(heapfloor.Size)() // as the command does
	if len(os.Args) > 2 && os.Args[1] == "-role" {
		if err := serveRole(context.Background(), os.Args[2]); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// each runs an operation as a Go benchmark.
func each(b *testing.B, o operation) {
	b.Run(o.name, func(b *testing.B) {
		b.SetBytes(int64(o.size))
		b.ReportAllocs()
		b.ResetTimer()
		if err := o.do(b.N); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	cases, err := codecCases()
	require.NoError(b, err)
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			ops, err := c.operations()
			require.NoError(b, err)
			for _, o := range ops {
				each(b, o)
			}
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		o, err := commitOperation(n)
		require.NoError(b, err)
		each(b, o)
	}
}

// BenchmarkReport is the whole path over mutual TLS, from the commit to the update, and the floor of the same size beside it.
func BenchmarkReport(b *testing.B) {
	e := testEnv(b)
	snap, err := deviceSnapshot()
	require.NoError(b, err)
	for _, c := range reportCases() {
		size := 0
		b.Run(c.name+"/path", func(b *testing.B) {
			p, err := e.startPair(b.Context(), snap)
			require.NoError(b, err)
			b.ReportAllocs()
			b.ResetTimer()
			cpu := cpuTime()
			_, err = p.send(b.Context(), until{count: b.N}, c.commit)
			b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.StopTimer()
			size = messageSize(int(p.dev.bytes.Load()))
			b.SetBytes(int64(size))
			require.NoError(b, err)
			require.NoError(b, p.close())
		})
		b.Run(c.name+"/floor", func(b *testing.B) {
			f, err := e.startFloor(b.Context())
			require.NoError(b, err)
			fc := f.client(size)
			require.NoError(b, fc.post(b.Context()))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			cpu := cpuTime()
			for range b.N {
				if err := fc.post(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.StopTimer()
			fc.close()
			require.NoError(b, f.close())
		})
	}
}

func testEnv(tb testing.TB) *env {
	e, err := newEnv(true)
	require.NoError(tb, err)
	e.python = "" // the peer is for the page
	tb.Cleanup(e.close)
	return e
}

// TestShortForm runs a short form of everything. It fails only where something is far off: by allocations, which do not depend
// on the machine, and by ratios to references of the same run, with wide margins: of processor time wherever it can be told apart,
// because on a busy machine a path over many goroutines waits for its turn more often than the floor does. What is far off is measured
// up to three times, and the best counts: a machine that is busy with other things makes one run of a pair slow, the code makes all of them.
func TestShortForm(t *testing.T) {
	if testing.Short() {
		t.Skip("measures; not in -short")
	}
	if raceDetector {
		t.Skip("the race detector slows one side more than the other: make ratios measures without it")
	}
	best := map[string]float64{}
	for tries := 1; ; tries++ {
		off := shortForm(t, best)
		if len(off) == 0 {
			return
		}
		t.Logf("far off, run %d: %v", tries, off)
		require.Less(t, tries, 3, "far off: %v", off)
	}
}

// shortForm measures everything, keeps the best of what was measured before and now, and tells what is far off.
func shortForm(t *testing.T, best map[string]float64) (off []string) {
	t.Helper()
	e := testEnv(t)
	for _, s := range sections() {
		require.NoError(t, s.run(e, t.Context()), s.name)
	}
	require.NotEmpty(t, e.rows)
	for _, r := range e.rows {
		t.Logf("%s: %s (to reach: %s)", r.What, r.Figure, r.Target)
	}
	judge := func(limits map[string]float64, better func(a, b float64) float64) {
		for name, limit := range limits {
			got, ok := e.ratios[name]
			require.True(t, ok, "%s was not measured; known are %v", name, e.ratios)
			if before, ok := best[name]; ok {
				got = better(before, got)
			}
			best[name] = got
			if better(got, limit) == limit {
				off = append(off, fmt.Sprintf("%s: %.2f, the limit is %.2f", name, got, limit))
			}
		}
	}
	judge(map[string]float64{
		"decode MDIB / encoding/xml":                       4,
		"decode report of 50 metrics / encoding/xml":       6,
		"decode 10 waveforms x 100 samples / encoding/xml": 3,
		"encode MDIB / encoding/xml":                       10,
		"encode report of 50 metrics / encoding/xml":       10,
		"encode 10 waveforms x 100 samples / encoding/xml": 4,
		"audience / floors":                                0.1,
	}, func(a, b float64) float64 { return max(a, b) })
	judge(map[string]float64{
		"latency median / floor":                            12,
		"commit of 10 000 / 100 descriptors":                8,
		"processor time of reports-1 / floor":               3,
		"processor time of reports-50 / floor":              9,
		"processor time of waveforms / floor":               5,
		"allocations per state, report of 50 metrics":       0.6,
		"allocations per state, 10 waveforms x 100 samples": 1.5,
		"allocations per state, MDIB":                       0.8,
		"allocations, encode MDIB":                          0.5,
		"allocations, encode report of 50 metrics":          0.5,
		"allocations, reports-1":                            75,
		"allocations, reports-50":                           135,
		"allocations, waveforms":                            90,
	}, func(a, b float64) float64 { return min(a, b) })
	return off
}

// A page must show every row, missed ones included.
func TestPage(t *testing.T) {
	e := testEnv(t)
	e.add(row{What: "one", Target: "1", Figure: "2", Verdict: missed, Note: "why", Raw: []series{{"runs", "ms", []float64{1, 2, 1234567}}}})
	e.add(row{What: "two", Target: "1", Figure: "1", Verdict: met})
	e.addPlot(plot{File: "a.svg", Title: "A < B", Unit: "s", Bars: []bar{{"x", 1, ours}, {"y & z", 0, other}}})
	dir := t.TempDir()
	out := filepath.Join(dir, "page.md")
	require.NoError(t, e.writePage(out))
	b, err := os.ReadFile(out)
	require.NoError(t, err)
	for _, want := range []string{"1 of 2 met", "| one | 1 | 2 | **missed** |", "| two | 1 | 1 | met |", "1 234 567", "page/a.svg", "THE PYTHON PEER WAS MISSING", "why"} {
		require.Contains(t, string(b), want)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "page", "a.svg"))
	require.NoError(t, err)
	require.Contains(t, string(svg), "A &lt; B")
}

func TestQuantile(t *testing.T) {
	v := []float64{4, 1, 3, 2}
	require.Equal(t, 2.5, median(v))
	require.Equal(t, 1.0, quantile(v, 0))
	require.Equal(t, 4.0, quantile(v, 0.99))
	require.Equal(t, 3.0, median([]float64{3}))
}

func TestShares(t *testing.T) {
	got := shares([]byte(`File: bench
Type: cpu
Duration: 1s, Total samples = 1s
      flat  flat%   sum%        cum   cum%
     0.50s 50.00% 50.00%      0.60s 60.00%  internal/runtime/syscall.Syscall6
     0.30s 30.00% 80.00%      0.30s 30.00%  crypto/internal/fips140/aes/gcm.gcmAesEnc
     0.10s 10.00% 90.00%      0.10s 10.00%  github.com/semeco/go-sdc/mdib/pm.(*NumericMetricState).decode
     0.10s 10.00%  100%      0.10s 10.00%  os.Getpid
`))
	require.Equal(t, []share{{"system calls (sockets)", 50}, {"TLS", 30}, {"model codec, decoding (scanner included)", 10}, {elsewhere, 10}}, got)
}

// The MDIB all stacks start with is about the size the targets speak of.
func TestDevice(t *testing.T) {
	require.InDelta(t, 76_000, len(deviceXML()), 2000)
	snap, err := deviceSnapshot()
	require.NoError(t, err)
	store := mdib.NewStore(snap, mdib.Config{})
	_, err = store.Update(func(tx *mdib.Tx) error { return setMetrics(tx, 0, numMetrics) })
	require.NoError(t, err)
	_, err = store.Update(func(tx *mdib.Tx) error { return setWaveforms(tx, sampleArray(100, 0)) })
	require.NoError(t, err)
}

// Turns that are alike do not differ whoever they belong to; one that stands out makes a difference wherever it falls.
func TestByLot(t *testing.T) {
	alike := make([][]float64, 8)
	for i := range alike {
		alike[i] = []float64{1, 2, 3}
	}
	require.Zero(t, byLot(alike))
	alike[3] = []float64{1, 2, 6}
	require.Equal(t, 1.0, byLot(alike)) // 6/3-1, or 3/6-1 which is nearer to 0
}
