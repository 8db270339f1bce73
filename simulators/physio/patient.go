package physio

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Scenario names the course that a simulated patient takes.
type Scenario string

const (
	// Stable is a ventilated adult without complications.
	Stable Scenario = "stable"
	// Desaturation repeatedly impairs oxygenation: a growing shunt lets SpO2 fall
	// below 85 % and the heart rate rise before the lung recovers.
	Desaturation Scenario = "desaturation"
	// Tachycardia repeatedly raises the heart rate to about 150 /min with a
	// falling arterial pressure.
	Tachycardia Scenario = "tachycardia"
	// Disconnection repeatedly opens the breathing circuit at the patient.
	Disconnection Scenario = "disconnection"
)

// Scenarios lists every scenario, in the order in which help texts show them.
func Scenarios() []Scenario {
	return []Scenario{Stable, Desaturation, Tachycardia, Disconnection}
}

// ParseScenario returns the scenario of that name; "" is [Stable].
func ParseScenario(name string) (Scenario, error) {
	if name == "" {
		return Stable, nil
	}
	for _, s := range Scenarios() {
		if string(s) == name {
			return s, nil
		}
	}
	return "", fmt.Errorf("unknown scenario %q (known: %v)", name, Scenarios())
}

// Timing of the episodes of a scenario. The first one comes early enough to be
// seen in a short demonstration, the pause between two is long enough for the
// model to return to its baseline.
const (
	episodeStart  = 15 * time.Second
	episodeLength = 40 * time.Second
	episodePeriod = 150 * time.Second
)

// Config describes a patient. The zero value is a stable adult, seed 0.
type Config struct {
	// Seed selects the random variations. The same seed gives the same patient.
	Seed uint64
	// Scenario is the course; "" is [Stable].
	Scenario Scenario
	// HeartRate is the resting heart rate in beats per minute; 0 is 72.
	HeartRate float64
	// Compliance of lung and chest wall in mL/cmH2O; 0 is 48.
	Compliance float64
	// Resistance of the airways and tube in cmH2O·s/L; 0 is 11, and 3 for a patient with own breaths, who has no tube.
	Resistance float64
	// Spontaneous is the rate of own breaths per minute at rest; 0 is a patient without own efforts, who has
	// to be ventilated. Carbon dioxide drives the breathing, an opioid depresses it.
	Spontaneous float64
}

// Patient is one simulated patient. Create it with [New].
type Patient struct {
	cfg  Config
	rng  *rand.Rand
	now  time.Duration
	lung lung
	gas  gas
	circ circulation
	temp temperature
	sig  Signals

	breath          breathing
	opioid, pressor dose
}

// New returns a patient at rest.
func New(cfg Config) *Patient {
	if cfg.Scenario == "" {
		cfg.Scenario = Stable
	}
	if cfg.HeartRate == 0 {
		cfg.HeartRate = 72
	}
	if cfg.Compliance == 0 {
		cfg.Compliance = 48
	}
	if cfg.Resistance == 0 {
		cfg.Resistance = 11
		if cfg.Spontaneous > 0 {
			cfg.Resistance = 3
		}
	}
	p := &Patient{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x5dc))}
	p.lung = lung{compliance: cfg.Compliance / 1000, resistance: cfg.Resistance}
	p.gas = newGas()
	p.breath = breathing{phase: 0.5, length: 60 / max(cfg.Spontaneous, 1)}
	p.circ = newCirculation(cfg.HeartRate)
	p.temp = temperature{core: 36.9 + 0.3*p.rng.Float64(), skin: 33.8 + 0.5*p.rng.Float64()}
	return p
}

// Elapsed is the simulated time since [New].
func (p *Patient) Elapsed() time.Duration { return p.now }

// Connected tells whether the breathing circuit is closed at the patient.
func (p *Patient) Connected() bool {
	return p.cfg.Scenario != Disconnection || p.episode() == 0
}

// Step advances the model by dt (at most 20 ms keeps it numerically stable; a
// longer one is divided) while the machine applies drive at the airway opening,
// and returns what a sensor at the Y piece measures.
func (p *Patient) Step(dt time.Duration, drive Drive) Airway {
	const longest = 20 * time.Millisecond
	var air Airway
	for dt > 0 {
		d := min(dt, longest)
		air = p.step(d, drive)
		dt -= d
	}
	return air
}

func (p *Patient) step(dt time.Duration, drive Drive) Airway {
	p.now += dt
	h := dt.Seconds()
	p.opioid.step(h, Remifentanil)
	p.pressor.step(h, Norepinephrine)
	air := p.lung.step(h, drive, p.Connected(), p.breathe(h))
	p.gas.step(h, &p.lung, drive, p.shunt(), p.Connected())
	p.circ.step(h, p.heartRateTarget(), p.contractility(), p.tone(), p.lung.volume, p.rng)
	p.temp.step(h, p.rng)
	air.CO2 = p.gas.airwayCO2
	p.sample(air)
	return air
}

// episode is the strength, 0 to 1, of the scenario's current episode. It rises
// and falls with smooth flanks, so that derived values move as in a patient.
func (p *Patient) episode() float64 {
	if p.cfg.Scenario == Stable || p.now < episodeStart {
		return 0
	}
	t := (p.now - episodeStart) % episodePeriod
	if t >= episodeLength {
		return 0
	}
	const flank = 8 * time.Second
	switch {
	case t < flank:
		return smooth(float64(t) / float64(flank))
	case t > episodeLength-flank:
		return smooth(float64(episodeLength-t) / float64(flank))
	}
	return 1
}

func (p *Patient) shunt() float64 {
	const healthy = 0.04
	if p.cfg.Scenario == Desaturation {
		return healthy + 0.46*p.episode()
	}
	return healthy
}

func (p *Patient) heartRateTarget() float64 {
	hr := p.cfg.HeartRate
	if p.cfg.Scenario == Tachycardia {
		hr += (152 - hr) * p.episode()
	}
	// Hypoxia drives the heart; hypercapnia does so more gently.
	if hypoxia := 92 - p.gas.saturation()*100; hypoxia > 0 {
		hr += 1.8 * min(hypoxia, 20)
	}
	if excess := p.gas.paCO2 - 50; excess > 0 {
		hr += 0.6 * min(excess, 30)
	}
	hr *= 1 - 0.2*hill(p.opioid.site, 3, 1)
	return hr
}

func (p *Patient) contractility() float64 {
	if p.cfg.Scenario == Tachycardia {
		return 1 - 0.32*p.episode()
	}
	return 1
}

// smooth is the cubic step from 0 to 1.
func smooth(x float64) float64 {
	x = min(max(x, 0), 1)
	return x * x * (3 - 2*x)
}

type temperature struct{ core, skin float64 } // degrees Celsius

func (t *temperature) step(h float64, rng *rand.Rand) {
	t.core += h * (0.002*(37.0-t.core) + 0.004*rng.NormFloat64())
	t.skin += h * (0.004*(34.0-t.skin) + 0.006*rng.NormFloat64())
}
