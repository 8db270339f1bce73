package provider_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/udpport"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// hello is what a Hello says.
type hello struct {
	epr, types, scopes, xaddrs, version string
}

func readHello(t *testing.T, doc string) hello {
	t.Helper()
	env, err := soap.Parse([]byte(doc), xmlscan.Limits{})
	require.NoError(t, err)
	var h hello
	s := env.Body()
	for s.Child() {
		switch s.Name().Local {
		case "EndpointReference":
			for s.Child() {
				h.epr, err = s.Text()
			}
		case "Types":
			h.types, err = s.Text()
		case "Scopes":
			h.scopes, err = s.Text()
		case "XAddrs":
			h.xaddrs, err = s.Text()
		case "MetadataVersion":
			h.version, err = s.Text()
		default:
			err = s.Skip()
		}
		require.NoError(t, err)
	}
	return h
}

func TestPresence(t *testing.T) {
	// covers: WSD-4, WSD-5, MDPWS R0008, GLUE PKP scope, GLUE MDS type scope, GLUE context scope, GLUE fallback location id
	air := func(c *provider.Config) *wire { return c.Transport.(*wire) }
	var w *wire
	configure := func(c *provider.Config) {
		w = air(c)
		c.Scopes = []string{"urn:extra"}
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		time.Sleep(5 * time.Second) // of the bubble
		sent := w.messages(discovery.ActionHello)
		require.Len(t, sent, 1)
		first := readHello(t, sent[0])
		require.Equal(t, b.dev.EPR(), first.epr)
		require.Contains(t, first.types, "dpws:Device")
		require.Contains(t, first.types, "mdpws:MedicalDevice")
		require.Equal(t, b.dev.XAddrs()[0], first.xaddrs)
		require.ElementsMatch(t, []string{
			"urn:extra", "sdc.mds.pkp:1.2.840.10004.20701.1.1", "sdc.cdc.type:///69965", "sdc.cdc.type:/urn%3Aoid%3A1.2.3/4/69965",
			"sdc.ctxt.loc:/sdc.ctxt.loc.detail/%2F%2F%2FICU%2F%2F3?poc=ICU&bed=3",
		}, strings.Fields(first.scopes))

		require.NoError(t, b.dev.SetLocation(sdc.LocationDetail{Facility: "HOSP", Bed: "9"}))
		time.Sleep(5 * time.Second)
		sent = w.messages(discovery.ActionHello)
		require.Len(t, sent, 2)
		second := readHello(t, sent[1])
		require.NotContains(t, second.scopes, "ICU")
		require.Contains(t, second.scopes, "sdc.ctxt.loc:/sdc.ctxt.loc.detail/HOSP%2F%2F%2F%2F%2F9?fac=HOSP&bed=9")
		require.Greater(t, second.version, first.version)

		require.NoError(t, b.dev.SetLocation(sdc.LocationDetail{Facility: "HOSP", Bed: "9"}))
		require.NoError(t, b.dev.Update(setNum("1")))
		time.Sleep(5 * time.Second)
		require.Len(t, w.messages(discovery.ActionHello), 2, "nothing to tell")

		require.Empty(t, w.messages(discovery.ActionBye))
		require.NoError(t, b.stop())
		require.Len(t, w.messages(discovery.ActionBye), 1)
		require.Error(t, b.dev.Run(t.Context()), "once only")
	})
}

func TestContextScopesAreChosen(t *testing.T) {
	// covers: GLUE context scope
	var w *wire
	configure := func(c *provider.Config) {
		w = c.Transport.(*wire)
		c.ContextScopes = []sdc.ContextKind{sdc.PatientContext}
		c.KeyPurposes = []string{"1.2.3"}
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error {
			s, err := mdib.NewContext[*pm.PatientContextState](tx, "pat")
			if err != nil {
				return err
			}
			s.ContextAssociation = pm.ContextAssociationAssoc
			s.Identification = []pm.InstanceIdentifier{{Root: "urn:hospital", Extension: "4711"}, {Extension: "0815"}}
			return nil
		}))
		time.Sleep(5 * time.Second)
		sent := w.messages(discovery.ActionHello)
		last := readHello(t, sent[len(sent)-1])
		require.ElementsMatch(t, []string{
			"sdc.mds.pkp:1.2.3", "sdc.cdc.type:///69965", "sdc.cdc.type:/urn%3Aoid%3A1.2.3/4/69965",
			"sdc.ctxt.pat:/urn%3Ahospital/4711", "sdc.ctxt.pat:/biceps.uri.unk/0815",
		}, strings.Fields(last.scopes), "no location")
	})
}

func TestDirectedProbe(t *testing.T) {
	// covers: MDPWS R0015
	overTLS(t, nil, nil, func(t *testing.T, b *bench) {
		for _, x := range b.dev.XAddrs() {
			found, err := discovery.DirectedProbe(t.Context(), b.peer.client, x, discovery.Filter{Types: discovery.DeviceTypes(), Scopes: []string{sdc.PKPScope(sdc.OIDProvider)}})
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.Equal(t, b.dev.EPR(), found[0].EPR)
			require.Equal(t, b.dev.XAddrs(), found[0].XAddrs)
			found, err = discovery.DirectedProbe(t.Context(), b.peer.client, x, discovery.Filter{Scopes: []string{sdc.PKPScope("1.2.3")}})
			require.NoError(t, err)
			require.Empty(t, found)
		}
	})
}

// TestUnauthenticatedCallers: no path answers somebody without a certificate.
func TestUnauthenticatedCallers(t *testing.T) {
	// covers: 10700 TR1164, SDPi R0502
	overTLS(t, nil, nil, func(t *testing.T, b *bench) {
		plain, err := soap.NewClient(soap.ClientConfig{Insecure: true})
		require.NoError(t, err)
		defer plain.Close()
		anonymous := b.peer.tls.Clone()
		anonymous.GetClientCertificate, anonymous.Certificates = nil, nil
		nobody, err := soap.NewClient(soap.ClientConfig{TLS: anonymous})
		require.NoError(t, err)
		defer nobody.Close()
		for _, path := range []string{"", "/Get", "/StateEvent", "/Set", "/Get/?wsdl", "/subscriptions/x"} {
			_, _, err := plain.Get(t.Context(), strings.Replace(b.peer.device, "https:", "http:", 1)+path)
			require.Error(t, err)
			_, _, err = nobody.Get(t.Context(), b.peer.device+path)
			require.Error(t, err)
			var status *soap.HTTPError
			require.False(t, errors.As(err, &status), "refused before HTTP: %v", err)
		}
		mustCall[*msg.GetMdibResponse](b.peer, "Get", sdc.ActionGetMdib, &msg.GetMdib{})
	})
}

// TestSeveralConsumers: one that does not answer holds up nobody else.
func TestSeveralConsumers(t *testing.T) {
	// covers: COEX-2
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		other, err := b.host.Listen(0)
		require.NoError(t, err)
		stalled := newPeer(t, b.dev.XAddrs()[0], other, b.host.Dial, nil)
		defer stalled.close()
		hold := make(chan struct{})
		stalled.hold = hold
		stalled.subscribeAll()
		b.peer.subscribeAll()
		start := time.Now()
		for range 20 {
			require.NoError(t, b.dev.Update(edit("vmd", func(s *pm.VmdState) { s.OperatingCycles = pm.Some(s.OperatingCycles.Or(0) + 1) })))
		}
		b.peer.take(20)
		require.Zero(t, time.Since(start), "in no time at all")
		synctest.Wait()
		require.Equal(t, 1, stalled.pending())
		close(hold)
		stalled.take(20)
	})
}

func TestRunFails(t *testing.T) {
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer occupied.Close()
	port := netip.MustParseAddrPort(occupied.Addr().String()).Port()
	dev, err := provider.New(provider.Config{MDIB: device(t), Insecure: true, Network: sdc.Network{ListenPort: port}, Transport: newQuiet()})
	require.NoError(t, err)
	require.ErrorContains(t, dev.Run(t.Context()), "listen")
}

// TestDiscoveryFails: who is connected is still served; that nobody finds the device is told at the end.
func TestDiscoveryFails(t *testing.T) {
	broken := newQuiet()
	require.NoError(t, broken.Close())
	dev, err := provider.New(provider.Config{MDIB: device(t), Insecure: true, Transport: broken})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(ctx) }()
	<-dev.Ready()
	client, err := soap.NewClient(soap.ClientConfig{Insecure: true})
	require.NoError(t, err)
	defer client.Close()
	_, err = client.Call(ctx, soap.NewEndpoint(dev.XAddrs()[0]+"/Get"), sdc.ActionGetMdib, &msg.GetMdib{})
	require.NoError(t, err)
	cancel()
	require.ErrorContains(t, <-ended, "discovery")
}

// TestOnLoopback: two devices on one host, found by real multicast on a port of their own.
func TestOnLoopback(t *testing.T) {
	// covers: COEX-1
	port := udpport.Free(t)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	want := map[string]string{}
	for range 2 {
		dev, err := provider.New(provider.Config{
			MDIB: device(t), Insecure: true, Network: sdc.Network{DiscoveryPort: port},
			Timing: discovery.PromptTiming(),
		})
		require.NoError(t, err)
		go func() { ended <- dev.Run(ctx) }()
		<-dev.Ready()
		want[dev.EPR()] = dev.XAddrs()[0]
	}
	client, err := discovery.NewClient(discovery.ClientConfig{UDP: discovery.UDPConfig{Port: port}})
	require.NoError(t, err)
	defer client.Close()
	found, err := client.Probe(ctx, discovery.Filter{Types: discovery.DeviceTypes()}, 2*time.Second)
	require.NoError(t, err)
	got := map[string]string{}
	for _, e := range found {
		got[e.EPR] = e.XAddrs[0]
	}
	require.Equal(t, want, got)
	cancel()
	for range 2 {
		require.NoError(t, <-ended)
	}
}
