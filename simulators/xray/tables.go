package xray

import (
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of metrics and operations, for those who work with the device.
const (
	HandleSetVoltage  = "set.voltage"
	HandleSetCharge   = "set.charge"
	HandleSetExposure = "set.exposure"

	// HandleState is the State of the device, HandleInterlock whether the interlock of the room is Closed or Open, HandleOutcome how the last
	// exposure ended, HandleCount how many there were, HandleMotion the largest flow in the airway during the last one.
	HandleState     = "state"
	HandleInterlock = "interlock"
	HandleOutcome   = "outcome"
	HandleCount     = "count"
	HandleMotion    = "motion"
	HandleDose      = "dose"

	handleVMD     = "generator"
	handleControl = "generator.control"
	handleResult  = "generator.result"

	// OpPrepare makes the device ready, OpExpose makes an exposure, OpAbort ends whatever the device does.
	OpPrepare = "op.prepare"
	OpExpose  = "op.expose"
	OpAbort   = "op.abort"
)

// Values of the metric HandleInterlock.
const (
	InterlockClosed = "Closed"
	InterlockOpen   = "Open"
)

// OpSet is the handle of the operation that sets a setting's metric.
func OpSet(metric string) string { return "op." + metric }

// Alarm conditions.
const (
	AlarmInterlock = "alarm.interlock"
	AlarmBattery   = "alarm.battery"
)

type setting struct {
	build.Numeric
	value func(*Settings) *float64
}

func settings() []setting {
	row := func(handle, code, text string, unit build.Code, resolution, low, high string, v func(*Settings) *float64) setting {
		return setting{build.Numeric{
			Handle: handle, Type: build.Private(code, text), Unit: unit, Category: pm.MetricCategorySet, Resolution: resolution, Low: low, High: high,
		}, v}
	}
	return []setting{
		row(HandleSetVoltage, "tube-voltage", "Voltage of the tube", build.KiloVolt(), "1", "40", "150", func(s *Settings) *float64 { return &s.Voltage }),
		row(HandleSetCharge, "tube-charge", "Product of tube current and time", build.Private("mAs", "mA.s"), "0.1", "0.5", "200", func(s *Settings) *float64 { return &s.Charge }),
		row(HandleSetExposure, "exposure-time", "Exposure time", build.MilliSecond(), "1", "5", "3000", func(s *Settings) *float64 { return &s.Exposure }),
	}
}

func conditions() []build.Condition {
	const tec = pm.AlertConditionKindTec
	return []build.Condition{
		{Handle: AlarmInterlock, Type: build.Private(AlarmInterlock, "Ended by the interlock"), Kind: tec, Priority: pm.AlertConditionPriorityMe, Cause: "The interlock was opened during preparation or exposure", Remedy: "Close the door and prepare again"},
		{Handle: AlarmBattery, Type: build.Private(AlarmBattery, "Battery low"), Kind: tec, Priority: pm.AlertConditionPriorityLo, Cause: "The battery is nearly empty", Remedy: "Connect to mains"},
	}
}

func operations() []pm.OperationDescriptor {
	ops := []pm.OperationDescriptor{
		build.Activate(OpPrepare, HandleState, build.Private("xray-prepare", "Make ready for an exposure")),
		build.Activate(OpExpose, HandleState, build.Private("xray-expose", "Make an exposure")),
		build.Activate(OpAbort, HandleState, build.Private("xray-abort", "End preparation or exposure")),
	}
	for _, s := range settings() {
		ops = append(ops, build.SetValue(OpSet(s.Handle), s.Handle, build.Private("set-"+s.Type.Code, "Set: "+s.Type.Text)))
	}
	return append(ops, bedside.Operations(nil, conditions())...)
}

func device() (*mdib.Snapshot, error) {
	const m = pm.MetricCategoryMsrmt
	states := []pm.State{build.AlertSystemState(build.HandleAlertSystem)}
	var control []pm.MetricDescriptor
	for _, s := range settings() {
		control = append(control, s.Descriptor())
		states = append(states, build.AllowedRange(OpSet(s.Handle), s.Low, s.High))
	}
	control = append(control,
		build.Enum(HandleState, build.Private("xray-state", "State of the device"), m, build.Private(string(Standby), "At rest"),
			build.Private(string(Preparing), "Being made ready"), build.Private(string(Ready), "Ready for an exposure"), build.Private(string(Exposing), "Emitting radiation")),
		build.Enum(HandleInterlock, build.Private("xray-interlock", "Interlock of the room"), m, build.Private(InterlockClosed, "Closed"), build.Private(InterlockOpen, "Open")),
	)
	number := func(handle, code, text string, unit build.Code, resolution, high string) pm.MetricDescriptor {
		return build.Numeric{Handle: handle, Type: build.Private(code, text), Unit: unit, Category: m, Resolution: resolution, Low: "0", High: high}.Descriptor()
	}
	result := []pm.MetricDescriptor{
		build.Enum(HandleOutcome, build.Private("xray-outcome", "How the last exposure ended"), m, build.Private(string(NoExposure), "None was made"),
			build.Private(string(Complete), "As set"), build.Private(string(Aborted), "Aborted")),
		number(HandleCount, "xray-count", "Exposures made", build.Dimensionless(), "1", "1000000"),
		number(HandleMotion, "xray-motion", "Largest flow in the airway during the last exposure", build.LitrePerMinute(), "0.1", "300"),
		number(HandleDose, "xray-dose-area", "Dose area product of all exposures", build.Private("mGy.cm2", "mGy.cm2"), "0.1", "1000000"),
	}
	return build.Device{
		Type:  build.Private("xray", "X-ray device"),
		Model: modelName, Number: modelNumber, Serial: serial,
		Alerts:     build.AlertSystem(build.HandleAlertSystem, selfCheck, nil, conditions()),
		Operations: operations(),
		VMDs: []*pm.VmdDescriptor{build.VMD(handleVMD, build.Private("xray-generator", "Generator"),
			build.Channel(handleControl, build.Private("xray-control", "Control"), control...),
			build.Channel(handleResult, build.Private("xray-result", "Result"), result...),
		)},
		States: states,
	}.MDIB()
}
