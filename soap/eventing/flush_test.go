package eventing

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFlush: what was published before has arrived, or its subscription has ended.
func TestFlush(t *testing.T) {
	inBubble(t, SourceConfig{MaxQueue: 20, NotifyTimeout: 5 * time.Second}, func(t *testing.T, b *bench) {
		require.NoError(t, b.source.Flush(t.Context()), "nobody is there")
		slow, stalled := b.listener(consumerIP), b.listener(consumerIP)
		slow.answer = func(message, http.ResponseWriter, *http.Request) { <-time.After(50 * time.Millisecond) }
		b.subscribeTo("/StateEvent", slow, "slow", time.Minute, actMetric)
		for i := range 10 {
			b.source.Publish(actMetric, body(i))
		}
		require.NoError(t, b.source.Flush(t.Context()))
		require.Len(t, slow.take("/slow"), 10)
		require.Zero(t, b.source.Subscriptions()[0].Queued)

		stalled.answer = func(_ message, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		b.subscribeTo("/StateEvent", stalled, "stalled", time.Minute, actAlert)
		b.source.Publish(actAlert, body(0))
		b.source.Publish(actAlert, body(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.source.Flush(ctx), context.DeadlineExceeded)
		require.NoError(t, b.source.Flush(t.Context()), "the subscription has ended")
		require.Equal(t, uint64(1), b.source.Stats().Failed)

		b.source.Publish(actMetric, body(99))
		b.closeSource()
		_ = b.source.Flush(t.Context()) // returns, whatever has become of it
	})
}
