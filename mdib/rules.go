package mdib

import (
	"slices"

	"github.com/semeco/go-sdc/mdib/pm"
)

// applyRules carries out what the standards ask of the provider when states change, on the private copies of the transaction, and
// refuses what they forbid. version is that of the commit. Rules may add edits of further states.
func (tx *Tx) applyRules(version uint64) error {
	var at pm.Timestamp
	now := func() pm.Timestamp { // one for all that this commit determines
		if at == 0 {
			at = pm.TimestampOf(tx.store.now())
		}
		return at
	}
	tx.alertRules()
	for i := 0; i < len(tx.edits); i++ { // grows
		e := &tx.edits[i]
		if e.dropped {
			continue
		}
		switch after := e.after.(type) {
		case pm.MetricState:
			if e.shared {
				continue
			}
			if err := metricRules(e.before, after, now); err != nil {
				return err
			}
		case pm.ConditionState:
			if err := tx.conditionRules(i, now); err != nil {
				return err
			}
		case pm.ContextState:
			if err := tx.contextRules(i, version, now); err != nil {
				return err
			}
		}
		if !tx.edits[i].shared {
			if flaw := pm.StateFlaw(tx.edits[i].after); flaw != "" {
				return ruleError(idSchema, tx.edits[i].handle(), "of the %s %s", tx.edits[i].after.TypeName().Local, flaw)
			}
			if c, ok := tx.edits[i].after.(pm.ContextState); ok { // names that people and scanners put in; of metrics SetString has seen to it
				if flaw := pm.TextFlaw(c); flaw != "" {
					return ruleError(idSchema, tx.edits[i].handle(), "of the %s %s", c.TypeName().Local, flaw)
				}
			}
		}
	}
	if err := tx.boundContexts(); err != nil {
		return err
	}
	return tx.presentAfterDeletion()
}

// valueOf returns the metric value of a state, nil if there is none, and whether it holds an actual value or samples.
func valueOf(s pm.State) (v *pm.AbstractMetricValue, has bool) {
	switch s := s.(type) {
	case *pm.NumericMetricState:
		if m := s.MetricValue; m != nil {
			return &m.AbstractMetricValue, m.Value.IsSet()
		}
	case *pm.StringMetricState:
		if m := s.MetricValue; m != nil {
			return &m.AbstractMetricValue, m.Value.IsSet()
		}
	case *pm.EnumStringMetricState:
		if m := s.MetricValue; m != nil {
			return &m.AbstractMetricValue, m.Value.IsSet()
		}
	case *pm.RealTimeSampleArrayMetricState:
		if m := s.MetricValue; m != nil {
			return &m.AbstractMetricValue, len(m.Samples) > 0
		}
	case *pm.DistributionSampleArrayMetricState:
		if m := s.MetricValue; m != nil {
			return &m.AbstractMetricValue, len(m.Samples) > 0
		}
	}
	return nil, false
}

// sameValue compares values or samples alone. Both states are of the same type and have a metric value.
func sameValue(a, b pm.State) bool {
	switch a := a.(type) {
	case *pm.NumericMetricState:
		return a.MetricValue.Value == b.(*pm.NumericMetricState).MetricValue.Value
	case *pm.StringMetricState:
		return a.MetricValue.Value == b.(*pm.StringMetricState).MetricValue.Value
	case *pm.EnumStringMetricState:
		return a.MetricValue.Value == b.(*pm.EnumStringMetricState).MetricValue.Value
	case *pm.RealTimeSampleArrayMetricState:
		return slices.Equal(a.MetricValue.Samples, b.(*pm.RealTimeSampleArrayMetricState).MetricValue.Samples)
	case *pm.DistributionSampleArrayMetricState:
		return slices.Equal(a.MetricValue.Samples, b.(*pm.DistributionSampleArrayMetricState).MetricValue.Samples)
	}
	return true
}

// metricRules: no value while the measurement is ongoing or not available; a value has a determination time (GLUE R0011). A value that
// changed while its time did not has been determined now: the application forgot to say when, and an old time would be a lie.
func metricRules(before pm.State, after pm.MetricState, now func() pm.Timestamp) error {
	v, has := valueOf(after)
	if v == nil || !has {
		return nil
	}
	if q := v.MetricQuality.Validity; q == pm.MeasurementValidityOng || q == pm.MeasurementValidityNA {
		return ruleError(idNoValue, pm.HandleOf(after), "there is a value although its validity is %s", q)
	}
	var old *pm.AbstractMetricValue
	if before != nil {
		old, _ = valueOf(before)
	}
	switch {
	case old != nil && old.DeterminationTime == v.DeterminationTime:
		if !sameValue(before, after) {
			v.DeterminationTime = pm.Some(now())
		}
	case !v.DeterminationTime.IsSet():
		v.DeterminationTime = pm.Some(now())
	}
	return nil
}

// conditionRules: a change of Presence has a new determination time (GLUE R0012_0_0), and the alert system lists exactly its present
// conditions (BICEPS alert lists).
func (tx *Tx) conditionRules(i int, now func() pm.Timestamp) error {
	after := tx.edits[i].after.(pm.ConditionState).BaseCondition()
	was, had := false, pm.Opt[pm.Timestamp]{}
	if before, ok := tx.edits[i].before.(pm.ConditionState); ok {
		was, had = before.BaseCondition().Presence, before.BaseCondition().DeterminationTime
	}
	if after.Presence == was {
		return nil
	}
	if after.DeterminationTime == had {
		t := now()
		if had.IsSet() && t == had.Or(0) {
			t++ // changed twice within a millisecond: an equal time would hide that
		}
		after.DeterminationTime = pm.Some(t)
	}
	d, ok := tx.Descriptor(after.DescriptorHandle)
	if !ok {
		return nil
	}
	tx.listPresent(tx.parent(after.DescriptorHandle), d, after.Presence)
	return nil
}

// presentAfterDeletion takes deleted conditions off the lists.
func (tx *Tx) presentAfterDeletion() error {
	if tx.description == nil {
		return nil
	}
	for i := range tx.description.deleted {
		d := &tx.description.deleted[i]
		if s, ok := tx.base.states.Get(d.Handle); ok && !tx.description.isDeleted[d.Parent] {
			if c, ok := s.(pm.ConditionState); ok && c.BaseCondition().Presence {
				tx.listPresent(d.Parent, d.Before, false)
			}
		}
	}
	return nil
}

func (tx *Tx) parent(handle string) string {
	get := tx.base.nodes.Get
	if tx.description != nil {
		get = tx.description.work.nodes.Get
	}
	n, ok := get(handle)
	if !ok {
		return ""
	}
	return n.parent
}

// listPresent puts a condition on the list of present ones of its alert system, or takes it off.
func (tx *Tx) listPresent(system string, condition pm.Descriptor, present bool) {
	c, ok := condition.(pm.ConditionDescriptor)
	if !ok {
		return
	}
	i := tx.touch(system)
	if i < 0 {
		return
	}
	s, ok := tx.edits[i].after.(*pm.AlertSystemState)
	if !ok {
		return
	}
	var list *[]pm.HandleRef
	switch c.BaseCondition().Kind {
	case pm.AlertConditionKindPhy:
		list = &s.PresentPhysiologicalAlarmConditions
	case pm.AlertConditionKindTec:
		list = &s.PresentTechnicalAlarmConditions
	default:
		return
	}
	handle := condition.Base().Handle
	at := slices.Index(*list, handle)
	switch {
	case present && at < 0:
		*list = append(slices.Clip(*list), handle)
	case !present && at >= 0:
		*list = slices.Delete(slices.Clone(*list), at, at+1) // a copy: what a snapshot holds stays as it is
		if len(*list) == 0 {
			*list = nil
		}
	}
}

// contextRules: the life cycle of an association, its binding versions and times (BICEPS binding versions, GLUE R0013, R0072), and that there is at
// most one associated patient and location (BICEPS R0124, R0133): a new one ends the former.
func (tx *Tx) contextRules(i int, version uint64, now func() pm.Timestamp) error {
	after := tx.edits[i].after.(pm.ContextState).BaseContext()
	is, was := after.ContextAssociationOrDefault(), pm.ContextAssociationNo
	var before *pm.AbstractContextState
	if b, ok := tx.edits[i].before.(pm.ContextState); ok {
		before = b.BaseContext()
		was = before.ContextAssociationOrDefault()
	}
	switch {
	case was == pm.ContextAssociationDis && (is == pm.ContextAssociationAssoc || is == pm.ContextAssociationPre),
		was == pm.ContextAssociationAssoc && is == pm.ContextAssociationPre:
		return ruleError(idLifeCycle, tx.edits[i].handle(), "the association cannot go from %s to %s; make a new context state", was, is)
	case is == pm.ContextAssociationAssoc && was != pm.ContextAssociationAssoc:
		after.BindingMdibVersion = pm.Some(version)
		if before != nil && after.BindingStartTime == before.BindingStartTime || !after.BindingStartTime.IsSet() {
			after.BindingStartTime = pm.Some(now())
		}
		after.UnbindingMdibVersion, after.BindingEndTime = pm.Opt[uint64]{}, pm.Opt[pm.Timestamp]{}
		if err := tx.disassociateOthers(i, version, now); err != nil {
			return err
		}
	case was == pm.ContextAssociationAssoc && is != pm.ContextAssociationAssoc:
		unbind(after, before, version, now)
	}
	after = tx.edits[i].after.(pm.ContextState).BaseContext()
	if after.BindingMdibVersion.IsSet() && !after.BindingStartTime.IsSet() {
		after.BindingStartTime = pm.Some(now())
	}
	if after.UnbindingMdibVersion.IsSet() && !after.BindingEndTime.IsSet() {
		after.BindingEndTime = pm.Some(now())
	}
	return nil
}

func unbind(after, before *pm.AbstractContextState, version uint64, now func() pm.Timestamp) {
	after.UnbindingMdibVersion = pm.Some(version)
	if !after.BindingEndTime.IsSet() || after.BindingEndTime == before.BindingEndTime {
		after.BindingEndTime = pm.Some(now())
	}
}

// disassociateOthers ends the associations a new one of the same patient or location context replaces.
func (tx *Tx) disassociateOthers(i int, version uint64, now func() pm.Timestamp) error {
	var id string
	switch tx.edits[i].after.(type) {
	case *pm.PatientContextState:
		id = "BICEPS R0124"
	case *pm.LocationContextState:
		id = "BICEPS R0133"
	default:
		return nil
	}
	descriptor := tx.edits[i].after.BaseState().DescriptorHandle
	for k := range tx.edits {
		o, ok := tx.edits[k].after.(pm.ContextState)
		if k == i || !ok || tx.edits[k].dropped || o.BaseState().DescriptorHandle != descriptor || o.BaseContext().ContextAssociation != pm.ContextAssociationAssoc {
			continue
		}
		if b, ok := tx.edits[k].before.(pm.ContextState); !ok || b.BaseContext().ContextAssociation != pm.ContextAssociationAssoc {
			return ruleError(id, tx.edits[i].handle(), "%q is associated in the same transaction, and only one can be", tx.edits[k].handle())
		}
	}
	for other := range tx.base.Associated(descriptor) {
		handle := other.BaseMulti().Handle
		k := tx.touch(handle)
		if k < 0 || k == i {
			continue
		}
		o := tx.edits[k].after.(pm.ContextState).BaseContext()
		if o.ContextAssociation != pm.ContextAssociationAssoc {
			continue // ended by the application
		}
		o.ContextAssociation = pm.ContextAssociationDis
		unbind(o, other.BaseContext(), version, now)
	}
	return nil
}
