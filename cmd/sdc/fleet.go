package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
)

// maxFleet bounds a fleet: each device takes two UDP sockets and a TCP port.
const maxFleet = 5000

// fleet runs many devices in one process, ventilators and monitors in turn, each
// with a patient, an endpoint reference and a port of its own.
func (c *simulateCmd) fleet(e *env, id *sdc.Identity) error {
	switch {
	case c.Devices < 1 || c.Devices > maxFleet:
		return usagef("--devices takes 1 to %d", maxFleet)
	case c.EPR != "" || c.Port != 0:
		return usagef("--epr and --port name one device, not a fleet")
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	begin := time.Now()
	ready := make(chan announced, c.Devices)
	starting := make(chan struct{}, 4*runtime.NumCPU()) // devices that are on their way
	errs := make([]error, c.Devices)
	var wg sync.WaitGroup
	for i := range c.Devices {
		kind := "ventilator"
		if i%2 == 1 {
			kind = "monitor"
		}
		sim, err := c.simulator(e, kind, c.Seed+uint64(i))
		if err != nil {
			cancel()
			wg.Wait()
			return err
		}
		starting <- struct{}{}
		wg.Go(func() {
			once := sync.OnceFunc(func() { <-starting })
			defer once()
			errs[i] = simulators.Run(ctx, sim, provider.Config{
				Identity: id, Insecure: c.Insecure, Network: c.network(), MaxSubscription: c.MaxSubscription, Logger: e.log,
			}, func(p *provider.Provider) {
				once()
				ready <- announced{EPR: p.EPR(), XAddrs: p.XAddrs()}
			})
			if errs[i] != nil {
				cancel() // a fleet with a gap is not what was asked for
			}
		})
	}
	printErr := c.announce(ctx, e, ready, begin)
	if printErr != nil {
		cancel()
	}
	wg.Wait()
	return errors.Join(append(errs, printErr)...)
}

// announce prints every device as it becomes reachable.
func (c *simulateCmd) announce(ctx context.Context, e *env, ready <-chan announced, begin time.Time) error {
	for range c.Devices {
		select {
		case a := <-ready:
			if c.JSON {
				if err := writeJSON(e.out, a); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
	if c.JSON {
		return nil
	}
	_, err := fmt.Fprintf(e.out, "%d devices are reachable after %.1f s\nstop with Ctrl-C\n", c.Devices, time.Since(begin).Seconds())
	return err
}
