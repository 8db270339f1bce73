package monitor_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/das"
	"github.com/semeco/go-sdc/sdc/das/alertconsumer"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/internal/bedside"
	"github.com/semeco/go-sdc/simulators/internal/build"
	"github.com/semeco/go-sdc/simulators/internal/simtest"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
)

func TestMonitoredByADistributedAlarmSystem(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	run(t, simulators.Options{DAS: simulators.DAS{Offered: true}, Scenario: physio.Desaturation}, func(b *simtest.Bench, _ *monitor.Monitor) {
		b.Lints()
		var mu sync.Mutex
		seen := map[string]bool{}
		m, err := alertconsumer.New(b.Consumer, alertconsumer.Config{Name: "Ward", Deliver: func(_ context.Context, list []alertconsumer.Alert) error {
			mu.Lock()
			defer mu.Unlock()
			for _, a := range list {
				if a.Present() {
					seen[a.Condition] = true
				}
			}
			return nil
		}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(b.T.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		b.Until(45*time.Second, "SpO2 alarm", func(s *mdib.Snapshot) bool { return simtest.Present(s, monitor.AlarmSpO2) })
		b.Pass(2 * time.Second)
		mu.Lock()
		require.True(t, seen[monitor.AlarmSpO2])
		mu.Unlock()
		require.Equal(t, alertconsumer.Monitoring, m.Status().Phase)
		audible, visible := build.AudibleSignal(monitor.AlarmSpO2), build.VisibleSignal(monitor.AlarmSpO2)
		require.Equal(t, pm.AlertSignalPresenceOff, simtest.Signal(b.Provider.MDIB(), audible))
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(b.Provider.MDIB(), visible))
		b.Conforms()
		_, err = b.Consumer.Activate(b.T.Context(), bedside.OpResumeAudio)
		require.NoError(t, err)
		b.Pass(100 * time.Millisecond)
		require.Equal(t, pm.AlertSignalPresenceOn, simtest.Signal(b.Provider.MDIB(), audible), "somebody wants to hear it")
		require.ErrorIs(t, m.Status().Cause, alertconsumer.ErrDisabled)
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestWithoutTheOptionNobodyCanMonitor(t *testing.T) {
	m, err := monitor.New(simulators.Options{})
	require.NoError(t, err)
	_, err = das.Find(m.MDIB(), "", das.Codes{})
	require.ErrorIs(t, err, das.ErrNotOffered)
}
