package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/room"
	"github.com/semeco/go-sdc/station"
	"github.com/semeco/go-sdc/station/aggregate"
)

type stationCmd struct {
	netFlags
	trustFlags
	webFlags
	aggregateFlags
	followFlags
	Rules    string        `type:"existingfile" placeholder:"FILE" help:"Rules that say which devices to connect to (YAML). Default: every device."`
	Demo     bool          `help:"Bring up a simulated operating room with five devices in this process, over mutual TLS with throwaway certificates."`
	Scenario string        `default:"stable" enum:"stable,desaturation,tachycardia,disconnection" help:"What happens to the patient of --demo: ${enum}."`
	Seed     uint64        `default:"1" help:"The same seed gives the same patient of --demo."`
	All      bool          `help:"Show settings and texts, too."`
	Every    time.Duration `default:"1s" help:"How often the view is shown."`
	For      time.Duration `help:"Stop after this time. Default: until interrupted."`
	JSON     bool          `name:"json" help:"One JSON object a line, the whole view each time."`
}

// leastEvery bounds how often the view is shown.
const leastEvery = 10 * time.Millisecond

func (c *stationCmd) Run(e *env) error {
	if c.Every < leastEvery || c.For < 0 {
		return usagef("--every takes %s or more, and --for must not be negative", leastEvery)
	}
	if err := c.checkWeb(); err != nil {
		return err
	}
	crowd, err := c.crowd()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	cfg, theatre, err := c.prepare(e)
	if err != nil {
		return err
	}
	if err := c.checkAggregate(&cfg); err != nil {
		return err
	}
	participant, err := consumer.New(e.ctx, consumer.Config{Identity: cfg.identity, Insecure: c.Insecure, Network: c.network(), DiscoveryProxy: c.DiscoveryProxy, Devices: crowd, Journal: e.journal, Logger: e.log})
	if err != nil {
		return err
	}
	defer closeConsumer(e, participant)
	client, err := c.discoveryOf(e, participant)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // the station has ended
	participant.AddLocator(client)
	cfg.station.Consumer, cfg.station.Discovery = participant, client
	s, err := station.New(cfg.station)
	if err != nil {
		return err
	}
	derived, err := c.prepareAggregator(e, &cfg, s)
	if err != nil {
		return err
	}
	view, err := c.prepareWeb(ctx, e, s)
	if err != nil {
		return err
	}
	return c.follow(ctx, cancel, e, s, theatre, derived, view)
}

// stationSetup is what a station is made of.
type stationSetup struct {
	station  station.Config
	identity *sdc.Identity
}

// prepare reads rules and identity; for a demonstration it makes both, and the room.
func (c *stationCmd) prepare(e *env) (cfg stationSetup, theatre *room.Room, err error) {
	cfg.station.Logger, cfg.station.MaxDevices = e.log, c.MaxDevices
	if c.Rules != "" {
		if cfg.station.Rules, err = station.ReadRules(c.Rules); err != nil {
			return cfg, nil, err
		}
	}
	if !c.Demo {
		cfg.identity, err = c.identity("consumer", e)
		return cfg, nil, err
	}
	if c.TLS != "" || c.Insecure || c.Rules != "" || c.DiscoveryProxy != "" {
		return cfg, nil, usagef("--demo makes its own certificates and rules: leave out --tls, --insecure, --rules and --discovery-proxy")
	}
	ca, err := pki.NewCA("SDC demo CA", 24*time.Hour)
	if err != nil {
		return cfg, nil, err
	}
	p, err := ca.Issue(pki.Request{Name: "demo station", Role: sdc.RoleConsumer | sdc.RoleProvider, Validity: 24 * time.Hour})
	if err != nil {
		return cfg, nil, err
	}
	if cfg.identity, err = p.Identity(); err != nil {
		return cfg, nil, err
	}
	if e.keyLog != nil { // each connection of the room has the station at one of its ends
		cfg.identity.KeyLog = e.keyLog
	}
	scenario, err := physio.ParseScenario(c.Scenario)
	if err != nil {
		return cfg, nil, usageError{err}
	}
	theatre, err = room.New(room.Config{
		Authority: ca, Network: c.network(), Seed: c.Seed, Scenario: scenario, Patient: "4711", Given: "Pat", Family: "Demo",
		Provider: func(_ string, cfg *provider.Config) { cfg.Journal = e.journal },
	})
	if err != nil {
		return cfg, nil, err
	}
	// Others may be on this network too: only the room's own devices have certificates that are trusted here.
	rule := station.Rule{Name: "demonstration"}
	for _, d := range theatre.Devices {
		rule.EPRs = append(rule.EPRs, d.EPR)
	}
	cfg.station.Rules, cfg.station.Immediately = []station.Rule{rule}, true
	return cfg, theatre, nil
}

// follow runs the station, and the room, the aggregator and the web view if there are any, and shows views until ctx ends.
func (c *stationCmd) follow(
	ctx context.Context, cancel context.CancelFunc, e *env, s *station.Station, theatre *room.Room, derived *aggregate.Aggregator, view *webView,
) error {
	var wg sync.WaitGroup
	var errs [4]error
	run := func(i int, do func(context.Context) error) {
		wg.Go(func() {
			errs[i] = do(ctx)
			cancel() // neither goes on without the other
		})
	}
	run(0, s.Run)
	if theatre != nil {
		run(1, theatre.Run)
	}
	if derived != nil {
		run(2, derived.Run)
	}
	if view != nil {
		run(3, view.run)
	}
	err := c.show(ctx, e, s, derived)
	cancel()
	wg.Wait()
	return errors.Join(err, errors.Join(errs[:]...))
}

// show writes the view again and again, with what the aggregator, if there is one, has turned off (SDPi R1542).
func (c *stationCmd) show(ctx context.Context, e *env, s *station.Station, derived *aggregate.Aggregator) error {
	live := !c.JSON && terminal(e.out) != nil
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		view := s.View()
		var off []aggregate.Off
		if derived != nil {
			off = derived.Off()
		}
		if c.JSON {
			line := viewJSON(view, time.Now())
			for _, o := range off {
				line.Off = append(line.Off, stationOff{o.Patient, o.Rule, o.Since, string(o.Cause), o.Reason})
			}
			if err := writeJSON(e.out, line); err != nil {
				return err
			}
			continue
		}
		if live {
			fmt.Fprint(e.out, "\x1b[H\x1b[2J") // home, clear
		}
		if err := c.print(e, view, off, time.Now()); err != nil {
			return err
		}
	}
}

// print writes a view for people: what needs attention first, then each place and patient.
func (c *stationCmd) print(e *env, v *station.View, off []aggregate.Off, now time.Time) error {
	fmt.Fprintf(e.out, "%s  %d device(s), %d waiting\n", now.Format(time.TimeOnly), len(v.Devices), len(v.Waiting))
	for _, x := range v.Conflicts {
		fmt.Fprintf(e.out, "CONFLICT %s: %s (%d MDSs) %s\n", x.Kind, printable(x.Text), len(x.Systems), printable(x.Place))
	}
	for _, o := range off {
		fmt.Fprintf(e.out, "OFF since %s %s\n", o.Since.Format(time.TimeOnly), printable(o.String()))
	}
	devices := newTable("DEVICE", "LINK", "PATIENT", "PLACE", "CLOCK", "CAUSE")
	for _, d := range v.Devices {
		if len(d.Systems) == 0 {
			devices.add(nameOf(d), string(d.Link.State), "", "", "", d.Link.Cause)
		}
		for _, s := range d.Systems {
			clock := "?"
			if s.Clock.Known {
				clock = s.Clock.Offset.Round(time.Millisecond).String()
			}
			devices.add(nameOf(d), string(d.Link.State), s.Patient.String(), s.Location.Detail.String(), clock, d.Link.Cause)
		}
	}
	if err := devices.print(e.out); err != nil {
		return err
	}
	alerts := newTable("ALERT", "PRIORITY", "SIGNALS", "DEVICE")
	values := newTable("PATIENT", "VALUE", "NUMBER", "UNIT", "AGE", "STATUS", "DEVICE")
	for _, d := range v.Devices {
		for _, s := range d.Systems {
			for _, a := range s.Alerts {
				if a.Active() {
					alerts.add(a.Label, string(a.Priority), signalsText(a), nameOf(d))
				}
			}
			for _, x := range s.Values {
				if !c.All && (x.Meaning.Role != station.Measured || !x.Numeric()) {
					continue
				}
				values.add(s.Patient.String(), x.Label, number(x), x.Unit.Text, x.Age(now).Round(time.Second).String(), string(x.Status(now)), nameOf(d))
			}
		}
	}
	for _, t := range []*table{alerts, values} {
		if len(t.rows) == 0 {
			continue
		}
		fmt.Fprintln(e.out)
		if err := t.print(e.out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(e.out)
	return err
}

func nameOf(d *station.Device) string {
	if d.Name != "" {
		return d.Name
	}
	return d.EPR
}

// number is what is shown of a value; what must not be used is not shown as a number.
func number(v *station.Value) string {
	switch v.Validity {
	case pm.MeasurementValidityVld, pm.MeasurementValidityVldated, pm.MeasurementValidityQst:
	default:
		return "---"
	}
	if n, ok := v.Number.Get(); ok {
		return n.String()
	}
	return v.Text
}

func signalsText(a *station.Alert) string {
	switch {
	case a.Acknowledged():
		return "acknowledged"
	case a.Latched():
		return "latched"
	case a.Signalled():
		return "on"
	}
	return "off"
}
