package mdib

import (
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Kind is what a change is about; each kind has its own report.
type Kind uint8

const (
	KindNone        Kind = iota
	KindMetric           // EpisodicMetricReport
	KindWaveform         // WaveformStream; on the consumer's side also ObservedValueStream
	KindAlert            // EpisodicAlertReport
	KindComponent        // EpisodicComponentReport
	KindContext          // EpisodicContextReport
	KindOperational      // EpisodicOperationalStateReport
	KindDescription      // DescriptionModificationReport
	KindInvocation       // OperationInvokedReport, consumer's side only: tells of an operation, changes nothing
	KindSystemError      // SystemErrorReport, consumer's side only: changes nothing
)

func (k Kind) String() string {
	names := [...]string{"none", "metric", "waveform", "alert", "component", "context", "operational", "description", "invocation", "system error"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// KindOf returns the kind of change that states of this type are told in.
func KindOf(s pm.State) Kind {
	switch s.(type) {
	case *pm.RealTimeSampleArrayMetricState:
		return KindWaveform
	case pm.MetricState:
		return KindMetric
	case pm.AlertState:
		return KindAlert
	case pm.ComponentState:
		return KindComponent
	case pm.ContextState:
		return KindContext
	case pm.OperationState:
		return KindOperational
	}
	return KindNone
}

// Change is what one commit or one report did to an MDIB.
type Change struct {
	// Kind says which report tells of the change.
	Kind Kind
	// Version is that of After. For a report that does not change the MDIB (invocation, system error) and for periodic reports
	// it is the version the report carries.
	Version Version
	// Before and After are the MDIB as it was and as it is.
	Before, After *Snapshot
	// States lists the states that changed, each once. For KindDescription these are the states of created and updated
	// descriptors.
	States []StateChange
	// Descriptors lists what happened to descriptors, in the order of the report; only for KindDescription.
	Descriptors []DescriptorChange
	// Periodic tells that a periodic report brought the change (consumer's side only).
	Periodic bool
	// Ignored lists what a report told of states with a version lower than the one known, which is not taken over: Before is what is known, After what was told
	// (consumer's side only). Versions never fall (BICEPS R5003), so one of the two is not what the device has.
	Ignored []StateChange
	// Notes tells what was odd about a report that was applied all the same (consumer's side only).
	Notes []Finding

	report msg.Report
}

// StateChange is a state as it was and as it is.
type StateChange struct {
	// Handle is that of the descriptor, for context states their own.
	Handle string
	// Before is nil for a state that was not there before.
	Before, After pm.State
}

// DescriptorChange is a descriptor as it was and as it is.
type DescriptorChange struct {
	// Type tells whether the descriptor was created, updated or deleted.
	Type msg.DescriptionModificationType
	// Handle of the descriptor, of its parent ("" for an MDS), and of the MDS it belongs to.
	Handle, Parent, MDS string
	// Before is nil for a created descriptor, After for a deleted one. Both are without children.
	Before, After pm.Descriptor
	// States are the descriptor's states; none for a deleted one (BICEPS R5053).
	States []pm.State
}

// Report returns the one report that tells of the change (SDPi R1007): a new one for a commit, the one received for a mirror's change. It
// shares states and descriptors with the snapshots and must not be changed.
func (c *Change) Report() msg.Report {
	if c.report != nil {
		return c.report
	}
	base := msg.AbstractReport{MdibVersionGroup: c.Version.Group()}
	switch c.Kind {
	case KindMetric:
		r := &msg.EpisodicMetricReport{}
		r.AbstractReport = base
		group(c, func(mds string) {
			r.ReportPart = append(r.ReportPart, msg.MetricReportPart{AbstractReportPart: source(mds), MetricState: make([]pm.MetricState, 0, len(c.States))})
		}, func(part int, s pm.State) {
			p := &r.ReportPart[part]
			p.MetricState = append(p.MetricState, s.(pm.MetricState))
		})
		return r
	case KindAlert:
		r := &msg.EpisodicAlertReport{}
		r.AbstractReport = base
		group(c, func(mds string) {
			r.ReportPart = append(r.ReportPart, msg.AlertReportPart{AbstractReportPart: source(mds)})
		}, func(part int, s pm.State) {
			p := &r.ReportPart[part]
			p.AlertState = append(p.AlertState, s.(pm.AlertState))
		})
		return r
	case KindComponent:
		r := &msg.EpisodicComponentReport{}
		r.AbstractReport = base
		group(c, func(mds string) {
			r.ReportPart = append(r.ReportPart, msg.ComponentReportPart{AbstractReportPart: source(mds)})
		}, func(part int, s pm.State) {
			p := &r.ReportPart[part]
			p.ComponentState = append(p.ComponentState, s.(pm.ComponentState))
		})
		return r
	case KindContext:
		r := &msg.EpisodicContextReport{}
		r.AbstractReport = base
		group(c, func(mds string) {
			r.ReportPart = append(r.ReportPart, msg.ContextReportPart{AbstractReportPart: source(mds)})
		}, func(part int, s pm.State) {
			p := &r.ReportPart[part]
			p.ContextState = append(p.ContextState, s.(pm.ContextState))
		})
		return r
	case KindOperational:
		r := &msg.EpisodicOperationalStateReport{}
		r.AbstractReport = base
		group(c, func(mds string) {
			r.ReportPart = append(r.ReportPart, msg.OperationalStateReportPart{AbstractReportPart: source(mds)})
		}, func(part int, s pm.State) {
			p := &r.ReportPart[part]
			p.OperationState = append(p.OperationState, s.(pm.OperationState))
		})
		return r
	case KindWaveform:
		r := &msg.WaveformStream{AbstractReport: base, State: make([]*pm.RealTimeSampleArrayMetricState, 0, len(c.States))}
		for i := range c.States {
			r.State = append(r.State, c.States[i].After.(*pm.RealTimeSampleArrayMetricState))
		}
		return r
	case KindDescription:
		r := &msg.DescriptionModificationReport{AbstractReport: base}
		for i := range c.Descriptors {
			d := &c.Descriptors[i]
			descriptor := d.After
			if descriptor == nil {
				descriptor = d.Before
			}
			r.ReportPart = append(r.ReportPart, msg.DescriptionModificationReportPart{
				AbstractReportPart: source(d.MDS),
				ParentDescriptor:   d.Parent,
				ModificationType:   d.Type,
				Descriptor:         []pm.Descriptor{descriptor},
				State:              d.States,
			})
		}
		return r
	}
	return nil
}

func source(mds string) msg.AbstractReportPart { return msg.AbstractReportPart{SourceMds: mds} }

// group sorts the changed states into one report part for each MDS, in the order in which the MDSs come up.
func group(c *Change, start func(mds string), add func(part int, s pm.State)) {
	var sources []string
	_, only, _ := c.After.roots.Min()
	for i := range c.States {
		s, mds := c.States[i].After, only
		if c.After.roots.Len() > 1 {
			mds, _ = c.After.MDSOf(s.BaseState().DescriptorHandle)
		}
		part := 0
		for part < len(sources) && sources[part] != mds {
			part++
		}
		if part == len(sources) {
			sources = append(sources, mds)
			start(mds)
		}
		add(part, s)
	}
}
