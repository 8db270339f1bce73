package pm

// ScoDescriptor describes a service control object: the operations an MDS or VMD offers.
type ScoDescriptor struct {
	AbstractDeviceComponentDescriptor
	Operation []OperationDescriptor `sdc:"Operation,*"`
}

// ScoState is the state of an SCO.
type ScoState struct {
	AbstractDeviceComponentState
	// InvocationRequested lists operations somebody should invoke, most urgent first.
	InvocationRequested []HandleRef `sdc:"@InvocationRequested,?"`
	// InvocationRequired lists operations somebody must invoke, most urgent first.
	InvocationRequired []HandleRef      `sdc:"@InvocationRequired,?"`
	OperationGroup     []OperationGroup `sdc:"OperationGroup,*"`
}

// OperationGroup groups operations that belong together clinically.
type OperationGroup struct {
	// OperatingMode of the group as a whole.
	OperatingMode OperatingMode `sdc:"@OperatingMode,?"`
	// Operations in the group, clinically most relevant first.
	Operations []HandleRef `sdc:"@Operations,?"`
	Extension  Extension   `sdc:"ext:Extension,?"`
	Type       CodedValue  `sdc:"Type,1"`
}

// AbstractOperationDescriptor is what all operation descriptors share.
type AbstractOperationDescriptor struct {
	AbstractDescriptor
	// OperationTarget is the handle the operation acts on: a descriptor's for single states, a context
	// state's where the operation changes that one, a context descriptor's where it adds states.
	OperationTarget HandleRef `sdc:"@OperationTarget,1"`
	// MaxTimeToFinish is the longest time an invocation takes.
	MaxTimeToFinish Opt[Duration] `sdc:"@MaxTimeToFinish,?"`
	// InvocationEffectiveTimeout is how long the effect lasts unless invoked again.
	InvocationEffectiveTimeout Opt[Duration] `sdc:"@InvocationEffectiveTimeout,?"`
	// Retriggerable tells whether another invocation restarts InvocationEffectiveTimeout. Implied value
	// true, see RetriggerableOrDefault.
	Retriggerable Opt[bool] `sdc:"@Retriggerable,?"`
	// AccessLevel is who may invoke (BICEPS R5054). Implied value Usr, see AccessLevelOrDefault.
	AccessLevel AccessLevel `sdc:"@AccessLevel,?"`
}

// BaseOperation returns the part all operation descriptors share.
func (d *AbstractOperationDescriptor) BaseOperation() *AbstractOperationDescriptor { return d }

// AccessLevel is the group of users an operation is meant for.
type AccessLevel string

// Values of AccessLevel.
const (
	AccessLevelUsr   AccessLevel = "Usr"   // any user
	AccessLevelCSUsr AccessLevel = "CSUsr" // clinical super user
	AccessLevelRO    AccessLevel = "RO"    // responsible organization
	AccessLevelSP    AccessLevel = "SP"    // service personnel
	AccessLevelOth   AccessLevel = "Oth"   // restricted by other means
)

// AbstractSetStateOperationDescriptor is what the descriptors of operations that set whole states share.
type AbstractSetStateOperationDescriptor struct {
	AbstractOperationDescriptor
	// ModifiableData lists, as XPath from the state, what the operation may change; an empty list means
	// everything but handles and versions (BICEPS R5010, R5011).
	ModifiableData []string `sdc:"ModifiableData,*"`
}

// BaseSetState returns the part all set-state operation descriptors share.
func (d *AbstractSetStateOperationDescriptor) BaseSetState() *AbstractSetStateOperationDescriptor {
	return d
}

// OperatingMode tells whether an operation can be invoked.
type OperatingMode string

// Values of OperatingMode.
const (
	OperatingModeDis OperatingMode = "Dis" // disabled
	OperatingModeEn  OperatingMode = "En"  // enabled
	OperatingModeNA  OperatingMode = "NA"  // not available at present
)

// AbstractOperationState is what all operation states share.
type AbstractOperationState struct {
	AbstractState
	OperatingMode OperatingMode `sdc:"@OperatingMode,1"`
}

// BaseOperation returns the part all operation states share.
func (s *AbstractOperationState) BaseOperation() *AbstractOperationState { return s }

// SetValueOperationDescriptor describes an operation that sets a number.
type SetValueOperationDescriptor struct {
	AbstractOperationDescriptor
}

// SetValueOperationState is the state of an operation that sets a number.
type SetValueOperationState struct {
	AbstractOperationState
	// AllowedRange lists the ranges a requested value may lie in at present; empty means no restriction.
	AllowedRange []Range `sdc:"AllowedRange,*"`
}

// SetStringOperationDescriptor describes an operation that sets a text.
type SetStringOperationDescriptor struct {
	AbstractOperationDescriptor
	// MaxLength is the longest text accepted, in characters.
	MaxLength Opt[uint64] `sdc:"@MaxLength,?"`
}

// SetStringOperationState is the state of an operation that sets a text.
type SetStringOperationState struct {
	AbstractOperationState
	// AllowedValues restricts what may be requested; nil means no restriction.
	AllowedValues *AllowedValues `sdc:"AllowedValues,?"`
}

// AllowedValues lists the texts that may be requested at present.
type AllowedValues struct {
	Value []string `sdc:"Value,+"`
}

// ActivateOperationDescriptor describes an operation that triggers an action.
type ActivateOperationDescriptor struct {
	AbstractSetStateOperationDescriptor
	Argument []ActivateOperationDescriptorArgument `sdc:"Argument,*"`
}

// ActivateOperationDescriptorArgument describes an argument of an activate operation.
type ActivateOperationDescriptorArgument struct {
	ArgName CodedValue `sdc:"ArgName,1"`
	// Arg is the data type of the argument, for example xsd:string.
	Arg QName `sdc:"Arg,1"`
}

// ActivateOperationState is the state of an activate operation.
type ActivateOperationState struct {
	AbstractOperationState
}

// SetContextStateOperationDescriptor describes an operation that sets context states.
type SetContextStateOperationDescriptor struct {
	AbstractSetStateOperationDescriptor
}

// SetContextStateOperationState is the state of an operation that sets context states.
type SetContextStateOperationState struct {
	AbstractOperationState
}

// SetMetricStateOperationDescriptor describes an operation that sets metric states.
type SetMetricStateOperationDescriptor struct {
	AbstractSetStateOperationDescriptor
}

// SetMetricStateOperationState is the state of an operation that sets metric states.
type SetMetricStateOperationState struct {
	AbstractOperationState
}

// SetComponentStateOperationDescriptor describes an operation that sets component states.
type SetComponentStateOperationDescriptor struct {
	AbstractSetStateOperationDescriptor
}

// SetComponentStateOperationState is the state of an operation that sets component states.
type SetComponentStateOperationState struct {
	AbstractOperationState
}

// SetAlertStateOperationDescriptor describes an operation that sets an alert state.
type SetAlertStateOperationDescriptor struct {
	AbstractSetStateOperationDescriptor
}

// SetAlertStateOperationState is the state of an operation that sets an alert state.
type SetAlertStateOperationState struct {
	AbstractOperationState
}
