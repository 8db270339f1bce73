package xray

import (
	"context"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

const (
	modelName   = "Simulated X-ray device"
	modelNumber = "SX-1"
	serial      = "SX-0001"
	selfCheck   = 5 * time.Second
)

// plate gives a device MDIB, Model and Device.
type plate = build.Plate

// Device is a simulated X-ray device. Make it with [New].
type Device struct {
	plate

	opts    simulators.Options
	bed     *simulators.Bed
	alarms  *bedside.Alarms
	battery bedside.Battery
	samples []simulators.Sample
	showing sync.Mutex

	mu        sync.Mutex // guards what follows
	generator *generator
	exposing  time.Duration // when, by the time of the bed, the last exposure began: what was before is not in the image
}

// New makes an X-ray device that has not been switched on yet.
func New(opts simulators.Options) (*Device, error) {
	snap, err := device()
	if err != nil {
		return nil, err
	}
	return &Device{
		opts: opts, plate: build.NewPlate(snap, "X-ray"), bed: opts.OpenBed(), generator: newGenerator(DefaultSettings()), battery: bedside.Battery{Charge: 100},
		alarms: bedside.NewAlarms(build.HandleAlertSystem, nil),
	}, nil
}

// Interlock opens or closes the contact of the room, a door for example. An open one ends whatever the device does. It is closed at first.
func (d *Device) Interlock(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generator.interlock(open)
}

// Run keeps the device at the patient until ctx ends.
func (d *Device) Run(ctx context.Context, p *provider.Provider) error {
	tap := d.bed.Tap()
	defer tap.Close()
	if err := d.show(p, time.Now()); err != nil {
		return err
	}
	err := d.alarms.Pace(ctx, func(at time.Time) error { return d.step(p, tap, at) })
	// A device that leaves the network emits nothing any more.
	d.mu.Lock()
	d.generator.abort()
	d.mu.Unlock()
	return err
}

func (d *Device) step(p *provider.Provider, tap *simulators.Tap, at time.Time) error {
	d.samples = tap.Next(d.samples[:0], int(bedside.Step/simulators.SampleStep))
	d.mu.Lock()
	for _, s := range d.samples {
		if s.Time > d.exposing {
			d.generator.next(simulators.SampleStep, s.Airway.Flow)
		}
	}
	tripped := d.generator.tripped
	d.mu.Unlock()
	if err := d.show(p, at); err != nil {
		return err
	}
	d.alarms.Flag(AlarmInterlock, tripped)
	d.alarms.Flag(AlarmBattery, d.battery.Charge < bedside.LowCharge)
	if err := d.alarms.Step(); err != nil {
		return err
	}
	return d.battery.Step(p, bedside.Step)
}

// show brings the MDIB up to date: first the values, then which operations can be invoked. OpAbort always can be.
func (d *Device) show(p *provider.Provider, at time.Time) error {
	d.showing.Lock() // what is older must not be shown after what is newer
	defer d.showing.Unlock()
	d.mu.Lock()
	g := *d.generator
	d.mu.Unlock()
	interlock := InterlockClosed
	if g.open {
		interlock = InterlockOpen
	}
	values := []bedside.Value{
		{Handle: HandleCount, Value: float64(g.count), OK: true},
		{Handle: HandleMotion, Value: g.lastMove, OK: g.count > 0},
		{Handle: HandleDose, Value: g.dose, OK: true},
	}
	for _, s := range settings() {
		values = append(values, bedside.Value{Handle: s.Handle, Value: *s.value(&g.settings), OK: true})
	}
	texts := map[string]string{HandleState: string(g.state), HandleInterlock: interlock, HandleOutcome: string(g.outcome)}
	if err := bedside.Show(p, at, texts, values); err != nil {
		return err
	}
	return bedside.Enable(p, map[string]bool{
		OpPrepare: !g.open && g.state != Exposing, OpExpose: !g.open && g.state == Ready,
	})
}
