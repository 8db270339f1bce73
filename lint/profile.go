package lint

import "fmt"

// Profile is a named set of rules.
type Profile string

const (
	// Base holds the rules of BICEPS, MDPWS and the SDC binding (IEEE 11073-10207, -20702, -20701).
	Base Profile = "base"
	// SDPi25 holds those of Base and of IHE SDPi 2.5, with the key-purpose standards as far as known.
	SDPi25 Profile = "sdpi-2.5"
)

// ParseProfile returns the profile of a name.
func ParseProfile(name string) (Profile, error) {
	switch p := Profile(name); p {
	case Base, SDPi25:
		return p, nil
	}
	return "", fmt.Errorf("unknown profile %q; there are %s and %s", name, Base, SDPi25)
}

// includes reports whether a rule of profile r applies in p.
func (p Profile) includes(r Profile) bool { return r == Base || p == r }
