package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// record adds a row to the results if they are collected.
func record(t *testing.T, r Row) {
	t.Helper()
	recordTo(t, resultsVar, r)
}

// recordSoak adds what came of a soak, if that is collected.
func recordSoak(t *testing.T, s Soak) {
	t.Helper()
	recordTo(t, soakVar, s)
}

func recordTo(t *testing.T, variable string, r any) {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	require.NoError(t, json.NewEncoder(f).Encode(r))
	require.NoError(t, f.Close())
}

// leaks counts what a process holds on to.
type leaks struct {
	goroutines, files int
	heap              uint64
}

func count() leaks {
	// What pools keep goes with the second.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	l := leaks{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		l.files = len(fds)
	}
	return l
}

func (l leaks) minus(before leaks) *Leaks {
	return &Leaks{Goroutines: l.goroutines - before.goroutines, Files: l.files - before.files, Heap: int64(l.heap) - int64(before.heap)}
}

func TestPageTellsEveryRow(t *testing.T) {
	page := string(render([]Row{{Fault: "one", Where: InMemory}, {Fault: "two", Where: Spaces, Leaks: &Leaks{Files: 1}}}))
	require.Contains(t, page, "| one | 0 | 0 |")
	require.Contains(t, page, "| two | 0 | 0 |")
	require.Contains(t, page, "+0, +1, +0 KiB")
}

func TestPageKeepsBothParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page, soaked, err := pageParts(path)
	require.NoError(t, err)
	require.Empty(t, page)
	require.Empty(t, soaked)
	soaked = renderSoak(Soak{Length: time.Minute, Result: "all went well", Faults: map[string]int{"rain": 3}, Leaks: &Leaks{Files: 2}})
	require.NoError(t, writePage(path, render([]Row{{Fault: "one", Where: InMemory}}), soaked))
	page, got, err := pageParts(path)
	require.NoError(t, err)
	require.Equal(t, render([]Row{{Fault: "one", Where: InMemory}}), page)
	require.Equal(t, soaked, got)
	require.Contains(t, string(got), "all went well")
	require.Contains(t, string(got), "| rain | 3 |")
	require.Contains(t, string(got), "+0, +2, +0 KiB")
}
