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
func (f Filter) Match(e Endpoint) bool { return f.matcher()(e) }

// Select returns those endpoints that are looked for, in their order. For many of them it is faster than Match.
func (f Filter) Select(all []Endpoint) []Endpoint {
	match := f.matcher()
	found := []Endpoint{}
	for _, e := range all {
		if match(e) {
			found = append(found, e)
		}
	}
	return found
}

// matcher takes the scopes looked for apart, once. What it returns is for one goroutine.
func (f Filter) matcher() func(Endpoint) bool {
	switch f.MatchBy {
	case MatchNone:
		return func(e Endpoint) bool { return subset(f.Types, e.Types) && len(e.Scopes) == 0 }
	case MatchStrcmp0:
		return func(e Endpoint) bool { return subset(f.Types, e.Types) && subset(f.Scopes, e.Scopes) }
	case "", MatchRFC3986:
	default:
		return func(Endpoint) bool { return false }
	}
	wanted := make([]scopeParts, len(f.Scopes))
	for i, scope := range f.Scopes {
		var ok bool
		if wanted[i], ok = splitScope(scope); !ok {
			return func(Endpoint) bool { return false }
		}
	}
	var has []scopeParts
	return func(e Endpoint) bool {
		if !subset(f.Types, e.Types) {
			return false
		}
		if len(wanted) == 0 {
			return true
		}
		has = has[:0]
		for _, scope := range e.Scopes {
			if parts, ok := splitScope(scope); ok {
				has = append(has, parts)
			}
		}
		for _, w := range wanted {
			if !slices.ContainsFunc(has, w.precedes) {
				return false
			}
		}
		return true
	}
}

func (f Filter) equal(o Filter) bool {
	return f.MatchBy == o.MatchBy && slices.Equal(f.Types, o.Types) && slices.Equal(f.Scopes, o.Scopes)
}
