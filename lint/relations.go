package lint

import (
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func relationRules() []Rule {
	return []Rule{
		{ID: "SDPi R0613", Profile: sdpi, Title: "The state of a parent MDS names its children by an sdpi:Relation of kind ECE.", check: func(p *pass) { mdsRelations(p, ext.RelationKindECE) }},
		{ID: "SDPi R0614", Profile: sdpi, Title: "The state of a child MDS names its parent by an sdpi:Relation of kind DCE.", check: func(p *pass) { mdsRelations(p, ext.RelationKindDCE) }},
	}
}

// sourceHandleRef is the code of a relation between MDSs.
const sourceHandleRef = "68167"

// between returns the MDSs that an MDS names by relations of a kind that have the code for it.
func (p *pass) between(mds string, kind ext.RelationKind) []string {
	s, ok := mdib.Get[*pm.MdsState](p.s, mds)
	if !ok {
		return nil
	}
	relations, ok, err := ext.Relations(s.Extension)
	if !ok || err != nil {
		return nil
	}
	var out []string
	for _, r := range relations.Relation {
		if r.Kind == kind && r.Code != nil && r.Code.Code == sourceHandleRef {
			out = append(out, r.Entries...)
		}
	}
	return out
}

// mdsRelations checks for each relation of the opposite kind that the one of this kind is there, and that what it names is an MDS.
func mdsRelations(p *pass, kind ext.RelationKind) {
	opposite := ext.RelationKindECE
	if kind == opposite {
		opposite = ext.RelationKindDCE
	}
	for h := range descriptors[*pm.MdsDescriptor](p) {
		for _, other := range p.between(h, kind) {
			if _, ok := mdib.Get[*pm.MdsDescriptor](p.s, other); !ok {
				p.warnf(h, "the relation %s names %q, which is no MDS", kind, clip(other))
			}
		}
		for _, other := range p.between(h, opposite) {
			if _, ok := mdib.Get[*pm.MdsDescriptor](p.s, other); ok && !slices.Contains(p.between(other, kind), h) {
				p.warnf(other, "%q names this MDS by a relation %s, but this one does not name it by %s", h, opposite, kind)
			}
		}
	}
}
