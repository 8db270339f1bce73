package measure_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators/measure"
	"github.com/semeco/go-sdc/simulators/physio"
)

const (
	step = 5 * time.Millisecond
	dt   = 0.005
)

// bed is a patient with a simple volume-controlled machine and every detector.
type bed struct {
	patient *physio.Patient
	heart   *measure.HeartRate
	art     *measure.Pressure
	oxi     *measure.Oximeter
	capno   *measure.Capnograph
	spiro   *measure.Spirometer
}

func newBed(cfg physio.Config) *bed {
	return &bed{physio.New(cfg), measure.NewHeartRate(dt), measure.NewPressure(dt), measure.NewOximeter(dt), measure.NewCapnograph(dt), measure.NewSpirometer(dt)}
}

// run ventilates with 480 mL at 15 /min, I:E 1:2 and PEEP 5 for d.
func (b *bed) run(d time.Duration) {
	for end := b.patient.Elapsed() + d; b.patient.Elapsed() < end; {
		t := math.Mod(b.patient.Elapsed().Seconds(), 4)
		drive := physio.Drive{Mode: physio.PressureSource, Value: 5, FiO2: 0.4}
		if t < 1.333 {
			drive = physio.Drive{Mode: physio.FlowSource, Value: 0.48 / 1.333, FiO2: 0.4}
		}
		air := b.patient.Step(step, drive)
		s := b.patient.Signals()
		b.heart.Add(s.ECGII)
		b.art.Add(s.ArterialPressure)
		b.oxi.Add(s.Red, s.Infrared)
		b.capno.Add(s.CO2)
		b.spiro.Add(air.Flow, air.Pressure)
	}
}

func TestStablePatientHasPlausibleVitalSigns(t *testing.T) {
	b := newBed(physio.Config{Seed: 7})
	b.run(60 * time.Second)
	hr, ok := b.heart.Rate()
	require.True(t, ok)
	require.InDelta(t, 72, hr, 6)
	pr, ok := b.oxi.PulseRate()
	require.True(t, ok)
	require.InDelta(t, hr, pr, 3, "pulse follows the heart")
	spo2, ok := b.oxi.Saturation()
	require.True(t, ok)
	require.InDelta(t, 97.5, spo2, 2)
	art, ok := b.art.Values()
	require.True(t, ok)
	require.InDelta(t, 120, art.Systolic, 15)
	require.InDelta(t, 75, art.Diastolic, 15)
	require.Greater(t, art.Mean, art.Diastolic)
	require.Less(t, art.Mean, art.Systolic)
	et, ok := b.capno.EndTidal()
	require.True(t, ok)
	require.InDelta(t, 37, et, 6)
	rr, ok := b.capno.Rate()
	require.True(t, ok)
	require.InDelta(t, 15, rr, 0.3)
	breath, ok := b.spiro.Last()
	require.True(t, ok)
	require.InDelta(t, 480, breath.InspiredVolume, 10)
	require.InDelta(t, 480, breath.ExpiredVolume, 15)
	require.InDelta(t, 4, breath.Duration, 0.02)
	require.InDelta(t, 5, breath.EndExpiratoryPressure, 0.5)
	require.InDelta(t, 5+10+0.36*11, breath.PeakPressure, 2)
}

func TestScenariosShowInTheSignals(t *testing.T) {
	t.Run("desaturation", func(t *testing.T) {
		b := newBed(physio.Config{Seed: 1, Scenario: physio.Desaturation})
		b.run(14 * time.Second)
		before, ok := b.oxi.Saturation()
		require.True(t, ok)
		b.run(34 * time.Second)
		during, ok := b.oxi.Saturation()
		require.True(t, ok)
		require.Greater(t, before, 94.0)
		require.Less(t, during, 88.0)
	})
	t.Run("tachycardia", func(t *testing.T) {
		b := newBed(physio.Config{Seed: 1, Scenario: physio.Tachycardia})
		b.run(14 * time.Second)
		before, _ := b.art.Values()
		b.run(30 * time.Second)
		hr, ok := b.heart.Rate()
		require.True(t, ok)
		require.Greater(t, hr, 135.0)
		art, ok := b.art.Values()
		require.True(t, ok)
		require.Less(t, art.Systolic, before.Systolic)
	})
	t.Run("disconnection", func(t *testing.T) {
		b := newBed(physio.Config{Seed: 1, Scenario: physio.Disconnection})
		b.run(45 * time.Second)
		require.False(t, b.patient.Connected())
		_, ok := b.capno.EndTidal()
		require.False(t, ok, "no CO2 comes from an open circuit")
		b.run(60 * time.Second)
		require.True(t, b.patient.Connected())
		_, ok = b.capno.EndTidal()
		require.True(t, ok)
	})
}

func TestSameSeedGivesTheSamePatient(t *testing.T) {
	a, b, c := newBed(physio.Config{Seed: 3}), newBed(physio.Config{Seed: 3}), newBed(physio.Config{Seed: 4})
	a.run(5 * time.Second)
	b.run(5 * time.Second)
	c.run(5 * time.Second)
	require.Equal(t, a.patient.Signals(), b.patient.Signals())
	require.NotEqual(t, a.patient.Signals(), c.patient.Signals())
}

func TestLostSignalsGiveNoValue(t *testing.T) {
	b := newBed(physio.Config{})
	b.run(20 * time.Second)
	for range int(5 / dt) {
		b.heart.Add(0)
		b.art.Add(0)
		b.oxi.Add(1, 1)
	}
	_, ok := b.heart.Rate()
	require.False(t, ok)
	_, ok = b.art.Values()
	require.False(t, ok)
	_, ok = b.oxi.Saturation()
	require.False(t, ok)
}

func TestLungFollowsItsEquation(t *testing.T) {
	p := physio.New(physio.Config{Compliance: 50, Resistance: 10})
	var air physio.Airway
	for range 2000 {
		air = p.Step(step, physio.Drive{Mode: physio.PressureSource, Value: 20})
	}
	require.InDelta(t, 1.0, air.Volume, 0.01, "20 cmH2O x 50 mL/cmH2O")
	require.InDelta(t, 0, air.Flow, 0.01)
	air = p.Step(step, physio.Drive{Mode: physio.Occluded})
	require.InDelta(t, 20, air.Pressure, 0.1)
}

func TestParseScenario(t *testing.T) {
	s, err := physio.ParseScenario("")
	require.NoError(t, err)
	require.Equal(t, physio.Stable, s)
	for _, want := range physio.Scenarios() {
		got, err := physio.ParseScenario(string(want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = physio.ParseScenario("dance")
	require.ErrorContains(t, err, "dance")
}
