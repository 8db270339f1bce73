package bedside

import (
	"time"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
)

// Text returns the current value of an enumeration, "" if it has none.
func Text(snap *mdib.Snapshot, handle string) string {
	s, ok := mdib.Get[*pm.EnumStringMetricState](snap, handle)
	if !ok || s.MetricValue == nil {
		return ""
	}
	return s.MetricValue.Value.Or("")
}

// Show brings enumerations and numbers up to date, those only that the MDIB does not show yet: a setting or a result is determined when
// it comes about, not whenever somebody looks. Without any there is no transaction.
func Show(u alerts.Updater, at time.Time, texts map[string]string, values []Value) error {
	snap := u.MDIB()
	newTexts := map[string]string{}
	for handle, text := range texts {
		if Text(snap, handle) != text {
			newTexts[handle] = text
		}
	}
	var newValues []Value
	for _, v := range values {
		if shown(snap, v) {
			continue
		}
		newValues = append(newValues, v)
	}
	if len(newTexts)+len(newValues) == 0 {
		return nil
	}
	return u.Update(func(tx *mdib.Tx) error {
		for handle, text := range newTexts {
			if err := tx.SetString(handle, text, at); err != nil {
				return err
			}
		}
		return Numerics(tx, at, newValues)
	})
}

// shown tells whether the MDIB shows a value already, to its resolution.
func shown(snap *mdib.Snapshot, v Value) bool {
	s, ok := mdib.Get[*pm.NumericMetricState](snap, v.Handle)
	if !ok || s.MetricValue == nil {
		return false
	}
	old, valid := Numeric(snap, v.Handle)
	if !v.OK || !valid {
		return v.OK == valid
	}
	d, ok := mdib.Get[*pm.NumericMetricDescriptor](snap, v.Handle)
	if !ok {
		return false
	}
	dec, ok := pm.DecimalFromFloat(v.Value, Digits(d.Resolution))
	return ok && dec.Float64() == old
}

// Enable says which operations can be invoked at present.
func Enable(u alerts.Updater, enabled map[string]bool) error {
	change := map[string]pm.OperatingMode{}
	for handle, on := range enabled {
		mode := pm.OperatingModeDis
		if on {
			mode = pm.OperatingModeEn
		}
		if s, ok := mdib.Get[pm.OperationState](u.MDIB(), handle); !ok || s.BaseOperation().OperatingMode != mode {
			change[handle] = mode
		}
	}
	if len(change) == 0 {
		return nil
	}
	return u.Update(func(tx *mdib.Tx) error {
		for handle, mode := range change {
			s, err := mdib.Edit[pm.OperationState](tx, handle)
			if err != nil {
				return err
			}
			s.BaseOperation().OperatingMode = mode
		}
		return nil
	})
}
