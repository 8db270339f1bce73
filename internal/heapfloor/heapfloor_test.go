package heapfloor

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

var sink []byte

// collections counts those that a fixed amount of garbage brings about.
func collections() uint32 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 64 << 10 {
		sink = make([]byte, 1<<10)
	}
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}

func TestRaise(t *testing.T) {
	without := collections()
	lower := Raise(Size)
	with := collections()
	lower()
	require.GreaterOrEqual(t, without, uint32(4))
	require.Less(t, 2*with, without)
}
