package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// audience is one device with many consumers, each with an address and a certificate of its own.
type audience struct {
	dev       *device
	consumers []*consumer.Consumer
	links     []*consumer.Device
	seen      []atomic.Int64 // reports by consumer
	moved     chan struct{}
	age       atomic.Pointer[func(time.Duration)] // called with the age of each report

	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	err    error
}

// undisturbed is longer than any section: that long nobody of an audience renews its subscriptions or asks for a proof. All of them have connected within a
// second, so that they would do it within a second again, twice a minute, and what is compared in turns would differ by whose turn it was.
const undisturbed = limit

func (e *env) startAudience(ctx context.Context, n int) (*audience, error) {
	snap, err := deviceSnapshot()
	if err != nil {
		return nil, err
	}
	pid, err := e.ca.identity("device", sdc.RoleProvider)
	if err != nil {
		return nil, err
	}
	a := &audience{seen: make([]atomic.Int64, n), moved: make(chan struct{}, 1)}
	ctx, a.cancel = context.WithCancel(ctx)
	if a.dev, err = startDevice(ctx, provider.Config{MDIB: snap, Identity: pid, Policy: provider.AllowAll(), MaxSubscription: undisturbed}); err != nil {
		a.cancel()
		return nil, err
	}
	for i := range n {
		cid, err := e.ca.identity(fmt.Sprintf("consumer %d", i), sdc.RoleConsumer)
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		c, err := consumer.New(ctx, consumer.Config{
			Identity: cid, Network: sdc.Network{Address: host(i)}, Dial: dialFrom(host(i)), ProofInterval: undisturbed, SubscriptionLength: undisturbed,
		})
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		a.consumers = append(a.consumers, c)
		link, err := c.Connect(ctx, a.dev.endpoint())
		if err != nil {
			return nil, errors.Join(err, a.close())
		}
		started := make(chan struct{})
		a.wg.Go(func() {
			if err := follow(ctx, link, started, func(u consumer.Update) { a.take(i, u) }); err != nil {
				a.mu.Lock()
				a.err = errors.Join(a.err, err)
				a.mu.Unlock()
			}
		})
		a.links = append(a.links, link)
		<-started
	}
	return a, nil
}

func (a *audience) take(i int, u consumer.Update) {
	a.seen[i].Add(1)
	if told := a.age.Load(); told != nil {
		if age, ok := ageOf(u); ok {
			(*told)(time.Duration(age * 1e6))
		}
	}
	select {
	case a.moved <- struct{}{}:
	default:
	}
}

func (a *audience) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *audience) close() error {
	a.cancel()
	a.wg.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	errs := make([]error, len(a.consumers))
	var wg sync.WaitGroup
	for i, c := range a.consumers {
		wg.Go(func() { errs[i] = c.Close(ctx) })
	}
	err := <-a.dev.ended
	wg.Wait()
	return err
}

// slowest is how many reports the slowest consumer has seen.
func (a *audience) slowest() int64 {
	low := int64(math.MaxInt64)
	for i := range a.seen {
		low = min(low, a.seen[i].Load())
	}
	return low
}

// until waits until every consumer has seen n reports. It gives up when nothing has come for 10 s.
func (a *audience) until(n int64) error {
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for a.slowest() < n {
		select {
		case <-a.moved:
			limit.Reset(10 * time.Second)
		case <-limit.C:
			return errors.Join(fmt.Errorf("the slowest consumer has seen %d of %d reports", a.slowest(), n), a.failed())
		}
	}
	return a.failed()
}

// throughput commits as fast as the slowest consumer follows and returns deliveries a second of all.
func (a *audience) throughput(d time.Duration) (float64, error) {
	for i := range a.seen {
		a.seen[i].Store(0)
	}
	begin, sent := time.Now(), int64(0)
	for time.Since(begin) < d {
		if err := a.dev.Update(func(tx *mdib.Tx) error { return setMetrics(tx, int(sent), 1) }); err != nil {
			return 0, err
		}
		sent++
		if err := a.until(sent - outstanding/2); err != nil {
			return 0, err
		}
	}
	if err := a.until(sent); err != nil {
		return 0, err
	}
	return float64(sent) * float64(len(a.links)) / time.Since(begin).Seconds(), nil
}

// audience100 measures one device with 100 consumers.
func (e *env) audience100(ctx context.Context) (err error) {
	n := 100
	if e.short {
		n = 10
	}
	a, err := e.startAudience(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	f, err := e.startFloor(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if _, err := a.throughput(e.span() / 4); err != nil {
		return err
	}
	size := messageSize(int(a.dev.bytes.Load()))
	own, low := series{"this stack", "messages/s", nil}, series{"floors", "messages/s", nil}
	for range e.rounds() {
		settle()
		v, err := f.crowd(ctx, n, size, e.span())
		if err != nil {
			return err
		}
		low.Values = append(low.Values, v)
		settle()
		if v, err = a.throughput(e.span()); err != nil {
			return err
		}
		own.Values = append(own.Values, v)
	}
	ratio := own.median() / low.median()
	e.ratios["audience / floors"] = ratio
	e.add(row{
		What: fmt.Sprintf("%d consumers on one provider, all deliveries", n), Target: "body encoded exactly once per report; 0.6 of as many serial floors at once",
		Figure:  fmt.Sprintf("%s messages/s = %.2f of %d floors (%s); one encoding per report", num(own.median()), ratio, n, num(low.median())),
		Verdict: verdictOf(ratio >= 0.6), Raw: []series{own, low},
		Note: "Update encodes the body before it looks at subscriptions and hands the same bytes to all; each adds a header of its own. A consumer decodes, mirrors and hands out an update for each message, the floor's handler only reads.",
	})
	e.addPlot(plot{File: "audience.svg", Title: fmt.Sprintf("%d consumers on one provider", n), Unit: "messages/s in all", Bars: []bar{{"this stack", own.median(), ours}, {fmt.Sprintf("%d floors", n), low.median(), reference}}})
	return nil
}

// crowd lets n clients post serially at the same time.
func (f *floor) crowd(ctx context.Context, n, size int, d time.Duration) (float64, error) {
	var wg sync.WaitGroup
	clients, errs := make([]*floorClient, n), make([]error, n)
	for i := range clients {
		clients[i] = f.client(size)
		wg.Go(func() { errs[i] = clients[i].post(ctx) }) // connects
	}
	wg.Wait()
	var count atomic.Int64
	begin := time.Now()
	for i, c := range clients {
		wg.Go(func() {
			for time.Since(begin) < d && errs[i] == nil {
				errs[i] = c.post(ctx)
				count.Add(1)
			}
			c.close()
		})
	}
	wg.Wait()
	return float64(count.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}
