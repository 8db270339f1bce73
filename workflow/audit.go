package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc/audit"
)

// Entry is one line of the audit.
type Entry struct {
	Time time.Time `json:"time"`
	// Run identifies the run; Workflow, Version and Digest what was run: the digest is that of the definition.
	Run      string `json:"run"`
	Workflow string `json:"workflow"`
	Version  int    `json:"version"`
	Digest   string `json:"digest,omitempty"`
	// Number counts the entries of the run, from 1.
	Number int    `json:"number"`
	Step   string `json:"step,omitempty"`
	// Event is what has been decided or has happened.
	Event Event `json:"event"`
	// Device and Operation are what is acted on.
	Device    string `json:"device,omitempty"`
	Operation string `json:"operation,omitempty"`
	Request   string `json:"request,omitempty"`
	// Outcome is how it ended, Text more of it.
	Outcome string `json:"outcome,omitempty"`
	Text    string `json:"text,omitempty"`
	// DryRun says that nothing was invoked.
	DryRun bool `json:"dry_run,omitempty"`
	// Evidence is what the decision was made on.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Event is a kind of entry.
type Event string

// The events.
const (
	EventBegin     Event = "begin"     // a run begins, with the devices bound
	EventStep      Event = "step"      // a step begins
	EventJudged    Event = "judged"    // conditions decided
	EventAsked     Event = "asked"     // a person is asked
	EventAnswered  Event = "answered"  // and has answered
	EventInvoke    Event = "invoke"    // an operation is about to be invoked
	EventOutcome   Event = "outcome"   // and has ended
	EventRenewed   Event = "renewed"   // a hold was renewed, or could not be
	EventReleased  Event = "released"  // a hold is released
	EventDone      Event = "done"      // a step has ended well
	EventFailed    Event = "failed"    // the workflow fails, and why
	EventUndo      Event = "undo"      // something is being undone
	EventUndone    Event = "undone"    // and has been
	EventNotUndone Event = "notundone" // and could not be
	EventReport    Event = "report"    // a line of the report
	EventEnd       Event = "end"       // the run ends
)

// Audit keeps what was decided. Record returns once the entry is kept; an error stops the workflow, but never the undoing.
type Audit interface {
	Record(ctx context.Context, e Entry) error
}

// JSONLines is an Audit that writes one JSON object a line. w should reach the disk before it returns.
func JSONLines(w io.Writer) Audit { return &jsonLines{w: w} }

type jsonLines struct {
	mu sync.Mutex
	w  io.Writer
}

func (j *jsonLines) Record(_ context.Context, e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.w.Write(append(line, '\n'))
	return err
}

// keepTime bounds the writing of an entry to the chain: a disk that hangs must not keep anything from being undone.
const keepTime = 5 * time.Second

// Chained is an Audit that keeps entries in the audit file of participants, whose records are chained: which run and step, which device and
// operation, how it was decided and how it ended. Texts, requests and evidence, in which there may be patient data, are not in it: the digest of
// a record is that of the whole entry, as JSONLines writes it. User, Subject and Fingerprint of by say who runs the workflow.
func Chained(f *audit.File, by audit.Event) Audit { return chained{f, by} }

type chained struct {
	file *audit.File
	by   audit.Event
}

func (c chained) Record(ctx context.Context, e Entry) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	return c.file.Keep(ctx, e.record(c.by))
}

// record is the entry as an event of the participant that runs the workflow.
func (e Entry) record(by audit.Event) audit.Event {
	out := audit.Event{
		Time: e.Time, Kind: audit.Decided, User: by.User, Subject: by.Subject, Fingerprint: by.Fingerprint,
		Service: fmt.Sprintf("workflow %s/%d", e.Workflow, e.Version), Action: string(e.Event), Run: e.Run, Step: e.Step,
		Device: e.Device, Operation: e.Operation, Outcome: e.Outcome, Digest: audit.Digest(e),
	}
	if e.Event == EventAnswered {
		out.User = e.Text
	}
	if e.DryRun {
		out.Reason = "dry run"
	}
	return out
}

// kindOf names the kind of an error for the audit, without what was measured.
func kindOf(err error) string {
	for _, kind := range []error{ErrTooLate, ErrCondition, ErrGuard, ErrDevice, ErrHold, ErrRefused, ErrOperation, ErrAudit, context.Canceled} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "failed"
}
