package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/sdc/audit"
)

// asProgram makes the test's own program run main, for tests of what only a process has.
const asProgram = "SDC_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// call runs one command line to its end.
func call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code = run(ctx, args, streams{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

// port returns a UDP port for WS-Discovery that no other test uses.
func port(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(int(udpport.Free(t)))
}

// firstLine is a writer that hands over the first line.
type firstLine struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	done bool
	c    chan string
}

func (w *firstLine) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	if line, _, ok := strings.Cut(w.buf.String(), "\n"); ok && !w.done {
		w.done = true
		w.c <- line
	}
	return len(b), nil
}

// simulate runs a device until the test ends and returns its EPR and URL.
func simulate(t *testing.T, args ...string) (epr, url string) {
	t.Helper()
	a := simulated(t, args...)
	return a.EPR, a.XAddrs[0]
}

// simulated runs a device until the test ends and returns what it says of itself.
func simulated(t *testing.T, args ...string) announced {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstLine{c: make(chan string, 1)}
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"simulate", "--json"}, args...), streams{in: strings.NewReader(""), out: out, err: &errs})
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, exitOK, <-ended, errs.String())
	})
	select {
	case line := <-out.c:
		var a announced
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		require.NotEmpty(t, a.XAddrs)
		return a
	case code := <-ended:
		ended <- code
		require.Fail(t, "the device ended", errs.String())
	}
	return announced{}
}

// found are the devices that discover prints, at least so many. Datagrams take as long as a busy machine makes them: it is asked again, for longer, when fewer have answered.
func found(t *testing.T, n int, args ...string) (devices []discovered) {
	t.Helper()
	for _, patience := range []string{"2s", "6s", "30s"} {
		code, out, errs := call(t, append([]string{"discover", "--for", patience, "--json"}, args...)...)
		require.Equal(t, exitOK, code, errs)
		devices = nil
		for line := range strings.Lines(out) {
			var d discovered
			require.NoError(t, json.Unmarshal([]byte(line), &d), line)
			devices = append(devices, d)
		}
		if len(devices) >= n {
			break
		}
	}
	require.Len(t, devices, n)
	return devices
}

// certificates makes an authority with a device and a station and returns their folders.
func certificates(t *testing.T) (device, station string) {
	t.Helper()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"pki", "init", dir}, {"pki", "issue", dir, "device", "--role", "provider"}, {"pki", "issue", dir, "station", "--role", "consumer"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitOK, code, errs)
	}
	return filepath.Join(dir, "device"), filepath.Join(dir, "station")
}

func TestPKICommands(t *testing.T) {
	_, station := certificates(t)
	code, out, errs := call(t, "pki", "show", filepath.Join(station, "cert.pem"), "--json")
	require.Equal(t, exitOK, code, errs)
	var info map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &info))
	require.Equal(t, "consumer", info["roles"])
	key, err := os.Stat(filepath.Join(station, "key.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), key.Mode().Perm())

	code, _, errs = call(t, "pki", "issue", t.TempDir(), "x", "--role", "provider")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "sdc pki init")
	code, _, errs = call(t, "pki", "issue", filepath.Dir(station), "station", "--role", "consumer")
	require.Equal(t, exitFailed, code, "a key is not lost for want of a word")
	require.Contains(t, errs, "--replace")
	same, err := os.Stat(filepath.Join(station, "key.pem"))
	require.NoError(t, err)
	require.Equal(t, key.ModTime(), same.ModTime())
	code, _, errs = call(t, "pki", "show", station)
	require.Equal(t, exitOK, code, errs)
	code, _, _ = call(t, "pki", "issue", filepath.Dir(station), "x", "--role", "king")
	require.Equal(t, exitUsage, code)
	dir := filepath.Dir(station)
	for range 2 { // again does no harm
		code, _, errs = call(t, "pki", "revoke", dir, "station")
		require.Equal(t, exitOK, code, errs)
	}
	list, err := os.ReadFile(filepath.Join(dir, "crl.pem"))
	require.NoError(t, err)
	require.Contains(t, string(list), "X509 CRL")
	code, _, errs = call(t, "pki", "revoke", dir, "nobody")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "nobody")

	// By serial number and by file, each in its turn; what is not understood changes nothing.
	number := func() (serials []string) {
		b, err := os.ReadFile(filepath.Join(dir, "crl.pem"))
		require.NoError(t, err)
		block, _ := pem.Decode(b)
		list, err := x509.ParseRevocationList(block.Bytes)
		require.NoError(t, err)
		for _, r := range list.RevokedCertificateEntries {
			serials = append(serials, r.SerialNumber.Text(16))
		}
		return serials
	}
	require.Equal(t, []string{info["serial"].(string)}, number())
	_, foreign := certificates(t)
	for _, args := range [][]string{
		{}, {"device", "--serial", "1f"}, {"--serial", "xyz"}, {"--serial", "-1"}, {"--serial", "0"}, {"--serial", strings.Repeat("f", 41)},
		{"--cert", filepath.Join(dir, "none.pem")}, {"device", "--cert", filepath.Join(dir, "device", "cert.pem")},
	} {
		code, _, errs = call(t, append([]string{"pki", "revoke", dir}, args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
	}
	for _, file := range []string{filepath.Join(foreign, "cert.pem"), filepath.Join(dir, "device", "key.pem")} {
		code, _, errs = call(t, "pki", "revoke", dir, "--cert", file)
		require.Equal(t, exitFailed, code, file)
		require.NotEmpty(t, errs)
	}
	require.Len(t, number(), 1)
	code, out, errs = call(t, "pki", "revoke", dir, "--cert", filepath.Join(dir, "device", "cert.pem"))
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "crl.pem")
	require.Len(t, number(), 2)
	for _, serial := range []string{"ABCD", "ab:cd"} { // the same one
		code, _, errs = call(t, "pki", "revoke", dir, "--serial", serial)
		require.Equal(t, exitOK, code, errs)
	}
	require.Equal(t, "abcd", number()[2])
	require.Len(t, number(), 3)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "crl.pem"), []byte("torn"), 0o600))
	code, _, errs = call(t, "pki", "revoke", dir, "--serial", "1f")
	require.Equal(t, exitFailed, code, "a list that cannot be read is not written anew")
	require.Contains(t, errs, "crl.pem")

	// The rest, and what they refuse.
	renewed := filepath.Join(dir, "device", "cert.pem")
	code, out, errs = call(t, "pki", "renew", dir, "device", "--for", "48h")
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "valid until")
	code, out, errs = call(t, "pki", "lint", renewed, "--ca", filepath.Join(dir, "ca.pem"), "--role", "provider", "--json")
	require.Equal(t, exitOK, code, out+errs)
	code, out, _ = call(t, "pki", "lint", renewed, "--ca", filepath.Join(foreign, "ca.pem"), "--role", "consumer")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "error")
	for want, args := range map[int][][]string{
		exitUsage: {
			{"pki", "lint", renewed, "--role", "king"}, {"pki", "renew", dir, "device", "--for", "-1h"}, {"pki", "issue", dir, "y", "--role", "provider", "--for", "0s"},
			{"pki", "issue", dir, "y", "--role", "provider", "--p12"}, {"pki", "sign", dir, filepath.Join(dir, "none.csr"), "--role", "provider", "--out", "x"}, {"pki"},
		},
		exitFailed: {
			{"pki", "renew", dir, "nobody"}, {"pki", "show", filepath.Join(dir, "none.pem")}, {"pki", "show", filepath.Join(dir, "device", "key.pem")},
			{"pki", "revoke", t.TempDir(), "x"}, {"pki", "sign", dir, renewed, "--role", "provider", "--out", filepath.Join(dir, "x.pem")},
		},
	} {
		for _, args := range args {
			code, _, errs = call(t, args...)
			require.Equal(t, want, code, "%v: %s", args, errs)
			require.NotEmpty(t, errs)
		}
	}
	require.NoFileExists(t, filepath.Join(dir, "x.pem"))
	code, _, errs = call(t, "pki", "init", filepath.Dir(station))
	require.Equal(t, exitFailed, code, "an authority is never overwritten")
	require.NotEmpty(t, errs)
}

// Whatever keeps an audit can bound its file, in the same way.
func TestEveryAuditHasALimit(t *testing.T) {
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	found := 0
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		flags := map[string]string{}
		for _, f := range n.Flags {
			flags[f.Name] = f.Help
		}
		if _, ok := flags["audit"]; ok {
			found++
			require.Contains(t, flags, "audit-max-mib", n.FullPath())
			require.Contains(t, flags["audit-max-mib"], "its chain goes on")
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(parser.Model.Node)
	require.GreaterOrEqual(t, found, 3)

	file := filepath.Join(t.TempDir(), "audit")
	f, err := auditLimit{AuditMax: 1}.openAudit(&env{ctx: t.Context()}, file)
	require.NoError(t, err)
	long := strings.Repeat("x", 1000)
	for range 300 {
		require.NoError(t, f.Keep(t.Context(), audit.Event{Time: time.Now(), Kind: audit.Invoked, Subject: long, Operation: long, Reason: long, User: long}))
	}
	require.NoError(t, f.Close())
	files, err := audit.Files(file)
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, name := range files {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.LessOrEqual(t, info.Size(), int64(1<<20))
	}
	code, out, errs := call(t, "audit", "verify", file)
	require.Equal(t, exitOK, code, out+errs)
}

func TestAuditCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	f, err := audit.Open(file, audit.FileConfig{MaxSize: 4 << 10})
	require.NoError(t, err)
	for i := range uint32(30) {
		e := audit.Event{Time: time.Now(), Kind: audit.Invoked, Subject: "CN=desk", Fingerprint: strings.Repeat("ab", 32), Operation: "value.set", Transaction: i}
		if i == 3 {
			e.Kind, e.Subject = audit.Denied, "CN=stranger\x1b[2J"
		}
		require.NoError(t, f.Keep(t.Context(), e))
	}
	require.NoError(t, f.Close())
	end := f.Last()
	files, err := audit.Files(file)
	require.NoError(t, err)
	require.Greater(t, len(files), 2)

	code, out, errs := call(t, "audit", "verify", file, "--expect", strings.ToUpper(end.Hash))
	require.Equal(t, exitOK, code, out+errs)
	require.Contains(t, out, "31 records")
	require.Contains(t, out, end.Hash)
	code, out, errs = call(t, "audit", "verify", files[0], "--json")
	require.Equal(t, exitOK, code, out+errs)
	var rep audit.Report
	require.NoError(t, json.Unmarshal([]byte(out), &rep))
	after := fmt.Sprintf("%d:%s", rep.End.Number, rep.End.Hash)
	code, out, errs = call(t, append(append([]string{"audit", "verify"}, files[1:]...), "--after", after, "--expect", end.Hash)...)
	require.Equal(t, exitOK, code, out+errs)
	for _, args := range [][]string{ // each finds what is wrong
		append([]string{"audit", "verify"}, files[1:]...), {"audit", "verify", file, "--expect", strings.Repeat("0f", 32)}, {"audit", "verify", files[1], files[0]},
		{"audit", "verify", file, "--after", after},
	} {
		code, out, _ = call(t, args...)
		require.Equal(t, exitFailed, code, args)
		require.Contains(t, out, " line ")
	}
	code, out, errs = call(t, "audit", "show", files[0], "--kind", "denied")
	require.Equal(t, exitOK, code, errs)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 1)
	require.Contains(t, out, "stranger")
	require.NotContains(t, out, "\x1b", "texts of peers do not play with the terminal")
	code, out, errs = call(t, "audit", "show", files[0], "--peer", "CN=desk", "--json")
	require.Equal(t, exitOK, code, errs)
	require.NotContains(t, out, "stranger")
	for want, args := range map[int][][]string{
		exitUsage: {
			{"audit", "verify", file, "--expect", "abc"}, {"audit", "verify", file, "--after", "x"}, {"audit", "verify", file, "--after", "0:" + end.Hash},
			{"audit", "show", file, "--kind", "nonsense"}, {"audit", "verify"}, {"simulate", "monitor", "--insecure", "--audit-max-mib", "1"},
			{"simulate", "monitor", "--insecure", "--audit", file, "--audit-max-mib", "-1"},
			{"station", "--insecure", "--audit-max-mib", "1"}, {"station", "--insecure", "--web", "127.0.0.1:0", "--control", file + ".c", "--audit", file, "--audit-max-mib", "-1"},
			{"workflow", "run", "or-start", "--insecure", "--audit-max-mib", "1"}, {"workflow", "run", "or-start", "--insecure", "--audit", file, "--audit-max-mib", "1048577"},
		},
		exitFailed: {{"audit", "verify", file + ".none"}, {"audit", "show", file + ".none"}, {"audit", "show", "app.go"}, {"simulate", "monitor", "--insecure", "--audit", t.TempDir()}},
	} {
		for _, args := range args {
			code, _, errs = call(t, args...)
			require.Equal(t, want, code, "%v: %s", args, errs)
			require.NotEmpty(t, errs)
		}
	}
	b, err := os.ReadFile(files[1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[1], []byte(strings.Replace(string(b), "value.set", "value.got", 1)), 0o600))
	code, out, _ = call(t, "audit", "verify", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, files[1]+" line 1: ")
	require.Contains(t, out, "changed")
}

func TestPolicyCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := write("good.yaml", "version: 1\ndefault: read-only\nrules:\n  - name: workplace\n    effect: allow\n    peers: [\"cn:workplace-*\"]\n    access: [control]\n    operations: [value.set]\n")
	code, out, errs := call(t, "policy", "lint", good, "--mdib", "../../sdc/provider/testdata/device.xml")
	require.Equal(t, exitOK, code, errs)
	require.Equal(t, good+": ok\n", out)
	other := write("other.yaml", strings.ReplaceAll("version: 1\nrules:\n  - {name: x, effect: allow, operations: [nothing.here]}\n", "'", "\""))
	code, out, errs = call(t, "policy", "lint", other)
	require.Equal(t, exitOK, code, out+errs)
	code, out, _ = call(t, "policy", "lint", other, "--mdib", "../../sdc/provider/testdata/device.xml", "--json")
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "nothing.here")
	for name, text := range map[string]string{
		"effect": "version: 1\nrules:\n  - {effect: perhaps}\n", "version": "version: 2\n", "unknown": "version: 1\nrule: []\n", "peer": "version: 1\nrules:\n  - {effect: allow, peers: [somebody]}\n",
		"yaml": "version: [",
	} {
		bad := write(name+".yaml", text)
		code, out, errs = call(t, "policy", "lint", bad)
		require.Equal(t, exitFailed, code, "%s: %s", name, out+errs)
		require.NotEmpty(t, out)
		// A device does not start with it.
		code, _, errs = call(t, "simulate", "monitor", "--insecure", "--policy", bad, "--discovery-port", port(t))
		require.Equal(t, exitFailed, code, name)
		require.NotEmpty(t, errs)
	}
	code, _, _ = call(t, "policy", "lint", filepath.Join(dir, "none.yaml"))
	require.Equal(t, exitUsage, code)
	code, _, errs = call(t, "policy", "lint", good, "--mdib", good)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "good.yaml")
}

func TestDeviceCommandsOverMutualTLS(t *testing.T) {
	device, station := certificates(t)
	udp := port(t)
	const epr = "urn:uuid:7d9c9a4e-6f0d-4b7e-8a4c-0d5d0f6f7a01"
	got, url := simulate(t, "ventilator", "--tls", device, "--epr", epr, "--location", "fac=A,poc=OR 1,bed=2", "--discovery-port", udp)
	require.Equal(t, epr, got)
	with := func(args ...string) []string { return append(args, "--tls", station, "--discovery-port", udp) }

	d := found(t, 1, "--discovery-port", udp)[0]
	require.Equal(t, epr, d.EPR)
	require.Contains(t, d.XAddrs, url)
	require.Contains(t, strings.Join(d.Scopes, " "), "sdc.mds.pkp:1.2.840.10004.20701.1.1")
	require.Contains(t, strings.Join(d.Scopes, " "), "bed=2")

	code, out, errs := call(t, with("info", url)...)
	require.Equal(t, exitOK, code, errs)
	require.Regexp(t, `^endpoint reference +`+epr, out, "no line above")
	require.Regexp(t, `(?m)^model +Simulated ventilator`, out)
	require.Regexp(t, `(?m)SV-0001`, out)
	for _, target := range []string{epr, "7d9c9a4e", url} {
		code, out, errs = call(t, with("info", target, "--json")...)
		require.Equal(t, exitOK, code, errs)
		var info deviceInfo
		require.NoError(t, json.Unmarshal([]byte(out), &info))
		require.Equal(t, epr, info.EPR)
		require.Contains(t, info.Services, "SetService")
	}
	code, out, errs = call(t, with("tree", url)...)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "Vmd")
	code, out, errs = call(t, with("watch", url, "--for", "3s", "--json")...)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, `"event":"update"`)

	dev := operationOf(t, with, url)
	code, out, errs = call(t, with("set", url, dev, "8", "--json")...)
	require.Equal(t, exitOK, code, errs)
	var o outcome
	require.NoError(t, json.Unmarshal([]byte(out), &o))
	require.Equal(t, "Fin", o.State)
	code, _, errs = call(t, with("set", url, dev, "9999")...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "Fail")
	code, _, errs = call(t, with("set", url, dev, "much")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "number")
	code, _, errs = call(t, with("get", url, "no.such.handle")...)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "no.such.handle")
	code, out, errs = call(t, with("context", "show", url)...)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, "OR 1")
}

// operationOf returns the handle of the operation that sets PEEP.
func operationOf(t *testing.T, with func(...string) []string, url string) string {
	t.Helper()
	code, out, errs := call(t, with("tree", url, "--json")...)
	require.Equal(t, exitOK, code, errs)
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var e entry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		if e.Type == "SetValueOperationDescriptor" && strings.Contains(strings.ToLower(e.Handle), "peep") {
			return e.Handle
		}
	}
	require.Fail(t, "no operation sets PEEP")
	return ""
}

func TestTrustMustBeChosen(t *testing.T) {
	for _, args := range [][]string{{"simulate", "monitor"}, {"info", "x"}, {"tree", "x"}, {"watch", "x"}, {"set", "x", "o", "1"}, {"activate", "x", "o"}} {
		code, out, errs := call(t, args...)
		require.Equal(t, exitUsage, code, args)
		require.Empty(t, out)
		require.Contains(t, errs, "sdc pki init")
		require.Contains(t, errs, "--insecure")
	}
	code, _, _ := call(t, "info", "x", "--insecure", "--tls", "d")
	require.Equal(t, exitUsage, code, "both at once is no choice")
	code, _, errs := call(t, "info", "x", "--tls", t.TempDir())
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "pem")
}

func TestWrongCallsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"simulate", "toaster", "--insecure"}, {"frobnicate"}, {"simulate", "monitor", "--insecure", "--mdib", "app.go"},
		{"simulate", "monitor", "--insecure", "--scenario", "dance"}, {"simulate", "monitor", "--insecure", "--location", "nonsense"},
		{"simulate", "fleet", "--insecure", "--devices", "0"}, {"simulate", "fleet", "--insecure", "--epr", "urn:uuid:7d9c9a4e-6f0d-4b7e-8a4c-0d5d0f6f7a02"},
		{"simulate", "monitor", "--insecure", "--t2iapi", "127.0.0.1:0"}, {"simulate", "fleet", "--insecure", "--t2iapi", "127.0.0.1:0"},
		{"simulate", "bed", "--insecure", "--with", "pump,toaster"}, {"simulate", "bed", "--insecure", "--with", "pump,pump"},
		{"simulate", "bed", "--insecure", "--port", "1234"}, {"simulate", "pump", "--insecure", "--breaths", "2"},
		{"simulate", "pump", "--insecure", "--with", "monitor"}, {"simulate", "pump", "--insecure", "--devices", "3"},
		{"simulate", "pump", "--insecure", "--max-subscription", "0s"}, {"info", "x", "--insecure", "--timeout", "0s"},
		{"discovery-proxy", "--insecure", "--check-every", "0s"}, {"discovery-proxy", "--insecure", "--max-entries", "0"},
		{"discover", "--for", "0s"}, {"watch", "x", "--insecure", "--for=-1s"}, {"pki", "init", "never-made", "--for=-1h"},
		{"workflow", "run", "or-start", "--insecure", "--find", "0s"},
		{"discover", "--ip", "not-an-ip"}, {"demo", "--for", "-1s"},
		{"discover", "--scope", "a b"}, {"discover", "--scope", ""}, {"discover", "--scope", "ward"}, {"discover", "--ip", ""}, {"discover", "--interface", ""}, {"discover", "--ttl", "256"},
		{"discover", "--peer", ""}, {"discover", "--peer", "soap.udp://"}, {"discover", "--peer", "soap.udp://239.255.255.250"}, {"discover", "--peer", "soap.udp://127.0.0.1:99999"},
		{"discover", "--peer", "ftp://127.0.0.1/", "--insecure"}, {"discover", "--peer", "http://127.0.0.1:0/", "--insecure"}, {"discover", "--discovery-proxy", " "},
		{"info", "http://", "--insecure"}, {"info", "http://a b/", "--insecure"}, {"info", "http://127.0.0.1:99999/", "--insecure"}, {"info", "ftp://127.0.0.1/", "--insecure"}, {"info", " ", "--insecure"},
		{"plugathon", "http://:80/", "--insecure"}, {"record", "https://[::1/", "--insecure", "-o", "never-made"}, {"record", "x", "--insecure", "-o", ""},
		{"info", "x", "--insecure", "--allow-host", "a b"}, {"info", "x", "--insecure", "--allow-host", "http://a/"}, {"info", "x", "--insecure", "--allow-host", "a:80"},
		{"info", "x", "--insecure", "--passphrase-file", "app.go"},
		{"simulate", "pump", "--insecure", "--epr", "nonsense"}, {"simulate", "pump", "--insecure", "--epr", "urn:uuid:1"}, {"simulate", "pump", "--insecure", "--epr", ""},
		{"simulate", "pump", "--insecure", "--policy", ""}, {"simulate", "pump", "--insecure", "--state", ""}, {"simulate", "pump", "--insecure", "--audit", " "}, {"simulate", "pump", "--tls", ""},
		{"simulate", "pump", "--insecure", "--misbehave", ""}, {"simulate", "pump", "--insecure", "--ensemble", " "}, {"simulate", "pump", "--insecure", "--location", "bed="},
		{"simulate", "pump", "--insecure", "--max-subscription", "1ns"}, {"simulate", "pump", "--insecure", "--max-subscription", "25h"}, {"replay", "app.go", "--insecure", "--max-subscription", "1ns"},
		{"simulate", "pump", "--insecure", "--consumers", "0"}, {"simulate", "pump", "--insecure", "--consumers-per-peer", "-1"}, {"simulate", "pump", "--insecure", "--consumers", "100001"},
		{"replay", "app.go", "--insecure", "--consumers", "0"}, {"station", "--insecure", "--max-devices", "0"}, {"station", "--insecure", "--devices-per-peer", "0"},
		{"simulate", "reference", "--insecure", "--t2iapi", "x"}, {"simulate", "reference", "--insecure", "--t2iapi", "127.0.0.1:99999"},
		{"discovery-proxy", "--insecure", "--check-every", "1ms"}, {"discovery-proxy", "--insecure", "--metrics", "x"}, {"discovery-proxy", "--insecure", "--epr", "x"},
		{"station", "--insecure", "--every", "1ns"}, {"station", "--insecure", "--web", "x"}, {"station", "--insecure", "--web", "127.0.0.1:0", "--web-host", "a b"},
		{"station", "--insecure", "--web", "127.0.0.1:0", "--web-clients", "-1"}, {"station", "--insecure", "--web", "127.0.0.1:0", "--web-clients", "8", "--web-per-peer", "9"},
		{"station", "--insecure", "--web", "127.0.0.1:0", "--web-per-peer", "33"}, {"station", "--insecure", "--web-per-peer", "3"}, {"station", "--insecure", "--aggregate", "--epr", "x"},
		{"workflow", "run", "xray-ventilator", "--insecure", "--device", "ventilator="}, {"workflow", "run", "xray-ventilator", "--insecure", "--set", ""}, {"pki", "init", ""},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
		require.Equal(t, 2, strings.Count(errs, "\n"), "%v: %s", args, errs)
	}
}

// Commas and semicolons belong to URIs and to values.
func TestListsAreNotMadeOfOneValue(t *testing.T) {
	var c cli
	parser, err := kong.New(&c)
	require.NoError(t, err)
	_, err = parser.Parse([]string{"discover", "--scope", "urn:a,b", "--scope", "urn:c"})
	require.NoError(t, err)
	require.Equal(t, []string{"urn:a,b", "urn:c"}, c.Discover.Scope)
	_, err = parser.Parse([]string{"workflow", "run", "x", "--set", "text=a;b=c", "--set", "n=1", "--insecure"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"text": "a;b=c", "n": "1"}, c.Workflow.Run.Set)
}

// Texts for devices may be empty.
func TestATextCanBeSetToNothing(t *testing.T) {
	code, _, errs := call(t, "set", "http://127.0.0.1:1/", "x", "", "--insecure", "--timeout", "1s", "--discovery-port", port(t))
	require.Equal(t, exitFailed, code, errs)
	require.Contains(t, errs, "connection refused")
}

// Whoever has mistyped is shown the command whose help tells more.
func TestWrongCallsPointAtTheHelpOfTheirCommand(t *testing.T) {
	for want, args := range map[string][]string{
		"Try: sdc --help":              {"frobnicate"},
		"Try: sdc discover --help":     {"discover", "--nonsense"},
		"Try: sdc pki --help":          {"pki"},
		"Try: sdc pki issue --help":    {"pki", "issue", "pki", "x"},
		"Try: sdc set --help":          {"set", "x"},
		"Try: sdc simulate --help":     {"simulate", "pump"},
		"Try: sdc workflow run --help": {"workflow", "run", "none.yaml"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs, want+"\n", args)
	}
}

func TestUnknownCommandsAreCalledThat(t *testing.T) {
	for what, args := range map[string][]string{
		"sdc: there is no command frobnicate\n":                     {"frobnicate"},
		"sdc: there is no command ishue, did you mean \"issue\"?\n": {"pki", "ishue"},
		"sdc: unexpected argument extra\n":                          {"discover", "extra"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, what)
	}
}

// A certificate for the other role is used as asked for, but the reason why nobody will answer is told.
func TestCertificateOfTheOtherRoleIsTold(t *testing.T) {
	device, station := certificates(t)
	_, _, errs := call(t, "info", "https://127.0.0.1:1/", "--tls", device)
	require.Contains(t, errs, "lacks the consumer's key purpose")
	_, _, errs = call(t, "simulate", "pump", "--tls", station, "--t2iapi", "127.0.0.1:0")
	require.Contains(t, errs, "is for roles: consumer; consumers that check will refuse this device")
	_, _, errs = call(t, "simulate", "pump", "--tls", device, "--t2iapi", "127.0.0.1:0")
	require.NotContains(t, errs, "warning")
}

// Ctrl-C is told in plain words.
func TestInterruptionIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"info", "http://127.0.0.1:1/", "--insecure"}, streams{in: strings.NewReader(""), out: &out, err: &errs})
	require.Equal(t, exitFailed, code)
	require.Equal(t, "sdc: interrupted\n", errs.String())
}

func TestNetworkFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"203.0.113.1":        {"discover", "--ip", "203.0.113.1"},
		"0.0.0.0":            {"simulate", "monitor", "--insecure", "--ip", "0.0.0.0"}, // a wildcard is nobody's address
		"::":                 {"simulate", "fleet", "--insecure", "--ip", "127.0.0.1", "--ip", "::"},
		"nothing0":           {"station", "--insecure", "--interface", "nothing0"},
		"--ttl takes 1":      {"discover", "--ttl", "0"},
		"not 300":            {"discovery-proxy", "--insecure", "--ttl", "300"},
		"multicast":          {"demo", "--ip", "ff02::c"},
		"multicast address":  {"info", "x", "--insecure", "--ip", "239.255.255.250"},
		"no interface of th": {"watch", "x", "--insecure", "--interface", "nothing0", "--interface", "nothing1"},
	} {
		code, _, errs := call(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
		require.Contains(t, errs, want)
	}
	// Several addresses, of which each is announced and used.
	udp := port(t)
	at := []string{"--ip", "127.0.0.1", "--ip", "127.0.0.2", "--discovery-port", udp}
	dev := simulated(t, append([]string{"monitor", "--insecure", "--json"}, at...)...)
	require.Len(t, dev.XAddrs, 2)
	for _, xaddr := range dev.XAddrs {
		code, out, errs := call(t, "info", xaddr, "--insecure", "--json")
		require.Equal(t, exitOK, code, errs)
		u, err := url.Parse(xaddr)
		require.NoError(t, err)
		require.Contains(t, out, u.Host)
	}
	require.Subset(t, found(t, 1, at...)[0].XAddrs, dev.XAddrs)
}

func TestFleetIsOnTheNetwork(t *testing.T) {
	// covers: COEX-1
	udp := port(t)
	simulate(t, "fleet", "--devices", "4", "--insecure", "--discovery-port", udp)
	found(t, 4, "--discovery-port", udp)
}

func TestABedIsOnTheNetwork(t *testing.T) {
	udp := port(t)
	simulate(t, "bed", "--insecure", "--breaths", "14", "--location", "poc=OR 1", "--ensemble", "or-1", "--discovery-port", udp)
	found(t, 5, "--discovery-port", udp)
}

func TestHelpTeaches(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}} {
		code, out, _ := call(t, args...)
		require.Equal(t, exitOK, code)
		for _, word := range []string{"demo", "simulate", "discover", "--insecure", "TARGET"} {
			require.Contains(t, out, word)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, out, errs := call(t, "completion", shell)
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, out, "discover")
	}
}

func TestDemoShowsTheWholeStack(t *testing.T) {
	code, out, errs := call(t, "demo", "--for", "4s", "--json", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var s demoSummary
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &s))
	require.Equal(t, 2, s.Devices)
	require.Equal(t, 2, s.Connected)
	require.True(t, s.TLS)
	require.Positive(t, s.MetricUpdates)
	require.Positive(t, s.WaveformSamples)
	require.Equal(t, 1, s.Operations)
	require.Zero(t, s.Gaps)
	require.GreaterOrEqual(t, s.Seconds, 3.9)
}
