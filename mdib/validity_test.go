package mdib

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestContextIsValid(t *testing.T) {
	// covers: Valid patient context, Workflow/operator contexts
	adt := pm.InstanceIdentifier{Root: "urn:adt"}
	somebody := func(s pm.ContextState, association pm.ContextAssociation, validators ...pm.InstanceIdentifier) pm.ContextState {
		s.BaseContext().ContextAssociation, s.BaseContext().Validator = association, validators
		return s
	}
	const assoc = pm.ContextAssociationAssoc
	since := func(s pm.ContextState) pm.ContextState {
		s.BaseContext().BindingStartTime = pm.Some(pm.Timestamp(1))
		return s
	}
	for name, c := range map[string]struct {
		state pm.ContextState
		want  bool
	}{
		"a patient that somebody vouches for": {somebody(&pm.PatientContextState{}, assoc, adt), true},
		"a patient that nobody vouches for":   {somebody(&pm.PatientContextState{}, assoc), false},
		"a validator without name":            {somebody(&pm.PatientContextState{}, assoc, pm.InstanceIdentifier{}), false},
		"the second validator":                {somebody(&pm.PatientContextState{}, assoc, pm.InstanceIdentifier{}, adt), true},
		"a patient to come":                   {somebody(&pm.PatientContextState{}, pm.ContextAssociationPre, adt), false},
		"a patient who has left":              {somebody(&pm.PatientContextState{}, pm.ContextAssociationDis, adt), false},
		"nothing said of association":         {somebody(&pm.PatientContextState{}, "", adt), false},
		"a location":                          {somebody(&pm.LocationContextState{}, assoc, adt), true},
		"a location of nobody":                {somebody(&pm.LocationContextState{}, assoc), false},
		"an operator since a time":            {since(somebody(&pm.OperatorContextState{}, assoc)), true},
		"an operator since when":              {somebody(&pm.OperatorContextState{}, assoc, adt), false},
		"an operator who has left":            {since(somebody(&pm.OperatorContextState{}, pm.ContextAssociationDis)), false},
		"a workflow since a time":             {since(somebody(&pm.WorkflowContextState{}, assoc)), true},
		"a workflow since when":               {somebody(&pm.WorkflowContextState{}, assoc), false},
		"an ensemble":                         {somebody(&pm.EnsembleContextState{}, assoc), true},
	} {
		require.Equal(t, c.want, ContextIsValid(c.state, nil), name)
	}
	patient := somebody(&pm.PatientContextState{}, assoc, adt)
	require.True(t, ContextIsValid(patient, func(v pm.InstanceIdentifier) bool { return v.Root == "urn:adt" }))
	require.False(t, ContextIsValid(patient, func(pm.InstanceIdentifier) bool { return false }))
}

func TestEpochsOfAClockThatDeclaresThem(t *testing.T) {
	// covers: SDPi R0601
	make := func(support *ext.EpochSupportType, epochs bool) *Snapshot {
		clock := &pm.ClockDescriptor{}
		clock.Handle = "clock"
		if support != nil {
			ext.SetEpochSupport(&clock.Extension, *support)
		}
		mds := &pm.MdsDescriptor{Clock: clock}
		mds.Handle = "mds"
		state := &pm.ClockState{}
		state.DescriptorHandle = "clock"
		if epochs {
			ext.SetEpochs(&state.Extension, ext.EpochsType{Version: 3})
		}
		s, err := FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}, MdState: &pm.MdState{State: []pm.State{state}}})
		require.NoError(t, err)
		return s
	}
	got, ok := ClockEpochs(make(&ext.EpochSupportType{}, true), "clock")
	require.True(t, ok)
	require.EqualValues(t, 3, got.Version)
	for name, s := range map[string]*Snapshot{
		"not declared": make(nil, true), "of another version": make(&ext.EpochSupportType{Version: pm.Some[uint32](2)}, true), "none": make(&ext.EpochSupportType{}, false),
	} {
		got, ok := ClockEpochs(s, "clock")
		require.False(t, ok, name)
		require.Zero(t, got.Version)
	}
	_, ok = ClockEpochs(make(nil, true), "mds")
	require.False(t, ok)
}
