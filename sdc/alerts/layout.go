package alerts

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// layout is what the description says about alerts. It is made anew when the description has changed.
type layout struct {
	version    uint64
	systems    []*system
	conditions map[string]*condition
	signals    map[string]*signal
}

type system struct {
	handle     string
	period     time.Duration // between self checks; 0 means none
	conditions []*condition
	signals    []*signal
}

type condition struct {
	handle, system         string
	kind                   pm.AlertConditionKind
	priority               pm.AlertConditionPriority
	escalated, deescalated pm.AlertConditionPriority // "" means it cannot
	delay                  time.Duration
	sources                []string // of a limit condition: numeric metrics
	maxLimits              pm.Range
	autoLimits             bool
	signals                []*signal
	isLimit                bool
}

// judged conditions are limit conditions whose sources the manager can read.
func (c *condition) judged() bool { return c.isLimit && len(c.sources) > 0 }

type signal struct {
	handle, system string
	condition      *condition // nil if it signals none
	manifestation  pm.AlertSignalManifestation
	latching       bool
	delay          time.Duration
	minDelay       pm.Opt[pm.Duration]
	maxDelay       pm.Opt[pm.Duration]
	ackable        bool
	ackTimeout     time.Duration // 0 means none
	delegable      bool
	confirm        time.Duration // a delegate must confirm within
	fallbacks      []*signal     // of a delegable signal
	primaries      []*signal     // of a fallback signal
}

func newLayout(s *mdib.Snapshot, confirm time.Duration) *layout {
	l := &layout{version: s.DescriptionVersion(), conditions: map[string]*condition{}, signals: map[string]*signal{}}
	timeouts := map[string]time.Duration{} // by target
	var order []*signal
	signaled := map[*signal]string{}
	var at *system
	for e := range s.Entities() {
		switch d := e.Descriptor.(type) {
		case *pm.AlertSystemDescriptor:
			at = &system{handle: e.Handle, period: d.SelfCheckPeriod.Or(pm.Duration{}).Std()}
			l.systems = append(l.systems, at)
		case pm.ConditionDescriptor:
			c := newCondition(s, at.handle, d)
			l.conditions[e.Handle] = c
			at.conditions = append(at.conditions, c)
		case *pm.AlertSignalDescriptor:
			g := newSignal(at.handle, d)
			l.signals[e.Handle] = g
			at.signals = append(at.signals, g)
			order = append(order, g)
			signaled[g] = d.ConditionSignaled
		case *pm.SetAlertStateOperationDescriptor:
			if d, ok := d.InvocationEffectiveTimeout.Get(); ok && d.Std() > 0 {
				op := e.Descriptor.(pm.OperationDescriptor).BaseOperation()
				timeouts[op.OperationTarget] = shorter(timeouts[op.OperationTarget], d.Std())
			}
		}
	}
	for _, g := range order {
		if c, ok := l.conditions[signaled[g]]; ok {
			g.condition = c
			c.signals = append(c.signals, g)
		}
	}
	for _, g := range order {
		if !g.delegable {
			continue
		}
		g.confirm = timeouts[g.handle]
		if g.condition != nil {
			for _, f := range g.condition.signals {
				if f.manifestation == g.manifestation && !f.delegable {
					g.fallbacks, f.primaries = append(g.fallbacks, f), append(f.primaries, g)
					g.confirm = shorter(g.confirm, f.delay)
				}
			}
		}
		if g.confirm == 0 {
			g.confirm = confirm
		}
	}
	return l
}

// shorter returns the shorter of two times of which 0 means none.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func newCondition(s *mdib.Snapshot, system string, d pm.ConditionDescriptor) *condition {
	b := d.BaseCondition()
	c := &condition{
		handle: b.Handle, system: system, kind: b.Kind, priority: b.Priority, escalated: b.CanEscalate, deescalated: b.CanDeescalate,
		delay: b.DefaultConditionGenerationDelayOrDefault().Std(),
	}
	l, ok := d.(*pm.LimitAlertConditionDescriptor)
	if !ok {
		return c
	}
	c.isLimit, c.maxLimits, c.autoLimits = true, l.MaxLimits, l.AutoLimitSupported
	for _, h := range b.Source {
		if _, ok := mdib.Get[*pm.NumericMetricDescriptor](s, h); ok {
			c.sources = append(c.sources, h)
		}
	}
	return c
}

func newSignal(system string, d *pm.AlertSignalDescriptor) *signal {
	return &signal{
		handle: d.Handle, system: system, manifestation: d.Manifestation, latching: d.Latching,
		delay: d.DefaultSignalGenerationDelayOrDefault().Std(), minDelay: d.MinSignalGenerationDelay, maxDelay: d.MaxSignalGenerationDelay,
		ackable: d.AcknowledgementSupported, ackTimeout: d.AcknowledgeTimeout.Or(pm.Duration{}).Std(), delegable: d.SignalDelegationSupported,
	}
}
