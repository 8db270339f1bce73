package pm

// AbstractDeviceComponentDescriptor describes a physical or logical part of a device.
type AbstractDeviceComponentDescriptor struct {
	AbstractDescriptor
	ProductionSpecification []ProductionSpecification `sdc:"ProductionSpecification,*"`
}

// BaseComponent returns the part all component descriptors share.
func (d *AbstractDeviceComponentDescriptor) BaseComponent() *AbstractDeviceComponentDescriptor {
	return d
}

// ProductionSpecification is a serial number, part number, revision or the like.
type ProductionSpecification struct {
	SpecType       CodedValue          `sdc:"SpecType,1"`
	ProductionSpec string              `sdc:"ProductionSpec,1"`
	ComponentId    *InstanceIdentifier `sdc:"ComponentId,?"`
}

// AbstractComplexDeviceComponentDescriptor describes an MDS or VMD: a component that may alert and be operated.
type AbstractComplexDeviceComponentDescriptor struct {
	AbstractDeviceComponentDescriptor
	AlertSystem *AlertSystemDescriptor `sdc:"AlertSystem,?"`
	Sco         *ScoDescriptor         `sdc:"Sco,?"`
}

// BaseComplex returns the part MDS and VMD descriptors share.
func (d *AbstractComplexDeviceComponentDescriptor) BaseComplex() *AbstractComplexDeviceComponentDescriptor {
	return d
}

// AbstractDeviceComponentState is the state of a device component.
type AbstractDeviceComponentState struct {
	AbstractState
	// ActivationState, implied value On, see ActivationStateOrDefault.
	ActivationState ComponentActivation `sdc:"@ActivationState,?"`
	// OperatingHours in hours.
	OperatingHours Opt[uint32] `sdc:"@OperatingHours,?"`
	// OperatingCycles counts cycles of use.
	OperatingCycles Opt[int32] `sdc:"@OperatingCycles,?"`
	// CalibrationInfo tells of the last calibration.
	CalibrationInfo *CalibrationInfo `sdc:"CalibrationInfo,?"`
	// NextCalibration tells of the calibration due next.
	NextCalibration   *CalibrationInfo       `sdc:"NextCalibration,?"`
	PhysicalConnector *PhysicalConnectorInfo `sdc:"PhysicalConnector,?"`
}

// BaseComponent returns the part all component states share.
func (s *AbstractDeviceComponentState) BaseComponent() *AbstractDeviceComponentState { return s }

// AbstractComplexDeviceComponentState is the state of an MDS or VMD.
type AbstractComplexDeviceComponentState struct {
	AbstractDeviceComponentState
}

// BaseComplex returns the part MDS and VMD states share.
func (s *AbstractComplexDeviceComponentState) BaseComplex() *AbstractComplexDeviceComponentState {
	return s
}

// CalibrationInfo tells of a calibration done or due.
type CalibrationInfo struct {
	ComponentCalibrationState CalibrationState `sdc:"@ComponentCalibrationState,?"`
	// Type, implied value Unspec, see TypeOrDefault.
	Type CalibrationType `sdc:"@Type,?"`
	// Time of the calibration.
	Time                     Opt[Timestamp]             `sdc:"@Time,?"`
	Extension                Extension                  `sdc:"ext:Extension,?"`
	CalibrationDocumentation []CalibrationDocumentation `sdc:"CalibrationDocumentation,*"`
}

// CalibrationDocumentation holds the papers of a calibration.
type CalibrationDocumentation struct {
	Documentation     []LocalizedText     `sdc:"Documentation,*"`
	CalibrationResult []CalibrationResult `sdc:"CalibrationResult,*"`
}

// CalibrationResult is one coded result of a calibration.
type CalibrationResult struct {
	Code  CodedValue  `sdc:"Code,1"`
	Value Measurement `sdc:"Value,1"`
}

// CalibrationState is how far a component is calibrated.
type CalibrationState string

// Values of CalibrationState.
const (
	CalibrationStateNo  CalibrationState = "No"  // not calibrated
	CalibrationStateReq CalibrationState = "Req" // calibration required
	CalibrationStateRun CalibrationState = "Run" // calibration running
	CalibrationStateCal CalibrationState = "Cal" // calibrated
	CalibrationStateOth CalibrationState = "Oth" // told by other means
)

// CalibrationType is the kind of a calibration.
type CalibrationType string

// Values of CalibrationType.
const (
	CalibrationTypeOffset CalibrationType = "Offset" // offset
	CalibrationTypeGain   CalibrationType = "Gain"   // gain
	CalibrationTypeTP     CalibrationType = "TP"     // two points
	CalibrationTypeUnspec CalibrationType = "Unspec" // unspecified
)

// MdsDescriptor describes a medical device system, the root of a containment tree.
type MdsDescriptor struct {
	AbstractComplexDeviceComponentDescriptor
	MetaData              *MetaData                `sdc:"MetaData,?"`
	SystemContext         *SystemContextDescriptor `sdc:"SystemContext,?"`
	Clock                 *ClockDescriptor         `sdc:"Clock,?"`
	Battery               []*BatteryDescriptor     `sdc:"Battery,*"`
	ApprovedJurisdictions *ApprovedJurisdictions   `sdc:"ApprovedJurisdictions,?"`
	Vmd                   []*VmdDescriptor         `sdc:"Vmd,*"`
}

// MetaData is what the type plate of a device says.
type MetaData struct {
	Extension       Extension       `sdc:"ext:Extension,?"`
	Udi             []Udi           `sdc:"Udi,*"`
	LotNumber       string          `sdc:"LotNumber,?"`
	Manufacturer    []LocalizedText `sdc:"Manufacturer,*"`
	ManufactureDate Opt[DateTime]   `sdc:"ManufactureDate,?"`
	ExpirationDate  Opt[DateTime]   `sdc:"ExpirationDate,?"`
	ModelName       []LocalizedText `sdc:"ModelName,*"`
	ModelNumber     string          `sdc:"ModelNumber,?"`
	SerialNumber    []string        `sdc:"SerialNumber,*"`
}

// Udi is a unique device identifier as an issuing agency of a jurisdiction defines it.
type Udi struct {
	Extension         Extension           `sdc:"ext:Extension,?"`
	DeviceIdentifier  string              `sdc:"DeviceIdentifier,1"`
	HumanReadableForm string              `sdc:"HumanReadableForm,1"`
	Issuer            InstanceIdentifier  `sdc:"Issuer,1"`
	Jurisdiction      *InstanceIdentifier `sdc:"Jurisdiction,?"`
}

// MdsState is the state of an MDS.
type MdsState struct {
	AbstractComplexDeviceComponentState
	// Lang is the language the device shows; implied value "en", see LangOrDefault.
	Lang Language `sdc:"@Lang,?"`
	// OperatingMode, implied value Nml, see OperatingModeOrDefault.
	OperatingMode         MdsOperatingMode       `sdc:"@OperatingMode,?"`
	OperatingJurisdiction *OperatingJurisdiction `sdc:"OperatingJurisdiction,?"`
}

// MdsOperatingMode is what a device is being used for.
type MdsOperatingMode string

// Values of MdsOperatingMode.
const (
	MdsOperatingModeNml MdsOperatingMode = "Nml" // normal, clinical use
	MdsOperatingModeDmo MdsOperatingMode = "Dmo" // demonstration: data may be made up
	MdsOperatingModeSrv MdsOperatingMode = "Srv" // service
	MdsOperatingModeMtn MdsOperatingMode = "Mtn" // maintenance
)

// VmdDescriptor describes a virtual medical device, a subsystem of an MDS.
type VmdDescriptor struct {
	AbstractComplexDeviceComponentDescriptor
	ApprovedJurisdictions *ApprovedJurisdictions `sdc:"ApprovedJurisdictions,?"`
	Channel               []*ChannelDescriptor   `sdc:"Channel,*"`
}

// VmdState is the state of a VMD.
type VmdState struct {
	AbstractComplexDeviceComponentState
	OperatingJurisdiction *OperatingJurisdiction `sdc:"OperatingJurisdiction,?"`
}

// ChannelDescriptor describes a channel, which groups metrics.
type ChannelDescriptor struct {
	AbstractDeviceComponentDescriptor
	Metric []MetricDescriptor `sdc:"Metric,*"`
}

// ChannelState is the state of a channel.
type ChannelState struct {
	AbstractDeviceComponentState
}

// ClockDescriptor describes the clock of an MDS; every MDS has one (GLUE R0010_0).
type ClockDescriptor struct {
	AbstractDeviceComponentDescriptor
	// Resolution is the time between two ticks; absent means unknown.
	Resolution Opt[Duration] `sdc:"@Resolution,?"`
	// TimeProtocol lists the ways the clock can be set; an empty list means it cannot.
	TimeProtocol []CodedValue `sdc:"TimeProtocol,*"`
}

// ClockState is the state of a clock.
type ClockState struct {
	AbstractDeviceComponentState
	// DateAndTime is the clock's time. It does not raise the state version as it runs.
	DateAndTime Opt[Timestamp] `sdc:"@DateAndTime,?"`
	// RemoteSync tells whether an outside source synchronises the clock.
	RemoteSync bool `sdc:"@RemoteSync,1"`
	// Accuracy is the maximum error in seconds against a primary reference.
	Accuracy Opt[Decimal] `sdc:"@Accuracy,?"`
	// LastSet is when the clock was last set or synchronised.
	LastSet  Opt[Timestamp] `sdc:"@LastSet,?"`
	TimeZone TimeZone       `sdc:"@TimeZone,?"`
	// CriticalUse tells whether care algorithms rely on the clock. Implied value false.
	CriticalUse        bool        `sdc:"@CriticalUse,?"`
	ActiveSyncProtocol *CodedValue `sdc:"ActiveSyncProtocol,?"`
	// ReferenceSource names the sources, for example addresses of time servers.
	ReferenceSource []string `sdc:"ReferenceSource,*"`
}

// BatteryDescriptor describes a battery.
type BatteryDescriptor struct {
	AbstractDeviceComponentDescriptor
	CapacityFullCharge *Measurement `sdc:"CapacityFullCharge,?"`
	CapacitySpecified  *Measurement `sdc:"CapacitySpecified,?"`
	VoltageSpecified   *Measurement `sdc:"VoltageSpecified,?"`
}

// BatteryState is the state of a battery.
type BatteryState struct {
	AbstractDeviceComponentState
	ChargeStatus ChargeStatus `sdc:"@ChargeStatus,?"`
	// ChargeCycles counts charge and discharge cycles.
	ChargeCycles         Opt[uint32]  `sdc:"@ChargeCycles,?"`
	CapacityRemaining    *Measurement `sdc:"CapacityRemaining,?"`
	Voltage              *Measurement `sdc:"Voltage,?"`
	Current              *Measurement `sdc:"Current,?"`
	Temperature          *Measurement `sdc:"Temperature,?"`
	RemainingBatteryTime *Measurement `sdc:"RemainingBatteryTime,?"`
}

// ChargeStatus is what a battery is doing.
type ChargeStatus string

// Values of ChargeStatus.
const (
	ChargeStatusFul    ChargeStatus = "Ful"    // full
	ChargeStatusChB    ChargeStatus = "ChB"    // charging
	ChargeStatusDisChB ChargeStatus = "DisChB" // discharging
	ChargeStatusDEB    ChargeStatus = "DEB"    // discharged, empty
)
