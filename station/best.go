package station

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Errors of View.Best.
var (
	// ErrNoValue says that nothing in the scope has the meaning.
	ErrNoValue = errors.New("no such value")
	// ErrSeveralPatients says that the values of a place may be of different patients: name the patient.
	ErrSeveralPatients = errors.New("several patients at one place")
)

// Scope says whose values are meant. At least one of its fields must be set; with both, it is the patient's values at that place.
type Scope struct {
	// Patient is a Patient.Key of the view.
	Patient string
	// Place is a Place.Key of the view. Without a Patient, the values there must be of one patient, or of nobody.
	Place string
}

// Preferences order devices that measure the same. The zero value prefers none.
type Preferences struct {
	// Devices are EPRs, the best first. Those come before all others.
	Devices []string
	// Types are types of MDSs, the best first. Those come before all that are not named.
	Types []Code
}

// rank is smaller for what is preferred.
func (p Preferences) rank(s *System) int {
	if i := slices.Index(p.Devices, s.Device); i >= 0 {
		return i
	}
	if i := slices.Index(p.Types, s.Type); i >= 0 {
		return len(p.Devices) + i
	}
	return len(p.Devices) + len(p.Types)
}

// merit orders statuses, the best first.
func (s Status) merit() int {
	return slices.Index([]Status{Former, Stale, Invalid, Old, Questionable, Current}, s)
}

// Best finds the value to use of several of the same meaning: that of the best status, of those the one whose device is preferred, then the
// youngest. Where none is good the best of the bad is returned: look at its status, which is the one at the time now.
//
// Values of different patients are never chosen among. The error is ErrNoValue, or ErrSeveralPatients if the scope is a place whose devices, live or
// not, tell of different patients, or where of those that have the value some tell of a patient and others of none.
func (v *View) Best(scope Scope, m Meaning, p Preferences, now time.Time) (*Value, Status, error) {
	systems, err := v.within(scope)
	if err != nil {
		return nil, "", err
	}
	type candidate struct {
		*Value
		of     *System
		status Status
	}
	var found []candidate
	for _, s := range systems {
		for _, val := range s.Values {
			if val.Meaning == m {
				found = append(found, candidate{val, s, val.Status(now)})
			}
		}
	}
	if len(found) == 0 {
		return nil, "", fmt.Errorf("station: %s: %w", m.Code, ErrNoValue)
	}
	if scope.Patient == "" {
		for _, c := range found[1:] {
			if (c.of.Patient.Association == Associated) != (found[0].of.Patient.Association == Associated) {
				return nil, "", fmt.Errorf("station: %s at %s: %w", m.Code, scope.Place, ErrSeveralPatients)
			}
		}
	}
	best := slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(b.status.merit(), a.status.merit()), cmp.Compare(p.rank(a.of), p.rank(b.of)), b.Determined.Compare(a.Determined),
			strings.Compare(a.Device, b.Device), strings.Compare(a.Handle, b.Handle),
		)
	})
	return best.Value, best.status, nil
}

// within are the MDSs of a scope, all of one patient, or of that one and of nobody.
func (v *View) within(scope Scope) ([]*System, error) {
	at := func(s *System) bool { return scope.Place == "" || s.Location.key() == scope.Place }
	if scope.Patient == "" && scope.Place == "" {
		return nil, fmt.Errorf("station: neither patient nor place: %w", ErrNoValue)
	}
	var systems []*System
	if scope.Patient != "" {
		for _, p := range v.Patients {
			if p.Key != scope.Patient {
				continue
			}
			for _, s := range p.Systems {
				if at(s) {
					systems = append(systems, s)
				}
			}
		}
		return systems, nil
	}
	several := fmt.Errorf("station: %s: %w", scope.Place, ErrSeveralPatients)
	groups := 0
	for _, p := range v.Patients {
		if slices.ContainsFunc(p.Systems, at) {
			groups++
		}
	}
	for _, p := range v.Places {
		if p.Key != scope.Place {
			continue
		}
		for _, s := range p.Systems {
			if s.Patient.Association == Conflicting {
				return nil, several
			}
		}
		systems = p.Systems
	}
	if groups > 1 {
		return nil, several
	}
	return systems, nil
}
