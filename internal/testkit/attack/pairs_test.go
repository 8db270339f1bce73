package attack

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var pairs = flag.Int("attack.pairs", 0, "make every attack, or those that -attack.only names, beside every other, so many times each; 0 is one that takes what others may need beside some others, once")

// someOthers are how many others the short form makes, by lot.
const someOthers = 32

// TestEachPair makes attacks beside one another, and beside themselves: what one takes may be what the other has to be answered with. Of a hundred attacks two meet one another rarely in the mixed
// attack; this finds such a pair, whatever the mix.
func TestEachPair(t *testing.T) {
	if raceEnabled && *pairs == 0 {
		t.Skip("make ratios does so without the race detector, with which it takes long")
	}
	v, id := startVictim(t)
	w := watch(t, v.Target, id)
	w.await(t, 10)
	before := others(w.device.MDIB())
	these := All()
	switch {
	case *only != "":
		these = slices.DeleteFunc(these, func(a Attack) bool { return !slices.Contains(strings.Split(*only, ","), a.Name) })
	case *pairs == 0:
		these = slices.DeleteFunc(these, func(a Attack) bool { return a.Name != "held-bodies" })
	}
	require.NotEmpty(t, these)
	var short []Attack
	for _, a := range All() {
		if !a.Slow {
			short = append(short, a)
		}
	}
	times := max(*pairs, 1)
	for i, a := range these {
		begun := time.Now()
		beside := slices.DeleteFunc(slices.Clone(short), func(b Attack) bool { // those made beside this one already
			return slices.ContainsFunc(these[:i], func(c Attack) bool { return c.Name == b.Name })
		})
		if *pairs == 0 {
			rand.Shuffle(len(beside), func(i, j int) { beside[i], beside[j] = beside[j], beside[i] })
			beside = beside[:min(someOthers, len(beside))]
		}
		var failures []error
		if a.Slow {
			failures = together(t.Context(), v.Target, times, []Attack{a}, beside)
		} else {
			for _, b := range beside {
				failures = append(failures, together(t.Context(), v.Target, times, []Attack{a}, []Attack{b})...)
			}
		}
		for _, err := range failures {
			t.Error(err)
		}
		w.undisturbed(t)
		t.Logf("%s beside %d others: %v", a.Name, len(beside), time.Since(begun).Round(time.Millisecond))
	}
	w.await(t, 10)
	require.Equal(t, before, others(w.device.MDIB()), "an attack changed the device")
	t.Logf("the device's memory peaked at %d MiB", v.peak(t)) // the mixed attack judges it
}

// together makes some attacks, one after the other, beside others, each so many times at least: whichever are done first are made again for as long as the others take.
func together(ctx context.Context, target *Target, times int, some, others []Attack) (failures []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	left := 2
	var now [2]string
	for side, attacks := range [][]Attack{some, others} {
		wg.Go(func() {
			for n := 0; ; n++ {
				a := attacks[n%len(attacks)]
				mu.Lock()
				if n == times*len(attacks) {
					left--
				}
				if left == 0 || ctx.Err() != nil {
					mu.Unlock()
					return
				}
				now[side] = a.Name
				mu.Unlock()
				if err := a.Run(ctx, target); err != nil {
					mu.Lock()
					failures = append(failures, fmt.Errorf("%s beside %s: %w", a.Name, now[1-side], err))
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return failures
}
