package connbound_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/connbound"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// One address gets its share and no more, all together no more than there are places, and a place that is given back can be had, once.
func TestBounds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		raw, err := network.Host("192.0.2.1").Listen(0)
		require.NoError(t, err)
		ln := connbound.Listen(raw, connbound.Limits{All: 5, OfOne: 3})
		accepted := make(chan net.Conn, 10)
		ended := make(chan error, 1)
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					ended <- err
					return
				}
				accepted <- c
			}
		}()
		// from tells whether a connection of an address is kept; the ends of both sides are returned.
		from := func(ip string) (there, here net.Conn) {
			there, err := network.Host(ip).Dial(t.Context(), "tcp", ln.Addr().String())
			require.NoError(t, err)
			synctest.Wait()
			select {
			case here = <-accepted:
				return there, here
			default:
				_, err := there.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF, "closed at once")
				return there, nil
			}
		}
		const one, two = "192.0.2.2", "192.0.2.3"
		_, first := from(one)
		require.NotNil(t, first)
		for range 2 {
			_, c := from(one)
			require.NotNil(t, c)
		}
		_, c := from(one)
		require.Nil(t, c, "the fourth of one address")
		for range 2 {
			_, c := from(two)
			require.NotNil(t, c)
		}
		_, c = from(two)
		require.Nil(t, c, "the sixth of all")

		require.NoError(t, first.(interface{ CloseWrite() error }).CloseWrite())
		_, c = from(one)
		require.Nil(t, c, "half open still takes a place")
		require.NoError(t, first.Close())
		_ = first.Close() // gives back nothing more
		_, c = from(two)
		require.NotNil(t, c)
		_, c = from(two)
		require.Nil(t, c)
		require.NoError(t, ln.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
	})
}
