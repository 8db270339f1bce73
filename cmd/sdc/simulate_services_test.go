package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

// Services that are offered on request only are offered by single devices and by those of a fleet and of a bed.
func TestSimulateServicesOnRequest(t *testing.T) {
	onRequest := []string{sdc.HistoryService, sdc.ArchiveService, sdc.ContainmentTreeService}
	services := func(args ...string) []string {
		a := simulated(t, append(args, "--insecure", "--discovery-port", port(t))...)
		c, err := consumer.New(t.Context(), consumer.Config{Insecure: true})
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close(t.Context())) }()
		d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: a.EPR, XAddrs: a.XAddrs})
		require.NoError(t, err)
		return d.Services()
	}
	for _, kind := range [][]string{{"monitor"}, {"reference"}, {"fleet", "--devices", "1"}, {"bed", "--with", "pump"}} {
		got := services(append(kind, "--history", "--archive", "--containment-tree")...)
		require.Subset(t, got, onRequest, kind)
	}
	for _, s := range onRequest {
		require.NotContains(t, services("monitor"), s)
	}
}
