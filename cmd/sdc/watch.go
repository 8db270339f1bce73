package main

import (
	"context"
	"fmt"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

type watchCmd struct {
	deviceFlags
	Target string        `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Handle []string      `arg:"" optional:"" help:"Handles to show. Default: all but waveforms."`
	For    time.Duration `help:"Stop after this time. Default: until interrupted."`
	JSON   bool          `name:"json" help:"One JSON object a line."`
}

// watched is one line of sdc watch --json.
type watched struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"` // docs/commands.md lists them
	Version uint64    `json:"mdib_version"`
	Report  string    `json:"report,omitempty"`
	Handle  string    `json:"handle,omitempty"`
	Value   string    `json:"value,omitempty"`
	State   pm.State  `json:"state,omitempty"`
	Link    string    `json:"link"`
	Cause   string    `json:"cause,omitempty"`
}

func (c *watchCmd) Run(e *env) error {
	if c.For < 0 {
		return usagef("--for takes a positive duration, not %s", c.For)
	}
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	if _, err := selectEntities(dev.MDIB(), c.Handle); err != nil {
		return err
	}
	ctx := e.ctx
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	want := make(map[string]bool)
	for _, h := range c.Handle {
		want[h] = true
	}
	for u, err := range dev.Updates(ctx) {
		if err != nil {
			return err
		}
		for _, line := range c.lines(u, want) {
			if err := c.print(e, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines turns an update into what is shown of it.
func (c *watchCmd) lines(u consumer.Update, want map[string]bool) []watched {
	base := watched{Time: u.Time, Version: u.Snapshot.Version().MdibVersion, Link: u.Link.State.String()}
	if u.Report == nil {
		base.Event = "link"
		if u.Clock != nil && u.Gap == nil {
			base.Event, base.Cause = "clock", clockNews(*u.Clock)
		} else if u.Gap != nil {
			base.Event = "resync"
			base.Cause = fmt.Sprintf("stale since %s: %v", u.Gap.Stale.Format(time.TimeOnly), u.Gap.Cause)
		} else if u.Link.Cause != nil {
			base.Cause = u.Link.Cause.Error()
		}
		return []watched{base}
	}
	return changed(base, u.Report, u.Change, u.Snapshot, want)
}

func clockNews(c consumer.Clock) string {
	switch {
	case c.Drifted:
		return fmt.Sprintf("the device's clock differs from this host's by %v or more: its times must not be compared with others", c.Drift().Abs().Round(time.Millisecond))
	case c.Steps > 0:
		return "one of the two clocks was set; they agree"
	}
	return "the device's clock agrees with this host's again"
}

// changed turns a report into what is shown of it: the states and descriptors in want, all but waveforms if that is empty.
func changed(base watched, report msg.Report, change *mdib.Change, snapshot *mdib.Snapshot, want map[string]bool) []watched {
	base.Event, base.Report = "update", report.BodyName().Local
	var out []watched
	if op, ok := report.(*msg.OperationInvokedReport); ok {
		for _, p := range op.ReportPart {
			line := base
			line.Event, line.Handle, line.Value = "operation", p.OperationHandleRef, string(p.InvocationInfo.InvocationState)
			if len(want) == 0 || want[line.Handle] {
				out = append(out, line)
			}
		}
		return out
	}
	for _, d := range change.Descriptors {
		if len(want) == 0 || want[d.Handle] {
			line := base
			line.Handle = d.Handle
			line.Event = map[msg.DescriptionModificationType]string{
				msg.DescriptionModificationTypeCrt: "create",
				msg.DescriptionModificationTypeDel: "delete",
			}[d.Type]
			if line.Event == "" {
				line.Event = "describe"
			}
			out = append(out, line)
		}
	}
	for _, s := range change.States {
		if !want[s.Handle] && (len(want) > 0 || change.Kind == mdib.KindWaveform) {
			continue
		}
		line := base
		line.Handle, line.State = s.Handle, s.After
		d, _ := snapshot.Descriptor(s.After.BaseState().DescriptorHandle)
		line.Value = value(d, s.After)
		out = append(out, line)
	}
	return out
}

func (c *watchCmd) print(e *env, w watched) error {
	if c.JSON {
		return writeJSON(e.out, w)
	}
	return w.print(e)
}

// print shows the line to people.
func (w watched) print(e *env) error {
	what := w.Handle + "  " + w.Value
	switch w.Event {
	case "link", "resync":
		what = "-- " + w.Link
		if w.Cause != "" {
			what += ": " + w.Cause
		}
	case "clock":
		what = "-- " + w.Cause
	case "create", "describe", "delete":
		what = w.Handle + "  descriptor: " + w.Event
	case "operation":
		what = w.Handle + "  invocation: " + w.Value
	}
	_, err := fmt.Fprintf(e.out, "%s  %6d  %s\n", w.Time.Format("15:04:05.000"), w.Version, printable(what))
	return err
}
