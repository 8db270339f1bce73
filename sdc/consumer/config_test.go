package consumer_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

func TestConfigErrorsNameEverythingAtOnce(t *testing.T) {
	_, err := consumer.New(t.Context(), consumer.Config{
		Insecure: true, Identity: &sdc.Identity{}, Binding: 9, Network: sdc.Network{Address: netip.MustParseAddr("192.0.2.77")},
		Actions: []string{sdc.ActionWaveformStream, sdc.ActionGetMdib}, AccessLevels: []pm.AccessLevel{"Nobody"},
		RequestTimeout: -1, SubscriptionLength: -1, ProofInterval: -1, LostAfter: -time.Second, UpdateQueue: -1, ReportQueue: -1,
		Priority: 10, DiscoveryProxy: "proxy:8080",
	})
	for _, want := range []string{
		"exclude each other", "Binding 9", "192.0.2.77", "GetService/GetMdib", `"Nobody"`, "RequestTimeout", "SubscriptionLength", "ProofInterval", "LostAfter",
		"UpdateQueue", "ReportQueue", "10", `"proxy:8080"`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), sdc.ActionWaveformStream)
	_, err = consumer.New(t.Context(), consumer.Config{Insecure: true, Binding: consumer.BindEPR})
	require.ErrorContains(t, err, "Binding needs an Identity")
}

func TestClosedConsumerOpensNoDiscovery(t *testing.T) {
	c, err := consumer.New(t.Context(), consumer.Config{Insecure: true})
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
	_, err = c.NewDiscovery(discovery.ClientConfig{})
	require.ErrorIs(t, err, consumer.ErrClosed)
}
