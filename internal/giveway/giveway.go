// Package giveway says who gives up a place to a newcomer where all are taken and nobody has proved who they are: what is heard by datagram may be invented.
package giveway

import (
	"math/rand/v2"
	"net/netip"
)

// Pick returns the index of the one of all, the earliest first, that gives up its place: of the senders that have most places, one at random of the later half of what they said.
//
// So a flood from one address displaces its own, and whoever says little keeps what he has. A flood from addresses that are invented, too, leaves at least half of what was there before,
// and a newcomer is not the next to go. What comes with no valid sender was not heard by datagram and stays. -1: there is nobody to give way.
//
// It looks at all of them.
func Pick[E any](all []E, sender func(E) netip.Addr) int {
	// One look-up for each: of 1024 senders they take most of the time.
	number := make(map[netip.Addr]int, len(all)) // of the sender, in the order they are met
	of := make([]int, len(all))
	places, most := make([]int, 1, len(all)+1), 0 // by number; 0 are those that stay
	for i, e := range all {
		s := sender(e)
		if !s.IsValid() {
			continue
		}
		n, known := number[s]
		if !known {
			n = len(places)
			number[s] = n
			places = append(places, 0)
		}
		of[i] = n
		places[n]++
		most = max(most, places[n])
	}
	if most == 0 {
		return -1
	}
	candidates := make([]int, 0, len(all))
	for i, n := range of {
		if places[n] == most {
			candidates = append(candidates, i)
		}
	}
	later := candidates[len(candidates)/2:]
	return later[rand.N(len(later))]
}
