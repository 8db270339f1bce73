package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
)

// Periodic switches periodic reports on; the zero value sends none. A periodic report holds the current states of its kind, changed or not, and the MDIB version
// they are of; it does not raise that version. States of waveforms are not in them: they have their stream.
type Periodic struct {
	// Metric, Alert, Component, Context and Operational are how often all states of the kind are reported; 0 means never, the least is MinPeriod.
	Metric, Alert, Component, Context, Operational time.Duration
	// Retrievability follows the extension msg:Retrievability of descriptors: states with the method Per are reported with its UpdatePeriod, if that is below
	// MinPeriod with MinPeriod. Descriptors that have the extension are left out of the reports with fixed periods.
	Retrievability bool
}

// MinPeriod is the shortest period of periodic reports: an MDIB file must not be able to flood a network.
const MinPeriod = 50 * time.Millisecond

func (c Periodic) enabled() bool { return c != Periodic{} }

// fixed lists the kinds and their fixed periods.
func (c Periodic) fixed() []period {
	return []period{
		{mdib.KindMetric, c.Metric}, {mdib.KindAlert, c.Alert}, {mdib.KindComponent, c.Component},
		{mdib.KindContext, c.Context}, {mdib.KindOperational, c.Operational},
	}
}

func (c Periodic) validate() error {
	var errs []error
	for _, f := range c.fixed() {
		if f.every != 0 && f.every < MinPeriod {
			errs = append(errs, fmt.Errorf("periodic %s reports every %v: less than %v", f.kind, f.every, MinPeriod))
		}
	}
	return errors.Join(errs...)
}

// period is one kind of state, reported every so often.
type period struct {
	kind  mdib.Kind
	every time.Duration
}

// schedule says which descriptors' states are reported with which period, for one description.
type schedule struct {
	description uint64
	groups      map[period][]string // handles of descriptors in the order of the containment tree
	due         map[period]time.Time
}

// plan makes the schedule of a description. Periods that go on keep their beat.
func (p *Provider) plan(snap *mdib.Snapshot, old *schedule, now time.Time) *schedule {
	cfg := p.cfg.Periodic
	s := &schedule{description: snap.DescriptionVersion(), groups: map[period][]string{}, due: map[period]time.Time{}}
	for e := range snap.Entities() {
		kind := kindOfEntity(e)
		if kind == mdib.KindNone || kind == mdib.KindWaveform {
			continue
		}
		if cfg.Retrievability {
			r, ok, err := ext.Retrievability(e.Descriptor.Base().Extension)
			if err != nil {
				p.log.Warn("the retrievability of a descriptor cannot be read", "handle", e.Handle, "error", err.Error())
			} else if ok {
				s.retrievable(e.Handle, kind, r)
				continue
			}
		}
		for _, f := range cfg.fixed() {
			if f.kind == kind && f.every > 0 {
				s.groups[f] = append(s.groups[f], e.Handle)
			}
		}
	}
	for g := range s.groups {
		s.due[g] = now.Add(g.every)
		if old == nil {
			continue
		}
		if at, ok := old.due[g]; ok {
			s.due[g] = at
		}
	}
	return s
}

func (s *schedule) retrievable(handle string, kind mdib.Kind, r msg.Retrievability) {
	seen := map[period]bool{}
	for i := range r.By {
		if r.By[i].Method != msg.RetrievabilityMethodPer {
			continue
		}
		g := period{kind, max(r.By[i].UpdatePeriodOrDefault().Std(), MinPeriod)}
		if !seen[g] {
			seen[g] = true
			s.groups[g] = append(s.groups[g], handle)
		}
	}
}

// kindOfEntity returns the kind of the states of a descriptor, whether it has any now or not.
func kindOfEntity(e mdib.Entity) mdib.Kind {
	if _, ok := e.Descriptor.(pm.ContextDescriptor); ok {
		return mdib.KindContext
	}
	if e.State == nil {
		return mdib.KindNone
	}
	return mdib.KindOf(e.State)
}

// reportPeriodically sends the periodic reports until ctx ends.
func (p *Provider) reportPeriodically(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var s *schedule
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.redescribed:
		case <-timer.C:
		}
		now := time.Now()
		if snap := p.store.Load(); s == nil || s.description != snap.DescriptionVersion() {
			s = p.plan(snap, s, now)
		}
		p.sendDue(s, now)
		next := time.Duration(1<<63 - 1)
		for _, at := range s.due {
			next = min(next, time.Until(at))
		}
		timer.Reset(max(next, 0))
	}
}

// sendDue sends one report for each kind of which something is due.
func (p *Provider) sendDue(s *schedule, now time.Time) {
	for _, kind := range []mdib.Kind{mdib.KindMetric, mdib.KindAlert, mdib.KindComponent, mdib.KindContext, mdib.KindOperational} {
		handles := map[string]bool{}
		for g, of := range s.groups {
			if g.kind != kind || s.due[g].After(now) {
				continue
			}
			for _, h := range of {
				handles[h] = true
			}
			// Beats that were missed, by a device that slept, are not made up for.
			for !s.due[g].After(now) {
				s.due[g] = s.due[g].Add(max(g.every, now.Sub(s.due[g]).Truncate(g.every)))
			}
		}
		if len(handles) > 0 {
			p.publishPeriodic(kind, handles)
		}
	}
}

// publishPeriodic reports the states of the descriptors as they are now. It holds p.publishing, so that the report is between those of its version and the next.
func (p *Provider) publishPeriodic(kind mdib.Kind, handles map[string]bool) {
	report := newPeriodic(kind)
	element := report.BodyName().Local
	action, ok := sdc.NotificationAction(element)
	source := p.source.Load()
	if !ok || source == nil || !source.Wants(action) {
		return
	}
	p.publishing.Lock()
	defer p.publishing.Unlock()
	snap := p.store.Load()
	for e := range snap.Entities() {
		if !handles[e.Handle] {
			continue
		}
		if e.State != nil {
			addPeriodic(report, e.MDS, e.State)
		}
		for _, c := range e.Contexts {
			addPeriodic(report, e.MDS, c)
		}
	}
	*report.Version() = versionGroup(snap)
	size := source.PublishBody(action, report)
	p.log.LogAttrs(context.Background(), slog.LevelDebug, "periodic report", slog.String("report", element), slog.Int("bytes", size))
}

func newPeriodic(kind mdib.Kind) msg.Report {
	switch kind {
	case mdib.KindAlert:
		return &msg.PeriodicAlertReport{}
	case mdib.KindComponent:
		return &msg.PeriodicComponentReport{}
	case mdib.KindContext:
		return &msg.PeriodicContextReport{}
	case mdib.KindOperational:
		return &msg.PeriodicOperationalStateReport{}
	}
	return &msg.PeriodicMetricReport{}
}

// addPeriodic puts a state into the part of its MDS.
func addPeriodic(report msg.Report, mds string, s pm.State) {
	of := msg.AbstractReportPart{SourceMds: mds}
	switch r := report.(type) {
	case *msg.PeriodicMetricReport:
		part := partOf(&r.ReportPart, mds, func(p *msg.MetricReportPart) *msg.AbstractReportPart { return &p.AbstractReportPart }, of)
		part.MetricState = append(part.MetricState, s.(pm.MetricState))
	case *msg.PeriodicAlertReport:
		part := partOf(&r.ReportPart, mds, func(p *msg.AlertReportPart) *msg.AbstractReportPart { return &p.AbstractReportPart }, of)
		part.AlertState = append(part.AlertState, s.(pm.AlertState))
	case *msg.PeriodicComponentReport:
		part := partOf(&r.ReportPart, mds, func(p *msg.ComponentReportPart) *msg.AbstractReportPart { return &p.AbstractReportPart }, of)
		part.ComponentState = append(part.ComponentState, s.(pm.ComponentState))
	case *msg.PeriodicContextReport:
		part := partOf(&r.ReportPart, mds, func(p *msg.ContextReportPart) *msg.AbstractReportPart { return &p.AbstractReportPart }, of)
		part.ContextState = append(part.ContextState, s.(pm.ContextState))
	case *msg.PeriodicOperationalStateReport:
		part := partOf(&r.ReportPart, mds, func(p *msg.OperationalStateReportPart) *msg.AbstractReportPart { return &p.AbstractReportPart }, of)
		part.OperationState = append(part.OperationState, s.(pm.OperationState))
	}
}

// partOf returns the part of an MDS, a new one if there is none; states come MDS by MDS, so that only the last can be it.
func partOf[P any](parts *[]P, mds string, base func(*P) *msg.AbstractReportPart, of msg.AbstractReportPart) *P {
	if n := len(*parts); n > 0 && base(&(*parts)[n-1]).SourceMds == mds {
		return &(*parts)[n-1]
	}
	var part P
	*base(&part) = of
	*parts = append(*parts, part)
	return &(*parts)[len(*parts)-1]
}
