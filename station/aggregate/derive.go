package aggregate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// Cause says why there is no value, or why it is questionable. It is a code of PrivateCodes.
type Cause string

// The causes.
const (
	CauseMissing   Cause = "no-source"        // no device of the patient has the input
	CauseFormer    Cause = "former-patient"   // the input is or may be of a patient before
	CauseStale     Cause = "device-not-live"  // the device of the input is not live
	CauseInvalid   Cause = "input-invalid"    // the device says that there is no value, or that it must not be used
	CauseOld       Cause = "input-old"        // the input is older than its device promises
	CauseUnit      Cause = "unit-unknown"     // the input's unit does not convert
	CauseService   Cause = "device-serviced"  // the device is in service or maintenance
	CausePlaces    Cause = "different-places" // the devices of the inputs are at different places
	CauseSkew      Cause = "inputs-apart"     // the inputs were not determined at the same time
	CauseClock     Cause = "clock-unknown"    // how far a device's clock is off is not known
	CauseGathering Cause = "window-not-full"  // the window is not covered by usable values
	CauseCompute   Cause = "not-computable"   // the rule cannot be applied to the inputs
	CauseRange     Cause = "out-of-range"     // the result is out of the rule's range
	CauseInput     Cause = "input-questionable"
	CauseDoubt     Cause = "rule-in-doubt" // the rule itself says so
)

// History tells former values of a metric, as *station.Station does.
type History interface {
	Points(q station.Query) []station.Point
}

// Options are what Derive needs beside the view.
type Options struct {
	// Preferences order devices that measure the same.
	Preferences station.Preferences
	// Exclude are EPRs of devices that nothing is derived from. MDSs that are themselves derived are never used.
	Exclude []string
	// History serves rules with a window; without it they have no values.
	History History
}

// Result is what a rule yields at a moment.
type Result struct {
	// Value is absent if there is none.
	Value pm.Opt[pm.Decimal]
	// Validity is never better than that of an input.
	Validity pm.MeasurementValidity
	// Mode is Real unless an input is made up.
	Mode pm.GenerationMode
	// Cause and Reason, for people, say why there is no value or why it is questionable; "" otherwise.
	Cause  Cause
	Reason string
	// Determined is when the oldest measured input was determined, by the clock of the station; zero without a value. With a window, Start is when that began and
	// Determined when the newest value in it was determined.
	Start, Determined time.Time
	// Lifetime is how long after Determined the first input ceases to be usable; 0 is not limited.
	Lifetime time.Duration
	// Inputs are in the order of the rule's. An input that no device has has no Value.
	Inputs []Used
}

// Used is an input as it was used.
type Used struct {
	// Source is which of the input's sources it is.
	Source int
	Value  *station.Value
	// Status is that of the value at the time; "" without one.
	Status station.Status
	// Number is the value in the unit of the input; only if the value is usable.
	Number pm.Opt[pm.Decimal]

	trouble Cause // why it is not usable; "" if it is
}

// Derive applies a rule to what a patient's devices show at a time. patient is a key of the view.
func Derive(v *station.View, patient string, now time.Time, r *Rule, o Options) Result {
	for _, p := range v.Patients {
		if p.Key == patient {
			return newScene(p, now, o).derive(r)
		}
	}
	return newScene(&station.Patient{}, now, o).derive(r)
}

// scene is one patient at one moment, as far as values may be derived from it.
type scene struct {
	now     time.Time
	opts    Options
	patient *station.Patient
	// only has that patient and no other, without the devices that are left out.
	only *station.View
	// stay are the devices used last, by metric: of several that are as good, the one in use stays.
	stay map[string]string
}

func newScene(p *station.Patient, now time.Time, o Options) *scene {
	systems := usableSystems(p, o.Exclude)
	only := &station.Patient{Key: "patient", Systems: systems}
	return &scene{now: now, opts: o, patient: p, only: &station.View{Patients: []*station.Patient{only}}}
}

// usableSystems are the MDSs of a patient that values may be derived from.
func usableSystems(p *station.Patient, exclude []string) []*station.System {
	var out []*station.System
	for _, s := range p.Systems {
		if !aggregated(s) && !slices.Contains(exclude, s.Device) {
			out = append(out, s)
		}
	}
	return out
}

// derive applies a rule.
func (s *scene) derive(r *Rule) Result {
	res := Result{Mode: pm.GenerationModeReal, Inputs: make([]Used, len(r.Inputs))}
	picks := make([]pick, len(r.Inputs))
	var taken []station.Ref
	for i := range r.Inputs {
		picks[i] = s.find(&r.Inputs[i], taken)
		if r.Distinct && picks[i].Value != nil {
			taken = append(taken, picks[i].Value.Ref)
		}
		res.Inputs[i] = picks[i].Used
		res.Mode = worseMode(res.Mode, &picks[i])
	}
	if bad := slices.MinFunc(picks, func(a, b pick) int { return cmp.Compare(a.rank(), b.rank()) }); bad.trouble != "" {
		return res.none(bad.validity(), bad.trouble, bad.label+": "+reason(bad.trouble))
	}
	if a, b, apart := apart(picks); apart {
		return res.none(pm.MeasurementValidityNA, CausePlaces, fmt.Sprintf("the devices of %s and %s are at different places", a, b))
	}
	for i := range picks {
		switch p := &picks[i]; {
		case p.Status == station.Questionable:
			res.doubt(CauseInput, "%s: the device says that it is questionable", p.label)
		case p.doubt != "":
			res.doubt(CauseDoubt, "%s: %s", p.label, p.doubt)
		}
	}
	skew, clock := skewOf(picks)
	switch {
	case skew > r.maxSkew():
		return res.none(pm.MeasurementValidityNA, CauseSkew, fmt.Sprintf("the inputs were determined more than %s apart", r.maxSkew()))
	case skew > r.skew():
		res.doubt(CauseSkew, "the inputs were determined more than %s apart", r.skew())
	case clock != "":
		res.doubt(CauseClock, "%s: how far the clock of the device is off is not known", clock)
	}
	x := make([]float64, len(picks))
	for i := range picks {
		x[i] = picks[i].number
		if r.Window > 0 && picks[i].measured() {
			m, ok := s.mean(&picks[i], r.Window)
			if !ok {
				return res.none(pm.MeasurementValidityOng, CauseGathering, picks[i].label+": "+reason(CauseGathering))
			}
			if m.questionable {
				res.doubt(CauseInput, "%s: the device says of some values that they are questionable", picks[i].label)
			}
			x[i] = m.value
			if res.Start.IsZero() || m.begin.Before(res.Start) {
				res.Start = m.begin
			}
		}
	}
	return s.compute(r, res, picks, x)
}

// compute runs the rule's function and grades what comes out.
func (s *scene) compute(r *Rule, res Result, picks []pick, x []float64) Result {
	f, err := r.call(x)
	var why Doubt
	switch {
	case errors.As(err, &why):
		res.doubt(CauseDoubt, "%s", string(why))
	case err != nil:
		return res.none(pm.MeasurementValidityInv, CauseCompute, err.Error())
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return res.none(pm.MeasurementValidityInv, CauseCompute, "the result is no finite number")
	}
	n, _ := digits(r.Resolution)
	value, ok := pm.DecimalFromFloat(f, n)
	if !ok {
		return res.none(pm.MeasurementValidityInv, CauseCompute, "the result cannot be written down")
	}
	if low, ok := r.Range.Lower.Get(); ok && value.Cmp(low) < 0 {
		return res.none(pm.MeasurementValidityUflw, CauseRange, fmt.Sprintf("the result is below %s", low))
	}
	if high, ok := r.Range.Upper.Get(); ok && value.Cmp(high) > 0 {
		return res.none(pm.MeasurementValidityOflw, CauseRange, fmt.Sprintf("the result is above %s", high))
	}
	res.Value, res.Validity = pm.Some(value), pm.MeasurementValidityVld
	if res.Cause != "" {
		res.Validity = pm.MeasurementValidityQst
	}
	s.times(&res, picks)
	return res
}

// call runs the rule's function. One that panics has no value, and the rest of the station goes on.
func (r *Rule) call(x []float64) (f float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the rule panicked: %v", p)
		}
	}()
	return r.Compute(x)
}

// times: the value is as old as its oldest measured input, and lives as long as that of its inputs that ends first.
func (s *scene) times(res *Result, picks []pick) {
	var end time.Time
	for i := range picks {
		v := picks[i].Value
		if picks[i].measured() && (res.Determined.IsZero() || v.Determined.Before(res.Determined)) {
			res.Determined = v.Determined
		}
		if e, ok := expiry(v); ok && (end.IsZero() || e.Before(end)) {
			end = e
		}
	}
	if res.Determined.IsZero() {
		res.Determined = s.now // of settings only
	}
	if !end.IsZero() {
		res.Lifetime = end.Sub(res.Determined)
	}
}

// ends tells whether the value is past its life at a time.
func (r *Result) ends(at time.Time) bool {
	return r.Value.IsSet() && r.Lifetime > 0 && !at.Before(r.Determined.Add(r.Lifetime))
}

// expiry is when a value becomes old, by what its device promises.
func expiry(v *station.Value) (time.Time, bool) {
	end, ok := time.Time{}, false
	limit := func(d time.Duration) {
		if e := v.Determined.Add(d); !ok || e.Before(end) {
			end, ok = e, true
		}
	}
	if v.Lifetime > 0 {
		limit(v.Lifetime)
	}
	if p := v.Patience(); p > 0 {
		limit(p)
	}
	return end, ok
}

// doubt makes the result questionable. Of several doubts the first is told.
func (r *Result) doubt(c Cause, format string, args ...any) {
	if r.Cause == "" {
		r.Cause, r.Reason = c, fmt.Sprintf(format, args...)
	}
}

// none is the result without a value.
func (r Result) none(validity pm.MeasurementValidity, c Cause, why string) Result {
	r.Value, r.Validity, r.Cause, r.Reason = pm.Opt[pm.Decimal]{}, validity, c, why
	r.Start, r.Determined, r.Lifetime = time.Time{}, time.Time{}, 0
	return r
}
