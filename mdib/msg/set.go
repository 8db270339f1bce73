package msg

import "github.com/semeco/go-sdc/mdib/pm"

// SetValue asks to set a number.
type SetValue struct {
	AbstractSet
	RequestedNumericValue pm.Decimal `sdc:"RequestedNumericValue,1"`
}

// SetValueResponse answers a SetValue.
type SetValueResponse struct {
	AbstractSetResponse
}

// SetString asks to set a text.
type SetString struct {
	AbstractSet
	RequestedStringValue string `sdc:"RequestedStringValue,1"`
}

// SetStringResponse answers a SetString.
type SetStringResponse struct {
	AbstractSetResponse
}

// Activate asks to trigger an action.
type Activate struct {
	AbstractSet
	Argument []Argument `sdc:"Argument,*"`
}

// Argument is an argument of an Activate.
type Argument struct {
	Extension pm.Extension `sdc:"ext:Extension,?"`
	// ArgValue is the text of the value; its type stands in the operation's descriptor. An xsi:type beside
	// it is not kept.
	ArgValue string `sdc:"ArgValue,1"`
}

// ActivateResponse answers an Activate.
type ActivateResponse struct {
	AbstractSetResponse
}

// SetAlertState asks to set an alert state.
type SetAlertState struct {
	AbstractSet
	ProposedAlertState pm.AlertState `sdc:"ProposedAlertState,1"`
}

// SetAlertStateResponse answers a SetAlertState.
type SetAlertStateResponse struct {
	AbstractSetResponse
}

// SetComponentState asks to set component states.
type SetComponentState struct {
	AbstractSet
	ProposedComponentState []pm.ComponentState `sdc:"ProposedComponentState,+"`
}

// SetComponentStateResponse answers a SetComponentState.
type SetComponentStateResponse struct {
	AbstractSetResponse
}

// SetMetricState asks to set metric states.
type SetMetricState struct {
	AbstractSet
	ProposedMetricState []pm.MetricState `sdc:"ProposedMetricState,+"`
}

// SetMetricStateResponse answers a SetMetricState.
type SetMetricStateResponse struct {
	AbstractSetResponse
}

// OperationInvokedReport tells of the progress of invoked operations.
type OperationInvokedReport struct {
	AbstractReport
	ReportPart []OperationInvokedReportPart `sdc:"ReportPart,+"`
}

// OperationInvokedReportPart tells of one step of one invocation.
type OperationInvokedReportPart struct {
	AbstractReportPart
	// OperationHandleRef is the handle of the operation.
	OperationHandleRef pm.HandleRef `sdc:"@OperationHandleRef,1"`
	// OperationTarget is the handle of what was changed.
	OperationTarget pm.HandleRef   `sdc:"@OperationTarget,?"`
	InvocationInfo  InvocationInfo `sdc:"InvocationInfo,1"`
	// InvocationSource names who invoked (GLUE R0078_0).
	InvocationSource pm.InstanceIdentifier `sdc:"InvocationSource,1"`
}
