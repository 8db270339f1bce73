package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

func patient(handle string, association pm.ContextAssociation, family string) *pm.PatientContextState {
	s := &pm.PatientContextState{CoreData: &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: family}}}
	s.DescriptorHandle, s.Handle, s.ContextAssociation = "pat", handle, association
	return s
}

func setContext(p *peer, states ...pm.ContextState) msg.InvocationInfo {
	p.t.Helper()
	return mustCall[*msg.SetContextStateResponse](p, "StateEvent", sdc.ActionSetContextState, &msg.SetContextState{
		AbstractSet: msg.AbstractSet{OperationHandleRef: "patient.set"}, ProposedContextState: states,
	}).InvocationInfo
}

func TestApplyContextStates(t *testing.T) {
	// covers: BICEPS SetContextState semantics, BICEPS R0124, BICEPS R0097, BICEPS binding versions, GLUE R0013, GLUE R0072
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		// next sends one call and returns the context report and the handle that the final report names.
		next := func(states ...pm.ContextState) (*msg.EpisodicContextReport, string) {
			t.Helper()
			info := setContext(b.peer, states...)
			require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info)
			notes := b.peer.take(2)
			part := invoked(t, notes[1])
			require.Equal(t, info.TransactionId, part.InvocationInfo.TransactionId)
			return notes[0].message.(*msg.EpisodicContextReport), part.OperationTarget
		}
		find := func(handle string) *pm.PatientContextState {
			t.Helper()
			s, ok := mdib.Get[*pm.PatientContextState](b.dev.MDIB(), handle)
			require.True(t, ok, handle)
			return s
		}

		// A state whose handle is the descriptor's is a new one, and the provider's versions count.
		proposal := patient("pat", pm.ContextAssociationPre, "Doe")
		proposal.StateVersion, proposal.BindingMdibVersion = 99, pm.Some[uint64](77)
		_, pre := next(proposal)
		require.NotEqual(t, "pat", pre)
		require.Zero(t, find(pre).StateVersion)
		require.False(t, find(pre).BindingMdibVersion.IsSet())
		require.Equal(t, pm.ContextAssociationPre, find(pre).ContextAssociation)

		report, first := next(patient("pat", pm.ContextAssociationAssoc, "Doe"))
		require.NotEqual(t, pre, first)
		require.Equal(t, report.MdibVersion, find(first).BindingMdibVersion.Or(0))
		require.True(t, find(first).BindingStartTime.IsSet())

		// Another patient displaces the former one, in the same report.
		report, second := next(patient("pat", pm.ContextAssociationAssoc, "Roe"))
		require.NotEqual(t, first, second)
		require.Len(t, report.ReportPart, 1)
		require.Len(t, report.ReportPart[0].ContextState, 2)
		require.Equal(t, pm.ContextAssociationDis, find(first).ContextAssociation)
		require.Equal(t, report.MdibVersion, find(first).UnbindingMdibVersion.Or(0))
		require.True(t, find(first).BindingEndTime.IsSet())
		require.Equal(t, pm.ContextAssociationAssoc, find(second).ContextAssociation)

		// Any other handle names the state to change; its binding stays.
		report, same := next(patient(second, pm.ContextAssociationAssoc, "Rowe"))
		require.Equal(t, second, same)
		require.Len(t, report.ReportPart[0].ContextState, 1)
		require.Equal(t, "Rowe", find(second).CoreData.BaseCoreData().Familyname)
		require.Equal(t, uint64(1), find(second).StateVersion)
		require.Less(t, find(second).BindingMdibVersion.Or(0), report.MdibVersion)

		// The first of the two proposals is confirmed: Pre to Assoc.
		_, confirmed := next(patient(pre, pm.ContextAssociationAssoc, "Doe"))
		require.Equal(t, pre, confirmed)
		require.Equal(t, pm.ContextAssociationDis, find(second).ContextAssociation)
		var associated int
		for range b.dev.MDIB().Associated("pat") {
			associated++
		}
		require.Equal(t, 1, associated)
	})
}

func TestContextLifeCycle(t *testing.T) {
	// covers: BICEPS association life cycle, BICEPS R0124
	inBubble(t, applying, nil, func(t *testing.T, b *bench) {
		require.Equal(t, msg.InvocationStateFin, setContext(b.peer, patient("pat", pm.ContextAssociationAssoc, "Doe")).InvocationState)
		var handle string
		for s := range b.dev.MDIB().Associated("pat") {
			handle = s.BaseMulti().Handle
		}
		require.Equal(t, msg.InvocationStateFin, setContext(b.peer, patient(handle, pm.ContextAssociationDis, "Doe")).InvocationState)
		before := b.dev.MDIB()
		for name, states := range map[string][]pm.ContextState{
			"associated again": {patient(handle, pm.ContextAssociationAssoc, "Doe")},
			"two at once":      {patient("pat", pm.ContextAssociationAssoc, "Doe"), patient("pat", pm.ContextAssociationAssoc, "Roe")},
		} {
			info := setContext(b.peer, states...)
			require.Equal(t, msg.InvocationStateFail, info.InvocationState, name)
			require.Equal(t, msg.InvocationErrorInv, info.InvocationError, name)
			require.NotEmpty(t, info.InvocationErrorMessage[0].Text)
		}
		require.Same(t, before, b.dev.MDIB())
	})
}

func TestSetLocation(t *testing.T) {
	// covers: BICEPS R0133, BICEPS R0125, COEX-6
	p, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	validator := pm.InstanceIdentifier{Root: "urn:hospital", Extension: "biomed"}
	require.NoError(t, p.SetLocation(sdc.LocationDetail{PoC: "ICU", Bed: "7"}, validator))
	for _, descriptor := range []string{"loc", "loc2"} {
		var got []*pm.LocationContextState
		for s := range p.MDIB().Associated(descriptor) {
			got = append(got, s.(*pm.LocationContextState))
		}
		require.Len(t, got, 1, descriptor)
		require.Equal(t, "7", got[0].LocationDetail.Bed)
		require.Equal(t, []pm.InstanceIdentifier{validator}, got[0].Validator)
		require.Equal(t, "sdc.ctxt.loc.detail", got[0].Identification[0].Root)
		require.Equal(t, "///ICU//7", got[0].Identification[0].Extension)
	}
	require.ErrorContains(t, p.SetLocation(sdc.LocationDetail{}, validator), "empty")
	former, _ := mdib.Get[*pm.LocationContextState](p.MDIB(), "loc.1")
	require.Equal(t, pm.ContextAssociationDis, former.ContextAssociation)

	without, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{{
		AbstractComplexDeviceComponentDescriptor: pm.AbstractComplexDeviceComponentDescriptor{
			AbstractDeviceComponentDescriptor: pm.AbstractDeviceComponentDescriptor{AbstractDescriptor: pm.AbstractDescriptor{Handle: "mds"}},
		},
	}}}})
	require.NoError(t, err)
	p, err = provider.New(provider.Config{MDIB: without, Insecure: true})
	require.NoError(t, err)
	require.ErrorIs(t, p.SetLocation(sdc.LocationDetail{Bed: "7"}), provider.ErrNoLocation)
}

func TestApplyStates(t *testing.T) {
	configure := func(c *provider.Config) {
		applying(c)
		c.MetricsBeyondTarget = true
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		set := func(op string) msg.AbstractSet { return msg.AbstractSet{OperationHandleRef: op} }
		metric := func(handle, value string) *pm.NumericMetricState {
			s := &pm.NumericMetricState{MetricValue: &pm.NumericMetricValue{Value: pm.Some(pm.MustDecimal(value))}}
			s.DescriptorHandle, s.MetricValue.MetricQuality.Validity = handle, pm.MeasurementValidityVld
			return s
		}
		version := b.dev.MDIB().Version().MdibVersion
		info := mustCall[*msg.SetMetricStateResponse](b.peer, "Set", sdc.ActionSetMetricState, &msg.SetMetricState{
			AbstractSet: set("metric.set"), ProposedMetricState: []pm.MetricState{metric("num", "1.50"), metric("num.set", "2")},
		}).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info)
		require.Equal(t, version+1, b.dev.MDIB().Version().MdibVersion, "two settings, one version")
		s, _ := mdib.Get[*pm.NumericMetricState](b.dev.MDIB(), "num")
		require.Equal(t, "1.50", s.MetricValue.Value.Or(pm.Decimal{}).String())
		require.True(t, s.MetricValue.DeterminationTime.IsSet())

		channel := &pm.ChannelState{} // below the target
		channel.DescriptorHandle, channel.ActivationState = "ch", pm.ComponentActivationStndBy
		component := &pm.VmdState{}
		component.DescriptorHandle, component.ActivationState = "vmd", pm.ComponentActivationStndBy
		info = mustCall[*msg.SetComponentStateResponse](b.peer, "Set", sdc.ActionSetComponentState, &msg.SetComponentState{
			AbstractSet: set("component.set"), ProposedComponentState: []pm.ComponentState{component, channel},
		}).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info)
		vmd, _ := mdib.Get[*pm.VmdState](b.dev.MDIB(), "vmd")
		require.Equal(t, pm.ComponentActivationStndBy, vmd.ActivationState)

		alert := &pm.AlertSignalState{}
		alert.DescriptorHandle, alert.ActivationState = "sig", pm.AlertActivationPsd
		info = mustCall[*msg.SetAlertStateResponse](b.peer, "Set", sdc.ActionSetAlertState, &msg.SetAlertState{AbstractSet: set("alert.set"), ProposedAlertState: alert}).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, info.InvocationState, "%v", info)
		signal, _ := mdib.Get[*pm.AlertSignalState](b.dev.MDIB(), "sig")
		require.Equal(t, pm.AlertActivationPsd, signal.ActivationState)

		text := mustCall[*msg.SetStringResponse](b.peer, "Set", sdc.ActionSetString, setString("string.set", "OFF")).InvocationInfo
		require.Equal(t, msg.InvocationStateFin, text.InvocationState, "%v", text)
		mode, _ := mdib.Get[*pm.EnumStringMetricState](b.dev.MDIB(), "mode")
		require.Equal(t, "OFF", mode.MetricValue.Value.Or(""))
	})
}
