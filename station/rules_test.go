package station

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
)

func TestRulesAreReadStrictly(t *testing.T) {
	rules, err := ParseRules(strings.NewReader(`
rules:
  - name: OR 3
    devices: [ventilator, monitor, "69985", "urn:oid:2.25.1|lamp"]
    location: fac=H,poc=OR 3
    key-purposes: [1.2.840.10004.20701.1.1]
    types: ["{urn:x}Y"]
    scopes: [sdc.mds.pkp:1.2]
    eprs: ["urn:uuid:1"]
    max: 8
    ensemble: {root: "urn:oid:2.25.2", id: team}
  - name: everything
`))
	require.NoError(t, err)
	require.Equal(t, []Rule{{
		Name: "OR 3", Devices: []Code{MDC("70001"), MDC("69965"), MDC("69985"), {System: "urn:oid:2.25.1", Code: "lamp"}},
		Location: sdc.LocationDetail{Facility: "H", PoC: "OR 3"}, KeyPurposes: []string{"1.2.840.10004.20701.1.1"},
		Types: []discovery.Name{{Space: "urn:x", Local: "Y"}}, Scopes: []string{"sdc.mds.pkp:1.2"}, EPRs: []string{"urn:uuid:1"}, Max: 8,
		Ensemble: EnsembleRule{Root: "urn:oid:2.25.2", ID: "team"},
	}, {Name: "everything"}}, rules)
	for text, want := range map[string]string{
		"":                                   "no rule",
		"rules: []":                          "no rule",
		"rules:\n - device: [x]":             `there is no field "device"`,
		"rules:\n - name: a\n   name: b":     "already defined",
		"rules:\n - devices: [toaster]":      `device "toaster" is neither a code nor one of infusion-pump, monitor, ventilator`,
		"rules:\n - location: poc":           `"poc" is not key=value`,
		"rules:\n - location: ward=1":        "none of fac",
		"rules:\n - max: -1":                 "max must not be negative",
		"rules:\n - max: many":               "`many` is no whole number",
		"rules:\n - types: [Device]":         "is not {namespace}name",
		"rules:\n - name: a\n---\nrules: []": "more than one document",
		"rules:\n - ensemble: {id: x}":       "an ensemble needs a root",
		"rules:\n - ensemble: {name: x}":     `there is no field "name"`,
		"rules:\n - ensemble: {root: '" + sdc.UnknownRoot + "'}": "means that none is known",
		"rules:\n - eprs: ['']":                                  "an empty EPR",
		strings.Repeat(" ", maxRules) + "rules":                  "more than",
		"rules: {a: b}":                                          "a mapping is no list",
	} {
		_, err := ParseRules(strings.NewReader(text))
		require.ErrorContains(t, err, want, "%.60q", text)
	}
	_, err = ReadRules("nowhere.yaml")
	require.ErrorContains(t, err, "nowhere.yaml")
}

func TestRulesMatchWhatDiscoveryTells(t *testing.T) {
	place := func(d sdc.LocationDetail) string { return d.Scope().URI() }
	vent := discovery.Endpoint{EPR: "urn:uuid:1", Types: discovery.DeviceTypes(), Scopes: []string{
		sdc.CodeScope{CodingSystem: sdc.DefaultCodingSystem, Code: "70001"}.URI(), sdc.PKPScope(sdc.OIDProvider),
		place(sdc.LocationDetail{Facility: "H", PoC: "OR 3", Bed: "1"}), "not:a scope", "sdc.ctxt.loc:nonsense",
	}}
	for name, c := range map[string]struct {
		rule Rule
		want bool
	}{
		"everything":            {Rule{}, true},
		"the type":              {Rule{Devices: []Code{MDC("69965"), MDC("70001")}}, true},
		"another type":          {Rule{Devices: []Code{MDC("69965")}}, false},
		"another coding system": {Rule{Devices: []Code{{System: "urn:oid:2.25.1", Code: "70001"}}}, false},
		"the place":             {Rule{Location: sdc.LocationDetail{PoC: "OR 3"}}, true},
		"a part of the place":   {Rule{Location: sdc.LocationDetail{PoC: "OR 3", Room: "2"}}, false},
		"another place":         {Rule{Location: sdc.LocationDetail{PoC: "OR 4"}}, false},
		"the key purpose":       {Rule{KeyPurposes: []string{sdc.OIDProvider}}, true},
		"another key purpose":   {Rule{KeyPurposes: []string{sdc.OIDProvider, "1.2.3"}}, false},
		"the EPR":               {Rule{EPRs: []string{"urn:uuid:2", "urn:uuid:1"}}, true},
		"another EPR":           {Rule{EPRs: []string{"urn:uuid:2"}}, false},
		"a scope":               {Rule{Scopes: []string{"sdc.mds.pkp:" + sdc.OIDProvider}}, true},
		"a type of discovery":   {Rule{Types: []discovery.Name{{Space: "urn:x", Local: "Y"}}}, false},
		"all at once": {Rule{
			Devices: []Code{MDC("70001")}, Location: sdc.LocationDetail{Facility: "H"}, Types: discovery.DeviceTypes(), EPRs: []string{"urn:uuid:1"},
		}, true},
		"all but one": {Rule{Devices: []Code{MDC("70001")}, Location: sdc.LocationDetail{Facility: "X"}}, false},
	} {
		require.Equal(t, c.want, c.rule.Match(vent), name)
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte("rules: [{name: vents, devices: [ventilator], location: 'fac=F,poc=OR 1'}]"))
	f.Add([]byte("rules:\n- name: a\n  ensemble: {root: 'urn:oid:1', id: x}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := ParseRules(bytes.NewReader(text))
		if (rules == nil) == (err == nil) {
			t.Fatalf("%v, %v", rules, err)
		}
	})
}
