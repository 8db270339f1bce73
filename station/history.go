package station

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
)

// HistoryConfig bounds what is remembered. A zero field takes its default.
type HistoryConfig struct {
	// Detail is how long every value of a number is kept, at most 1024 of them; 0 is 10 min.
	Detail time.Duration
	// Trend is how long numbers are kept in steps of TrendStep, each with least, greatest and mean; 0 are 8 h and 30 s.
	Trend, TrendStep time.Duration
	// Waves is how long samples are kept; 0 is 1 min.
	Waves time.Duration
	// MaxSeries bounds the metrics that are remembered; 0 is 4096. Further ones have no history.
	MaxSeries int
}

const (
	maxPoints  = 1024
	maxBuckets = 1 << 14
	maxSamples = 1 << 17 // per waveform
	maxBlocks  = 1 << 12
)

func (c HistoryConfig) withDefaults() (HistoryConfig, error) {
	if c.Detail < 0 || c.Trend < 0 || c.TrendStep < 0 || c.Waves < 0 || c.MaxSeries < 0 {
		return c, errors.New("no bound of the History may be negative")
	}
	def := func(field *time.Duration, v time.Duration) {
		if *field == 0 {
			*field = v
		}
	}
	def(&c.Detail, 10*time.Minute)
	def(&c.Trend, 8*time.Hour)
	def(&c.TrendStep, 30*time.Second)
	def(&c.Waves, time.Minute)
	if c.MaxSeries == 0 {
		c.MaxSeries = 4096
	}
	if c.Trend/c.TrendStep > maxBuckets {
		return c, errors.New("the Trend of the History has more than 16384 steps")
	}
	return c, nil
}

// Query says what of the history is wanted.
type Query struct {
	Ref
	// Patient restricts the answer to what was determined while the MDS told of that patient; nil is everything, whosever it is.
	Patient *Patient
	// Since leaves out what is older; zero is everything.
	Since time.Time
}

// Point is a number as it was determined.
type Point struct {
	Time  time.Time
	Value float64
	// Validity is what the device said; only with Vld, Vldated and Qst is there a Value.
	Validity pm.MeasurementValidity
}

// Usable tells whether the point has a value that may be used.
func (p Point) Usable() bool { return usable(p.Validity) }

// usable tells whether a value of this validity may be used, with care if it is questionable.
func usable(v pm.MeasurementValidity) bool {
	switch v {
	case pm.MeasurementValidityVld, pm.MeasurementValidityVldated, pm.MeasurementValidityQst:
		return true
	}
	return false
}

// Bucket is a step of a trend: the usable values of one patient within TrendStep.
type Bucket struct {
	Begin, End            time.Time
	Least, Greatest, Mean float64
	// Count is how many values there were.
	Count int
}

// Block is a stretch of a waveform as it was reported. It is immutable.
type Block struct {
	// Seq rises by one with each block of a waveform.
	Seq uint64
	// Start is the time of the first sample by the clock of the station, an estimate that moves a little: blocks without Gap follow the one before
	// without a break. Period is the time between two samples.
	Start  time.Time
	Period time.Duration
	// Samples are in the unit of the metric, rounded to float32. None tell that there is no signal.
	Samples  []float32
	Validity pm.MeasurementValidity
	// Gap tells that samples before the block may be missing.
	Gap bool

	whose *owner
}

// owner is whose values are: the patient of an MDS at that time. nil is nobody, or nobody knows.
type owner struct {
	device, context string
	ids             []Identifier
}

// is tells whether the values are of the patient for sure.
func (o *owner) is(p *Patient) bool {
	switch {
	case p == nil:
		return true
	case o == nil:
		return false
	case len(p.IDs) > 0:
		return same(o.ids, p.IDs)
	}
	// Without identifiers a patient is known to one MDS, for as long as the context is the same.
	return len(o.ids) == 0 && p.Key == unidentifiedKey(o.device, o.context)
}

func unidentifiedKey(device, context string) string { return device + "#" + context }

// history remembers the series of all devices.
type history struct {
	cfg HistoryConfig
	log *slog.Logger

	mu     sync.RWMutex
	series map[Ref]*series
	full   bool
}

func newHistory(cfg HistoryConfig, log *slog.Logger) *history {
	return &history{cfg: cfg, log: log, series: make(map[Ref]*series)}
}

// series is what is remembered of one metric.
type series struct {
	mu     sync.Mutex
	points ring[point]
	trend  ring[bucket]
	blocks ring[*Block]
	count  int // samples in blocks
	seq    uint64
}

type point struct {
	at       int64 // ns since 1970
	value    float64
	validity pm.MeasurementValidity
	whose    *owner
}

type bucket struct {
	begin, end           int64
	least, greatest, sum float64
	count                int
	whose                *owner
}

// of returns the series of a metric, nil if there are too many.
func (h *history) of(r Ref) *series {
	h.mu.RLock()
	s := h.series[r]
	h.mu.RUnlock()
	if s != nil {
		return s
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.series[r]; s != nil {
		return s
	}
	if len(h.series) >= h.cfg.MaxSeries {
		if !h.full {
			h.full = true
			h.log.Warn("too many metrics: further ones have no history", "limit", h.cfg.MaxSeries)
		}
		return nil
	}
	s = &series{
		points: ring[point]{limit: maxPoints},
		trend:  ring[bucket]{limit: int(h.cfg.Trend/h.cfg.TrendStep) + 1},
		blocks: ring[*Block]{limit: maxBlocks},
	}
	h.series[r] = s
	return s
}

// forget drops the series of a device.
func (h *history) forget(epr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.series {
		if r.Device == epr {
			delete(h.series, r)
		}
	}
	h.full = false
}

// number remembers a value.
func (h *history) number(v *Value, whose *owner) {
	s := h.of(v.Ref)
	if s == nil {
		return
	}
	f, ok := v.Float()
	p := point{at: v.Determined.UnixNano(), value: f, validity: v.Validity, whose: whose}
	if !ok && usable(p.validity) {
		p.validity = pm.MeasurementValidityNA
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points.push(p)
	for s.points.n > 0 && p.at-s.points.at(0).at > int64(h.cfg.Detail) {
		s.points.drop()
	}
	if !usable(p.validity) || v.Activation != pm.ComponentActivationOn {
		return
	}
	if n := s.trend.n; n > 0 {
		// Nothing is older than the step it falls into: a clock that is set back makes a new one.
		if b := s.trend.at(n - 1); b.whose == whose && p.at >= b.begin && p.at < b.begin+int64(h.cfg.TrendStep) {
			b.end, b.least, b.greatest = max(b.end, p.at), min(b.least, f), max(b.greatest, f)
			b.sum += f
			b.count++
			return
		}
	}
	s.trend.push(bucket{begin: p.at, end: p.at, least: f, greatest: f, sum: f, count: 1, whose: whose})
}

// samples remembers a stretch of a waveform.
func (h *history) samples(w *Wave, start time.Time, samples pm.Samples, whose *owner, gap bool) {
	s := h.of(w.Ref)
	if s == nil {
		return
	}
	if len(samples) > maxSamples {
		start = start.Add(time.Duration(len(samples)-maxSamples) * w.SamplePeriod)
		samples, gap = samples[len(samples)-maxSamples:], true
	}
	b := &Block{Start: start, Period: w.SamplePeriod, Samples: make([]float32, len(samples)), Validity: w.Validity, Gap: gap, whose: whose}
	for i := range samples {
		b.Samples[i] = float32(samples[i].Float64())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	b.Seq = s.seq
	if s.blocks.n == s.blocks.limit {
		s.count -= len((*s.blocks.at(0)).Samples)
	}
	s.blocks.push(b)
	s.count += len(b.Samples)
	for s.blocks.n > 1 {
		first := *s.blocks.at(0)
		if s.count <= maxSamples && start.Sub(first.Start) <= h.cfg.Waves {
			break
		}
		s.count -= len(first.Samples)
		s.blocks.drop()
	}
}

// Points returns the values of a number as they were determined, oldest first, for as long as HistoryConfig.Detail.
func (s *Station) Points(q Query) []Point {
	var out []Point
	since := nanos(q.Since)
	s.history.read(q.Ref, func(r *series) {
		for i := range r.points.n {
			p := r.points.at(i)
			if p.at >= since && p.whose.is(q.Patient) {
				out = append(out, Point{Time: time.Unix(0, p.at), Value: p.value, Validity: p.validity})
			}
		}
	})
	return out
}

// Trend returns a number in steps, oldest first, for as long as HistoryConfig.Trend.
func (s *Station) Trend(q Query) []Bucket {
	var out []Bucket
	since := nanos(q.Since)
	s.history.read(q.Ref, func(r *series) {
		for i := range r.trend.n {
			b := r.trend.at(i)
			if b.end >= since && b.whose.is(q.Patient) {
				out = append(out, Bucket{
					Begin: time.Unix(0, b.begin), End: time.Unix(0, b.end), Least: b.least, Greatest: b.greatest, Mean: b.sum / float64(b.count), Count: b.count,
				})
			}
		}
	})
	return out
}

// Blocks returns the stretches of a waveform after the one of a sequence number, oldest first; 0 is all there are. A reader that asks
// in time, again and again, with the Seq of the last block it has, gets every block; one that is too slow sees a jump of Seq.
func (s *Station) Blocks(q Query, after uint64) []*Block {
	var out []*Block
	s.history.read(q.Ref, func(r *series) {
		for i := range r.blocks.n {
			b := *r.blocks.at(i)
			if b.Seq > after && !b.Start.Before(q.Since) && b.whose.is(q.Patient) {
				out = append(out, b)
			}
		}
	})
	return out
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func (h *history) read(r Ref, do func(*series)) {
	h.mu.RLock()
	s := h.series[r]
	h.mu.RUnlock()
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		do(s)
	}
}

// ring keeps the newest items, at most limit of them. It grows as it is filled.
type ring[T any] struct {
	items   []T
	head, n int
	limit   int
}

func (r *ring[T]) at(i int) *T { return &r.items[(r.head+i)%len(r.items)] }

func (r *ring[T]) push(v T) {
	if r.n == r.limit {
		r.drop()
	}
	if r.n == len(r.items) {
		grown := make([]T, 0, min(max(2*r.n, 16), r.limit))
		grown = append(append(grown, r.items[r.head:]...), r.items[:r.head]...)
		r.items, r.head = slices.Grow(grown, 0)[:cap(grown)], 0
	}
	r.n++
	*r.at(r.n - 1) = v
}

// drop forgets the oldest.
func (r *ring[T]) drop() {
	var none T
	*r.at(0) = none
	r.head = (r.head + 1) % len(r.items)
	r.n--
}
