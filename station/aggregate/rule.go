package aggregate

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/unit"
)

// Rule says how a value is derived. It is not changed once in use.
type Rule struct {
	// Name is part of the handles: lower-case letters, digits and hyphens.
	Name string
	// Type and Unit are those of the result.
	Type, Unit pm.CodedValue
	// Resolution is what the result is rounded to: 1, 0.1, 0.01 and so on.
	Resolution pm.Decimal
	// Range is what results can lie in. Beyond it the validity is Oflw or Uflw, without a value.
	Range pm.Range
	// Inputs are what the value is derived from.
	Inputs []Input
	// Compute derives the value from the inputs, in their units and order. A [Doubt] for an error makes the value questionable, any other error means that
	// there is none, as does a result that is no finite number, or a panic. It is called often and must not block.
	Compute func(x []float64) (float64, error)
	// Distinct asks for inputs from different metrics, where several have the same code.
	Distinct bool
	// Skew is how far apart in time measured inputs may have been determined; beyond it the value is questionable, and beyond MaxSkew there is none. 0 is
	// 10 s, and three times Skew.
	Skew, MaxSkew time.Duration
	// Window, if not 0, has each measured input be its mean over that time, at most 10 min. Three quarters of it must be covered by usable values in the
	// history of the station, which has to reach that far (station.HistoryConfig.Detail).
	Window time.Duration
	// Interval is the least time between two values that are published; 0 is 1 s. That there is none any more is told at once.
	Interval time.Duration
	// Alarm, if not nil, is raised by the result.
	Alarm *Alarm
}

// Input is one thing that a value is derived from.
type Input struct {
	// Label is for people.
	Label string
	// Unit is what the input is converted to before Compute sees it; station/unit must know it.
	Unit pm.CodedValue
	// From are the metrics that may provide it. Of those that are equally good, the first is used.
	From []Source
}

// Source is a kind of metric that may provide an input, at any body site.
type Source struct {
	Code station.Code
	// Role is station.Measured unless told otherwise; inputs of other roles are in force until they are changed, so Skew does not apply.
	Role station.Role
	// Doubt, if not "", says why a value derived from it is questionable at best.
	Doubt string
}

// Alarm is a technical condition of low priority that is present while the result is above Limit for After.
type Alarm struct {
	Type  pm.CodedValue
	Limit pm.Decimal
	After time.Duration
	// Cause and Remedy are for people.
	Cause, Remedy string
}

// Doubt is an error of Compute that comes with a value: why it is questionable.
type Doubt string

func (d Doubt) Error() string { return string(d) }

const (
	defaultSkew     = 10 * time.Second
	defaultInterval = time.Second
	maxWindow       = 10 * time.Minute
	maxInputs       = 8
	maxSources      = 16
)

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,47}$`)

// Validate tells everything that is wrong with a rule.
func (r *Rule) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !ruleName.MatchString(r.Name) {
		bad("the name is not made of lower-case letters, digits and hyphens")
	}
	if r.Type.Code == "" || r.Unit.Code == "" {
		bad("the result needs a type and a unit")
	}
	if _, ok := digits(r.Resolution); !ok {
		bad("the resolution %s is none of 1, 0.1, 0.01 and so on", r.Resolution)
	}
	if r.Compute == nil {
		bad("Compute is missing")
	}
	if len(r.Inputs) == 0 || len(r.Inputs) > maxInputs {
		bad("there must be 1 to %d inputs", maxInputs)
	}
	for _, in := range r.Inputs {
		if _, err := unit.Of(&in.Unit); err != nil {
			bad("input %q: %w", in.Label, err)
		}
		if len(in.From) == 0 || len(in.From) > maxSources {
			bad("input %q must have 1 to %d sources", in.Label, maxSources)
		}
		for _, s := range in.From {
			if s.Code.Code == "" {
				bad("input %q: a source has no code", in.Label)
			}
			switch s.Role {
			case "", station.Measured, station.Setting, station.Preset, station.Recommended:
			default:
				bad("input %q: %q is no role", in.Label, s.Role)
			}
		}
	}
	if r.Skew < 0 || r.MaxSkew < 0 || r.Window < 0 || r.Interval < 0 {
		bad("no duration may be negative")
	}
	if r.MaxSkew > 0 && r.MaxSkew < r.skew() {
		bad("MaxSkew must not be below Skew")
	}
	if r.Window > maxWindow {
		bad("the window is longer than %s", maxWindow)
	}
	if a := r.Alarm; a != nil && (a.Type.Code == "" || a.After < 0 || a.Limit.Sign() < 0) {
		bad("the alarm needs a type, and neither Limit nor After may be negative")
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("rule %q: %w", r.Name, err)
	}
	return nil
}

func (r *Rule) skew() time.Duration {
	if r.Skew == 0 {
		return defaultSkew
	}
	return r.Skew
}

func (r *Rule) maxSkew() time.Duration {
	if r.MaxSkew == 0 {
		return 3 * r.skew()
	}
	return r.MaxSkew
}

func (r *Rule) interval() time.Duration {
	if r.Interval == 0 {
		return defaultInterval
	}
	return r.Interval
}

func (s Source) role() station.Role {
	if s.Role == "" {
		return station.Measured
	}
	return s.Role
}

// digits are those after the point of a resolution; false unless it is 1, 0.1, 0.01 and so on.
func digits(resolution pm.Decimal) (int, bool) {
	one := pm.NewDecimal(1, 0)
	for n := range 10 {
		if resolution.Cmp(one) == 0 {
			return n, true
		}
		one = pm.NewDecimal(1, n+1)
	}
	return 0, false
}
