package light

import (
	"fmt"
	"time"
)

// Mode is the value of the metric HandleMode.
type Mode string

const (
	// Off is dark.
	Off Mode = "Off"
	// Surgery lights the field.
	Surgery Mode = "Surgery"
	// Endoscopy lightens the room a little, whatever intensity is set.
	Endoscopy Mode = "Endoscopy"
)

// Settings are what the team sets.
type Settings struct {
	// Mode is the mode.
	Mode Mode
	// Intensity in percent of the full illuminance, 10 to 100.
	Intensity float64
	// Colour is the colour temperature in K, 3500 to 5000.
	Colour float64
}

// DefaultSettings are those of a light that was switched on at the wall.
func DefaultSettings() Settings { return Settings{Mode: Surgery, Intensity: 60, Colour: 4300} }

// Validate tells what the light would refuse.
func (s Settings) Validate() error {
	switch s.Mode {
	case Off, Surgery, Endoscopy:
	default:
		return fmt.Errorf("unknown mode %q", string(s.Mode))
	}
	if !(s.Intensity >= 10 && s.Intensity <= 100) {
		return fmt.Errorf("intensity of %g %% is outside 10 to 100", s.Intensity)
	}
	if !(s.Colour >= 3500 && s.Colour <= 5000) {
		return fmt.Errorf("colour temperature of %g K is outside 3500 to 5000", s.Colour)
	}
	return nil
}

const (
	// FullIlluminance is that of 100 % in klx.
	FullIlluminance = 160.0
	// dimAbove is the temperature in degrees Celsius above which the light dims itself to dimmed percent, until it is below dimBelow.
	dimAbove, dimBelow, dimmed = 75.0, 65.0, 50.0
	ambient                    = 22.0
)

// lamp is the head.
type lamp struct {
	settings Settings
	warmth   float64 // degrees Celsius
	blocked  bool    // the way of the air is blocked: a fault of the simulation
	dimmed   bool
}

// output is the present intensity in percent.
func (l *lamp) output() float64 {
	switch l.settings.Mode {
	case Off:
		return 0
	case Endoscopy:
		return 5
	case Surgery:
	}
	if l.dimmed {
		return min(l.settings.Intensity, dimmed)
	}
	return l.settings.Intensity
}

// next lets dt pass.
func (l *lamp) next(dt time.Duration) {
	rise := 40.0
	if l.blocked {
		rise = 75
	}
	l.warmth += (ambient + rise*l.output()/100 - l.warmth) * min(dt.Seconds()/60, 1)
	if l.warmth > dimAbove {
		l.dimmed = true
	} else if l.warmth < dimBelow {
		l.dimmed = false
	}
}
