package pm

import (
	"fmt"
	"strings"
)

// String writes the bounds for people: "0.1 to 500", "at least 0", "at most 9" or "any number", and the step width where there is one.
func (r Range) String() string {
	lower, hasLower := r.Lower.Get()
	upper, hasUpper := r.Upper.Get()
	var s string
	switch {
	case hasLower && hasUpper:
		s = fmt.Sprintf("%s to %s", lower, upper)
	case hasLower:
		s = fmt.Sprintf("at least %s", lower)
	case hasUpper:
		s = fmt.Sprintf("at most %s", upper)
	default:
		s = "any number"
	}
	if step, ok := r.StepWidth.Get(); ok {
		s += fmt.Sprintf(" in steps of %s", step)
	}
	return s
}

// Contains tells whether a number lies between the bounds, which belong to the range; one that is absent bounds nothing. The step width is not looked at.
func (r Range) Contains(x Decimal) bool { return r.contains(x) }

func (r *Range) contains(x Decimal) bool { // ranges are large
	lower, hasLower := r.Lower.Get()
	upper, hasUpper := r.Upper.Get()
	return (!hasLower || x.Cmp(lower) >= 0) && (!hasUpper || x.Cmp(upper) <= 0)
}

// InRanges tells whether a number lies in one of the ranges; without any, every number does.
func InRanges(ranges []Range, x Decimal) bool {
	for i := range ranges {
		if ranges[i].contains(x) {
			return true
		}
	}
	return len(ranges) == 0
}

// ValidityIn returns what a measured number is worth against the technical ranges of its metric: Vld within one of them or without any, Oflw above all,
// Uflw below all, Qst between them.
func ValidityIn(ranges []Range, x Decimal) MeasurementValidity {
	if InRanges(ranges, x) {
		return MeasurementValidityVld
	}
	above, below := true, true
	for _, r := range ranges {
		upper, hasUpper := r.Upper.Get()
		lower, hasLower := r.Lower.Get()
		above = above && hasUpper && x.Cmp(upper) > 0
		below = below && hasLower && x.Cmp(lower) < 0
	}
	switch {
	case above && !below:
		return MeasurementValidityOflw
	case below && !above:
		return MeasurementValidityUflw
	}
	return MeasurementValidityQst
}

// maxRanges bounds the ranges that a text for people tells of.
const maxRanges = 8

// RangesText lists ranges for people, as in an error about a number that lies in none of them: "0 to 10 or 20 to 30". Of many it lists the first.
func RangesText(ranges []Range) string {
	var parts []string
	for i, r := range ranges {
		if i == maxRanges {
			parts = append(parts, fmt.Sprintf("%d more ranges", len(ranges)-i))
			break
		}
		parts = append(parts, r.String())
	}
	return strings.Join(parts, " or ")
}
