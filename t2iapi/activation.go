package t2iapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/components"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type activationService struct {
	t2ipb.UnimplementedActivationStateServiceServer
	*Server
}

// SetComponentActivation switches a component, with everything below it if it goes off (BICEPS R0025_0), or a metric.
func (s activationService) SetComponentActivation(ctx context.Context, req *t2ipb.SetComponentActivationRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error { return s.setComponent(req.GetHandle(), req.GetActivation()) }), nil
}

func (s *Server) setComponent(handle string, to t2ipb.ComponentActivation) error {
	stage, ok := stageOfActivation(to)
	if !ok {
		return fmt.Errorf("%d is no component activation", to)
	}
	state, ok := s.cfg.Device.MDIB().State(handle)
	if !ok {
		return unknownHandle(handle)
	}
	switch state.(type) {
	case pm.ComponentState:
		s.cfg.Hold(handle)
		if stage != components.Deinitialized {
			if err := s.raise(handle); err != nil {
				return err
			}
		}
		return s.cascade.SetActivation(handle, stage.Activation())
	case pm.MetricState:
		return s.setStage(handle, stage)
	}
	return fmt.Errorf("%q is neither component nor metric", handle)
}

// stageOfActivation: activation states and stages of metrics correspond one to one.
func stageOfActivation(a t2ipb.ComponentActivation) (components.Stage, bool) {
	switch a {
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_ON:
		return components.Performed, true
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_NOT_READY:
		return components.Initializing, true
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_STANDBY:
		return components.Ready, true
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_OFF:
		return components.Deinitialized, true
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_SHUTDOWN:
		return components.Deinitializing, true
	case t2ipb.ComponentActivation_COMPONENT_ACTIVATION_FAILURE:
		return components.Failed, true
	}
	return 0, false
}

// raise switches the components on that lie above an entry and are off, the topmost first: nothing below them could be on (BICEPS R0025_0).
func (s *Server) raise(handle string) error {
	parent, _ := s.cfg.Device.MDIB().Parent(handle)
	return s.raiseAll(parent)
}

// raiseAll is raise, with the entry itself.
func (s *Server) raiseAll(handle string) error {
	snap := s.cfg.Device.MDIB()
	var off []string
	for h := handle; h != ""; h, _ = snap.Parent(h) {
		if c, ok := mdib.Get[pm.ComponentState](snap, h); ok && c.BaseComponent().ActivationState == pm.ComponentActivationOff {
			off = append(off, h)
		}
	}
	for _, h := range slices.Backward(off) {
		if err := s.cascade.SetActivation(h, pm.ComponentActivationOn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) setStage(metric string, stage components.Stage) error {
	s.cfg.Hold(metric)
	if stage != components.Deinitialized {
		if err := s.raise(metric); err != nil {
			return err
		}
	}
	return s.cfg.Device.Update(func(tx *mdib.Tx) error { return components.SetStage(tx, metric, stage) })
}

// SetAlertActivation switches an alert system with all that belongs to it (BICEPS R0116), a condition, or a signal. Where a condition or signal is to be
// other than its system, the system is switched on in the same report.
func (s activationService) SetAlertActivation(ctx context.Context, req *t2ipb.SetAlertActivationRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error { return s.setAlert(req.GetHandle(), req.GetActivation()) }), nil
}

func (s *Server) setAlert(handle string, activation t2ipb.AlertActivation) error {
	to, ok := alertActivation(activation)
	if !ok {
		return fmt.Errorf("%d is no alert activation", activation)
	}
	state, ok := s.cfg.Device.MDIB().State(handle)
	if !ok {
		return unknownHandle(handle)
	}
	if _, ok := state.(pm.AlertState); !ok {
		return fmt.Errorf("%q is no alert", handle)
	}
	s.cfg.Hold(handle)
	if to != pm.AlertActivationOff {
		if err := s.raise(handle); err != nil {
			return err
		}
	}
	return s.cfg.Device.Update(func(tx *mdib.Tx) error {
		if system, is, ok := systemAbove(tx, handle); ok && is != pm.AlertActivationOn && is != to {
			if err := tx.SetAlertActivation(system, pm.AlertActivationOn); err != nil {
				return err
			}
		}
		if err := tx.SetAlertActivation(handle, to); err != nil {
			return err
		}
		if _, isCondition := state.(pm.ConditionState); isCondition && to != pm.AlertActivationOn {
			return silence(tx, handle)
		}
		return nil
	})
}

// SetSystemSignalActivation switches the local signals of one manifestation (BICEPS B-128). An alert system that is not on is switched on for it
// in the same report, unless it is as asked for.
func (s activationService) SetSystemSignalActivation(ctx context.Context, req *t2ipb.SetSystemSignalActivationRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		handle := req.GetHandle()
		to, ok := alertActivation(req.GetActivation())
		if !ok {
			return fmt.Errorf("%d is no alert activation", req.GetActivation())
		}
		manifestation, ok := manifestationOf(req.GetManifestation())
		if !ok {
			return fmt.Errorf("%d is no manifestation", req.GetManifestation())
		}
		snap := s.cfg.Device.MDIB()
		if _, ok := mdib.Get[*pm.AlertSystemState](snap, handle); !ok {
			if _, there := snap.State(handle); there {
				return fmt.Errorf("%q is no alert system", handle)
			}
			return unknownHandle(handle)
		}
		if !hasLocalSignal(snap, handle, manifestation) {
			return notSupported("the alert system %q has no local signal of manifestation %s", handle, manifestation)
		}
		s.cfg.Hold(handle)
		if to != pm.AlertActivationOff {
			if err := s.raise(handle); err != nil {
				return err
			}
		}
		return s.cfg.Device.Update(func(tx *mdib.Tx) error { return setSystemSignal(tx, handle, manifestation, to) })
	}), nil
}

// setSystemSignal edits the entry. To switch signals on, the commit carries it over; the others are all set here, and are not generated any more.
func setSystemSignal(tx *mdib.Tx, system string, m pm.AlertSignalManifestation, to pm.AlertActivation) error {
	state, err := mdib.Edit[*pm.AlertSystemState](tx, system)
	if err != nil {
		return err
	}
	if state.ActivationState != to {
		state.ActivationState = pm.AlertActivationOn
	}
	found := false
	for i := range state.SystemSignalActivation {
		if e := &state.SystemSignalActivation[i]; e.Manifestation == m {
			e.State, found = to, true
		}
	}
	if !found {
		state.SystemSignalActivation = append(state.SystemSignalActivation, pm.SystemSignalActivation{Manifestation: m, State: to})
	}
	if to == pm.AlertActivationOn {
		return nil
	}
	for child := range tx.Base().Children(system) {
		if !isLocalSignal(tx.Base(), child, m) {
			continue
		}
		signal, err := mdib.Edit[*pm.AlertSignalState](tx, child)
		if err != nil {
			return err
		}
		signal.ActivationState, signal.Presence = to, pm.AlertSignalPresenceOff
	}
	return nil
}

func hasLocalSignal(snap *mdib.Snapshot, system string, m pm.AlertSignalManifestation) bool {
	for child := range snap.Children(system) {
		if isLocalSignal(snap, child, m) {
			return true
		}
	}
	return false
}

func isLocalSignal(snap *mdib.Snapshot, handle string, m pm.AlertSignalManifestation) bool {
	d, ok := mdib.Get[*pm.AlertSignalDescriptor](snap, handle)
	if !ok || d.Manifestation != m {
		return false
	}
	state, ok := mdib.Get[*pm.AlertSignalState](snap, handle)
	return ok && state.LocationOrDefault() == pm.AlertSignalPrimaryLocationLoc
}

func alertActivation(a t2ipb.AlertActivation) (pm.AlertActivation, bool) {
	switch a {
	case t2ipb.AlertActivation_ALERT_ACTIVATION_ON:
		return pm.AlertActivationOn, true
	case t2ipb.AlertActivation_ALERT_ACTIVATION_OFF:
		return pm.AlertActivationOff, true
	case t2ipb.AlertActivation_ALERT_ACTIVATION_PSD:
		return pm.AlertActivationPsd, true
	}
	return "", false
}

func manifestationOf(m t2ipb.AlertSignalManifestation) (pm.AlertSignalManifestation, bool) {
	switch m {
	case t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_AUD:
		return pm.AlertSignalManifestationAud, true
	case t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_VIS:
		return pm.AlertSignalManifestationVis, true
	case t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_TAN:
		return pm.AlertSignalManifestationTan, true
	case t2ipb.AlertSignalManifestation_ALERT_SIGNAL_MANIFESTATION_OTH:
		return pm.AlertSignalManifestationOth, true
	}
	return "", false
}
