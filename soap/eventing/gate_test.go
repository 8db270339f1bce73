package eventing

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/memnet"
)

func TestGate(t *testing.T) {
	// covers: SDPi R1001
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(memnet.Config{Link: memnet.Link{Latency: 10 * time.Millisecond}})
		defer n.Close()
		l, err := n.Host(consumerIP).Listen(0)
		require.NoError(t, err)
		addr := l.Addr().String()
		g := newGate(t.Context(), n.Host(providerIP).Dial, time.Second)
		first, err := g.dial(t.Context(), "tcp", addr)
		require.NoError(t, err)

		// a second connection waits for the first to be closed, as long as it is given
		start := time.Now()
		_, err = g.dial(t.Context(), "tcp", addr)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		time.AfterFunc(500*time.Millisecond, func() { _ = first.Close() })
		start = time.Now()
		second, err := g.dial(t.Context(), "tcp", addr)
		require.NoError(t, err)
		require.Equal(t, 520*time.Millisecond, time.Since(start))
		require.Equal(t, 1, l.Stats().Peak)
		require.Error(t, first.Close(), "closing twice frees nothing")

		// a connection that fails leaves the way free
		require.NoError(t, second.Close())
		_, err = g.dial(t.Context(), "tcp", consumerIP+":1")
		require.True(t, memnet.IsRefused(err))
		third, err := g.dial(t.Context(), "tcp", addr)
		require.NoError(t, err)

		// close closes what is open, ends what waits, and lets nothing follow
		failed := make(chan error)
		go func() {
			_, err := g.dial(context.WithoutCancel(t.Context()), "tcp", addr)
			failed <- err
		}()
		synctest.Wait()
		go g.close()
		require.ErrorIs(t, <-failed, context.Canceled)
		synctest.Wait()
		_, err = third.Write([]byte("x"))
		require.Error(t, err)
		_, err = g.dial(t.Context(), "tcp", addr)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, l.Stats().Open)
	})
}
