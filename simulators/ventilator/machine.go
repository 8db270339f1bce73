package ventilator

import (
	"time"

	"github.com/semeco/go-sdc/simulators/physio"
)

// Times of the manoeuvres.
const (
	holdTime  = 3 * time.Second
	flushTime = 2 * time.Minute
)

// machine is the breather with its manoeuvres, which end by themselves after some
// simulated time.
type machine struct {
	breather
	holdFor   time.Duration // what is left of an inspiratory hold
	holdSoon  bool          // a hold has been asked for and begins with the next plateau
	flushLeft time.Duration
}

func newMachine(s Settings) *machine { return &machine{breather: *newBreather(s)} }

// next advances the machine by dt.
func (m *machine) next(dt time.Duration, air physio.Airway) physio.Drive {
	m.flushLeft = max(m.flushLeft-dt, 0)
	if m.holdSoon && m.phase == Inspiration {
		// The hold begins within an inspiration, so that the lung is held filled.
		m.holdSoon, m.hold, m.holdFor = false, true, holdTime+seconds(m.settings.InspiratoryTime)
	}
	if m.hold {
		if m.holdFor -= dt; m.holdFor <= 0 {
			m.hold = false
		}
	}
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
	case m.hold:
		return "Inspiratory hold"
	case m.flushLeft > 0:
		return "Oxygen flush"
	}
	return "Ventilating"
}
