// Package udpport finds ports for discovery in tests with real sockets.
package udpport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ports are taken from below those that systems give to sockets that ask for any (32768 and more on Linux, 49152 and more elsewhere). One of these that is free now may be
// the port of somebody's outgoing datagrams a moment later, and then "address already in use".
const (
	first = 20_000
	count = 10_000
	tries = 1000
)

// Free returns a port of loopback that no socket has, and that no other test gets, in this process or another, until t has ended.
func Free(t testing.TB) uint16 {
	t.Helper()
	for range tries {
		port := first + rand.N(count)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		// The port of TCP with the same number is the sign that it is taken: it goes with the process, whatever becomes of that.
		sign, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", address)
		if err != nil {
			continue
		}
		if c, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", address); err == nil {
			require.NoError(t, c.Close())
			t.Cleanup(func() { require.NoError(t, sign.Close()) })
			return uint16(port)
		}
		require.NoError(t, sign.Close())
	}
	require.Fail(t, "no port is free")
	return 0
}
