package pairtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// churn draws random transactions of every kind.
type churn struct {
	rng *rand.Rand
	dev *provider.Provider
	n   int
}

// pick draws one; from nothing it gives the zero value, which no entry is called.
func pick[T any](c *churn, of []T) (one T) {
	if len(of) > 0 {
		one = of[c.rng.IntN(len(of))]
	}
	return one
}

// handles lists the entries of the MDIB that are of type T, as state or descriptor.
func handles[T any](s *mdib.Snapshot) []string {
	var out []string
	for e := range s.Entities() {
		_, state := e.State.(T)
		_, descriptor := e.Descriptor.(T)
		if state || descriptor {
			out = append(out, e.Handle)
		}
	}
	return out
}

// step makes one transaction. A refusal by the rules is part of the game: it must
// change nothing. Anything else is an error.
func (c *churn) step() (what string, err error) {
	c.n++
	now := time.Now()
	snap := c.dev.MDIB()
	kinds := map[string]func(tx *mdib.Tx) error{
		"metrics": func(tx *mdib.Tx) error {
			for range 1 + c.rng.IntN(3) {
				if err := tx.SetNumeric(pick(c, handles[*pm.NumericMetricState](snap)), pm.NewDecimal(c.rng.Int64N(100), 1), now); err != nil {
					return err
				}
			}
			return nil
		},
		"waveform": func(tx *mdib.Tx) error {
			samples := make(pm.Samples, 1+c.rng.IntN(50))
			for i := range samples {
				samples[i] = pm.NewDecimal(c.rng.Int64N(2000)-1000, 2)
			}
			return tx.SetSamples(pick(c, handles[*pm.RealTimeSampleArrayMetricState](snap)), samples, now)
		},
		"alert": func(tx *mdib.Tx) error {
			return tx.SetPresence(pick(c, handles[pm.ConditionState](snap)), c.rng.IntN(2) == 0)
		},
		"component": func(tx *mdib.Tx) error {
			return tx.SetActivation(pick(c, handles[*pm.VmdState](snap)), pick(c, []pm.ComponentActivation{
				pm.ComponentActivationOn, pm.ComponentActivationOff, pm.ComponentActivationStndBy,
			}))
		},
		"operation": func(tx *mdib.Tx) error {
			return tx.SetOperatingMode(pick(c, handles[pm.OperationState](snap)), pick(c, []pm.OperatingMode{pm.OperatingModeEn, pm.OperatingModeDis}))
		},
		"context": func(tx *mdib.Tx) error {
			s, err := tx.NewContextState(pick(c, handles[pm.ContextDescriptor](snap)))
			if err != nil {
				return err
			}
			s.BaseContext().ContextAssociation = pick(c, []pm.ContextAssociation{pm.ContextAssociationPre, pm.ContextAssociationAssoc})
			return nil
		},
		"insert": func(tx *mdib.Tx) error {
			h := fmt.Sprint("vmd.x", c.rng.IntN(4)) // few handles, so that they come back
			return tx.Insert("mds", newVMD(h))
		},
		"delete": func(tx *mdib.Tx) error {
			// The device's own VMD stays, so that every kind of state does.
			return tx.Delete(pick(c, slices.DeleteFunc(handles[*pm.VmdDescriptor](snap), func(h string) bool { return h == "vmd" })))
		},
		"edit": func(tx *mdib.Tx) error {
			d, err := tx.EditDescriptor(pick(c, handles[pm.Descriptor](snap)))
			if err != nil {
				return err
			}
			d.Base().SafetyClassification = pick(c, []pm.SafetyClassification{pm.SafetyClassificationInf, pm.SafetyClassificationMedA, pm.SafetyClassificationMedB})
			return nil
		},
	}
	names := make([]string, 0, len(kinds))
	for k := range kinds {
		names = append(names, k)
	}
	slices.Sort(names)
	what = pick(c, names)
	err = c.dev.Update(kinds[what])
	var rule *mdib.RuleError
	if errors.As(err, &rule) || errors.Is(err, mdib.ErrUnknownHandle) {
		if c.dev.MDIB() != snap {
			return what, fmt.Errorf("a refused transaction changed the MDIB: %w", err)
		}
		err = nil
	}
	return what, err
}

func newVMD(h string) *pm.VmdDescriptor {
	code := func(c string) *pm.CodedValue { return &pm.CodedValue{Code: c} }
	m := &pm.NumericMetricDescriptor{Resolution: pm.MustDecimal("0.1")}
	m.Handle, m.Type, m.Unit = h+".num", code("150456"), *code("262688")
	m.MetricCategory, m.MetricAvailability = pm.MetricCategoryMsrmt, pm.MetricAvailabilityCont
	ch := &pm.ChannelDescriptor{Metric: []pm.MetricDescriptor{m}}
	ch.Handle, ch.Type = h+".ch", code("69967")
	v := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{ch}}
	v.Handle, v.Type = h, code("69966")
	return v
}

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
				c := &churn{rng: rand.New(rand.NewPCG(seed, 1)), dev: p.dev}
				seen := map[string]int{}
				told := map[string]uint64{} // the highest state version reported of each state
				for i := range 300 {
					before := p.dev.MDIB().Version().MdibVersion
					what, err := c.step()
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
				require.Len(t, seen, 9, "every kind of transaction took place: %v", seen)
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
		require.NoError(t, p.dev.Update(func(tx *mdib.Tx) error { return tx.Insert("mds", newVMD("module")) }))
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
