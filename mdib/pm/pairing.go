package pm

// NewStateFor returns an empty state of the type that pairs with the descriptor (BICEPS R0023), with
// DescriptorHandle and DescriptorVersion filled in. Context states still need a handle of their own.
func NewStateFor(d Descriptor) State {
	var s State
	switch d.(type) {
	case *MdsDescriptor:
		s = new(MdsState)
	case *VmdDescriptor:
		s = new(VmdState)
	case *ChannelDescriptor:
		s = new(ChannelState)
	case *ScoDescriptor:
		s = new(ScoState)
	case *ClockDescriptor:
		s = new(ClockState)
	case *BatteryDescriptor:
		s = new(BatteryState)
	case *SystemContextDescriptor:
		s = new(SystemContextState)
	case *AlertSystemDescriptor:
		s = new(AlertSystemState)
	case *AlertConditionDescriptor:
		s = new(AlertConditionState)
	case *LimitAlertConditionDescriptor:
		s = new(LimitAlertConditionState)
	case *AlertSignalDescriptor:
		s = new(AlertSignalState)
	case *NumericMetricDescriptor:
		s = new(NumericMetricState)
	case *StringMetricDescriptor:
		s = new(StringMetricState)
	case *EnumStringMetricDescriptor:
		s = new(EnumStringMetricState)
	case *RealTimeSampleArrayMetricDescriptor:
		s = new(RealTimeSampleArrayMetricState)
	case *DistributionSampleArrayMetricDescriptor:
		s = new(DistributionSampleArrayMetricState)
	case *SetValueOperationDescriptor:
		s = new(SetValueOperationState)
	case *SetStringOperationDescriptor:
		s = new(SetStringOperationState)
	case *ActivateOperationDescriptor:
		s = new(ActivateOperationState)
	case *SetContextStateOperationDescriptor:
		s = new(SetContextStateOperationState)
	case *SetMetricStateOperationDescriptor:
		s = new(SetMetricStateOperationState)
	case *SetComponentStateOperationDescriptor:
		s = new(SetComponentStateOperationState)
	case *SetAlertStateOperationDescriptor:
		s = new(SetAlertStateOperationState)
	case *PatientContextDescriptor:
		s = new(PatientContextState)
	case *LocationContextDescriptor:
		s = new(LocationContextState)
	case *EnsembleContextDescriptor:
		s = new(EnsembleContextState)
	case *OperatorContextDescriptor:
		s = new(OperatorContextState)
	case *WorkflowContextDescriptor:
		s = new(WorkflowContextState)
	case *MeansContextDescriptor:
		s = new(MeansContextState)
	default:
		return nil
	}
	s.BaseState().DescriptorHandle = d.Base().Handle
	s.BaseState().DescriptorVersion = d.Base().DescriptorVersion
	return s
}

// StateTypeFor returns the name of the state type that pairs with the descriptor (BICEPS R0023).
func StateTypeFor(d Descriptor) QName {
	s := NewStateFor(d)
	if s == nil {
		return QName{}
	}
	return s.TypeName()
}

// Pairs reports whether a state of s's type may belong to a descriptor of d's type (BICEPS R0023).
func Pairs(d Descriptor, s State) bool {
	switch d.(type) {
	case *MdsDescriptor:
		_, ok := s.(*MdsState)
		return ok
	case *VmdDescriptor:
		_, ok := s.(*VmdState)
		return ok
	case *ChannelDescriptor:
		_, ok := s.(*ChannelState)
		return ok
	case *ScoDescriptor:
		_, ok := s.(*ScoState)
		return ok
	case *ClockDescriptor:
		_, ok := s.(*ClockState)
		return ok
	case *BatteryDescriptor:
		_, ok := s.(*BatteryState)
		return ok
	case *SystemContextDescriptor:
		_, ok := s.(*SystemContextState)
		return ok
	case *AlertSystemDescriptor:
		_, ok := s.(*AlertSystemState)
		return ok
	case *AlertConditionDescriptor:
		_, ok := s.(*AlertConditionState)
		return ok
	case *LimitAlertConditionDescriptor:
		_, ok := s.(*LimitAlertConditionState)
		return ok
	case *AlertSignalDescriptor:
		_, ok := s.(*AlertSignalState)
		return ok
	case *NumericMetricDescriptor:
		_, ok := s.(*NumericMetricState)
		return ok
	case *StringMetricDescriptor:
		_, ok := s.(*StringMetricState)
		return ok
	case *EnumStringMetricDescriptor:
		_, ok := s.(*EnumStringMetricState)
		return ok
	case *RealTimeSampleArrayMetricDescriptor:
		_, ok := s.(*RealTimeSampleArrayMetricState)
		return ok
	case *DistributionSampleArrayMetricDescriptor:
		_, ok := s.(*DistributionSampleArrayMetricState)
		return ok
	case *SetValueOperationDescriptor:
		_, ok := s.(*SetValueOperationState)
		return ok
	case *SetStringOperationDescriptor:
		_, ok := s.(*SetStringOperationState)
		return ok
	case *ActivateOperationDescriptor:
		_, ok := s.(*ActivateOperationState)
		return ok
	case *SetContextStateOperationDescriptor:
		_, ok := s.(*SetContextStateOperationState)
		return ok
	case *SetMetricStateOperationDescriptor:
		_, ok := s.(*SetMetricStateOperationState)
		return ok
	case *SetComponentStateOperationDescriptor:
		_, ok := s.(*SetComponentStateOperationState)
		return ok
	case *SetAlertStateOperationDescriptor:
		_, ok := s.(*SetAlertStateOperationState)
		return ok
	case *PatientContextDescriptor:
		_, ok := s.(*PatientContextState)
		return ok
	case *LocationContextDescriptor:
		_, ok := s.(*LocationContextState)
		return ok
	case *EnsembleContextDescriptor:
		_, ok := s.(*EnsembleContextState)
		return ok
	case *OperatorContextDescriptor:
		_, ok := s.(*OperatorContextState)
		return ok
	case *WorkflowContextDescriptor:
		_, ok := s.(*WorkflowContextState)
		return ok
	case *MeansContextDescriptor:
		_, ok := s.(*MeansContextState)
		return ok
	}
	return false
}
