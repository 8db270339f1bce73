package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// pages are what users read.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"../../README.md", "../../docs/*.md", "../../docs/workflows/*.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			out[strings.TrimPrefix(filepath.ToSlash(f), "../../")] = string(b)
		}
	}
	return out
}

// commandLines are those of a page that call this program, as a shell would hand them over.
func commandLines(page string) (out [][]string) {
	call := regexp.MustCompile(`^(?:    )?(?:go run \./cmd/)?sdc +(\S.*)$`)
	word := regexp.MustCompile(`"([^"]*)"|(\S+)`)
	fenced := false
	for line := range strings.Lines(strings.ReplaceAll(page, "\\\n", " ")) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		m := call.FindStringSubmatch(line)
		if m == nil || !fenced && !strings.HasPrefix(line, "    ") {
			continue
		}
		text := m[1]
		for _, end := range []string{"#", "   (", " > ", "             one", "                these", "            eth0,"} { // comments, in whatever form the page has them
			text, _, _ = strings.Cut(text, end)
		}
		var words []string
		for _, w := range word.FindAllStringSubmatch(strings.TrimSuffix(strings.TrimSpace(text), "&"), -1) {
			words = append(words, w[1]+w[2])
		}
		out = append(out, words)
	}
	return out
}

// Every command that the documentation shows is understood: its flags exist, are of that command, and go with what they are given.
func TestCommandsOfTheDocumentation(t *testing.T) {
	all := pages(t)
	t.Chdir(t.TempDir())
	here := strings.NewReplacer("192.0.2.7", "127.0.0.1", "2001:db8::7", "127.0.0.2", "fe80::7%eth0", "127.0.0.3", "eth0", "lo", "eth1", "lo", "wlan0", "lo")
	lo := slices.ContainsFunc(interfaces(t), func(name string) bool { return name == "lo" })
	n := 0
	for name, page := range all {
		for _, words := range commandLines(page) {
			for i, w := range words {
				words[i] = here.Replace(w)
				if file := words[i]; regexp.MustCompile(`^[a-z][\w/-]*\.\w+$`).MatchString(file) {
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
					require.NoError(t, os.WriteFile(file, nil, 0o600))
				}
			}
			if !lo && slices.Contains(words, "--interface") {
				continue
			}
			var c cli
			parser, err := kong.New(&c, kong.Name("sdc"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
			require.NoError(t, err)
			k, err := parser.Parse(words)
			require.NoError(t, err, "%s: sdc %s", name, strings.Join(words, " "))
			require.NoError(t, checkGiven(k), "%s: sdc %s", name, strings.Join(words, " "))
			n++
		}
	}
	require.Greater(t, n, 60, "the commands are found")
}

// others are commands of other programs in the documentation.
var others = regexp.MustCompile("(?:xmllint|jq) [^|`\n]*")

// Every flag that a text names exists.
func TestFlagsOfTheDocumentation(t *testing.T) {
	parser, err := kong.New(&cli{})
	require.NoError(t, err)
	flags := map[string]bool{}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, f := range n.Flags {
			flags["--"+f.Name] = true
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(parser.Model.Node)
	for name, page := range pages(t) {
		if name == "docs/conformance.md" {
			continue
		}
		for _, f := range regexp.MustCompile("(?:^|[ `(])(--[a-z][a-z0-9-]+)").FindAllStringSubmatch(others.ReplaceAllString(page, ""), -1) {
			require.True(t, flags[f[1]], "%s names %s, which no command has", name, f[1])
		}
	}
}

func interfaces(t *testing.T) []string {
	t.Helper()
	all, err := net.Interfaces()
	require.NoError(t, err)
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names
}
