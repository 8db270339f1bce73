package monitor

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Handles of metrics and operations, for those who work with the device.
const (
	HandleECGII = "ecg.ii"
	HandleECGV5 = "ecg.v5"
	HandlePleth = "spo2.pleth"
	HandleABP   = "art.wave"
	HandleCO2   = "co2.wave"

	HandleHR       = "ecg.hr"
	HandleSpO2     = "spo2.sat"
	HandlePR       = "spo2.pr"
	HandlePI       = "spo2.pi"
	HandleABPSys   = "art.sys"
	HandleABPDia   = "art.dia"
	HandleABPMean  = "art.mean"
	HandleNIBPSys  = "nibp.sys"
	HandleNIBPDia  = "nibp.dia"
	HandleNIBPMean = "nibp.mean"
	HandleCore     = "temp.core"
	HandleSkin     = "temp.skin"
	HandleEtCO2    = "co2.et"
	HandleFiCO2    = "co2.fi"
	HandleRR       = "co2.rr"

	// HandleHRLow and the next show limits as settings.
	HandleHRLow   = "set.hr.low"
	HandleHRHigh  = "set.hr.high"
	HandleSpO2Low = "set.spo2.low"

	handleNIBPVMD = "nibp"

	// OpNIBPStart and OpNIBPStop control the cuff.
	OpNIBPStart = "op.nibp.start"
	OpNIBPStop  = "op.nibp.stop"
)

// OpSet is the handle of the SetValue operation of a setting's metric.
func OpSet(metric string) string { return "op." + metric }

// Alarm conditions.
const (
	AlarmHR       = "alarm.hr"
	AlarmSpO2     = "alarm.spo2"
	AlarmABPMean  = "alarm.art"
	AlarmEtCO2    = "alarm.etco2"
	AlarmRR       = "alarm.rr"
	AlarmTemp     = "alarm.temp"
	AlarmAsystole = "alarm.asystole"
	AlarmApnoea   = "alarm.apnoea"
	AlarmECGOff   = "alarm.ecg.off"
	AlarmSpO2Off  = "alarm.spo2.off"
	AlarmABPOff   = "alarm.art.off"
	AlarmTempOff  = "alarm.temp.off"
	AlarmCO2Off   = "alarm.co2.off"
	AlarmBattery  = "alarm.battery"
)

// cuffCode is the compound that the three cuff pressures belong to (SDPi R0703).
func cuffCode() build.Code {
	return build.Code{Code: "150020", Name: "MDC_PRESS_BLD_NONINV", Text: "Non-invasive blood pressure"}
}

func cuff() []string { return []string{HandleNIBPSys, HandleNIBPDia, HandleNIBPMean} }

func numeric(handle, code, name, text string, unit build.Code, resolution, low, high string) build.Numeric {
	return build.Numeric{
		Handle: handle, Type: build.Code{Code: code, Name: name, Text: text}, Unit: unit, Category: pm.MetricCategoryMsrmt,
		Resolution: resolution, Low: low, High: high, Period: time.Second,
	}
}

func vmds() []*pm.VmdDescriptor {
	wave := func(handle, code, name, text string, unit build.Code, resolution, low, high string, period time.Duration) pm.MetricDescriptor {
		return build.Wave{
			Handle: handle, Type: build.Code{Code: code, Name: name, Text: text}, Unit: unit, Resolution: resolution, Low: low, High: high, Period: period,
		}.Descriptor(bedside.Step)
	}
	number := func(n build.Numeric) pm.MetricDescriptor { return n.Descriptor() }
	vmd := func(handle, vmdCode, vmdName, chanCode, chanName, text string, metrics ...pm.MetricDescriptor) *pm.VmdDescriptor {
		return build.VMD(handle, build.Code{Code: vmdCode, Name: vmdName, Text: text},
			build.Channel(handle+".chan", build.Code{Code: chanCode, Name: chanName, Text: text}, metrics...))
	}
	mmHg, bpm, percent := build.MmHg(), build.BeatsPerMinute(), build.Percent()
	return []*pm.VmdDescriptor{
		vmd("ecg", "70666", "MDC_DEV_ECG_RESP_VMD", "70667", "MDC_DEV_ECG_RESP_CHAN", "Electrocardiogram",
			wave(HandleECGII, "131330", "MDC_ECG_ELEC_POTL_II", "ECG lead II", build.MilliVolt(), "0.001", "-10", "10", 5*time.Millisecond),
			wave(HandleECGV5, "131335", "MDC_ECG_ELEC_POTL_V5", "ECG lead V5", build.MilliVolt(), "0.001", "-10", "10", 5*time.Millisecond),
			number(numeric(HandleHR, "147842", "MDC_ECG_HEART_RATE", "Heart rate", bpm, "1", "0", "350")),
			setting(HandleHRLow, "Lower limit of the heart rate", bpm, "20", "200"),
			setting(HandleHRHigh, "Upper limit of the heart rate", bpm, "40", "300"),
		),
		vmd("spo2", "69642", "MDC_DEV_ANALY_SAT_O2_VMD", "69643", "MDC_DEV_ANALY_SAT_O2_CHAN", "Pulse oximetry",
			wave(HandlePleth, "150452", "MDC_PULS_OXIM_PLETH", "Plethysmogram", build.Dimensionless(), "0.1", "-100", "200", 10*time.Millisecond),
			number(numeric(HandleSpO2, "150456", "MDC_PULS_OXIM_SAT_O2", "Oxygen saturation", percent, "1", "0", "100")),
			number(numeric(HandlePR, "149530", "MDC_PULS_OXIM_PULS_RATE", "Pulse rate", bpm, "1", "0", "350")),
			number(numeric(HandlePI, "150448", "MDC_PULS_OXIM_PERF_REL", "Perfusion index", percent, "0.01", "0", "20")),
			setting(HandleSpO2Low, "Lower limit of the oxygen saturation", percent, "50", "99"),
		),
		vmd("art", "69854", "MDC_DEV_METER_PRESS_BLD_VMD", "69855", "MDC_DEV_METER_PRESS_BLD_CHAN", "Arterial pressure",
			wave(HandleABP, "150036", "MDC_PRESS_BLD_ART_ABP", "Arterial pressure", mmHg, "0.1", "-50", "350", 10*time.Millisecond),
			number(numeric(HandleABPSys, "150037", "MDC_PRESS_BLD_ART_ABP_SYS", "Systolic arterial pressure", mmHg, "1", "-50", "350")),
			number(numeric(HandleABPDia, "150038", "MDC_PRESS_BLD_ART_ABP_DIA", "Diastolic arterial pressure", mmHg, "1", "-50", "350")),
			number(numeric(HandleABPMean, "150039", "MDC_PRESS_BLD_ART_ABP_MEAN", "Mean arterial pressure", mmHg, "1", "-50", "350")),
		),
		vmd(handleNIBPVMD, "69854", "MDC_DEV_METER_PRESS_BLD_VMD", "69855", "MDC_DEV_METER_PRESS_BLD_CHAN", "Cuff pressure", compound()...),
		vmd("temp", "69902", "MDC_DEV_METER_TEMP_VMD", "69903", "MDC_DEV_METER_TEMP_CHAN", "Temperature",
			number(numeric(HandleCore, "150368", "MDC_TEMP_CORE", "Core temperature", build.Celsius(), "0.1", "10", "45")),
			number(numeric(HandleSkin, "150388", "MDC_TEMP_SKIN", "Skin temperature", build.Celsius(), "0.1", "10", "45")),
		),
		vmd("co2", "69766", "MDC_DEV_GEN_CONC_AWAY_VMD", "69767", "MDC_DEV_GEN_CONC_AWAY_CHAN", "Capnography",
			wave(HandleCO2, "151700", "MDC_CONC_AWAY_CO2", "Carbon dioxide in the airway", mmHg, "0.1", "0", "200", 20*time.Millisecond),
			number(numeric(HandleEtCO2, "151708", "MDC_CONC_AWAY_CO2_ET", "End-tidal carbon dioxide", mmHg, "1", "0", "200")),
			number(numeric(HandleFiCO2, "151716", "MDC_CONC_AWAY_CO2_INSP", "Inspired carbon dioxide", mmHg, "1", "0", "200")),
			number(numeric(HandleRR, "151594", "MDC_CO2_RESP_RATE", "Respiratory rate from carbon dioxide", build.PerMinute(), "1", "0", "150")),
		),
	}
}

func setting(handle, text string, unit build.Code, low, high string) pm.MetricDescriptor {
	return build.Numeric{
		Handle: handle, Type: build.Private(handle, text), Unit: unit, Category: pm.MetricCategorySet, Resolution: "1", Low: low, High: high,
	}.Descriptor()
}

// compound makes the three cuff pressures, each related to the others (SDPi R0703 to R0706).
func compound() []pm.MetricDescriptor {
	rows := []build.Numeric{
		numeric(HandleNIBPSys, "150021", "MDC_PRESS_BLD_NONINV_SYS", "Systolic cuff pressure", build.MmHg(), "1", "0", "300"),
		numeric(HandleNIBPDia, "150022", "MDC_PRESS_BLD_NONINV_DIA", "Diastolic cuff pressure", build.MmHg(), "1", "0", "300"),
		numeric(HandleNIBPMean, "150023", "MDC_PRESS_BLD_NONINV_MEAN", "Mean cuff pressure", build.MmHg(), "1", "0", "300"),
	}
	out := make([]pm.MetricDescriptor, 0, len(rows))
	for _, row := range rows {
		row.Period = 0
		d := row.Descriptor()
		relation := pm.Relation{Kind: pm.RelationKindSST, Code: cuffCode().Value()}
		for _, other := range cuff() {
			if other != row.Handle {
				relation.Entries = append(relation.Entries, other)
			}
		}
		d.Relation = []pm.Relation{relation}
		d.MaxMeasurementTime = pm.Some(pm.DurationOf(time.Minute))
		out = append(out, d)
	}
	return out
}

func limits() []build.Limit {
	row := func(handle, source, text string, p pm.AlertConditionPriority, low, high, lowest, highest string) build.Limit {
		return build.Limit{
			Handle: handle, Source: source, Type: build.Private(handle, text), Priority: p, Low: low, High: high, Min: lowest, Max: highest,
			Delay: 2 * time.Second, Cause: text, Remedy: "Check the patient",
		}
	}
	const hi, me = pm.AlertConditionPriorityHi, pm.AlertConditionPriorityMe
	return []build.Limit{
		row(AlarmHR, HandleHR, "Heart rate outside limits", hi, "50", "120", "20", "300"),
		row(AlarmSpO2, HandleSpO2, "Oxygen saturation outside limits", hi, "90", "", "50", "100"),
		row(AlarmABPMean, HandleABPMean, "Mean arterial pressure outside limits", hi, "55", "120", "0", "300"),
		row(AlarmEtCO2, HandleEtCO2, "End-tidal carbon dioxide outside limits", me, "20", "60", "0", "150"),
		row(AlarmRR, HandleRR, "Respiratory rate outside limits", me, "6", "35", "0", "100"),
		row(AlarmTemp, HandleCore, "Core temperature outside limits", me, "35.0", "39.0", "20", "45"),
	}
}

func conditions() []build.Condition {
	const phy, tec = pm.AlertConditionKindPhy, pm.AlertConditionKindTec
	const hi, lo = pm.AlertConditionPriorityHi, pm.AlertConditionPriorityLo
	off := func(handle, text string) build.Condition {
		return build.Condition{Handle: handle, Type: build.Private(handle, text), Kind: tec, Priority: lo, Delay: time.Second, Cause: text, Remedy: "Attach the sensor"}
	}
	return []build.Condition{
		{Handle: AlarmAsystole, Type: build.Private(AlarmAsystole, "Asystole"), Kind: phy, Priority: hi, Cause: "No heart beat for 4 s", Remedy: "Check the patient"},
		{Handle: AlarmApnoea, Type: build.Code{Code: "199680", Name: "MDC_EVT_APNEA", Text: "No breath for 20 s"}, Kind: phy, Priority: hi, Cause: "No breath for 20 s", Remedy: "Check the patient"},
		off(AlarmECGOff, "ECG leads off"),
		off(AlarmSpO2Off, "Oximeter sensor off"),
		off(AlarmABPOff, "Arterial line disconnected"),
		off(AlarmTempOff, "Temperature probe off"),
		off(AlarmCO2Off, "Capnograph disconnected"),
		{Handle: AlarmBattery, Type: build.Private(AlarmBattery, "Battery low"), Kind: tec, Priority: lo, Cause: "The battery is nearly empty", Remedy: "Connect to mains"},
	}
}

// mirror is a limit that can also be set as a value.
type mirror struct {
	metric, condition string
	upper             bool
	low, high         string
}

func mirrors() []mirror {
	return []mirror{
		{HandleHRLow, AlarmHR, false, "20", "200"},
		{HandleHRHigh, AlarmHR, true, "40", "300"},
		{HandleSpO2Low, AlarmSpO2, false, "50", "99"},
	}
}

func device(das simulators.DAS) (*mdib.Snapshot, error) {
	ops := []pm.OperationDescriptor{
		build.Activate(OpNIBPStart, handleNIBPVMD, build.Private("nibp-start", "Start a cuff measurement")),
		build.Activate(OpNIBPStop, handleNIBPVMD, build.Private("nibp-stop", "Stop the cuff measurement")),
	}
	states := append([]pm.State{build.AlertSystemState(build.HandleAlertSystem)}, build.InitialLimits(limits())...)
	for _, m := range mirrors() {
		ops = append(ops, build.SetValue(OpSet(m.metric), m.metric, build.Private("set-"+m.metric, "Set the limit")))
		states = append(states, build.AllowedRange(OpSet(m.metric), m.low, m.high))
	}
	if das.Offered {
		more, err := bedside.DAS(das)
		if err != nil {
			return nil, err
		}
		ops = append(ops, more...)
	}
	return build.Device{
		Type:  build.Code{Code: "69965", Name: "MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS", Text: "Patient monitor"},
		Model: modelName, Number: modelNumber, Serial: serial,
		Alerts:     build.AlertSystem(build.HandleAlertSystem, selfCheck, limits(), conditions()),
		Operations: append(ops, bedside.Operations(limits(), conditions())...),
		VMDs:       vmds(),
		States:     states,
	}.MDIB()
}
