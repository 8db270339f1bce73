package t2iapi_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

func TestSendHello(t *testing.T) {
	// covers: MDPWS R0008
	b := start(t)
	client := t2ipb.NewDeviceServiceClient(b.conn)
	require.Empty(t, b.ether.all(), "the first Hello is far away")
	for n := range 2 {
		succeeds(b, client.SendHello, &emptypb.Empty{})
		sent := b.ether.all()
		require.Len(t, sent, n+1, "it is out when the call answers")
		require.Contains(t, sent[n], ":Hello>")
		require.Contains(t, sent[n], b.dev.EPR())
		require.Contains(t, sent[n], "MedicalDevice")
	}
}

func named(handles ...string) *t2ipb.TriggerDescriptorUpdateRequest {
	return &t2ipb.TriggerDescriptorUpdateRequest{Handle: handles}
}

func TestTriggerDescriptorUpdate(t *testing.T) {
	// covers: BICEPS C-5, BICEPS C-7, BICEPS R0034_0, BICEPS R5051, BICEPS R5052
	b := start(t)
	client := t2ipb.NewDeviceServiceClient(b.conn)
	all := []string{"mds1", "mds0.monitoring", "mds0.vitals.rate", "mds0.patient", "mds0.alerts.limit.vis", "mds0.sco.number", "mds0.clock"}
	for range 2 {
		before := b.dev.MDIB()
		succeeds(b, client.TriggerDescriptorUpdate, named(all...))
		seen := b.seen()
		require.Len(t, seen, 1, "one report")
		require.Equal(t, mdib.KindDescription, seen[0].Change.Kind)
		updated := map[string]bool{}
		for _, c := range seen[0].Change.Descriptors {
			require.Equal(t, msg.DescriptionModificationTypeUpt, c.Type)
			require.False(t, pm.EqualDescriptor(c.Before, c.After))
			was, _ := before.Descriptor(c.Handle)
			require.Equal(t, was.Base().DescriptorVersion+1, c.After.Base().DescriptorVersion)
			updated[c.Handle] = true
			if c.Handle == "mds1" {
				require.Empty(t, c.Parent)
			}
		}
		for _, h := range all {
			require.True(t, updated[h], h)
		}
	}
	succeeds(b, client.TriggerDescriptorUpdate, named())
	require.Equal(t, mdib.KindDescription, b.seen()[0].Change.Kind)
	succeeds(b, client.TriggerAnyDescriptorUpdate, &emptypb.Empty{})
	require.Equal(t, mdib.KindDescription, b.seen()[0].Change.Kind)
	refused(b, fail, client.TriggerDescriptorUpdate, named("mds0", "nobody"))
	refused(b, fail, client.TriggerDescriptorUpdate, named(""))
}

func handle(h string) *t2ipb.BasicHandleRequest { return &t2ipb.BasicHandleRequest{Handle: h} }

func TestRemoveAndInsert(t *testing.T) {
	// covers: BICEPS R0098_0, BICEPS R0055_0, BICEPS C-7, BICEPS R5025_0, BICEPS R5046_0, BICEPS R5053, BICEPS R0033, BICEPS R0034_0, BICEPS R0038_0
	b := start(t)
	client := t2ipb.NewDeviceServiceClient(b.conn)
	removable := func(class t2ipb.DescriptorClass) []string {
		resp, _ := do(b, client.GetRemovableDescriptorsOfClass, &t2ipb.GetRemovableDescriptorsOfClassRequest{DescriptorClass: class})
		require.Equal(t, t2ipb.Result_RESULT_SUCCESS, resp.GetStatus().GetResult())
		return resp.GetHandle()
	}
	const any, mdss = t2ipb.DescriptorClass_DESCRIPTOR_CLASS_ABSTRACT, t2ipb.DescriptorClass_DESCRIPTOR_CLASS_MDS
	handles := removable(any)
	require.Equal(t, []string{"mds1"}, removable(mdss))
	kinds := map[string]bool{}
	for _, h := range handles {
		d, ok := b.dev.MDIB().Descriptor(h)
		require.True(t, ok)
		kinds[d.TypeName().Local] = true
	}
	for _, kind := range []string{"MdsDescriptor", "VmdDescriptor", "ChannelDescriptor", "NumericMetricDescriptor"} {
		require.True(t, kinds[kind], kind)
	}

	for _, h := range handles {
		before := b.dev.MDIB()
		was, _ := before.Descriptor(h)
		refused(b, fail, client.InsertDescriptor, handle(h))

		succeeds(b, client.RemoveDescriptor, handle(h))
		seen := b.seen()
		gone := map[string]bool{}
		for i, u := range seen {
			updated := map[string]bool{}
			for _, c := range u.Change.Descriptors {
				if c.Type != msg.DescriptionModificationTypeDel {
					require.Equal(t, c.Before.Base().DescriptorVersion+1, c.After.Base().DescriptorVersion)
					updated[c.Handle] = true
					continue
				}
				require.Empty(t, c.States)
				above, _ := u.Change.Before.Parent(c.Handle)
				require.True(t, above == "" || updated[above] || gone[above], "what happens to the parent of %s stands before it", c.Handle)
				if h != "mds1" || i < len(seen)-1 {
					require.Empty(t, slices.Collect(u.Change.Before.Children(c.Handle)), "%s has children", c.Handle)
				}
				gone[c.Handle] = true
			}
			require.Equal(t, i == len(seen)-1, gone[h])
		}
		for e := range before.Subtree(h) {
			require.True(t, gone[e.Handle], e.Handle)
		}
		require.Equal(t, handles, removable(any), "also while it is away")
		require.Equal(t, []string{"mds1"}, removable(mdss))
		refused(b, fail, client.RemoveDescriptor, handle(h))

		succeeds(b, client.InsertDescriptor, handle(h))
		seen = b.seen()
		require.Len(t, seen, 1)
		after := seen[0].Snapshot
		is, ok := after.Descriptor(h)
		require.True(t, ok)
		require.Equal(t, was.TypeName(), is.TypeName())
		require.Greater(t, is.Base().DescriptorVersion, was.Base().DescriptorVersion)
		there := map[string]bool{}
		for _, c := range seen[0].Change.Descriptors {
			there[c.Handle] = true
			if c.Type == msg.DescriptionModificationTypeCrt && c.Handle != h {
				require.True(t, there[c.Parent], "parents first")
			}
			if c.Type == msg.DescriptionModificationTypeCrt {
				require.Equal(t, c.Handle == "mds1", c.Parent == "")
			}
		}
		for e := range before.Subtree(h) {
			now, ok := after.State(e.Handle)
			require.Equal(t, e.State != nil, ok, e.Handle)
			if ok {
				require.Greater(t, now.BaseState().StateVersion, e.State.BaseState().StateVersion, e.Handle)
				require.True(t, pm.ContentEqualState(e.State, now), e.Handle)
			}
			require.True(t, there[e.Handle])
		}
	}
	succeeds(b, client.RemoveDescriptor, handle("mds0.module"))
	activation := t2ipb.NewActivationStateServiceClient(b.conn)
	succeeds(b, activation.SetComponentActivation, &t2ipb.SetComponentActivationRequest{
		Handle: "mds0", Activation: t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF,
	})
	succeeds(b, client.InsertDescriptor, handle("mds0.module"))
	snap := b.last()
	require.Equal(t, pm.ComponentActivationOn, componentIs(t, snap, "mds0"), "nothing that is on comes back below what is off")
	require.Equal(t, pm.ComponentActivationOn, componentIs(t, snap, "mds0.module.value"))
	refused(b, notSupported, client.RemoveDescriptor, handle("mds0"))
	refused(b, notSupported, client.InsertDescriptor, handle("mds0"))
	refused(b, fail, client.RemoveDescriptor, handle("nobody"))
	refused(b, fail, client.InsertDescriptor, handle(""))
	resp, reason := do(b, client.GetRemovableDescriptorsOfClass, &t2ipb.GetRemovableDescriptorsOfClassRequest{DescriptorClass: 5})
	require.Equal(t, fail, resp.GetStatus().GetResult(), reason)
	require.Empty(t, resp.GetHandle())
}

// TestOneMDS: a device of one MDS that can be given another, and whose contexts somebody has to make then.
func TestOneMDS(t *testing.T) {
	// covers: BICEPS C-7
	b := startWith(t, t2iapi.Config{OneMDS: true})
	require.Equal(t, []string{"mds0"}, slices.Collect(b.dev.MDIB().Roots()))
	client := t2ipb.NewDeviceServiceClient(b.conn)
	resp, _ := do(b, client.GetRemovableDescriptorsOfClass, &t2ipb.GetRemovableDescriptorsOfClassRequest{DescriptorClass: t2ipb.DescriptorClass_DESCRIPTOR_CLASS_MDS})
	require.Equal(t, []string{"mds1"}, resp.GetHandle(), "what has been taken out is listed")
	contexts := func() (n int) {
		for range b.last().ContextStates("mds1.location") {
			n++
		}
		return n
	}
	succeeds(b, client.InsertDescriptor, handle("mds1"))
	require.Equal(t, []string{"mds0", "mds1"}, slices.Collect(b.last().Roots()))
	require.Zero(t, contexts())
	_, there := b.last().State("mds1.channel.value")
	require.True(t, there)
	succeeds(b, client.TriggerDescriptorUpdate, named("mds1"))
	state, result := b.created(func(ctx context.Context, d string, a t2ipb.ContextAssociation, opts ...grpc.CallOption) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
		return t2ipb.NewContextServiceClient(b.conn).CreateNewContextStateWithAssociation(ctx, &t2ipb.CreateContextStateWithAssociationRequest{DescriptorHandle: d, ContextAssociation: a}, opts...)
	}, "mds1.location", t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_ASSOCIATED)
	require.Equal(t, t2ipb.Result_RESULT_SUCCESS, result)
	require.NotEmpty(t, state)
	succeeds(b, client.RemoveDescriptor, handle("mds1"))
	require.Equal(t, []string{"mds0"}, slices.Collect(b.last().Roots()))
	succeeds(b, client.InsertDescriptor, handle("mds1"))
	require.Equal(t, 1, contexts(), "then it comes back as it was")
}

func TestTriggerReport(t *testing.T) {
	// covers: BICEPS C-11, BICEPS C-12, BICEPS C-13, BICEPS C-14, BICEPS C-15, BICEPS R0038_0
	b := start(t)
	client := t2ipb.NewDeviceServiceClient(b.conn)
	for report, kind := range map[t2ipb.ReportType]mdib.Kind{
		t2ipb.ReportType_REPORT_TYPE_EPISODIC_ALERT_REPORT:             mdib.KindAlert,
		t2ipb.ReportType_REPORT_TYPE_EPISODIC_COMPONENT_REPORT:         mdib.KindComponent,
		t2ipb.ReportType_REPORT_TYPE_EPISODIC_CONTEXT_REPORT:           mdib.KindContext,
		t2ipb.ReportType_REPORT_TYPE_EPISODIC_METRIC_REPORT:            mdib.KindMetric,
		t2ipb.ReportType_REPORT_TYPE_EPISODIC_OPERATIONAL_STATE_REPORT: mdib.KindOperational,
		t2ipb.ReportType_REPORT_TYPE_DESCRIPTION_MODIFICATION_REPORT:   mdib.KindDescription,
		t2ipb.ReportType_REPORT_TYPE_WAVEFORM_STREAM:                   mdib.KindWaveform,
	} {
		for range 3 {
			succeeds(b, client.TriggerReport, &t2ipb.TriggerReportRequest{Report: report})
			for _, u := range b.seen() {
				require.Equal(t, kind, u.Change.Kind)
				require.NotEmpty(t, u.Change.States)
				for _, s := range u.Change.States {
					if s.Before == nil {
						continue
					}
					require.Equal(t, s.Before.BaseState().StateVersion+1, s.After.BaseState().StateVersion)
					require.True(t, kind == mdib.KindDescription || !pm.ContentEqualState(s.Before, s.After))
				}
			}
		}
	}
	before := b.dev.MDIB().Version()
	succeeds(b, client.TriggerReport, &t2ipb.TriggerReportRequest{Report: t2ipb.ReportType_REPORT_TYPE_SYSTEM_ERROR_REPORT})
	u, err, ok := b.next()
	require.NoError(t, err)
	require.True(t, ok)
	require.IsType(t, &msg.SystemErrorReport{}, u.Report)
	require.Equal(t, before, b.dev.MDIB().Version())

	invoked := func() msg.OperationInvokedReportPart {
		t.Helper()
		succeeds(b, client.TriggerReport, &t2ipb.TriggerReportRequest{Report: t2ipb.ReportType_REPORT_TYPE_OPERATION_INVOKED_REPORT})
		for {
			u, err, ok := b.next()
			require.NoError(t, err)
			require.True(t, ok)
			if r, ok := u.Report.(*msg.OperationInvokedReport); ok {
				require.Len(t, r.ReportPart, 1)
				return r.ReportPart[0]
			}
			require.NotNil(t, u.Change, "what it takes to have an operation")
		}
	}
	part := invoked()
	require.Equal(t, msg.InvocationStateFin, part.InvocationInfo.InvocationState)
	require.Equal(t, before, b.dev.MDIB().Version(), "nothing has changed")
	activation := t2ipb.NewActivationStateServiceClient(b.conn)
	for _, h := range []string{"mds0", "mds1"} {
		succeeds(b, activation.SetComponentActivation, &t2ipb.SetComponentActivationRequest{Handle: h, Activation: t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF})
	}
	b.seen()
	require.Equal(t, msg.InvocationStateFin, invoked().InvocationInfo.InvocationState, "also after everything has been switched off")

	for _, report := range []t2ipb.ReportType{
		t2ipb.ReportType_REPORT_TYPE_OBSERVED_VALUE_STREAM, t2ipb.ReportType_REPORT_TYPE_PERIODIC_METRIC_REPORT,
	} {
		refused(b, notSupported, client.TriggerReport, &t2ipb.TriggerReportRequest{Report: report})
	}
	refused(b, fail, client.TriggerReport, &t2ipb.TriggerReportRequest{Report: 99})
}
