package simulators

import (
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/simulators/physio"
)

// SampleStep is the time between two samples of a bed.
const SampleStep = 5 * time.Millisecond

// backlog bounds what is kept for a device that falls behind the others at its
// bed; the oldest samples are dropped, as a sensor's buffer would.
const backlog = 2000 // 10 s

// Sample is what can be measured at the patient at one moment.
type Sample struct {
	// Time since the patient was put into the bed.
	Time time.Duration
	// Airway is what sensors at the Y piece see.
	Airway physio.Airway
	// Signals are those of the sensors on the patient.
	Signals physio.Signals
	// Connected tells whether the breathing circuit is closed at the patient.
	Connected bool
}

// Machine ventilates a patient: given what its sensors saw last, it says what it
// applies at the airway during the next dt.
type Machine func(dt time.Duration, air physio.Airway) physio.Drive

// Pump is at the vein: it says what it has delivered during dt.
type Pump func(dt time.Duration) (drug physio.Drug, micrograms float64)

// line is the venous line of one pump.
type line struct{ pump Pump }

// Bed is a patient at whom several devices work. It is safe for concurrent use.
// Without a ventilator among the devices, one that is not on the network
// ventilates the patient; a patient with own breaths has an oxygen mask instead.
type Bed struct {
	mu      sync.Mutex
	patient *physio.Patient
	machine Machine
	idle    func() Machine // what ventilates when no device does
	lines   []*line
	air     physio.Airway
	now     time.Duration
	taps    []*Tap
}

// NewBed puts a patient into a bed.
func NewBed(cfg physio.Config) *Bed {
	idle := bystander
	if cfg.Spontaneous > 0 {
		idle = mask
	}
	return &Bed{patient: physio.New(cfg), machine: idle(), idle: idle}
}

// OpenBed returns the bed a device works at: Options.Bed, or one of its own.
func (o Options) OpenBed() *Bed {
	if o.Bed != nil {
		return o.Bed
	}
	return NewBed(physio.Config{Seed: o.Seed, Scenario: o.Scenario, Spontaneous: o.Spontaneous})
}

// Ventilate lets m ventilate the patient from now on, in the place of whatever did; nil stands for what is not on the network.
// m is called with the bed locked: it must not call the bed.
func (b *Bed) Ventilate(m Machine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m == nil {
		m = b.idle()
	}
	b.machine = m
}

// Infuse connects a pump to the patient until disconnect is called. Any number may be connected.
// p is called with the bed locked: it must not call the bed.
func (b *Bed) Infuse(p Pump) (disconnect func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &line{p}
	b.lines = append(b.lines, l)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines = slices.DeleteFunc(b.lines, func(o *line) bool { return o == l })
	}
}

// Tap is one device's access to the samples of a bed.
type Tap struct {
	bed     *Bed
	pending []Sample
}

// Tap starts to collect samples for one device, from the current time of the bed on.
func (b *Bed) Tap() *Tap {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &Tap{bed: b}
	b.taps = append(b.taps, t)
	return t
}

// Close stops collecting.
func (t *Tap) Close() {
	t.bed.mu.Lock()
	defer t.bed.mu.Unlock()
	for i, o := range t.bed.taps {
		if o == t {
			t.bed.taps = append(t.bed.taps[:i], t.bed.taps[i+1:]...)
			return
		}
	}
}

// Next appends the next n samples to dst, for which it lets time pass in the bed
// as far as no other device has done so before.
func (t *Tap) Next(dst []Sample, n int) []Sample {
	t.bed.mu.Lock()
	defer t.bed.mu.Unlock()
	for n > 0 {
		if len(t.pending) == 0 {
			t.bed.step()
		}
		k := min(n, len(t.pending))
		dst = append(dst, t.pending[:k]...)
		t.pending = append(t.pending[:0], t.pending[k:]...)
		n -= k
	}
	return dst
}

// Now is the time since the patient was put into the bed.
func (b *Bed) Now() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// step lets SampleStep pass. The caller holds the lock.
func (b *Bed) step() {
	for _, l := range b.lines {
		b.patient.Infuse(l.pump(SampleStep))
	}
	b.air = b.patient.Step(SampleStep, b.machine(SampleStep, b.air))
	b.now += SampleStep
	s := Sample{Time: b.now, Airway: b.air, Signals: b.patient.Signals(), Connected: b.patient.Connected()}
	for _, t := range b.taps {
		if len(t.pending) >= backlog {
			// Some at once, so that a device that has stopped costs the others little.
			t.pending = append(t.pending[:0], t.pending[backlog/4:]...)
		}
		t.pending = append(t.pending, s)
	}
}

// mask leaves the airway open and enriches the air.
func mask() Machine {
	return func(time.Duration, physio.Airway) physio.Drive {
		return physio.Drive{Mode: physio.OpenAir, FiO2: 0.3}
	}
}

// bystander is a plain pressure-controlled ventilator: 14 breaths of 1.4 s, 10.7 cmH2O above a
// PEEP of 5 cmH2O, 40 % oxygen: with the default patient that makes 510 mL and a normal CO2.
func bystander() Machine {
	const period, inspiration = 60 * time.Second / 14, 1400 * time.Millisecond
	phase := time.Duration(0)
	return func(dt time.Duration, _ physio.Airway) physio.Drive {
		phase = (phase + dt) % period
		d := physio.Drive{Mode: physio.PressureSource, Value: 5, FiO2: 0.4}
		if phase < inspiration {
			d.Value += 10.7 * min(phase.Seconds()/0.1, 1)
		}
		return d
	}
}
