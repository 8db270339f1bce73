package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/examples/internal/thermometer"
	"github.com/semeco/go-sdc/sdc/consumer"
)

func TestOperationsAreListedAndInvoked(t *testing.T) {
	dev, _ := thermometer.Run(t)
	url, cfg := dev.XAddrs()[0], consumer.Config{Insecure: true}
	out := thermometer.NewLines()
	require.NoError(t, run(t.Context(), cfg, out, url))
	require.Equal(t, "interval.set acts on interval", out.Next(t, "interval"))
	require.NoError(t, run(t.Context(), cfg, out, url, "interval.set", "5"))
	require.Contains(t, out.Next(t, "transaction"), "ended with Fin")
	require.ErrorContains(t, run(t.Context(), cfg, out, url, "interval.set", "500"), "refused")
	require.ErrorContains(t, run(t.Context(), cfg, out, url, "interval.set", "soon"), "soon")
	require.ErrorContains(t, run(t.Context(), cfg, out, url, "nothing", "5"), "no operation")
	require.ErrorContains(t, run(t.Context(), cfg, out), "usage")
}
