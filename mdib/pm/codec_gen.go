package pm

func (v *AlertSystemDescriptor) isDescriptor()               {}
func (v *AlertSystemDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *AlertSystemDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *AlertSystemDescriptor) XSIType() string { return "pm:AlertSystemDescriptor" }
func (v *AlertSystemDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertSystemDescriptor"}
}
func (v *AlertSystemDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *AlertSystemState) isState()                {}
func (v *AlertSystemState) cloneState() State       { c := *v; return &c }
func (v *AlertSystemState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *AlertSystemState) XSIType() string         { return "pm:AlertSystemState" }
func (v *AlertSystemState) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertSystemState"}
}
func (v *AlertSystemState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *AlertConditionDescriptor) isDescriptor()               {}
func (v *AlertConditionDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *AlertConditionDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *AlertConditionDescriptor) XSIType() string { return "pm:AlertConditionDescriptor" }
func (v *AlertConditionDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertConditionDescriptor"}
}
func (v *AlertConditionDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *AlertConditionState) isState()                {}
func (v *AlertConditionState) cloneState() State       { c := *v; return &c }
func (v *AlertConditionState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *AlertConditionState) XSIType() string         { return "pm:AlertConditionState" }
func (v *AlertConditionState) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertConditionState"}
}
func (v *AlertConditionState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *LimitAlertConditionDescriptor) isDescriptor()               {}
func (v *LimitAlertConditionDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *LimitAlertConditionDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *LimitAlertConditionDescriptor) XSIType() string { return "pm:LimitAlertConditionDescriptor" }
func (v *LimitAlertConditionDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "LimitAlertConditionDescriptor"}
}
func (v *LimitAlertConditionDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *LimitAlertConditionState) isState()                {}
func (v *LimitAlertConditionState) cloneState() State       { c := *v; return &c }
func (v *LimitAlertConditionState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *LimitAlertConditionState) XSIType() string         { return "pm:LimitAlertConditionState" }
func (v *LimitAlertConditionState) TypeName() QName {
	return QName{Space: Namespace, Local: "LimitAlertConditionState"}
}
func (v *LimitAlertConditionState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *AlertSignalDescriptor) isDescriptor()               {}
func (v *AlertSignalDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *AlertSignalDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *AlertSignalDescriptor) XSIType() string { return "pm:AlertSignalDescriptor" }
func (v *AlertSignalDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertSignalDescriptor"}
}
func (v *AlertSignalDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *AlertSignalState) isState()                {}
func (v *AlertSignalState) cloneState() State       { c := *v; return &c }
func (v *AlertSignalState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *AlertSignalState) XSIType() string         { return "pm:AlertSignalState" }
func (v *AlertSignalState) TypeName() QName {
	return QName{Space: Namespace, Local: "AlertSignalState"}
}
func (v *AlertSignalState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *WorkflowContextDescriptor) isDescriptor()               {}
func (v *WorkflowContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *WorkflowContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *WorkflowContextDescriptor) XSIType() string { return "pm:WorkflowContextDescriptor" }
func (v *WorkflowContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "WorkflowContextDescriptor"}
}
func (v *WorkflowContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *WorkflowContextState) isState()                {}
func (v *WorkflowContextState) cloneState() State       { c := *v; return &c }
func (v *WorkflowContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *WorkflowContextState) XSIType() string         { return "pm:WorkflowContextState" }
func (v *WorkflowContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "WorkflowContextState"}
}
func (v *WorkflowContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *NumericMetricDescriptor) isDescriptor()               {}
func (v *NumericMetricDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *NumericMetricDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *NumericMetricDescriptor) XSIType() string { return "pm:NumericMetricDescriptor" }
func (v *NumericMetricDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "NumericMetricDescriptor"}
}
func (v *NumericMetricDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *NumericMetricState) isState()                {}
func (v *NumericMetricState) cloneState() State       { c := *v; return &c }
func (v *NumericMetricState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *NumericMetricState) XSIType() string         { return "pm:NumericMetricState" }
func (v *NumericMetricState) TypeName() QName {
	return QName{Space: Namespace, Local: "NumericMetricState"}
}
func (v *NumericMetricState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *StringMetricDescriptor) isDescriptor()               {}
func (v *StringMetricDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *StringMetricDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *StringMetricDescriptor) XSIType() string { return "pm:StringMetricDescriptor" }
func (v *StringMetricDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "StringMetricDescriptor"}
}
func (v *StringMetricDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *StringMetricState) isState()                {}
func (v *StringMetricState) cloneState() State       { c := *v; return &c }
func (v *StringMetricState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *StringMetricState) XSIType() string         { return "pm:StringMetricState" }
func (v *StringMetricState) TypeName() QName {
	return QName{Space: Namespace, Local: "StringMetricState"}
}
func (v *StringMetricState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *EnumStringMetricDescriptor) isDescriptor()               {}
func (v *EnumStringMetricDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *EnumStringMetricDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *EnumStringMetricDescriptor) XSIType() string { return "pm:EnumStringMetricDescriptor" }
func (v *EnumStringMetricDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "EnumStringMetricDescriptor"}
}
func (v *EnumStringMetricDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *EnumStringMetricState) isState()                {}
func (v *EnumStringMetricState) cloneState() State       { c := *v; return &c }
func (v *EnumStringMetricState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *EnumStringMetricState) XSIType() string         { return "pm:EnumStringMetricState" }
func (v *EnumStringMetricState) TypeName() QName {
	return QName{Space: Namespace, Local: "EnumStringMetricState"}
}
func (v *EnumStringMetricState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *RealTimeSampleArrayMetricDescriptor) isDescriptor()               {}
func (v *RealTimeSampleArrayMetricDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *RealTimeSampleArrayMetricDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *RealTimeSampleArrayMetricDescriptor) XSIType() string {
	return "pm:RealTimeSampleArrayMetricDescriptor"
}
func (v *RealTimeSampleArrayMetricDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "RealTimeSampleArrayMetricDescriptor"}
}
func (v *RealTimeSampleArrayMetricDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *RealTimeSampleArrayMetricState) isState()          {}
func (v *RealTimeSampleArrayMetricState) cloneState() State { c := *v; return &c }
func (v *RealTimeSampleArrayMetricState) equalState(o State) bool {
	panic("pm: codec not generated yet")
}
func (v *RealTimeSampleArrayMetricState) XSIType() string { return "pm:RealTimeSampleArrayMetricState" }
func (v *RealTimeSampleArrayMetricState) TypeName() QName {
	return QName{Space: Namespace, Local: "RealTimeSampleArrayMetricState"}
}
func (v *RealTimeSampleArrayMetricState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *DistributionSampleArrayMetricDescriptor) isDescriptor()               {}
func (v *DistributionSampleArrayMetricDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *DistributionSampleArrayMetricDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *DistributionSampleArrayMetricDescriptor) XSIType() string {
	return "pm:DistributionSampleArrayMetricDescriptor"
}
func (v *DistributionSampleArrayMetricDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "DistributionSampleArrayMetricDescriptor"}
}
func (v *DistributionSampleArrayMetricDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *DistributionSampleArrayMetricState) isState()          {}
func (v *DistributionSampleArrayMetricState) cloneState() State { c := *v; return &c }
func (v *DistributionSampleArrayMetricState) equalState(o State) bool {
	panic("pm: codec not generated yet")
}
func (v *DistributionSampleArrayMetricState) XSIType() string {
	return "pm:DistributionSampleArrayMetricState"
}
func (v *DistributionSampleArrayMetricState) TypeName() QName {
	return QName{Space: Namespace, Local: "DistributionSampleArrayMetricState"}
}
func (v *DistributionSampleArrayMetricState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ScoDescriptor) isDescriptor()                     {}
func (v *ScoDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *ScoDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *ScoDescriptor) XSIType() string                   { return "pm:ScoDescriptor" }
func (v *ScoDescriptor) TypeName() QName                   { return QName{Space: Namespace, Local: "ScoDescriptor"} }
func (v *ScoDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ScoState) isState()                {}
func (v *ScoState) cloneState() State       { c := *v; return &c }
func (v *ScoState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *ScoState) XSIType() string         { return "pm:ScoState" }
func (v *ScoState) TypeName() QName         { return QName{Space: Namespace, Local: "ScoState"} }
func (v *ScoState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetValueOperationDescriptor) isDescriptor()               {}
func (v *SetValueOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetValueOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetValueOperationDescriptor) XSIType() string { return "pm:SetValueOperationDescriptor" }
func (v *SetValueOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetValueOperationDescriptor"}
}
func (v *SetValueOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetValueOperationState) isState()                {}
func (v *SetValueOperationState) cloneState() State       { c := *v; return &c }
func (v *SetValueOperationState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *SetValueOperationState) XSIType() string         { return "pm:SetValueOperationState" }
func (v *SetValueOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetValueOperationState"}
}
func (v *SetValueOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetStringOperationDescriptor) isDescriptor()               {}
func (v *SetStringOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetStringOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetStringOperationDescriptor) XSIType() string { return "pm:SetStringOperationDescriptor" }
func (v *SetStringOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetStringOperationDescriptor"}
}
func (v *SetStringOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetStringOperationState) isState()                {}
func (v *SetStringOperationState) cloneState() State       { c := *v; return &c }
func (v *SetStringOperationState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *SetStringOperationState) XSIType() string         { return "pm:SetStringOperationState" }
func (v *SetStringOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetStringOperationState"}
}
func (v *SetStringOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ActivateOperationDescriptor) isDescriptor()               {}
func (v *ActivateOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *ActivateOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *ActivateOperationDescriptor) XSIType() string { return "pm:ActivateOperationDescriptor" }
func (v *ActivateOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "ActivateOperationDescriptor"}
}
func (v *ActivateOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ActivateOperationState) isState()                {}
func (v *ActivateOperationState) cloneState() State       { c := *v; return &c }
func (v *ActivateOperationState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *ActivateOperationState) XSIType() string         { return "pm:ActivateOperationState" }
func (v *ActivateOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "ActivateOperationState"}
}
func (v *ActivateOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetContextStateOperationDescriptor) isDescriptor()               {}
func (v *SetContextStateOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetContextStateOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetContextStateOperationDescriptor) XSIType() string {
	return "pm:SetContextStateOperationDescriptor"
}
func (v *SetContextStateOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetContextStateOperationDescriptor"}
}
func (v *SetContextStateOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetContextStateOperationState) isState()          {}
func (v *SetContextStateOperationState) cloneState() State { c := *v; return &c }
func (v *SetContextStateOperationState) equalState(o State) bool {
	panic("pm: codec not generated yet")
}
func (v *SetContextStateOperationState) XSIType() string { return "pm:SetContextStateOperationState" }
func (v *SetContextStateOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetContextStateOperationState"}
}
func (v *SetContextStateOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetMetricStateOperationDescriptor) isDescriptor()               {}
func (v *SetMetricStateOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetMetricStateOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetMetricStateOperationDescriptor) XSIType() string {
	return "pm:SetMetricStateOperationDescriptor"
}
func (v *SetMetricStateOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetMetricStateOperationDescriptor"}
}
func (v *SetMetricStateOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetMetricStateOperationState) isState()                {}
func (v *SetMetricStateOperationState) cloneState() State       { c := *v; return &c }
func (v *SetMetricStateOperationState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *SetMetricStateOperationState) XSIType() string         { return "pm:SetMetricStateOperationState" }
func (v *SetMetricStateOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetMetricStateOperationState"}
}
func (v *SetMetricStateOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetComponentStateOperationDescriptor) isDescriptor()               {}
func (v *SetComponentStateOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetComponentStateOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetComponentStateOperationDescriptor) XSIType() string {
	return "pm:SetComponentStateOperationDescriptor"
}
func (v *SetComponentStateOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetComponentStateOperationDescriptor"}
}
func (v *SetComponentStateOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetComponentStateOperationState) isState()          {}
func (v *SetComponentStateOperationState) cloneState() State { c := *v; return &c }
func (v *SetComponentStateOperationState) equalState(o State) bool {
	panic("pm: codec not generated yet")
}
func (v *SetComponentStateOperationState) XSIType() string {
	return "pm:SetComponentStateOperationState"
}
func (v *SetComponentStateOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetComponentStateOperationState"}
}
func (v *SetComponentStateOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetAlertStateOperationDescriptor) isDescriptor()               {}
func (v *SetAlertStateOperationDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SetAlertStateOperationDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SetAlertStateOperationDescriptor) XSIType() string {
	return "pm:SetAlertStateOperationDescriptor"
}
func (v *SetAlertStateOperationDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SetAlertStateOperationDescriptor"}
}
func (v *SetAlertStateOperationDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SetAlertStateOperationState) isState()                {}
func (v *SetAlertStateOperationState) cloneState() State       { c := *v; return &c }
func (v *SetAlertStateOperationState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *SetAlertStateOperationState) XSIType() string         { return "pm:SetAlertStateOperationState" }
func (v *SetAlertStateOperationState) TypeName() QName {
	return QName{Space: Namespace, Local: "SetAlertStateOperationState"}
}
func (v *SetAlertStateOperationState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SystemContextDescriptor) isDescriptor()               {}
func (v *SystemContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *SystemContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *SystemContextDescriptor) XSIType() string { return "pm:SystemContextDescriptor" }
func (v *SystemContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "SystemContextDescriptor"}
}
func (v *SystemContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *SystemContextState) isState()                {}
func (v *SystemContextState) cloneState() State       { c := *v; return &c }
func (v *SystemContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *SystemContextState) XSIType() string         { return "pm:SystemContextState" }
func (v *SystemContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "SystemContextState"}
}
func (v *SystemContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *PatientContextDescriptor) isDescriptor()               {}
func (v *PatientContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *PatientContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *PatientContextDescriptor) XSIType() string { return "pm:PatientContextDescriptor" }
func (v *PatientContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "PatientContextDescriptor"}
}
func (v *PatientContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *PatientContextState) isState()                {}
func (v *PatientContextState) cloneState() State       { c := *v; return &c }
func (v *PatientContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *PatientContextState) XSIType() string         { return "pm:PatientContextState" }
func (v *PatientContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "PatientContextState"}
}
func (v *PatientContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *PatientDemographicsCoreData) isPatientCoreData()                    {}
func (v *PatientDemographicsCoreData) clonePatientCoreData() PatientCoreData { c := *v; return &c }
func (v *PatientDemographicsCoreData) equalPatientCoreData(o PatientCoreData) bool {
	panic("pm: codec not generated yet")
}
func (v *PatientDemographicsCoreData) XSIType() string { return "pm:PatientDemographicsCoreData" }
func (v *PatientDemographicsCoreData) TypeName() QName {
	return QName{Space: Namespace, Local: "PatientDemographicsCoreData"}
}
func (v *PatientDemographicsCoreData) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *NeonatalPatientDemographicsCoreData) isPatientCoreData() {}
func (v *NeonatalPatientDemographicsCoreData) clonePatientCoreData() PatientCoreData {
	c := *v
	return &c
}
func (v *NeonatalPatientDemographicsCoreData) equalPatientCoreData(o PatientCoreData) bool {
	panic("pm: codec not generated yet")
}
func (v *NeonatalPatientDemographicsCoreData) XSIType() string {
	return "pm:NeonatalPatientDemographicsCoreData"
}
func (v *NeonatalPatientDemographicsCoreData) TypeName() QName {
	return QName{Space: Namespace, Local: "NeonatalPatientDemographicsCoreData"}
}
func (v *NeonatalPatientDemographicsCoreData) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *LocationContextDescriptor) isDescriptor()               {}
func (v *LocationContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *LocationContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *LocationContextDescriptor) XSIType() string { return "pm:LocationContextDescriptor" }
func (v *LocationContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "LocationContextDescriptor"}
}
func (v *LocationContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *LocationContextState) isState()                {}
func (v *LocationContextState) cloneState() State       { c := *v; return &c }
func (v *LocationContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *LocationContextState) XSIType() string         { return "pm:LocationContextState" }
func (v *LocationContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "LocationContextState"}
}
func (v *LocationContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *OperatorContextDescriptor) isDescriptor()               {}
func (v *OperatorContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *OperatorContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *OperatorContextDescriptor) XSIType() string { return "pm:OperatorContextDescriptor" }
func (v *OperatorContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "OperatorContextDescriptor"}
}
func (v *OperatorContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *OperatorContextState) isState()                {}
func (v *OperatorContextState) cloneState() State       { c := *v; return &c }
func (v *OperatorContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *OperatorContextState) XSIType() string         { return "pm:OperatorContextState" }
func (v *OperatorContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "OperatorContextState"}
}
func (v *OperatorContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *MeansContextDescriptor) isDescriptor()               {}
func (v *MeansContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *MeansContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *MeansContextDescriptor) XSIType() string { return "pm:MeansContextDescriptor" }
func (v *MeansContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "MeansContextDescriptor"}
}
func (v *MeansContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *MeansContextState) isState()                {}
func (v *MeansContextState) cloneState() State       { c := *v; return &c }
func (v *MeansContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *MeansContextState) XSIType() string         { return "pm:MeansContextState" }
func (v *MeansContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "MeansContextState"}
}
func (v *MeansContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *EnsembleContextDescriptor) isDescriptor()               {}
func (v *EnsembleContextDescriptor) cloneDescriptor() Descriptor { c := *v; return &c }
func (v *EnsembleContextDescriptor) equalDescriptor(o Descriptor) bool {
	panic("pm: codec not generated yet")
}
func (v *EnsembleContextDescriptor) XSIType() string { return "pm:EnsembleContextDescriptor" }
func (v *EnsembleContextDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "EnsembleContextDescriptor"}
}
func (v *EnsembleContextDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *EnsembleContextState) isState()                {}
func (v *EnsembleContextState) cloneState() State       { c := *v; return &c }
func (v *EnsembleContextState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *EnsembleContextState) XSIType() string         { return "pm:EnsembleContextState" }
func (v *EnsembleContextState) TypeName() QName {
	return QName{Space: Namespace, Local: "EnsembleContextState"}
}
func (v *EnsembleContextState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *MdsDescriptor) isDescriptor()                     {}
func (v *MdsDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *MdsDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *MdsDescriptor) XSIType() string                   { return "pm:MdsDescriptor" }
func (v *MdsDescriptor) TypeName() QName                   { return QName{Space: Namespace, Local: "MdsDescriptor"} }
func (v *MdsDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *MdsState) isState()                {}
func (v *MdsState) cloneState() State       { c := *v; return &c }
func (v *MdsState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *MdsState) XSIType() string         { return "pm:MdsState" }
func (v *MdsState) TypeName() QName         { return QName{Space: Namespace, Local: "MdsState"} }
func (v *MdsState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *VmdDescriptor) isDescriptor()                     {}
func (v *VmdDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *VmdDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *VmdDescriptor) XSIType() string                   { return "pm:VmdDescriptor" }
func (v *VmdDescriptor) TypeName() QName                   { return QName{Space: Namespace, Local: "VmdDescriptor"} }
func (v *VmdDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *VmdState) isState()                {}
func (v *VmdState) cloneState() State       { c := *v; return &c }
func (v *VmdState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *VmdState) XSIType() string         { return "pm:VmdState" }
func (v *VmdState) TypeName() QName         { return QName{Space: Namespace, Local: "VmdState"} }
func (v *VmdState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ChannelDescriptor) isDescriptor()                     {}
func (v *ChannelDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *ChannelDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *ChannelDescriptor) XSIType() string                   { return "pm:ChannelDescriptor" }
func (v *ChannelDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "ChannelDescriptor"}
}
func (v *ChannelDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ChannelState) isState()                {}
func (v *ChannelState) cloneState() State       { c := *v; return &c }
func (v *ChannelState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *ChannelState) XSIType() string         { return "pm:ChannelState" }
func (v *ChannelState) TypeName() QName         { return QName{Space: Namespace, Local: "ChannelState"} }
func (v *ChannelState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ClockDescriptor) isDescriptor()                     {}
func (v *ClockDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *ClockDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *ClockDescriptor) XSIType() string                   { return "pm:ClockDescriptor" }
func (v *ClockDescriptor) TypeName() QName                   { return QName{Space: Namespace, Local: "ClockDescriptor"} }
func (v *ClockDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *ClockState) isState()                {}
func (v *ClockState) cloneState() State       { c := *v; return &c }
func (v *ClockState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *ClockState) XSIType() string         { return "pm:ClockState" }
func (v *ClockState) TypeName() QName         { return QName{Space: Namespace, Local: "ClockState"} }
func (v *ClockState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *BatteryDescriptor) isDescriptor()                     {}
func (v *BatteryDescriptor) cloneDescriptor() Descriptor       { c := *v; return &c }
func (v *BatteryDescriptor) equalDescriptor(o Descriptor) bool { panic("pm: codec not generated yet") }
func (v *BatteryDescriptor) XSIType() string                   { return "pm:BatteryDescriptor" }
func (v *BatteryDescriptor) TypeName() QName {
	return QName{Space: Namespace, Local: "BatteryDescriptor"}
}
func (v *BatteryDescriptor) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}

func (v *BatteryState) isState()                {}
func (v *BatteryState) cloneState() State       { c := *v; return &c }
func (v *BatteryState) equalState(o State) bool { panic("pm: codec not generated yet") }
func (v *BatteryState) XSIType() string         { return "pm:BatteryState" }
func (v *BatteryState) TypeName() QName         { return QName{Space: Namespace, Local: "BatteryState"} }
func (v *BatteryState) AppendElement(b []byte, name, xsiType string) []byte {
	panic("pm: codec not generated yet")
}
