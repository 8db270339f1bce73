package discovery

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/semeco/go-sdc/soap"
)

func TestAddressesForALink(t *testing.T) {
	const (
		v4a, v4b = "https://10.7.0.1:6464/", "https://10.8.0.1:6464/"
		v6a, v6b = "https://[fd07::1]:6464/", "https://[fd08::1]:6464/"
		lla, llb = "https://[fe80::1%25eth0]:6464/", "https://[fe80::1%25eth1]:6464/" // alike, as they may be
		name     = "https://device.example/"
	)
	e := Endpoint{EPR: "urn:uuid:1", XAddrs: []string{name, v4a, v4b, lla, v6a, llb, v6b}}
	for local, want := range map[string][]string{
		"10.8.0.1":        {v4b, v4a, name, v6a, v6b},
		"::ffff:10.8.0.1": {v4b, v4a, name, v6a, v6b},
		"fd08::1":         {v6b, v6a, name, v4a, v4b},
		"fe80::1%eth1":    {llb, v6a, v6b, name, v4a, v4b},
		"10.9.0.1":        {v4a, v4b, name, v6a, v6b},
	} {
		require.Equal(t, want, forLink(e, netip.MustParseAddr(local)).XAddrs, local)
	}
	require.Equal(t, []string{name, v4a, v4b, v6a, v6b}, forLink(e, netip.Addr{}).XAddrs)
	only := Endpoint{XAddrs: []string{lla, llb}}
	require.Equal(t, only, forLink(only, netip.Addr{}), "better than nothing")
	require.Equal(t, []string{name, v4a, v4b, lla, v6a, llb, v6b}, e.XAddrs, "it is a copy")

	wire := string(body{kind: kindHello, endpoints: []Endpoint{e}}.AppendXML(nil))
	require.NotContains(t, wire, "%", "zones stay on this host")
	require.Contains(t, wire, "https://[fe80::1]:6464/ ")
}

func TestZonesComeFromTheLink(t *testing.T) {
	h := &soap.Header{To: To, Action: ActionHello, MessageID: soap.NewMessageID(), Extra: []soap.Body{appSequence{1, 1}}}
	// A zone in a message would be some other host's.
	forged := soap.RawBody(`<d:Hello xmlns:d="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"><wsa:EndpointReference><wsa:Address>urn:uuid:1</wsa:Address></wsa:EndpointReference>` +
		`<d:XAddrs>https://[fe80::2%25lo]:1/ https://[fe80::3]:1/ https://192.0.2.1/</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:Hello>`)
	m, err := decodeDatagram(soap.AppendEnvelope(nil, h, forged))
	require.NoError(t, err)
	require.Equal(t, []string{"https://[fe80::2]:1/", "https://[fe80::3]:1/", "https://192.0.2.1/"}, m.endpoints[0].XAddrs)
	m.setZone("eth7")
	require.Equal(t, []string{"https://[fe80::2%25eth7]:1/", "https://[fe80::3%25eth7]:1/", "https://192.0.2.1/"}, m.endpoints[0].XAddrs)
}

func TestTTL(t *testing.T) {
	for ttl, want := range map[int]int{0: 1, 7: 7, 255: 255} {
		opened, err := OpenUDP(UDPConfig{TTL: ttl, Port: 45678}, nil)
		require.NoError(t, err)
		p, ok := opened.(*PacketTransport)
		require.True(t, ok)
		send, ok := p.send.(*net.UDPConn)
		require.True(t, ok)
		got, err := ipv4.NewPacketConn(send).MulticastTTL()
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, opened.Close())

		c, err := listenSend(netip.IPv6Loopback(), &net.Interface{Index: 1, Name: "lo"}, max(ttl, 1))
		if err != nil {
			t.Logf("SKIPPED, NOT TESTED: no IPv6 here: %v", err)
			continue
		}
		got, err = ipv6.NewPacketConn(c).MulticastHopLimit()
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, c.Close())
	}
}
