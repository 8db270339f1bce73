package measure

// Pressure finds pulses in an arterial pressure wave.
type Pressure struct {
	dt       float64
	smooth   float64
	primed   bool
	hi, lo   float64 // envelope that follows the wave
	rising   bool
	max, min float64 // extremes of the beat under way
	sum      float64
	count    float64
	since    float64
	result   PressureValues
	pulses   int
	interval float64
}

// PressureValues are the numerics of one pulse in mmHg.
type PressureValues struct{ Systolic, Diastolic, Mean float64 }

// NewPressure returns a detector for samples dt seconds apart.
func NewPressure(dt float64) *Pressure { return &Pressure{dt: dt} }

// Add takes the next sample in mmHg and tells whether a pulse ended at it.
func (p *Pressure) Add(mmHg float64) bool {
	if !p.primed {
		p.smooth, p.hi, p.lo, p.max, p.min, p.primed = mmHg, mmHg, mmHg, mmHg, mmHg, true
	}
	p.smooth += (mmHg - p.smooth) * min(p.dt/0.02, 1)
	p.hi = max(p.smooth, p.hi-(p.hi-p.smooth)*p.dt/3)
	p.lo = min(p.smooth, p.lo+(p.smooth-p.lo)*p.dt/3)
	p.max, p.min = max(p.max, p.smooth), min(p.min, p.smooth)
	p.sum += mmHg
	p.count++
	p.since += p.dt

	span := p.hi - p.lo
	if p.rising {
		if p.smooth < p.lo+0.35*span {
			p.rising = false
		}
		return false
	}
	const leastPulse = 8 // mmHg: smaller swings are no pulse
	if span < leastPulse || p.smooth < p.lo+0.6*span || p.since < 0.2 {
		return false
	}
	p.rising = true
	p.pulses++
	p.interval = p.since
	pulse := p.pulses > 1
	if pulse {
		p.result = PressureValues{Systolic: p.max, Diastolic: p.min, Mean: p.sum / p.count}
	}
	p.max, p.min, p.sum, p.count, p.since = p.smooth, p.smooth, 0, 0, 0
	return pulse && p.pulses > 2
}

// Values are those of the last complete pulse; false before the second one and
// after four seconds without a pulse.
func (p *Pressure) Values() (PressureValues, bool) {
	return p.result, p.pulses > 2 && p.since < asystole
}
