package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// runDevices is a child with many devices under load.
func runDevices(ctx context.Context, t task, ready func(outcome), _ <-chan struct{}) (o outcome, err error) {
	id, err := sdc.LoadIdentity(t.Identity)
	if err != nil {
		return o, err
	}
	snap, err := deviceSnapshot()
	if err != nil {
		return o, err
	}
	devices := make([]*device, t.Count)
	defer func() {
		var wg sync.WaitGroup
		errs := make([]error, len(devices))
		for i, d := range devices {
			if d != nil {
				wg.Go(func() { errs[i] = d.stop() })
			}
		}
		wg.Wait()
		err = errors.Join(append(errs, err)...)
	}()
	lasting := context.WithoutCancel(ctx)
	for i := range devices {
		a := host(t.First + i)
		if devices[i], err = startDevice(lasting, provider.Config{
			MDIB: snap, Identity: id, Network: sdc.Network{Address: a, ListenPort: devicePort()}, Dial: dialFrom(a),
		}); err != nil {
			return o, err
		}
		o.Endpoints = append(o.Endpoints, devices[i].endpoint())
	}
	ready(o)
	var sent, behind atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(devices))
	for i, d := range devices {
		wg.Go(func() { errs[i] = animate(ctx, d, t.Load, &sent, &behind) })
	}
	wg.Wait()
	o = outcome{Reports: sent.Load(), Behind: behind.Load(), RSS: rss(), Goroutine: runtime.NumGoroutine()}
	return o, errors.Join(errs...)
}

// devicePort is below the ports that the system chooses for consumers: a device takes a consumer with its own port on another loopback address
// for itself.
func devicePort() uint16 { return uint16(15_000 + os.Getpid()%15_000) }

// animate lets a device work at its pace until ctx ends.
func animate(ctx context.Context, d *device, l load, sent, behind *atomic.Int64) error {
	type work struct {
		every time.Duration
		next  time.Time
		do    func(tx *mdib.Tx, i int) error
		n     int
	}
	var works []*work
	add := func(rate int, do func(tx *mdib.Tx, i int) error) {
		if rate > 0 {
			every := time.Second / time.Duration(rate)
			works = append(works, &work{every: every, next: time.Now().Add(rand.N(every)), do: do})
		}
	}
	add(l.Metrics, func(tx *mdib.Tx, i int) error { return setMetrics(tx, i*l.PerReport, l.PerReport) })
	samples := []pm.Samples{sampleArray(l.Samples, 1), sampleArray(l.Samples, 2)}
	add(l.Waveforms, func(tx *mdib.Tx, i int) error {
		at := time.Now()
		for c := range l.Channels {
			if err := tx.SetSamples(waveformNames[c], samples[i%2], at); err != nil {
				return err
			}
		}
		return nil
	})
	if len(works) == 0 {
		<-ctx.Done()
		return nil
	}
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		w := slices.MinFunc(works, func(a, b *work) int { return a.next.Compare(b.next) })
		t.Reset(time.Until(w.next))
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
		if time.Since(w.next) > 50*time.Millisecond {
			behind.Add(1)
		}
		if err := d.Update(func(tx *mdib.Tx) error { return w.do(tx, w.n) }); err != nil {
			return err
		}
		sent.Add(1)
		w.n++
		w.next = w.next.Add(w.every)
	}
}

// runConsumers is a child with consumers, each of which follows some of the devices.
func runConsumers(ctx context.Context, t task, ready func(outcome), _ <-chan struct{}) (o outcome, err error) {
	id, err := sdc.LoadIdentity(t.Identity)
	if err != nil {
		return o, err
	}
	lasting := context.WithoutCancel(ctx)
	consumers := make([]*consumer.Consumer, t.Count)
	defer func() {
		ctx, cancel := context.WithTimeout(lasting, 20*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for _, c := range consumers {
			if c != nil {
				wg.Go(func() { _ = c.Close(ctx) }) // the devices may be gone before
			}
		}
		wg.Wait()
	}()
	var links []*consumer.Device
	for i := range consumers {
		a := host(t.First + i)
		if consumers[i], err = consumer.New(lasting, consumer.Config{Identity: id, Network: sdc.Network{Address: a}, Dial: dialFrom(a), ProofInterval: proofInterval}); err != nil {
			return o, err
		}
		for k := range t.Follow {
			link, err := consumers[i].Connect(ctx, t.Endpoints[(i*t.Follow+k)%len(t.Endpoints)])
			if err != nil {
				return o, err
			}
			links = append(links, link)
		}
	}
	ages := make([]*ageCounter, len(links))
	var wg sync.WaitGroup
	errs := make([]error, len(links))
	for i, link := range links {
		ages[i] = new(ageCounter)
		started := make(chan struct{})
		wg.Go(func() { errs[i] = follow(ctx, link, started, ages[i].take) })
		<-started
	}
	ready(o)
	for _, a := range ages {
		a.reset()
	}
	wg.Wait()
	o = outcome{RSS: rss(), Goroutine: runtime.NumGoroutine()}
	var all ageCounter
	for i, a := range ages {
		if errs[i] != nil {
			o.Gaps++
			o.Why = errs[i].Error()
		}
		all.add(a)
	}
	o.Reports, o.MaxMS, o.P50MS, o.P99MS = all.n, all.max, all.quantile(0.5), all.quantile(0.99)
	return o, nil
}

// ageCounter counts how old reports are when they come out, in buckets of 1 ms.
type ageCounter struct {
	mu      sync.Mutex
	n       int64
	max     float64
	buckets [1000]int64
}

func (a *ageCounter) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n, a.max, a.buckets = 0, 0, [1000]int64{}
}

func (a *ageCounter) take(u consumer.Update) {
	age, ok := ageOf(u)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	a.max = max(a.max, age)
	a.buckets[min(len(a.buckets)-1, max(0, int(age)))]++
}

func (a *ageCounter) add(b *ageCounter) {
	a.n += b.n
	a.max = max(a.max, b.max)
	for i := range b.buckets {
		a.buckets[i] += b.buckets[i]
	}
}

func (a *ageCounter) quantile(q float64) float64 {
	seen := int64(0)
	for i, n := range a.buckets {
		if seen += n; float64(seen) >= q*float64(a.n) {
			return float64(i)
		}
	}
	return a.max
}

// ageOf is the time since the newest value of a report was determined, in milliseconds.
func ageOf(u consumer.Update) (float64, bool) {
	if u.Change == nil || len(u.Change.States) == 0 {
		return 0, false
	}
	now := time.Now()
	switch s := u.Change.States[0].After.(type) {
	case *pm.NumericMetricState:
		if s.MetricValue != nil {
			if v, ok := s.MetricValue.Value.Get(); ok {
				us, _, _ := v.Coefficient()
				return float64(now.UnixMicro()-us) / 1e3, true
			}
		}
	case *pm.RealTimeSampleArrayMetricState:
		if s.MetricValue != nil {
			if at, ok := s.MetricValue.DeterminationTime.Get(); ok {
				return ms(now.Sub(at.Time())), true
			}
		}
	}
	return 0, false
}
