package workflow

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"
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
