package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	goodMDIB    = "../../lint/testdata/good.xml"
	exampleMDIB = "../../examples/minimal-provider/mdib.xml"
)

// altered writes a copy of the good MDIB with one place changed.
func altered(t *testing.T, old, changed string) string {
	t.Helper()
	doc, err := os.ReadFile(goodMDIB)
	require.NoError(t, err)
	require.Contains(t, string(doc), old)
	path := filepath.Join(t.TempDir(), "altered.xml")
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(doc), old, changed)), 0o600))
	return path
}

func TestLintCommand(t *testing.T) {
	code, out, errs := call(t, "lint", goodMDIB, "--profile", "sdpi-2.5", "--severity", "info")
	require.Equal(t, exitOK, code, out+errs)
	require.Equal(t, "sdpi-2.5: 0 errors, 0 warnings, 0 remarks\n", out)

	bad := altered(t, `<pm:Type Code="69966"/>`, ``)
	code, out, _ = call(t, "lint", goodMDIB, bad)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, bad+":")
	require.Contains(t, out, "error: vmd: the VmdDescriptor has no Type (GLUE R0080)")

	code, out, _ = call(t, "lint", bad, "--json")
	require.Equal(t, exitFailed, code)
	var f finding
	require.NoError(t, json.Unmarshal([]byte(out), &f))
	require.Equal(t, "GLUE R0080", f.ID)
	require.Equal(t, "vmd", f.Handle)
	require.Equal(t, "error", f.Severity)
	require.Positive(t, f.Line)

	code, out, _ = call(t, "lint", bad, "--sarif")
	require.Equal(t, exitFailed, code)
	require.True(t, json.Valid([]byte(out)))
	require.Contains(t, out, `"version": "2.1.0"`)

	// Warnings alone are no failure, and what is not shown is counted.
	warned := altered(t, `LastSet="1700000000000"`, `LastSet="1800000000000"`)
	code, out, _ = call(t, "lint", warned)
	require.Equal(t, exitOK, code)
	require.Contains(t, out, "GLUE R0014")
	code, out, _ = call(t, "lint", warned, "--severity", "error")
	require.Equal(t, exitOK, code)
	require.Equal(t, "base: 0 errors, 0 warnings; 1 less severe not shown (--severity info)\n", out)
}

func TestDiffCommand(t *testing.T) {
	code, out, errs := call(t, "diff", goodMDIB, goodMDIB)
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, out)

	other := altered(t, `Value="37.2"`, `Value="38"`)
	code, out, _ = call(t, "diff", goodMDIB, other)
	require.Equal(t, exitFailed, code)
	require.Equal(t, "~ state temperature (NumericMetricState)\n    MetricValue/@Value: \"37.2\" -> \"38\"\n", out)

	code, out, _ = call(t, "diff", goodMDIB, other, "--json")
	require.Equal(t, exitFailed, code)
	require.JSONEq(t, `{"kind":"changed","part":"state","handle":"temperature","type":"NumericMetricState",
		"fields":[{"path":"MetricValue/@Value","before":"37.2","after":"38"}]}`, out)

	code, out, _ = call(t, "diff", goodMDIB, exampleMDIB)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "- descriptor wave (RealTimeSampleArrayMetricDescriptor of channel)\n")
	require.Contains(t, out, "+ descriptor interval.set (SetValueOperationDescriptor of sco)\n")
}

// The tools take devices wherever they take files.
func TestToolsOnADevice(t *testing.T) {
	p := port(t)
	epr, url := simulate(t, "ventilator", "--insecure", "--discovery-port", p)
	device := []string{"--insecure", "--discovery-port", p}

	code, out, errs := call(t, append([]string{"lint", url}, device...)...)
	require.Equal(t, exitOK, code, out+errs)
	require.Contains(t, out, "base: 0 errors")

	code, out, errs = call(t, append([]string{"diff", url, goodMDIB}, device...)...)
	require.Equal(t, exitFailed, code)
	require.Empty(t, errs)
	require.Contains(t, out, "+ descriptor temperature (NumericMetricDescriptor of channel)")

	code, out, errs = call(t, append([]string{"plugathon", url, "--steps", "1b,2a,3a", "--json"}, device...)...)
	require.Equal(t, exitOK, code, out+errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	for i, id := range []string{"1b", "2a", "3a"} {
		var r stepResult
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &r))
		require.Equal(t, id, r.Step)
		require.Equal(t, "pass", r.Result, r.Evidence)
		require.NotEmpty(t, r.Evidence)
	}
	require.Contains(t, lines[0], epr[len("urn:uuid:"):])

	// What cannot be tried counts as failed unless it is named.
	skipped := append([]string{"plugathon", url, "--steps", "1c,2a"}, device...)
	code, out, errs = call(t, skipped...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "--allow-skip 1c\n")
	require.Contains(t, out, "1 passed, 0 failed, 1 skipped")
	code, _, errs = call(t, append(skipped, "--allow-skip", "1c")...)
	require.Equal(t, exitOK, code, errs)
}

// A target that is not there is one error, whoever it is named by, and no table of steps.
func TestPlugathonWithNobody(t *testing.T) {
	for _, target := range []string{"urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a99", "nobody", "http://127.0.0.1:1/"} {
		for _, more := range [][]string{nil, {"--json"}} {
			code, out, errs := call(t, append([]string{"plugathon", target, "--insecure", "--timeout", "10ms", "--discovery-port", port(t)}, more...)...)
			require.Equal(t, exitFailed, code, target)
			require.Empty(t, out, target)
			require.Regexp(t, "^sdc: the device was not reached: [^\\n]+\\n$", errs)
		}
	}
}

func TestToolsRefuseBadCalls(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.xml")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	nobody := []string{"--insecure", "--timeout", "10ms", "--discovery-port", port(t)}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"lint without source", []string{"lint"}, exitUsage, "expected"},
		{"lint of no file", []string{"lint", "no-such-file.xml"}, exitFailed, "no-such-file.xml"},
		{"lint of a folder", []string{"lint", t.TempDir()}, exitFailed, "is a folder"},
		{"lint of nothing", []string{"lint", empty}, exitFailed, "is empty"},
		{"lint by an unknown profile", []string{"lint", goodMDIB, "--profile", "sdpi-9"}, exitUsage, "sdpi-9"},
		{"lint in two forms", []string{"lint", goodMDIB, "--json", "--sarif"}, exitUsage, "sarif"},
		{"lint of a device without a word on trust", []string{"lint", "http://127.0.0.1:1/"}, exitUsage, "certificates are needed"},
		{"lint of a device that is not there", append([]string{"lint", "http://127.0.0.1:1/"}, nobody...), exitFailed, "127.0.0.1:1"},
		{"diff of one", []string{"diff", goodMDIB}, exitUsage, "expected"},
		{"diff with no file", []string{"diff", goodMDIB, "no-such-file.xml"}, exitFailed, "no-such-file.xml"},
		{"diff with what is no MDIB", []string{"diff", goodMDIB, "../../go.mod.xml"}, exitFailed, "go.mod.xml"},
		{"plugathon without target", []string{"plugathon"}, exitUsage, "expected"},
		{"plugathon without a word on trust", []string{"plugathon", "x"}, exitUsage, "certificates are needed"},
		{"plugathon of an unknown step", append([]string{"plugathon", "x", "--steps", "9z"}, nobody...), exitUsage, "9z"},
		{"plugathon with an unknown step allowed", append([]string{"plugathon", "x", "--allow-skip", "9z"}, nobody...), exitUsage, "9z"},
		{"plugathon in no time", append([]string{"plugathon", "x", "--window", "0s"}, nobody...), exitUsage, "window"},
		{"plugathon with nobody", append([]string{"plugathon", "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a99", "--steps", "2a"}, nobody...), exitFailed, "not reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := call(t, c.args...)
			require.Equal(t, c.code, code, out+errs)
			require.Contains(t, out+errs, c.says)
		})
	}
}
