package ventilator

import (
	"time"

	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/physio"
)

// Times of the manoeuvres.
const (
	holdTime  = 3 * time.Second
	flushTime = 2 * time.Minute
)

// What a pause of the ventilation may last. The ventilator keeps to it whatever the network says or does not say.
const (
	// PauseLease is for how long a call of OpPauseInsp or OpPauseExp is good: without another call in that time the
	// ventilation goes on.
	PauseLease = 4 * time.Second
	// PauseLimit is the longest pause, however often it is renewed, and PauseLockout the time after such a one in
	// which no other begins.
	PauseLimit   = 10 * time.Second
	PauseLockout = 20 * time.Second
	// ResumeLockout is the time after OpResume in which no pause begins, so that a renewal cannot undo what somebody wanted.
	ResumeLockout = 5 * time.Second
)

// PauseState is the value of the metric HandlePause.
type PauseState string

const (
	// NotPaused ventilates.
	NotPaused PauseState = "None"
	// PauseRequested ventilates until the moment of the breath that was asked for.
	PauseRequested PauseState = "Requested"
	// PausedInspiratory keeps the lung filled, PausedExpiratory emptied, with closed valves: nothing moves.
	PausedInspiratory PauseState = "Inspiratory"
	PausedExpiratory  PauseState = "Expiratory"
)

// machine is the breather with its manoeuvres, which end by themselves after some
// simulated time.
type machine struct {
	breather
	holdFor   time.Duration // what is left of an inspiratory hold
	holdSoon  bool          // a hold has been asked for and begins with the next plateau
	flushLeft time.Duration

	pause      bedside.Hold
	pausePhase Phase // at whose end the valves close: Inspiration or Expiration
	pauseOver  bool  // the last pause was ended by its limit
}

func newMachine(s Settings) *machine {
	return &machine{breather: *newBreather(s), pause: bedside.Hold{Limit: PauseLimit, Lockout: PauseLockout}}
}

// beginPause asks for a pause at the end of a phase.
func (m *machine) beginPause(at Phase) error {
	if m.pause.Held() && m.pausePhase != at {
		m.endPause()
	}
	if err := m.pause.Begin(); err != nil {
		return err
	}
	m.pausePhase, m.pauseOver = at, false
	return nil
}

func (m *machine) endPause() {
	if m.pause.End() {
		m.hold = m.holdFor > 0
	}
}

// resume ends a pause because somebody wants it.
func (m *machine) resume() {
	if m.pause.Stop(ResumeLockout) {
		m.hold = m.holdFor > 0
	}
}

// paused tells what is with the pause. Of an inspiratory one that the pressure limit has cut short nothing is held.
func (m *machine) paused() PauseState {
	switch {
	case !m.pause.Held():
		return NotPaused
	case m.pausePhase == Inspiration && m.hold && m.phase == Pause:
		return PausedInspiratory
	case m.pausePhase == Expiration && m.closed():
		return PausedExpiratory
	}
	return PauseRequested
}

// stepPause lets dt of a pause pass.
func (m *machine) stepPause(dt time.Duration) {
	state := m.paused()
	if m.pause.Step(dt, state != PauseRequested) {
		m.hold, m.pauseOver = m.holdFor > 0, true
		return
	}
	if !m.pause.Held() {
		return
	}
	if m.phase == m.pausePhase {
		m.hold = true
	}
	if m.pausePhase == Inspiration && m.hold && m.phase == Expiration {
		m.endPause() // the pressure limit has opened the valve: there is nothing to hold
	}
}

// next advances the machine by dt.
func (m *machine) next(dt time.Duration, air physio.Airway) physio.Drive {
	m.flushLeft = max(m.flushLeft-dt, 0)
	if m.settings.Mode == Standby {
		m.endPause()
	}
	if m.holdSoon && m.phase == Inspiration {
		// The hold begins within an inspiration, so that the lung is held filled.
		m.holdSoon, m.hold, m.holdFor = false, true, holdTime+seconds(m.settings.InspiratoryTime)
	}
	if m.hold && m.holdFor > 0 {
		if m.holdFor = max(m.holdFor-dt, 0); m.holdFor == 0 {
			m.hold = m.pause.Held()
		}
	}
	m.stepPause(dt)
	d := m.breather.next(dt, air)
	d.FiO2 = m.oxygen() / 100
	return d
}

// oxygen is the fraction given at present, in percent.
func (m *machine) oxygen() float64 {
	if m.flushLeft > 0 {
		return 100
	}
	return m.settings.FiO2
}

// status says what the ventilator is doing.
func (m *machine) status() string {
	switch {
	case m.settings.Mode == Standby:
		return "Standby"
	case m.paused() == PausedInspiratory:
		return "Inspiratory pause"
	case m.paused() == PausedExpiratory:
		return "Expiratory pause"
	case m.hold && m.holdFor > 0:
		return "Inspiratory hold"
	case m.flushLeft > 0:
		return "Oxygen flush"
	}
	return "Ventilating"
}
