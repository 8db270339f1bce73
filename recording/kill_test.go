package recording

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// childEnv names the file that a child process records into until it is killed.
const childEnv = "SDC_RECORDING_TEST_CHILD"

// childMain records as fast as it can and says after each flush which version is safe.
func childMain(path string) {
	fail := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	w, err := Create(path, Config{FrameSize: 4 << 10, FlushEvery: time.Millisecond, KeyEvery: time.Millisecond, IndexEvery: 4})
	fail(err)
	snap, err := mdib.ReadFile("../sdc/provider/testdata/device.xml")
	fail(err)
	store := mdib.NewStore(snap, mdib.Config{})
	track, err := w.Track(Device{EPR: deviceEPR})
	fail(err)
	track.Start(time.Now(), Link{State: "live"}, store.Load())
	handle := numeric(snap)
	for i := int64(1); ; i++ {
		change, err := store.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(handle, pm.NewDecimal(i, 0), time.Now()) })
		fail(err)
		track.Report(time.Now(), change.Report(), change.After)
		if i%20 == 0 {
			fail(w.Flush())
			fmt.Println(i)
		}
	}
}

// TestKill: a recorder is killed in the middle of its work. What it had written before is there, and nothing but the end is missing.
func TestKill(t *testing.T) {
	for round := range 8 {
		path := filepath.Join(t.TempDir(), "killed.sdcrec")
		safe, err := strconv.ParseUint(faults.Kill(t, childEnv, path, 1+rand.IntN(8)), 10, 64)
		require.NoError(t, err)

		r := open(t, path)
		got, gaps := versions(t, r)
		require.GreaterOrEqual(t, uint64(len(got)), safe, "round %d", round)
		for i, v := range got {
			require.EqualValues(t, i+1, v)
		}
		require.LessOrEqual(t, len(gaps), 1)
		if !r.Indexed() {
			require.Len(t, gaps, 1)
		}
		s, err := r.Check(t.Context())
		require.NoError(t, err)
		require.False(t, s.Closed)
		require.Empty(t, s.Unusable)

		w, _, err := Append(path, Config{})
		require.NoError(t, err)
		d := newDevice(t, w, deviceEPR)
		d.measure(t, time.Second)
		require.NoError(t, w.Close())
		after, _ := versions(t, open(t, path))
		require.Len(t, after, len(got)+1)
	}
}
