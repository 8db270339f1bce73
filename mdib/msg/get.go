package msg

import "github.com/semeco/go-sdc/mdib/pm"

// GetMdib asks for the whole MDIB.
type GetMdib struct {
	AbstractGet
}

// GetMdibResponse carries the whole MDIB.
type GetMdibResponse struct {
	AbstractGetResponse
	Mdib pm.Mdib `sdc:"Mdib,1"`
}

// GetMdDescription asks for descriptors.
type GetMdDescription struct {
	AbstractGet
	// HandleRef selects the MDSs to tell of: their own handles or handles below; empty means all (BICEPS C-55_0).
	HandleRef []pm.HandleRef `sdc:"HandleRef,*"`
}

// GetMdDescriptionResponse carries the MDSs asked for.
type GetMdDescriptionResponse struct {
	AbstractGetResponse
	MdDescription pm.MdDescription `sdc:"MdDescription,1"`
}

// GetMdState asks for states.
type GetMdState struct {
	AbstractGet
	// HandleRef selects states: by descriptor, by MDS, by the handle of a multi-state; empty means all (BICEPS C-62).
	HandleRef []pm.HandleRef `sdc:"HandleRef,*"`
}

// GetMdStateResponse carries the states asked for.
type GetMdStateResponse struct {
	AbstractGetResponse
	MdState pm.MdState `sdc:"MdState,1"`
}

// GetContainmentTree asks for the shape of the containment tree.
type GetContainmentTree struct {
	AbstractGet
	HandleRef []pm.HandleRef `sdc:"HandleRef,*"`
}

// GetContainmentTreeResponse carries the entries asked for.
type GetContainmentTreeResponse struct {
	AbstractGetResponse
	ContainmentTree pm.ContainmentTree `sdc:"ContainmentTree,1"`
}

// GetDescriptor asks for single descriptors.
type GetDescriptor struct {
	AbstractGet
	HandleRef []pm.HandleRef `sdc:"HandleRef,*"`
}

// GetDescriptorResponse carries the descriptors asked for.
type GetDescriptorResponse struct {
	AbstractGetResponse
	Descriptor []pm.Descriptor `sdc:"Descriptor,*"`
}
