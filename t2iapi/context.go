package t2iapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type contextService struct {
	t2ipb.UnimplementedContextServiceServer
	*Server
}

// validator vouches for the contexts that tests ask for.
func validator() pm.InstanceIdentifier {
	return pm.InstanceIdentifier{Root: "urn:oid:2.25.6647671393263943374679360085066170955", Extension: "t2iapi"}
}

// SetLocationDetail moves the device: every MDS with a location context.
func (s contextService) SetLocationDetail(ctx context.Context, req *t2ipb.SetLocationDetailRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		l := req.GetLocation()
		detail := sdc.LocationDetail{
			Facility: l.GetFacility().GetValue(), Building: l.GetBuilding().GetValue(), PoC: l.GetPoc().GetValue(),
			Floor: l.GetFloor().GetValue(), Room: l.GetRoom().GetValue(), Bed: l.GetBed().GetValue(),
		}
		if detail.IsZero() {
			return errors.New("the location is empty")
		}
		if len(detail.Scope().URI()) > maxLocation {
			return fmt.Errorf("the location is longer than %d bytes as a scope and could not be announced", maxLocation)
		}
		return s.cfg.Device.SetLocation(detail, validator())
	}), nil
}

// maxLocation keeps a location small enough for the datagrams of discovery.
const maxLocation = 1024

// CreateContextStateWithAssociation makes a new context state with the association. One that is to be disassociated is associated first, as
// in life.
func (s contextService) CreateContextStateWithAssociation(ctx context.Context, req *t2ipb.CreateContextStateWithAssociationRequest) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
	return s.create(ctx, req.GetDescriptorHandle(), req.GetContextAssociation(), bindingAny), nil
}

// CreateNewContextStateWithAssociation is CreateContextStateWithAssociation, which makes a new state anyway.
func (s contextService) CreateNewContextStateWithAssociation(ctx context.Context, req *t2ipb.CreateContextStateWithAssociationRequest) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
	return s.create(ctx, req.GetDescriptorHandle(), req.GetContextAssociation(), bindingAny), nil
}

// CreateContextStateWithAssocAndBindingMdibVersion does the same for associations that have begun: such a state has a binding version and time (GLUE R0013).
func (s contextService) CreateContextStateWithAssocAndBindingMdibVersion(ctx context.Context, req *t2ipb.CreateContextStateWithAssocAndBindingMdibVersionRequest) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
	return s.create(ctx, req.GetDescriptorHandle(), req.GetContextAssociation(), bindingBegun), nil
}

// CreateContextStateWithAssocAndUnbindingMdibVersion does the same for associations that have ended: such a state has an unbinding version and time
// (GLUE R0072).
func (s contextService) CreateContextStateWithAssocAndUnbindingMdibVersion(ctx context.Context, req *t2ipb.CreateContextStateWithAssocAndUnbindingMdibVersionRequest) (*t2ipb.CreateContextStateWithAssociationResponse, error) {
	return s.create(ctx, req.GetDescriptorHandle(), req.GetContextAssociation(), bindingEnded), nil
}

// binding is what an association must have gone through.
type binding uint8

const (
	bindingAny   binding = iota
	bindingBegun         // it has a binding version
	bindingEnded         // it has an unbinding version, too
)

func (s *Server) create(ctx context.Context, descriptor string, to t2ipb.ContextAssociation, b binding) *t2ipb.CreateContextStateWithAssociationResponse {
	resp := &t2ipb.CreateContextStateWithAssociationResponse{}
	resp.Status = s.manipulate(ctx, func() error {
		steps, err := course(to, b)
		if err != nil {
			return err
		}
		handle, err := s.associate(descriptor, steps)
		resp.ContextStateHandle = handle
		return err
	})
	return resp
}

// course lists the associations that a new state goes through.
func course(to t2ipb.ContextAssociation, b binding) ([]pm.ContextAssociation, error) {
	const assoc, dis, no = pm.ContextAssociationAssoc, pm.ContextAssociationDis, pm.ContextAssociationNo
	switch to {
	case t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_ASSOCIATED:
		if b == bindingEnded {
			return nil, notSupported("what is associated has not ended, so it has no unbinding version")
		}
		return []pm.ContextAssociation{assoc}, nil
	case t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_DISASSOCIATED:
		return []pm.ContextAssociation{assoc, dis}, nil
	case t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_PRE_ASSOCIATED:
		if b != bindingAny {
			return nil, notSupported("a pre-associated context has not been bound yet")
		}
		return []pm.ContextAssociation{pm.ContextAssociationPre}, nil
	case t2ipb.ContextAssociation_CONTEXT_ASSOCIATION_NOT_ASSOCIATED:
		if b != bindingAny {
			return []pm.ContextAssociation{assoc, dis, no}, nil
		}
		return []pm.ContextAssociation{no}, nil
	}
	return nil, fmt.Errorf("%d is no context association", to)
}

// associate makes a context state with an identification of its own and leads it through the steps, each a version of the MDIB.
func (s *Server) associate(descriptor string, steps []pm.ContextAssociation) (handle string, err error) {
	d, ok := s.cfg.Device.MDIB().Descriptor(descriptor)
	if !ok {
		return "", unknownHandle(descriptor)
	}
	if _, ok := d.(pm.ContextDescriptor); !ok {
		return "", fmt.Errorf("%q is no context", descriptor)
	}
	s.serial++
	for i, step := range steps {
		err := s.cfg.Device.Update(func(tx *mdib.Tx) error {
			if i > 0 {
				state, err := mdib.Edit[pm.ContextState](tx, handle)
				if err != nil {
					return err
				}
				state.BaseContext().ContextAssociation = step
				return nil
			}
			state, err := tx.NewContextState(descriptor)
			if err != nil {
				return err
			}
			handle = state.BaseMulti().Handle
			base := state.BaseContext()
			base.ContextAssociation = step
			base.Identification = []pm.InstanceIdentifier{{Root: "urn:uuid:" + uuid.NewString()}}
			base.Validator = []pm.InstanceIdentifier{validator()}
			if l, ok := state.(*pm.LocationContextState); ok {
				l.LocationDetail = &pm.LocationDetail{PoC: "test bench", Bed: fmt.Sprintf("t2iapi %d", s.serial)}
			}
			return forgetFormer(tx, descriptor)
		})
		if err != nil {
			return "", err
		}
	}
	return handle, nil
}

// keepFormer bounds the states of contexts that have ended and that tests leave behind, for each context descriptor.
const keepFormer = 20

// forgetFormer keeps the MDIB from growing with every call: the oldest ended contexts that tests have made go to association No, and those
// that are there leave with one of the next changes (BICEPS R5027).
func forgetFormer(tx *mdib.Tx, descriptor string) error {
	var ended, gone []string
	for c := range tx.Base().ContextStates(descriptor) {
		base := c.BaseContext()
		if len(base.Validator) != 1 || base.Validator[0].Extension != validator().Extension || base.Validator[0].Root != validator().Root {
			continue
		}
		switch base.ContextAssociationOrDefault() {
		case pm.ContextAssociationDis:
			ended = append(ended, base.Handle)
		case pm.ContextAssociationNo:
			gone = append(gone, base.Handle)
		}
	}
	if len(gone) > keepFormer {
		for _, h := range gone[:len(gone)-keepFormer] {
			if err := tx.RemoveContextState(h); err != nil {
				return err
			}
		}
	}
	if len(ended) <= keepFormer {
		return nil
	}
	for _, h := range ended[:len(ended)-keepFormer] {
		state, err := mdib.Edit[pm.ContextState](tx, h)
		if err != nil {
			return err
		}
		state.BaseContext().ContextAssociation = pm.ContextAssociationNo
	}
	return nil
}
