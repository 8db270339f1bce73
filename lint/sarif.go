package lint

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"

	"github.com/semeco/go-sdc/mdib"
)

// The part of SARIF 2.1.0 (OASIS) that findings need.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical  `json:"physicalLocation"`
		LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

// WriteSARIF writes reports as one run of a SARIF 2.1.0 log. A handle is a logical location.
func WriteSARIF(w io.Writer, reports ...*Report) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "sdc lint", InformationURI: "https://github.com/semeco/go-sdc", Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	index := map[string]int{}
	rule := func(id, title string) int {
		if i, ok := index[id]; ok {
			return i
		}
		index[id] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id, sarifMessage{title}})
		return index[id]
	}
	for _, r := range Rules() {
		rule(r.ID, r.Title)
	}
	for _, r := range reports {
		for i := range r.Findings {
			f := &r.Findings[i]
			result := sarifResult{
				RuleID: f.ID, RuleIndex: rule(f.ID, f.ID), Level: level(f.Severity), Message: sarifMessage{f.Message},
				Locations: []sarifLocation{{PhysicalLocation: sarifPhysical{ArtifactLocation: sarifArtifact{artifact(r.Source)}}}},
			}
			if f.Line > 0 {
				result.Locations[0].PhysicalLocation.Region = &sarifRegion{f.Line, f.Column}
			}
			if f.Handle != "" {
				result.Locations[0].LogicalLocations = []sarifLogical{{f.Handle, "object"}}
			}
			run.Results = append(run.Results, result)
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// artifact is the source as a URI reference.
func artifact(source string) string {
	if u, err := url.Parse(source); err == nil && len(u.Scheme) > 1 { // of one letter it is a drive
		return source
	}
	u := url.URL{Path: filepath.ToSlash(source)}
	if filepath.IsAbs(source) {
		u.Scheme = "file"
	}
	return u.String()
}

func level(s mdib.Severity) string {
	switch s {
	case mdib.SeverityError:
		return "error"
	case mdib.SeverityWarning:
		return "warning"
	}
	return "note"
}
