package pm

// AbstractState is what all states share.
type AbstractState struct {
	// StateVersion counts the changes of this state. Implied value 0.
	StateVersion uint64 `sdc:"@StateVersion,?"`
	// DescriptorHandle is the handle of the descriptor the state belongs to.
	DescriptorHandle HandleRef `sdc:"@DescriptorHandle,1"`
	// DescriptorVersion is the version of the descriptor the state belongs to. Implied value 0.
	DescriptorVersion uint64    `sdc:"@DescriptorVersion,?"`
	Extension         Extension `sdc:"ext:Extension,?"`
}

// BaseState returns the part all states share.
func (s *AbstractState) BaseState() *AbstractState { return s }

// AbstractMultiState is a state of which one descriptor may have several; each has its own handle.
type AbstractMultiState struct {
	AbstractState
	// Handle is unique in the MDIB, among descriptors too (BICEPS R0007_0).
	Handle   Handle      `sdc:"@Handle,1"`
	Category *CodedValue `sdc:"Category,?"`
}

// BaseMulti returns the part all multi-states share.
func (s *AbstractMultiState) BaseMulti() *AbstractMultiState { return s }

// State is any state that may stand in an MDIB. Sealed: the concrete types of this package implement
// it, as pointers.
type State interface {
	// BaseState returns the part all states share.
	BaseState() *AbstractState
	element
	isState()
	cloneState() State
	shallowState() State
	equalState(State) bool
	flaw() string
}

// MultiState is a state with a handle of its own; in this version of BICEPS that is every ContextState.
type MultiState interface {
	State
	BaseMulti() *AbstractMultiState
}

// ContextState is the state of a context.
type ContextState interface {
	MultiState
	BaseContext() *AbstractContextState
}

// ComponentState is a state derived from AbstractDeviceComponentState.
type ComponentState interface {
	State
	BaseComponent() *AbstractDeviceComponentState
}

// AlertState is the state of an alert system, condition or signal.
type AlertState interface {
	State
	BaseAlert() *AbstractAlertState
}

// ConditionState is *AlertConditionState or *LimitAlertConditionState.
type ConditionState interface {
	AlertState
	BaseCondition() *AlertConditionState
}

// MetricState is the state of a metric.
type MetricState interface {
	State
	BaseMetric() *AbstractMetricState
}

// OperationState is the state of an operation.
type OperationState interface {
	State
	BaseOperation() *AbstractOperationState
}

// HandleOf returns the handle a state is known by in the MDIB: its own for a multi-state, its
// descriptor's otherwise.
func HandleOf(s State) Handle {
	if m, ok := s.(MultiState); ok {
		return m.BaseMulti().Handle
	}
	return s.BaseState().DescriptorHandle
}

// CloneState returns a deep copy that shares nothing with s; nil for nil.
func CloneState(s State) State {
	if s == nil {
		return nil
	}
	return s.cloneState()
}

// EqualState reports whether a and b have the same type and the same content.
func EqualState(a, b State) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.equalState(b)
}

// StateFlaw says what of a state the schema does not allow, though Go does: a value that an enumeration does not have, or something required that is
// not there, such as "MetricValue.MetricQuality.Validity is missing". It is empty if there is nothing. Extensions, texts and numbers are not looked at.
func StateFlaw(s State) string { return s.flaw() }

// ContentEqualState reports whether a and b are equal when StateVersion and DescriptorVersion are
// left aside: whether going from one to the other changes anything a reader would see.
func ContentEqualState(a, b State) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	// The arguments may be shared between readers, so the versions are not touched on them.
	c := b.shallowState()
	c.BaseState().StateVersion = a.BaseState().StateVersion
	c.BaseState().DescriptorVersion = a.BaseState().DescriptorVersion
	return a.equalState(c)
}

// ShallowState returns a copy whose own fields can be set freely but which shares everything behind
// pointers, slices and interfaces with s.
func ShallowState(s State) State { return s.shallowState() }
