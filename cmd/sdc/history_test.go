package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistoryOfASimulatedDevice(t *testing.T) {
	_, url := simulate(t, "monitor", "--insecure", "--history", "--discovery-port", port(t))
	// The device begins at version 0 and has changed by the time it can be reached.
	code, out, errs := call(t, "history", url, "--insecure", "--versions", "0-3", "--json")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, errs, "it keeps no [WaveformStream]")
	var initial int
	for line := range strings.Lines(out) {
		var w struct {
			Event   string `json:"event"`
			Version uint64 `json:"mdib_version"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &w))
		require.LessOrEqual(t, w.Version, uint64(3))
		if w.Event == "initial" {
			initial++
			require.Zero(t, w.Version)
		}
	}
	require.Positive(t, initial)

	code, out, errs = call(t, "history", url, "--insecure")
	require.Equal(t, exitOK, code, errs)
	require.NotEmpty(t, out)
	code, out, errs = call(t, "history", url, "--insecure", "--from", "5h", "--to", "4h")
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, out)
	require.Contains(t, errs, "nothing of what was asked for is kept")
}

func TestHistoryWrongCalls(t *testing.T) {
	for _, args := range [][]string{
		{"--versions", "3"}, {"--versions", "4-3"}, {"--versions", "a-b"}, {"--from", "yesterday"}, {"--to", "x"}, {"--from", "1m", "--to", "2m"}, {"--sequence", "urn:x"},
	} {
		code, _, errs := call(t, append([]string{"history", "http://127.0.0.1:9", "--insecure"}, args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
	}
	code, _, errs := call(t, "history", "http://127.0.0.1:9", "--insecure")
	require.Equal(t, exitFailed, code, errs)

	_, url := simulate(t, "monitor", "--insecure", "--discovery-port", port(t))
	code, _, errs = call(t, "history", url, "--insecure")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "does not offer the HistoryService")

	now := time.Unix(1_700_000_000, 0)
	at, err := moment("90s", now)
	require.NoError(t, err)
	require.Equal(t, now.Add(-90*time.Second), at)
	at, err = moment("2023-11-14T22:13:20Z", now)
	require.NoError(t, err)
	require.True(t, at.Equal(now))
}
