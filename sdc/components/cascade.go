package components

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// Updater is a device: a provider, or what stands before one.
type Updater interface {
	// MDIB returns the current MDIB.
	MDIB() *mdib.Snapshot
	// Update commits a transaction; see provider.Provider.Update.
	Update(fn func(*mdib.Tx) error) error
}

// tick is how often operating hours are looked at.
const tick = time.Minute

// Cascade switches components. Its methods are safe for concurrent use, but not from within a transaction of the device.
type Cascade struct {
	dev Updater
	log *slog.Logger

	mu    sync.Mutex
	off   map[string]bool          // components that were switched off for themselves
	saved map[string]string        // the activation or operating mode that what was switched off with them had
	hours map[string]time.Duration // operation since the last full hour
}

// NewCascade makes a Cascade for a device; a nil logger discards.
func NewCascade(dev Updater, log *slog.Logger) (*Cascade, error) {
	if pm.IsNil(dev) {
		return nil, errors.New("components: the device is missing")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Cascade{dev: dev, log: log, off: map[string]bool{}, saved: map[string]string{}, hours: map[string]time.Duration{}}, nil
}

// kinds of state in the order in which they go off. What lies below a component goes before it and comes back after it, so that
// every version of the MDIB keeps the rule (BICEPS R0025_0); each kind needs a report of its own.
func kinds() []mdib.Kind {
	return []mdib.Kind{mdib.KindOperational, mdib.KindAlert, mdib.KindWaveform, mdib.KindMetric, mdib.KindComponent}
}

// SetActivation sets the activation of a component. Off takes everything below along: components, metrics and alerts are Off, operations NA. So are
// operations that stand elsewhere and target something below the component, those of an SCO of the MDS for example (see mdib.OperationOff); an operation on the
// component itself is not, so that it can be switched on again. Any
// other state brings back what went off with the component, as it was, except below components that have been switched off for
// themselves. A component below one that is off cannot be anything but off: the error is a *mdib.RuleError. For batteries the states are
// those of SetPower.
//
// After an error some kinds of state may have been switched and others not; every version keeps the rule, and the call can be repeated.
func (c *Cascade) SetActivation(handle string, a pm.ComponentActivation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := mdib.Get[pm.ComponentState](c.dev.MDIB(), handle)
	if !ok {
		return fmt.Errorf("components: there is no component %q: %w", handle, mdib.ErrUnknownHandle)
	}
	if err := checkActivation(s, a); err != nil {
		return err
	}
	if a == pm.ComponentActivationOff {
		return c.switchOff(handle)
	}
	return c.switchOn(handle, a)
}

func checkActivation(s pm.ComponentState, a pm.ComponentActivation) error {
	_, battery := s.(*pm.BatteryState)
	switch a {
	case pm.ComponentActivationOn, pm.ComponentActivationOff, pm.ComponentActivationStndBy, pm.ComponentActivationFail:
		return nil
	case pm.ComponentActivationNotRdy, pm.ComponentActivationShtdn:
		if !battery {
			return nil
		}
	}
	return refuse("BICEPS schema", pm.HandleOf(s), "%q is no activation state of a %s", a, s.TypeName().Local)
}

func refuse(id, handle, format string, args ...any) error {
	return &mdib.RuleError{ID: id, Handle: handle, Msg: fmt.Sprintf(format, args...)}
}

func (c *Cascade) switchOff(handle string) error {
	if c.off[handle] && c.isOff(handle) {
		return nil
	}
	c.off[handle] = true
	saved := map[string]string{}
	for _, e := range c.dev.MDIB().SwitchedWith(handle) {
		if was := activation(e.State); was != "" && c.saved[e.Handle] == "" {
			saved[e.Handle] = was
		}
	}
	for h, was := range saved {
		c.saved[h] = was
	}
	for _, kind := range kinds() {
		err := c.dev.Update(func(tx *mdib.Tx) error {
			for _, e := range tx.Base().SwitchedWith(handle) {
				if e.State == nil || mdib.KindOf(e.State) != kind {
					continue
				}
				if err := switchTo(tx, e.Handle, offOf(e.State)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("components: switching off %s: %w", handle, err)
		}
	}
	c.log.Info("component switched off with everything below it", "component", handle)
	return nil
}

func (c *Cascade) isOff(handle string) bool {
	s, ok := mdib.Get[pm.ComponentState](c.dev.MDIB(), handle)
	return ok && s.BaseComponent().ActivationState == pm.ComponentActivationOff
}

func (c *Cascade) switchOn(handle string, a pm.ComponentActivation) error {
	snap := c.dev.MDIB()
	if h, off := snap.OffAbove(handle); off {
		return refuse("BICEPS R0025_0", handle, "%q above it is off", h)
	}
	delete(c.off, handle)
	c.saved[handle] = string(a)
	back := map[string]string{}
	for _, e := range snap.SwitchedWith(handle) {
		if was, ok := c.saved[e.Handle]; ok && !c.stays(snap, e.Handle) {
			back[e.Handle] = was
		}
	}
	order := kinds()
	for i := range order {
		kind := order[len(order)-1-i]
		err := c.dev.Update(func(tx *mdib.Tx) error {
			for _, e := range tx.Base().SwitchedWith(handle) {
				was, ok := back[e.Handle]
				if !ok || e.State == nil || mdib.KindOf(e.State) != kind {
					continue
				}
				if _, off := mdib.OperationOff(tx.Base(), e.Handle); off {
					delete(back, e.Handle) // until what it operates, or stands below, is on as well
					continue
				}
				if err := switchTo(tx, e.Handle, was); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("components: switching %s to %s: %w", handle, a, err)
		}
	}
	for h := range back {
		delete(c.saved, h)
	}
	c.log.Info("component switched", "component", handle, "activation", string(a))
	return nil
}

// stays tells whether something is, or is below, a component that has been switched off for itself.
func (c *Cascade) stays(snap *mdib.Snapshot, handle string) bool {
	for h := handle; h != ""; h, _ = snap.Parent(h) {
		if c.off[h] {
			return true
		}
	}
	return false
}

// activation returns what a cascade changes in a state; "" for states that have nothing of the kind.
func activation(s pm.State) string {
	switch s := s.(type) {
	case pm.ComponentState:
		return string(s.BaseComponent().ActivationStateOrDefault())
	case pm.MetricState:
		return string(s.BaseMetric().ActivationStateOrDefault())
	case pm.AlertState:
		return string(s.BaseAlert().ActivationState)
	case pm.OperationState:
		return string(s.BaseOperation().OperatingMode)
	}
	return ""
}

func offOf(s pm.State) string {
	if _, ok := s.(pm.OperationState); ok {
		return string(pm.OperatingModeNA)
	}
	return string(pm.ComponentActivationOff)
}

func switchTo(tx *mdib.Tx, handle, to string) error {
	state, err := tx.EditState(handle)
	if err != nil {
		return err
	}
	if activation(state) == to {
		return nil // an absent state that means the same stays absent
	}
	switch state.(type) {
	case pm.AlertState:
		return tx.SetAlertActivation(handle, pm.AlertActivation(to))
	case pm.OperationState:
		return tx.SetOperatingMode(handle, pm.OperatingMode(to))
	}
	return tx.SetActivation(handle, pm.ComponentActivation(to))
}

// Run counts the operating hours of all components whose state has OperatingHours, while they are On, until ctx ends. It returns nil then. Parts of an hour
// are lost with the process.
func (c *Cascade) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if err := c.count(now.Sub(last)); err != nil {
				c.log.Error("operating hours could not be counted", "err", err)
			}
			last = now
		}
	}
}

func (c *Cascade) count(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	full := map[string]uint32{}
	for e := range c.dev.MDIB().Entities() {
		s, ok := e.State.(pm.ComponentState)
		if !ok || !s.BaseComponent().OperatingHours.IsSet() || s.BaseComponent().ActivationStateOrDefault() != pm.ComponentActivationOn {
			continue
		}
		c.hours[e.Handle] += d
		if n := c.hours[e.Handle] / time.Hour; n > 0 {
			full[e.Handle] = uint32(n)
			c.hours[e.Handle] %= time.Hour
		}
	}
	if len(full) == 0 {
		return nil
	}
	return c.dev.Update(func(tx *mdib.Tx) error {
		for h, n := range full {
			s, err := mdib.Edit[pm.ComponentState](tx, h)
			if err != nil {
				return err
			}
			s.BaseComponent().OperatingHours = pm.Some(s.BaseComponent().OperatingHours.Or(0) + n)
		}
		return nil
	})
}
