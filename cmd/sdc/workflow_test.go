package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/workflow"
)

func TestWorkflowLint(t *testing.T) {
	code, out, errs := call(t, "workflow", "list")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "xray-ventilator")
	code, source, errs := call(t, "workflow", "show", "xray-ventilator")
	require.Equal(t, exitOK, code, errs)
	good, bad := filepath.Join(t.TempDir(), "good.yaml"), filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(good, []byte(source), 0o600))
	require.NoError(t, os.WriteFile(bad, []byte(strings.Replace(source, "at: xray", "at: toaster", 1)), 0o600))
	code, out, errs = call(t, "workflow", "lint", good)
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, good+": ok\n", out)
	code, out, _ = call(t, "workflow", "lint", "--json", bad)
	require.Equal(t, exitFailed, code)
	var p workflowProblem
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.Positive(t, p.Line)
	require.Contains(t, p.Message, "toaster")
	code, out, errs = call(t, "workflow", "schema")
	require.Equal(t, exitOK, code, errs)
	require.JSONEq(t, workflow.Schema(), out)
	for _, args := range [][]string{
		{"workflow", "show", "nothing"}, {"workflow", "run", bad, "--insecure"}, {"workflow", "run", "xray-ventilator"},
		{"workflow", "run", "xray-ventilator", "--insecure", "--location", "nowhere"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
	}
	code, _, errs = call(t, "workflow", "lint", filepath.Join(t.TempDir(), "none.yaml"))
	require.Equal(t, exitFailed, code, errs)
}

// answer runs a command with what a person types.
func answer(t *testing.T, typed string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code = run(ctx, args, streams{in: strings.NewReader(typed), out: &o, err: &e})
	return code, o.String(), e.String()
}

// The whole way: simulated devices and a station on real sockets over mutual TLS, found by discovery.
func TestWorkflowRunOverTLS(t *testing.T) {
	device, station := certificates(t)
	udp := port(t)
	simulate(t, "bed", "--with", "ventilator,xray", "--tls", device, "--location", "poc=OR 1", "--discovery-port", udp)
	args := func(more ...string) []string {
		return append([]string{"workflow", "run", "xray-ventilator", "--tls", station, "--discovery-port", udp, "--location", "poc=OR 1"}, more...)
	}
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	code, out, errs := answer(t, "no\n", args()...)
	require.Equal(t, exitFailed, code, errs)
	require.Contains(t, out, "xray-ventilator: refused: step ask: refused by user at the terminal")

	chain := filepath.Join(t.TempDir(), "audit")
	code, out, errs = answer(t, "yes\n", args("--decisions", file, "--audit", chain)...)
	require.Equal(t, exitOK, code, "%s %s", out, errs)
	require.Contains(t, out, "Largest flow in the airway during the exposure: 0.0 L/min")
	require.Contains(t, out, "xray-ventilator: completed")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(kept)), "\n")
	var first, last workflow.Entry
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	require.Len(t, first.Digest, 64)
	require.Equal(t, len(lines), last.Number)
	require.Equal(t, workflow.EventEnd, last.Event)

	// The chained audit has each of them, without values, tied to it by its digest.
	code, out, errs = call(t, "audit", "verify", chain)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "the chain is whole")
	code, out, errs = call(t, "audit", "show", chain, "--kind", "decided", "--json")
	require.Equal(t, exitOK, code, errs)
	records := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, records, len(lines))
	for i, text := range records {
		var rec audit.Record
		require.NoError(t, json.Unmarshal([]byte(text), &rec))
		sum := sha256.Sum256([]byte(lines[i]))
		require.Equal(t, hex.EncodeToString(sum[:]), rec.Digest)
		require.Equal(t, "workflow xray-ventilator/1", rec.Service)
		require.NotEmpty(t, rec.User)
		require.Contains(t, rec.Subject, "station")
		require.Len(t, rec.Fingerprint, 64)
	}

	code, out, errs = call(t, args("--json", "--yes", "--dry-run")...)
	require.Equal(t, exitOK, code, errs)
	var res workflowResult
	all := strings.Split(strings.TrimSpace(out), "\n")
	require.NoError(t, json.Unmarshal([]byte(all[len(all)-1]), &res))
	require.Equal(t, "completed", res.Outcome)
	require.NotEmpty(t, res.NotJudged)
	file = filepath.Join(t.TempDir(), "night.sdcrec")
	record := []string{"record", "Ventilator", "X-ray", "-o", file, "--tls", station, "--discovery-port", udp, "--for", "3s"}
	code, _, errs = call(t, record...)
	require.Equal(t, exitOK, code, errs)

	// The same on what was recorded: nothing is on the network, and nobody is asked.
	code, out, errs = call(t, "workflow", "run", "xray-ventilator", "--dry-run", "--recording", file)
	require.Equal(t, exitOK, code, "%s %s", out, errs)
	require.Contains(t, out, "xray-ventilator: completed")
	require.Contains(t, out, "not judged, taken to hold: step ask: what a person would say to: Pause the ventilation")
	require.Contains(t, out, "not judged, taken to hold: step pause: the guard: the ventilation is paused is false now")
	require.Contains(t, out, "activate()", "what would be invoked is told")
	code, out, errs = call(t, "workflow", "run", "infusion-interlock", "--dry-run", "--recording", file, "--find", "500ms")
	require.Equal(t, exitFailed, code, errs)
	require.Contains(t, out, `refused: there is no live device for "pump"`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--recording", file}, "--dry-run"}, {[]string{"--recording", file, "--dry-run", "--insecure"}, "leave out"},
		{[]string{"--from", "1s", "--dry-run"}, "--from is for --recording"}, {[]string{"--recording", file, "--dry-run", "--from", "1h"}, "not in the recording"},
		{[]string{"--recording", file, "--dry-run", "--set", "colour=blue"}, `no parameter "colour"`},
		{[]string{"--recording", file, "--dry-run", "--device", "kettle=urn:x"}, `no device "kettle"`},
	} {
		code, _, errs = call(t, append([]string{"workflow", "run", "xray-ventilator"}, c.args...)...)
		require.Equal(t, exitUsage, code, errs)
		require.Contains(t, errs, c.want)
	}
	code, _, errs = call(t, "workflow", "run", "xray-ventilator", "--dry-run", "--recording", "app.go")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "not a recording")
}
