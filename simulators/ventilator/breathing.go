package ventilator

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/simulators/physio"
)

// Mode is the ventilation mode.
type Mode string

const (
	// VolumeControl delivers the set tidal volume with constant flow.
	VolumeControl Mode = "VC-CMV"
	// PressureControl holds the set inspiratory pressure.
	PressureControl Mode = "PC-CMV"
	// Standby does not ventilate.
	Standby Mode = "Standby"
)

// Settings are what a clinician sets. Every value has the range that
// [Settings.Validate] enforces.
type Settings struct {
	// Mode is the ventilation mode.
	Mode Mode
	// TidalVolume in mL, 100 to 2000.
	TidalVolume float64
	// Rate in breaths per minute, 4 to 60.
	Rate float64
	// PEEP in cmH2O, 0 to 30.
	PEEP float64
	// InspiratoryPressure above PEEP in cmH2O, 3 to 60; used by PressureControl.
	InspiratoryPressure float64
	// FiO2 in percent, 21 to 100.
	FiO2 float64
	// InspiratoryTime in seconds, 0.3 to 5.
	InspiratoryTime float64
	// PauseTime in seconds, 0 to 1: end-inspiratory pause within the inspiratory
	// time; used by VolumeControl to measure the plateau pressure.
	PauseTime float64
	// PressureLimit in cmH2O, 10 to 80: an inspiration that reaches it is ended.
	PressureLimit float64
}

// DefaultSettings suit an adult of 75 kg.
func DefaultSettings() Settings {
	return Settings{
		Mode: VolumeControl, TidalVolume: 450, Rate: 14, PEEP: 5, InspiratoryPressure: 12,
		FiO2: 40, InspiratoryTime: 1.4, PauseTime: 0.3, PressureLimit: 40,
	}
}

// Validate tells what a ventilator would refuse: a value out of its range, or a
// combination that leaves no time to exhale.
func (s Settings) Validate() error {
	switch s.Mode {
	case VolumeControl, PressureControl, Standby:
	default:
		return fmt.Errorf("unknown ventilation mode %q", s.Mode)
	}
	for _, r := range []struct {
		name          string
		value, lo, hi float64
		unit          string
	}{
		{"tidal volume", s.TidalVolume, 100, 2000, "mL"},
		{"rate", s.Rate, 4, 60, "/min"},
		{"PEEP", s.PEEP, 0, 30, "cmH2O"},
		{"inspiratory pressure", s.InspiratoryPressure, 3, 60, "cmH2O"},
		{"FiO2", s.FiO2, 21, 100, "%"},
		{"inspiratory time", s.InspiratoryTime, 0.3, 5, "s"},
		{"pause time", s.PauseTime, 0, 1, "s"},
		{"pressure limit", s.PressureLimit, 10, 80, "cmH2O"},
	} {
		if !(r.value >= r.lo && r.value <= r.hi) {
			return fmt.Errorf("%s of %g %s is outside %g to %g", r.name, r.value, r.unit, r.lo, r.hi)
		}
	}
	const leastExpiration = 0.4 // s
	if period := 60 / s.Rate; s.InspiratoryTime+leastExpiration > period {
		return fmt.Errorf("inspiratory time of %g s leaves less than %g s to exhale at %g /min", s.InspiratoryTime, leastExpiration, s.Rate)
	}
	if s.PauseTime+0.2 > s.InspiratoryTime {
		return fmt.Errorf("pause time of %g s leaves less than 0.2 s of the inspiratory time of %g s for flow", s.PauseTime, s.InspiratoryTime)
	}
	if s.PEEP+3 > s.PressureLimit {
		return fmt.Errorf("PEEP of %g cmH2O needs a pressure limit at least 3 cmH2O above it", s.PEEP)
	}
	return nil
}

// Phase is the part of the breath that is under way.
type Phase uint8

const (
	// Expiration lets the patient exhale against PEEP.
	Expiration Phase = iota
	// Inspiration delivers gas.
	Inspiration
	// Pause keeps the valves closed at the end of an inspiration.
	Pause
)

// breather turns settings into what the machine does at the airway.
type breather struct {
	settings Settings
	phase    Phase
	inPhase  time.Duration
	inBreath time.Duration
	limited  bool
	plateau  float64 // cmH2O, pressure at the end of the last pause
	hold     bool
}

func newBreather(s Settings) *breather {
	return &breather{settings: s, inBreath: 24 * time.Hour} // the first step starts a breath
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// next advances the machine by dt, given what its sensors showed last, and
// returns what it now applies. New settings take effect with the next breath
// except for oxygen and PEEP, which act at once.
func (b *breather) next(dt time.Duration, air physio.Airway) physio.Drive {
	s := &b.settings
	fio2 := s.FiO2 / 100
	if s.Mode == Standby {
		b.phase, b.inBreath, b.inPhase = Expiration, 24*time.Hour, 0
		return physio.Drive{Mode: physio.OpenAir, FiO2: fio2}
	}
	b.inBreath += dt
	b.inPhase += dt
	switch b.phase {
	case Expiration:
		if b.inBreath >= seconds(60/s.Rate) && !b.hold {
			b.enter(Inspiration)
			b.inBreath, b.limited = 0, false
		}
	case Inspiration:
		flowTime := seconds(s.InspiratoryTime)
		if s.Mode == VolumeControl {
			flowTime -= seconds(s.PauseTime)
		}
		switch {
		case air.Pressure > s.PressureLimit:
			b.limited = true
			b.enter(Expiration)
		case b.inPhase >= flowTime && (b.hold || (s.Mode == VolumeControl && s.PauseTime > 0)):
			b.enter(Pause)
		case b.inPhase >= flowTime:
			b.enter(Expiration)
		}
	case Pause:
		b.plateau = air.Pressure
		if b.inPhase >= seconds(s.PauseTime) && !b.hold {
			b.enter(Expiration)
		}
	}
	switch b.phase {
	case Inspiration:
		if s.Mode == PressureControl {
			// A rise time of 100 ms keeps the flow within what a blower delivers.
			ramp := min(b.inPhase.Seconds()/0.1, 1)
			return physio.Drive{Mode: physio.PressureSource, Value: s.PEEP + ramp*s.InspiratoryPressure, FiO2: fio2}
		}
		return physio.Drive{Mode: physio.FlowSource, Value: s.TidalVolume / 1000 / (s.InspiratoryTime - s.PauseTime), FiO2: fio2}
	case Pause:
		return physio.Drive{Mode: physio.Occluded, FiO2: fio2}
	case Expiration:
		if b.closed() {
			return physio.Drive{Mode: physio.Occluded, FiO2: fio2}
		}
	}
	return physio.Drive{Mode: physio.PressureSource, Value: s.PEEP, FiO2: fio2}
}

// closed tells whether the valves are kept closed at the end of an expiration.
func (b *breather) closed() bool {
	return b.hold && b.phase == Expiration && b.inBreath >= seconds(60/b.settings.Rate)
}

func (b *breather) enter(p Phase) { b.phase, b.inPhase = p, 0 }
