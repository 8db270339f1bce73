package discovery

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

// A participant of no network runs, hears of nobody, and ends as on any other transport: with its context, or when the transport is closed.
func TestSilence(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		quiet := NewSilence()
		target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR), Transport: quiet, Timing: PromptTiming()})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- target.Run(ctx) }()
		c, err := NewClient(ClientConfig{Transport: NewSilence()})
		require.NoError(t, err)
		found, err := c.Probe(t.Context(), Filter{}, 0)
		require.NoError(t, err)
		require.Empty(t, found)
		require.NoError(t, c.Close())
		cancel()
		require.NoError(t, <-ran)
		require.NoError(t, quiet.Close())

		s := NewSilence()
		go func() { ran <- s.Serve(t.Context(), nil) }()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-ran, net.ErrClosed)
	})
}
