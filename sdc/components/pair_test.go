package components_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/components"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// TestConsumerFollowsCascadesAndSteps: what a consumer has after a cascade, and after the clock was stepped, is what the device has.
func TestConsumerFollowsCascadesAndSteps(t *testing.T) {
	// covers: BICEPS R0025_0, SDPi R1522
	bubble.Test(t, func(t *testing.T) {
		const epr = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a13"
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host("192.0.2.1"), network.Host("192.0.2.2")
		dev, err := provider.New(provider.Config{
			EPR: epr, MDIB: components.FixtureSnapshot(t), Insecure: true, Dial: here.Dial, Listen: here.ListenAny, Transport: discovery.NewSilence(),
		})
		require.NoError(t, err)
		var offset atomic.Int64
		start := time.Now()
		clock, err := components.NewClock(components.ClockConfig{
			Device: dev, Handle: "clock", Restart: dev.NewSequence, Monotonic: func() time.Duration { return time.Since(start) },
			Wall: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) },
		})
		require.NoError(t, err)
		cascade, err := components.NewCascade(dev, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 2)
		go func() { ended <- dev.Run(ctx) }()
		go func() { ended <- clock.Run(ctx) }()
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

		require.NoError(t, cascade.SetActivation("vmd", pm.ComponentActivationOff))
		<-time.After(time.Second)
		synctest.Wait()
		require.True(t, d.MDIB().Equal(dev.MDIB()))
		s, ok := mdib.Get[*pm.VmdState](d.MDIB(), "vmd")
		require.True(t, ok)
		require.Equal(t, pm.ComponentActivationOff, s.ActivationState)

		before := d.MDIB().Version().SequenceID
		offset.Store(int64(-time.Hour))
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.NotEqual(t, before, d.MDIB().Version().SequenceID)
		require.True(t, d.MDIB().Equal(dev.MDIB()), "read anew")
	})
}
