package lint

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func alertRules() []Rule {
	return []Rule{
		{ID: "BICEPS self-check", Profile: base, Title: "An alert system with a self-check period tells of its self checks.", check: selfCheck},
		{ID: "BICEPS ack", Profile: base, Title: "The presence of a signal fits its condition, latching and acknowledgement.", check: signalPresence},
		{ID: "BICEPS delegation", Profile: base, Title: "A signal generated elsewhere is one that can be delegated.", check: delegation},
	}
}

func selfCheck(p *pass) {
	for d, s := range pairs[*pm.AlertSystemDescriptor, *pm.AlertSystemState](p) {
		period, ok := d.SelfCheckPeriod.Get()
		if !ok {
			continue
		}
		switch {
		case period.Std() <= 0:
			p.errorf(d.Handle, "the self-check period %s is not positive", period)
		case s.ActivationState != pm.AlertActivationOn:
		case !s.LastSelfCheck.IsSet() || !s.SelfCheckCount.IsSet():
			p.warnf(d.Handle, "there is a self-check period, but the state lacks LastSelfCheck or SelfCheckCount")
		}
	}
}

func signalPresence(p *pass) {
	for d, s := range pairs[*pm.AlertSignalDescriptor, *pm.AlertSignalState](p) {
		presence := s.PresenceOrDefault()
		if presence == pm.AlertSignalPresenceOff {
			continue
		}
		if s.ActivationState != pm.AlertActivationOn {
			p.warnf(d.Handle, "the presence is %s although the signal is %s", presence, s.ActivationState)
		}
		switch presence {
		case pm.AlertSignalPresenceAck:
			if !d.AcknowledgementSupported {
				p.errorf(d.Handle, "the signal is acknowledged, but acknowledging is not supported")
			}
		case pm.AlertSignalPresenceLatch:
			if !d.Latching {
				p.errorf(d.Handle, "the signal is latched, but it is not a latching one")
			}
		case pm.AlertSignalPresenceOn:
			c, ok := mdib.Get[pm.ConditionState](p.s, d.ConditionSignaled)
			if ok && !c.BaseCondition().Presence {
				p.warnf(d.Handle, "the signal is on although its condition %q is not present", clip(d.ConditionSignaled))
			}
		}
	}
}

func delegation(p *pass) {
	for d, s := range pairs[*pm.AlertSignalDescriptor, *pm.AlertSignalState](p) {
		if s.LocationOrDefault() == pm.AlertSignalPrimaryLocationRem && !d.SignalDelegationSupported {
			p.warnf(d.Handle, "the signal is generated elsewhere, but delegating it is not supported")
		}
	}
}
