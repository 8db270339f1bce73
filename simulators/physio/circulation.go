package physio

import (
	"math"
	"math/rand/v2"
)

// circulation holds the heart and a two-element windkessel for the arteries.
type circulation struct {
	rate     float64 // beats per minute, slowly following its target
	phase    float64 // 0..1 within the beat, 0 is the P wave's begin
	beatLen  float64 // s, length of the beat under way
	strength float64
	art      float64 // arterial pressure, mmHg
	respir   float64 // respiratory modulation, -1..1
}

func newCirculation(rate float64) circulation {
	return circulation{rate: rate, beatLen: 60 / rate, strength: 1, art: 85}
}

// Systolic ejection lies between these phases of the beat; the ECG's R wave is
// at rPhase, so that the pulse follows the R wave as in a person.
const (
	rPhase        = 0.22
	ejectionBegin = 0.27
	ejectionEnd   = 0.60
)

func (c *circulation) step(h, target, strength, tone, lungVolume float64, rng *rand.Rand) {
	c.rate += (target - c.rate) * min(h/3, 1)
	c.strength += (strength - c.strength) * min(h/2, 1)
	c.respir = min(max(lungVolume/0.5-0.5, -1), 1)
	c.phase += h / c.beatLen
	if c.phase >= 1 {
		c.phase -= 1
		// Respiratory sinus arrhythmia and a little beat-to-beat variation.
		rate := c.rate * (1 + 0.025*c.respir + 0.008*rng.NormFloat64())
		c.beatLen = 60 / min(max(rate, 20), 260)
	}
	inflow := 0.0
	if c.phase > ejectionBegin && c.phase < ejectionEnd {
		x := (c.phase - ejectionBegin) / (ejectionEnd - ejectionBegin)
		stroke := 78 * c.strength * min(1, math.Sqrt(72/c.rate)) * (1 - 0.05*c.respir)
		inflow = stroke * math.Sin(math.Pi*x) * math.Pi / 2 / ((ejectionEnd - ejectionBegin) * c.beatLen)
	}
	const resistance, compliance = 1.02, 1.45 // mmHg·s/mL, mL/mmHg
	c.art += h * (inflow - c.art/(resistance*tone)) / compliance
	c.art = min(max(c.art, 10), 300)
}
