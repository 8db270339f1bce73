package components

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
)

func TestStagesOfMetrics(t *testing.T) {
	// covers: BICEPS 5-4-7_0_0–5-4-7_17
	for stage, want := range map[Stage]string{
		Initializing: "NotRdy", Ready: "StndBy", Performed: "On", Deinitializing: "Shtdn", Deinitialized: "Off", Failed: "Fail",
	} {
		for _, metric := range []string{"msrmt", "set", "clc"} {
			d := newDevice(t, false)
			must(t, d, func(tx *mdib.Tx) error { return SetStage(tx, metric, stage) })
			require.Equal(t, want, d.is(metric))
		}
	}
	d := newDevice(t, false)
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetStage(tx, "msrmt", 0) }))
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetStage(tx, "vmd", Ready) }))
	c, err := NewCascade(d, nil)
	require.NoError(t, err)
	require.NoError(t, c.SetActivation("vmd", pm.ComponentActivationOff))
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetStage(tx, "msrmt", Performed) }))
	require.NoError(t, d.Update(func(tx *mdib.Tx) error { return SetStage(tx, "msrmt", Deinitialized) }))
}

func TestValidity(t *testing.T) {
	// covers: BICEPS validity: no value
	d := newDevice(t, false)
	at := time.UnixMilli(1_700_000_000_000)
	value := func() *pm.NumericMetricValue {
		s, _ := mdib.Get[*pm.NumericMetricState](d.MDIB(), "msrmt")
		return s.MetricValue
	}
	set := func(v pm.MeasurementValidity) error {
		return d.Update(func(tx *mdib.Tx) error { return SetValidity(tx, "msrmt", v, at) })
	}
	require.Error(t, set(pm.MeasurementValidityVld), "there is no value")
	for _, v := range []pm.MeasurementValidity{pm.MeasurementValidityOng, pm.MeasurementValidityNA} {
		must(t, d, func(tx *mdib.Tx) error { return tx.SetNumeric("msrmt", pm.MustDecimal("1"), at) })
		require.NoError(t, set(pm.MeasurementValidityQst))
		require.Equal(t, pm.MeasurementValidityQst, value().MetricQuality.Validity)
		require.True(t, value().Value.IsSet())
		require.NoError(t, set(v))
		require.Equal(t, v, value().MetricQuality.Validity)
		require.False(t, value().Value.IsSet())
	}
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetValidity(tx, "vmd", pm.MeasurementValidityInv, at) }))
	must(t, d, func(tx *mdib.Tx) error { return tx.SetSamples("wave", pm.Samples{pm.MustDecimal("1")}, at) })
	must(t, d, func(tx *mdib.Tx) error { return SetValidity(tx, "wave", pm.MeasurementValidityInv, at) })
	s, _ := mdib.Get[*pm.RealTimeSampleArrayMetricState](d.MDIB(), "wave")
	require.Equal(t, pm.MeasurementValidityInv, s.MetricValue.MetricQuality.Validity)
}

func TestCalibration(t *testing.T) {
	d := newDevice(t, false)
	at := time.UnixMilli(1_700_000_000_000)
	state := func() *pm.ChannelState {
		s, _ := mdib.Get[*pm.ChannelState](d.MDIB(), "chan")
		return s
	}
	end := func(s pm.CalibrationState) error {
		return d.Update(func(tx *mdib.Tx) error { return EndCalibration(tx, "chan", s, at) })
	}
	require.Error(t, end(pm.CalibrationStateCal), "none has been started")
	must(t, d, func(tx *mdib.Tx) error { return PlanCalibration(tx, "chan", pm.CalibrationTypeTP, at.Add(time.Hour)) })
	must(t, d, func(tx *mdib.Tx) error { return StartCalibration(tx, "chan", pm.CalibrationTypeTP) })
	require.Equal(t, pm.CalibrationStateRun, state().CalibrationInfo.ComponentCalibrationState)
	require.Error(t, end(pm.CalibrationStateRun))
	require.NoError(t, end(pm.CalibrationStateNo))
	require.NotNil(t, state().NextCalibration, "it failed, so it is still due")
	must(t, d, func(tx *mdib.Tx) error { return StartCalibration(tx, "chan", pm.CalibrationTypeTP) })
	require.NoError(t, end(pm.CalibrationStateCal))
	require.Equal(t, pm.Some(pm.TimestampOf(at)), state().CalibrationInfo.Time)
	require.Nil(t, state().NextCalibration)
}

func TestCyclesAndPower(t *testing.T) {
	d := newDevice(t, false)
	must(t, d, func(tx *mdib.Tx) error { return AddCycles(tx, "vmd", 2) })
	must(t, d, func(tx *mdib.Tx) error { return AddCycles(tx, "vmd", 1) })
	s, _ := mdib.Get[*pm.VmdState](d.MDIB(), "vmd")
	require.Equal(t, pm.Some(int32(3)), s.OperatingCycles)
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return AddCycles(tx, "vmd", -1) }))
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return AddCycles(tx, "vmd", 1<<31-1) }))
	for p, want := range map[Power]string{OnBattery: "On", OnMains: "StndBy", OnMainsOnly: "Off", BatteryDefective: "Fail"} {
		require.NoError(t, d.Update(func(tx *mdib.Tx) error { return SetPower(tx, "battery", p) }))
		require.Equal(t, want, d.is("battery"))
	}
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetPower(tx, "battery", 0) }))
	require.Error(t, d.Update(func(tx *mdib.Tx) error { return SetPower(tx, "vmd", OnMains) }))
}
