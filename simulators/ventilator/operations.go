package ventilator

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
)

// Attach registers the handlers of the operations. Every change of settings is judged as a whole by
// Settings.Validate; what it refuses changes nothing.
func (v *Ventilator) Attach(p *provider.Provider) error {
	errs := []error{bedside.Attach(p, v.alarms, bedside.Place{Location: v.opts.Location, Ensemble: v.opts.Ensemble})}
	for _, s := range settings() {
		errs = append(errs, p.HandleSetValue(OpSet(s.Handle), func(_ context.Context, call *provider.SetValue) error {
			return v.change(p, call.Call, func(set *Settings) error {
				*s.value(set) = call.Value.Float64()
				return nil
			})
		}))
	}
	errs = append(errs,
		p.HandleSetString(OpMode, func(_ context.Context, call *provider.SetString) error {
			return v.change(p, call.Call, func(set *Settings) error {
				set.Mode = Mode(call.Value)
				return nil
			})
		}),
		p.HandleSetMetricState(OpSettings, func(_ context.Context, call *provider.SetMetricState) error {
			return v.change(p, call.Call, func(set *Settings) error { return propose(set, call.Proposed) })
		}),
		p.HandleActivate(OpHold, func(context.Context, *provider.Activate) error {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.machine.settings.Mode == Standby {
				return provider.Refuse("there is no ventilation in standby")
			}
			v.machine.holdSoon = true
			return nil
		}),
		p.HandleActivate(OpPauseInsp, func(context.Context, *provider.Activate) error { return v.pause(p, Inspiration) }),
		p.HandleEffectEnd(OpPauseInsp, func(context.Context, *provider.Call) error { return v.leaseOver(p, Inspiration) }),
		p.HandleActivate(OpPauseExp, func(context.Context, *provider.Activate) error { return v.pause(p, Expiration) }),
		p.HandleEffectEnd(OpPauseExp, func(context.Context, *provider.Call) error { return v.leaseOver(p, Expiration) }),
		p.HandleActivate(OpResume, func(context.Context, *provider.Activate) error {
			v.mu.Lock()
			v.machine.resume()
			v.mu.Unlock()
			return v.showPause(p, time.Now())
		}),
		p.HandleActivate(OpFlush, func(context.Context, *provider.Activate) error {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.machine.settings.Mode == Standby {
				return provider.Refuse("there is no ventilation in standby")
			}
			v.machine.flushLeft = flushTime
			return nil
		}),
	)
	return errors.Join(errs...)
}

// pause asks for a pause at the end of a phase, or renews it.
func (v *Ventilator) pause(p *provider.Provider, at Phase) error {
	v.mu.Lock()
	if v.machine.settings.Mode == Standby {
		v.mu.Unlock()
		return provider.Refuse("there is no ventilation in standby")
	}
	err := v.machine.beginPause(at)
	v.mu.Unlock()
	if err != nil {
		return err
	}
	return v.showPause(p, time.Now())
}

// leaseOver ends a pause that nobody has renewed; of one that was asked for at the end of another phase, or of none, it does nothing.
func (v *Ventilator) leaseOver(p *provider.Provider, at Phase) error {
	v.mu.Lock()
	if v.machine.pausePhase == at {
		v.machine.endPause()
	}
	v.mu.Unlock()
	return v.showPause(p, time.Now())
}

// showPause brings the metrics of the pause up to date.
func (v *Ventilator) showPause(p *provider.Provider, at time.Time) error {
	v.showing.Lock() // what is older must not be shown after what is newer
	defer v.showing.Unlock()
	v.mu.Lock()
	state, left := v.machine.paused(), v.machine.pause.Left()
	v.mu.Unlock()
	return bedside.Show(p, at, map[string]string{HandlePause: string(state)}, []bedside.Value{{Handle: HandlePauseLeft, Value: left.Seconds(), OK: true}})
}

// propose takes over proposed metric states; those without a value say nothing.
func propose(set *Settings, proposed []pm.MetricState) error {
	rows := map[string]setting{}
	for _, s := range settings() {
		rows[s.Handle] = s
	}
	for _, state := range proposed {
		switch state := state.(type) {
		case *pm.NumericMetricState:
			row, ok := rows[state.DescriptorHandle]
			if !ok {
				return provider.Refuse("%s is no setting", state.DescriptorHandle)
			}
			if state.MetricValue == nil {
				continue
			}
			if value, ok := state.MetricValue.Value.Get(); ok {
				*row.value(set) = value.Float64()
			}
		case *pm.EnumStringMetricState:
			if state.DescriptorHandle != HandleMode {
				return provider.Refuse("%s is no setting", state.DescriptorHandle)
			}
			if state.MetricValue == nil {
				continue
			}
			if value, ok := state.MetricValue.Value.Get(); ok {
				set.Mode = Mode(value)
			}
		default:
			return provider.Refuse("%s is no setting", state.BaseState().DescriptorHandle)
		}
	}
	return nil
}

// change applies an edit to the settings if the result is one that the ventilator accepts: first the MDIB, so that the new
// setting is reported before its effect, then the machine.
// A value between two steps is rounded, which the call's final state tells (FinMod).
func (v *Ventilator) change(p *provider.Provider, call *provider.Call, edit func(*Settings) error) error {
	next := v.Settings() // calls of one SCO run one after the other: nobody else changes them meanwhile
	if err := edit(&next); err != nil {
		return err
	}
	if rounded(&next) {
		call.Modified()
	}
	if err := next.Validate(); err != nil {
		return provider.Refuse("%v", err)
	}
	if err := p.Update(func(tx *mdib.Tx) error { return writeSettings(tx, next, time.Now()) }); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.machine.settings = next
	return nil
}

// rounded brings every value to the resolution of its metric and tells whether that changed anything.
func rounded(s *Settings) bool {
	changed := false
	for _, row := range settings() {
		field := row.value(s)
		if v := decimal(*field, row.Resolution).Float64(); v != *field {
			*field, changed = v, true
		}
	}
	return changed
}

func (v *Ventilator) showSettings(p *provider.Provider, at time.Time) error {
	return p.Update(func(tx *mdib.Tx) error { return writeSettings(tx, v.Settings(), at) })
}

// writeSettings writes the settings that differ from what the MDIB says.
func writeSettings(tx *mdib.Tx, s Settings, at time.Time) error {
	for _, row := range settings() {
		value := decimal(*row.value(&s), row.Resolution)
		if shown, ok := mdib.Get[*pm.NumericMetricState](tx.Base(), row.Handle); ok && shown.MetricValue != nil {
			if old, ok := shown.MetricValue.Value.Get(); ok && old.Cmp(value) == 0 {
				continue
			}
		}
		if err := tx.SetNumeric(row.Handle, value, at); err != nil {
			return err
		}
	}
	if shown, ok := mdib.Get[*pm.EnumStringMetricState](tx.Base(), HandleMode); ok && shown.MetricValue != nil && shown.MetricValue.Value.Or("") == string(s.Mode) {
		return nil
	}
	return tx.SetString(HandleMode, string(s.Mode), at)
}
