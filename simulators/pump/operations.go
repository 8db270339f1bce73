package pump

import (
	"context"
	"errors"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
)

// Attach registers the handlers of the operations. Every change of the program is judged as a whole by
// Program.Validate; what it refuses changes nothing.
func (d *Pump) Attach(p *provider.Provider) error {
	act := func(op string, do func(*engine) error) error {
		return p.HandleActivate(op, func(context.Context, *provider.Activate) error { return d.do(p, do) })
	}
	errs := []error{
		bedside.Attach(p, d.alarms, bedside.Place{Location: d.opts.Location, Ensemble: d.opts.Ensemble}),
		act(OpStart, func(e *engine) error {
			if err := e.start(); err != nil {
				return provider.Refuse("%v", err)
			}
			return nil
		}),
		act(OpStop, func(e *engine) error {
			e.stop()
			return nil
		}),
		act(OpBolus, bolus),
		act(OpHold, func(e *engine) error {
			if !e.running {
				return provider.Refuse("nothing is being infused")
			}
			return e.hold.Begin()
		}),
		act(OpResume, func(e *engine) error {
			if !e.hold.Stop(ResumeLockout) {
				return provider.Refuse("the infusion is not on hold")
			}
			return nil
		}),
		act(OpSupervise, func(e *engine) error {
			e.supervise()
			return nil
		}),
		act(OpSuperviseEnd, func(e *engine) error {
			e.supervised, e.unwatched = false, false
			return nil
		}),
		p.HandleEffectEnd(OpSupervise, func(context.Context, *provider.Call) error {
			return d.do(p, func(e *engine) error {
				e.supervisionOver()
				return nil
			})
		}),
		p.HandleEffectEnd(OpHold, func(context.Context, *provider.Call) error {
			return d.do(p, func(e *engine) error {
				e.leaseOver()
				return nil
			})
		}),
		p.HandleSetString(OpSet(HandleSetDrug), func(_ context.Context, call *provider.SetString) error {
			return d.change(p, func(next *Program) error {
				next.Drug = Drug(call.Value)
				// Each drug begins with a rate that its limits allow.
				if e, ok := lookUp(next.Drug); ok {
					next.Rate = min(next.Rate, e.mostRate)
				}
				return nil
			})
		}),
	}
	for _, s := range settings() {
		errs = append(errs, p.HandleSetValue(OpSet(s.Handle), func(_ context.Context, call *provider.SetValue) error {
			return d.change(p, func(next *Program) error {
				v, _ := pm.DecimalFromFloat(call.Value.Float64(), bedside.Digits(pm.MustDecimal(s.Resolution)))
				if v.Cmp(call.Value) != 0 {
					call.Modified() // rounded to the resolution
				}
				*s.value(next) = v.Float64()
				return nil
			})
		}))
	}
	return errors.Join(errs...)
}

func bolus(e *engine) error {
	drug, _ := lookUp(e.program.Drug)
	switch {
	case !drug.bolus:
		return provider.Refuse("no bolus is given of %s", string(drug.Drug))
	case e.status() != Infusing:
		return provider.Refuse("a bolus needs a running infusion")
	case e.bolusLeft > 0:
		return provider.Refuse("a bolus is being given")
	}
	e.bolusLeft = e.program.BolusVolume
	return nil
}

// do changes the engine and shows what has come of it.
func (d *Pump) do(p *provider.Provider, fn func(*engine) error) error {
	d.mu.Lock()
	err := fn(d.engine)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.show(p, time.Now())
}

// change applies an edit of the program if the result is one that the pump accepts.
func (d *Pump) change(p *provider.Provider, edit func(*Program) error) error {
	return d.do(p, func(e *engine) error {
		next := e.program
		if err := edit(&next); err != nil {
			return err
		}
		if err := next.Validate(); err != nil {
			return provider.Refuse("%v", err)
		}
		if e.running && next.Drug != e.program.Drug {
			return provider.Refuse("stop the infusion before you change the drug")
		}
		e.set(next)
		return nil
	})
}
