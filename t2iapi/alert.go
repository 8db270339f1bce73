package t2iapi

import (
	"context"
	"fmt"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/t2iapi/t2ipb"
)

type alertService struct {
	t2ipb.UnimplementedAlertServiceServer
	*Server
}

// SetAlertConditionPresence makes the presence change to a value; one that has it goes to the other value first, as far as it can. A condition can be
// present only while it and its alert system are on (BICEPS R0029_0): for that they are switched on in the same report.
func (s alertService) SetAlertConditionPresence(ctx context.Context, req *t2ipb.SetAlertConditionPresenceRequest) (*t2ipb.BasicResponse, error) {
	return s.manipulate(ctx, func() error {
		handle, to := req.GetHandle(), req.GetPresence()
		snap := s.cfg.Device.MDIB()
		if _, there := snap.State(handle); !there {
			return unknownHandle(handle)
		}
		condition, ok := mdib.Get[pm.ConditionState](snap, handle)
		if !ok {
			return fmt.Errorf("%q is no alert condition", handle)
		}
		s.cfg.Hold(handle)
		if to {
			if err := s.raise(handle); err != nil {
				return err
			}
		}
		steps := []bool{to}
		if condition.BaseCondition().Presence == to && canBePresent(snap, handle) {
			steps = []bool{!to, to}
		}
		for _, present := range steps {
			if err := s.cfg.Device.Update(func(tx *mdib.Tx) error { return setPresence(tx, handle, present) }); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

func canBePresent(snap *mdib.Snapshot, condition string) bool {
	c, ok := mdib.Get[pm.ConditionState](snap, condition)
	if !ok || c.BaseCondition().ActivationState != pm.AlertActivationOn {
		return false
	}
	parent, _ := snap.Parent(condition)
	system, ok := mdib.Get[*pm.AlertSystemState](snap, parent)
	return ok && system.ActivationState == pm.AlertActivationOn
}

// setPresence lets the signals follow their condition in the same report.
func setPresence(tx *mdib.Tx, condition string, present bool) error {
	wake := present && !canBePresent(tx.Base(), condition)
	if wake {
		system, _, _ := systemAbove(tx, condition)
		for _, h := range []string{system, condition} {
			if err := tx.SetAlertActivation(h, pm.AlertActivationOn); err != nil {
				return err
			}
		}
	}
	if err := tx.SetPresence(condition, present); err != nil {
		return err
	}
	if !present {
		return silence(tx, condition)
	}
	return eachSignal(tx, condition, func(signal *pm.AlertSignalState) {
		if wake {
			signal.ActivationState = pm.AlertActivationOn // what was off with the system is not silent for itself
		}
		if signal.ActivationState == pm.AlertActivationOn {
			signal.Presence = pm.AlertSignalPresenceOn
		}
	})
}

// silence ends the signals of a condition that has gone; those that latch stay until they are acknowledged.
func silence(tx *mdib.Tx, condition string) error {
	return eachSignal(tx, condition, func(signal *pm.AlertSignalState) {
		d, ok := mdib.Get[*pm.AlertSignalDescriptor](tx.Base(), signal.DescriptorHandle)
		if ok && d.Latching && signal.ActivationState == pm.AlertActivationOn && signal.PresenceOrDefault() == pm.AlertSignalPresenceOn {
			signal.Presence = pm.AlertSignalPresenceLatch
			return
		}
		if signal.PresenceOrDefault() != pm.AlertSignalPresenceLatch {
			signal.Presence = pm.AlertSignalPresenceOff
		}
	})
}

func eachSignal(tx *mdib.Tx, condition string, fn func(*pm.AlertSignalState)) error {
	for e := range tx.Base().Entities() {
		if d, ok := e.Descriptor.(*pm.AlertSignalDescriptor); !ok || d.ConditionSignaled != condition {
			continue
		}
		signal, err := mdib.Edit[*pm.AlertSignalState](tx, e.Handle)
		if err != nil {
			return err
		}
		fn(signal)
	}
	return nil
}

// systemAbove returns the alert system of a condition or signal and its activation; false for anything else.
func systemAbove(tx *mdib.Tx, handle string) (system string, is pm.AlertActivation, ok bool) {
	system, _ = tx.Base().Parent(handle)
	state, ok := mdib.Get[*pm.AlertSystemState](tx.Base(), system)
	if !ok {
		return "", "", false
	}
	return system, state.ActivationState, true
}
