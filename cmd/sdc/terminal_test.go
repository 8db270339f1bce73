package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// hostile commands terminals that know C1 controls, turns the direction of writing, and has more than one line.
const hostile = "T\u009b2J\u202eT\u0085e\u2028\n\tx"

// hostileDevice is a device whose texts do what texts should not.
func hostileDevice(t *testing.T) (url string) {
	t.Helper()
	doc, err := os.ReadFile("../../examples/minimal-provider/mdib.xml")
	require.NoError(t, err)
	text := strings.NewReplacer("\n", "&#10;", "\t", "&#9;").Replace(hostile)
	for _, old := range []string{"Thermometer", "Body temperature", "°C", "Measuring interval"} {
		require.Contains(t, string(doc), ">"+old+"<")
		doc = []byte(strings.ReplaceAll(string(doc), ">"+old+"<", ">"+text+"<"))
	}
	file := filepath.Join(t.TempDir(), "mdib.xml")
	require.NoError(t, os.WriteFile(file, doc, 0o600))
	_, url = simulate(t, "reference", "--mdib", file, "--insecure", "--discovery-port", port(t))
	return url
}

func TestTextsOfDevicesCannotCommandTheTerminal(t *testing.T) {
	url := hostileDevice(t)
	harmless := func(out string) {
		t.Helper()
		for i, r := range out {
			require.False(t, r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028'), "%q at %d of %q", r, i, out)
		}
	}
	rec := filepath.Join(t.TempDir(), "x.sdcrec")
	for _, args := range [][]string{
		{"tree", url}, {"get", url}, {"info", url}, {"context", "show", url}, {"watch", url, "--for", "2s"},
		{"lint", url, "--profile", "sdpi-2.5", "--severity", "info"}, {"diff", url, "../../examples/minimal-provider/mdib.xml"},
		{"set", url, "interval.set", "9999"}, {"record", url, "-o", rec, "--for", "1s"},
		{"tree", url, "--json"}, {"get", url, "--json"}, {"info", url, "--json"},
	} {
		_, out, errs := call(t, append(args, "--insecure")...)
		harmless(out)
		harmless(errs)
		if args[len(args)-1] != "--json" || args[0] != "tree" {
			continue
		}
		found := false
		for line := range strings.Lines(out) {
			var entry struct{ Name string }
			require.NoError(t, json.Unmarshal([]byte(line), &entry))
			found = found || entry.Name == hostile
		}
		require.True(t, found, "programs get the text as it is")
	}
	_, out, _ := call(t, "tree", url, "--insecure")
	require.Contains(t, out, "T\uFFFD2J\uFFFDT\uFFFDe\uFFFD  x")
	require.Equal(t, "a b", printable("a\nb"))
	require.Equal(t, "体温計 \U0001F468\u200d\u2695\ufe0f ä", printable("体温計 \U0001F468\u200d\u2695\ufe0f ä"), "writing stays as it is")
}

func TestEmptyAndDoubledTargetsAreRefused(t *testing.T) {
	url := hostileDevice(t)
	for _, args := range [][]string{
		{"info", ""}, {"set", "", "interval.set", "5"}, {"watch", ""}, {"context", "location", url, ""}, {"context", "patient", url, "--id", ""},
		{"context", "patient", url, "--id", "7", "--root", "no URI"}, {"context", "patient", url, "--id", "7", "--root", "ward"},
		{"record", url, url, "-o", filepath.Join(t.TempDir(), "x.sdcrec")},
	} {
		code, out, errs := call(t, append(args, "--insecure", "--discovery-port", port(t))...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
		require.Empty(t, out)
		require.Equal(t, 2, strings.Count(errs, "\n"), errs)
	}
}

func TestWarningsOfADeviceAreSeen(t *testing.T) {
	doc, err := os.ReadFile("../../examples/minimal-provider/mdib.xml")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "mdib.xml")
	typed := `<pm:Type Code="69966"><pm:ConceptDescription Lang="en">Temperature</pm:ConceptDescription></pm:Type>`
	require.Contains(t, string(doc), typed)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(doc), typed, "", 1)), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &firstLine{c: make(chan string, 1)}
	var errs strings.Builder
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"simulate", "reference", "--mdib", file, "--insecure", "--json", "--discovery-port", port(t)}, streams{in: strings.NewReader(""), out: out, err: &errs})
	}()
	<-out.c
	cancel()
	require.Equal(t, exitOK, <-ended)
	require.Contains(t, errs.String(), "the MDIB breaks a rule")
	require.NotContains(t, errs.String(), "level=INFO", "not everything")
}

func TestAProxyThatIsNotThereIsTold(t *testing.T) {
	_, station := certificates(t)
	code, _, errs := call(t, "discover", "--for", "1s", "--tls", station, "--discovery-proxy", "https://127.0.0.1:1/", "--discovery-port", port(t))
	require.Equal(t, exitOK, code, "there is multicast")
	require.Contains(t, errs, "sdc: warning: the discovery proxy cannot be used")
	require.Equal(t, 1, strings.Count(errs, "warning"), "once: %s", errs)
	code, _, errs = call(t, "discover", "--for", "1s", "--tls", station, "--discovery-proxy", "proxy", "--discovery-port", port(t))
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, `"proxy" is no http(s) URL`)
	require.NotContains(t, errs, "\n\n")
}
