package das

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

const (
	// CodingSystem is the project's own coding system, an OID made from a UUID.
	CodingSystem = "urn:oid:2.25.6647671393263943374679360085066170955"
	// Namespace is that of the extension.
	Namespace = "https://github.com/semeco/go-sdc/das"
)

// Codes are the types of the operations. Those without a Code are the default ones.
type Codes struct {
	// Activate is the type of the operation that establishes and renews.
	Activate pm.CodedValue
	// Confirm is the type of the operation that confirms technical delivery.
	Confirm pm.CodedValue
	// End is the type of the operation that ends it.
	End pm.CodedValue
}

// SymbolActivate is the symbolic name of the activating operation in drafts of IEEE 11073-10702. The number that one manufacturer uses for it lies in the private
// range of the nomenclature, so it is not taken over.
const SymbolActivate = "MDC_ACT_MONITORED_BY_DISTRIBUTED_ALARM_SYSTEM"

func (c Codes) orDefault() Codes {
	own := func(v *pm.CodedValue, code, symbol, text string) {
		if v.Code == "" {
			*v = pm.CodedValue{Code: code, CodingSystem: CodingSystem, SymbolicCodeName: symbol, ConceptDescription: []pm.LocalizedText{{Lang: "en", Text: text}}}
		}
	}
	own(&c.Activate, "activate-monitored-by-das", SymbolActivate, "Take over or keep the monitoring of the alarms by a distributed alarm system")
	own(&c.Confirm, "confirm-alerts-technical-delivery", "", "Confirm the technical delivery of alerts")
	own(&c.End, "end-monitored-by-das", "", "End the monitoring of the alarms by a distributed alarm system")
	return c
}

// means tells whether a type is the wanted one: by code and coding system, itself or by a translation of either, or by the symbolic name.
func means(have *pm.CodedValue, want pm.CodedValue) bool {
	if have == nil {
		return false
	}
	if want.SymbolicCodeName != "" && have.SymbolicCodeName == want.SymbolicCodeName {
		return true
	}
	keys := codesOf(have)
	return slices.ContainsFunc(codesOf(&want), func(k [2]string) bool { return slices.Contains(keys, k) })
}

// codesOf lists code and coding system of a type and its translations.
func codesOf(v *pm.CodedValue) [][2]string {
	out := [][2]string{{v.Code, v.CodingSystemOrDefault()}}
	for _, t := range v.Translation {
		system := t.CodingSystem
		if system == "" {
			system = pm.DefaultCodingSystem
		}
		out = append(out, [2]string{t.Code, system})
	}
	return out
}
