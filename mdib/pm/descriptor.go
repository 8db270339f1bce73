package pm

// AbstractDescriptor is what all descriptors share.
type AbstractDescriptor struct {
	// Handle is unique in the MDIB (BICEPS R0007_0).
	Handle Handle `sdc:"@Handle,1"`
	// DescriptorVersion counts the changes of this descriptor. Implied value 0.
	DescriptorVersion uint64 `sdc:"@DescriptorVersion,?"`
	// SafetyClassification, implied value Inf, see SafetyClassificationOrDefault.
	SafetyClassification SafetyClassification `sdc:"@SafetyClassification,?"`
	Extension            Extension            `sdc:"ext:Extension,?"`
	// Type is the concept the descriptor describes. MDS, VMD, channel, operation, alert condition and
	// metric descriptors must have it (GLUE R0080).
	Type *CodedValue `sdc:"Type,?"`
}

// Base returns the part all descriptors share.
func (d *AbstractDescriptor) Base() *AbstractDescriptor { return d }

// Descriptor is any descriptor that may stand in an MDIB. Sealed: the concrete types of this package
// implement it, as pointers.
type Descriptor interface {
	// Base returns the part all descriptors share.
	Base() *AbstractDescriptor
	element
	isDescriptor()
	cloneDescriptor() Descriptor
	shallowDescriptor() Descriptor
	equalDescriptor(Descriptor) bool
	flaw() string
}

// ComponentDescriptor is a descriptor derived from AbstractDeviceComponentDescriptor:
// MDS, VMD, channel, SCO, clock, battery, system context.
type ComponentDescriptor interface {
	Descriptor
	BaseComponent() *AbstractDeviceComponentDescriptor
}

// ComplexComponentDescriptor is an MDS or VMD descriptor: the ones that may own an alert system and an SCO.
type ComplexComponentDescriptor interface {
	ComponentDescriptor
	BaseComplex() *AbstractComplexDeviceComponentDescriptor
}

// AlertDescriptor is the descriptor of an alert system, condition or signal.
type AlertDescriptor interface {
	Descriptor
	BaseAlert() *AbstractAlertDescriptor
}

// ConditionDescriptor is *AlertConditionDescriptor or *LimitAlertConditionDescriptor.
type ConditionDescriptor interface {
	AlertDescriptor
	BaseCondition() *AlertConditionDescriptor
}

// MetricDescriptor is the descriptor of a metric.
type MetricDescriptor interface {
	Descriptor
	BaseMetric() *AbstractMetricDescriptor
}

// OperationDescriptor is the descriptor of an operation of an SCO.
type OperationDescriptor interface {
	Descriptor
	BaseOperation() *AbstractOperationDescriptor
}

// SetStateOperationDescriptor is the descriptor of an operation derived from AbstractSetStateOperationDescriptor.
type SetStateOperationDescriptor interface {
	OperationDescriptor
	BaseSetState() *AbstractSetStateOperationDescriptor
}

// ContextDescriptor is the descriptor of a context.
type ContextDescriptor interface {
	Descriptor
	BaseContext() *AbstractContextDescriptor
}

// element is what every polymorphic element can do.
type element interface {
	// XSIType is the value written for xsi:type, such as "pm:NumericMetricState".
	XSIType() string
	// TypeName is the same as an expanded name.
	TypeName() QName
	// AppendElement appends the value as an element of the given prefixed name, with xsi:type if
	// xsiType is not "". The prefixes pm, ext and xsi must be bound by an enclosing element.
	AppendElement(b []byte, name, xsiType string) []byte
}

// CloneDescriptor returns a deep copy that shares nothing with d; nil for nil.
func CloneDescriptor(d Descriptor) Descriptor {
	if d == nil {
		return nil
	}
	return d.cloneDescriptor()
}

// EqualDescriptor reports whether a and b have the same type and the same content, child
// descriptors included.
func EqualDescriptor(a, b Descriptor) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.equalDescriptor(b)
}

// DescriptorFlaw is StateFlaw for a descriptor, with the descriptors that it contains.
func DescriptorFlaw(d Descriptor) string { return d.flaw() }

// ShallowDescriptor returns a copy whose own fields can be set freely but which shares everything behind
// pointers, slices and interfaces with d.
func ShallowDescriptor(d Descriptor) Descriptor { return d.shallowDescriptor() }
