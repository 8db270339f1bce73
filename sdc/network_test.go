package sdc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
)

func TestNetwork(t *testing.T) {
	var zero sdc.Network
	require.NoError(t, zero.Validate())
	require.Equal(t, "127.0.0.1", zero.IP().String())
	require.Equal(t, uint16(3702), zero.UDPPort())
	require.Equal(t, zero.IP(), sdc.Loopback().IP())
	require.NoError(t, sdc.Network{Address: netip.MustParseAddr("127.0.0.2")}.Validate())

	for _, bad := range []string{"0.0.0.0", "::", "239.255.255.250"} {
		require.Error(t, sdc.Network{Address: netip.MustParseAddr(bad)}.Validate(), bad)
	}
	var missing *sdc.AddressError
	require.ErrorAs(t, sdc.Network{Address: netip.MustParseAddr("192.0.2.77")}.Validate(), &missing) // documentation range
	require.ErrorContains(t, missing, "192.0.2.77")
}
