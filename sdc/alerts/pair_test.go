package alerts_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/alerts"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// TestAlertsAsAConsumerSeesThem runs a device with a manager, and a consumer that sees values, alerts and self checks, and operates.
func TestAlertsAsAConsumerSeesThem(t *testing.T) {
	// covers: BICEPS alert presence order, BICEPS self-check, BICEPS ack, SDPi-A DEV-38, SDPi-A DEV-39, SDPi-A DEV-40
	bubble.Test(t, func(t *testing.T) {
		const epr = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12"
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host("192.0.2.1"), network.Host("192.0.2.2")
		var m *alerts.Manager
		dev, err := provider.New(provider.Config{
			EPR: epr, MDIB: alerts.FixtureSnapshot(t), Insecure: true, Dial: here.Dial, Listen: here.ListenAny, Transport: discovery.NewSilence(),
			Hooks: provider.Hooks{Committed: func(string, int, time.Duration) { m.Notice() }},
		})
		require.NoError(t, err)
		m, err = alerts.New(alerts.Config{Device: dev})
		require.NoError(t, err)
		require.NoError(t, dev.HandleSetAlertState("op.moving", func(_ context.Context, call *provider.SetAlertState) error {
			if err := m.SetAlertState(call.Proposed); err != nil {
				return provider.Refuse("%v", err)
			}
			return nil
		}))
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 2)
		go func() { ended <- dev.Run(ctx) }()
		go func() { ended <- m.Run(ctx) }()
		defer func() {
			cancel()
			require.NoError(t, <-ended)
			require.NoError(t, <-ended)
		}()
		<-dev.Ready()

		c, err := consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny,
		})
		require.NoError(t, err)
		d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: epr, XAddrs: dev.XAddrs()})
		require.NoError(t, err)
		defer func() {
			require.NoError(t, d.Close(context.Background()))
			require.NoError(t, c.Close(context.Background()))
		}()

		seen := make(chan consumer.Update, 100)
		following, stop := context.WithCancel(context.Background())
		defer stop()
		go func() {
			defer close(seen)
			for u, err := range d.Updates(following) {
				if err != nil {
					return
				}
				if u.Change != nil {
					seen <- u
				}
			}
		}()
		synctest.Wait()

		require.NoError(t, dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("hr", pm.MustDecimal("30"), time.Now()) }))
		for u := range seen { // the self check may come before
			if u.Change.Kind == mdib.KindMetric {
				before, _ := mdib.Get[*pm.LimitAlertConditionState](u.Snapshot, "hr.limit")
				require.False(t, before.Presence)
				break
			}
		}
		second := <-seen
		require.Equal(t, mdib.KindAlert, second.Change.Kind)
		limit, ok := mdib.Get[*pm.LimitAlertConditionState](second.Snapshot, "hr.limit")
		require.True(t, ok && limit.Presence)
		signal, _ := mdib.Get[*pm.AlertSignalState](second.Snapshot, "hr.vis")
		require.Equal(t, pm.AlertSignalPresenceOn, signal.Presence)

		<-time.After(5 * time.Second) // hr.aud after 3 s, and the self check after 5 s
		synctest.Wait()
		before, _ := mdib.Get[*pm.AlertSystemState](second.Snapshot, "alerts")
		after, _ := mdib.Get[*pm.AlertSystemState](d.MDIB(), "alerts")
		require.Greater(t, after.LastSelfCheck.Or(0), before.LastSelfCheck.Or(0))
		signal, _ = mdib.Get[*pm.AlertSignalState](d.MDIB(), "hr.aud")
		require.Equal(t, pm.AlertSignalPresenceOn, signal.Presence)

		p := &pm.AlertSignalState{Location: pm.AlertSignalPrimaryLocationRem}
		p.DescriptorHandle, p.ActivationState = "pump.moving", pm.AlertActivationOn
		_, err = d.SetAlertState(t.Context(), "op.moving", p)
		require.NoError(t, err)
		signal, _ = mdib.Get[*pm.AlertSignalState](d.MDIB(), "pump.moving")
		require.Equal(t, pm.AlertSignalPrimaryLocationRem, signal.Location)
		p.Presence = pm.AlertSignalPresenceAck
		_, err = d.SetAlertState(t.Context(), "op.moving", p)
		require.ErrorContains(t, err, "nothing to acknowledge")
		<-time.After(4 * time.Second)
		synctest.Wait()
		signal, _ = mdib.Get[*pm.AlertSignalState](d.MDIB(), "pump.moving")
		require.Equal(t, pm.AlertSignalPrimaryLocationLoc, signal.Location, "the consumer has not confirmed")
		require.True(t, d.MDIB().Equal(dev.MDIB()))
		again, err := d.GetMdState(t.Context(), "hr.limit", "hr.aud") // the exchange can be read anew at any time (DEV-40)
		require.NoError(t, err)
		require.Len(t, again.MdState.State, 2)
		for _, s := range again.MdState.State {
			mirrored, _ := d.MDIB().State(s.BaseState().DescriptorHandle)
			require.True(t, pm.EqualState(mirrored, s))
		}
		stop()
		for range seen { // until the follower has ended
		}
	})
}
