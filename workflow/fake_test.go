package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/workflow"
)

// Codes of what the machines of the fake world show and do.
const (
	codeState = "100" // text: off, on or held
	codeLevel = "101" // number, a setting
	codeOn    = "201"
	codeOff   = "202"
	codeHold  = "203" // lasts for lease unless it is called again
	codeFree  = "204"
	codeSet   = "205"
	codeAlert = "300"
)

const lease = 4 * time.Second

// machine is a device of the fake world. Its fields may be changed within fake.change only.
type machine struct {
	epr     string
	state   string
	level   int64
	link    station.LinkState
	patient string
	alert   bool
	status  pm.MeasurementValidity
	mode    pm.OperatingMode
	bare    bool          // without operations
	heldFor time.Duration // the longest hold there was
	begun   time.Time     // of the hold
	ends    *time.Timer   // of the lease
}

// fault is what goes wrong with an invocation.
type fault int

const (
	fine     fault = iota
	refuse         // the machine says no
	lose           // the request does not arrive
	noAnswer       // it arrives, and the answer does not
)

// call is an invocation that has reached the world.
type call struct {
	at     time.Time
	device string
	op     string
}

func (c call) String() string { return c.device + "." + c.op }

// fake is a world of machines in virtual time.
type fake struct {
	t        *testing.T
	machines map[string]*machine

	mu     sync.Mutex
	view   *station.View
	news   chan struct{} // closed with each view
	calls  []call
	faults func(n int, c call) fault // of the nth invocation, from 1; nil is fine

	audited []workflow.Entry
	broken  func(n int, e workflow.Entry) bool // of the nth entry; nil is never
	told    func(e workflow.Entry)             // looks at each entry
	human   human
}

// human answers.
type human struct {
	answer func(ctx context.Context) (bool, error) // nil is yes

	mu     sync.Mutex
	asked  []string
	alarms []string
}

func (h *human) Confirm(ctx context.Context, question string) (bool, string, error) {
	h.mu.Lock()
	h.asked = append(h.asked, question)
	h.mu.Unlock()
	if h.answer == nil {
		return true, "tester", nil
	}
	yes, err := h.answer(ctx)
	return yes, "tester", err
}

func (h *human) Alarm(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.alarms = append(h.alarms, text)
}

// world calls test in a bubble of virtual time, with machines of the names.
func world(t *testing.T, test func(f *fake), names ...string) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		f := &fake{t: t, machines: map[string]*machine{}, news: make(chan struct{})}
		for _, name := range names {
			f.machines[name] = &machine{epr: name, state: "off", link: station.LinkLive, patient: "P1", status: pm.MeasurementValidityVld, mode: pm.OperatingModeEn}
		}
		f.change(func() {})
		test(f)
		f.change(func() {
			for _, m := range f.machines {
				if m.ends != nil {
					m.ends.Stop()
				}
			}
		})
	})
}

// change does something to the machines and shows it.
func (f *fake) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	v := &station.View{Version: 1, Time: time.Now()}
	for _, m := range f.machines {
		if m.link != "" {
			v.Devices = append(v.Devices, m.show())
		}
	}
	slices.SortFunc(v.Devices, func(a, b *station.Device) int { return strings.Compare(a.EPR, b.EPR) })
	f.view = v
	close(f.news)
	f.news = make(chan struct{})
}

func (m *machine) show() *station.Device {
	ref := func(h string) station.Ref { return station.Ref{Device: m.epr, Handle: h} }
	now := time.Now()
	value := func(code string, role station.Role) *station.Value {
		return &station.Value{
			Ref: ref(code), MDS: "mds", Meaning: station.Meaning{Code: station.MDC(code), Role: role}, Validity: m.status, Activation: pm.ComponentActivationOn,
			Determined: now, Arrived: now, Stale: m.link != station.LinkLive,
		}
	}
	state, level := value(codeState, station.Measured), value(codeLevel, station.Setting)
	state.Text, level.Number = m.state, pm.Some(pm.NewDecimal(m.level, 0))
	link := station.Link{State: m.link}
	s := &station.System{
		Device: m.epr, Handle: "mds", Type: station.MDC("1"), Link: link, Values: []*station.Value{state, level},
		Patient: station.PatientContext{Association: station.Associated, IDs: []station.Identifier{{Root: "r", Extension: m.patient}}},
		Alerts:  []*station.Alert{{Ref: ref(codeAlert), Code: station.MDC(codeAlert), Present: m.alert, Activation: pm.AlertActivationOn, System: pm.AlertActivationOn, Stale: m.link != station.LinkLive}},
	}
	if m.link == station.LinkConnecting {
		return &station.Device{EPR: m.epr, Name: m.epr, Link: link}
	}
	if m.bare {
		return &station.Device{EPR: m.epr, Name: m.epr, Link: link, Systems: []*station.System{s}}
	}
	for _, code := range []string{codeOn, codeOff, codeHold, codeFree, codeSet} {
		o := &station.Operation{Ref: ref(code), MDS: "mds", Kind: station.Activate, Code: station.MDC(code), Mode: m.mode}
		switch code {
		case codeHold:
			o.Effective = lease
		case codeSet:
			o.Kind, o.Target = station.SetValue, codeLevel
			o.Ranges = []pm.Range{{Lower: pm.Some(pm.NewDecimal(0, 0)), Upper: pm.Some(pm.NewDecimal(10, 0))}}
		}
		s.Operations = append(s.Operations, o)
	}
	return &station.Device{EPR: m.epr, Name: m.epr, Link: link, Systems: []*station.System{s}}
}

func (f *fake) View() *station.View {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.view
}

func (f *fake) Views(ctx context.Context) iter.Seq[*station.View] {
	return func(yield func(*station.View) bool) {
		for {
			f.mu.Lock()
			v, news := f.view, f.news
			f.mu.Unlock()
			if !yield(v) {
				return
			}
			select {
			case <-news:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Invoke takes 100 ms unless something goes wrong.
func (f *fake) Invoke(ctx context.Context, epr string, request msg.SetRequest) (*consumer.Result, error) {
	c := call{time.Now(), epr, request.BaseSet().OperationHandleRef}
	f.mu.Lock()
	f.calls = append(f.calls, c)
	what := fine
	if f.faults != nil {
		what = f.faults(len(f.calls), c)
	}
	f.mu.Unlock()
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch what {
	case refuse:
		res := &consumer.Result{State: msg.InvocationStateFail}
		return res, &consumer.OperationError{Operation: c.op, Result: res}
	case lose:
		<-ctx.Done()
		return nil, ctx.Err()
	case fine, noAnswer:
	}
	f.change(func() { f.machines[epr].do(f, c.op, request) })
	if what == noAnswer {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &consumer.Result{State: msg.InvocationStateFin}, nil
}

// do is what a machine does for an operation.
func (m *machine) do(f *fake, op string, request msg.SetRequest) {
	if op != codeHold && m.state == "held" {
		m.free()
	}
	switch op {
	case codeOn:
		m.state = "on"
	case codeOff, codeFree:
		m.state = "off"
	case codeSet:
		m.level = int64(request.(*msg.SetValue).RequestedNumericValue.Float64())
	case codeHold:
		if m.state != "held" {
			m.state, m.begun = "held", time.Now()
			m.ends = time.AfterFunc(lease, func() { f.change(m.free) })
			return
		}
		m.ends.Reset(lease)
	}
}

// free ends a hold.
func (m *machine) free() {
	if m.state != "held" {
		return
	}
	m.ends.Stop()
	m.heldFor = max(m.heldFor, time.Since(m.begun))
	m.state = "off"
}

// Record is the audit.
func (f *fake) Record(_ context.Context, e workflow.Entry) error {
	f.mu.Lock()
	f.audited = append(f.audited, e)
	n, broken, told := len(f.audited), f.broken, f.told
	f.mu.Unlock()
	if told != nil {
		told(e)
	}
	if broken != nil && broken(n, e) {
		return errors.New("disk full")
	}
	return nil
}

// run parses and runs a workflow. The head of all of them is written here.
func (f *fake) run(ctx context.Context, text string, edit func(*workflow.Options)) *workflow.Result {
	f.t.Helper()
	if !strings.Contains(text, "devices:") {
		text = "devices: [{name: a}]\n" + text
	}
	if !strings.Contains("\n"+text, "\nlimit:") && !strings.Contains("\n"+text, "\nrepeat:") {
		text = "limit: 1m\n" + text
	}
	w, err := workflow.Parse([]byte("workflow: test\nversion: 1\n" + text))
	require.NoError(f.t, err)
	o := workflow.Options{Workflow: w, World: f, Human: &f.human, Audit: f, Find: 2 * time.Second}
	for _, p := range w.Devices {
		if o.Devices == nil {
			o.Devices = map[string][]string{}
		}
		o.Devices[p.Name] = []string{p.Name}
	}
	if edit != nil {
		edit(&o)
	}
	res, err := workflow.Run(ctx, o)
	require.NoError(f.t, err)
	return res
}

// called are the invocations in order.
func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, len(f.calls))
	for i, c := range f.calls {
		out[i] = c.String()
	}
	return out
}

func (f *fake) state(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.machines[name].state
}

// trail is the audit as text, for failures.
func (f *fake) trail() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, e := range f.audited {
		fmt.Fprintf(&b, "%s %s %s %s %s %s %s\n", e.Time.Format("05.000"), e.Event, e.Step, e.Device, e.Operation, e.Outcome, e.Text)
	}
	return b.String()
}

// after changes the machines after some time, unless the test is over before.
func (f *fake) after(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() { f.change(do) })
}
