package light_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/light"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, opts simulators.Options, test func(b *simtest.Bench, d *light.Light)) {
	t.Helper()
	var d *light.Light
	simtest.Run(t, func() (s simulators.Simulator, err error) {
		d, err = light.New(opts)
		return d, err
	}, func(b *simtest.Bench) { test(b, d) })
}

func TestMDIBConforms(t *testing.T) {
	d, err := light.New(simulators.Options{})
	require.NoError(t, err)
	simtest.Conforms(t, d.MDIB())
}

func TestItLightsAsSet(t *testing.T) {
	run(t, simulators.Options{Location: sdc.LocationDetail{PoC: "OR 1"}, Ensemble: "or-1"}, func(b *simtest.Bench, _ *light.Light) {
		w := b.Watch()
		b.Pass(2 * time.Second)
		require.InDelta(t, 96, b.Value(light.HandleIlluminance), 0)
		set := func(metric, v string) error {
			_, err := b.Consumer.SetValue(b.T.Context(), light.OpSet(metric), pm.MustDecimal(v))
			return err
		}
		mode := func(m string) error {
			_, err := b.Consumer.SetString(b.T.Context(), light.OpSet(light.HandleMode), m)
			return err
		}
		require.Error(t, set(light.HandleSetIntensity, "5"))
		require.Error(t, set(light.HandleSetColour, "9000"))
		require.Error(t, mode("Disco"))
		require.NoError(t, set(light.HandleSetIntensity, "80"))
		require.InDelta(t, 80, b.Value(light.HandleOutput), 0)
		require.NoError(t, mode(string(light.Endoscopy)))
		require.InDelta(t, 5, b.Value(light.HandleOutput), 0)
		require.InDelta(t, 80, b.Value(light.HandleSetIntensity), 0, "the setting stays")
		require.NoError(t, mode(string(light.Off)))
		require.InDelta(t, 0, b.Value(light.HandleIlluminance), 0)
		b.Pass(6 * time.Second)
		require.NoError(t, b.InStep())
		require.NoError(t, w.Err())
		require.NotEmpty(t, w.Take())
		b.Conforms()
		b.Lints()
	})
}

func TestItDimsItselfWhenItIsTooWarm(t *testing.T) {
	run(t, simulators.Options{}, func(b *simtest.Bench, d *light.Light) {
		_, err := b.Consumer.SetValue(b.T.Context(), light.OpSet(light.HandleSetIntensity), pm.MustDecimal("100"))
		require.NoError(t, err)
		b.Pass(3 * time.Minute)
		require.InDelta(t, 100, b.Value(light.HandleOutput), 0)
		d.BlockAir(true)
		b.Until(5*time.Minute, "dimming", func(s *mdib.Snapshot) bool { return simtest.Present(s, light.AlarmWarm) })
		b.Pass(2 * time.Second)
		require.InDelta(t, 50, b.Value(light.HandleOutput), 0)
		d.BlockAir(false)
		b.Until(5*time.Minute, "full light again", func(s *mdib.Snapshot) bool { return !simtest.Present(s, light.AlarmWarm) })
	})
}
