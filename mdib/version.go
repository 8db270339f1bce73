package mdib

import (
	"fmt"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Version identifies a version of an MDIB. MdibVersions can be ordered only within one SequenceID and InstanceID.
type Version struct {
	MdibVersion uint64
	// SequenceID is a URI; two are the same if the strings are (BICEPS R5029).
	SequenceID string
	// InstanceID changes only together with SequenceID (BICEPS R5004).
	InstanceID pm.Opt[uint64]
}

// VersionOf returns the version that a response or report carries.
func VersionOf(g pm.MdibVersionGroup) Version {
	return Version{MdibVersion: g.MdibVersion, SequenceID: g.SequenceId, InstanceID: g.InstanceId}
}

// Group returns the version in the form that responses and reports carry.
func (v Version) Group() pm.MdibVersionGroup {
	return pm.MdibVersionGroup{MdibVersion: v.MdibVersion, SequenceId: v.SequenceID, InstanceId: v.InstanceID}
}

// SameSequence reports whether versions of v and o can be ordered.
func (v Version) SameSequence(o Version) bool {
	return v.SequenceID == o.SequenceID && v.InstanceID == o.InstanceID
}

// sequence names the sequence for people.
func (v Version) sequence() string {
	if id, ok := v.InstanceID.Get(); ok {
		return fmt.Sprintf("%s instance %d", clip(v.SequenceID), id)
	}
	return clip(v.SequenceID)
}
