package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// outstanding bounds the reports between commit and update: a device that commits as fast as it can would fill the queue of its subscriber.
const outstanding = 128

// until says when sending stops: after a time, or a number of reports.
type until struct {
	span  time.Duration
	count int
}

func (u until) reached(begin time.Time, sent int) bool {
	if u.count > 0 {
		return sent >= u.count
	}
	return time.Since(begin) >= u.span
}

// throughput commits for a while as fast as the consumer takes, and returns reports a second that arrived as updates.
func (p *pair) throughput(ctx context.Context, d time.Duration, commit func(tx *mdib.Tx, i int) error) (float64, error) {
	begin := time.Now()
	sent, err := p.send(ctx, until{span: d}, commit)
	return float64(sent) / time.Since(begin).Seconds(), err
}

// send commits as fast as the consumer takes and returns how many reports arrived as updates: all that were committed.
func (p *pair) send(ctx context.Context, end until, commit func(tx *mdib.Tx, i int) error) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tokens := make(chan struct{}, outstanding)
	var got atomic.Int64
	followed, started := make(chan error, 1), make(chan struct{})
	go func() {
		followed <- follow(ctx, p.link, started, func(consumer.Update) {
			got.Add(1)
			<-tokens
		})
	}()
	<-started
	begin, sent := time.Now(), 0
	for !end.reached(begin, sent) {
		select {
		case tokens <- struct{}{}:
		case err := <-followed:
			return 0, err
		}
		if err := p.dev.Update(func(tx *mdib.Tx) error { return commit(tx, sent) }); err != nil {
			return 0, err
		}
		sent++
	}
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	for range outstanding { // all have arrived
		select {
		case tokens <- struct{}{}:
		case err := <-followed:
			return 0, err
		case <-limit.C:
			return 0, fmt.Errorf("%d of %d reports did not arrive", int64(sent)-got.Load(), sent)
		}
	}
	cancel()
	return sent, <-followed
}

// reportCase is one kind of report to be measured.
type reportCase struct {
	what   string
	unit   string
	per    float64 // units in one message
	peerX  float64 // how many times the peer is to be reached
	commit func(tx *mdib.Tx, i int) error
	peer   map[string]any
	count  func(peerEvent) int
	name   string
}

func reportCases() []reportCase {
	waves := make([]pm.Samples, 16)
	for i := range waves {
		waves[i] = sampleArray(100, i)
	}
	metrics := func(n int) func(*mdib.Tx, int) error {
		return func(tx *mdib.Tx, i int) error { return setMetrics(tx, i*n, n) }
	}
	return []reportCase{
		{
			what: "one provider -> one consumer, mTLS, commit to update, 1 metric per report", unit: "reports/s", per: 1, peerX: 20, name: "reports-1",
			commit: metrics(1), peer: map[string]any{"do": "metrics", "per_report": 1}, count: func(e peerEvent) int { return e.Metrics },
		},
		{
			what: "the same, 50 metrics per report", unit: "reports/s", per: 1, peerX: 40, name: "reports-50",
			commit: metrics(50), peer: map[string]any{"do": "metrics", "per_report": 50}, count: func(e peerEvent) int { return e.Metrics },
		},
		{
			what: "waveforms, 10 channels x 100 samples per message", unit: "samples/s", per: 1000, peerX: 30, name: "waveforms",
			commit: func(tx *mdib.Tx, i int) error { return setWaveforms(tx, waves[i%len(waves)]) },
			peer:   map[string]any{"do": "waveforms", "samples": 100}, count: func(e peerEvent) int { return e.Waveforms },
		},
	}
}

// reports measures the path of a report against the floor and the peer, in turns.
func (e *env) reports(ctx context.Context) (err error) {
	snap, err := deviceSnapshot()
	if err != nil {
		return err
	}
	p, err := e.startPair(ctx, snap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	f, err := e.startFloor(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	var pp *peerPair
	if e.hasPeer() && !e.short {
		if pp, err = e.startPeerPair(ctx); err != nil {
			return fmt.Errorf("the Python peer: %w", err)
		}
		defer func() { err = errors.Join(err, pp.close()) }()
	}
	for _, c := range reportCases() {
		r, err := e.reportRow(ctx, c, p, f, pp)
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		e.add(r)
	}
	return nil
}

func (e *env) reportRow(ctx context.Context, c reportCase, p *pair, f *floor, pp *peerPair) (row, error) {
	if _, err := p.throughput(ctx, e.span()/8, c.commit); err != nil { // warms up, and tells the size
		return row{}, err
	}
	size := messageSize(int(p.dev.bytes.Load()))
	fc := f.client(size)
	defer fc.close()
	own, low, peer := series{Name: "this stack", Unit: c.unit}, series{Name: "floor", Unit: c.unit}, series{Name: "Python peer", Unit: c.unit}
	ownObjects, ownBytes := series{Name: "allocations of this stack, both ends", Unit: "per message"}, series{Name: "memory of these", Unit: "KB per message"}
	ownCPU, lowCPU := series{Name: "processor time of this stack, both ends", Unit: "µs per message"}, series{Name: "processor time of the floor, both ends", Unit: "µs per message"}
	for round := range e.rounds() {
		settle()
		cpu := cpuTime()
		v, err := fc.rate(ctx, e.span())
		if err != nil {
			return row{}, err
		}
		low.Values = append(low.Values, v*c.per)
		lowCPU.Values = append(lowCPU.Values, (cpuTime()-cpu).Seconds()*1e6/(v*e.span().Seconds()))
		settle()
		run := func() error {
			begin, cpu, mem := time.Now(), cpuTime(), allocated()
			sent, err := p.send(ctx, until{span: e.span()}, c.commit)
			messages := float64(sent)
			own.Values = append(own.Values, messages*c.per/time.Since(begin).Seconds())
			ownCPU.Values = append(ownCPU.Values, (cpuTime()-cpu).Seconds()*1e6/messages)
			objects, bytes := allocated().since(mem)
			ownObjects.Values = append(ownObjects.Values, objects/messages)
			ownBytes.Values = append(ownBytes.Values, bytes/1000/messages)
			return err
		}
		if round == 0 {
			err = e.profiled(c.what, run)
		} else {
			err = run()
		}
		if err != nil {
			return row{}, err
		}
		if pp != nil {
			command := map[string]any{"seconds": e.span().Seconds()}
			for k, v := range c.peer {
				command[k] = v
			}
			got, err := pp.run(ctx, command)
			if err != nil {
				return row{}, err
			}
			peer.Values = append(peer.Values, float64(c.count(got))*c.per/got.Seconds)
		}
	}
	toFloor, toPeer := own.median()/low.median(), own.median()/peer.median()
	e.ratios[c.name+" / floor"] = toFloor
	e.ratios["processor time of "+c.name+" / floor"] = ownCPU.median() / lowCPU.median()
	e.ratios["allocations, "+c.name] = ownObjects.median()
	r := row{
		What: c.what, Target: fmt.Sprintf("0.6 F and %.0f P", c.peerX), Raw: []series{own, low, ownCPU, lowCPU, ownObjects, ownBytes},
		Figure: fmt.Sprintf("%s %s = %.2f F", num(own.median()), c.unit, toFloor),
		Note: fmt.Sprintf("messages of %d bytes. A message costs %s µs of processor time, commit, exchange, decoding, mirror and collector together, and %s allocations of %s KB in all; the floor's %s µs, of which nothing but the exchange is its business. "+
			"Client and server of the floor take turns, so that it keeps about one processor busy; with %d processors at work on nothing else this path could not exceed %.2f F on this machine. "+
			"One notification is in flight at a time (SDPi R1014), so that writing, reading and confirming are a chain as the floor's are; commit, decoding and mirror can go on beside it, as far as threads of the other processor are woken in time.",
			size, num(ownCPU.median()), num(ownObjects.median()), num(ownBytes.median()), num(lowCPU.median()), runtime.NumCPU(), float64(runtime.NumCPU())*1e6/ownCPU.median()/(low.median()/c.per)),
		Verdict: verdictOf(toFloor >= 0.6),
	}
	bars := []bar{{"this stack", own.median(), ours}, {"floor: bare POST, same TLS", low.median(), reference}}
	if pp != nil {
		r.Figure += ", " + times(toPeer) + " P"
		r.Verdict = verdictOf(toFloor >= 0.6 && toPeer >= c.peerX)
		r.Raw = append(r.Raw, peer)
		bars = append(bars, bar{"Python peer", peer.median(), other})
	} else {
		r.Figure += "; P not measured"
	}
	e.addPlot(plot{File: c.name + ".svg", Title: c.what, Unit: c.unit, Bars: bars})
	return r, nil
}

// memory is what has been allocated since the process began.
type memory struct{ objects, bytes uint64 }

func allocated() memory {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{m.Mallocs, m.TotalAlloc}
}

func (m memory) since(before memory) (objects, bytes float64) {
	return float64(m.objects - before.objects), float64(m.bytes - before.bytes)
}

// latency measures the way of single reports at a slow pace.
func (e *env) latency(ctx context.Context) (err error) {
	const rate = 20
	n := 300
	if e.short {
		n = 40
	}
	snap, err := deviceSnapshot()
	if err != nil {
		return err
	}
	p, err := e.startPair(ctx, snap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	f, err := e.startFloor(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if _, err := p.throughput(ctx, e.span()/8, func(tx *mdib.Tx, i int) error { return setMetrics(tx, i, 1) }); err != nil {
		return err
	}
	fc := f.client(messageSize(int(p.dev.bytes.Load())))
	defer fc.close()
	settle()
	low, err := fc.paced(ctx, rate, n)
	if err != nil {
		return err
	}
	settle()
	own, err := p.paced(ctx, rate, n)
	if err != nil {
		return err
	}
	lowS, ownS := series{"floor", "µs", micros(low)}, series{"this stack", "µs", micros(own)}
	var peerS series
	if e.hasPeer() && !e.short {
		pp, err := e.startPeerPair(ctx)
		if err != nil {
			return fmt.Errorf("the Python peer: %w", err)
		}
		got, err := pp.run(ctx, map[string]any{"do": "paced", "rate": rate, "count": n})
		if err := errors.Join(err, pp.close()); err != nil {
			return err
		}
		peerS = series{"Python peer", "µs", got.Latencies}
	}
	m, p99 := ownS.median(), quantile(ownS.Values, 0.99)
	fm, f99 := lowS.median(), quantile(lowS.Values, 0.99)
	e.ratios["latency median / floor"] = m / fm
	ok := m <= 4*fm && p99 <= 5*f99
	figure := fmt.Sprintf("median %s µs, p99 %s µs; floor %s and %s µs: %.2f and %.2f x", num(m), num(p99), num(fm), num(f99), m/fm, p99/f99)
	bars := []bar{{"this stack, median", m, ours}, {"this stack, p99", p99, ours}, {"floor, median", fm, reference}, {"floor, p99", f99, reference}}
	if len(peerS.Values) > 0 {
		pm, pp99 := peerS.median(), quantile(peerS.Values, 0.99)
		figure += fmt.Sprintf("; P %s and %s µs: 1/%s", num(pm), num(pp99), num(pm/m))
		ok = ok && m <= pm/4
		bars = append(bars, bar{"Python peer, median", pm, other}, bar{"Python peer, p99", pp99, other})
	}
	e.add(row{
		What: "latency at 20 reports/s, commit to update, median / p99", Target: "1/4 of P; median 4 x and p99 5 x the floor's",
		Figure: figure, Verdict: verdictOf(ok), Raw: []series{summary(ownS), summary(lowS), summary(peerS)},
	})
	e.addPlot(plot{File: "latency.svg", Title: "Latency at 20 reports/s", Unit: "µs", Log: true, Bars: bars})
	return nil
}

// summary keeps the quantiles of many values.
func summary(s series) series {
	if len(s.Values) == 0 {
		return s
	}
	out := series{Name: s.Name + " (min, p10, p50, p90, p99, max)", Unit: s.Unit}
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 1} {
		out.Values = append(out.Values, quantile(s.Values, q))
	}
	return out
}

// paced commits n reports of one metric at a rate and returns how old each was when it came out as an update.
func (p *pair) paced(ctx context.Context, rate float64, n int) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ages := make(chan time.Duration, n)
	var sent atomic.Int64 // nanoseconds; one report is under way at a time
	followed, started := make(chan error, 1), make(chan struct{})
	go func() {
		followed <- follow(ctx, p.link, started, func(consumer.Update) { ages <- time.Duration(time.Now().UnixNano() - sent.Load()) })
	}()
	<-started
	out := make([]time.Duration, 0, n)
	err := pace(ctx, rate, n, func(i int) error {
		sent.Store(time.Now().UnixNano())
		if err := p.dev.Update(func(tx *mdib.Tx) error { return setMetrics(tx, i, 1) }); err != nil {
			return err
		}
		select {
		case a := <-ages:
			out = append(out, a)
			return nil
		case err := <-followed:
			return err
		case <-time.After(5 * time.Second):
			return errors.New("a report did not arrive")
		}
	})
	cancel()
	return out, errors.Join(err, <-followed)
}
