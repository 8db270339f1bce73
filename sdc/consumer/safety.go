package consumer

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/safety"
	"github.com/semeco/go-sdc/soap"
)

// safetyInfo makes the header block that the operation of a request asks for, none if it asks for nothing (MDPWS safe data transmission). The error says that it cannot be
// made; then nothing is sent.
func (d *Device) safetyInfo(ctx context.Context, req msg.SetRequest) ([]soap.Body, error) {
	snap := d.MDIB()
	op, ok := mdib.Get[pm.OperationDescriptor](snap, req.BaseSet().OperationHandleRef)
	if !ok {
		return nil, nil // the device says so
	}
	requirement, err := safety.Of(op)
	if requirement == nil || err != nil {
		return nil, err
	}
	if own := d.consumer.cfg.SafetyInfo; own != nil {
		info, err := own(ctx, requirement, req, snap)
		if err != nil {
			return nil, fmt.Errorf("safety information: %w", err)
		}
		return []soap.Body{info}, nil
	}
	info, err := requirement.Compute(req, snap)
	if err != nil {
		return nil, err
	}
	return []soap.Body{info}, nil
}
