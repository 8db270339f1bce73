package pm

// The values the schema implies where an optional one is absent. Version counters (0) and the plain booleans
// (false) need no getter.

// CodingSystemOrDefault returns the coding system, DefaultCodingSystem if absent.
func (c *CodedValue) CodingSystemOrDefault() string { return or(c.CodingSystem, DefaultCodingSystem) }

// CodingSystemOrDefault returns the coding system, DefaultCodingSystem if absent.
func (t *Translation) CodingSystemOrDefault() string { return or(t.CodingSystem, DefaultCodingSystem) }

// RootOrDefault returns the root, NullFlavorRoot if absent (BICEPS R0135).
func (i *InstanceIdentifier) RootOrDefault() string { return or(i.Root, NullFlavorRoot) }

// SafetyClassificationOrDefault returns the safety classification, Inf if absent.
func (d *AbstractDescriptor) SafetyClassificationOrDefault() SafetyClassification {
	return or(d.SafetyClassification, SafetyClassificationInf)
}

// ActivationStateOrDefault returns the activation state, On if absent.
func (s *AbstractDeviceComponentState) ActivationStateOrDefault() ComponentActivation {
	return or(s.ActivationState, ComponentActivationOn)
}

// TypeOrDefault returns the calibration type, Unspec if absent.
func (c *CalibrationInfo) TypeOrDefault() CalibrationType { return or(c.Type, CalibrationTypeUnspec) }

// LangOrDefault returns the language, "en" if absent.
func (s *MdsState) LangOrDefault() string { return or(s.Lang, "en") }

// OperatingModeOrDefault returns the operating mode, Nml if absent.
func (s *MdsState) OperatingModeOrDefault() MdsOperatingMode {
	return or(s.OperatingMode, MdsOperatingModeNml)
}

// DefaultConditionGenerationDelayOrDefault returns the delay, PT0S if absent.
func (d *AlertConditionDescriptor) DefaultConditionGenerationDelayOrDefault() Duration {
	return d.DefaultConditionGenerationDelay.Or(durationOf("PT0S"))
}

// DefaultSignalGenerationDelayOrDefault returns the delay, PT0S if absent.
func (d *AlertSignalDescriptor) DefaultSignalGenerationDelayOrDefault() Duration {
	return d.DefaultSignalGenerationDelay.Or(durationOf("PT0S"))
}

// PresenceOrDefault returns the presence, Off if absent.
func (s *AlertSignalState) PresenceOrDefault() AlertSignalPresence {
	return or(s.Presence, AlertSignalPresenceOff)
}

// LocationOrDefault returns the location, Loc if absent.
func (s *AlertSignalState) LocationOrDefault() AlertSignalPrimaryLocation {
	return or(s.Location, AlertSignalPrimaryLocationLoc)
}

// ModeOrDefault returns the generation mode, Real if absent.
func (q *MetricQuality) ModeOrDefault() GenerationMode { return or(q.Mode, GenerationModeReal) }

// QiOrDefault returns the quality index, 1 if absent.
func (q *MetricQuality) QiOrDefault() Decimal { return q.Qi.Or(shortDecimal(1, 0)) }

// DerivationMethodOrDefault returns the derivation method. If absent it follows from the category: Man for
// Set and Preset, Auto for Msrmt, Clc and Rcmm; for Unspec nothing is implied and the result is "".
func (d *AbstractMetricDescriptor) DerivationMethodOrDefault() DerivationMethod {
	if d.DerivationMethod != "" {
		return d.DerivationMethod
	}
	switch d.MetricCategory {
	case MetricCategorySet, MetricCategoryPreset:
		return DerivationMethodMan
	case MetricCategoryMsrmt, MetricCategoryClc, MetricCategoryRcmm:
		return DerivationMethodAuto
	}
	return ""
}

// ActivationStateOrDefault returns the activation state, On if absent.
func (s *AbstractMetricState) ActivationStateOrDefault() ComponentActivation {
	return or(s.ActivationState, ComponentActivationOn)
}

// RetriggerableOrDefault returns whether the operation can be retriggered, true if absent.
func (d *AbstractOperationDescriptor) RetriggerableOrDefault() bool { return d.Retriggerable.Or(true) }

// AccessLevelOrDefault returns the access level, Usr if absent.
func (d *AbstractOperationDescriptor) AccessLevelOrDefault() AccessLevel {
	return or(d.AccessLevel, AccessLevelUsr)
}

// ContextAssociationOrDefault returns the association, No if absent.
func (s *AbstractContextState) ContextAssociationOrDefault() ContextAssociation {
	return or(s.ContextAssociation, ContextAssociationNo)
}

// CriticalityOrDefault returns the criticality, Lo if absent.
func (c *ClinicalInfo) CriticalityOrDefault() Criticality { return or(c.Criticality, CriticalityLo) }

func or[T ~string](v, def T) T {
	if v == "" {
		return def
	}
	return v
}
