package pm

// AbstractMetricValue is what all metric values share.
type AbstractMetricValue struct {
	// StartTime and StopTime bound the time the value was measured in.
	StartTime Opt[Timestamp] `sdc:"@StartTime,?"`
	StopTime  Opt[Timestamp] `sdc:"@StopTime,?"`
	// DeterminationTime is when the value was determined; for sample arrays, the time of the first sample.
	DeterminationTime Opt[Timestamp] `sdc:"@DeterminationTime,?"`
	Extension         Extension      `sdc:"ext:Extension,?"`
	MetricQuality     MetricQuality  `sdc:"MetricQuality,1"`
	Annotation        []Annotation   `sdc:"Annotation,*"`
}

// MetricQuality grades a metric value.
type MetricQuality struct {
	Validity MeasurementValidity `sdc:"@Validity,1"`
	// Mode, implied value Real, see ModeOrDefault.
	Mode GenerationMode `sdc:"@Mode,?"`
	// Qi is a quality index from 0 (poor) to 1 (best). Implied value 1, see QiOrDefault.
	Qi        Opt[Decimal] `sdc:"@Qi,?,0..1"`
	Extension Extension    `sdc:"ext:Extension,?"`
}

// GenerationMode tells real data from made-up data.
type GenerationMode string

// Values of GenerationMode.
const (
	GenerationModeReal GenerationMode = "Real" // real conditions
	GenerationModeTest GenerationMode = "Test" // arbitrary, for tests
	GenerationModeDemo GenerationMode = "Demo" // arbitrary, for demonstration
)

// Annotation is a remark about a metric value.
type Annotation struct {
	Extension Extension  `sdc:"ext:Extension,?"`
	Type      CodedValue `sdc:"Type,1"`
}

// NumericMetricValue is a number.
type NumericMetricValue struct {
	AbstractMetricValue
	// Value in the unit of the descriptor; absent if there is none.
	Value Opt[Decimal] `sdc:"@Value,?"`
}

// StringMetricValue is a text.
type StringMetricValue struct {
	AbstractMetricValue
	Value Opt[string] `sdc:"@Value,?"`
}

// SampleArrayValue is a piece of a waveform or a distribution.
type SampleArrayValue struct {
	AbstractMetricValue
	// Samples in the unit of the descriptor, one per SamplePeriod from DeterminationTime on.
	Samples         Samples           `sdc:"@Samples,?"`
	ApplyAnnotation []ApplyAnnotation `sdc:"ApplyAnnotation,*"`
}

// ApplyAnnotation ties an annotation to a sample.
type ApplyAnnotation struct {
	// AnnotationIndex and SampleIndex count from 0.
	AnnotationIndex uint32 `sdc:"@AnnotationIndex,1"`
	SampleIndex     uint32 `sdc:"@SampleIndex,1"`
}

// MetricCategory is what kind of value a metric is.
type MetricCategory string

// Values of MetricCategory.
const (
	MetricCategoryUnspec MetricCategory = "Unspec" // none of the others
	MetricCategoryMsrmt  MetricCategory = "Msrmt"  // measured
	MetricCategoryClc    MetricCategory = "Clc"    // calculated
	MetricCategorySet    MetricCategory = "Set"    // a setting
	MetricCategoryPreset MetricCategory = "Preset" // a setting not in force yet
	MetricCategoryRcmm   MetricCategory = "Rcmm"   // a recommendation
)

// DerivationMethod is how a metric comes about.
type DerivationMethod string

// Values of DerivationMethod.
const (
	DerivationMethodAuto DerivationMethod = "Auto" // by a machine
	DerivationMethodMan  DerivationMethod = "Man"  // by a human
)

// MetricAvailability is whether a metric is there all the time.
type MetricAvailability string

// Values of MetricAvailability.
const (
	MetricAvailabilityIntr MetricAvailability = "Intr" // intermittent
	MetricAvailabilityCont MetricAvailability = "Cont" // continuous
)

// AbstractMetricDescriptor is what all metric descriptors share.
type AbstractMetricDescriptor struct {
	AbstractDescriptor
	MetricCategory MetricCategory `sdc:"@MetricCategory,1"`
	// DerivationMethod; absent means Man for settings and presettings, Auto for measurements,
	// calculations and recommendations, see DerivationMethodOrDefault.
	DerivationMethod   DerivationMethod   `sdc:"@DerivationMethod,?"`
	MetricAvailability MetricAvailability `sdc:"@MetricAvailability,1"`
	// MaxMeasurementTime is the longest time from start to stop of a measurement.
	MaxMeasurementTime Opt[Duration] `sdc:"@MaxMeasurementTime,?"`
	// MaxDelayTime is the longest delay behind real time, without the way over the network.
	MaxDelayTime Opt[Duration] `sdc:"@MaxDelayTime,?"`
	// DeterminationPeriod is the longest time between two determinations.
	DeterminationPeriod Opt[Duration] `sdc:"@DeterminationPeriod,?"`
	// LifeTimePeriod is how long a value stays useful.
	LifeTimePeriod Opt[Duration] `sdc:"@LifeTimePeriod,?"`
	// ActivationDuration is how long the metric stays activated before it leaves On by itself.
	ActivationDuration Opt[Duration] `sdc:"@ActivationDuration,?"`
	// Unit of the metric's values.
	Unit     CodedValue   `sdc:"Unit,1"`
	BodySite []CodedValue `sdc:"BodySite,*"`
	Relation []Relation   `sdc:"Relation,*"`
}

// BaseMetric returns the part all metric descriptors share.
func (d *AbstractMetricDescriptor) BaseMetric() *AbstractMetricDescriptor { return d }

// Relation tells how a metric relates to other entries of the containment tree.
type Relation struct {
	Kind           RelationKind        `sdc:"@Kind,1"`
	Entries        []HandleRef         `sdc:"@Entries,1"`
	Extension      Extension           `sdc:"ext:Extension,?"`
	Code           *CodedValue         `sdc:"Code,?"`
	Identification *InstanceIdentifier `sdc:"Identification,?"`
}

// RelationKind is the kind of a Relation.
type RelationKind string

// Values of RelationKind.
const (
	RelationKindRcm RelationKind = "Rcm" // recommendation for the entries
	RelationKindPS  RelationKind = "PS"  // presetting of the entries
	RelationKindSST RelationKind = "SST" // set of summary statistics, together with the entries
	RelationKindECE RelationKind = "ECE" // effect on the entries
	RelationKindDCE RelationKind = "DCE" // derived from the entries
	RelationKindOth RelationKind = "Oth" // told by other means
)

// AbstractMetricState is what all metric states share.
type AbstractMetricState struct {
	AbstractState
	// ActivationState, implied value On, see ActivationStateOrDefault.
	ActivationState ComponentActivation `sdc:"@ActivationState,?"`
	// ActiveDeterminationPeriod, if it differs from the descriptor's DeterminationPeriod.
	ActiveDeterminationPeriod Opt[Duration] `sdc:"@ActiveDeterminationPeriod,?"`
	// LifeTimePeriod, if it differs from the descriptor's.
	LifeTimePeriod    Opt[Duration]          `sdc:"@LifeTimePeriod,?"`
	BodySite          []CodedValue           `sdc:"BodySite,*"`
	PhysicalConnector *PhysicalConnectorInfo `sdc:"PhysicalConnector,?"`
}

// BaseMetric returns the part all metric states share.
func (s *AbstractMetricState) BaseMetric() *AbstractMetricState { return s }

// NumericMetricDescriptor describes a metric with one number.
type NumericMetricDescriptor struct {
	AbstractMetricDescriptor
	// Resolution is the smallest step between two values.
	Resolution Decimal `sdc:"@Resolution,1"`
	// AveragingPeriod is the time the value is averaged over.
	AveragingPeriod Opt[Duration] `sdc:"@AveragingPeriod,?"`
	TechnicalRange  []Range       `sdc:"TechnicalRange,*"`
}

// NumericMetricState is the state of a metric with one number.
type NumericMetricState struct {
	AbstractMetricState
	// ActiveAveragingPeriod, if it differs from the descriptor's AveragingPeriod.
	ActiveAveragingPeriod Opt[Duration]       `sdc:"@ActiveAveragingPeriod,?"`
	MetricValue           *NumericMetricValue `sdc:"MetricValue,?,together"`
	// PhysiologicalRange are ranges the value may plausibly lie in.
	PhysiologicalRange []Range `sdc:"PhysiologicalRange,*"`
}

// StringMetricDescriptor describes a metric with free text.
type StringMetricDescriptor struct {
	AbstractMetricDescriptor
}

// StringMetricState is the state of a metric with free text.
type StringMetricState struct {
	AbstractMetricState
	MetricValue *StringMetricValue `sdc:"MetricValue,?,together"`
}

// EnumStringMetricDescriptor describes a metric with one of a list of texts.
type EnumStringMetricDescriptor struct {
	StringMetricDescriptor
	AllowedValue []AllowedValue `sdc:"AllowedValue,+"`
}

// AllowedValue is one text an EnumStringMetricState may have, and what it means.
type AllowedValue struct {
	Value          string              `sdc:"Value,1"`
	Type           *CodedValue         `sdc:"Type,?"`
	Identification *InstanceIdentifier `sdc:"Identification,?"`
	Characteristic *Measurement        `sdc:"Characteristic,?"`
}

// EnumStringMetricState is the state of a metric with one of a list of texts.
type EnumStringMetricState struct {
	StringMetricState
}

// RealTimeSampleArrayMetricDescriptor describes a waveform.
type RealTimeSampleArrayMetricDescriptor struct {
	AbstractMetricDescriptor
	Resolution Decimal `sdc:"@Resolution,1"`
	// SamplePeriod is the time between two samples.
	SamplePeriod   Duration `sdc:"@SamplePeriod,1"`
	TechnicalRange []Range  `sdc:"TechnicalRange,*"`
}

// RealTimeSampleArrayMetricState is the state of a waveform.
type RealTimeSampleArrayMetricState struct {
	AbstractMetricState
	MetricValue        *SampleArrayValue `sdc:"MetricValue,?,together"`
	PhysiologicalRange []Range           `sdc:"PhysiologicalRange,*"`
}

// CloneWithoutSamples returns a deep copy that shares nothing with s and has no samples: for a waveform that is about to get others.
func (s *RealTimeSampleArrayMetricState) CloneWithoutSamples() *RealTimeSampleArrayMetricState {
	if s.MetricValue == nil {
		return s.Clone()
	}
	var both struct { // as Clone does it
		state RealTimeSampleArrayMetricState
		value SampleArrayValue
	}
	both.state, both.value = *s, *s.MetricValue
	both.state.MetricValue, both.value.Samples = nil, nil
	both.state.unshare()
	both.value.unshare()
	both.state.MetricValue = &both.value
	return &both.state
}

// DistributionSampleArrayMetricDescriptor describes an array over something other than time, a spectrum for example.
type DistributionSampleArrayMetricDescriptor struct {
	AbstractMetricDescriptor
	Resolution     Decimal `sdc:"@Resolution,1"`
	TechnicalRange []Range `sdc:"TechnicalRange,*"`
	// DomainUnit is the unit of the abscissa.
	DomainUnit CodedValue `sdc:"DomainUnit,1"`
	// DistributionRange is the range of the abscissa, first to last sample.
	DistributionRange Range `sdc:"DistributionRange,1"`
}

// DistributionSampleArrayMetricState is the state of an array over something other than time.
type DistributionSampleArrayMetricState struct {
	AbstractMetricState
	MetricValue        *SampleArrayValue `sdc:"MetricValue,?,together"`
	PhysiologicalRange []Range           `sdc:"PhysiologicalRange,*"`
}
