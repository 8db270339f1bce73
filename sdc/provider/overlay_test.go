package provider

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

func TestOverlay(t *testing.T) {
	to := &pm.MdsState{Lang: "en", OperatingMode: pm.MdsOperatingModeNml}
	to.DescriptorHandle, to.StateVersion, to.DescriptorVersion = "mds", 7, 3
	to.OperatingHours = pm.Some[uint32](12)
	from := &pm.MdsState{OperatingMode: pm.MdsOperatingModeSrv}
	from.DescriptorHandle, from.StateVersion, from.DescriptorVersion = "other", 99, 99
	from.OperatingCycles = pm.Some[int32](5)
	require.True(t, overlay(to, from))
	require.Equal(t, pm.MdsOperatingModeSrv, to.OperatingMode)
	require.Equal(t, "en", to.Lang, "left out, so unchanged")
	require.Equal(t, uint32(12), to.OperatingHours.Or(0))
	require.Equal(t, int32(5), to.OperatingCycles.Or(0))
	require.Equal(t, "mds", to.DescriptorHandle)
	require.Equal(t, uint64(7), to.StateVersion)
	require.Equal(t, uint64(3), to.DescriptorVersion)
	require.Equal(t, "other", from.DescriptorHandle, "the proposal is not touched")

	require.False(t, overlay(to, &pm.VmdState{}))
}
