package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/semeco/go-sdc/discovery"
)

// A role is a child process: it gets one task as JSON on standard input, says ready, waits for a line, works until
// the next line, and answers with its result. So the memory and processor time of one side can be told apart.

// task is what a child is to do.
type task struct {
	Identity  string // folder
	Count     int    // devices or consumers
	First     int    // number of the first, for addresses
	Load      load
	Endpoints []discovery.Endpoint // to follow
	Follow    int                  // devices of each consumer
}

// load is what a device does in a second.
type load struct {
	Metrics   int // reports
	PerReport int // metrics in each
	Waveforms int // messages
	Channels  int // waveforms in each
	Samples   int // in each waveform
}

// outcome is what a child says in the end.
type outcome struct {
	Error     string
	Endpoints []discovery.Endpoint // when ready
	StartMS   float64              // until ready
	EmptyRSS  int64                // before it did anything
	ReadyRSS  int64
	RSS       int64 // at the end
	HeapMiB   float64
	CPU       float64 // seconds while working
	Seconds   float64
	Reports   int64   // sent or received
	Behind    int64   // commits that began more than 50 ms late
	Gaps      int64   // devices that were lost or had to be read anew
	Why       string  // of one of those
	MaxMS     float64 // oldest report
	P50MS     float64
	P99MS     float64
	Goroutine int
}

type role func(ctx context.Context, t task, ready func(outcome), start <-chan struct{}) (outcome, error)

func roles() map[string]role {
	return map[string]role{"devices": runDevices, "consumers": runConsumers, "fleet": runFleet, "idle": runIdle}
}

// serveRole is what a child process of the bench does.
func serveRole(ctx context.Context, name string) error {
	r := roles()[name]
	if r == nil {
		return fmt.Errorf("unknown role %q", name)
	}
	raiseFiles()
	empty, begin := rss(), time.Now()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var t task
	if err := json.Unmarshal(line, &t); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	start, over := make(chan struct{}), make(chan struct{})
	var endCPU time.Duration
	var endTime time.Time
	go func() {
		defer stop()
		defer close(over)
		defer func() { endCPU, endTime = cpuTime(), time.Now() }() // what leaving takes does not count
		if _, err := in.ReadByte(); err != nil {
			return
		}
		close(start)
		_, _ = in.ReadByte() // the end: a further line, or the end of the parent
	}()
	say := func(o outcome) { _ = json.NewEncoder(os.Stdout).Encode(o) }
	var cpu time.Duration
	var since time.Time
	o, err := r(ctx, t, func(o outcome) {
		o.StartMS = ms(time.Since(begin))
		runtime.GC()
		debug.FreeOSMemory()
		o.EmptyRSS, o.ReadyRSS = empty, rss()
		say(o)
		select {
		case <-start:
		case <-over:
		}
		cpu, since = cpuTime(), time.Now()
	}, start)
	if err == nil {
		<-over
		o.CPU, o.Seconds = (endCPU - cpu).Seconds(), endTime.Sub(since).Seconds()
	}
	if err != nil {
		o.Error = err.Error()
	}
	say(o)
	return nil
}

// child is a running role.
type child struct {
	cmd   *exec.Cmd
	in    interface{ Write([]byte) (int, error) }
	close func() error
	out   chan outcome
	ready outcome
}

func startChild(ctx context.Context, name string, t task) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, exe, "-role", name), out: make(chan outcome, 2)}
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.close = in, in.Close
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.out)
		d := json.NewDecoder(out)
		for {
			var o outcome
			if d.Decode(&o) != nil {
				return
			}
			c.out <- o
		}
	}()
	if err := json.NewEncoder(in).Encode(t); err != nil {
		return nil, errors.Join(err, c.kill())
	}
	c.ready, err = c.next(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), c.kill())
	}
	return c, nil
}

func (c *child) next(ctx context.Context) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case o, ok := <-c.out:
		switch {
		case !ok:
			return o, errors.New("ended without a word")
		case o.Error != "":
			return o, errors.New(o.Error)
		}
		return o, nil
	case <-ctx.Done():
		return outcome{}, context.Cause(ctx)
	}
}

func (c *child) start() error {
	_, err := c.in.Write([]byte("\n"))
	return err
}

// stop ends the work and returns its result.
func (c *child) stop(ctx context.Context) (outcome, error) {
	if _, err := c.in.Write([]byte("\n")); err != nil {
		return outcome{}, errors.Join(err, c.kill())
	}
	o, err := c.next(ctx)
	_ = c.close()
	return o, errors.Join(err, c.cmd.Wait())
}

func (c *child) kill() error {
	_ = c.close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	return nil
}
