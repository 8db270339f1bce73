package discovery

import (
	"errors"
	"slices"
)

// Filter says which endpoints are looked for. The zero value matches all.
type Filter struct {
	// Types must all be types of the endpoint.
	Types []Name
	// Scopes must each match one scope of the endpoint by the rule MatchBy.
	Scopes []string
	// MatchBy is the scope matching rule; "" is MatchRFC3986.
	MatchBy string
}

// ErrMatchingRule refuses a scope matching rule other than MatchRFC3986, MatchStrcmp0
// and MatchNone.
var ErrMatchingRule = errors.New("scope matching rule not supported")

// SupportedRules are the scope matching rules a Filter can use.
func SupportedRules() []string { return []string{MatchRFC3986, MatchStrcmp0, MatchNone} }

// Validate returns ErrMatchingRule when the rule is not supported.
func (f Filter) Validate() error {
	if f.MatchBy != "" && !slices.Contains(SupportedRules(), f.MatchBy) {
		return ErrMatchingRule
	}
	return nil
}

// Match reports whether an endpoint is looked for. With a rule that is not supported
// nothing matches.
func (f Filter) Match(e Endpoint) bool {
	if !subset(f.Types, e.Types) {
		return false
	}
	switch f.MatchBy {
	case MatchNone:
		return len(e.Scopes) == 0
	case MatchStrcmp0:
		return subset(f.Scopes, e.Scopes)
	case "", MatchRFC3986:
		for _, probe := range f.Scopes {
			if !slices.ContainsFunc(e.Scopes, func(scope string) bool { return MatchScope(probe, scope) }) {
				return false
			}
		}
		return true
	}
	return false
}

func (f Filter) equal(o Filter) bool {
	return f.MatchBy == o.MatchBy && slices.Equal(f.Types, o.Types) && slices.Equal(f.Scopes, o.Scopes)
}
