package provider

import "github.com/semeco/go-sdc/mdib/pm"

// MatchContextFilter applies a filter to one state, for tests.
func MatchContextFilter(filter string, state pm.ContextState) (matches bool, err error) {
	f, err := parseContextFilter(filter)
	if err != nil {
		return false, err
	}
	work := filterWork
	return f.matches(stateTree(state), &work), nil
}
