package localnet

import (
	"net"
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZones(t *testing.T) {
	for _, c := range []struct{ url, zone, want string }{
		{"https://[fe80::1]:6464/a%20b?q", "eth0", "https://[fe80::1%25eth0]:6464/a%20b?q"},
		{"https://[fe80::1%25eth9]:6464/", "eth0", "https://[fe80::1%25eth0]:6464/"},
		{"https://[fe80::1%25eth9]:6464/", "", "https://[fe80::1]:6464/"},
		{"https://[FE80::1]/x", "eth0", "https://[fe80::1%25eth0]/x"},
		{"https://[2001:db8::1]:6464/", "eth0", "https://[2001:db8::1]:6464/"},
		{"https://[2001:db8::1%25eth9]:6464/", "eth0", "https://[2001:db8::1]:6464/"},
		{"https://[::ffff:192.0.2.1]:6464/", "eth0", "https://[::ffff:192.0.2.1]:6464/"},
		{"https://192.0.2.1:6464/%41", "eth0", "https://192.0.2.1:6464/%41"},
		{"https://device.local/", "eth0", "https://device.local/"},
		{"urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f0f01", "eth0", "urn:uuid:3d1dcb2c-5b3d-4c5c-a25c-10c1e15f0f01"},
		{"://[fe80", "eth0", "://[fe80"},
		{"", "eth0", ""},
	} {
		got := Complete(c.url, c.zone)
		require.Equal(t, c.want, got)
		if u, err := url.Parse(got); err == nil && u.Host != "" {
			require.Equal(t, u.String(), got, "it can be dialled")
		}
		require.Empty(t, ZoneOf(Strip(got)))
	}
	require.Equal(t, "eth0", ZoneOf("[fe80::1%eth0]:99"))
	require.Equal(t, "eth0", ZoneOf("https://[fe80::1%25eth0]:99/"))
	require.Empty(t, ZoneOf("192.0.2.1:99"))
	require.Equal(t, "[fe80::1]:99", URLHost(netip.MustParseAddrPort("[fe80::1%eth0]:99")))
}

func FuzzComplete(f *testing.F) {
	f.Add("https://[fe80::1%25eth9]:6464/", "eth0")
	f.Add("http://[fe80::%]/", "")
	f.Add("//[fe80::1%25eth9]:6464/", "eth1")
	f.Add("https://somebody@[fe80::1%25eth9]/", "")
	f.Fuzz(func(t *testing.T, s, zone string) {
		once := Complete(s, zone)
		require.Equal(t, once, Complete(once, zone))
		if _, err := url.Parse(s); err == nil {
			require.Empty(t, Host(Strip(s)).Zone())
		}
	})
}

func TestChoose(t *testing.T) {
	ipnet := func(s string) net.Addr {
		ip, n, err := net.ParseCIDR(s)
		require.NoError(t, err)
		return &net.IPNet{IP: ip, Mask: n.Mask}
	}
	eth0 := net.Interface{Index: 2, Name: "eth0", Flags: net.FlagUp}
	have := []net.Addr{ipnet("169.254.1.1/16"), ipnet("fe80::1/64"), ipnet("192.0.2.1/24"), ipnet("192.0.2.2/24"), ipnet("2001:db8::1/64")}
	for name, c := range map[string]struct {
		wanted []string
		named  bool
		want   []string
	}{
		"nothing":              {nil, false, nil},
		"by name":              {nil, true, []string{"192.0.2.1", "2001:db8::1"}},
		"by address":           {[]string{"192.0.2.2"}, false, []string{"192.0.2.2"}},
		"link-local":           {[]string{"fe80::1"}, false, []string{"fe80::1%eth0"}},
		"link-local here":      {[]string{"fe80::1%eth0"}, false, []string{"fe80::1%eth0"}},
		"link-local elsewhere": {[]string{"fe80::1%eth1"}, false, nil},
		"both":                 {[]string{"192.0.2.2", "fe80::1"}, true, []string{"192.0.2.2", "fe80::1%eth0"}},
		"mapped":               {[]string{"::ffff:192.0.2.1"}, false, []string{"192.0.2.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var wanted []netip.Addr
			for _, a := range c.wanted {
				wanted = append(wanted, netip.MustParseAddr(a))
			}
			var got []string
			for _, p := range choose(eth0, have, wanted, c.named) {
				got = append(got, p.Addr.String())
			}
			require.Equal(t, c.want, got)
		})
	}
	t.Run("only link-local", func(t *testing.T) {
		got := choose(eth0, have[:2], nil, true)
		require.Len(t, got, 2)
		require.Equal(t, "fe80::1%eth0", got[1].Addr.String())
		require.True(t, got[1].On(netip.MustParseAddr("fe80::2%eth0")))
		require.False(t, got[1].On(netip.MustParseAddr("fe80::2%eth1")))
	})
	t.Run("loopback", func(t *testing.T) {
		lo := net.Interface{Index: 1, Name: "lo", Flags: net.FlagUp | net.FlagLoopback}
		got := choose(lo, []net.Addr{ipnet("127.0.0.1/8"), ipnet("::1/128")}, []netip.Addr{netip.MustParseAddr("127.0.0.2")}, true)
		require.Len(t, got, 3)
		require.Equal(t, "127.0.0.2", got[2].Addr.String())
	})
}

func TestSource(t *testing.T) {
	a, err := Source(t.Context(), netip.MustParseAddr("127.0.0.1"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", a.String())
}
