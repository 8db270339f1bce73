package light

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of metrics, for those who work with the device.
const (
	HandleMode         = "set.mode"
	HandleSetIntensity = "set.intensity"
	HandleSetColour    = "set.colour"

	// HandleOutput is the present intensity, HandleIlluminance what it makes in the field, HandleWarmth the temperature of the head.
	HandleOutput      = "output"
	HandleIlluminance = "illuminance"
	HandleWarmth      = "temperature"
)

// OpSet is the handle of the operation that sets a setting's metric.
func OpSet(metric string) string { return "op." + metric }

// Alarm conditions.
const (
	AlarmWarm    = "alarm.warm"
	AlarmBattery = "alarm.battery"
)

type setting struct {
	build.Numeric
	value func(*Settings) *float64
}

func settings() []setting {
	row := func(handle, code, text string, unit build.Code, low, high string, v func(*Settings) *float64) setting {
		return setting{build.Numeric{
			Handle: handle, Type: build.Private(code, text), Unit: unit, Category: pm.MetricCategorySet, Resolution: "1", Low: low, High: high,
		}, v}
	}
	return []setting{
		row(HandleSetIntensity, "light-intensity", "Intensity", build.Percent(), "10", "100", func(s *Settings) *float64 { return &s.Intensity }),
		row(HandleSetColour, "light-colour", "Colour temperature", build.Private("K", "K"), "3500", "5000", func(s *Settings) *float64 { return &s.Colour }),
	}
}

func conditions() []build.Condition {
	const tec = pm.AlertConditionKindTec
	return []build.Condition{
		{Handle: AlarmWarm, Source: HandleWarmth, Type: build.Private(AlarmWarm, "Too warm, dimmed"), Kind: tec, Priority: pm.AlertConditionPriorityMe, Cause: "The head is too warm", Remedy: "Free the way of the air"},
		{Handle: AlarmBattery, Type: build.Private(AlarmBattery, "Battery low"), Kind: tec, Priority: pm.AlertConditionPriorityLo, Cause: "The battery is nearly empty", Remedy: "Connect to mains"},
	}
}

func device() (*mdib.Snapshot, error) {
	const m = pm.MetricCategoryMsrmt
	modes := []build.Code{build.Private(string(Off), "Off"), build.Private(string(Surgery), "Lights the field"), build.Private(string(Endoscopy), "Lightens the room")}
	states := []pm.State{build.AlertSystemState(build.HandleAlertSystem), build.AllowedValues(OpSet(HandleMode), string(Off), string(Surgery), string(Endoscopy))}
	control := []pm.MetricDescriptor{build.Enum(HandleMode, build.Private("light-mode", "Mode"), pm.MetricCategorySet, modes...)}
	ops := []pm.OperationDescriptor{build.SetString(OpSet(HandleMode), HandleMode, build.Private("set-light-mode", "Set the mode"), 16)}
	for _, s := range settings() {
		control = append(control, s.Descriptor())
		ops = append(ops, build.SetValue(OpSet(s.Handle), s.Handle, build.Private("set-"+s.Type.Code, "Set: "+s.Type.Text)))
		states = append(states, build.AllowedRange(OpSet(s.Handle), s.Low, s.High))
	}
	number := func(handle, code, text string, unit build.Code, resolution, high string) pm.MetricDescriptor {
		return build.Numeric{Handle: handle, Type: build.Private(code, text), Unit: unit, Category: m, Resolution: resolution, Low: "0", High: high, Period: time.Second}.Descriptor()
	}
	return build.Device{
		Type:  build.Private("surgical-light", "Surgical light"),
		Model: modelName, Number: modelNumber, Serial: serial,
		Alerts:     build.AlertSystem(build.HandleAlertSystem, selfCheck, nil, conditions()),
		Operations: append(ops, bedside.Operations(nil, conditions())...),
		VMDs: []*pm.VmdDescriptor{build.VMD("head", build.Private("light-head", "Light head"),
			build.Channel("head.control", build.Private("light-control", "Control"), control...),
			build.Channel("head.measurements", build.Private("light-measurements", "Measurements"),
				number(HandleOutput, "light-output", "Present intensity", build.Percent(), "1", "100"),
				number(HandleIlluminance, "light-illuminance", "Illuminance of the field", build.Private("klx", "klx"), "1", "200"),
				number(HandleWarmth, "light-temperature", "Temperature of the head", build.Celsius(), "0.1", "150"),
			),
		)},
		States: states,
	}.MDIB()
}
