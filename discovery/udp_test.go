package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/udpport"
)

// quick are delays for tests in real time.
func quick() Timing {
	return Timing{
		HelloDelay: -1, MatchDelay: 20 * time.Millisecond,
		MinDelay: 5 * time.Millisecond, MaxDelay: 10 * time.Millisecond, UpperDelay: 20 * time.Millisecond,
	}
}

// await reads events until one of the kind comes for each EPR.
func await(t *testing.T, events <-chan Event, k EventKind, eprs ...string) map[string]Endpoint {
	t.Helper()
	missing := map[string]bool{}
	for _, e := range eprs {
		missing[e] = true
	}
	got := map[string]Endpoint{}
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for len(missing) > 0 {
		select {
		case e := <-events:
			if e.Kind == k && missing[e.Endpoint.EPR] {
				delete(missing, e.Endpoint.EPR)
				got[e.Endpoint.EPR] = e.Endpoint
			}
		case <-timeout.C:
			require.Failf(t, "no event", "%v of %v", k, missing)
		}
	}
	return got
}

func watchUDP(t *testing.T, port uint16, f Filter) (*Client, <-chan Event) {
	t.Helper()
	c, err := NewClient(ClientConfig{UDP: UDPConfig{Port: port}, Timing: quick()})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	events := make(chan Event, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range c.Watch(ctx, f) {
			events <- e
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		require.NoError(t, c.Close())
	})
	return c, events
}

func TestUDPSeveralParticipants(t *testing.T) {
	// covers: COEX-1, WSD-1, WSD-4, WSD-5
	port := udpport.Free(t)
	filter := Filter{Types: DeviceTypes()}
	_, early := watchUDP(t, port, filter)
	var eprs []string
	var stops []func()
	var targets []*Target
	for i := range 3 {
		e := testEndpoint(fmt.Sprintf("urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f000%d", i))
		target, err := NewTarget(TargetConfig{Endpoint: e, UDP: UDPConfig{Port: port}, Timing: quick()})
		require.NoError(t, err)
		stops = append(stops, runTarget(t, target))
		targets = append(targets, target)
		eprs = append(eprs, e.EPR)
	}
	for epr, e := range await(t, early, Found, eprs...) {
		require.Equal(t, testEndpoint(epr), e)
	}
	c, late := watchUDP(t, port, filter)
	await(t, late, Found, eprs...)
	e, err := c.Resolve(t.Context(), eprs[1])
	require.NoError(t, err)
	require.Equal(t, testEndpoint(eprs[1]), e)
	require.Eventually(t, func() bool { // on a machine that is busy an answer may come too late
		all, err := c.Probe(t.Context(), filter, 300*time.Millisecond)
		require.NoError(t, err)
		return len(all) == 3
	}, time.Minute, time.Millisecond)

	require.NoError(t, targets[2].SetScopes([]string{"a:b"}))
	require.Equal(t, targets[2].Endpoint(), await(t, early, Changed, eprs[2])[eprs[2]])
	require.Equal(t, targets[2].Endpoint(), await(t, late, Changed, eprs[2])[eprs[2]])
	stops[0]()
	await(t, early, Gone, eprs[0])
	await(t, late, Gone, eprs[0])
}

// TestUDPTwoProcesses finds a target that runs in a second process on the same port.
func TestUDPTwoProcesses(t *testing.T) {
	// covers: COEX-1
	const variable = "DISCOVERY_TEST_TARGET_PORT"
	if text := os.Getenv(variable); text != "" {
		var port uint16
		_, err := fmt.Sscan(text, &port)
		require.NoError(t, err)
		target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(otherEPR), UDP: UDPConfig{Port: port}, Timing: quick()})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		go func() {
			_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent closes it
			cancel()
		}()
		require.NoError(t, target.Run(ctx))
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	port := udpport.Free(t)
	_, events := watchUDP(t, port, Filter{})
	target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR), UDP: UDPConfig{Port: port}, Timing: quick()})
	require.NoError(t, err)
	runTarget(t, target)

	child := exec.Command(self, "-test.run=^TestUDPTwoProcesses$", "-test.count=1")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", variable, port))
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	await(t, events, Found, testEPR, otherEPR)
	require.NoError(t, stdin.Close())
	await(t, events, Gone, otherEPR)
	require.NoError(t, child.Wait())
}

func TestUDPStaysOnLoopback(t *testing.T) {
	tr, err := NewUDP(UDPConfig{Port: udpport.Free(t)})
	require.NoError(t, err)
	defer func() { require.NoError(t, tr.Close()) }()
	send := tr.send.(*net.UDPConn).LocalAddr().(*net.UDPAddr)
	require.Equal(t, "127.0.0.1", send.IP.String())
	require.NotZero(t, send.Port)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := make(chan Datagram, 10)
	served := make(chan error, 1)
	go func() {
		served <- tr.Serve(ctx, func(d Datagram) {
			d.Data = append([]byte(nil), d.Data...)
			got <- d
		})
	}()
	require.NoError(t, tr.Multicast([]byte("group")))
	d := <-got
	require.Equal(t, "group", string(d.Data))
	require.Equal(t, send.AddrPort().Port(), d.From.Port())
	require.True(t, d.From.Addr().IsLoopback())
	require.True(t, d.Multicast)

	require.NoError(t, tr.Unicast(d.From, []byte("answer")))
	d = <-got
	require.Equal(t, "answer", string(d.Data))
	require.False(t, d.Multicast)

	require.NoError(t, tr.Unicast(netip.AddrPortFrom(d.From.Addr(), tr.group.Port()), []byte("to the port")))
	d = <-got
	require.Equal(t, "to the port", string(d.Data))

	// whoever sends from another address of this host is not heard
	for _, addr := range otherAddresses(t) {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: addr.AsSlice()})
		require.NoError(t, err)
		_, err = c.WriteToUDPAddrPort([]byte("from outside"), netip.AddrPortFrom(addr, tr.group.Port()))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	require.NoError(t, tr.Multicast([]byte("last")))
	require.Equal(t, "last", string((<-got).Data))

	require.Error(t, tr.Serve(ctx, func(Datagram) {}), "one at a time")
	cancel()
	require.NoError(t, <-served)
}

// otherAddresses are the IPv4 addresses of this host that are not loopback; there may be none.
func otherAddresses(t *testing.T) []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	require.NoError(t, err)
	var out []netip.Addr
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, _ := netip.AddrFromSlice(n.IP); ip.Unmap().Is4() && !ip.Unmap().IsLoopback() {
				out = append(out, ip.Unmap())
			}
		}
	}
	return out
}

func TestUDPServeAgain(t *testing.T) {
	tr, err := NewUDP(UDPConfig{Port: udpport.Free(t)})
	require.NoError(t, err)
	for i := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan string, 10)
		served := make(chan error, 1)
		go func() { served <- tr.Serve(ctx, func(d Datagram) { got <- string(d.Data) }) }()
		want := fmt.Sprint(i)
		require.NoError(t, tr.Multicast([]byte(want)))
		require.Equal(t, want, <-got)
		cancel()
		require.NoError(t, <-served)
	}
	served := make(chan error, 1)
	go func() { served <- tr.Serve(t.Context(), func(Datagram) {}) }()
	require.NoError(t, tr.Close())
	require.ErrorIs(t, <-served, net.ErrClosed)
}

func TestUDPRefuses(t *testing.T) {
	_, err := NewUDP(UDPConfig{Address: netip.MustParseAddr("fe80::1")})
	require.ErrorIs(t, err, ErrIPv6)
	for _, a := range []string{"0.0.0.0", "239.255.255.250", "192.0.2.77"} {
		_, err := NewUDP(UDPConfig{Address: netip.MustParseAddr(a)})
		require.Error(t, err, a)
	}
	_, err = NewClient(ClientConfig{UDP: UDPConfig{Address: netip.MustParseAddr("192.0.2.77")}})
	require.Error(t, err)
	target, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR), UDP: UDPConfig{Address: netip.MustParseAddr("192.0.2.77")}})
	require.NoError(t, err)
	require.Error(t, target.Run(t.Context()))
}
