package reference

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Attach gives every operation the handler of its kind (steps 6b to 6f) and makes sure that there is a location (step 3b).
func (d *Device) Attach(p *provider.Provider) error {
	var errs []error
	located, places := false, false
	for e := range p.MDIB().Entities() {
		switch op := e.Descriptor.(type) {
		case *pm.SetValueOperationDescriptor:
			errs = append(errs, p.HandleSetValue(e.Handle, p.ApplyValue))
		case *pm.SetStringOperationDescriptor:
			errs = append(errs, p.HandleSetString(e.Handle, p.ApplyString))
			p.SetInvocation(e.Handle, provider.Delayed)
		case *pm.ActivateOperationDescriptor:
			errs = append(errs, p.HandleActivate(e.Handle, activate))
		case *pm.SetMetricStateOperationDescriptor:
			errs = append(errs, p.HandleSetMetricState(e.Handle, p.ApplyMetricStates))
		case *pm.SetComponentStateOperationDescriptor:
			errs = append(errs, p.HandleSetComponentState(e.Handle, p.ApplyComponentStates))
		case *pm.SetAlertStateOperationDescriptor:
			errs = append(errs, p.HandleSetAlertState(e.Handle, p.ApplyAlertState))
		case *pm.SetContextStateOperationDescriptor:
			errs = append(errs, p.HandleSetContextState(e.Handle, p.ApplyContextStates))
		case *pm.LocationContextDescriptor:
			places = true
			for range p.MDIB().Associated(op.Handle) {
				located = true
			}
		}
	}
	for handle, invocation := range d.cfg.Invocation {
		p.SetInvocation(handle, invocation)
	}
	location := d.cfg.Location
	if location.IsZero() && !located {
		location = fallbackLocation()
	}
	if places && !location.IsZero() {
		errs = append(errs, p.SetLocation(location, pm.InstanceIdentifier{Root: build.PrivateCodes, Extension: "simulator"}))
	}
	return errors.Join(errs...)
}

// activate joins the arguments, if there are any, and makes that the value of the target, if that is a text (step 6f). Any other
// action has no effect here.
func activate(_ context.Context, call *provider.Activate) error {
	if len(call.Arguments) == 0 {
		return nil
	}
	target, ok := mdib.Get[pm.MetricDescriptor](call.MDIB(), call.Target)
	if !ok {
		return nil
	}
	switch target.(type) {
	case *pm.StringMetricDescriptor, *pm.EnumStringMetricDescriptor:
	default:
		return nil
	}
	var joined strings.Builder
	for _, a := range call.Arguments {
		joined.WriteString(a.Value)
	}
	err := call.Update(func(tx *mdib.Tx) error { return tx.SetString(call.Target, joined.String(), time.Now()) })
	var rule *mdib.RuleError
	if errors.As(err, &rule) {
		return provider.Refuse("%v", rule)
	}
	return err
}
