package main

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

// aggregateFlags publish what is derived from several devices.
type aggregateFlags struct {
	Aggregate bool   `help:"Publish values derived from those of the devices (shock index, compliance, S/F and more) as one more device, which any consumer can read. Part of --demo."`
	EPR       string `name:"epr" placeholder:"URN" help:"Endpoint reference of --aggregate, urn:uuid:... Default: a new one."`
	// A device has to tell it (SDPi R1531), and nobody but the user knows.
	ClockAccuracy time.Duration `name:"clock-accuracy" placeholder:"TIME" help:"How far the clock of this host is off at most, if a time service sets it, for --aggregate to tell."`
}

// demoClock is how far the clock of one host is off from itself.
const demoClock = 50 * time.Millisecond

// prepareAggregator makes the device of --aggregate; nil without.
func (c *stationCmd) prepareAggregator(e *env, cfg *stationSetup, s *station.Station) (*aggregate.Aggregator, error) {
	if !c.aggregates() {
		return nil, nil
	}
	p := provider.Config{
		EPR: c.EPR, Identity: cfg.identity, Insecure: c.Insecure, Network: c.network(), DiscoveryProxy: c.DiscoveryProxy, Journal: e.journal, Logger: e.log,
		Model:  dpws.ThisModel{ModelName: []dpws.LocalizedString{{Lang: "en", Text: "Aggregator"}}},
		Device: dpws.ThisDevice{FriendlyName: []dpws.LocalizedString{{Lang: "en", Text: "Derived values"}}},
	}
	a := aggregate.Config{Source: s, Provider: p, ClockAccuracy: c.ClockAccuracy, Logger: e.log}
	if c.Demo {
		a.Provider.Timing, a.ClockAccuracy = discovery.PromptTiming(), demoClock
	}
	return aggregate.New(a)
}

func (c *stationCmd) aggregates() bool { return c.Aggregate || c.Demo }

// checkAggregate refuses what cannot work, and gives a demonstration's aggregator an address that its rules can name.
func (c *stationCmd) checkAggregate(cfg *stationSetup) error {
	switch {
	case (c.EPR != "" || c.ClockAccuracy != 0) && !c.aggregates():
		return usagef("--epr and --clock-accuracy are for --aggregate")
	case (c.EPR != "" || c.ClockAccuracy != 0) && c.Demo:
		return usagef("--demo makes its own devices: leave out --epr and --clock-accuracy")
	case c.ClockAccuracy < 0:
		return usagef("--clock-accuracy must not be negative")
	case c.Demo:
		c.EPR = uuid.New().URN()
		cfg.station.Rules[0].EPRs = append(cfg.station.Rules[0].EPRs, c.EPR)
	case c.Aggregate && cfg.identity != nil && cfg.identity.Roles()&sdc.RoleProvider == 0:
		return fmt.Errorf("--aggregate makes a device of the station: its certificate needs both roles (sdc pki issue ... --role both)")
	}
	return checkEPR(c.EPR)
}
