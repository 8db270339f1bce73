package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/replayer"
	"github.com/semeco/go-sdc/sdc/provider"
)

type replayCmd struct {
	netFlags
	trustFlags
	consumerFlags
	File            string        `arg:"" type:"existingfile" help:"A recording."`
	Speed           string        `default:"1x" placeholder:"4x" help:"How much faster than it was recorded: 4x, 0.5x."`
	From            string        `placeholder:"TIME" help:"Where to begin: from the start of the recording (90s), or a time (2006-01-02T15:04:05Z)."`
	Device          []string      `placeholder:"EPR" help:"Devices to replay: EPR or unique prefix of one. Default: all."`
	NewEPR          bool          `name:"new-epr" help:"Give the devices new endpoint references, for a network where the recorded ones are."`
	Wait            bool          `help:"Begin a second after somebody has subscribed to every device, not at once."`
	Hold            bool          `help:"Keep the devices on the network when everything has been replayed. Default: leave."`
	MaxSubscription time.Duration `default:"15s" help:"Longest subscription granted."`
	JSON            bool          `name:"json" help:"A line for each device: {\"epr\":..,\"xaddrs\":[..]} once reachable."`
}

func (c *replayCmd) Run(e *env) error {
	speed, err := parseSpeed(c.Speed)
	if err != nil {
		return err
	}
	if err := checkSubscription(c.MaxSubscription); err != nil {
		return err
	}
	crowd, err := c.crowd()
	if err != nil {
		return err
	}
	id, err := c.identity("provider", e)
	if err != nil {
		return err
	}
	rec, err := recording.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = rec.Close() }() // only read
	warnOfDamage(e, c.File, rec)
	origin, from, err := c.begin(rec)
	if err != nil {
		return err
	}
	names := c.Device
	if len(names) == 0 {
		for _, d := range rec.Devices() {
			names = append(names, d.EPR)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: no device in the recording", c.File)
	}
	var all []*replayer.Replayer
	for _, name := range names {
		cfg := replayer.Config{
			Recording: rec, Device: name, Speed: speed, From: from, Origin: origin,
			Provider: provider.Config{Identity: id, Insecure: c.Insecure, Network: c.network(), DiscoveryProxy: c.DiscoveryProxy, MaxSubscription: c.MaxSubscription, Consumers: crowd, Journal: e.journal, Logger: e.log},
		}
		if c.NewEPR {
			cfg.Provider.EPR = newEPR()
		}
		r, err := replayer.New(cfg)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	return c.run(e, all)
}

// begin is the instant at which the replay starts. from is zero where that is the beginning, because devices may come in later.
func (c *replayCmd) begin(rec *recording.Reader) (origin, from time.Time, err error) {
	first, _ := rec.Span()
	if c.From == "" {
		return first, from, nil
	}
	from, err = parseMoment(c.From, rec)
	return from, from, err
}

func (c *replayCmd) run(e *env, all []*replayer.Replayer) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	start := make(chan struct{})
	errs := make([]error, len(all)+1)
	var wg sync.WaitGroup
	for i, r := range all {
		wg.Go(func() {
			errs[i] = r.Run(ctx, start)
			if errs[i] != nil {
				cancel()
			}
		})
	}
	errs[len(all)] = c.conduct(ctx, e, all, start)
	cancel()
	wg.Wait()
	return errors.Join(errs...)
}

// conduct announces the devices, starts them and waits for the end.
func (c *replayCmd) conduct(ctx context.Context, e *env, all []*replayer.Replayer, start chan<- struct{}) error {
	for _, r := range all {
		p := r.Provider()
		select {
		case <-p.Ready():
		case <-ctx.Done():
			return nil
		}
		var err error
		if c.JSON {
			err = writeJSON(e.out, announced{EPR: p.EPR(), XAddrs: p.XAddrs()})
		} else {
			_, err = fmt.Fprintf(e.out, "replaying %s\nat %s\n", p.EPR(), strings.Join(p.XAddrs(), " "))
		}
		if err != nil {
			return err
		}
	}
	if c.Wait && !subscribed(ctx, all) {
		return nil
	}
	close(start)
	for _, r := range all {
		select {
		case <-r.Done():
			if err := r.Provider().Flush(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
	if !c.JSON {
		n := uint64(0)
		for _, r := range all {
			n += r.Played()
		}
		if _, err := fmt.Fprintf(e.out, "%d reports replayed\n", n); err != nil {
			return err
		}
	}
	if c.Hold {
		<-ctx.Done()
	}
	return nil
}

// subscribed waits until every device has a subscription, and a second longer for the subscriber to read the MDIB.
func subscribed(ctx context.Context, all []*replayer.Replayer) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case now := <-tick.C:
			ready := true
			for _, r := range all {
				ready = ready && r.Provider().Stats().Subscriptions > 0
			}
			switch {
			case !ready:
				since = time.Time{}
			case since.IsZero():
				since = now
			case now.Sub(since) >= time.Second:
				return true
			}
		}
	}
}

// parseSpeed reads 4x, 0.5x or 4.
func parseSpeed(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !(v > 0) || v > 10_000 {
		return 0, usagef("--speed takes a number above 0 and up to 10000, such as 4x: %q", s)
	}
	return v, nil
}

// parseMoment reads an instant of a recording: the time since its beginning, or a time of day.
func parseMoment(s string, rec *recording.Reader) (time.Time, error) {
	first, last := rec.Span()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		d, err := time.ParseDuration(strings.TrimPrefix(s, "+"))
		if err != nil {
			return at, usagef("%q is neither a duration, such as 90s, nor a time, such as 2006-01-02T15:04:05Z", s)
		}
		at = first.Add(d)
	}
	if at.Before(first) || at.After(last) {
		return at, usagef("%s is not in the recording, which goes from %s to %s", s, first.Format(time.RFC3339), last.Format(time.RFC3339))
	}
	return at, nil
}

// warnOfDamage tells what is missing before anything is shown of a recording.
func warnOfDamage(e *env, file string, rec *recording.Reader) {
	for _, d := range rec.Damage() {
		fmt.Fprintf(e.err, "sdc: %s: %v\n", file, d)
	}
}
