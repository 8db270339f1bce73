package lint

import (
	"strings"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
)

func timeRules() []Rule {
	return []Rule{
		{ID: "GLUE R0014", Profile: base, Title: "The clock was last set before now.", check: lastSet},
		{ID: "SDPi R1531", Profile: sdpi, Title: "The clock of every MDS tells its accuracy.", check: accuracy},
		{ID: "SDPi R1018", Profile: sdpi, Title: "Durations are written in hours, minutes and seconds.", check: durations},
		{ID: "SDPi R0600", Profile: sdpi, Title: "A clock that uses epochs has sdpi:EpochSupport of version 1.", check: epochSupport},
		{ID: "SDPi R0610", Profile: sdpi, Title: "sdpi:Epochs lists every epoch from the oldest in use to the current one.", check: epochList},
		{ID: "SDPi R0612", Profile: sdpi, Title: "The clock that an epoch names is a clock.", check: epochClocks},
	}
}

func lastSet(p *pass) {
	for d, s := range pairs[*pm.ClockDescriptor, *pm.ClockState](p) {
		set, hasSet := s.LastSet.Get()
		now, hasNow := s.DateAndTime.Get()
		if hasSet && hasNow && set > now {
			p.warnf(d.Handle, "LastSet %d is later than DateAndTime %d", set, now)
		}
	}
}

func accuracy(p *pass) {
	for d, s := range pairs[*pm.ClockDescriptor, *pm.ClockState](p) {
		if !s.Accuracy.IsSet() {
			p.errorf(d.Handle, "the clock does not tell its accuracy")
		}
	}
}

func durations(p *pass) {
	for v, d := range all[pm.Duration](p) {
		if text := d.String(); !hoursMinutesSeconds(text) {
			p.errorf(v.handle, "%s is written as %s, not as PT..H..M..S", v.field, clip(text))
		}
	}
}

// hoursMinutesSeconds reports whether a lexically correct duration has neither a sign nor years, months or days.
func hoursMinutesSeconds(s string) bool { return strings.HasPrefix(s, "PT") }

// epochs returns for a timestamp tag the clock it names and the lowest epoch, for those extensions that tag timestamps.
func epochs(x pm.Extension) (clock string, lowest pm.Opt[uint64], ok bool) {
	low := func(candidates ...pm.Opt[uint64]) {
		for _, c := range candidates {
			if n, has := c.Get(); has && n <= lowest.Or(n) {
				lowest = pm.Some(n)
			}
		}
	}
	if e, has, err := ext.MetricEpoch(x); has && err == nil {
		clock, ok = e.Clock, true
		low(e.DeterminationTime, e.StartTime, e.StopTime)
	}
	if e, has, err := ext.CalibrationInfoEpoch(x); has && err == nil {
		clock, ok = e.Clock, true
		low(e.Time)
	}
	if e, has, err := ext.AlertSystemStateEpoch(x); has && err == nil {
		clock, ok = e.Clock, true
		low(e.LastSelfCheck)
	}
	if e, has, err := ext.AlertConditionStateEpoch(x); has && err == nil {
		clock, ok = e.Clock, true
		low(e.DeterminationTime)
	}
	if e, has, err := ext.AbstractContextStateEpoch(x); has && err == nil {
		clock, ok = e.Clock, true
		low(e.BindingStartTime, e.BindingEndTime)
	}
	return clock, lowest, ok
}

// clockOf returns the clock of the MDS that something belongs to.
func (p *pass) clockOf(handle string) (*pm.ClockDescriptor, bool) {
	mds, ok := p.s.MDSOf(handle)
	if !ok {
		return nil, false
	}
	for child := range p.s.Children(mds) {
		if c, ok := mdib.Get[*pm.ClockDescriptor](p.s, child); ok {
			return c, true
		}
	}
	return nil, false
}

func epochSupport(p *pass) {
	uses := map[string]bool{}
	for d, s := range pairs[*pm.ClockDescriptor, *pm.ClockState](p) {
		if _, ok, _ := ext.Epochs(s.Extension); ok {
			uses[d.Handle] = true
		}
	}
	for v, x := range all[pm.Extension](p) {
		clock, _, ok := epochs(x)
		if !ok {
			continue
		}
		if clock == "" {
			if c, ok := p.clockOf(v.handle); ok {
				clock = c.Handle
			}
		}
		uses[clock] = true
	}
	for h, d := range descriptors[*pm.ClockDescriptor](p) {
		support, ok, err := ext.EpochSupport(d.Extension)
		switch {
		case uses[h] && !ok:
			p.errorf(h, "epochs of this clock are used, but it has no sdpi:EpochSupport")
		case ok && err == nil && support.VersionOrDefault() != 1:
			p.errorf(h, "sdpi:EpochSupport has the version %d", support.VersionOrDefault())
		}
	}
}

func epochList(p *pass) {
	oldest := map[string]uint64{} // by clock
	for v, x := range all[pm.Extension](p) {
		clock, lowest, ok := epochs(x)
		n, has := lowest.Get()
		if !ok || !has {
			continue
		}
		if clock == "" {
			if c, ok := p.clockOf(v.handle); ok {
				clock = c.Handle
			}
		}
		if known, ok := oldest[clock]; !ok || n < known {
			oldest[clock] = n
		}
	}
	for d, s := range pairs[*pm.ClockDescriptor, *pm.ClockState](p) {
		list, _, err := ext.Epochs(s.Extension)
		if err != nil {
			continue
		}
		listed := map[uint64]bool{}
		for _, e := range list.Epoch {
			if e.Version >= list.Version {
				p.errorf(d.Handle, "sdpi:Epochs lists the epoch %d as ended, but the current one is %d", e.Version, list.Version)
			}
			listed[e.Version] = true
		}
		from, used := oldest[d.Handle]
		if !used {
			continue
		}
		if from > list.Version {
			p.errorf(d.Handle, "the epoch %d is used, but the current one is %d", from, list.Version)
		}
		for n := from; n < list.Version; n++ {
			if !listed[n] {
				p.errorf(d.Handle, "the epoch %d is in use, but sdpi:Epochs does not list the epoch %d", from, n)
				break
			}
		}
	}
}

func epochClocks(p *pass) {
	for v, x := range all[pm.Extension](p) {
		clock, _, ok := epochs(x)
		if !ok || clock == "" {
			continue
		}
		if _, ok := mdib.Get[*pm.ClockDescriptor](p.s, clock); !ok {
			p.errorf(v.handle, "the epoch names %q as its clock, which is none", clip(clock))
		}
	}
}
