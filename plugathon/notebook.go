package plugathon

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// tally counts updates by handle.
type tally map[string]int

func (t tally) total() int {
	n := 0
	for _, c := range t {
		n += c
	}
	return n
}

// selfChecks of one alert system.
type selfChecks struct {
	period time.Duration
	count  int64
	at     time.Time // of the last move
	moves  int
	gap    time.Duration // longest between two moves
}

// wave is what came of one waveform.
type wave struct {
	messages    int
	sizes       map[int]int // messages by number of samples
	first, last time.Time
}

// rate in messages a second.
func (w *wave) rate() float64 {
	d := w.last.Sub(w.first).Seconds()
	if w.messages < 2 || d <= 0 {
		return 0
	}
	return float64(w.messages-1) / d
}

// size is the number of samples that at least nine of ten messages have; 0 if there is none.
func (w *wave) size() int {
	for size, n := range w.sizes {
		if 10*n >= 9*w.messages {
			return size
		}
	}
	return 0
}

// report of an operation.
type report struct {
	operation string
	state     msg.InvocationState
}

// notebook keeps what was seen of the device.
type notebook struct {
	mu      sync.Mutex
	until   time.Time // updates later than that do not count
	applied int
	gaps    int
	cause   error // of the last gap
	odd     []mdib.Finding

	numbers, strings, conditions, signals tally
	times, components, operations         tally
	checks                                map[string]*selfChecks
	waves                                 map[string]*wave

	concepts, causes, units []time.Time
	visitors                map[string]bool // handles of VMDs inserted with channel and metric
	reused                  string          // a handle that was inserted twice
	removed                 tally           // VMDs removed
	invoked                 map[uint32][]report
}

func newNotebook(s *mdib.Snapshot, until time.Time) *notebook {
	n := &notebook{
		until:   until,
		numbers: tally{}, strings: tally{}, conditions: tally{}, signals: tally{}, times: tally{}, components: tally{}, operations: tally{},
		checks: map[string]*selfChecks{}, waves: map[string]*wave{}, visitors: map[string]bool{}, removed: tally{}, invoked: map[uint32][]report{},
	}
	for e := range s.Entities() {
		d, ok := e.Descriptor.(*pm.AlertSystemDescriptor)
		if !ok {
			continue
		}
		if period, ok := d.SelfCheckPeriod.Get(); ok {
			c := &selfChecks{period: period.Std()}
			if state, ok := e.State.(*pm.AlertSystemState); ok {
				c.count = state.SelfCheckCount.Or(0)
			}
			n.checks[e.Handle] = c
		}
	}
	return n
}

// watch notes everything until ctx ends, and calls seen after each step forward.
func (r *run) watch(ctx context.Context, n *notebook, seen func()) {
	for u, err := range r.dev.Updates(ctx) {
		if err != nil {
			n.mu.Lock()
			n.gaps++
			n.cause = err
			n.mu.Unlock()
			return
		}
		n.note(u)
		seen()
	}
}

func (n *notebook) note(u consumer.Update) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if u.Gap != nil {
		n.gaps++
		n.cause = u.Gap.Cause
	}
	if r, ok := u.Report.(*msg.OperationInvokedReport); ok {
		for i := range r.ReportPart {
			p := &r.ReportPart[i]
			id := p.InvocationInfo.TransactionId
			n.invoked[id] = append(n.invoked[id], report{p.OperationHandleRef, p.InvocationInfo.InvocationState})
		}
	}
	if u.Change == nil || u.Time.After(n.until) {
		return
	}
	n.applied++
	if len(n.odd) < 100 {
		n.odd = append(n.odd, u.Change.Notes...)
	}
	if u.Change.Kind == mdib.KindDescription {
		n.description(u.Change, u.Time)
		return
	}
	for _, s := range u.Change.States {
		n.state(s.Handle, s.After, u.Time)
	}
}

func (n *notebook) state(handle string, s pm.State, at time.Time) {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		n.numbers[handle]++
	case *pm.StringMetricState, *pm.EnumStringMetricState:
		n.strings[handle]++
	case *pm.RealTimeSampleArrayMetricState:
		w := n.waves[handle]
		if w == nil {
			w = &wave{sizes: map[int]int{}, first: at}
			n.waves[handle] = w
		}
		w.messages++
		w.last = at
		if s.MetricValue != nil {
			w.sizes[len(s.MetricValue.Samples)]++
		}
	case *pm.AlertSystemState:
		n.selfCheck(handle, s, at)
	case pm.ConditionState:
		n.conditions[handle]++
	case *pm.AlertSignalState:
		n.signals[handle]++
	case *pm.ClockState, *pm.BatteryState:
		n.times[handle]++
	case *pm.MdsState, *pm.VmdState:
		n.components[handle]++
	case pm.OperationState:
		n.operations[handle]++
	}
}

func (n *notebook) selfCheck(handle string, s *pm.AlertSystemState, at time.Time) {
	c := n.checks[handle]
	if c == nil || s.SelfCheckCount.Or(0) == c.count {
		return
	}
	if c.moves > 0 {
		c.gap = max(c.gap, at.Sub(c.at))
	}
	c.count, c.at = s.SelfCheckCount.Or(0), at
	c.moves++
}

func (n *notebook) description(c *mdib.Change, at time.Time) {
	vmds := map[string]bool{}     // created here
	channels := map[string]bool{} // created here below those
	for i := range c.Descriptors {
		d := &c.Descriptors[i]
		switch d.Type {
		case msg.DescriptionModificationTypeUpt:
			n.updated(d, at)
		case msg.DescriptionModificationTypeCrt:
			switch d.After.(type) {
			case *pm.VmdDescriptor:
				vmds[d.Handle] = true
			case *pm.ChannelDescriptor:
				channels[d.Handle] = vmds[d.Parent]
			case pm.MetricDescriptor:
				if !channels[d.Parent] {
					continue
				}
				vmd, _ := c.After.Parent(d.Parent)
				if n.visitors[vmd] {
					n.reused = vmd
				}
				n.visitors[vmd] = true
			}
		case msg.DescriptionModificationTypeDel:
			if _, ok := d.Before.(*pm.VmdDescriptor); ok {
				n.removed[d.Handle]++
			}
		}
	}
}

func (n *notebook) updated(d *mdib.DescriptorChange, at time.Time) {
	if before, ok := d.Before.(pm.ConditionDescriptor); ok {
		after, ok := d.After.(pm.ConditionDescriptor)
		if !ok {
			return
		}
		a, b := before.BaseCondition(), after.BaseCondition()
		if a.Type != nil && b.Type != nil && !sameTexts(a.Type.ConceptDescription, b.Type.ConceptDescription) {
			n.concepts = append(n.concepts, at)
		}
		if !slices.EqualFunc(a.CauseInfo, b.CauseInfo, sameCause) {
			n.causes = append(n.causes, at)
		}
		return
	}
	before, okBefore := d.Before.(pm.MetricDescriptor)
	after, okAfter := d.After.(pm.MetricDescriptor)
	if okBefore && okAfter && !before.BaseMetric().Unit.Equal(&after.BaseMetric().Unit) {
		n.units = append(n.units, at)
	}
}

func sameCause(a, b pm.CauseInfo) bool {
	if !sameTexts(a.Description, b.Description) {
		return false
	}
	var x, y []pm.LocalizedText
	if a.RemedyInfo != nil {
		x = a.RemedyInfo.Description
	}
	if b.RemedyInfo != nil {
		y = b.RemedyInfo.Description
	}
	return sameTexts(x, y)
}

func sameTexts(a, b []pm.LocalizedText) bool { return slices.Equal(a, b) }
