package build

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Limit is a row of a table of limit alarms.
type Limit struct {
	Handle string
	// Source is the numeric metric that is watched; limits are in its unit.
	Source   string
	Type     Code
	Priority pm.AlertConditionPriority
	// Low and High are the limits in force at first; "" is a limit that is off.
	Low, High string
	// Min and Max bound what can be set.
	Min, Max string
	// Delay is how long the value must be outside before the alarm is raised.
	Delay time.Duration
	// Cause and Remedy help the user.
	Cause, Remedy string
}

// Condition is a row of a table of alarms without limits.
type Condition struct {
	Handle   string
	Source   string
	Type     Code
	Kind     pm.AlertConditionKind
	Priority pm.AlertConditionPriority
	Delay    time.Duration
	// Cause and Remedy help the user.
	Cause, Remedy string
}

// AlertSystem makes an alert system with a visible and an audible signal for every condition.
func AlertSystem(handle string, selfCheck time.Duration, limits []Limit, conditions []Condition) *pm.AlertSystemDescriptor {
	s := &pm.AlertSystemDescriptor{SelfCheckPeriod: pm.Some(pm.DurationOf(selfCheck))}
	s.AbstractDescriptor = Base(handle, Private("alert-system", "Alert system"))
	s.SafetyClassification = pm.SafetyClassificationMedB
	for _, l := range limits {
		d := &pm.LimitAlertConditionDescriptor{MaxLimits: Range(l.Min, l.Max)}
		d.AlertConditionDescriptor = condition(l.Handle, l.Type, l.Source, pm.AlertConditionKindPhy, l.Priority, l.Delay, l.Cause, l.Remedy)
		s.AlertCondition = append(s.AlertCondition, d)
		s.AlertSignal = append(s.AlertSignal, signals(l.Handle)...)
	}
	for _, c := range conditions {
		d := condition(c.Handle, c.Type, c.Source, c.Kind, c.Priority, c.Delay, c.Cause, c.Remedy)
		s.AlertCondition = append(s.AlertCondition, &d)
		s.AlertSignal = append(s.AlertSignal, signals(c.Handle)...)
	}
	return s
}

// VisibleSignal and AudibleSignal are the handles of a condition's signals.
func VisibleSignal(condition string) string { return condition + ".vis" }

// AudibleSignal is the handle of a condition's audible signal.
func AudibleSignal(condition string) string { return condition + ".aud" }

func condition(handle string, code Code, source string, kind pm.AlertConditionKind, p pm.AlertConditionPriority, delay time.Duration, cause, remedy string) pm.AlertConditionDescriptor {
	d := pm.AlertConditionDescriptor{Kind: kind, Priority: p}
	d.AbstractDescriptor = Base(handle, code)
	d.SafetyClassification = pm.SafetyClassificationMedB
	if source != "" {
		d.Source = []string{source}
	}
	if delay > 0 {
		d.DefaultConditionGenerationDelay = pm.Some(pm.DurationOf(delay))
	}
	if cause != "" {
		info := pm.CauseInfo{Description: Text(cause)}
		if remedy != "" {
			info.RemedyInfo = &pm.RemedyInfo{Description: Text(remedy)}
		}
		d.CauseInfo = []pm.CauseInfo{info}
	}
	return d
}

// AcknowledgeTimeout is after what time an acknowledged alarm that is still there sounds again.
const AcknowledgeTimeout = 2 * time.Minute

func signals(condition string) []*pm.AlertSignalDescriptor {
	signal := func(handle string, m pm.AlertSignalManifestation, what string) *pm.AlertSignalDescriptor {
		d := &pm.AlertSignalDescriptor{ConditionSignaled: condition, Manifestation: m}
		d.AbstractDescriptor = Base(handle, Private("signal-"+string(m), what))
		d.SafetyClassification = pm.SafetyClassificationMedB
		return d
	}
	audible := signal(AudibleSignal(condition), pm.AlertSignalManifestationAud, "Audible alarm signal")
	audible.AcknowledgementSupported, audible.AcknowledgeTimeout = true, pm.Some(pm.DurationOf(AcknowledgeTimeout))
	return []*pm.AlertSignalDescriptor{signal(VisibleSignal(condition), pm.AlertSignalManifestationVis, "Visible alarm signal"), audible}
}

// InitialLimits are the states of limit alarms that differ from what the descriptor implies.
func InitialLimits(limits []Limit) []pm.State {
	var out []pm.State
	for _, l := range limits {
		s := &pm.LimitAlertConditionState{Limits: Range(l.Low, l.High)}
		s.DescriptorHandle, s.ActivationState = l.Handle, pm.AlertActivationOn
		switch {
		case l.Low == "" && l.High == "":
			s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsNone
		case l.Low == "":
			s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsLoOff
		case l.High == "":
			s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsHiOff
		default:
			s.MonitoredAlertLimits = pm.AlertConditionMonitoredLimitsAll
		}
		out = append(out, s)
	}
	return out
}
