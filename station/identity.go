package station

import (
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// Identifier names a patient, place or ensemble: Extension within the name space Root. It is comparable.
type Identifier struct{ Root, Extension string }

// Usable tells whether the identifier names one thing anywhere: it needs both parts, and a root that is known. What has
// only one of them, or the null flavour for a root, may mean different things at different devices.
func (i Identifier) Usable() bool {
	return i.Extension != "" && i.Root != "" && i.Root != sdc.UnknownRoot
}

// String writes "root|extension".
func (i Identifier) String() string { return i.Root + "|" + i.Extension }

// identifiers are the usable ones, sorted and each once.
func identifiers(list []pm.InstanceIdentifier) []Identifier {
	var out []Identifier
	for _, id := range list {
		if i := (Identifier{id.Root, id.Extension}); i.Usable() {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, compareIdentifiers)
	return slices.Compact(out)
}

func compareIdentifiers(a, b Identifier) int {
	if c := strings.Compare(a.Root, b.Root); c != 0 {
		return c
	}
	return strings.Compare(a.Extension, b.Extension)
}

// share tells whether two lists have an identifier in common.
func share(a, b []Identifier) bool {
	return slices.ContainsFunc(a, func(i Identifier) bool { return slices.Contains(b, i) })
}

// contradict tells whether there is a name space in which both have identifiers but none in common.
func contradict(a, b []Identifier) bool {
	for _, i := range a {
		inRoot := func(o Identifier) bool { return o.Root == i.Root }
		if !slices.ContainsFunc(b, inRoot) {
			continue
		}
		common := func(o Identifier) bool { return inRoot(o) && slices.Contains(a, o) }
		if !slices.ContainsFunc(b, common) {
			return true
		}
	}
	return false
}

// same tells whether two lists of identifiers are of one patient for sure.
func same(a, b []Identifier) bool { return share(a, b) && !contradict(a, b) }
