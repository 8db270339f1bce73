package giveway_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/giveway"
)

func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24+uint32(n))))
}

func self(a netip.Addr) netip.Addr { return a }

// crowd has one after the other come to 100 places, and returns who has them in the end.
func crowd(all, newcomers []netip.Addr) []netip.Addr {
	for _, a := range newcomers {
		if len(all) == 100 {
			i := giveway.Pick(all, self)
			all = slices.Delete(all, i, i+1)
		}
		all = append(all, a)
	}
	return all
}

func count(all []netip.Addr, a netip.Addr) int {
	n := 0
	for _, x := range all {
		if x == a {
			n++
		}
	}
	return n
}

func TestWhoSaysMostGivesWay(t *testing.T) {
	flood := slices.Repeat([]netip.Addr{address(0)}, 1000)
	all := crowd(nil, flood)
	all = crowd(all, []netip.Addr{address(1), address(2)})
	all = crowd(all, flood)
	require.Len(t, all, 100)
	require.Equal(t, 1, count(all, address(1)))
	require.Equal(t, 1, count(all, address(2)))
	// Two floods share what there is.
	all = crowd(all, slices.Repeat([]netip.Addr{address(3)}, 1000))
	require.InDelta(t, 49, count(all, address(3)), 1)
	require.InDelta(t, 49, count(all, address(0)), 1)
	require.Equal(t, 1, count(all, address(1)))
}

func TestInventedSendersLeaveTheEarlier(t *testing.T) {
	var known, invented []netip.Addr
	for n := range 50 {
		known = append(known, address(n))
	}
	for n := range 5000 {
		invented = append(invented, address(1000+n))
	}
	all := crowd(known, invented)
	require.Subset(t, all, known)
	// A newcomer is not the next to go.
	stayed := 0
	for range 200 {
		now := crowd(slices.Clone(all), append([]netip.Addr{address(500)}, invented[:10]...))
		stayed += count(now, address(500))
	}
	require.Greater(t, stayed, 100)
}

func TestWhatWasNotHeardByDatagramStays(t *testing.T) {
	require.Equal(t, -1, giveway.Pick(nil, self))
	require.Equal(t, -1, giveway.Pick([]netip.Addr{{}, {}}, self))
	require.Equal(t, 1, giveway.Pick([]netip.Addr{{}, address(1), {}}, self))
}
