package bedside

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of operations that all bedside devices have, and the prefix of those that set limits.
const (
	OpPauseAudio  = "op.audio.pause"
	OpResumeAudio = "op.audio.resume"
	limitPrefix   = "op.limits."
)

// AudioPause is how long a pause of the audible signals lasts.
const AudioPause = 2 * time.Minute

// OpLimits is the handle of the operation that sets the limits of an alarm.
func OpLimits(condition string) string { return limitPrefix + condition }

// Operations are those that every bedside device has.
func Operations(limits []build.Limit) []pm.OperationDescriptor {
	pause := build.Activate(OpPauseAudio, build.HandleAlertSystem, build.Private("pause-audio", "Pause the audible alarm signals for 2 minutes"))
	pause.InvocationEffectiveTimeout = pm.Some(pm.DurationOf(AudioPause))
	out := []pm.OperationDescriptor{
		pause,
		build.Activate(OpResumeAudio, build.HandleAlertSystem, build.Private("resume-audio", "End the pause of the audible alarm signals")),
	}
	for _, l := range limits {
		out = append(out, build.SetAlertState(OpLimits(l.Handle), l.Handle,
			build.Private("set-limits", "Set the limits: "+l.Type.Text), "@ActivationState", "@MonitoredAlertLimits", "pm:Limits"))
	}
	return out
}

// Attach registers the handlers of Operations and of the contexts, and takes the place.
func Attach(p *provider.Provider, a *Alarms, place Place) error {
	errs := []error{
		p.HandleSetContextState(build.OpSetPatient, p.ApplyContextStates),
		p.HandleSetContextState(build.OpSetLocation, p.ApplyContextStates),
		p.HandleSetContextState(build.OpSetEnsemble, p.ApplyContextStates),
		p.HandleActivate(OpPauseAudio, func(context.Context, *provider.Activate) error {
			a.PauseAudio(AudioPause)
			return a.Step(p, 0, time.Now())
		}),
		p.HandleActivate(OpResumeAudio, func(context.Context, *provider.Activate) error {
			a.ResumeAudio()
			return a.Step(p, 0, time.Now())
		}),
	}
	for _, l := range a.limits {
		errs = append(errs, p.HandleSetAlertState(OpLimits(l.Handle), func(ctx context.Context, call *provider.SetAlertState) error {
			if err := checkLimits(call); err != nil {
				return err
			}
			return p.ApplyAlertState(ctx, call)
		}))
	}
	errs = append(errs, place.take(p))
	return errors.Join(errs...)
}

// checkLimits refuses limits that are out of the widest allowed or the wrong way round.
func checkLimits(call *provider.SetAlertState) error {
	s, ok := call.Proposed.(*pm.LimitAlertConditionState)
	if !ok || s.DescriptorHandle != call.Target {
		return provider.Refuse("the operation sets the limits of %s only", call.Target)
	}
	d, ok := mdib.Get[*pm.LimitAlertConditionDescriptor](call.MDIB(), call.Target)
	if !ok {
		return provider.Refuse("%s has no limits", call.Target)
	}
	low, hasLow := s.Limits.Lower.Get()
	high, hasHigh := s.Limits.Upper.Get()
	switch {
	case hasLow && hasHigh && low.Cmp(high) >= 0:
		return provider.Refuse("the lower limit %s is not below the upper limit %s", low, high)
	case hasLow && !inside(d.MaxLimits, low):
		return provider.Refuse("the lower limit %s is outside of what can be set", low)
	case hasHigh && !inside(d.MaxLimits, high):
		return provider.Refuse("the upper limit %s is outside of what can be set", high)
	}
	return nil
}

func inside(r pm.Range, v pm.Decimal) bool {
	if low, ok := r.Lower.Get(); ok && v.Cmp(low) < 0 {
		return false
	}
	high, ok := r.Upper.Get()
	return !ok || v.Cmp(high) <= 0
}
