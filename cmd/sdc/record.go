package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/recording"
	"github.com/semeco/go-sdc/recording/recorder"
	"github.com/semeco/go-sdc/sdc/consumer"
)

type recordCmd struct {
	deviceFlags
	Targets      []string      `arg:"" name:"target" help:"Devices: EPR, unique prefix of one, friendly name or URL."`
	Output       string        `short:"o" required:"" placeholder:"FILE" help:"The recording. A file that exists is refused unless --append is given."`
	Append       bool          `help:"Go on with a recording in a new session."`
	For          time.Duration `help:"Stop after this time. Default: until interrupted."`
	Uncompressed bool          `help:"Do not compress."`
	Flush        time.Duration `default:"1s" help:"How long a record may wait before it is written: what is lost if this program is killed."`
	Sync         time.Duration `default:"5s" help:"How often the file is synchronised with the disk: what is lost if the power fails."`
	Key          time.Duration `default:"1m" help:"How often the whole MDIB is repeated, at most."`
	JSON         bool          `name:"json" help:"A summary as one JSON object at the end."`
}

// recorded is the summary of sdc record --json.
type recorded struct {
	File    string `json:"file"`
	Devices int    `json:"devices"`
	Records uint64 `json:"records"`
	Bytes   int64  `json:"bytes"`
	Raw     int64  `json:"raw_bytes"`
	Dropped uint64 `json:"dropped"`
}

func (c *recordCmd) Run(e *env) (err error) {
	if c.Flush <= 0 || c.Key <= 0 || c.For < 0 {
		return usagef("--flush, --key and --for take positive durations")
	}
	part, err := c.consumer(e)
	if err != nil {
		return err
	}
	defer closeConsumer(e, part)
	search, err := c.discoveryOf(e, part)
	if err != nil {
		return err
	}
	defer func() { _ = search.Close() }() // nobody asks it any more
	part.AddLocator(search)
	find := func(ctx context.Context, target string) (discovery.Endpoint, error) {
		return c.findBy(ctx, e, search, target)
	}
	// The devices come first: a wrong target must not leave an empty file.
	devices := make([]*consumer.Device, len(c.Targets))
	for i, target := range c.Targets {
		if devices[i], err = c.dial(e.ctx, find, part, target); err != nil {
			return err
		}
	}
	for i, dev := range devices {
		if first := slices.IndexFunc(devices, func(d *consumer.Device) bool { return d.EPR() == dev.EPR() }); first < i {
			return usagef("%q and %q are the same device, %s", c.Targets[first], c.Targets[i], dev.EPR())
		}
	}
	w, err := c.open(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	if c.For > 0 {
		ctx, cancel = context.WithTimeout(e.ctx, c.For)
		defer cancel()
	}
	if !c.JSON {
		fmt.Fprintf(e.out, "recording %d device(s) into %s\n", len(devices), c.Output)
		if c.For == 0 {
			fmt.Fprintln(e.out, "stop with Ctrl-C")
		}
	}
	var wg sync.WaitGroup
	for _, dev := range devices {
		wg.Go(func() { c.keep(ctx, e, find, part, w, dev) })
	}
	wg.Go(func() { watchTrouble(ctx, e, w) })
	wg.Wait()
	return c.finish(e, w, len(devices))
}

func (c *recordCmd) open(e *env) (*recording.Writer, error) {
	cfg := recording.Config{
		Uncompressed: c.Uncompressed, FlushEvery: c.Flush, SyncEvery: c.Sync, KeyEvery: c.Key, Program: "sdc record", Logger: e.log,
	}
	if c.Sync <= 0 {
		cfg.SyncEvery = -1
	}
	if !c.Append {
		return recording.Create(c.Output, cfg)
	}
	w, dropped, err := recording.Append(c.Output, cfg)
	if dropped > 0 {
		fmt.Fprintf(e.err, "sdc: %s was not closed; %d damaged bytes at its end were cut off\n", c.Output, dropped)
	}
	return w, err
}

func (c *recordCmd) dial(ctx context.Context, find findFunc, part *consumer.Consumer, target string) (*consumer.Device, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	ep, err := find(ctx, target)
	if err != nil {
		return nil, err
	}
	return part.Connect(ctx, ep)
}

// findFunc turns what the user calls a device into an endpoint.
type findFunc func(ctx context.Context, target string) (discovery.Endpoint, error)

// keep records a device until ctx ends, and looks for it again when it is lost.
func (c *recordCmd) keep(ctx context.Context, e *env, find findFunc, part *consumer.Consumer, w *recording.Writer, dev *consumer.Device) {
	const retry = 5 * time.Second
	err := recorder.Record(ctx, w, dev)
	epr := dev.EPR()
	for ctx.Err() == nil {
		lost := recording.Gap{Origin: recording.OriginDevice, Cause: err.Error(), Since: time.Now()}
		fmt.Fprintf(e.err, "sdc: %s: %v; looking for it again\n", epr, printable(err.Error()))
		for dev = nil; dev == nil; {
			timer := time.NewTimer(retry)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
			if dev, err = c.dial(ctx, find, part, epr); err != nil {
				e.log.Info("not found again yet", "device", epr, "error", err)
			}
		}
		err = recorder.Again(ctx, w, dev, lost)
	}
}

// watchTrouble says at once when the recording cannot be written.
func watchTrouble(ctx context.Context, e *env, w *recording.Writer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var told error
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch trouble := w.Stats().Trouble; {
		case trouble != nil && told == nil:
			fmt.Fprintf(e.err, "sdc: NOT RECORDING: %v\n", trouble)
			told = trouble
		case trouble == nil && told != nil:
			fmt.Fprintln(e.err, "sdc: recording again; what is missing stands in the recording")
			told = nil
		}
	}
}

func (c *recordCmd) finish(e *env, w *recording.Writer, devices int) error {
	err := w.Close()
	s := w.Stats()
	sum := recorded{File: c.Output, Devices: devices, Records: s.Records, Bytes: s.Bytes, Raw: s.Raw, Dropped: s.Dropped}
	if c.JSON {
		return errors.Join(err, writeJSON(e.out, sum))
	}
	_, printErr := fmt.Fprintf(e.out, "%d records, %d bytes (%d before compression), %d dropped\n", s.Records, s.Bytes, s.Raw, s.Dropped)
	return errors.Join(err, printErr)
}
