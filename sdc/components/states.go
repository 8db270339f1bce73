package components

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func component(tx *mdib.Tx, handle string) (*pm.AbstractDeviceComponentState, error) {
	s, err := mdib.Edit[pm.ComponentState](tx, handle)
	if err != nil {
		return nil, err
	}
	return s.BaseComponent(), nil
}

// StartCalibration says that a component is being calibrated.
func StartCalibration(tx *mdib.Tx, handle string, t pm.CalibrationType) error {
	s, err := component(tx, handle)
	if err != nil {
		return err
	}
	s.CalibrationInfo = &pm.CalibrationInfo{ComponentCalibrationState: pm.CalibrationStateRun, Type: t}
	return nil
}

// EndCalibration says how a calibration that was started ended, and when: the component is calibrated (Cal), or it is not (No), or must be calibrated
// again (Req). A calibration that was planned has been done if it succeeded.
func EndCalibration(tx *mdib.Tx, handle string, result pm.CalibrationState, at time.Time, results ...pm.CalibrationDocumentation) error {
	s, err := component(tx, handle)
	if err != nil {
		return err
	}
	switch result {
	case pm.CalibrationStateCal, pm.CalibrationStateNo, pm.CalibrationStateReq:
	default:
		return refuse("BICEPS calibration", handle, "%q is no result of a calibration", result)
	}
	if s.CalibrationInfo == nil || s.CalibrationInfo.ComponentCalibrationState != pm.CalibrationStateRun {
		return refuse("BICEPS calibration", handle, "no calibration has been started")
	}
	s.CalibrationInfo.ComponentCalibrationState = result
	s.CalibrationInfo.Time = pm.Some(pm.TimestampOf(at))
	s.CalibrationInfo.CalibrationDocumentation = results
	if result == pm.CalibrationStateCal {
		s.NextCalibration = nil
	}
	return nil
}

// PlanCalibration says when a component is to be calibrated next.
func PlanCalibration(tx *mdib.Tx, handle string, t pm.CalibrationType, at time.Time) error {
	s, err := component(tx, handle)
	if err != nil {
		return err
	}
	s.NextCalibration = &pm.CalibrationInfo{ComponentCalibrationState: pm.CalibrationStateReq, Type: t, Time: pm.Some(pm.TimestampOf(at))}
	return nil
}

// AddCycles counts n operating cycles of a component.
func AddCycles(tx *mdib.Tx, handle string, n int32) error {
	if n < 0 {
		return refuse("BICEPS operating cycles", handle, "cycles do not run backwards")
	}
	s, err := component(tx, handle)
	if err != nil {
		return err
	}
	was := s.OperatingCycles.Or(0)
	if was+n < was {
		return refuse("BICEPS operating cycles", handle, "the counter is full")
	}
	s.OperatingCycles = pm.Some(was + n)
	return nil
}

// Power is where a device with a battery gets its power from.
type Power uint8

// Powers.
const (
	OnBattery        Power = iota + 1 // the device runs on this battery
	OnMains                           // on mains; the battery could take over
	OnMainsOnly                       // on mains; the battery cannot take over
	BatteryDefective                  // the battery has a malfunction
)

// SetPower sets the activation state of a battery, which means something else than that of other components.
func SetPower(tx *mdib.Tx, battery string, p Power) error {
	s, err := mdib.Edit[*pm.BatteryState](tx, battery)
	if err != nil {
		return err
	}
	switch p {
	case OnBattery:
		s.ActivationState = pm.ComponentActivationOn
	case OnMains:
		s.ActivationState = pm.ComponentActivationStndBy
	case OnMainsOnly:
		s.ActivationState = pm.ComponentActivationOff
	case BatteryDefective:
		s.ActivationState = pm.ComponentActivationFail
	default:
		return refuse("BICEPS battery", battery, "%d is no source of power", p)
	}
	return nil
}
