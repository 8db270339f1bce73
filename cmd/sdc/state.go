package main

import (
	"context"
	"sync"

	"github.com/semeco/go-sdc/sdc/persist"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// stateFlags make a simulated device remember.
type stateFlags struct {
	State        string `placeholder:"DIR" help:"Keep address, number of starts and MDIB of the device in this folder over restarts."`
	KeepVersions bool   `help:"With --state: go on with the same MDIB sequence after an orderly stop."`
}

// remembering is a simulator whose device goes on where it stopped.
type remembering struct {
	simulators.Simulator
	state *persist.State
	p     *provider.Provider // once it runs
}

// remember opens the saved state; nil without --state.
func (f *stateFlags) remember(e *env, sim simulators.Simulator) (*remembering, error) {
	if f.State == "" {
		if f.KeepVersions {
			return nil, usagef("--keep-versions needs --state")
		}
		return nil, nil //nolint:nilnil // nothing to remember
	}
	cfg := persist.Config{Dir: f.State, Logger: e.log}
	if f.KeepVersions {
		cfg.Resume = persist.KeepVersions
	}
	st, err := persist.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &remembering{Simulator: sim, state: st}, nil
}

// Configure implements simulators.Configurer.
func (r *remembering) Configure(cfg *provider.Config) error {
	if c, ok := r.Simulator.(simulators.Configurer); ok {
		if err := c.Configure(cfg); err != nil {
			return err
		}
	}
	return r.state.Configure(cfg)
}

// Run animates the device and saves what it does.
func (r *remembering) Run(ctx context.Context, p *provider.Provider) error {
	r.p = p
	saving, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.state.Run(saving, p) })
	err := r.Simulator.Run(ctx, p)
	stop()
	wg.Wait()
	return err
}

// close saves the last MDIB, when the device has left the network in good order.
func (r *remembering) close(err error) error {
	if r == nil || r.p == nil || err != nil {
		return err
	}
	return r.state.Close(r.p)
}
