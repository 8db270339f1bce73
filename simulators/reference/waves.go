package reference

import (
	"math"
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
)

// Shares of the script: three waveforms of step 4f, then the one of step 4i.
const (
	fastWaves   = 3
	fastSamples = 100
	slowSamples = 50
)

// fastWaves sends 100 samples of the first three waveforms ten times a second (step 4f). The script fixes these numbers whatever the
// sample period is; time stamps are those of the messages.
func (a *animation) fastWaves(at time.Time) error {
	return a.send(a.plan.waves[:min(fastWaves, len(a.plan.waves))], fastSamples, at.Add(-bedside.Step))
}

// slowWave sends 50 samples of the fourth waveform twice a second (step 4i).
func (a *animation) slowWave(at time.Time) error {
	if len(a.plan.waves) <= fastWaves {
		return nil
	}
	return a.send(a.plan.waves[fastWaves:fastWaves+1], slowSamples, at.Add(-slowWavePeriod))
}

// otherWaves sends the waveforms that the script does not speak of once a second with as many samples as they have in that time, at most 250.
func (a *animation) otherWaves(at time.Time) error {
	if len(a.plan.waves) <= fastWaves+1 {
		return nil
	}
	const most = 250
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range a.plan.waves[fastWaves+1:] {
			d, ok := mdib.Get[*pm.RealTimeSampleArrayMetricDescriptor](tx.Base(), h)
			if !ok {
				continue
			}
			n := most
			if period := d.SamplePeriod.Std(); period > 0 {
				n = int(min(max(otherWavePeriod/period, 1), most))
			}
			if err := a.samples(tx, h, n, at.Add(-otherWavePeriod)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *animation) send(handles []string, n int, first time.Time) error {
	if len(handles) == 0 {
		return nil
	}
	return a.p.Update(func(tx *mdib.Tx) error {
		for _, h := range handles {
			if err := a.samples(tx, h, n, first); err != nil {
				return err
			}
		}
		return nil
	})
}

// samples makes n samples of a sine that takes two seconds and fills the middle of the technical range.
func (a *animation) samples(tx *mdib.Tx, handle string, n int, first time.Time) error {
	d, ok := mdib.Get[*pm.RealTimeSampleArrayMetricDescriptor](tx.Base(), handle)
	if !ok || !a.moves(tx, handle) {
		return nil
	}
	low, high := span(d.TechnicalRange)
	digits := bedside.Digits(d.Resolution)
	out := make(pm.Samples, n)
	for i := range out {
		// Where the script's numbers and the sample period disagree, the curve goes by the place in the message.
		phase := math.Mod(a.now.Seconds()/2+float64(i)/float64(20*n), 1)
		v := low + (high-low)*(0.5+0.4*math.Sin(2*math.Pi*phase))
		out[i], _ = pm.DecimalFromFloat(v, digits)
	}
	return tx.SetSamples(handle, out, first)
}

// moves tells whether a metric is active, and nobody has set it just now.
func (a *animation) moves(tx *mdib.Tx, handle string) bool {
	s, ok := mdib.Get[pm.MetricState](tx.Base(), handle)
	return ok && !a.device.isSettling(handle) && s.BaseMetric().ActivationStateOrDefault() == pm.ComponentActivationOn
}

// span is the first of the ranges with both bounds, or else something that every display can show.
func span(ranges []pm.Range) (low, high float64) {
	for _, r := range ranges {
		l, okLow := r.Lower.Get()
		h, okHigh := r.Upper.Get()
		if okLow && okHigh && l.Cmp(h) < 0 {
			return l.Float64(), h.Float64()
		}
	}
	for _, r := range ranges {
		if l, ok := r.Lower.Get(); ok {
			return l.Float64(), l.Float64() + 100
		}
		if h, ok := r.Upper.Get(); ok {
			return h.Float64() - 100, h.Float64()
		}
	}
	return 0, 100
}
