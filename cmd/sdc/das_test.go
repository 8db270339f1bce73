package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// das runs the command; lines are what it says.
func startDAS(t *testing.T, args ...string) (lines <-chan dasLine, stop func() (code int, errs string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"das", "--json"}, args...), streams{in: strings.NewReader(""), out: write, err: &errs})
		_ = write.Close()
		ended <- code
	}()
	said := make(chan dasLine, 1000)
	go func() {
		defer close(said)
		for d := json.NewDecoder(read); ; {
			var l dasLine
			if d.Decode(&l) != nil {
				return
			}
			said <- l
		}
	}()
	return said, func() (int, string) {
		cancel()
		return <-ended, errs.String()
	}
}

func awaitLine(t *testing.T, lines <-chan dasLine, what string, ok func(dasLine) bool) dasLine {
	t.Helper()
	for l := range lines {
		if ok(l) {
			return l
		}
	}
	require.Fail(t, "it ended before "+what)
	return dasLine{}
}

func TestDASCommandMonitorsASimulatedMonitor(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	udp := port(t)
	_, url := simulate(t, "monitor", "--das", "--das-renew-within", "10m", "--das-confirm-within", "10m", "--insecure", "--discovery-port", udp)
	lines, stop := startDAS(t, url, "--insecure", "--name", "Ward 3", "--discovery-port", udp)
	awaitLine(t, lines, "it monitors", func(l dasLine) bool { return l.Event == "phase" && l.Phase == "monitoring" })

	code, out, errs := call(t, "get", url, "alarm.hr.aud", "--insecure", "--discovery-port", udp, "--json")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, `"Psd"`, "the device is quiet")

	code, _, errs = call(t, "set", url, "op.set.hr.high", "45", "--insecure", "--discovery-port", udp)
	require.Equal(t, exitFailed, code, errs, "below the lower limit")
	code, _, errs = call(t, "set", url, "op.set.hr.high", "60", "--insecure", "--discovery-port", udp)
	require.Equal(t, exitOK, code, errs)
	l := awaitLine(t, lines, "the alarm", func(l dasLine) bool { return l.Event == "alert" && l.Handle == "alarm.hr" && l.Present })
	require.Equal(t, "Hi", l.Priority)
	require.Equal(t, "monitoring", l.Phase)
	code, errs = stop()
	require.Equal(t, exitOK, code, errs)
	awaitLine(t, lines, "the end", func(l dasLine) bool { return l.Event == "phase" && l.Phase == "off" && l.Cause == "" })
	code, out, errs = call(t, "get", url, "alarm.hr.aud", "--insecure", "--discovery-port", udp, "--json")
	require.Equal(t, exitOK, code, errs)
	require.NotContains(t, out, `"Psd"`)
}

func TestDASCommandRefuses(t *testing.T) {
	udp := port(t)
	_, url := simulate(t, "monitor", "--insecure", "--discovery-port", udp)
	code, _, errs := call(t, "das", url, "--insecure", "--discovery-port", udp)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "does not offer")
	code, _, errs = call(t, "das", url, "--insecure", "--for", "-1s")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--for")
	code, _, errs = call(t, "simulate", "pump", "--das", "--insecure")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--das is for the monitor")
	code, _, errs = call(t, "simulate", "monitor", "--das-renew-within", "1s", "--insecure")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "go with --das")
	code, _, errs = call(t, "simulate", "monitor", "--das", "--das-confirm-within=-1s", "--insecure")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "positive")
}

// Alarms that cannot be written have not been delivered.
func TestDASCommandWithoutOutput(t *testing.T) {
	udp := port(t)
	_, url := simulate(t, "monitor", "--das", "--insecure", "--discovery-port", udp)
	var errs bytes.Buffer
	code := run(t.Context(), []string{"das", url, "--insecure", "--discovery-port", udp}, streams{in: strings.NewReader(""), out: broken{}, err: &errs})
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs.String(), "the pipe is broken")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is broken") }
