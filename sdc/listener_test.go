package sdc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/sdc"
)

func addresses(texts ...string) (out []netip.Addr) {
	for _, s := range texts {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestSeveralAddresses(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	l, err := sdc.Network{Addresses: addresses("127.0.0.3", "::1", "127.0.0.2")}.Listen(t.Context(), nil, nil)
	require.NoError(t, err)
	at := l.Addrs()
	require.Len(t, at, 3)
	require.Equal(t, []string{"127.0.0.3", "::1", "127.0.0.2"}, []string{at[0].Addr().String(), at[1].Addr().String(), at[2].Addr().String()}, "in the order in which they are named")
	require.Equal(t, at[0].Port(), at[1].Port(), "free on one, and so on the others")
	require.Equal(t, at[0].String(), l.Addr().String())
	require.Equal(t, "https://[::1]:", l.URLs("https")[1][:len("https://[::1]:")])
	require.Equal(t, "http://"+at[1].String(), l.URLsAt("http", at[1])[0])
	require.Len(t, l.URLsAt("http", at[1]), 3)
	require.Equal(t, at[0], l.Addrs()[0], "the order is the listener's own")
	require.Equal(t, "http://"+at[1].String(), l.URLFor(t.Context(), "http", "http://[::1]:99/"))
	require.Contains(t, l.URLFor(t.Context(), "http", "http://127.0.0.1:99/"), "http://127.0.0.")
	require.Equal(t, "http://"+at[0].String(), l.URLFor(t.Context(), "http", "http://device.example/"), "a name tells nothing")
	require.Nil(t, l.LocalFor(t.Context(), "127.0.0.1:99"))
	for _, a := range at {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", a.String())
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		require.Equal(t, a.String(), s.LocalAddr().String())
		require.NoError(t, errors.Join(c.Close(), s.Close()))
	}
	// Nobody accepts this one: it ends with the listener.
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", at[1].String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, c.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, l.Close(), "closing twice does nothing")
	require.Empty(t, l.URLs("http"))
	require.Equal(t, []string{"http://127.0.0.3:7"}, l.URLsAt("http", netip.MustParseAddrPort("127.0.0.3:7")))
	require.Empty(t, l.URLFor(t.Context(), "http", "http://127.0.0.1:99/"))
}

func TestNetworksThatCannotBeUsed(t *testing.T) {
	for name, n := range map[string]sdc.Network{
		"unspecified":         {Addresses: addresses("127.0.0.1", "0.0.0.0")},
		"multicast":           {Addresses: addresses("ff02::c")},
		"empty":               {Addresses: []netip.Addr{{}}},
		"not here":            {Addresses: addresses("192.0.2.77", "2001:db8::77")},
		"no such interface":   {Interfaces: []string{"nothing0"}},
		"unnamed interface":   {Interfaces: []string{""}, Addresses: addresses("127.0.0.1")},
		"TTL":                 {TTL: 256},
		"negative TTL":        {TTL: -1},
		"wildcard, as a zone": {Address: netip.IPv6Unspecified().WithZone("lo")},
	} {
		require.Error(t, n.Validate(), name)
	}
	// One of several is enough: the other may come.
	n := sdc.Network{Addresses: addresses("192.0.2.77", "127.0.0.1")}
	require.NoError(t, n.Validate())
	l, err := n.Listen(t.Context(), nil, nil)
	require.NoError(t, err)
	require.Len(t, l.Addrs(), 1)
	require.NoError(t, l.Close())
	require.Equal(t, "192.0.2.77, 127.0.0.1, eth0", sdc.Network{Addresses: n.Addresses, Interfaces: []string{"eth0"}}.String())
	require.Equal(t, "127.0.0.1", sdc.Network{}.String())

	// A port that is taken is no reason to take another one.
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = sdc.Network{ListenPort: uint16(taken.Addr().(*net.TCPAddr).Port)}.Listen(t.Context(), nil, nil)
	require.ErrorContains(t, err, "127.0.0.1")
	_, err = sdc.Network{Interfaces: []string{"lo"}}.Listen(t.Context(), func(context.Context, string, string) (net.Listener, error) { return taken, nil }, nil)
	require.Error(t, err)
}

// broken fails to accept as the test says.
type broken struct {
	net.Listener
	fail atomic.Pointer[error]
}

func (b *broken) Accept() (net.Conn, error) {
	if err := b.fail.Load(); err != nil {
		return nil, *err
	}
	return b.Listener.Accept()
}

type passing struct{ error }

func (passing) Temporary() bool { return true }

func TestAcceptingFails(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	network := memnet.New(memnet.Config{})
	defer network.Close()
	host := network.Host("192.0.2.1")
	var b *broken
	open := func(context.Context, string, string) (net.Listener, error) {
		ln, err := host.Listen(0)
		b = &broken{Listener: ln}
		// As when there are no more file descriptors.
		err1 := error(passing{io.ErrNoProgress})
		b.fail.Store(&err1)
		return b, err
	}
	l, err := sdc.Network{}.Listen(t.Context(), open, nil)
	require.NoError(t, err)
	b.fail.Store(nil)
	c, err := network.Host("192.0.2.2").Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	s, err := l.Accept()
	require.NoError(t, err, "what passes is waited for")
	lasting := errors.New("the network is no more")
	b.fail.Store(&lasting)
	c2, err := network.Host("192.0.2.2").Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	s2, err := l.Accept()
	if err == nil { // accepted just before
		require.NoError(t, s2.Close())
		_, err = l.Accept()
	}
	require.ErrorIs(t, err, lasting)
	<-l.Changed()
	require.NoError(t, errors.Join(c.Close(), c2.Close(), s.Close()))
	require.Error(t, errors.Join(l.Close(), io.EOF))
}
