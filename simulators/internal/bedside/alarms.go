package bedside

import (
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Alarms is the alarm system of a device. Limit alarms are judged by the metric values in the MDIB, so that the value
// that raised an alarm has always been reported before it; limits, activation and pauses are read from the MDIB too, so
// that whatever set them there is obeyed.
type Alarms struct {
	system     string
	selfCheck  time.Duration
	limits     []build.Limit
	conditions []build.Condition

	mu         sync.Mutex
	flags      map[string]bool
	pauseUntil time.Duration // simulated time; the audible signals are paused before it
	now        time.Duration
	outside    map[string]time.Duration // for how long the fact behind a condition has been there
	nextCheck  time.Duration
	checks     int64
}

// NewAlarms makes the alarm system of the given tables.
func NewAlarms(system string, selfCheck time.Duration, limits []build.Limit, conditions []build.Condition) *Alarms {
	return &Alarms{
		system: system, selfCheck: selfCheck, limits: limits, conditions: conditions,
		flags: map[string]bool{}, outside: map[string]time.Duration{},
	}
}

// Flag says whether the fact behind a condition without limits is there.
func (a *Alarms) Flag(condition string, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flags[condition] = there
}

// PauseAudio silences the audible signals for d of simulated time.
func (a *Alarms) PauseAudio(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pauseUntil = a.now + d
}

// ResumeAudio ends a pause.
func (a *Alarms) ResumeAudio() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pauseUntil = 0
}

// verdict is what an evaluation found.
type verdict struct {
	handle  string
	present bool
}

// Updater is what commits a transaction: a provider.
type Updater interface {
	MDIB() *mdib.Snapshot
	Update(fn func(*mdib.Tx) error) error
}

// Step lets dt of simulated time pass and brings conditions and signals up to date.
func (a *Alarms) Step(u Updater, dt time.Duration, at time.Time) error {
	a.mu.Lock()
	a.now += dt
	paused := a.now < a.pauseUntil
	snap := u.MDIB()
	verdicts := a.judge(snap, dt)
	check := a.now >= a.nextCheck
	if check {
		a.nextCheck = a.now + a.selfCheck
		a.checks++
	}
	checks := a.checks
	a.mu.Unlock()

	if !check && a.upToDate(snap, verdicts, paused) {
		return nil
	}
	return u.Update(func(tx *mdib.Tx) error {
		system, err := mdib.Edit[*pm.AlertSystemState](tx, a.system)
		if err != nil {
			return err
		}
		if check {
			system.LastSelfCheck, system.SelfCheckCount = pm.Some(pm.TimestampOf(at)), pm.Some(checks)
		}
		for i := range system.SystemSignalActivation {
			e := &system.SystemSignalActivation[i]
			if e.Manifestation == pm.AlertSignalManifestationAud && e.State != pm.AlertActivationOff {
				e.State = audio(paused)
			}
		}
		for _, v := range verdicts {
			if err := apply(tx, system.ActivationState, v, paused); err != nil {
				return err
			}
		}
		return nil
	})
}

func audio(paused bool) pm.AlertActivation {
	if paused {
		return pm.AlertActivationPsd
	}
	return pm.AlertActivationOn
}

// judge decides on every condition. The caller holds the lock.
func (a *Alarms) judge(snap *mdib.Snapshot, dt time.Duration) []verdict {
	out := make([]verdict, 0, len(a.limits)+len(a.conditions))
	for _, l := range a.limits {
		fact := false
		if state, ok := mdib.Get[*pm.LimitAlertConditionState](snap, l.Handle); ok {
			if v, valid := Numeric(snap, l.Source); valid {
				fact = violates(state, v)
			}
		}
		out = append(out, verdict{l.Handle, a.lasts(l.Handle, fact, l.Delay, dt)})
	}
	for _, c := range a.conditions {
		out = append(out, verdict{c.Handle, a.lasts(c.Handle, a.flags[c.Handle], c.Delay, dt)})
	}
	return out
}

func violates(s *pm.LimitAlertConditionState, v float64) bool {
	low, high := s.Limits.Lower, s.Limits.Upper
	switch s.MonitoredAlertLimits {
	case pm.AlertConditionMonitoredLimitsNone:
		return false
	case pm.AlertConditionMonitoredLimitsLoOff:
		low = pm.Opt[pm.Decimal]{}
	case pm.AlertConditionMonitoredLimitsHiOff:
		high = pm.Opt[pm.Decimal]{}
	case pm.AlertConditionMonitoredLimitsAll:
	}
	if l, ok := low.Get(); ok && v < l.Float64() {
		return true
	}
	h, ok := high.Get()
	return ok && v > h.Float64()
}

// lasts tells whether a fact has been there for longer than the delay.
func (a *Alarms) lasts(handle string, fact bool, delay, dt time.Duration) bool {
	if !fact {
		delete(a.outside, handle)
		return false
	}
	a.outside[handle] += dt
	return a.outside[handle] > delay
}

// upToDate spares a transaction that would change nothing.
func (a *Alarms) upToDate(snap *mdib.Snapshot, verdicts []verdict, paused bool) bool {
	system, ok := mdib.Get[*pm.AlertSystemState](snap, a.system)
	if !ok {
		return false
	}
	for _, e := range system.SystemSignalActivation {
		if e.Manifestation == pm.AlertSignalManifestationAud && e.State != pm.AlertActivationOff && e.State != audio(paused) {
			return false
		}
	}
	for _, v := range verdicts {
		s, ok := mdib.Get[pm.ConditionState](snap, v.handle)
		if !ok || s.BaseCondition().Presence != present(system.ActivationState, s, v) {
			return false
		}
		for _, h := range signalsOf(v.handle) {
			g, ok := mdib.Get[*pm.AlertSignalState](snap, h)
			if !ok || g.PresenceOrDefault() != sounds(g, s.BaseCondition().Presence) {
				return false
			}
		}
	}
	return true
}

func signalsOf(condition string) [2]string {
	return [2]string{build.VisibleSignal(condition), build.AudibleSignal(condition)}
}

// present: a condition is present only while it and its system are on (BICEPS R0029_0).
func present(system pm.AlertActivation, s pm.ConditionState, v verdict) bool {
	return v.present && system == pm.AlertActivationOn && s.BaseCondition().ActivationState == pm.AlertActivationOn
}

func sounds(g *pm.AlertSignalState, present bool) pm.AlertSignalPresence {
	if present && g.ActivationState == pm.AlertActivationOn {
		return pm.AlertSignalPresenceOn
	}
	return pm.AlertSignalPresenceOff
}

func apply(tx *mdib.Tx, system pm.AlertActivation, v verdict, paused bool) error {
	s, err := mdib.Edit[pm.ConditionState](tx, v.handle)
	if err != nil {
		return err
	}
	s.BaseCondition().Presence = present(system, s, v)
	for _, h := range signalsOf(v.handle) {
		g, err := mdib.Edit[*pm.AlertSignalState](tx, h)
		if err != nil {
			return err
		}
		if h == build.AudibleSignal(v.handle) && g.ActivationState != pm.AlertActivationOff && system == pm.AlertActivationOn {
			g.ActivationState = audio(paused)
		}
		g.Presence = sounds(g, s.BaseCondition().Presence)
	}
	return nil
}
