package aggregate

import (
	"math/big"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// Parts of a window: so much must be covered by usable values, and one value covers no more than that.
const (
	coverage = 0.75
	held     = 0.25
)

// meanOf is the mean of an input over a window.
type meanOf struct {
	value        float64
	begin        time.Time
	questionable bool
}

// mean weighs each usable value of the patient with the time until the next one. ok is false if they cover too little of the window.
func (s *scene) mean(p *pick, window time.Duration) (m meanOf, ok bool) {
	if s.opts.History == nil {
		return m, false
	}
	points := s.opts.History.Points(station.Query{Ref: p.Value.Ref, Patient: s.patient, Since: s.now.Add(-window)})
	var sum float64
	var covered time.Duration
	for i, x := range points {
		if !x.Usable() {
			continue
		}
		next := s.now
		if i+1 < len(points) {
			next = points[i+1].Time
		}
		hold := min(next.Sub(x.Time), time.Duration(held*float64(window)))
		if hold <= 0 {
			continue
		}
		if m.begin.IsZero() {
			m.begin = x.Time
		}
		m.questionable = m.questionable || x.Validity == pm.MeasurementValidityQst
		sum += x.Value * hold.Seconds()
		covered += hold
	}
	if covered.Seconds() < coverage*window.Seconds() {
		return meanOf{}, false
	}
	exact := new(big.Rat).SetFloat64(sum / covered.Seconds())
	if exact == nil {
		return meanOf{}, false // not finite
	}
	m.value, _ = p.conv.Rat(exact).Float64()
	return m, true
}
