package plugathon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/soap"
)

// Config of a run.
type Config struct {
	// Consumer connects to the device. It is not closed.
	Consumer *consumer.Consumer
	// Find returns the device. It is called once Hellos are listened for, so that it may wait for the device to appear.
	Find func(ctx context.Context) (discovery.Endpoint, error)
	// Discovery opens the transport of discovery; nil leaves steps 1a and 1b out. It is called for each step that
	// listens or asks.
	Discovery func() (discovery.Transport, error)
	// Proxy is the URL of a discovery proxy, or sdc.LearnProxy; empty leaves steps 1c and 1d out.
	Proxy string
	// Timing has the delays of discovery; zero fields take defaults.
	Timing discovery.Timing
	// Steps are the steps to take; nil takes all.
	Steps []string
	// Window is how long the device is watched at most in steps 4 and 5; 0 is 30 s. It ends early when nothing more has to be seen.
	Window time.Duration
	// StepTimeout bounds a request and an operation; 0 is 15 s.
	StepTimeout time.Duration
	// Journal, if set, is told of the datagrams of step 1b; those of the other steps are in that of the consumer.
	Journal soap.Journal
	// Logger receives what happens; nil discards.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Consumer == nil || c.Find == nil {
		return c, errors.New("plugathon: a Consumer and a way to find the device are needed")
	}
	if err := unknownSteps(c.Steps); err != nil {
		return c, err
	}
	if c.Window < 0 || c.StepTimeout < 0 {
		return c, errors.New("plugathon: durations must not be negative")
	}
	if c.Window == 0 {
		c.Window = 30 * time.Second
	}
	if c.StepTimeout == 0 {
		c.StepTimeout = 15 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// run is a script under way.
type run struct {
	cfg Config
	dev *consumer.Device
	log *slog.Logger

	mu       sync.Mutex
	verdicts map[string]verdict
}

// Run takes the steps and returns a result for each, in the order of the script. The error is that of a wrong Config, or why there is nothing to judge: the device was
// not found, or no connection to it could be made at all. One that was reached and cannot be connected to fails its steps. A done ctx fails what has not been seen by then.
func Run(ctx context.Context, cfg Config) ([]Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, log: cfg.Logger, verdicts: map[string]verdict{}}
	if err := r.play(ctx); err != nil {
		return nil, fmt.Errorf("the device was not reached: %w", err)
	}
	return r.results(), nil
}

// wants reports whether any of the steps is to be taken.
func (r *run) wants(ids ...string) bool {
	return r.cfg.Steps == nil || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(r.cfg.Steps, id) })
}

func (r *run) set(id string, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdicts[id] = v
}

func (r *run) results() []Result {
	var out []Result
	for _, s := range Steps() {
		if !r.wants(s.ID) {
			continue
		}
		v, ok := r.verdicts[s.ID]
		if !ok {
			v = failf("not reached")
		}
		out = append(out, Result{s, v.outcome, v.evidence})
	}
	return out
}

// play takes the steps. The error says why the device was never reached.
func (r *run) play(ctx context.Context) error {
	ears, deaf := r.listen(ctx)
	defer ears.close()
	managed, unmanaged := r.attend(ctx)
	defer managed.close()
	found, err := r.cfg.Find(ctx)
	if err != nil {
		return err
	}
	var reached atomic.Bool
	r.dev, err = r.cfg.Consumer.Connect(soap.WithContact(ctx, func(soap.Contact) { reached.Store(true) }), found)
	if err != nil && !reached.Load() {
		return err
	}
	if err != nil {
		for _, s := range Steps() {
			if _, ok := r.verdicts[s.ID]; !ok {
				r.set(s.ID, failf("not connected: %v", err))
			}
		}
		return nil
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.StepTimeout)
		defer cancel()
		if err := r.dev.Close(closing); err != nil {
			r.log.Warn("disconnecting", "error", err)
		}
	}()
	r.metadata()
	r.mdib()

	// The rest happens at the same time, so that the device has to do it at the same time.
	notes := newNotebook(r.dev.MDIB(), time.Now().Add(r.cfg.Window))
	window, closeWindow := context.WithTimeout(ctx, r.cfg.Window)
	defer closeWindow()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var others, watcher sync.WaitGroup
	var trials []trial
	watcher.Go(func() {
		r.watch(watching, notes, func() {
			if r.seenAll(notes) {
				closeWindow()
			}
		})
		closeWindow() // there is nothing more to be seen
	})
	others.Go(func() { r.renewals(ctx) })
	others.Go(func() { r.answers(ctx) })
	others.Go(func() { r.location(ctx) })
	others.Go(func() { r.texts(ctx) })
	others.Go(func() {
		trials = r.operate(ctx)
		rest(ctx, afterwards)
	})
	others.Wait()
	<-window.Done()
	stop()
	watcher.Wait()
	for id, v := range notes.verdicts() {
		r.set(id, v)
	}
	for _, t := range trials {
		r.set(t.step, notes.counted(t))
	}
	r.mirrored(notes)
	r.set("1a", ears.verdict(r.dev.EPR()))
	if deaf != nil {
		r.set("1a", failf("%v", deaf))
	}
	r.set("1c", managed.hello(r.dev.EPR()))
	asking, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	r.set("1d", managed.answers(asking, r.dev.EPR()))
	if unmanaged != nil {
		r.set("1c", failf("%v", unmanaged))
		r.set("1d", failf("%v", unmanaged))
	}
	return nil
}

// afterwards is how long a report too many of the last operation may take to come.
const afterwards = time.Second

// rest waits.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// seenAll reports whether the watched steps that are wanted have all been passed.
func (r *run) seenAll(n *notebook) bool {
	now := n.verdicts()
	for _, id := range watched() {
		if r.wants(id) && now[id].outcome == Fail {
			return false
		}
	}
	return true
}

// metadata: connecting read it.
func (r *run) metadata() {
	m := r.dev.Metadata()
	if m.ThisModel == nil || m.ThisDevice == nil || len(m.Hosted) == 0 {
		r.set("2a", failf("the metadata lacks ThisModel, ThisDevice or hosted services"))
		return
	}
	name := ""
	if n := m.ThisDevice.FriendlyName; len(n) > 0 {
		name = n[0].Text
	}
	r.set("2a", passf("%q at %s: %s", name, r.dev.XAddr(), strings.Join(r.dev.Services(), " ")))
}

func (r *run) mdib() {
	s := r.dev.MDIB()
	r.set("3a", judge(s.Len() > 0, "%d descriptors and %d states at MDIB version %d", s.Len(), s.NumStates(), s.Version().MdibVersion))
}

// mirrored adds to step 3a what became of the mirror.
func (r *run) mirrored(n *notebook) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := r.verdicts["3a"]
	v.evidence += fmt.Sprintf("; %d reports applied", n.applied)
	if len(n.odd) > 0 {
		v.evidence += fmt.Sprintf(", %d remarks, the first: %s", len(n.odd), n.odd[0])
	}
	if n.gaps > 0 {
		v.outcome = Fail
		v.evidence += fmt.Sprintf("; the mirror was lost %d times: %v", n.gaps, n.cause)
	}
	r.set("3a", v)
}

// maxGranted is the longest subscription a reference device may grant.
const maxGranted = 15 * time.Second

// renewals: the consumer renews by itself; that it was in time shows when a subscription outlives what it was first granted.
func (r *run) renewals(ctx context.Context) {
	if !r.wants("2b") {
		return
	}
	first := r.dev.Subscriptions()
	if len(first) == 0 {
		r.set("2b", failf("the device has granted no subscription"))
		return
	}
	until := time.Now()
	for _, s := range first {
		if s.Granted > maxGranted {
			r.set("2b", failf("granted %s, more than %s", s.Granted, maxGranted))
			return
		}
		if s.Expires.After(until) {
			until = s.Expires
		}
	}
	timer := time.NewTimer(time.Until(until) + time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.dev.Ended():
		r.set("2b", failf("the device was lost"))
		return
	case <-ctx.Done():
	}
	renewed := 0
	for _, now := range r.dev.Subscriptions() {
		for _, was := range first {
			if now.ID == was.ID && now.Err == nil && now.Expires.After(was.Expires) {
				renewed++
			}
		}
	}
	r.set("2b", judge(renewed == len(first), "%d of %d subscriptions of %s renewed in time", renewed, len(first), first[0].Granted.Round(time.Millisecond)))
}

// location: step 3b.
func (r *run) location(ctx context.Context) {
	if !r.wants("3b") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StepTimeout)
	defer cancel()
	answer, err := r.dev.GetContextStates(ctx)
	if err != nil {
		r.set("3b", failf("%v", err))
		return
	}
	for _, s := range answer.ContextState {
		if l, ok := s.(*pm.LocationContextState); ok {
			detail := ""
			if d := l.LocationDetail; d != nil {
				detail = fmt.Sprintf(": facility %q, point of care %q, bed %q", d.Facility, d.PoC, d.Bed)
			}
			r.set("3b", passf("%s is %s%s", l.Handle, l.ContextAssociationOrDefault(), detail))
			return
		}
	}
	r.set("3b", failf("%d context states, none of a location", len(answer.ContextState)))
}
