package bedside

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of operations that all bedside devices have, and the prefixes of those that there are for each alarm.
const (
	OpPauseAudio  = "op.audio.pause"
	OpResumeAudio = "op.audio.resume"
	OpAcknowledge = "op.acknowledge"

	acknowledgePrefix = "op.acknowledge."
	limitPrefix       = "op.limits."
)

// AudioPause is how long a pause of the audible signals lasts.
const AudioPause = 2 * time.Minute

// OpLimits is the handle of the operation that sets the limits of an alarm.
func OpLimits(condition string) string { return limitPrefix + condition }

// OpAcknowledgeSignal is the handle of the operation that acknowledges the audible signal of an alarm.
func OpAcknowledgeSignal(condition string) string { return acknowledgePrefix + condition }

// Operations are those that every bedside device with the given alarms has.
func Operations(limits []build.Limit, conditions []build.Condition) []pm.OperationDescriptor {
	pause := build.Activate(OpPauseAudio, build.HandleAlertSystem, build.Private("pause-audio", "Pause the audible alarm signals for 2 minutes"))
	pause.InvocationEffectiveTimeout = pm.Some(pm.DurationOf(AudioPause))
	out := []pm.OperationDescriptor{
		pause,
		build.Activate(OpResumeAudio, build.HandleAlertSystem, build.Private("resume-audio", "End the pause of the audible alarm signals")),
		build.Activate(OpAcknowledge, build.HandleAlertSystem, build.Private("acknowledge", "Acknowledge all alarm signals")),
	}
	acknowledge := func(condition string, of build.Code) {
		out = append(out, build.SetAlertState(OpAcknowledgeSignal(condition), build.AudibleSignal(condition),
			build.Private("acknowledge-signal", "Acknowledge: "+of.Text), "@Presence"))
	}
	for _, c := range conditions {
		acknowledge(c.Handle, c.Type)
	}
	for _, l := range limits {
		acknowledge(l.Handle, l.Type)
		out = append(out, build.SetAlertState(OpLimits(l.Handle), l.Handle,
			build.Private("set-limits", "Set the limits: "+l.Type.Text), "@ActivationState", "@MonitoredAlertLimits", "pm:Limits"))
	}
	return out
}

// DAS are the operations of a device whose alarms a distributed alarm system can monitor.
func DAS(d simulators.DAS) ([]pm.OperationDescriptor, error) {
	return das.Description{Target: build.HandleAlertSystem, EffectiveTimeout: d.RenewWithin, ConfirmWithin: d.ConfirmWithin}.Operations()
}

// Attach registers the handlers of Operations and of the contexts, and takes the place. A device with the operations of DAS can be monitored.
func Attach(p *provider.Provider, a *Alarms, place Place) error {
	if err := a.monitored(p); err != nil {
		return err
	}
	errs := []error{
		p.HandleSetContextState(build.OpSetPatient, p.ApplyContextStates),
		p.HandleSetContextState(build.OpSetLocation, p.ApplyContextStates),
		p.HandleSetContextState(build.OpSetEnsemble, p.ApplyContextStates),
		p.HandleActivate(OpPauseAudio, func(context.Context, *provider.Activate) error { return a.manager.PauseAudio(a.system, AudioPause) }),
		p.HandleActivate(OpResumeAudio, func(context.Context, *provider.Activate) error { return a.resumeAudio() }),
		p.HandleActivate(OpAcknowledge, func(context.Context, *provider.Activate) error { return a.acknowledge() }),
	}
	for e := range p.MDIB().Entities() {
		if _, ok := e.Descriptor.(pm.ConditionDescriptor); ok {
			errs = append(errs, p.HandleSetAlertState(OpAcknowledgeSignal(e.Handle), a.setAlertState))
		}
	}
	for _, l := range a.limits {
		errs = append(errs, p.HandleSetAlertState(OpLimits(l.Handle), a.setAlertState))
	}
	errs = append(errs, place.take(p))
	return errors.Join(errs...)
}
