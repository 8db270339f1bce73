// Package examples tests that what the README shows is what the examples do, and
// that the examples work.
package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeShowsCodeOfTheExamples finds every Go block of the README verbatim in
// an example, so that what users copy is compiled and run.
func TestReadmeShowsCodeOfTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var code strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.Less(t, strings.Count(string(b), "\n"), 120, "%s: an example is short", f)
		code.Write(b)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.GreaterOrEqual(t, len(blocks), 6)
	for _, b := range blocks {
		require.Contains(t, code.String(), b[1])
	}
}

// TestExamplesEndInGoodOrder: a container is stopped by SIGTERM, and what is copied from here has to say Bye then.
func TestExamplesEndInGoodOrder(t *testing.T) {
	files, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, call := range regexp.MustCompile(`signal\.NotifyContext\(.*\)`).FindAllString(string(b), -1) {
			require.Contains(t, call, "os.Interrupt, syscall.SIGTERM", f)
			n++
		}
	}
	require.GreaterOrEqual(t, n, 4)
}

// TestReadmeBuildsProgramsWhereTheyCanBe: the name of a folder of the project would put the program into it.
func TestReadmeBuildsProgramsWhereTheyCanBe(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	builds := regexp.MustCompile(`go build -o (\S+)`).FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, builds)
	for _, b := range builds {
		info, err := os.Stat(filepath.Join("..", b[1]))
		require.False(t, err == nil && info.IsDir() && !strings.HasSuffix(b[1], "/"), "%s is a folder", b[1])
	}
}

// TestReadmeCommandsExist finds every "sdc COMMAND" of the README in the program's source.
func TestReadmeCommandsExist(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	app, err := os.ReadFile("../cmd/sdc/app.go")
	require.NoError(t, err)
	commands := regexp.MustCompile(`(?m)^    (?:go run \./cmd/)?sdc ([a-z-]+)`).FindAllStringSubmatch(string(readme), -1)
	require.GreaterOrEqual(t, len(commands), 6)
	for _, c := range commands {
		// A command is a field, named as it or with a name of its own.
		require.Regexp(t, `(?mi)^\s+`+c[1]+`\s|cmd:"" name:"`+c[1]+`"`, string(app))
	}
}
