package consumer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestClocksAreComparedByWhatTheSecondsAllow(t *testing.T) {
	// covers: SDPi R1601
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var c Clock
	answer := func(device, began, ended time.Duration) Clock {
		c.see(noon.Add(device).Truncate(time.Second), noon.Add(began), noon.Add(ended), 2*time.Second)
		return c
	}
	got := answer(0, 300*time.Millisecond, 400*time.Millisecond)
	require.Equal(t, Clock{Known: true, Least: -700 * time.Millisecond, Most: 400 * time.Millisecond}, got)
	require.Zero(t, got.Drift())
	got = answer(9900*time.Millisecond, 9900*time.Millisecond, 9950*time.Millisecond)
	require.Equal(t, Clock{Known: true, Least: -100 * time.Millisecond, Most: 400 * time.Millisecond}, got, "each answer narrows it")
	got = answer(20*time.Second, 20200*time.Millisecond, 30*time.Second)
	require.Equal(t, 400*time.Millisecond, got.Most, "an answer that took long says little")
	require.False(t, got.Drifted)

	got = answer(40*time.Second, 44*time.Second, 44*time.Second)
	require.Equal(t, Clock{Known: true, Least: 3 * time.Second, Most: 4 * time.Second, Drifted: true, Steps: 1}, got)
	require.Equal(t, 3*time.Second, got.Drift())
	got = answer(50*time.Second, 53500*time.Millisecond, 53500*time.Millisecond)
	require.Equal(t, Clock{Known: true, Least: 3 * time.Second, Most: 3500 * time.Millisecond, Drifted: true, Steps: 1}, got)
	got = answer(60*time.Second, 62800*time.Millisecond, 62800*time.Millisecond)
	require.Equal(t, 1, got.Steps, "drifting is no step")
	require.False(t, got.Drifted)
	got = answer(time.Hour, time.Minute, time.Minute)
	require.Equal(t, 2, got.Steps)
	require.Equal(t, -59*time.Minute, got.Drift())
	before := got
	require.Equal(t, before, answer(time.Hour, time.Hour, time.Minute), "this host's clock was set in between")
}
