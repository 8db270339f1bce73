package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

type historyCmd struct {
	deviceFlags
	Target   string   `arg:"" help:"Device: EPR, unique prefix of one, friendly name or URL."`
	Handle   []string `arg:"" optional:"" help:"Handles to show. Default: all but waveforms."`
	From     string   `placeholder:"TIME" default:"1h" help:"Beginning: how long ago (10m), or a time (2006-01-02T15:04:05Z). Default: 1h."`
	To       string   `placeholder:"TIME" default:"0s" help:"End, in the same forms. Default: now."`
	Versions string   `placeholder:"A-B" help:"MDIB versions instead of times, both included."`
	Sequence string   `placeholder:"URI" help:"Sequence the versions belong to. Default: the current one."`
	JSON     bool     `name:"json" help:"One JSON object a line."`
}

func (c *historyCmd) Run(e *env) error {
	query, err := c.query(time.Now())
	if err != nil {
		return err
	}
	dev, closeAll, err := c.connect(e, c.Target)
	if err != nil {
		return err
	}
	defer closeAll()
	if v := query.Version; v != nil && v.SequenceID == "" {
		v.SequenceID = dev.MDIB().Version().SequenceID
	}
	want := make(map[string]bool)
	for _, h := range c.Handle {
		want[h] = true
	}
	for event, err := range dev.History(e.ctx, query) {
		if err != nil {
			return err
		}
		if err := c.show(e, event, want); err != nil {
			return err
		}
	}
	return nil
}

// query is what the flags ask for. The MDIB at the beginning is always wanted: only upon it changes can be told as such.
func (c *historyCmd) query(now time.Time) (*hm.Query, error) {
	q := &hm.Query{ProvideInitialMdib: true, Handles: c.Handle}
	if c.Versions != "" {
		first, last, ok := strings.Cut(c.Versions, "-")
		a, err1 := strconv.ParseUint(first, 10, 64)
		b, err2 := strconv.ParseUint(last, 10, 64)
		if !ok || err1 != nil || err2 != nil || a > b {
			return nil, usagef("--versions %q: two numbers are needed, as in 10-20", c.Versions)
		}
		q.Version = &hm.VersionRange{SequenceID: c.Sequence, Start: a, End: b}
		return q, nil
	}
	if c.Sequence != "" {
		return nil, usagef("--sequence is for --versions")
	}
	from, err := moment(c.From, now)
	if err != nil {
		return nil, usagef("--from: %w", err)
	}
	to, err := moment(c.To, now)
	if err != nil {
		return nil, usagef("--to: %w", err)
	}
	if to.Before(from) {
		return nil, usagef("--to is before --from")
	}
	q.Time = &hm.TimeRange{Start: pm.TimestampOf(from), End: pm.TimestampOf(to)}
	return q, nil
}

// moment reads a time, given as such or as how long ago it was.
func moment(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q is neither a duration such as 10m nor a time such as %s", text, time.RFC3339)
	}
	return t, nil
}

// show prints one event: the states of the MDIB at the beginning, then what changed.
func (c *historyCmd) show(e *env, event consumer.HistoryEvent, want map[string]bool) error {
	for _, s := range event.Status {
		if _, err := fmt.Fprintln(e.err, "sdc: the device says:", printable(statusText(s))); err != nil {
			return err
		}
	}
	base := watched{Time: event.Time, Version: event.Version.MdibVersion}
	var lines []watched
	switch {
	case event.Initial && event.MDIB != nil:
		lines = initial(base, event.MDIB, want)
	case event.Report != nil && event.Change != nil:
		lines = changed(base, event.Report, event.Change, event.MDIB, want)
	case event.Report != nil:
		base.Event, base.Report = "report", event.Report.BodyName().Local
		base.Value = "a " + base.Report + " that cannot be applied to what came before"
		lines = []watched{base}
	}
	for _, line := range lines {
		if c.JSON {
			if err := writeJSON(e.out, line); err != nil {
				return err
			}
			continue
		}
		if err := line.print(e); err != nil {
			return err
		}
	}
	return nil
}

// initial lists the states that an MDIB begins with, metrics and contexts unless handles are wanted.
func initial(base watched, snap *mdib.Snapshot, want map[string]bool) (lines []watched) {
	base.Event = "initial"
	add := func(handle string, d pm.Descriptor, s pm.State) {
		kind := mdib.KindOf(s)
		if len(want) > 0 && !want[handle] || len(want) == 0 && kind != mdib.KindMetric && kind != mdib.KindContext {
			return
		}
		line := base
		line.Handle, line.State, line.Value = handle, s, value(d, s)
		lines = append(lines, line)
	}
	for entity := range snap.Entities() {
		if entity.State != nil {
			add(entity.Handle, entity.Descriptor, entity.State)
		}
		for _, s := range entity.Contexts {
			add(s.BaseMulti().Handle, entity.Descriptor, s)
		}
	}
	return lines
}

// statusText is a status for people.
func statusText(s hm.Status) string {
	switch s.Kind {
	case hm.StatusVersionsNotFullyServed:
		return fmt.Sprintf("of the versions asked for it has %d to %d", s.Version.Start, s.Version.End)
	case hm.StatusTimeNotFullyServed:
		return fmt.Sprintf("of the time asked for it has %s to %s", s.Time.Start.Time().Format(time.RFC3339), s.Time.End.Time().Format(time.RFC3339))
	case hm.StatusIncompleteRecords:
		return fmt.Sprintf("it keeps no %v", s.Reports)
	case hm.StatusLanguagesNotAvailable:
		return fmt.Sprintf("it has no texts in %v", s.Languages)
	case hm.StatusOther:
		return s.Text
	}
	return string(s.Kind)
}
