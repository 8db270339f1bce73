package pump

import (
	"context"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/physio"
)

const (
	modelName   = "Simulated infusion pump"
	modelNumber = "SP-1"
	serial      = "SP-0001"
	selfCheck   = 5 * time.Second
)

// plate gives a device MDIB, Model and Device.
type plate = build.Plate

// Pump is a simulated infusion pump. Make it with [New].
type Pump struct {
	plate

	opts    simulators.Options
	bed     *simulators.Bed
	alarms  *bedside.Alarms
	battery bedside.Battery
	samples []simulators.Sample
	second  time.Duration
	showing sync.Mutex

	mu     sync.Mutex // guards the engine; taken within the bed's lock, so nothing below it may call the bed
	engine *engine
}

// New makes a pump that has not been switched on yet. It stands by with DefaultProgram.
func New(opts simulators.Options) (*Pump, error) {
	snap, err := device()
	if err != nil {
		return nil, err
	}
	return &Pump{
		opts: opts, plate: build.NewPlate(snap, "Infusion pump"), bed: opts.OpenBed(), engine: newEngine(DefaultProgram()), battery: bedside.Battery{Charge: 100},
		alarms: bedside.NewAlarms(build.HandleAlertSystem, nil),
	}, nil
}

// Occlude closes the line to the patient or opens it again. The pump notices by the pressure, which takes its time at low rates.
// What a closed line has taken up reaches the patient when it is opened.
func (d *Pump) Occlude(closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.engine.occluded = closed
}

// Bar interrupts the infusion for a reason within the device, such as what a coupled monitor shows, until it is taken back. A vasopressor is not
// interrupted: going without is the greater danger.
func (d *Pump) Bar(barred bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	drug, _ := lookUp(d.engine.program.Drug)
	d.engine.barred = barred && !drug.vital
}

// Program returns what is set.
func (d *Pump) Program() Program {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.program
}

// Run keeps the pump at the patient until ctx ends.
func (d *Pump) Run(ctx context.Context, p *provider.Provider) error {
	defer d.bed.Infuse(d.deliver)()
	tap := d.bed.Tap()
	defer tap.Close()
	if err := d.show(p, time.Now()); err != nil {
		return err
	}
	return d.alarms.Pace(ctx, func(at time.Time) error { return d.step(p, tap, at) })
}

// deliver is the pump at the bed.
func (d *Pump) deliver(dt time.Duration) (physio.Drug, float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine.next(dt)
}

// step lets bedside.Step pass. The samples of the bed only carry the time.
func (d *Pump) step(p *provider.Provider, tap *simulators.Tap, at time.Time) error {
	d.samples = tap.Next(d.samples[:0], int(bedside.Step/simulators.SampleStep))
	d.second += bedside.Step
	if d.second >= time.Second || d.changed(p) {
		d.second = 0
		if err := d.show(p, at); err != nil {
			return err
		}
	}
	d.mu.Lock()
	e := *d.engine
	d.mu.Unlock()
	d.alarms.Flag(AlarmOcclusion, e.blocked)
	d.alarms.Flag(AlarmComplete, e.complete)
	d.alarms.Flag(AlarmNearEnd, e.running && e.timeLeft() < nearEnd)
	d.alarms.Flag(AlarmHoldOver, e.holdOver)
	d.alarms.Flag(AlarmUnwatched, e.unwatched)
	d.alarms.Flag(AlarmBattery, d.battery.Charge < bedside.LowCharge)
	if err := d.alarms.Step(); err != nil {
		return err
	}
	return d.battery.Step(p, bedside.Step)
}

// changed tells whether the status shown is out of date.
func (d *Pump) changed(p *provider.Provider) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bedside.Text(p.MDIB(), HandleStatus) != string(d.engine.status()) || bedside.Text(p.MDIB(), HandleMode) != string(d.engine.mode())
}

// show brings the MDIB up to date with the engine: values first, then which operations can be invoked. OpStop always can be.
func (d *Pump) show(p *provider.Provider, at time.Time) error {
	d.showing.Lock() // what is older must not be shown after what is newer
	defer d.showing.Unlock()
	d.mu.Lock()
	e := *d.engine
	d.mu.Unlock()
	drug, _ := lookUp(e.program.Drug)
	measured := []bedside.Value{
		{Handle: HandleFlow, Value: e.flow(), OK: true},
		{Handle: HandleDoseRate, Value: e.flow() * drug.concentration, OK: true},
		{Handle: HandleDelivered, Value: e.total, OK: true},
		{Handle: HandleRemaining, Value: e.remaining(), OK: true},
		{Handle: HandleTimeLeft, Value: e.timeLeft().Minutes(), OK: true},
		{Handle: HandlePressure, Value: e.pressure(), OK: true},
	}
	set := []bedside.Value{{Handle: HandleConcentration, Value: drug.concentration, OK: true}}
	for _, s := range settings() {
		set = append(set, bedside.Value{Handle: s.Handle, Value: *s.value(&e.program), OK: true})
	}
	texts := map[string]string{HandleSetDrug: string(e.program.Drug), HandleStatus: string(e.status()), HandleMode: string(e.mode()), HandleSupervised: e.supervision()}
	if err := bedside.Show(p, at, texts, set); err != nil {
		return err
	}
	if err := p.Update(func(tx *mdib.Tx) error { return bedside.Numerics(tx, at, measured) }); err != nil {
		return err
	}
	if err := bedside.Enable(p, map[string]bool{
		OpStart: !e.running, OpBolus: drug.bolus && e.running, OpHold: e.running, OpResume: e.status() == Paused, OpSet(HandleSetDrug): !e.running,
	}); err != nil {
		return err
	}
	return showRates(p, drug)
}

// showRates tells which rates the drug allows.
func showRates(p *provider.Provider, drug entry) error {
	most, _ := pm.DecimalFromFloat(drug.mostRate, 1)
	rates := build.Range("0.1", most.String())
	set, ok := mdib.Get[*pm.SetValueOperationState](p.MDIB(), OpSet(HandleSetRate))
	if ok && len(set.AllowedRange) == 1 && set.AllowedRange[0].Upper == rates.Upper {
		return nil
	}
	return p.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.SetValueOperationState](tx, OpSet(HandleSetRate))
		if err == nil {
			s.AllowedRange = []pm.Range{rates}
		}
		return err
	})
}
