package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/light"
	"github.com/semeco/go-sdc/simulators/misbehave"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/pump"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/simulators/xray"
)

type simulateCmd struct {
	netFlags
	trustFlags
	stateFlags
	accessFlags
	serviceFlags
	consumerFlags
	Kind            string        `arg:"" enum:"ventilator,monitor,pump,xray,light,reference,bed,fleet" help:"ventilator, monitor, pump, xray, light, reference (animates any MDIB), bed (several devices at one patient) or fleet (ventilators and monitors, each with a patient)."`
	With            []string      `placeholder:"KIND" enum:"ventilator,monitor,pump,xray,light" help:"The devices of a bed, any of ${enum}. Default: all of these."`
	Devices         int           `default:"10" help:"How many devices a fleet has."`
	MDIB            string        `name:"mdib" type:"existingfile" placeholder:"FILE" help:"MDIB for the reference device. Default: its own."`
	EPR             string        `name:"epr" placeholder:"URN" help:"Endpoint reference, urn:uuid:... Default: a new one."`
	Location        string        `placeholder:"fac=..,poc=..,bed=.." help:"Associated location: fac, bldng, flr, poc, rm, bed, each optional."`
	Seed            uint64        `default:"1" help:"The same seed gives the same values."`
	Scenario        string        `default:"stable" enum:"stable,desaturation,tachycardia,disconnection" help:"What happens to the patient: ${enum}."`
	Breaths         float64       `help:"Rate of the patient's own breaths per minute; 0 has to be ventilated."`
	Ensemble        string        `placeholder:"ID" help:"Ensemble that the devices belong to from the start."`
	DAS             bool          `name:"das" help:"Patient monitor: let a distributed alarm system monitor the alarms (sdc das); experimental, docs/distributed-alarms.md tells."`
	DASRenew        time.Duration `name:"das-renew-within" placeholder:"DUR" help:"With --das: within what time monitoring has to be activated again. Default: 15s."`
	DASConfirm      time.Duration `name:"das-confirm-within" placeholder:"DUR" help:"With --das: within what time the delivery of an alarm has to be confirmed. Default: 5s."`
	MaxSubscription time.Duration `default:"15s" help:"Longest subscription granted."`
	Port            uint16        `help:"TCP port. Default: any free one."`
	T2IAPI          string        `name:"t2iapi" placeholder:"ADDR" help:"Reference device: serve the calls of conformance tests (gRPC, plain text) on this loopback address, 127.0.0.1:PORT. It then has one MDS at first, and nothing comes and goes by itself."`
	Misbehave       []string      `placeholder:"DEED[=ARG]" help:"What the devices do wrong, to test consumers; docs/misbehaviour.md tells. Logged to standard error each time it is done. Deeds: lose=N, repeat=N, garble=N, swap=N (every Nth notification), delay=DUR, freeze=DUR/EVERY, vanish=DUR/EVERY, restart=EVERY, refuse-operations, hang-operations, no-hello, no-bye."`
	JSON            bool          `name:"json" help:"First line: {\"epr\":..,\"xaddrs\":[..]} once reachable."`

	plan  misbehave.Plan
	crowd sdc.Crowd
}

// serviceFlags are services that a simulated device offers when asked to.
type serviceFlags struct {
	History         bool `help:"Keep the changes of the last hour, without waveforms, and offer them by the history service (sdc history)."`
	Archive         bool `help:"Keep the changes of the last hour, without waveforms, and offer them by the archive service."`
	ContainmentTree bool `help:"Offer the containment tree service."`
}

// provider is the configuration that all simulated devices have in common.
func (c *simulateCmd) provider(e *env, id *sdc.Identity, may *access) provider.Config {
	return provider.Config{
		Identity: id, Insecure: c.Insecure, Network: c.network(), DiscoveryProxy: c.DiscoveryProxy, MaxSubscription: c.MaxSubscription, Consumers: c.crowd, Journal: e.journal, Logger: e.log,
		Policy: may.policy, Audit: may.sink, History: c.History, Archive: c.Archive, ContainmentTree: c.ContainmentTree,
	}
}

// announced is the first line of sdc simulate --json.
type announced struct {
	EPR    string   `json:"epr"`
	XAddrs []string `json:"xaddrs"`
	// Kind is the kind of device; only where there are several.
	Kind string `json:"kind,omitempty"`
	// T2IAPI is where the calls of conformance tests are served.
	T2IAPI string `json:"t2iapi,omitempty"`
}

func (c *simulateCmd) Run(e *env) (err error) {
	id, err := c.identity("provider", e)
	if err != nil {
		return err
	}
	if c.T2IAPI != "" && c.Kind != "reference" {
		return usagef("--t2iapi is for the reference device")
	}
	if len(c.With) > 0 && c.Kind != "bed" {
		return usagef("--with is for a bed")
	}
	if c.Devices != fleetSize && c.Kind != "fleet" {
		return usagef("--devices is for a fleet")
	}
	if c.DAS && c.Kind != "monitor" {
		return usagef("--das is for the monitor")
	}
	if !c.DAS && (c.DASRenew != 0 || c.DASConfirm != 0) {
		return usagef("--das-renew-within and --das-confirm-within go with --das")
	}
	if c.DASRenew < 0 || c.DASConfirm < 0 {
		return usagef("--das-renew-within and --das-confirm-within take positive durations")
	}
	if err := checkSubscription(c.MaxSubscription); err != nil {
		return err
	}
	if c.crowd, err = c.consumerFlags.crowd(); err != nil {
		return err
	}
	if err := errors.Join(checkEPR(c.EPR), checkListen("--t2iapi", c.T2IAPI)); err != nil {
		return err
	}
	if c.State != "" && (c.Kind == "fleet" || c.Kind == "bed") {
		return usagef("--state is for one device")
	}
	if c.plan, err = c.misbehaviour(); err != nil {
		return err
	}
	may, err := c.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, may.close()) }()
	defer watchIdentity(e, id)()
	switch c.Kind {
	case "fleet":
		return c.fleet(e, id, may)
	case "bed":
		return c.bed(e, id, may)
	}
	sim, err := c.simulator(e, c.Kind, c.Seed, nil)
	if err != nil {
		return err
	}
	may.warn(e, sim.MDIB())
	cfg := c.provider(e, id, may)
	cfg.EPR, cfg.Network.ListenPort = c.EPR, c.Port
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	hooks, err := c.listenForTests(ctx, e, sim, cancel)
	if err != nil {
		return err
	}
	memory, err := c.remember(e, sim)
	if err != nil {
		return err
	}
	if memory != nil {
		sim = memory
	}
	var printErr error
	err = c.run(ctx, e, c.Kind, c.Seed, nil, sim, cfg, func(p *provider.Provider) {
		hooks.serve(ctx, p)
		if c.JSON {
			printErr = writeJSON(e.out, announced{EPR: p.EPR(), XAddrs: p.XAddrs(), T2IAPI: hooks.address()})
			return
		}
		_, printErr = fmt.Fprintf(e.out, "%s %s\nat %s\n", c.Kind, p.EPR(), strings.Join(p.XAddrs(), " "))
		if a := hooks.address(); a != "" && printErr == nil {
			_, printErr = fmt.Fprintf(e.out, "t2iapi at %s\n", a)
		}
		if printErr == nil {
			_, printErr = fmt.Fprint(e.out, "stop with Ctrl-C\n")
		}
	})
	cancel()
	return errors.Join(memory.close(err), printErr, hooks.wait())
}

// Terms of a subscription that a device can be told to grant at most. Below nobody keeps one; beyond it lies about for long when its consumer has gone.
const (
	minTerm = time.Second
	maxTerm = 24 * time.Hour
)

func checkSubscription(term time.Duration) error {
	if term < minTerm || term > maxTerm {
		return usagef("--max-subscription takes %s to %s, not %s", minTerm, maxTerm, term)
	}
	return nil
}

// misbehaviour is what the devices do wrong.
func (c *simulateCmd) misbehaviour() (misbehave.Plan, error) {
	plan, err := misbehave.Parse(c.Misbehave)
	switch {
	case err != nil:
		return plan, usageError{err}
	case plan.Restart > 0 && c.State != "":
		return plan, usagef("--misbehave restart is for a device that remembers nothing, without --state")
	case plan.Restart > 0 && c.T2IAPI != "":
		return plan, usagef("--misbehave restart does not go with --t2iapi")
	case (plan.Freeze != misbehave.Spell{} || plan.Vanish != misbehave.Spell{} || plan.Restart > 0) && len(c.network().Interfaces) > 0:
		return plan, usagef("--misbehave freeze, vanish and restart take --ip, not --interface")
	}
	return plan, nil
}

// run runs a device, which misbehaves if it is told to. sim is its first life; others are made like it.
func (c *simulateCmd) run(ctx context.Context, e *env, kind string, seed uint64, bed *simulators.Bed, sim simulators.Simulator, cfg provider.Config, ready func(*provider.Provider)) error {
	if c.plan == (misbehave.Plan{}) {
		return simulators.Run(ctx, sim, cfg, ready)
	}
	create := func() (simulators.Simulator, error) {
		if sim == nil {
			return c.simulator(e, kind, seed, bed)
		}
		first := sim
		sim = nil
		return first, nil
	}
	return misbehave.Run(ctx, c.plan, seed, create, cfg, ready)
}

// simulator makes one device of a kind, at a bed of its own if bed is nil.
func (c *simulateCmd) simulator(e *env, kind string, seed uint64, bed *simulators.Bed) (simulators.Simulator, error) {
	if c.MDIB != "" && kind != "reference" {
		return nil, usagef("--mdib is for the reference device; the %s has an MDIB of its own", kind)
	}
	opts, err := c.options(e, seed)
	if err != nil {
		return nil, err
	}
	opts.Bed = bed
	switch kind {
	case "ventilator":
		return ventilator.New(opts)
	case "monitor":
		return monitor.New(opts)
	case "pump":
		return pump.New(opts)
	case "xray":
		return xray.New(opts)
	case "light":
		return light.New(opts)
	}
	cfg := reference.Config{Options: opts, Complete: c.T2IAPI != ""}
	if c.MDIB != "" {
		if cfg.MDIB, err = mdib.ReadFile(c.MDIB); err != nil {
			return nil, err // names the file
		}
	}
	return reference.New(cfg)
}

// options are what all devices have in common.
func (c *simulateCmd) options(e *env, seed uint64) (simulators.Options, error) {
	scenario, err := physio.ParseScenario(c.Scenario)
	if err != nil {
		return simulators.Options{}, usageError{err}
	}
	if !(c.Breaths == 0 || c.Breaths >= 4 && c.Breaths <= 60) {
		return simulators.Options{}, usagef("--breaths takes 4 to 60, or 0")
	}
	opts := simulators.Options{
		Seed: seed, Scenario: scenario, Spontaneous: c.Breaths, Ensemble: c.Ensemble, Logger: e.log,
		DAS: simulators.DAS{Offered: c.DAS, RenewWithin: c.DASRenew, ConfirmWithin: c.DASConfirm},
	}
	opts.Location, err = placeOf(c.Location)
	return opts, err
}
