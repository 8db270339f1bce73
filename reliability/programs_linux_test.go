package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/netns"
	"github.com/semeco/go-sdc/internal/testkit/oracle"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/persist"
	"github.com/semeco/go-sdc/sdc/provider"
)

// programs are what the processes of the matrix run.
func programs() netns.Programs {
	return netns.Programs{"device": runDevice, "watcher": runWatcher}
}

// onHost are the parts of a configuration that real processes share.
func onHost(discoveryPort, listenPort string) (sdc.Network, discovery.Timing, error) {
	d, err1 := strconv.ParseUint(discoveryPort, 10, 16)
	l, err2 := strconv.ParseUint(listenPort, 10, 16)
	return sdc.Network{DiscoveryPort: uint16(d), ListenPort: uint16(l)}, discovery.PromptTiming(), errors.Join(err1, err2)
}

// clock is that of a process of the matrix, which can be set.
type clock struct {
	*faults.Clock
	began time.Time
}

// newClock is the first thing a process does that is told to have one by the environment; others have nil.
func newClock() (*clock, error) {
	if os.Getenv(clockVar) == "" {
		return nil, nil //nolint:nilnil // nobody sets it
	}
	c, err := faults.NewClock()
	return &clock{c, time.Now()}, err
}

// clockVar tells a process that its clock will be set.
const clockVar = "SDC_RELIABILITY_CLOCK"

// steady is a time as a clock that is never set would have told it. It must have its monotonic reading: a consumer that measured by the wall clock would be
// found out by that.
func (c *clock) steady(t time.Time) time.Time {
	if c == nil || t.IsZero() {
		return t
	}
	return c.began.Add(t.Sub(c.began))
}

// step obeys "step SECONDS", and returns by how many seconds the clock was set.
func (c *clock) step(seconds string) (by int64, err error) {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return 0, err
	}
	before := time.Now().Round(0)
	if err := c.Set(n); err != nil {
		return 0, err
	}
	return int64(time.Now().Round(0).Sub(before) / time.Second), nil
}

// runDevice is a device that keeps its state in a folder and does what it is told. Arguments: folder of the certificate, folder of the state, port of
// discovery, port to listen on.
func runDevice(ctx context.Context, p *netns.Child, args []string) error {
	clock, err := newClock()
	if err != nil {
		return err
	}
	network, timing, err := onHost(args[2], args[3])
	if err != nil {
		return err
	}
	id, err := sdc.LoadIdentity(args[0])
	if err != nil {
		return err
	}
	st, err := persist.Open(persist.Config{Dir: args[1], Every: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	snap, err := mdib.ReadFile(deviceMDIB)
	if err != nil {
		return err
	}
	cfg := provider.Config{EPR: deviceURN, MDIB: snap, Identity: id, Network: network, Timing: timing, StopTimeout: time.Second}
	if err := st.Configure(&cfg); err != nil {
		return err
	}
	dev, err := provider.New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended, saved := make(chan error, 1), make(chan struct{})
	go func() { ended <- dev.Run(ctx) }()
	go func() {
		defer close(saved)
		st.Run(ctx, dev)
	}()
	defer func() {
		cancel()
		<-saved
	}()
	select {
	case <-dev.Ready():
	case err := <-ended:
		return err
	}
	p.Say("up %d %s %s", st.InstanceID(), dev.XAddrs()[0], pack(dev.MDIB()))
	if err := obey(p, dev, id, clock); err != nil {
		return err
	}
	cancel()
	return <-ended
}

// obey does what the test says until it says nothing more.
func obey(p *netns.Child, dev *provider.Provider, id *sdc.Identity, clock *clock) error {
	var files files
	for line := range p.Told {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "change":
			n, err := strconv.ParseUint(rest, 10, 64)
			if err == nil {
				err = oracle.Apply(dev, n)
			}
			if err != nil {
				return err
			}
			p.Say("changed %s", pack(dev.MDIB()))
		case "exhaust":
			exhausted, err := files.exhaust()
			if err != nil {
				return err
			}
			p.Say("exhausted %t", exhausted)
		case "relieve":
			if err := files.relieve(); err != nil {
				return err
			}
			p.Say("relieved")
		case "reload":
			if err := id.Reload(); err != nil {
				return err
			}
			p.Say("reloaded")
		case "step":
			by, err := clock.step(rest)
			if err != nil {
				return err
			}
			p.Say("stepped %d", by)
		case "count":
			l := count()
			p.Say("counted %d %d %d", l.goroutines, l.files, l.heap)
		default:
			return fmt.Errorf("told %q", line)
		}
	}
	return nil
}

// files is how many files this process may have open.
type files struct{ limit syscall.Rlimit }

// exhaust sees to it that no file, no connection can be opened from now on.
func (f *files) exhaust() (exhausted bool, err error) {
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &f.limit); err != nil {
		return false, err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: f.limit.Max}); err != nil {
		return false, err
	}
	_, err = os.Open(os.DevNull)
	return errors.Is(err, syscall.EMFILE), nil
}

func (f *files) relieve() error { return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &f.limit) }

// said is a line of a watcher.
type said struct {
	Kind        string // "update", "view", "did"
	By          int64  // how many seconds the clock was set
	Exhausted   bool   // no files can be opened
	MDIB        string // packed, of an update
	Version     mdib.Version
	Follows     bool // the update begins where the one before it ended
	State       consumer.LinkState
	StaleSince  time.Time
	HasGap      bool
	Stale       time.Time
	From, To    mdib.Version
	Confirmed   time.Time
	Now         time.Time // no later than the view
	Interrupted bool      // the first view after the process stood still
}

// watcherSubscription is how long the subscriptions of a watcher last.
const watcherSubscription = 4 * time.Second

// runWatcher is a consumer that says everything it sees. Arguments: folder of the certificate, address of the device.
func runWatcher(ctx context.Context, p *netns.Child, args []string) error {
	clock, err := newClock()
	if err != nil {
		return err
	}
	id, err := sdc.LoadIdentity(args[0])
	if err != nil {
		return err
	}
	c, err := consumer.New(ctx, consumer.Config{Identity: id, ProofInterval: proof, LostAfter: time.Minute, SubscriptionLength: watcherSubscription})
	if err != nil {
		return err
	}
	d, err := c.Connect(ctx, discovery.Endpoint{EPR: deviceURN, XAddrs: args[1:2]})
	if err != nil {
		return errors.Join(err, c.Close(ctx))
	}
	watching, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- sayUpdates(watching, p, d, clock) }()
	go func() { ended <- sayViews(watching, p, d, clock) }()
	var files files
	for line := range p.Told { // until the test is over
		did := said{Kind: "did"}
		var failed error
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "step":
			did.By, failed = clock.step(rest)
		case "exhaust":
			did.Exhausted, failed = files.exhaust()
		case "relieve":
			failed = files.relieve()
		}
		err = errors.Join(err, failed, say(p, did))
	}
	cancel()
	err = errors.Join(err, <-ended, <-ended)
	closing, cancelClosing := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancelClosing()
	return errors.Join(err, c.Close(closing))
}

func say(p *netns.Child, s said) error {
	b, err := json.Marshal(s)
	p.Say("say %s", b)
	return err
}

func sayUpdates(ctx context.Context, p *netns.Child, d *consumer.Device, clock *clock) error {
	var last *mdib.Snapshot
	for u, err := range d.Updates(ctx) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		s := said{Kind: "update", MDIB: pack(u.Snapshot), Follows: u.Before == last, State: u.Link.State, StaleSince: clock.steady(u.Link.StaleSince)}
		if u.Gap != nil {
			s.HasGap, s.Stale, s.From, s.To = true, clock.steady(u.Gap.Stale), u.Gap.From, u.Gap.To
		}
		if err := say(p, s); err != nil {
			return err
		}
		last = u.Snapshot
	}
	return nil
}

// sayViews looks at what an application would show.
func sayViews(ctx context.Context, p *netns.Child, d *consumer.Device, clock *clock) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for before := time.Now(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		v := d.View()
		err := say(p, said{
			Kind: "view", Version: v.MDIB.Version(), State: v.Link.State, StaleSince: clock.steady(v.Link.StaleSince),
			Confirmed: clock.steady(v.Confirmed), Now: clock.steady(now),
			Interrupted: now.Sub(before) > proof,
		})
		if err != nil {
			return err
		}
		before = now
	}
}

// pack makes a line of an MDIB.
func pack(s *mdib.Snapshot) string {
	var b bytes.Buffer
	_ = s.Write(&b) // a buffer takes everything
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func unpack(line string) (*mdib.Snapshot, error) {
	b, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return nil, err
	}
	return mdib.Read(bytes.NewReader(b))
}
