package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSimulatedDeviceRemembers: a device that is started again with its folder has its address and goes on with its versions.
func TestSimulatedDeviceRemembers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	epr := ""
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		out := &firstLine{c: make(chan string, 1)}
		var errs strings.Builder
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"simulate", "monitor", "--insecure", "--json", "--state", dir, "--keep-versions", "--discovery-port", port(t)},
				streams{in: strings.NewReader(""), out: out, err: &errs})
		}()
		select {
		case line := <-out.c:
			var a announced
			require.NoError(t, json.Unmarshal([]byte(line), &a))
			if epr != "" {
				require.Equal(t, epr, a.EPR)
			}
			epr = a.EPR
		case code := <-ended:
			require.Fail(t, "the device ended", "%d %s", code, errs.String())
		}
		cancel()
		require.Equal(t, exitOK, <-ended, errs.String())
	}
	code, _, errs := call(t, "simulate", "ventilator", "--insecure", "--state", dir, "--discovery-port", port(t))
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "another device")
	for _, args := range [][]string{{"simulate", "fleet", "--insecure", "--state", dir}, {"simulate", "monitor", "--insecure", "--keep-versions"}} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, errs)
	}
}
