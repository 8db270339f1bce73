// Command conformance writes docs/conformance.md: every requirement on an SDC
// participant, the tests that name it, or why it is open.
//
// The requirements are listed in requirements.csv beside this file, by the
// identifiers of their standards and with titles of our own; rows without a
// standard's number (WSD-, EVT-, SCO-, CONS-, SEC-, COEX-) are rules derived from
// schemas and from the behaviour of other implementations. A test names the
// requirements it shows in a comment inside the test function or above it:
//
//	// covers: BICEPS R0034_0, GLUE R0013
//
// A row is tested if a test names it. The status column holds what a person
// decided:
//
//	(empty)    nothing: the row is open unless a test names it
//	open       not fulfilled or not tested; the note says why
//	partly     tests exist but do not show all of it; the note says what is missing
//	by design  holds by construction; the note names the place
//	n/a        does not apply to the software; the note says why
//
// Usage, from the top of the module:
//
//	go run ./internal/conformance [-check]
//
// With -check nothing is written; the exit code tells whether the page is current.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// page is the generated file, relative to the top of the module.
const page = "docs/conformance.md"

func main() {
	check := flag.Bool("check", false, "only tell whether the page is current")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	want, err := generate(root)
	if err != nil {
		return err
	}
	file := filepath.Join(root, filepath.FromSlash(page))
	if !check {
		return os.WriteFile(file, want, 0o644)
	}
	have, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%s is not current: run make conformance", page)
	}
	return nil
}

// generate returns the page for the module at root.
func generate(root string) ([]byte, error) {
	list, err := requirements()
	if err != nil {
		return nil, err
	}
	claims, err := scan(root)
	if err != nil {
		return nil, err
	}
	rows, err := join(list, claims)
	if err != nil {
		return nil, err
	}
	return render(rows), nil
}
