package measure

// Oximeter derives saturation, pulse rate and perfusion from the intensities of
// red and infrared light behind a finger by the ratio of ratios.
type Oximeter struct {
	dt         float64
	red, ir    extremes
	mean       float64
	primed     bool
	below      bool
	since      float64
	pulses     int
	sat        float64
	perfusion  float64
	intervals  [8]float64
	n          int
	lastSpread float64
}

type extremes struct{ lo, hi float64 }

func (e *extremes) reset(v float64) { e.lo, e.hi = v, v }
func (e *extremes) add(v float64)   { e.lo, e.hi = min(e.lo, v), max(e.hi, v) }

// NewOximeter returns a detector for pairs of samples dt seconds apart.
func NewOximeter(dt float64) *Oximeter { return &Oximeter{dt: dt} }

// Add takes the next intensities and tells whether a pulse ended at them.
func (o *Oximeter) Add(red, infrared float64) bool {
	if !o.primed {
		o.mean, o.primed = infrared, true
		o.red.reset(red)
		o.ir.reset(infrared)
	}
	o.mean += (infrared - o.mean) * min(o.dt/1.5, 1)
	o.red.add(red)
	o.ir.add(infrared)
	o.since += o.dt
	// Blood absorbs light: a pulse is a dip of the intensity below its mean.
	spread := max(o.lastSpread, 0.004)
	if o.below {
		if infrared > o.mean+0.05*spread {
			o.below = false
		}
		return false
	}
	if infrared > o.mean-0.25*spread || o.since < 0.25 {
		return false
	}
	o.below = true
	acRed, acIR := o.red.hi-o.red.lo, o.ir.hi-o.ir.lo
	interval := o.since
	o.pulses++
	o.since = 0
	red0, ir0 := o.red.hi, o.ir.hi
	o.red.reset(red)
	o.ir.reset(infrared)
	const leastPulse = 0.002 // relative to the steady intensity: below it there is no perfusion
	if acIR < leastPulse*ir0 || interval >= asystole {
		o.n = 0
		return false
	}
	o.lastSpread = acIR
	if o.pulses < 3 {
		return false
	}
	ratio := (acRed / red0) / (acIR / ir0)
	value := min(max(110-25*ratio, 0), 100)
	if o.n == 0 {
		o.sat, o.perfusion = value, 100*acIR/ir0
	} else {
		o.sat += (value - o.sat) * 0.3
		o.perfusion += (100*acIR/ir0 - o.perfusion) * 0.3
	}
	o.intervals[o.n%len(o.intervals)] = interval
	o.n++
	return true
}

func (o *Oximeter) valid() bool { return o.n >= 2 && o.since < asystole }

// Saturation is SpO2 in percent; false without a usable pulse.
func (o *Oximeter) Saturation() (float64, bool) { return o.sat, o.valid() }

// PerfusionIndex is the pulsating part of the intensity in percent.
func (o *Oximeter) PerfusionIndex() (float64, bool) { return o.perfusion, o.valid() }

// PulseRate is in beats per minute, averaged over at most eight pulses.
func (o *Oximeter) PulseRate() (float64, bool) {
	if !o.valid() {
		return 0, false
	}
	k := min(o.n, len(o.intervals))
	sum := 0.0
	for _, v := range o.intervals[:k] {
		sum += v
	}
	return 60 * float64(k) / sum, true
}
