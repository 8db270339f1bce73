package alertconsumer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/das/alertconsumer"
	"github.com/semeco/go-sdc/sdc/das/internal/dastest"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// Over real sockets with TLS: consumers are told apart by their certificates, and the policy says who may monitor at all.
func TestOverTLS(t *testing.T) {
	// covers: SDPi-A DAS option DEV-48, SDPi-A DAS option DEV-49
	ca, err := pki.NewCA("", time.Hour)
	require.NoError(t, err)
	identity := func(name string, role sdc.Role) *sdc.Identity {
		p, err := ca.Issue(pki.Request{Name: name, Role: role})
		require.NoError(t, err)
		id, err := p.Identity()
		require.NoError(t, err)
		return id
	}
	stranger := identity("stranger", sdc.RoleConsumer)
	forbidden := stranger.Leaf()
	b := &bench{t: t}
	defer b.serve(provider.Config{
		EPR: epr, MDIB: dastest.Slow(t, 20), Identity: identity("device", sdc.RoleProvider), Transport: discovery.NewSilence(),
		Policy: provider.PolicyFunc(func(_ context.Context, a *provider.Access) error {
			if a.Kind == provider.AccessControl && a.Peer.Fingerprint() == sdc.Fingerprint(forbidden) {
				return errors.New("strangers do not monitor")
			}
			return nil
		}),
	})()
	// start monitors until the phase is reached, or the first refusal.
	start := func(id *sdc.Identity, name string, want alertconsumer.Phase, delivered chan<- alertconsumer.Alert) (stop func() error, refused error) {
		c, err := consumer.New(t.Context(), consumer.Config{Identity: id})
		require.NoError(t, err)
		d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: epr, XAddrs: b.dev.XAddrs()})
		require.NoError(t, err)
		reached := make(chan struct{})
		once := false
		m, err := alertconsumer.New(d, alertconsumer.Config{
			Name: name, Once: true,
			Deliver: func(_ context.Context, list []alertconsumer.Alert) error {
				for _, a := range list {
					if delivered != nil && !a.Takeover {
						delivered <- a
					}
				}
				return nil
			},
			Changed: func(s alertconsumer.Status) {
				if s.Phase == want && !once {
					once = true
					close(reached)
				}
			},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		stop = func() error {
			cancel()
			err := <-ended
			return errors.Join(err, c.Close(context.Background()))
		}
		<-reached
		if want == alertconsumer.Off {
			err := <-ended
			ended <- nil
			return stop, err
		}
		return stop, nil
	}
	got := make(chan alertconsumer.Alert, 10)
	stopFirst, _ := start(identity("ward3", sdc.RoleConsumer), "Ward 3", alertconsumer.Monitoring, got)
	require.Contains(t, b.mon.Status().Peer, "ward3")
	require.NoError(t, b.alarms.SetPresence("hr", true))
	a := <-got
	require.Equal(t, "hr", a.Condition)
	require.True(t, a.Present())
	require.False(t, b.sounds("hr.aud"))

	stopSecond, err := start(identity("ward4", sdc.RoleConsumer), "Ward 4", alertconsumer.Off, nil)
	require.ErrorContains(t, err, "monitored by Ward 3")
	stopThird, err := start(stranger, "Nobody", alertconsumer.Off, nil)
	require.ErrorContains(t, err, "strangers do not monitor")
	require.False(t, b.sounds("hr.aud"))
	require.NoError(t, stopSecond())
	require.NoError(t, stopThird())
	require.NoError(t, stopFirst())
	require.Equal(t, local, b.phase())
	require.True(t, b.sounds("hr.aud"))
}
