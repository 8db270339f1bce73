package mdib

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// associate makes a new associated state and returns its handle.
func associate(t *testing.T, st *Store, descriptor string) string {
	t.Helper()
	handle := ""
	commit(t, st, func(tx *Tx) error {
		s, err := tx.NewContextState(descriptor)
		if err != nil {
			return err
		}
		handle = s.BaseMulti().Handle
		s.BaseContext().ContextAssociation = pm.ContextAssociationAssoc
		return nil
	})
	return handle
}

func setAssociation(handle string, a pm.ContextAssociation) func(*Tx) error {
	return func(tx *Tx) error {
		s, err := Edit[pm.ContextState](tx, handle)
		if err != nil {
			return err
		}
		s.BaseContext().ContextAssociation = a
		return nil
	}
}

func context(t *testing.T, st *Store, handle string) *pm.AbstractContextState {
	t.Helper()
	return state[pm.ContextState](t, st.Load(), handle).BaseContext()
}

func TestOneAssociated(t *testing.T) {
	// covers: BICEPS R0124, BICEPS R0133, BICEPS R0125, BICEPS binding versions, GLUE R0013, GLUE R0072
	for _, descriptor := range []string{"pat", "loc"} {
		t.Run(descriptor, func(t *testing.T) {
			st, clock := newStore(t)
			first := associate(t, st, descriptor)
			c := context(t, st, first)
			require.Equal(t, pm.Some(uint64(1)), c.BindingMdibVersion)
			require.Equal(t, clock.last(), c.BindingStartTime)
			require.False(t, c.UnbindingMdibVersion.IsSet())

			other := associate(t, st, "b."+descriptor)
			second := associate(t, st, descriptor)
			require.NotEqual(t, first, second)
			c = context(t, st, first)
			require.Equal(t, pm.ContextAssociationDis, c.ContextAssociation, "ended in the same commit")
			require.Equal(t, pm.Some(uint64(3)), c.UnbindingMdibVersion)
			require.True(t, c.BindingEndTime.IsSet())
			require.Equal(t, pm.Some(uint64(1)), c.BindingMdibVersion)
			require.EqualValues(t, 1, c.StateVersion)
			require.Equal(t, pm.Some(uint64(3)), context(t, st, second).BindingMdibVersion)
			require.Equal(t, pm.ContextAssociationAssoc, context(t, st, other).ContextAssociation, "that of the other MDS stays")
			require.Len(t, slices.Collect(st.Load().Associated(descriptor)), 1)

			// Two at once is a contradiction.
			id := map[string]string{"pat": "BICEPS R0124", "loc": "BICEPS R0133"}[descriptor]
			refused(t, st, id, func(tx *Tx) error {
				for range 2 {
					s, err := tx.NewContextState(descriptor)
					if err != nil {
						return err
					}
					s.BaseContext().ContextAssociation = pm.ContextAssociationAssoc
				}
				return nil
			})

			// Ending the old one and beginning the new one by hand is the same as letting the commit do it.
			commit(t, st, func(tx *Tx) error {
				if err := tx.Disassociate(descriptor); err != nil {
					return err
				}
				s, err := tx.NewContextState(descriptor)
				s.BaseContext().ContextAssociation = pm.ContextAssociationAssoc
				return err
			})
			require.Equal(t, pm.ContextAssociationDis, context(t, st, second).ContextAssociation)
			require.Equal(t, pm.Some(uint64(4)), context(t, st, second).UnbindingMdibVersion)
			require.Len(t, slices.Collect(st.Load().Associated(descriptor)), 1)
		})
	}
	// Several operators may be associated.
	st, _ := newStore(t)
	associate(t, st, "op")
	associate(t, st, "op")
	require.Len(t, slices.Collect(st.Load().Associated("op")), 2)
}

func TestAssociationLifeCycle(t *testing.T) {
	// covers: BICEPS association life cycle
	const (
		no, pre, assoc, dis = pm.ContextAssociationNo, pm.ContextAssociationPre, pm.ContextAssociationAssoc, pm.ContextAssociationDis
	)
	for _, path := range []struct {
		steps  []pm.ContextAssociation
		refuse bool
	}{
		{steps: []pm.ContextAssociation{pre, assoc, dis, no}},
		{steps: []pm.ContextAssociation{assoc, dis, no}},
		{steps: []pm.ContextAssociation{assoc, no}},
		{steps: []pm.ContextAssociation{pre, no, pre}},
		{steps: []pm.ContextAssociation{assoc, dis, assoc}, refuse: true},
		{steps: []pm.ContextAssociation{assoc, dis, pre}, refuse: true},
		{steps: []pm.ContextAssociation{assoc, pre}, refuse: true},
	} {
		st, _ := newStore(t)
		var handle string
		commit(t, st, func(tx *Tx) error {
			s, err := NewContext[*pm.OperatorContextState](tx, "op")
			handle = s.Handle
			return err
		})
		for i, a := range path.steps {
			if path.refuse && i == len(path.steps)-1 {
				refused(t, st, "BICEPS association life cycle", setAssociation(handle, a))
				continue
			}
			commit(t, st, setAssociation(handle, a))
		}
		c := context(t, st, handle)
		require.Equal(t, slices.Contains(path.steps, assoc), c.BindingMdibVersion.IsSet(), "%v", path.steps)
		require.Equal(t, c.BindingMdibVersion.IsSet(), c.BindingStartTime.IsSet())
		require.Equal(t, c.UnbindingMdibVersion.IsSet(), c.BindingEndTime.IsSet())
	}

	// Times the application gives stay.
	st, clock := newStore(t)
	h := associate(t, st, "op")
	commit(t, st, func(tx *Tx) error {
		s, err := Edit[pm.ContextState](tx, h)
		s.BaseContext().ContextAssociation = dis
		s.BaseContext().BindingEndTime = pm.Some(pm.TimestampOf(t1))
		return err
	})
	require.Equal(t, pm.Some(pm.TimestampOf(t1)), context(t, st, h).BindingEndTime)
	require.NotEqual(t, clock.last(), context(t, st, h).BindingEndTime)
	// Versions without times get times.
	commit(t, st, func(tx *Tx) error {
		s, err := tx.NewContextState("op")
		s.BaseContext().BindingMdibVersion, s.BaseContext().UnbindingMdibVersion = pm.Some(uint64(1)), pm.Some(uint64(2))
		return err
	})
	require.Empty(t, errorsOnly(Validate(st.Load())))
}

func TestContextHandles(t *testing.T) {
	// covers: BICEPS R0097, BICEPS R0007_0, BICEPS SetContextState semantics
	st, _ := newStore(t)
	seen := map[string]bool{}
	for range 5 {
		h := associate(t, st, "pat")
		require.False(t, seen[h])
		seen[h] = true
		_, isDescriptor := st.Load().Descriptor(h)
		require.False(t, isDescriptor)
	}
	// A proposed state whose handle is its descriptor's is a new one.
	proposed := &pm.PatientContextState{}
	proposed.Handle, proposed.DescriptorHandle, proposed.StateVersion = "pat", "pat", 17
	var made pm.ContextState
	commit(t, st, func(tx *Tx) error {
		var err error
		made, err = tx.InsertContextState(proposed)
		return err
	})
	require.False(t, seen[made.BaseMulti().Handle])
	require.Equal(t, "pat", proposed.Handle, "the proposal stays as it was")
	require.EqualValues(t, 0, context(t, st, made.BaseMulti().Handle).StateVersion)

	proposed.Handle = "mine"
	commit(t, st, func(tx *Tx) error { _, err := tx.InsertContextState(proposed); return err })
	mds, ok := st.Load().MDSOf("mine")
	require.True(t, ok)
	require.Equal(t, "mds", mds)
	for _, taken := range []string{"mine", "hr", "mds"} {
		proposed.Handle = taken
		refused(t, st, "BICEPS R0007_0", func(tx *Tx) error { _, err := tx.InsertContextState(proposed); return err })
	}
	refused(t, st, "BICEPS R0007_0", func(tx *Tx) error {
		proposed.Handle = "twice"
		_, _ = tx.InsertContextState(proposed)
		_, err := tx.InsertContextState(proposed)
		return err
	})
	refused(t, st, "BICEPS R0105_0", func(tx *Tx) error {
		proposed.Handle = "a b"
		_, err := tx.InsertContextState(proposed)
		return err
	})
	refused(t, st, "BICEPS R0023", func(tx *Tx) error {
		proposed.DescriptorHandle = "loc"
		_, err := tx.InsertContextState(proposed)
		return err
	})
	refused(t, st, "BICEPS R0007_0", func(tx *Tx) error {
		s, err := Edit[pm.ContextState](tx, "mine")
		s.BaseMulti().Handle = "yours"
		return err
	})
	refused(t, st, "BICEPS R0023", func(tx *Tx) error {
		s, err := Edit[pm.ContextState](tx, "mine")
		s.BaseState().DescriptorHandle = "b.pat"
		return err
	})
	// The handle of a context state cannot be a descriptor's either.
	refused(t, st, "BICEPS R0007_0", func(tx *Tx) error { return tx.Insert("chan", numeric("mine")) })
}

// TestRemovedContextStateLeavesLater: the association must have been No, and the state goes with a commit that has something to report.
func TestRemovedContextStateLeavesLater(t *testing.T) {
	// covers: BICEPS association life cycle
	st, _ := newStore(t)
	h := associate(t, st, "op")
	refused(t, st, "BICEPS R5027", func(tx *Tx) error { return tx.RemoveContextState(h) })
	commit(t, st, setAssociation(h, pm.ContextAssociationNo))
	before := st.Load()
	c, err := st.Update(func(tx *Tx) error { return tx.RemoveContextState(h) })
	require.NoError(t, err)
	require.Nil(t, c)
	require.Same(t, before, st.Load(), "no version without a report")
	commit(t, st, setHR("70", t0))
	_, ok := st.Load().State(h)
	require.False(t, ok)
	require.Empty(t, slices.Collect(st.Load().ContextStates("op")))
	_, ok = before.State(h)
	require.True(t, ok)

	// If the handle comes back, its count goes on.
	s := &pm.OperatorContextState{}
	s.Handle, s.DescriptorHandle = h, "op"
	commit(t, st, func(tx *Tx) error { _, err := tx.InsertContextState(s); return err })
	require.EqualValues(t, 2, context(t, st, h).StateVersion, "was 1")
	p := &pm.PatientContextState{}
	p.Handle, p.DescriptorHandle = "gone", "pat"
	commit(t, st, func(tx *Tx) error { _, err := tx.InsertContextState(p); return err })
	commit(t, st, func(tx *Tx) error {
		if err := tx.RemoveContextState("gone"); err != nil {
			return err
		}
		return setHR("71", t0)(tx)
	})
	s.Handle = "gone"
	refused(t, st, "BICEPS R0098_0", func(tx *Tx) error { _, err := tx.InsertContextState(s); return err })

	// Using a state again keeps it.
	_, err = st.Update(func(tx *Tx) error { return tx.RemoveContextState(h) })
	require.NoError(t, err)
	commit(t, st, setAssociation(h, pm.ContextAssociationPre))
	commit(t, st, setHR("72", t0))
	require.Equal(t, pm.ContextAssociationPre, context(t, st, h).ContextAssociation)
}

func TestContextReport(t *testing.T) {
	st, _ := newStore(t)
	associate(t, st, "pat")
	c := commit(t, st, func(tx *Tx) error {
		s, err := NewContext[*pm.PatientContextState](tx, "pat")
		s.ContextAssociation = pm.ContextAssociationAssoc
		s.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: "Doe"}}
		return err
	})
	r := wire(t, c.Report()).(*msg.EpisodicContextReport)
	require.Len(t, r.ReportPart, 1)
	require.Len(t, r.ReportPart[0].ContextState, 2, "the new one and the one it ends")
	require.Nil(t, c.States[0].Before)
	require.NotNil(t, c.States[1].Before)
}

// A device that is used for years, or whose operations somebody calls without an end, keeps the states that count and the newest of the others.
func TestFormerContextsAreForgotten(t *testing.T) {
	for _, c := range []struct {
		name      string
		size      int
		least, at int
	}{{"many", 10, maxFormer - 5, maxFormer + 2}, {"large", 100_000, 8, 12}} {
		t.Run(c.name, func(t *testing.T) {
			st, _ := newStore(t)
			var last string
			for i := range 3 * maxFormer {
				change, err := st.Update(func(tx *Tx) error {
					s, err := NewContext[*pm.PatientContextState](tx, "pat")
					if err != nil {
						return err
					}
					s.ContextAssociation = pm.ContextAssociationAssoc
					s.CoreData = &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Givenname: strings.Repeat("n", c.size)}}
					last = s.Handle
					return nil
				})
				require.NoError(t, err)
				require.LessOrEqual(t, len(change.States), 4, "the new one, the former, and one that is about to leave")
				if i > c.at {
					states := 0
					for range st.Load().ContextStates("pat") {
						states++
					}
					require.GreaterOrEqual(t, states, c.least)
					require.LessOrEqual(t, states, c.at)
				}
			}
			s, ok := Get[*pm.PatientContextState](st.Load(), last)
			require.True(t, ok)
			require.Equal(t, pm.ContextAssociationAssoc, s.ContextAssociation)
		})
	}
}

// What is associated is not forgotten, so that there cannot be more of it than there is room for.
func TestTooManyAssociatedContextsAreRefused(t *testing.T) {
	st, _ := newStore(t)
	put := func(n, size int) func(tx *Tx) error {
		return func(tx *Tx) error {
			for range n {
				s, err := NewContext[*pm.OperatorContextState](tx, "op")
				if err != nil {
					return err
				}
				s.ContextAssociation = pm.ContextAssociationPre
				s.Identification = []pm.InstanceIdentifier{{Root: "urn:x", Extension: strings.Repeat("e", size)}}
			}
			return nil
		}
	}
	refused(t, st, idContextRoom, put(maxFormer+1, 1))
	refused(t, st, idContextRoom, put(5, maxContextBytes/4))
	_, err := st.Update(put(maxFormer-1, 1))
	require.NoError(t, err)
	refused(t, st, idContextRoom, put(2, 1))
	refused(t, st, idContextRoom, func(tx *Tx) error {
		for range maxFormer + 1 {
			if _, err := tx.NewContextState("pat"); err != nil {
				return err
			}
		}
		return nil
	})
}
