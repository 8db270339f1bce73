package aggregate

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// derivedState is what is published of a result; was is the state before.
func (p *plan) derivedState(mds string, i int, r *Result, was *pm.NumericMetricState, now time.Time) *pm.NumericMetricState {
	s := was.Clone()
	s.ActivationState = pm.ComponentActivationOn
	if r.Cause == CauseMissing {
		s.ActivationState = pm.ComponentActivationNotRdy
	}
	s.MetricValue = &pm.NumericMetricValue{Value: r.Value}
	s.MetricValue.MetricQuality = pm.MetricQuality{Validity: r.Validity, Mode: shownMode(r.Mode)}
	s.MetricValue.Annotation = annotate(r.Cause, r.Reason)
	s.LifeTimePeriod = lifetime(r.Lifetime)
	at := r.Determined
	if !r.Value.IsSet() {
		at = withdrawn(was.MetricValue, s.MetricValue, now)
	}
	s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(at))
	if old := was.MetricValue; old != nil && old.DeterminationTime == s.MetricValue.DeterminationTime && old.Value != r.Value {
		// The oldest input is the same and another one new. A store takes such a value for one whose time was forgotten and would say that it is of now.
		s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(at.Add(-time.Millisecond)))
	}
	if !r.Start.IsZero() {
		s.MetricValue.StartTime, s.MetricValue.StopTime = pm.Some(pm.TimestampOf(r.Start)), s.MetricValue.DeterminationTime
	}
	var entries []pm.HandleRef
	for j := range r.Inputs {
		if r.Inputs[j].Value != nil {
			entries = append(entries, p.input(mds, p.of[i][j][r.Inputs[j].Source]))
		}
	}
	s.Extension = nil
	if len(entries) > 0 {
		ext.SetRelations(&s.Extension, ext.RelationsType{Relation: []ext.RelationType{{Kind: ext.RelationKindDCE, Entries: entries}}})
	}
	return s
}

// inputState is what is published of an input: what was used and where it came from; nil for one that no rule uses now.
func inputState(u *Used, was *pm.NumericMetricState, now time.Time) *pm.NumericMetricState {
	s := was.Clone()
	s.Extension, s.LifeTimePeriod = nil, pm.Opt[pm.Duration]{}
	if u == nil {
		s.ActivationState, s.MetricValue = pm.ComponentActivationStndBy, nil
		return s
	}
	s.ActivationState = pm.ComponentActivationOn
	ext.SetCodedAttributes(&s.Extension, ext.CodedAttributesType{CodedStringAttribute: []ext.CodedStringAttributeType{
		{MdcAttribute: ext.MdcAttributeType{Code: attributeSystem, SymbolicCodeName: "MDC_ATTR_SYS_ID"}, Value: u.Value.Device},
		{MdcAttribute: ext.MdcAttributeType{Code: attributeSource, SymbolicCodeName: "MDC_ATTR_SOURCE_HANDLE_REF"}, Value: u.Value.Handle},
	}})
	s.MetricValue = &pm.NumericMetricValue{Value: u.Number}
	s.MetricValue.MetricQuality.Mode = shownMode(u.Value.Mode)
	if !u.Number.IsSet() {
		s.MetricValue.MetricQuality.Validity = pm.MeasurementValidityNA
		s.MetricValue.Annotation = annotate(u.trouble, reason(u.trouble))
		s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(withdrawn(was.MetricValue, s.MetricValue, now)))
		return s
	}
	s.MetricValue.MetricQuality.Validity = u.Value.Validity
	s.MetricValue.DeterminationTime = pm.Some(pm.TimestampOf(u.Value.Determined))
	if end, ok := expiry(u.Value); ok {
		s.LifeTimePeriod = lifetime(end.Sub(u.Value.Determined))
	}
	return s
}

// withdrawn is when a value was withdrawn: as long as the reason is the same, that does not change.
func withdrawn(was, is *pm.NumericMetricValue, now time.Time) time.Time {
	if was != nil && !was.Value.IsSet() && was.MetricQuality.Validity == is.MetricQuality.Validity && sameAnnotation(was.Annotation, is.Annotation) {
		if at, ok := was.DeterminationTime.Get(); ok {
			return at.Time()
		}
	}
	return now
}

func sameAnnotation(a, b []pm.Annotation) bool {
	return len(a) == len(b) && (len(a) == 0 || a[0].Type.Code == b[0].Type.Code)
}

func annotate(c Cause, reason string) []pm.Annotation {
	if c == "" {
		return nil
	}
	return []pm.Annotation{{Type: Private(string(c), reason)}}
}

// shownMode leaves out what is implied.
func shownMode(m pm.GenerationMode) pm.GenerationMode {
	if m == pm.GenerationModeReal {
		return ""
	}
	return m
}

// lifetime rounds up to milliseconds, as times have.
func lifetime(d time.Duration) pm.Opt[pm.Duration] {
	if d <= 0 {
		return pm.Opt[pm.Duration]{}
	}
	return pm.Some(pm.DurationOf((d + time.Millisecond - 1).Truncate(time.Millisecond)))
}

// surroundings are the contexts of a patient's MDS and what it is used for.
type surroundings struct {
	patient  pm.PatientContextState
	location *pm.LocationContextState // nil: none, or the devices contradict each other
	mode     pm.MdsOperatingMode
}

// surroundingsOf takes them from the devices: the contexts of those that are live, or else of those that were. since is when the first of them says
// that the patient was associated.
func surroundingsOf(v *station.View, p *station.Patient, systems []*station.System) (out surroundings, since time.Time) {
	out.mode = pm.MdsOperatingModeNml
	for _, id := range p.IDs {
		out.patient.Identification = append(out.patient.Identification, pm.InstanceIdentifier{Root: id.Root, Extension: id.Extension})
	}
	contradiction := false
	var at *station.System
	for _, s := range liveFirst(systems) {
		if s.Mode == pm.MdsOperatingModeDmo {
			out.mode = pm.MdsOperatingModeDmo
		}
		if t := s.Patient.Since; !t.IsZero() && (since.IsZero() || t.Before(since)) {
			since = t
		}
		if c, ok := contextOf[*pm.PatientContextState](v, s, s.Patient.Context); ok {
			if out.patient.CoreData == nil && c.CoreData != nil {
				out.patient.CoreData = pm.ClonePatientCoreData(c.CoreData)
			}
			out.patient.Validator = addValidators(out.patient.Validator, c.Validator)
		}
		if s.Location.Association != station.Associated {
			continue
		}
		contradiction = contradiction || at != nil && elsewhere(&at.Location, &s.Location)
		if at == nil || len(s.Location.Detail.String()) > len(at.Location.Detail.String()) {
			at = s // the one that says most
		}
	}
	if at == nil || contradiction {
		return out, since
	}
	if c, ok := contextOf[*pm.LocationContextState](v, at, at.Location.Context); ok {
		out.location = &pm.LocationContextState{LocationDetail: c.LocationDetail.Clone()}
		out.location.Identification, out.location.Validator = cloneIDs(c.Identification), cloneIDs(c.Validator)
	}
	return out, since
}

// liveFirst are the MDSs that are live, or all if none is.
func liveFirst(systems []*station.System) []*station.System {
	var live []*station.System
	for _, s := range systems {
		if s.Live() {
			live = append(live, s)
		}
	}
	if len(live) == 0 {
		return systems
	}
	return live
}

func contextOf[T pm.ContextState](v *station.View, s *station.System, handle string) (state T, ok bool) {
	d := v.Device(s.Device)
	if d == nil || d.MDIB == nil {
		return state, false
	}
	return mdib.Get[T](d.MDIB, handle)
}

// addValidators adds those that are not there yet.
func addValidators(have, more []pm.InstanceIdentifier) []pm.InstanceIdentifier {
next:
	for i := range more {
		for j := range have {
			if have[j].Root == more[i].Root && have[j].Extension == more[i].Extension {
				continue next
			}
		}
		have = append(have, *more[i].Clone())
	}
	return have
}

func cloneIDs(list []pm.InstanceIdentifier) []pm.InstanceIdentifier { return addValidators(nil, list) }

// fill writes who the patient is into a context state.
func (s *surroundings) fill(c *pm.PatientContextState) {
	c.Identification, c.Validator = cloneIDs(s.patient.Identification), cloneIDs(s.patient.Validator)
	c.CoreData = pm.ClonePatientCoreData(s.patient.CoreData)
}

func (s *surroundings) samePatient(o *surroundings) bool { return s.patient.Equal(&o.patient) }

func (s *surroundings) sameLocation(o *surroundings) bool {
	if s.location == nil || o.location == nil {
		return s.location == o.location
	}
	return s.location.Equal(o.location)
}
