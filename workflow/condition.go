package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// Truth is whether a condition holds.
type Truth uint8

const (
	// Unknown means that the devices do not tell now: a value is missing, stale, old, invalid or of the patient before.
	Unknown Truth = iota
	// False and True are known.
	False
	True
)

// String returns the name in lower case.
func (t Truth) String() string {
	switch t {
	case Unknown:
		return "unknown"
	case False:
		return "false"
	case True:
		return "true"
	}
	return fmt.Sprintf("truth %d", uint8(t))
}

// MarshalText is String, for the audit.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *Truth) UnmarshalText(text []byte) error {
	for _, v := range []Truth{Unknown, False, True} {
		if v.String() == string(text) {
			*t = v
			return nil
		}
	}
	return fmt.Errorf("%q is no truth", text)
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Evidence is what a condition was judged by.
type Evidence struct {
	// Text is the condition for people.
	Text string `json:"text"`
	// Truth is the verdict; Why says more.
	Truth Truth  `json:"truth"`
	Why   string `json:"why,omitempty"`
	// Device and Handle are what was looked at, if it is one thing.
	Device string `json:"device,omitempty"`
	Handle string `json:"handle,omitempty"`
	// Value is what it was, Determined when that was determined by the clock of the station.
	Value      string    `json:"value,omitempty"`
	Determined time.Time `json:"determined,omitzero"`
}

// judge evaluates conditions. It remembers since when they have held.
type judge struct {
	w     *Workflow
	scene Scene
	args  map[string]string
	since map[*Condition]time.Time
}

// all is the conjunction of a list, with the evidence of its atoms.
func (j *judge) all(list []Condition) (Truth, []Evidence) {
	t, evidence := True, []Evidence(nil)
	for i := range list {
		one, e := j.condition(&list[i])
		evidence = append(evidence, e...)
		t = and(t, one)
	}
	return t, evidence
}

// forget begins anew with the times that conditions must hold for.
func (j *judge) forget(list []Condition) {
	for i := range list {
		c := &list[i]
		delete(j.since, c)
		for _, l := range [][]Condition{c.All, c.Any, c.None, c.Of} {
			j.forget(l)
		}
	}
}

func and(a, b Truth) Truth {
	switch {
	case a == False || b == False:
		return False
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return True
}

func not(a Truth) Truth {
	switch a {
	case True:
		return False
	case False:
		return True
	case Unknown:
	}
	return Unknown
}

func (j *judge) condition(c *Condition) (Truth, []Evidence) {
	t, evidence := j.now(c)
	if c.For == 0 {
		return t, evidence
	}
	if t != True {
		delete(j.since, c)
		return t, evidence
	}
	since, ok := j.since[c]
	if !ok {
		since = j.scene.Time
		j.since[c] = since
	}
	held := j.scene.Time.Sub(since)
	if held >= c.For {
		return True, evidence
	}
	return False, append(evidence, Evidence{Text: c.describe(), Truth: False, Why: fmt.Sprintf("holds for %v, not for %v yet", held, c.For)})
}

func (j *judge) now(c *Condition) (Truth, []Evidence) {
	switch {
	case c.Test != nil:
		t, why := c.Test(j.scene)
		return t, []Evidence{{Text: c.Text, Truth: t, Why: why}}
	case c.All != nil:
		return j.all(c.All)
	case c.Any != nil:
		return j.count(c.Any, 1)
	case c.None != nil:
		t, e := j.count(c.None, 1)
		return not(t), e
	case c.Of != nil:
		return j.count(c.Of, c.AtLeast)
	}
	return j.atom(c)
}

// count asks whether at least n of a list hold.
func (j *judge) count(list []Condition, n int) (Truth, []Evidence) {
	var evidence []Evidence
	yes, maybe := 0, 0
	for i := range list {
		t, e := j.condition(&list[i])
		evidence = append(evidence, e...)
		switch t {
		case True:
			yes++
		case Unknown:
			maybe++
		case False:
		}
	}
	switch {
	case yes >= n:
		return True, evidence
	case yes+maybe >= n:
		return Unknown, evidence
	}
	return False, evidence
}

// atom looks at every system of a part. Those that lack what is looked at do not count, but one must have it.
func (j *judge) atom(c *Condition) (Truth, []Evidence) {
	t, evidence, found := True, []Evidence(nil), false
	for _, s := range j.scene.Parts[c.At] {
		e, has := j.look(c, s)
		if !has {
			continue
		}
		found = true
		e.Text, e.Device = c.describe(), s.Device
		evidence = append(evidence, e)
		t = and(t, e.Truth)
	}
	if !found {
		return Unknown, []Evidence{{Text: c.describe(), Truth: Unknown, Why: "no device of this part tells of it"}}
	}
	return t, evidence
}

// look looks at one system; false says that it has no such thing.
func (j *judge) look(c *Condition, s *station.System) (Evidence, bool) {
	switch {
	case c.Live:
		return Evidence{Truth: truth(s.Live()), Value: string(s.Link.State)}, true
	case c.Patient != "" || c.Location != "":
		return j.context(c, s), true
	case c.Value != "":
		code, _ := j.w.code(c.Value)
		return j.value(c, s, code)
	case c.Alert != "":
		code, _ := j.w.code(c.Alert)
		i := slices.IndexFunc(s.Alerts, func(a *station.Alert) bool { return a.Code == code })
		if i < 0 {
			return Evidence{}, false
		}
		return alert(c, s, s.Alerts[i]), true
	}
	code, _ := j.w.code(c.Operation)
	i := slices.IndexFunc(s.Operations, func(o *station.Operation) bool { return o.Code == code })
	if i < 0 {
		return Evidence{}, false
	}
	o := s.Operations[i]
	e := Evidence{Handle: o.Handle, Truth: Unknown, Why: "the device is not live"}
	if s.Live() {
		e = Evidence{Handle: o.Handle, Truth: truth(o.Mode == pm.OperatingModeEn), Value: string(o.Mode)}
	}
	return e, true
}

// context asks for the patient or the place of a system.
func (j *judge) context(c *Condition, s *station.System) Evidence {
	if !s.Live() {
		return Evidence{Why: "the device is not live"}
	}
	if c.Patient != "" {
		want, ids := fill(c.Patient, j.args), s.Patient.IDs
		is := s.Patient.Association == station.Associated && slices.ContainsFunc(ids, func(i station.Identifier) bool { return i.String() == want })
		return Evidence{Truth: truth(is), Value: s.Patient.String()}
	}
	detail, err := sdc.ParseLocationDetail(fill(c.Location, j.args))
	if err != nil {
		return Evidence{Why: err.Error()}
	}
	return Evidence{Truth: truth(s.Location.Association == station.Associated && s.Location.Detail == detail), Value: s.Location.Detail.String()}
}

func findValue(s *station.System, code station.Code, role station.Role) *station.Value {
	if role == "" {
		role = station.Measured
	}
	for _, v := range s.Values {
		if v.Meaning.Code == code && v.Meaning.Role == role {
			return v
		}
	}
	return nil
}

func (j *judge) value(c *Condition, s *station.System, code station.Code) (Evidence, bool) {
	v := findValue(s, code, c.Role)
	if v == nil {
		return Evidence{}, false
	}
	e := Evidence{Handle: v.Handle, Value: shown(v), Determined: v.Determined}
	if !c.compares() {
		e.Truth = False
	}
	status := v.Status(j.scene.Time)
	switch {
	case !s.Live():
		e.Why = "the device is not live"
		return e, true
	case !status.Usable():
		e.Why = "the value is " + string(status)
		return e, true
	case c.Age > 0 && v.Age(j.scene.Time) > c.Age:
		e.Why = fmt.Sprintf("the value is %v old", v.Age(j.scene.Time).Round(time.Millisecond))
		return e, true
	}
	e.Truth = True
	if c.Equals != nil {
		e.Truth = and(e.Truth, equals(v, fill(*c.Equals, j.args)))
	}
	if c.Among != nil {
		e.Truth = and(e.Truth, truth(slices.Contains(c.Among, v.Text)))
	}
	number, isNumber := v.Float()
	for _, b := range []struct {
		bound *float64
		holds func(b float64) bool
	}{
		{c.Below, func(b float64) bool { return number < b }},
		{c.Above, func(b float64) bool { return number > b }},
		{c.Least, func(b float64) bool { return number >= b }},
		{c.Most, func(b float64) bool { return number <= b }},
	} {
		if b.bound == nil {
			continue
		}
		if !isNumber {
			e.Truth, e.Why = Unknown, "the value is no number"
			return e, true
		}
		e.Truth = and(e.Truth, truth(b.holds(*b.bound)))
	}
	return e, true
}

// compares tells whether a condition about a value asks for more than that it is usable.
func (c *Condition) compares() bool {
	return c.Below != nil || c.Above != nil || c.Least != nil || c.Most != nil || c.Equals != nil || c.Among != nil
}

func equals(v *station.Value, want string) Truth {
	if n, ok := v.Number.Get(); ok {
		d, err := pm.ParseDecimal(want)
		return truth(err == nil && n.Cmp(d) == 0)
	}
	return truth(v.Text == want)
}

func shown(v *station.Value) string {
	text := v.Text
	if n, ok := v.Number.Get(); ok {
		text = n.String()
	}
	if v.Unit.Text != "" {
		text += " " + v.Unit.Text
	}
	return text
}

func alert(c *Condition, s *station.System, a *station.Alert) Evidence {
	e := Evidence{Handle: a.Handle}
	watched := a.Activation == pm.AlertActivationOn && a.System == pm.AlertActivationOn
	asksState := c.Watched || c.Lower != nil || c.Upper != nil
	switch {
	case !s.Live() || a.Stale:
		e.Why = "the device is not live"
	case asksState:
		e.Truth, e.Why = limits(c, a, watched)
	case !watched:
		// It would not be present if it were there.
		e.Why = "the alert is not being watched"
	default:
		e.Truth, e.Value = truth(a.Present != c.Absent), fmt.Sprintf("present: %v", a.Present)
	}
	return e
}

// limits asks whether an alert is watched and its limits lie where they should.
func limits(c *Condition, a *station.Alert, watched bool) (Truth, string) {
	if !watched {
		return False, "the alert is not being watched"
	}
	for _, side := range []struct {
		name string
		want *Range
		off  pm.AlertConditionMonitoredLimits
		have func(*pm.Range) pm.Opt[pm.Decimal]
	}{
		{"lower", c.Lower, pm.AlertConditionMonitoredLimitsLoOff, func(r *pm.Range) pm.Opt[pm.Decimal] { return r.Lower }},
		{"upper", c.Upper, pm.AlertConditionMonitoredLimitsHiOff, func(r *pm.Range) pm.Opt[pm.Decimal] { return r.Upper }},
	} {
		if side.want == nil {
			continue
		}
		if a.Limits == nil {
			return False, "the alert has no limits"
		}
		limit, ok := side.have(a.Limits).Get()
		if !ok || a.Monitored == side.off || a.Monitored == pm.AlertConditionMonitoredLimitsNone {
			return False, "the " + side.name + " limit is off"
		}
		if v := limit.Float64(); v < side.want.From || v > side.want.To {
			return False, fmt.Sprintf("the %s limit is %s, not within %g to %g", side.name, limit, side.want.From, side.want.To)
		}
	}
	return True, ""
}

// describe is the condition for people.
func (c *Condition) describe() string {
	if c.Text != "" {
		return c.Text
	}
	var b strings.Builder
	switch {
	case c.Live:
		fmt.Fprintf(&b, "%s is live", c.At)
	case c.Value != "":
		fmt.Fprintf(&b, "%s of %s", c.Value, c.At)
		for _, x := range []struct {
			op    string
			bound *float64
		}{{"<", c.Below}, {">", c.Above}, {">=", c.Least}, {"<=", c.Most}} {
			if x.bound != nil {
				fmt.Fprintf(&b, " %s %g", x.op, *x.bound)
			}
		}
		if c.Equals != nil {
			fmt.Fprintf(&b, " = %q", *c.Equals)
		}
		if c.Among != nil {
			fmt.Fprintf(&b, " among %q", c.Among)
		}
	case c.Alert != "":
		fmt.Fprintf(&b, "alert %s of %s", c.Alert, c.At)
		if c.Absent {
			b.WriteString(" absent")
		}
	case c.Patient != "":
		fmt.Fprintf(&b, "%s has the patient %s", c.At, c.Patient)
	case c.Location != "":
		fmt.Fprintf(&b, "%s is at %s", c.At, c.Location)
	case c.Operation != "":
		fmt.Fprintf(&b, "operation %s of %s enabled", c.Operation, c.At)
	default:
		b.WriteString("condition")
	}
	return b.String()
}
