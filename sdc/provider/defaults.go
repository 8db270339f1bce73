package provider

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The functions of this file are handlers that do what a call says, for simulators and for devices whose MDIB is the whole truth. Register them for
// single operations, for example dev.HandleSetContextState(handle, dev.ApplyContextStates), or for all with Config.ApplyProposals.

// defaultHandler returns the default behaviour of a kind of operation; none for Activate, whose meaning only the device knows.
func (p *Provider) defaultHandler(k kind) (handler, bool) {
	run := func(ctx context.Context, c *Call, r msg.SetRequest) error {
		switch r := r.(type) {
		case *msg.SetValue:
			return p.ApplyValue(ctx, &SetValue{c, r.RequestedNumericValue})
		case *msg.SetString:
			return p.ApplyString(ctx, &SetString{c, r.RequestedStringValue})
		case *msg.SetMetricState:
			return p.ApplyMetricStates(ctx, &SetMetricState{c, r.ProposedMetricState})
		case *msg.SetComponentState:
			return p.ApplyComponentStates(ctx, &SetComponentState{c, r.ProposedComponentState})
		case *msg.SetAlertState:
			return p.ApplyAlertState(ctx, &SetAlertState{c, r.ProposedAlertState})
		case *msg.SetContextState:
			return p.ApplyContextStates(ctx, &SetContextState{c, r.ProposedContextState})
		}
		return fmt.Errorf("no default behaviour for %T", r)
	}
	return handler{kind: k, run: run}, k != kindActivate
}

// ApplyValue makes the value that of the target, a numeric metric, determined now and valid. A value outside of every TechnicalRange is refused.
func (p *Provider) ApplyValue(_ context.Context, call *SetValue) error {
	d, ok := mdib.Get[*pm.NumericMetricDescriptor](p.MDIB(), call.Target)
	if !ok {
		return refuse(msg.InvocationErrorInv, "the target %s is no numeric metric", call.Target)
	}
	if refusal := checkRange(d.TechnicalRange, call.Value); refusal != nil {
		return refusal
	}
	return asRefusal(p.Update(func(tx *mdib.Tx) error { return tx.SetNumeric(call.Target, call.Value, time.Now()) }))
}

// ApplyString makes the text the value of the target, a string or enumeration metric, determined now and valid. A text that is none of
// the values of an enumeration is refused.
func (p *Provider) ApplyString(_ context.Context, call *SetString) error {
	if _, ok := mdib.Get[*pm.StringMetricState](p.MDIB(), call.Target); !ok {
		if _, ok := mdib.Get[*pm.EnumStringMetricState](p.MDIB(), call.Target); !ok {
			return refuse(msg.InvocationErrorInv, "the target %s is no string metric", call.Target)
		}
	}
	return asRefusal(p.Update(func(tx *mdib.Tx) error { return tx.SetString(call.Target, call.Value, time.Now()) }))
}

// determined stamps a value that was set just now (GLUE R0011).
func determined(v *pm.AbstractMetricValue) {
	v.DeterminationTime = pm.Some(pm.TimestampOf(time.Now()))
	v.MetricQuality.Validity = pm.MeasurementValidityVld
}

// ApplyMetricStates takes over the proposed metric states in one transaction; what a proposal leaves out stays as it is. Values are stamped with the time of setting.
// Refused are numbers outside of every TechnicalRange, texts that are none of the values of an enumeration, and waveforms.
func (p *Provider) ApplyMetricStates(_ context.Context, call *SetMetricState) error {
	return p.applyStates(asStates(call.Proposed))
}

// ApplyComponentStates takes over the proposed component states in one transaction: what a proposal leaves out stays as it is.
func (p *Provider) ApplyComponentStates(_ context.Context, call *SetComponentState) error {
	return p.applyStates(asStates(call.Proposed))
}

// ApplyAlertState takes over the proposed alert state: what the proposal leaves out stays as it is.
func (p *Provider) ApplyAlertState(_ context.Context, call *SetAlertState) error {
	return p.applyStates([]pm.State{call.Proposed})
}

func (p *Provider) applyStates(proposed []pm.State) error {
	for _, s := range proposed {
		if pm.IsNil(s) {
			return refuse(msg.InvocationErrorInv, "a proposed state is missing")
		}
	}
	return asRefusal(p.Update(func(tx *mdib.Tx) error {
		for _, from := range proposed {
			to, err := tx.EditState(pm.HandleOf(from))
			if err != nil {
				return err
			}
			if !overlay(to, from) {
				return refuse(msg.InvocationErrorInv, "%s is no state of %s", from.TypeName().Local, from.BaseState().DescriptorHandle)
			}
			if err := settle(tx, to, from); err != nil {
				return err
			}
		}
		return nil
	}))
}

// settle checks metric values that were just set against their descriptors, and marks them as determined now.
func settle(tx *mdib.Tx, s, proposed pm.State) error {
	handle := pm.HandleOf(s)
	text := func(v, proposed *pm.StringMetricValue) error {
		if proposed == nil {
			return nil
		}
		determined(&v.AbstractMetricValue)
		if value, ok := v.Value.Get(); ok {
			return tx.SetString(handle, value, time.Now())
		}
		return nil
	}
	switch s := s.(type) {
	case *pm.NumericMetricState:
		if proposed.(*pm.NumericMetricState).MetricValue == nil {
			return nil
		}
		d, _ := tx.Descriptor(handle)
		if value, ok := s.MetricValue.Value.Get(); ok {
			if refusal := checkRange(d.(*pm.NumericMetricDescriptor).TechnicalRange, value); refusal != nil {
				return refusal
			}
		}
		determined(&s.MetricValue.AbstractMetricValue)
	case *pm.StringMetricState:
		return text(s.MetricValue, proposed.(*pm.StringMetricState).MetricValue)
	case *pm.EnumStringMetricState:
		return text(s.MetricValue, proposed.(*pm.EnumStringMetricState).MetricValue)
	case *pm.RealTimeSampleArrayMetricState, *pm.DistributionSampleArrayMetricState:
		return refuse(msg.InvocationErrorInv, "sample arrays cannot be set")
	}
	return nil
}

// ApplyContextStates does what a SetContextState says, in one transaction: a proposed state whose handle is its descriptor's becomes a new state with a
// handle of its own, any other replaces the content of the state it names. The commit disassociates the former patient or location when another becomes associated (BICEPS R0124, R0133) and sets
// the binding. Handles and versions are the provider's. The final report names the state, if there is one only.
func (p *Provider) ApplyContextStates(_ context.Context, call *SetContextState) error {
	var handles []string
	err := p.Update(func(tx *mdib.Tx) error {
		for _, proposed := range call.Proposed {
			s, err := applyContext(tx, proposed)
			if err != nil {
				return err
			}
			handles = append(handles, s.BaseMulti().Handle)
		}
		return nil
	})
	if err != nil {
		return asRefusal(err)
	}
	if len(handles) == 1 {
		call.affect(handles[0])
	}
	return nil
}

func applyContext(tx *mdib.Tx, proposed pm.ContextState) (pm.ContextState, error) {
	if asksForNew(proposed) {
		clean := pm.CloneState(proposed).(pm.ContextState)
		keepBinding(clean.BaseContext(), &pm.AbstractContextState{})
		return tx.InsertContextState(clean)
	}
	s, err := mdib.Edit[pm.ContextState](tx, proposed.BaseMulti().Handle)
	if err != nil {
		return nil, err
	}
	if reflect.TypeOf(s) != reflect.TypeOf(proposed) {
		return nil, refuse(msg.InvocationErrorInv, "%s is no state of %s", proposed.TypeName().Local, s.BaseState().DescriptorHandle)
	}
	from := pm.CloneState(proposed).(pm.ContextState)
	keepBinding(from.BaseContext(), s.BaseContext())
	base, extension := *s.BaseState(), from.BaseState().Extension
	base.Extension = extension
	*from.BaseState() = base
	reflect.ValueOf(s).Elem().Set(reflect.ValueOf(from).Elem())
	return s, nil
}

// keepBinding keeps what the provider alone decides on.
func keepBinding(to, from *pm.AbstractContextState) {
	to.BindingMdibVersion, to.UnbindingMdibVersion = from.BindingMdibVersion, from.UnbindingMdibVersion
	to.BindingStartTime, to.BindingEndTime = from.BindingStartTime, from.BindingEndTime
}

// asRefusal tells a caller which rule of the standards stands against what was asked.
func asRefusal(err error) error {
	var rule *mdib.RuleError
	if errors.As(err, &rule) {
		return refuse(msg.InvocationErrorInv, "%s", rule.Error())
	}
	return err
}
