package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/sdc/consumer"
)

func TestConsumerFindsTheDeviceAndPrintsWhatChanges(t *testing.T) {
	dev, network := thermometer.Run(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// Another device shows up that cannot be connected to.
	other, err := discovery.NewTarget(discovery.TargetConfig{
		Endpoint: discovery.Endpoint{
			EPR: "urn:uuid:00000000-0000-4000-8000-000000000001", Types: discovery.DeviceTypes(), XAddrs: []string{"http://127.0.0.1:1/"},
		},
		UDP: network.UDP(), Timing: discovery.PromptTiming(),
	})
	require.NoError(t, err)
	gone := make(chan error, 1)
	go func() { gone <- other.Run(ctx) }()
	<-other.Ready()
	out := thermometer.NewLines()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, consumer.Config{Insecure: true, Network: network}, out) }()
	require.Contains(t, out.Next(t, "connected"), dev.EPR())
	out.Next(t, "live")
	thermometer.Measure(t, dev, "37.20")
	require.Equal(t, "temperature 37.20 Vld", out.Next(t, "temperature"))
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, <-gone)
}
