package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// The methods of this file say what happened in the terms of the application; the stack keeps the life cycle of the associations right: a new context is a
// new state with a handle of its own, patient and location displace the former one (BICEPS R0124, R0133), binding versions and times are
// those of the commit, and an association that has ended does not come back.

// Errors of the context methods.
var (
	// ErrNoContext is wrapped when the MDIB has no such context descriptor or state.
	ErrNoContext = errors.New("provider: there is no such context")
	// ErrAmbiguousContext is wrapped when the MDIB has several context descriptors of the kind and none was named.
	ErrAmbiguousContext = errors.New("provider: there are several such contexts; say which")
	// ErrNoLocation is returned by SetLocation when the MDIB has no location context descriptor.
	ErrNoLocation = errors.New("provider: the MDIB has no location context")
)

// KeepFormerContexts is how many ended associations of one context descriptor the context methods leave in the MDIB. Older ones go to association No
// with the next association, and with the one after that they leave (BICEPS R5027).
const KeepFormerContexts = 20

// Context says which context is associated, and how.
type Context struct {
	// Descriptor is the handle of the context descriptor; "" if the MDIB has one of the kind only.
	Descriptor string
	// Identification names the patient, ensemble, and so on. An associated or pre-associated context with the same identification is the same: its content is
	// changed in place and its handle stays. Without identification it is always a new one.
	Identification []pm.InstanceIdentifier
	// Validator says who vouches for it. Without any, consumers of IEEE 11073-10700 do not take it as valid.
	Validator []pm.InstanceIdentifier
	// Pre makes it pre-associated only; ConfirmContext or the same call without Pre associates it. It means nothing for one that is associated already.
	Pre bool
}

// SetLocation moves the device: in every MDS that has a location context a new associated state takes the place of the former one (BICEPS R0133), in one
// transaction, and a Hello tells of the new scope (WSD-4). A location that is set already is left alone; an empty one is an error, for it would be the
// same place for all devices that have none: EndContext takes a location away. validators say who vouches for it; a
// location without any does not count as valid for consumers of IEEE 11073-10700.
func (p *Provider) SetLocation(detail sdc.LocationDetail, validators ...pm.InstanceIdentifier) error {
	if detail.IsZero() {
		return errors.New("provider: the location is empty; EndContext takes one away")
	}
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

// AssociatePatient makes the patient the one the device works for and returns the handle of the context state; the former patient is disassociated in the same
// report. core is what is known of the patient and may be nil. The error wraps ErrNoContext or ErrAmbiguousContext, or tells which rule it would break.
func (p *Provider) AssociatePatient(c Context, core pm.PatientCoreData) (handle string, err error) {
	return associate(p, c, func(s *pm.PatientContextState) {
		if !pm.IsNil(core) {
			s.CoreData = pm.ClonePatientCoreData(core)
		}
	})
}

// DisassociatePatient ends the association of the patient, also a pre-association; without one nothing happens. descriptor may be "" if there is one patient
// context only.
func (p *Provider) DisassociatePatient(descriptor string) error {
	return p.Update(func(tx *mdib.Tx) error {
		descriptor, err := contextDescriptor[*pm.PatientContextState](tx.Base(), descriptor)
		if err != nil {
			return err
		}
		for s := range tx.Base().ContextStates(descriptor) {
			if err := end(tx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// AssociateWorkflow adds a workflow step; others go on. detail may be nil.
func (p *Provider) AssociateWorkflow(c Context, detail *pm.WorkflowDetail) (handle string, err error) {
	return associate(p, c, func(s *pm.WorkflowContextState) { s.WorkflowDetail = detail.Clone() })
}

// AssociateOperator adds somebody who operates the device; others stay. details may be nil.
func (p *Provider) AssociateOperator(c Context, details *pm.BaseDemographics) (handle string, err error) {
	return associate(p, c, func(s *pm.OperatorContextState) { s.OperatorDetails = details.Clone() })
}

// AssociateMeans adds means that are in use; others stay.
func (p *Provider) AssociateMeans(c Context) (handle string, err error) {
	return associate(p, c, func(*pm.MeansContextState) {})
}

// JoinEnsemble adds the device to an ensemble; it may be in several.
func (p *Provider) JoinEnsemble(c Context) (handle string, err error) {
	return associate(p, c, func(*pm.EnsembleContextState) {})
}

// LeaveEnsemble ends the membership in every ensemble that has the identifier. The error wraps ErrNoContext if the device is in none.
func (p *Provider) LeaveEnsemble(id pm.InstanceIdentifier) error {
	return p.Update(func(tx *mdib.Tx) error {
		found := false
		for e := range tx.Base().Entities() {
			for _, s := range e.Contexts {
				if _, ok := s.(*pm.EnsembleContextState); !ok || !active(s) || !hasIdentifier(s, id) {
					continue
				}
				found = true
				if err := end(tx, s); err != nil {
					return err
				}
			}
		}
		if !found {
			return fmt.Errorf("%w: not in the ensemble %s %s", ErrNoContext, id.RootOrDefault(), id.Extension)
		}
		return nil
	})
}

// ConfirmContext associates a pre-associated context state of any kind; validators are added to those who vouch for it. One that is associated
// already only gets the validators. The error wraps ErrNoContext, or tells that its association has ended.
func (p *Provider) ConfirmContext(handle string, validators ...pm.InstanceIdentifier) error {
	return p.Update(func(tx *mdib.Tx) error {
		s, err := editContext(tx, handle)
		if err != nil {
			return err
		}
		base := s.BaseContext()
		base.ContextAssociation = pm.ContextAssociationAssoc
		for _, v := range validators {
			if !slices.ContainsFunc(base.Validator, func(have pm.InstanceIdentifier) bool { return sameIdentifier(have, v) }) {
				base.Validator = append(base.Validator, v)
			}
		}
		return nil
	})
}

// EndContext ends an association of any kind by the handle of its state: Assoc becomes Dis, Pre becomes No. One that has ended stays as it is.
// The error wraps ErrNoContext.
func (p *Provider) EndContext(handle string) error {
	return p.Update(func(tx *mdib.Tx) error {
		s, ok := tx.Base().State(handle)
		c, isContext := s.(pm.ContextState)
		if !ok || !isContext {
			return fmt.Errorf("%w: %q", ErrNoContext, handle)
		}
		return end(tx, c)
	})
}

func editContext(tx *mdib.Tx, handle string) (pm.ContextState, error) {
	s, err := mdib.Edit[pm.ContextState](tx, handle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoContext, err)
	}
	return s, nil
}

// active tells whether a context is or may become associated.
func active(s pm.ContextState) bool {
	a := s.BaseContext().ContextAssociation
	return a == pm.ContextAssociationAssoc || a == pm.ContextAssociationPre
}

// end ends an association; of one that has ended or never was it leaves the state alone.
func end(tx *mdib.Tx, current pm.ContextState) error {
	if !active(current) {
		return nil
	}
	s, err := editContext(tx, current.BaseMulti().Handle)
	if err != nil {
		return err
	}
	if base := s.BaseContext(); base.ContextAssociation == pm.ContextAssociationPre {
		base.ContextAssociation = pm.ContextAssociationNo
	} else {
		base.ContextAssociation = pm.ContextAssociationDis
	}
	return nil
}

func associate[S pm.ContextState](p *Provider, c Context, fill func(S)) (handle string, err error) {
	err = p.Update(func(tx *mdib.Tx) error {
		descriptor, err := contextDescriptor[S](tx.Base(), c.Descriptor)
		if err != nil {
			return err
		}
		s, known, err := knownContext[S](tx, descriptor, c.Identification)
		if err == nil && !known {
			s, err = mdib.NewContext[S](tx, descriptor)
		}
		if err != nil {
			return err
		}
		handle = s.BaseMulti().Handle
		base := s.BaseContext()
		switch {
		case !c.Pre:
			base.ContextAssociation = pm.ContextAssociationAssoc
		case !known:
			base.ContextAssociation = pm.ContextAssociationPre
		}
		base.Identification, base.Validator = cloneIdentifiers(c.Identification), cloneIdentifiers(c.Validator)
		fill(s)
		return forgetFormer(tx, descriptor)
	})
	if err != nil {
		return "", err
	}
	return handle, nil
}

func cloneIdentifiers(ids []pm.InstanceIdentifier) []pm.InstanceIdentifier {
	var out []pm.InstanceIdentifier
	for i := range ids {
		out = append(out, *ids[i].Clone())
	}
	return out
}

// contextDescriptor finds the descriptor whose states are of type S.
func contextDescriptor[S pm.ContextState](snap *mdib.Snapshot, handle string) (string, error) {
	var found []string
	var none S
	for e := range snap.Entities() {
		if _, ok := e.Descriptor.(pm.ContextDescriptor); !ok || handle != "" && e.Handle != handle {
			continue
		}
		if _, ok := pm.NewStateFor(e.Descriptor).(S); ok {
			found = append(found, e.Handle)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", fmt.Errorf("%w: %s", ErrAmbiguousContext, strings.Join(found, ", "))
	case handle != "":
		return "", fmt.Errorf("%w: %q has no %s", ErrNoContext, handle, none.TypeName().Local)
	}
	return "", fmt.Errorf("%w: the MDIB has no descriptor of a %s", ErrNoContext, none.TypeName().Local)
}

// knownContext returns the active state with the same identification, for editing.
func knownContext[S pm.ContextState](tx *mdib.Tx, descriptor string, ids []pm.InstanceIdentifier) (S, bool, error) {
	var none S
	if len(ids) == 0 {
		return none, false, nil
	}
	for s := range tx.Base().ContextStates(descriptor) {
		have := s.BaseContext().Identification
		if !active(s) || len(have) != len(ids) || slices.ContainsFunc(ids, func(id pm.InstanceIdentifier) bool { return !hasIdentifier(s, id) }) {
			continue
		}
		edited, err := mdib.Edit[S](tx, s.BaseMulti().Handle)
		return edited, err == nil, err
	}
	return none, false, nil
}

func hasIdentifier(s pm.ContextState, id pm.InstanceIdentifier) bool {
	return slices.ContainsFunc(s.BaseContext().Identification, func(have pm.InstanceIdentifier) bool { return sameIdentifier(have, id) })
}

// forgetFormer keeps the MDIB from growing with every patient: of the ended associations the oldest go to No, and those that are there leave.
func forgetFormer(tx *mdib.Tx, descriptor string) error {
	var ended []string
	for s := range tx.Base().ContextStates(descriptor) {
		base := s.BaseContext()
		switch {
		case base.ContextAssociation == pm.ContextAssociationDis:
			ended = append(ended, base.Handle)
		case base.ContextAssociationOrDefault() == pm.ContextAssociationNo && base.UnbindingMdibVersion.IsSet():
			if err := tx.RemoveContextState(base.Handle); err != nil {
				return err
			}
		}
	}
	for len(ended) > KeepFormerContexts {
		s, err := editContext(tx, ended[0])
		if err != nil {
			return err
		}
		s.BaseContext().ContextAssociation = pm.ContextAssociationNo
		ended = ended[1:]
	}
	return nil
}
