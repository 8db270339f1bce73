package pm

// AbstractAlertDescriptor is what alert system, condition and signal descriptors share.
type AbstractAlertDescriptor struct {
	AbstractDescriptor
}

// BaseAlert returns the part all alert descriptors share.
func (d *AbstractAlertDescriptor) BaseAlert() *AbstractAlertDescriptor { return d }

// AbstractAlertState is what alert system, condition and signal states share.
type AbstractAlertState struct {
	AbstractState
	ActivationState AlertActivation `sdc:"@ActivationState,1"`
}

// BaseAlert returns the part all alert states share.
func (s *AbstractAlertState) BaseAlert() *AbstractAlertState { return s }

// AlertActivation tells whether an element of an alert system is at work.
type AlertActivation string

// Values of AlertActivation.
const (
	AlertActivationOn  AlertActivation = "On"  // operating
	AlertActivationOff AlertActivation = "Off" // not operating
	AlertActivationPsd AlertActivation = "Psd" // paused: not operating for a while
)

// AlertSystemDescriptor describes an alert system, which detects conditions and generates signals.
type AlertSystemDescriptor struct {
	AbstractAlertDescriptor
	// MaxPhysiologicalParallelAlarms and MaxTechnicalParallelAlarms bound how many alarm conditions can be present at once.
	MaxPhysiologicalParallelAlarms Opt[uint32] `sdc:"@MaxPhysiologicalParallelAlarms,?"`
	MaxTechnicalParallelAlarms     Opt[uint32] `sdc:"@MaxTechnicalParallelAlarms,?"`
	// SelfCheckPeriod is the time between two self checks; AlertSystemState.LastSelfCheck moves that often.
	SelfCheckPeriod Opt[Duration]            `sdc:"@SelfCheckPeriod,?"`
	AlertCondition  []ConditionDescriptor    `sdc:"AlertCondition,*"`
	AlertSignal     []*AlertSignalDescriptor `sdc:"AlertSignal,*"`
}

// AlertSystemState is the state of an alert system.
type AlertSystemState struct {
	AbstractAlertState
	LastSelfCheck Opt[Timestamp] `sdc:"@LastSelfCheck,?"`
	// SelfCheckCount counts self checks since the alert system started.
	SelfCheckCount Opt[int64] `sdc:"@SelfCheckCount,?"`
	// PresentPhysiologicalAlarmConditions and PresentTechnicalAlarmConditions list the present alarm conditions.
	PresentPhysiologicalAlarmConditions []HandleRef              `sdc:"@PresentPhysiologicalAlarmConditions,?"`
	PresentTechnicalAlarmConditions     []HandleRef              `sdc:"@PresentTechnicalAlarmConditions,?"`
	SystemSignalActivation              []SystemSignalActivation `sdc:"SystemSignalActivation,*"`
}

// SystemSignalActivation is the activation of one manifestation of signals, system wide.
type SystemSignalActivation struct {
	Manifestation AlertSignalManifestation `sdc:"@Manifestation,1"`
	State         AlertActivation          `sdc:"@State,1"`
}

// CauseInfo is a cause of an alert condition and how to remedy it.
type CauseInfo struct {
	Extension   Extension       `sdc:"ext:Extension,?"`
	RemedyInfo  *RemedyInfo     `sdc:"RemedyInfo,?"`
	Description []LocalizedText `sdc:"Description,*"`
}

// RemedyInfo tells how to remedy a cause.
type RemedyInfo struct {
	Extension   Extension       `sdc:"ext:Extension,?"`
	Description []LocalizedText `sdc:"Description,*"`
}

// AlertConditionKind is where an alert condition comes from.
type AlertConditionKind string

// Values of AlertConditionKind.
const (
	AlertConditionKindPhy AlertConditionKind = "Phy" // physiological: from the patient
	AlertConditionKindTec AlertConditionKind = "Tec" // technical: from the equipment
	AlertConditionKindOth AlertConditionKind = "Oth" // from elsewhere
)

// AlertConditionPriority is how urgently somebody must react.
type AlertConditionPriority string

// Values of AlertConditionPriority.
const (
	AlertConditionPriorityLo   AlertConditionPriority = "Lo"   // awareness
	AlertConditionPriorityMe   AlertConditionPriority = "Me"   // prompt response
	AlertConditionPriorityHi   AlertConditionPriority = "Hi"   // immediate response
	AlertConditionPriorityNone AlertConditionPriority = "None" // no awareness needed
)

// AlertConditionDescriptor describes a condition worth an alert.
type AlertConditionDescriptor struct {
	AbstractAlertDescriptor
	Kind     AlertConditionKind     `sdc:"@Kind,1"`
	Priority AlertConditionPriority `sdc:"@Priority,1"`
	// DefaultConditionGenerationDelay is the time from the fact to its detection. Implied value PT0S.
	DefaultConditionGenerationDelay Opt[Duration] `sdc:"@DefaultConditionGenerationDelay,?"`
	// CanEscalate is the priority the condition may rise to: Lo, Me or Hi.
	CanEscalate AlertConditionPriority `sdc:"@CanEscalate,?,Lo|Me|Hi"`
	// CanDeescalate is the priority the condition may sink to: Me, Lo or None.
	CanDeescalate AlertConditionPriority `sdc:"@CanDeescalate,?,Me|Lo|None"`
	// Source lists the handles that lead to the condition, metrics for example.
	Source    []HandleRef `sdc:"Source,*"`
	CauseInfo []CauseInfo `sdc:"CauseInfo,*"`
}

// BaseCondition returns the part all alert condition descriptors share.
func (d *AlertConditionDescriptor) BaseCondition() *AlertConditionDescriptor { return d }

// AlertConditionState is the state of an alert condition.
type AlertConditionState struct {
	AbstractAlertState
	ActualConditionGenerationDelay Opt[Duration] `sdc:"@ActualConditionGenerationDelay,?"`
	// ActualPriority is the priority after escalation; "" means the descriptor's Priority.
	ActualPriority AlertConditionPriority `sdc:"@ActualPriority,?"`
	// Rank orders conditions of the same priority; a lower number is more important.
	Rank Opt[int32] `sdc:"@Rank,?"`
	// Presence tells whether the condition is detected and still there. Implied value false.
	Presence bool `sdc:"@Presence,?"`
	// DeterminationTime is when Presence last changed.
	DeterminationTime Opt[Timestamp] `sdc:"@DeterminationTime,?"`
}

// BaseCondition returns the part all alert condition states share.
func (s *AlertConditionState) BaseCondition() *AlertConditionState { return s }

// LimitAlertConditionDescriptor describes a condition that arises when a metric leaves its limits.
type LimitAlertConditionDescriptor struct {
	AlertConditionDescriptor
	// AutoLimitSupported tells whether the limits can follow the value. Implied value false.
	AutoLimitSupported bool `sdc:"@AutoLimitSupported,?"`
	// MaxLimits is the widest range the limits can be set to.
	MaxLimits Range `sdc:"MaxLimits,1"`
}

// AlertConditionMonitoredLimits says which limits are being watched.
type AlertConditionMonitoredLimits string

// Values of AlertConditionMonitoredLimits.
const (
	AlertConditionMonitoredLimitsAll   AlertConditionMonitoredLimits = "All"   // both
	AlertConditionMonitoredLimitsLoOff AlertConditionMonitoredLimits = "LoOff" // the low limit is not
	AlertConditionMonitoredLimitsHiOff AlertConditionMonitoredLimits = "HiOff" // the high limit is not
	AlertConditionMonitoredLimitsNone  AlertConditionMonitoredLimits = "None"  // neither
)

// LimitAlertConditionState is the state of a limit alert condition.
type LimitAlertConditionState struct {
	AlertConditionState
	MonitoredAlertLimits AlertConditionMonitoredLimits `sdc:"@MonitoredAlertLimits,1"`
	// AutoLimitActivationState tells whether the limits follow the value.
	AutoLimitActivationState AlertActivation `sdc:"@AutoLimitActivationState,?"`
	// Limits are the limits in force.
	Limits Range `sdc:"Limits,1"`
}

// AlertSignalManifestation is how a signal is perceived.
type AlertSignalManifestation string

// Values of AlertSignalManifestation.
const (
	AlertSignalManifestationAud AlertSignalManifestation = "Aud" // heard
	AlertSignalManifestationVis AlertSignalManifestation = "Vis" // seen
	AlertSignalManifestationTan AlertSignalManifestation = "Tan" // felt
	AlertSignalManifestationOth AlertSignalManifestation = "Oth" // otherwise
)

// AlertSignalDescriptor describes a signal that makes a condition known.
type AlertSignalDescriptor struct {
	AbstractAlertDescriptor
	// ConditionSignaled is the handle of the alert condition that is signalled.
	ConditionSignaled HandleRef                `sdc:"@ConditionSignaled,?"`
	Manifestation     AlertSignalManifestation `sdc:"@Manifestation,1"`
	// Latching tells whether the signal goes on after the condition has gone.
	Latching bool `sdc:"@Latching,1"`
	// DefaultSignalGenerationDelay is the time from detection to signal. Implied value PT0S.
	DefaultSignalGenerationDelay Opt[Duration] `sdc:"@DefaultSignalGenerationDelay,?"`
	MinSignalGenerationDelay     Opt[Duration] `sdc:"@MinSignalGenerationDelay,?"`
	MaxSignalGenerationDelay     Opt[Duration] `sdc:"@MaxSignalGenerationDelay,?"`
	// SignalDelegationSupported tells whether another participant may generate the signal. Implied value false.
	SignalDelegationSupported bool `sdc:"@SignalDelegationSupported,?"`
	// AcknowledgementSupported tells whether the signal can be acknowledged. Implied value false.
	AcknowledgementSupported bool `sdc:"@AcknowledgementSupported,?"`
	// AcknowledgeTimeout is how long an acknowledgement holds; absent means without end.
	AcknowledgeTimeout Opt[Duration] `sdc:"@AcknowledgeTimeout,?"`
}

// AlertSignalPresence tells whether a signal is being generated.
type AlertSignalPresence string

// Values of AlertSignalPresence.
const (
	AlertSignalPresenceOn    AlertSignalPresence = "On"    // generated
	AlertSignalPresenceOff   AlertSignalPresence = "Off"   // not generated
	AlertSignalPresenceLatch AlertSignalPresence = "Latch" // generated though the condition has gone
	AlertSignalPresenceAck   AlertSignalPresence = "Ack"   // acknowledged: silent though the condition is present
)

// AlertSignalPrimaryLocation is where a signal is perceived first.
type AlertSignalPrimaryLocation string

// Values of AlertSignalPrimaryLocation.
const (
	AlertSignalPrimaryLocationLoc AlertSignalPrimaryLocation = "Loc" // at the device that detected the condition
	AlertSignalPrimaryLocationRem AlertSignalPrimaryLocation = "Rem" // elsewhere
)

// AlertSignalState is the state of an alert signal.
type AlertSignalState struct {
	AbstractAlertState
	ActualSignalGenerationDelay Opt[Duration] `sdc:"@ActualSignalGenerationDelay,?"`
	// Presence, implied value Off, see PresenceOrDefault.
	Presence AlertSignalPresence `sdc:"@Presence,?"`
	// Location, implied value Loc, see LocationOrDefault.
	Location AlertSignalPrimaryLocation `sdc:"@Location,?"`
	// Slot orders signals of the same manifestation.
	Slot Opt[uint32] `sdc:"@Slot,?"`
}
