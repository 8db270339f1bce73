package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

const (
	// fleetSize is the size of a fleet that nobody has asked for.
	fleetSize = 10
	// maxFleet bounds a fleet: each device takes two UDP sockets and a TCP port.
	maxFleet = 5000
)

// fleet runs many devices in one process, ventilators and monitors in turn, each
// with a patient, an endpoint reference and a port of its own.
func (c *simulateCmd) fleet(e *env, id *sdc.Identity, may *access) error {
	switch {
	case c.Devices < 1 || c.Devices > maxFleet:
		return usagef("--devices takes 1 to %d", maxFleet)
	case c.EPR != "" || c.Port != 0:
		return usagef("--epr and --port name one device, not a fleet")
	}
	members := make([]member, c.Devices)
	for i := range members {
		members[i].kind = "ventilator"
		if i%2 == 1 {
			members[i].kind = "monitor"
		}
		var err error
		members[i].seed = c.Seed + uint64(i)
		if members[i].sim, err = c.simulator(e, members[i].kind, members[i].seed, nil); err != nil {
			return err
		}
	}
	return c.together(e, id, may, members)
}

// bed runs several devices at one patient, each with an endpoint reference and a port of its own.
func (c *simulateCmd) bed(e *env, id *sdc.Identity, may *access) error {
	if c.EPR != "" || c.Port != 0 {
		return usagef("--epr and --port name one device, not a bed")
	}
	opts, err := c.options(e, c.Seed)
	if err != nil {
		return err
	}
	bed := opts.OpenBed()
	kinds := c.With
	if len(kinds) == 0 {
		kinds = []string{"ventilator", "monitor", "pump", "xray", "light"}
	}
	var members []member
	for i, kind := range kinds {
		if slices.Contains(kinds[:i], kind) {
			return usagef("--with names the %s twice", kind)
		}
		sim, err := c.simulator(e, kind, c.Seed, bed)
		if err != nil {
			return err
		}
		members = append(members, member{kind, c.Seed + uint64(i), bed, sim})
	}
	return c.together(e, id, may, members)
}

// member is one of several devices.
type member struct {
	kind string
	seed uint64          // of what it does wrong, and of its patient if it has one of its own
	bed  *simulators.Bed // nil: its own
	sim  simulators.Simulator
}

// together runs devices until interrupted. One that fails ends all.
func (c *simulateCmd) together(e *env, id *sdc.Identity, may *access, members []member) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	begin := time.Now()
	ready := make(chan announced, len(members))
	starting := make(chan struct{}, 4*runtime.NumCPU()) // devices that are on their way
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		starting <- struct{}{}
		wg.Go(func() {
			once := sync.OnceFunc(func() { <-starting })
			defer once()
			errs[i] = c.run(ctx, e, m.kind, m.seed, m.bed, m.sim, c.provider(e, id, may), func(p *provider.Provider) {
				once()
				ready <- announced{EPR: p.EPR(), XAddrs: p.XAddrs(), Kind: m.kind}
			})
			if errs[i] != nil {
				cancel() // a fleet with a gap is not what was asked for
			}
		})
	}
	printErr := c.announce(ctx, e, len(members), ready, begin)
	if printErr != nil {
		cancel()
	}
	wg.Wait()
	return errors.Join(append(errs, printErr)...)
}

// announce prints every device as it becomes reachable: of a bed all, of a fleet how many.
func (c *simulateCmd) announce(ctx context.Context, e *env, n int, ready <-chan announced, begin time.Time) error {
	for range n {
		select {
		case a := <-ready:
			var err error
			switch {
			case c.JSON:
				err = writeJSON(e.out, a)
			case c.Kind == "bed":
				_, err = fmt.Fprintf(e.out, "%-10s %s\nat %s\n", a.Kind, a.EPR, strings.Join(a.XAddrs, " "))
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
	if c.JSON {
		return nil
	}
	_, err := fmt.Fprintf(e.out, "%d devices are reachable after %.1f s\nstop with Ctrl-C\n", n, time.Since(begin).Seconds())
	return err
}
