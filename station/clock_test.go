package station

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestClockOffsetIsEstimatedFromArrivals(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000).UTC()
	var c clock
	sample := func(n int, offset time.Duration, delays ...time.Duration) {
		for i := range n {
			now = now.Add(time.Second)
			c.sample(now.Add(-offset).Add(-delays[i%len(delays)]), now)
		}
	}
	at := func(device time.Time) time.Time { return c.align(pm.Some(pm.TimestampOf(device)), now) }
	require.Equal(t, now.Add(-time.Minute), at(now.Add(-time.Minute)), "a clock of which nothing is known is taken to be right")
	require.Equal(t, now, at(now.Add(time.Hour)), "nothing was determined after it came")
	c.guess(now.Add(time.Hour), now)
	require.Equal(t, now.Add(-time.Minute), at(now.Add(59*time.Minute)), "what lies ahead shows a clock that is ahead")
	require.False(t, c.shown().Known)

	ms := time.Millisecond
	sample(30, -time.Hour, 300*ms, 20*ms, 150*ms)
	require.Equal(t, -time.Hour+20*ms, c.shown().Offset, "the shortest way counts")
	require.True(t, c.shown().Wrong())
	sample(3, -time.Hour, 5*time.Second)
	require.Equal(t, -time.Hour+20*ms, c.shown().Offset, "a few that are late say nothing")
	sample(1, -time.Hour, 20*ms)
	sample(clockSuspect, 0, 30*ms, 20*ms)
	require.Equal(t, 20*ms, c.shown().Offset, "the clock was set back")
	require.Equal(t, 1, c.shown().Steps)
	require.False(t, c.shown().Wrong())
	sample(1, -10*time.Second, 20*ms)
	require.Equal(t, -10*time.Second+20*ms, c.shown().Offset, "set ahead: known at once")
	require.Equal(t, 2, c.shown().Steps)
	// A clock that is slow by 1 ms a second drifts out of what was least.
	for i := range 120 {
		sample(1, -10*time.Second+time.Duration(i)*ms, 20*ms)
	}
	require.InDelta(t, (-10*time.Second + 100*ms).Seconds(), c.shown().Offset.Seconds(), 0.07)
}
