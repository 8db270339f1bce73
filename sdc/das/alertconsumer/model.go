package alertconsumer

import (
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/das"
)

// maxQueue bounds the alerts that wait for delivery; beyond it only the latest state of each condition is kept.
const maxQueue = 4096

// model is what is known of the device and of the monitoring. It knows no locks; Monitor guards it.
type model struct {
	cfg  Config
	roll das.Roll

	snap  *mdib.Snapshot
	live  bool
	link  error // why it is not live
	dead  error // why the Device has ended
	ops   das.Operations
	found error // why there are no operations
	avail bool  // the activating operation is enabled

	on        bool
	whole     bool // everything found at the takeover has been confirmed
	number    uint64
	from      mdib.Version
	until     time.Time
	renewAt   time.Time
	retryAt   time.Time
	since     time.Time
	cause     error
	busy      bool   // an activation is under way
	calling   uint64 // the takeover it renews; 0 if it is to be a new one
	giveBack  bool   // the device is to be told that monitoring has ended
	seen      map[string]uint64
	queue     []Alert
	under     []Alert // being delivered
	confirmed uint64
	checks    map[string]check
}

// check is the self check of an alert system.
type check struct {
	period time.Duration
	last   time.Time
	state  *pm.AlertSystemState
}

// update takes an update of the device.
func (m *model) update(u consumer.Update, now time.Time) {
	before := m.snap
	m.snap = u.Snapshot
	if m.live = u.Link.State == consumer.Live; !m.live {
		m.link = &LinkError{State: u.Link.State.String(), Cause: u.Link.Cause}
		m.lose(m.link, now, false)
	} else {
		m.link = nil
	}
	if u.Snapshot == nil {
		return
	}
	if before == nil || !sameSequence(before, u.Snapshot) {
		if m.on {
			m.lose(ErrSequence, now, false)
			m.retryAt = now
		}
		m.seen, m.checks, m.avail = map[string]uint64{}, map[string]check{}, false
	} else if u.Gap != nil {
		m.lose(ErrUpdates, now, false)
	}
	if before == nil || before.DescriptionVersion() != u.Snapshot.DescriptionVersion() || !sameSequence(before, u.Snapshot) {
		if m.ops, m.found = das.Find(u.Snapshot, m.cfg.MDS, m.cfg.Codes); m.found != nil {
			m.lose(m.found, now, false)
			m.avail = false
			return
		}
		if m.ops.ConfirmWithin == 0 {
			m.ops.ConfirmWithin = m.cfg.ConfirmWithin
		}
	} else if m.found != nil || before == u.Snapshot {
		return
	}
	if m.on && m.reached() && !m.ops.Enabled(u.Snapshot) {
		m.lose(ErrDisabled, now, false)
	}
	if is := m.ops.Available(u.Snapshot); is != m.avail {
		if m.avail = is; is && !m.on {
			m.retryAt = now // the device is ready again
		}
	}
	m.collect(u, now)
}

func sameSequence(a, b *mdib.Snapshot) bool {
	v, w := a.Version(), b.Version()
	return v.SequenceID == w.SequenceID && v.InstanceID == w.InstanceID
}

// reached tells whether the mirror has what the device had at the takeover.
func (m *model) reached() bool { return m.snap.Version().MdibVersion >= m.from.MdibVersion }

// collect queues the conditions that have changed, and notes self checks.
func (m *model) collect(u consumer.Update, now time.Time) {
	if u.Change != nil && u.Change.Kind != mdib.KindAlert && u.Change.Kind != mdib.KindDescription {
		return
	}
	at := u.Time
	if at.IsZero() || at.After(now) {
		at = now
	}
	for _, h := range m.roll.In(m.snap, m.ops.MDS) {
		a, ok := m.alert(h, at)
		if !ok {
			continue
		}
		if last, known := m.seen[h]; known && last >= a.Version {
			continue
		}
		m.seen[h] = a.Version
		if m.on {
			m.enqueue(a)
		}
	}
	for e := range m.snap.Subtree(m.ops.MDS) {
		d, ok := e.Descriptor.(*pm.AlertSystemDescriptor)
		if !ok {
			continue
		}
		state, _ := e.State.(*pm.AlertSystemState)
		c := m.checks[e.Handle]
		c.period = d.SelfCheckPeriod.Or(pm.Duration{}).Std()
		if state != nil && (c.state == nil || c.state.SelfCheckCount != state.SelfCheckCount || c.state.LastSelfCheck != state.LastSelfCheck) {
			c.last = at
		}
		c.state = state
		m.checks[e.Handle] = c
	}
	m.look(now)
}

// look finds out whether everything that was there at the takeover has been confirmed.
func (m *model) look(now time.Time) {
	if m.on && !m.whole && len(m.queue)+len(m.under) == 0 && m.reached() {
		m.whole, m.since = true, now
	}
}

func (m *model) alert(handle string, at time.Time) (Alert, bool) {
	state, ok := mdib.Get[pm.ConditionState](m.snap, handle)
	if !ok {
		return Alert{}, false
	}
	d, ok := mdib.Get[pm.ConditionDescriptor](m.snap, handle)
	if !ok {
		return Alert{}, false
	}
	return Alert{Condition: handle, Version: state.BaseCondition().StateVersion, Descriptor: d, State: state, MDIB: m.snap, at: at}, true
}

func (m *model) enqueue(a Alert) {
	m.queue = append(m.queue, a)
	if len(m.queue) <= maxQueue {
		return
	}
	latest := make(map[string]int, len(m.queue))
	var out []Alert
	for _, a := range m.queue {
		if i, ok := latest[a.Condition]; ok {
			a.at = out[i].at // the earliest of them is what has to be confirmed first
			out[i] = a
			continue
		}
		latest[a.Condition] = len(out)
		out = append(out, a)
	}
	m.queue = out
}

// take notes that monitoring was taken over or renewed. sent is when it was asked for.
func (m *model) take(from mdib.Version, sent, now time.Time) {
	m.until, m.renewAt = sent.Add(m.ops.EffectiveTimeout), sent.Add(m.every())
	if m.on {
		return
	}
	m.on, m.whole, m.from, m.since, m.cause, m.giveBack = true, false, from, now, nil, false
	m.number++
	m.queue = nil
	for _, h := range m.roll.In(m.snap, m.ops.MDS) {
		if a, ok := m.alert(h, now); ok {
			a.Takeover = true
			m.seen[h] = a.Version
			m.enqueue(a)
		}
	}
	m.look(now)
	if m.reached() && !m.ops.Enabled(m.snap) {
		m.lose(ErrDisabled, now, false) // it was seen before the answer
	}
}

// renewing is the number of the takeover that an activation renews; 0 for a new one.
func (m *model) renewing() uint64 {
	if m.on {
		return m.number
	}
	return 0
}

// activated takes the end of an activation: that of a takeover to be renewed, or of a new one (0).
func (m *model) activated(renewed uint64, from mdib.Version, sent, now time.Time, err error) {
	var word *consumer.OperationError
	spoken := errors.As(err, &word) // the device has said no
	switch {
	case renewed != m.renewing():
		// Lost meanwhile. It may have been taken over again by this, without anybody who delivers.
		m.giveBack = m.giveBack || err == nil
	case err == nil && renewed == 0 && (!m.live || m.found != nil || m.snap.Version().SequenceID != from.SequenceID):
		m.refused(errors.Join(ErrUpdates, m.link), now, true)
		m.retryAt = now
	case err == nil:
		m.take(from, sent, now)
	case renewed != 0 && spoken:
		m.lose(err, now, false)
	case renewed != 0:
		m.renewAt = now.Add(again) // no answer: what is lost is lost with until
	default:
		m.refused(err, now, !spoken)
	}
}

// every is how often monitoring is renewed.
func (m *model) every() time.Duration {
	if e := m.cfg.RenewEvery; e > 0 && e < m.ops.EffectiveTimeout {
		return e
	}
	return m.ops.EffectiveTimeout / 3
}

// lose ends monitoring, if it is on.
func (m *model) lose(cause error, now time.Time, giveBack bool) {
	if !m.on {
		return
	}
	m.on, m.whole, m.since, m.cause, m.queue, m.under = false, false, now, cause, nil, nil
	m.from, m.until = mdib.Version{}, time.Time{}
	m.giveBack = giveBack
	m.retryAt = now.Add(m.cfg.Retry)
	if !m.live {
		m.retryAt = now // as soon as it is live again
	}
}

// refused notes that monitoring could not be taken over.
func (m *model) refused(cause error, now time.Time, giveBack bool) {
	if m.cause == nil || m.cause.Error() != cause.Error() {
		m.cause, m.since = cause, now
	}
	m.retryAt, m.giveBack = now.Add(m.cfg.Retry), giveBack
}

// oldest is when the first alert was received that has not been confirmed.
func (m *model) oldest() (at time.Time, ok bool) {
	switch {
	case len(m.under) > 0:
		return m.under[0].at, true
	case len(m.queue) > 0:
		return m.queue[0].at, true
	}
	return time.Time{}, false
}

// overdue returns the alert system whose self check is overdue, and otherwise when the next will be; zero if there is none.
func (m *model) overdue(now time.Time) (*SelfCheckError, time.Time) {
	var next time.Time
	for h, c := range m.checks {
		if c.period <= 0 {
			continue
		}
		due := c.last.Add(2 * c.period)
		if !now.Before(due) {
			return &SelfCheckError{System: h, Since: c.last}, time.Time{}
		}
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return nil, next
}

// step is what is to be done next.
type step uint8

const (
	wait step = iota
	activate
	tellEnd
	stop
)

// plan says what to do now, and when to look again; zero means when something happens.
func (m *model) plan(now time.Time) (what step, again time.Time) {
	if m.dead != nil {
		return stop, time.Time{}
	}
	sooner := func(t time.Time) {
		if !t.IsZero() && (again.IsZero() || t.Before(again)) {
			again = t
		}
	}
	bad, next := m.overdue(now)
	sooner(next)
	if m.on {
		at, waiting := m.oldest()
		late := at.Add(m.ops.ConfirmWithin)
		switch {
		case !now.Before(m.until):
			m.lose(ErrLapsed, now, false)
		case bad != nil:
			m.lose(bad, now, true)
		case waiting && !now.Before(late):
			m.lose(ErrLate, now, true)
		case !now.Before(m.renewAt) && !m.busy:
			return activate, time.Time{}
		default:
			sooner(m.until)
			if !m.busy {
				sooner(m.renewAt)
			}
			if waiting {
				sooner(late)
			}
			return wait, again
		}
	}
	switch {
	case m.busy:
		return wait, again // its end wakes us
	case m.giveBack:
		return tellEnd, time.Time{}
	case m.cfg.Once && m.cause != nil:
		return stop, time.Time{}
	case !m.live || m.found != nil || !m.avail || bad != nil:
		return wait, again
	case now.Before(m.retryAt):
		sooner(m.retryAt)
		return wait, again
	}
	return activate, time.Time{}
}

func (m *model) status() Status {
	s := Status{Phase: Off, Since: m.since, Cause: m.cause, Takeovers: m.number, Confirmed: m.confirmed}
	if m.on {
		s.Phase, s.From, s.Until, s.Unconfirmed = Pending, m.from, m.until, len(m.queue)+len(m.under)
		if m.whole {
			s.Phase = Monitoring
		}
	}
	return s
}
