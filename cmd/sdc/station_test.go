package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc/audit"
)

// call of a command that ends when the view is as it should be, for it to last as long as it takes and no longer.
func TestStationDemoShowsOnePatientAtFiveDevicesAndWhatIsDerived(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, w := io.Pipe()
	defer r.Close()
	ended := make(chan int, 1)
	var errs strings.Builder
	go func() {
		code := run(ctx, []string{"station", "--demo", "--json", "--every", "200ms", "--discovery-port", port(t)}, streams{in: strings.NewReader(""), out: w, err: &errs})
		w.Close()
		ended <- code
	}()
	lines := json.NewDecoder(r)
	for {
		var v stationLine
		require.NoError(t, lines.Decode(&v), "the view ended before it was complete: %s", &errs)
		current, derived := 0, 0
		for _, d := range v.Devices {
			for _, s := range d.Systems {
				for _, x := range s.Values {
					if x.Role == "measured" && x.Status == "current" && x.Number != nil && d.Link == "live" {
						current++
						if d.Name == "Derived values" {
							derived++
						}
					}
				}
			}
		}
		if len(v.Patients) == 1 && len(v.Patients[0].Systems) == 6 && current > 10 && derived > 3 {
			require.Equal(t, "urn:oid:2.25.0|4711", v.Patients[0].Key)
			require.Equal(t, "Demo, Pat", v.Patients[0].Name)
			require.Len(t, v.Places, 1)
			require.Len(t, v.Ensembles, 1)
			require.Len(t, v.Ensembles[0].Systems, 5, "devices of one place know each other")
			require.Empty(t, v.Conflicts)
			break
		}
	}
	cancel()
	_, _ = io.Copy(io.Discard, r)
	require.Equal(t, exitOK, <-ended, errs.String())
}

func TestStationSaysWhatIsWrong(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("rules:\n - device: [monitor]\n"), 0o600))
	consumerOnly := filepath.Join(t.TempDir(), "pki")
	for _, args := range [][]string{{"pki", "init", consumerOnly}, {"pki", "issue", consumerOnly, "station", "--role", "consumer"}} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitOK, code, errs)
	}
	consumerOnly = filepath.Join(consumerOnly, "station")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"station"}, exitUsage, "certificates are needed"},
		{[]string{"station", "--demo", "--insecure"}, exitUsage, "--demo makes its own"},
		{[]string{"station", "--insecure", "--every", "0s"}, exitUsage, "--every"},
		{[]string{"station", "--insecure", "--epr", "urn:uuid:1"}, exitUsage, "are for --aggregate"},
		{[]string{"station", "--demo", "--epr", "urn:uuid:1"}, exitUsage, "leave out --epr"},
		{[]string{"station", "--insecure", "--aggregate", "--clock-accuracy=-1s"}, exitUsage, "must not be negative"},
		{[]string{"station", "--insecure", "--aggregate", "--epr", "urn:uuid:1"}, exitUsage, "endpoint reference"},
		{[]string{"station", "--tls", consumerOnly, "--aggregate"}, exitFailed, "needs both roles"},
		{[]string{"station", "--insecure", "--rules", bad}, exitFailed, "there is no field \"device\" here"},
	} {
		code, _, errs := call(t, c.args...)
		require.Equal(t, c.code, code, c.args)
		require.Contains(t, errs, c.want)
	}
	code, _, errs := call(t, "station", "--insecure", "--web", "0.0.0.0:0", "--discovery-port", port(t))
	require.Equal(t, exitFailed, code)
	require.True(t, strings.HasPrefix(errs, "sdc: --web 0.0.0.0:0: web: beyond loopback"), "no view is promised first: %s", errs)
	// Text for people, nobody there.
	code, out, errs := call(t, "station", "--insecure", "--for", "300ms", "--every", "100ms", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "0 device(s), 0 waiting")
}

// What is done from a browser is kept before it is done: with values in one file, without them in the chained one.
func TestStationControlIsAudited(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	fine, chain := filepath.Join(dir, "control.jsonl"), filepath.Join(dir, "audit")
	errs, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"station", "--insecure", "--web", "127.0.0.1:0", "--control", fine, "--audit", chain, "--discovery-port", port(t)},
			streams{in: strings.NewReader(""), out: io.Discard, err: w})
		w.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(errs)
	require.True(t, lines.Scan())
	url := strings.TrimPrefix(lines.Text(), "the view is at ")
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, errs)
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(path, token, body string) (int, map[string]any) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("X-Sdc-Control", token)
		resp, err := client.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		var answer map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
		return resp.StatusCode, answer
	}
	status, got := post("api/v1/control", "", `{"action":"take","name":"Dr. Demo"}`)
	require.Equal(t, 200, status, got)
	token, _ := got["token"].(string)
	status, _ = post("api/v1/operations", token, `{"device":"urn:uuid:nobody","operation":"x","value":"secret value","confirmed":"x"}`)
	require.Equal(t, 422, status)
	status, _ = post("api/v1/control", token, `{"action":"give"}`)
	require.Equal(t, 200, status)
	cancel()
	require.Equal(t, exitOK, <-ended)
	<-drained

	kept, err := os.ReadFile(fine)
	require.NoError(t, err)
	require.Contains(t, string(kept), "secret value")
	code, out, problems := call(t, "audit", "verify", chain)
	require.Equal(t, exitOK, code, problems)
	require.Contains(t, out, "the chain is whole")
	code, out, problems = call(t, "audit", "show", chain, "--peer", "Dr. Demo", "--json")
	require.Equal(t, exitOK, code, problems)
	require.NotContains(t, out, "secret value")
	records, events := strings.Split(strings.TrimSpace(out), "\n"), strings.Split(strings.TrimSpace(string(kept)), "\n")
	require.Len(t, records, 3)
	require.Len(t, events, 3)
	for i, want := range []audit.Kind{audit.Controlled, audit.Denied, audit.Controlled} {
		var rec audit.Record
		require.NoError(t, json.Unmarshal([]byte(records[i]), &rec))
		require.Equal(t, want, rec.Kind)
		require.Equal(t, "Dr. Demo", rec.User)
		sum := sha256.Sum256([]byte(events[i]))
		require.Equal(t, hex.EncodeToString(sum[:]), rec.Digest)
	}
	code, _, problems = call(t, "station", "--insecure", "--audit", chain)
	require.Equal(t, exitUsage, code)
	require.Contains(t, problems, "--control")
}
