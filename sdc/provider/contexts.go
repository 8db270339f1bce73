package provider

import (
	"context"
	"errors"
	"reflect"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// ErrNoLocation is returned by SetLocation when the MDIB has no location context descriptor.
var ErrNoLocation = errors.New("provider: the MDIB has no location context")

// SetLocation moves the device: in every MDS that has a location context a new associated state takes the place of the former one (BICEPS R0133), in one
// transaction, and a Hello tells of the new scope (WSD-4). A location that is set already is left alone. validators say who vouches for it; a
// location without any does not count as valid for consumers of IEEE 11073-10700.
func (p *Provider) SetLocation(detail sdc.LocationDetail, validators ...pm.InstanceIdentifier) error {
	found := false
	err := p.Update(func(tx *mdib.Tx) error {
		for e := range tx.Base().Entities() {
			if _, ok := e.Descriptor.(*pm.LocationContextDescriptor); !ok {
				continue
			}
			found = true
			if isThere(e, detail) {
				continue
			}
			s, err := mdib.NewContext[*pm.LocationContextState](tx, e.Handle)
			if err != nil {
				return err
			}
			root, extension := detail.Identification()
			s.ContextAssociation = pm.ContextAssociationAssoc
			s.Identification = []pm.InstanceIdentifier{{Root: root, Extension: extension}}
			s.Validator = validators
			s.LocationDetail = &pm.LocationDetail{
				Facility: detail.Facility, Building: detail.Building, PoC: detail.PoC, Floor: detail.Floor, Room: detail.Room, Bed: detail.Bed,
			}
		}
		return nil
	})
	if err == nil && !found {
		return ErrNoLocation
	}
	return err
}

func isThere(e mdib.Entity, detail sdc.LocationDetail) bool {
	for _, c := range e.Contexts {
		s, ok := c.(*pm.LocationContextState)
		if ok && s.ContextAssociation == pm.ContextAssociationAssoc && s.LocationDetail != nil && locationDetail(s.LocationDetail) == detail {
			return true
		}
	}
	return false
}

// ApplyContextStates does what a SetContextState says, in one transaction: a proposed state whose handle is its descriptor's becomes a new state with a
// handle of its own, any other replaces the content of the state it names. The commit disassociates the former patient or location when another becomes associated (BICEPS R0124, R0133) and sets
// the binding. Handles and versions are the provider's. The final report names the state, if there is one only.
func (p *Provider) ApplyContextStates(_ context.Context, call *SetContextState) error {
	var handles []string
	err := p.Update(func(tx *mdib.Tx) error {
		for _, proposed := range call.Proposed {
			s, err := applyContext(tx, proposed)
			if err != nil {
				return err
			}
			handles = append(handles, s.BaseMulti().Handle)
		}
		return nil
	})
	if err != nil {
		return asRefusal(err)
	}
	if len(handles) == 1 {
		call.SetTarget(handles[0])
	}
	return nil
}

func applyContext(tx *mdib.Tx, proposed pm.ContextState) (pm.ContextState, error) {
	if asksForNew(proposed) {
		clean := pm.CloneState(proposed).(pm.ContextState)
		keepBinding(clean.BaseContext(), &pm.AbstractContextState{})
		return tx.InsertContextState(clean)
	}
	s, err := mdib.Edit[pm.ContextState](tx, proposed.BaseMulti().Handle)
	if err != nil {
		return nil, err
	}
	if reflect.TypeOf(s) != reflect.TypeOf(proposed) {
		return nil, refuse(msg.InvocationErrorInv, "%s is no state of %s", proposed.TypeName().Local, s.BaseState().DescriptorHandle)
	}
	from := pm.CloneState(proposed).(pm.ContextState)
	keepBinding(from.BaseContext(), s.BaseContext())
	base, extension := *s.BaseState(), from.BaseState().Extension
	base.Extension = extension
	*from.BaseState() = base
	reflect.ValueOf(s).Elem().Set(reflect.ValueOf(from).Elem())
	return s, nil
}

// keepBinding keeps what the provider alone decides on.
func keepBinding(to, from *pm.AbstractContextState) {
	to.BindingMdibVersion, to.UnbindingMdibVersion = from.BindingMdibVersion, from.UnbindingMdibVersion
	to.BindingStartTime, to.BindingEndTime = from.BindingStartTime, from.BindingEndTime
}

// asRefusal tells a caller which rule of the standards stands against what was asked.
func asRefusal(err error) error {
	var rule *mdib.RuleError
	if errors.As(err, &rule) {
		return refuse(msg.InvocationErrorInv, "%s", rule.Error())
	}
	return err
}
