package t2iapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

// TestScriptOfAConformanceTool does to every entry what conformance tools do before their tests, one after the other on one device, in the worst
// order: after everything has been switched off. Like them it looks at its copy of the MDIB right after each answer.
func TestScriptOfAConformanceTool(t *testing.T) {
	// covers: BICEPS R0025_0, BICEPS R0029_0, BICEPS R0116, BICEPS B-128, BICEPS R0124, BICEPS R0133
	b := start(t)
	device, contexts := t2ipb.NewDeviceServiceClient(b.conn), t2ipb.NewContextServiceClient(b.conn)
	activation, alert, metric := t2ipb.NewActivationStateServiceClient(b.conn), t2ipb.NewAlertServiceClient(b.conn), t2ipb.NewMetricServiceClient(b.conn)
	all := func(is func(mdib.Entity) bool) (handles []string) {
		for e := range b.dev.MDIB().Entities() {
			if is(e) {
				handles = append(handles, e.Handle)
			}
		}
		require.NotEmpty(t, handles)
		return handles
	}
	component := func(h string, a t2ipb.ComponentActivation) {
		succeeds(b, activation.SetComponentActivation, &t2ipb.SetComponentActivationRequest{Handle: h, Activation: a})
	}
	const on, off = t2ipb.ComponentActivation_COMPONENT_ACTIVATION_ON, t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF

	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.State.(pm.ComponentState); return ok }) {
		component(h, off)
		require.Equal(t, pm.ComponentActivationOff, componentIs(t, b.consumer.MDIB(), h))
	}
	systems := all(func(e mdib.Entity) bool { _, ok := e.State.(*pm.AlertSystemState); return ok })
	for _, h := range systems {
		for _, a := range []t2ipb.AlertActivation{alertOn, alertPaused, alertOff} {
			succeeds(b, activation.SetAlertActivation, setAlert(h, a))
		}
		require.Equal(t, pm.AlertActivationOff, alertIs(t, b.consumer.MDIB(), h))
	}
	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.State.(pm.ConditionState); return ok }) {
		system, _ := b.dev.MDIB().Parent(h)
		succeeds(b, activation.SetAlertActivation, setAlert(h, alertOff))
		succeeds(b, activation.SetAlertActivation, setAlert(system, alertOff))
		succeeds(b, alert.SetAlertConditionPresence, setPresence(h, true))
		require.True(t, isPresent(t, b.consumer.MDIB(), h))
	}
	for _, h := range systems {
		for m := range t2ipb.AlertSignalManifestation_name {
			for _, a := range []t2ipb.AlertActivation{alertOn, alertPaused, alertOff} {
				succeeds(b, activation.SetSystemSignalActivation, &t2ipb.SetSystemSignalActivationRequest{
					Handle: h, Manifestation: t2ipb.AlertSignalManifestation(m), Activation: a,
				})
			}
		}
	}
	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.State.(*pm.AlertSignalState); return ok }) {
		for _, a := range []t2ipb.AlertActivation{alertOn, alertPaused, alertOff} {
			succeeds(b, activation.SetAlertActivation, setAlert(h, a))
		}
		require.Equal(t, pm.AlertActivationOff, alertIs(t, b.consumer.MDIB(), h))
	}
	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.State.(pm.ComponentState); return ok }) {
		component(h, off)
	}
	for status := range t2ipb.MetricStatus_name {
		for _, h := range all(func(e mdib.Entity) bool { _, ok := e.State.(pm.MetricState); return ok }) {
			from := on
			if status <= 1 {
				from = off
			}
			component(h, from)
			succeeds(b, metric.SetMetricStatus, &t2ipb.SetMetricStatusRequest{Handle: h, Status: t2ipb.MetricStatus(status)})
		}
	}
	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.Descriptor.(pm.ContextDescriptor); return ok }) {
		for range 2 {
			state, result := b.created(func(ctx context.Context, d string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
				return contexts.CreateContextStateWithAssociation(ctx, &t2ipb.CreateContextStateWithAssociationRequest{DescriptorHandle: d, ContextAssociation: a}, opts...)
			}, h, t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_ASSOCIATED)
			require.Equal(t, t2ipb.Result_RESULT_SUCCESS, result)
			s, ok := mdib.Get[pm.ContextState](b.consumer.MDIB(), state)
			require.True(t, ok)
			require.Equal(t, pm.ContextAssociationAssoc, s.BaseContext().ContextAssociation)
		}
	}
	for _, h := range all(func(e mdib.Entity) bool { _, ok := e.Descriptor.(*pm.MdsDescriptor); return ok }) {
		component(h, off)
	}
	removable, _ := do(b, device.GetRemovableDescriptorsOfClass, &t2ipb.GetRemovableDescriptorsOfClassRequest{})
	for _, h := range removable.GetHandle() {
		succeeds(b, device.TriggerDescriptorUpdate, named(h))
		succeeds(b, device.RemoveDescriptor, handle(h))
		_, there := b.consumer.MDIB().Descriptor(h)
		require.False(t, there)
		succeeds(b, device.InsertDescriptor, handle(h))
		_, there = b.consumer.MDIB().Descriptor(h)
		require.True(t, there)
	}
	for report := t2ipb.ReportType_REPORT_TYPE_EPISODIC_ALERT_REPORT; report <= t2ipb.ReportType_REPORT_TYPE_EPISODIC_OPERATIONAL_STATE_REPORT; report++ {
		succeeds(b, device.TriggerReport, &t2ipb.TriggerReportRequest{Report: report})
	}
	b.seen() // every version on the way keeps the rules
}
