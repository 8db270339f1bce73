package faults

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestClock steps the clock of this test's process, so it is the only one that may look at it.
func TestClock(t *testing.T) {
	begin := time.Now()
	c, err := NewClock()
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	for _, off := range []time.Duration{time.Hour, -time.Hour, 0} {
		require.NoError(t, c.Set(int64(off/time.Second)))
		now := time.Now()
		require.InDelta(t, off.Seconds(), now.Round(0).Sub(begin.Round(0)).Seconds(), 60, "the wall clock")
		require.InDelta(t, 0, now.Sub(begin).Seconds(), 60, "the time that passes")
	}
}

func TestDisk(t *testing.T) {
	d, err := NewDisk(64 << 10)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	defer func() { require.NoError(t, d.Close()) }()
	require.NoError(t, os.WriteFile(d.Path("a"), make([]byte, 8<<10), 0o600))
	require.NoError(t, d.Fill())
	require.ErrorIs(t, os.WriteFile(d.Path("b"), make([]byte, 8<<10), 0o600), unix.ENOSPC)
	require.NoError(t, d.Relieve())
	require.NoError(t, os.WriteFile(d.Path("b"), make([]byte, 8<<10), 0o600))
}
