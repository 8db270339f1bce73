package pump

import (
	"fmt"
	"time"

	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/physio"
)

// Drug is an entry of the drug library of the pump.
type Drug string

const (
	// Saline is the carrier fluid alone.
	Saline Drug = "Sodium chloride 0.9 %"
	// Remifentanil is an opioid.
	Remifentanil Drug = "Remifentanil"
	// Norepinephrine is a vasopressor.
	Norepinephrine Drug = "Norepinephrine"
)

// entry is what the drug library says of a drug.
type entry struct {
	Drug
	substance     physio.Drug
	concentration float64 // ug/mL
	mostRate      float64 // mL/h, the hard limit
	bolus         bool    // whether a bolus may be given
	vital         bool    // whether going without is the greater danger
}

// library lists the drugs of the pump.
func library() []entry {
	return []entry{
		{Saline, physio.NoDrug, 0, 500, true, false},
		{Remifentanil, physio.Remifentanil, 50, 30, true, false},
		{Norepinephrine, physio.Norepinephrine, 64, 20, false, true},
	}
}

func lookUp(d Drug) (entry, bool) {
	for _, e := range library() {
		if e.Drug == d {
			return e, true
		}
	}
	return entry{}, false
}

// Program is what a clinician sets.
type Program struct {
	// Drug is an entry of the drug library.
	Drug Drug
	// Rate in mL/h, 0.1 to the limit that the library has for the drug.
	Rate float64
	// VTBI is the volume to be infused in mL, 0.1 to 1000.
	VTBI float64
	// BolusVolume in mL, 0.1 to 5.
	BolusVolume float64
}

// DefaultProgram is a low rate of remifentanil for an adult of 75 kg.
func DefaultProgram() Program {
	return Program{Drug: Remifentanil, Rate: 2, VTBI: 50, BolusVolume: 0.5}
}

// Validate tells what a pump would refuse.
func (p Program) Validate() error {
	e, ok := lookUp(p.Drug)
	if !ok {
		return fmt.Errorf("the drug library has no %q", string(p.Drug))
	}
	for _, r := range []struct {
		name          string
		value, lo, hi float64
		unit          string
	}{
		{"rate", p.Rate, 0.1, e.mostRate, "mL/h"},
		{"volume to be infused", p.VTBI, 0.1, 1000, "mL"},
		{"bolus volume", p.BolusVolume, 0.1, 5, "mL"},
	} {
		if !(r.value >= r.lo && r.value <= r.hi) {
			return fmt.Errorf("%s of %g %s is outside %g to %g for %s", r.name, r.value, r.unit, r.lo, r.hi, p.Drug)
		}
	}
	return nil
}

// Status is the value of the metric HandleStatus.
type Status string

const (
	// Standby does not infuse until it is started.
	Standby Status = "pump-status-standby"
	// Infusing delivers.
	Infusing Status = "pump-status-infusing"
	// Paused is on hold: OpHold or a reason within the device has interrupted an infusion.
	Paused Status = "pump-status-paused"
)

// Mode is the value of the metric HandleMode.
type Mode string

const (
	// Continuous delivers at the set rate.
	Continuous Mode = "pump-mode-continuous"
	// Bolus delivers a bolus, then goes on with the set rate.
	Bolus Mode = "pump-mode-bolus"
)

const (
	// BolusRate is the rate of a bolus in mL/h.
	BolusRate = 120.0
	// OcclusionLimit is the line pressure in mmHg at which the pump stops.
	OcclusionLimit = 500.0

	linePressure = 12.0 // mmHg of an open line
	lineCapacity = 0.15 // mL that a closed line takes up before the pressure reaches the limit

	// HoldLease is for how long a call of OpHold is good.
	HoldLease = 15 * time.Second
	// SupervisionLease is for how long a call of OpSupervise is good.
	SupervisionLease = 20 * time.Second
	// HoldLimit is the longest hold of a vasopressor, and HoldLockout the time after such a one in which no other begins.
	HoldLimit   = time.Minute
	HoldLockout = time.Minute
	// ResumeLockout is the time after OpResume in which no hold begins, so that a renewal cannot undo what somebody wanted.
	ResumeLockout = 5 * time.Second
)

// nearEnd is the time before the end of the infusion at which the pump says so.
const nearEnd = 5 * time.Minute

// engine is the motor with its program.
type engine struct {
	program   Program
	running   bool
	hold      bedside.Hold
	bolusLeft float64 // mL
	delivered float64 // mL since the program began
	total     float64 // mL since the pump was switched on
	occluded  bool    // the line is closed: a fault of the simulation
	trapped   float64 // mL in a closed line
	blocked   bool    // stopped by the pressure
	complete  bool    // stopped because the volume is infused
	holdOver  bool    // a hold has ended without whoever asked for it

	barred     bool // a reason within the device stands against the infusion
	supervised bool // somebody watches over the patient and renews that
	unwatched  bool // supervision was lost
}

func newEngine(p Program) *engine {
	return &engine{program: p, hold: bedside.Hold{Limit: HoldLimit, Lockout: HoldLockout}}
}

// next is the pump at the bed.
func (e *engine) next(dt time.Duration) (physio.Drug, float64) {
	drug, _ := lookUp(e.program.Drug)
	if e.hold.Step(dt, drug.vital) { // the others may be held for as long as somebody renews it
		e.holdOver = true
	}
	moved := e.flow() / 3600 * dt.Seconds()
	moved = min(moved, e.remaining())
	e.delivered += moved
	e.total += moved
	e.bolusLeft = max(e.bolusLeft-moved, 0)
	out := moved
	if e.occluded {
		e.trapped += moved
		out = 0
	} else if e.trapped > 0 {
		// What a closed line has taken up leaves it within a second or two.
		released := e.trapped * min(dt.Seconds(), 1)
		e.trapped -= released
		out += released
	}
	if e.pressure() >= OcclusionLimit {
		e.blocked, e.running, e.bolusLeft = true, false, 0
	}
	if e.running && e.remaining() <= 0 {
		e.complete, e.running, e.bolusLeft = true, false, 0
	}
	if !e.running {
		e.hold.End()
	}
	return drug.substance, out * drug.concentration
}

// flow is the present rate of the motor in mL/h.
func (e *engine) flow() float64 {
	switch {
	case e.status() != Infusing:
		return 0
	case e.bolusLeft > 0:
		return max(BolusRate, e.program.Rate)
	}
	return e.program.Rate
}

func (e *engine) remaining() float64 { return max(e.program.VTBI-e.delivered, 0) }

func (e *engine) pressure() float64 {
	return linePressure + e.trapped/lineCapacity*(OcclusionLimit-linePressure)
}

func (e *engine) status() Status {
	switch {
	case !e.running:
		return Standby
	case e.hold.Held() || e.barred:
		return Paused
	}
	return Infusing
}

func (e *engine) mode() Mode {
	if e.bolusLeft > 0 {
		return Bolus
	}
	return Continuous
}

// timeLeft is how long the volume lasts at the set rate.
func (e *engine) timeLeft() time.Duration {
	return time.Duration(e.remaining() / e.program.Rate * float64(time.Hour))
}

// start begins or goes on with the program; the alarms that stand for its last end are over.
func (e *engine) start() error {
	if e.remaining() <= 0 {
		return fmt.Errorf("the volume of %g mL is infused; set another one", e.program.VTBI)
	}
	e.hold.End()
	e.running, e.blocked, e.complete, e.holdOver, e.unwatched = true, false, false, false, false
	return nil
}

// stop stops whatever the pump does.
func (e *engine) stop() {
	e.hold.End()
	e.running, e.bolusLeft, e.holdOver, e.unwatched = false, 0, false, false
}

// supervise begins or goes on with supervision.
func (e *engine) supervise() { e.supervised, e.unwatched = true, false }

// supervisionOver ends a supervision that nobody has renewed. Without anybody who watches an opioid is not infused.
func (e *engine) supervisionOver() {
	if !e.supervised {
		return
	}
	drug, _ := lookUp(e.program.Drug)
	e.supervised, e.unwatched = false, true
	if !drug.vital {
		e.hold.End()
		e.running, e.bolusLeft = false, 0
	}
}

// leaseOver ends a hold that nobody has renewed.
func (e *engine) leaseOver() {
	if !e.hold.End() {
		return
	}
	drug, _ := lookUp(e.program.Drug)
	e.holdOver = true
	if !drug.vital {
		e.running, e.bolusLeft = false, 0
	}
}

// set takes over a program. Another drug or volume begins anew.
func (e *engine) set(p Program) {
	if p.Drug != e.program.Drug || p.VTBI != e.program.VTBI {
		e.delivered, e.complete = 0, false
	}
	e.program = p
	if drug, ok := lookUp(p.Drug); ok && drug.vital {
		e.barred = false
	}
}

func (e *engine) supervision() string {
	switch {
	case e.supervised:
		return Supervised
	case e.unwatched:
		return SupervisionLost
	}
	return Unsupervised
}
