package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/journal"
)

// entriesOf reads a journal by the command.
func entriesOf(t *testing.T, file string, args ...string) (entries []journal.Entry) {
	t.Helper()
	code, out, errs := call(t, append([]string{"journal", file, "--json"}, args...)...)
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, errs)
	for line := range strings.Lines(out) {
		var e journal.Entry
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		entries = append(entries, e)
	}
	return entries
}

// whatWasSaid are the actions in a journal by their short names.
func whatWasSaid(entries []journal.Entry) map[string]int {
	out := map[string]int{}
	for _, e := range entries {
		out[shortAction(e.Action)]++
	}
	return out
}

// hears tells whether a journal that is being written has a message by now.
func hears(file, action string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false // not begun yet
	}
	defer func() { _ = f.Close() }() // it was only read
	for r := journal.NewReader(f); ; {
		e, err := r.Next()
		if err != nil {
			return false // as far as it has been written
		}
		if shortAction(e.Action) == action {
			return true
		}
	}
}

// callUntil runs a command that goes on, and interrupts it when its journal has a message, or after a minute.
func callUntil(t *testing.T, file, action string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, streams{in: strings.NewReader(""), out: &o, err: &e}) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case code = <-ended:
			return code, o.String(), e.String()
		case <-tick.C:
			if hears(file, action) {
				cancel()
			}
		}
	}
}

// Whatever has a network has a journal, and writes it.
func TestEveryCommandOnANetworkKeepsAJournal(t *testing.T) {
	dir := t.TempDir()
	udp := port(t)
	provider := filepath.Join(dir, "provider")
	with := func(args ...string) []string { return append(args, "--insecure", "--discovery-port", udp) }
	t.Run("commands", func(t *testing.T) {
		_, url := simulate(t, "ventilator", "--insecure", "--history", "--discovery-port", udp, "--journal", provider) // until all have run, so that its journal is whole
		set := operationOf(t, with, url)
		for name, tt := range map[string]struct {
			args   []string
			says   string
			goesOn bool // until it is interrupted
		}{
			"discover":  {[]string{"discover", "--for", "1m", "--discovery-port", udp}, "ProbeMatches", true},
			"info":      {with("info", url), "transfer/GetResponse", false},
			"name":      {with("info", "Ventilator"), "transfer/GetResponse", false},
			"tree":      {with("tree", url), "GetService/GetMdibResponse", false},
			"get":       {with("get", url), "GetService/GetMdibResponse", false},
			"watch":     {with("watch", url), "WaveformService/WaveformStream", true},
			"history":   {with("history", url, "--versions", "0-3"), "GetService/GetMdib", false},
			"context":   {with("context", "show", url), "transfer/Get", false},
			"set":       {with("set", url, set, "8"), "SetService/SetValueResponse", false},
			"lint":      {with("lint", url), "GetService/GetMdibResponse", false},
			"diff":      {with("diff", url, url), "GetService/GetMdibResponse", false},
			"record":    {with("record", url, "-o", filepath.Join(dir, "x.sdcrec"), "--for", "1m"), "WaveformService/WaveformStream", true},
			"plugathon": {with("plugathon", url, "--steps", "1b,3a", "--window", "1s"), "ResolveMatches", false},
			"station":   {with("station"), "Probe", true},
			"demo":      {[]string{"demo", "--for", "1m", "--discovery-port", port(t)}, "Hello", true},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // they wait most of the time
				file := filepath.Join(dir, name)
				args := append(tt.args, "--journal", file)
				var code int
				var errs string
				if tt.goesOn {
					code, _, errs = callUntil(t, file, tt.says, args...)
				} else {
					code, _, errs = call(t, args...)
				}
				require.NotEqual(t, exitUsage, code, errs)
				require.NotContains(t, errs, "warning")
				entries := entriesOf(t, file)
				require.NotZero(t, whatWasSaid(entries)[tt.says], "%v", whatWasSaid(entries))
				for _, e := range entries[1:] {
					require.True(t, e.Role == "consumer" || name == "demo" && e.Role == "provider", "%+v", e)
				}
			})
		}
	})
	said := whatWasSaid(entriesOf(t, provider, "--self", "provider", "--direction", "sent"))
	for _, action := range []string{"Hello", "ProbeMatches", "transfer/GetResponse", "GetService/GetMdibResponse", "SetService/SetValueResponse", "WaveformService/WaveformStream"} {
		require.NotZero(t, said[action], "%s in %v", action, said)
	}
	code, out, errs := call(t, "journal", "check", provider)
	require.Equal(t, exitOK, code, "%s%s", out, errs)
	require.Contains(t, out, " 0 cannot be; 0 were not kept whole")
}

// A command that has the flags of a network has those of journals; others have not.
func TestJournalFlagsGoWithTheNetwork(t *testing.T) {
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	var walk func(n *kong.Node)
	found := 0
	walk = func(n *kong.Node) {
		flags := map[string]bool{}
		for _, f := range n.Flags {
			flags[f.Name] = true
		}
		require.Equal(t, flags["ip"], flags["journal"], n.Name)
		if flags["ip"] {
			found++
			_, ok := n.Target.Addr().Interface().(interface{ journaling() *journalFlags })
			require.True(t, ok, n.Name)
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(parser.Model.Node)
	require.GreaterOrEqual(t, found, 20)
}

func TestJournalFlagsAreChecked(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(other, []byte("precious\n"), 0o644))
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--journal", other}, exitFailed, "no journal"},
		{[]string{"--journal", dir}, exitFailed, "not a regular file"},
		{[]string{"--journal", filepath.Join(dir, "j"), "--journal-max-mib", "-1"}, exitUsage, "journal-max-mib"},
		{[]string{"--journal", filepath.Join(dir, "j"), "--journal-max-mib", "2000000"}, exitUsage, "journal-max-mib"},
		{[]string{"--journal-max-mib", "5"}, exitUsage, "--journal"},
		{[]string{"--journal-no-bodies"}, exitUsage, "--journal"},
		{[]string{"--tls-keylog", filepath.Join(dir, "k")}, exitUsage, "no keys"},
	} {
		code, _, errs := call(t, append([]string{"info", "http://127.0.0.1:9/", "--insecure"}, tt.args...)...)
		require.Equal(t, tt.code, code, tt.args)
		require.Contains(t, errs, tt.says)
		require.Len(t, strings.Split(strings.TrimSpace(errs), "\n"), map[int]int{exitFailed: 1, exitUsage: 2}[tt.code], errs)
	}
	code, _, errs := call(t, "info", "https://127.0.0.1:9/", "--tls", dir, "--tls-keylog", other)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "something else")
	content, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Equal(t, "precious\n", string(content))
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, names, 1)
}

// The keys of TLS are written only where that was asked for, and never without a word.
func TestKeysOfTLS(t *testing.T) {
	device, station := certificates(t)
	udp := port(t)
	_, url := simulate(t, "ventilator", "--tls", device, "--discovery-port", udp)
	keys := filepath.Join(t.TempDir(), "keys")
	for range 2 { // it goes on
		code, _, errs := call(t, "info", url, "--tls", station, "--discovery-port", udp, "--tls-keylog", keys)
		require.Equal(t, exitOK, code, errs)
		require.Contains(t, errs, "warning: the keys of all TLS connections")
	}
	b, err := os.ReadFile(keys)
	require.NoError(t, err)
	require.GreaterOrEqual(t, strings.Count(string(b), "CLIENT_TRAFFIC_SECRET_0 "), 2)
	if runtime.GOOS != "windows" {
		info, err := os.Stat(keys)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

// madeJournal is a journal of what a test wants to be in it.
func madeJournal(t *testing.T, note func(j soap.Journal)) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(file, journal.Config{})
	require.NoError(t, err)
	note(j)
	require.NoError(t, j.Close(t.Context()))
	return file
}

func envelope(action, body string) []byte {
	return soap.AppendEnvelope(nil, &soap.Header{Action: action, MessageID: "urn:uuid:1"}, soap.RawBody(body))
}

func TestJournalIsShownInParts(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := madeJournal(t, func(j soap.Journal) {
		j = soap.JournalOf(j, "provider", "urn:uuid:me")
		note := func(seconds int, e soap.JournalEntry) uint64 {
			e.Time = at.Add(time.Duration(seconds) * time.Second)
			e.Transport = "http"
			return j.Note(e)
		}
		ask := func(n int, peer, action string) uint64 {
			return note(n, soap.JournalEntry{Kind: soap.KindRequest, Method: "POST", Path: "/x", Peer: peer, Document: envelope(action, `<b xmlns="urn:b"><c/></b>`)})
		}
		one := ask(1, "192.0.2.1:1", "urn:x/S/One")
		two := ask(2, "192.0.2.2:2", "urn:x/S/Two")
		note(3, soap.JournalEntry{Kind: soap.KindAnswer, Sent: true, Peer: "192.0.2.2:2", Answers: two, Status: 500, Duration: time.Second})
		note(4, soap.JournalEntry{Kind: soap.KindAnswer, Sent: true, Peer: "192.0.2.1:1", Answers: one, Status: 202, Duration: 3 * time.Second})
		ask(5, "192.0.2.3:3", "urn:x/S/Three") // is never answered
		note(6, soap.JournalEntry{Kind: soap.KindNotification, Sent: true, Peer: "192.0.2.4:4", Problem: "connection refused"})
		note(7, soap.JournalEntry{
			Kind: soap.KindDatagram, Peer: "192.0.2.5:5", Multicast: true, Repeated: true, Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "five"}},
		})
	})
	show := func(args ...string) []string {
		code, out, errs := call(t, append([]string{"journal", "show", file}, args...)...)
		require.Equal(t, exitOK, code, errs)
		require.Empty(t, errs)
		return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	}
	numbers := func(lines []string) (out []string) {
		for _, l := range lines {
			if _, n, ok := strings.Cut(l, " #"); ok {
				n, _, _ = strings.Cut(n, " ")
				out = append(out, n)
			}
		}
		return out
	}
	for _, tt := range []struct {
		args string
		want string
	}{
		{"", "1 2 3 4 5 6 7"},
		{"--action One", "1 4"},
		{"--peer 192.0.2.2", "2 3"},
		{"--peer five", "7"},
		{"--self urn:uuid:me", "1 2 3 4 5 6 7"},
		{"--self consumer", ""},
		{"--direction sent", "3 4 6"},
		{"--direction received --kind request", "1 2 5"},
		{"--kind answer --kind datagram", "3 4 7"},
		{"--errors", "3 6"},
		{"--from 2026-01-02T03:04:10Z", "5 6 7"},
		{"--from 2026-01-02T03:04:07Z --to 2026-01-02T03:04:08Z", "2 3"},
		{"--pairs", "2 3 1 4 6 7 5"},
		{"--pairs --errors", "2 3 6"},
		{"--pairs --action Three", "5"},
		{"--pairs --action Two", "2 3"},
	} {
		require.Equal(t, tt.want, strings.Join(numbers(show(strings.Fields(tt.args)...)), " "), tt.args)
	}
	require.Contains(t, show("--pairs", "--action", "Three")[0], "no answer in the journal")
	lines := show("--action", "One", "--body")
	require.True(t, slices.ContainsFunc(lines, func(l string) bool { return strings.TrimSpace(l) == "<c/>" }), "%v", lines)
	require.Regexp(t, `#1 provider <- 192\.0\.2\.1:1 request S/One \d+ bytes$`, lines[0])
	require.Regexp(t, `#4 provider -> 192\.0\.2\.1:1 answer to #1 202 after 3000\.000 ms$`, lines[len(lines)-1])
	require.Contains(t, show()[0], "the journal begins")
	require.Regexp(t, `#7 provider <- 192\.0\.2\.5:5 multicast \(CN=five\) datagram again$`, show()[7])

	for _, args := range [][]string{{"--from", "x"}, {"--json", "--pairs"}, {"--kind", "x"}, {"--direction", "x"}} {
		code, _, _ := call(t, append([]string{"journal", file}, args...)...)
		require.Equal(t, exitUsage, code, args)
	}
	for _, other := range []string{"app.go", "nothing", "."} {
		code, _, errs := call(t, "journal", other)
		require.Equal(t, exitFailed, code)
		require.Contains(t, errs, other)
	}
}

func TestJournalThatWasNotWrittenToItsEnd(t *testing.T) {
	file := madeJournal(t, func(j soap.Journal) { j.Note(soap.JournalEntry{Time: time.Now(), Kind: soap.KindDatagram}) })
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"n":2,"time":"20`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	code, out, errs := call(t, "journal", file)
	require.Equal(t, exitOK, code)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 2)
	require.Regexp(t, `^sdc: warning: .*: line 3 is not complete: .*\n$`, errs)
}

// followed is where the output of a command goes that is being run.
type followed struct {
	c chan string
}

func (f followed) Write(b []byte) (int, error) {
	f.c <- string(b)
	return len(b), nil
}

func TestJournalIsFollowed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(file, journal.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close(t.Context())) }()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); { // the first line is on its way
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			break
		}
		runtime.Gosched()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	out, ended := followed{make(chan string, 10)}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"journal", "-f", file}, streams{in: strings.NewReader(""), out: out, err: os.Stderr})
	}()
	require.Contains(t, <-out.c, "begins")
	for i := range 3 {
		j.Note(soap.JournalEntry{Time: time.Now(), Kind: soap.KindDatagram})
		require.Contains(t, <-out.c, fmt.Sprintf("#%d ", i+1))
	}
	cancel()
	require.Equal(t, exitOK, <-ended)
}

func TestJournalIsChecked(t *testing.T) {
	file := madeJournal(t, func(j soap.Journal) {
		for _, doc := range [][]byte{
			envelope("urn:good", `<b xmlns="urn:b"/>`),
			envelope("urn:bad", `<b xmlns="urn:b">`),
			envelope("urn:model", `<m:GetMdib xmlns:m="http://standards.ieee.org/downloads/11073/11073-10207-2017/message"><m:No/></m:GetMdib>`),
			envelope("", `<b xmlns="urn:b"/>`),
			[]byte("\x1b[2J\n<no"),
			envelope("urn:long", `<b xmlns="urn:b">`+strings.Repeat("x", 2<<20)+`</b>`),
		} {
			j.Note(soap.JournalEntry{Time: time.Now(), Kind: soap.KindRequest, Method: "POST", Document: doc})
		}
		j.Note(soap.JournalEntry{Time: time.Now(), Kind: soap.KindAnswer, Method: "GET", Document: []byte("a document")})
	})
	code, out, errs := call(t, "journal", "check", file)
	require.Equal(t, exitFailed, code)
	require.Empty(t, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 5, out)
	for i, n := range []string{"#2 ", "#3 ", "#4 ", "#5 "} {
		require.Contains(t, lines[i], n)
	}
	require.Equal(t, "5 messages read, 4 cannot be; 1 were not kept whole", lines[4])
	code, out, _ = call(t, "journal", "check", file, "--json")
	require.Equal(t, exitFailed, code)
	require.Equal(t, 4, strings.Count(out, "\n"))
}

// What devices say cannot command the terminal of whoever looks at a journal, also one that others have made.
func TestJournalCannotCommandTheTerminal(t *testing.T) {
	file := madeJournal(t, func(j soap.Journal) {
		for _, doc := range [][]byte{envelope(hostile, `<b xmlns="urn:b" a="`+hostile+`">`+hostile+`<c/></b>`), []byte(hostile + "\x1b[2J\xff")} {
			j.Note(soap.JournalEntry{
				Time: time.Now(), Kind: soap.KindRequest, Method: hostile, Path: hostile, Peer: hostile, Problem: hostile + "\x1b", Document: doc,
				Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: hostile}},
			})
		}
	})
	made, err := os.ReadFile(file)
	require.NoError(t, err)
	made = append(made, "{\"time\":\"2026-01-02T03:04:05Z\",\"n\":9,\"kind\":\"\u009b2J\",\"role\":\"\u202e\",\"body\":\"\u009b\"}\nx\u009b\n"...)
	require.NoError(t, os.WriteFile(file, made, 0o600))
	for _, args := range [][]string{{"show"}, {"show", "--body"}, {"show", "--pairs", "--body"}, {"show", "--json"}, {"check"}, {"check", "--json"}} {
		_, out, errs := call(t, append([]string{"journal", args[0], file}, args[1:]...)...)
		require.NotEmpty(t, out)
		for i, r := range out + errs {
			require.False(t, r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028'), "%q at %d of %v", r, i, args)
		}
		require.False(t, bytes.ContainsRune([]byte(out), '\x1b'))
	}
}
