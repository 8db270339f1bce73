package t2iapi

import (
	"context"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The functions of this file each make one small change in which a report shows. None brings the device into a state that matters.

// checkAlertSystem does a self check.
func (s *Server) checkAlertSystem() error {
	return s.onFirst("alert system", func(e mdib.Entity) bool {
		_, ok := e.State.(*pm.AlertSystemState)
		return ok
	}, func(tx *mdib.Tx, handle string) error {
		state, err := mdib.Edit[*pm.AlertSystemState](tx, handle)
		if err != nil {
			return err
		}
		state.LastSelfCheck = after(state.LastSelfCheck)
		state.SelfCheckCount = pm.Some(state.SelfCheckCount.Or(0) + 1)
		return nil
	})
}

// countCycle counts an operating cycle of a component.
func (s *Server) countCycle() error {
	return s.onFirst("component", func(e mdib.Entity) bool {
		_, ok := e.State.(pm.ComponentState)
		return ok
	}, func(tx *mdib.Tx, handle string) error {
		state, err := mdib.Edit[pm.ComponentState](tx, handle)
		if err != nil {
			return err
		}
		c := state.BaseComponent()
		c.OperatingCycles = pm.Some(c.OperatingCycles.Or(0) + 1)
		return nil
	})
}

// touchContext adds a context of a kind that matters least; it is not associated, so it displaces nothing.
func (s *Server) touchContext() error {
	best, rank := "", 0
	for e := range s.cfg.Device.MDIB().Entities() {
		r := 0
		switch e.Descriptor.(type) {
		case *pm.MeansContextDescriptor:
			r = 6
		case *pm.OperatorContextDescriptor:
			r = 5
		case *pm.WorkflowContextDescriptor:
			r = 4
		case *pm.EnsembleContextDescriptor:
			r = 3
		case *pm.LocationContextDescriptor:
			r = 2
		case *pm.PatientContextDescriptor:
			r = 1
		}
		if r > rank {
			best, rank = e.Handle, r
		}
	}
	if best == "" {
		return notSupported("there is no context")
	}
	_, err := s.associate(best, []pm.ContextAssociation{pm.ContextAssociationNo})
	return err
}

// measure determines a numeric metric anew.
func (s *Server) measure() error {
	return s.onFirst("numeric metric with a value", func(e mdib.Entity) bool {
		state, ok := e.State.(*pm.NumericMetricState)
		return ok && state.MetricValue != nil && state.MetricValue.Value.IsSet()
	}, func(tx *mdib.Tx, handle string) error {
		state, err := mdib.Edit[*pm.NumericMetricState](tx, handle)
		if err != nil {
			return err
		}
		v := &state.MetricValue.AbstractMetricValue
		v.DeterminationTime = after(v.DeterminationTime)
		return nil
	})
}

// sample takes the samples of a waveform anew.
func (s *Server) sample() error {
	return s.onFirst("waveform with samples", func(e mdib.Entity) bool {
		state, ok := e.State.(*pm.RealTimeSampleArrayMetricState)
		return ok && state.MetricValue != nil && len(state.MetricValue.Samples) > 0
	}, func(tx *mdib.Tx, handle string) error {
		state, err := mdib.Edit[*pm.RealTimeSampleArrayMetricState](tx, handle)
		if err != nil {
			return err
		}
		v := &state.MetricValue.AbstractMetricValue
		v.DeterminationTime = after(v.DeterminationTime)
		return nil
	})
}

// blinkOperation disables an operation and enables it again, or the other way round. What is not available stays so.
func (s *Server) blinkOperation() error {
	isUsable := func(e mdib.Entity) bool {
		state, ok := e.State.(pm.OperationState)
		return ok && state.BaseOperation().OperatingMode != pm.OperatingModeNA
	}
	if err := s.wakeOperation(func(mdib.Entity) bool { return true }); err != nil {
		return err
	}
	for range 2 {
		err := s.onFirst("operation that is available", isUsable, func(tx *mdib.Tx, handle string) error {
			state, err := mdib.Edit[pm.OperationState](tx, handle)
			if err != nil {
				return err
			}
			to := pm.OperatingModeEn
			if state.BaseOperation().OperatingMode == pm.OperatingModeEn {
				to = pm.OperatingModeDis
			}
			return tx.SetOperatingMode(handle, to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// invokeOperation lets the device invoke an operation of its own that changes nothing: an action without arguments, or a setting to what is set. Any that is
// enabled is preferred; a call that is refused, because the operation is disabled, is reported as well.
func (s *Server) invokeOperation(ctx context.Context) error {
	isHarmless := func(e mdib.Entity) bool { return harmlessCall(s.cfg.Device.MDIB(), e) != nil }
	if err := s.wakeOperation(isHarmless); err != nil {
		return err
	}
	var request msg.SetRequest
	for e := range s.cfg.Device.MDIB().Entities() {
		state, ok := e.State.(pm.OperationState)
		if !ok || !isHarmless(e) {
			continue
		}
		enabled := state.BaseOperation().OperatingMode == pm.OperatingModeEn
		if request == nil || enabled {
			request = harmlessCall(s.cfg.Device.MDIB(), e)
		}
		if enabled {
			break
		}
	}
	if request == nil {
		return notSupported("there is no operation that could be invoked without any effect")
	}
	s.cfg.Device.Invoke(ctx, request)
	return nil
}

// harmlessCall makes the call of an operation that changes nothing; nil if there is none.
func harmlessCall(snap *mdib.Snapshot, e mdib.Entity) msg.SetRequest {
	base := msg.AbstractSet{OperationHandleRef: e.Handle}
	switch d := e.Descriptor.(type) {
	case *pm.ActivateOperationDescriptor:
		if len(d.Argument) == 0 {
			return &msg.Activate{AbstractSet: base}
		}
	case *pm.SetValueOperationDescriptor:
		if state, ok := mdib.Get[*pm.NumericMetricState](snap, d.OperationTarget); ok && state.MetricValue != nil {
			if v, ok := state.MetricValue.Value.Get(); ok {
				return &msg.SetValue{AbstractSet: base, RequestedNumericValue: v}
			}
		}
	}
	return nil
}

// wakeOperation switches the components above the first operation of those that fit on, if none of them is available.
func (s *Server) wakeOperation(fits func(mdib.Entity) bool) error {
	first := ""
	for e := range s.cfg.Device.MDIB().Entities() {
		state, ok := e.State.(pm.OperationState)
		if !ok || !fits(e) {
			continue
		}
		if state.BaseOperation().OperatingMode != pm.OperatingModeNA {
			return nil
		}
		if first == "" {
			first = e.Handle
		}
	}
	return s.raise(first)
}

// onFirst changes the first entry that fits, in the order of the containment tree.
func (s *Server) onFirst(what string, fits func(mdib.Entity) bool, change func(tx *mdib.Tx, handle string) error) error {
	return s.cfg.Device.Update(func(tx *mdib.Tx) error {
		for e := range tx.Base().Entities() {
			if e.State != nil && fits(e) {
				return change(tx, e.Handle)
			}
		}
		return notSupported("there is no %s", what)
	})
}

// after is now, but later than what was.
func after(was pm.Opt[pm.Timestamp]) pm.Opt[pm.Timestamp] {
	return pm.Some(max(pm.TimestampOf(time.Now()), was.Or(0)+1))
}
