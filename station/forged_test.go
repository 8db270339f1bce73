package station_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/attack"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/simulators/ventilator"
	"github.com/semeco/go-sdc/station"
)

// Anybody on the network can say goodbye in the name of a device, or say that it is elsewhere. A station that is connected to it does not believe that, and shows no gap.
func TestForgedNewsEndNoSession(t *testing.T) {
	port := udpport.Free(t)
	tr := newTrust(t)
	vent, err := ventilator.New(simulators.Options{Bed: simulators.NewBed(physio.Config{Seed: 1}), Location: sdc.LocationDetail{Facility: "H", PoC: "OR 3"}})
	require.NoError(t, err)
	v := tr.run(t, port, vent)
	id := tr.identity(t, "station", sdc.RoleConsumer)
	c, err := consumer.New(t.Context(), consumer.Config{Identity: id})
	require.NoError(t, err)
	defer c.Close(context.Background())
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: port}})
	require.NoError(t, err)
	defer client.Close()
	s, err := station.New(station.Config{Consumer: c, Discovery: client, Immediately: true})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()
	until(t, s, "the ventilator live", func(view *station.View) bool { d := view.Device(v.epr); return d != nil && d.Live() })

	target := &attack.Target{EPR: v.epr, XAddr: v.dev.XAddrs()[0], Trusted: id.ClientTLS(sdc.RoleProvider), Discovery: netip.AddrPortFrom(netip.MustParseAddr("239.255.255.250"), port)}
	for _, a := range attack.All() {
		if !slices.Contains([]string{"forged-bye", "forged-hello"}, a.Name) {
			continue
		}
		require.NoError(t, a.Run(t.Context(), target))
		start := time.Now()
		until(t, s, "some time after "+a.Name, func(view *station.View) bool {
			link := view.Device(v.epr).Link
			require.Equal(t, station.LinkLive, link.State, "%s: %s", a.Name, link.Cause)
			return view.Time.Sub(start) > 3*time.Second
		})
	}
}
