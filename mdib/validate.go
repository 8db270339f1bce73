package mdib

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

// Validate tells what in an MDIB does not conform to the rules a device must keep, beyond the structure that every Snapshot has. Errors first, then
// in the order of the containment tree. It says nothing about rules that show only over time.
func Validate(s *Snapshot) []Finding {
	v := &validator{s: s}
	for e := range s.Entities() {
		v.entity(e)
	}
	slices.SortStableFunc(v.findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return v.findings
}

type validator struct {
	s        *Snapshot
	findings []Finding
	texts    map[textKey]string
}

type textKey struct {
	ref, lang, width string
	version          pm.Opt[uint64]
}

func (v *validator) add(sev Severity, id, handle, format string, args ...any) {
	v.findings = append(v.findings, Finding{ID: id, Handle: handle, Severity: sev, Message: fmt.Sprintf(format, args...)})
}

func (v *validator) errorf(id, handle, format string, args ...any) {
	v.add(SeverityError, id, handle, format, args...)
}

func (v *validator) warnf(id, handle, format string, args ...any) {
	v.add(SeverityWarning, id, handle, format, args...)
}

func (v *validator) entity(e Entity) {
	v.handle(e.Handle)
	v.flaws(e)
	v.typed(e)
	switch d := e.Descriptor.(type) {
	case *pm.MdsDescriptor:
		v.mds(e, d)
	case *pm.VmdDescriptor:
		if s, ok := e.State.(*pm.VmdState); ok && s.OperatingJurisdiction != nil && !lists(d.ApprovedJurisdictions) {
			v.errorf("BICEPS B-402_0", e.Handle, "the state names an operating jurisdiction, but the descriptor lists no approved ones")
		}
	case pm.MetricDescriptor:
		v.metric(e, d)
	case *pm.AlertSystemDescriptor:
		v.alertSystem(e, d)
	case pm.ConditionDescriptor:
		v.condition(e, d)
	case *pm.AlertSignalDescriptor:
		v.signal(e, d)
	case pm.OperationDescriptor:
		v.operation(e, d)
	case pm.ContextDescriptor:
		v.context(e)
	}
	v.activation(e)
	v.states(e)
	v.localized(e)
}

func (v *validator) handle(h string) {
	for i := range len(h) {
		if h[i] < 0x21 || h[i] > 0x7E {
			v.errorf(idHandleChars, h, "a handle holds visible ASCII characters only")
			return
		}
	}
}

// flaws: what the schema does not allow. In an MDIB that was read there is none; one that a program has put together may have some.
func (v *validator) flaws(e Entity) {
	tell := func(handle, flaw string, of pm.QName) {
		if flaw != "" {
			v.errorf(idSchema, handle, "of the %s %s", of.Local, flaw)
		}
	}
	tell(e.Handle, pm.DescriptorFlaw(e.Descriptor), e.Descriptor.TypeName())
	tell(e.Handle, pm.TextFlaw(e.Descriptor), e.Descriptor.TypeName())
	if e.State != nil {
		tell(e.Handle, pm.StateFlaw(e.State), e.State.TypeName())
	}
	for _, c := range e.Contexts {
		tell(c.BaseMulti().Handle, pm.StateFlaw(c), c.TypeName())
		tell(c.BaseMulti().Handle, pm.TextFlaw(c), c.TypeName())
	}
}

// typed: GLUE R0080.
func (v *validator) typed(e Entity) {
	switch e.Descriptor.(type) {
	case *pm.MdsDescriptor, *pm.VmdDescriptor, *pm.ChannelDescriptor, pm.OperationDescriptor, pm.ConditionDescriptor, pm.MetricDescriptor:
		if e.Descriptor.Base().Type == nil {
			v.errorf("GLUE R0080", e.Handle, "the %s has no Type", e.Descriptor.TypeName().Local)
		}
	}
}

func lists(j *pm.ApprovedJurisdictions) bool { return j != nil && len(j.ApprovedJurisdiction) > 0 }

func (v *validator) mds(e Entity, d *pm.MdsDescriptor) {
	if s, ok := e.State.(*pm.MdsState); ok && s.OperatingJurisdiction != nil && !lists(d.ApprovedJurisdictions) {
		v.errorf("BICEPS B-284_0", e.Handle, "the state names an operating jurisdiction, but the descriptor lists no approved ones")
	}
	for child := range v.s.Children(e.Handle) {
		if _, ok := Get[*pm.ClockDescriptor](v.s, child); ok {
			if _, ok := Get[*pm.ClockState](v.s, child); !ok {
				v.errorf("GLUE R0010_0", e.Handle, "the clock %q has no state", child)
			}
			return
		}
	}
	v.errorf("GLUE R0010_0", e.Handle, "the MDS has no clock")
}

// states: every descriptor other than a context has its state, and the state refers to the version of its descriptor.
func (v *validator) states(e Entity) {
	version := e.Descriptor.Base().DescriptorVersion
	check := func(s pm.State) {
		if got := s.BaseState().DescriptorVersion; got != version {
			v.errorf("BICEPS R5051", pm.HandleOf(s), "the state refers to descriptor version %d, the descriptor has %d", got, version)
		}
	}
	if isContext(e.Descriptor) {
		for _, c := range e.Contexts {
			v.handle(c.BaseMulti().Handle)
			check(c)
		}
		return
	}
	if e.State == nil {
		v.errorf(idPairing, e.Handle, "the %s has no state", e.Descriptor.TypeName().Local)
		return
	}
	check(e.State)
}

func (v *validator) metric(e Entity, d pm.MetricDescriptor) {
	for i := range d.BaseMetric().Relation {
		for _, h := range d.BaseMetric().Relation[i].Entries {
			v.reference("BICEPS references", e.Handle, "Relation/@Entries", h)
		}
	}
	s, ok := e.State.(pm.MetricState)
	if !ok {
		return
	}
	value, has := valueOf(s)
	if value == nil {
		return
	}
	q := value.MetricQuality.Validity
	switch {
	case has && (q == pm.MeasurementValidityOng || q == pm.MeasurementValidityNA):
		v.errorf(idNoValue, e.Handle, "there is a value although its validity is %s", q)
	case has && !value.DeterminationTime.IsSet():
		v.errorf("GLUE R0011", e.Handle, "the value has no determination time")
	}
	v.ranges(e, s)
}

// ranges: values lie within a technical range, or do not pass for valid (SetNumeric sees to it), texts among the allowed ones, annotations within the samples.
func (v *validator) ranges(e Entity, s pm.MetricState) {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		d := e.Descriptor.(*pm.NumericMetricDescriptor)
		if x, ok := s.MetricValue.Value.Get(); ok && claimed(&s.MetricValue.AbstractMetricValue) && !pm.InRanges(d.TechnicalRange, x) {
			v.warnf(idRanges, e.Handle, "%s is outside of every technical range, %s", x, pm.RangesText(d.TechnicalRange))
		}
	case *pm.EnumStringMetricState:
		d := e.Descriptor.(*pm.EnumStringMetricDescriptor)
		if x, ok := s.MetricValue.Value.Get(); ok && !allowed(d, x) {
			v.warnf(idRanges, e.Handle, "%q is none of the allowed values", clip(x))
		}
	case *pm.RealTimeSampleArrayMetricState:
		v.samples(e.Handle, s.MetricValue, e.Descriptor.(*pm.RealTimeSampleArrayMetricDescriptor).TechnicalRange)
	case *pm.DistributionSampleArrayMetricState:
		v.samples(e.Handle, s.MetricValue, e.Descriptor.(*pm.DistributionSampleArrayMetricDescriptor).TechnicalRange)
	}
}

// claimed tells whether a value passes for a valid one.
func claimed(v *pm.AbstractMetricValue) bool {
	return v.MetricQuality.Validity == pm.MeasurementValidityVld || v.MetricQuality.Validity == pm.MeasurementValidityVldated
}

func (v *validator) samples(handle string, m *pm.SampleArrayValue, ranges []pm.Range) {
	for i := range m.Samples {
		if claimed(&m.AbstractMetricValue) && !pm.InRanges(ranges, m.Samples[i]) {
			v.warnf(idRanges, handle, "sample %d, %s, is outside of every technical range, %s", i, m.Samples[i], pm.RangesText(ranges))
			break
		}
	}
	for _, a := range m.ApplyAnnotation {
		if int64(a.AnnotationIndex) >= int64(len(m.Annotation)) || int64(a.SampleIndex) >= int64(len(m.Samples)) {
			v.errorf("BICEPS samples", handle, "annotation %d of sample %d points outside", a.AnnotationIndex, a.SampleIndex)
		}
	}
}

// reference: what a handle reference names should be there.
func (v *validator) reference(id, handle, where, ref string) bool {
	if v.s.nodes.Has(ref) || v.s.states.Has(ref) {
		return true
	}
	v.warnf(id, handle, "%s names %q, which does not exist", where, clip(ref))
	return false
}

// operation: BICEPS B-6_0 and the references of an operation.
func (v *validator) operation(e Entity, d pm.OperationDescriptor) {
	target := d.BaseOperation().OperationTarget
	if !v.s.nodes.Has(target) && !v.s.states.Has(target) {
		v.errorf("BICEPS B-6_0", e.Handle, "the operation target %q does not exist", clip(target))
		return
	}
	owner, _ := v.s.Parent(e.Parent) // the SCO's parent
	for h := target; h != ""; h, _ = v.s.Parent(h) {
		if h == owner {
			return
		}
	}
	v.errorf("BICEPS B-6_0", e.Handle, "the operation target %q is not below %q, which owns the SCO", target, owner)
}

// alertSystem: its lists and summaries (BICEPS alert lists, B-128).
func (v *validator) alertSystem(e Entity, _ *pm.AlertSystemDescriptor) {
	s, ok := e.State.(*pm.AlertSystemState)
	if !ok {
		return
	}
	var physiological, technical []string
	signals := map[pm.AlertSignalManifestation][]pm.AlertActivation{}
	for child := range v.s.Children(e.Handle) {
		if c, ok := Get[pm.ConditionState](v.s, child); ok {
			v.followSystem(child, s.ActivationState, c.BaseAlert().ActivationState)
			if !c.BaseCondition().Presence {
				continue
			}
			if s.ActivationState != pm.AlertActivationOn {
				v.errorf("BICEPS R0029_0", child, "the condition is present although its alert system is %s", s.ActivationState)
			}
			d, _ := Get[pm.ConditionDescriptor](v.s, child)
			switch d.BaseCondition().Kind {
			case pm.AlertConditionKindPhy:
				physiological = append(physiological, child)
			case pm.AlertConditionKindTec:
				technical = append(technical, child)
			}
		}
		if a, ok := Get[*pm.AlertSignalState](v.s, child); ok {
			v.followSystem(child, s.ActivationState, a.ActivationState)
			d, _ := Get[*pm.AlertSignalDescriptor](v.s, child)
			if a.LocationOrDefault() == pm.AlertSignalPrimaryLocationLoc {
				signals[d.Manifestation] = append(signals[d.Manifestation], a.ActivationState)
			}
		}
	}
	if !sameHandles(physiological, s.PresentPhysiologicalAlarmConditions) {
		v.errorf("BICEPS alert lists", e.Handle, "PresentPhysiologicalAlarmConditions lists %v, present are %v", s.PresentPhysiologicalAlarmConditions, physiological)
	}
	if !sameHandles(technical, s.PresentTechnicalAlarmConditions) {
		v.errorf("BICEPS alert lists", e.Handle, "PresentTechnicalAlarmConditions lists %v, present are %v", s.PresentTechnicalAlarmConditions, technical)
	}
	for _, a := range s.SystemSignalActivation {
		if all := signals[a.Manifestation]; len(all) > 0 && a.State != summary(all) {
			v.errorf("BICEPS B-128", e.Handle, "SystemSignalActivation says %s for %s, the signals are %v", a.State, a.Manifestation, signals[a.Manifestation])
		}
	}
}

// followSystem: BICEPS R0116.
func (v *validator) followSystem(handle string, system, own pm.AlertActivation) {
	if system != pm.AlertActivationOn && own != system {
		v.errorf("BICEPS R0116", handle, "the alert system is %s, so this must be, it is %s", system, own)
	}
}

func sameHandles(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (v *validator) condition(e Entity, d pm.ConditionDescriptor) {
	for _, h := range d.BaseCondition().Source {
		v.reference("BICEPS references", e.Handle, "Source", h)
	}
	s, ok := e.State.(pm.ConditionState)
	if !ok {
		return
	}
	c := s.BaseCondition()
	if c.Presence && c.ActivationState != pm.AlertActivationOn {
		v.errorf("BICEPS R0029_0", e.Handle, "the condition is present although it is %s", c.ActivationState)
	}
	if c.Presence && !c.DeterminationTime.IsSet() {
		v.warnf("GLUE R0012_0_0", e.Handle, "the condition is present without a determination time")
	}
	if l, ok := s.(*pm.LimitAlertConditionState); ok {
		m := e.Descriptor.(*pm.LimitAlertConditionDescriptor).MaxLimits
		for _, x := range []pm.Opt[pm.Decimal]{l.Limits.Lower, l.Limits.Upper} {
			if x, ok := x.Get(); ok && !m.Contains(x) {
				v.warnf(idRanges, e.Handle, "the limit %s is outside of MaxLimits, %s", x, m)
			}
		}
	}
}

func (v *validator) signal(e Entity, d *pm.AlertSignalDescriptor) {
	if d.ConditionSignaled == "" {
		return
	}
	if v.reference("BICEPS references", e.Handle, "ConditionSignaled", d.ConditionSignaled) {
		if _, ok := Get[pm.ConditionDescriptor](v.s, d.ConditionSignaled); !ok {
			v.warnf("BICEPS references", e.Handle, "ConditionSignaled names %q, which is no alert condition", d.ConditionSignaled)
		}
	}
}

// context: BICEPS R0124, R0133; GLUE R0013, R0072.
func (v *validator) context(e Entity) {
	associated := 0
	for _, c := range e.Contexts {
		b := c.BaseContext()
		if b.ContextAssociation == pm.ContextAssociationAssoc {
			associated++
		}
		if b.BindingMdibVersion.IsSet() && !b.BindingStartTime.IsSet() {
			v.errorf("GLUE R0013", b.Handle, "the context state has a binding version but no binding start time")
		}
		if b.UnbindingMdibVersion.IsSet() && !b.BindingEndTime.IsSet() {
			v.errorf("GLUE R0072", b.Handle, "the context state has an unbinding version but no binding end time")
		}
	}
	switch e.Descriptor.(type) {
	case *pm.PatientContextDescriptor:
		if associated > 1 {
			v.errorf("BICEPS R0124", e.Handle, "%d patients are associated", associated)
		}
	case *pm.LocationContextDescriptor:
		if associated > 1 {
			v.errorf("BICEPS R0133", e.Handle, "%d locations are associated", associated)
		}
	}
}

// activation: below a component that is off everything is off, operations are not available (BICEPS R0025_0), and neither should be operations on what is below it.
func (v *validator) activation(e Entity) {
	if e.Parent == "" || e.State == nil {
		return
	}
	if _, off := v.s.OffAbove(e.Handle); !off {
		s, isOperation := e.State.(pm.OperationState)
		if h, off := OperationOff(v.s, e.Handle); isOperation && off && s.BaseOperation().OperatingMode == pm.OperatingModeEn {
			v.warnf("BICEPS R0025_0", e.Handle, "the operation is %s, but %q, which its target is below, is off", pm.OperatingModeEn, h)
		}
		return
	}
	is := ""
	switch s := e.State.(type) {
	case pm.ComponentState:
		is = string(s.BaseComponent().ActivationStateOrDefault())
	case pm.MetricState:
		is = string(s.BaseMetric().ActivationStateOrDefault())
	case pm.AlertState:
		is = string(s.BaseAlert().ActivationState)
	case pm.OperationState:
		if m := s.BaseOperation().OperatingMode; m != pm.OperatingModeNA {
			v.errorf("BICEPS R0025_0", e.Handle, "a component above is off, so the operation must not be available, it is %s", m)
		}
		return
	}
	if is != "Off" {
		v.errorf("BICEPS R0025_0", e.Handle, "a component above is off, so this must be, it is %s", is)
	}
}
