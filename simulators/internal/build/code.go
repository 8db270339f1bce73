// Package build turns tables into descriptors, so that the MDIB of a simulated
// device reads as a list of what the device has. Codes are those of ISO/IEEE
// 11073-10101 with their symbolic names; concepts that the nomenclature lacks carry
// codes of the project's own coding system.
package build

import "github.com/semeco/go-sdc/mdib/pm"

// PrivateCodes is the coding system of concepts without a code in the nomenclature
// (an OID made from a UUID, so nobody else can have it). Its codes are the words that
// stand in the tables of the devices (SDPi R0702).
const PrivateCodes = "urn:oid:2.25.6647671393263943374679360085066170955"

// EnsembleRoot is the root of the identifiers of ensembles of simulated devices.
const EnsembleRoot = PrivateCodes + ".1"

// Code is a coded concept with an English description.
type Code struct {
	// Code is the number in the nomenclature, or a word of PrivateCodes if Name is "".
	Code string
	// Name is the symbolic name, for example MDC_PULS_OXIM_SAT_O2.
	Name string
	// Text describes the concept.
	Text string
}

// Private is a concept of PrivateCodes.
func Private(code, text string) Code { return Code{Code: code, Text: text} }

// Value is the code as the model has it.
func (c Code) Value() *pm.CodedValue {
	v := &pm.CodedValue{Code: c.Code, SymbolicCodeName: c.Name, ConceptDescription: Text(c.Text)}
	if c.Name == "" {
		v.CodingSystem = PrivateCodes
	}
	return v
}

// Text is an English text.
func Text(s string) []pm.LocalizedText {
	if s == "" {
		return nil
	}
	return []pm.LocalizedText{{Lang: "en", Text: s}}
}

// Dimensionless is the unit 1.
func Dimensionless() Code { return Code{"262656", "MDC_DIM_DIMLESS", "1"} }

// Percent is the unit %.
func Percent() Code { return Code{"262688", "MDC_DIM_PERCENT", "%"} }

// CmH2O is the unit cmH2O.
func CmH2O() Code { return Code{"266048", "MDC_DIM_CM_H2O", "cmH2O"} }

// MmHg is the unit mmHg.
func MmHg() Code { return Code{"266016", "MDC_DIM_MMHG", "mmHg"} }

// MilliLitre is the unit mL.
func MilliLitre() Code { return Code{"263762", "MDC_DIM_MILLI_L", "mL"} }

// LitrePerMinute is the unit L/min.
func LitrePerMinute() Code { return Code{"265216", "MDC_DIM_L_PER_MIN", "L/min"} }

// PerMinute is the unit of breaths per minute.
func PerMinute() Code { return Code{"264928", "MDC_DIM_RESP_PER_MIN", "/min"} }

// BeatsPerMinute is the unit of heart beats per minute.
func BeatsPerMinute() Code { return Code{"264864", "MDC_DIM_BEAT_PER_MIN", "/min"} }

// MilliLitrePerHour is the unit mL/h.
func MilliLitrePerHour() Code { return Code{"265266", "MDC_DIM_MILLI_L_PER_HR", "mL/h"} }

// MicroGramPerMilliLitre is the unit ug/mL.
func MicroGramPerMilliLitre() Code { return Code{"264307", "MDC_DIM_MICRO_G_PER_ML", "ug/mL"} }

// MicroGramPerHour is the unit ug/h.
func MicroGramPerHour() Code { return Code{"265523", "MDC_DIM_MICRO_G_PER_HR", "ug/h"} }

// KiloVolt is the unit kV.
func KiloVolt() Code { return Code{"266403", "MDC_DIM_KILO_VOLT", "kV"} }

// MilliSecond is the unit ms.
func MilliSecond() Code { return Code{"264338", "MDC_DIM_MILLI_SEC", "ms"} }

// Second is the unit s.
func Second() Code { return Code{"264320", "MDC_DIM_SEC", "s"} }

// Minute is the unit min.
func Minute() Code { return Code{"264352", "MDC_DIM_MIN", "min"} }

// MilliVolt is the unit mV.
func MilliVolt() Code { return Code{"266418", "MDC_DIM_MILLI_VOLT", "mV"} }

// Volt is the unit V.
func Volt() Code { return Code{"266400", "MDC_DIM_VOLT", "V"} }

// Celsius is the unit of temperatures.
func Celsius() Code { return Code{"268192", "MDC_DIM_DEGC", "\u00b0C"} }

// Compliance is the unit mL/cmH2O.
func Compliance() Code { return Code{"268050", "MDC_DIM_MILLI_L_PER_CM_H2O", "mL/cmH2O"} }

// Resistance is the unit cmH2O/(L/s).
func Resistance() Code { return Code{"268064", "MDC_DIM_CM_H2O_PER_L_PER_SEC", "cmH2O/(L/s)"} }
