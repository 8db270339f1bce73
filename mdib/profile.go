package mdib

import "fmt"

// Profile names a set of rules: those a device keeps itself, and those an MDIB is judged by. A peer that knows nothing of a profile is never refused for it.
type Profile string

const (
	// ProfileBase holds the rules of BICEPS, MDPWS and the SDC binding (IEEE 11073-10207, -20702, -20701) alone. The empty Profile means the same.
	ProfileBase Profile = "base"
	// ProfileSDPi holds those of ProfileBase and of IHE SDPi 2.5, with the key-purpose standards as far as known.
	ProfileSDPi Profile = "sdpi-2.5"
)

// ParseProfile returns the profile of a name, which must not be empty.
func ParseProfile(name string) (Profile, error) {
	if p := Profile(name); p != "" && p.Valid() {
		return p, nil
	}
	return "", fmt.Errorf("unknown profile %q; there are %s and %s", name, ProfileBase, ProfileSDPi)
}

// Valid tells whether the profile is known.
func (p Profile) Valid() bool { return p == "" || p == ProfileBase || p == ProfileSDPi }

// Includes tells whether the rules of profile r belong to p.
func (p Profile) Includes(r Profile) bool { return r == ProfileBase || r == "" || p == r }
