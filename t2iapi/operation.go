package t2iapi

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type operationService struct {
	t2ipb.UnimplementedOperationServiceServer
	*Server
}

// SetOperatingMode says whether an operation can be invoked. For one that is to be available, the components above it are switched on.
func (s operationService) SetOperatingMode(ctx context.Context, req *t2ipb.SetOperatingModeRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error { return s.setOperatingMode(req.GetHandle(), req.GetOperatingMode(), nil) }), nil
}

// setOperatingMode does something else first, once it is clear that the request makes sense.
func (s *Server) setOperatingMode(operation string, mode t2ipb.OperatingMode, first func() error) error {
	to, ok := operatingMode(mode)
	if !ok {
		return fmt.Errorf("%d is no operating mode", mode)
	}
	state, ok := s.cfg.Device.MDIB().State(operation)
	if !ok {
		return unknownHandle(operation)
	}
	if _, ok := state.(pm.OperationState); !ok {
		return fmt.Errorf("%q is no operation", operation)
	}
	if first != nil {
		if err := first(); err != nil {
			return err
		}
	}
	s.cfg.Hold(operation)
	if to != pm.OperatingModeNA {
		if err := s.raise(operation); err != nil {
			return err
		}
	}
	return s.cfg.Device.Update(func(tx *mdib.Tx) error { return tx.SetOperatingMode(operation, to) })
}

func operatingMode(m t2ipb.OperatingMode) (pm.OperatingMode, bool) {
	switch m {
	case t2ipb.OperatingMode_OPERATING_MODE_DISABLED:
		return pm.OperatingModeDis, true
	case t2ipb.OperatingMode_OPERATING_MODE_ENABLED:
		return pm.OperatingModeEn, true
	case t2ipb.OperatingMode_OPERATING_MODE_NOT_AVAILABLE:
		return pm.OperatingModeNA, true
	}
	return "", false
}

type combinedService struct {
	t2ipb.UnimplementedCombinedServiceServer
	*Server
}

// SetComponentActivationAndSetOperatingMode does the one after the other; if they exclude one another, the latter counts.
func (s combinedService) SetComponentActivationAndSetOperatingMode(ctx context.Context, req *t2ipb.SetComponentActivationAndSetOperatingModeRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		return s.setOperatingMode(req.GetOperationDescriptorHandle(), req.GetOperatingMode(), func() error {
			return s.setComponent(req.GetComponentMetricDescriptorHandle(), req.GetComponentActivation())
		})
	}), nil
}

// SetAlertActivationAndSetOperatingMode does the one after the other; if they exclude one another, the latter counts.
func (s combinedService) SetAlertActivationAndSetOperatingMode(ctx context.Context, req *t2ipb.SetAlertActivationAndSetOperatingModeRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		return s.setOperatingMode(req.GetOperationDescriptorHandle(), req.GetOperatingMode(), func() error {
			return s.setAlert(req.GetAlertDescriptorHandle(), req.GetAlertActivation())
		})
	}), nil
}

// CreateContextStateWithAssociationAndSetOperatingMode does the one after the other.
func (s combinedService) CreateContextStateWithAssociationAndSetOperatingMode(ctx context.Context, req *t2ipb.CreateContextStateWithAssociationAndSetOperatingModeRequest) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
	resp := &t2ipb.CreateContextStateWithAssociationResponse{}
	resp.Status = s.manipulate(ctx, func() error {
		return s.setOperatingMode(req.GetOperationDescriptorHandle(), req.GetOperatingMode(), func() error {
			steps, err := course(req.GetContextAssociation(), bindingAny)
			if err != nil {
				return err
			}
			resp.ContextStateHandle, err = s.associate(req.GetContextDescriptorHandle(), steps)
			return err
		})
	})
	return resp, nil
}
