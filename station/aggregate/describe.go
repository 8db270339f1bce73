package aggregate

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// rootHandle is the MDS that stands for the device itself.
const rootHandle = "aggregator"

// Attributes of the classic domain information model by which inputs name where they come from.
const (
	attributeSystem = "67972" // MDC_ATTR_SYS_ID: the EPR of the device
	attributeSource = "68167" // MDC_ATTR_SOURCE_HANDLE_REF: the handle in its MDIB; also the code of relations between MDSs
)

// selfCheckPeriod is that of the alert systems.
const selfCheckPeriod = 5 * time.Second

// slot is an input as it is published: one metric for each kind of source that any rule has, whether it is used or not.
type slot struct {
	suffix string
	source Source
	unit   pm.CodedValue
	label  string
}

// plan is what is published for every patient.
type plan struct {
	rules []Rule
	slots []slot
	// of has the slot of each source of each input of each rule.
	of [][][]int
}

func newPlan(rules []Rule) plan {
	p := plan{rules: rules}
	index, taken := map[string]int{}, map[string]int{}
	for i := range rules {
		inputs := make([][]int, len(rules[i].Inputs))
		again := map[string]int{} // in distinct rules, inputs of one kind are of different metrics
		for j := range rules[i].Inputs {
			in := &rules[i].Inputs[j]
			for _, s := range in.From {
				key := slotKey(s, &in.Unit)
				nth := again[key]
				if rules[i].Distinct {
					again[key]++
				}
				key = fmt.Sprint(key, " ", nth)
				k, ok := index[key]
				if !ok {
					k = len(p.slots)
					index[key] = k
					suffix := handlePart(s.Code.Code)
					if s.role() != station.Measured {
						suffix += "." + string(s.role())
					}
					if taken[suffix]++; taken[suffix] > 1 {
						suffix = fmt.Sprint(suffix, ".", taken[suffix])
					}
					p.slots = append(p.slots, slot{suffix: suffix, source: s, unit: in.Unit, label: in.Label})
				}
				inputs[j] = append(inputs[j], k)
			}
		}
		p.of = append(p.of, inputs)
	}
	return p
}

// handlePart keeps what may stand in a handle.
func handlePart(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

// Handles of a patient's MDS, all below its own.
func (p *plan) derived(mds string, rule int) string { return mds + ".derived." + p.rules[rule].Name }
func (p *plan) input(mds string, slot int) string   { return mds + ".input." + p.slots[slot].suffix }
func (p *plan) alarm(mds string, rule int) string   { return mds + ".alarm." + p.rules[rule].Name }
func patientHandle(mds string) string               { return mds + ".context.patient" }
func locationHandle(mds string) string              { return mds + ".context.location" }

func base(handle string, what pm.CodedValue) pm.AbstractDescriptor {
	return pm.AbstractDescriptor{Handle: handle, Type: &what}
}

// identifier is stable as long as the EPR of the device is (SDPi R0014), and another one for each part.
func identifier(epr, part string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(epr+"#"+part)).URN()
}

// rootMDIB is what the device has without any patient.
func rootMDIB(epr string, cfg *Config) (*mdib.Snapshot, error) {
	mds, states := newMDS(rootHandle, Private(TypeAggregator, "Device that derives values from those of others"), epr, cfg)
	state := &pm.MdsState{Lang: "en", OperatingMode: pm.MdsOperatingModeNml}
	state.DescriptorHandle, state.ActivationState = rootHandle, pm.ComponentActivationOn
	return mdib.FromMdib(&pm.Mdib{
		MdibVersionGroup: pm.MdibVersionGroup{SequenceId: "urn:uuid:00000000-0000-4000-8000-000000000000"}, // the store gives it its own
		MdDescription:    &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}},
		MdState:          &pm.MdState{State: append(states, state)},
	})
}

// newMDS is what all MDSs have.
func newMDS(handle string, what pm.CodedValue, id string, cfg *Config) (*pm.MdsDescriptor, []pm.State) {
	mds := &pm.MdsDescriptor{MetaData: &pm.MetaData{Manufacturer: english(cfg.Manufacturer), ModelName: english(cfg.Model)}}
	mds.AbstractDescriptor = base(handle, what)
	ext.SetEquipmentIdentifier(&mds.Extension, identifier(id, "mds"))
	mds.Clock = &pm.ClockDescriptor{Resolution: pm.Some(pm.DurationOf(time.Millisecond))}
	mds.Clock.AbstractDescriptor = base(handle+".clock", Private("clock", "Clock of the host"))
	clock := &pm.ClockState{RemoteSync: cfg.ClockAccuracy > 0}
	if cfg.ClockAccuracy > 0 {
		clock.Accuracy = pm.Some(pm.NewDecimal(cfg.ClockAccuracy.Milliseconds(), 3))
	}
	clock.DescriptorHandle, clock.ActivationState = handle+".clock", pm.ComponentActivationOn
	return mds, []pm.State{clock}
}

// patientMDS is an MDS for the values derived for one patient.
func (p *plan) patientMDS(handle, id string, cfg *Config) (*pm.MdsDescriptor, []pm.State) {
	mds, states := newMDS(handle, Private(TypeAggregate, "Values derived for a patient"), id, cfg)
	mds.SystemContext = &pm.SystemContextDescriptor{PatientContext: &pm.PatientContextDescriptor{}, LocationContext: &pm.LocationContextDescriptor{}}
	mds.SystemContext.Handle = handle + ".context"
	mds.SystemContext.PatientContext.Handle, mds.SystemContext.LocationContext.Handle = patientHandle(handle), locationHandle(handle)
	var derived, inputs []pm.MetricDescriptor
	for i := range p.rules {
		derived = append(derived, p.derivedMetric(handle, i))
	}
	for i := range p.slots {
		inputs = append(inputs, p.inputMetric(handle, i))
	}
	group := func(name, label string, metrics []pm.MetricDescriptor) *pm.VmdDescriptor {
		h := handle + "." + name
		c := &pm.ChannelDescriptor{Metric: metrics}
		c.AbstractDescriptor = base(h+".channel", Private(name, label))
		v := &pm.VmdDescriptor{Channel: []*pm.ChannelDescriptor{c}}
		v.AbstractDescriptor = base(h, Private(name, label))
		ext.SetEquipmentIdentifier(&v.Extension, identifier(id, name))
		return v
	}
	mds.Vmd = []*pm.VmdDescriptor{group("derived", "Derived values", derived), group("inputs", "What they are derived from", inputs)}
	alerts, more := p.alertSystem(handle)
	mds.AlertSystem = alerts
	state := &pm.MdsState{Lang: "en", OperatingMode: pm.MdsOperatingModeNml}
	state.DescriptorHandle, state.ActivationState = handle, pm.ComponentActivationOn
	relate(&state.Extension, ext.RelationKindDCE, rootHandle)
	return mds, append(append(states, more...), state)
}

// relate ties MDSs (SDPi R0613, R0614).
func relate(x *pm.Extension, kind ext.RelationKind, handles ...string) {
	symbol := pm.CodedValue{Code: attributeSource, SymbolicCodeName: "MDC_ATTR_SOURCE_HANDLE_REF"}
	ext.SetRelations(x, ext.RelationsType{Relation: []ext.RelationType{{Kind: kind, Entries: handles, Code: &symbol}}})
}

func (p *plan) derivedMetric(mds string, i int) pm.MetricDescriptor {
	r := &p.rules[i]
	d := &pm.NumericMetricDescriptor{Resolution: r.Resolution}
	d.AbstractDescriptor = base(p.derived(mds, i), r.Type)
	// Intermittent: what is derived is as old as its inputs, and how long it lives each state says.
	d.MetricCategory, d.DerivationMethod, d.MetricAvailability, d.Unit = pm.MetricCategoryClc, pm.DerivationMethodAuto, pm.MetricAvailabilityIntr, r.Unit
	limits := r.Range
	limits.StepWidth = pm.Some(r.Resolution)
	d.TechnicalRange = []pm.Range{limits}
	if r.Window > 0 {
		d.AveragingPeriod = pm.Some(pm.DurationOf(r.Window))
	}
	var entries []pm.HandleRef
	seen := map[int]bool{}
	for _, input := range p.of[i] {
		for _, k := range input {
			if !seen[k] {
				seen[k] = true
				entries = append(entries, p.input(mds, k))
			}
		}
	}
	d.Relation = []pm.Relation{{Kind: pm.RelationKindDCE, Entries: entries}}
	return d
}

func (p *plan) inputMetric(mds string, k int) pm.MetricDescriptor {
	s := &p.slots[k]
	step := pm.NewDecimal(1, inputDigits)
	d := &pm.NumericMetricDescriptor{Resolution: step, TechnicalRange: []pm.Range{{StepWidth: pm.Some(step)}}}
	// Not the code of the source: whoever looks for measurements must not find this one beside it.
	d.AbstractDescriptor = base(p.input(mds, k), Private("input."+s.suffix, fmt.Sprintf("Input: %s (%s)", s.label, s.source.Code)))
	d.MetricCategory = pm.MetricCategoryClc
	switch s.source.role() {
	case station.Setting, station.Preset:
		d.MetricCategory = pm.MetricCategorySet
	case station.Recommended:
		d.MetricCategory = pm.MetricCategoryRcmm
	case station.Measured:
	}
	d.DerivationMethod, d.MetricAvailability, d.Unit = pm.DerivationMethodAuto, pm.MetricAvailabilityIntr, s.unit
	return d
}

// alertSystem has a condition with a visible signal for each rule with an alarm; nil if no rule has one.
func (p *plan) alertSystem(mds string) (*pm.AlertSystemDescriptor, []pm.State) {
	system := &pm.AlertSystemDescriptor{SelfCheckPeriod: pm.Some(pm.DurationOf(selfCheckPeriod))}
	system.AbstractDescriptor = base(mds+".alerts", Private("alert-system", "Alert system"))
	var states []pm.State
	for i := range p.rules {
		a := p.rules[i].Alarm
		if a == nil {
			continue
		}
		h := p.alarm(mds, i)
		c := &pm.LimitAlertConditionDescriptor{MaxLimits: pm.Range{Upper: pm.Some(a.Limit)}}
		c.AbstractDescriptor = base(h, a.Type)
		c.Kind, c.Priority, c.Source = pm.AlertConditionKindTec, pm.AlertConditionPriorityLo, []pm.HandleRef{p.derived(mds, i)}
		c.DefaultConditionGenerationDelay = pm.Some(pm.DurationOf(a.After))
		if a.Cause != "" {
			info := pm.CauseInfo{Description: english(a.Cause)}
			if a.Remedy != "" {
				info.RemedyInfo = &pm.RemedyInfo{Description: english(a.Remedy)}
			}
			c.CauseInfo = []pm.CauseInfo{info}
		}
		system.AlertCondition = append(system.AlertCondition, c)
		g := &pm.AlertSignalDescriptor{ConditionSignaled: h, Manifestation: pm.AlertSignalManifestationVis}
		g.AbstractDescriptor = base(h+".visible", Private("visible-signal", "Visible signal: "+text(&a.Type)))
		system.AlertSignal = append(system.AlertSignal, g)
		state := &pm.LimitAlertConditionState{Limits: pm.Range{Upper: pm.Some(a.Limit)}, MonitoredAlertLimits: pm.AlertConditionMonitoredLimitsLoOff}
		state.DescriptorHandle, state.ActivationState = h, pm.AlertActivationOn
		states = append(states, state)
	}
	if len(states) == 0 {
		return nil, nil
	}
	state := &pm.AlertSystemState{SelfCheckCount: pm.Some(int64(0)), SystemSignalActivation: []pm.SystemSignalActivation{
		{Manifestation: pm.AlertSignalManifestationVis, State: pm.AlertActivationOn},
	}}
	state.DescriptorHandle, state.ActivationState = system.Handle, pm.AlertActivationOn
	return system, append(states, state)
}
