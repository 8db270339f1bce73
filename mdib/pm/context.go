package pm

// SystemContextDescriptor describes the contexts an MDS takes part in.
type SystemContextDescriptor struct {
	AbstractDeviceComponentDescriptor
	PatientContext  *PatientContextDescriptor    `sdc:"PatientContext,?"`
	LocationContext *LocationContextDescriptor   `sdc:"LocationContext,?"`
	EnsembleContext []*EnsembleContextDescriptor `sdc:"EnsembleContext,*"`
	OperatorContext []*OperatorContextDescriptor `sdc:"OperatorContext,*"`
	WorkflowContext []*WorkflowContextDescriptor `sdc:"WorkflowContext,*"`
	MeansContext    []*MeansContextDescriptor    `sdc:"MeansContext,*"`
}

// SystemContextState is the state of a system context.
type SystemContextState struct {
	AbstractDeviceComponentState
}

// AbstractContextDescriptor is what all context descriptors share.
type AbstractContextDescriptor struct {
	AbstractDescriptor
}

// BaseContext returns the part all context descriptors share.
func (d *AbstractContextDescriptor) BaseContext() *AbstractContextDescriptor { return d }

// ContextAssociation is how firmly a context is tied to the device.
type ContextAssociation string

// Values of ContextAssociation.
const (
	ContextAssociationNo    ContextAssociation = "No"    // not associated
	ContextAssociationPre   ContextAssociation = "Pre"   // pre-associated: to be confirmed
	ContextAssociationAssoc ContextAssociation = "Assoc" // associated
	ContextAssociationDis   ContextAssociation = "Dis"   // disassociated: was associated, is no longer
)

// AbstractContextState is what all context states share.
type AbstractContextState struct {
	AbstractMultiState
	// ContextAssociation, implied value No, see ContextAssociationOrDefault.
	ContextAssociation ContextAssociation `sdc:"@ContextAssociation,?"`
	// BindingMdibVersion and UnbindingMdibVersion are the MDIB versions the association began and ended with.
	BindingMdibVersion   Opt[uint64] `sdc:"@BindingMdibVersion,?"`
	UnbindingMdibVersion Opt[uint64] `sdc:"@UnbindingMdibVersion,?"`
	// BindingStartTime and BindingEndTime are when the association began and ended.
	BindingStartTime Opt[Timestamp] `sdc:"@BindingStartTime,?"`
	BindingEndTime   Opt[Timestamp] `sdc:"@BindingEndTime,?"`
	// Validator lists who confirmed the association.
	Validator []InstanceIdentifier `sdc:"Validator,*"`
	// Identification lists identifiers of the context, for example the patient's.
	Identification []InstanceIdentifier `sdc:"Identification,*"`
}

// BaseContext returns the part all context states share.
func (s *AbstractContextState) BaseContext() *AbstractContextState { return s }

// BaseDemographics is a person's name.
type BaseDemographics struct {
	Extension  Extension `sdc:"ext:Extension,?"`
	Givenname  string    `sdc:"Givenname,?"`
	Middlename []string  `sdc:"Middlename,*"`
	Familyname string    `sdc:"Familyname,?"`
	Birthname  string    `sdc:"Birthname,?"`
	Title      string    `sdc:"Title,?"`
}

// PersonReference refers to a person.
type PersonReference struct {
	Extension      Extension            `sdc:"ext:Extension,?"`
	Identification []InstanceIdentifier `sdc:"Identification,+"`
	Name           *BaseDemographics    `sdc:"Name,?"`
}

// PersonParticipation refers to a person in one or more roles.
type PersonParticipation struct {
	PersonReference
	Role []CodedValue `sdc:"Role,*"`
}

// LocationDetail is a place in a hospital. Empty parts are left out.
type LocationDetail struct {
	// PoC is the point of care, a ward or unit for example.
	PoC       string    `sdc:"@PoC,?"`
	Room      string    `sdc:"@Room,?"`
	Bed       string    `sdc:"@Bed,?"`
	Facility  string    `sdc:"@Facility,?"`
	Building  string    `sdc:"@Building,?"`
	Floor     string    `sdc:"@Floor,?"`
	Extension Extension `sdc:"ext:Extension,?"`
}

// LocationReference refers to a place.
type LocationReference struct {
	Extension      Extension            `sdc:"ext:Extension,?"`
	Identification []InstanceIdentifier `sdc:"Identification,+"`
	LocationDetail *LocationDetail      `sdc:"LocationDetail,?"`
}

// PatientContextDescriptor describes which patient the device serves.
type PatientContextDescriptor struct {
	AbstractContextDescriptor
}

// PatientContextState is a patient association.
type PatientContextState struct {
	AbstractContextState
	// CoreData is *PatientDemographicsCoreData or *NeonatalPatientDemographicsCoreData, nil if absent.
	CoreData PatientCoreData `sdc:"CoreData,?"`
}

// PatientCoreData is *PatientDemographicsCoreData or *NeonatalPatientDemographicsCoreData.
type PatientCoreData interface {
	// BaseCoreData returns the part both share.
	BaseCoreData() *PatientDemographicsCoreData
	element
	isPatientCoreData()
	clonePatientCoreData() PatientCoreData
	equalPatientCoreData(PatientCoreData) bool
	flaw() string
}

// ClonePatientCoreData returns a deep copy that shares nothing with d; nil for nil.
func ClonePatientCoreData(d PatientCoreData) PatientCoreData {
	if d == nil {
		return nil
	}
	return d.clonePatientCoreData()
}

// EqualPatientCoreData reports whether a and b have the same type and the same content.
func EqualPatientCoreData(a, b PatientCoreData) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.equalPatientCoreData(b)
}

// Sex of a patient.
type Sex string

// Values of Sex.
const (
	SexUnspec Sex = "Unspec" // not designated
	SexM      Sex = "M"      // male
	SexF      Sex = "F"      // female
	SexUnkn   Sex = "Unkn"   // unknown
)

// PatientType is an age group.
type PatientType string

// Values of PatientType.
const (
	PatientTypeUnspec PatientType = "Unspec" // unspecified
	PatientTypeAd     PatientType = "Ad"     // adult
	PatientTypeAdo    PatientType = "Ado"    // adolescent, about 12 to 21 years
	PatientTypePed    PatientType = "Ped"    // paediatric, about 2 to 12 years
	PatientTypeInf    PatientType = "Inf"    // infant, about 1 month to 2 years
	PatientTypeNeo    PatientType = "Neo"    // neonatal, birth to about 1 month
	PatientTypeOth    PatientType = "Oth"    // told by other means
)

// PatientDemographicsCoreData is what is known of a patient.
type PatientDemographicsCoreData struct {
	BaseDemographics
	Sex         Sex              `sdc:"Sex,?"`
	PatientType PatientType      `sdc:"PatientType,?"`
	DateOfBirth Opt[DateOfBirth] `sdc:"DateOfBirth,?"`
	Height      *Measurement     `sdc:"Height,?"`
	Weight      *Measurement     `sdc:"Weight,?"`
	Race        *CodedValue      `sdc:"Race,?"`
}

// BaseCoreData returns the part all patient demographics share.
func (d *PatientDemographicsCoreData) BaseCoreData() *PatientDemographicsCoreData { return d }

// NeonatalPatientDemographicsCoreData is what is known of a newborn.
type NeonatalPatientDemographicsCoreData struct {
	PatientDemographicsCoreData
	GestationalAge    *Measurement     `sdc:"GestationalAge,?"`
	BirthLength       *Measurement     `sdc:"BirthLength,?"`
	BirthWeight       *Measurement     `sdc:"BirthWeight,?"`
	HeadCircumference *Measurement     `sdc:"HeadCircumference,?"`
	Mother            *PersonReference `sdc:"Mother,?"`
}

// LocationContextDescriptor describes where the device is.
type LocationContextDescriptor struct {
	AbstractContextDescriptor
}

// LocationContextState is a location association.
type LocationContextState struct {
	AbstractContextState
	LocationDetail *LocationDetail `sdc:"LocationDetail,?"`
}

// OperatorContextDescriptor describes who operates the device.
type OperatorContextDescriptor struct {
	AbstractContextDescriptor
}

// OperatorContextState is an operator association.
type OperatorContextState struct {
	AbstractContextState
	OperatorDetails *BaseDemographics `sdc:"OperatorDetails,?"`
}

// MeansContextDescriptor describes the means in use for a task.
type MeansContextDescriptor struct {
	AbstractContextDescriptor
}

// MeansContextState is a means association.
type MeansContextState struct {
	AbstractContextState
}

// EnsembleContextDescriptor describes an ensemble of devices working together.
type EnsembleContextDescriptor struct {
	AbstractContextDescriptor
}

// EnsembleContextState is an ensemble association.
type EnsembleContextState struct {
	AbstractContextState
}
