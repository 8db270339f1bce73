package alerts_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/components"
)

// TestAlertsGoOffAndOnWithTheirComponent: a cascade works on the manager as on the device.
func TestAlertsGoOffAndOnWithTheirComponent(t *testing.T) {
	// covers: BICEPS R0025_0
	m, err := alerts.New(alerts.Config{Device: alerts.FixtureDevice(t)})
	require.NoError(t, err)
	c, err := components.NewCascade(m, nil)
	require.NoError(t, err)
	state := func(handle string) pm.AlertState {
		s, ok := mdib.Get[pm.AlertState](m.MDIB(), handle)
		require.True(t, ok)
		return s
	}
	require.NoError(t, m.SetActivation("pump.vis", pm.AlertActivationPsd))
	require.NoError(t, m.SetPresence("pump", true))
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	for _, h := range []string{"alerts2", "pump", "pump.vis"} {
		require.Equal(t, pm.AlertActivationOff, state(h).BaseAlert().ActivationState, h)
	}
	require.Equal(t, pm.AlertSignalPresenceOff, state("pump.up").(*pm.AlertSignalState).PresenceOrDefault(), "signalled above, but gone")
	for _, f := range mdib.Validate(m.MDIB()) {
		require.NotEqual(t, mdib.SeverityError, f.Severity, f.Message)
	}
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOn))
	require.Equal(t, pm.AlertActivationOn, state("alerts2").BaseAlert().ActivationState)
	require.Equal(t, pm.AlertActivationPsd, state("pump.vis").BaseAlert().ActivationState, "as it was")
	require.True(t, state("pump").(pm.ConditionState).BaseCondition().Presence, "the fact is still there")
	require.Equal(t, pm.AlertSignalPresenceOn, state("pump.up").(*pm.AlertSignalState).Presence)
}
