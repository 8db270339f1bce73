package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc/das/alertconsumer"
)

type dasCmd struct {
	deviceFlags
	Target string        `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Name   string        `placeholder:"TEXT" help:"What the device is to call this system. Default: sdc on this host."`
	MDS    string        `name:"mds" placeholder:"HANDLE" help:"The MDS whose alarms are monitored, if the device offers that for several."`
	Once   bool          `help:"End with the first loss. Default: take over again as soon as that is possible."`
	For    time.Duration `help:"Stop after this time. Default: until interrupted."`
	JSON   bool          `name:"json" help:"One JSON object a line."`
}

// Help is shown below the flags.
func (c *dasCmd) Help() string {
	return "The device does not sound while its alarms are monitored: they are to be looked at here. An alarm that has been written is confirmed to the device. With the end of the " +
		"command, or when anything goes wrong, the device sounds by itself again. Experimental: docs/distributed-alarms.md."
}

// dasLine is one line of sdc das --json.
type dasLine struct {
	Time time.Time `json:"time"`
	// Event is phase or alert.
	Event string `json:"event"`
	// Phase is off, pending or monitoring.
	Phase string `json:"phase"`
	Cause string `json:"cause,omitempty"`
	// Handle and the next are of an alert condition.
	Handle   string `json:"handle,omitempty"`
	Name     string `json:"name,omitempty"`
	Priority string `json:"priority,omitempty"`
	Present  bool   `json:"present"`
	Takeover bool   `json:"takeover,omitempty"`
	Version  uint64 `json:"state_version,omitempty"`
}

func (c *dasCmd) Run(e *env) error {
	if c.For < 0 {
		return usagef("--for takes a positive duration, not %s", c.For)
	}
	name := c.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("this host has no name, so --name is needed: %w", err)
		}
		name = "sdc on " + host
	}
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	if c.For > 0 {
		stop := time.AfterFunc(c.For, func() { cancel(nil) })
		defer stop.Stop()
	}
	out := &dasOutput{cmd: c, e: e, phase: alertconsumer.Off, fail: cancel}
	mon, err := alertconsumer.New(dev, alertconsumer.Config{
		Name: name, MDS: c.MDS, Once: c.Once, Deliver: out.deliver, Changed: out.changed, Logger: e.log,
	})
	if err != nil {
		return err
	}
	err = mon.Run(ctx)
	return errors.Join(err, out.err())
}

// dasOutput is where alarms are delivered to: what is written has been delivered.
type dasOutput struct {
	cmd *dasCmd
	e   *env

	mu    sync.Mutex
	phase alertconsumer.Phase
	fail  context.CancelCauseFunc
	wrong error
}

func (o *dasOutput) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wrong
}

func (o *dasOutput) deliver(_ context.Context, list []alertconsumer.Alert) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range list {
		if a.Takeover && !a.Present() {
			continue
		}
		d, s := a.Descriptor.BaseCondition(), a.State.BaseCondition()
		priority := s.ActualPriority
		if priority == "" {
			priority = d.Priority
		}
		if err := o.printLocked(dasLine{
			Event: "alert", Handle: a.Condition, Name: concept(d.Type), Priority: string(priority), Present: s.Presence, Takeover: a.Takeover, Version: a.Version,
		}); err != nil {
			return err
		}
	}
	return nil
}

func (o *dasOutput) changed(s alertconsumer.Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.phase = s.Phase
	line := dasLine{Event: "phase"}
	if s.Cause != nil {
		line.Cause = s.Cause.Error()
	}
	_ = o.printLocked(line) // it is kept, and ends the command
}

// printLocked writes a line. If that fails nobody can see alarms here, so the command ends.
func (o *dasOutput) printLocked(l dasLine) error {
	l.Time, l.Phase = time.Now(), string(o.phase)
	err := o.write(l)
	if err != nil && o.wrong == nil {
		o.wrong = err
		o.fail(err)
	}
	return err
}

func (o *dasOutput) write(l dasLine) error {
	if o.cmd.JSON {
		return writeJSON(o.e.out, l)
	}
	what := "-- " + l.Phase
	if l.Event == "alert" {
		is := "gone"
		if l.Present {
			is = "PRESENT"
		}
		what = fmt.Sprintf("%-7s  %-4s  %s  %s", is, l.Priority, l.Handle, l.Name)
	} else if l.Cause != "" {
		what += ": " + onOneLine(l.Cause)
	}
	_, err := fmt.Fprintf(o.e.out, "%s  %s\n", l.Time.Format("15:04:05.000"), printable(what))
	return err
}
