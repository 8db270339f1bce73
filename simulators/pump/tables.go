package pump

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of metrics and operations, for those who work with the device.
const (
	HandleSetDrug  = "set.drug"
	HandleSetRate  = "set.rate"
	HandleSetVTBI  = "set.vtbi"
	HandleSetBolus = "set.bolus"

	HandleConcentration = "concentration"
	HandleStatus        = "status"
	HandleMode          = "mode"
	HandleFlow          = "flow"
	HandleDoseRate      = "dose.rate"
	HandleDelivered     = "volume.delivered"
	HandleRemaining     = "volume.remaining"
	HandleTimeLeft      = "time.remaining"
	HandlePressure      = "pressure"
	// HandleSupervised tells whether somebody watches over the patient: Yes, No or, if that was lost, Lost.
	HandleSupervised = "supervised"

	handleVMD      = "pump"
	handleDelivery = "pump.delivery"
	handleSource   = "pump.source"

	// OpStart starts the infusion, OpStop ends it, OpBolus gives a bolus. OpHold interrupts it while it is invoked again
	// within HoldLease, OpResume ends the hold.
	OpStart  = "op.start"
	OpStop   = "op.stop"
	OpBolus  = "op.bolus"
	OpHold   = "op.hold"
	OpResume = "op.resume"
	// OpSupervise says that somebody watches over the patient, and has to be invoked again within SupervisionLease; OpSuperviseEnd ends that.
	OpSupervise    = "op.supervise"
	OpSuperviseEnd = "op.supervise.end"
)

// Values of the metric HandleSupervised.
const (
	Supervised      = "Yes"
	Unsupervised    = "No"
	SupervisionLost = "Lost"
)

// OpSet is the handle of the operation that sets a setting's metric.
func OpSet(metric string) string { return "op." + metric }

// Alarm conditions.
const (
	AlarmOcclusion = "alarm.occlusion"
	AlarmComplete  = "alarm.complete"
	AlarmNearEnd   = "alarm.near-end"
	AlarmHoldOver  = "alarm.hold"
	AlarmUnwatched = "alarm.supervision"
	AlarmBattery   = "alarm.battery"
)

// setting is a row of the table of numeric settings.
type setting struct {
	build.Numeric
	value func(*Program) *float64
}

func settings() []setting {
	row := func(handle string, code, unit build.Code, low, high string, v func(*Program) *float64) setting {
		return setting{build.Numeric{
			Handle: handle, Type: code, Unit: unit, Category: pm.MetricCategorySet, Resolution: "0.1", Low: low, High: high,
		}, v}
	}
	return []setting{
		row(HandleSetRate, build.Code{Code: "157784", Name: "MDC_FLOW_FLUID_PUMP", Text: "Set rate"}, build.MilliLitrePerHour(), "0.1", "500", func(p *Program) *float64 { return &p.Rate }),
		row(HandleSetVTBI, build.Code{Code: "157884", Name: "MDC_VOL_FLUID_TBI", Text: "Volume to be infused"}, build.MilliLitre(), "0.1", "1000", func(p *Program) *float64 { return &p.VTBI }),
		row(HandleSetBolus, build.Private("bolus-volume", "Volume of a bolus"), build.MilliLitre(), "0.1", "5", func(p *Program) *float64 { return &p.BolusVolume }),
	}
}

func measurements() []build.Numeric {
	row := func(handle string, code, unit build.Code, c pm.MetricCategory, resolution, high string) build.Numeric {
		return build.Numeric{Handle: handle, Type: code, Unit: unit, Category: c, Resolution: resolution, Low: "0", High: high, Period: time.Second}
	}
	const m, c = pm.MetricCategoryMsrmt, pm.MetricCategoryClc
	return []build.Numeric{
		row(HandleFlow, build.Code{Code: "158014", Name: "MDC_FLOW_FLUID_PUMP_CURRENT", Text: "Present rate"}, build.MilliLitrePerHour(), m, "0.1", "500"),
		row(HandleDoseRate, build.Code{Code: "157924", Name: "MDC_RATE_DOSE", Text: "Present dose rate"}, build.MicroGramPerHour(), c, "1", "100000"),
		row(HandleDelivered, build.Code{Code: "157993", Name: "MDC_VOL_FLUID_DELIV_TOTAL", Text: "Delivered volume"}, build.MilliLitre(), m, "0.01", "100000"),
		row(HandleRemaining, build.Code{Code: "157872", Name: "MDC_VOL_FLUID_TBI_REMAIN", Text: "Remaining volume"}, build.MilliLitre(), c, "0.01", "1000"),
		row(HandleTimeLeft, build.Code{Code: "157916", Name: "MDC_TIME_PD_REMAIN", Text: "Remaining time at the set rate"}, build.Minute(), c, "1", "600000"),
		row(HandlePressure, build.Private("line-pressure", "Pressure in the line"), build.MmHg(), m, "1", "800"),
	}
}

func conditions() []build.Condition {
	const tec = pm.AlertConditionKindTec
	const hi, me, lo = pm.AlertConditionPriorityHi, pm.AlertConditionPriorityMe, pm.AlertConditionPriorityLo
	return []build.Condition{
		{Handle: AlarmOcclusion, Source: HandlePressure, Type: build.Code{Code: "196940", Name: "MDC_EVT_FLUID_LINE_OCCL", Text: "Line occluded"}, Kind: tec, Priority: hi, Cause: "The pressure in the line reached its limit; the pump has stopped", Remedy: "Open the line and start again"},
		{Handle: AlarmComplete, Type: build.Code{Code: "197292", Name: "MDC_EVT_PUMP_DELIV_COMP", Text: "Infusion complete"}, Kind: tec, Priority: me, Cause: "The volume is infused; the pump has stopped", Remedy: "Set another volume or remove the pump"},
		{Handle: AlarmNearEnd, Type: build.Code{Code: "197334", Name: "MDC_EVT_VOL_INFUS_NEAR_COMP", Text: "Infusion nearly complete"}, Kind: tec, Priority: lo, Cause: "The volume lasts for less than 5 minutes", Remedy: "Prepare another syringe"},
		{Handle: AlarmHoldOver, Type: build.Private(AlarmHoldOver, "Hold ended by itself"), Kind: tec, Priority: me, Cause: "Whoever held the infusion fell silent, or held it for too long", Remedy: "Check the patient; start or stop the pump"},
		{Handle: AlarmUnwatched, Type: build.Private(AlarmUnwatched, "Supervision lost"), Kind: tec, Priority: hi, Cause: "Whoever watched over the patient fell silent", Remedy: "Check the patient; start or stop the pump"},
		{Handle: AlarmBattery, Type: build.Private(AlarmBattery, "Battery low"), Kind: tec, Priority: me, Cause: "The battery is nearly empty", Remedy: "Connect to mains"},
	}
}

func drugs() (codes []build.Code, names []string) {
	for _, e := range library() {
		codes, names = append(codes, build.Private(string(e.Drug), string(e.Drug))), append(names, string(e.Drug))
	}
	return codes, names
}

func operations() []pm.OperationDescriptor {
	ops := []pm.OperationDescriptor{
		build.Activate(OpStart, handleDelivery, build.Private("pump-start", "Start the infusion")),
		build.Activate(OpStop, handleDelivery, build.Private("pump-stop", "Stop the infusion")),
		build.Activate(OpBolus, handleDelivery, build.Private("pump-bolus", "Give a bolus")),
		build.Leased(OpHold, handleDelivery, build.Private("pump-hold", "Hold the infusion; invoke again in time to go on holding"), HoldLease),
		build.Activate(OpResume, handleDelivery, build.Private("pump-resume", "End the hold")),
		build.Leased(OpSupervise, HandleSupervised, build.Private("pump-supervise", "Watch over the patient; invoke again in time to go on watching"), SupervisionLease),
		build.Activate(OpSuperviseEnd, HandleSupervised, build.Private("pump-supervise-end", "End the supervision")),
		build.SetString(OpSet(HandleSetDrug), HandleSetDrug, build.Private("set-drug", "Choose the drug"), 64),
	}
	for _, s := range settings() {
		ops = append(ops, build.SetValue(OpSet(s.Handle), s.Handle, build.Private("set-"+s.Handle, "Set: "+s.Type.Text)))
	}
	return append(ops, bedside.Operations(nil, conditions())...)
}

func device() (*mdib.Snapshot, error) {
	codes, names := drugs()
	states := []pm.State{build.AlertSystemState(build.HandleAlertSystem), build.AllowedValues(OpSet(HandleSetDrug), names...)}
	source := []pm.MetricDescriptor{
		build.Enum(HandleSetDrug, build.Code{Code: "184514", Name: "MDC_DRUG_NAME_LABEL", Text: "Drug"}, pm.MetricCategorySet, codes...),
		build.Numeric{
			Handle: HandleConcentration, Type: build.Code{Code: "157760", Name: "MDC_CONC_DRUG", Text: "Concentration"}, Unit: build.MicroGramPerMilliLitre(),
			Category: pm.MetricCategorySet, Resolution: "1", Low: "0", High: "10000",
		}.Descriptor(),
	}
	delivery := []pm.MetricDescriptor{
		build.Enum(HandleStatus, build.Code{Code: "184508", Name: "MDC_PUMP_STAT", Text: "Status of the pump"}, pm.MetricCategoryMsrmt,
			build.Private(string(Standby), "Not infusing"), build.Private(string(Infusing), "Infusing"), build.Private(string(Paused), "On hold")),
		build.Enum(HandleMode, build.Code{Code: "184504", Name: "MDC_PUMP_MODE", Text: "Mode of delivery"}, pm.MetricCategoryMsrmt,
			build.Private(string(Continuous), "Continuous"), build.Private(string(Bolus), "Bolus")),
		build.Enum(HandleSupervised, build.Private("pump-supervised", "Whether somebody watches over the patient"), pm.MetricCategoryMsrmt,
			build.Private(Supervised, "Yes"), build.Private(Unsupervised, "No"), build.Private(SupervisionLost, "It was lost")),
	}
	for _, s := range settings() {
		delivery = append(delivery, s.Descriptor())
		states = append(states, build.AllowedRange(OpSet(s.Handle), s.Low, s.High))
	}
	return build.Device{
		Type:  build.Code{Code: "69985", Name: "MDC_DEV_PUMP_INFUS_MDS", Text: "Infusion pump"},
		Model: modelName, Number: modelNumber, Serial: serial,
		Alerts:     build.AlertSystem(build.HandleAlertSystem, selfCheck, nil, conditions()),
		Operations: operations(),
		VMDs: []*pm.VmdDescriptor{build.VMD(handleVMD, build.Code{Code: "69986", Name: "MDC_DEV_PUMP_INFUS_VMD", Text: "Infusion pump"},
			build.Channel(handleSource, build.Code{Code: "70071", Name: "MDC_DEV_PUMP_INFUSATE_SOURCE_PRIMARY", Text: "Source"}, source...),
			build.Channel(handleDelivery, build.Code{Code: "70067", Name: "MDC_DEV_PUMP_DELIVERY_INFO", Text: "Delivery"}, append(delivery, build.Numerics(measurements())...)...),
		)},
		States: states,
	}.MDIB()
}
