package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// TestSimulatedDevicesRemember: a device of any kind that is started again with its folder has its address and goes on with its versions.
func TestSimulatedDevicesRemember(t *testing.T) {
	for _, kind := range []string{"ventilator", "monitor", "pump", "xray", "light", "reference"} {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			first, was := remembered(t, kind, dir)
			second, is := remembered(t, kind, dir)
			require.Equal(t, first, second, "the endpoint reference")
			require.True(t, is.SameSequence(was), "%v, then %v", was, is)
			require.GreaterOrEqual(t, is.MdibVersion, was.MdibVersion)
		})
	}
}

// remembered runs a device with a folder for its state for a moment, and returns its EPR and the version of an MDIB that it showed.
func remembered(t *testing.T, kind, dir string) (epr string, version mdib.Version) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstLine{c: make(chan string, 1)}
	var errs strings.Builder
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"simulate", kind, "--insecure", "--json", "--state", dir, "--keep-versions", "--discovery-port", port(t)},
			streams{in: strings.NewReader(""), out: out, err: &errs})
	}()
	select {
	case line := <-out.c:
		var a announced
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		epr = a.EPR
		connecting, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		dev, err := consumer.Connect(connecting, discovery.Endpoint{EPR: a.EPR, XAddrs: a.XAddrs}, consumer.Config{Insecure: true})
		require.NoError(t, err)
		version = dev.MDIB().Version()
		moment, over := context.WithTimeout(connecting, time.Second)
		defer over()
		for u, err := range dev.Updates(moment) { // so that it has done something, if it is not one that rests
			require.NoError(t, err)
			if version = u.Snapshot.Version(); u.Change != nil {
				break
			}
		}
		require.NoError(t, dev.Close(connecting))
	case code := <-ended:
		require.Fail(t, "the device ended", "%d %s", code, errs.String())
	}
	cancel()
	require.Equal(t, exitOK, <-ended, errs.String())
	return epr, version
}

func TestStateOfAnotherDevice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	remembered(t, "monitor", dir)
	code, _, errs := call(t, "simulate", "ventilator", "--insecure", "--state", dir, "--discovery-port", port(t))
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "another device")
	for _, args := range [][]string{{"simulate", "fleet", "--insecure", "--state", dir}, {"simulate", "monitor", "--insecure", "--keep-versions"}} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, errs)
	}
}
