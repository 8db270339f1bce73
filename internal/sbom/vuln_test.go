package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// make vuln fails when something was found or could not be looked for, and says when the database could not be reached, which fails only if it is asked to.
func TestWhatMakeVulnMakesOfItsTool(t *testing.T) {
	makes, err := exec.LookPath("make")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: make is missing")
	}
	const unreachable = `govulncheck: fetching vulnerabilities: Get "https://vuln.example/index/modules.json.gz": dial tcp: no such host`
	for _, tt := range []struct {
		name     string
		says     string
		status   int
		required bool
		fails    bool
		told     string
	}{
		{"nothing", "No vulnerabilities found.", 0, true, false, "No vulnerabilities found."},
		{"found", "Vulnerability #1: GO-0000-0001", 3, false, true, "GO-0000-0001"},
		{"unreachable", unreachable, 1, false, false, "NOT CHECKED: the database of vulnerabilities cannot be reached"},
		{"unreachable and required", unreachable, 1, true, true, "NOT CHECKED: the database of vulnerabilities cannot be reached"},
		{"failed", "govulncheck: loading packages: there are errors", 1, false, true, "NOT CHECKED: govulncheck failed (status 1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tool := filepath.Join(t.TempDir(), "govulncheck")
			script := fmt.Sprintf("#!/bin/sh\ntest \"$1 $2 $3\" = '-db file:///copy ./...' || exit 9\necho '%s' >&2\nexit %d\n", tt.says, tt.status)
			require.NoError(t, os.WriteFile(tool, []byte(script), 0o700)) //nolint:gosec // it is run
			args := []string{"-C", "../..", "--no-print-directory", "vuln", "GOVULNCHECK=" + tool, "VULNDB=file:///copy"}
			if tt.required {
				args = append(args, "VULNREQUIRED=1")
			}
			out, err := exec.CommandContext(t.Context(), makes, args...).CombinedOutput()
			require.Equal(t, tt.fails, err != nil, "%v: %s", err, out)
			require.Contains(t, string(out), tt.told)
			require.Contains(t, string(out), tt.says)
		})
	}
}
