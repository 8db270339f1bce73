package pairtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/churn"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// TestRandomTransactionsReachTheMirror is the promise of the stack in one test:
// whatever a device does, after each step the consumer has exactly the device's MDIB.
func TestRandomTransactionsReachTheMirror(t *testing.T) {
	// covers: BICEPS R5003, BICEPS R5024, BICEPS R5025_0, BICEPS R5046_0, BICEPS R5051, BICEPS R5052, BICEPS R5053, GLUE R0056, SDPi R1006, SDPi R1007
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, setup{}, func(t *testing.T, p *pair) {
				d := p.connect(t)
				f := follow(t, d)
				defer f.stop()
				c := churn.New(p.dev, seed, "vmd")
				seen := map[string]int{}
				told := map[string]uint64{} // the highest state version reported of each state
				for i := range 300 {
					before := p.dev.MDIB().Version().MdibVersion
					what, err := c.Step()
					require.NoError(t, err, "step %d: %s", i, what)
					v := p.dev.MDIB().Version().MdibVersion
					if v == before {
						continue
					}
					seen[what]++
					u := f.next(what, version(v))
					require.Nil(t, u.Gap)
					for _, s := range u.Change.States {
						// What a description report says of a state no earlier report has said (GLUE R0056).
						require.Greater(t, s.After.BaseState().StateVersion+1, told[s.Handle], "%s of %s was announced before", s.Handle, what)
						told[s.Handle] = s.After.BaseState().StateVersion + 1
					}
					require.Empty(t, u.Change.Notes, "step %d: %s", i, what)
					require.True(t, u.Snapshot.Equal(p.dev.MDIB()), "step %d: %s: the mirror differs", i, what)
				}
				require.Len(t, seen, churn.Kinds, "every kind of transaction took place: %v", seen)
				require.Equal(t, consumer.Live, d.Link().State)
			})
		})
	}
}

func TestRemovablePartsAreReportedByTheDescriptionService(t *testing.T) {
	// covers: GLUE 8-1-3
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		require.Contains(t, d.Services(), "DescriptionEventService")
		f := follow(t, d)
		defer f.stop()
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.Insert("mds", churn.NewVMD("module")) }))
		u := f.next("the module", version(p.dev.MDIB().Version().MdibVersion))
		_, ok := u.Snapshot.Descriptor("module.num")
		require.True(t, ok)
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.Delete("module") }))
		u = f.next("its removal", version(p.dev.MDIB().Version().MdibVersion))
		_, ok = u.Snapshot.Descriptor("module.num")
		require.False(t, ok)
		require.Equal(t, mdib.KindDescription, u.Change.Kind)
	})
}
