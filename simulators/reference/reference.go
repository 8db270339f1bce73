// Package reference animates any MDIB by the script of the SDC plug-a-thons: it
// looks for entries by their type, never by handles known in advance.
package reference

import (
	"context"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Config of a reference device. The zero value animates the package's own MDIB.
type Config struct {
	simulators.Options
	// MDIB to animate; nil is the package's own, see [Default].
	MDIB *mdib.Snapshot
	// Invocation overrides how operations answer, by handle. Without it SetString is
	// delayed and everything else direct.
	Invocation map[string]provider.Invocation
}

// Device is a reference device. Make it with [New].
type Device struct {
	cfg Config
}

// New makes a reference device.
func New(cfg Config) (*Device, error) { return &Device{cfg: cfg}, nil }

// MDIB is what the device starts with.
func (d *Device) MDIB() *mdib.Snapshot { return d.cfg.MDIB }

// Model is shown to users.
func (d *Device) Model() dpws.ThisModel {
	return dpws.ThisModel{Manufacturer: dpws.Localized("semeco", "en"), ModelName: dpws.Localized("Reference device", "en"), ModelNumber: "SR-1"}
}

// Device is shown to users.
func (d *Device) Device() dpws.ThisDevice {
	return dpws.ThisDevice{FriendlyName: dpws.Localized("Reference device", "en"), FirmwareVersion: "1", SerialNumber: "SR-0001"}
}

// Attach registers the handlers of the operations.
func (d *Device) Attach(*provider.Provider) error { return nil }

// Run animates the device until ctx ends.
func (d *Device) Run(ctx context.Context, _ *provider.Provider) error {
	<-ctx.Done()
	return nil
}
