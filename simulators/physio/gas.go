package physio

import "math"

// Constants of gas exchange for an adult at rest.
const (
	barometric   = 760.0 // mmHg
	waterVapour  = 47.0  // mmHg
	respQuotient = 0.8
	vo2          = 0.280 // L/min
	vco2         = vo2 * respQuotient
	deadSpace    = 0.150 // L
	restingVol   = 2.3   // L, gas in the lung at ambient pressure
	co2Store     = 14.0  // L of CO2 per 760 mmHg: sets how fast paCO2 moves
)

// gas is the exchange model: alveolar oxygen and carbon dioxide follow the
// ventilation that reaches the alveoli, arterial blood follows the alveoli
// through a shunt, and the capnogram is the gas that leaves the mouth.
type gas struct {
	fAO2      float64 // alveolar oxygen fraction
	paCO2     float64 // arterial CO2, mmHg
	sat       float64 // arterial saturation seen at the finger, 0..1
	exhaled   float64 // L exhaled in the current expiration
	inhaled   float64 // L inhaled in the current inspiration
	airwayCO2 float64 // mmHg at the mouth
}

func newGas() gas { return gas{fAO2: 0.30, paCO2: 38, sat: 0.98} }

func (g *gas) step(h float64, l *lung, d Drive, shunt float64, connected bool) {
	fio2 := d.FiO2
	if fio2 < 0.21 || !connected {
		fio2 = 0.21
	}
	fresh := 0.0 // L/s of fresh gas that reaches the alveoli
	switch {
	case l.flow > 0.005:
		g.exhaled = 0
		before := g.inhaled
		g.inhaled += l.flow * h
		if g.inhaled > deadSpace {
			fresh = (g.inhaled - max(before, deadSpace)) / h
		}
		g.airwayCO2 += (0 - g.airwayCO2) * min(h/0.06, 1)
	case l.flow < -0.005:
		g.inhaled = 0
		g.exhaled -= l.flow * h
		// Dead space first, then a steep rise to the slightly sloping plateau.
		rise := smooth((g.exhaled - 0.6*deadSpace) / (0.8 * deadSpace))
		plateau := g.paCO2 - 3 + 2.5*smooth(g.exhaled/0.6)
		g.airwayCO2 += (rise*plateau - g.airwayCO2) * min(h/0.05, 1)
	}
	volume := restingVol + max(l.volume, 0)
	uptake := vo2 / 60
	g.fAO2 += h * (fresh*(fio2-g.fAO2) - uptake) / volume
	g.fAO2 = min(max(g.fAO2, 0.02), 1)
	// Alveolar CO2 equals arterial CO2; what is ventilated leaves the stores.
	out := fresh * g.paCO2 / (barometric - waterVapour)
	g.paCO2 += h * (vco2/60 - out) * barometric / co2Store
	g.paCO2 = min(max(g.paCO2, 10), 150)

	pAO2 := max((barometric-waterVapour)*g.fAO2-0.2*g.paCO2, 5)
	end := dissociation(pAO2)
	venous := max(end-0.27, 0.2)
	arterial := (1-shunt)*end + shunt*venous
	g.sat += (arterial - g.sat) * min(h/4, 1) // circulation to the finger
}

// saturation is the arterial oxygen saturation at the measuring site, 0 to 1.
func (g *gas) saturation() float64 { return g.sat }

// dissociation is Severinghaus' formula: saturation of haemoglobin at a partial
// pressure of oxygen in mmHg.
func dissociation(po2 float64) float64 {
	x := math.Pow(po2, 3) + 150*po2
	return x / (x + 23400)
}
