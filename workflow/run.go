package workflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/station"
)

// Options are what a run needs. Workflow and World are needed; the zero value of each other field is usable.
type Options struct {
	Workflow *Workflow
	World    World
	// Human answers questions; nil refuses every one of them. In a dry run nil means that nobody is asked, and that the answers are taken to be yes.
	Human Human
	// Audit keeps what was decided; nil keeps nothing.
	Audit Audit
	// Parameters are those of the workflow.
	Parameters map[string]string
	// Location is where the devices must be; the zero value is anywhere.
	Location sdc.LocationDetail
	// Devices choose, by part, the EPRs of the devices; parts that are not in it take what matches.
	Devices map[string][]string
	// Find is how long devices may take to be found and to fulfil Start; 0 is 10 s.
	Find time.Duration
	// Settle is how long no device may have come or gone before a workflow begins that has a part for all that match (Part.Many); 0 is 5 s,
	// in which every device that is there has answered a probe (DPWS APP_MAX_DELAY) and has been connected to. It must be less than Find.
	Settle time.Duration
	// DryRun looks and decides on what the devices show but invokes nothing: each operation is checked as far as can be without. Conditions
	// that come after the first operation are taken to hold, which the audit and Result.NotJudged tell, since they may depend on it.
	DryRun bool
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

// Outcome is how a run has ended.
type Outcome string

const (
	// Completed means that every step has ended well.
	Completed Outcome = "completed"
	// Refused means that nothing was invoked: the devices were not found, or the start conditions did not hold.
	Refused Outcome = "refused"
	// Undone means that the workflow failed and that everything that has to be was undone.
	Undone Outcome = "undone"
	// Unsafe means that something could not be undone. People have been told; the devices end by themselves what was on hold.
	Unsafe Outcome = "unsafe"
)

// Result is what has come of a run.
type Result struct {
	Run     string
	Outcome Outcome
	// Step is the last step that had begun, Cause why it failed; nil if it did not.
	Step  string
	Cause error
	// NotUndone lists what could not be undone.
	NotUndone []string
	// Report are the lines that report steps have made.
	Report []string
	// NotJudged lists what a dry run could not judge and has taken to hold, with how it stood.
	NotJudged []string
}

// Errors that a run can fail with; Result.Cause wraps them.
var (
	// ErrTooLate says that a step or the workflow took too long.
	ErrTooLate = errors.New("too late")
	// ErrCondition says that a condition did not hold.
	ErrCondition = errors.New("the condition does not hold")
	// ErrGuard says that a guard was violated.
	ErrGuard = errors.New("a guard is violated")
	// ErrDevice says that a device is lost or is no longer what it was bound as.
	ErrDevice = errors.New("device lost")
	// ErrHold says that a hold could not be renewed or has reached its limit.
	ErrHold = errors.New("the hold is over")
	// ErrRefused says that a person has said no.
	ErrRefused = errors.New("refused")
	// ErrOperation says that an operation ended badly or that its outcome is not known.
	ErrOperation = errors.New("operation failed")
	// ErrAudit says that the audit could not be written.
	ErrAudit = errors.New("the audit cannot be written")
)

// tick is how often conditions are judged anew when no view comes: values grow old all by themselves.
const tick = 250 * time.Millisecond

// runner is one run. Everything but the holds happens on one goroutine.
type runner struct {
	Options
	w       *Workflow
	log     *slog.Logger
	id      string
	digest  string
	judge   judge
	bound   []bound
	guards  []guard
	stack   []undoing
	result  *Result
	changed chan struct{}
	limit   time.Time // of the whole run; zero is none
	acted   bool      // something was invoked, or would have been
	who     []string  // which devices it is about, where a part is for all

	mu      sync.Mutex // the holds write to the audit too
	entries int
}

type guard struct {
	conditions []Condition
	until      string
}

// Run runs a workflow to its end and returns how that was. The error says that it could not begin because of a mistake in the options.
// When ctx ends, the workflow fails and is undone; Run returns after that.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Workflow == nil || o.World == nil {
		return nil, errors.New("workflow: Workflow and World are needed")
	}
	if err := o.Workflow.Validate(); err != nil {
		return nil, err
	}
	args, err := o.Workflow.arguments(o.Parameters)
	if err != nil {
		return nil, fmt.Errorf("workflow: %w", err)
	}
	for part := range o.Devices {
		if !o.Workflow.has(part) {
			return nil, fmt.Errorf("workflow: there is no device %q in the workflow", part)
		}
	}
	o.Find, o.Settle = orDefault(o.Find, 10*time.Second), orDefault(o.Settle, 5*time.Second)
	if !o.Workflow.many() {
		o.Settle = 0
	}
	if o.Find < 0 || o.Settle < 0 || o.Settle > 0 && o.Settle >= o.Find {
		return nil, fmt.Errorf("workflow: finding devices takes longer than %v, for which they must have stayed the same", o.Settle)
	}
	if o.Audit == nil {
		o.Audit = JSONLines(io.Discard)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &runner{
		Options: o, w: o.Workflow, log: o.Logger, id: uuid.NewString(), digest: o.Workflow.digest(), changed: make(chan struct{}, 1),
		judge: judge{w: o.Workflow, args: args, since: map[*Condition]time.Time{}},
	}
	r.result = &Result{Run: r.id}
	follow, stop := context.WithCancel(context.WithoutCancel(ctx)) // views are needed for undoing as well
	var wg sync.WaitGroup
	wg.Go(func() {
		for range o.World.Views(follow) {
			select {
			case r.changed <- struct{}{}:
			default:
			}
		}
	})
	r.run(ctx)
	stop()
	wg.Wait()
	return r.result, nil
}

func (w *Workflow) has(part string) bool {
	for _, p := range w.Devices {
		if p.Name == part {
			return true
		}
	}
	return false
}

// digest names the definition. Functions of a workflow in Go are not part of it.
func (w *Workflow) digest() string {
	b, err := json.Marshal(w)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *runner) run(ctx context.Context) {
	err := r.begin(ctx)
	if err == nil {
		for {
			if err = r.steps(ctx); err != nil || !r.w.Repeat {
				break
			}
			// What was done is meant to last; the next round begins with nothing to undo.
			if r.finish(context.WithoutCancel(ctx)) {
				break
			}
		}
	}
	r.end(context.WithoutCancel(ctx), err)
}

// end undoes what has to be and says how it all was.
func (r *runner) end(ctx context.Context, err error) {
	res := r.result
	if err == nil {
		r.finish(ctx)
		res.Outcome = Completed
	} else {
		res.Cause, res.Outcome = err, Undone
		r.tell(ctx, Entry{Event: EventFailed, Step: res.Step, Outcome: kindOf(err), Text: err.Error()})
		r.undoAll(ctx)
		if !r.acted {
			res.Outcome = Refused
		}
	}
	if len(res.NotUndone) > 0 {
		res.Outcome = Unsafe
		for _, text := range res.NotUndone {
			r.log.Error("not undone", "workflow", r.w.Name, "what", text)
			if r.Human != nil {
				r.Human.Alarm(text)
			}
		}
	}
	r.tell(ctx, Entry{Event: EventEnd, Outcome: string(res.Outcome)})
}

// begin waits until the devices are there and the start conditions hold.
func (r *runner) begin(ctx context.Context) error {
	began := time.Now()
	deadline := began.Add(r.Find)
	settled, known := began.Add(r.Settle), map[string]bool{}
	var last error
	for {
		view := r.World.View()
		if now := present(view); !maps.Equal(now, known) {
			settled, known = time.Now().Add(r.Settle), now
		}
		var err error
		if r.bound, err = r.w.bind(view, r.Location, r.Devices); err != nil {
			last = err
		} else if time.Now().Before(settled) {
			last, r.bound = errors.New("devices come and go: it is not known which are there"), nil
		} else {
			t, evidence := r.look(r.w.Start)
			if t == True {
				if r.w.Limit > 0 {
					r.limit = time.Now().Add(r.w.Limit)
				}
				text := ""
				for _, b := range r.bound {
					text += fmt.Sprintf("%s=%s ", b.part, b.ref.Device)
				}
				r.tellWho(view)
				return r.record(ctx, Entry{Event: EventBegin, Text: text, Evidence: evidence})
			}
			last = conditionError(ErrCondition, evidence)
			r.bound = nil
		}
		if err := r.wait(ctx, deadline, nil); err != nil {
			if errors.Is(err, ErrTooLate) {
				return last
			}
			return err
		}
	}
}

// tellWho reports which devices play the parts that all play who can, and which cannot.
func (r *runner) tellWho(view *station.View) {
	for _, p := range r.w.Devices {
		if !p.Many {
			continue
		}
		var with []string
		for _, b := range r.bound {
			if b.part == p.Name {
				with = append(with, r.nameOf(b.ref.Device))
			}
		}
		r.who = append(r.who, fmt.Sprintf("%s: %s", p.Name, strings.Join(with, ", ")))
		if without := r.w.unable(view, p, r.Location); len(without) > 0 {
			for i, epr := range without {
				without[i] = r.nameOf(epr)
			}
			r.who = append(r.who, fmt.Sprintf("%s, left out as they have not the operations: %s", p.Name, strings.Join(without, ", ")))
		}
	}
	r.result.Report = append(r.result.Report, r.who...)
}

// look judges conditions on the newest view.
func (r *runner) look(list []Condition) (Truth, []Evidence) {
	view := r.World.View()
	r.judge.scene = Scene{View: view, Time: time.Now(), Parts: systems(view, r.bound)}
	return r.judge.all(list)
}

// steps goes through the steps once.
func (r *runner) steps(ctx context.Context) error {
	r.guards = nil
	for i := range r.w.Steps {
		s := &r.w.Steps[i]
		r.result.Step = s.ID
		if err := r.record(ctx, Entry{Event: EventStep, Step: s.ID, Text: s.Title}); err != nil {
			return err
		}
		// Nothing is done on the strength of what was so a moment ago.
		if err := r.watch(ctx); err != nil {
			return err
		}
		r.guards = ended(r.guards, s.ID)
		if err := r.step(ctx, s); err != nil {
			return fmt.Errorf("step %s: %w", s.ID, err)
		}
		if s.Guard != nil {
			r.judge.forget(s.Guard)
			r.guards = append(r.guards, guard{s.Guard, s.Until})
			if r.assumes() {
				if err := r.assume(ctx, s.ID, "the guard", s.Guard); err != nil {
					return err
				}
			}
			if err := r.watch(ctx); err != nil {
				return err
			}
		}
		if err := r.record(ctx, Entry{Event: EventDone, Step: s.ID}); err != nil {
			return err
		}
	}
	return nil
}

func ended(list []guard, step string) []guard {
	var out []guard
	for _, g := range list {
		if g.until != step {
			out = append(out, g)
		}
	}
	return out
}

// watch says why the workflow must not go on.
func (r *runner) watch(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !r.limit.IsZero() && !time.Now().Before(r.limit) {
		return fmt.Errorf("%w: the workflow took longer than %v", ErrTooLate, r.w.Limit)
	}
	if r.bound == nil {
		return nil
	}
	if err := r.w.changed(r.World.View(), r.bound); err != nil {
		return fmt.Errorf("%w: %w", ErrDevice, err)
	}
	for _, u := range r.stack {
		if u.hold == nil {
			continue
		}
		if err := u.hold.over(); err != nil {
			return fmt.Errorf("%w: step %s: %w", ErrHold, u.step, err)
		}
	}
	if r.assumes() {
		return nil
	}
	for _, g := range r.guards {
		if t, evidence := r.look(g.conditions); t != True {
			r.tell(ctx, Entry{Event: EventJudged, Step: r.result.Step, Outcome: t.String(), Text: "guard", Evidence: evidence})
			return conditionError(ErrGuard, evidence)
		}
	}
	return nil
}

// assumes tells whether what the devices show is no longer what they would show: in a dry run, once something would have been invoked.
func (r *runner) assumes() bool { return r.DryRun && r.acted }

// wait waits for something to look at: a view, a tick, or done. It fails when the workflow must not go on, or at the deadline (none if zero).
func (r *runner) wait(ctx context.Context, deadline time.Time, done <-chan struct{}) error {
	pause := tick
	if !deadline.IsZero() {
		rest := time.Until(deadline)
		if rest <= 0 {
			return ErrTooLate
		}
		pause = min(pause, rest)
	}
	if !r.limit.IsZero() {
		pause = max(min(pause, time.Until(r.limit)), 0)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-done:
	case <-r.changed:
	case <-timer.C:
	case <-ctx.Done():
	}
	return r.watch(ctx)
}

// until waits for conditions to hold.
func (r *runner) until(ctx context.Context, step string, list []Condition, deadline time.Time) error {
	if r.assumes() {
		return r.assume(ctx, step, "", list)
	}
	r.judge.forget(list)
	for {
		t, evidence := r.look(list)
		if t == True {
			return r.record(ctx, Entry{Event: EventJudged, Step: step, Outcome: t.String(), Evidence: evidence})
		}
		if err := r.wait(ctx, deadline, nil); err != nil {
			if errors.Is(err, ErrTooLate) && time.Now().Before(r.limitOrNever()) {
				r.tell(ctx, Entry{Event: EventJudged, Step: step, Outcome: t.String(), Evidence: evidence})
				return fmt.Errorf("%w: %w", ErrTooLate, conditionError(ErrCondition, evidence))
			}
			return err
		}
	}
}

func (r *runner) limitOrNever() time.Time {
	if r.limit.IsZero() {
		return time.Now().Add(time.Hour)
	}
	return r.limit
}

// conditionError names what did not hold.
func conditionError(kind error, evidence []Evidence) error {
	for _, e := range evidence {
		if e.Truth != True {
			text := e.Text + " is " + e.Truth.String()
			if e.Value != "" {
				text += " (" + e.Value + ")"
			}
			if e.Why != "" {
				text += ": " + e.Why
			}
			return fmt.Errorf("%w: %s", kind, text)
		}
	}
	return kind
}

// record writes to the audit; without it the workflow must not go on.
func (r *runner) record(ctx context.Context, e Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries++
	e.Time, e.Run, e.Workflow, e.Version, e.Number, e.DryRun = time.Now(), r.id, r.w.Name, r.w.Version, r.entries, r.DryRun
	if e.Event == EventBegin {
		e.Digest = r.digest
	}
	if err := r.Audit.Record(ctx, e); err != nil {
		r.log.Error("the audit cannot be written", "error", err)
		return fmt.Errorf("%w: %w", ErrAudit, err)
	}
	return nil
}

// tell writes to the audit what has happened already, and goes on if that cannot be.
func (r *runner) tell(ctx context.Context, e Entry) {
	_ = r.record(ctx, e) // record has logged it
}

// parts are the bound systems of a part as they are now.
func (r *runner) parts(name string) []*station.System { return systems(r.World.View(), r.bound)[name] }
