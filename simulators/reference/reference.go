// Package reference animates any MDIB by the script of the SDC plug-a-thons: it
// looks for entries by their type, never by handles known in advance. Every value, state and
// description that may move does, at the rates that the script asks for; operations do
// what their kind says.
package reference

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Config of a reference device. The zero value animates the package's own MDIB.
type Config struct {
	simulators.Options
	// MDIB to animate; nil is the package's own, see [Default].
	MDIB *mdib.Snapshot
	// Invocation overrides how operations answer, by handle. Without it SetString is
	// delayed and everything else direct (steps 6b to 6f).
	Invocation map[string]provider.Invocation
	// Complete leaves step 5b out: no subsystem comes and goes by itself. Conformance tests want that: they walk through a copy of the MDIB and expect
	// that everything is still there.
	Complete bool
}

//go:embed reference.xml
var defaultMDIB []byte

// Default is the package's own MDIB: two MDSs with every kind of descriptor and operation.
func Default() (*mdib.Snapshot, error) {
	snap, err := mdib.Read(bytes.NewReader(defaultMDIB))
	if err != nil {
		return nil, fmt.Errorf("built-in reference MDIB: %w", err)
	}
	return snap, nil
}

// Device is a reference device. Make it with [New].
type Device struct {
	cfg  Config
	mdib *mdib.Snapshot

	mu   sync.Mutex
	held map[string]time.Time // since when
}

// settleTime is how long a metric that is held does not move.
const settleTime = 2 * time.Second

// Hold makes the animation leave an alert condition or an operation alone from now on, because somebody else decides on it, a conformance test for
// example. A metric does not move for two seconds, so that a report of it tells of what is being set and of nothing else. What the animation does not
// touch anyway, such as activation states, needs no hold. It may be called from any goroutine.
func (d *Device) Hold(handle string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.mdib.Descriptor(handle); ok { // so that the map stays as small as the MDIB
		d.held[handle] = time.Now()
	}
}

// isHeld tells whether Hold has been called.
func (d *Device) isHeld(handle string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, held := d.held[handle]
	return held
}

// isSettling tells whether Hold has been called a moment ago.
func (d *Device) isSettling(handle string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	since, held := d.held[handle]
	return held && time.Since(since) < settleTime
}

// New makes a reference device.
func New(cfg Config) (*Device, error) {
	d := &Device{cfg: cfg, mdib: cfg.MDIB, held: map[string]time.Time{}}
	if d.mdib == nil {
		var err error
		if d.mdib, err = Default(); err != nil {
			return nil, err
		}
	}
	for handle := range cfg.Invocation {
		if _, ok := d.mdib.Descriptor(handle); !ok {
			return nil, fmt.Errorf("there is no operation %q whose answers could be chosen", handle)
		}
	}
	return d, nil
}

// MDIB is what the device starts with.
func (d *Device) MDIB() *mdib.Snapshot { return d.mdib }

// Model is shown to users.
func (d *Device) Model() dpws.ThisModel {
	return dpws.ThisModel{Manufacturer: dpws.Localized(build.Manufacturer, "en"), ModelName: dpws.Localized("Reference device", "en"), ModelNumber: "SR-1"}
}

// Device is shown to users.
func (d *Device) Device() dpws.ThisDevice {
	return dpws.ThisDevice{FriendlyName: dpws.Localized("Reference device", "en"), FirmwareVersion: "1", SerialNumber: "SR-0001"}
}

// fallbackLocation is where a device stands that was not told and whose MDIB does not say: step 3b wants a location.
func fallbackLocation() sdc.LocationDetail {
	return sdc.LocationDetail{Facility: "reference", PoC: "bench", Bed: "1"}
}

// Periods of the steps of the script. What must be seen five times in 30 s comes every 4 s, what must be seen twice in 21 s every 8 s.
const (
	updatePeriod      = 4 * time.Second
	descriptionPeriod = 8 * time.Second
	insertPeriod      = 10 * time.Second
	removeAfter       = 5 * time.Second
	slowWavePeriod    = 500 * time.Millisecond
	otherWavePeriod   = time.Second
	// longestSelfCheck bounds the self check of step 4e, whatever the MDIB declares.
	longestSelfCheck = 10 * time.Second
)

// Run animates the device until ctx ends.
func (d *Device) Run(ctx context.Context, p *provider.Provider) error {
	a := &animation{p: p, device: d, plan: newPlan(p.MDIB()), rng: rand.New(rand.NewPCG(d.cfg.Seed, 0x4ef)), systems: map[string]time.Duration{}}
	if err := a.begin(); err != nil {
		return err
	}
	return bedside.Pace(ctx, bedside.Step, a.step)
}

// every tells whether a period offset by phase ends with this step.
func (a *animation) every(period, phase time.Duration) bool {
	return (a.now+period-phase%period)%period == 0
}

// animation is a running script.
type animation struct {
	p       *provider.Provider
	device  *Device
	plan    plan
	rng     *rand.Rand
	now     time.Duration
	round   int
	systems map[string]time.Duration // alert systems and when their next self check is due
	visitor string                   // handle of the VMD that comes and goes
	visits  int
}

// step lets bedside.Step pass. The kinds of change are spread over the period, each in a transaction of its own.
func (a *animation) step(at time.Time) error {
	a.now += bedside.Step
	const slot = 500 * time.Millisecond
	for _, part := range []struct {
		due bool
		run func(time.Time) error
	}{
		{true, a.fastWaves},
		{a.every(slowWavePeriod, 0), a.slowWave},
		{a.every(otherWavePeriod, bedside.Step), a.otherWaves},
		{a.every(updatePeriod, 0*slot), a.numbers},
		{a.every(updatePeriod, 1*slot), a.texts},
		{a.every(updatePeriod, 2*slot), a.alerts},
		{a.every(updatePeriod, 3*slot), a.powerAndClock},
		{a.every(updatePeriod, 4*slot), a.components},
		{a.every(updatePeriod, 5*slot), a.operations},
		{true, a.selfChecks},
		{a.every(descriptionPeriod, 6*slot), a.conceptDescription},
		{a.every(descriptionPeriod, 7*slot), a.causes},
		{a.every(descriptionPeriod, 9*slot), a.unit},
		{a.every(insertPeriod, 11*slot), a.insert},
		{a.every(insertPeriod, 11*slot+removeAfter), a.remove},
	} {
		if !part.due {
			continue
		}
		if err := part.run(at); err != nil {
			return err
		}
	}
	return nil
}
