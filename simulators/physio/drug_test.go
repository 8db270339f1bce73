package physio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// course lets a patient with own breaths get a drug for some time and returns him as he is then.
func course(drug Drug, microgramsPerHour float64, d time.Duration) *Patient {
	const dt = 20 * time.Millisecond
	p := New(Config{Seed: 1, Spontaneous: 14})
	for range int(5 * time.Minute / dt) {
		p.Step(dt, Drive{Mode: OpenAir, FiO2: 0.3})
	}
	for range int(d / dt) {
		p.Infuse(drug, microgramsPerHour*dt.Hours())
		p.Step(dt, Drive{Mode: OpenAir, FiO2: 0.3})
	}
	return p
}

func TestAPatientBreathesOnHisOwn(t *testing.T) {
	p := course(NoDrug, 0, time.Minute)
	require.InDelta(t, 38, p.gas.paCO2, 2)
	require.InDelta(t, 0.98, p.gas.saturation(), 0.01)
	require.InDelta(t, 72, p.circ.rate, 2)
}

func TestOpioidDepressesBreathingByDose(t *testing.T) {
	before := course(NoDrug, 0, 10*time.Minute)
	low, high := course(Remifentanil, 100, 10*time.Minute), course(Remifentanil, 600, 10*time.Minute)
	require.InDelta(t, 0.62, low.EffectSite(Remifentanil), 0.05)
	require.InDelta(t, before.gas.paCO2, low.gas.paCO2, 4, "a low dose is borne")
	require.Greater(t, high.gas.paCO2, 65.0)
	require.Less(t, high.gas.saturation(), 0.93)
	require.Less(t, high.breath.depth, before.breath.depth)
	require.Greater(t, high.breath.length, 1.5*before.breath.length)
	// It wears off within minutes once the pump has stopped.
	for range int(10 * time.Minute / (10 * time.Millisecond)) {
		high.Step(20*time.Millisecond, Drive{Mode: OpenAir, FiO2: 0.3})
	}
	require.Less(t, high.EffectSite(Remifentanil), 0.3)
	require.InDelta(t, before.gas.paCO2, high.gas.paCO2, 6)
	require.Greater(t, high.gas.saturation(), 0.97)
}

func TestVasopressorRaisesThePressure(t *testing.T) {
	mean := func(p *Patient) float64 {
		sum := 0.0
		for range 3000 {
			p.Step(10*time.Millisecond, Drive{Mode: OpenAir, FiO2: 0.3})
			sum += p.Signals().ArterialPressure
		}
		return sum / 3000
	}
	before, after := mean(course(NoDrug, 0, 8*time.Minute)), mean(course(Norepinephrine, 450, 8*time.Minute))
	require.InDelta(t, 20, after-before, 8)
}

func TestNoDoseLeavesTheModel(t *testing.T) {
	for _, d := range Drugs() {
		p := course(d, 1e9, 20*time.Minute)
		require.LessOrEqual(t, p.EffectSite(d), strongest)
		require.True(t, p.gas.paCO2 >= 10 && p.gas.paCO2 <= 150, "%g", p.gas.paCO2)
		require.True(t, p.gas.saturation() >= 0 && p.gas.saturation() <= 1)
		require.True(t, p.circ.art >= 10 && p.circ.art <= 300)
	}
	p := course(Remifentanil, -5, time.Second)
	require.Zero(t, p.EffectSite(Remifentanil))
	require.Zero(t, p.EffectSite(NoDrug))
}
