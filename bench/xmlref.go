package main

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// The same documents for encoding/xml: a subset of the model, as small as it can be and still hold what the documents say.
// What it cannot do it does not do: resolve xsi:type, keep decimals, check anything.

type xmlCoded struct {
	Code    string `xml:"Code,attr"`
	Concept []struct {
		Lang string `xml:"Lang,attr"`
		Text string `xml:",chardata"`
	} `xml:"ConceptDescription"`
}

type xmlRange struct {
	Lower     float64 `xml:"Lower,attr"`
	Upper     float64 `xml:"Upper,attr"`
	StepWidth float64 `xml:"StepWidth,attr,omitempty"`
}

type xmlBase struct {
	Handle               string    `xml:"Handle,attr"`
	DescriptorVersion    uint64    `xml:"DescriptorVersion,attr"`
	SafetyClassification string    `xml:"SafetyClassification,attr,omitempty"`
	Type                 *xmlCoded `xml:"Type"`
}

type xmlMetric struct {
	XsiType string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
	xmlBase
	MetricCategory      string     `xml:"MetricCategory,attr"`
	DerivationMethod    string     `xml:"DerivationMethod,attr,omitempty"`
	MetricAvailability  string     `xml:"MetricAvailability,attr"`
	DeterminationPeriod string     `xml:"DeterminationPeriod,attr,omitempty"`
	Resolution          float64    `xml:"Resolution,attr"`
	AveragingPeriod     string     `xml:"AveragingPeriod,attr,omitempty"`
	SamplePeriod        string     `xml:"SamplePeriod,attr,omitempty"`
	Unit                xmlCoded   `xml:"Unit"`
	TechnicalRange      []xmlRange `xml:"TechnicalRange"`
}

type xmlAlertCondition struct {
	XsiType string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
	xmlBase
	Kind      string    `xml:"Kind,attr"`
	Priority  string    `xml:"Priority,attr"`
	Source    []string  `xml:"Source"`
	MaxLimits *xmlRange `xml:"MaxLimits"`
}

type xmlAlertSignal struct {
	xmlBase
	ConditionSignaled string `xml:"ConditionSignaled,attr"`
	Manifestation     string `xml:"Manifestation,attr"`
	Latching          bool   `xml:"Latching,attr"`
}

type xmlAlertSystem struct {
	xmlBase
	SelfCheckPeriod string              `xml:"SelfCheckPeriod,attr"`
	AlertCondition  []xmlAlertCondition `xml:"AlertCondition"`
	AlertSignal     []xmlAlertSignal    `xml:"AlertSignal"`
}

type xmlMds struct {
	xmlBase
	AlertSystem   *xmlAlertSystem `xml:"AlertSystem"`
	SystemContext *struct {
		xmlBase
		PatientContext  *xmlBase `xml:"PatientContext"`
		LocationContext *xmlBase `xml:"LocationContext"`
	} `xml:"SystemContext"`
	Vmd []struct {
		xmlBase
		Channel []struct {
			xmlBase
			Metric []xmlMetric `xml:"Metric"`
		} `xml:"Channel"`
	} `xml:"Vmd"`
}

// xmlSamples is a list of numbers.
type xmlSamples []float64

// UnmarshalXMLAttr reads the numbers.
func (s *xmlSamples) UnmarshalXMLAttr(a xml.Attr) error {
	words := strings.Fields(a.Value)
	*s = make(xmlSamples, len(words))
	for i, w := range words {
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return err
		}
		(*s)[i] = f
	}
	return nil
}

// MarshalXMLAttr writes the numbers.
func (s xmlSamples) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	var b []byte
	for i, f := range s {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	return xml.Attr{Name: name, Value: string(b)}, nil
}

type xmlMetricValue struct {
	Value             float64    `xml:"Value,attr,omitempty"`
	DeterminationTime uint64     `xml:"DeterminationTime,attr"`
	Samples           xmlSamples `xml:"Samples,attr,omitempty"`
	Quality           struct {
		Validity string `xml:"Validity,attr"`
		Mode     string `xml:"Mode,attr,omitempty"`
	} `xml:"MetricQuality"`
}

type xmlState struct {
	XsiType           string          `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr,omitempty"`
	DescriptorHandle  string          `xml:"DescriptorHandle,attr"`
	DescriptorVersion uint64          `xml:"DescriptorVersion,attr"`
	StateVersion      uint64          `xml:"StateVersion,attr"`
	ActivationState   string          `xml:"ActivationState,attr,omitempty"`
	Presence          string          `xml:"Presence,attr,omitempty"`
	Monitored         string          `xml:"MonitoredAlertLimits,attr,omitempty"`
	MetricValue       *xmlMetricValue `xml:"MetricValue"`
	Limits            *xmlRange       `xml:"Limits"`
}

type xmlMdib struct {
	XMLName xml.Name `xml:"http://standards.ieee.org/downloads/11073/11073-10207-2017/message GetMdibResponse"`
	Mdib    struct {
		MdibVersion   uint64     `xml:"MdibVersion,attr"`
		SequenceId    string     `xml:"SequenceId,attr"`
		MdDescription []xmlMds   `xml:"MdDescription>Mds"`
		State         []xmlState `xml:"MdState>State"`
	} `xml:"Mdib"`
}

type xmlMetricReport struct {
	XMLName     xml.Name `xml:"http://standards.ieee.org/downloads/11073/11073-10207-2017/message EpisodicMetricReport"`
	MdibVersion uint64   `xml:"MdibVersion,attr"`
	SequenceId  string   `xml:"SequenceId,attr"`
	Part        []struct {
		SourceMds string     `xml:"SourceMds"`
		State     []xmlState `xml:"MetricState"`
	} `xml:"ReportPart"`
}

type xmlWaveform struct {
	XMLName     xml.Name   `xml:"http://standards.ieee.org/downloads/11073/11073-10207-2017/message WaveformStream"`
	MdibVersion uint64     `xml:"MdibVersion,attr"`
	SequenceId  string     `xml:"SequenceId,attr"`
	State       []xmlState `xml:"State"`
}
