package mdib

import "github.com/semeco/go-sdc/mdib/pm"

// OffAbove returns the nearest component above a descriptor or context state that is off; ok is false if there is none.
func (s *Snapshot) OffAbove(handle string) (component string, ok bool) {
	for h, _ := s.Parent(handle); h != ""; h, _ = s.Parent(h) {
		if c, is := Get[pm.ComponentState](s, h); is && c.BaseComponent().ActivationState == pm.ComponentActivationOff {
			return h, true
		}
	}
	return "", false
}

// OperationOff returns the component because of which an operation cannot be available; ok is false if there is none. It is off, and above the
// operation (BICEPS R0025_0) or above its target, wherever the operation stands: what is inactive cannot be operated. An operation on the component itself
// is not concerned, so that one of an SCO further up can switch it on again.
func OperationOff(s *Snapshot, operation string) (component string, ok bool) {
	d, is := Get[pm.OperationDescriptor](s, operation)
	if !is {
		return "", false
	}
	if h, off := s.OffAbove(operation); off {
		return h, true
	}
	return s.OffAbove(s.targetOf(d))
}

// targetOf returns the descriptor that an operation targets, also if it names a context state.
func (s *Snapshot) targetOf(d pm.OperationDescriptor) string {
	target := d.BaseOperation().OperationTarget
	if state, ok := s.states.Get(target); ok {
		return state.BaseState().DescriptorHandle
	}
	return target
}

// SwitchedWith returns what goes off with a component: the component, everything below it, parents before children, and then operations that stand elsewhere
// and target something below it.
func (s *Snapshot) SwitchedWith(component string) []Entity {
	var all []Entity
	inside := map[string]bool{}
	for e := range s.Subtree(component) {
		all = append(all, e)
		inside[e.Handle] = true
	}
	for e := range s.Entities() {
		d, ok := e.Descriptor.(pm.OperationDescriptor)
		if !ok || inside[e.Handle] {
			continue
		}
		if target := s.targetOf(d); inside[target] && target != component {
			all = append(all, e)
		}
	}
	return all
}

// SwitchOff returns the transactions that switch a component off together with everything below it (BICEPS R0025_0): each kind of state
// needs a report of its own. Run in this order, no version in between shows a component off with something on below it:
//
//	for _, fn := range mdib.SwitchOff("vmd0") {
//		if err := dev.Update(fn); err != nil { ... }
//	}
//
// Operations become not available, those too that stand elsewhere and target something below the component ([Snapshot.SwitchedWith]); values of metrics
// stay as they are. What has no value of its own for this, context states, is left alone.
func SwitchOff(handle string) []func(*Tx) error {
	step := func(kind Kind, change func(*Tx, Entity) error) func(*Tx) error {
		return func(tx *Tx) error {
			if _, ok := Get[pm.ComponentState](tx.base, handle); !ok {
				return unknown(handle)
			}
			for _, e := range tx.base.SwitchedWith(handle) {
				if e.State != nil && KindOf(e.State) == kind {
					if err := change(tx, e); err != nil {
						return err
					}
				}
			}
			return nil
		}
	}
	off := func(tx *Tx, e Entity) error { return tx.SetActivation(e.Handle, pm.ComponentActivationOff) }
	return []func(*Tx) error{
		step(KindOperational, func(tx *Tx, e Entity) error { return tx.SetOperatingMode(e.Handle, pm.OperatingModeNA) }),
		step(KindAlert, func(tx *Tx, e Entity) error { return tx.SetAlertActivation(e.Handle, pm.AlertActivationOff) }),
		step(KindWaveform, off),
		step(KindMetric, off),
		step(KindComponent, off),
	}
}
