package lint

import (
	"cmp"
	"slices"

	"github.com/semeco/go-sdc/mdib"
)

// Finding is something that does not conform, and where it stands.
type Finding struct {
	mdib.Finding
	// Line and Column are 1-based places in the document, in characters; 0 if not known, as for devices.
	Line, Column int
}

// Report is what is found about one MDIB.
type Report struct {
	// Source is the name of the document or the endpoint reference of the device.
	Source  string
	Profile mdib.Profile
	// Findings come errors first, then in the order they were found in.
	Findings []Finding
}

// Count returns how many findings are at least as severe.
func (r *Report) Count(least mdib.Severity) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity >= least {
			n++
		}
	}
	return n
}

// Keep drops the findings that are less severe and returns how many those were.
func (r *Report) Keep(least mdib.Severity) int {
	before := len(r.Findings)
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Severity < least })
	return before - len(r.Findings)
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
}
