package main

import (
	"context"
	"errors"
	"net"

	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/reference"
	"github.com/semeco/go-sdc/t2iapi"
)

// testCalls are the calls of conformance tests; nil serves none.
type testCalls struct {
	e      *env
	device *reference.Device
	ln     net.Listener
	stop   func() // ends the simulation
	served chan error
}

// listenForTests opens the listener before the device runs, so that an address that cannot be had is told at once.
func (c *simulateCmd) listenForTests(ctx context.Context, e *env, sim simulators.Simulator, stop func()) (*testCalls, error) {
	if c.T2IAPI == "" {
		return nil, nil //nolint:nilnil // nothing was asked for, and methods of nil do nothing
	}
	device, ok := sim.(*reference.Device)
	if !ok {
		return nil, usagef("--t2iapi is for the reference device")
	}
	ln, err := t2iapi.Listen(ctx, c.T2IAPI)
	if err != nil {
		return nil, err
	}
	return &testCalls{e: e, device: device, ln: ln, stop: stop}, nil
}

// serve answers until ctx ends; if it cannot, the simulation ends.
func (t *testCalls) serve(ctx context.Context, p *provider.Provider) {
	if t == nil {
		return
	}
	t.served = make(chan error, 1)
	server, err := t2iapi.New(t2iapi.Config{Device: p, Hold: t.device.Hold, OneMDS: true, Logger: t.e.log})
	if err != nil {
		t.served <- err
		t.stop()
		return
	}
	go func() {
		err := server.Serve(ctx, t.ln)
		t.stop()
		t.served <- err
	}()
}

func (t *testCalls) address() string {
	if t == nil {
		return ""
	}
	return t.ln.Addr().String()
}

// wait returns once nothing is served any more.
func (t *testCalls) wait() error {
	if t == nil {
		return nil
	}
	if t.served == nil { // the device never was ready
		return t.ln.Close()
	}
	err := <-t.served
	if closed := t.ln.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}
