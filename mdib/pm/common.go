package pm

// LocalizedText is a human-readable text, or a reference to one held by the localization service.
// A text with a Ref also has a Version (BICEPS R5006).
type LocalizedText struct {
	// Ref names the text in the localization service; "" means the text stands here.
	Ref LocalizedTextRef `sdc:"@Ref,?"`
	// Lang is the language of the text. Without Ref it is needed for a text to mean something (BICEPS R5048).
	Lang Language `sdc:"@Lang,?"`
	// Version is the version of the referenced text.
	Version Opt[uint64] `sdc:"@Version,?"`
	// TextWidth bounds the width of a line in full-width characters.
	TextWidth LocalizedTextWidth `sdc:"@TextWidth,?"`
	// Text is the text itself; line feeds separate lines.
	Text string `sdc:"."`
}

// LocalizedTextWidth is a class of line width, counted in full-width characters (half-width ones count 0.5).
type LocalizedTextWidth string

// Values of LocalizedTextWidth.
const (
	LocalizedTextWidthXs  LocalizedTextWidth = "xs"  // at most 4
	LocalizedTextWidthS   LocalizedTextWidth = "s"   // at most 8
	LocalizedTextWidthM   LocalizedTextWidth = "m"   // at most 12
	LocalizedTextWidthL   LocalizedTextWidth = "l"   // at most 16
	LocalizedTextWidthXl  LocalizedTextWidth = "xl"  // at most 20
	LocalizedTextWidthXxl LocalizedTextWidth = "xxl" // 21 or more
)

// CodedValue is a concept expressed by a code of a coding system. Two coded values mean the same if
// code and coding system are the same, directly or through a Translation.
type CodedValue struct {
	// Code is unique within the coding system.
	Code CodeIdentifier `sdc:"@Code,1"`
	// CodingSystem identifies the coding system; "" means DefaultCodingSystem, see CodingSystemOrDefault.
	CodingSystem AnyURI `sdc:"@CodingSystem,?"`
	// CodingSystemVersion tells versions of a coding system apart where it has several.
	CodingSystemVersion string `sdc:"@CodingSystemVersion,?"`
	// SymbolicCodeName is the code's mnemonic, good for a plausibility check against Code.
	SymbolicCodeName   SymbolicCodeName `sdc:"@SymbolicCodeName,?"`
	Extension          Extension        `sdc:"ext:Extension,?"`
	CodingSystemName   []LocalizedText  `sdc:"CodingSystemName,*"`
	ConceptDescription []LocalizedText  `sdc:"ConceptDescription,*"`
	Translation        []Translation    `sdc:"Translation,*"`
}

// Translation is the same concept in another coding system.
type Translation struct {
	Code                CodeIdentifier `sdc:"@Code,1"`
	CodingSystem        AnyURI         `sdc:"@CodingSystem,?"`
	CodingSystemVersion string         `sdc:"@CodingSystemVersion,?"`
	Extension           Extension      `sdc:"ext:Extension,?"`
}

// InstanceIdentifier names one instance, unique within the name space Root. At least one of
// Root and Extension should be given; without a Root the null flavour "biceps.uri.unk" stands for it (BICEPS R0135).
//
// The attribute @Extension has taken the field name Extension; the ext:Extension element is Ext here, and
// only here.
type InstanceIdentifier struct {
	// Root is the URI of the name space; "" means NullFlavorRoot, see RootOrDefault.
	Root NonEmptyURI `sdc:"@Root,?"`
	// Extension is the identifier within Root.
	Extension      NonEmpty        `sdc:"@Extension,?"`
	Ext            Extension       `sdc:"ext:Extension,?"`
	Type           *CodedValue     `sdc:"Type,?"`
	IdentifierName []LocalizedText `sdc:"IdentifierName,*"`
}

// OperatingJurisdiction is the rule set an MDS or VMD currently works under; an empty identifier
// root and extension ask for or tell of a reset.
type OperatingJurisdiction struct {
	InstanceIdentifier
}

// ApprovedJurisdictions lists the regions a device component is approved for.
type ApprovedJurisdictions struct {
	ApprovedJurisdiction []InstanceIdentifier `sdc:"ApprovedJurisdiction,*"`
}

// Range is an interval of decimal numbers; a missing bound is open. Unit as in the context it stands in.
type Range struct {
	// Lower and Upper are inclusive bounds.
	Lower Opt[Decimal] `sdc:"@Lower,?"`
	Upper Opt[Decimal] `sdc:"@Upper,?"`
	// StepWidth is the distance between two values of the range, counted from Lower.
	StepWidth Opt[Decimal] `sdc:"@StepWidth,?"`
	// RelativeAccuracy is the maximum relative error, a fraction of the value.
	RelativeAccuracy Opt[Decimal] `sdc:"@RelativeAccuracy,?"`
	// AbsoluteAccuracy is the maximum absolute error in the unit of the range.
	AbsoluteAccuracy Opt[Decimal] `sdc:"@AbsoluteAccuracy,?"`
	Extension        Extension    `sdc:"ext:Extension,?"`
}

// Measurement is a value with its unit, outside of metrics.
type Measurement struct {
	MeasuredValue   Decimal    `sdc:"@MeasuredValue,1"`
	Extension       Extension  `sdc:"ext:Extension,?"`
	MeasurementUnit CodedValue `sdc:"MeasurementUnit,1"`
}

// PhysicalConnectorInfo says where on the device something is plugged in.
type PhysicalConnectorInfo struct {
	// Number is the number of the connector.
	Number    Opt[int32]      `sdc:"@Number,?"`
	Extension Extension       `sdc:"ext:Extension,?"`
	Label     []LocalizedText `sdc:"Label,*"`
}

// MeasurementValidity grades a measured value.
type MeasurementValidity string

// Values of MeasurementValidity.
const (
	MeasurementValidityVld     MeasurementValidity = "Vld"     // valid: correct as far as the device can tell
	MeasurementValidityVldated MeasurementValidity = "Vldated" // validated by somebody outside, for example an operator
	MeasurementValidityOng     MeasurementValidity = "Ong"     // measurement ongoing: no value yet
	MeasurementValidityQst     MeasurementValidity = "Qst"     // questionable
	MeasurementValidityCalib   MeasurementValidity = "Calib"   // calibration ongoing: not to be relied on
	MeasurementValidityInv     MeasurementValidity = "Inv"     // invalid
	MeasurementValidityOflw    MeasurementValidity = "Oflw"    // above every technical range
	MeasurementValidityUflw    MeasurementValidity = "Uflw"    // below every technical range
	MeasurementValidityNA      MeasurementValidity = "NA"      // not available, for example sensor not in place
)

// SafetyClassification says how far descriptor and state may be relied on.
type SafetyClassification string

// Values of SafetyClassification.
const (
	SafetyClassificationInf  SafetyClassification = "Inf"  // for information only
	SafetyClassificationMedA SafetyClassification = "MedA" // clinical functions where a failure does not harm
	SafetyClassificationMedB SafetyClassification = "MedB" // clinical functions where a failure may harm but not seriously
	SafetyClassificationMedC SafetyClassification = "MedC" // clinical functions where a failure may kill or harm seriously
)

// ComponentActivation is the activation state of a component or metric.
type ComponentActivation string

// Values of ComponentActivation.
const (
	ComponentActivationOn     ComponentActivation = "On"     // operating
	ComponentActivationNotRdy ComponentActivation = "NotRdy" // being initialised
	ComponentActivationStndBy ComponentActivation = "StndBy" // ready, not operating
	ComponentActivationOff    ComponentActivation = "Off"    // inactive
	ComponentActivationShtdn  ComponentActivation = "Shtdn"  // shutting down
	ComponentActivationFail   ComponentActivation = "Fail"   // failed
)
