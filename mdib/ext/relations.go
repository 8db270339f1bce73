package ext

import "github.com/semeco/go-sdc/mdib/pm"

// RelationsType relates an entry of the containment tree to others, beyond what pm.Relation does for metrics;
// SDPi R0613 and R0614 tie the states of parent and child MDSs with it.
type RelationsType struct {
	Relation []RelationType `sdc:"Relation,*"`
}

// RelationType is one relation.
type RelationType struct {
	Kind RelationKind `sdc:"@Kind,1"`
	// Entries are the handles of the other entries.
	Entries        []pm.HandleRef         `sdc:"@Entries,1"`
	Code           *pm.CodedValue         `sdc:"Code,?"`
	Identification *pm.InstanceIdentifier `sdc:"Identification,?"`
}

// RelationKind is the kind of a RelationType.
type RelationKind string

// Values of RelationKind.
const (
	RelationKindECE RelationKind = "ECE" // effect on the entries
	RelationKindDCE RelationKind = "DCE" // derived from the entries
	RelationKindOth RelationKind = "Oth" // told by Code
)

// Relations returns the relations (sdpi:Relations).
func Relations(x pm.Extension) (RelationsType, bool, error) {
	return get[RelationsType](x, sdpi("Relations"))
}

// SetRelations puts relations there.
func SetRelations(x *pm.Extension, v RelationsType) {
	set(x, sdpi("Relations"), v.AppendElement(nil, "sdpi:Relations", ""))
}
