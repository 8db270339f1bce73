package pairtest

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestNothingIsDoneBeforeATimeServiceIsReached(t *testing.T) {
	// covers: SDPi R1540
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host(deviceIP), network.Host(consumerIP)
		reached := make(chan struct{})
		wait := func(ctx context.Context) error {
			select {
			case <-reached:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		var open atomic.Int32 // listeners of both
		config := provider.Config{
			EPR: deviceURN, MDIB: snapshot(t), Insecure: true, Dial: here.Dial, Transport: discovery.NewSilence(), TimeService: wait,
			Listen: func(context.Context, string, string) (net.Listener, error) {
				open.Add(1)
				return here.Listen(0)
			},
		}
		dev, err := provider.New(config)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- dev.Run(ctx) }()

		cc := consumer.Config{Insecure: true, Dial: there.Dial, TimeService: wait, Listen: func(context.Context, string, string) (net.Listener, error) {
			open.Add(1)
			return there.Listen(0)
		}}
		made := make(chan *consumer.Consumer, 1)
		go func() {
			c, err := consumer.New(ctx, cc)
			require.NoError(t, err)
			made <- c
		}()
		<-time.After(time.Hour) // of the bubble
		synctest.Wait()
		require.Empty(t, made)
		require.Empty(t, dev.XAddrs())
		require.Zero(t, open.Load())

		close(reached)
		<-dev.Ready()
		c := <-made
		d, err := c.Connect(ctx, (&pair{dev: dev}).endpoint())
		require.NoError(t, err)
		require.True(t, d.MDIB().Equal(dev.MDIB()))
		require.NoError(t, c.Close(context.Background()))
		cancel()
		require.NoError(t, <-ended)

		// It is never reached.
		never := errors.New("no server is configured")
		config.TimeService = func(context.Context) error { return never }
		cc.TimeService = config.TimeService
		dev, err = provider.New(config)
		require.NoError(t, err)
		require.ErrorIs(t, dev.Run(context.Background()), never)
		_, err = consumer.New(context.Background(), cc)
		require.ErrorIs(t, err, never)
		// The device is stopped while it waits.
		config.TimeService = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		dev, err = provider.New(config)
		require.NoError(t, err)
		ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, dev.Run(ctx))
	})
}
