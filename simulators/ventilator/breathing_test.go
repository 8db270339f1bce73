package ventilator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators/measure"
	"github.com/semeco/go-sdc/simulators/physio"
)

func ventilate(b *breather, p *physio.Patient, m *measure.Spirometer, d time.Duration) {
	const dt = 5 * time.Millisecond
	var air physio.Airway
	for end := p.Elapsed() + d; p.Elapsed() < end; {
		air = p.Step(dt, b.next(dt, air))
		m.Add(air.Flow, air.Pressure)
	}
}

func TestVolumeControlDeliversTheSettings(t *testing.T) {
	s := DefaultSettings()
	b, p, m := newBreather(s), physio.New(physio.Config{Compliance: 50}), measure.NewSpirometer(0.005)
	ventilate(b, p, m, 30*time.Second)
	got, ok := m.Last()
	require.True(t, ok)
	require.InDelta(t, s.TidalVolume, got.InspiredVolume, 10)
	require.InDelta(t, 60/s.Rate, got.Duration, 0.03)
	require.InDelta(t, s.PEEP, got.EndExpiratoryPressure, 0.5)
	require.InDelta(t, s.PEEP+s.TidalVolume/50, b.plateau, 0.5, "plateau is PEEP + volume / compliance")
	require.Greater(t, got.PeakPressure, b.plateau+2, "the airway's resistance adds to the plateau")
}

func TestSettingsMoveTheCurves(t *testing.T) {
	s := DefaultSettings()
	b, p, m := newBreather(s), physio.New(physio.Config{}), measure.NewSpirometer(0.005)
	ventilate(b, p, m, 20*time.Second)
	before, _ := m.Last()
	b.settings.PEEP = 10
	ventilate(b, p, m, 20*time.Second)
	after, _ := m.Last()
	require.InDelta(t, before.PeakPressure+5, after.PeakPressure, 0.6)
	b.settings.Mode = PressureControl
	ventilate(b, p, m, 20*time.Second)
	pc, _ := m.Last()
	require.InDelta(t, 22, pc.PeakPressure, 0.2)
	require.InDelta(t, 12*48, pc.InspiredVolume, 60)
}

func TestPressureLimitEndsTheInspiration(t *testing.T) {
	s := DefaultSettings()
	s.TidalVolume, s.PressureLimit = 900, 20
	b, p, m := newBreather(s), physio.New(physio.Config{}), measure.NewSpirometer(0.005)
	ventilate(b, p, m, 20*time.Second)
	got, _ := m.Last()
	require.True(t, b.limited)
	require.Less(t, got.InspiredVolume, 850.0)
	require.Less(t, got.PeakPressure, 21.0)
}

func TestHoldKeepsTheLungFilledAndStandbyStops(t *testing.T) {
	b, p, m := newBreather(DefaultSettings()), physio.New(physio.Config{}), measure.NewSpirometer(0.005)
	ventilate(b, p, m, 20*time.Second)
	b.hold = true
	ventilate(b, p, m, 6*time.Second)
	require.Contains(t, []Phase{Pause, Expiration}, b.phase)
	held := b.phase
	ventilate(b, p, m, 3*time.Second)
	require.Equal(t, held, b.phase, "nothing moves during a hold")
	b.hold = false
	ventilate(b, p, m, 10*time.Second)
	_, ok := m.Last()
	require.True(t, ok)
	b.settings.Mode = Standby
	ventilate(b, p, m, 25*time.Second)
	_, ok = m.Last()
	require.False(t, ok)
}

func TestSettingsAreValidated(t *testing.T) {
	require.NoError(t, DefaultSettings().Validate())
	for name, edit := range map[string]func(*Settings){
		"tidal volume":          func(s *Settings) { s.TidalVolume = 99 },
		"rate":                  func(s *Settings) { s.Rate = 61 },
		"PEEP":                  func(s *Settings) { s.PEEP = -1 },
		"inspiratory pressure":  func(s *Settings) { s.InspiratoryPressure = 61 },
		"FiO2":                  func(s *Settings) { s.FiO2 = 20 },
		"inspiratory time":      func(s *Settings) { s.InspiratoryTime = math.NaN() },
		"pause time":            func(s *Settings) { s.PauseTime = 1.3 },
		"pressure limit":        func(s *Settings) { s.PressureLimit = 81 },
		"unknown":               func(s *Settings) { s.Mode = "turbo" },
		"to exhale":             func(s *Settings) { s.Rate = 40 },
		"needs a pressure limi": func(s *Settings) { s.PEEP, s.PressureLimit = 20, 20 },
	} {
		s := DefaultSettings()
		edit(&s)
		require.ErrorContains(t, s.Validate(), name)
	}
}
