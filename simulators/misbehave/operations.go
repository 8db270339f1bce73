package misbehave

import (
	"context"
	"errors"
	"log/slog"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// unwilling is a simulator whose operations do nothing.
type unwilling struct {
	simulators.Simulator
	hang bool
	log  *slog.Logger
}

// Configure implements simulators.Configurer. Operations that hang have no time by which they must have ended: the device would keep to it.
func (u *unwilling) Configure(cfg *provider.Config) error {
	if c, ok := u.Simulator.(simulators.Configurer); ok {
		if err := c.Configure(cfg); err != nil {
			return err
		}
	}
	if !u.hang {
		return nil
	}
	store := mdib.NewStore(cfg.MDIB, mdib.Config{KeepVersion: cfg.Store.KeepVersion, Memory: cfg.Store.Memory})
	_, err := store.Update(func(tx *mdib.Tx) error {
		for e := range cfg.MDIB.Entities() {
			if _, ok := e.Descriptor.(pm.OperationDescriptor); !ok {
				continue
			}
			d, err := mdib.EditDescriptorAs[pm.OperationDescriptor](tx, e.Descriptor.Base().Handle)
			if err != nil {
				return err
			}
			d.BaseOperation().MaxTimeToFinish = pm.Opt[pm.Duration]{}
		}
		return nil
	})
	cfg.MDIB = store.Load()
	return err
}

// errUnwilling is what callers hear.
var errUnwilling = errors.New("this device has been told to refuse")

// Attach implements simulators.Simulator: the operations that the device starts with get other handlers.
func (u *unwilling) Attach(p *provider.Provider) error {
	if err := u.Simulator.Attach(p); err != nil {
		return err
	}
	for e := range p.MDIB().Entities() {
		if _, ok := e.Descriptor.(pm.OperationDescriptor); !ok {
			continue
		}
		if u.hang {
			p.SetInvocation(e.Descriptor.Base().Handle, provider.Delayed)
		}
		if err := u.handle(p, e.Descriptor); err != nil {
			return err
		}
	}
	return nil
}

func (u *unwilling) handle(p *provider.Provider, d pm.Descriptor) error {
	handle := d.Base().Handle
	switch d.(type) {
	case *pm.SetValueOperationDescriptor:
		return p.HandleSetValue(handle, func(ctx context.Context, c *provider.SetValue) error { return u.call(ctx, c.Call) })
	case *pm.SetStringOperationDescriptor:
		return p.HandleSetString(handle, func(ctx context.Context, c *provider.SetString) error { return u.call(ctx, c.Call) })
	case *pm.ActivateOperationDescriptor:
		return p.HandleActivate(handle, func(ctx context.Context, c *provider.Activate) error { return u.call(ctx, c.Call) })
	case *pm.SetMetricStateOperationDescriptor:
		return p.HandleSetMetricState(handle, func(ctx context.Context, c *provider.SetMetricState) error { return u.call(ctx, c.Call) })
	case *pm.SetComponentStateOperationDescriptor:
		return p.HandleSetComponentState(handle, func(ctx context.Context, c *provider.SetComponentState) error { return u.call(ctx, c.Call) })
	case *pm.SetAlertStateOperationDescriptor:
		return p.HandleSetAlertState(handle, func(ctx context.Context, c *provider.SetAlertState) error { return u.call(ctx, c.Call) })
	case *pm.SetContextStateOperationDescriptor:
		return p.HandleSetContextState(handle, func(ctx context.Context, c *provider.SetContextState) error { return u.call(ctx, c.Call) })
	}
	return nil
}

// call is every operation.
func (u *unwilling) call(ctx context.Context, c *provider.Call) error {
	deed := "refuse-operations"
	if u.hang {
		deed = "hang-operations"
	}
	u.log.Warn("misbehaving", "deed", deed, "operation", c.Handle, "transaction", c.TransactionID)
	if !u.hang {
		return errUnwilling
	}
	<-ctx.Done()
	return context.Cause(ctx)
}
