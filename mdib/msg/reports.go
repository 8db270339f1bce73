package msg

import "github.com/semeco/go-sdc/mdib/pm"

// AbstractMetricReport tells of changed metric states.
type AbstractMetricReport struct {
	AbstractReport
	ReportPart []MetricReportPart `sdc:"ReportPart,*"`
}

// MetricReportPart holds the changed metric states of one MDS.
type MetricReportPart struct {
	AbstractReportPart
	MetricState []pm.MetricState `sdc:"MetricState,*"`
}

// EpisodicMetricReport is sent when metric states change.
type EpisodicMetricReport struct {
	AbstractMetricReport
}

// PeriodicMetricReport is sent from time to time.
type PeriodicMetricReport struct {
	AbstractMetricReport
}

// AbstractComponentReport tells of changed component states.
type AbstractComponentReport struct {
	AbstractReport
	ReportPart []ComponentReportPart `sdc:"ReportPart,*"`
}

// ComponentReportPart holds the changed component states of one MDS.
type ComponentReportPart struct {
	AbstractReportPart
	ComponentState []pm.ComponentState `sdc:"ComponentState,*"`
}

// EpisodicComponentReport is sent when component states change.
type EpisodicComponentReport struct {
	AbstractComponentReport
}

// PeriodicComponentReport is sent from time to time.
type PeriodicComponentReport struct {
	AbstractComponentReport
}

// AbstractAlertReport tells of changed alert states.
type AbstractAlertReport struct {
	AbstractReport
	ReportPart []AlertReportPart `sdc:"ReportPart,*"`
}

// AlertReportPart holds the changed alert states of one MDS.
type AlertReportPart struct {
	AbstractReportPart
	AlertState []pm.AlertState `sdc:"AlertState,*"`
}

// EpisodicAlertReport is sent when alert states change.
type EpisodicAlertReport struct {
	AbstractAlertReport
}

// PeriodicAlertReport is sent from time to time.
type PeriodicAlertReport struct {
	AbstractAlertReport
}

// AbstractOperationalStateReport tells of changed operation states.
type AbstractOperationalStateReport struct {
	AbstractReport
	ReportPart []OperationalStateReportPart `sdc:"ReportPart,*"`
}

// OperationalStateReportPart holds the changed operation states of one MDS.
type OperationalStateReportPart struct {
	AbstractReportPart
	OperationState []pm.OperationState `sdc:"OperationState,*"`
}

// EpisodicOperationalStateReport is sent when operation states change.
type EpisodicOperationalStateReport struct {
	AbstractOperationalStateReport
}

// PeriodicOperationalStateReport is sent from time to time.
type PeriodicOperationalStateReport struct {
	AbstractOperationalStateReport
}

// SystemErrorReport tells of errors of the device.
type SystemErrorReport struct {
	AbstractReport
	ReportPart []SystemErrorReportPart `sdc:"ReportPart,+"`
}

// SystemErrorReportPart tells of one error.
type SystemErrorReportPart struct {
	AbstractReportPart
	ErrorCode pm.CodedValue     `sdc:"ErrorCode,1"`
	ErrorInfo *pm.LocalizedText `sdc:"ErrorInfo,?"`
}

// DescriptionModificationReport tells of changes of the description.
type DescriptionModificationReport struct {
	AbstractReport
	ReportPart []DescriptionModificationReportPart `sdc:"ReportPart,+"`
}

// DescriptionModificationReportPart tells of descriptors created, updated or deleted under one parent.
type DescriptionModificationReportPart struct {
	AbstractReportPart
	// ParentDescriptor is the handle of the parent; "" for an MDS.
	ParentDescriptor pm.HandleRef `sdc:"@ParentDescriptor,?"`
	// ModificationType, implied value Upt, see ModificationTypeOrDefault.
	ModificationType DescriptionModificationType `sdc:"@ModificationType,?"`
	// Descriptor holds the descriptors without their children (BICEPS R5024).
	Descriptor []pm.Descriptor `sdc:"Descriptor,*"`
	// State holds the states of the descriptors; none where they were deleted (BICEPS R5053).
	State []pm.State `sdc:"State,*"`
}

// ModificationTypeOrDefault returns the kind of modification, Upt if absent.
func (p *DescriptionModificationReportPart) ModificationTypeOrDefault() DescriptionModificationType {
	if p.ModificationType == "" {
		return DescriptionModificationTypeUpt
	}
	return p.ModificationType
}

// DescriptionModificationType is what happened to a descriptor.
type DescriptionModificationType string

// Values of DescriptionModificationType.
const (
	DescriptionModificationTypeCrt DescriptionModificationType = "Crt" // created
	DescriptionModificationTypeUpt DescriptionModificationType = "Upt" // updated
	DescriptionModificationTypeDel DescriptionModificationType = "Del" // deleted
)

// WaveformStream carries the newest pieces of waveforms.
type WaveformStream struct {
	AbstractReport
	State []*pm.RealTimeSampleArrayMetricState `sdc:"State,*"`
}

// ObservedValueStream carries the newest values of waveforms, without the rest of their states.
type ObservedValueStream struct {
	AbstractReport
	Value []ObservedValue `sdc:"Value,*"`
}

// ObservedValue is the newest value of one waveform.
type ObservedValue struct {
	// Metric is the handle of the waveform.
	Metric pm.HandleRef `sdc:"@Metric,1"`
	// StateVersion of the state the value belongs to. Implied value 0.
	StateVersion uint64               `sdc:"@StateVersion,?"`
	Value        *pm.SampleArrayValue `sdc:"Value,?"`
}
