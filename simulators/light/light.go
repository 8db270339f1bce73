package light

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

const (
	modelName   = "Simulated surgical light"
	modelNumber = "SL-1"
	serial      = "SL-0001"
	selfCheck   = 5 * time.Second
)

// plate gives a device MDIB, Model and Device.
type plate = build.Plate

// Light is a simulated surgical light. Make it with [New].
type Light struct {
	plate

	opts    simulators.Options
	alarms  *bedside.Alarms
	battery bedside.Battery
	second  time.Duration
	showing sync.Mutex

	mu   sync.Mutex // guards the lamp
	lamp lamp
}

// New makes a light that has not been switched on yet. It has no part in what happens to the patient.
func New(opts simulators.Options) (*Light, error) {
	snap, err := device()
	if err != nil {
		return nil, err
	}
	return &Light{
		opts: opts, plate: build.NewPlate(snap, "Surgical light"), lamp: lamp{settings: DefaultSettings(), warmth: ambient}, battery: bedside.Battery{Charge: 100},
		alarms: bedside.NewAlarms(build.HandleAlertSystem, nil),
	}, nil
}

// BlockAir blocks the way of the cooling air or frees it: a light at high intensity then grows too warm.
func (d *Light) BlockAir(blocked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lamp.blocked = blocked
}

// Attach registers the handlers of the operations.
func (d *Light) Attach(p *provider.Provider) error {
	errs := []error{
		bedside.Attach(p, d.alarms, bedside.Place{Location: d.opts.Location, Ensemble: d.opts.Ensemble}),
		p.HandleSetString(OpSet(HandleMode), func(_ context.Context, call *provider.SetString) error {
			return d.change(p, func(s *Settings) { s.Mode = Mode(call.Value) })
		}),
	}
	for _, row := range settings() {
		errs = append(errs, p.HandleSetValue(OpSet(row.Handle), func(_ context.Context, call *provider.SetValue) error {
			v, _ := pm.DecimalFromFloat(call.Value.Float64(), bedside.Digits(pm.MustDecimal(row.Resolution)))
			if v.Cmp(call.Value) != 0 {
				call.Modified() // rounded to the resolution
			}
			return d.change(p, func(s *Settings) { *row.value(s) = v.Float64() })
		}))
	}
	return errors.Join(errs...)
}

// change applies an edit to the settings if the result is one that the light accepts.
func (d *Light) change(p *provider.Provider, edit func(*Settings)) error {
	d.mu.Lock()
	next := d.lamp.settings
	edit(&next)
	err := next.Validate()
	if err == nil {
		d.lamp.settings = next
	}
	d.mu.Unlock()
	if err != nil {
		return provider.Refuse("%v", err)
	}
	return d.show(p, time.Now())
}

// Run lights until ctx ends.
func (d *Light) Run(ctx context.Context, p *provider.Provider) error {
	if err := d.show(p, time.Now()); err != nil {
		return err
	}
	return d.alarms.Pace(ctx, func(at time.Time) error { return d.step(p, at) })
}

func (d *Light) step(p *provider.Provider, at time.Time) error {
	d.mu.Lock()
	d.lamp.next(bedside.Step)
	warm := d.lamp.dimmed
	d.mu.Unlock()
	d.second += bedside.Step
	if d.second >= time.Second {
		d.second = 0
		if err := d.show(p, at); err != nil {
			return err
		}
	}
	d.alarms.Flag(AlarmWarm, warm)
	d.alarms.Flag(AlarmBattery, d.battery.Charge < bedside.LowCharge)
	if err := d.alarms.Step(); err != nil {
		return err
	}
	return d.battery.Step(p, bedside.Step)
}

// show brings the MDIB up to date.
func (d *Light) show(p *provider.Provider, at time.Time) error {
	d.showing.Lock() // what is older must not be shown after what is newer
	defer d.showing.Unlock()
	d.mu.Lock()
	l := d.lamp
	d.mu.Unlock()
	var set []bedside.Value
	for _, row := range settings() {
		set = append(set, bedside.Value{Handle: row.Handle, Value: *row.value(&l.settings), OK: true})
	}
	if err := bedside.Show(p, at, map[string]string{HandleMode: string(l.settings.Mode)}, set); err != nil {
		return err
	}
	return p.Update(func(tx *mdib.Tx) error {
		return bedside.Numerics(tx, at, []bedside.Value{
			{Handle: HandleOutput, Value: l.output(), OK: true},
			{Handle: HandleIlluminance, Value: l.output() / 100 * FullIlluminance, OK: true},
			{Handle: HandleWarmth, Value: l.warmth, OK: true},
		})
	})
}
