package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/audit"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/playback"
	"github.com/semeco/go-sdc/workflow"
)

type workflowRunCmd struct {
	netFlags
	trustFlags
	Workflow  string            `arg:"" help:"Workflow file, or name of one that comes with this program."`
	Set       map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Parameters of the workflow."`
	Location  string            `placeholder:"fac=..,poc=..,bed=.." help:"Where the devices must be. Default: anywhere."`
	Device    map[string]string `placeholder:"PART=EPR" help:"The device for a part, where several would do."`
	Find      time.Duration     `default:"20s" help:"How long finding the devices may take."`
	Settle    time.Duration     `default:"5s" help:"For workflows about all devices of a place: how long none may have come or gone before they begin."`
	Decisions string            `placeholder:"FILE" help:"Append every decision with what it was made on, patient data included, to this file, one JSON object a line."`
	auditLimit
	Audit     string `placeholder:"FILE" help:"Append every decision, without patient data, to this file, whose records are chained (sdc audit verify)."`
	DryRun    bool   `help:"Look and decide, but invoke nothing. What cannot be judged without is told."`
	Recording string `type:"existingfile" placeholder:"FILE" help:"With --dry-run: run on what was recorded (sdc record) instead of the network, at the pace of then. Nobody is asked."`
	From      string `placeholder:"TIME" help:"Where in the recording to begin: from its start (90s), or a time (2006-01-02T15:04:05Z)."`
	Yes       bool   `help:"Answer every question with yes. For simulated devices only: the questions are there for a reason."`
	JSON      bool   `name:"json" help:"Print the audit and, as the last line, the result."`
}

// workflowResult is the last line of sdc workflow run --json.
type workflowResult struct {
	Run       string   `json:"run"`
	Workflow  string   `json:"workflow"`
	Outcome   string   `json:"outcome"`
	Step      string   `json:"step,omitempty"`
	Cause     string   `json:"cause,omitempty"`
	NotUndone []string `json:"not_undone,omitempty"`
	Report    []string `json:"report,omitempty"`
	NotJudged []string `json:"not_judged,omitempty"`
}

func (c *workflowRunCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return usageError{err}
	}
	var id *sdc.Identity
	if c.Recording == "" {
		if id, err = c.identity("consumer", e); err != nil {
			return err
		}
	}
	keep, closeAudit, err := c.openRecords(e, id)
	if err != nil {
		return err
	}
	o.Audit = keep
	enter := func() (workflow.World, func() error, error) { return c.join(e, id) }
	if c.Recording != "" {
		enter = func() (workflow.World, func() error, error) { return c.playback(e) }
	}
	world, leave, err := enter()
	if err != nil {
		return errors.Join(err, closeAudit())
	}
	o.World = world
	res, err := workflow.Run(e.ctx, o)
	if res == nil { // it has not begun: parameters or parts that the workflow does not have
		err = usageError{err}
	}
	err = errors.Join(err, leave(), closeAudit())
	if res == nil {
		return err
	}
	if printErr := c.print(e, o.Workflow, res); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	if res.Outcome != workflow.Completed {
		return errSilent
	}
	return nil
}

// options are those of the run but for what has to be opened.
func (c *workflowRunCmd) options(e *env) (workflow.Options, error) {
	if c.Find <= 0 || c.Settle < 0 {
		return workflow.Options{}, usagef("--find takes a positive duration, --settle none that is negative")
	}
	w, err := readWorkflow(c.Workflow)
	o := workflow.Options{Workflow: w, Parameters: c.Set, Find: c.Find, Settle: c.Settle, DryRun: c.DryRun, Logger: e.log, Devices: map[string][]string{}}
	if err != nil {
		return o, err
	}
	for part, epr := range c.Device {
		if strings.TrimSpace(epr) == "" {
			return o, fmt.Errorf("--device %s= names no device", part)
		}
		o.Devices[part] = []string{epr}
	}
	if o.Location, err = placeOf(c.Location); err != nil {
		return o, err
	}
	switch {
	case c.Recording == "" && c.From != "":
		return o, errors.New("--from is for --recording")
	case c.Recording == "":
		o.Human = newPrompt(e, c.Yes, c.JSON)
	case !c.DryRun:
		return o, errors.New("--recording needs --dry-run: what was recorded cannot be operated")
	case c.TLS != "" || c.Insecure || c.Yes:
		return o, errors.New("--recording needs neither a network nor answers: leave out --tls, --insecure and --yes")
	}
	return o, nil
}

// playback returns the world as a recording shows it; leave must be called.
func (c *workflowRunCmd) playback(e *env) (world workflow.World, leave func() error, err error) {
	rec, err := recording.Open(c.Recording)
	if err != nil {
		return nil, nil, err
	}
	warnOfDamage(e, c.Recording, rec)
	var cfg playback.Config
	if c.From != "" {
		if cfg.From, err = parseMoment(c.From, rec); err != nil {
			return nil, nil, errors.Join(err, rec.Close())
		}
	}
	s, err := station.NewOffline(station.Config{Logger: e.log})
	if err != nil {
		return nil, nil, errors.Join(err, rec.Close())
	}
	ctx, cancel := context.WithCancel(e.ctx)
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() { errs[0] = s.Run(ctx) })
	wg.Go(func() { errs[1] = playback.Play(ctx, s, rec, cfg) })
	return workflow.OnStation(s.Station), func() error {
		cancel()
		wg.Wait()
		return errors.Join(errs[0], errs[1], rec.Close())
	}, nil
}

// join puts a station on the network and returns the world as it sees it; leave must be called.
func (c *workflowRunCmd) join(e *env, id *sdc.Identity) (world workflow.World, leave func() error, err error) {
	// What is under way is undone after the user has interrupted: the connections must outlive that.
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	con, err := consumer.New(ctx, consumer.Config{Identity: id, Insecure: c.Insecure, Network: c.network(), DiscoveryProxy: c.DiscoveryProxy, Journal: e.journal, Logger: e.log})
	if err != nil {
		cancel()
		return nil, nil, err
	}
	client, err := c.discoveryOf(e, con)
	if err != nil {
		cancel()
		return nil, nil, errors.Join(err, con.Close(ctx))
	}
	con.AddLocator(client)
	s, err := station.New(station.Config{Consumer: con, Discovery: client, Immediately: true, Logger: e.log})
	if err != nil {
		cancel()
		return nil, nil, errors.Join(err, client.Close(), con.Close(ctx))
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return workflow.OnStation(s), func() error {
		cancel()
		err := <-ended
		_ = client.Close() // nobody asks it any more
		closeConsumer(e, con)
		return err
	}, nil
}

// openRecords makes what keeps the decisions: files that each entry has reached before anything is done, and the terminal.
func (c *workflowRunCmd) openRecords(e *env, id *sdc.Identity) (workflow.Audit, func() error, error) {
	var sinks audits
	var closers []func() error
	closeAll := func() error {
		var errs []error
		for _, c := range closers {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	if c.Decisions != "" {
		f, err := os.OpenFile(c.Decisions, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("--decisions: %w", err)
		}
		sinks, closers = append(sinks, workflow.JSONLines(synced{f})), append(closers, f.Close)
	}
	switch f, err := c.openAudit(e, c.Audit); {
	case err != nil:
		return nil, nil, errors.Join(err, closeAll())
	case f != nil:
		sinks, closers = append(sinks, workflow.Chained(f, localUser(id))), append(closers, f.Close)
	}
	if c.JSON {
		return append(sinks, workflow.JSONLines(e.out)), closeAll, nil
	}
	return append(sinks, &auditTrail{w: e.out, begin: time.Now()}), closeAll, nil
}

// localUser is who runs this program, and the certificate it acts with.
func localUser(id *sdc.Identity) audit.Event {
	by := audit.Event{User: "local"}
	if u, err := user.Current(); err == nil {
		by.User = "local user " + u.Username
	}
	if id != nil {
		own := id.Leaf()
		by.Subject, by.Fingerprint = own.Subject.String(), sdc.Fingerprint(own)
	}
	return by
}

// audits writes to several; one that fails is enough to stop the workflow.
type audits []workflow.Audit

func (a audits) Record(ctx context.Context, entry workflow.Entry) error {
	for _, sink := range a {
		if err := sink.Record(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// synced is a file each of whose writes reaches the disk.
type synced struct{ *os.File }

func (s synced) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	if err != nil {
		return n, err
	}
	return n, s.Sync()
}

// auditTrail shows people what happens.
type auditTrail struct {
	mu    sync.Mutex
	w     io.Writer
	begin time.Time
}

func (a *auditTrail) Record(_ context.Context, entry workflow.Entry) error {
	switch entry.Event {
	case workflow.EventRenewed:
		if entry.Outcome == "Fin" {
			return nil
		}
	case workflow.EventDone, workflow.EventReport, workflow.EventAsked:
		return nil // the next step, the result and the question tell
	default:
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	line := fmt.Sprintf("%6.1f s  %-9s", entry.Time.Sub(a.begin).Seconds(), entry.Event)
	for _, part := range []string{entry.Step, entry.Operation, entry.Request, entry.Outcome, entry.Text} {
		if part != "" {
			line += " " + part
		}
	}
	_, err := fmt.Fprintln(a.w, onOneLine(line))
	return err
}

func (c *workflowRunCmd) print(e *env, w *workflow.Workflow, res *workflow.Result) error {
	cause := ""
	if res.Cause != nil {
		cause = res.Cause.Error()
	}
	if c.JSON {
		return writeJSON(e.out, workflowResult{res.Run, w.Name, string(res.Outcome), res.Step, cause, res.NotUndone, res.Report, res.NotJudged})
	}
	for _, line := range res.Report {
		fmt.Fprintln(e.out, printable(line))
	}
	for _, line := range res.NotJudged {
		fmt.Fprintln(e.out, "not judged, taken to hold:", printable(line))
	}
	for _, line := range res.NotUndone {
		fmt.Fprintln(e.out, "NOT UNDONE:", printable(line))
	}
	_, err := fmt.Fprintln(e.out, onOneLine(strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", w.Name, res.Outcome, cause), ": ")))
	return err
}
