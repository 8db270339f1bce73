package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/semeco/go-sdc/cmd/sdc/internal/braille"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// board collects what the demonstration shows and counts.
type board struct {
	mu      sync.Mutex
	sum     demoSummary
	panels  []*panel
	message string
	start   time.Time
}

// panel is one device on the board.
type panel struct {
	dev             *consumer.Device
	name            string
	waves           []*curve
	updates, sample int // seen of this device
}

// curve is one waveform on a panel.
type curve struct {
	handle, label string
	period        float64 // seconds
	sweep         *braille.Sweep
}

func newBoard() *board { return &board{sum: demoSummary{TLS: true}} }

func (b *board) found() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.Devices++
}

// wavesPerPanel and the size of a curve fit two devices on 24 lines by 80 columns.
const (
	wavesPerPanel = 4
	waveWidth     = 56
	waveSeconds   = 6
)

func (b *board) connected(dev *consumer.Device) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.Connected++
	p := &panel{dev: dev, name: firstText(dev.Metadata().ThisDevice.FriendlyName)}
	for ent := range dev.MDIB().Entities() {
		d, ok := ent.Descriptor.(*pm.RealTimeSampleArrayMetricDescriptor)
		if ok && len(p.waves) < wavesPerPanel {
			p.waves = append(p.waves, &curve{
				handle: ent.Handle, label: concept(d.Type), period: d.SamplePeriod.Std().Seconds(),
				sweep: braille.NewSweep(waveWidth, 2, waveSeconds),
			})
		}
	}
	b.panels = append(b.panels, p)
	slices.SortFunc(b.panels, func(x, y *panel) int { return len(x.waves) - len(y.waves) })
}

func (b *board) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.start = time.Now()
}

func (b *board) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.Seconds = float64(time.Since(b.start).Milliseconds()) / 1000
}

func (b *board) operated(message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sum.Operations++
	b.message = message
}

func (b *board) summary() demoSummary {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sum
}

// follow counts and draws what a device sends until ctx ends.
func (b *board) follow(ctx context.Context, dev *consumer.Device) {
	for u, err := range dev.Updates(ctx) {
		b.mu.Lock()
		switch {
		case err != nil:
			b.sum.Gaps++
			b.message = err.Error()
		case u.Gap != nil:
			b.sum.Gaps++
			b.message = u.Gap.Cause.Error()
		case u.Change != nil:
			b.count(b.panel(dev), u.Change)
		}
		b.mu.Unlock()
	}
}

func (b *board) panel(dev *consumer.Device) *panel {
	for _, p := range b.panels {
		if p.dev == dev {
			return p
		}
	}
	return nil
}

func (b *board) count(p *panel, c *mdib.Change) {
	switch c.Kind {
	case mdib.KindMetric:
		b.sum.MetricUpdates += len(c.States)
		p.updates += len(c.States)
	case mdib.KindAlert:
		b.sum.AlertUpdates += len(c.States)
	case mdib.KindWaveform:
		for _, s := range c.States {
			w, ok := s.After.(*pm.RealTimeSampleArrayMetricState)
			if !ok || w.MetricValue == nil {
				continue
			}
			n := len(w.MetricValue.Samples)
			b.sum.WaveformSamples += n
			p.sample += n
			for _, cv := range p.waves {
				if cv.handle == s.Handle {
					for i := range n {
						cv.sweep.Add(w.MetricValue.Samples[i].Float64(), cv.period)
					}
				}
			}
		}
	}
}

// verdict says whether the demonstration showed what it is meant to.
func (b *board) verdict() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, p := range b.panels {
		if p.updates == 0 || p.sample == 0 {
			errs = append(errs, fmt.Errorf("%s sent %d metric updates and %d waveform samples", p.name, p.updates, p.sample))
		}
	}
	if b.sum.Operations == 0 {
		errs = append(errs, errors.New("no operation succeeded"))
	}
	return errors.Join(errs...)
}
