package main

import (
	"fmt"

	"github.com/semeco/go-sdc/diff"
)

type diffCmd struct {
	deviceFlags
	recordedFlags
	A        string `arg:"" help:"MDIB file, recording (FILE, FILE@start, FILE@90s, FILE@2006-01-02T15:04:05Z or FILE@v17), or device: EPR, unique prefix of one, friendly name or URL."`
	B        string `arg:"" help:"What to compare it with."`
	Versions bool   `help:"Compare versions too."`
	JSON     bool   `name:"json" help:"One JSON object a difference."`
}

// difference is what sdc diff --json tells of one.
type difference struct {
	Kind   string            `json:"kind"`
	Part   string            `json:"part"`
	Handle string            `json:"handle,omitempty"`
	Type   string            `json:"type,omitempty"`
	Parent string            `json:"parent,omitempty"`
	Fields []fieldDifference `json:"fields,omitempty"`
}

type fieldDifference struct {
	Path   string  `json:"path"`
	Before *string `json:"before"`
	After  *string `json:"after"`
}

func (c *diffCmd) Run(e *env) error {
	a, err := c.snapshot(e, c.A, c.recordedFlags)
	if err != nil {
		return err
	}
	b, err := c.snapshot(e, c.B, c.recordedFlags)
	if err != nil {
		return err
	}
	changes := diff.Snapshots(a, b, diff.Options{Versions: c.Versions})
	for _, d := range changes {
		if c.JSON {
			err = writeJSON(e.out, newDifference(d))
		} else {
			err = c.print(e, d)
		}
		if err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return errSilent
}

func newDifference(d diff.Change) difference {
	out := difference{Kind: string(d.Kind), Part: string(d.Part), Handle: d.Handle, Type: d.Type, Parent: d.Parent}
	for _, f := range d.Fields {
		out.Fields = append(out.Fields, fieldDifference(f))
	}
	return out
}

func (c *diffCmd) print(e *env, d diff.Change) error {
	mark := map[diff.Kind]string{diff.Added: "+", diff.Removed: "-", diff.Changed: "~"}[d.Kind]
	line := mark + " " + string(d.Part)
	if d.Handle != "" {
		line += fmt.Sprintf(" %s (%s", d.Handle, d.Type)
		if d.Kind != diff.Changed && d.Parent != "" {
			line += " of " + d.Parent
		}
		line += ")"
	}
	if _, err := fmt.Fprintln(e.out, line); err != nil {
		return err
	}
	for _, f := range d.Fields {
		if _, err := fmt.Fprintf(e.out, "    %s: %s -> %s\n", f.Path, shown(f.Before), shown(f.After)); err != nil {
			return err
		}
	}
	return nil
}

// shown is a value for people, of bounded length.
func shown(v *string) string {
	if v == nil {
		return "(none)"
	}
	const most = 80
	if r := []rune(*v); len(r) > most {
		return fmt.Sprintf("%q...", string(r[:most]))
	}
	return fmt.Sprintf("%q", *v)
}
