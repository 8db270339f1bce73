package lint_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
)

func TestSARIF(t *testing.T) {
	reports := []*lint.Report{
		{Source: "dir/my mdib.xml", Findings: []lint.Finding{
			{Finding: mdib.Finding{ID: "GLUE R0080", Handle: "vmd", Severity: mdib.SeverityError, Message: `no "Type" & <more>`}, Line: 7, Column: 3},
			{Finding: mdib.Finding{ID: "BICEPS R5048", Severity: mdib.SeverityWarning, Message: "empty"}},
		}},
		{Source: "urn:uuid:0b9f7a52-53e7-4c8f-8a3c-74b5c1b7a001", Findings: []lint.Finding{
			{Finding: mdib.Finding{ID: "a rule of tomorrow", Handle: "x", Severity: mdib.SeverityInfo, Message: "remark"}},
		}},
		{Source: "/abs/x.xml"},
	}
	var out bytes.Buffer
	require.NoError(t, lint.WriteSARIF(&out, reports...))
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &log))
	require.Equal(t, "2.1.0", log.Version)
	require.Len(t, log.Runs, 1)
	rules := log.Runs[0].Tool.Driver.Rules
	ids := map[string]bool{}
	for _, r := range rules {
		require.NotEmpty(t, r.ShortDescription.Text)
		require.False(t, ids[r.ID], "%s twice", r.ID)
		ids[r.ID] = true
	}
	results := log.Runs[0].Results
	require.Len(t, results, 3)
	indexOf := func(id string) int {
		for i, r := range rules {
			if r.ID == id {
				return i
			}
		}
		return -1
	}
	for i, want := range []map[string]any{
		{
			"ruleId": "GLUE R0080", "ruleIndex": float64(indexOf("GLUE R0080")), "level": "error", "message": map[string]any{"text": `no "Type" & <more>`},
			"locations": []any{map[string]any{
				"physicalLocation": map[string]any{"artifactLocation": map[string]any{"uri": "dir/my%20mdib.xml"}, "region": map[string]any{"startLine": 7.0, "startColumn": 3.0}},
				"logicalLocations": []any{map[string]any{"fullyQualifiedName": "vmd", "kind": "object"}},
			}},
		},
		{
			"ruleId": "BICEPS R5048", "ruleIndex": float64(indexOf("BICEPS R5048")), "level": "warning", "message": map[string]any{"text": "empty"},
			"locations": []any{map[string]any{"physicalLocation": map[string]any{"artifactLocation": map[string]any{"uri": "dir/my%20mdib.xml"}}}},
		},
		{
			"ruleId": "a rule of tomorrow", "ruleIndex": float64(len(rules) - 1), "level": "note", "message": map[string]any{"text": "remark"},
			"locations": []any{map[string]any{
				"physicalLocation": map[string]any{"artifactLocation": map[string]any{"uri": "urn:uuid:0b9f7a52-53e7-4c8f-8a3c-74b5c1b7a001"}},
				"logicalLocations": []any{map[string]any{"fullyQualifiedName": "x", "kind": "object"}},
			}},
		},
	} {
		var got map[string]any
		require.NoError(t, json.Unmarshal(results[i], &got))
		require.Equal(t, want, got)
	}
	// Nothing found is a run without results, not no run.
	out.Reset()
	require.NoError(t, lint.WriteSARIF(&out))
	require.Contains(t, out.String(), `"results": []`)
}
