package reachtest

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/netns"
)

func TestMain(m *testing.M) {
	netns.Enter(netns.Programs{"device": device, "desk": desk})
	goleak.VerifyTestMain(m)
}

const deviceEPR = "urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f0f01"

// device announces itself on the named interfaces; its addresses follow those that are in use.
func device(ctx context.Context, p *netns.Child, interfaces []string) error {
	addresses := make(chan []netip.Addr, 16)
	target, err := discovery.NewTarget(discovery.TargetConfig{
		Endpoint: discovery.Endpoint{EPR: deviceEPR, Types: discovery.DeviceTypes(), XAddrs: []string{
			"https://10.7.0.1:6464/", "https://10.8.0.1:6464/", "https://[fd07::1]:6464/", "https://[fd08::1]:6464/",
		}},
		UDP:    discovery.UDPConfig{Interfaces: interfaces, Changed: func(a []netip.Addr) { addresses <- a }},
		Timing: discovery.PromptTiming(),
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- target.Run(ctx) }()
	<-target.Ready()
	p.Say("ready")
	for {
		select {
		case err := <-ended:
			return err
		case now := <-addresses:
			var xaddrs []string
			for _, a := range now {
				xaddrs = append(xaddrs, fmt.Sprintf("https://%s/", netip.AddrPortFrom(a.WithZone(""), 6464)))
			}
			if err := target.SetXAddrs(xaddrs); err != nil {
				return err
			}
			p.Say("moved %d", len(xaddrs))
		}
	}
}

// desk looks for the device from its first address, and asks the others, if there are any, by unicast datagram; it does so whenever it is told to, and tells of Hellos.
func desk(ctx context.Context, p *netns.Child, addrs []string) error {
	var peers []string
	for _, a := range addrs[1:] {
		peers = append(peers, "soap.udp://"+netip.AddrPortFrom(netip.MustParseAddr(a), discovery.DefaultPort).String())
	}
	c, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Address: netip.MustParseAddr(addrs[0])}, Timing: discovery.PromptTiming(), Peers: peers})
	if err != nil {
		return err
	}
	defer c.Close()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for e := range c.Watch(ctx, discovery.Filter{}) {
			p.Say("%s %v", e.Kind, e.Endpoint.XAddrs)
		}
	}()
	p.Say("ready")
	for range p.Told {
		found, err := c.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, 500*time.Millisecond)
		if err != nil {
			return err
		}
		for _, e := range found {
			p.Say("probed %s", e.XAddrs[0])
		}
		if len(found) == 0 {
			p.Say("probed nothing")
		}
	}
	<-watched
	return nil
}

// A device on two networks and in both IP families is found from each of them at the address that is reached from there.
func TestSeveralInterfaces(t *testing.T) {
	lab := netns.New(t)
	ward, theatre := lab.Segment(), lab.Segment()
	d := lab.Host("device")
	d.Attach(ward, "eth0", "10.7.0.1/24", "fd07::1/64")
	plug := d.Attach(theatre, "eth1", "10.8.0.1/24", "fd08::1/64")
	d.Attach(lab.Segment(), "eth2", "10.9.0.1/24") // not named: nothing is to happen there
	desks := map[string]*netns.Process{}
	p := d.Start("device", "eth0", "eth1")
	p.Expect("ready")
	for addr, at := range map[string]*netns.Segment{"10.7.0.2": ward, "fd07::3": ward, "10.8.0.2": theatre, "fd08::3": theatre} {
		h := lab.Host("desk " + addr)
		bits := map[bool]string{true: "/24", false: "/64"}[netip.MustParseAddr(addr).Is4()]
		h.Attach(at, "eth0", addr+bits)
		desks[addr] = h.Start("desk", addr)
		desks[addr].Expect("ready")
	}
	for addr, want := range map[string]string{
		"10.7.0.2": "https://10.7.0.1:6464/", "fd07::3": "https://[fd07::1]:6464/",
		"10.8.0.2": "https://10.8.0.1:6464/", "fd08::3": "https://[fd08::1]:6464/",
	} {
		desks[addr].Tell("probe")
		require.Equal(t, want, desks[addr].Expect("probed"), "from %s", addr)
	}

	// An interface that goes is left, the others are told; when it is back the device is there again.
	plug.Remove()
	p.Expect("moved 2")
	require.Equal(t, "[https://10.7.0.1:6464/ https://[fd07::1]:6464/]", desks["10.7.0.2"].Expect("changed"))
	desks["10.8.0.2"].Tell("probe")
	require.Equal(t, "nothing", desks["10.8.0.2"].Expect("probed"))
	d.Attach(theatre, "eth1", "10.8.0.1/24", "fd08::1/64")
	p.Expect("moved")
	desks["fd08::3"].Tell("probe")
	require.Equal(t, "https://[fd08::1]:6464/", desks["fd08::3"].Expect("probed"))
}

// A device behind a router, which no multicast passes, is found by unicast datagrams.
func TestUnicastProbe(t *testing.T) {
	lab := netns.New(t)
	near, far := lab.Segment(), lab.Segment()
	r := lab.Host("router")
	r.Attach(near, "eth0", "10.6.0.254/24", "fd06::fe/64")
	r.Attach(far, "eth1", "10.7.0.254/24", "fd07::fe/64")
	r.Forward()
	d := lab.Host("device")
	d.Attach(far, "eth0", "10.7.0.1/24", "fd07::1/64")
	d.DefaultRoute("10.7.0.254")
	d.DefaultRoute("fd07::fe")
	d.Start("device", "eth0").Expect("ready")
	h := lab.Host("desk")
	h.Attach(near, "eth0", "10.6.0.1/24", "fd06::1/64")
	h.DefaultRoute("10.6.0.254")
	h.DefaultRoute("fd06::fe")
	for _, c := range []struct{ from, to, want string }{
		{"10.6.0.1", "10.7.0.1", "https://10.7.0.1:6464/"}, {"fd06::1", "fd07::1", "https://[fd07::1]:6464/"},
	} {
		alone := h.Start("desk", c.from)
		alone.Expect("ready")
		alone.Tell("probe")
		require.Equal(t, "nothing", alone.Expect("probed"))
		alone.Stop()
		asking := h.Start("desk", c.from, c.to)
		asking.Expect("ready")
		require.Eventually(t, func() bool { // on a machine that is busy an answer may come too late
			asking.Tell("probe")
			return asking.Expect("probed") == c.want
		}, time.Minute, 100*time.Millisecond)
		asking.Stop()
	}
}
