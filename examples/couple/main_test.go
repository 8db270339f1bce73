package main

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Both devices on real sockets over mutual TLS, the pump with both roles.
func TestThePumpFollowsTheMonitorOfItsPlace(t *testing.T) {
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	identity := func(role sdc.Role) *sdc.Identity {
		pair, err := ca.Issue(pki.Request{Name: "device", Role: role})
		require.NoError(t, err)
		id, err := pair.Identity()
		require.NoError(t, err)
		return id
	}
	network := thermometer.Network(t)
	bed := simulators.NewBed(physio.Config{})
	start := func(location sdc.LocationDetail, ensemble string) (*provider.Provider, func()) {
		m, err := monitor.New(simulators.Options{Location: location, Ensemble: ensemble, Bed: bed})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ready, ended := make(chan *provider.Provider, 1), make(chan error, 1)
		go func() {
			ended <- simulators.Run(ctx, m, provider.Config{
				Identity: identity(sdc.RoleProvider), Network: network, Timing: discovery.Timing{HelloDelay: -1, MatchDelay: -1},
			}, func(p *provider.Provider) { ready <- p })
		}()
		stop := sync.OnceFunc(func() {
			cancel()
			require.NoError(t, <-ended)
		})
		t.Cleanup(stop)
		return <-ready, stop
	}
	here := sdc.LocationDetail{PoC: "ICU", Bed: "4"}
	// Neither of these is the monitor of the pump.
	start(sdc.LocationDetail{PoC: "ICU", Bed: "5"}, "bed-4")
	start(here, "bed-5")

	said := make(chan string, 100)
	next := func(want string) {
		t.Helper()
		select {
		case got := <-said:
			require.Contains(t, got, want)
		case <-time.After(30 * time.Second):
			require.Fail(t, "not said: "+want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	pumpReady, ended := make(chan *provider.Provider, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, config{
			identity: identity(sdc.RoleProvider | sdc.RoleConsumer), network: network, location: here, ensemble: "bed-4", bed: bed,
			ready: func(p *provider.Provider) { pumpReady <- p }, say: func(what string) { said <- what },
		})
	}()
	<-pumpReady
	next("paused: no monitor in this place")
	m, stop := start(here, "bed-4")
	next("infusing is allowed")
	limit := func(high string) {
		require.NoError(t, m.Update(func(tx *mdib.Tx) error {
			s, err := mdib.Edit[*pm.LimitAlertConditionState](tx, monitor.AlarmHR)
			if err == nil {
				s.Limits.Upper = pm.Some(pm.MustDecimal(high))
			}
			return err
		}))
	}
	limit("55")
	next("paused: alarm of the monitor: Heart rate outside limits")
	limit("120")
	next("infusing is allowed")
	stop()
	next("paused: ")
	cancel()
	require.NoError(t, <-ended)
}
