package mdib

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

var errAbandoned = errors.New("abandoned")

// machine drives random transactions through a store, and what is reported through the codec into a mirror.
type machine struct {
	store  *Store
	mirror *Mirror
	clock  *clock
	// versions that must never fall within the sequence, over removal and re-insertion (BICEPS R5003)
	descriptors, states map[string]uint64
}

func (m *machine) handles(t *rapid.T, of func(Entity) bool) []string {
	var out []string
	for e := range m.store.Load().Entities() {
		if of(e) {
			out = append(out, e.Handle)
		}
	}
	return out
}

func pick(t *rapid.T, of []string, label string) string {
	if len(of) == 0 {
		t.Skip("nothing to pick from")
	}
	return rapid.SampledFrom(of).Draw(t, label)
}

func isState[T pm.State](e Entity) bool {
	_, ok := e.State.(T)
	return ok
}

// update commits, checks the change against the versions known, and brings the mirror up to date.
func (m *machine) update(t *rapid.T, fn func(tx *Tx) error) {
	before := m.store.Load()
	abandon := rapid.IntRange(0, 9).Draw(t, "abandon") == 0
	c, err := m.store.Update(func(tx *Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if abandon {
			return errAbandoned
		}
		return nil
	})
	if err != nil || c == nil {
		require.Nil(t, c)
		require.Same(t, before, m.store.Load())
		if !abandon {
			var rule *RuleError
			require.True(t, err == nil || errors.As(err, &rule) || errors.Is(err, ErrMixedKinds), "%v", err)
		}
		return
	}
	require.False(t, abandon)
	require.Equal(t, before.Version().MdibVersion+1, c.Version.MdibVersion)
	checkChange(t, c)
	decoded, err := msg.Unmarshal(c.Report().AppendXML(nil))
	require.NoError(t, err)
	u, err := m.mirror.Apply(decoded)
	require.NoError(t, err)
	require.Empty(t, u.Notes)
	require.Equal(t, c.Kind, u.Kind)
	require.Len(t, u.States, len(c.States))
	require.Len(t, u.Descriptors, len(c.Descriptors))
	require.True(t, c.After.Equal(u.After), "store and mirror differ")
	require.Equal(t, c.After.StateVersion(), u.After.StateVersion())
	require.Equal(t, c.After.DescriptionVersion(), u.After.DescriptionVersion())
	again, err := m.mirror.Apply(decoded) // repeated reports are harmless
	if c.Kind != KindDescription {
		require.NoError(t, err)
		require.Empty(t, again.States)
	}
	m.mirror.current.Store(u.After)
}

func checkChange(t *rapid.T, c *Change) {
	seen := map[string]bool{}
	for _, s := range c.States {
		require.False(t, seen[s.Handle], "a state is reported twice")
		seen[s.Handle] = true
		if s.Before != nil {
			require.Equal(t, s.Before.BaseState().StateVersion+1, s.After.BaseState().StateVersion)
			require.False(t, pm.EqualState(s.Before, s.After))
		}
	}
	told := map[string]bool{}
	for _, d := range c.Descriptors {
		require.False(t, told[d.Handle], "a descriptor is reported twice")
		told[d.Handle] = true
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	at := func() time.Time { return m.clock.now() }
	return map[string]func(*rapid.T){
		"metrics": func(t *rapid.T) {
			all := m.handles(t, isState[*pm.NumericMetricState])
			n := rapid.IntRange(1, 20).Draw(t, "n")
			m.update(t, func(tx *Tx) error {
				for range n {
					h := pick(t, all, "metric")
					if err := tx.SetNumeric(h, pm.NewDecimal(rapid.Int64Range(0, 3).Draw(t, "value"), 0), m.clock.t); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"clear": func(t *rapid.T) {
			h := pick(t, m.handles(t, isState[*pm.NumericMetricState]), "metric")
			m.update(t, func(tx *Tx) error { return tx.ClearValue(h, pm.MeasurementValidityNA, at()) })
		},
		"wave": func(t *rapid.T) {
			h := pick(t, m.handles(t, isState[*pm.RealTimeSampleArrayMetricState]), "wave")
			m.update(t, func(tx *Tx) error { return tx.SetSamples(h, pm.Samples{pm.MustDecimal("1.50")}, at()) })
		},
		"alert": func(t *rapid.T) {
			h := pick(t, m.handles(t, isState[pm.ConditionState]), "condition")
			m.update(t, func(tx *Tx) error { return tx.SetPresence(h, rapid.Bool().Draw(t, "present")) })
		},
		"component": func(t *rapid.T) {
			h := pick(t, m.handles(t, isState[pm.ComponentState]), "component")
			m.update(t, func(tx *Tx) error {
				return tx.SetActivation(h, rapid.SampledFrom([]pm.ComponentActivation{pm.ComponentActivationOn, pm.ComponentActivationOff}).Draw(t, "a"))
			})
		},
		"operation": func(t *rapid.T) {
			h := pick(t, m.handles(t, isState[pm.OperationState]), "operation")
			m.update(t, func(tx *Tx) error {
				return tx.SetOperatingMode(h, rapid.SampledFrom([]pm.OperatingMode{pm.OperatingModeEn, pm.OperatingModeDis}).Draw(t, "m"))
			})
		},
		"context": func(t *rapid.T) {
			h := pick(t, m.handles(t, func(e Entity) bool { return isContext(e.Descriptor) }), "context")
			m.update(t, func(tx *Tx) error {
				s, err := tx.NewContextState(h)
				if err != nil {
					return err
				}
				s.BaseContext().ContextAssociation = rapid.SampledFrom([]pm.ContextAssociation{"", pm.ContextAssociationPre, pm.ContextAssociationAssoc}).Draw(t, "assoc")
				return nil
			})
		},
		"association": func(t *rapid.T) {
			var all []string
			for _, s := range m.store.Load().MdState().State {
				if c, ok := s.(pm.ContextState); ok {
					all = append(all, c.BaseMulti().Handle)
				}
			}
			h := pick(t, all, "state")
			m.update(t, func(tx *Tx) error {
				s, err := Edit[pm.ContextState](tx, h)
				if err != nil {
					return err
				}
				s.BaseContext().ContextAssociation = rapid.SampledFrom([]pm.ContextAssociation{
					pm.ContextAssociationNo, pm.ContextAssociationPre, pm.ContextAssociationAssoc, pm.ContextAssociationDis,
				}).Draw(t, "assoc")
				return nil
			})
		},
		"description": func(t *rapid.T) {
			ops := rapid.IntRange(1, 4).Draw(t, "operations")
			m.update(t, func(tx *Tx) error {
				for range ops {
					if err := m.describe(t, tx); err != nil {
						return err
					}
				}
				return nil
			})
		},
		"": m.check,
	}
}

// describe edits, inserts or deletes a descriptor. Handles come from a small set, so that they come back.
func (m *machine) describe(t *rapid.T, tx *Tx) error {
	var now []string
	for e := range m.store.Load().Entities() {
		if _, ok := tx.Descriptor(e.Handle); ok {
			now = append(now, e.Handle)
		}
	}
	ofType := func(is func(pm.Descriptor) bool) []string {
		return slices.DeleteFunc(slices.Clone(now), func(h string) bool {
			d, _ := tx.Descriptor(h)
			return !is(d)
		})
	}
	fresh := func(kind string) string { return fmt.Sprint(kind, ".x", rapid.IntRange(0, 5).Draw(t, "handle")) }
	switch rapid.SampledFrom([]string{"edit", "metric", "vmd", "condition", "mds", "delete", "delete"}).Draw(t, "operation") {
	case "edit":
		h := pick(t, now, "descriptor")
		d, err := tx.EditDescriptor(h)
		if err != nil {
			return err
		}
		d.Base().SafetyClassification = rapid.SampledFrom([]pm.SafetyClassification{pm.SafetyClassificationInf, pm.SafetyClassificationMedA}).Draw(t, "class")
		if s, ok := tx.State(h); ok && rapid.Bool().Draw(t, "state too") {
			if _, ok := s.(*pm.NumericMetricState); ok {
				return tx.SetNumeric(h, pm.MustDecimal("7"), m.clock.t)
			}
		}
		return nil
	case "metric":
		return tx.Insert(pick(t, ofType(func(d pm.Descriptor) bool { _, ok := d.(*pm.ChannelDescriptor); return ok }), "parent"), numeric(fresh("metric")))
	case "vmd":
		h := fresh("vmd")
		return tx.Insert(pick(t, ofType(func(d pm.Descriptor) bool { _, ok := d.(*pm.MdsDescriptor); return ok }), "parent"), vmd(h, channel(h+".c", numeric(h+".m"))))
	case "condition":
		h := fresh("condition")
		s := &pm.AlertConditionState{Presence: rapid.Bool().Draw(t, "present")}
		s.ActivationState = pm.AlertActivationOn
		return tx.Insert(pick(t, ofType(func(d pm.Descriptor) bool { _, ok := d.(*pm.AlertSystemDescriptor); return ok }), "parent"), condition(h, pm.AlertConditionKindTec), s)
	case "mds":
		p := fresh("m") + "."
		patient := &pm.PatientContextState{}
		patient.DescriptorHandle, patient.ContextAssociation = p+"pat", pm.ContextAssociationAssoc
		return tx.Insert("", mds(p), patient)
	default:
		h := pick(t, ofType(func(d pm.Descriptor) bool { return !isFixed(d) && d.Base().Handle != "mds" }), "descriptor")
		return tx.Delete(h)
	}
}

// check holds after every step.
func (m *machine) check(t *rapid.T) {
	s := m.store.Load()
	for e := range s.Entities() {
		v := e.Descriptor.Base().DescriptorVersion
		require.GreaterOrEqual(t, v, m.descriptors[e.Handle], "descriptor version of %s fell", e.Handle)
		m.descriptors[e.Handle] = v
		states := []pm.State{e.State}
		if isContext(e.Descriptor) {
			states = states[:0]
			associated := 0
			for _, c := range e.Contexts {
				states = append(states, c)
				b := c.BaseContext()
				if b.ContextAssociation == pm.ContextAssociationAssoc {
					associated++
				}
				require.True(t, !b.BindingMdibVersion.IsSet() || b.BindingStartTime.IsSet())
				require.True(t, !b.UnbindingMdibVersion.IsSet() || b.BindingEndTime.IsSet())
			}
			if _, many := e.Descriptor.(*pm.OperatorContextDescriptor); !many {
				require.LessOrEqual(t, associated, 1)
			}
		}
		for _, state := range states {
			require.True(t, pm.Pairs(e.Descriptor, state))
			require.Equal(t, v, state.BaseState().DescriptorVersion)
			h := pm.HandleOf(state)
			require.GreaterOrEqual(t, state.BaseState().StateVersion, m.states[h], "state version of %s fell", h)
			m.states[h] = state.BaseState().StateVersion
		}
		if system, ok := e.State.(*pm.AlertSystemState); ok {
			var present []string
			for child := range s.Children(e.Handle) {
				d, _ := Get[pm.ConditionDescriptor](s, child)
				if c, ok := Get[pm.ConditionState](s, child); ok && c.BaseCondition().Presence && d.BaseCondition().Kind == pm.AlertConditionKindTec {
					present = append(present, child)
				}
			}
			require.ElementsMatch(t, present, system.PresentTechnicalAlarmConditions)
		}
	}
	// The tree form and back is the same MDIB.
	round, err := FromMdib(s.Mdib())
	require.NoError(t, err)
	require.True(t, s.Equal(round))
}

// TestStoreAndMirror: after any sequence of transactions the mirror is what the store is.
func TestStoreAndMirror(t *testing.T) {
	// covers: BICEPS R5003, BICEPS R0033, BICEPS R0034_0, BICEPS R0038_0, BICEPS R0007_0, BICEPS R0023, SDPi R1007, BICEPS R0124, BICEPS R0133, GLUE R0013, GLUE R0072
	start := fixture(t)
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		m := &machine{
			store: NewStore(start, Config{Now: c.now}), mirror: NewMirror(MirrorConfig{AllReports: true}), clock: c,
			descriptors: map[string]uint64{}, states: map[string]uint64{},
		}
		_, err := m.mirror.Reset(m.store.Load().Response())
		require.NoError(t, err)
		t.Repeat(m.actions())
	})
}
