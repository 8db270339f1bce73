package monitor

import (
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/measure"
	"github.com/semeco/go-sdc/simulators/physio"
)

// Sensor is a sensor on the patient.
type Sensor string

// The sensors of the monitor.
const (
	SensorECG         Sensor = "ecg"
	SensorSpO2        Sensor = "spo2"
	SensorABP         Sensor = "abp"
	SensorTemperature Sensor = "temperature"
	SensorCO2         Sensor = "co2"
)

type attached struct{ ecg, spo2, abp, temp, co2 bool }

// signals are the measuring channels: waveforms on the way out and the detectors on them.
type signals struct {
	ii, v5, pleth, abp, co2 *bedside.Trace
	heart                   *measure.HeartRate
	oximeter                *measure.Oximeter
	pressure                *measure.Pressure
	capnograph              *measure.Capnograph
	core, skin              float64
	n                       int
	noBeat, noBreath        float64 // s since the last one
}

func newSignals() *signals {
	s := &signals{
		ii: bedside.NewTrace(HandleECGII, 3), v5: bedside.NewTrace(HandleECGV5, 3), pleth: bedside.NewTrace(HandlePleth, 1),
		abp: bedside.NewTrace(HandleABP, 1), co2: bedside.NewTrace(HandleCO2, 1),
	}
	dt := simulators.SampleStep.Seconds()
	s.heart, s.oximeter, s.pressure, s.capnograph = measure.NewHeartRate(dt), measure.NewOximeter(dt), measure.NewPressure(dt), measure.NewCapnograph(dt)
	return s
}

func (s *signals) traces() []*bedside.Trace {
	return []*bedside.Trace{s.ii, s.v5, s.pleth, s.abp, s.co2}
}

// add takes a sample of the bed. A sensor that is off yields nothing.
func (s *signals) add(x physio.Signals, on attached) {
	dt := simulators.SampleStep.Seconds()
	half, quarter := s.n%2 == 0, s.n%4 == 0
	s.n++
	s.noBeat += dt
	s.noBreath += dt
	if on.ecg {
		s.ii.Add(x.ECGII)
		s.v5.Add(x.ECGV5)
		if s.heart.Add(x.ECGII) {
			s.noBeat = 0
		}
	} else {
		s.noBeat = 0
	}
	if on.spo2 {
		s.oximeter.Add(x.Red, x.Infrared)
		if half {
			// Blood absorbs light: the plethysmogram is the intensity turned upside down.
			s.pleth.Add((1 - x.Infrared) * 4000)
		}
	}
	if on.abp {
		s.pressure.Add(x.ArterialPressure)
		if half {
			s.abp.Add(x.ArterialPressure)
		}
	}
	if on.co2 {
		if s.capnograph.Add(x.CO2) {
			s.noBreath = 0
		}
		if quarter {
			s.co2.Add(x.CO2)
		}
	} else {
		s.noBreath = 0
	}
	s.core, s.skin = x.CoreTemperature, x.SkinTemperature
}

// values are the numerics at present.
func (s *signals) values(on attached) []bedside.Value {
	hr, hasHR := s.heart.Rate()
	sat, hasSat := s.oximeter.Saturation()
	pr, hasPR := s.oximeter.PulseRate()
	pi, hasPI := s.oximeter.PerfusionIndex()
	abp, hasABP := s.pressure.Values()
	et, hasEt := s.capnograph.EndTidal()
	fi, hasFi := s.capnograph.Inspired()
	rr, hasRR := s.capnograph.Rate()
	return []bedside.Value{
		{Handle: HandleHR, Value: hr, OK: hasHR && on.ecg},
		{Handle: HandleSpO2, Value: sat, OK: hasSat && on.spo2},
		{Handle: HandlePR, Value: pr, OK: hasPR && on.spo2},
		{Handle: HandlePI, Value: pi, OK: hasPI && on.spo2},
		{Handle: HandleABPSys, Value: abp.Systolic, OK: hasABP && on.abp},
		{Handle: HandleABPDia, Value: abp.Diastolic, OK: hasABP && on.abp},
		{Handle: HandleABPMean, Value: abp.Mean, OK: hasABP && on.abp},
		{Handle: HandleCore, Value: s.core, OK: on.temp},
		{Handle: HandleSkin, Value: s.skin, OK: on.temp},
		{Handle: HandleEtCO2, Value: et, OK: hasEt && on.co2},
		{Handle: HandleFiCO2, Value: fi, OK: hasFi && on.co2},
		{Handle: HandleRR, Value: rr, OK: hasRR && on.co2},
	}
}

// Times without an event that raise an alarm, in seconds.
const (
	asystole = 4
	apnoea   = 20
)

// facts are what the alarms without limits are about.
func (s *signals) facts(on attached) map[string]bool {
	return map[string]bool{
		AlarmAsystole: s.noBeat > asystole,
		AlarmApnoea:   s.noBreath > apnoea,
		AlarmECGOff:   !on.ecg, AlarmSpO2Off: !on.spo2, AlarmABPOff: !on.abp, AlarmTempOff: !on.temp, AlarmCO2Off: !on.co2,
	}
}
