package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestThermometerMeasuresAndIsControlled(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := thermometer.NewLines()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, provider.Config{Insecure: true, Network: thermometer.Network(t)}, out)
	}()
	_, url, ok := strings.Cut(strings.TrimSuffix(out.Next(t, "urn:uuid:"), "]"), " [")
	require.True(t, ok)
	dev, err := consumer.Connect(ctx, discovery.Endpoint{XAddrs: []string{url}}, consumer.Config{Insecure: true})
	require.NoError(t, err)
	_, err = dev.SetValue(ctx, "interval.set", pm.MustDecimal("2"))
	require.NoError(t, err)
	_, err = dev.SetValue(ctx, "interval.set", pm.MustDecimal("61"))
	require.ErrorContains(t, err, "allowed range")
	interval, ok := mdib.Get[*pm.NumericMetricState](dev.MDIB(), "interval")
	require.True(t, ok)
	v, _ := interval.MetricValue.Value.Get()
	require.Equal(t, "2", v.String())
	limit, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	measured := false
	for u, err := range dev.Updates(limit) {
		require.NoError(t, err)
		if u.Change != nil && len(u.Change.States) == 1 && u.Change.States[0].Handle == "temperature" {
			measured = true
			break
		}
	}
	require.True(t, measured)
	require.NoError(t, dev.Close(ctx))
	stop()
	require.NoError(t, <-ended)
}
