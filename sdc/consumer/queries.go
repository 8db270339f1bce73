package consumer

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
)

// The requests below ask the device anew: what they return is the device's answer, which may be newer or older than [Device.MDIB]. Answers
// belong to the caller. Errors are *soap.Fault when the device refused, *ServiceError when it does not offer the service.

// GetMdDescription reads descriptors: of the MDSs that the handles name or lie below, of all without handles (BICEPS C-55_0).
func (d *Device) GetMdDescription(ctx context.Context, handles ...string) (*msg.GetMdDescriptionResponse, error) {
	return query[*msg.GetMdDescriptionResponse](ctx, d, sdc.GetService, sdc.ActionGetMdDescription, &msg.GetMdDescription{HandleRef: handles})
}

// GetMdState reads states: those of the descriptors, MDSs or multi-states that the handles name, all without handles (BICEPS C-62).
func (d *Device) GetMdState(ctx context.Context, handles ...string) (*msg.GetMdStateResponse, error) {
	return query[*msg.GetMdStateResponse](ctx, d, sdc.GetService, sdc.ActionGetMdState, &msg.GetMdState{HandleRef: handles})
}

// GetContextStates reads context states: those of the context descriptors, context states or MDSs that the handles name, all without
// handles (BICEPS R5039 to R5042).
func (d *Device) GetContextStates(ctx context.Context, handles ...string) (*msg.GetContextStatesResponse, error) {
	return query[*msg.GetContextStatesResponse](ctx, d, sdc.ContextService, sdc.ActionGetContextStates, &msg.GetContextStates{HandleRef: handles})
}

// GetContainmentTree reads the shape of the containment tree around the handles, or its roots without handles (BICEPS R5030 to R5034).
func (d *Device) GetContainmentTree(ctx context.Context, handles ...string) (*msg.GetContainmentTreeResponse, error) {
	return query[*msg.GetContainmentTreeResponse](ctx, d, sdc.ContainmentTreeService, sdc.ActionGetContainmentTree, &msg.GetContainmentTree{HandleRef: handles})
}

// GetDescriptor reads single descriptors without their children; handles the device does not know are left out (BICEPS R5035).
func (d *Device) GetDescriptor(ctx context.Context, handles ...string) (*msg.GetDescriptorResponse, error) {
	return query[*msg.GetDescriptorResponse](ctx, d, sdc.ContainmentTreeService, sdc.ActionGetDescriptor, &msg.GetDescriptor{HandleRef: handles})
}

// query calls a service and checks that the answer is of the type asked for.
func query[R msg.Message](ctx context.Context, d *Device, service, action string, req msg.Message) (R, error) {
	if missing(req) {
		var none R
		return none, &RequestError{Msg: "there is no request"}
	}
	answer, err := d.call(ctx, service, action, req)
	if err != nil {
		var none R
		return none, fmt.Errorf("%s: %w", req.BodyName().Local, err)
	}
	resp, ok := answer.(R)
	if !ok {
		var none R
		return none, fmt.Errorf("%s: answered by %s", req.BodyName().Local, answer.BodyName())
	}
	return resp, nil
}
