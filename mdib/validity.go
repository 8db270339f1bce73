package mdib

import (
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// ContextIsValid tells whether a reader may rely on a context. It has to be associated, and
//
//   - a patient or location needs a validator, somebody who vouches for it, that trusted accepts (IEEE 11073-10700); trusted may be nil: anybody with an identifier;
//   - an operator or workflow needs a BindingStartTime, since when it holds.
//
// Of other contexts nothing more is asked.
func ContextIsValid(s pm.ContextState, trusted func(pm.InstanceIdentifier) bool) bool {
	b := s.BaseContext()
	if b.ContextAssociation != pm.ContextAssociationAssoc {
		return false
	}
	switch s.(type) {
	case *pm.PatientContextState, *pm.LocationContextState:
		for _, v := range b.Validator {
			if (v.Root != "" || v.Extension != "") && (trusted == nil || trusted(v)) {
				return true
			}
		}
		return false
	case *pm.OperatorContextState, *pm.WorkflowContextState:
		return b.BindingStartTime.IsSet()
	}
	return true
}

// ClockEpochs returns the epochs of a clock (sdpi:Epochs). ok is false if it has none, or if they must not be used: the clock's descriptor does not declare epochs of the version that
// is known here (SDPi R0601), or they cannot be read.
func ClockEpochs(s *Snapshot, clock string) (epochs ext.EpochsType, ok bool) {
	d, isClock := Get[*pm.ClockDescriptor](s, clock)
	state, hasState := Get[*pm.ClockState](s, clock)
	if !isClock || !hasState {
		return epochs, false
	}
	support, declared, err := ext.EpochSupport(d.Extension)
	if err != nil || !declared || support.VersionOrDefault() != 1 {
		return epochs, false
	}
	epochs, ok, err = ext.Epochs(state.Extension)
	if err != nil || !ok {
		return ext.EpochsType{}, false
	}
	return epochs, true
}
