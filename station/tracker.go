package station

import (
	"slices"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// tracker turns the updates of one device into what is shown of it. It belongs to one goroutine.
type tracker struct {
	epr     string
	about   Device // what does not come from the MDIB
	link    Link
	stale   time.Time // since when what is shown may be outdated, while the link is not live
	snap    *mdib.Snapshot
	systems []*trackedMDS
	history *history
}

// trackedMDS is an MDS being followed.
type trackedMDS struct {
	handle string
	shown  System
	values map[string]*Value
	waves  map[string]*Wave
	order  []string // the metrics in the order of the containment tree
	// bound is when the station learned of the present patient, or last could not know whether there was another: at what came then or before, only times tell whose it is.
	bound time.Time
	clock clock
	// next is when, by the device's clock, the next sample of each waveform is due.
	next map[string]time.Time
	// owner is whose values are remembered; nil for nobody's.
	owner *owner
}

// settling is how long after a change of the patient a value must show by its times that it is of the new one. After that,
// that it came suffices: a clock that was set back must not hide values for long. Long measurements settle later.
const settling = 30 * time.Second

// apply takes an update. It tells whether the change is urgent.
func (t *tracker) apply(u consumer.Update) (urgent bool) {
	t.setLink(linkOf(u.Link))
	if t.snap == nil || u.Change == nil && u.Snapshot != t.snap || u.Gap != nil || u.Change != nil && u.Change.Kind == mdib.KindDescription {
		before := t.snap
		t.snap = u.Snapshot
		t.rebuild(u.Time, before, u.Change != nil)
		return true
	}
	t.snap = u.Snapshot
	if u.Change == nil {
		return true
	}
	switch u.Change.Kind {
	case mdib.KindMetric, mdib.KindWaveform:
		t.metrics(u.Change.States, u.Time)
		return false
	case mdib.KindAlert:
		t.each(func(s *trackedMDS) { t.showAlerts(s) })
	case mdib.KindContext:
		t.each(func(s *trackedMDS) { t.showContexts(s, u.Time) })
	case mdib.KindComponent:
		t.each(func(s *trackedMDS) { t.showComponents(s) })
	case mdib.KindOperational:
		t.each(func(s *trackedMDS) { s.shown.Operations = operations(t.epr, s.handle, t.snap) })
	case mdib.KindNone, mdib.KindInvocation, mdib.KindSystemError, mdib.KindDescription:
		return false
	}
	return true
}

func (t *tracker) each(do func(*trackedMDS)) {
	for _, s := range t.systems {
		do(s)
	}
}

// setLink marks everything when the device ceases to be live, and everything again when it is.
func (t *tracker) setLink(l Link) {
	if l.State == t.link.State {
		t.link = l
		return
	}
	if t.link.State == LinkLive {
		t.stale = l.Since
	}
	t.link = l
	t.each(t.mark)
}

// mark gives everything of an MDS the staleness of the link.
func (t *tracker) mark(s *trackedMDS) {
	stale := t.link.State != LinkLive
	for h, v := range s.values {
		if v.Stale != stale {
			c := *v
			c.Stale, c.StaleSince = stale, t.staleSince()
			s.values[h] = &c
		}
	}
	for h, w := range s.waves {
		if w.Stale != stale {
			c := *w
			c.Stale, c.StaleSince = stale, t.staleSince()
			s.waves[h] = &c
		}
	}
	t.showAlerts(s)
}

func (t *tracker) staleSince() time.Time {
	if t.link.State == LinkLive {
		return time.Time{}
	}
	return t.stale
}

// rebuild reads everything from the snapshot, after the first connection, a change of the description, or when something was missed.
//
// reported tells that nothing was missed since the snapshot before.
func (t *tracker) rebuild(at time.Time, before *mdib.Snapshot, reported bool) {
	former := make(map[string]*trackedMDS, len(t.systems))
	for _, s := range t.systems {
		former[s.handle] = s
	}
	t.systems = nil
	for root := range t.snap.Roots() {
		s := former[root]
		if s == nil {
			s = &trackedMDS{handle: root, bound: at, next: make(map[string]time.Time)}
		}
		was, values := s.shown.Patient, s.values
		s.values, s.waves, s.order = make(map[string]*Value), make(map[string]*Wave), nil
		s.shown.Device, s.shown.Handle = t.epr, root
		if d, ok := t.snap.Descriptor(root); ok {
			s.shown.Type, s.shown.Label = CodeOf(d.Base().Type), describe(d.Base().Type)
		}
		t.guessClock(s, at)
		t.showContexts(s, at)
		samePatient := reported && was.sameAs(&s.shown.Patient) || before != nil && was.sameThroughout(&s.shown.Patient, before.Version().SameSequence(t.snap.Version()))
		if !samePatient {
			s.bound = at // another may have been associated meanwhile, even if it is the same one again
		}
		t.showComponents(s)
		t.showAlerts(s)
		s.shown.Operations = operations(t.epr, root, t.snap)
		for e := range t.snap.Subtree(root) {
			d, ok := e.Descriptor.(pm.MetricDescriptor)
			if !ok {
				continue
			}
			s.order = append(s.order, e.Handle)
			state, _ := e.State.(pm.MetricState)
			if w, ok := d.(*pm.RealTimeSampleArrayMetricDescriptor); ok {
				s.waves[e.Handle] = t.wave(s, w, state, at, reported)
				continue
			}
			v := t.value(s, d, state, at, reported)
			if old := values[e.Handle]; old != nil && samePatient && sameValue(before, t.snap, e.Handle) {
				v.Arrived, v.Determined, v.Former = old.Arrived, old.Determined, old.Former
			} else {
				t.remember(s, v)
			}
			s.values[e.Handle] = v
		}
		t.systems = append(t.systems, s)
	}
}

// sameValue tells whether a metric has the same value, times included, in two snapshots.
func sameValue(before, after *mdib.Snapshot, handle string) bool {
	a, _ := before.State(handle)
	b, _ := after.State(handle)
	return sameMetricValue(a, b)
}

func sameMetricValue(a, b pm.State) bool {
	switch a := a.(type) {
	case *pm.NumericMetricState:
		b, ok := b.(*pm.NumericMetricState)
		return ok && equal(a.MetricValue, b.MetricValue)
	case *pm.StringMetricState:
		b, ok := b.(*pm.StringMetricState)
		return ok && equal(a.MetricValue, b.MetricValue)
	case *pm.EnumStringMetricState:
		b, ok := b.(*pm.EnumStringMetricState)
		return ok && equal(a.MetricValue, b.MetricValue)
	case *pm.DistributionSampleArrayMetricState:
		b, ok := b.(*pm.DistributionSampleArrayMetricState)
		return ok && equal(a.MetricValue, b.MetricValue)
	}
	return false
}

func equal[T any, P interface {
	*T
	Equal(P) bool
}](a, b P) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Equal(b)
}

// metrics takes changed metric states.
func (t *tracker) metrics(changes []mdib.StateChange, at time.Time) {
	for _, c := range changes {
		state, ok := c.After.(pm.MetricState)
		if !ok {
			continue
		}
		mds, _ := t.snap.MDSOf(c.Handle)
		d, ok := mdib.Get[pm.MetricDescriptor](t.snap, c.Handle)
		if !ok {
			continue
		}
		for _, s := range t.systems {
			if s.handle != mds {
				continue
			}
			if w, ok := d.(*pm.RealTimeSampleArrayMetricDescriptor); ok {
				s.waves[c.Handle] = t.wave(s, w, state, at, true)
				continue
			}
			v := t.value(s, d, state, at, true)
			if old := s.values[c.Handle]; old != nil && c.Before != nil && sameMetricValue(c.Before, c.After) {
				// Nothing new was determined. Told once more without a time, and with nothing else changed, it is at least confirmed.
				v.Former = old.Former
				if !pm.ContentEqualState(c.Before, c.After) {
					v.Arrived, v.Determined = old.Arrived, old.Determined
				}
			} else {
				t.remember(s, v)
			}
			s.values[c.Handle] = v
		}
	}
}

// remember puts a number into the history, as the patient's if it is for sure.
func (t *tracker) remember(s *trackedMDS, v *Value) {
	if v.Validity != "" && (v.Number.IsSet() || !usable(v.Validity)) && v.numeric {
		t.history.number(v, s.whose(v.Former))
	}
}

// guessClock looks at the times in an MDIB that was read as a whole.
func (t *tracker) guessClock(s *trackedMDS, at time.Time) {
	if s.clock.known {
		return
	}
	for e := range t.snap.Subtree(s.handle) {
		if n, ok := e.State.(*pm.NumericMetricState); ok && n.MetricValue != nil {
			if det, ok := n.MetricValue.DeterminationTime.Get(); ok {
				s.clock.guess(det.Time(), at)
			}
		}
	}
}

// value reads a metric. reported tells that the state came in a report, as opposed to a reading of the whole MDIB.
func (t *tracker) value(s *trackedMDS, d pm.MetricDescriptor, state pm.MetricState, at time.Time, reported bool) *Value {
	b := d.BaseMetric()
	v := &Value{
		Ref: Ref{t.epr, b.Handle}, MDS: s.handle, Meaning: metricMeaning(d, state), Label: describe(b.Type), Unit: unitOf(&b.Unit),
		Activation: pm.ComponentActivationOn, Arrived: at, Determined: at, Stale: t.link.State != LinkLive, StaleSince: t.staleSince(),
		Lifetime: b.LifeTimePeriod.Or(pm.Duration{}).Std(),
	}
	if b.Type != nil {
		v.Symbol = b.Type.SymbolicCodeName
	}
	if b.MetricAvailability == pm.MetricAvailabilityCont {
		v.Period = b.DeterminationPeriod.Or(pm.Duration{}).Std()
	}
	if state == nil {
		return v
	}
	m := state.BaseMetric()
	v.Activation = m.ActivationStateOrDefault()
	if p, ok := m.ActiveDeterminationPeriod.Get(); ok && v.Period > 0 {
		v.Period = p.Std()
	}
	if p, ok := m.LifeTimePeriod.Get(); ok {
		v.Lifetime = p.Std()
	}
	var got *pm.AbstractMetricValue
	switch d := d.(type) {
	case *pm.NumericMetricDescriptor:
		v.numeric = true
		v.Resolution, v.Ranges = d.Resolution, d.TechnicalRange
	case *pm.DistributionSampleArrayMetricDescriptor:
		v.Resolution, v.Ranges = d.Resolution, d.TechnicalRange
	}
	switch st := state.(type) {
	case *pm.NumericMetricState:
		if st.MetricValue != nil {
			got, v.Number = &st.MetricValue.AbstractMetricValue, st.MetricValue.Value
		}
	case *pm.StringMetricState:
		if st.MetricValue != nil {
			got, v.Text = &st.MetricValue.AbstractMetricValue, st.MetricValue.Value.Or("")
		}
	case *pm.EnumStringMetricState:
		if st.MetricValue != nil {
			got, v.Text = &st.MetricValue.AbstractMetricValue, st.MetricValue.Value.Or("")
		}
	case *pm.DistributionSampleArrayMetricState:
		if st.MetricValue != nil {
			got = &st.MetricValue.AbstractMetricValue
		}
	}
	if got == nil {
		return v
	}
	v.Validity, v.Mode = got.MetricQuality.Validity, got.MetricQuality.ModeOrDefault()
	if det, ok := got.DeterminationTime.Get(); ok && reported && v.Period > 0 {
		s.clock.sample(det.Time(), at)
	}
	if a := s.clock.align(got.DeterminationTime, at); !a.IsZero() {
		v.Determined = a
	}
	v.Former = s.former(v.Meaning.Role, b, got, at, reported)
	return v
}

// wave reads a waveform metric.
func (t *tracker) wave(s *trackedMDS, d *pm.RealTimeSampleArrayMetricDescriptor, state pm.MetricState, at time.Time, reported bool) *Wave {
	w := &Wave{
		Ref: Ref{t.epr, d.Handle}, MDS: s.handle, Meaning: metricMeaning(d, state), Label: describe(d.Type), Unit: unitOf(&d.Unit),
		SamplePeriod: d.SamplePeriod.Std(), Resolution: d.Resolution, Ranges: d.TechnicalRange, Activation: pm.ComponentActivationOn,
		Arrived: at, Determined: at, Stale: t.link.State != LinkLive, StaleSince: t.staleSince(),
	}
	if d.Type != nil {
		w.Symbol = d.Type.SymbolicCodeName
	}
	st, ok := state.(*pm.RealTimeSampleArrayMetricState)
	if !ok {
		return w
	}
	w.Activation = st.ActivationStateOrDefault()
	if st.MetricValue == nil {
		return w
	}
	q := st.MetricValue.MetricQuality
	w.Validity, w.Mode = q.Validity, q.ModeOrDefault()
	// The samples end with the last one, which has only just been taken.
	length := time.Duration(max(0, len(st.MetricValue.Samples)-1)) * w.SamplePeriod
	start, gap := at.Add(-length), false
	if det, ok := st.MetricValue.DeterminationTime.Get(); ok {
		end := pm.Some(pm.TimestampOf(det.Time().Add(length)))
		if reported {
			s.clock.sample(det.Time().Add(length), at)
		}
		w.Determined = s.clock.align(end, at)
		start = w.Determined.Add(-length)
		due, known := s.next[d.Handle]
		gap = known && det.Time().Sub(due).Abs() > max(2*w.SamplePeriod, 20*time.Millisecond)
		s.next[d.Handle] = det.Time().Add(length + w.SamplePeriod)
	}
	w.Former = s.former(w.Meaning.Role, &d.AbstractMetricDescriptor, &st.MetricValue.AbstractMetricValue, at, reported)
	if reported {
		t.history.samples(w, start, st.MetricValue.Samples, s.whose(w.Former), gap)
	}
	return w
}

// former tells whether a value is or may be of a patient before the present one. What is set at the device concerns whoever is there.
func (s *trackedMDS) former(role Role, d *pm.AbstractMetricDescriptor, v *pm.AbstractMetricValue, at time.Time, reported bool) bool {
	p := &s.shown.Patient
	if p.Association != Associated || role != Measured {
		return false
	}
	begin, hasBegin := v.StartTime.Get()
	if det, ok := v.DeterminationTime.Get(); ok && (!hasBegin || det < begin) {
		begin, hasBegin = det, true
	}
	bound, hasBound := p.binding.start.Get()
	if hasBegin && hasBound && begin > bound {
		return false
	}
	if !reported {
		return true
	}
	if hasBegin && hasBound {
		// Both times stand against it: it is believed only once nothing of the former patient can still be under way.
		settled := settling + d.MaxMeasurementTime.Or(pm.Duration{}).Std() + d.MaxDelayTime.Or(pm.Duration{}).Std()
		return at.Sub(s.bound) <= settled
	}
	return !at.After(s.bound)
}

// whose is the owner of a value.
func (s *trackedMDS) whose(former bool) *owner {
	if former {
		return nil
	}
	return s.owner
}

// when is a time of the device by the clock of the station.
func (s *trackedMDS) when(ts pm.Opt[pm.Timestamp]) time.Time { return s.clock.align(ts, time.Now()) }

// showContexts takes over the contexts of an MDS. If the patient is or may be another one, all that was measured is the former's.
func (t *tracker) showContexts(s *trackedMDS, at time.Time) {
	c := contextsOf(s.handle, t.snap, s.when)
	other := !s.shown.Patient.sameAs(&c.patient)
	s.shown.Patient, s.shown.Location, s.shown.Ensembles = c.patient, c.location, c.ensembles
	if !other {
		if s.owner != nil && !slices.Equal(s.owner.ids, c.patient.IDs) {
			s.owner = &owner{device: t.epr, context: c.patient.Context, ids: c.patient.IDs}
		}
		return
	}
	s.bound = at
	s.owner = nil
	if c.patient.Association == Associated {
		s.owner = &owner{device: t.epr, context: c.patient.Context, ids: c.patient.IDs}
	}
	isFormer := c.patient.Association == Associated
	for h, v := range s.values {
		n := *v
		n.Former = isFormer && v.Meaning.Role == Measured
		s.values[h] = &n
	}
	for h, w := range s.waves {
		n := *w
		n.Former = isFormer && w.Meaning.Role == Measured
		s.waves[h] = &n
	}
}

func (t *tracker) showComponents(s *trackedMDS) {
	s.clock.take(s.handle, t.snap)
	if st, ok := mdib.Get[*pm.MdsState](t.snap, s.handle); ok {
		s.shown.Mode, s.shown.Activation = st.OperatingModeOrDefault(), st.ActivationStateOrDefault()
	}
}

func (t *tracker) showAlerts(s *trackedMDS) {
	if t.snap == nil {
		return
	}
	s.shown.Alerts = alerts(t.epr, s.handle, t.snap, s.when)
	for _, a := range s.shown.Alerts {
		a.Stale, a.StaleSince = t.link.State != LinkLive, t.staleSince()
	}
}

// device is what is shown now.
func (t *tracker) device() *Device {
	d := t.about
	d.EPR, d.Link, d.MDIB = t.epr, t.link, t.snap
	for _, s := range t.systems {
		shown := s.shown
		shown.Link, shown.Clock = t.link, s.clock.shown()
		shown.Values = make([]*Value, 0, len(s.values))
		shown.Waves = make([]*Wave, 0, len(s.waves))
		for _, h := range s.order {
			if v, ok := s.values[h]; ok {
				shown.Values = append(shown.Values, v)
			}
			if w, ok := s.waves[h]; ok {
				shown.Waves = append(shown.Waves, w)
			}
		}
		d.Systems = append(d.Systems, &shown)
	}
	return &d
}
