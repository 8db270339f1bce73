package pm

// WorkflowContextDescriptor describes the clinical workflow the device takes part in.
type WorkflowContextDescriptor struct {
	AbstractContextDescriptor
}

// WorkflowContextState is a workflow association.
type WorkflowContextState struct {
	AbstractContextState
	WorkflowDetail *WorkflowDetail `sdc:"WorkflowDetail,?"`
}

// WorkflowDetail is an order and what became of it.
type WorkflowDetail struct {
	Extension        Extension           `sdc:"ext:Extension,?"`
	Patient          PersonReference     `sdc:"Patient,1"`
	AssignedLocation *LocationReference  `sdc:"AssignedLocation,?"`
	VisitNumber      *InstanceIdentifier `sdc:"VisitNumber,?"`
	// DangerCode warns of dangers in handling the patient.
	DangerCode []CodedValue `sdc:"DangerCode,*"`
	// RelevantClinicalInfo is what has to be known, allergies for example.
	RelevantClinicalInfo []ClinicalInfo        `sdc:"RelevantClinicalInfo,*"`
	RequestedOrderDetail *RequestedOrderDetail `sdc:"RequestedOrderDetail,?"`
	PerformedOrderDetail *PerformedOrderDetail `sdc:"PerformedOrderDetail,?"`
}

// ClinicalInfo is a piece of clinical information about a patient.
type ClinicalInfo struct {
	Extension Extension   `sdc:"ext:Extension,?"`
	Type      *CodedValue `sdc:"Type,?"`
	Code      *CodedValue `sdc:"Code,?"`
	// Criticality, implied value Lo, see CriticalityOrDefault.
	Criticality        Criticality          `sdc:"Criticality,?"`
	Description        []LocalizedText      `sdc:"Description,*"`
	RelatedMeasurement []RelatedMeasurement `sdc:"RelatedMeasurement,*"`
}

// Criticality is the harm that may come from overlooking a ClinicalInfo.
type Criticality string

// Values of Criticality.
const (
	CriticalityLo Criticality = "Lo" // not severe
	CriticalityHi Criticality = "Hi" // severe, possibly fatal
)

// RelatedMeasurement is a measurement that goes with a ClinicalInfo.
type RelatedMeasurement struct {
	Validity       MeasurementValidity `sdc:"@Validity,?"`
	Value          Measurement         `sdc:"Value,1"`
	ReferenceRange []ReferenceRange    `sdc:"ReferenceRange,*"`
}

// ReferenceRange is a range to compare a measurement with, and what the range means.
type ReferenceRange struct {
	Range   Range       `sdc:"Range,1"`
	Meaning *CodedValue `sdc:"Meaning,?"`
}

// ImagingProcedure carries the identifiers DICOM needs.
type ImagingProcedure struct {
	Extension                Extension          `sdc:"ext:Extension,?"`
	AccessionIdentifier      InstanceIdentifier `sdc:"AccessionIdentifier,1"`
	RequestedProcedureId     InstanceIdentifier `sdc:"RequestedProcedureId,1"`
	StudyInstanceUid         InstanceIdentifier `sdc:"StudyInstanceUid,1"`
	ScheduledProcedureStepId InstanceIdentifier `sdc:"ScheduledProcedureStepId,1"`
	Modality                 *CodedValue        `sdc:"Modality,?"`
	ProtocolCode             *CodedValue        `sdc:"ProtocolCode,?"`
}

// OrderDetail is what requested and performed orders share.
type OrderDetail struct {
	Extension        Extension             `sdc:"ext:Extension,?"`
	Start            Opt[DateTime]         `sdc:"Start,?"`
	End              Opt[DateTime]         `sdc:"End,?"`
	Performer        []PersonParticipation `sdc:"Performer,*"`
	Service          []CodedValue          `sdc:"Service,*"`
	ImagingProcedure []ImagingProcedure    `sdc:"ImagingProcedure,*"`
}

// RequestedOrderDetail is an order as it was placed.
type RequestedOrderDetail struct {
	OrderDetail
	ReferringPhysician  *PersonReference   `sdc:"ReferringPhysician,?"`
	RequestingPhysician *PersonReference   `sdc:"RequestingPhysician,?"`
	PlacerOrderNumber   InstanceIdentifier `sdc:"PlacerOrderNumber,1"`
}

// PerformedOrderDetail is an order as it was carried out.
type PerformedOrderDetail struct {
	OrderDetail
	FillerOrderNumber     *InstanceIdentifier `sdc:"FillerOrderNumber,?"`
	ResultingClinicalInfo []ClinicalInfo      `sdc:"ResultingClinicalInfo,*"`
}
