package ventilator

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of metrics and operations, for those who work with the device.
const (
	HandleMode     = "set.mode"
	HandleSetVT    = "set.vt"
	HandleSetRate  = "set.rate"
	HandleSetPEEP  = "set.peep"
	HandleSetPinsp = "set.pinsp"
	HandleSetFiO2  = "set.fio2"
	HandleSetTi    = "set.ti"
	HandleSetPause = "set.pause"
	HandleSetPmax  = "set.pmax"

	HandlePressure = "wave.pressure"
	HandleFlow     = "wave.flow"
	HandleVolume   = "wave.volume"

	HandlePpeak      = "ppeak"
	HandlePplat      = "pplat"
	HandlePmean      = "pmean"
	HandlePEEP       = "peep"
	HandleDriving    = "driving"
	HandleAutoPEEP   = "autopeep"
	HandleVTi        = "vti"
	HandleVTe        = "vte"
	HandleMVi        = "mvi"
	HandleMVe        = "mve"
	HandleLeak       = "leak"
	HandleRR         = "rr"
	HandleTi         = "ti"
	HandleIE         = "ie"
	HandleFlowInsp   = "flow.insp"
	HandleFlowExp    = "flow.exp"
	HandleCompliance = "cstat"
	HandleDynamic    = "cdyn"
	HandleResistance = "raw"
	HandleTau        = "tau"
	HandleFiO2       = "fio2"
	HandleEtCO2      = "etco2"

	// HandlePause tells whether the ventilation is paused (PauseState), HandlePauseLeft for how long at most, in seconds.
	HandlePause     = "pause.state"
	HandlePauseLeft = "pause.left"

	handleStatus       = "status"
	handleVMD          = "vent"
	handleSettings     = "vent.settings"
	handleMeasurements = "vent.measurements"
	handleWaves        = "vent.waves"

	// OpMode sets the mode, OpSettings several settings at once, OpHold holds the next
	// inspiration, OpFlush gives pure oxygen for two minutes.
	OpMode     = "op.mode"
	OpSettings = "op.settings"
	OpHold     = "op.hold"
	OpFlush    = "op.flush"

	// OpPauseInsp and OpPauseExp close the valves at the end of the next inspiration or expiration. The pause lasts while the call is
	// repeated within PauseLease, and never longer than PauseLimit. OpResume ends it.
	OpPauseInsp = "op.pause.insp"
	OpPauseExp  = "op.pause.exp"
	OpResume    = "op.resume"
)

// OpSet is the handle of the SetValue operation of a setting's metric.
func OpSet(metric string) string { return "op." + metric }

// Alarm conditions.
const (
	AlarmMV         = "alarm.mve"
	AlarmVTe        = "alarm.vte"
	AlarmPpeak      = "alarm.ppeak"
	AlarmPEEP       = "alarm.peep"
	AlarmRR         = "alarm.rr"
	AlarmFiO2       = "alarm.fio2"
	AlarmEtCO2      = "alarm.etco2"
	AlarmDisconnect = "alarm.disconnect"
	AlarmApnoea     = "alarm.apnoea"
	AlarmLimited    = "alarm.limited"
	AlarmPauseOver  = "alarm.pause"
	AlarmBattery    = "alarm.battery"
)

// setting is a row of the table of numeric settings.
type setting struct {
	build.Numeric
	value func(*Settings) *float64
}

// settings: the ranges are those of Settings.Validate. Codes that end in _SETTING are the
// nomenclature's own for settings; for the others the category of the metric says that it is one.
func settings() []setting {
	row := func(handle string, code, unit build.Code, resolution, low, high string, v func(*Settings) *float64) setting {
		return setting{build.Numeric{
			Handle: handle, Type: code, Unit: unit, Category: pm.MetricCategorySet, Resolution: resolution, Low: low, High: high,
		}, v}
	}
	return []setting{
		row(HandleSetVT, build.Code{Code: "16929196", Name: "MDC_VENT_VOL_TIDAL_SETTING", Text: "Tidal volume"}, build.MilliLitre(), "1", "100", "2000", func(s *Settings) *float64 { return &s.TidalVolume }),
		row(HandleSetRate, build.Code{Code: "16928802", Name: "MDC_VENT_RESP_RATE_SETTING", Text: "Respiratory rate"}, build.PerMinute(), "0.1", "4", "60", func(s *Settings) *float64 { return &s.Rate }),
		row(HandleSetPEEP, build.Code{Code: "16929192", Name: "MDC_VENT_PRESS_AWAY_END_EXP_POS_SETTING", Text: "PEEP"}, build.CmH2O(), "0.1", "0", "30", func(s *Settings) *float64 { return &s.PEEP }),
		row(HandleSetPinsp, build.Code{Code: "152720", Name: "MDC_VENT_PRESS_AWAY_DELTA", Text: "Inspiratory pressure above PEEP"}, build.CmH2O(), "0.1", "3", "60", func(s *Settings) *float64 { return &s.InspiratoryPressure }),
		row(HandleSetFiO2, build.Code{Code: "152196", Name: "MDC_CONC_AWAY_O2_INSP", Text: "Inspired oxygen"}, build.Percent(), "1", "21", "100", func(s *Settings) *float64 { return &s.FiO2 }),
		row(HandleSetTi, build.Code{Code: "152416", Name: "MDC_VENT_TIME_PD_INSP", Text: "Inspiratory time"}, build.Second(), "0.01", "0.3", "5", func(s *Settings) *float64 { return &s.InspiratoryTime }),
		row(HandleSetPause, build.Private("inspiratory-pause", "Inspiratory pause time"), build.Second(), "0.01", "0", "1", func(s *Settings) *float64 { return &s.PauseTime }),
		row(HandleSetPmax, build.Private("pressure-limit", "Inspiratory pressure limit"), build.CmH2O(), "0.1", "10", "80", func(s *Settings) *float64 { return &s.PressureLimit }),
	}
}

func modes() []build.Code {
	return []build.Code{
		build.Private(string(VolumeControl), "Volume-controlled mandatory ventilation"),
		build.Private(string(PressureControl), "Pressure-controlled mandatory ventilation"),
		build.Private(string(Standby), "Standby, no ventilation"),
	}
}

func pauses() []build.Code {
	return []build.Code{
		build.Private(string(NotPaused), "No pause"),
		build.Private(string(PauseRequested), "Ventilating until the end of the phase that was asked for"),
		build.Private(string(PausedInspiratory), "Paused, lung filled"),
		build.Private(string(PausedExpiratory), "Paused, lung emptied"),
	}
}

// measurements: those of category Clc are derived from others.
func measurements() []build.Numeric {
	row := func(handle, code, name, text string, unit build.Code, c pm.MetricCategory, resolution, low, high string) build.Numeric {
		return build.Numeric{
			Handle: handle, Type: build.Code{Code: code, Name: name, Text: text}, Unit: unit, Category: c,
			Resolution: resolution, Low: low, High: high, Period: 20 * time.Second,
		}
	}
	const m, c = pm.MetricCategoryMsrmt, pm.MetricCategoryClc
	return []build.Numeric{
		row(HandlePpeak, "151973", "MDC_VENT_PRESS_AWAY_MAX", "Peak airway pressure", build.CmH2O(), m, "0.1", "-20", "120"),
		row(HandlePplat, "152424", "MDC_VENT_PRESS_RESP_PLAT", "Plateau pressure", build.CmH2O(), m, "0.1", "-20", "120"),
		row(HandlePmean, "151975", "MDC_VENT_PRESS_AWAY_MEAN", "Mean airway pressure", build.CmH2O(), m, "0.1", "-20", "120"),
		row(HandlePEEP, "151976", "MDC_VENT_PRESS_AWAY_END_EXP_POS", "Measured PEEP", build.CmH2O(), m, "0.1", "-20", "60"),
		row(HandleDriving, "183316", "MDC_VENT_PRESS_AWAY_DIFF_INSP_END_EXP_END_AT_ZERO_FLOW", "Driving pressure", build.CmH2O(), c, "0.1", "0", "120"),
		row(HandleAutoPEEP, "151808", "MDC_PRESS_AWAY_END_EXP_POS_INTRINSIC", "Intrinsic PEEP", build.CmH2O(), c, "0.1", "0", "60"),
		row(HandleVTi, "152660", "MDC_VOL_AWAY_TIDAL_INSP", "Inspired tidal volume", build.MilliLitre(), m, "1", "0", "3000"),
		row(HandleVTe, "152664", "MDC_VOL_AWAY_TIDAL_EXP", "Expired tidal volume", build.MilliLitre(), m, "1", "0", "3000"),
		row(HandleMVi, "152004", "MDC_VENT_VOL_MINUTE_INSP", "Inspired minute volume", build.LitrePerMinute(), c, "0.01", "0", "100"),
		row(HandleMVe, "152000", "MDC_VENT_VOL_MINUTE_EXP", "Expired minute volume", build.LitrePerMinute(), c, "0.01", "0", "100"),
		row(HandleLeak, "153224", "MDC_VENT_VOL_LEAK_PERCENT", "Leakage", build.Percent(), c, "1", "0", "100"),
		row(HandleRR, "152490", "MDC_VENT_RESP_BTSD_PSAZC_RATE", "Total respiratory rate", build.PerMinute(), m, "0.1", "0", "120"),
		row(HandleTi, "152416", "MDC_VENT_TIME_PD_INSP", "Measured inspiratory time", build.Second(), m, "0.01", "0", "20"),
		row(HandleIE, "151832", "MDC_RATIO_IE", "I:E ratio, inspiration over expiration", build.Dimensionless(), c, "0.01", "0", "10"),
		row(HandleFlowInsp, "151948", "MDC_VENT_FLOW_INSP", "Peak inspiratory flow", build.LitrePerMinute(), m, "0.1", "0", "200"),
		row(HandleFlowExp, "151944", "MDC_VENT_FLOW_EXP", "Peak expiratory flow", build.LitrePerMinute(), m, "0.1", "0", "200"),
		row(HandleCompliance, "151696", "MDC_COMPL_LUNG_STATIC", "Static compliance", build.Compliance(), c, "0.1", "0", "300"),
		row(HandleDynamic, "152600", "MDC_COMPL_LUNG_DYNAMIC", "Dynamic compliance", build.Compliance(), c, "0.1", "0", "300"),
		row(HandleResistance, "151848", "MDC_RES_AWAY_INSP", "Inspiratory airway resistance", build.Resistance(), c, "0.1", "0", "200"),
		row(HandleTau, "153316", "MDC_RESP_TIME_CONSTANT_EXP", "Expiratory time constant", build.Second(), c, "0.01", "0", "20"),
		row(HandleFiO2, "152196", "MDC_CONC_AWAY_O2_INSP", "Measured inspired oxygen", build.Percent(), m, "1", "0", "100"),
		row(HandleEtCO2, "151708", "MDC_CONC_AWAY_CO2_ET", "End-tidal carbon dioxide", build.MmHg(), m, "1", "0", "150"),
	}
}

func waves() []build.Wave {
	return []build.Wave{
		{Handle: HandlePressure, Type: build.Code{Code: "151792", Name: "MDC_PRESS_AWAY", Text: "Airway pressure"}, Unit: build.CmH2O(), Resolution: "0.1", Low: "-20", High: "120", Period: sampleTime},
		{Handle: HandleFlow, Type: build.Code{Code: "151764", Name: "MDC_FLOW_AWAY", Text: "Airway flow, inspiration positive"}, Unit: build.LitrePerMinute(), Resolution: "0.1", Low: "-200", High: "200", Period: sampleTime},
		{Handle: HandleVolume, Type: build.Code{Code: "152708", Name: "MDC_VOL_AWAY", Text: "Inspired volume of the breath"}, Unit: build.MilliLitre(), Resolution: "1", Low: "-3000", High: "3000", Period: sampleTime},
	}
}

func limits() []build.Limit {
	const hi, me = pm.AlertConditionPriorityHi, pm.AlertConditionPriorityMe
	row := func(handle, source, text string, p pm.AlertConditionPriority, low, high, lowest, highest, remedy string) build.Limit {
		return build.Limit{
			Handle: handle, Source: source, Type: build.Private(handle, text), Priority: p, Low: low, High: high, Min: lowest, Max: highest,
			Delay: 2 * time.Second, Cause: text, Remedy: remedy,
		}
	}
	return []build.Limit{
		row(AlarmMV, HandleMVe, "Expired minute volume outside limits", hi, "3", "12", "0", "40", "Check the circuit, the settings and the patient"),
		row(AlarmVTe, HandleVTe, "Expired tidal volume outside limits", me, "250", "900", "0", "2500", "Check the circuit, the settings and the patient"),
		row(AlarmPpeak, HandlePpeak, "Airway pressure outside limits", hi, "", "35", "0", "100", "Check for secretions, a kinked tube and the settings"),
		row(AlarmPEEP, HandlePEEP, "Measured PEEP outside limits", me, "", "25", "0", "40", "Check the circuit and the settings"),
		row(AlarmRR, HandleRR, "Respiratory rate outside limits", me, "6", "35", "0", "100", "Check the settings and the patient"),
		row(AlarmFiO2, HandleFiO2, "Inspired oxygen outside limits", hi, "21", "", "18", "100", "Check the oxygen supply"),
		row(AlarmEtCO2, HandleEtCO2, "End-tidal CO2 outside limits", me, "20", "60", "0", "150", "Check the ventilation"),
	}
}

func conditions() []build.Condition {
	return []build.Condition{
		{Handle: AlarmDisconnect, Type: build.Code{Code: "197172", Name: "MDC_EVT_VENT_DISCONN", Text: "Patient disconnected"}, Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityHi, Delay: time.Second, Cause: "The circuit is open at the patient", Remedy: "Connect the circuit"},
		{Handle: AlarmApnoea, Type: build.Code{Code: "199680", Name: "MDC_EVT_APNEA", Text: "No breath for 20 s"}, Kind: pm.AlertConditionKindPhy, Priority: pm.AlertConditionPriorityHi, Cause: "No breath was measured for 20 s", Remedy: "Check patient and circuit"},
		{Handle: AlarmLimited, Type: build.Private(AlarmLimited, "Inspiration ended by the pressure limit"), Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityMe, Cause: "The airway pressure reached the pressure limit", Remedy: "Check the settings"},
		{Handle: AlarmPauseOver, Type: build.Private(AlarmPauseOver, "Pause ended by its time limit"), Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityMe, Cause: "The ventilation was paused for the longest time allowed", Remedy: "Check who asks for pauses"},
		{Handle: AlarmBattery, Type: build.Private(AlarmBattery, "Battery low"), Kind: pm.AlertConditionKindTec, Priority: pm.AlertConditionPriorityMe, Cause: "The battery is nearly empty", Remedy: "Connect to mains"},
	}
}

func operations() []pm.OperationDescriptor {
	ops := []pm.OperationDescriptor{
		build.SetString(OpMode, HandleMode, build.Private("set-mode", "Set the ventilation mode"), 16),
		build.SetMetricState(OpSettings, handleSettings, build.Private("set-settings", "Set several settings at once"), "pm:MetricValue"),
		build.Activate(OpHold, handleVMD, build.Private("inspiratory-hold", "Hold the next inspiration for 3 s")),
		build.Activate(OpFlush, HandleSetFiO2, build.Private("oxygen-flush", "Give 100 % oxygen for 2 minutes")),
	}
	ops = append(ops,
		build.Leased(OpPauseInsp, HandlePause, build.Private("pause-inspiratory", "Pause at the end of the next inspiration; invoke again in time to go on pausing"), PauseLease),
		build.Leased(OpPauseExp, HandlePause, build.Private("pause-expiratory", "Pause at the end of the next expiration; invoke again in time to go on pausing"), PauseLease),
		build.Activate(OpResume, HandlePause, build.Private("resume", "End the pause")),
	)
	for _, s := range settings() {
		ops = append(ops, build.SetValue(OpSet(s.Handle), s.Handle, build.Private("set-"+s.Handle, "Set: "+s.Type.Text)))
	}
	return append(ops, bedside.Operations(limits(), conditions())...)
}

// device builds the MDIB.
func device() (*mdib.Snapshot, error) {
	var set []pm.MetricDescriptor
	states := []pm.State{build.AlertSystemState(build.HandleAlertSystem), build.AllowedValues(OpMode, string(VolumeControl), string(PressureControl), string(Standby))}
	for _, s := range settings() {
		set = append(set, s.Descriptor())
		states = append(states, build.AllowedRange(OpSet(s.Handle), s.Low, s.High))
	}
	set = append(set, build.Enum(HandleMode, build.Code{Code: "184352", Name: "MDC_VENT_MODE", Text: "Ventilation mode"}, pm.MetricCategorySet, modes()...))
	states = append(states, build.InitialLimits(limits())...)
	measured := append(build.Numerics(measurements()), build.String(handleStatus, build.Private("status", "What the ventilator is doing"), pm.MetricCategoryMsrmt),
		build.Enum(HandlePause, build.Private("pause-state", "Whether the ventilation is paused"), pm.MetricCategoryMsrmt, pauses()...),
		build.Numeric{
			Handle: HandlePauseLeft, Type: build.Private("pause-left", "Longest time that the pause can still last"), Unit: build.Second(),
			Category: pm.MetricCategoryMsrmt, Resolution: "0.1", Low: "0", High: "10",
		}.Descriptor(),
	)
	return build.Device{
		Type:  build.Code{Code: "70001", Name: "MDC_DEV_SYS_PT_VENT_MDS", Text: "Ventilator"},
		Model: modelName, Number: modelNumber, Serial: serial,
		Alerts:     build.AlertSystem(build.HandleAlertSystem, selfCheck, limits(), conditions()),
		Operations: operations(),
		VMDs: []*pm.VmdDescriptor{build.VMD(handleVMD, build.Code{Code: "70002", Name: "MDC_DEV_SYS_PT_VENT_VMD", Text: "Ventilator"},
			build.Channel(handleSettings, build.Code{Code: "70003", Name: "MDC_DEV_SYS_PT_VENT_CHAN", Text: "Settings"}, set...),
			build.Channel(handleMeasurements, build.Code{Code: "70003", Name: "MDC_DEV_SYS_PT_VENT_CHAN", Text: "Measurements"}, measured...),
			build.Channel(handleWaves, build.Code{Code: "70003", Name: "MDC_DEV_SYS_PT_VENT_CHAN", Text: "Waveforms"}, build.Waves(bedside.Step, waves()...)...),
		)},
		States: states,
	}.MDIB()
}

func decimal(v float64, resolution string) pm.Decimal {
	d, _ := pm.DecimalFromFloat(v, bedside.Digits(pm.MustDecimal(resolution)))
	return d
}
