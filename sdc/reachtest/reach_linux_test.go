package reachtest

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/netns"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestMain(m *testing.M) {
	netns.Enter(netns.Programs{"device": device, "desk": desk})
	goleak.VerifyTestMain(m)
}

const deviceURN = "urn:uuid:5b0f4f5e-0c3e-4e0c-9c60-3c1f5c9d3a12"

// network reads addresses and names of interfaces.
func network(names []string) sdc.Network {
	var n sdc.Network
	for _, name := range names {
		if a, err := netip.ParseAddr(name); err == nil {
			n.Addresses = append(n.Addresses, a)
		} else {
			n.Interfaces = append(n.Interfaces, name)
		}
	}
	return n
}

// device runs on the network that its arguments name, after the folder of its certificate. It is found by Hello and Probe alone.
func device(ctx context.Context, p *netns.Child, args []string) error {
	id, err := sdc.LoadIdentity(args[0])
	if err != nil {
		return err
	}
	snap, err := mdib.ReadFile("../provider/testdata/device.xml")
	if err != nil {
		return err
	}
	dev, err := provider.New(provider.Config{
		EPR: deviceURN, MDIB: snap, Identity: id, Policy: provider.AllowAll(), ApplyProposals: true, Network: network(args[1:]), Timing: discovery.PromptTiming(),
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	select {
	case <-dev.Ready():
	case err := <-ended:
		return err
	}
	p.Say("ready %s", strings.Join(dev.XAddrs(), " "))
	return <-ended
}

// desk is a consumer that does what it is told on the network that its arguments name, after the folder of its certificate.
func desk(ctx context.Context, p *netns.Child, args []string) error {
	id, err := sdc.LoadIdentity(args[0])
	if err != nil {
		return err
	}
	n := network(args[1:])
	locator, err := discovery.NewClient(discovery.ClientConfig{UDP: n.UDP(), Timing: discovery.PromptTiming()})
	if err != nil {
		return err
	}
	defer locator.Close()
	c, err := consumer.New(ctx, consumer.Config{
		Identity: id, Network: n, ProofInterval: time.Second, RequestTimeout: 5 * time.Second, LostAfter: 2 * time.Minute,
		Locators: []consumer.Locator{locator},
	})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Close(closing) // the device may be unreachable on purpose
	}()
	p.Say("ready")
	for line := range p.Told {
		switch line {
		case "find":
			found, err := locator.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, 500*time.Millisecond)
			if err != nil {
				return err
			}
			p.Say("found %s", xaddrs(found))
		case "use":
			if err := use(ctx, p, c, locator); err != nil {
				return err
			}
		case "stay":
			e, err := locator.Resolve(ctx, deviceURN)
			if err != nil {
				return err
			}
			d, err := c.Connect(ctx, e)
			if err != nil {
				return err
			}
			go func() {
				for u, err := range d.Updates(ctx) {
					switch {
					case err != nil:
						p.Say("ended %v", err)
					case u.Change == nil || u.Gap != nil:
						p.Say("%s %s", u.Link.State, d.XAddr())
					}
				}
			}()
			p.Say("staying %s", d.XAddr())
		}
	}
	return nil
}

func xaddrs(found []discovery.Endpoint) string {
	var out []string
	for _, e := range found {
		out = append(out, e.XAddrs...)
	}
	return strings.Join(out, " ")
}

// use resolves the device, connects at its first address, and sets a value whose effect has to come back as a report.
func use(ctx context.Context, p *netns.Child, c *consumer.Consumer, l consumer.Locator) error {
	e, err := l.Resolve(ctx, deviceURN)
	if err != nil {
		return err
	}
	e.XAddrs = e.XAddrs[:1] // no other is to be needed
	d, err := c.Connect(ctx, e)
	if err != nil {
		return err
	}
	r, err := d.SetValue(ctx, "value.set", pm.MustDecimal("7.50"))
	if err != nil {
		return err
	}
	if r.State != msg.InvocationStateFin {
		return fmt.Errorf("the operation ended with %s", r.State)
	}
	if err := d.Close(ctx); err != nil {
		return err
	}
	p.Say("hosted at %s", d.Metadata().Hosted[0].Endpoints[0].Address)
	p.Say("used %s", d.XAddr())
	return nil
}

// certificates makes folders for a device and a consumer.
func certificates(t *testing.T) (dev, desk string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := pki.NewCA("reach", time.Hour)
	require.NoError(t, err)
	for name, role := range map[string]sdc.Role{"device": sdc.RoleProvider, "desk": sdc.RoleConsumer} {
		p, err := ca.Issue(pki.Request{Name: name, Role: role, Validity: time.Hour})
		require.NoError(t, err)
		require.NoError(t, p.Write(filepath.Join(dir, name)))
	}
	return filepath.Join(dir, "device"), filepath.Join(dir, "desk")
}

// A device on three networks and in both IP families is found from each of them and used at the address that is reached from there: it subscribes,
// gets reports and answers operations. One network has link-local addresses alone, whose zone never leaves a host.
func TestADeviceIsUsedFromEachOfItsNetworks(t *testing.T) {
	// covers: COEX-2, COEX-4, SDPi R2000, WSD-4
	lab := netns.New(t)
	devDir, deskDir := certificates(t)
	ward, theatre, bench := lab.Segment(), lab.Segment(), lab.Segment()
	d := lab.Host("device")
	d.Attach(ward, "eth0", "10.7.0.1/24", "fd07::1/64")
	plug := d.Attach(theatre, "eth1", "10.8.0.1/24", "fd08::1/64")
	d.Attach(bench, "eth2")
	d.Attach(lab.Segment(), "eth3", "10.9.0.1/24") // not named: nothing is to be there
	p := d.Start("device", devDir, "eth0", "eth1", "eth2")
	at := strings.Fields(p.Expect("ready"))
	require.Len(t, at, 5)
	require.NotContains(t, strings.Join(at, " "), "10.9.0.1")

	desks := map[string]*netns.Process{}
	for addr, on := range map[string]*netns.Segment{"10.7.0.2/24": ward, "fd07::3/64": ward, "10.8.0.2/24": theatre, "fd08::3/64": theatre, "": bench} {
		h := lab.Host("desk at " + addr)
		var cidrs []string
		if addr != "" {
			cidrs = append(cidrs, addr)
		}
		h.Attach(on, "lan0", cidrs...)
		name, _, _ := strings.Cut(addr, "/")
		if name == "" {
			name = "lan0"
		}
		desks[name] = h.Start("desk", deskDir, name)
		desks[name].Expect("ready")
	}
	for name, want := range map[string]string{
		"10.7.0.2": "https://10.7.0.1:", "fd07::3": "https://[fd07::1]:", "10.8.0.2": "https://10.8.0.1:", "fd08::3": "https://[fd08::1]:",
		"lan0": "https://[fe80::",
	} {
		desks[name].Tell("use")
		hosted, used := desks[name].Expect("hosted at "), desks[name].Expect("used ")
		require.True(t, strings.HasPrefix(used, want), "from %s: %s", name, used)
		require.True(t, strings.HasPrefix(hosted, want), "from %s: %s", name, hosted)
		require.NotContains(t, hosted, "%", "the zone is that of the device")
		if name == "lan0" {
			require.Contains(t, used, "%25lan0")
		}
		var found string
		require.Eventually(t, func() bool { // on a machine that is busy an answer may come too late
			desks[name].Tell("find")
			found = desks[name].Expect("found")
			return strings.HasPrefix(found, want)
		}, time.Minute, 100*time.Millisecond, "from %s", name)
		require.Equal(t, name == "lan0", strings.Contains(found, "fe80"), "nobody else has a use for it: %s", found)
	}

	// An interface that goes is left, and those elsewhere do not notice.
	desks["10.7.0.2"].Tell("stay")
	desks["10.7.0.2"].Expect("staying")
	plug.Remove()
	require.Eventually(t, func() bool {
		desks["fd07::3"].Tell("find")
		found := desks["fd07::3"].Expect("found")
		return found != "" && !strings.Contains(found, "10.8.0.1")
	}, time.Minute, 100*time.Millisecond)
	desks["10.8.0.2"].Tell("find")
	require.Empty(t, desks["10.8.0.2"].Expect("found"))
	desks["10.7.0.2"].Tell("use")
	desks["10.7.0.2"].Expect("used ")

	// When it is back the device is there again, at the same addresses and port; nobody had to ask for that.
	d.Attach(theatre, "eth1", "10.8.0.1/24", "fd08::1/64")
	for name, want := range map[string]string{"10.8.0.2": "https://10.8.0.1:", "fd08::3": "https://[fd08::1]:"} {
		require.Eventually(t, func() bool {
			desks[name].Tell("find")
			return strings.HasPrefix(desks[name].Expect("found"), want)
		}, time.Minute, 100*time.Millisecond)
		desks[name].Tell("use")
		require.Contains(t, strings.Join(at, " "), desks[name].Expect("used "))
	}

	// Another address, as from another lease, is taken like another interface.
	d.RemoveAddress("eth1", "10.8.0.1/24")
	d.AddAddress("eth1", "10.8.0.9/24")
	require.Eventually(t, func() bool {
		desks["10.8.0.2"].Tell("find")
		return strings.Contains(desks["10.8.0.2"].Expect("found"), "10.8.0.9")
	}, time.Minute, 100*time.Millisecond)
	desks["10.8.0.2"].Tell("use")
	require.Contains(t, desks["10.8.0.2"].Expect("used "), "https://10.8.0.9:")
}

// A consumer and a device that share two networks do not lose one another with one of them: the connection heals over the other one.
func TestAConnectionMovesToTheOtherNetwork(t *testing.T) {
	// covers: COEX-3, COEX-4
	lab := netns.New(t)
	devDir, deskDir := certificates(t)
	one, two := lab.Segment(), lab.Segment()
	dev, desk := lab.Host("device"), lab.Host("desk")
	plugs := map[string]*netns.Plug{
		"10.7.0.1": dev.Attach(one, "eth0", "10.7.0.1/24"),
		"10.8.0.1": dev.Attach(two, "eth1", "10.8.0.1/24"),
	}
	desk.Attach(one, "eth0", "10.7.0.2/24")
	desk.Attach(two, "eth1", "10.8.0.2/24")
	dev.Start("device", devDir, "10.7.0.1", "10.8.0.1").Expect("ready")
	d := desk.Start("desk", deskDir, "10.7.0.2", "10.8.0.2")
	d.Expect("ready")
	d.Tell("stay")
	first := d.Expect("staying ")
	for ip, plug := range plugs {
		if strings.Contains(first, ip) {
			plug.Silence()
		}
	}
	second := first
	for second == first { // it may have been stale for a moment before, on a machine that is busy
		second = d.Expect("live ")
	}
	for ip, plug := range plugs { // and back
		if strings.Contains(first, ip) {
			plug.Restore()
		}
		if strings.Contains(second, ip) {
			plug.Silence()
		}
	}
	for back := second; back != first; {
		back = d.Expect("live ")
	}
	for _, plug := range plugs { // so that both can say goodbye
		plug.Restore()
	}
}
