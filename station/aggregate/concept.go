package aggregate

import (
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/unit"
)

// PrivateCodes is the coding system of concepts that the nomenclature of ISO/IEEE 11073-10101 lacks (an OID made from a UUID, so nobody else can have it). Its
// codes are words.
const PrivateCodes = "urn:oid:2.25.88635206686542274532791446745231788974"

// Types of the MDSs of an aggregating device, codes of PrivateCodes.
const (
	// TypeAggregator is the MDS that stands for the device itself.
	TypeAggregator = "aggregator"
	// TypeAggregate is an MDS with the values derived for one patient.
	TypeAggregate = "aggregate"
)

// MDC is a concept of ISO/IEEE 11073-10101 with its symbolic name and an English description.
func MDC(code, symbol, text string) pm.CodedValue {
	return pm.CodedValue{Code: code, SymbolicCodeName: symbol, ConceptDescription: english(text)}
}

// Private is a concept of PrivateCodes with an English description.
func Private(word, text string) pm.CodedValue {
	return pm.CodedValue{Code: word, CodingSystem: PrivateCodes, ConceptDescription: english(text)}
}

// UCUM is a unit for which the nomenclature has no code.
func UCUM(code, text string) pm.CodedValue {
	return pm.CodedValue{Code: code, CodingSystem: unit.UCUMSystem, ConceptDescription: english(text)}
}

func english(s string) []pm.LocalizedText {
	if s == "" {
		return nil
	}
	return []pm.LocalizedText{{Lang: "en", Text: s}}
}

// text is what a concept is called.
func text(v *pm.CodedValue) string {
	if len(v.ConceptDescription) > 0 {
		return v.ConceptDescription[0].Text
	}
	return v.Code
}

// aggregated tells whether an MDS itself is derived from others: from such nothing is derived, lest two aggregators feed one another.
func aggregated(s *station.System) bool {
	return s.Type.System == PrivateCodes && (s.Type.Code == TypeAggregate || s.Type.Code == TypeAggregator)
}
