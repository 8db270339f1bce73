package main

import (
	"fmt"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/policy"
)

type policyCmd struct {
	Lint policyLintCmd `cmd:"" help:"Check that a policy file can be used, and with --mdib that the device has what its rules name. Exit code 1 if not."`
}

type policyLintCmd struct {
	File string `arg:"" type:"existingfile" help:"Policy file (sdc simulate --policy), YAML or JSON."`
	MDIB string `name:"mdib" type:"existingfile" placeholder:"FILE" help:"MDIB of the device that it is for."`
	JSON bool   `name:"json" help:"One JSON object a finding."`
}

// policyFinding is one finding of sdc policy lint --json.
type policyFinding struct {
	File    string `json:"file"`
	Message string `json:"message"`
}

func (c *policyLintCmd) Run(e *env) error {
	var findings []string
	p, err := policy.Read(c.File)
	if err != nil {
		findings = []string{err.Error()}
	} else if c.MDIB != "" {
		snap, err := mdib.ReadFile(c.MDIB)
		if err != nil {
			return fmt.Errorf("%s: %w", c.MDIB, err)
		}
		findings = p.Check(snap)
	}
	for _, f := range findings {
		if c.JSON {
			if err := writeJSON(e.out, policyFinding{c.File, f}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(e.out, f)
	}
	if len(findings) > 0 {
		return errSilent
	}
	if !c.JSON {
		fmt.Fprintf(e.out, "%s: ok\n", c.File)
	}
	return nil
}
