package msg

import "github.com/semeco/go-sdc/mdib/pm"

// VersionFrame is a span of versions, both ends included.
type VersionFrame struct {
	Start pm.Opt[uint64] `sdc:"@Start,?"`
	End   pm.Opt[uint64] `sdc:"@End,?"`
}

// TimeFrame is a span of time.
type TimeFrame struct {
	Start pm.Opt[pm.Timestamp] `sdc:"@Start,?"`
	End   pm.Opt[pm.Timestamp] `sdc:"@End,?"`
}

// GetDescriptorsFromArchive asks for former descriptors. One of DescriptorRevisions and TimeFrame is needed
// (BICEPS R5016).
type GetDescriptorsFromArchive struct {
	AbstractGet
	DescriptorRevisions *VersionFrame  `sdc:"DescriptorRevisions,?"`
	TimeFrame           *TimeFrame     `sdc:"TimeFrame,?"`
	Handle              []pm.HandleRef `sdc:"Handle,*"`
}

// GetDescriptorsFromArchiveResponse carries the descriptors asked for.
type GetDescriptorsFromArchiveResponse struct {
	AbstractGetResponse
	Descriptor []pm.Descriptor `sdc:"Descriptor,*"`
}

// GetStatesFromArchive asks for former states. One of StateRevisions and TimeFrame is needed.
type GetStatesFromArchive struct {
	AbstractGet
	StateRevisions *VersionFrame  `sdc:"StateRevisions,?"`
	TimeFrame      *TimeFrame     `sdc:"TimeFrame,?"`
	Handle         []pm.HandleRef `sdc:"Handle,*"`
}

// GetStatesFromArchiveResponse carries the states asked for.
type GetStatesFromArchiveResponse struct {
	AbstractGetResponse
	State []pm.State `sdc:"State,*"`
}
