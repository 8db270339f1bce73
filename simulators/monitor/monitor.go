package monitor

import (
	"context"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Monitor is a simulated patient monitor. Make it with [New].
type Monitor struct {
	opts simulators.Options
	mdib *mdib.Snapshot
}

// New makes a monitor that has not been switched on yet.
func New(opts simulators.Options) (*Monitor, error) {
	return &Monitor{opts: opts}, nil
}

// MDIB is what the device starts with.
func (m *Monitor) MDIB() *mdib.Snapshot { return m.mdib }

// Model is shown to users.
func (m *Monitor) Model() dpws.ThisModel {
	return dpws.ThisModel{Manufacturer: dpws.Localized("semeco", "en"), ModelName: dpws.Localized("Simulated monitor", "en"), ModelNumber: "SM-1"}
}

// Device is shown to users.
func (m *Monitor) Device() dpws.ThisDevice {
	return dpws.ThisDevice{FriendlyName: dpws.Localized("Monitor", "en"), FirmwareVersion: "1", SerialNumber: "SM-0001"}
}

// Attach registers the handlers of the operations.
func (m *Monitor) Attach(*provider.Provider) error { return nil }

// Run animates the device until ctx ends.
func (m *Monitor) Run(ctx context.Context, _ *provider.Provider) error {
	<-ctx.Done()
	return nil
}
