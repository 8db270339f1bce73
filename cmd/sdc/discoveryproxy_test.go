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

	code, found, errs := call(t, append([]string{"discover", "--tls", station, "--json"}, dp...)...)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, found, epr)
	// Its URL finds it, too, where neither the proxy nor the group is asked.
	code, found, errs = call(t, "discover", "--peer", url, "--for", "1s", "--discovery-port", port(t), "--tls", station, "--json")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, found, epr)
	code, _, errs = call(t, append([]string{"discover"}, dp...)...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "certificates are needed")
	code, tree, errs := call(t, append([]string{"tree", epr, "--tls", station}, dp...)...)
	require.Equal(t, exitOK, code, errs)
	require.NotEmpty(t, tree)
	require.Contains(t, metrics(), "sdc_discovery_proxy_devices 1\n")
}
