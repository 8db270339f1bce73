package udpport_test

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/udpport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Nobody else gets a port: no other test, and no socket that asks for any.
func TestPortsAreOnesOwn(t *testing.T) {
	var mu sync.Mutex
	ports := map[uint16]bool{}
	t.Run("taken", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				p := udpport.Free(t)
				mu.Lock()
				defer mu.Unlock()
				require.False(t, ports[p], "%d twice", p)
				ports[p] = true
			})
		}
		wg.Wait()
		for range 200 {
			c, err := net.ListenPacket("udp4", "127.0.0.1:0")
			require.NoError(t, err)
			defer c.Close()
			require.False(t, ports[c.LocalAddr().(*net.UDPAddr).AddrPort().Port()])
		}
		for p := range ports {
			c, err := net.ListenPacket("udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p))))
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}
	})
	for p := range ports { // given back
		c, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p))))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
}
