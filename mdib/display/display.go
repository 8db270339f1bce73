// Package display says how precisely numbers of a device are meant to be shown (SDPi R1015 to R1017).
package display

import (
	"math/big"
	"strings"

	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Step is the distance between two numbers that are told apart on a display.
type Step struct {
	// Width of the step, without zeros at the end that mean nothing: 0.01 for "0.0100". Above zero.
	Width pm.Decimal
	// From is a number that is shown as it is; the others lie whole steps away.
	From pm.Decimal
}

// StepFor returns the step for a value of a metric: of the range that holds the value, a physiological range of the state before a technical one of the descriptor, its
// display precision (mpkp:DisplayPrecision), else its step width; else the resolution of the metric (SDPi R1015, R1016). Zeros behind the last digit that
// counts mean nothing (R1017). ok is false if the metric has no numbers or nothing says how precise they are. s may be nil.
func StepFor(d pm.MetricDescriptor, s pm.MetricState, value pm.Decimal) (step Step, ok bool) {
	var resolution pm.Decimal
	var technical, physiological []pm.Range
	switch d := d.(type) {
	case *pm.NumericMetricDescriptor:
		resolution, technical = d.Resolution, d.TechnicalRange
	case *pm.RealTimeSampleArrayMetricDescriptor:
		resolution, technical = d.Resolution, d.TechnicalRange
	case *pm.DistributionSampleArrayMetricDescriptor:
		resolution, technical = d.Resolution, d.TechnicalRange
	default:
		return Step{}, false
	}
	switch s := s.(type) {
	case *pm.NumericMetricState:
		physiological = s.PhysiologicalRange
	case *pm.RealTimeSampleArrayMetricState:
		physiological = s.PhysiologicalRange
	case *pm.DistributionSampleArrayMetricState:
		physiological = s.PhysiologicalRange
	}
	for _, ranges := range [][]pm.Range{physiological, technical} {
		r := holding(ranges, value)
		if r == nil {
			continue
		}
		if width, ok, err := ext.DisplayPrecision(r.Extension); ok && err == nil && width.Sign() > 0 {
			return Step{Width: trim(width)}, true
		}
		if width, ok := r.StepWidth.Get(); ok && width.Sign() > 0 {
			return Step{Width: trim(width), From: r.Lower.Or(pm.Decimal{})}, true
		}
		break // this is the active range; that it says nothing leaves the resolution
	}
	if resolution.Sign() <= 0 {
		return Step{}, false
	}
	return Step{Width: trim(resolution)}, true
}

// holding returns the first range with the value in it.
func holding(ranges []pm.Range, value pm.Decimal) *pm.Range {
	for i := range ranges {
		if ranges[i].Contains(value) {
			return &ranges[i]
		}
	}
	return nil
}

// trim drops zeros at the end of the fraction.
func trim(d pm.Decimal) pm.Decimal {
	text := d.String()
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return pm.MustDecimal(text)
}

// Round returns the number that is shown for a value: the nearest one that is whole steps away from From, halves away from zero, with as many digits behind the point as
// the step (and From) has.
func (s Step) Round(value pm.Decimal) pm.Decimal {
	digits := max(fraction(s.Width), fraction(trim(s.From)))
	n := new(big.Rat).Sub(rat(value), rat(s.From))
	n.Quo(n, rat(s.Width))
	// Half a step further from zero, then cut off.
	half := big.NewRat(int64(n.Sign()), 2)
	n.Add(n, half)
	whole := new(big.Int).Quo(n.Num(), n.Denom())
	shown := new(big.Rat).Mul(new(big.Rat).SetInt(whole), rat(s.Width))
	return pm.MustDecimal(shown.Add(shown, rat(s.From)).FloatString(digits))
}

// fraction is the number of digits behind the point.
func fraction(d pm.Decimal) int {
	_, after, _ := strings.Cut(d.String(), ".")
	return len(after)
}

func rat(d pm.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		return new(big.Rat) // cannot be: a decimal is a number
	}
	return r
}

// Value returns a value of a metric as it is meant to be shown; as it is if nothing says how precise it is.
func Value(d pm.MetricDescriptor, s pm.MetricState, value pm.Decimal) pm.Decimal {
	step, ok := StepFor(d, s, value)
	if !ok {
		return value
	}
	return step.Round(value)
}
