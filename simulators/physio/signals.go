package physio

import "math"

// Signals are the instantaneous values that sensors on the patient pick up.
type Signals struct {
	// ECGII and ECGV5 are electrode voltages in mV.
	ECGII, ECGV5 float64
	// Red and Infrared are the light intensities behind the finger in arbitrary
	// units; the pulsating part holds pulse and saturation.
	Red, Infrared float64
	// ArterialPressure is in mmHg.
	ArterialPressure float64
	// CO2 is the partial pressure at the airway in mmHg.
	CO2 float64
	// AirwayFlow is in L/s, positive into the patient.
	AirwayFlow float64
	// CoreTemperature and SkinTemperature are in degrees Celsius.
	CoreTemperature, SkinTemperature float64
}

// Signals returns the values at the end of the last step.
func (p *Patient) Signals() Signals { return p.sig }

// wave is one Gaussian deflection of the ECG within the beat.
type wave struct{ centre, width, leadII, leadV5 float64 }

// The deflections P, Q, R, S and T with their amplitudes in mV. Widths are for a
// beat of one second and scale with the root of the beat length, as QT does.
var ecgWaves = [...]wave{
	{0.10, 0.022, 0.14, 0.10},
	{rPhase - 0.024, 0.008, -0.12, -0.08},
	{rPhase, 0.0095, 1.15, 1.45},
	{rPhase + 0.026, 0.010, -0.24, -0.32},
	{0.50, 0.050, 0.30, 0.38},
}

func (p *Patient) sample(air Airway) {
	c := &p.circ
	scale := math.Sqrt(1 / max(c.beatLen, 0.25))
	ii, v5 := 0.0, 0.0
	for i, w := range ecgWaves {
		centre := w.centre
		if i == len(ecgWaves)-1 {
			centre = rPhase + (w.centre-rPhase)*scale // T comes relatively later in a fast beat
		}
		width := w.width * scale
		d := c.phase - min(centre, 0.9)
		g := math.Exp(-d * d / (2 * width * width))
		ii += w.leadII * g
		v5 += w.leadV5 * g
	}
	baseline := 0.03 * c.respir
	noise := 0.006
	p.sig.ECGII = ii + baseline + noise*p.rng.NormFloat64()
	p.sig.ECGV5 = v5 + baseline + noise*p.rng.NormFloat64()

	p.sig.ArterialPressure = c.art

	// The pulse reaches the finger about 0.2 beats after ejection has begun.
	d := math.Mod(c.phase-ejectionBegin-0.10+1, 1)
	pulse := math.Exp(-sq((d-0.20)/0.10)) + 0.35*math.Exp(-sq((d-0.48)/0.11))
	ac := 0.02 * (0.55 + 0.45*c.strength) * (1 - 0.06*c.respir)
	// Ratio of ratios R of an oximeter: SpO2 = 110 - 25 R.
	ratio := (110 - 100*p.gas.saturation()) / 25
	p.sig.Infrared = 1 - ac*pulse + 0.0002*p.rng.NormFloat64()
	p.sig.Red = 1 - ac*ratio*pulse + 0.0002*p.rng.NormFloat64()

	p.sig.CO2 = max(air.CO2, 0)
	p.sig.AirwayFlow = air.Flow
	p.sig.CoreTemperature = p.temp.core
	p.sig.SkinTemperature = p.temp.skin
}

func sq(x float64) float64 { return x * x }
