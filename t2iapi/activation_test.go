package t2iapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func componentIs(t *testing.T, snap *mdib.Snapshot, handle string) pm.ComponentActivation {
	t.Helper()
	if s, ok := mdib.Get[pm.ComponentState](snap, handle); ok {
		return s.BaseComponent().ActivationStateOrDefault()
	}
	s, ok := mdib.Get[pm.MetricState](snap, handle)
	require.True(t, ok, handle)
	return s.BaseMetric().ActivationStateOrDefault()
}

func alertIs(t *testing.T, snap *mdib.Snapshot, handle string) pm.AlertActivation {
	t.Helper()
	s, ok := mdib.Get[pm.AlertState](snap, handle)
	require.True(t, ok, handle)
	return s.BaseAlert().ActivationState
}

func isPresent(t *testing.T, snap *mdib.Snapshot, handle string) bool {
	t.Helper()
	s, ok := mdib.Get[pm.ConditionState](snap, handle)
	require.True(t, ok, handle)
	return s.BaseCondition().Presence
}

func TestSetComponentActivation(t *testing.T) {
	// covers: BICEPS R0025_0
	b := start(t)
	client := t2ipb.NewActivationStateServiceClient(b.conn)
	set := func(handle string, a t2ipb.ComponentActivation) *t2ipb.SetComponentActivationRequest {
		return &t2ipb.SetComponentActivationRequest{Handle: handle, Activation: a}
	}
	const on, off = t2ipb.ComponentActivation_COMPONENT_ACTIVATION_ON, t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF

	succeeds(b, client.SetComponentActivation, set("mds0.control", off))
	snap := b.last()
	for e := range snap.Subtree("mds0.control") {
		switch s := e.State.(type) {
		case pm.OperationState:
			require.Equal(t, pm.OperatingModeNA, s.BaseOperation().OperatingMode, e.Handle)
		case pm.ComponentState, pm.MetricState:
			require.Equal(t, pm.ComponentActivationOff, componentIs(t, snap, e.Handle), e.Handle)
		}
	}
	require.Contains(t, b.held, "mds0.control")
	succeeds(b, client.SetComponentActivation, set("mds0.settings.number", on))
	snap = b.last()
	for _, h := range []string{"mds0.control", "mds0.settings", "mds0.settings.number"} {
		require.Equal(t, pm.ComponentActivationOn, componentIs(t, snap, h), "what lies above a metric that is on is not off")
	}

	for a, want := range map[t2ipb.ComponentActivation]pm.ComponentActivation{
		on: pm.ComponentActivationOn,
		t2ipb.ComponentActivation_COMPONENT_ACTIVATION_NOT_READY: pm.ComponentActivationNotRdy,
		t2ipb.ComponentActivation_COMPONENT_ACTIVATION_STANDBY:   pm.ComponentActivationStndBy,
		t2ipb.ComponentActivation_COMPONENT_ACTIVATION_SHUTDOWN:  pm.ComponentActivationShtdn,
		t2ipb.ComponentActivation_COMPONENT_ACTIVATION_FAILURE:   pm.ComponentActivationFail,
	} {
		succeeds(b, client.SetComponentActivation, set("mds0.control", off))
		succeeds(b, client.SetComponentActivation, set("mds0.control", a))
		snap = b.last()
		require.Equal(t, want, componentIs(t, snap, "mds0.control"))
		require.Equal(t, pm.ComponentActivationOn, componentIs(t, snap, "mds0.settings.number"), "what went off with it is back")
	}

	succeeds(b, client.SetComponentActivation, set("mds0.vitals.rate", off))
	require.Equal(t, pm.ComponentActivationOff, componentIs(t, b.last(), "mds0.vitals.rate"))

	for _, handle := range []string{"", "nobody", "mds0.alerts", "mds0.patient", "mds0.sco.number"} {
		refused(b, fail, client.SetComponentActivation, set(handle, off))
	}
	refused(b, fail, client.SetComponentActivation, set("mds0.control", 99))
	refused(b, notSupported, client.SetComponentActivation, set("mds0.battery", t2ipb.ComponentActivation_COMPONENT_ACTIVATION_NOT_READY))
}

func TestSetMetricStatus(t *testing.T) {
	// covers: BICEPS 5-4-7_0_0, BICEPS 5-4-7_1, BICEPS 5-4-7_2, BICEPS 5-4-7_3, BICEPS 5-4-7_4, BICEPS 5-4-7_5, BICEPS 5-4-7_6, BICEPS 5-4-7_7, BICEPS 5-4-7_8
	// covers: BICEPS 5-4-7_9, BICEPS 5-4-7_10, BICEPS 5-4-7_11, BICEPS 5-4-7_12, BICEPS 5-4-7_13, BICEPS 5-4-7_14, BICEPS 5-4-7_15, BICEPS 5-4-7_16, BICEPS 5-4-7_17
	b := start(t)
	client := t2ipb.NewMetricServiceClient(b.conn)
	for metric, category := range map[string]pm.MetricCategory{
		"mds0.vitals.rate": pm.MetricCategoryMsrmt, "mds0.settings.number": pm.MetricCategorySet, "mds0.vitals.mean": pm.MetricCategoryClc,
		"mds0.waves.slow": pm.MetricCategoryMsrmt,
	} {
		d, ok := mdib.Get[pm.MetricDescriptor](b.dev.MDIB(), metric)
		require.True(t, ok)
		require.Equal(t, category, d.BaseMetric().MetricCategory)
		for _, x := range []struct {
			status t2ipb.MetricStatus
			want   pm.ComponentActivation
		}{
			{t2ipb.MetricStatus_METRIC_STATUS_CURRENTLY_INITIALIZING, pm.ComponentActivationNotRdy},
			{t2ipb.MetricStatus_METRIC_STATUS_INITIALIZED_BUT_NOT_PERFORMING_OR_APPLYING, pm.ComponentActivationStndBy},
			{t2ipb.MetricStatus_METRIC_STATUS_PERFORMED_OR_APPLIED, pm.ComponentActivationOn},
			{t2ipb.MetricStatus_METRIC_STATUS_CURRENTLY_DE_INITIALIZING, pm.ComponentActivationShtdn},
			{t2ipb.MetricStatus_METRIC_STATUS_DE_INITIALIZED_AND_NOT_PERFORMING_OR_APPLYING, pm.ComponentActivationOff},
			{t2ipb.MetricStatus_METRIC_STATUS_FAILED, pm.ComponentActivationFail},
		} {
			succeeds(b, client.SetMetricStatus, &t2ipb.SetMetricStatusRequest{Handle: metric, Status: x.status})
			require.Equal(t, x.want, componentIs(t, b.last(), metric), metric)
		}
	}
	for _, handle := range []string{"", "nobody", "mds0", "mds0.alerts"} {
		refused(b, fail, client.SetMetricStatus, &t2ipb.SetMetricStatusRequest{Handle: handle})
	}
	refused(b, fail, client.SetMetricStatus, &t2ipb.SetMetricStatusRequest{Handle: "mds0.vitals.rate", Status: 6})
}

const (
	alertOn     = t2ipb.AlertActivation_ALERT_ACTIVATION_ON
	alertOff    = t2ipb.AlertActivation_ALERT_ACTIVATION_OFF
	alertPaused = t2ipb.AlertActivation_ALERT_ACTIVATION_PSD
)

func setAlert(handle string, a t2ipb.AlertActivation) *t2ipb.SetAlertActivationRequest {
	return &t2ipb.SetAlertActivationRequest{Handle: handle, Activation: a}
}

func setPresence(handle string, present bool) *t2ipb.SetAlertConditionPresenceRequest {
	return &t2ipb.SetAlertConditionPresenceRequest{Handle: handle, Presence: present}
}

func TestAlertPresenceAndActivation(t *testing.T) {
	// covers: BICEPS R0029_0, BICEPS R0116
	b := start(t)
	activation, alert := t2ipb.NewActivationStateServiceClient(b.conn), t2ipb.NewAlertServiceClient(b.conn)
	const system, condition, visible, latching = "mds0.alerts", "mds0.alerts.limit", "mds0.alerts.limit.vis", "mds0.alerts.technical.vis"
	signal := func(snap *mdib.Snapshot, handle string) pm.AlertSignalPresence {
		s, ok := mdib.Get[*pm.AlertSignalState](snap, handle)
		require.True(t, ok)
		return s.PresenceOrDefault()
	}

	succeeds(b, alert.SetAlertConditionPresence, setPresence(condition, true))
	snap := b.last()
	require.True(t, isPresent(t, snap, condition))
	require.Equal(t, pm.AlertSignalPresenceOn, signal(snap, visible))
	listed, _ := mdib.Get[*pm.AlertSystemState](snap, system)
	require.Equal(t, []pm.HandleRef{condition}, listed.PresentPhysiologicalAlarmConditions)
	require.Contains(t, b.held, condition)

	succeeds(b, alert.SetAlertConditionPresence, setPresence(condition, true))
	all := b.seen()
	require.Len(t, all, 2, "a transition although it was present")
	require.False(t, isPresent(t, all[0].Snapshot, condition))
	require.True(t, isPresent(t, all[1].Snapshot, condition))

	for _, a := range []t2ipb.AlertActivation{alertPaused, alertOff} {
		succeeds(b, activation.SetAlertActivation, setAlert(system, a))
		snap = b.last()
		for child := range snap.Children(system) {
			require.Equal(t, alertIs(t, snap, system), alertIs(t, snap, child), child)
		}
		require.False(t, isPresent(t, snap, condition))
		require.Equal(t, pm.AlertSignalPresenceOff, signal(snap, visible))
		succeeds(b, alert.SetAlertConditionPresence, setPresence(condition, true))
		all = b.seen()
		require.Len(t, all, 1)
		for _, h := range []string{system, condition, visible} {
			require.Equal(t, pm.AlertActivationOn, alertIs(t, all[0].Snapshot, h), "on with the presence, in one report")
		}
		require.True(t, isPresent(t, all[0].Snapshot, condition))
		require.Equal(t, pm.AlertSignalPresenceOn, signal(all[0].Snapshot, visible))

		succeeds(b, activation.SetAlertActivation, setAlert(system, a))
		succeeds(b, activation.SetAlertActivation, setAlert(condition, alertOn))
		snap = b.last()
		require.Equal(t, pm.AlertActivationOn, alertIs(t, snap, system), "no condition is on in a system that is not")
		require.Equal(t, pm.AlertActivationOn, alertIs(t, snap, condition))
	}
	succeeds(b, activation.SetAlertActivation, setAlert(system, alertPaused))
	succeeds(b, activation.SetAlertActivation, setAlert(visible, alertOff))
	snap = b.last()
	require.Equal(t, pm.AlertActivationOn, alertIs(t, snap, system))
	require.Equal(t, pm.AlertActivationOff, alertIs(t, snap, visible))
	succeeds(b, activation.SetAlertActivation, setAlert(visible, alertOn))

	succeeds(b, alert.SetAlertConditionPresence, setPresence("mds0.alerts.technical", true))
	succeeds(b, alert.SetAlertConditionPresence, setPresence("mds0.alerts.technical", false))
	require.Equal(t, pm.AlertSignalPresenceLatch, signal(b.last(), latching))

	succeeds(b, alert.SetAlertConditionPresence, setPresence(condition, true))
	succeeds(b, activation.SetAlertActivation, setAlert(condition, alertPaused))
	snap = b.last()
	require.False(t, isPresent(t, snap, condition))
	require.Equal(t, pm.AlertSignalPresenceOff, signal(snap, visible))
	succeeds(b, alert.SetAlertConditionPresence, setPresence(condition, false))
	require.Equal(t, pm.AlertActivationPsd, alertIs(t, b.last(), condition), "nothing to be done")

	for _, handle := range []string{"", "nobody", "mds0", visible} {
		refused(b, fail, alert.SetAlertConditionPresence, setPresence(handle, true))
	}
	for _, handle := range []string{"", "nobody", "mds0"} {
		refused(b, fail, activation.SetAlertActivation, setAlert(handle, alertOff))
	}
	refused(b, fail, activation.SetAlertActivation, setAlert(condition, 7))
}

func TestSetSystemSignalActivation(t *testing.T) {
	// covers: BICEPS B-128
	b := start(t)
	client := t2ipb.NewActivationStateServiceClient(b.conn)
	const system = "mds0.alerts"
	set := func(handle string, m t2ipb.AlertSignalManifestation, a t2ipb.AlertActivation) *t2ipb.SetSystemSignalActivationRequest {
		return &t2ipb.SetSystemSignalActivationRequest{Handle: handle, Manifestation: m, Activation: a}
	}
	entry := func(snap *mdib.Snapshot, m pm.AlertSignalManifestation) pm.AlertActivation {
		s, ok := mdib.Get[*pm.AlertSystemState](snap, system)
		require.True(t, ok)
		for _, e := range s.SystemSignalActivation {
			if e.Manifestation == m {
				return e.State
			}
		}
		return ""
	}
	for _, m := range []struct {
		asked  t2ipb.AlertSignalManifestation
		is     pm.AlertSignalManifestation
		signal string
	}{
		{t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_AUD, pm.AlertSignalManifestationAud, "mds0.alerts.limit.aud"},
		{t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_VIS, pm.AlertSignalManifestationVis, "mds0.alerts.limit.vis"},
		{t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_TAN, pm.AlertSignalManifestationTan, "mds0.alerts.technical.tan"},
		{t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_OTH, pm.AlertSignalManifestationOth, "mds0.alerts.other.oth"},
	} {
		for a, want := range map[t2ipb.AlertActivation]pm.AlertActivation{
			alertPaused: pm.AlertActivationPsd, alertOff: pm.AlertActivationOff,
		} {
			succeeds(b, client.SetSystemSignalActivation, set(system, m.asked, a))
			snap := b.last()
			require.Equal(t, want, entry(snap, m.is))
			require.Equal(t, want, alertIs(t, snap, m.signal))
			succeeds(b, client.SetSystemSignalActivation, set(system, m.asked, alertOn))
			snap = b.last()
			require.Equal(t, pm.AlertActivationOn, entry(snap, m.is))
			require.Equal(t, pm.AlertActivationOn, alertIs(t, snap, m.signal))
		}
	}
	succeeds(b, client.SetAlertActivation, setAlert("mds0.alerts.limit.aud", alertPaused))
	require.Equal(t, pm.AlertActivationPsd, entry(b.last(), pm.AlertSignalManifestationAud), "the only audible signal")

	const audible = t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_AUD
	refused(b, fail, client.SetSystemSignalActivation, set("nobody", audible, alertOn))
	refused(b, fail, client.SetSystemSignalActivation, set("mds0.alerts.limit", audible, alertOn))
	refused(b, fail, client.SetSystemSignalActivation, set(system, 9, alertOn))
	refused(b, fail, client.SetSystemSignalActivation, set(system, audible, 9))
	for _, was := range []t2ipb.AlertActivation{alertOff, alertPaused} {
		for a, want := range map[t2ipb.AlertActivation]pm.AlertActivation{alertOn: pm.AlertActivationOn, alertPaused: pm.AlertActivationPsd, alertOff: pm.AlertActivationOff} {
			succeeds(b, client.SetAlertActivation, setAlert(system, alertOn))
			succeeds(b, client.SetAlertActivation, setAlert(system, was))
			succeeds(b, client.SetSystemSignalActivation, set(system, audible, a))
			snap := b.last()
			require.Equal(t, want, entry(snap, pm.AlertSignalManifestationAud), "%v under %v", a, was)
			require.Equal(t, want, alertIs(t, snap, "mds0.alerts.limit.aud"))
		}
	}
}
