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
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
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
	for _, h := range link.Metadata().Hosted {
		for _, t := range h.Types {
			if t.Local == sdc.StateEventService {
				return h.Endpoints[0], nil
			}
		}
	}
	return at, errors.New("the device has no service that tells of states")
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

// devices100 measures one consumer of 100 devices, each side a process.
func (e *env) devices100(ctx context.Context) error {
	n, span := 100, 15*time.Second
	if e.short {
		n, span = 10, 2*time.Second
	}
	l := load{Metrics: 5, PerReport: 6, Waveforms: 10, Channels: 4, Samples: 20}
	dev, con, err := e.hospital(ctx, n, 1, n, l, span)
	if err != nil {
		return err
	}
	rate := float64(con.Reports) / con.Seconds
	core, memory := con.CPU/con.Seconds, float64(con.RSS-con.EmptyRSS)/float64(n)/mib
	e.add(row{
		What:    fmt.Sprintf("%d devices on one consumer, each 30 metrics/s in 5 reports and 10 messages/s with 4 waveforms", n),
		Target:  "0.5 core and 3 MiB per device at the consumer; no report late by more than 250 ms",
		Figure:  fmt.Sprintf("%.2f core for %s messages/s (%s µs each), %.2f MiB per device; age p50 %s, p99 %s, max %s ms", core, num(rate), num(con.CPU/float64(con.Reports)*1e6), memory, num(con.P50MS), num(con.P99MS), num(con.MaxMS)),
		Verdict: verdictOf(core <= 0.5*float64(n)/100 && memory <= 3 && con.MaxMS <= 250 && con.Gaps == 0),
		Note:    fmt.Sprintf("%s%d gaps; of the %d reports of the devices %d were begun more than 50 ms late because the machine was busy; the devices' process used %.2f core.", why(con), con.Gaps, dev.Reports, dev.Behind, dev.CPU/dev.Seconds),
		Raw:     []series{{"messages/s, core, MiB per device", "", []float64{rate, core, memory}}},
	})
	return nil
}

// ward measures a hospital's worth.
func (e *env) ward(ctx context.Context) error {
	devices, consumers, follow, span := 500, 50, 20, 15*time.Second
	if e.short {
		devices, consumers, follow, span = 20, 4, 10, 2*time.Second
	}
	l := load{Metrics: 1, PerReport: 5}
	m := startMeter()
	dev, con, err := e.hospital(ctx, devices, consumers, follow, l, span)
	if err != nil {
		return err
	}
	rate := float64(con.Reports) / con.Seconds
	perDevice := dev.CPU / dev.Seconds / float64(devices)
	perLink := con.CPU / con.Seconds / float64(consumers*follow)
	// 1 000 participants: the same mix of devices and consumers.
	scale := 1000 / float64(devices+consumers)
	e.add(row{
		What:    fmt.Sprintf("a hospital's worth: %d devices with 1 report/s of 5 metrics, %d consumers following %d each", devices, consumers, follow),
		Target:  "no gap, no late report",
		Figure:  fmt.Sprintf("%d gaps, oldest report %s ms (p99 %s); %s messages/s with %.2f + %.2f core and %.0f + %.0f MiB", con.Gaps, num(con.MaxMS), num(con.P99MS), num(rate), dev.CPU/dev.Seconds, con.CPU/con.Seconds, float64(dev.RSS)/mib, float64(con.RSS)/mib),
		Verdict: verdictOf(con.Gaps == 0 && con.MaxMS <= 250),
		Note: fmt.Sprintf("%sConnecting all took %.1f s and is not counted; of the %d reports of the devices %d were begun more than 50 ms late because the machine was busy. A device cost %.2f %% of a core and %.2f MiB, a followed device %.2f %% and %.2f MiB at its consumer. Projected to 1 000 participants in this mix: %.1f cores and %.1f GiB in all.",
			why(con)+limits(dev, con, m), con.StartMS/1e3, dev.Reports, dev.Behind, 100*perDevice, float64(dev.RSS)/mib/float64(devices), 100*perLink, float64(con.RSS)/mib/float64(consumers*follow),
			scale*(dev.CPU/dev.Seconds+con.CPU/con.Seconds), scale*float64(dev.RSS+con.RSS)/(1<<30)),
	})
	return nil
}

// why tells what ended a link, if any ended.
func why(o outcome) string {
	if o.Why == "" {
		return ""
	}
	return fmt.Sprintf("One of the %d links ended because of: %s. ", o.Gaps, o.Why)
}

// limits tells what a report that was late had to wait for, if any was.
func limits(dev, con outcome, m meter) string {
	if con.MaxMS <= 250 {
		return ""
	}
	s := fmt.Sprintf("What ended it is processor time: the two processes took %.2f of the %d processors", dev.CPU/dev.Seconds+con.CPU/con.Seconds, runtime.NumCPU())
	if o, ok := m.others(); ok {
		s += fmt.Sprintf(", other programs %.2f", o)
	}
	return s + ", and nothing was lost: a late report had waited for its turn at one of them, at the device before it was committed or at the consumer. "
}

// hospital runs devices and consumers as two processes.
func (e *env) hospital(ctx context.Context, devices, consumers, follow int, l load, span time.Duration) (dev, con outcome, err error) {
	pdir, err := e.ca.write(e.dir, "devices", sdc.RoleProvider)
	if err != nil {
		return dev, con, err
	}
	cdir, err := e.ca.write(e.dir, "consumers", sdc.RoleConsumer)
	if err != nil {
		return dev, con, err
	}
	d, err := startChild(ctx, "devices", task{Identity: pdir, Count: devices, Load: l})
	if err != nil {
		return dev, con, err
	}
	c, err := startChild(ctx, "consumers", task{Identity: cdir, Count: consumers, First: devices, Endpoints: d.ready.Endpoints, Follow: follow})
	if err != nil {
		return dev, con, errors.Join(err, d.kill())
	}
	// The first report to each consumer opens the connection, with a handshake: that is not what is to be counted.
	for _, s := range []struct {
		begin func() error
		span  time.Duration
	}{{d.start, span / 3}, {c.start, span}} {
		if err := s.begin(); err != nil {
			return dev, con, errors.Join(err, d.kill(), c.kill())
		}
		select {
		case <-time.After(s.span):
		case <-ctx.Done():
		}
	}
	con, err = c.stop(ctx) // first: what the devices' leaving does must not count
	dev, derr := d.stop(ctx)
	con.StartMS, con.EmptyRSS, dev.EmptyRSS = c.ready.StartMS, c.ready.EmptyRSS, d.ready.EmptyRSS
	return dev, con, errors.Join(err, derr)
}
