package components

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestCascade(t *testing.T) {
	// covers: BICEPS R0025_0
	d := newDevice(t, false)
	c, err := NewCascade(d, nil)
	require.NoError(t, err)
	must(t, d, func(tx *mdib.Tx) error { return tx.SetActivation("clc", pm.ComponentActivationStndBy) })
	must(t, d, func(tx *mdib.Tx) error { return tx.SetPresence("cond", true) })
	all := []string{"vmd", "chan", "msrmt", "set", "clc", "wave", "alerts", "cond", "signal", "sco", "op", "op2"}
	states := func() map[string]string {
		out := map[string]string{}
		for _, h := range append([]string{"mds", "battery", "clock", "context", "vmd2", "chan2", "other"}, all...) {
			out[h] = d.is(h)
		}
		return out
	}
	before := states()
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	for _, h := range all {
		want := "Off"
		if h == "op" || h == "op2" {
			want = "NA"
		}
		require.Equal(t, want, d.is(h), h)
	}
	require.Equal(t, "On", d.is("other"), "another VMD")
	version := d.MDIB().Version()
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	require.Equal(t, version, d.MDIB().Version(), "it is off already")
	var rule *mdib.RuleError
	require.ErrorAs(t, c.SetActivation("chan", pm.ComponentActivationOn), &rule)
	require.Equal(t, "BICEPS R0025_0", rule.ID)
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOn))
	require.Equal(t, before, states())
	s, _ := mdib.Get[*pm.AlertConditionState](d.MDIB(), "cond")
	require.False(t, s.Presence, "what was present has to be detected again")

	// One within the other, and something below that was off for itself.
	require.NoError(t, c.SetActivation("chan", pm.ComponentActivationOff))
	require.NoError(t, c.SetActivation("mds", pm.ComponentActivationOff))
	require.Equal(t, "Off", d.is("clock"))
	require.NoError(t, c.SetActivation("mds", pm.ComponentActivationOn))
	require.Equal(t, "Off", d.is("chan"))
	require.Equal(t, "Off", d.is("msrmt"))
	require.Equal(t, "On", d.is("alerts"))
	require.Equal(t, "NA", d.is("op"), "what it sets is off")
	require.NoError(t, c.SetActivation("chan", pm.ComponentActivationStndBy))
	require.Equal(t, "En", d.is("op"))
	require.Equal(t, "StndBy", d.is("chan"))
	require.Equal(t, "On", d.is("msrmt"))
	require.NoError(t, c.SetActivation("chan", pm.ComponentActivationOn))
	require.Equal(t, before, states())

	require.ErrorIs(t, c.SetActivation("msrmt", pm.ComponentActivationOff), mdib.ErrUnknownHandle, "a metric is no component")
	require.Error(t, c.SetActivation("vmd", "Asleep"))
	require.Error(t, c.SetActivation("battery", pm.ComponentActivationShtdn))
	_, err = NewCascade(nil, nil)
	require.Error(t, err)
}

// Operations of an SCO further up that set something below a component go and come back with it; those on the component itself stay.
func TestCascadeTakesOperationsOnWhatIsBelowAlong(t *testing.T) {
	// covers: BICEPS R0025_0
	d := newDevice(t, false)
	operation := func(handle, target string) *pm.SetComponentStateOperationDescriptor {
		op := &pm.SetComponentStateOperationDescriptor{}
		op.AbstractDescriptor, op.OperationTarget = base(handle), target
		return op
	}
	must(t, d, func(tx *mdib.Tx) error {
		sco := &pm.ScoDescriptor{Operation: []pm.OperationDescriptor{
			operation("on.set", "set"), operation("on.chan", "chan"), operation("on.vmd", "vmd"), operation("on.other", "other"),
		}}
		sco.AbstractDescriptor = base("mds.sco")
		return tx.Insert("mds", sco)
	})
	all := []string{"on.set", "on.chan", "on.vmd", "on.other", "op", "op2"}
	must(t, d, func(tx *mdib.Tx) error {
		for _, h := range all[:4] {
			if err := tx.SetOperatingMode(h, pm.OperatingModeEn); err != nil {
				return err
			}
		}
		return nil
	})
	c, err := NewCascade(d, nil)
	require.NoError(t, err)
	modes := func(want ...string) {
		t.Helper()
		var got []string
		for _, h := range all {
			got = append(got, d.is(h))
		}
		require.Equal(t, want, got, "%v", all)
		for _, f := range mdib.Validate(d.MDIB()) {
			require.NotEqual(t, "BICEPS R0025_0", f.ID, f.Message)
		}
	}
	modes("En", "En", "En", "En", "En", "Dis")
	require.NoError(t, c.SetActivation("chan", pm.ComponentActivationOff))
	modes("NA", "En", "En", "En", "NA", "NA") // op and op2 stand in the VMD and set a metric of the channel
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	modes("NA", "NA", "En", "En", "NA", "NA")
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOn))
	modes("NA", "En", "En", "En", "NA", "NA")
	require.NoError(t, c.SetActivation("chan", pm.ComponentActivationStndBy))
	modes("En", "En", "En", "En", "En", "Dis")
	// The other way round: the inner one comes last.
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	require.NoError(t, c.SetActivation("mds", pm.ComponentActivationOff))
	modes("NA", "NA", "NA", "NA", "NA", "NA")
	require.NoError(t, c.SetActivation("mds", pm.ComponentActivationOn))
	modes("NA", "NA", "En", "En", "NA", "NA")
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOn))
	modes("En", "En", "En", "En", "En", "Dis")
}

// stubborn refuses one kind of state once.
type stubborn struct {
	*device
	kind mdib.Kind
}

func (s *stubborn) Update(fn func(*mdib.Tx) error) error {
	return s.device.Update(func(tx *mdib.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if k := tx.Kind(); k == s.kind {
			s.kind = mdib.KindNone
			return errors.New("not now")
		}
		return nil
	})
}

func TestCascadeThatWasInterruptedGoesOn(t *testing.T) {
	for _, kind := range kinds() {
		d := newDevice(t, false)
		c, err := NewCascade(&stubborn{d, kind}, nil)
		require.NoError(t, err)
		require.Error(t, c.SetActivation("vmd", pm.ComponentActivationOff))
		require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
		require.Equal(t, "Off", d.is("vmd"))
		require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOn))
		require.Equal(t, "On", d.is("msrmt"))
		require.Equal(t, "En", d.is("op"))
		require.Equal(t, "Dis", d.is("op2"))
	}
}

func TestOperatingHours(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDevice(t, false)
		must(t, d, func(tx *mdib.Tx) error {
			for _, h := range []string{"vmd", "vmd2"} {
				s, err := mdib.Edit[*pm.VmdState](tx, h)
				if err != nil {
					return err
				}
				s.OperatingHours = pm.Some(uint32(7))
			}
			return nil
		})
		c, err := NewCascade(d, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		hours := func(h string) uint32 {
			s, _ := mdib.Get[*pm.VmdState](d.MDIB(), h)
			return s.OperatingHours.Or(0)
		}
		before := d.MDIB().Version().MdibVersion
		after(59*time.Minute + 30*time.Second)
		require.Equal(t, before, d.MDIB().Version().MdibVersion)
		after(time.Minute)
		require.EqualValues(t, 8, hours("vmd"))
		require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
		after(2 * time.Hour)
		require.EqualValues(t, 8, hours("vmd"), "it is off")
		require.EqualValues(t, 10, hours("vmd2"))
		s, _ := mdib.Get[*pm.MdsState](d.MDIB(), "mds")
		require.False(t, s.OperatingHours.IsSet(), "not counted where there is no counter")
		cancel()
		require.NoError(t, <-done)
	})
}
