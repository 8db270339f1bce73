package sdc

// Namespaces of the SDC standards that the binding writes itself.
const (
	// NamespaceGlue is the namespace of IEEE 11073-20701: port types, WSDL target namespace, prefix of every action.
	NamespaceGlue = "http://standards.ieee.org/downloads/11073/11073-20701-2018"
	// NamespaceMessage is the BICEPS message model: body elements of every BICEPS request, response and report.
	NamespaceMessage = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message"
	// NamespaceParticipant is the BICEPS participant model.
	NamespaceParticipant = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant"
	// NamespaceServiceProvider with local name ServiceProvider is the discovery type of every port type (GLUE R0042_0).
	NamespaceServiceProvider = "http://standards.ieee.org/downloads/11073/11073-10207-2017"
	// NamespaceMDPWS is the namespace of IEEE 11073-20702; its MedicalDevice is one of the two types of a provider.
	NamespaceMDPWS = "http://standards.ieee.org/downloads/11073/11073-20702-2016"
	// NamespaceDPWS is the namespace of DPWS 1.1; its Device is the other type of a provider.
	NamespaceDPWS = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"
	// NamespaceHistory is the namespace of the port type of the IHE SDPi history service (SDPi R0511).
	NamespaceHistory = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.1"
	// NamespaceSDPi is the namespace of the IHE SDPi extensions, among them the ReportSequence header.
	NamespaceSDPi = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.1.1"
)

// Names of the BICEPS services, which are also the local names of their port types in NamespaceGlue.
const (
	GetService              = "GetService"
	SetService              = "SetService"
	DescriptionEventService = "DescriptionEventService"
	StateEventService       = "StateEventService"
	ContextService          = "ContextService"
	WaveformService         = "WaveformService"
	ContainmentTreeService  = "ContainmentTreeService"
	LocalizationService     = "LocalizationService"
	ArchiveService          = "ArchiveService"
)

// The history service of IHE SDPi (DEV-32). It is no service of BICEPS and so not part of Services: consumers subscribe to it with a question in a filter dialect of
// its own and get the answer as notifications.
const (
	// HistoryService is the local name of its port type in NamespaceHistory.
	HistoryService = "HistoryService"
	// DialectHistory is the filter dialect of its subscriptions (SDPi R0512, R0513).
	DialectHistory = NamespaceHistory + ".1"
	// ActionHistoricMdibReport is the action of its notifications.
	ActionHistoricMdibReport = NamespaceHistory + ".2"
)

// Actions of requests. The action of the response is the request's with "Response" appended (ResponseAction).
const (
	ActionGetMdib          = NamespaceGlue + "/GetService/GetMdib"
	ActionGetMdDescription = NamespaceGlue + "/GetService/GetMdDescription"
	ActionGetMdState       = NamespaceGlue + "/GetService/GetMdState"

	ActionSetValue          = NamespaceGlue + "/SetService/SetValue"
	ActionSetString         = NamespaceGlue + "/SetService/SetString"
	ActionActivate          = NamespaceGlue + "/SetService/Activate"
	ActionSetAlertState     = NamespaceGlue + "/SetService/SetAlertState"
	ActionSetComponentState = NamespaceGlue + "/SetService/SetComponentState"
	ActionSetMetricState    = NamespaceGlue + "/SetService/SetMetricState"

	ActionGetContextStates                 = NamespaceGlue + "/ContextService/GetContextStates"
	ActionSetContextState                  = NamespaceGlue + "/ContextService/SetContextState"
	ActionGetContextStatesByIdentification = NamespaceGlue + "/ContextService/GetContextStatesByIdentification"
	ActionGetContextStatesByFilter         = NamespaceGlue + "/ContextService/GetContextStatesByFilter"

	ActionGetContainmentTree = NamespaceGlue + "/ContainmentTreeService/GetContainmentTree"
	ActionGetDescriptor      = NamespaceGlue + "/ContainmentTreeService/GetDescriptor"

	ActionGetLocalizedText      = NamespaceGlue + "/LocalizationService/GetLocalizedText"
	ActionGetSupportedLanguages = NamespaceGlue + "/LocalizationService/GetSupportedLanguages"

	// The archive actions really contain "ArchiveServiceBinding": so they stand in the annex of IEEE 11073-20701.
	ActionGetDescriptorsFromArchive = NamespaceGlue + "/ArchiveServiceBinding/GetDescriptorsFromArchive"
	ActionGetStatesFromArchive      = NamespaceGlue + "/ArchiveServiceBinding/GetStatesFromArchive"
)

// Actions of notifications.
const (
	ActionOperationInvokedReport         = NamespaceGlue + "/SetService/OperationInvokedReport"
	ActionDescriptionModificationReport  = NamespaceGlue + "/DescriptionEventService/DescriptionModificationReport"
	ActionEpisodicAlertReport            = NamespaceGlue + "/StateEventService/EpisodicAlertReport"
	ActionPeriodicAlertReport            = NamespaceGlue + "/StateEventService/PeriodicAlertReport"
	ActionEpisodicComponentReport        = NamespaceGlue + "/StateEventService/EpisodicComponentReport"
	ActionPeriodicComponentReport        = NamespaceGlue + "/StateEventService/PeriodicComponentReport"
	ActionEpisodicMetricReport           = NamespaceGlue + "/StateEventService/EpisodicMetricReport"
	ActionPeriodicMetricReport           = NamespaceGlue + "/StateEventService/PeriodicMetricReport"
	ActionEpisodicOperationalStateReport = NamespaceGlue + "/StateEventService/EpisodicOperationalStateReport"
	ActionPeriodicOperationalStateReport = NamespaceGlue + "/StateEventService/PeriodicOperationalStateReport"
	ActionSystemErrorReport              = NamespaceGlue + "/StateEventService/SystemErrorReport"
	ActionEpisodicContextReport          = NamespaceGlue + "/ContextService/EpisodicContextReport"
	ActionPeriodicContextReport          = NamespaceGlue + "/ContextService/PeriodicContextReport"
	ActionWaveformStream                 = NamespaceGlue + "/WaveformService/WaveformStream"
	ActionObservedValueStream            = NamespaceGlue + "/WaveformService/ObservedValueStream"
)

// ResponseAction returns the action of the response to a request with the given action.
func ResponseAction(request string) string { return request + "Response" }

// Operation is one operation of a port type, exactly as the annex of IEEE 11073-20701 has it.
type Operation struct {
	// Name is the operation's name; also the local name of the request or notification element in NamespaceMessage.
	Name string
	// Action is the wsa:Action of the request, or of the notification.
	Action string
	// Notification tells that the operation is sent by the provider to subscribers and has no request.
	Notification bool
}

// Input is the local name of the request element; empty for a notification.
func (o Operation) Input() string {
	if o.Notification {
		return ""
	}
	return o.Name
}

// Output is the local name of the response or notification element.
func (o Operation) Output() string {
	if o.Notification {
		return o.Name
	}
	return o.Name + "Response"
}

// OutputAction is the wsa:Action of the response or notification.
func (o Operation) OutputAction() string {
	if o.Notification {
		return o.Action
	}
	return ResponseAction(o.Action)
}

// Service is one BICEPS service: a WSDL port type in NamespaceGlue.
type Service struct {
	// Name is the local name of the port type, for example StateEventService.
	Name string
	// Operations in the order of the annex; none more, none less (BICEPS R0062, R0064, R0066, R0068, R0069, R0101, R0104, R0100, R0119).
	Operations []Operation
}

// EventSource tells whether the service sends notifications, so that consumers can subscribe to it.
func (s Service) EventSource() bool {
	for _, o := range s.Operations {
		if o.Notification {
			return true
		}
	}
	return false
}

// Notifications returns the actions of the notifications the service sends, in table order.
func (s Service) Notifications() []string {
	var actions []string
	for _, o := range s.Operations {
		if o.Notification {
			actions = append(actions, o.Action)
		}
	}
	return actions
}

// Services returns the table of all BICEPS services. The table is the caller's to keep.
func Services() []Service {
	call := func(name, action string) Operation { return Operation{Name: name, Action: action} }
	note := func(name, action string) Operation {
		return Operation{Name: name, Action: action, Notification: true}
	}
	return []Service{
		{GetService, []Operation{
			call("GetMdib", ActionGetMdib),
			call("GetMdDescription", ActionGetMdDescription),
			call("GetMdState", ActionGetMdState),
		}},
		{SetService, []Operation{
			call("SetValue", ActionSetValue),
			call("SetString", ActionSetString),
			call("Activate", ActionActivate),
			call("SetAlertState", ActionSetAlertState),
			call("SetComponentState", ActionSetComponentState),
			call("SetMetricState", ActionSetMetricState),
			note("OperationInvokedReport", ActionOperationInvokedReport),
		}},
		{DescriptionEventService, []Operation{
			note("DescriptionModificationReport", ActionDescriptionModificationReport),
		}},
		{StateEventService, []Operation{
			note("EpisodicAlertReport", ActionEpisodicAlertReport),
			note("PeriodicAlertReport", ActionPeriodicAlertReport),
			note("EpisodicComponentReport", ActionEpisodicComponentReport),
			note("PeriodicComponentReport", ActionPeriodicComponentReport),
			note("EpisodicMetricReport", ActionEpisodicMetricReport),
			note("PeriodicMetricReport", ActionPeriodicMetricReport),
			note("EpisodicOperationalStateReport", ActionEpisodicOperationalStateReport),
			note("PeriodicOperationalStateReport", ActionPeriodicOperationalStateReport),
			note("SystemErrorReport", ActionSystemErrorReport),
		}},
		{ContextService, []Operation{
			call("GetContextStates", ActionGetContextStates),
			call("SetContextState", ActionSetContextState),
			call("GetContextStatesByIdentification", ActionGetContextStatesByIdentification),
			call("GetContextStatesByFilter", ActionGetContextStatesByFilter),
			note("EpisodicContextReport", ActionEpisodicContextReport),
			note("PeriodicContextReport", ActionPeriodicContextReport),
		}},
		{WaveformService, []Operation{
			note("WaveformStream", ActionWaveformStream),
			note("ObservedValueStream", ActionObservedValueStream),
		}},
		{ContainmentTreeService, []Operation{
			call("GetContainmentTree", ActionGetContainmentTree),
			call("GetDescriptor", ActionGetDescriptor),
		}},
		{LocalizationService, []Operation{
			call("GetLocalizedText", ActionGetLocalizedText),
			call("GetSupportedLanguages", ActionGetSupportedLanguages),
		}},
		{ArchiveService, []Operation{
			call("GetDescriptorsFromArchive", ActionGetDescriptorsFromArchive),
			call("GetStatesFromArchive", ActionGetStatesFromArchive),
		}},
	}
}

// ServiceByName returns one row of the table.
func ServiceByName(name string) (Service, bool) {
	for _, s := range Services() {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}

// NotificationAction returns the action of the report whose body element has the given local name (in NamespaceMessage);
// false when no service sends such a report.
func NotificationAction(element string) (string, bool) {
	switch element { // asked for each report: building the table each time would cost more than the commit
	case "OperationInvokedReport":
		return ActionOperationInvokedReport, true
	case "DescriptionModificationReport":
		return ActionDescriptionModificationReport, true
	case "EpisodicAlertReport":
		return ActionEpisodicAlertReport, true
	case "PeriodicAlertReport":
		return ActionPeriodicAlertReport, true
	case "EpisodicComponentReport":
		return ActionEpisodicComponentReport, true
	case "PeriodicComponentReport":
		return ActionPeriodicComponentReport, true
	case "EpisodicMetricReport":
		return ActionEpisodicMetricReport, true
	case "PeriodicMetricReport":
		return ActionPeriodicMetricReport, true
	case "EpisodicOperationalStateReport":
		return ActionEpisodicOperationalStateReport, true
	case "PeriodicOperationalStateReport":
		return ActionPeriodicOperationalStateReport, true
	case "SystemErrorReport":
		return ActionSystemErrorReport, true
	case "EpisodicContextReport":
		return ActionEpisodicContextReport, true
	case "PeriodicContextReport":
		return ActionPeriodicContextReport, true
	case "WaveformStream":
		return ActionWaveformStream, true
	case "ObservedValueStream":
		return ActionObservedValueStream, true
	}
	return "", false
}
