package xray_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/xray"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	*simtest.Bench
	device *xray.Device
}

func run(t *testing.T, opts simulators.Options, test func(b *bench)) {
	t.Helper()
	var d *xray.Device
	simtest.Run(t, func() (s simulators.Simulator, err error) {
		d, err = xray.New(opts)
		return d, err
	}, func(b *simtest.Bench) { test(&bench{b, d}) })
}

func (b *bench) activate(op string) error {
	_, err := b.Consumer.Activate(b.T.Context(), op)
	return err
}

func (b *bench) text(handle string) string { return bedside.Text(b.Provider.MDIB(), handle) }

func (b *bench) state() xray.State { return xray.State(b.text(xray.HandleState)) }

func (b *bench) enabled(op string) bool {
	s, ok := mdib.Get[pm.OperationState](b.Consumer.MDIB(), op)
	return ok && s.BaseOperation().OperatingMode == pm.OperatingModeEn
}

func TestMDIBConforms(t *testing.T) {
	d, err := xray.New(simulators.Options{})
	require.NoError(t, err)
	simtest.Conforms(t, d.MDIB())
}

func TestExposureNeedsPreparation(t *testing.T) {
	run(t, simulators.Options{Location: sdc.LocationDetail{PoC: "OR 1"}, Ensemble: "or-1"}, func(b *bench) {
		b.Pass(time.Second)
		require.False(t, b.enabled(xray.OpExpose))
		require.Error(t, b.activate(xray.OpExpose))
		require.NoError(t, b.activate(xray.OpPrepare))
		require.Equal(t, xray.Preparing, b.state())
		require.Error(t, b.activate(xray.OpExpose), "too early")
		b.Pass(xray.PrepareTime + 200*time.Millisecond)
		require.Equal(t, xray.Ready, b.state())
		require.True(t, b.enabled(xray.OpExpose))
		require.NoError(t, b.activate(xray.OpExpose))
		require.Equal(t, xray.Exposing, b.state())
		require.Error(t, b.activate(xray.OpPrepare))
		b.Pass(500 * time.Millisecond)
		require.Equal(t, xray.Standby, b.state())
		require.EqualValues(t, xray.Complete, b.text(xray.HandleOutcome))
		require.InDelta(t, 1, b.Value(xray.HandleCount), 0)
		require.InDelta(t, 1.4, b.Value(xray.HandleDose), 0.1)
		b.Conforms()
		b.Lints()
		// It does not stay ready.
		require.NoError(t, b.activate(xray.OpPrepare))
		b.Pass(xray.PrepareTime + xray.ReadyTime + 200*time.Millisecond)
		require.Equal(t, xray.Standby, b.state())
		require.Error(t, b.activate(xray.OpExpose))
	})
}

func TestTheImageTellsOfMotion(t *testing.T) {
	// A patient who is ventilated moves; with the valves closed nothing does.
	bed := simulators.NewBed(physio.Config{})
	run(t, simulators.Options{Bed: bed}, func(b *bench) {
		expose := func() float64 {
			require.NoError(t, b.activate(xray.OpPrepare))
			b.Pass(time.Second)
			require.NoError(t, b.activate(xray.OpExpose))
			b.Pass(time.Duration(3500) * time.Millisecond)
			return b.Value(xray.HandleMotion)
		}
		_, err := b.Consumer.SetValue(b.T.Context(), xray.OpSet(xray.HandleSetExposure), pm.MustDecimal("3000"))
		require.NoError(t, err)
		require.Greater(t, expose(), 5.0)
		bed.Ventilate(func(time.Duration, physio.Airway) physio.Drive { return physio.Drive{Mode: physio.Occluded} })
		require.InDelta(t, 0, expose(), 0)
	})
}

// What moved just before the exposure is not in the image, though the device looks at the patient in steps.
func TestTheImageDoesNotTellOfMotionBefore(t *testing.T) {
	bed := simulators.NewBed(physio.Config{})
	var moves atomic.Bool
	bed.Ventilate(func(time.Duration, physio.Airway) physio.Drive {
		d := physio.Drive{Mode: physio.FlowSource, FiO2: 0.3}
		if moves.Load() {
			d.Value = 0.5
		}
		return d
	})
	other := bed.Tap()
	defer other.Close()
	run(t, simulators.Options{Bed: bed}, func(b *bench) {
		require.NoError(t, b.activate(xray.OpPrepare))
		b.Pass(xray.PrepareTime + 200*time.Millisecond)
		require.Equal(t, xray.Ready, b.state())
		// Another device at the bed has seen these already.
		other.Next(nil, int(bed.Now()/simulators.SampleStep))
		moves.Store(true)
		other.Next(nil, 10)
		moves.Store(false)
		other.Next(nil, 1)
		require.NoError(t, b.activate(xray.OpExpose))
		b.Pass(500 * time.Millisecond)
		require.EqualValues(t, xray.Complete, b.text(xray.HandleOutcome))
		require.Zero(t, b.Value(xray.HandleMotion))
	})
}

func TestTheInterlockEndsEverything(t *testing.T) {
	run(t, simulators.Options{}, func(b *bench) {
		_, err := b.Consumer.SetValue(b.T.Context(), xray.OpSet(xray.HandleSetExposure), pm.MustDecimal("2000"))
		require.NoError(t, err)
		require.NoError(t, b.activate(xray.OpPrepare))
		_, err = b.Consumer.SetValue(b.T.Context(), xray.OpSet(xray.HandleSetExposure), pm.MustDecimal("100"))
		require.Error(t, err, "not while it is being made ready")
		b.Pass(time.Second)
		require.NoError(t, b.activate(xray.OpExpose))
		b.Pass(300 * time.Millisecond)
		b.device.Interlock(true)
		b.Pass(200 * time.Millisecond)
		require.Equal(t, xray.Standby, b.state())
		require.EqualValues(t, xray.Aborted, b.text(xray.HandleOutcome))
		require.Equal(t, xray.InterlockOpen, b.text(xray.HandleInterlock))
		require.True(t, simtest.Present(b.Consumer.MDIB(), xray.AlarmInterlock))
		require.Error(t, b.activate(xray.OpPrepare))
		require.InDelta(t, 1, b.Value(xray.HandleCount), 0, "what was emitted counts")
		b.device.Interlock(false)
		b.Pass(200 * time.Millisecond)
		require.NoError(t, b.activate(xray.OpPrepare))
		b.Pass(time.Second)
		require.False(t, simtest.Present(b.Consumer.MDIB(), xray.AlarmInterlock))
		require.NoError(t, b.activate(xray.OpAbort))
		require.Equal(t, xray.Standby, b.state())
		b.Conforms()
	})
}

func TestSettingsAreValidated(t *testing.T) {
	require.NoError(t, xray.DefaultSettings().Validate())
	for name, edit := range map[string]func(*xray.Settings){
		"voltage":       func(s *xray.Settings) { s.Voltage = 151 },
		"charge":        func(s *xray.Settings) { s.Charge = 0 },
		"exposure time": func(s *xray.Settings) { s.Exposure = 4 },
		"tube bears":    func(s *xray.Settings) { s.Charge, s.Exposure = 100, 100 },
	} {
		s := xray.DefaultSettings()
		edit(&s)
		require.ErrorContains(t, s.Validate(), name)
	}
}
