package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/soap/journal"
)

// jsonFields adds the names of a type's fields to names, marked if they may be left out, with those of the types of this module that it is made of.
func jsonFields(t reflect.Type, names map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || strings.HasPrefix(t.PkgPath(), "github.com/semeco/go-sdc/mdib") {
		return
	}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			text := "`" + name + "`"
			if strings.Contains(options, "omitempty") {
				text += "?"
			}
			names[text] = true
		}
		if name != "-" {
			jsonFields(f.Type, names)
		}
	}
}

// Scripts build on the fields of --json: all of them are in the page that says so.
func TestPageOfCommandsHasTheFieldsOfJSON(t *testing.T) {
	b, err := os.ReadFile("../../docs/commands.md")
	require.NoError(t, err)
	page := string(b)
	for command, v := range map[string]any{
		"demo": demoSummary{}, "simulate": announced{}, "discovery-proxy": proxyUp{}, "discover": discovered{}, "info": deviceInfo{}, "watch": watched{}, "das": dasLine{},
		"set": outcome{}, "record": recorded{}, "recording info": recordingInfo{}, "lint": finding{}, "diff": difference{}, "plugathon": stepResult{},
		"policy lint": policyFinding{}, "workflow lint": workflowProblem{}, "workflow run": workflowResult{}, "pki show": pki.Info{}, "pki lint": pki.Finding{},
		"audit show": audit.Record{}, "audit verify": audit.Report{}, "station": stationLine{}, "tree": entry{},
		"journal show": journal.Entry{}, "journal check": journalProblem{},
	} {
		row := ""
		for line := range strings.Lines(page) {
			if first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |"); strings.HasPrefix(line, "| ") && strings.Contains(first, "`"+command+"`") {
				row = line
				break
			}
		}
		switch command {
		case "station":
			_, row, _ = strings.Cut(page, "What `station` writes")
			row, _, _ = strings.Cut(row, "`event` of")
		case "tree":
			row += "`descriptor`? `states`?" // of get
		}
		names := make(map[string]bool)
		jsonFields(reflect.TypeOf(v), names)
		require.NotEmpty(t, names, command)
		for name := range names {
			require.Contains(t, row+" ", name, "%s", command)
			if !strings.HasSuffix(name, "?") && command != "station" { // its levels share names
				require.NotContains(t, row, name+"?", "%s: never left out", command)
			}
		}
	}
}
