package main

import (
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
)

func listen(ctx context.Context) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
}

// runIdle is a child with one device on UDP multicast that nobody talks to. It is ready with the first Hello.
func runIdle(ctx context.Context, t task, ready func(outcome), _ <-chan struct{}) (o outcome, err error) {
	id, err := sdc.LoadIdentity(t.Identity)
	if err != nil {
		return o, err
	}
	snap, err := deviceSnapshot()
	if err != nil {
		return o, err
	}
	udp, err := discovery.NewUDP(discovery.UDPConfig{Port: uint16(t.First)})
	if err != nil {
		return o, err
	}
	w := &watched{Transport: udp, first: make(chan struct{})}
	defer func() { err = errors.Join(err, udp.Close()) }()
	d, err := startDevice(context.WithoutCancel(ctx), provider.Config{
		MDIB: snap, Identity: id, Transport: w, Timing: discovery.Timing{HelloDelay: -1},
	})
	if err != nil {
		return o, err
	}
	<-w.first
	ready(o)
	<-ctx.Done()
	o.RSS = rss()
	return o, d.stop()
}

// watched tells of the first multicast and counts what is sent.
type watched struct {
	discovery.Transport
	once      sync.Once
	first     chan struct{}
	muted     atomic.Bool // multicasts are lost
	datagrams atomic.Int64
	bytes     atomic.Int64
}

func (w *watched) count(b []byte) {
	w.datagrams.Add(1)
	w.bytes.Add(int64(len(b)))
}

func (w *watched) Multicast(b []byte) error {
	if w.muted.Load() {
		return nil
	}
	w.count(b)
	err := w.Transport.Multicast(b)
	if w.first != nil {
		w.once.Do(func() { close(w.first) })
	}
	return err
}

func (w *watched) Unicast(to netip.AddrPort, b []byte) error {
	w.count(b)
	return w.Transport.Unicast(to, b)
}

// footprint measures an idle device and the size of the command.
func (e *env) footprint(ctx context.Context) error {
	dir, err := e.ca.write(e.dir, "idle", sdc.RoleProvider)
	if err != nil {
		return err
	}
	memory, start := series{"memory", "MiB", nil}, series{"start to Hello", "ms", nil}
	for range e.rounds() {
		port, err := freeUDPPort(ctx)
		if err != nil {
			return err
		}
		begin := time.Now()
		c, err := startChild(ctx, "idle", task{Identity: dir, First: port})
		if err != nil {
			return err
		}
		start.Values = append(start.Values, ms(time.Since(begin)))
		if err := c.start(); err != nil {
			return errors.Join(err, c.kill())
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
		o, err := c.stop(ctx)
		if err != nil {
			return err
		}
		memory.Values = append(memory.Values, float64(o.RSS)/mib)
	}
	e.add(row{What: "memory of an idle provider", Target: "20 MiB RSS", Figure: num(memory.median()) + " MiB", Verdict: verdictOf(memory.median() <= 20), Raw: []series{memory},
		Note: "The process is this benchmark's own binary with one device of 76 KB MDIB, the code of all sections included."})
	e.add(row{What: "start of the process to the first Hello", Target: "100 ms", Figure: num(start.median()) + " ms", Verdict: verdictOf(start.median() <= 100), Raw: []series{start}})
	if e.short {
		return nil
	}
	file := filepath.Join(e.dir, "sdc")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "./cmd/sdc")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the command: %w\n%s", err, out)
	}
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	size := float64(st.Size()) / 1e6
	e.add(row{What: "stripped command line tool", Target: "15 MB", Figure: fmt.Sprintf("%.1f MB", size), Verdict: verdictOf(size <= 15), Note: contents(file) + sizeNote})
	return nil
}

// sizeNote says what takes the room and what would take less of it. It was measured with go tool nm on the command with symbols, without those of zero-filled memory, and by building
// the command without the parts named.
const sizeNote = "Symbols name 12.7 MB of it: this stack's own packages 4.6 MB, 1.3 of them the generated codec of the model; the standard library 4.7, 2.0 of them net/http, TLS and certificates; gRPC and protobuf, " +
	"for the calls of test tools, 1.7; the terminal interface 0.6; kong and YAML 0.5; zstd 0.3. Each MB of these brings 0.9 of line tables, tables of functions and types, which stack traces and the collector need: this stack and " +
	"what it uses of the standard library would alone be about 17 MB. gRPC (its import of x/net/trace) and kong find methods by names that the linker cannot know, so that it keeps those that nobody calls. " +
	"Measured with both out of the way: 22.9 MB; without test calls as well: 19.5 MB; with the build tag grpcnotrace alone: 26.0 MB. They stay: test calls have to work in each build, and a program of their own would have to be found and " +
	"started by the one that is simulating. A device that embeds the stack has none of them."

// contents tells how large the sections of an executable are, largest first; nothing where they cannot be read.
func contents(file string) string {
	f, err := elf.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	kinds := map[string]string{".text": "machine code", ".gopclntab": "line tables", ".rodata": "constants and types", ".data": "data", ".noptrdata": "data"}
	sizes := make(map[string]uint64)
	for _, s := range f.Sections {
		if kind := kinds[s.Name]; kind != "" {
			sizes[kind] += s.Size
		}
	}
	var out []string
	for _, kind := range slices.SortedFunc(maps.Keys(sizes), func(a, b string) int { return cmp.Compare(sizes[b], sizes[a]) }) {
		out = append(out, fmt.Sprintf("%s %.1f MB", kind, float64(sizes[kind])/1e6))
	}
	return "It consists of " + strings.Join(out, ", ") + ". "
}

// runFleet is a child with many simulated patient monitors.
func runFleet(ctx context.Context, t task, ready func(outcome), _ <-chan struct{}) (o outcome, err error) {
	id, err := sdc.LoadIdentity(t.Identity)
	if err != nil {
		return o, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, t.Count)
	up := make(chan struct{}, t.Count)
	started := 0
	defer func() {
		cancel()
		for range started {
			err = errors.Join(err, <-ended)
		}
	}()
	for i := range t.Count {
		sim, err := monitor.New(simulators.Options{Seed: uint64(i)})
		if err != nil {
			return o, err
		}
		started++
		go func() {
			ended <- simulators.Run(run, sim, provider.Config{
				EPR: uuid.New().URN(), Identity: id, Transport: discovery.NewSilence(), Network: sdc.Network{Address: host(t.First + i)},
			}, func(*provider.Provider) { up <- struct{}{} })
		}()
	}
	for range t.Count {
		select {
		case <-up:
		case err := <-ended:
			started--
			return o, errors.Join(errors.New("a device ended"), err)
		}
	}
	ready(o)
	<-ctx.Done()
	return outcome{RSS: rss(), Goroutine: runtime.NumGoroutine()}, nil
}

// fleet measures simulated devices in one process.
func (e *env) fleet(ctx context.Context) error {
	n, span := 500, 5*time.Second
	if e.short {
		n, span = 20, time.Second
	}
	dir, err := e.ca.write(e.dir, "fleet", sdc.RoleProvider)
	if err != nil {
		return err
	}
	c, err := startChild(ctx, "fleet", task{Identity: dir, Count: n})
	if err != nil {
		return err
	}
	if err := c.start(); err != nil {
		return errors.Join(err, c.kill())
	}
	select {
	case <-time.After(span):
	case <-ctx.Done():
	}
	o, err := c.stop(ctx)
	if err != nil {
		return err
	}
	per := float64(o.RSS-c.ready.EmptyRSS) / float64(n) / mib
	e.add(row{
		What: fmt.Sprintf("%d simulated patient monitors in one process", n), Target: "start in 10 s; at most 2 MiB each",
		Figure:  fmt.Sprintf("%.1f s, %.2f MiB each; then %.2f core to animate them", c.ready.StartMS/1e3, per, o.CPU/o.Seconds),
		Verdict: verdictOf(c.ready.StartMS <= 10_000 && per <= 2),
		Note:    "Certificates were made before. Multicast discovery is left out here: it has a row of its own.",
	})
	return nil
}
