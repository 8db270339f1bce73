package aggregate

import (
	"errors"
	"math"
	"time"

	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/station"
)

// BuiltIn are the rules that come with the package, with the limits given at each. None of them has been assessed for clinical use.
func BuiltIn() []Rule {
	return []Rule{
		ShockIndex(), RapidShallowBreathing(), StaticCompliance(), DynamicCompliance(), SaturationRatio(),
		Mean("mean-arterial-pressure-5min", "Mean arterial pressure, mean of 5 min", invasiveMean(), pm.MustDecimal("0.1"), 5*time.Minute),
		Difference("heart-rate-difference", "Difference of heart rate and pulse rate", heartRate(), pulseRate(), pm.MustDecimal("1"), Alarm{
			Type: Private("heart-rate-disagreement", "Heart rate and pulse rate disagree"), Limit: pm.MustDecimal("10"), After: 15 * time.Second,
			Cause: "The ECG and the pulse oximeter do not see the same heart rate", Remedy: "Check electrodes, sensor and patient",
		}),
	}
}

func from(codes ...string) []Source {
	out := make([]Source, len(codes))
	for i, c := range codes {
		out[i].Code = station.MDC(c)
	}
	return out
}

func doubtful(code, doubt string) Source { return Source{Code: station.MDC(code), Doubt: doubt} }

func perMinute() pm.CodedValue { return MDC("264864", "MDC_DIM_BEAT_PER_MIN", "/min") }
func breaths() pm.CodedValue   { return MDC("264928", "MDC_DIM_RESP_PER_MIN", "/min") }
func mmHg() pm.CodedValue      { return MDC("266016", "MDC_DIM_MMHG", "mmHg") }
func cmH2O() pm.CodedValue     { return MDC("266048", "MDC_DIM_CM_H2O", "cmH2O") }
func milliLitre() pm.CodedValue {
	return MDC("263762", "MDC_DIM_MILLI_L", "mL")
}
func litre() pm.CodedValue   { return MDC("263744", "MDC_DIM_L", "L") }
func percent() pm.CodedValue { return MDC("262688", "MDC_DIM_PERCENT", "%") }
func one() pm.CodedValue     { return MDC("262656", "MDC_DIM_DIMLESS", "1") }
func compliance() pm.CodedValue {
	return MDC("268050", "MDC_DIM_MILLI_L_PER_CM_H2O", "mL/cmH2O")
}

func upTo(most string) pm.Range {
	return pm.Range{Lower: pm.Some(pm.MustDecimal("0")), Upper: pm.Some(pm.MustDecimal(most))}
}

// heartRate is MDC_ECG_HEART_RATE.
func heartRate() Input { return Input{Label: "Heart rate", Unit: perMinute(), From: from("147842")} }

// pulseRate is MDC_PULS_OXIM_PULS_RATE.
func pulseRate() Input { return Input{Label: "Pulse rate", Unit: perMinute(), From: from("149530")} }

// systolic is MDC_PRESS_BLD_ART_ABP_SYS, MDC_PRESS_BLD_ART_SYS, MDC_PRESS_BLD_SYS or MDC_PRESS_BLD_NONINV_SYS.
func systolic() Input {
	return Input{Label: "Systolic pressure", Unit: mmHg(), From: from("150037", "150033", "150017", "150021")}
}

// invasiveMean is MDC_PRESS_BLD_ART_ABP_MEAN or MDC_PRESS_BLD_ART_MEAN.
func invasiveMean() Input {
	return Input{Label: "Mean arterial pressure", Unit: mmHg(), From: from("150039", "150035")}
}

// expired is MDC_VOL_AWAY_TIDAL_EXP.
func expired(unit pm.CodedValue) Input {
	return Input{Label: "Expired tidal volume", Unit: unit, From: from("152664")}
}

// peep is MDC_VENT_PRESS_AWAY_END_EXP_POS.
func peep() Input { return Input{Label: "PEEP", Unit: cmH2O(), From: from("151976")} }

var (
	errNotPositive = errors.New("an input that must be positive is not")
	errNegative    = errors.New("an input that must not be negative is")
)

// ratio is a/b of numbers that physics keeps positive.
func ratio(a, b float64) (float64, error) {
	switch {
	case b <= 0:
		return 0, errNotPositive
	case a < 0:
		return 0, errNegative
	}
	return a / b, nil
}

// ShockIndex is the heart rate over the systolic pressure, in 1/min/mmHg (commonly written without a unit). The pressure may be a non-invasive one of the last 5
// min; if that is more than 30 s from the heart rate the value is questionable.
func ShockIndex() Rule {
	rate := heartRate()
	rate.From = append(rate.From, doubtful("149530", "the pulse rate stands in for the heart rate"))
	return Rule{
		Name: "shock-index", Type: Private("shock-index", "Shock index"), Unit: UCUM("/min/mm[Hg]", "/min/mmHg"),
		Resolution: pm.MustDecimal("0.01"), Range: upTo("20"), Inputs: []Input{rate, systolic()}, Skew: 30 * time.Second, MaxSkew: 5 * time.Minute,
		Compute: func(x []float64) (float64, error) { return ratio(x[0], x[1]) },
	}
}

// RapidShallowBreathing is the rapid shallow breathing index (MDC_RESP_RAPID_SHALLOW_BREATHING_INDEX): the rate of spontaneous breaths over the tidal volume
// in litres. From the rate of all breaths it is questionable, because the ventilator's own breaths count in that.
func RapidShallowBreathing() Rule {
	rate := Input{Label: "Respiratory rate", Unit: breaths(), From: []Source{
		{Code: station.MDC("152498")},                                        // MDC_VENT_RESP_BTSD_P_RATE
		doubtful("152490", "the rate counts breaths of the ventilator, too"), // MDC_VENT_RESP_BTSD_PSAZC_RATE
	}}
	return Rule{
		Name: "rapid-shallow-breathing", Type: MDC("152860", "MDC_RESP_RAPID_SHALLOW_BREATHING_INDEX", "Rapid shallow breathing index"),
		Unit: UCUM("/min/L", "/min/L"), Resolution: pm.MustDecimal("1"), Range: upTo("5000"), Inputs: []Input{rate, expired(litre())},
		Compute: func(x []float64) (float64, error) { return ratio(x[0], x[1]) },
	}
}

// StaticCompliance is the compliance of the respiratory system (MDC_COMPL_LUNG): the expired tidal volume over plateau pressure above PEEP.
// MDC_COMPL_LUNG_STATIC would be by oesophageal pressure.
func StaticCompliance() Rule {
	plateau := Input{Label: "Plateau pressure", Unit: cmH2O(), From: from("152424")} // MDC_VENT_PRESS_RESP_PLAT
	return overPressure("static-compliance", MDC("151688", "MDC_COMPL_LUNG", "Static compliance"), plateau)
}

// DynamicCompliance is the expired tidal volume over the peak pressure above PEEP. The nomenclature has no code for that: MDC_COMPL_LUNG_DYNAMIC is
// found by least squares and MDC_COMPL_LUNG_DYN by transthoracic pressure.
func DynamicCompliance() Rule {
	peak := Input{Label: "Peak pressure", Unit: cmH2O(), From: from("151973")} // MDC_VENT_PRESS_AWAY_MAX
	return overPressure("dynamic-compliance", Private("dynamic-compliance", "Dynamic compliance"), peak)
}

func overPressure(name string, what pm.CodedValue, pressure Input) Rule {
	return Rule{
		Name: name, Type: what, Unit: compliance(), Resolution: pm.MustDecimal("0.1"), Range: upTo("1000"),
		Inputs:  []Input{expired(milliLitre()), pressure, peep()},
		Compute: func(x []float64) (float64, error) { return ratio(x[0], x[1]-x[2]) },
	}
}

// SaturationRatio is the oxygen saturation over the inspired fraction of oxygen (S/F), in percent as is customary: 98 % at 0.5 are 196. Above a saturation of
// 97 % it says little of the lung and is questionable. Inspired oxygen is measured, or set with doubt.
func SaturationRatio() Rule {
	saturation := Input{Label: "Oxygen saturation", Unit: percent(), From: from("150456")} // MDC_PULS_OXIM_SAT_O2
	oxygen := Input{Label: "Inspired oxygen", Unit: one(), From: []Source{                 // MDC_CONC_AWAY_O2_INSP
		{Code: station.MDC("152196")},
		{Code: station.MDC("152196"), Role: station.Setting, Doubt: "inspired oxygen is set and not measured"},
	}}
	return Rule{
		Name: "saturation-ratio", Type: Private("spo2-fio2-ratio", "S/F ratio"), Unit: percent(),
		Resolution: pm.MustDecimal("1"), Range: upTo("1000"), Inputs: []Input{saturation, oxygen}, Skew: 15 * time.Second, MaxSkew: time.Minute,
		Compute: func(x []float64) (float64, error) {
			switch s, f := x[0], x[1]; {
			case s < 0 || s > 100:
				return 0, errors.New("the saturation is not from 0 to 100 %")
			case f < 0.1 || f > 1:
				return 0, errors.New("the inspired oxygen is not from 10 to 100 %")
			case s > 97:
				return s / f, Doubt("above a saturation of 97 % the ratio says little")
			default:
				return s / f, nil
			}
		},
	}
}

// Mean is the mean of one input over a window, with a code of PrivateCodes that is the name, so that nobody takes it for the present value.
func Mean(name, label string, in Input, resolution pm.Decimal, window time.Duration) Rule {
	return Rule{
		Name: name, Type: Private(name, label), Unit: in.Unit, Resolution: resolution, Inputs: []Input{in}, Window: window, Interval: 5 * time.Second,
		Compute: func(x []float64) (float64, error) { return x[0], nil },
	}
}

// Difference is how far two sensors are apart that should agree, in the unit of the first, with an alarm for when they do not.
func Difference(name, label string, a, b Input, resolution pm.Decimal, alarm Alarm) Rule {
	b.Unit = a.Unit
	return Rule{
		Name: name, Type: Private(name, label), Unit: a.Unit, Resolution: resolution, Inputs: []Input{a, b}, Distinct: true, Alarm: &alarm,
		Compute: func(x []float64) (float64, error) { return math.Abs(x[0] - x[1]), nil },
	}
}
