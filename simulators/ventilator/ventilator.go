package ventilator

import (
	"context"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/measure"
	"github.com/semeco/go-sdc/simulators/physio"
)

const (
	modelName   = "Simulated ventilator"
	modelNumber = "SV-1"
	serial      = "SV-0001"

	// sampleTime is the time between two samples of a waveform: 100 Hz.
	sampleTime = 10 * time.Millisecond
	selfCheck  = 5 * time.Second
)

// plate gives a device MDIB, Model and Device.
type plate = build.Plate

// Ventilator is a simulated intensive care ventilator. Make it with [New].
type Ventilator struct {
	plate

	opts   simulators.Options
	bed    *simulators.Bed
	alarms *bedside.Alarms

	mu      sync.Mutex // guards the machine; taken within the bed's lock, so nothing below it may call the bed
	machine *machine

	sensor  *sensor
	battery bedside.Battery
	samples []simulators.Sample
	traces  [3]*bedside.Trace
	volume  float64 // L, of the breath under way
	odd     bool
	second  time.Duration
	showing sync.Mutex
}

// New makes a ventilator that has not been switched on yet.
func New(opts simulators.Options) (*Ventilator, error) {
	start := DefaultSettings()
	snap, err := device()
	if err != nil {
		return nil, err
	}
	v := &Ventilator{
		opts: opts, plate: build.NewPlate(snap, "Ventilator"), bed: opts.OpenBed(), machine: newMachine(start), sensor: newSensor(),
		alarms:  bedside.NewAlarms(build.HandleAlertSystem, limits()),
		battery: bedside.Battery{Charge: 100},
		traces:  [3]*bedside.Trace{bedside.NewTrace(HandlePressure, 1), bedside.NewTrace(HandleFlow, 1), bedside.NewTrace(HandleVolume, 0)},
	}
	return v, nil
}

// Settings returns the settings in force.
func (v *Ventilator) Settings() Settings {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.machine.settings
}

// Run ventilates the patient until ctx ends.
func (v *Ventilator) Run(ctx context.Context, p *provider.Provider) error {
	v.bed.Ventilate(v.ventilate)
	defer v.bed.Ventilate(nil)
	tap := v.bed.Tap()
	defer tap.Close()
	if err := v.showSettings(p, time.Now()); err != nil {
		return err
	}
	return v.alarms.Pace(ctx, func(at time.Time) error { return v.step(p, tap, at) })
}

// ventilate is the machine at the bed.
func (v *Ventilator) ventilate(dt time.Duration, air physio.Airway) physio.Drive {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.machine.next(dt, air)
}

// step lets bedside.Step pass.
func (v *Ventilator) step(p *provider.Provider, tap *simulators.Tap, at time.Time) error {
	n := int(bedside.Step / simulators.SampleStep)
	v.samples = tap.Next(v.samples[:0], n)
	v.mu.Lock()
	machine := *v.machine
	v.mu.Unlock()
	breath := false
	for _, s := range v.samples {
		if v.sensor.add(s) {
			breath = true
		}
		v.trace(s)
	}
	if err := p.Update(func(tx *mdib.Tx) error {
		return bedside.Waveforms(tx, at.Add(-bedside.Step), v.traces[:]...)
	}); err != nil {
		return err
	}
	v.second += bedside.Step
	if breath || v.second >= time.Second {
		v.second = 0
		if err := p.Update(func(tx *mdib.Tx) error { return v.publish(tx, &machine, at) }); err != nil {
			return err
		}
	}
	if err := v.showPause(p, at); err != nil {
		return err
	}
	running := machine.settings.Mode != Standby
	v.alarms.Flag(AlarmDisconnect, running && v.sensor.open())
	v.alarms.Flag(AlarmApnoea, running && v.sensor.apnoea())
	v.alarms.Flag(AlarmLimited, running && machine.limited)
	v.alarms.Flag(AlarmPauseOver, running && machine.pauseOver)
	v.alarms.Flag(AlarmBattery, v.battery.Charge < bedside.LowCharge)
	if err := v.alarms.Step(); err != nil {
		return err
	}
	return v.battery.Step(p, bedside.Step)
}

// trace adds every second sample of the bed to the waveforms.
func (v *Ventilator) trace(s simulators.Sample) {
	v.volume = v.sensor.inspired
	if v.odd = !v.odd; v.odd {
		return
	}
	v.traces[0].Add(s.Airway.Pressure)
	v.traces[1].Add(clamp(s.Airway.Flow*60, 200))
	v.traces[2].Add(clamp(v.volume*1000, 3000))
}

func clamp(v, limit float64) float64 { return min(max(v, -limit), limit) }

// publish derives the numerics of the last breath.
func (v *Ventilator) publish(tx *mdib.Tx, m *machine, at time.Time) error {
	b, ok := v.sensor.last()
	rate := 0.0
	if ok && b.Duration > 0 {
		rate = 60 / b.Duration
	}
	plateau, hasPlateau := m.plateau, ok && m.plateau > b.EndExpiratoryPressure+0.5 && m.settings.Mode == VolumeControl
	driving := plateau - b.EndExpiratoryPressure
	flow := m.settings.TidalVolume / 1000 / (m.settings.InspiratoryTime - m.settings.PauseTime) // L/s
	compliance := b.InspiredVolume / max(driving, 0.1)
	resistance := (b.PeakPressure - plateau) / flow
	expiration := b.Duration - b.InspiratoryTime
	etCO2, hasCO2 := v.sensor.capnograph.EndTidal()
	values := []bedside.Value{
		{Handle: HandlePpeak, Value: b.PeakPressure, OK: ok},
		{Handle: HandlePplat, Value: plateau, OK: hasPlateau},
		{Handle: HandlePmean, Value: b.MeanPressure, OK: ok},
		{Handle: HandlePEEP, Value: b.EndExpiratoryPressure, OK: ok},
		{Handle: HandleDriving, Value: driving, OK: hasPlateau},
		{Handle: HandleAutoPEEP, Value: max(b.EndExpiratoryPressure-m.settings.PEEP, 0), OK: ok},
		{Handle: HandleVTi, Value: b.InspiredVolume, OK: ok},
		{Handle: HandleVTe, Value: b.ExpiredVolume, OK: ok},
		{Handle: HandleMVi, Value: b.InspiredVolume * rate / 1000, OK: ok},
		{Handle: HandleMVe, Value: b.ExpiredVolume * rate / 1000, OK: ok},
		{Handle: HandleLeak, Value: v.sensor.leak(), OK: ok || v.sensor.open()},
		{Handle: HandleRR, Value: rate, OK: ok},
		{Handle: HandleTi, Value: b.InspiratoryTime, OK: ok},
		{Handle: HandleIE, Value: b.InspiratoryTime / max(expiration, 0.1), OK: ok},
		{Handle: HandleFlowInsp, Value: b.PeakInspiratoryFlow, OK: ok},
		{Handle: HandleFlowExp, Value: b.PeakExpiratoryFlow, OK: ok},
		{Handle: HandleCompliance, Value: compliance, OK: hasPlateau},
		{Handle: HandleDynamic, Value: b.InspiredVolume / max(b.PeakPressure-b.EndExpiratoryPressure, 0.1), OK: ok},
		{Handle: HandleResistance, Value: resistance, OK: hasPlateau},
		{Handle: HandleTau, Value: compliance / 1000 * resistance, OK: hasPlateau},
		{Handle: HandleFiO2, Value: m.oxygen(), OK: m.settings.Mode != Standby},
		{Handle: HandleEtCO2, Value: etCO2, OK: hasCO2},
	}
	if err := bedside.Numerics(tx, at, values); err != nil {
		return err
	}
	return tx.SetString(handleStatus, m.status(), at)
}

// sensor is what the ventilator measures at the Y piece.
type sensor struct {
	spirometer *measure.Spirometer
	capnograph *measure.Capnograph
	inspired   float64 // L since the inspiration began, breathed out again subtracted
	in, out    float64 // L moved since the machine last began an inspiration
	quiet      float64 // s without flow reversal
	lost       bool
	lastLeak   float64
}

func newSensor() *sensor {
	dt := simulators.SampleStep.Seconds()
	return &sensor{spirometer: measure.NewSpirometer(dt), capnograph: measure.NewCapnograph(dt)}
}

// add takes a sample and tells whether a breath was completed.
func (s *sensor) add(x simulators.Sample) bool {
	dt := simulators.SampleStep.Seconds()
	flow := x.Airway.Flow
	s.inspired += flow * dt
	if flow > 0 {
		s.in += flow * dt
	} else {
		s.out -= flow * dt
	}
	s.quiet += dt
	if flow < -0.03 {
		s.quiet = 0
		s.lost = false
	}
	// Gas that leaves and never comes back: one and a half times an ordinary breath within a few seconds.
	if s.in-s.out > 1.5 && s.quiet > 2 {
		s.lost = true
	}
	s.capnograph.Add(x.Airway.CO2)
	done := s.spirometer.Add(flow, x.Airway.Pressure)
	if done {
		s.inspired = 0
		s.lastLeak = 100 * clamp((s.in-s.out)/max(s.in, 0.05), 1)
		s.in, s.out = 0, 0
	}
	return done
}

func (s *sensor) last() (measure.Breath, bool) {
	b, ok := s.spirometer.Last()
	return b, ok && !s.lost
}

func (s *sensor) open() bool { return s.lost }

func (s *sensor) apnoea() bool { return s.quiet >= 20 }

func (s *sensor) leak() float64 {
	if s.lost {
		return 100
	}
	return max(s.lastLeak, 0)
}
