package pm

// ContainmentTreeInfo places an entry in the containment tree.
type ContainmentTreeInfo struct {
	HandleRef       HandleRef `sdc:"@HandleRef,?"`
	ParentHandleRef HandleRef `sdc:"@ParentHandleRef,?"`
	// EntryType is the type of the descriptor, for example pm:VmdDescriptor.
	EntryType Opt[QName] `sdc:"@EntryType,?"`
	// ChildrenCount is the number of children.
	ChildrenCount Opt[int32] `sdc:"@ChildrenCount,?"`
}

// ContainmentTree is a part of the containment tree of an MDIB.
type ContainmentTree struct {
	ContainmentTreeInfo
	Extension Extension              `sdc:"ext:Extension,?"`
	Entry     []ContainmentTreeEntry `sdc:"Entry,*"`
}

// ContainmentTreeEntry is one entry of the containment tree.
type ContainmentTreeEntry struct {
	ContainmentTreeInfo
	Extension Extension   `sdc:"ext:Extension,?"`
	Type      *CodedValue `sdc:"Type,?"`
}
