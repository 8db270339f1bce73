package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/soap"
)

// Limits of the context queries: what exceeds them is a Sender fault.
const (
	maxFilters         = 64
	maxIdentifications = 1000
)

// getContextStatesByIdentification answers with the context states of the type asked for that have all of the identifiers, none if there are no identifiers
// (BICEPS R5036, R5037). Identifiers are the same if root and extension are; a missing root is the null flavour (R5008).
func (p *Provider) getContextStatesByIdentification(_ context.Context, _ *soap.Request, r *msg.GetContextStatesByIdentification) (soap.Body, error) {
	if len(r.Identification) > maxIdentifications {
		return nil, soap.InvalidMessage(fmt.Sprintf("more than %d identifications", maxIdentifications))
	}
	snap := p.store.Load()
	response := &msg.GetContextStatesByIdentificationResponse{}
	response.MdibVersionGroup = versionGroup(snap)
	if len(r.Identification) == 0 {
		return response, nil
	}
	for s := range contextStates(snap, r.ContextType) {
		have := s.BaseContext().Identification
		missing := slices.ContainsFunc(r.Identification, func(want pm.InstanceIdentifier) bool {
			return !slices.ContainsFunc(have, func(id pm.InstanceIdentifier) bool { return sameIdentifier(id, want) })
		})
		if !missing {
			response.ContextState = append(response.ContextState, s)
		}
	}
	return response, nil
}

func sameIdentifier(a, b pm.InstanceIdentifier) bool {
	return a.RootOrDefault() == b.RootOrDefault() && a.Extension == b.Extension
}

// getContextStatesByFilter answers with the context states of the type asked for that every filter matches, none if there are no filters (BICEPS R5043, R5044).
// Filters are XPath expressions from pm:MdState (R5045) of the subset that contextFilter has; any other is a Sender fault that says what is not understood.
func (p *Provider) getContextStatesByFilter(_ context.Context, _ *soap.Request, r *msg.GetContextStatesByFilter) (soap.Body, error) {
	if len(r.Filter) > maxFilters {
		return nil, soap.InvalidMessage(fmt.Sprintf("more than %d filters", maxFilters))
	}
	filters := make([]*contextFilter, len(r.Filter))
	for i, expression := range r.Filter {
		f, err := parseContextFilter(expression)
		if err != nil {
			return nil, soap.InvalidMessage(fmt.Sprintf("filter %d: %v", i+1, err))
		}
		filters[i] = f
	}
	snap := p.store.Load()
	response := &msg.GetContextStatesByFilterResponse{}
	response.MdibVersionGroup = versionGroup(snap)
	if len(filters) == 0 {
		return response, nil
	}
	work := filterWork
	for s := range contextStates(snap, r.ContextType) {
		root := stateTree(s)
		all := !slices.ContainsFunc(filters, func(f *contextFilter) bool { return !f.matches(root, &work) })
		if work < 0 {
			return nil, soap.InvalidMessage("the filters take too much work; ask for less at once")
		}
		if all {
			response.ContextState = append(response.ContextState, s)
		}
	}
	return response, nil
}

// contextStates yields the context states of a type in the order of the containment tree, all without a type or for pm:AbstractContextState.
func contextStates(snap *mdib.Snapshot, of pm.Opt[pm.QName]) func(func(pm.ContextState) bool) {
	want, some := of.Get()
	every := !some || want == pm.QName{Space: pm.Namespace, Local: "AbstractContextState"}
	return func(yield func(pm.ContextState) bool) {
		for e := range snap.Entities() {
			for _, s := range e.Contexts {
				if (every || s.TypeName() == want) && !yield(s) {
					return
				}
			}
		}
	}
}
