package station

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// OperationKind is which request invokes an operation.
type OperationKind string

// The kinds of operations.
const (
	SetValue          OperationKind = "SetValue"
	SetString         OperationKind = "SetString"
	Activate          OperationKind = "Activate"
	SetMetricState    OperationKind = "SetMetricState"
	SetComponentState OperationKind = "SetComponentState"
	SetAlertState     OperationKind = "SetAlertState"
	SetContextState   OperationKind = "SetContextState"
)

// Operation is what a device can be asked to do. It is immutable. Invoke it by Station.Device.
type Operation struct {
	Ref
	MDS           string
	Kind          OperationKind
	Code          Code
	Symbol, Label string
	// Target is the handle of what the operation acts on; Meaning is that of a metric, zero for other targets. Unit is that of its values.
	Target  string
	Meaning Meaning
	Unit    Unit
	// Mode tells whether it can be invoked now.
	Mode pm.OperatingMode
	// Ranges are those a number may lie in, Values the texts allowed; none means no restriction. MaxLength is 0 if not restricted.
	Ranges    []pm.Range
	Values    []string
	MaxLength uint64
	// Arguments are those of Activate; Modifiable is what a state operation may change, empty for everything.
	Arguments  []pm.ActivateOperationDescriptorArgument
	Modifiable []string
	// Access is who may invoke it, MaxTime the longest time it takes and Effective how long it lasts unless invoked again; 0 if not told.
	Access             pm.AccessLevel
	MaxTime, Effective time.Duration
	Safety             pm.SafetyClassification
}

// operations lists the operations of an MDS in the order of the containment tree.
func operations(epr, mds string, snap *mdib.Snapshot) []*Operation {
	var out []*Operation
	for e := range snap.Subtree(mds) {
		desc, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok {
			continue
		}
		d := desc.BaseOperation()
		o := &Operation{
			Ref: Ref{epr, e.Handle}, MDS: mds, Code: CodeOf(d.Type), Label: describe(d.Type), Target: d.OperationTarget,
			Access: d.AccessLevelOrDefault(), MaxTime: d.MaxTimeToFinish.Or(pm.Duration{}).Std(),
			Effective: d.InvocationEffectiveTimeout.Or(pm.Duration{}).Std(), Safety: d.SafetyClassificationOrDefault(), Mode: pm.OperatingModeNA,
		}
		if d.Type != nil {
			o.Symbol = d.Type.SymbolicCodeName
		}
		if s, ok := e.State.(pm.OperationState); ok {
			o.Mode = s.BaseOperation().OperatingMode
		}
		switch d := desc.(type) {
		case *pm.SetValueOperationDescriptor:
			o.Kind = SetValue
			if s, ok := e.State.(*pm.SetValueOperationState); ok {
				o.Ranges = s.AllowedRange
			}
		case *pm.SetStringOperationDescriptor:
			o.Kind, o.MaxLength = SetString, d.MaxLength.Or(0)
			if s, ok := e.State.(*pm.SetStringOperationState); ok && s.AllowedValues != nil {
				o.Values = s.AllowedValues.Value
			}
		case *pm.ActivateOperationDescriptor:
			o.Kind, o.Arguments, o.Modifiable = Activate, d.Argument, d.ModifiableData
		case *pm.SetMetricStateOperationDescriptor:
			o.Kind, o.Modifiable = SetMetricState, d.ModifiableData
		case *pm.SetComponentStateOperationDescriptor:
			o.Kind, o.Modifiable = SetComponentState, d.ModifiableData
		case *pm.SetAlertStateOperationDescriptor:
			o.Kind, o.Modifiable = SetAlertState, d.ModifiableData
		case *pm.SetContextStateOperationDescriptor:
			o.Kind, o.Modifiable = SetContextState, d.ModifiableData
		}
		if target, ok := mdib.Get[pm.MetricDescriptor](snap, d.OperationTarget); ok {
			state, _ := mdib.Get[pm.MetricState](snap, d.OperationTarget)
			o.Meaning, o.Unit = metricMeaning(target, state), unitOf(&target.BaseMetric().Unit)
		}
		out = append(out, o)
	}
	return out
}

func metricMeaning(d pm.MetricDescriptor, s pm.MetricState) Meaning {
	if s == nil {
		return meaningOf(d.BaseMetric(), nil)
	}
	return meaningOf(d.BaseMetric(), s.BaseMetric())
}
