package msg

import "github.com/semeco/go-sdc/internal/xmlscan"

func (v *GetMdib) isMessage()                  {}
func (v *GetMdib) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetMdib) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetMdib) BodyName() xmlscan.Name      { return xmlscan.Name{Space: Namespace, Local: "GetMdib"} }
func (v *GetMdib) AppendXML(b []byte) []byte   { panic("msg: codec not generated yet") }

func (v *GetMdibResponse) isMessage()                  {}
func (v *GetMdibResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetMdibResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetMdibResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetMdibResponse"}
}
func (v *GetMdibResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetMdDescription) isMessage()                  {}
func (v *GetMdDescription) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetMdDescription) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetMdDescription) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetMdDescription"}
}
func (v *GetMdDescription) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetMdDescriptionResponse) isMessage()            {}
func (v *GetMdDescriptionResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetMdDescriptionResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetMdDescriptionResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetMdDescriptionResponse"}
}
func (v *GetMdDescriptionResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetMdState) isMessage()                  {}
func (v *GetMdState) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetMdState) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetMdState) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetMdState"}
}
func (v *GetMdState) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetMdStateResponse) isMessage()                  {}
func (v *GetMdStateResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetMdStateResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetMdStateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetMdStateResponse"}
}
func (v *GetMdStateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetContainmentTree) isMessage()                  {}
func (v *GetContainmentTree) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetContainmentTree) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetContainmentTree) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContainmentTree"}
}
func (v *GetContainmentTree) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetContainmentTreeResponse) isMessage()            {}
func (v *GetContainmentTreeResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetContainmentTreeResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContainmentTreeResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContainmentTreeResponse"}
}
func (v *GetContainmentTreeResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *GetDescriptor) isMessage()                  {}
func (v *GetDescriptor) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetDescriptor) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetDescriptor) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetDescriptor"}
}
func (v *GetDescriptor) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetDescriptorResponse) isMessage()                  {}
func (v *GetDescriptorResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetDescriptorResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetDescriptorResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetDescriptorResponse"}
}
func (v *GetDescriptorResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetLocalizedText) isMessage()                  {}
func (v *GetLocalizedText) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetLocalizedText) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetLocalizedText) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetLocalizedText"}
}
func (v *GetLocalizedText) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetLocalizedTextResponse) isMessage()            {}
func (v *GetLocalizedTextResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetLocalizedTextResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetLocalizedTextResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetLocalizedTextResponse"}
}
func (v *GetLocalizedTextResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetSupportedLanguages) isMessage()                  {}
func (v *GetSupportedLanguages) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetSupportedLanguages) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetSupportedLanguages) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetSupportedLanguages"}
}
func (v *GetSupportedLanguages) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetSupportedLanguagesResponse) isMessage()            {}
func (v *GetSupportedLanguagesResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetSupportedLanguagesResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetSupportedLanguagesResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetSupportedLanguagesResponse"}
}
func (v *GetSupportedLanguagesResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *GetContextStates) isMessage()                  {}
func (v *GetContextStates) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetContextStates) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetContextStates) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStates"}
}
func (v *GetContextStates) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetContextStatesResponse) isMessage()            {}
func (v *GetContextStatesResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetContextStatesResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStatesResponse"}
}
func (v *GetContextStatesResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetContextStatesByIdentification) isMessage() {}
func (v *GetContextStatesByIdentification) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByIdentification) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByIdentification) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStatesByIdentification"}
}
func (v *GetContextStatesByIdentification) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *GetContextStatesByIdentificationResponse) isMessage() {}
func (v *GetContextStatesByIdentificationResponse) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByIdentificationResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByIdentificationResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStatesByIdentificationResponse"}
}
func (v *GetContextStatesByIdentificationResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *GetContextStatesByFilter) isMessage()            {}
func (v *GetContextStatesByFilter) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetContextStatesByFilter) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByFilter) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStatesByFilter"}
}
func (v *GetContextStatesByFilter) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetContextStatesByFilterResponse) isMessage() {}
func (v *GetContextStatesByFilterResponse) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByFilterResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetContextStatesByFilterResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetContextStatesByFilterResponse"}
}
func (v *GetContextStatesByFilterResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *SetContextState) isMessage()                  {}
func (v *SetContextState) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetContextState) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetContextState) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetContextState"}
}
func (v *SetContextState) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetContextStateResponse) isMessage()                  {}
func (v *SetContextStateResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetContextStateResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetContextStateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetContextStateResponse"}
}
func (v *SetContextStateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *PeriodicContextReport) isMessage()                  {}
func (v *PeriodicContextReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *PeriodicContextReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *PeriodicContextReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "PeriodicContextReport"}
}
func (v *PeriodicContextReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *EpisodicContextReport) isMessage()                  {}
func (v *EpisodicContextReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *EpisodicContextReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *EpisodicContextReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "EpisodicContextReport"}
}
func (v *EpisodicContextReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *EpisodicMetricReport) isMessage()                  {}
func (v *EpisodicMetricReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *EpisodicMetricReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *EpisodicMetricReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "EpisodicMetricReport"}
}
func (v *EpisodicMetricReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *PeriodicMetricReport) isMessage()                  {}
func (v *PeriodicMetricReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *PeriodicMetricReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *PeriodicMetricReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "PeriodicMetricReport"}
}
func (v *PeriodicMetricReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *EpisodicComponentReport) isMessage()                  {}
func (v *EpisodicComponentReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *EpisodicComponentReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *EpisodicComponentReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "EpisodicComponentReport"}
}
func (v *EpisodicComponentReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *PeriodicComponentReport) isMessage()                  {}
func (v *PeriodicComponentReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *PeriodicComponentReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *PeriodicComponentReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "PeriodicComponentReport"}
}
func (v *PeriodicComponentReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *EpisodicAlertReport) isMessage()                  {}
func (v *EpisodicAlertReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *EpisodicAlertReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *EpisodicAlertReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "EpisodicAlertReport"}
}
func (v *EpisodicAlertReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *PeriodicAlertReport) isMessage()                  {}
func (v *PeriodicAlertReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *PeriodicAlertReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *PeriodicAlertReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "PeriodicAlertReport"}
}
func (v *PeriodicAlertReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *EpisodicOperationalStateReport) isMessage() {}
func (v *EpisodicOperationalStateReport) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *EpisodicOperationalStateReport) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *EpisodicOperationalStateReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "EpisodicOperationalStateReport"}
}
func (v *EpisodicOperationalStateReport) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *PeriodicOperationalStateReport) isMessage() {}
func (v *PeriodicOperationalStateReport) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *PeriodicOperationalStateReport) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *PeriodicOperationalStateReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "PeriodicOperationalStateReport"}
}
func (v *PeriodicOperationalStateReport) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *SystemErrorReport) isMessage()                  {}
func (v *SystemErrorReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SystemErrorReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SystemErrorReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SystemErrorReport"}
}
func (v *SystemErrorReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *DescriptionModificationReport) isMessage()            {}
func (v *DescriptionModificationReport) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *DescriptionModificationReport) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *DescriptionModificationReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "DescriptionModificationReport"}
}
func (v *DescriptionModificationReport) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *WaveformStream) isMessage()                  {}
func (v *WaveformStream) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *WaveformStream) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *WaveformStream) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "WaveformStream"}
}
func (v *WaveformStream) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *ObservedValueStream) isMessage()                  {}
func (v *ObservedValueStream) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *ObservedValueStream) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *ObservedValueStream) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "ObservedValueStream"}
}
func (v *ObservedValueStream) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetDescriptorsFromArchive) isMessage()            {}
func (v *GetDescriptorsFromArchive) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetDescriptorsFromArchive) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetDescriptorsFromArchive) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetDescriptorsFromArchive"}
}
func (v *GetDescriptorsFromArchive) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetDescriptorsFromArchiveResponse) isMessage() {}
func (v *GetDescriptorsFromArchiveResponse) cloneMessage() Message {
	panic("msg: codec not generated yet")
}
func (v *GetDescriptorsFromArchiveResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetDescriptorsFromArchiveResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetDescriptorsFromArchiveResponse"}
}
func (v *GetDescriptorsFromArchiveResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *GetStatesFromArchive) isMessage()                  {}
func (v *GetStatesFromArchive) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *GetStatesFromArchive) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *GetStatesFromArchive) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetStatesFromArchive"}
}
func (v *GetStatesFromArchive) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *GetStatesFromArchiveResponse) isMessage()            {}
func (v *GetStatesFromArchiveResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *GetStatesFromArchiveResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *GetStatesFromArchiveResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "GetStatesFromArchiveResponse"}
}
func (v *GetStatesFromArchiveResponse) AppendXML(b []byte) []byte {
	panic("msg: codec not generated yet")
}

func (v *SetValue) isMessage()                  {}
func (v *SetValue) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetValue) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetValue) BodyName() xmlscan.Name      { return xmlscan.Name{Space: Namespace, Local: "SetValue"} }
func (v *SetValue) AppendXML(b []byte) []byte   { panic("msg: codec not generated yet") }

func (v *SetValueResponse) isMessage()                  {}
func (v *SetValueResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetValueResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetValueResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetValueResponse"}
}
func (v *SetValueResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetString) isMessage()                  {}
func (v *SetString) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetString) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetString) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetString"}
}
func (v *SetString) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetStringResponse) isMessage()                  {}
func (v *SetStringResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetStringResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetStringResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetStringResponse"}
}
func (v *SetStringResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *Activate) isMessage()                  {}
func (v *Activate) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *Activate) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *Activate) BodyName() xmlscan.Name      { return xmlscan.Name{Space: Namespace, Local: "Activate"} }
func (v *Activate) AppendXML(b []byte) []byte   { panic("msg: codec not generated yet") }

func (v *ActivateResponse) isMessage()                  {}
func (v *ActivateResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *ActivateResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *ActivateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "ActivateResponse"}
}
func (v *ActivateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetAlertState) isMessage()                  {}
func (v *SetAlertState) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetAlertState) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetAlertState) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetAlertState"}
}
func (v *SetAlertState) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetAlertStateResponse) isMessage()                  {}
func (v *SetAlertStateResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetAlertStateResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetAlertStateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetAlertStateResponse"}
}
func (v *SetAlertStateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetComponentState) isMessage()                  {}
func (v *SetComponentState) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetComponentState) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetComponentState) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetComponentState"}
}
func (v *SetComponentState) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetComponentStateResponse) isMessage()            {}
func (v *SetComponentStateResponse) cloneMessage() Message { panic("msg: codec not generated yet") }
func (v *SetComponentStateResponse) equalMessage(o Message) bool {
	panic("msg: codec not generated yet")
}
func (v *SetComponentStateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetComponentStateResponse"}
}
func (v *SetComponentStateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetMetricState) isMessage()                  {}
func (v *SetMetricState) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetMetricState) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetMetricState) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetMetricState"}
}
func (v *SetMetricState) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *SetMetricStateResponse) isMessage()                  {}
func (v *SetMetricStateResponse) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *SetMetricStateResponse) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *SetMetricStateResponse) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "SetMetricStateResponse"}
}
func (v *SetMetricStateResponse) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }

func (v *OperationInvokedReport) isMessage()                  {}
func (v *OperationInvokedReport) cloneMessage() Message       { panic("msg: codec not generated yet") }
func (v *OperationInvokedReport) equalMessage(o Message) bool { panic("msg: codec not generated yet") }
func (v *OperationInvokedReport) BodyName() xmlscan.Name {
	return xmlscan.Name{Space: Namespace, Local: "OperationInvokedReport"}
}
func (v *OperationInvokedReport) AppendXML(b []byte) []byte { panic("msg: codec not generated yet") }
