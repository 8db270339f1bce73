package xray

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
)

// Attach registers the handlers of the operations.
func (d *Device) Attach(p *provider.Provider) error {
	act := func(op string, do func(*generator) error) error {
		return p.HandleActivate(op, func(context.Context, *provider.Activate) error { return d.do(p, do) })
	}
	errs := []error{
		bedside.Attach(p, d.alarms, bedside.Place{Location: d.opts.Location, Ensemble: d.opts.Ensemble}),
		act(OpPrepare, (*generator).prepare),
		act(OpExpose, func(g *generator) error {
			err := g.expose()
			if err == nil {
				d.exposing = d.bed.Now()
			}
			return err
		}),
		act(OpAbort, func(g *generator) error {
			g.abort()
			return nil
		}),
	}
	for _, s := range settings() {
		errs = append(errs, p.HandleSetValue(OpSet(s.Handle), func(_ context.Context, call *provider.SetValue) error {
			return d.do(p, func(g *generator) error {
				if g.state != Standby {
					return errors.New("settings are changed in standby only")
				}
				v, _ := pm.DecimalFromFloat(call.Value.Float64(), bedside.Digits(pm.MustDecimal(s.Resolution)))
				next := g.settings
				*s.value(&next) = v.Float64()
				if err := next.Validate(); err != nil {
					return err
				}
				if v.Cmp(call.Value) != 0 {
					call.Modified() // rounded to the resolution
				}
				g.settings = next
				return nil
			})
		}))
	}
	return errors.Join(errs...)
}

// do changes the generator and shows what has come of it; an error is the reason of a refusal.
func (d *Device) do(p *provider.Provider, fn func(*generator) error) error {
	d.mu.Lock()
	err := fn(d.generator)
	d.mu.Unlock()
	if err != nil {
		return provider.Refuse("%v", err)
	}
	return d.show(p, time.Now())
}
