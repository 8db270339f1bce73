package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
)

// BenchmarkSimulator is the making of one device of a fleet, without the network.
func BenchmarkSimulator(b *testing.B) {
	b.ReportAllocs()
	for i := range b.N {
		sim, err := monitor.New(simulators.Options{Seed: uint64(i)})
		require.NoError(b, err)
		require.NotNil(b, sim.MDIB())
	}
}
