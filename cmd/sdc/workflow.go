package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/semeco/go-sdc/workflow"
	"github.com/semeco/go-sdc/workflow/library"
)

type workflowCmd struct {
	Run    workflowRunCmd    `cmd:"" help:"Run a workflow on the devices of the network."`
	Lint   workflowLintCmd   `cmd:"" help:"Check workflow files."`
	List   workflowListCmd   `cmd:"" help:"List the workflows that come with this program."`
	Show   workflowShowCmd   `cmd:"" help:"Print the YAML of a workflow that comes with this program."`
	Schema workflowSchemaCmd `cmd:"" help:"Print the JSON schema of workflow files, for editors."`
}

type workflowListCmd struct{}

func (*workflowListCmd) Run(e *env) error {
	for _, name := range library.Names() {
		w, err := library.Get(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%-20s %s\n", name, w.Title)
	}
	return nil
}

type workflowShowCmd struct {
	Name string `arg:"" help:"Name of the workflow."`
}

func (c *workflowShowCmd) Run(e *env) error {
	b, err := library.Source(c.Name)
	if err != nil {
		return usageError{err}
	}
	_, err = e.out.Write(b)
	return err
}

type workflowSchemaCmd struct{}

func (*workflowSchemaCmd) Run(e *env) error {
	_, err := io.WriteString(e.out, workflow.Schema())
	return err
}

type workflowLintCmd struct {
	Files []string `arg:"" name:"file" help:"Workflow files."`
	JSON  bool     `name:"json" help:"One JSON object a problem."`
}

// workflowProblem is what sdc workflow lint --json tells of one.
type workflowProblem struct {
	Source  string `json:"source"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

func (c *workflowLintCmd) Run(e *env) error {
	failed := false
	for _, file := range c.Files {
		_, err := readWorkflow(file)
		var invalid *workflow.InvalidError
		switch {
		case err == nil:
			if !c.JSON {
				fmt.Fprintf(e.out, "%s: ok\n", file)
			}
			continue
		case !errors.As(err, &invalid):
			return err
		}
		failed = true
		for _, p := range invalid.Problems {
			if c.JSON {
				if err := writeJSON(e.out, workflowProblem{file, p.Line, p.Column, p.Path, p.Message}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(e.out, "%s:%s\n", file, p)
		}
	}
	if failed {
		return errSilent
	}
	return nil
}

// maxWorkflow bounds what is read of a file; the parser has a limit of its own.
const maxWorkflow = 1 << 20

// readWorkflow reads a file, or takes a workflow of the library if there is none of that name.
func readWorkflow(name string) (*workflow.Workflow, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		if b, libErr := library.Source(name); libErr == nil {
			return workflow.Parse(b)
		}
		return nil, fmt.Errorf("%w; sdc workflow list shows those that come with this program", err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxWorkflow))
	if err != nil {
		return nil, err
	}
	return workflow.Parse(b)
}
