package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// stalled compares the latency of many consumers with and without one more that begins to take messages without an answer, in turns. A turn with it lasts from
// the first message that it leaves unanswered until the device has given it up and told it so, and no longer. All reports of a kind are judged together: a
// hundredth of those of one turn is a single report, and what befell that may be anything.
func (e *env) stalled(ctx context.Context) (err error) {
	const (
		rate = 20
		warm = rate       // not counted: the collector has emptied every pool, and the connection to the one that will stall is opened, with a handshake
		n    = 4*rate + 5 // the device waits 4 s (eventing.SourceConfig.NotifyTimeout)
	)
	consumers, turns := 100, 12
	if e.short {
		consumers, turns = 10, 1
	}
	a, err := e.startAudience(ctx, consumers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if _, err := a.throughput(e.span() / 4); err != nil {
		return err
	}
	var ages [2][][]float64 // without, with; of each turn
	var allocated [2]float64
	byTurn := [2]series{{"p99 without", "ms", nil}, {"p99 with one stalled", "ms", nil}}
	for i := range 2 * turns {
		kind := (i + i/2) % 2 // without, with, with, without, ...: what changes steadily does not count
		var s *stalledConsumer
		if kind == 1 {
			if s, err = e.stallable(ctx, a.dev); err != nil {
				return err
			}
		}
		got, bytes, err := a.turn(ctx, s, rate, warm, n)
		if s != nil {
			err = errors.Join(err, s.stop())
		}
		if err != nil {
			return err
		}
		ages[kind] = append(ages[kind], got)
		allocated[kind] += bytes / float64(turns*n)
		byTurn[kind].Values = append(byTurn[kind].Values, quantile(got, 0.99))
	}
	without, with := slices.Concat(ages[0]...), slices.Concat(ages[1]...)
	before, after := quantile(without, 0.99), quantile(with, 0.99)
	change := after/before - 1
	e.add(row{
		What: fmt.Sprintf("one stalled consumer beside them, %d reports/s", rate), Target: "changes the others' p99 by less than 20 %",
		Figure:  fmt.Sprintf("p99 %s ms without, %s ms with: %+.0f %% (were turns called with and without by lot: up to %.0f %%)", num(before), num(after), 100*change, 100*byLot(slices.Concat(ages[0], ages[1]))),
		Verdict: verdictOf(change < 0.2), Raw: byTurn[:],
		Note: fmt.Sprintf("%d reports to %d consumers of either kind, in turns of %.2f s: from the first message that the stalled one leaves unanswered until the device has given it up, "+
			"ended its subscription and tried to tell it so, over a connection of its own with a handshake. The medians are %s and %s ms; a report and all its deliveries, both ends, take %s and %s KB of memory. "+
			"What nine of ten ways to draw the turns by lot stay below says how far the p99 of so many reports can be told. The consumers neither renew nor ask for a sign of life meanwhile: "+
			"all of them, who have connected one after the other, would do so at once, in a turn of either kind.",
			turns*n, consumers, float64(n)/rate, num(median(without)), num(median(with)), num(allocated[0]/1e3), num(allocated[1]/1e3)),
	})
	return nil
}

// turn is one turn, with a stalled consumer or without (nil): the ages of n reports of one metric when they have come out as updates, of all consumers, in ms, and
// how many bytes were allocated meanwhile.
func (a *audience) turn(ctx context.Context, s *stalledConsumer, rate float64, warm, n int) (ages []float64, bytes float64, err error) {
	settle()
	if _, err := a.ages(ctx, rate, warm); err != nil {
		return nil, 0, err
	}
	if s != nil {
		if err := waitFor("the consumer to get messages", func() bool { return s.served.Load() >= int64(warm) }); err != nil {
			return nil, 0, err
		}
		s.stalling.Store(true)
	}
	failed := a.dev.Stats().Failed
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if ages, err = a.ages(ctx, rate, n); err != nil {
		return nil, 0, err
	}
	runtime.ReadMemStats(&after)
	if s != nil && a.dev.Stats().Failed == failed {
		return nil, 0, errors.New("the device has not given up the stalled consumer within its turn")
	}
	return ages, float64(after.TotalAlloc - before.TotalAlloc), nil
}

// byLot is how much the p99 of two halves of the turns differ if it is drawn by lot which half one belongs to: so little in nine of ten cases.
func byLot(turns [][]float64) float64 {
	lot := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same lots for all runs
	var changes []float64
	for range 100 {
		lot.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		half := len(turns) / 2
		changes = append(changes, math.Abs(quantile(slices.Concat(turns[:half]...), 0.99)/quantile(slices.Concat(turns[half:]...), 0.99)-1))
	}
	return quantile(changes, 0.9)
}

// ages are those of reports of one metric when they have come out as updates, of all consumers, in ms.
func (a *audience) ages(ctx context.Context, rate float64, n int) ([]float64, error) {
	var mu sync.Mutex
	var ages []float64
	told := func(d time.Duration) {
		mu.Lock()
		ages = append(ages, ms(d))
		mu.Unlock()
	}
	for i := range a.seen {
		a.seen[i].Store(0)
	}
	a.age.Store(&told)
	err := pace(ctx, rate, n, func(i int) error { return a.dev.Update(func(tx *mdib.Tx) error { return setMetrics(tx, i, 1) }) })
	if err == nil {
		err = a.until(int64(n))
	}
	a.age.Store(nil)
	mu.Lock()
	defer mu.Unlock()
	return ages, err
}

// stalledConsumer has subscribed to the metrics of a device. It answers until it is told to stall; from then on it takes messages and never answers.
type stalledConsumer struct {
	served   atomic.Int64 // messages answered
	stalling atomic.Bool
	stop     func() error // ends it, and waits until the device has noticed
}

// stallable subscribes one more consumer.
func (e *env) stallable(ctx context.Context, d *device) (*stalledConsumer, error) {
	before := d.Stats().Subscriptions
	id, err := e.ca.identity("stalled", sdc.RoleConsumer)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	source, err := stateEvents(ctx, id, d)
	if err != nil {
		cancel()
		return nil, err
	}
	client, err := soap.NewClient(soap.ClientConfig{TLS: id.ClientTLS(sdc.RoleProvider)})
	if err != nil {
		cancel()
		return nil, err
	}
	server, err := soap.NewServer(soap.ServerConfig{TLS: id.ServerTLS(sdc.RoleProvider), StopTimeout: time.Millisecond})
	if err != nil {
		cancel()
		return nil, err
	}
	l, err := listen(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	s := &stalledConsumer{stop: func() error {
		cancel()
		_ = <-served // the stalled handler was cut off
		client.Close()
		return waitFor("the device to end the stalled subscription", func() bool { return d.Stats().Subscriptions <= before })
	}}
	sink, err := eventing.NewSink(eventing.SinkConfig{Server: server, Client: client, BaseURL: "https://" + l.Addr().String()})
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	_, err = sink.Subscribe(ctx, eventing.Request{
		Source: source, Actions: []string{sdc.NamespaceGlue + "/StateEventService/EpisodicMetricReport"}, NoRenew: true,
		Notify: func(context.Context, *soap.Request) error {
			if s.stalling.Load() {
				<-ctx.Done() // what is sent is not answered even if the device gives it up
				return errors.New("cut off")
			}
			s.served.Add(1)
			return nil
		},
	})
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// stateEvents is the address of the service of a device that tells of states.
func stateEvents(ctx context.Context, id *sdc.Identity, d *device) (at soap.EndpointReference, err error) {
	c, err := consumer.New(ctx, consumer.Config{Identity: id})
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	link, err := c.Connect(ctx, d.endpoint())
	if err != nil {
		return at, err
	}
	return serviceOf(link, sdc.StateEventService)
}

// serviceOf is the address of a service of a device.
func serviceOf(link *consumer.Device, portType string) (soap.EndpointReference, error) {
	for _, h := range link.Metadata().Hosted {
		for _, t := range h.Types {
			if t.Local == portType {
				return h.Endpoints[0], nil
			}
		}
	}
	return soap.EndpointReference{}, fmt.Errorf("the device has no %s", portType)
}

// waitFor waits until something is so.
func waitFor(what string, is func() bool) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	limit := time.After(5 * time.Second)
	for !is() {
		select {
		case <-look.C:
		case <-limit:
			return fmt.Errorf("waited 5 s for %s", what)
		}
	}
	return nil
}
