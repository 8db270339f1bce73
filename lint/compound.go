package lint

import (
	"slices"
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

// The list of requirements joins R0703 to R0706; the four parts of its sentence are taken for them in order.
func compoundRules() []Rule {
	return []Rule{
		{ID: "SDPi R0703", Profile: sdpi, Title: "Each member of a compound metric has a relation to the others.", check: membersRelate},
		{ID: "SDPi R0705", Profile: sdpi, Title: "The relations of a compound metric have its code.", check: compoundCode},
		{ID: "SDPi R0706", Profile: sdpi, Title: "The relation of each member lists all other members.", check: membersComplete},
		{ID: "SDPi R0707", Profile: sdpi, Title: "Members of a compound metric have the same start and stop times.", check: startTimes},
		{ID: "SDPi R0708", Profile: sdpi, Title: "Members of a compound metric without start and stop times have the same determination time.", check: determinationTimes},
	}
}

// summary is a relation of kind SST: what makes a compound metric of several.
type summary struct {
	metric   string
	relation *pm.Relation
}

func (p *pass) summaries() []summary {
	var out []summary
	for h, d := range descriptors[pm.MetricDescriptor](p) {
		relations := d.BaseMetric().Relation
		for i := range relations {
			if relations[i].Kind == pm.RelationKindSST {
				out = append(out, summary{h, &relations[i]})
			}
		}
	}
	return out
}

// code is the compound's code with its coding system; "" if there is none.
func (s summary) code() string {
	if s.relation.Code == nil {
		return ""
	}
	return s.relation.Code.CodingSystemOrDefault() + " " + s.relation.Code.Code
}

// of returns the relation of a member in the same compound.
func (p *pass) of(member string, compound summary) (summary, bool) {
	for _, s := range p.summaries() {
		if s.metric == member && s.code() == compound.code() {
			return s, true
		}
	}
	return summary{}, false
}

func membersRelate(p *pass) {
	for _, s := range p.summaries() {
		for _, member := range s.relation.Entries {
			if _, ok := mdib.Get[pm.MetricDescriptor](p.s, member); !ok {
				continue // told by BICEPS references
			}
			if _, ok := p.of(member, s); !ok {
				p.errorf(member, "%q names this metric as member of a compound, but it has no relation of kind SST with the same code", s.metric)
			}
		}
	}
}

func compoundCode(p *pass) {
	for _, s := range p.summaries() {
		if s.relation.Code == nil {
			p.errorf(s.metric, "the relation of kind SST has no code")
		}
	}
}

func membersComplete(p *pass) {
	for _, s := range p.summaries() {
		want := members(s)
		if slices.Contains(s.relation.Entries, s.metric) {
			p.errorf(s.metric, "the relation of kind SST lists the metric itself")
		}
		for _, member := range s.relation.Entries {
			if other, ok := p.of(member, s); ok && !slices.Equal(members(other), want) {
				p.errorf(member, "the compound is %s here and %s at %q", strings.Join(members(other), ", "), strings.Join(want, ", "), s.metric)
			}
		}
	}
}

// members are all of a compound, sorted.
func members(s summary) []string {
	out := append([]string{s.metric}, s.relation.Entries...)
	slices.Sort(out)
	return slices.Compact(out)
}

// compounds calls visit once for each compound that several metrics agree on, with their values.
func (p *pass) compounds(visit func(handles []string, values []*pm.AbstractMetricValue)) {
	seen := map[string]bool{}
	for _, s := range p.summaries() {
		handles := members(s)
		key := s.code() + "\x00" + strings.Join(handles, "\x00")
		if seen[key] {
			continue
		}
		seen[key] = true
		var with []string
		var values []*pm.AbstractMetricValue
		for _, h := range handles {
			state, ok := mdib.Get[pm.MetricState](p.s, h)
			if !ok {
				continue
			}
			if v := metricValue(state); v != nil {
				with, values = append(with, h), append(values, v)
			}
		}
		if len(values) > 1 {
			visit(with, values)
		}
	}
}

func startTimes(p *pass) {
	p.compounds(func(handles []string, values []*pm.AbstractMetricValue) {
		for i, v := range values[1:] {
			if v.StartTime != values[0].StartTime || v.StopTime != values[0].StopTime {
				p.errorf(handles[i+1], "start or stop time differ from those of %q in the same compound", handles[0])
			}
		}
	})
}

func determinationTimes(p *pass) {
	p.compounds(func(handles []string, values []*pm.AbstractMetricValue) {
		for i, v := range values[1:] {
			if !v.StartTime.IsSet() && !v.StopTime.IsSet() && v.DeterminationTime != values[0].DeterminationTime {
				p.errorf(handles[i+1], "the determination time differs from that of %q in the same compound, and there are no start and stop times", handles[0])
			}
		}
	})
}

// metricValue returns what all metric values share; nil without value.
func metricValue(s pm.MetricState) *pm.AbstractMetricValue {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		if s.MetricValue != nil {
			return &s.MetricValue.AbstractMetricValue
		}
	case *pm.StringMetricState:
		if s.MetricValue != nil {
			return &s.MetricValue.AbstractMetricValue
		}
	case *pm.EnumStringMetricState:
		if s.MetricValue != nil {
			return &s.MetricValue.AbstractMetricValue
		}
	case *pm.RealTimeSampleArrayMetricState:
		if s.MetricValue != nil {
			return &s.MetricValue.AbstractMetricValue
		}
	case *pm.DistributionSampleArrayMetricState:
		if s.MetricValue != nil {
			return &s.MetricValue.AbstractMetricValue
		}
	}
	return nil
}
