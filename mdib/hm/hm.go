// Package hm is the history model of IHE SDPi: what a consumer asks the history service and the reports it is answered with (SDPi DEV-32). Like
// pm and msg it is named after the prefix of its namespace and knows nothing of networks.
package hm

import (
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Namespace is the namespace of the history model, prefix "hm".
const Namespace = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.2"

// Query asks for a part of the history of an MDIB (hm:HistoryQuery). Exactly one of Time and Version is needed.
type Query struct {
	// ProvideInitialMdib asks for the MDIB at the beginning too, upon which the reports can be applied.
	ProvideInitialMdib bool
	// FollowMdsLang asks for texts in the language each MDS has at the time (pm.MdsState.Lang).
	FollowMdsLang pm.Opt[bool]
	// Languages asks for the texts referred to in these languages; Texts says that there is such a filter at all. With Texts and no language all are
	// asked for, without it none.
	Texts     bool
	Languages []pm.Language
	// Reports names the kinds of report asked for, nil all. A hint: there may be others.
	Reports []ReportType
	// Handles names the entries of the containment tree asked for, nil all. A hint as well.
	Handles []pm.HandleRef
	Time    *TimeRange
	Version *VersionRange
}

// TimeRange is a span of time by the clock of the provider, both ends included.
type TimeRange struct {
	Start, End pm.Timestamp
}

// VersionRange is a span of MDIB versions within one sequence, both ends included.
type VersionRange struct {
	SequenceID string
	// InstanceID restricts the span to one instance number of the sequence; absent: any.
	InstanceID pm.Opt[uint64]
	Start, End uint64
}

// ReportType names a kind of report by its element in the message model.
type ReportType string

// Values of ReportType.
const (
	DescriptionModificationReport  ReportType = "DescriptionModificationReport"
	EpisodicAlertReport            ReportType = "EpisodicAlertReport"
	EpisodicComponentReport        ReportType = "EpisodicComponentReport"
	EpisodicContextReport          ReportType = "EpisodicContextReport"
	EpisodicMetricReport           ReportType = "EpisodicMetricReport"
	EpisodicOperationalStateReport ReportType = "EpisodicOperationalStateReport"
	WaveformStream                 ReportType = "WaveformStream"
)

// ReportTypes lists the values of ReportType in the order of the schema.
func ReportTypes() []ReportType {
	return []ReportType{
		DescriptionModificationReport, EpisodicAlertReport, EpisodicComponentReport, EpisodicContextReport, EpisodicMetricReport,
		EpisodicOperationalStateReport, WaveformStream,
	}
}

// Valid tells whether the value is one of the schema.
func (t ReportType) Valid() bool {
	for _, known := range ReportTypes() {
		if t == known {
			return true
		}
	}
	return false
}

// Report is one notification of the history service (hm:ChangeSequenceReport).
type Report struct {
	Extension pm.Extension
	// Status tells what of the query could not be met.
	Status    []Status
	Sequences []ChangeSequence
	// Last says that nothing follows and that all went well (SDPi R0524).
	Last bool
}

// ChangeSequence is a piece of the history of one MDIB sequence: texts before what refers to them (SDPi R0517), the MDIB before the changes (SDPi R0520), the changes
// in the order they happened (SDPi R0521).
type ChangeSequence struct {
	SequenceID string
	InstanceID pm.Opt[uint64]
	Extension  pm.Extension
	Texts      []HistoricTexts
	MDIB       *HistoricMdib
	Reports    []HistoricReport
}

// HistoricTexts holds texts that what follows refers to. Without SequenceID and InstanceID they hold for all.
type HistoricTexts struct {
	SequenceID string
	InstanceID pm.Opt[uint64]
	Extension  pm.Extension
	Text       []pm.LocalizedText
}

// HistoricMdib is an MDIB and when it began to hold.
type HistoricMdib struct {
	Time      pm.Timestamp
	Extension pm.Extension
	Response  *msg.GetMdibResponse
}

// HistoricReport is a report and when what it tells began to hold.
type HistoricReport struct {
	Time      pm.Timestamp
	Extension pm.Extension
	// Report is of one of the kinds of ReportType.
	Report msg.Report
}

// StatusKind says what a Status is about.
type StatusKind string

// Values of StatusKind, named as the elements of the schema.
const (
	StatusInitialMdibNotSupported   StatusKind = "InitialMdibNotSupported"
	StatusFollowMdsLangNotSupported StatusKind = "FollowMdsLangNotSupported"
	StatusLanguagesNotAvailable     StatusKind = "LanguagesNotAvailable" // Languages
	StatusLocalizedTextsAreStatic   StatusKind = "LocalizedTextsAreStatic"
	StatusVersionsNotFullyServed    StatusKind = "RequestedVersionRangeNotFullyServed" // Version: what is served
	StatusTimeNotFullyServed        StatusKind = "RequestedTimeRangeNotFullyServed"    // Time: what is served
	StatusIncompleteRecords         StatusKind = "IncompleteRecords"                   // Reports: kinds that are not kept
	StatusNoTimeRangeSupport        StatusKind = "NoTimeRangeSupport"
	StatusNoVersionRangeSupport     StatusKind = "NoVersionRangeSupport"
	StatusTimeRangeImperfect        StatusKind = "TimeRangeImperfect"
	StatusOther                     StatusKind = "Other" // Text, Code, Language
)

func (k StatusKind) valid() bool {
	switch k {
	case StatusInitialMdibNotSupported, StatusFollowMdsLangNotSupported, StatusLanguagesNotAvailable, StatusLocalizedTextsAreStatic, StatusVersionsNotFullyServed,
		StatusTimeNotFullyServed, StatusIncompleteRecords, StatusNoTimeRangeSupport, StatusNoVersionRangeSupport, StatusTimeRangeImperfect, StatusOther:
		return true
	}
	return false
}

// Status tells of one way in which an answer differs from what was asked (hm:ResponseStatus). Which of the fields stand for something, Kind says.
type Status struct {
	Kind      StatusKind
	Languages []pm.Language
	Version   VersionRange
	Time      TimeRange
	Reports   []ReportType
	// Text, Code and Language belong to StatusOther: for people who look for a fault.
	Text, Code, Language string
}
