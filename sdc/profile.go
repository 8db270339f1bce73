package sdc

// Profile names the set of rules a participant keeps itself, beyond which it stays tolerant: a peer that knows nothing of a profile is never refused for it.
type Profile string

const (
	// ProfileBase is IEEE 11073-10207, -20701 and -20702 alone. The empty Profile means the same.
	ProfileBase Profile = "base"
	// ProfileSDPi adds the rules of IHE SDPi 2.5.
	ProfileSDPi Profile = "sdpi-2.5"
)

// Valid tells whether the profile is known.
func (p Profile) Valid() bool { return p == "" || p == ProfileBase || p == ProfileSDPi }
