package workflow

import (
	"time"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/station"
)

// Workflow is what devices do together. The zero value of a field means that it is not asked for.
type Workflow struct {
	// Name is a short name of letters, digits and hyphens; Title and Description are for people.
	Name        string `yaml:"workflow"`
	Version     int    `yaml:"version"`
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
	// Systems are short names of coding systems: with "x" in it, "x:word" is the code word of that system. A code without a colon is one of
	// ISO/IEEE 11073-10101.
	Systems map[string]string `yaml:"systems"`
	// Parameters are texts given to a run, used as ${name}.
	Parameters []Parameter `yaml:"parameters"`
	// Devices are the parts that devices play.
	Devices []Part `yaml:"devices"`
	// Same lists what all devices must have in common: patient, location, ensemble. It is watched until the end.
	Same []Sharing `yaml:"same"`
	// Limit is the longest time of a run without undoing; 0 is none, which only a workflow that repeats may have.
	Limit time.Duration `yaml:"limit"`
	// Repeat begins again with the first step when the last has ended well.
	Repeat bool `yaml:"repeat"`
	// Start must hold before anything is done.
	Start []Condition `yaml:"start"`
	Steps []Step      `yaml:"steps"`
}

// Parameter is a text given to a run.
type Parameter struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Default is used if none is given; without one the parameter is needed.
	Default *string `yaml:"default"`
}

// Part is what a device, or with Many several, are there for.
type Part struct {
	// Name is how steps call it.
	Name string `yaml:"name"`
	// Types are codes of the type of the MDS, any of which will do; none takes every device.
	Types []string `yaml:"types"`
	// Operations are codes of operations that a device must have to be able to play the part. Of those that have not, which stand where the workflow runs, people are
	// told.
	Operations []string `yaml:"operations"`
	// Many takes every device that matches, one at least. Without it exactly one must match. So that none is forgotten, a run does not begin before
	// all that are known are live and no other has come for a while (Options.Settle).
	Many bool `yaml:"many"`
}

// Sharing is something that devices have in common.
type Sharing string

// What devices can have in common.
const (
	SamePatient  Sharing = "patient"
	SameLocation Sharing = "location"
	SameEnsemble Sharing = "ensemble"
)

// Step is one step. Exactly one of Check, Await, Confirm, Do, Hold, Release and Report is set.
type Step struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"`
	// Check must hold now.
	Check []Condition `yaml:"check"`
	// Await must come to hold within Within, or Forever.
	Await []Condition `yaml:"await"`
	// Confirm is a question that a person must say yes to within Within.
	Confirm string `yaml:"confirm"`
	// Do invokes an operation.
	Do *Action `yaml:"do"`
	// Hold invokes an operation again and again until the step is released, at the latest at the end.
	Hold *Hold `yaml:"hold"`
	// Release ends the hold of the step with this id.
	Release string `yaml:"release"`
	// Report puts values into the result.
	Report []Item `yaml:"report"`

	Within  time.Duration `yaml:"within"`
	Forever bool          `yaml:"forever"`
	// Guard must hold from the end of this step on until the step Until begins, or until the workflow ends. If it does not, the workflow fails at
	// once, whatever it is doing.
	Guard []Condition `yaml:"guard"`
	Until string      `yaml:"until"`
}

// Call is one invocation of an operation.
type Call struct {
	// At is the part whose device is asked; of a part with Many, each in turn.
	At string `yaml:"at"`
	// Operation is the code of the operation's type, Handle its handle; one of them is set.
	Operation string `yaml:"operation"`
	Handle    string `yaml:"handle"`
	// Value is the number or text to set, Arguments those of an Activate operation.
	Value     string   `yaml:"value"`
	Arguments []string `yaml:"arguments"`
	// Patient and Location are for operations that set contexts.
	Patient  *Patient `yaml:"patient"`
	Location string   `yaml:"location"` // fac=..,poc=..,bed=..
	// Timeout bounds the invocation; 0 is 10 s.
	Timeout time.Duration `yaml:"timeout"`
	// Expect must come to hold within ExpectWithin (0 is 5 s): that an operation was accepted does not say that it has had its effect.
	Expect       []Condition   `yaml:"expect"`
	ExpectWithin time.Duration `yaml:"expect-within"`
	// Request makes the request in the place of Value, Arguments, Patient and Location; for workflows in Go.
	Request func(*station.System, *station.Operation) (msg.SetRequest, error) `yaml:"-" json:"-"`
}

// Patient names a patient. Root and ID are needed.
type Patient struct {
	Root   string `yaml:"root"`
	ID     string `yaml:"id"`
	Family string `yaml:"family"`
	Given  string `yaml:"given"`
}

// Action is a call with what undoes it. One of Undo, Restore and NoUndo is set.
type Action struct {
	Call `yaml:",inline"`
	// When must hold right before the invocation.
	When []Condition `yaml:"when"`
	// Undo is invoked if the workflow fails later, in this order.
	Undo []Call `yaml:"undo"`
	// Restore sets what was there before: for operations that set a number, a text or a context.
	Restore bool `yaml:"restore"`
	// NoUndo says why nothing has to be undone.
	NoUndo string `yaml:"no-undo"`
}

// Hold is a call that is repeated to go on having its effect. The operation must be one that the device ends by itself.
type Hold struct {
	Call `yaml:",inline"`
	When []Condition `yaml:"when"`
	// Renew is the time between two invocations, at most 45 % of what the device allows, so that one may be lost.
	Renew time.Duration `yaml:"renew"`
	// Limit is the longest time from the first invocation to the release.
	Limit time.Duration `yaml:"limit"`
	// Undo is invoked when the workflow fails, End when the step is released in good order; without End it is Undo as well.
	Undo []Call `yaml:"undo"`
	End  []Call `yaml:"end"`
}

// Item is something to report.
type Item struct {
	Text string `yaml:"text"`
	// At and Value name a value to add; Role is setting or measured.
	At    string       `yaml:"at"`
	Value string       `yaml:"value"`
	Role  station.Role `yaml:"role"`
	// Conditions are each reported as "ok", "NOT OK" or "not known", and do not make the workflow fail.
	Conditions []Condition `yaml:"conditions"`
}

// Condition is something about the devices that holds, does not, or is not known. Either one of All, Any, None and Of is set, or At with
// what to look at.
type Condition struct {
	// Text is for people.
	Text string `yaml:"text"`
	// All must hold, any of Any, none of None, at least AtLeast of Of.
	All     []Condition `yaml:"all"`
	Any     []Condition `yaml:"any"`
	None    []Condition `yaml:"none"`
	AtLeast int         `yaml:"at-least"`
	Of      []Condition `yaml:"of"`
	// For is how long it must have held without a break while it was looked at.
	For time.Duration `yaml:"for"`

	// At is the part to look at; of a part with Many, every device that has what is looked at, and one at least.
	At string `yaml:"at"`
	// Live asks whether the device is live. All others imply it.
	Live bool `yaml:"live"`
	// Patient is the identifier of the patient, root|id, that the device must be associated with; Location the place, fac=..,poc=..,bed=..
	Patient  string `yaml:"patient"`
	Location string `yaml:"location"`
	// Value is the code of a metric, Role tells a setting from a measurement (the default is measured). Without a comparison it asks whether the
	// value is usable, which always is known. With one it is not known while the value is not usable.
	Value string       `yaml:"value"`
	Role  station.Role `yaml:"role"`
	// Below, Above, Least and Most compare a number, Equals a number or text, Among one of several texts.
	Below  *float64 `yaml:"below"`
	Above  *float64 `yaml:"above"`
	Least  *float64 `yaml:"least"`
	Most   *float64 `yaml:"most"`
	Equals *string  `yaml:"equals"`
	Among  []string `yaml:"among"`
	// Age is the oldest that the value may be, beyond what the device itself promises.
	Age time.Duration `yaml:"age"`
	// Alert is the code of an alert condition: it must be present, or with Absent must not.
	Alert  string `yaml:"alert"`
	Absent bool   `yaml:"absent"`
	// Watched asks of an alert condition that it is watched, Lower and Upper that its limits are watched and lie within a range.
	Watched bool   `yaml:"watched"`
	Lower   *Range `yaml:"lower"`
	Upper   *Range `yaml:"upper"`
	// Operation is the code of an operation that must be possible now.
	Operation string `yaml:"operation"`
	// Test decides in the place of all others; for workflows in Go.
	Test func(Scene) (Truth, string) `yaml:"-" json:"-"`
}

// Range is an interval, both ends included.
type Range struct {
	From float64 `yaml:"from"`
	To   float64 `yaml:"to"`
}

// Scene is what a Test looks at.
type Scene struct {
	// View is the newest view, Time now.
	View *station.View
	Time time.Time
	// Parts are the bound systems by part as View shows them; of a device that has left it lacks the system.
	Parts map[string][]*station.System
}

// Defaults of a Call.
const (
	defaultTimeout = 10 * time.Second
	defaultExpect  = 5 * time.Second
)
