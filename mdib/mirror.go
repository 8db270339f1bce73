package mdib

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/semeco/go-sdc/internal/pmap"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// MirrorConfig of a Mirror. The zero value is good for a consumer that gets only some kinds of reports.
type MirrorConfig struct {
	// AllReports tells that every kind of report that raises the MDIB version is subscribed to: metric, waveform, alert, component, context,
	// operational state and description. Only then can a missing version be told from a report of another kind, and is a *GapError.
	AllReports bool
	// MaxStates bounds the states and the descriptors a device may have; 0 means 200 000. What exceeds it is refused
	// with ErrTooLarge, and not built.
	MaxStates int
}

const maxStates = 200_000

// maxContexts bounds the states of one context descriptor a mirror keeps. Devices tell of new context states but have no way to tell that one is
// gone (BICEPS R5027); of the states that may be gone the oldest are forgotten first.
const maxContexts = 1000

// Mirror is a consumer's copy of a device's MDIB. Load may be called from any goroutine; Reset and Apply too, but the caller sees to the
// order of the reports.
type Mirror struct {
	cfg     MirrorConfig
	current atomic.Pointer[Snapshot]
	mu      sync.Mutex // serialises Reset and Apply
	filled  bool
}

// NewMirror makes a mirror that is empty until the first Reset.
func NewMirror(cfg MirrorConfig) *Mirror {
	if cfg.MaxStates <= 0 {
		cfg.MaxStates = maxStates
	}
	m := &Mirror{cfg: cfg}
	m.current.Store(&Snapshot{})
	return m
}

// Load returns the MDIB as last known; an empty one before the first Reset. It never blocks.
func (m *Mirror) Load() *Snapshot { return m.current.Load() }

// Reset takes over a whole MDIB. It refuses one whose structure is broken as FromMdib does, except that handles may hold any
// characters, and then keeps what it had. States a device does not tell of are not made up.
//
// The response belongs to the mirror afterwards. Reports received meanwhile are to be applied after it, oldest first (CONS-3);
// those the response includes already are recognised.
func (m *Mirror) Reset(r *msg.GetMdibResponse) (*Snapshot, error) {
	s, faults := fromMdib(&r.Mdib, true, m.cfg.MaxStates)
	if len(faults) > 0 {
		if last := faults[len(faults)-1]; errors.Is(last, ErrTooLarge) {
			return nil, last
		}
		return nil, fmt.Errorf("the device's MDIB cannot be used: %w", errors.Join(faults...))
	}
	if r.SequenceId != "" {
		s.version = VersionOf(r.MdibVersionGroup)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.filled = true
	m.current.Store(s)
	return s, nil
}

// Apply takes over what a report tells and returns what changed by it. The report belongs to the mirror afterwards.
//
// Versions: a report older than the mirror is ErrOld. One of the same version is applied, because some devices tell of one version in
// several reports; what it repeats is no change. A version that leaves one out is a *GapError if MirrorConfig.AllReports is set.
// Another sequence or instance is a *SequenceError. A state or descriptor version that is lower than the one known is ignored, one
// that leaves versions out is applied; both are told in Change.Notes, and states that were ignored in Change.Ignored.
//
// Periodic reports do not move the MDIB version; states in them that are older than those known, or of descriptors that are not there
// any more, are ignored without a note.
// OperationInvokedReport and SystemErrorReport change nothing and are passed through in the Change.
//
// Any other error means that the report does not fit the MDIB, for example because it is about an unknown descriptor
// (ErrUnknownHandle): the MDIB must be read anew. A report that fails changes nothing.
func (m *Mirror) Apply(message msg.Message) (*Change, error) {
	report, ok := message.(msg.Report)
	if !ok {
		return nil, errors.New("not a report")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.filled {
		return nil, ErrNotReady
	}
	have := m.current.Load()
	c, err := m.cfg.follow(have, report)
	if err == nil && c.After != have {
		m.current.Store(c.After)
	}
	return c, err
}

// follow works out what a report does to a snapshot; see Mirror.Apply.
func (cfg MirrorConfig) follow(have *Snapshot, report msg.Report) (*Change, error) {
	got := VersionOf(*report.Version())
	if !got.SameSequence(have.version) {
		return nil, &SequenceError{Have: have.version, Got: got}
	}
	a := &applier{
		c: &Change{Version: got, Before: have, After: have, report: report},
		e: have.content.edit(),
	}
	a.e.lenient = true
	a.read(report)
	switch {
	case a.c.Kind == KindNone:
		return nil, fmt.Errorf("a %s does not tell of the MDIB", report.BodyName().Local)
	case a.c.Kind == KindInvocation || a.c.Kind == KindSystemError:
		return a.c, nil
	case a.c.Periodic:
	case got.MdibVersion < have.version.MdibVersion:
		return nil, fmt.Errorf("%w: have MDIB version %d, got %d", ErrOld, have.version.MdibVersion, got.MdibVersion)
	case cfg.AllReports && got.MdibVersion > have.version.MdibVersion+1:
		return nil, &GapError{Have: have.version.MdibVersion, Got: got.MdibVersion}
	}
	if err := a.apply(report); err != nil {
		return nil, fmt.Errorf("applying %s of MDIB version %d: %w", report.BodyName().Local, got.MdibVersion, err)
	}
	if err := a.e.checkSize(cfg.MaxStates); err != nil {
		return nil, err
	}
	next := *have
	changed := len(a.c.States)+len(a.c.Descriptors) > 0
	if changed {
		next.content = a.e.content()
		next.stateVersion++
	}
	if len(a.c.Descriptors) > 0 {
		next.descriptionVersion++
	}
	if !a.c.Periodic {
		next.version = got
	}
	if changed || next.version != have.version {
		a.c.After = &next
	}
	return a.c, nil
}

func (e *editor) checkSize(most int) error {
	if n := max(e.states.Len(), e.nodes.Len()); n > most {
		return fmt.Errorf("%w: more than %d descriptors or states", ErrTooLarge, most)
	}
	return nil
}

// applier carries a report over into content.
type applier struct {
	c     *Change
	e     *editor
	count int                  // of the states that the report tells of one by one
	each  func(*applier) error // carries these over; nil if there are none
	index map[string]int       // into c.States, once one may stand there twice
	met   sums                 // the states so far
}

// read finds out what kind of report it is and where the states of state reports are.
func (a *applier) read(report msg.Report) {
	switch r := report.(type) {
	case *msg.EpisodicMetricReport:
		a.c.Kind = KindMetric
		collect(a, r.ReportPart, func(p *msg.MetricReportPart) []pm.MetricState { return p.MetricState })
	case *msg.PeriodicMetricReport:
		a.c.Kind, a.c.Periodic = KindMetric, true
		collect(a, r.ReportPart, func(p *msg.MetricReportPart) []pm.MetricState { return p.MetricState })
	case *msg.EpisodicAlertReport:
		a.c.Kind = KindAlert
		collect(a, r.ReportPart, func(p *msg.AlertReportPart) []pm.AlertState { return p.AlertState })
	case *msg.PeriodicAlertReport:
		a.c.Kind, a.c.Periodic = KindAlert, true
		collect(a, r.ReportPart, func(p *msg.AlertReportPart) []pm.AlertState { return p.AlertState })
	case *msg.EpisodicComponentReport:
		a.c.Kind = KindComponent
		collect(a, r.ReportPart, func(p *msg.ComponentReportPart) []pm.ComponentState { return p.ComponentState })
	case *msg.PeriodicComponentReport:
		a.c.Kind, a.c.Periodic = KindComponent, true
		collect(a, r.ReportPart, func(p *msg.ComponentReportPart) []pm.ComponentState { return p.ComponentState })
	case *msg.EpisodicContextReport:
		a.c.Kind = KindContext
		collect(a, r.ReportPart, func(p *msg.ContextReportPart) []pm.ContextState { return p.ContextState })
	case *msg.PeriodicContextReport:
		a.c.Kind, a.c.Periodic = KindContext, true
		collect(a, r.ReportPart, func(p *msg.ContextReportPart) []pm.ContextState { return p.ContextState })
	case *msg.EpisodicOperationalStateReport:
		a.c.Kind = KindOperational
		collect(a, r.ReportPart, func(p *msg.OperationalStateReportPart) []pm.OperationState { return p.OperationState })
	case *msg.PeriodicOperationalStateReport:
		a.c.Kind, a.c.Periodic = KindOperational, true
		collect(a, r.ReportPart, func(p *msg.OperationalStateReportPart) []pm.OperationState { return p.OperationState })
	case *msg.WaveformStream:
		a.c.Kind, a.count = KindWaveform, len(r.State)
		a.each = func(a *applier) error {
			for _, s := range r.State {
				if s == nil {
					continue
				}
				if err := a.state(s); err != nil {
					return err
				}
			}
			return nil
		}
	case *msg.ObservedValueStream:
		a.c.Kind = KindWaveform
	case *msg.DescriptionModificationReport:
		a.c.Kind = KindDescription
	case *msg.OperationInvokedReport:
		a.c.Kind = KindInvocation
	case *msg.SystemErrorReport:
		a.c.Kind = KindSystemError
	}
}

func collect[P any, S pm.State](a *applier, parts []P, states func(*P) []S) {
	for i := range parts {
		a.count += len(states(&parts[i]))
	}
	a.each = func(a *applier) error {
		for i := range parts {
			for _, s := range states(&parts[i]) {
				if err := a.state(s); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func (a *applier) apply(report msg.Report) error {
	switch r := report.(type) {
	case *msg.ObservedValueStream:
		if err := a.observed(r.Value); err != nil {
			return err
		}
	case *msg.DescriptionModificationReport:
		return a.describe(r.ReportPart)
	}
	if a.each == nil {
		return nil
	}
	return a.each(a)
}

func (a *applier) note(id, handle, format string, args ...any) {
	if len(a.c.Notes) < maxFaults {
		a.c.Notes = append(a.c.Notes, Finding{ID: id, Handle: handle, Severity: SeverityWarning, Message: fmt.Sprintf(format, args...)})
	}
}

// state takes over one state.
func (a *applier) state(s pm.State) error {
	if s == nil {
		return nil
	}
	if a.c.Periodic && !a.e.nodes.Has(s.BaseState().DescriptorHandle) {
		// What it tells of has been removed since.
		return nil
	}
	base := s.BaseState()
	key := a.e.hasher.Key(base.DescriptorHandle)
	n, err := a.e.pair(s, key)
	if err != nil {
		return err
	}
	handle := pm.HandleOf(s)
	if handle != base.DescriptorHandle {
		key = a.e.hasher.Key(handle)
	}
	version := base.StateVersion
	before, place, ok := a.e.states.Find(key)
	if !ok {
		if err := a.forgetContexts(n); err != nil {
			return err
		}
		if err := a.e.addState(s); err != nil {
			return err
		}
		a.changed(key, nil, s)
		return nil
	}
	if before.BaseState().DescriptorHandle != base.DescriptorHandle {
		return ruleError(idUnique, handle, "the handle of the context state is in use for %q", clip(before.BaseState().DescriptorHandle))
	}
	was := before.BaseState().StateVersion
	switch {
	case version < was:
		if !a.c.Periodic {
			a.note("BICEPS R5003", handle, "state version %d after %d: ignored", version, was)
			a.c.Ignored = append(a.c.Ignored, StateChange{Handle: handle, Before: before, After: s})
		}
		return nil
	case version == was:
		// Repeated, or changed without a new version, as a ticking clock may.
		if a.c.Periodic || pm.EqualState(before, s) {
			return nil
		}
		if !sameContent(before, s) {
			a.note("BICEPS R0038_0", handle, "the state changed but its version is still %d", version)
		}
	case version > was+1 && !a.c.Periodic:
		a.note("BICEPS R0038_0", handle, "state version %d after %d", version, was)
	}
	if d := n.descriptor.Base().DescriptorVersion; base.DescriptorVersion != d {
		a.note("BICEPS R5051", handle, "the state refers to descriptor version %d, known is %d", base.DescriptorVersion, d)
	}
	a.e.states.Replace(place, s)
	a.changed(key, before, s)
	return nil
}

// forgetContexts makes room for a new context state.
func (a *applier) forgetContexts(n *node) error {
	if len(n.contexts) < maxContexts {
		return nil
	}
	for _, h := range n.contexts {
		s, _ := a.e.states.Get(h)
		if c, ok := s.(pm.ContextState); ok && c.BaseContext().ContextAssociationOrDefault() == pm.ContextAssociationNo {
			a.e.removeContext(h)
			return nil
		}
	}
	return fmt.Errorf("%q has more than %d context states", clip(n.descriptor.Base().Handle), maxContexts)
}

// changed notes a state change, one for each state.
func (a *applier) changed(key pmap.Key, before, after pm.State) {
	handle := key.Name()
	if i := a.seen(key, before); i >= 0 {
		if !a.c.Periodic {
			a.note("BICEPS R0007_0", handle, "the state stands more than once in the report")
		}
		a.c.States[i].After = after
		return
	}
	if a.c.States == nil {
		a.c.States = make([]StateChange, 0, max(1, a.count))
	}
	a.c.States = append(a.c.States, StateChange{Handle: handle, Before: before, After: after})
	if a.index != nil {
		a.index[handle] = len(a.c.States) - 1
	}
}

// seen returns the place of a state in c.States, -1 if it is not there yet.
func (a *applier) seen(key pmap.Key, before pm.State) int {
	handle := key.Name()
	// Nearly always the state is the one from before the report, so that it cannot have been there in the report: no index is needed.
	if a.c.Kind != KindDescription {
		if a.met.lacks(key) {
			a.met.add(key)
			return -1
		}
		if was, _, ok := a.c.Before.states.Find(key); before == nil || ok && was == before {
			return -1
		}
	}
	if a.index == nil {
		a.index = make(map[string]int, max(indexFrom, a.count))
		for k := range a.c.States {
			a.index[a.c.States[k].Handle] = k
		}
	}
	if i, ok := a.index[handle]; ok {
		return i
	}
	return -1
}

// observed takes over values of waveforms whose states stay otherwise as they are.
func (a *applier) observed(values []msg.ObservedValue) error {
	for i := range values {
		v := &values[i]
		before, ok := a.e.states.Get(v.Metric)
		s, isWaveform := before.(*pm.RealTimeSampleArrayMetricState)
		if !ok {
			return unknown(v.Metric)
		}
		if !isWaveform {
			return ruleError(idPairing, v.Metric, "an observed value belongs to a waveform, not to a %s", before.TypeName().Local)
		}
		c := *s
		c.StateVersion, c.MetricValue = v.StateVersion, v.Value
		if err := a.state(&c); err != nil {
			return err
		}
	}
	return nil
}
