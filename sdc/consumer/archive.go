package consumer

import (
	"context"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
)

// GetDescriptorsFromArchive asks for former descriptors; the request needs a frame of versions or of time (BICEPS R5015 to R5018). Errors as
// those of [Device.GetMdState].
func (d *Device) GetDescriptorsFromArchive(ctx context.Context, filter *msg.GetDescriptorsFromArchive) (*msg.GetDescriptorsFromArchiveResponse, error) {
	return query[*msg.GetDescriptorsFromArchiveResponse](ctx, d, sdc.ArchiveService, sdc.ActionGetDescriptorsFromArchive, filter)
}

// GetStatesFromArchive asks for former states; the request needs a frame of versions or of time (BICEPS R5019 to R5023). Errors as those of
// [Device.GetMdState].
func (d *Device) GetStatesFromArchive(ctx context.Context, filter *msg.GetStatesFromArchive) (*msg.GetStatesFromArchiveResponse, error) {
	return query[*msg.GetStatesFromArchiveResponse](ctx, d, sdc.ArchiveService, sdc.ActionGetStatesFromArchive, filter)
}
