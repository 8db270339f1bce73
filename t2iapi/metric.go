package t2iapi

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/components"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type metricService struct {
	t2ipb.UnimplementedMetricServiceServer
	*Server
}

// SetMetricStatus sets the stage of a metric, from which its activation state follows (BICEPS 5-4-7_0_0 to 5-4-7_17).
func (s metricService) SetMetricStatus(ctx context.Context, req *t2ipb.SetMetricStatusRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		handle := req.GetHandle()
		stage, ok := stageOfStatus(req.GetStatus())
		if !ok {
			return fmt.Errorf("%d is no metric status", req.GetStatus())
		}
		snap := s.cfg.Device.MDIB()
		if _, there := snap.Descriptor(handle); !there {
			return unknownHandle(handle)
		}
		if _, ok := mdib.Get[pm.MetricState](snap, handle); !ok {
			return fmt.Errorf("%q is no metric", handle)
		}
		return s.setStage(handle, stage)
	}), nil
}

func stageOfStatus(status t2ipb.MetricStatus) (components.Stage, bool) {
	switch status {
	case t2ipb.MetricStatus_METRIC_STATUS_PERFORMED_OR_APPLIED:
		return components.Performed, true
	case t2ipb.MetricStatus_METRIC_STATUS_CURRENTLY_INITIALIZING:
		return components.Initializing, true
	case t2ipb.MetricStatus_METRIC_STATUS_INITIALIZED_BUT_NOT_PERFORMING_OR_APPLYING:
		return components.Ready, true
	case t2ipb.MetricStatus_METRIC_STATUS_CURRENTLY_DE_INITIALIZING:
		return components.Deinitializing, true
	case t2ipb.MetricStatus_METRIC_STATUS_DE_INITIALIZED_AND_NOT_PERFORMING_OR_APPLYING:
		return components.Deinitialized, true
	case t2ipb.MetricStatus_METRIC_STATUS_FAILED:
		return components.Failed, true
	}
	return 0, false
}
