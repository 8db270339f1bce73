package ventilator

import (
	"context"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Ventilator is a simulated intensive care ventilator. Make it with [New].
type Ventilator struct {
	opts simulators.Options
	mdib *mdib.Snapshot
}

// New makes a ventilator that has not been switched on yet.
func New(opts simulators.Options) (*Ventilator, error) {
	return &Ventilator{opts: opts}, nil
}

// MDIB is what the device starts with.
func (v *Ventilator) MDIB() *mdib.Snapshot { return v.mdib }

// Model is shown to users.
func (v *Ventilator) Model() dpws.ThisModel {
	return dpws.ThisModel{Manufacturer: dpws.Localized("semeco", "en"), ModelName: dpws.Localized("Simulated ventilator", "en"), ModelNumber: "SV-1"}
}

// Device is shown to users.
func (v *Ventilator) Device() dpws.ThisDevice {
	return dpws.ThisDevice{FriendlyName: dpws.Localized("Ventilator", "en"), FirmwareVersion: "1", SerialNumber: "SV-0001"}
}

// Attach registers the handlers of the operations.
func (v *Ventilator) Attach(*provider.Provider) error { return nil }

// Run animates the device until ctx ends.
func (v *Ventilator) Run(ctx context.Context, _ *provider.Provider) error {
	<-ctx.Done()
	return nil
}
