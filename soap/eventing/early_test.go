package eventing

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// TestEarlyAnswers: only a notification after which another waits may be confirmed before it has been worked on, so that Flush still means
// that everything has been, and the order stays.
func TestEarlyAnswers(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		sink, _ := b.sink()
		hold := make(chan struct{})
		var got []string
		for _, action := range []string{actMetric, actAlert} {
			sub, err := sink.Subscribe(b.ctx, Request{
				Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{action}, Expires: time.Minute,
				Early: true,
				Notify: func(_ context.Context, r *soap.Request) error {
					text, err := r.Body().Text()
					<-hold
					got = append(got, fmt.Sprint(text, " ", r.Confirmed))
					return err
				},
			})
			require.NoError(t, err)
			require.NoError(t, sub.Err())
		}
		for i := range 4 {
			b.source.Publish([]string{actMetric, actAlert}[i%2], body(i))
		}
		pass(time.Second)
		// The first found the line free. The others waited meanwhile.
		flushed := make(chan error, 1)
		go func() { flushed <- b.source.Flush(b.ctx) }()
		for range 3 {
			hold <- struct{}{}
			pass(time.Second)
		}
		synctest.Wait()
		require.Empty(t, flushed, "the last is still being worked on")
		hold <- struct{}{}
		require.NoError(t, <-flushed)
		require.Len(t, got, 4)
		require.Equal(t, []string{"1 true", "2 true", "3 false"}, got[1:])
		close(hold)
		require.NoError(t, sink.Close(b.ctx))
	})
}
