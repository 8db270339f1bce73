package physio

import "math"

// Breathing of the patient's own. It is driven by the carbon dioxide in the blood, and by the lack of oxygen once
// that is grave; an opioid depresses it. Rate and depth share the drive, as they do in a person: the
// rate takes most of what an opioid takes away.
const (
	restingCO2 = 40.0 // mmHg, at which the drive is 1
	co2Gain    = 0.05 // of the drive per mmHg
	mostDrive  = 2.5
	leastDrive = 0.12 // below it no breath begins: apnoea
	// effortPeak is the pressure of the muscles at drive 1, in cmH2O: with the default compliance and an
	// airway without a tube it moves some 450 mL.
	effortPeak = 11.0
	// effortPart is the part of the breath in which the muscles pull.
	effortPart = 0.38
)

// breathing is the rhythm of the patient's own breaths.
type breathing struct {
	phase  float64 // 0..1 within the breath; 1 is the pause before the next
	length float64 // s, of the breath under way
	depth  float64 // cmH2O, of the breath under way
}

// drive is 1 at rest.
func (p *Patient) drive() float64 {
	d := 1 + co2Gain*(p.gas.paCO2-restingCO2)
	if lack := 0.85 - p.gas.saturation(); lack > 0 {
		d += 2 * lack
	}
	return min(max(d, 0.3), mostDrive) * (1 - p.depression())
}

// breathe lets h seconds pass and returns the pressure in cmH2O that the breathing muscles add.
func (p *Patient) breathe(h float64) float64 {
	if p.cfg.Spontaneous == 0 {
		return 0
	}
	b := &p.breath
	b.phase = min(b.phase+h/b.length, 1)
	if b.phase >= 1 {
		d := p.drive()
		if d < leastDrive {
			return 0
		}
		b.phase, b.length, b.depth = 0, 60/(p.cfg.Spontaneous*math.Pow(d, 0.65)), effortPeak*math.Pow(d, 0.35)
	}
	if b.phase > effortPart {
		return 0
	}
	return b.depth * math.Sin(math.Pi*b.phase/effortPart)
}
