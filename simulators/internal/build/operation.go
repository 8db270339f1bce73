package build

import (
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// operation is what all operations of the simulated devices share.
func operation(handle, target string, code Code) pm.AbstractOperationDescriptor {
	o := pm.AbstractOperationDescriptor{OperationTarget: target, MaxTimeToFinish: pm.Some(pm.DurationOf(5 * time.Second))}
	o.AbstractDescriptor = Base(handle, code)
	o.SafetyClassification = pm.SafetyClassificationMedB
	return o
}

// SetValue makes an operation that sets a number.
func SetValue(handle, target string, code Code) *pm.SetValueOperationDescriptor {
	return &pm.SetValueOperationDescriptor{AbstractOperationDescriptor: operation(handle, target, code)}
}

// SetString makes an operation that sets a text.
func SetString(handle, target string, code Code, maxLength uint64) *pm.SetStringOperationDescriptor {
	return &pm.SetStringOperationDescriptor{AbstractOperationDescriptor: operation(handle, target, code), MaxLength: pm.Some(maxLength)}
}

// Activate makes an operation that triggers an action.
func Activate(handle, target string, code Code) *pm.ActivateOperationDescriptor {
	d := &pm.ActivateOperationDescriptor{}
	d.AbstractOperationDescriptor = operation(handle, target, code)
	return d
}

// Leased makes an Activate operation whose effect ends unless it is invoked again within the given time.
func Leased(handle, target string, code Code, lease time.Duration) *pm.ActivateOperationDescriptor {
	d := Activate(handle, target, code)
	d.InvocationEffectiveTimeout, d.Retriggerable = pm.Some(pm.DurationOf(lease)), pm.Some(true)
	return d
}

// SetMetricState makes an operation that sets metric states as far as modifiable says.
func SetMetricState(handle, target string, code Code, modifiable ...string) *pm.SetMetricStateOperationDescriptor {
	d := &pm.SetMetricStateOperationDescriptor{}
	d.AbstractOperationDescriptor, d.ModifiableData = operation(handle, target, code), modifiable
	return d
}

// SetAlertState makes an operation that sets an alert state as far as modifiable says.
func SetAlertState(handle, target string, code Code, modifiable ...string) *pm.SetAlertStateOperationDescriptor {
	d := &pm.SetAlertStateOperationDescriptor{}
	d.AbstractOperationDescriptor, d.ModifiableData = operation(handle, target, code), modifiable
	return d
}

// SetContextState makes an operation that sets context states.
func SetContextState(handle, target string, code Code) *pm.SetContextStateOperationDescriptor {
	d := &pm.SetContextStateOperationDescriptor{}
	d.AbstractOperationDescriptor = operation(handle, target, code)
	return d
}

// AllowedRange is the state of a SetValue operation with a range.
func AllowedRange(handle, low, high string) pm.State {
	s := &pm.SetValueOperationState{AllowedRange: []pm.Range{Range(low, high)}}
	s.DescriptorHandle, s.OperatingMode = handle, pm.OperatingModeEn
	return s
}

// AllowedValues is the state of a SetString operation with a list of texts.
func AllowedValues(handle string, values ...string) pm.State {
	s := &pm.SetStringOperationState{AllowedValues: &pm.AllowedValues{Value: values}}
	s.DescriptorHandle, s.OperatingMode = handle, pm.OperatingModeEn
	return s
}
