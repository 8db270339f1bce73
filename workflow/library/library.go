// Package library holds the workflows that come with the stack. Their codes are those of the simulated devices where the nomenclature has none;
// what can go wrong with each, and what then happens, is told in docs/workflows.
package library

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/semeco/go-sdc/workflow"
)

//go:embed *.yaml
var files embed.FS

// Names lists the workflows.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // cannot be: the files are part of the program
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(out)
	return out
}

// Source is the YAML of a workflow.
func Source(name string) ([]byte, error) {
	b, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("there is no workflow %q (known: %s)", name, strings.Join(Names(), ", "))
	}
	return b, nil
}

// Get returns a workflow.
func Get(name string) (*workflow.Workflow, error) {
	b, err := Source(name)
	if err != nil {
		return nil, err
	}
	return workflow.Parse(b)
}
