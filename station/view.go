package station

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// View is everything the station knows as of one moment. It is immutable: any number of readers share it.
type View struct {
	// Version rises by one with every view.
	Version uint64
	// Time is when the view was made.
	Time time.Time
	// Devices are sorted by EPR.
	Devices []*Device
	// Waiting are the EPRs of devices that the rules ask for but that are too many, oldest first.
	Waiting []string
	// Patients are sorted by key. MDSs without an associated patient are in none.
	Patients []*Patient
	// Places are sorted by key. MDSs without a location are in none.
	Places []*Place
	// Ensembles are sorted by key.
	Ensembles []*Ensemble
	// Conflicts are the contradictions between devices, or within one, that somebody has to look at.
	Conflicts []Conflict
}

// Patient is a patient with all the MDSs that say they serve that one.
type Patient struct {
	// Key names the patient in this and, as long as the devices say the same of the patient, in later views.
	Key string
	// IDs are all that the devices tell, sorted; none for a patient known to one MDS only.
	IDs         []Identifier
	Name, Birth string
	// Systems are sorted by device and handle.
	Systems []*System
}

// Place is a place with all the MDSs that say they are there.
type Place struct {
	Key     string
	Detail  sdc.LocationDetail
	Systems []*System
	// Patients are the keys of the patients there; more than one of live devices at a bed, room or point of care is a conflict.
	Patients []string
}

// Ensemble is a group of MDSs that say they work together.
type Ensemble struct {
	Key     string
	ID      Identifier
	Systems []*System
}

// ConflictKind is a kind of contradiction.
type ConflictKind string

// The kinds of conflicts.
const (
	// SeveralPatients: one MDS tells of several associated patients. It counts as without a patient.
	SeveralPatients ConflictKind = "several-patients"
	// SeveralLocations: one MDS tells of several associated locations. It counts as without one.
	SeveralLocations ConflictKind = "several-locations"
	// ContradictingIDs: MDSs share an identifier of a patient and contradict each other in another. They are kept apart.
	ContradictingIDs ConflictKind = "contradicting-ids"
	// DifferentNames: MDSs agree on the identifiers of a patient and not on name or date of birth.
	DifferentNames ConflictKind = "different-names"
	// PatientsAtOnePlace: MDSs at one place tell of different patients.
	PatientsAtOnePlace ConflictKind = "patients-at-one-place"
	// Unidentified: a patient is associated without a usable identifier, and so is unknown to other devices.
	Unidentified ConflictKind = "unidentified-patient"
)

// Conflict is something that does not fit together.
type Conflict struct {
	Kind ConflictKind
	// Place is the key of the place, if it is about one.
	Place string
	// Systems are the MDSs concerned, as device and handle of the MDS.
	Systems []Ref
	// Text tells people.
	Text string
}

// Device finds a device by its EPR; nil if there is none.
func (v *View) Device(epr string) *Device {
	i, ok := slices.BinarySearchFunc(v.Devices, epr, func(d *Device, epr string) int { return strings.Compare(d.EPR, epr) })
	if !ok {
		return nil
	}
	return v.Devices[i]
}

// Patient finds a patient by key or by an identifier; nil if there is none.
func (v *View) Patient(key string) *Patient {
	for _, p := range v.Patients {
		if p.Key == key || slices.ContainsFunc(p.IDs, func(i Identifier) bool { return i.String() == key }) {
			return p
		}
	}
	return nil
}

// At lists the places that are the one given or a part of it: each field that is set is the same.
func (v *View) At(d sdc.LocationDetail) []*Place {
	var out []*Place
	for _, p := range v.Places {
		if within(p.Detail, d) {
			out = append(out, p)
		}
	}
	return out
}

// newView groups what the devices show.
func newView(version uint64, now time.Time, devices []*Device, waiting []string) *View {
	slices.SortFunc(devices, func(a, b *Device) int { return strings.Compare(a.EPR, b.EPR) })
	v := &View{Version: version, Time: now, Devices: devices, Waiting: waiting}
	var systems []*System
	for _, d := range devices {
		systems = append(systems, d.Systems...)
	}
	v.groupPatients(systems)
	v.groupPlaces(systems)
	v.groupEnsembles(systems)
	return v
}

func refs(systems []*System) []Ref {
	out := make([]Ref, len(systems))
	for i, s := range systems {
		out[i] = Ref{s.Device, s.Handle}
	}
	return out
}

func (v *View) conflict(kind ConflictKind, place, text string, systems ...*System) {
	v.Conflicts = append(v.Conflicts, Conflict{Kind: kind, Place: place, Systems: refs(systems), Text: text})
}

// groupPatients brings together the MDSs that tell of one patient for sure. What a device that is not live said last is not held against
// those that are.
func (v *View) groupPatients(systems []*System) {
	var live, stale []*System
	for _, s := range systems {
		switch p := &s.Patient; {
		case p.Association == Conflicting:
			v.conflict(SeveralPatients, "", "the device tells of several patients at once", s)
		case p.Association != Associated:
		case len(p.IDs) == 0:
			v.conflict(Unidentified, "", "the patient has no identifier that other devices could know", s)
			v.Patients = append(v.Patients, &Patient{
				Key: unidentifiedKey(s.Device, p.Context), Name: p.Name, Birth: p.Birth, Systems: []*System{s},
			})
		case s.Live():
			live = append(live, s)
		default:
			stale = append(stale, s)
		}
	}
	var groups [][]*System
	for _, group := range connected(live) {
		if consistent(group) {
			groups = append(groups, group)
			continue
		}
		v.conflict(ContradictingIDs, "", "devices share an identifier of a patient and contradict each other in another", group...)
		groups = append(groups, alike(group)...)
	}
	for _, s := range stale {
		groups = joinStale(groups, s)
	}
	for _, group := range groups {
		v.addPatient(group)
	}
	v.keyPatients()
}

// alike splits MDSs into groups that say exactly the same.
func alike(systems []*System) [][]*System {
	var groups [][]*System
next:
	for _, s := range systems {
		for i, g := range groups {
			if slices.Equal(g[0].Patient.IDs, s.Patient.IDs) {
				groups[i] = append(g, s)
				continue next
			}
		}
		groups = append(groups, []*System{s})
	}
	return groups
}

// joinStale puts an MDS that is not live to the only group it fits, or else into one of its own.
func joinStale(groups [][]*System, s *System) [][]*System {
	found := -1
	for i, g := range groups {
		if !slices.ContainsFunc(g, func(o *System) bool { return share(o.Patient.IDs, s.Patient.IDs) }) {
			continue
		}
		if found >= 0 || slices.ContainsFunc(g, func(o *System) bool { return contradict(o.Patient.IDs, s.Patient.IDs) }) {
			return append(groups, []*System{s})
		}
		found = i
	}
	if found < 0 {
		return append(groups, []*System{s})
	}
	groups[found] = append(groups[found], s)
	return groups
}

// connected splits MDSs into groups that hang together by shared identifiers.
func connected(systems []*System) [][]*System {
	var groups [][]*System
	for _, s := range systems {
		joined := []*System{s}
		var rest [][]*System
		for _, g := range groups {
			if slices.ContainsFunc(g, func(o *System) bool { return share(o.Patient.IDs, s.Patient.IDs) }) {
				joined = append(joined, g...)
			} else {
				rest = append(rest, g)
			}
		}
		groups = append(rest, joined)
	}
	return groups
}

func consistent(group []*System) bool {
	for i, a := range group {
		for _, b := range group[i+1:] {
			if contradict(a.Patient.IDs, b.Patient.IDs) {
				return false
			}
		}
	}
	return true
}

func (v *View) addPatient(group []*System) {
	sortSystems(group)
	p := &Patient{Systems: group}
	for _, s := range group {
		p.IDs = append(p.IDs, s.Patient.IDs...)
	}
	slices.SortFunc(p.IDs, compareIdentifiers)
	p.IDs = slices.Compact(p.IDs)
	differ := false
	for _, s := range group {
		c := &s.Patient
		differ = take(&p.Name, c.Name) || differ
		differ = take(&p.Birth, c.Birth) || differ
	}
	if differ {
		v.conflict(DifferentNames, "", "devices agree on the identifier of a patient and not on name or date of birth", group...)
	}
	v.Patients = append(v.Patients, p)
}

// keyPatients gives each patient the first of its identifiers for a key, or all of them where another has that one too. Should even those be
// the same, as when devices that are not live disagree with others, the first device is part of the key.
func (v *View) keyPatients() {
	first := func(p *Patient) string {
		if len(p.IDs) == 0 {
			return p.Key
		}
		return p.IDs[0].String()
	}
	all := func(p *Patient) string {
		var key []string
		for _, id := range p.IDs {
			key = append(key, id.String())
		}
		return strings.Join(key, " ")
	}
	unique := func(p *Patient, key func(*Patient) string) bool {
		return !slices.ContainsFunc(v.Patients, func(o *Patient) bool { return o != p && len(o.IDs) > 0 && key(o) == key(p) })
	}
	for _, p := range v.Patients {
		switch {
		case len(p.IDs) == 0:
		case unique(p, first):
			p.Key = first(p)
		case unique(p, all):
			p.Key = all(p)
		default:
			p.Key = all(p) + " " + p.Systems[0].Device + "#" + p.Systems[0].Patient.Context
		}
	}
	slices.SortFunc(v.Patients, func(a, b *Patient) int { return strings.Compare(a.Key, b.Key) })
}

// take fills in what is not known yet, and tells whether what is known is something else.
func take(field *string, value string) (differs bool) {
	if *field == "" {
		*field = value
	}
	return value != "" && value != *field
}

func sortSystems(s []*System) {
	slices.SortFunc(s, func(a, b *System) int {
		return cmp.Or(strings.Compare(a.Device, b.Device), strings.Compare(a.Handle, b.Handle))
	})
}

func (v *View) groupPlaces(systems []*System) {
	places := make(map[string]*Place)
	for _, s := range systems {
		if s.Location.Association == Conflicting {
			v.conflict(SeveralLocations, "", "the device tells of several places at once", s)
		}
		key := s.Location.key()
		if key == "" {
			continue
		}
		p := places[key]
		if p == nil {
			p = &Place{Key: key, Detail: s.Location.Detail}
			places[key] = p
			v.Places = append(v.Places, p)
		}
		p.Systems = append(p.Systems, s)
	}
	slices.SortFunc(v.Places, func(a, b *Place) int { return strings.Compare(a.Key, b.Key) })
	for _, p := range v.Places {
		sortSystems(p.Systems)
		live := 0
		for _, patient := range v.Patients {
			here := func(live bool) bool {
				return slices.ContainsFunc(patient.Systems, func(s *System) bool { return s.Live() == live && s.Location.key() == p.Key })
			}
			switch {
			case here(true):
				live++
				p.Patients = append(p.Patients, patient.Key)
			case here(false):
				p.Patients = append(p.Patients, patient.Key)
			}
		}
		// Many patients are at one hospital; at one bed there is one.
		d := p.Detail
		if live > 1 && (d.IsZero() || d.PoC != "" || d.Room != "" || d.Bed != "") {
			v.conflict(PatientsAtOnePlace, p.Key, "devices at one place tell of different patients", p.Systems...)
		}
	}
}

func (v *View) groupEnsembles(systems []*System) {
	ensembles := make(map[Identifier]*Ensemble)
	for _, s := range systems {
		for _, c := range s.Ensembles {
			for _, id := range c.IDs {
				e := ensembles[id]
				if e == nil {
					e = &Ensemble{Key: id.String(), ID: id}
					ensembles[id] = e
					v.Ensembles = append(v.Ensembles, e)
				}
				if !slices.Contains(e.Systems, s) {
					e.Systems = append(e.Systems, s)
				}
			}
		}
	}
	slices.SortFunc(v.Ensembles, func(a, b *Ensemble) int { return strings.Compare(a.Key, b.Key) })
	for _, e := range v.Ensembles {
		sortSystems(e.Systems)
	}
}
