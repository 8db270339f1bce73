package t2iapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func modeOf(t *testing.T, snap *mdib.Snapshot, handle string) pm.OperatingMode {
	t.Helper()
	s, ok := mdib.Get[pm.OperationState](snap, handle)
	require.True(t, ok, handle)
	return s.BaseOperation().OperatingMode
}

// anOperation is the first one below an MDS.
func anOperation(t *testing.T, snap *mdib.Snapshot, mds string) string {
	t.Helper()
	for e := range snap.Subtree(mds) {
		if _, ok := e.State.(pm.OperationState); ok {
			return e.Handle
		}
	}
	require.Fail(t, "no operation")
	return ""
}

const (
	disabled     = t2ipb.OperatingMode_OPERATING_MODE_DISABLED
	enabled      = t2ipb.OperatingMode_OPERATING_MODE_ENABLED
	notAvailable = t2ipb.OperatingMode_OPERATING_MODE_NOT_AVAILABLE
)

func TestSetOperatingMode(t *testing.T) {
	b := start(t)
	client := t2ipb.NewOperationServiceClient(b.conn)
	op := anOperation(t, b.dev.MDIB(), "mds0")
	set := func(h string, m t2ipb.OperatingMode) *t2ipb.SetOperatingModeRequest {
		return &t2ipb.SetOperatingModeRequest{Handle: h, OperatingMode: m}
	}
	for _, c := range []struct {
		to   t2ipb.OperatingMode
		want pm.OperatingMode
	}{{disabled, pm.OperatingModeDis}, {notAvailable, pm.OperatingModeNA}, {enabled, pm.OperatingModeEn}} {
		succeeds(b, client.SetOperatingMode, set(op, c.to))
		require.Equal(t, c.want, modeOf(t, b.last(), op))
	}
	require.Contains(t, b.held, op)
	activation := t2ipb.NewActivationStateServiceClient(b.conn)
	succeeds(b, activation.SetComponentActivation, &t2ipb.SetComponentActivationRequest{
		Handle: "mds0", Activation: t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF,
	})
	require.Equal(t, pm.OperatingModeNA, modeOf(t, b.last(), op))
	succeeds(b, client.SetOperatingMode, set(op, enabled))
	require.Equal(t, pm.OperatingModeEn, modeOf(t, b.last(), op))
	require.Equal(t, pm.ComponentActivationOn, componentIs(t, b.last(), "mds0"), "what is off has no operations")

	refused(b, fail, client.SetOperatingMode, set("nobody", enabled))
	refused(b, fail, client.SetOperatingMode, set("mds0", enabled))
	refused(b, fail, client.SetOperatingMode, set(op, 7))
}

func TestCombined(t *testing.T) {
	b := start(t)
	client := t2ipb.NewCombinedServiceClient(b.conn)
	op := anOperation(t, b.dev.MDIB(), "mds0")
	succeeds(b, client.SetComponentActivationAndSetOperatingMode, &t2ipb.SetComponentActivationAndSetOperatingModeRequest{
		ComponentMetricDescriptorHandle: "mds1", ComponentActivation: t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF,
		OperationDescriptorHandle: op, OperatingMode: disabled,
	})
	require.Equal(t, pm.ComponentActivationOff, componentIs(t, b.last(), "mds1"))
	require.Equal(t, pm.OperatingModeDis, modeOf(t, b.last(), op))
	succeeds(b, client.SetAlertActivationAndSetOperatingMode, &t2ipb.SetAlertActivationAndSetOperatingModeRequest{
		AlertDescriptorHandle: "mds0.alerts", AlertActivation: alertPaused, OperationDescriptorHandle: op, OperatingMode: enabled,
	})
	require.Equal(t, pm.AlertActivationPsd, alertIs(t, b.last(), "mds0.alerts"))
	require.Equal(t, pm.OperatingModeEn, modeOf(t, b.last(), op))
	resp, reason := do(b, client.CreateContextStateWithAssociationAndSetOperatingMode, &t2ipb.CreateContextStateWithAssociationAndSetOperatingModeRequest{
		ContextDescriptorHandle: "mds0.patient", ContextAssociation: t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_ASSOCIATED,
		OperationDescriptorHandle: op, OperatingMode: disabled,
	})
	require.Equal(t, t2ipb.Result_RESULT_SUCCESS, resp.GetStatus().GetResult(), reason)
	patient, ok := mdib.Get[*pm.PatientContextState](b.last(), resp.GetContextStateHandle())
	require.True(t, ok)
	require.Equal(t, pm.ContextAssociationAssoc, patient.ContextAssociation)
	require.Equal(t, pm.OperatingModeDis, modeOf(t, b.last(), op))

	// Nothing of the one is done if the other makes no sense, whichever it is.
	refused(b, fail, client.SetComponentActivationAndSetOperatingMode, &t2ipb.SetComponentActivationAndSetOperatingModeRequest{
		ComponentMetricDescriptorHandle: "mds0", ComponentActivation: t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF, OperationDescriptorHandle: "nobody",
	})
	refused(b, fail, client.SetAlertActivationAndSetOperatingMode, &t2ipb.SetAlertActivationAndSetOperatingModeRequest{
		AlertDescriptorHandle: "nobody", OperationDescriptorHandle: op, OperatingMode: enabled,
	})
}
