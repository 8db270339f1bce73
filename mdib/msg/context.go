package msg

import "github.com/semeco/go-sdc/mdib/pm"

// GetContextStates asks for context states.
type GetContextStates struct {
	AbstractGet
	// HandleRef selects by context descriptor, context state or MDS (BICEPS R5042); empty means all.
	HandleRef []pm.HandleRef `sdc:"HandleRef,*"`
}

// GetContextStatesResponse carries the context states asked for.
type GetContextStatesResponse struct {
	AbstractGetResponse
	ContextState []pm.ContextState `sdc:"ContextState,*"`
}

// GetContextStatesByIdentification asks for the context states that have all the given identifiers.
type GetContextStatesByIdentification struct {
	AbstractGet
	// ContextType is the type of context state wanted, for example pm:PatientContextState.
	ContextType    pm.Opt[pm.QName]        `sdc:"@ContextType,?"`
	Identification []pm.InstanceIdentifier `sdc:"Identification,*"`
}

// GetContextStatesByIdentificationResponse carries the context states asked for.
type GetContextStatesByIdentificationResponse struct {
	AbstractGetResponse
	ContextState []pm.ContextState `sdc:"ContextState,*"`
}

// GetContextStatesByFilter asks for the context states that XPath expressions select.
type GetContextStatesByFilter struct {
	AbstractGet
	// ContextType is the type of context state wanted, for example pm:PatientContextState.
	ContextType pm.Opt[pm.QName] `sdc:"@ContextType,?"`
	// Filter expressions start at pm:MdState (BICEPS R5045).
	Filter []string `sdc:"Filter,*"`
}

// GetContextStatesByFilterResponse carries the context states asked for.
type GetContextStatesByFilterResponse struct {
	AbstractGetResponse
	ContextState []pm.ContextState `sdc:"ContextState,*"`
}

// SetContextState asks to insert or change context states.
type SetContextState struct {
	AbstractSet
	// ProposedContextState whose Handle equals its DescriptorHandle is to be inserted; others to be changed.
	ProposedContextState []pm.ContextState `sdc:"ProposedContextState,+"`
}

// SetContextStateResponse answers a SetContextState.
type SetContextStateResponse struct {
	AbstractSetResponse
}

// AbstractContextReport tells of changed context states.
type AbstractContextReport struct {
	AbstractReport
	ReportPart []ContextReportPart `sdc:"ReportPart,*"`
}

// ContextReportPart holds the changed context states of one MDS.
type ContextReportPart struct {
	AbstractReportPart
	ContextState []pm.ContextState `sdc:"ContextState,*"`
}

// PeriodicContextReport is sent from time to time.
type PeriodicContextReport struct {
	AbstractContextReport
}

// EpisodicContextReport is sent when context states change.
type EpisodicContextReport struct {
	AbstractContextReport
}
