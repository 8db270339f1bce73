package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy, a device and a station over mutual TLS, without multicast: the proxy is asked by the commands, steps 1c and 1d of the
// plug-a-thon pass through it, and what it did is counted.
func TestDiscoveryProxyCommand(t *testing.T) {
	device, station := certificates(t)
	dir := filepath.Dir(device)
	code, _, errs := call(t, "pki", "issue", dir, "proxy", "--role", "both")
	require.Equal(t, exitOK, code, errs)
	code, _, errs = call(t, "discovery-proxy", "--tls", station)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "both roles")

	ctx, cancel := context.WithCancel(t.Context())
	out := &firstLine{c: make(chan string, 1)}
	var proxyErrs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"discovery-proxy", "--json", "--quiet", "--tls", filepath.Join(dir, "proxy"), "--metrics", "127.0.0.1:0", "--state", filepath.Join(dir, "state")},
			streams{in: strings.NewReader(""), out: out, err: &proxyErrs})
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, exitOK, <-ended, proxyErrs.String())
	})
	var up proxyUp
	require.NoError(t, json.Unmarshal([]byte(<-out.c), &up))
	metrics := func() string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, up.Metrics, nil)
		require.NoError(t, err)
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	require.Contains(t, metrics(), "sdc_discovery_proxy_devices 0\n")

	// The consumer of the script waits for the device, which says Hello to the proxy alone.
	const epr = "urn:uuid:7a0c4f5e-0c3e-4e0c-9c60-3c1f5c9d3a77"
	dp := []string{"--discovery-proxy", up.URL, "--discovery-port", port(t)}
	var script bytes.Buffer
	played := make(chan int, 1)
	go func() {
		args := append([]string{"plugathon", epr, "--json", "--steps", "1c,1d,2a", "--window", "1s", "--timeout", "30s", "--tls", station}, dp...)
		played <- run(t.Context(), args, streams{in: strings.NewReader(""), out: &script, err: io.Discard})
	}()
	require.Eventually(t, func() bool { return strings.Contains(metrics(), "sdc_discovery_proxy_subscriptions 1\n") }, time.Minute, 10*time.Millisecond)
	_, url := simulate(t, append([]string{"ventilator", "--tls", device, "--epr", epr}, dp...)...)
	require.Equal(t, exitOK, <-played, script.String())
	require.Equal(t, 3, strings.Count(script.String(), `"pass"`), script.String())
	require.Contains(t, script.String(), up.URL)

	require.Equal(t, epr, found(t, 1, append([]string{"--tls", station}, dp...)...)[0].EPR)
	// Its URL finds it, too, where neither the proxy nor the group is asked.
	require.Equal(t, epr, found(t, 1, "--peer", url, "--discovery-port", port(t), "--tls", station)[0].EPR)
	code, _, errs = call(t, "discover", "--peer", "soap.udp://127.0.0.1:1", "--for", "100ms", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, errs) // a datagram needs no certificate
	code, _, errs = call(t, "discover", "--peer", "soap.udp://somewhere", "--for", "100ms", "--discovery-port", port(t))
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "soap.udp")
	code, _, errs = call(t, append([]string{"discover"}, dp...)...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "certificates are needed")
	code, tree, errs := call(t, append([]string{"tree", epr, "--tls", station}, dp...)...)
	require.Equal(t, exitOK, code, errs)
	require.NotEmpty(t, tree)
	require.Contains(t, metrics(), "sdc_discovery_proxy_devices 1\n")

	// Whatever else looks for devices asks the proxy, too: in the group nobody would answer on this port.
	with := func(args ...string) []string { return append(append(args, "--tls", station), dp...) }
	code, seen, errs := call(t, with("watch", epr, "--for", "1s", "--json")...)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, seen, `"event":"update"`)
	file := filepath.Join(t.TempDir(), "x.sdcrec")
	code, _, errs = call(t, with("record", epr, "-o", file, "--for", "1s")...)
	require.Equal(t, exitOK, code, errs)
	follow, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	defer r.Close() //nolint:errcheck // it fails never
	stationEnded := make(chan int, 1)
	go func() {
		stationEnded <- run(follow, with("station", "--json", "--every", "100ms"), streams{in: strings.NewReader(""), out: w, err: io.Discard})
		_ = w.Close()
	}()
	for lines, live := json.NewDecoder(r), false; !live; {
		var v stationLine
		require.NoError(t, lines.Decode(&v))
		live = len(v.Devices) == 1 && v.Devices[0].EPR == epr && v.Devices[0].Link == "live"
	}
	stop()
	_, _ = io.Copy(io.Discard, r)
	require.Equal(t, exitOK, <-stationEnded)

	// A replayed device registers as a simulated one does, and a workflow finds its devices.
	replayed := make(chan int, 1)
	first := &firstLine{c: make(chan string, 1)}
	replaying, stopReplay := context.WithCancel(t.Context())
	go func() {
		replayed <- run(replaying, append([]string{"replay", file, "--hold", "--new-epr", "--json", "--tls", device}, dp...), streams{in: strings.NewReader(""), out: first, err: io.Discard})
	}()
	<-first.c
	require.Eventually(t, func() bool { return strings.Contains(metrics(), "sdc_discovery_proxy_devices 2\n") }, time.Minute, 10*time.Millisecond)
	stopReplay()
	require.Equal(t, exitOK, <-replayed)
	simulate(t, append([]string{"bed", "--tls", device, "--with", "ventilator,xray", "--location", "poc=OR 1"}, dp...)...)
	require.Eventually(t, func() bool { return strings.Contains(metrics(), "sdc_discovery_proxy_devices 3\n") }, time.Minute, 10*time.Millisecond)
	code, ran, errs := call(t, with("workflow", "run", "xray-ventilator", "--location", "poc=OR 1", "--dry-run", "--json", "--yes")...)
	require.Equal(t, exitOK, code, "%s %s", ran, errs)

	for _, args := range [][]string{{"demo"}, {"station", "--demo"}} {
		code, _, errs = call(t, append(args, dp...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "--discovery-proxy")
	}
}
