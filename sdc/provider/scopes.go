package provider

import (
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// scopes returns what the device offers as discovery scopes for a version of its MDIB: the types of its MDSs, its key purposes, its associated contexts of
// the configured kinds, and the configured extras. Sorted, each once.
func (p *Provider) scopes(snap *mdib.Snapshot) []string {
	scopes := slices.Clone(p.cfg.Scopes)
	for _, oid := range p.cfg.KeyPurposes {
		scopes = append(scopes, sdc.PKPScope(oid))
	}
	for handle := range snap.Roots() {
		d, _ := snap.Descriptor(handle)
		if t := d.Base().Type; t != nil {
			scopes = append(scopes, sdc.CodeScope{CodingSystem: t.CodingSystem, Version: t.CodingSystemVersion, Code: t.Code}.URI())
		}
	}
	for _, s := range snap.MdState().State {
		c, ok := s.(pm.ContextState)
		if !ok || c.BaseContext().ContextAssociation != pm.ContextAssociationAssoc {
			continue
		}
		if kind, ok := contextKind(c); ok && slices.Contains(p.cfg.ContextScopes, kind) {
			scopes = append(scopes, contextScopes(kind, c)...)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

func contextKind(s pm.ContextState) (sdc.ContextKind, bool) {
	switch s.(type) {
	case *pm.LocationContextState:
		return sdc.LocationContext, true
	case *pm.PatientContextState:
		return sdc.PatientContext, true
	case *pm.EnsembleContextState:
		return sdc.EnsembleContext, true
	case *pm.WorkflowContextState:
		return sdc.WorkflowContext, true
	case *pm.OperatorContextState:
		return sdc.OperatorContext, true
	case *pm.MeansContextState:
		return sdc.MeansContext, true
	}
	return "", false
}

// contextScopes writes one scope for each identification; a location without any gets one made of its detail (GLUE fallback location id).
func contextScopes(kind sdc.ContextKind, s pm.ContextState) []string {
	var detail sdc.LocationDetail
	if l, ok := s.(*pm.LocationContextState); ok && l.LocationDetail != nil {
		detail = locationDetail(l.LocationDetail)
	}
	var uris []string
	for _, id := range s.BaseContext().Identification {
		uris = append(uris, sdc.ContextScope{Kind: kind, Root: id.Root, Extension: id.Extension, Location: detail}.URI())
	}
	if len(uris) == 0 && !detail.IsZero() {
		uris = append(uris, detail.Scope().URI())
	}
	return uris
}

func locationDetail(d *pm.LocationDetail) sdc.LocationDetail {
	return sdc.LocationDetail{Facility: d.Facility, Building: d.Building, PoC: d.PoC, Floor: d.Floor, Room: d.Room, Bed: d.Bed}
}
