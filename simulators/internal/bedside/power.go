package bedside

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/simulators/internal/build"
)

// Battery is on mains; its voltage moves a little with the load.
type Battery struct {
	// Charge in percent.
	Charge float64
	since  time.Duration
	phase  int
}

// LowCharge is the charge in percent below which the battery is low.
const LowCharge = 20

// batteryPeriod is how often the battery is reported.
const batteryPeriod = 5 * time.Second

// Step lets dt pass and reports the battery when it is time.
func (b *Battery) Step(u alerts.Updater, dt time.Duration) error {
	b.since += dt
	if b.since < batteryPeriod {
		return nil
	}
	b.since = 0
	b.phase++
	status := pm.ChargeStatusFul
	switch {
	case b.Charge < 1:
		status = pm.ChargeStatusDEB
	case b.Charge < 99:
		status = pm.ChargeStatusChB
	}
	voltage := 22 + 3.6*b.Charge/100 + 0.1*float64(b.phase%3)
	return u.Update(func(tx *mdib.Tx) error {
		s, err := mdib.Edit[*pm.BatteryState](tx, build.HandleBattery)
		if err != nil {
			return err
		}
		s.ChargeStatus = status
		s.Voltage = measurement(voltage, 1, build.Volt())
		s.CapacityRemaining = measurement(b.Charge, 0, build.Percent())
		s.RemainingBatteryTime = measurement(1.2*b.Charge, 0, build.Minute())
		return nil
	})
}

func measurement(v float64, digits int, unit build.Code) *pm.Measurement {
	d, _ := pm.DecimalFromFloat(v, digits)
	return &pm.Measurement{MeasuredValue: d, MeasurementUnit: *unit.Value()}
}
