package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

const (
	modelName   = "Simulated patient monitor"
	modelNumber = "SM-1"
	serial      = "SM-0001"
	selfCheck   = 5 * time.Second
)

// plate gives a device MDIB, Model and Device.
type plate = build.Plate

// Monitor is a simulated patient monitor. Make it with [New].
type Monitor struct {
	plate

	opts    simulators.Options
	bed     *simulators.Bed
	alarms  *bedside.Alarms
	signals *signals
	battery bedside.Battery
	samples []simulators.Sample
	second  time.Duration

	mu   sync.Mutex // guards what operations and tests touch
	cuff cuffState
	off  map[Sensor]bool
}

// New makes a monitor that has not been switched on yet.
func New(opts simulators.Options) (*Monitor, error) {
	snap, err := device(opts.DAS)
	if err != nil {
		return nil, err
	}
	return &Monitor{
		opts: opts, plate: build.NewPlate(snap, "Monitor"), bed: opts.OpenBed(), signals: newSignals(), battery: bedside.Battery{Charge: 100}, off: map[Sensor]bool{},
		alarms: bedside.NewAlarms(build.HandleAlertSystem, limits()),
	}, nil
}

// Configure implements simulators.Configurer: takeovers of the alarms go where the provider's audit goes.
func (m *Monitor) Configure(cfg *provider.Config) error {
	m.alarms.Tell(cfg.Audit, cfg.Logger)
	return nil
}

// Plug puts a sensor on the patient or takes it off, which shows as missing values and a technical
// alarm. All sensors are on at first.
func (m *Monitor) Plug(s Sensor, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off[s] = !on
}

func (m *Monitor) sensors() attached {
	m.mu.Lock()
	defer m.mu.Unlock()
	return attached{ecg: !m.off[SensorECG], spo2: !m.off[SensorSpO2], abp: !m.off[SensorABP], temp: !m.off[SensorTemperature], co2: !m.off[SensorCO2]}
}

// Run monitors the patient until ctx ends.
func (m *Monitor) Run(ctx context.Context, p *provider.Provider) error {
	tap := m.bed.Tap()
	defer tap.Close()
	return m.alarms.Pace(ctx, func(at time.Time) error { return m.step(p, tap, at) })
}

// step lets bedside.Step pass.
func (m *Monitor) step(p *provider.Provider, tap *simulators.Tap, at time.Time) error {
	m.samples = tap.Next(m.samples[:0], int(bedside.Step/simulators.SampleStep))
	on := m.sensors()
	for _, s := range m.samples {
		m.signals.add(s.Signals, on)
	}
	if err := p.Update(func(tx *mdib.Tx) error {
		return bedside.Waveforms(tx, at.Add(-bedside.Step), m.signals.traces()...)
	}); err != nil {
		return err
	}
	m.second += bedside.Step
	if m.second >= time.Second {
		m.second = 0
		if err := p.Update(func(tx *mdib.Tx) error { return bedside.Numerics(tx, at, m.signals.values(on)) }); err != nil {
			return err
		}
		if err := m.showLimits(p, at); err != nil {
			return err
		}
	}
	if err := m.cuffStep(p, at); err != nil {
		return err
	}
	for condition, there := range m.signals.facts(on) {
		m.alarms.Flag(condition, there)
	}
	m.alarms.Flag(AlarmBattery, m.battery.Charge < bedside.LowCharge)
	if err := m.alarms.Step(); err != nil {
		return err
	}
	return m.battery.Step(p, bedside.Step)
}
