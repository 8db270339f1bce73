package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
)

type demoCmd struct {
	netFlags
	For      time.Duration `default:"10s" help:"How long to show data once both devices are connected."`
	Scenario string        `default:"stable" enum:"stable,desaturation,tachycardia,disconnection" help:"What happens to the patient: ${enum}."`
	Seed     uint64        `default:"1" help:"The same seed gives the same patient."`
	JSON     bool          `name:"json" help:"No live view; the last line is a JSON summary."`
}

// demoSummary is the last line of sdc demo --json.
type demoSummary struct {
	Devices         int     `json:"devices"`
	Connected       int     `json:"connected"`
	TLS             bool    `json:"tls"`
	MetricUpdates   int     `json:"metric_updates"`
	WaveformSamples int     `json:"waveform_samples"`
	AlertUpdates    int     `json:"alert_updates"`
	Operations      int     `json:"operations"`
	Gaps            int     `json:"gaps"`
	Seconds         float64 `json:"seconds"`
}

// demoSetup bounds finding and connecting: Hello and answers to a Probe are
// each spread over 2.5 s by the standard.
const demoSetup = 30 * time.Second

func (c *demoCmd) Run(e *env) error {
	if c.For <= 0 {
		return usagef("--for needs a positive duration")
	}
	if c.DiscoveryProxy != "" {
		return usagef("the devices of the demonstration have certificates that no discovery proxy knows: leave out --discovery-proxy")
	}
	d, err := c.prepare(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	sims := d.startDevices(ctx)
	err = d.consume(ctx)
	cancel()
	err = errors.Join(err, sims())
	summary := d.board.summary()
	if printErr := c.report(e.out, summary); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	return d.board.verdict()
}

func (c *demoCmd) report(w io.Writer, s demoSummary) error {
	if c.JSON {
		return writeJSON(w, s)
	}
	_, err := fmt.Fprintf(w, `%d devices found, %d connected over mutual TLS
%d metric updates, %d waveform samples, %d alert updates in %.1f s
%d operation(s) invoked, %d gap(s)
`, s.Devices, s.Connected, s.MetricUpdates, s.WaveformSamples, s.AlertUpdates, s.Seconds, s.Operations, s.Gaps)
	return err
}

// demo is one run: two devices, one consumer, all in this process but talking
// over real sockets only.
type demo struct {
	cmd     *demoCmd
	env     *env
	board   *board
	devices []demoDevice
	self    *sdc.Identity
	live    bool
}

type demoDevice struct {
	sim simulators.Simulator
	cfg provider.Config
}

// prepare makes the throwaway certificates and the devices.
func (c *demoCmd) prepare(e *env) (*demo, error) {
	ca, err := pki.NewCA("SDC demo CA", 24*time.Hour)
	if err != nil {
		return nil, err
	}
	identity := func(name string, role sdc.Role) (*sdc.Identity, error) {
		p, err := ca.Issue(pki.Request{Name: name, Role: role, Validity: 24 * time.Hour})
		if err != nil {
			return nil, err
		}
		return p.Identity()
	}
	d := &demo{cmd: c, env: e, board: newBoard()}
	if d.self, err = identity("demo consumer", sdc.RoleConsumer); err != nil {
		return nil, err
	}
	scenario, err := physio.ParseScenario(c.Scenario)
	if err != nil {
		return nil, usageError{err}
	}
	opts := simulators.Options{
		Seed: c.Seed, Scenario: scenario, Location: sdc.LocationDetail{Facility: "Demo", PoC: "OR 1", Bed: "1"}, Logger: e.log,
	}
	opts.Bed = opts.OpenBed() // both devices are at the same patient
	vent, err := ventilator.New(opts)
	if err != nil {
		return nil, err
	}
	mon, err := monitor.New(opts)
	if err != nil {
		return nil, err
	}
	for _, sim := range []simulators.Simulator{vent, mon} {
		id, err := identity(sim.Device().FriendlyName[0].Text, sdc.RoleProvider)
		if err != nil {
			return nil, err
		}
		d.devices = append(d.devices, demoDevice{sim, provider.Config{
			EPR: uuid.New().URN(), Identity: id, Policy: provider.AllowAll(), Network: c.network(), Journal: e.journal, Logger: e.log,
			// Two devices in one process need not take turns, and nobody likes to wait for a demonstration.
			Timing: discovery.PromptTiming(),
		}})
	}
	d.live = !c.JSON && terminal(e.out) != nil
	return d, nil
}

// startDevices puts the devices on the network; the function returned waits for
// their end and tells what went wrong.
func (d *demo) startDevices(ctx context.Context) func() error {
	var wg sync.WaitGroup
	errs := make([]error, len(d.devices))
	for i, dev := range d.devices {
		wg.Go(func() {
			if err := simulators.Run(ctx, dev.sim, dev.cfg, nil); err != nil && ctx.Err() == nil {
				errs[i] = fmt.Errorf("%s: %w", dev.sim.Device().FriendlyName[0].Text, err)
			}
		})
	}
	return func() error {
		wg.Wait()
		return errors.Join(errs...)
	}
}

// consume finds both devices, follows them for the time asked for and changes a setting.
func (d *demo) consume(ctx context.Context) error {
	c, err := consumer.New(ctx, consumer.Config{Identity: d.self, Network: d.cmd.network(), Journal: d.env.journal, Logger: d.env.log})
	if err != nil {
		return err
	}
	defer func() {
		closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := c.Close(closeCtx); err != nil {
			d.env.log.Warn("disconnecting", "error", err)
		}
	}()
	devices, err := d.connect(ctx, c)
	if err != nil {
		return err
	}
	runCtx, cancel := context.WithTimeout(ctx, d.cmd.For)
	defer cancel()
	d.board.begin()
	var wg sync.WaitGroup
	for _, dev := range devices {
		wg.Go(func() { d.board.follow(runCtx, dev) })
	}
	var opErr error
	wg.Go(func() { opErr = d.operate(runCtx, devices) })
	if d.live {
		showLive(runCtx, cancel, d.env, d.board)
	}
	wg.Wait()
	d.board.finish()
	return opErr
}

// connect waits for both devices to be discovered and connects to each as it comes.
func (d *demo) connect(ctx context.Context, c *consumer.Consumer) ([]*consumer.Device, error) {
	client, err := d.cmd.discover(d.env)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, demoSetup)
	defer cancel()
	ours := make(map[string]bool) // others may be on this network too
	for _, dev := range d.devices {
		ours[dev.cfg.EPR] = true
	}
	if !d.cmd.JSON {
		fmt.Fprintf(d.env.out, "looking for %d devices on %s ...\n", len(ours), d.cmd.network().IP())
	}
	var out []*consumer.Device
	for ev := range client.Watch(ctx, discovery.Filter{Types: discovery.DeviceTypes()}) {
		ep := ev.Endpoint
		if !ours[ep.EPR] || ev.Kind == discovery.Gone || len(ep.XAddrs) == 0 {
			continue
		}
		delete(ours, ep.EPR)
		d.board.found()
		dev, err := c.Connect(ctx, ep)
		if err != nil {
			return nil, err
		}
		d.board.connected(dev)
		if !d.cmd.JSON {
			fmt.Fprintf(d.env.out, "connected to %s at %s\n", firstText(dev.Metadata().ThisDevice.FriendlyName), dev.XAddr())
		}
		if out = append(out, dev); len(out) == len(d.devices) {
			return out, nil
		}
	}
	return nil, fmt.Errorf("only %d of %d devices were found within %s", len(out), len(d.devices), demoSetup)
}

// operate raises the ventilator's PEEP by 3 and waits until the mirror shows it.
func (d *demo) operate(ctx context.Context, devices []*consumer.Device) error {
	for _, dev := range devices {
		op, ok := peepOperation(dev.MDIB())
		if !ok {
			continue
		}
		target := op.OperationTarget
		before, ok := mdib.Get[*pm.NumericMetricState](dev.MDIB(), target)
		if !ok || before.MetricValue == nil {
			return fmt.Errorf("%s has no value to change", target)
		}
		was, _ := before.MetricValue.Value.Get()
		want, err := pm.ParseDecimal(fmt.Sprintf("%.0f", was.Float64()+3))
		if err != nil {
			return err
		}
		// Late enough that the viewer has seen the old value.
		wait := time.NewTimer(d.cmd.For / 4)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		opCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if _, err := dev.SetValue(opCtx, op.Handle, want); err != nil {
			return err
		}
		after, ok := mdib.Get[*pm.NumericMetricState](dev.MDIB(), target)
		if ok && after.MetricValue != nil {
			if v, _ := after.MetricValue.Value.Get(); v.Cmp(want) == 0 {
				d.board.operated(fmt.Sprintf("PEEP set from %s to %s %s", was, want, unitOf(dev.MDIB(), target)))
				return nil
			}
		}
		return fmt.Errorf("%s finished but %s does not show %s", op.Handle, target, want)
	}
	return errors.New("no device offers an operation that sets PEEP")
}

func unitOf(s *mdib.Snapshot, handle string) string {
	desc, _ := s.Descriptor(handle)
	return unit(desc)
}

// peepOperation finds the operation that sets a PEEP by what its target means.
func peepOperation(s *mdib.Snapshot) (*pm.SetValueOperationDescriptor, bool) {
	for ent := range s.Entities() {
		op, ok := ent.Descriptor.(*pm.SetValueOperationDescriptor)
		if !ok {
			continue
		}
		target, ok := s.Descriptor(op.OperationTarget)
		if ok && strings.Contains(strings.ToUpper(concept(target.Base().Type)), "PEEP") {
			return op, true
		}
	}
	return nil, false
}
