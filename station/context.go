package station

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// Association is how an MDS stands to a patient, place or other context.
type Association string

// The associations.
const (
	None        Association = "none"        // no context is associated
	Pre         Association = "pre"         // pre-associated: somebody has to confirm it, it does not count yet
	Associated  Association = "associated"  // associated
	Conflicting Association = "conflicting" // the device tells of several where there can be only one: none counts
)

// PatientContext is the patient that an MDS tells of.
type PatientContext struct {
	Association Association
	// Context is the handle of the context state.
	Context string
	// IDs are the usable identifiers; a patient without any cannot be recognised at another device.
	IDs []Identifier
	// Name is for people: family name, given name.
	Name  string
	Birth string
	Sex   pm.Sex
	Type  pm.PatientType
	// Since is when the patient was associated, by the clock of the station; zero if not told.
	Since time.Time

	binding binding
}

// binding tells one association from another: a device that goes from one patient to a second and back has another binding.
type binding struct {
	context string
	version uint64
	start   pm.Opt[pm.Timestamp]
}

// LocationContext is where an MDS says it is.
type LocationContext struct {
	Association Association
	Context     string
	IDs         []Identifier
	Detail      sdc.LocationDetail
	// Validated tells whether somebody vouches for it.
	Validated bool
	Since     time.Time
}

// EnsembleContext is a group of devices that an MDS says it belongs to.
type EnsembleContext struct {
	Context string
	IDs     []Identifier
	Since   time.Time
}

// contexts are what an MDS tells of its surroundings.
type contexts struct {
	patient   PatientContext
	location  LocationContext
	ensembles []EnsembleContext
}

func contextsOf(mds string, snap *mdib.Snapshot, aligned func(pm.Opt[pm.Timestamp]) time.Time) contexts {
	c := contexts{patient: PatientContext{Association: None}, location: LocationContext{Association: None}}
	for e := range snap.Subtree(mds) {
		if _, ok := e.Descriptor.(pm.ContextDescriptor); !ok {
			continue
		}
		for _, state := range e.Contexts {
			b := state.BaseContext()
			association := Associated
			switch b.ContextAssociationOrDefault() {
			case pm.ContextAssociationAssoc:
			case pm.ContextAssociationPre:
				association = Pre
			case pm.ContextAssociationNo, pm.ContextAssociationDis:
				continue
			default:
				continue
			}
			since := aligned(b.BindingStartTime)
			switch s := state.(type) {
			case *pm.PatientContextState:
				p := patientOf(s)
				p.Association, p.Since = association, since
				c.patient = oneOf(c.patient, p, c.patient.Association, association)
			case *pm.LocationContextState:
				l := locationOf(s)
				l.Association, l.Since = association, since
				c.location = oneOf(c.location, l, c.location.Association, association)
			case *pm.EnsembleContextState:
				if association == Associated {
					c.ensembles = append(c.ensembles, EnsembleContext{Context: b.Handle, IDs: identifiers(b.Identification), Since: since})
				}
			}
		}
	}
	return c
}

// oneOf keeps the context that counts of two of the same kind: one that is associated before one that is not; of two associated ones, none.
func oneOf[T interface {
	PatientContext | LocationContext
}](have, got T, haveIs, gotIs Association) T {
	switch {
	case haveIs == Conflicting, haveIs == Associated && gotIs == Pre:
		return have
	case haveIs == Associated && gotIs == Associated:
		return conflicting[T]()
	case haveIs == Pre && gotIs == Pre:
		return have
	}
	return got
}

func conflicting[T interface {
	PatientContext | LocationContext
}]() T {
	var none T
	switch n := any(&none).(type) {
	case *PatientContext:
		n.Association = Conflicting
	case *LocationContext:
		n.Association = Conflicting
	}
	return none
}

func patientOf(s *pm.PatientContextState) PatientContext {
	p := PatientContext{
		Context: s.Handle, IDs: identifiers(s.Identification),
		binding: binding{context: s.Handle, version: s.BindingMdibVersion.Or(0), start: s.BindingStartTime},
	}
	if s.CoreData == nil {
		return p
	}
	d := s.CoreData.BaseCoreData()
	switch {
	case d.Familyname != "" && d.Givenname != "":
		p.Name = d.Familyname + ", " + d.Givenname
	default:
		p.Name = d.Familyname + d.Givenname
	}
	if b, ok := d.DateOfBirth.Get(); ok {
		p.Birth = b.String()
	}
	p.Sex, p.Type = d.Sex, d.PatientType
	return p
}

func locationOf(s *pm.LocationContextState) LocationContext {
	l := LocationContext{Context: s.Handle, IDs: identifiers(s.Identification), Validated: len(s.Validator) > 0}
	if d := s.LocationDetail; d != nil {
		l.Detail = sdc.LocationDetail{Facility: d.Facility, Building: d.Building, PoC: d.PoC, Floor: d.Floor, Room: d.Room, Bed: d.Bed}
	}
	return l
}

// key names the place, the same for all that stand there: its detail, or else its identifier; "" if it cannot be told from others.
func (l *LocationContext) key() string {
	switch {
	case l.Association != Associated:
		return ""
	case !l.Detail.IsZero():
		return l.Detail.String()
	case len(l.IDs) > 0:
		return l.IDs[0].String()
	}
	return ""
}

// sameAs tells whether two associations are of one patient for sure, though a device may have learned more about the patient.
func (p *PatientContext) sameAs(o *PatientContext) bool {
	if p.Association != Associated || o.Association != Associated {
		return false
	}
	if p.binding == o.binding {
		// The same association: new identifiers may come in, but none may go against the former ones.
		return !contradict(p.IDs, o.IDs)
	}
	return same(p.IDs, o.IDs)
}

// sameThroughout tells whether no other patient can have been associated between two moments of which only the ends are known.
func (p *PatientContext) sameThroughout(o *PatientContext, sameSequence bool) bool {
	return p.sameAs(o) && p.binding == o.binding && (p.binding.start.IsSet() || sameSequence && p.binding.version > 0)
}

// String names the patient for people.
func (p *PatientContext) String() string {
	switch {
	case p.Association != Associated:
		return string(p.Association)
	case p.Name != "":
		return p.Name
	case len(p.IDs) > 0:
		return p.IDs[0].Extension
	}
	return fmt.Sprintf("unidentified (%s)", p.Context)
}
