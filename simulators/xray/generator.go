package xray

import (
	"fmt"
	"math"
	"time"
)

// State is the value of the metric HandleState.
type State string

const (
	// Standby is at rest.
	Standby State = "Standby"
	// Preparing brings the anode up to speed.
	Preparing State = "Preparing"
	// Ready can expose.
	Ready State = "Ready"
	// Exposing emits radiation.
	Exposing State = "Exposing"
)

// Outcome is the value of the metric HandleOutcome: how the last exposure ended.
type Outcome string

const (
	// NoExposure has been made yet.
	NoExposure Outcome = "None"
	// Complete lasted as long as was set.
	Complete Outcome = "Complete"
	// Aborted was ended by a call or the interlock.
	Aborted Outcome = "Aborted"
)

const (
	// PrepareTime is how long the preparation takes.
	PrepareTime = 800 * time.Millisecond
	// ReadyTime is how long the device stays ready; then it goes back to standby.
	ReadyTime = 8 * time.Second
)

// Settings are what a radiographer sets.
type Settings struct {
	// Voltage of the tube in kV, 40 to 150.
	Voltage float64
	// Charge is the product of current and time in mAs, 0.5 to 200.
	Charge float64
	// Exposure is how long an exposure lasts in ms, 5 to 3000.
	Exposure float64
}

// DefaultSettings are those of a chest in bed.
func DefaultSettings() Settings { return Settings{Voltage: 85, Charge: 2, Exposure: 200} }

// Validate tells what the device would refuse.
func (s Settings) Validate() error {
	for _, r := range []struct {
		name          string
		value, lo, hi float64
		unit          string
	}{
		{"voltage", s.Voltage, 40, 150, "kV"},
		{"charge", s.Charge, 0.5, 200, "mAs"},
		{"exposure time", s.Exposure, 5, 3000, "ms"},
	} {
		if !(r.value >= r.lo && r.value <= r.hi) {
			return fmt.Errorf("%s of %g %s is outside %g to %g", r.name, r.value, r.unit, r.lo, r.hi)
		}
	}
	const mostCurrent = 500 // mA
	if current := s.Charge / s.Exposure * 1000; current > mostCurrent {
		return fmt.Errorf("%g mAs in %g ms need %.0f mA; the tube bears %d", s.Charge, s.Exposure, current, mostCurrent)
	}
	return nil
}

// generator is the tube with its control.
type generator struct {
	settings Settings
	state    State
	inState  time.Duration
	open     bool // the interlock
	tripped  bool // the interlock has ended something
	outcome  Outcome
	count    int
	motion   float64 // L/min, of the exposure under way
	lastMove float64 // L/min, of the last one
	dose     float64 // mGy·cm2, of all
}

func newGenerator(s Settings) *generator {
	return &generator{settings: s, state: Standby, outcome: NoExposure}
}

// next lets dt pass, in which gas flows into or out of the patient with flow in L/s.
func (g *generator) next(dt time.Duration, flow float64) {
	g.inState += dt
	switch g.state {
	case Preparing:
		if g.inState >= PrepareTime {
			g.enter(Ready)
		}
	case Ready:
		if g.inState >= ReadyTime {
			g.enter(Standby)
		}
	case Exposing:
		g.motion = max(g.motion, math.Abs(flow)*60)
		if g.inState >= g.exposureTime() {
			g.end(Complete)
		}
	case Standby:
	}
}

func (g *generator) exposureTime() time.Duration {
	return time.Duration(g.settings.Exposure * float64(time.Millisecond))
}

func (g *generator) enter(s State) { g.state, g.inState = s, 0 }

func (g *generator) prepare() error {
	switch {
	case g.open:
		return fmt.Errorf("the interlock is open")
	case g.state == Exposing:
		return fmt.Errorf("an exposure is being made")
	case g.state == Standby:
		g.enter(Preparing)
	}
	g.tripped = false
	return nil
}

func (g *generator) expose() error {
	switch {
	case g.open:
		return fmt.Errorf("the interlock is open")
	case g.state != Ready:
		return fmt.Errorf("the device is not ready (%s)", g.state)
	}
	g.motion = 0
	g.enter(Exposing)
	return nil
}

// end ends an exposure. What was emitted counts, however it ended.
func (g *generator) end(o Outcome) {
	part := min(float64(g.inState)/float64(g.exposureTime()), 1)
	g.dose += part * g.settings.Charge * g.settings.Voltage * g.settings.Voltage / 1e4
	g.outcome, g.lastMove = o, g.motion
	g.count++
	g.enter(Standby)
}

// abort ends whatever the device does.
func (g *generator) abort() {
	if g.state == Exposing {
		g.end(Aborted)
	}
	g.enter(Standby)
}

// interlock opens or closes the contact of the room. An open one ends whatever the device does.
func (g *generator) interlock(open bool) {
	if open && !g.open && g.state != Standby {
		g.tripped = true
		g.abort()
	}
	g.open = open
}
