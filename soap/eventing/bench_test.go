package eventing

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// BenchmarkDelivery publishes over loopback TCP to sinks that only count.
func BenchmarkDelivery(b *testing.B) {
	for _, consumers := range []int{1, 10} {
		b.Run(fmt.Sprintf("consumers=%d", consumers), func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			defer wg.Wait()
			defer cancel()
			serve := func() (*soap.Server, string) {
				var lc net.ListenConfig
				l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
				require.NoError(b, err)
				srv, err := soap.NewServer(soap.ServerConfig{Insecure: true})
				require.NoError(b, err)
				wg.Go(func() { _ = srv.Serve(ctx, l) })
				return srv, "http://" + l.Addr().String()
			}
			source, err := NewSource(SourceConfig{Client: soap.ClientConfig{Insecure: true}, NumberHeader: numberHeader})
			require.NoError(b, err)
			provider, url := serve()
			provider.Handle("/s", &soap.Endpoint{Actions: map[string]soap.Handler{ActionSubscribe: source.SubscribeHandler()}})
			provider.HandlePrefix(source.ManagerPath(), source.ManagerEndpoint())
			client, err := soap.NewClient(soap.ClientConfig{Insecure: true})
			require.NoError(b, err)
			defer client.Close()

			var seen atomic.Int64
			arrived := make(chan struct{}, 1)
			for range consumers {
				srv, base := serve()
				sink, err := NewSink(SinkConfig{Server: srv, Client: client, BaseURL: base})
				require.NoError(b, err)
				defer func() { _ = sink.Close(ctx) }()
				_, err = sink.Subscribe(ctx, Request{
					Source: soap.NewEndpoint(url + "/s"), Actions: []string{actMetric},
					Notify: func(context.Context, *soap.Request) error {
						seen.Add(1)
						select {
						case arrived <- struct{}{}:
						default:
						}
						return nil
					},
				})
				require.NoError(b, err)
			}
			report := body(strings.Repeat("0123456789", 200))
			b.SetBytes(int64(len(report) * consumers))
			b.ReportAllocs()
			sent := int64(0)
			for b.Loop() {
				require.Equal(b, consumers, source.Publish(actMetric, report))
				sent += int64(consumers)
				for sent-seen.Load() > 400 { // less than the queue of one, which may be behind alone
					<-arrived
				}
			}
			for seen.Load() < sent {
				<-arrived
			}
			require.NoError(b, source.Close(ctx))
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
