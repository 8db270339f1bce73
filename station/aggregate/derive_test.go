package aggregate_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

var now = time.UnixMilli(1_800_000_000_000)

// Codes of the values in these tests, with a unit.
const (
	hr, pulse, sys, cuff    = "147842", "149530", "150037", "150021"
	vte, plateau, peep      = "152664", "152424", "151976"
	spo2, fio2, meanABP     = "150456", "152196", "150039"
	perMin, mmHg, kPa       = "264864", "266016", "265987"
	mL, litre, cmH2O, mbar  = "263762", "263744", "266048", "266098"
	percent, one, breathMin = "262688", "262656", "264928"
)

func dec(s string) pm.Decimal { return pm.MustDecimal(s) }

// value is a good value that was determined just now.
func value(code, number, unit string, change ...func(*station.Value)) *station.Value {
	v := &station.Value{
		Ref: station.Ref{Handle: code}, Meaning: station.Meaning{Code: station.MDC(code), Role: station.Measured},
		Unit: station.Unit{Code: station.MDC(unit)}, Validity: pm.MeasurementValidityVld, Mode: pm.GenerationModeReal,
		Activation: pm.ComponentActivationOn, Determined: now, Arrived: now,
	}
	if number != "" {
		v.Number = pm.Some(dec(number))
	}
	for _, c := range change {
		c(v)
	}
	return v
}

func age(d time.Duration) func(*station.Value) {
	return func(v *station.Value) { v.Determined = now.Add(-d) }
}
func validity(x pm.MeasurementValidity) func(*station.Value) {
	return func(v *station.Value) { v.Validity = x }
}
func role(r station.Role) func(*station.Value) { return func(v *station.Value) { v.Meaning.Role = r } }
func handle(h string) func(*station.Value)     { return func(v *station.Value) { v.Handle = h } }
func period(d time.Duration) func(*station.Value) {
	return func(v *station.Value) { v.Period = d }
}

// system is a live MDS with a right clock.
func system(device string, values ...*station.Value) *station.System {
	s := &station.System{
		Device: device, Handle: "mds", Type: station.MDC("type of " + device), Mode: pm.MdsOperatingModeNml,
		Activation: pm.ComponentActivationOn, Link: station.Link{State: station.LinkLive}, Clock: station.Clock{Known: true},
	}
	for _, v := range values {
		v.Device, v.MDS = device, "mds"
		s.Values = append(s.Values, v)
	}
	return s
}

func at(d sdc.LocationDetail, s *station.System) *station.System {
	s.Location = station.LocationContext{Association: station.Associated, Detail: d}
	return s
}

func view(systems ...*station.System) *station.View {
	return &station.View{Time: now, Patients: []*station.Patient{{Key: "p", IDs: []station.Identifier{{Root: "r", Extension: "1"}}, Systems: systems}}}
}

func derive(r aggregate.Rule, systems ...*station.System) aggregate.Result {
	return aggregate.Derive(view(systems...), "p", now, &r, aggregate.Options{})
}

func TestBuiltInRulesAreSound(t *testing.T) {
	names := map[string]bool{}
	for _, r := range aggregate.BuiltIn() {
		require.NoError(t, r.Validate())
		require.False(t, names[r.Name])
		names[r.Name] = true
		// Numbers no device should send yield no value or a finite one, and never a panic.
		for _, n := range []float64{0, -1, math.NaN(), math.Inf(1), math.MaxFloat64, math.SmallestNonzeroFloat64} {
			x := make([]float64, len(r.Inputs))
			for i := range x {
				x[i] = n
			}
			_, _ = r.Compute(x)
		}
	}
	require.Len(t, names, 7)
}

// Numbers that a clinician would get with pencil and paper.
func TestBuiltInRulesDerive(t *testing.T) {
	vent := func(change ...func(*station.Value)) *station.System {
		return system("vent", value(vte, "450", mL, change...), value(plateau, "20", cmH2O), value(peep, "5", cmH2O), value("151973", "25", cmH2O),
			value("152490", "18", breathMin))
	}
	for name, c := range map[string]struct {
		rule     aggregate.Rule
		systems  []*station.System
		want     string
		validity pm.MeasurementValidity
		cause    aggregate.Cause
	}{
		"shock index":                 {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "110", perMin), value(sys, "95", mmHg))}, "1.16", "Vld", ""},
		"in other units":              {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "110", perMin), value(sys, "12.6656", kPa))}, "1.16", "Vld", ""},
		"two devices":                 {aggregate.ShockIndex(), []*station.System{system("ecg", value(hr, "80", perMin)), system("nibp", value(cuff, "120", mmHg))}, "0.67", "Vld", ""},
		"invasive first":              {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(cuff, "120", mmHg), value(sys, "100", mmHg))}, "0.80", "Vld", ""},
		"cuff rather than a bad line": {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(cuff, "120", mmHg), value(sys, "100", mmHg, validity("Inv")))}, "0.67", "Vld", ""},
		"old cuff":                    {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(cuff, "120", mmHg, age(2*time.Minute)))}, "0.67", "Qst", aggregate.CauseSkew},
		"too old a cuff":              {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(cuff, "120", mmHg, age(6*time.Minute)))}, "", "NA", aggregate.CauseSkew},
		"pulse for heart":             {aggregate.ShockIndex(), []*station.System{system("mon", value(pulse, "80", perMin), value(sys, "100", mmHg))}, "0.80", "Qst", aggregate.CauseDoubt},
		"no pressure at all":          {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(sys, "0", mmHg))}, "", "Inv", aggregate.CauseCompute},
		"negative pressure":           {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(sys, "-3", mmHg))}, "", "Inv", aggregate.CauseCompute},
		"beyond its range":            {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(sys, "1", mmHg))}, "", "Oflw", aggregate.CauseRange},
		"missing":                     {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin))}, "", "NA", aggregate.CauseMissing},
		"a unit of nobody":            {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(sys, "100", "1"))}, "", "NA", aggregate.CauseUnit},
		"a unit of another kind":      {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin), value(sys, "100", mL))}, "", "NA", aggregate.CauseUnit},
		"a setting is no measurement": {aggregate.ShockIndex(), []*station.System{system("mon", value(hr, "80", perMin, role(station.Setting)), value(sys, "100", mmHg))}, "", "NA", aggregate.CauseMissing},

		"static compliance":   {aggregate.StaticCompliance(), []*station.System{vent()}, "30.0", "Vld", ""},
		"dynamic compliance":  {aggregate.DynamicCompliance(), []*station.System{vent()}, "22.5", "Vld", ""},
		"pressures in mbar":   {aggregate.StaticCompliance(), []*station.System{system("v", value(vte, "0.45", litre), value(plateau, "20", mbar), value(peep, "5", mbar))}, "29.4", "Vld", ""},
		"no driving pressure": {aggregate.StaticCompliance(), []*station.System{system("v", value(vte, "450", mL), value(plateau, "5", cmH2O), value(peep, "5", cmH2O))}, "", "Inv", aggregate.CauseCompute},
		"calibrating":         {aggregate.StaticCompliance(), []*station.System{vent(validity("Calib"))}, "", "Calib", aggregate.CauseInvalid},
		"measuring":           {aggregate.StaticCompliance(), []*station.System{vent(validity("Ong"))}, "", "Ong", aggregate.CauseInvalid},
		"overflow of an input is none of the result": {aggregate.StaticCompliance(), []*station.System{vent(validity("Oflw"))}, "", "Inv", aggregate.CauseInvalid},
		"questionable":          {aggregate.StaticCompliance(), []*station.System{vent(validity("Qst"))}, "30.0", "Qst", aggregate.CauseInput},
		"validated by somebody": {aggregate.StaticCompliance(), []*station.System{vent(validity("Vldated"))}, "30.0", "Vld", ""},
		"RSBI of all breaths":   {aggregate.RapidShallowBreathing(), []*station.System{vent()}, "40", "Qst", aggregate.CauseDoubt},
		"RSBI of own breaths":   {aggregate.RapidShallowBreathing(), []*station.System{vent(), system("x", value("152498", "30", breathMin))}, "67", "Vld", ""},

		"S/F":                 {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "50", percent))}, "190", "Vld", ""},
		"S/F of a fraction":   {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "0.5", one))}, "190", "Vld", ""},
		"S/F of a setting":    {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "50", percent, role(station.Setting), age(time.Hour)))}, "190", "Qst", aggregate.CauseDoubt},
		"S/F measured first":  {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "50", percent), value(fio2, "60", percent, role(station.Setting), handle("set")))}, "190", "Vld", ""},
		"S/F of the healthy":  {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "99", percent)), system("v", value(fio2, "50", percent))}, "198", "Qst", aggregate.CauseDoubt},
		"oxygen as pressure":  {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "150", mmHg))}, "", "NA", aggregate.CauseUnit},
		"percent as fraction": {aggregate.SaturationRatio(), []*station.System{system("m", value(spo2, "95", percent)), system("v", value(fio2, "50", one))}, "", "Inv", aggregate.CauseCompute},

		"heart rates": {aggregate.BuiltIn()[6], []*station.System{system("m", value(hr, "80", perMin), value(pulse, "74", perMin))}, "6", "Vld", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := derive(c.rule, c.systems...)
			text := ""
			if v, ok := got.Value.Get(); ok {
				text = v.String()
			}
			require.Equal(t, c.want, text, "%+v", got)
			require.Equal(t, c.validity, got.Validity, got.Reason)
			require.Equal(t, c.cause, got.Cause, got.Reason)
			require.Equal(t, c.cause == "", got.Reason == "")
			require.Equal(t, c.want == "", got.Determined.IsZero())
		})
	}
}

func TestWhatADeviceIsDecidesToo(t *testing.T) {
	rate := func(change ...func(*station.System)) *station.System {
		s := system("ecg", value(hr, "80", perMin, age(2*time.Second), period(time.Second)))
		for _, c := range change {
			c(s)
		}
		return s
	}
	pressure := func(change ...func(*station.System)) *station.System {
		s := system("line", value(sys, "100", mmHg, age(time.Second), period(2*time.Second)))
		for _, c := range change {
			c(s)
		}
		return s
	}
	in := func(d sdc.LocationDetail) func(*station.System) { return func(s *station.System) { at(d, s) } }
	lost := func(s *station.System) {
		s.Link.State = station.LinkLost
		s.Values[0].Stale = true
	}
	mode := func(m pm.MdsOperatingMode) func(*station.System) { return func(s *station.System) { s.Mode = m } }
	clock := func(s *station.System) { s.Clock.Known = false }
	for name, c := range map[string]struct {
		systems []*station.System
		cause   aggregate.Cause
		ok      bool
		mode    pm.GenerationMode
	}{
		"two of one patient":             {[]*station.System{rate(), pressure()}, "", true, "Real"},
		"link lost":                      {[]*station.System{rate(), pressure(lost)}, aggregate.CauseStale, false, "Real"},
		"one of two lost":                {[]*station.System{rate(), pressure(lost), system("other", value(sys, "100", mmHg))}, "", true, "Real"},
		"former":                         {[]*station.System{rate(), pressure(func(s *station.System) { s.Values[0].Former = true })}, aggregate.CauseFormer, false, "Real"},
		"switched off":                   {[]*station.System{rate(), pressure(func(s *station.System) { s.Values[0].Activation = pm.ComponentActivationOff })}, aggregate.CauseInvalid, false, "Real"},
		"overdue":                        {[]*station.System{rate(), pressure(func(s *station.System) { s.Values[0].Determined = now.Add(-time.Minute) })}, aggregate.CauseOld, false, "Real"},
		"without a number":               {[]*station.System{rate(), pressure(func(s *station.System) { s.Values[0].Number = pm.Opt[pm.Decimal]{} })}, aggregate.CauseInvalid, false, "Real"},
		"in maintenance":                 {[]*station.System{rate(), pressure(mode(pm.MdsOperatingModeMtn))}, aggregate.CauseService, false, "Real"},
		"made up":                        {[]*station.System{rate(), pressure(mode(pm.MdsOperatingModeDmo))}, "", true, "Demo"},
		"tested":                         {[]*station.System{rate(mode(pm.MdsOperatingModeDmo)), pressure(func(s *station.System) { s.Values[0].Mode = pm.GenerationModeTest })}, "", true, "Test"},
		"clock not known":                {[]*station.System{rate(), pressure(clock)}, aggregate.CauseClock, true, "Real"},
		"clock not known and not needed": {[]*station.System{rate(), pressure(clock, func(s *station.System) { s.Values[0].Determined, s.Values[0].Arrived = now, now })}, "", true, "Real"},
		"one place":                      {[]*station.System{rate(in(sdc.LocationDetail{PoC: "OR 1"})), pressure(in(sdc.LocationDetail{PoC: "OR 1"}))}, "", true, "Real"},
		"one says more":                  {[]*station.System{rate(in(sdc.LocationDetail{PoC: "OR 1"})), pressure(in(sdc.LocationDetail{PoC: "OR 1", Bed: "2"}))}, "", true, "Real"},
		"one says nothing":               {[]*station.System{rate(in(sdc.LocationDetail{PoC: "OR 1"})), pressure()}, "", true, "Real"},
		"two places":                     {[]*station.System{rate(in(sdc.LocationDetail{PoC: "OR 1"})), pressure(in(sdc.LocationDetail{PoC: "OR 2"}))}, aggregate.CausePlaces, false, "Real"},
	} {
		t.Run(name, func(t *testing.T) {
			got := derive(aggregate.ShockIndex(), c.systems...)
			require.Equal(t, c.ok, got.Value.IsSet(), "%+v", got)
			require.Equal(t, c.cause, got.Cause, got.Reason)
			require.Equal(t, c.mode, got.Mode)
			require.Len(t, got.Inputs, 2)
			if c.ok && got.Inputs[1].Value.Device == "line" && got.Cause == "" && got.Inputs[1].Value.Determined.Before(now) {
				require.Equal(t, now.Add(-2*time.Second), got.Determined, "as old as the oldest input")
				require.Equal(t, 5*time.Second, got.Lifetime, "and old as soon as the first input is: 3 periods of 1 s and 2 s after it was determined")
			}
		})
	}
}

func TestSetValuesHaveNoAge(t *testing.T) {
	got := derive(aggregate.SaturationRatio(),
		system("m", value(spo2, "95", percent, age(3*time.Second))), system("v", value(fio2, "50", percent, role(station.Setting), age(time.Hour))))
	require.Equal(t, now.Add(-3*time.Second), got.Determined)
	require.Zero(t, got.Lifetime)
}

func TestNothingIsDerivedFromWhatIsDerived(t *testing.T) {
	other := system("aggregator", value(hr, "80", perMin))
	other.Type = station.Code{System: aggregate.PrivateCodes, Code: aggregate.TypeAggregate}
	v := view(other, system("m", value(sys, "100", mmHg)), system("x", value(hr, "90", perMin)))
	rule := aggregate.ShockIndex()
	require.Equal(t, aggregate.CauseMissing, aggregate.Derive(v, "p", now, &rule, aggregate.Options{Exclude: []string{"x"}}).Cause)
	got := aggregate.Derive(v, "p", now, &rule, aggregate.Options{})
	require.Equal(t, dec("0.90"), got.Value.Or(pm.Decimal{}))
	require.Equal(t, aggregate.CauseMissing, aggregate.Derive(v, "nobody", now, &rule, aggregate.Options{}).Cause)
}

func TestTwoSensorsOfOneKind(t *testing.T) {
	in := aggregate.Input{Label: "SpO2", Unit: aggregate.MDC(percent, "", "%"), From: []aggregate.Source{{Code: station.MDC(spo2)}}}
	rule := aggregate.Difference("two", "Two oximeters", in, in, dec("1"), aggregate.Alarm{Type: aggregate.Private("x", "x"), Limit: dec("3")})
	require.NoError(t, rule.Validate())
	got := derive(rule, system("a", value(spo2, "98", percent)), system("b", value(spo2, "91", percent)))
	require.Equal(t, dec("7"), got.Value.Or(pm.Decimal{}))
	require.NotEqual(t, got.Inputs[0].Value.Device, got.Inputs[1].Value.Device)
	require.Equal(t, aggregate.CauseMissing, derive(rule, system("a", value(spo2, "98", percent))).Cause, "one is not compared with itself")
	finger, ear := value(spo2, "98", percent, handle("1")), value(spo2, "95", percent, handle("2"))
	finger.Meaning.Site, ear.Meaning.Site = "460000", "460001"
	require.Equal(t, dec("3"), derive(rule, system("a", finger, ear)).Value.Or(pm.Decimal{}), "two sites of one device")
}

func TestRulesOfOthers(t *testing.T) {
	good := func() aggregate.Rule { return aggregate.ShockIndex() }
	for want, change := range map[string]func(*aggregate.Rule){
		"name":            func(r *aggregate.Rule) { r.Name = "Shock" },
		"type and a unit": func(r *aggregate.Rule) { r.Type.Code = "" },
		"resolution 0.5":  func(r *aggregate.Rule) { r.Resolution = dec("0.5") },
		"resolution 0":    func(r *aggregate.Rule) { r.Resolution = pm.Decimal{} },
		"Compute":         func(r *aggregate.Rule) { r.Compute = nil },
		"1 to 8 inputs":   func(r *aggregate.Rule) { r.Inputs = nil },
		"is not known":    func(r *aggregate.Rule) { r.Inputs[0].Unit.Code = "1" },
		"1 to 16 sources": func(r *aggregate.Rule) { r.Inputs[0].From = nil },
		"no code":         func(r *aggregate.Rule) { r.Inputs[0].From[0].Code = station.Code{} },
		"no role":         func(r *aggregate.Rule) { r.Inputs[0].From[0].Role = "x" },
		"may be negative": func(r *aggregate.Rule) { r.Skew = -1 },
		"below Skew":      func(r *aggregate.Rule) { r.MaxSkew = 1 },
		"longer than 10m": func(r *aggregate.Rule) { r.Window = time.Hour },
		"the alarm needs": func(r *aggregate.Rule) { r.Alarm = &aggregate.Alarm{} },
	} {
		r := good()
		change(&r)
		require.ErrorContains(t, r.Validate(), want)
	}
	// What a function of somebody else returns is not believed.
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		r := good()
		r.Compute = func([]float64) (float64, error) { return x, nil }
		got := derive(r, system("m", value(hr, "80", perMin), value(sys, "100", mmHg)))
		require.Equal(t, aggregate.CauseCompute, got.Cause)
		require.False(t, got.Value.IsSet())
	}
	r := good()
	r.Compute = func(x []float64) (float64, error) { return x[2], nil }
	got := derive(r, system("m", value(hr, "80", perMin), value(sys, "100", mmHg)))
	require.Equal(t, aggregate.CauseCompute, got.Cause)
	require.Contains(t, got.Reason, "panicked")
	r.Compute = func([]float64) (float64, error) { return 1, errors.New("no such thing") }
	require.Equal(t, "no such thing", derive(r, system("m", value(hr, "80", perMin), value(sys, "100", mmHg))).Reason)
}

// points is a history of one metric.
type points struct {
	list []station.Point
	last station.Query
}

func (p *points) Points(q station.Query) []station.Point {
	p.last = q
	return p.list
}

func TestMeanOverAWindow(t *testing.T) {
	rule := aggregate.Mean("m", "Mean", aggregate.Input{Label: "ABP", Unit: aggregate.MDC(mmHg, "", ""), From: []aggregate.Source{{Code: station.MDC(meanABP)}}}, dec("0.1"), time.Minute)
	require.NoError(t, rule.Validate())
	point := func(ago time.Duration, v float64, validity pm.MeasurementValidity) station.Point {
		return station.Point{Time: now.Add(-ago), Value: v, Validity: validity}
	}
	s := time.Second
	for name, c := range map[string]struct {
		list  []station.Point
		want  string
		valid pm.MeasurementValidity
	}{
		"weighted by time":               {[]station.Point{point(60*s, 60, "Vld"), point(50*s, 90, "Vld"), point(40*s, 90, "Vld"), point(30*s, 90, "Vld"), point(15*s, 90, "Vld")}, "85.0", "Vld"},
		"just begun":                     {[]station.Point{point(20*s, 60, "Vld"), point(10*s, 90, "Vld")}, "", "Ong"},
		"nothing":                        {nil, "", "Ong"},
		"a short gap":                    {[]station.Point{point(60*s, 80, "Vld"), point(50*s, 0, "Inv"), point(45*s, 80, "Vld"), point(30*s, 80, "Vld"), point(15*s, 80, "Vld")}, "80.0", "Vld"},
		"mostly invalid":                 {[]station.Point{point(60*s, 80, "Vld"), point(50*s, 0, "Inv"), point(15*s, 80, "Vld")}, "", "Ong"},
		"one value is not held for long": {[]station.Point{point(60*s, 80, "Vld"), point(1*s, 80, "Vld")}, "", "Ong"},
		"questionable":                   {[]station.Point{point(60*s, 80, "Vld"), point(45*s, 80, "Qst"), point(30*s, 80, "Vld"), point(15*s, 80, "Vld")}, "80.0", "Qst"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &points{list: c.list}
			v := view(system("m", value(meanABP, "90", mmHg)))
			got := aggregate.Derive(v, "p", now, &rule, aggregate.Options{History: h})
			text := ""
			if v, ok := got.Value.Get(); ok {
				text = v.String()
				require.Equal(t, now.Add(-time.Minute), got.Start)
			}
			require.Equal(t, c.want, text, got.Reason)
			require.Equal(t, c.valid, got.Validity)
			require.Equal(t, v.Patients[0], h.last.Patient, "values of the patient only")
			require.Equal(t, now.Add(-time.Minute), h.last.Since)
			require.Equal(t, station.Ref{Device: "m", Handle: meanABP}, h.last.Ref)
		})
	}
	require.Equal(t, aggregate.CauseGathering, derive(rule, system("m", value(meanABP, "90", mmHg))).Cause, "without a history there is no mean")
	// The unit of the device is converted, here to mmHg.
	h := &points{list: []station.Point{point(60*s, 12, "Vld"), point(45*s, 12, "Vld"), point(30*s, 12, "Vld"), point(15*s, 12, "Vld")}}
	got := aggregate.Derive(view(system("m", value(meanABP, "12", kPa))), "p", now, &rule, aggregate.Options{History: h})
	require.Equal(t, dec("90.0"), got.Value.Or(pm.Decimal{}))
}

// Whatever devices, patients, places, ages and grades there are: the inputs of a result are of the one patient, it is never better or younger than any
// of them, and never frozen.
func TestAResultIsNeverBetterThanItsInputs(t *testing.T) {
	rank := map[pm.MeasurementValidity]int{"Vld": 2, "Vldated": 2, "Qst": 1}
	rapid.Check(t, func(t *rapid.T) {
		owner := map[*station.Value]string{}
		v := &station.View{Time: now}
		for p := range 3 {
			key := fmt.Sprint("p", p)
			patient := &station.Patient{Key: key}
			for d := range rapid.IntRange(0, 3).Draw(t, "devices") {
				var values []*station.Value
				for _, code := range []string{hr, pulse, sys, cuff} {
					if !rapid.Bool().Draw(t, "has") {
						continue
					}
					unit := map[string]string{hr: perMin, pulse: perMin, sys: mmHg, cuff: kPa}[code]
					val := value(code, rapid.SampledFrom([]string{"", "0", "-1", "10", "80", "120.5"}).Draw(t, "number"), unit,
						validity(rapid.SampledFrom([]pm.MeasurementValidity{"Vld", "Vldated", "Qst", "Inv", "NA", "Ong", "Calib", "Oflw", ""}).Draw(t, "validity")),
						age(time.Duration(rapid.IntRange(0, 400).Draw(t, "age"))*time.Second), period(time.Duration(rapid.IntRange(0, 100).Draw(t, "period"))*time.Second))
					val.Former, val.Stale = rapid.IntRange(0, 9).Draw(t, "former") == 0, rapid.IntRange(0, 9).Draw(t, "stale") == 0
					owner[val] = key
					values = append(values, val)
				}
				s := at(sdc.LocationDetail{PoC: rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "place")}, system(fmt.Sprint(key, "d", d), values...))
				s.Clock.Known = rapid.Bool().Draw(t, "clock")
				patient.Systems = append(patient.Systems, s)
			}
			v.Patients = append(v.Patients, patient)
		}
		rules := aggregate.BuiltIn()
		rule := &rules[rapid.SampledFrom([]int{0, 6}).Draw(t, "rule")]
		key := fmt.Sprint("p", rapid.IntRange(0, 2).Draw(t, "patient"))
		got := aggregate.Derive(v, key, now, rule, aggregate.Options{})
		_, graded := rank[got.Validity]
		require.Equal(t, got.Value.IsSet(), graded, "a value that may be used, or none: %+v", got)
		places := map[string]bool{}
		for _, in := range got.Inputs {
			if in.Value == nil {
				require.False(t, got.Value.IsSet())
				continue
			}
			require.Equal(t, key, owner[in.Value], "an input of another patient")
			if !got.Value.IsSet() {
				continue
			}
			require.True(t, in.Value.Status(now).Usable())
			require.LessOrEqual(t, rank[got.Validity], rank[in.Value.Validity])
			require.False(t, got.Determined.After(in.Value.Determined))
			if p := in.Value.Patience(); p > 0 {
				require.False(t, got.Determined.Add(got.Lifetime).After(in.Value.Determined.Add(p)), "it outlives an input")
				require.Positive(t, got.Lifetime)
			}
			for _, s := range v.Patients[key[1]-'0'].Systems {
				if s.Device == in.Value.Device && s.Location.Detail.PoC != "" {
					places[s.Location.Detail.PoC] = true
				}
			}
		}
		require.LessOrEqual(t, len(places), 1, "inputs of two places")
	})
}
