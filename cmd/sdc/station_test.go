package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
		{[]string{"station", "--insecure", "--epr", "urn:uuid:1"}, exitUsage, "--epr is that of --aggregate"},
		{[]string{"station", "--demo", "--epr", "urn:uuid:1"}, exitUsage, "leave out --epr"},
		{[]string{"station", "--insecure", "--aggregate", "--epr", "urn:uuid:1"}, exitFailed, "EPR"},
		{[]string{"station", "--tls", consumerOnly, "--aggregate"}, exitFailed, "needs both roles"},
		{[]string{"station", "--insecure", "--rules", bad}, exitFailed, "field device not found"},
	} {
		code, _, errs := call(t, c.args...)
		require.Equal(t, c.code, code, c.args)
		require.Contains(t, errs, c.want)
	}
	// Text for people, nobody there.
	code, out, errs := call(t, "station", "--insecure", "--for", "300ms", "--every", "100ms", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "0 device(s), 0 waiting")
}
