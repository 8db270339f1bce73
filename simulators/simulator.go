package simulators

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Simulator is a simulated device, ready to be put on the network. It serves one
// provider at a time.
type Simulator interface {
	// MDIB is what the device starts with.
	MDIB() *mdib.Snapshot
	// Model and Device are what its metadata say.
	Model() dpws.ThisModel
	Device() dpws.ThisDevice
	// Attach registers the handlers of the device's operations.
	Attach(p *provider.Provider) error
	// Run animates the device until ctx ends, which is no error.
	Run(ctx context.Context, p *provider.Provider) error
}

// Configurer is a Simulator that needs more of a provider than the MDIB.
type Configurer interface {
	// Configure changes the configuration before the provider is made. What the caller has set should stay.
	Configure(cfg *provider.Config) error
}

// EnsembleRoot is the root of the identifiers that Options.Ensemble are extensions of.
const EnsembleRoot = build.EnsembleRoot

// DAS is whether and how a device offers to be monitored by a distributed alarm system (package das; experimental).
type DAS struct {
	Offered bool
	// RenewWithin is InvocationEffectiveTimeout, ConfirmWithin is MaxTechnicalConfirmationDelay; 0 takes the defaults of package das.
	RenewWithin, ConfirmWithin time.Duration
}

// Options are common to all simulated devices. The zero value is a stable
// patient in a bed of its own, seed 0, at no particular location.
type Options struct {
	// Seed selects the random variations; the same seed gives the same values.
	Seed uint64
	// Scenario is the course of the patient; "" is physio.Stable.
	Scenario physio.Scenario
	// Spontaneous is the rate of the patient's own breaths per minute; 0 is a patient who has to be ventilated.
	Spontaneous float64
	// Location is associated from the start; the zero value stands for none.
	Location sdc.LocationDetail
	// Ensemble is the identifier of an ensemble, within [EnsembleRoot], that the device belongs to from the start; "" is none.
	Ensemble string
	// DAS has the patient monitor offer to be monitored by a distributed alarm system. Other devices do not look at it.
	DAS DAS
	// Bed is shared by devices at the same patient; nil makes one from Seed,
	// Scenario and Spontaneous. With a Bed given, the patient takes the course of that one.
	Bed *Bed
	// Logger receives what the operator should know; nil discards.
	Logger *slog.Logger
}

// Log is Logger, or one that discards.
func (o Options) Log() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// Run puts sim on the network with cfg, of which MDIB, Model and Device are
// filled in, and animates it until ctx ends; then it leaves the network in good
// order and Run returns nil. ready, which may be nil, is called with the provider
// once it is reachable.
func Run(ctx context.Context, sim Simulator, cfg provider.Config, ready func(*provider.Provider)) error {
	if sim == nil {
		return errors.New("simulators: the simulator is missing")
	}
	cfg.MDIB, cfg.Model, cfg.Device = sim.MDIB(), sim.Model(), sim.Device()
	if c, ok := sim.(Configurer); ok {
		if err := c.Configure(&cfg); err != nil {
			return err
		}
	}
	p, err := provider.New(cfg)
	if err != nil {
		return err
	}
	if err := sim.Attach(p); err != nil {
		return fmt.Errorf("operations: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- p.Run(ctx) }()
	select {
	case err := <-served:
		return err
	case <-p.Ready():
	}
	if ready != nil {
		ready(p)
	}
	animated := make(chan error, 1)
	go func() { animated <- sim.Run(ctx, p) }()
	select {
	case err = <-served:
		cancel()
		return errors.Join(err, <-animated)
	case err = <-animated:
		cancel()
		return errors.Join(err, <-served)
	}
}
