package pm

// MdibVersionGroup identifies a version of an MDIB. Versions can be ordered only within one SequenceId
// (and InstanceId).
type MdibVersionGroup struct {
	// MdibVersion counts the changes of the MDIB. Implied value 0.
	MdibVersion uint64 `sdc:"@MdibVersion,?"`
	// SequenceId is a URI that changes whenever the version counters start anew.
	SequenceId AnyURI `sdc:"@SequenceId,1"`
	// InstanceId tells apart MDIB instances of one sequence.
	InstanceId Opt[uint64] `sdc:"@InstanceId,?"`
}

// Mdib is the tree form of a whole MDIB: the description and the states.
type Mdib struct {
	MdibVersionGroup
	Extension     Extension      `sdc:"ext:Extension,?"`
	MdDescription *MdDescription `sdc:"MdDescription,?"`
	MdState       *MdState       `sdc:"MdState,?"`
}

// MdDescription is the descriptive part of an MDIB.
type MdDescription struct {
	// DescriptionVersion counts the changes of the description. Implied value 0.
	DescriptionVersion uint64           `sdc:"@DescriptionVersion,?"`
	Extension          Extension        `sdc:"ext:Extension,?"`
	Mds                []*MdsDescriptor `sdc:"Mds,*"`
}

// MdState is the state part of an MDIB.
type MdState struct {
	// StateVersion counts the changes of the state part. Implied value 0.
	StateVersion uint64    `sdc:"@StateVersion,?"`
	Extension    Extension `sdc:"ext:Extension,?"`
	State        []State   `sdc:"State,*"`
}
