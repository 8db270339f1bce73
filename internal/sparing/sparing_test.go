package sparing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/sparing"
)

func TestTell(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var s sparing.Teller
	told, sum := 0, uint64(0)
	flood := func(n int) {
		for range n {
			ok, untold := s.Tell(now)
			if ok {
				told++
			}
			sum += untold
		}
	}
	flood(sparing.Burst)
	require.Equal(t, sparing.Burst, told)
	flood(1000)
	require.Equal(t, sparing.Burst, told)
	require.Zero(t, sum)

	now = now.Add(3*sparing.Every + sparing.Every/2)
	flood(10)
	require.Equal(t, sparing.Burst+3, told)
	require.EqualValues(t, 1000, sum, "told with the first")
	now = now.Add(sparing.Every / 2)
	flood(1)
	require.Equal(t, sparing.Burst+4, told, "halves add up")
	require.EqualValues(t, 1007, sum)

	now = now.Add(time.Hour)
	flood(sparing.Burst + 1)
	require.Equal(t, 2*sparing.Burst+4, told, "no more than a burst is saved")

	now = now.Add(-2 * time.Hour)
	flood(1)
	require.Equal(t, 2*sparing.Burst+5, told, "a clock that is set back silences nothing")
}
