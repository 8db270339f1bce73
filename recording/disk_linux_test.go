package recording

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/faults"
)

// TestDiskReallyFull is TestDiskFull on a file system that is full, so that what a failed write leaves is what file systems leave.
func TestDiskReallyFull(t *testing.T) {
	disk, err := faults.NewDisk(256 << 10)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	defer func() { require.NoError(t, disk.Close()) }()
	path := disk.Path("a.sdcrec")
	w, err := Create(path, Config{Uncompressed: true, FrameSize: 16 << 10, Buffer: 64 << 10, FlushEvery: time.Hour})
	require.NoError(t, err)
	d := newDevice(t, w, deviceEPR)
	reports := 0
	for w.Stats().Dropped < 50 { // until the disk is full by the recording itself
		d.measure(t, time.Millisecond)
		if reports++; reports%20 == 0 {
			_ = w.Flush() // fails once it is full
		}
	}
	require.ErrorIs(t, w.Flush(), syscall.ENOSPC)
	require.ErrorIs(t, w.Stats().Trouble, syscall.ENOSPC)
	require.NoError(t, disk.Fill())
	_, err = Create(disk.Path("b.sdcrec"), Config{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoFileExists(t, disk.Path("b.sdcrec"))

	err = w.Close()
	require.ErrorIs(t, err, syscall.ENOSPC, "the end is missing, and that is said")
	r := open(t, path)
	got, gaps := versions(t, r)
	require.Len(t, gaps, 1)
	require.Contains(t, gaps[0].Cause, "not closed")
	require.Less(t, len(got), reports)
	for i, v := range got {
		require.EqualValues(t, i+1, v, "what is there has no hole")
	}
	s, err := r.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, s.Unusable)
	require.Empty(t, s.Damage, "no torn frame was left")
}
