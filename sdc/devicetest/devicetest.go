// Package devicetest tests devices: it runs one on a network in memory, with a consumer connected to it, in virtual time. A test of an hour takes
// milliseconds, and each run of it sees the same.
//
//	func TestAlarmComesBackAfterTwoMinutes(t *testing.T) {
//		devicetest.Run(t, device, devicetest.Options{}, func(t *testing.T, b *devicetest.Bench) {
//			if _, err := b.Consumer.Activate(t.Context(), "alarm.pause"); err != nil {
//				t.Fatal(err)
//			}
//			b.Pass(2 * time.Minute)
//			...
//		})
//	}
//
// Time is that of testing/synctest: what the device does with package time inside of the test is virtual, and it passes when every goroutine waits for it. A device
// that waits for a real socket, a process or a mutex held over a wait stops it. What the device starts has to end with the context it is given.
//
// The package is for tests only: it brings package testing into what imports it.
package devicetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/lint"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// Device is what is tested. It completes cfg, which holds the network, and the identity or Insecure, makes a provider of it, hands that to ready, and runs it until ctx ends. An
// error that it returns fails the test.
type Device func(ctx context.Context, cfg provider.Config, ready func(*provider.Provider)) error

// Options of Run. The zero value is good for a device that does not mind plain HTTP.
type Options struct {
	// TLS gives device and consumer certificates of one authority, made for the test, which each knows the other by. Without it they speak plain HTTP. A
	// device with certificates that sets no Policy is read-only.
	TLS bool
	// Consumer is the configuration of the consumer; network, identity and Insecure are set by Run. UpdateQueue, if 0, is large, since a slow test is no reason to
	// lose updates.
	Consumer consumer.Config
}

// The addresses of the two, of a range for documentation.
const (
	deviceIP   = "192.0.2.1"
	consumerIP = "192.0.2.2"
)

// Bench is a device under test and what looks at it. Its methods are for the goroutine of the test.
type Bench struct {
	// Provider is the device's.
	Provider *provider.Provider
	// Consumer is connected to the device.
	Consumer *consumer.Device

	t       *testing.T
	network *memnet.Network
	watches sync.WaitGroup
	ctx     context.Context // ends before the consumer is closed
	stop    func() error
	cut     bool
	stopped bool
}

// Run runs a device, connects a consumer to it, calls test, and stops both. The test fails if the device cannot be reached, if it returns an error, or
// if something it started does not end.
func Run(t *testing.T, device Device, o Options, test func(t *testing.T, b *Bench)) {
	t.Helper()
	if device == nil || test == nil {
		t.Fatal("devicetest: the device or the test is missing")
	}
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host(deviceIP), network.Host(consumerIP)
		pc := provider.Config{Insecure: !o.TLS, Listen: here.ListenAny, Dial: here.Dial, Transport: discovery.NewSilence()}
		cc := o.Consumer
		cc.Insecure, cc.Listen, cc.Dial = !o.TLS, there.ListenAny, there.Dial
		if cc.UpdateQueue == 0 {
			cc.UpdateQueue = 1 << 20
		}
		if o.TLS {
			var err error
			if pc.Identity, cc.Identity, err = identities(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b := &Bench{t: t, network: network, ctx: ctx}
		b.start(device, pc)
		defer b.stop() //nolint:errcheck // looked at below, unless the test has failed before
		c, err := consumer.New(ctx, cc)
		if err != nil {
			t.Fatal(err)
		}
		leave := sync.OnceValue(func() error {
			cancel()
			b.watches.Wait()
			closing, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer done()
			err := c.Close(closing)
			if !b.reachable() {
				return nil // there is nobody to tell
			}
			return err
		})
		defer leave() //nolint:errcheck // as above
		b.Consumer, err = c.Connect(ctx, discovery.Endpoint{EPR: b.Provider.EPR(), XAddrs: b.Provider.XAddrs()})
		if err != nil {
			t.Fatalf("devicetest: the consumer cannot connect: %v", err)
		}
		test(t, b)
		if err := leave(); err != nil {
			t.Errorf("devicetest: the consumer could not take its leave: %v", err)
		}
		if err := b.stop(); err != nil && !b.cut {
			t.Errorf("devicetest: the device ended with: %v", err)
		}
	})
}

// identities are those of a device and of a consumer.
func identities() (device, consumer *sdc.Identity, err error) {
	ca, err := pki.NewCA("", 10*365*24*time.Hour)
	if err != nil {
		return nil, nil, err
	}
	issue := func(name string, role sdc.Role) *sdc.Identity {
		if err != nil {
			return nil
		}
		var p *pki.Participant
		if p, err = ca.Issue(pki.Request{Name: name, Role: role}); err != nil {
			return nil
		}
		var id *sdc.Identity
		id, err = p.Identity()
		return id
	}
	device, consumer = issue("device", sdc.RoleProvider), issue("consumer", sdc.RoleConsumer)
	return device, consumer, err
}

// start runs the device and waits until it can be reached. It has a context of its own, so that the consumer can take its leave before.
func (b *Bench) start(device Device, cfg provider.Config) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.ctx))
	made := make(chan *provider.Provider, 1)
	ended := make(chan error, 1)
	b.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	go func() {
		ended <- device(ctx, cfg, func(p *provider.Provider) {
			select {
			case made <- p:
			default: // the first is under test
			}
		})
	}()
	fail := func(err error) {
		ended <- err // for stop
		b.t.Fatalf("devicetest: the device ended before it was ready: %v", err)
	}
	defer func() {
		if b.t.Failed() {
			_ = b.stop()
		}
	}()
	select {
	case b.Provider = <-made:
	case err := <-ended:
		fail(err)
	}
	if b.Provider == nil {
		b.t.Fatal("devicetest: ready was given no provider")
	}
	select {
	case <-b.Provider.Ready():
	case err := <-ended:
		fail(err)
	}
}

// reachable tells whether the device runs and the cable is in.
func (b *Bench) reachable() bool { return !b.cut && !b.stopped }

// Stop stops the device before the end of the test, to see what consumers see then, and returns what it returned.
func (b *Bench) Stop() error {
	b.stopped = true
	return b.stop()
}

// Pass lets time pass, and then everything that is due happen.
func (b *Bench) Pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// step is how often Until looks.
const step = 100 * time.Millisecond

// Until lets time pass until ok holds for the MDIB as the consumer has it, at most limit; then the test fails, with what. It looks every 100 ms.
func (b *Bench) Until(limit time.Duration, what string, ok func(*mdib.Snapshot) bool) {
	b.t.Helper()
	synctest.Wait()
	for end := time.Now().Add(limit); ; b.Pass(step) {
		if ok(b.Consumer.MDIB()) {
			return
		}
		if !time.Now().Before(end) {
			b.t.Fatalf("devicetest: did not happen in %v: %s", limit, what)
		}
	}
}

// Cut pulls the cable between device and consumer: nothing arrives any more, and neither is told.
func (b *Bench) Cut() {
	b.cut = true
	b.network.Partition(deviceIP, consumerIP)
}

// Restore puts the cable in again.
func (b *Bench) Restore() {
	b.cut = false
	b.network.Heal(deviceIP, consumerIP)
}

// Reset breaks all connections between device and consumer, as a router does that restarts. New ones can be made.
func (b *Bench) Reset() { b.network.Cut(deviceIP, consumerIP) }

// InStep tells how the consumer's MDIB is other than the device's: it returns nil if they are equal, versions included, after what is on its way has
// arrived.
func (b *Bench) InStep() error {
	synctest.Wait()
	at, has := b.Provider.MDIB(), b.Consumer.MDIB()
	switch {
	case at.Version() != has.Version():
		return fmt.Errorf("the device's MDIB has version %v, the consumer's %v", at.Version(), has.Version())
	case !at.ContentEqual(has):
		return fmt.Errorf("device and consumer differ in the content of version %v", at.Version())
	}
	return nil
}

// Findings judges the device's present MDIB by a profile, as sdc lint does, and returns what is at least as severe, errors first.
func (b *Bench) Findings(profile mdib.Profile, least mdib.Severity) []mdib.Finding {
	r := lint.Snapshot(b.Provider.EPR(), b.Provider.MDIB(), profile)
	r.Keep(least)
	var out []mdib.Finding
	for _, f := range r.Findings {
		out = append(out, f.Finding)
	}
	return out
}
