package mdib

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// part is what a part of a description report says, in short.
func parts(t *testing.T, c *Change) []string {
	t.Helper()
	var out []string
	for _, p := range wire(t, c.Report()).(*msg.DescriptionModificationReport).ReportPart {
		require.Len(t, p.Descriptor, 1)
		out = append(out, fmt.Sprintf("%s %s<%s v%d states %d of %s", p.ModificationType, p.Descriptor[0].Base().Handle, p.ParentDescriptor,
			p.Descriptor[0].Base().DescriptorVersion, len(p.State), p.SourceMds))
		_, kids := detach(p.Descriptor[0])
		require.Empty(t, kids)
	}
	return out
}

func TestInsertAndDelete(t *testing.T) {
	// covers: BICEPS R0033, BICEPS R0055_0, BICEPS R5024, BICEPS R5025_0, BICEPS R5046_0, BICEPS R5051, BICEPS R5052, BICEPS R5053, SDPi R1008, SDPi R1009, SDPi R1010, SDPi R1011
	st, _ := newStore(t)
	m1 := &pm.NumericMetricState{}
	m1.DescriptorHandle, m1.ActivationState = "m1", pm.ComponentActivationStndBy
	c := commit(t, st, func(tx *Tx) error {
		// two children, but the parent is raised once
		if err := tx.Insert("mds", vmd("v", channel("c", numeric("m1"))), m1); err != nil {
			return err
		}
		if err := tx.Insert("c", numeric("m2")); err != nil {
			return err
		}
		return tx.Insert("mds", vmd("w"))
	})
	require.Equal(t, []string{
		"Upt mds< v1 states 1 of mds",
		"Crt v<mds v0 states 1 of mds", "Crt c<v v0 states 1 of mds", "Crt m1<c v0 states 1 of mds", "Crt m2<c v0 states 1 of mds",
		"Crt w<mds v0 states 1 of mds",
	}, parts(t, c))
	require.Equal(t, pm.ComponentActivationStndBy, state[*pm.NumericMetricState](t, st.Load(), "m1").ActivationState)
	require.EqualValues(t, 1, state[pm.State](t, st.Load(), "mds").BaseState().DescriptorVersion)
	require.EqualValues(t, 1, state[pm.State](t, st.Load(), "mds").BaseState().StateVersion)
	require.EqualValues(t, 1, st.Load().DescriptionVersion())
	require.Equal(t, []string{"vmd", "vmd2", "v", "w"}, slices.Collect(st.Load().Children("mds"))[5:])

	c = commit(t, st, func(tx *Tx) error {
		if err := tx.Delete("v"); err != nil {
			return err
		}
		d, err := tx.EditDescriptor("mds")
		d.Base().SafetyClassification = pm.SafetyClassificationMedC
		return err
	})
	require.Equal(t, []string{
		"Upt mds< v2 states 1 of mds",
		"Del v<mds v0 states 0 of mds", "Del c<v v0 states 0 of mds", "Del m1<c v0 states 0 of mds", "Del m2<c v0 states 0 of mds",
	}, parts(t, c), "parents first, whatever happens to them")
	for _, h := range []string{"v", "c", "m1", "m2"} {
		_, ok := st.Load().Descriptor(h)
		require.False(t, ok)
		_, ok = st.Load().State(h)
		require.False(t, ok)
	}

	// Updates stand parents first, in whatever order they were made.
	c = commit(t, st, func(tx *Tx) error {
		for _, h := range []string{"hr", "chan", "vmd", "mds"} {
			d, err := tx.EditDescriptor(h)
			if err != nil {
				return err
			}
			d.Base().Type.Code = "2"
		}
		return nil
	})
	require.Equal(t, []string{
		"Upt mds< v3 states 1 of mds", "Upt vmd<mds v1 states 1 of mds", "Upt chan<vmd v1 states 1 of mds", "Upt hr<chan v1 states 1 of mds",
	}, parts(t, c))

	// A place of which there is one can be given to another.
	other := alerts("x.")
	c = commit(t, st, func(tx *Tx) error {
		if err := tx.Delete("alerts"); err != nil {
			return err
		}
		return tx.Insert("mds", other)
	})
	require.Equal(t, "x.alerts", slices.Collect(st.Load().Children("mds"))[0], "in the order of the schema")
	require.Equal(t, []string{"Upt mds< v4 states 1 of mds", "Del alerts<mds v0 states 0 of mds"}, parts(t, c)[:2])
}

func TestRemovableMDS(t *testing.T) {
	// covers: BICEPS C-7, BICEPS context descriptors fixed
	st, _ := newStore(t)
	patient := &pm.PatientContextState{}
	patient.DescriptorHandle, patient.ContextAssociation = "r.pat", pm.ContextAssociationAssoc
	c := commit(t, st, func(tx *Tx) error {
		if err := tx.Insert("", mds("r."), patient); err != nil {
			return err
		}
		return tx.Insert("r.ctx", func() pm.Descriptor {
			d := &pm.MeansContextDescriptor{}
			d.AbstractDescriptor = base("r.means")
			return d
		}())
	})
	for _, p := range wire(t, c.Report()).(*msg.DescriptionModificationReport).ReportPart {
		_, isMDS := p.Descriptor[0].(*pm.MdsDescriptor)
		require.Equal(t, isMDS, p.ParentDescriptor == "")
		require.Equal(t, "r.mds", p.SourceMds)
	}
	require.Equal(t, []string{"mds", "b.mds", "r.mds"}, slices.Collect(st.Load().Roots()))
	states := slices.Collect(st.Load().Associated("r.pat"))
	require.Len(t, states, 1)
	require.Equal(t, pm.Some(uint64(1)), states[0].BaseContext().BindingMdibVersion)
	require.True(t, states[0].BaseContext().BindingStartTime.IsSet())

	c = commit(t, st, func(tx *Tx) error {
		d, err := tx.EditDescriptor("r.mds")
		d.Base().Type.Code = "3"
		return err
	})
	require.Equal(t, []string{"Upt r.mds< v1 states 1 of r.mds"}, parts(t, c))
	c = commit(t, st, func(tx *Tx) error { return tx.Delete("r.mds") })
	require.Equal(t, "Del r.mds< v1 states 0 of r.mds", parts(t, c)[0])
	require.Equal(t, []string{"mds", "b.mds"}, slices.Collect(st.Load().Roots()))
	_, ok := st.Load().State(states[0].BaseMulti().Handle)
	require.False(t, ok)

	// Contexts come and go with their MDS only.
	for _, h := range []string{"pat", "op", "ctx"} {
		refused(t, st, "BICEPS context descriptors fixed", func(tx *Tx) error { return tx.Delete(h) })
	}
	refused(t, st, "BICEPS context descriptors fixed", func(tx *Tx) error {
		d := &pm.MeansContextDescriptor{}
		d.AbstractDescriptor = base("means")
		return tx.Insert("ctx", d)
	})
}

// TestDeleteTree takes every descriptor out of an MDIB of its own, and checks every version on the way.
func TestDeleteTree(t *testing.T) {
	// covers: BICEPS R5046_0, BICEPS R5025_0, BICEPS R0033, GLUE R0010_0, SDPi R1011
	complete := fixture(t)
	for top := range complete.Entities() {
		parent, _ := complete.Parent(top.Handle)
		st, _ := newStore(t)
		if isFixed(top.Descriptor) {
			_, err := st.Update(DeleteTree(st.Load(), top.Handle)[0])
			require.Error(t, err, "contexts go with their MDS")
			continue
		}
		atOnce, _ := newStore(t)
		commit(t, atOnce, func(tx *Tx) error { return tx.Delete(top.Handle) })
		inevitable := errorsOnly(Validate(atOnce.Load())) // a clock was asked for, or something else in the MDIB refers to what goes
		mirror := NewMirror(MirrorConfig{})
		_, err := mirror.Reset(st.Load().Response())
		require.NoError(t, err)
		steps := DeleteTree(st.Load(), top.Handle)
		for i, step := range steps {
			c := commit(t, st, step)
			seen := map[string]bool{}
			for _, d := range c.Descriptors {
				above, _ := c.Before.Parent(d.Handle)
				require.False(t, !seen[above] && c.changesDescriptor(above), "parents first: %s", d.Handle)
				seen[d.Handle] = true
				if d.Type == msg.DescriptionModificationTypeDel && !(parent == "" && i == len(steps)-1) {
					require.Empty(t, slices.Collect(c.Before.Children(d.Handle)), d.Handle)
				}
			}
			for _, f := range errorsOnly(Validate(c.After)) {
				require.Contains(t, inevitable, f, "without %s in step %d", top.Handle, i)
			}
			seenBy, err := mirror.Apply(wire(t, c.Report()))
			require.NoError(t, err)
			require.Empty(t, seenBy.Notes)
			require.Len(t, seenBy.Descriptors, len(c.Descriptors))
			for j := range c.Descriptors {
				require.Equal(t, c.Descriptors[j].Handle, seenBy.Descriptors[j].Handle)
			}
		}
		for e := range complete.Subtree(top.Handle) {
			_, there := st.Load().Descriptor(e.Handle)
			require.False(t, there, e.Handle)
		}
	}
	st, _ := newStore(t)
	_, err := st.Update(DeleteTree(st.Load(), "nobody")[0])
	require.ErrorIs(t, err, ErrUnknownHandle)
	steps := DeleteTree(st.Load(), "vmd")
	commit(t, st, func(tx *Tx) error { return tx.Delete("vmd") })
	for _, step := range steps {
		c, err := st.Update(step)
		require.NoError(t, err, "what has gone is passed over")
		require.Nil(t, c)
	}
}

// changesDescriptor tells whether a report has a part for a descriptor.
func (c *Change) changesDescriptor(handle string) bool {
	return slices.ContainsFunc(c.Descriptors, func(d DescriptorChange) bool { return d.Handle == handle })
}

func TestComingBack(t *testing.T) {
	// covers: BICEPS R0034_0, BICEPS R0038_0, BICEPS R5003, BICEPS R0098_0, SDPi R1008
	st, _ := newStore(t)
	for i := range 3 {
		commit(t, st, setHR(fmt.Sprint(i), t0))
	}
	commit(t, st, func(tx *Tx) error {
		d, err := tx.EditDescriptor("hr")
		d.Base().Type.Code = "2"
		return err
	})
	commit(t, st, func(tx *Tx) error { return tx.Delete("hr") })
	refused(t, st, "BICEPS R0098_0", func(tx *Tx) error { return tx.Insert("chan", text("hr")) })
	refused(t, st, "BICEPS R0098_0", func(tx *Tx) error { return tx.Insert("mds", vmd("hr")) })
	high := numeric("hr")
	high.DescriptorVersion = 99 // what the application says about versions does not count
	c := commit(t, st, func(tx *Tx) error { return tx.Insert("chan", high) })
	require.EqualValues(t, 2, descriptor(t, st.Load(), "hr").Base().DescriptorVersion)
	require.EqualValues(t, 5, state[pm.State](t, st.Load(), "hr").BaseState().StateVersion, "was 4")
	require.EqualValues(t, 2, state[pm.State](t, st.Load(), "hr").BaseState().DescriptorVersion)
	require.EqualValues(t, 2, descriptor(t, st.Load(), "chan").Base().DescriptorVersion, "raised by the deletion and the insertion")
	require.Equal(t, "Crt hr<chan v2 states 1 of mds", parts(t, c)[1])

	refused(t, st, "SDPi R1008", func(tx *Tx) error {
		if err := tx.Delete("hr"); err != nil {
			return err
		}
		return tx.Insert("chan", numeric("hr"))
	})

	// New and taken back and new again within one transaction is simply new.
	commit(t, st, func(tx *Tx) error {
		if err := tx.Insert("chan", numeric("n")); err != nil {
			return err
		}
		if err := tx.Delete("n"); err != nil {
			return err
		}
		return tx.Insert("chan", numeric("n"))
	})
	require.EqualValues(t, 0, descriptor(t, st.Load(), "n").Base().DescriptorVersion)
}

// TestForgettingRetired: when too many handles have been removed the oldest are forgotten, but no version ever falls.
func TestForgettingRetired(t *testing.T) {
	// covers: BICEPS R5003
	st := NewStore(fixture(t), Config{MaxRetired: 2})
	for range 4 {
		commit(t, st, setHR(fmt.Sprint(st.Load().Version().MdibVersion), t0))
	}
	for _, h := range []string{"hr", "spo2", "text", "mode"} {
		commit(t, st, func(tx *Tx) error { return tx.Delete(h) })
	}
	require.Equal(t, 2, st.retired.handles.Len())
	require.Equal(t, 2, st.retired.order.Len())
	commit(t, st, func(tx *Tx) error { return tx.Insert("chan", numeric("hr")) })
	require.EqualValues(t, 1, descriptor(t, st.Load(), "hr").Base().DescriptorVersion)
	require.EqualValues(t, 5, state[pm.State](t, st.Load(), "hr").BaseState().StateVersion, "was 4")
	commit(t, st, func(tx *Tx) error { return tx.Insert("chan", enum("mode", "a")) })
	require.EqualValues(t, 1, descriptor(t, st.Load(), "mode").Base().DescriptorVersion, "remembered")
	require.Equal(t, 1, st.retired.handles.Len())
}

func TestTreeRules(t *testing.T) {
	// covers: BICEPS tree rules, BICEPS R0007_0, BICEPS R0105_0, BICEPS R0023
	st, _ := newStore(t)
	clock := &pm.ClockDescriptor{}
	clock.AbstractDescriptor = base("clock2")
	system := &pm.SystemContextDescriptor{}
	system.AbstractDescriptor = base("ctx2")
	op := &pm.ActivateOperationDescriptor{}
	op.AbstractDescriptor, op.OperationTarget = base("op2"), "mds"
	for name, tc := range map[string]struct {
		parent string
		d      pm.Descriptor
		id     string
	}{
		"vmd without parent":    {"", vmd("x"), "BICEPS tree rules"},
		"vmd in vmd":            {"vmd", vmd("x"), "BICEPS tree rules"},
		"mds in mds":            {"mds", mds("x."), "BICEPS tree rules"},
		"channel in mds":        {"mds", channel("x"), "BICEPS tree rules"},
		"metric in vmd":         {"vmd", numeric("x"), "BICEPS tree rules"},
		"metric in metric":      {"hr", numeric("x"), "BICEPS tree rules"},
		"clock in vmd":          {"vmd", clock, "BICEPS tree rules"},
		"second clock":          {"mds", clock, "BICEPS tree rules"},
		"second alert system":   {"mds", alerts("x."), "BICEPS tree rules"},
		"second system context": {"mds", system, "BICEPS tree rules"},
		"condition in mds":      {"mds", condition("x", pm.AlertConditionKindPhy), "BICEPS tree rules"},
		"signal in sco":         {"sco", signal("x", ""), "BICEPS tree rules"},
		"operation in vmd":      {"vmd", op, "BICEPS tree rules"},
		"handle in use":         {"chan", numeric("spo2"), "BICEPS R0007_0"},
		"twice in a tree":       {"mds", vmd("x", channel("x")), "BICEPS R0007_0"},
		"blank in handle":       {"chan", numeric("a b"), "BICEPS R0105_0"},
		"umlaut in handle":      {"chan", numeric("ä"), "BICEPS R0105_0"},
		"no handle":             {"chan", numeric(""), "BICEPS R0105_0"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, st, tc.id, func(tx *Tx) error { return tx.Insert(tc.parent, tc.d) })
		})
	}
	commit(t, st, func(tx *Tx) error { return tx.Insert("vmd", alerts("v.")) })
	commit(t, st, func(tx *Tx) error { return tx.Insert("sco", op) })
	wrong := &pm.StringMetricState{}
	refused(t, st, "BICEPS R0023", func(tx *Tx) error { return tx.Insert("chan", numeric("n"), wrong) })
	foreign := &pm.NumericMetricState{}
	foreign.DescriptorHandle = "hr"
	refused(t, st, "BICEPS R5052", func(tx *Tx) error { return tx.Insert("chan", numeric("n"), foreign) })
	two := &pm.NumericMetricState{}
	refused(t, st, "BICEPS R0023", func(tx *Tx) error { return tx.Insert("chan", numeric("n"), two, two) })
}

// TestInsertCopies: what is inserted stays the caller's.
func TestInsertCopies(t *testing.T) {
	st, _ := newStore(t)
	d, s := numeric("n"), &pm.NumericMetricState{}
	commit(t, st, func(tx *Tx) error { return tx.Insert("chan", d, s, nil) })
	d.Type.Code, s.ActivationState = "changed", pm.ComponentActivationFail
	require.Equal(t, "1", descriptor(t, st.Load(), "n").Base().Type.Code)
	require.Empty(t, state[*pm.NumericMetricState](t, st.Load(), "n").ActivationState)

	// A descriptor just inserted can be edited on.
	commit(t, st, func(tx *Tx) error {
		if err := tx.Insert("chan", numeric("o")); err != nil {
			return err
		}
		d, err := tx.EditDescriptor("o")
		if err != nil {
			return err
		}
		d.Base().Type.Code = "9"
		return tx.SetNumeric("o", pm.MustDecimal("5"), t0)
	})
	require.Equal(t, "9", descriptor(t, st.Load(), "o").Base().Type.Code)
	require.EqualValues(t, 0, state[pm.State](t, st.Load(), "o").BaseState().StateVersion)
	require.True(t, state[*pm.NumericMetricState](t, st.Load(), "o").MetricValue.Value.IsSet())
}

func TestDescriptorThatWasEditedAndDeletedIsGone(t *testing.T) {
	store := NewStore(fixture(t), Config{})
	_, err := store.Update(func(tx *Tx) error {
		_, err := tx.EditDescriptor("alerts")
		require.NoError(t, err)
		require.NoError(t, tx.Delete("alerts"))
		_, ok := tx.Descriptor("alerts")
		require.False(t, ok)
		return nil
	})
	require.NoError(t, err)
	_, ok := store.Load().Descriptor("alerts")
	require.False(t, ok)
}
