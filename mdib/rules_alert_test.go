package mdib

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/pm"
)

// TestAlertActivationByPlainEdits: whoever edits a part of an alert system, the commit brings the others along.
func TestAlertActivationByPlainEdits(t *testing.T) {
	// covers: BICEPS R0116, BICEPS R0029_0, BICEPS B-128
	st, _ := newStore(t)
	system := func(change func(*pm.AlertSystemState)) {
		t.Helper()
		commit(t, st, func(tx *Tx) error {
			s, err := Edit[*pm.AlertSystemState](tx, "alerts")
			change(s)
			return err
		})
		require.Empty(t, errorsOnly(Validate(st.Load())))
	}
	activation := func(handle string) pm.AlertActivation {
		return state[pm.AlertState](t, st.Load(), handle).BaseAlert().ActivationState
	}
	entry := func() pm.AlertActivation {
		return state[*pm.AlertSystemState](t, st.Load(), "alerts").SystemSignalActivation[0].State
	}
	system(func(s *pm.AlertSystemState) {
		s.SystemSignalActivation = []pm.SystemSignalActivation{{Manifestation: pm.AlertSignalManifestationVis, State: pm.AlertActivationPsd}}
	})
	require.Equal(t, pm.AlertActivationPsd, activation("sig"), "an edited entry is carried over to the signals")
	old := st.Load()
	system(func(s *pm.AlertSystemState) { s.SystemSignalActivation[0].State = pm.AlertActivationOn })
	require.Equal(t, pm.AlertActivationOn, activation("sig"))

	commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.AlertSignalState](tx, "sig")
		s.ActivationState = pm.AlertActivationPsd
		return err
	})
	require.Equal(t, pm.AlertActivationPsd, entry(), "the entry follows the signals")
	require.Equal(t, pm.AlertActivationPsd, state[*pm.AlertSystemState](t, old, "alerts").SystemSignalActivation[0].State, "the version before is as it was")

	commit(t, st, func(tx *Tx) error { return tx.SetPresence("tec", true) })
	commit(t, st, func(tx *Tx) error {
		s, err := Edit[*pm.AlertConditionState](tx, "tec")
		s.ActivationState = pm.AlertActivationOff
		return err
	})
	require.False(t, state[*pm.AlertConditionState](t, st.Load(), "tec").Presence)
	require.Empty(t, errorsOnly(Validate(st.Load())))

	system(func(s *pm.AlertSystemState) { s.ActivationState = pm.AlertActivationOff })
	for _, h := range []string{"tec", "limit", "sig"} {
		require.Equal(t, pm.AlertActivationOff, activation(h))
	}
	require.Equal(t, pm.AlertActivationOff, entry())
}
