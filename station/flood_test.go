package station_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/simulators"
	"github.com/semeco/go-sdc/simulators/monitor"
	"github.com/semeco/go-sdc/simulators/physio"
	"github.com/semeco/go-sdc/station"
)

// voice is a transport for discovery on a host of its own.
func voice(t *testing.T, h *memnet.Host) *discovery.PacketTransport {
	t.Helper()
	receive, err := h.ListenPacket(discovery.DefaultPort)
	require.NoError(t, err)
	require.NoError(t, receive.JoinGroup(discovery.GroupIPv4()))
	send, err := h.ListenPacket(0)
	require.NoError(t, err)
	return discovery.NewPacketTransport(receive, send, netip.AddrPortFrom(discovery.GroupIPv4(), discovery.DefaultPort))
}

// appear puts a device on the network that announces itself.
func appear(t *testing.T, n *memnet.Network, ip string) string {
	t.Helper()
	h, epr := n.Host(ip), uuid.New().URN()
	sim, err := monitor.New(simulators.Options{Bed: simulators.NewBed(physio.Config{Seed: 1}), Location: sdc.LocationDetail{Facility: "H", PoC: "OR 3"}})
	require.NoError(t, err)
	transport := voice(t, h)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- simulators.Run(ctx, sim, provider.Config{
			EPR: epr, Insecure: true, Listen: h.ListenAny, Dial: h.Dial, Transport: transport, Timing: discovery.PromptTiming(),
		}, func(*provider.Provider) {})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, transport.Close())
	})
	return epr
}

// Whoever invents devices, as many as he likes and for as long as he likes, keeps no device away: one that comes meanwhile is connected within one turn, and those connected stay.
func TestInventedDevicesKeepNobodyAway(t *testing.T) {
	const intruder = "192.0.2.66"
	for name, places := range map[string]int{"the usual places": 0, "one place left": 2} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				network := memnet.New(memnet.Config{})
				t.Cleanup(network.Close)
				h := network.Host("192.0.2.1")
				c, err := consumer.New(t.Context(), consumer.Config{Insecure: true, Listen: h.ListenAny, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					if strings.HasPrefix(addr, "10.") {
						<-ctx.Done() // nobody is there, and nobody says so
						return nil, ctx.Err()
					}
					return h.Dial(ctx, network, addr)
				}})
				require.NoError(t, err)
				ear := voice(t, h)
				client, err := discovery.NewClient(discovery.ClientConfig{Transport: ear})
				require.NoError(t, err)
				s, err := station.New(station.Config{Consumer: c, Discovery: client, MaxDevices: places})
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(context.Background())
				var wg sync.WaitGroup
				t.Cleanup(func() {
					cancel()
					wg.Wait()
					require.NoError(t, c.Close(context.Background()))
					require.NoError(t, client.Close())
					require.NoError(t, ear.Close())
				})
				wg.Go(func() { _ = s.Run(ctx) })
				first := appear(t, network, "192.0.2.5")
				live := func(epr string) bool { d := s.View().Device(epr); return d != nil && d.Live() }
				within := func(limit time.Duration, what string, ok func() bool) {
					t.Helper()
					for start := time.Now(); !ok(); time.Sleep(100 * time.Millisecond) {
						require.Less(t, time.Since(start), limit, what)
					}
				}
				within(10*time.Second, "the first device live", func() bool { return live(first) })

				forger := voice(t, network.Host(intruder))
				wg.Go(func() {
					defer func() { _ = forger.Close() }()
					for n := 0; ctx.Err() == nil; n++ {
						_ = forger.Multicast(hello(n))
						if n > 2000 { // all places are taken by now
							time.Sleep(20 * time.Millisecond)
						} else if n%10 == 0 {
							time.Sleep(time.Millisecond)
						}
					}
				})
				within(10*time.Second, "a long line", func() bool { return len(s.View().Waiting) > 900 })
				require.LessOrEqual(t, len(s.View().Waiting), 1024)
				time.Sleep(20 * time.Second)

				second := appear(t, network, "192.0.2.6")
				// A turn, the wait after it, and connecting.
				within(20*time.Second, "the device that came during the flood live", func() bool {
					require.True(t, live(first))
					return live(second)
				})
				for range 300 {
					time.Sleep(100 * time.Millisecond)
					require.True(t, live(first) && live(second), "who has been connected stays")
				}
			})
		})
	}
}

// hello announces a device that does not exist.
func hello(n int) []byte {
	return fmt.Appendf(nil, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing" `+
		`xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:p="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" xmlns:m="http://standards.ieee.org/downloads/11073/11073-20702-2016">`+
		`<s:Header><a:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Hello</a:Action><a:MessageID>urn:uuid:00000000-0000-4000-9000-%012d</a:MessageID>`+
		`<a:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</a:To><d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header><s:Body><d:Hello>`+
		`<a:EndpointReference><a:Address>urn:uuid:00000000-0000-4000-8000-%012d</a:Address></a:EndpointReference><d:Types>p:Device m:MedicalDevice</d:Types>`+
		`<d:XAddrs>http://10.%d.%d.%d:6464/x</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:Hello></s:Body></s:Envelope>`, n, n, n>>16&255, n>>8&255, n&255)
}
