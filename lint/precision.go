package lint

import (
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func precisionRules() []Rule {
	return []Rule{
		{ID: "10701 TR0242", Profile: sdpi, Title: "The precision to show a metric with is stated.", check: precision},
		{ID: "10701 TR0800", Profile: sdpi, Title: "Each range of a metric states the step of its values.", check: rangeSteps},
	}
}

// numeric returns the resolution and technical ranges of a metric of numbers.
func numeric(d pm.MetricDescriptor) (resolution pm.Decimal, ranges []pm.Range, ok bool) {
	switch d := d.(type) {
	case *pm.NumericMetricDescriptor:
		return d.Resolution, d.TechnicalRange, true
	case *pm.RealTimeSampleArrayMetricDescriptor:
		return d.Resolution, d.TechnicalRange, true
	case *pm.DistributionSampleArrayMetricDescriptor:
		return d.Resolution, d.TechnicalRange, true
	}
	return pm.Decimal{}, nil, false
}

func stated(r *pm.Range) bool {
	_, ok, err := ext.DisplayPrecision(r.Extension)
	return ok && err == nil || r.StepWidth.IsSet()
}

func precision(p *pass) {
	for h, d := range descriptors[pm.MetricDescriptor](p) {
		resolution, ranges, ok := numeric(d)
		if !ok {
			continue
		}
		any := false
		for i := range ranges {
			any = any || stated(&ranges[i])
		}
		switch {
		case any:
		case resolution.Cmp(pm.Decimal{}) <= 0:
			p.warnf(h, "nothing says how precisely to show the metric: its resolution is %s, and no technical range has a step width", resolution)
		default:
			p.infof(h, "no technical range states a display precision or step width; the metric is shown by its resolution %s", resolution)
		}
	}
}

func rangeSteps(p *pass) {
	for h, d := range descriptors[pm.MetricDescriptor](p) {
		_, ranges, ok := numeric(d)
		if !ok {
			continue
		}
		some, without := false, -1
		for i := range ranges {
			if stated(&ranges[i]) {
				some = true
			} else if without < 0 {
				without = i
			}
		}
		if some && without >= 0 {
			p.warnf(h, "technical range %d states no step width, others do", without+1)
		}
	}
}
