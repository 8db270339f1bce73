package ext

import "github.com/semeco/go-sdc/mdib/pm"

// EpochSupportType says which version of epochs a clock uses (SDPi R0600).
type EpochSupportType struct {
	// Version, implied value 1, see VersionOrDefault.
	Version pm.Opt[uint32] `sdc:"@Version,?"`
}

// VersionOrDefault returns the version, 1 if absent.
func (e *EpochSupportType) VersionOrDefault() uint32 { return e.Version.Or(1) }

// EpochSupport returns which epochs a clock uses (sdpi:EpochSupport), from the extension of a clock descriptor.
func EpochSupport(x pm.Extension) (EpochSupportType, bool, error) {
	return get[EpochSupportType](x, sdpi("EpochSupport"))
}

// SetEpochSupport puts it there.
func SetEpochSupport(x *pm.Extension, v EpochSupportType) {
	set(x, sdpi("EpochSupport"), v.AppendElement(nil, "sdpi:EpochSupport", ""))
}

// EpochsType lists the abrupt adjustments of a clock (SDPi R0605, R0610).
type EpochsType struct {
	// Version is the current epoch. Implied value 0.
	Version uint64      `sdc:"@Version,?"`
	Epoch   []EpochType `sdc:"Epoch,*"`
}

// EpochType is one adjustment, which ended an epoch.
type EpochType struct {
	// Version of the epoch that ended.
	Version uint64 `sdc:"@Version,1"`
	// Timestamp of the adjustment, by the clock as it was before.
	Timestamp pm.Timestamp `sdc:"@Timestamp,1"`
	// Offset to add to a time of this epoch to get one of the next; may be negative.
	Offset pm.Duration `sdc:"@Offset,1"`
}

// Epochs returns the adjustments of a clock (sdpi:Epochs), from the extension of a clock state.
func Epochs(x pm.Extension) (EpochsType, bool, error) { return get[EpochsType](x, sdpi("Epochs")) }

// SetEpochs puts them there.
func SetEpochs(x *pm.Extension, v EpochsType) {
	set(x, sdpi("Epochs"), v.AppendElement(nil, "sdpi:Epochs", ""))
}

// MetricEpochType gives the epochs of the timestamps of a metric value. As in the types below, Clock names
// the clock where that is not clear (SDPi R0612), and an absent epoch is the current one.
type MetricEpochType struct {
	Clock             pm.HandleRef   `sdc:"@Clock,?"`
	DeterminationTime pm.Opt[uint64] `sdc:"@DeterminationTime,?"`
	StartTime         pm.Opt[uint64] `sdc:"@StartTime,?"`
	StopTime          pm.Opt[uint64] `sdc:"@StopTime,?"`
}

// MetricEpoch returns the epochs (sdpi:MetricEpoch) from the extension of a metric value.
func MetricEpoch(x pm.Extension) (MetricEpochType, bool, error) {
	return get[MetricEpochType](x, sdpi("MetricEpoch"))
}

// SetMetricEpoch puts them there.
func SetMetricEpoch(x *pm.Extension, v MetricEpochType) {
	set(x, sdpi("MetricEpoch"), v.AppendElement(nil, "sdpi:MetricEpoch", ""))
}

// CalibrationInfoEpochType gives the epoch of the time of a calibration.
type CalibrationInfoEpochType struct {
	Clock pm.HandleRef   `sdc:"@Clock,?"`
	Time  pm.Opt[uint64] `sdc:"@Time,?"`
}

// CalibrationInfoEpoch returns the epoch (sdpi:CalibrationInfoEpoch) from the extension of a pm.CalibrationInfo.
func CalibrationInfoEpoch(x pm.Extension) (CalibrationInfoEpochType, bool, error) {
	return get[CalibrationInfoEpochType](x, sdpi("CalibrationInfoEpoch"))
}

// SetCalibrationInfoEpoch puts it there.
func SetCalibrationInfoEpoch(x *pm.Extension, v CalibrationInfoEpochType) {
	set(x, sdpi("CalibrationInfoEpoch"), v.AppendElement(nil, "sdpi:CalibrationInfoEpoch", ""))
}

// AlertSystemStateEpochType gives the epoch of the last self check.
type AlertSystemStateEpochType struct {
	Clock         pm.HandleRef   `sdc:"@Clock,?"`
	LastSelfCheck pm.Opt[uint64] `sdc:"@LastSelfCheck,?"`
}

// AlertSystemStateEpoch returns the epoch (sdpi:AlertSystemStateEpoch) from the extension of an alert system state.
func AlertSystemStateEpoch(x pm.Extension) (AlertSystemStateEpochType, bool, error) {
	return get[AlertSystemStateEpochType](x, sdpi("AlertSystemStateEpoch"))
}

// SetAlertSystemStateEpoch puts it there.
func SetAlertSystemStateEpoch(x *pm.Extension, v AlertSystemStateEpochType) {
	set(x, sdpi("AlertSystemStateEpoch"), v.AppendElement(nil, "sdpi:AlertSystemStateEpoch", ""))
}

// AlertConditionStateEpochType gives the epoch of the determination time of an alert condition.
type AlertConditionStateEpochType struct {
	Clock             pm.HandleRef   `sdc:"@Clock,?"`
	DeterminationTime pm.Opt[uint64] `sdc:"@DeterminationTime,?"`
}

// AlertConditionStateEpoch returns the epoch (sdpi:AlertConditionStateEpoch) from the extension of an alert condition state.
func AlertConditionStateEpoch(x pm.Extension) (AlertConditionStateEpochType, bool, error) {
	return get[AlertConditionStateEpochType](x, sdpi("AlertConditionStateEpoch"))
}

// SetAlertConditionStateEpoch puts it there.
func SetAlertConditionStateEpoch(x *pm.Extension, v AlertConditionStateEpochType) {
	set(x, sdpi("AlertConditionStateEpoch"), v.AppendElement(nil, "sdpi:AlertConditionStateEpoch", ""))
}

// AbstractContextStateEpochType gives the epochs of the binding times of a context.
type AbstractContextStateEpochType struct {
	Clock            pm.HandleRef   `sdc:"@Clock,?"`
	BindingStartTime pm.Opt[uint64] `sdc:"@BindingStartTime,?"`
	BindingEndTime   pm.Opt[uint64] `sdc:"@BindingEndTime,?"`
}

// AbstractContextStateEpoch returns the epochs (sdpi:AbstractContextStateEpoch) from the extension of a context state.
func AbstractContextStateEpoch(x pm.Extension) (AbstractContextStateEpochType, bool, error) {
	return get[AbstractContextStateEpochType](x, sdpi("AbstractContextStateEpoch"))
}

// SetAbstractContextStateEpoch puts them there.
func SetAbstractContextStateEpoch(x *pm.Extension, v AbstractContextStateEpochType) {
	set(x, sdpi("AbstractContextStateEpoch"), v.AppendElement(nil, "sdpi:AbstractContextStateEpoch", ""))
}
