package mdib

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProfiles(t *testing.T) {
	for _, p := range []Profile{ProfileBase, ProfileSDPi} {
		got, err := ParseProfile(string(p))
		require.NoError(t, err)
		require.Equal(t, p, got)
		require.True(t, p.Valid())
		require.True(t, p.Includes(ProfileBase))
		require.Equal(t, p == ProfileSDPi, p.Includes(ProfileSDPi))
	}
	for _, name := range []string{"", "BASE", "sdpi-3"} {
		_, err := ParseProfile(name)
		require.ErrorContains(t, err, "there are base and sdpi-2.5", name)
	}
	require.True(t, Profile("").Valid(), "the zero value of a configuration")
	require.True(t, Profile("").Includes(ProfileBase))
	require.False(t, Profile("").Includes(ProfileSDPi))
	require.False(t, Profile("x").Valid())
}
