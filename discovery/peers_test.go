package discovery

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/soap"
)

// next is the next event of another kind.
func next(events <-chan Event, but EventKind) Event {
	for {
		if e := <-events; e.Kind != but {
			return e
		}
	}
}

// Devices that the group does not reach are found by their URLs; one that does not answer holds nobody up.
func TestPeers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		l.target(t, "10.0.0.3", TargetConfig{Endpoint: testEndpoint(otherEPR)})
		far, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR)}) // never on the group
		require.NoError(t, err)
		server, err := soap.NewServer(soap.ServerConfig{Insecure: true})
		require.NoError(t, err)
		server.Handle("/dev", &soap.Endpoint{Actions: map[string]soap.Handler{ActionProbe: far.HandleProbe}})
		ln, err := l.net.Host("10.0.0.1").Listen(0)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, ln) }()
		defer func() {
			cancel()
			require.NoError(t, <-served)
		}()
		client, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: l.net.Host("10.0.0.2").Dial})
		require.NoError(t, err)
		defer client.Close()
		l.net.Partition("10.0.0.2", "10.0.0.9")
		c := l.client(t, "10.0.0.2", ClientConfig{
			Peers: []string{"http://" + ln.Addr().String() + "/dev", "http://10.0.0.9:1/"}, PeerClient: client,
		})
		began := time.Now()
		found, err := c.Probe(t.Context(), Filter{Types: DeviceTypes()}, 3*time.Second)
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, otherEPR, found[0].EPR)
		require.Equal(t, testEndpoint(testEPR), found[1])
		require.Less(t, time.Since(began), 4*time.Second)
		found, err = c.Probe(t.Context(), Filter{Scopes: []string{"x:y"}}, time.Second)
		require.NoError(t, err)
		require.Empty(t, found)
		e, err := c.Resolve(t.Context(), testEPR)
		require.NoError(t, err)
		require.Equal(t, testEndpoint(testEPR), e)
		_, err = c.Resolve(t.Context(), "urn:uuid:0")
		require.ErrorIs(t, err, ErrNoAnswer)

		// A Watch tells of them, and that one has gone and is back.
		watch, stop := context.WithCancel(t.Context())
		defer stop()
		events := make(chan Event, 16)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			for e := range c.Watch(watch, Filter{Types: DeviceTypes()}) {
				if e.Endpoint.EPR == testEPR {
					events <- e
				}
			}
		}()
		require.Equal(t, Event{Kind: Found, Endpoint: testEndpoint(testEPR)}, <-events)
		l.net.Partition("10.0.0.1", "10.0.0.2")
		began = time.Now()
		require.Equal(t, Gone, next(events, Alive).Kind)
		require.Less(t, time.Since(began), 3*peersEvery)
		l.net.Heal("10.0.0.1", "10.0.0.2")
		require.Equal(t, Found, (<-events).Kind)
		stop()
		<-watched
	})
	_, err := NewClient(ClientConfig{Peers: []string{"http://10.0.0.1/"}})
	require.ErrorContains(t, err, "PeerClient")
	client, err := soap.NewClient(soap.ClientConfig{Insecure: true})
	require.NoError(t, err)
	_, err = NewClient(ClientConfig{Peers: []string{"10.0.0.1"}, PeerClient: client})
	require.ErrorContains(t, err, "peer")
	for _, bad := range []string{"soap.udp://", "soap.udp://host", "soap.udp://0.0.0.0", "soap.udp://239.255.255.250:3702", "soap.udp://10.0.0.1:0", "soap.udp://10.0.0.1:99999", "soap.udp://[ff02::c]"} {
		_, err = NewClient(ClientConfig{Peers: []string{bad}})
		require.ErrorContains(t, err, "soap.udp", bad)
	}
	urls, datagrams, err := splitPeers([]string{"https://a/", "soap.udp://10.0.0.1/", "soap.udp://[fd07::1]:99", "soap.udp://[fe80::1%eth0]"}, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"https://a/"}, urls)
	require.Equal(t, "[10.0.0.1:3702 [fd07::1]:99 [fe80::1%eth0]:3702]", fmt.Sprint(datagrams))
}

// mute is a network that carries no multicast, as loopback of IPv6 does not, and many containers.
type mute struct{ *Silence }

func (mute) Multicast([]byte) error {
	return fmt.Errorf("sendto: network is unreachable: %w", ErrNoLink)
}

// Peers are for networks without multicast: that nothing can be sent to the group does not matter to those who answer.
func TestPeersWithoutMulticast(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLAN(t)
		far, err := NewTarget(TargetConfig{Endpoint: testEndpoint(testEPR)})
		require.NoError(t, err)
		server, err := soap.NewServer(soap.ServerConfig{Insecure: true})
		require.NoError(t, err)
		server.Handle("/dev", &soap.Endpoint{Actions: map[string]soap.Handler{ActionProbe: far.HandleProbe}})
		ln, err := l.net.Host("10.0.0.1").Listen(0)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, ln) }()
		defer func() {
			cancel()
			require.NoError(t, <-served)
		}()
		client, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: l.net.Host("10.0.0.2").Dial})
		require.NoError(t, err)
		defer client.Close()
		silence := NewSilence()
		defer silence.Close()
		ask := func(url string) *Client {
			c, err := NewClient(ClientConfig{Transport: mute{silence}, Peers: []string{url}, PeerClient: client})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, c.Close()) })
			return c
		}
		c := ask("http://" + ln.Addr().String() + "/dev")
		found, err := c.Probe(t.Context(), Filter{Types: DeviceTypes()}, 3*time.Second)
		require.NoError(t, err)
		require.Equal(t, []Endpoint{testEndpoint(testEPR)}, found)
		e, err := c.Resolve(t.Context(), testEPR)
		require.NoError(t, err)
		require.Equal(t, testEndpoint(testEPR), e)
		_, err = c.Resolve(t.Context(), otherEPR)
		require.ErrorIs(t, err, ErrNoLink, "somebody else may know it")

		nobody := ask("http://10.0.0.1:1/dev")
		_, err = nobody.Probe(t.Context(), Filter{}, 3*time.Second)
		require.ErrorIs(t, err, ErrNoLink)
		_, err = nobody.Resolve(t.Context(), testEPR)
		require.ErrorIs(t, err, ErrNoLink)
	})
}
