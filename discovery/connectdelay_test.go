package discovery

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConnectDelay(t *testing.T) {
	// covers: SDPi R0002, SDPi R0003
	random := rand.New(rand.NewPCG(1, 2))
	longest := time.Duration(-1)
	for g := PriorityGroup(0); g <= 9; g++ {
		lo, hi := time.Hour, time.Duration(0)
		for range 200 {
			d, err := ConnectDelay(g, random)
			require.NoError(t, err)
			lo, hi = min(lo, d), max(hi, d)
		}
		require.Greater(t, lo, longest, "group %d comes after the one before", g)
		require.Greater(t, hi, lo, "members of a group do not come at once")
		longest = hi
	}
	require.LessOrEqual(t, longest, 5*time.Second)
	d, err := ConnectDelay(DefaultPriorityGroup, nil)
	require.NoError(t, err)
	require.Less(t, d, prioritySlot, "without a choice nobody waits behind another group")
	for _, g := range []PriorityGroup{-1, 10} {
		_, err := ConnectDelay(g, nil)
		require.Error(t, err)
	}
}
