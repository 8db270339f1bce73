package aggregate

import (
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/unit"
)

// pick is what was found for an input.
type pick struct {
	Used
	of     *station.System
	conv   unit.Conversion
	number float64
	doubt  string
	label  string
}

// worst orders causes by how bad they are for an input, the worst first.
var worst = []Cause{CauseMissing, CauseFormer, CauseStale, CauseService, CauseUnit, CauseInvalid, CauseOld, CauseGathering}

func reason(c Cause) string {
	switch c {
	case CauseMissing:
		return "no device of the patient has it"
	case CauseFormer:
		return "it is or may be of a patient before"
	case CauseStale:
		return "the device is not live"
	case CauseInvalid:
		return "the device has no value that may be used"
	case CauseOld:
		return "it is older than the device promises"
	case CauseUnit:
		return "its unit does not convert"
	case CauseService:
		return "the device is in service or maintenance"
	case CauseGathering:
		return "too little of the window is covered by usable values"
	}
	return string(c)
}

// find picks the best metric for an input, other than those that are taken.
func (s *scene) find(in *Input, taken []station.Ref) pick {
	best := pick{Used: Used{trouble: CauseMissing}}
	for i, src := range in.From {
		p := s.findSource(in, i, src, taken)
		if p.merit() > best.merit() {
			best = p
		}
	}
	best.label = in.Label
	return best
}

// merit orders what was found: usable without doubt, with doubt, there at all.
func (p *pick) merit() int {
	switch {
	case p.Value == nil:
		return 0
	case p.trouble != "":
		return 1
	case p.doubt != "" || p.Status == station.Questionable:
		return 2
	}
	return 3
}

func (s *scene) findSource(in *Input, i int, src Source, taken []station.Ref) pick {
	best := pick{Used: Used{trouble: CauseMissing}}
	for _, m := range s.meanings(src, taken) {
		prefer := s.opts.Preferences
		if epr := s.stay[slotKey(src, &in.Unit)]; epr != "" && len(prefer.Types) == 0 {
			prefer.Devices = append(slices.Clip(prefer.Devices), epr)
		}
		v, status, err := without(s.only, taken).Best(station.Scope{Patient: "patient"}, m, prefer, s.now)
		if err != nil {
			continue
		}
		p := pick{Used: Used{Source: i, Value: v, Status: status}, of: s.system(v), doubt: src.Doubt}
		p.judge(in)
		if p.merit() > best.merit() {
			best = p
		}
	}
	return best
}

// without is a view without some metrics.
func without(v *station.View, taken []station.Ref) *station.View {
	if len(taken) == 0 {
		return v
	}
	p := *v.Patients[0]
	p.Systems = make([]*station.System, len(v.Patients[0].Systems))
	for i, s := range v.Patients[0].Systems {
		c := *s
		c.Values = slices.DeleteFunc(slices.Clone(s.Values), func(v *station.Value) bool { return slices.Contains(taken, v.Ref) })
		p.Systems[i] = &c
	}
	return &station.View{Patients: []*station.Patient{&p}}
}

// meanings are those of a source that the patient's devices show: the same at several body sites. Sorted.
func (s *scene) meanings(src Source, taken []station.Ref) []station.Meaning {
	var out []station.Meaning
	for _, sys := range s.only.Patients[0].Systems {
		for _, v := range sys.Values {
			if m := v.Meaning; m.Code == src.Code && m.Role == src.role() && !slices.Contains(taken, v.Ref) && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	slices.SortFunc(out, func(a, b station.Meaning) int { return strings.Compare(a.Site, b.Site) })
	return out
}

func (s *scene) system(v *station.Value) *station.System {
	for _, sys := range s.only.Patients[0].Systems {
		if sys.Device == v.Device && sys.Handle == v.MDS {
			return sys
		}
	}
	return nil
}

// judge finds out what a value is good for and converts it.
func (p *pick) judge(in *Input) {
	switch p.Status {
	case station.Former:
		p.trouble = CauseFormer
	case station.Stale:
		p.trouble = CauseStale
	case station.Old:
		p.trouble = CauseOld
	case station.Current, station.Questionable:
	default:
		p.trouble = CauseInvalid
	}
	if m := p.of.Mode; p.trouble == "" && (m == pm.MdsOperatingModeSrv || m == pm.MdsOperatingModeMtn) {
		p.trouble = CauseService
	}
	number, ok := p.Value.Number.Get()
	if p.trouble == "" && !ok {
		p.trouble = CauseInvalid
	}
	if p.trouble != "" {
		return
	}
	to, err := unit.Of(&in.Unit)
	if err == nil {
		var have unit.Unit
		if have, err = unit.Find(p.Value.Unit.Code.System, p.Value.Unit.Code.Code); err == nil {
			p.conv, err = unit.Between(have, to)
		}
	}
	if err != nil {
		p.trouble = CauseUnit
		return
	}
	p.number = p.conv.Float(number)
	p.Number = pm.Some(short(p.conv.Decimal(number, inputDigits)))
}

// short is a number without the zeros at its end.
func short(d pm.Decimal) pm.Decimal {
	if s := d.String(); strings.Contains(s, ".") {
		return pm.MustDecimal(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
	}
	return d
}

// inputDigits is what inputs are rounded to when they are shown; rules see them exactly.
const inputDigits = 4

func (p *pick) measured() bool { return p.Value.Meaning.Role == station.Measured }

// rank is smaller for what is worse.
func (p pick) rank() int {
	if i := slices.Index(worst, p.trouble); i >= 0 {
		return i
	}
	return len(worst)
}

// validity is the one that the result inherits from an input that is not usable.
func (p pick) validity() pm.MeasurementValidity {
	if p.trouble == CauseInvalid && p.Value.Activation == pm.ComponentActivationOn {
		switch v := p.Value.Validity; v {
		case pm.MeasurementValidityInv, pm.MeasurementValidityCalib, pm.MeasurementValidityOng:
			return v
		case pm.MeasurementValidityOflw, pm.MeasurementValidityUflw:
			return pm.MeasurementValidityInv // on which side the result would be is not known
		}
	}
	return pm.MeasurementValidityNA
}

// worseMode is the mode of a result one input of which is p.
func worseMode(m pm.GenerationMode, p *pick) pm.GenerationMode {
	order := []pm.GenerationMode{pm.GenerationModeReal, pm.GenerationModeDemo, pm.GenerationModeTest}
	if p.Value == nil {
		return m
	}
	worse := max(slices.Index(order, m), slices.Index(order, p.Value.Mode))
	if p.of.Mode == pm.MdsOperatingModeDmo {
		worse = max(worse, 1)
	}
	return order[worse]
}

// apart finds two inputs whose devices contradict each other about the place.
func apart(picks []pick) (a, b string, ok bool) {
	for i := range picks {
		for j := range i {
			if elsewhere(&picks[i].of.Location, &picks[j].of.Location) {
				return picks[j].label, picks[i].label, true
			}
		}
	}
	return "", "", false
}

// elsewhere tells whether two places are different for sure. Where one says more than the other and nothing else, they may be the same.
func elsewhere(a, b *station.LocationContext) bool {
	if a.Association != station.Associated || b.Association != station.Associated {
		return false
	}
	if a.Detail.IsZero() || b.Detail.IsZero() {
		return len(a.IDs) > 0 && len(b.IDs) > 0 && !slices.ContainsFunc(a.IDs, func(i station.Identifier) bool { return slices.Contains(b.IDs, i) })
	}
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	x, y := &a.Detail, &b.Detail
	return differ(x.Facility, y.Facility) || differ(x.Building, y.Building) || differ(x.PoC, y.PoC) ||
		differ(x.Floor, y.Floor) || differ(x.Room, y.Room) || differ(x.Bed, y.Bed)
}

// skewOf is how far apart in time the measured inputs were determined. clock names one whose time is by a clock that is not known; that does not matter among
// inputs of one MDS.
func skewOf(picks []pick) (skew time.Duration, clock string) {
	var first, last time.Time
	var of *station.System
	several := false
	for i := range picks {
		p := &picks[i]
		if !p.measured() {
			continue
		}
		t := p.Value.Determined
		if of == nil || t.Before(first) {
			first = t
		}
		if of == nil || t.After(last) {
			last = t
		}
		several = several || of != nil && of != p.of
		of = p.of
		if !p.of.Clock.Known && !t.Equal(p.Value.Arrived) && clock == "" {
			clock = p.label
		}
	}
	if !several {
		clock = ""
	}
	return last.Sub(first), clock
}

// slotKey names a metric that is the same for all rules.
func slotKey(s Source, u *pm.CodedValue) string {
	return s.Code.String() + " " + string(s.role()) + " " + station.CodeOf(u).String()
}
