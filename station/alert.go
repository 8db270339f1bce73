package station

import (
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Alert is an alert condition with its signals. It is immutable.
type Alert struct {
	Ref
	MDS           string
	Code          Code
	Symbol, Label string
	Kind          pm.AlertConditionKind
	// Priority is the actual one, after escalation.
	Priority pm.AlertConditionPriority
	// Present tells whether the condition is there; Since is when that last changed, by the clock of the station, zero if not told.
	Present bool
	Since   time.Time
	// Activation is whether the condition is watched, System whether its alert system is at work.
	Activation, System pm.AlertActivation
	// Sources are the handles of the metrics and components that it is about.
	Sources []string
	// Limits are those of a limit condition; nil for others. Monitored tells which of them are watched.
	Limits    *pm.Range
	MaxLimits *pm.Range
	Monitored pm.AlertConditionMonitoredLimits
	Causes    []Cause
	Signals   []Signal
	// Stale tells that the device is not live, since StaleSince.
	Stale      bool
	StaleSince time.Time
}

// Cause is a cause of a condition and what to do about it.
type Cause struct{ Text, Remedy string }

// Signal is an alert signal of a condition.
type Signal struct {
	Handle        string
	Manifestation pm.AlertSignalManifestation
	Activation    pm.AlertActivation
	Presence      pm.AlertSignalPresence
	Location      pm.AlertSignalPrimaryLocation
	// Latching tells whether the signal stays when the condition has gone; Delegable, Acknowledgeable what else it can do.
	Latching, Delegable, Acknowledgeable bool
}

// Signalled tells whether any signal is being generated, acknowledged or latched.
func (a *Alert) Signalled() bool {
	return slices.ContainsFunc(a.Signals, func(s Signal) bool { return s.Presence != pm.AlertSignalPresenceOff })
}

// Latched tells whether a signal goes on though the condition has gone.
func (a *Alert) Latched() bool { return a.has(pm.AlertSignalPresenceLatch) }

// Acknowledged tells whether somebody has acknowledged a signal and no other that can be acknowledged is still being generated. Visible signals usually stay until
// the condition has gone.
func (a *Alert) Acknowledged() bool {
	return a.has(pm.AlertSignalPresenceAck) &&
		!slices.ContainsFunc(a.Signals, func(s Signal) bool { return s.Presence == pm.AlertSignalPresenceOn && s.Acknowledgeable })
}

// Active tells whether the alert wants attention: it is present, or its signals still are.
func (a *Alert) Active() bool { return a.Present || a.Signalled() }

func (a *Alert) has(p pm.AlertSignalPresence) bool {
	return slices.ContainsFunc(a.Signals, func(s Signal) bool { return s.Presence == p })
}

// alerts lists the conditions of an MDS in the order of the containment tree.
func alerts(epr, mds string, snap *mdib.Snapshot, aligned func(pm.Opt[pm.Timestamp]) time.Time) []*Alert {
	var out []*Alert
	signals := make(map[string][]Signal)
	systems := make(map[string]pm.AlertActivation)
	for e := range snap.Subtree(mds) {
		switch d := e.Descriptor.(type) {
		case *pm.AlertSystemDescriptor:
			if s, ok := e.State.(*pm.AlertSystemState); ok {
				systems[e.Handle] = s.ActivationState
			}
		case pm.ConditionDescriptor:
			out = append(out, alert(epr, mds, e, d, systems[e.Parent], aligned))
		case *pm.AlertSignalDescriptor:
			s, ok := e.State.(*pm.AlertSignalState)
			if !ok {
				continue
			}
			signals[d.ConditionSignaled] = append(signals[d.ConditionSignaled], Signal{
				Handle: e.Handle, Manifestation: d.Manifestation, Activation: s.ActivationState, Presence: s.PresenceOrDefault(),
				Location: s.LocationOrDefault(), Latching: d.Latching, Delegable: d.SignalDelegationSupported, Acknowledgeable: d.AcknowledgementSupported,
			})
		}
	}
	for _, a := range out {
		a.Signals = signals[a.Handle]
	}
	return out
}

func alert(epr, mds string, e mdib.Entity, desc pm.ConditionDescriptor, system pm.AlertActivation, aligned func(pm.Opt[pm.Timestamp]) time.Time) *Alert {
	d := desc.BaseCondition()
	a := &Alert{
		Ref: Ref{epr, e.Handle}, MDS: mds, Code: CodeOf(d.Type), Label: describe(d.Type), Kind: d.Kind, Priority: d.Priority, System: system, Sources: d.Source,
	}
	if d.Type != nil {
		a.Symbol = d.Type.SymbolicCodeName
	}
	for _, c := range d.CauseInfo {
		cause := Cause{Text: text(c.Description)}
		if c.RemedyInfo != nil {
			cause.Remedy = text(c.RemedyInfo.Description)
		}
		a.Causes = append(a.Causes, cause)
	}
	if l, ok := desc.(*pm.LimitAlertConditionDescriptor); ok {
		a.MaxLimits = &l.MaxLimits
	}
	state, ok := e.State.(pm.ConditionState)
	if !ok {
		return a
	}
	s := state.BaseCondition()
	a.Present, a.Since, a.Activation = s.Presence, aligned(s.DeterminationTime), s.ActivationState
	if s.ActualPriority != "" {
		a.Priority = s.ActualPriority
	}
	if l, ok := state.(*pm.LimitAlertConditionState); ok {
		a.Limits, a.Monitored = &l.Limits, l.MonitoredAlertLimits
	}
	return a
}
