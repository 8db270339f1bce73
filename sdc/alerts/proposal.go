package alerts

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// SetAlertState carries out what another participant proposes for an alert state, as far as that can be set from outside, and is what the handler of a
// SetAlertState operation calls:
//
//	dev.HandleSetAlertState("op", func(ctx context.Context, call *provider.SetAlertState) error {
//		if err := m.SetAlertState(call.Proposed); err != nil {
//			return provider.Refuse("%v", err)
//		}
//		return nil
//	})
//
// Settable are
//   - of an alert system: the activation, and the entries of SystemSignalActivation that there are;
//   - of a condition: activation, generation delay, rank, and the priority as far as the descriptor lets it escalate; of a limit condition its limits within
//     MaxLimits, which of them are monitored, and the automatic adaptation if it is supported;
//   - of a signal: activation, slot, generation delay between its bounds, and the presence: Ack acknowledges, Off ends a latched signal. A delegable
//     remote signal whose activation is set On is confirmed by that, whatever presence is proposed; see the package comment.
//
// What is absent stays as it is, and what only the device determines (presence of conditions, self checks, times, lists) is not looked
// at. Errors are *mdib.RuleError with a message for the caller, or wrap mdib.ErrUnknownHandle; nothing has changed then.
func (m *Manager) SetAlertState(proposed pm.AlertState) error {
	if proposed == nil {
		return refuse("BICEPS schema", "", "there is no alert state")
	}
	act := func(*turn) error { return nil }
	return m.transact(func(tx *mdib.Tx) error {
		handle := proposed.BaseState().DescriptorHandle
		state, err := mdib.Edit[pm.AlertState](tx, handle)
		if err != nil {
			return err
		}
		if state.TypeName() != proposed.TypeName() {
			return refuse("BICEPS R0023", handle, "the state is a %s, not a %s", state.TypeName().Local, proposed.TypeName().Local)
		}
		switch a := proposed.BaseAlert().ActivationState; a {
		case "":
		case pm.AlertActivationOn, pm.AlertActivationOff, pm.AlertActivationPsd:
			state.BaseAlert().ActivationState = a
		default:
			return refuse("BICEPS schema", handle, "%q is no activation state", a)
		}
		switch p := proposed.(type) {
		case *pm.AlertSystemState:
			return proposeSystem(state.(*pm.AlertSystemState), p)
		case *pm.AlertSignalState:
			act = func(t *turn) error { return t.proposeSignal(state.(*pm.AlertSignalState), p) }
		case pm.ConditionState:
			if l, ok := p.(*pm.LimitAlertConditionState); ok {
				if err := proposeLimits(tx, state.(*pm.LimitAlertConditionState), l); err != nil {
					return err
				}
			}
			act = func(t *turn) error {
				return t.proposeCondition(state.(pm.ConditionState).BaseCondition(), p.BaseCondition())
			}
		}
		return nil
	}, func(t *turn) error { return act(t) }, false)
}

func proposeSystem(s, p *pm.AlertSystemState) error {
	for _, e := range p.SystemSignalActivation {
		switch e.State {
		case pm.AlertActivationOn, pm.AlertActivationOff, pm.AlertActivationPsd:
		default:
			return refuse("BICEPS schema", s.DescriptorHandle, "%q is no activation state", e.State)
		}
		found := false
		for i := range s.SystemSignalActivation {
			if s.SystemSignalActivation[i].Manifestation == e.Manifestation {
				s.SystemSignalActivation[i].State, found = e.State, true
			}
		}
		if !found {
			return refuse("BICEPS B-128", s.DescriptorHandle, "the alert system has no SystemSignalActivation for %s", e.Manifestation)
		}
	}
	return nil
}

func (t *turn) proposeCondition(s, p *pm.AlertConditionState) error {
	handle := s.DescriptorHandle
	if d, ok := p.ActualConditionGenerationDelay.Get(); ok {
		if d.Std() < 0 {
			return refuse("BICEPS schema", handle, "the generation delay %s is negative", d)
		}
		s.ActualConditionGenerationDelay = p.ActualConditionGenerationDelay
	}
	if p.Rank.IsSet() {
		s.Rank = p.Rank
	}
	if p.ActualPriority != "" && p.ActualPriority != s.ActualPriority {
		return t.setPriority(handle, p.ActualPriority)
	}
	return nil
}

func proposeLimits(tx *mdib.Tx, s, p *pm.LimitAlertConditionState) error {
	handle := s.DescriptorHandle
	descriptor, _ := tx.Descriptor(handle)
	d, ok := descriptor.(*pm.LimitAlertConditionDescriptor)
	if !ok {
		return refuse("BICEPS R0023", handle, "it is no limit condition")
	}
	switch p.MonitoredAlertLimits {
	case "":
	case pm.AlertConditionMonitoredLimitsAll, pm.AlertConditionMonitoredLimitsLoOff, pm.AlertConditionMonitoredLimitsHiOff, pm.AlertConditionMonitoredLimitsNone:
		s.MonitoredAlertLimits = p.MonitoredAlertLimits
	default:
		return refuse("BICEPS schema", handle, "%q does not say which limits are monitored", p.MonitoredAlertLimits)
	}
	if a := p.AutoLimitActivationState; a != "" && a != s.AutoLimitActivationState {
		if !d.AutoLimitSupported {
			return refuse("BICEPS limits", handle, "the condition does not adapt its limits")
		}
		s.AutoLimitActivationState = a
	}
	limits := s.Limits
	if p.Limits.Lower.IsSet() {
		limits.Lower = p.Limits.Lower
	}
	if p.Limits.Upper.IsSet() {
		limits.Upper = p.Limits.Upper
	}
	if within := clip(limits, d.MaxLimits); within.Lower != limits.Lower || within.Upper != limits.Upper {
		return refuse("BICEPS ranges", handle, "the limits, %s, are outside of MaxLimits, %s", limits, d.MaxLimits)
	}
	lower, hasLower := limits.Lower.Get()
	if upper, ok := limits.Upper.Get(); ok && hasLower && lower.Cmp(upper) > 0 {
		return refuse("BICEPS ranges", handle, "the lower limit %s is above the upper limit %s", lower, upper)
	}
	s.Limits = limits
	return nil
}

func (t *turn) proposeSignal(s, p *pm.AlertSignalState) error {
	handle := s.DescriptorHandle
	g, ok := t.layout.signals[handle]
	if !ok {
		return unknown(handle, "alert signal")
	}
	if d, ok := p.ActualSignalGenerationDelay.Get(); ok {
		low, hasLow := g.minDelay.Get()
		high, hasHigh := g.maxDelay.Get()
		if d.Std() < 0 || hasLow && d.Std() < low.Std() || hasHigh && d.Std() > high.Std() {
			return refuse("BICEPS ranges", handle, "the generation delay %s is out of bounds", d)
		}
		s.ActualSignalGenerationDelay = p.ActualSignalGenerationDelay
	}
	if p.Slot.IsSet() {
		s.Slot = p.Slot
	}
	if l := p.Location; l != "" && l != s.LocationOrDefault() {
		if !g.delegable || len(g.fallbacks) > 0 {
			return refuse("BICEPS delegation", handle, "the location of the signal is fixed")
		}
		s.Location = l
	}
	y := t.memory.signals[handle]
	if g.delegable && s.Location == pm.AlertSignalPrimaryLocationRem && s.ActivationState == pm.AlertActivationOn {
		y.confirmed = t.now
		t.memory.signals[handle] = y
	}
	if s.ActivationState != pm.AlertActivationOn {
		return nil // it is not generated, whatever else is said
	}
	is := y.presence
	switch p.Presence {
	case is, "", pm.AlertSignalPresenceOn, pm.AlertSignalPresenceLatch:
		return nil
	case pm.AlertSignalPresenceAck:
	case pm.AlertSignalPresenceOff:
		if is != pm.AlertSignalPresenceLatch {
			return refuse("BICEPS ack", handle, "the condition is present: the signal can be acknowledged, not ended")
		}
	default:
		return refuse("BICEPS schema", handle, "%q is no presence of a signal", p.Presence)
	}
	return t.acknowledge(handle)
}
