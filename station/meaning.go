package station

import (
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Code is a code of a coding system, comparable.
type Code struct {
	// System is the coding system; "" is the nomenclature of ISO/IEEE 11073-10101 (pm.DefaultCodingSystem).
	System string
	Code   string
}

// MDC is a code of ISO/IEEE 11073-10101.
func MDC(code string) Code { return Code{Code: code} }

// CodeOf returns the code of a coded value. A translation into the nomenclature counts more than a code of another system,
// so that the same concept has the same code whoever tells of it.
func CodeOf(v *pm.CodedValue) Code {
	if v == nil {
		return Code{}
	}
	c := Code{System: system(v.CodingSystem), Code: v.Code}
	if c.System == "" {
		return c
	}
	for _, t := range v.Translation {
		if system(t.CodingSystem) == "" {
			return Code{Code: t.Code}
		}
	}
	return c
}

func system(uri string) string {
	if uri == pm.DefaultCodingSystem {
		return ""
	}
	return uri
}

// String writes the code, with the coding system before it if it is not the nomenclature: "150456", "urn:oid:2.25.1|word".
func (c Code) String() string {
	if c.System == "" {
		return c.Code
	}
	return c.System + "|" + c.Code
}

// ParseCode reads what String writes.
func ParseCode(s string) Code {
	if i := strings.LastIndexByte(s, '|'); i >= 0 {
		return Code{System: system(s[:i]), Code: s[i+1:]}
	}
	return Code{Code: s}
}

// Role tells apart what has the same code: what is measured and what is set.
type Role string

// The roles.
const (
	Measured    Role = "measured" // measured, calculated or unspecified
	Setting     Role = "setting"  // in force
	Preset      Role = "preset"   // a setting not in force yet
	Recommended Role = "recommended"
)

func roleOf(c pm.MetricCategory) Role {
	switch c {
	case pm.MetricCategorySet:
		return Setting
	case pm.MetricCategoryPreset:
		return Preset
	case pm.MetricCategoryRcmm:
		return Recommended
	case pm.MetricCategoryUnspec, pm.MetricCategoryMsrmt, pm.MetricCategoryClc:
	}
	return Measured
}

// Meaning is what a metric tells of: two metrics of the same meaning tell of the same thing. It is comparable.
type Meaning struct {
	// Code is the type of the metric.
	Code Code
	// Site lists the body sites, each as Code.String writes it, sorted and joined by spaces; "" if none is named.
	Site string
	Role Role
}

func meaningOf(d *pm.AbstractMetricDescriptor, s *pm.AbstractMetricState) Meaning {
	sites := d.BodySite
	if s != nil && len(s.BodySite) > 0 {
		sites = s.BodySite // where the sensor is now
	}
	names := make([]string, len(sites))
	for i := range sites {
		names[i] = CodeOf(&sites[i]).String()
	}
	slices.Sort(names)
	return Meaning{Code: CodeOf(d.Type), Site: strings.Join(names, " "), Role: roleOf(d.MetricCategory)}
}

// Unit is the unit of a value.
type Unit struct {
	// Code is what the device says.
	Code Code
	// Text is for people: the symbol as the device describes it, else the code.
	Text string
}

func unitOf(v *pm.CodedValue) Unit {
	u := Unit{Code: CodeOf(v), Text: describe(v)}
	if u.Code == MDC("262656") { // MDC_DIM_DIMLESS
		u.Text = ""
	}
	return u
}

// describe is the English or else the first description of a concept, its symbolic name, or its code.
func describe(v *pm.CodedValue) string {
	if v == nil {
		return ""
	}
	if t := text(v.ConceptDescription); t != "" {
		return t
	}
	if v.SymbolicCodeName != "" {
		return v.SymbolicCodeName
	}
	return v.Code
}

// text is the English text if there is one, or the first that stands there.
func text(list []pm.LocalizedText) string {
	first := ""
	for _, t := range list {
		if t.Text == "" {
			continue
		}
		if t.Lang == "en" || strings.HasPrefix(t.Lang, "en-") {
			return t.Text
		}
		if first == "" {
			first = t.Text
		}
	}
	return first
}
