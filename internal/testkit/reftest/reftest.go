// Package reftest finds what tests need but the project does not ship: the
// reference material (recorded messages, sample MDIBs) and the XML schemas of
// the standards. Both belong to their owners and are read where they lie.
//
// A test that needs something missing is skipped and says what was missing.
// Continuous integration turns such a skip into a failure:
//
//	SDC_REFERENCE_DIR       the reference folder (default: ../shared/reference, looked
//	                        for beside every parent of the working directory)
//	SDC_REQUIRE_REFERENCE=1 missing reference material fails the test
//	SDC_SCHEMA_DIR          folder of the schemas (default: those inside the Python
//	                        peer's package in .venv, then those of the reference)
//	SDC_REQUIRE_SCHEMAS=1   missing schemas or validator fail the test
//	SDC_PEER_PYTHON         Python interpreter with the peer installed (default: .venv
//	                        beside go.mod)
package reftest

import (
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"testing"
)

// Dir returns the folder of the reference material. When it is missing the test
// is skipped, or fails if SDC_REQUIRE_REFERENCE=1.
func Dir(t testing.TB) string {
	t.Helper()
	dir, ok := find()
	if !ok {
		missing(t, "SDC_REQUIRE_REFERENCE",
			"reference material not found: set SDC_REFERENCE_DIR or put shared/reference beside the checkout")
	}
	return dir
}

// Samples returns the sample files whose path below the folder samples matches
// the pattern of [filepath.Match], sorted, for example Samples(t, "mdibs/*.xml").
// No match at all is a failure: a renamed folder must not turn tests off.
func Samples(t testing.TB, glob string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(Dir(t), "samples", filepath.FromSlash(glob)))
	if err != nil {
		t.Fatalf("pattern %q: %v", glob, err)
	}
	if len(files) == 0 {
		t.Fatalf("no sample matches %q", glob)
	}
	sort.Strings(files)
	return files
}

// Message is one recorded message of two independent implementations.
type Message struct {
	Name string // for example "48-EpisodicMetricReport"
	Head string // HTTP head, or notes on the datagram
	XML  []byte // body as sent after removing chunking and compression; may be empty
}

// Wire returns every recorded message in order, including those without a body.
func Wire(t testing.TB) []Message {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(Dir(t), "wire", "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded messages: %v", err)
	}
	sort.Strings(files)
	out := make([]Message, 0, len(files))
	for _, file := range files {
		body := Read(t, file)
		m := Message{Name: strings.TrimSuffix(filepath.Base(file), ".xml"), XML: body}
		if head, err := os.ReadFile(strings.TrimSuffix(file, ".xml") + ".http.txt"); err == nil {
			m.Head = string(head)
		}
		out = append(out, m)
	}
	return out
}

// Read returns the content of a file or fails the test.
func Read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// PeerPython returns the Python interpreter of the project's virtual environment
// and whether there is one.
func PeerPython() (string, bool) {
	if p := os.Getenv("SDC_PEER_PYTHON"); p != "" {
		return p, true
	}
	rel := filepath.Join(".venv", "bin", "python")
	if runtime.GOOS == "windows" {
		rel = filepath.Join(".venv", "Scripts", "python.exe")
	}
	return above(rel)
}

func find() (string, bool) {
	if dir := os.Getenv("SDC_REFERENCE_DIR"); dir != "" {
		_, err := os.Stat(dir)
		return dir, err == nil
	}
	file, ok := above(filepath.Join("shared", "reference", "requirements.md"))
	return filepath.Dir(file), ok
}

// above looks for rel in the working directory and every folder above it.
func above(rel string) (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		path := filepath.Join(dir, rel)
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// missing ends the test: failed if the variable is "1", else skipped.
func missing(t testing.TB, variable, why string) {
	t.Helper()
	if os.Getenv(variable) == "1" {
		t.Fatalf("%s (%s=1)", why, variable)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s", why)
}
