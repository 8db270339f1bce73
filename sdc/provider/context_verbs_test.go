package provider_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
)

// everyContext is the device of the tests with an MDS that has contexts of all kinds.
func everyContext(t *testing.T) *mdib.Snapshot {
	t.Helper()
	store := mdib.NewStore(device(t), mdib.Config{})
	_, err := store.Update(func(tx *mdib.Tx) error {
		mds := &pm.MdsDescriptor{SystemContext: &pm.SystemContextDescriptor{
			EnsembleContext: []*pm.EnsembleContextDescriptor{{}},
			OperatorContext: []*pm.OperatorContextDescriptor{{}},
			WorkflowContext: []*pm.WorkflowContextDescriptor{{}, {}},
			MeansContext:    []*pm.MeansContextDescriptor{{}},
		}}
		c := mds.SystemContext
		mds.Handle, c.Handle = "mds3", "sys3"
		c.EnsembleContext[0].Handle, c.OperatorContext[0].Handle, c.MeansContext[0].Handle = "ens", "op", "means"
		c.WorkflowContext[0].Handle, c.WorkflowContext[1].Handle = "flow1", "flow2"
		return tx.Insert("", mds)
	})
	require.NoError(t, err)
	return store.Load()
}

func byID(extension string) provider.Context {
	return provider.Context{
		Identification: []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: extension}},
		Validator:      []pm.InstanceIdentifier{{Root: "urn:device", Extension: "self"}},
	}
}

func core(family string) *pm.PatientDemographicsCoreData {
	return &pm.PatientDemographicsCoreData{BaseDemographics: pm.BaseDemographics{Familyname: family}}
}

func TestPatientVerbs(t *testing.T) {
	// covers: BICEPS R0124, BICEPS R0125, BICEPS binding versions, BICEPS association life cycle
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		b.peer.subscribeAll()
		find := func(handle string) *pm.PatientContextState {
			t.Helper()
			s, ok := mdib.Get[*pm.PatientContextState](b.dev.MDIB(), handle)
			require.True(t, ok, handle)
			return s
		}
		report := func(states int) {
			t.Helper()
			r := b.peer.take(1)[0].message.(*msg.EpisodicContextReport)
			require.Len(t, r.ReportPart, 1)
			require.Len(t, r.ReportPart[0].ContextState, states)
		}
		details := core("Doe")
		first, err := b.dev.AssociatePatient(byID("1"), details)
		require.NoError(t, err)
		details.Familyname = "changed afterwards"
		report(1)
		require.Equal(t, pm.ContextAssociationAssoc, find(first).ContextAssociation)
		require.Equal(t, "Doe", find(first).CoreData.BaseCoreData().Familyname)
		require.True(t, find(first).BindingStartTime.IsSet())
		require.Equal(t, b.dev.MDIB().Version().MdibVersion, find(first).BindingMdibVersion.Or(0))
		require.Len(t, find(first).Validator, 1)

		// The same patient again: in place, and without news no report.
		same, err := b.dev.AssociatePatient(byID("1"), core("Doe"))
		require.NoError(t, err)
		require.Equal(t, first, same)
		same, err = b.dev.AssociatePatient(byID("1"), core("Miller"))
		require.NoError(t, err)
		require.Equal(t, first, same)
		report(1)
		require.Equal(t, "Miller", find(first).CoreData.BaseCoreData().Familyname)

		second, err := b.dev.AssociatePatient(byID("2"), nil)
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		report(2)
		require.Equal(t, pm.ContextAssociationDis, find(first).ContextAssociation)
		require.Equal(t, find(second).BindingMdibVersion, find(first).UnbindingMdibVersion)
		require.True(t, find(first).BindingEndTime.IsSet())

		// Who comes back comes back as a new association.
		again, err := b.dev.AssociatePatient(byID("1"), core("Miller"))
		require.NoError(t, err)
		require.NotEqual(t, first, again)
		report(2)

		// Pre-associated, confirmed.
		c := byID("3")
		c.Pre = true
		pre, err := b.dev.AssociatePatient(c, core("Roe"))
		require.NoError(t, err)
		report(1)
		require.Equal(t, pm.ContextAssociationPre, find(pre).ContextAssociation)
		require.Equal(t, pm.ContextAssociationAssoc, find(again).ContextAssociation)
		require.NoError(t, b.dev.ConfirmContext(pre, pm.InstanceIdentifier{Root: "urn:nurse"}, pm.InstanceIdentifier{Root: "urn:nurse"}))
		report(2)
		require.Equal(t, pm.ContextAssociationAssoc, find(pre).ContextAssociation)
		require.Len(t, find(pre).Validator, 2)
		require.Error(t, b.dev.ConfirmContext(again), "an association that has ended does not come back")

		// Everything ends.
		c = byID("4")
		c.Pre = true
		never, err := b.dev.AssociatePatient(c, nil)
		require.NoError(t, err)
		report(1)
		require.NoError(t, b.dev.DisassociatePatient(""))
		report(2)
		require.Equal(t, pm.ContextAssociationDis, find(pre).ContextAssociation)
		require.Equal(t, pm.ContextAssociationNo, find(never).ContextAssociation)
		require.False(t, find(never).UnbindingMdibVersion.IsSet())
		require.NoError(t, b.dev.DisassociatePatient("pat"))
		require.NoError(t, b.dev.EndContext(pre))
		require.Zero(t, b.peer.pending(), "nothing left to tell")
	})
}

func TestVerbsOfTheOtherContexts(t *testing.T) {
	// covers: BICEPS R0125
	dev, err := provider.New(provider.Config{MDIB: everyContext(t), Insecure: true, ContextScopes: []sdc.ContextKind{sdc.EnsembleContext}})
	require.NoError(t, err)
	associated := func(descriptor string) (n int) {
		for range dev.MDIB().Associated(descriptor) {
			n++
		}
		return n
	}
	one, err := dev.JoinEnsemble(byID("a"))
	require.NoError(t, err)
	_, err = dev.JoinEnsemble(byID("b"))
	require.NoError(t, err)
	again, err := dev.JoinEnsemble(byID("a"))
	require.NoError(t, err)
	require.Equal(t, one, again)
	require.Equal(t, 2, associated("ens"))
	require.NoError(t, dev.LeaveEnsemble(pm.InstanceIdentifier{Root: "urn:hospital", Extension: "a"}))
	require.Equal(t, 1, associated("ens"))
	require.ErrorIs(t, dev.LeaveEnsemble(pm.InstanceIdentifier{Root: "urn:hospital", Extension: "a"}), provider.ErrNoContext)

	for _, name := range []string{"Ann", "Bob"} {
		h, err := dev.AssociateOperator(byID(name), &pm.BaseDemographics{Givenname: name})
		require.NoError(t, err)
		s, _ := mdib.Get[*pm.OperatorContextState](dev.MDIB(), h)
		require.Equal(t, name, s.OperatorDetails.Givenname)
	}
	require.Equal(t, 2, associated("op"))
	_, err = dev.AssociateMeans(provider.Context{})
	require.NoError(t, err)
	means, err := dev.AssociateMeans(provider.Context{})
	require.NoError(t, err)
	require.Equal(t, 2, associated("means"), "without identification always another")
	require.NoError(t, dev.EndContext(means))
	require.Equal(t, 1, associated("means"))

	_, err = dev.AssociateWorkflow(byID("w"), nil)
	require.ErrorIs(t, err, provider.ErrAmbiguousContext)
	require.ErrorContains(t, err, "flow1, flow2")
	c := byID("w")
	c.Descriptor = "flow2"
	detail := &pm.WorkflowDetail{Patient: pm.PersonReference{Identification: []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: "1"}}}}
	h, err := dev.AssociateWorkflow(c, detail)
	require.NoError(t, err)
	s, _ := mdib.Get[*pm.WorkflowContextState](dev.MDIB(), h)
	require.True(t, s.WorkflowDetail.Equal(detail))

	before := dev.MDIB()
	for name, err := range map[string]error{
		"no such descriptor":         second(dev.AssociatePatient(provider.Context{Descriptor: "nowhere"}, nil)),
		"descriptor of another kind": second(dev.AssociatePatient(provider.Context{Descriptor: "loc"}, nil)),
		"disassociate there":         dev.DisassociatePatient("loc"),
		"no such state":              dev.EndContext("nowhere"),
		"no context state":           dev.EndContext("num"),
		"nothing to confirm":         dev.ConfirmContext("nowhere"),
		"confirm another state":      dev.ConfirmContext("num"),
	} {
		require.ErrorIs(t, err, provider.ErrNoContext, name)
	}
	require.Same(t, before, dev.MDIB())
	plain, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	_, err = plain.JoinEnsemble(byID("a"))
	require.ErrorIs(t, err, provider.ErrNoContext)
}

func second[T any](_ T, err error) error { return err }

func TestFormerContextsLeave(t *testing.T) {
	dev, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	for i := range 3 * provider.KeepFormerContexts {
		_, err := dev.AssociatePatient(byID(fmt.Sprint(i)), nil)
		require.NoError(t, err)
	}
	counts := map[pm.ContextAssociation]int{}
	for s := range dev.MDIB().ContextStates("pat") {
		counts[s.BaseContext().ContextAssociation]++
	}
	require.Equal(t, 1, counts[pm.ContextAssociationAssoc])
	require.LessOrEqual(t, counts[pm.ContextAssociationDis], provider.KeepFormerContexts+1)
	require.LessOrEqual(t, counts[pm.ContextAssociationNo], 1)
	require.GreaterOrEqual(t, counts[pm.ContextAssociationDis], provider.KeepFormerContexts)
}
