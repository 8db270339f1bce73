package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// Problem is something that is wrong with a workflow.
type Problem struct {
	// Path is where: "$.steps[2].do.undo[0]".
	Path string
	// Line and Column are 1-based places in the YAML; 0 for a workflow made in Go.
	Line, Column int
	Message      string
}

func (p Problem) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.Path, p.Message)
	}
	return p.Path + ": " + p.Message
}

// InvalidError says everything that is wrong with a workflow.
type InvalidError struct{ Problems []Problem }

func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return "workflow: " + strings.Join(lines, "\n")
}

// Limits of a workflow, against definitions that nobody could have meant.
const (
	maxSteps      = 200
	maxConditions = 100 // of one list
	maxDepth      = 8   // of conditions within one another
	maxAttempts   = 4   // of each undoing
)

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	parameter = regexp.MustCompile(`\$\{([^}]*)\}`)
)

// Validate tells everything that is wrong, as an *InvalidError.
func (w *Workflow) Validate() error {
	v := validator{w: w}
	v.workflow()
	if len(v.problems) > 0 {
		return &InvalidError{v.problems}
	}
	return nil
}

type validator struct {
	w        *Workflow
	problems []Problem
}

func (v *validator) bad(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (v *validator) workflow() {
	w := v.w
	if !nameForm.MatchString(w.Name) {
		v.bad("$.workflow", "a name of small letters, digits and hyphens is needed, not %q", w.Name)
	}
	if w.Version < 1 {
		v.bad("$", "a version is needed, 1 or more")
	}
	for i, p := range w.Parameters {
		path := fmt.Sprintf("$.parameters[%d]", i)
		if !nameForm.MatchString(p.Name) {
			v.bad(path, "a name of small letters, digits and hyphens is needed, not %q", p.Name)
		}
		if slices.ContainsFunc(w.Parameters[:i], func(o Parameter) bool { return o.Name == p.Name }) {
			v.bad(path, "the parameter %q is there twice", p.Name)
		}
	}
	v.devices()
	for i, s := range w.Same {
		if s != SamePatient && s != SameLocation && s != SameEnsemble {
			v.bad(fmt.Sprintf("$.same[%d]", i), "%q is none of patient, location and ensemble", string(s))
		}
	}
	switch {
	case w.Limit < 0:
		v.bad("$.limit", "must not be negative")
	case w.Limit == 0 && !w.Repeat:
		v.bad("$", "a limit is needed: the longest time that a run may take")
	}
	v.conditions("$.start", w.Start)
	if len(w.Steps) == 0 || len(w.Steps) > maxSteps {
		v.bad("$", "1 to %d steps are needed, there are %d", maxSteps, len(w.Steps))
		return
	}
	for i := range w.Steps {
		v.step(i)
	}
}

func (v *validator) devices() {
	if len(v.w.Devices) == 0 {
		v.bad("$", "devices are needed")
	}
	for i, d := range v.w.Devices {
		path := fmt.Sprintf("$.devices[%d]", i)
		if !nameForm.MatchString(d.Name) {
			v.bad(path, "a name of small letters, digits and hyphens is needed, not %q", d.Name)
		}
		if slices.ContainsFunc(v.w.Devices[:i], func(o Part) bool { return o.Name == d.Name }) {
			v.bad(path, "the part %q is there twice", d.Name)
		}
		for j, t := range d.Types {
			v.code(fmt.Sprintf("%s.types[%d]", path, j), t)
		}
		for j, o := range d.Operations {
			v.code(fmt.Sprintf("%s.operations[%d]", path, j), o)
		}
	}
}

func (v *validator) step(i int) {
	s := &v.w.Steps[i]
	path := fmt.Sprintf("$.steps[%d]", i)
	if !nameForm.MatchString(s.ID) {
		v.bad(path, "an id of small letters, digits and hyphens is needed, not %q", s.ID)
	}
	if v.stepIndex(s.ID) < i {
		v.bad(path, "the id %q is there twice", s.ID)
	}
	kinds := 0
	for _, set := range []bool{s.Check != nil, s.Await != nil, s.Confirm != "", s.Do != nil, s.Hold != nil, s.Release != "", s.Report != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		v.bad(path, "exactly one of check, await, confirm, do, hold, release and report is needed, there are %d", kinds)
		return
	}
	v.conditions(path+".check", s.Check)
	waits := s.Await != nil || s.Confirm != ""
	switch {
	case s.Within < 0:
		v.bad(path+".within", "must not be negative")
	case waits && (s.Within > 0) == s.Forever:
		v.bad(path, "a step that waits needs one of within and forever")
	case !waits && (s.Within > 0 || s.Forever):
		v.bad(path, "within and forever are for steps that wait")
	case s.Forever && v.w.Limit > 0:
		v.bad(path+".forever", "does not go with the limit of the workflow")
	}
	v.conditions(path+".await", s.Await)
	v.text(path+".confirm", s.Confirm)
	v.conditions(path+".guard", s.Guard)
	switch {
	case s.Until != "" && s.Guard == nil:
		v.bad(path+".until", "is for a guard")
	case s.Until != "" && v.stepIndex(s.Until) <= i:
		v.bad(path+".until", "there is no later step %q", s.Until)
	}
	switch {
	case s.Do != nil:
		v.action(path+".do", s.Do)
	case s.Hold != nil:
		v.hold(path+".hold", s.Hold)
	case s.Release != "":
		if j := v.stepIndex(s.Release); j >= i || v.w.Steps[j].Hold == nil {
			v.bad(path+".release", "there is no earlier step %q that holds", s.Release)
		}
	}
	for j, item := range s.Report {
		at := fmt.Sprintf("%s.report[%d]", path, j)
		v.text(at, item.Text)
		if (item.At == "") != (item.Value == "") || item.At != "" && item.Conditions != nil {
			v.bad(at, "at and value go together, and not with conditions")
		}
		v.conditions(at+".conditions", item.Conditions)
		if item.At != "" {
			v.part(at, item.At)
			v.code(at+".value", item.Value)
			v.role(at, item.Role)
		}
	}
}

// stepIndex is the first step with the id, or one past the last.
func (v *validator) stepIndex(id string) int {
	i := slices.IndexFunc(v.w.Steps, func(s Step) bool { return s.ID == id })
	if i < 0 {
		return len(v.w.Steps)
	}
	return i
}

func (v *validator) action(path string, a *Action) {
	v.call(path, &a.Call)
	v.conditions(path+".when", a.When)
	ways := 0
	for _, set := range []bool{a.Undo != nil, a.Restore, a.NoUndo != ""} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		v.bad(path, "exactly one of undo, restore and no-undo is needed: what has to happen if the workflow fails later")
	}
	if a.Restore && a.Value == "" && a.Patient == nil && a.Location == "" {
		v.bad(path+".restore", "is for operations that set a value, a patient or a location")
	}
	v.undo(path+".undo", a.Undo)
}

func (v *validator) hold(path string, h *Hold) {
	v.call(path, &h.Call)
	v.conditions(path+".when", h.When)
	if h.Renew <= 0 || h.Limit <= 0 || h.Renew > h.Limit {
		v.bad(path, "renew and limit are needed, and renew must not be longer than limit")
	}
	if len(h.Undo) == 0 {
		v.bad(path, "undo is needed: what ends the hold")
	}
	v.undo(path+".undo", h.Undo)
	v.undo(path+".end", h.End)
}

func (v *validator) undo(path string, calls []Call) {
	for i := range calls {
		v.call(fmt.Sprintf("%s[%d]", path, i), &calls[i])
	}
}

func (v *validator) call(path string, c *Call) {
	v.part(path, c.At)
	if (c.Operation == "") == (c.Handle == "") {
		v.bad(path, "one of operation and handle is needed")
	}
	if c.Operation != "" {
		v.code(path+".operation", c.Operation)
	}
	given := 0
	for _, set := range []bool{c.Value != "", c.Arguments != nil, c.Patient != nil, c.Location != "", c.Request != nil} {
		if set {
			given++
		}
	}
	if given > 1 {
		v.bad(path, "only one of value, arguments, patient and location is possible")
	}
	v.text(path+".value", c.Value)
	for _, a := range c.Arguments {
		v.text(path+".arguments", a)
	}
	if p := c.Patient; p != nil {
		if p.Root == "" || p.ID == "" {
			v.bad(path+".patient", "root and id are needed")
		}
		for _, t := range []string{p.Root, p.ID, p.Family, p.Given} {
			v.text(path+".patient", t)
		}
	}
	v.text(path+".location", c.Location)
	if c.Location != "" && !strings.Contains(c.Location, "${") {
		if _, err := sdc.ParseLocationDetail(c.Location); err != nil {
			v.bad(path+".location", "%v", err)
		}
	}
	if c.Timeout < 0 || c.ExpectWithin < 0 {
		v.bad(path, "times must not be negative")
	}
	v.conditions(path+".expect", c.Expect)
}

func (v *validator) part(path, name string) {
	if !slices.ContainsFunc(v.w.Devices, func(p Part) bool { return p.Name == name }) {
		v.bad(path, "there is no device %q", name)
	}
}

func (v *validator) code(path, text string) {
	if _, err := v.w.code(text); err != nil {
		v.bad(path, "%v", err)
	}
}

func (v *validator) role(path string, r station.Role) {
	switch r {
	case "", station.Measured, station.Setting, station.Preset, station.Recommended:
	default:
		v.bad(path, "unknown role %q", string(r))
	}
}

// text checks the parameters that a text uses.
func (v *validator) text(path, t string) {
	for _, m := range parameter.FindAllStringSubmatch(t, -1) {
		if !slices.ContainsFunc(v.w.Parameters, func(p Parameter) bool { return p.Name == m[1] }) {
			v.bad(path, "there is no parameter %q", m[1])
		}
	}
}

func (v *validator) conditions(path string, list []Condition) { v.nested(path, list, 0) }

func (v *validator) nested(path string, list []Condition, depth int) {
	if list != nil && (len(list) == 0 || len(list) > maxConditions || depth > maxDepth) {
		v.bad(path, "1 to %d conditions are possible, %d within one another", maxConditions, maxDepth)
		return
	}
	for i := range list {
		v.condition(fmt.Sprintf("%s[%d]", path, i), &list[i], depth)
	}
}

func (v *validator) condition(path string, c *Condition, depth int) {
	if c.For < 0 || c.Age < 0 {
		v.bad(path, "times must not be negative")
	}
	looks := 0
	for _, set := range []bool{c.Live, c.Patient != "", c.Location != "", c.Value != "", c.Alert != "", c.Operation != ""} {
		if set {
			looks++
		}
	}
	kinds := 0
	for _, set := range []bool{c.All != nil, c.Any != nil, c.None != nil, c.Of != nil, c.At != "", c.Test != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 || (c.At != "") != (looks == 1) || looks > 1 {
		v.bad(path, "a condition is one of all, any, none and of, or at with one of live, patient, location, value, alert and operation")
		return
	}
	for _, l := range []struct {
		name string
		list []Condition
	}{{"all", c.All}, {"any", c.Any}, {"none", c.None}, {"of", c.Of}} {
		v.nested(path+"."+l.name, l.list, depth+1)
	}
	if (c.Of != nil) != (c.AtLeast != 0) || c.AtLeast < 0 || c.AtLeast > len(c.Of) {
		v.bad(path, "at-least goes with of, and is 1 to the number of conditions")
	}
	if c.At == "" {
		return
	}
	v.part(path, c.At)
	v.atom(path, c)
}

func (v *validator) atom(path string, c *Condition) {
	for _, code := range []struct{ name, value string }{{"value", c.Value}, {"alert", c.Alert}, {"operation", c.Operation}} {
		if code.value != "" {
			v.code(path+"."+code.name, code.value)
		}
	}
	v.role(path, c.Role)
	v.text(path+".patient", c.Patient)
	v.text(path+".location", c.Location)
	if (c.compares() || c.Age > 0 || c.Role != "") && c.Value == "" {
		v.bad(path, "comparisons are for values")
	}
	if c.Equals != nil {
		v.text(path+".equals", *c.Equals)
	}
	if (c.Absent || c.Watched || c.Lower != nil || c.Upper != nil) && c.Alert == "" {
		v.bad(path, "absent, watched, lower and upper are for alerts")
	}
	if c.Absent && (c.Watched || c.Lower != nil || c.Upper != nil) {
		v.bad(path, "absent asks something else than watched, lower and upper")
	}
}

// code resolves a code as it is written.
func (w *Workflow) code(text string) (station.Code, error) {
	short, word, ok := strings.Cut(text, ":")
	if !ok {
		for _, r := range text {
			if r < '0' || r > '9' {
				return station.Code{}, fmt.Errorf("%q is no number of the nomenclature; codes of another system are written system:code", text)
			}
		}
		if text == "" {
			return station.Code{}, fmt.Errorf("a code is needed")
		}
		return station.MDC(text), nil
	}
	system, ok := w.Systems[short]
	if !ok || word == "" {
		return station.Code{}, fmt.Errorf("%q: there is no coding system %q in systems", text, short)
	}
	return station.Code{System: system, Code: word}, nil
}

// arguments returns the parameters of a run, or what is wrong with those given.
func (w *Workflow) arguments(given map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range w.Parameters {
		v, ok := given[p.Name]
		switch {
		case ok:
			out[p.Name] = v
		case p.Default != nil:
			out[p.Name] = *p.Default
		default:
			return nil, fmt.Errorf("the parameter %q is needed: %s", p.Name, p.Title)
		}
	}
	for name := range given {
		if _, ok := out[name]; !ok {
			return nil, fmt.Errorf("there is no parameter %q", name)
		}
	}
	return out, nil
}

// fill puts parameters into a text.
func fill(text string, args map[string]string) string {
	return parameter.ReplaceAllStringFunc(text, func(m string) string { return args[m[2:len(m)-1]] })
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
