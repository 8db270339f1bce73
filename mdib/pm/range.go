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
