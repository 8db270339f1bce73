package memnet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/semeco/go-sdc/internal/testkit/bubble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialPair returns both ends of a stream from host a to host b.
func dialPair(t *testing.T, n *Network, a, b string) (client, server net.Conn, l *Listener) {
	t.Helper()
	l, err := n.Host(b).Listen(0)
	require.NoError(t, err)
	client, err = n.Host(a).Dial(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	return client, server, l
}

func TestStream(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{StreamBuffer: 1000})
		defer n.Close()
		client, server, l := dialPair(t, n, "10.0.0.1", "10.0.0.2")
		require.Equal(t, "10.0.0.2", server.LocalAddr().(*net.TCPAddr).IP.String())
		require.Equal(t, client.LocalAddr().String(), server.RemoteAddr().String())

		// more than the buffer, in both directions, order kept
		msg := bytes.Repeat([]byte("0123456789abcdef"), 1000)
		go func() {
			_, err := client.Write(msg)
			require.NoError(t, err)
			require.NoError(t, client.(*Conn).CloseWrite())
		}()
		got, err := io.ReadAll(server)
		require.NoError(t, err)
		require.Equal(t, msg, got)
		_, err = server.Write([]byte("pong"))
		require.NoError(t, err)
		require.NoError(t, server.Close())
		got, err = io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, "pong", string(got))
		_, err = server.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		require.Equal(t, ListenerStats{Accepted: 1, Open: 0, Peak: 1}, l.Stats())
		require.NoError(t, client.Close())
		require.Zero(t, n.Conns("10.0.0.1", "10.0.0.2"))
	})
}

func TestStreamDeadlines(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{StreamBuffer: 10})
		defer n.Close()
		client, server, _ := dialPair(t, n, "10.0.0.1", "10.0.0.2")
		start := time.Now()
		require.NoError(t, client.SetDeadline(start.Add(time.Second)))
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, client.SetDeadline(time.Now().Add(time.Second)))
		k, err := client.Write(make([]byte, 11)) // nobody reads
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 10, k)
		require.Equal(t, 2*time.Second, time.Since(start))

		// a new deadline ends a Read that already waits, as net/http needs it
		done := make(chan error)
		go func() {
			_, err := server.Read(make([]byte, 100))
			if err == nil {
				_, err = server.Read(make([]byte, 100))
			}
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, server.SetReadDeadline(time.Unix(1, 0)))
		err = <-done
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		require.True(t, ne.Timeout())
	})
}

func TestDialErrors(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{Backlog: 1})
		defer n.Close()
		h := n.Host("10.0.0.1")
		n.Host("10.0.0.2")
		_, err := h.Dial(t.Context(), "tcp", "10.0.0.2:80")
		require.True(t, IsRefused(err))
		_, err = h.Dial(t.Context(), "tcp", "10.0.0.3:80")
		require.ErrorIs(t, err, syscall.EHOSTUNREACH)
		_, err = h.Dial(t.Context(), "tcp", "device.example:80")
		require.Error(t, err)
		_, err = h.Dial(t.Context(), "udp", "10.0.0.2:80")
		require.Error(t, err)

		l, err := n.Host("10.0.0.2").Listen(80)
		require.NoError(t, err)
		_, err = n.Host("10.0.0.2").Listen(80)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		c, err := h.Dial(t.Context(), "tcp", "10.0.0.2:80")
		require.NoError(t, err)
		_, err = h.Dial(t.Context(), "tcp", "10.0.0.2:80") // backlog full
		require.True(t, IsRefused(err))
		require.NoError(t, l.Close())
		_, err = c.Read(make([]byte, 1)) // never accepted
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestLatencyPartitionCut(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{Link: Link{Latency: 100 * time.Millisecond}})
		defer n.Close()
		start := time.Now()
		client, server, _ := dialPair(t, n, "10.0.0.1", "10.0.0.2")
		require.Equal(t, 200*time.Millisecond, time.Since(start))
		_, err := client.Write([]byte("a"))
		require.NoError(t, err)
		_, err = io.ReadFull(server, make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, 300*time.Millisecond, time.Since(start))

		n.Partition("10.0.0.2", "10.0.0.1")
		_, err = client.Write([]byte("b"))
		require.NoError(t, err)
		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err = server.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = n.Host("10.0.0.1").Dial(ctx, "tcp", server.LocalAddr().String())
		require.ErrorIs(t, err, context.DeadlineExceeded)

		n.Heal("10.0.0.1", "10.0.0.2")
		require.NoError(t, server.SetReadDeadline(time.Time{}))
		b := make([]byte, 1)
		_, err = server.Read(b)
		require.NoError(t, err)
		require.Equal(t, "b", string(b))

		require.Equal(t, 1, n.Cut("10.0.0.1", "10.0.0.2"))
		_, err = server.Read(b)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = client.Write(b)
		require.ErrorIs(t, err, syscall.ECONNRESET)
	})
}

func TestDatagrams(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{DatagramQueue: 2})
		defer n.Close()
		group := netip.MustParseAddr("239.255.255.250")
		var socks []*PacketConn
		for _, ip := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"} {
			pc, err := n.Host(ip).ListenPacket(3702)
			require.NoError(t, err)
			socks = append(socks, pc)
		}
		for _, pc := range socks[:3] {
			require.NoError(t, pc.JoinGroup(group))
		}
		sender, err := n.Host("10.0.0.3").ListenPacket(0)
		require.NoError(t, err)
		to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, 3702))

		recv := func(pc *PacketConn) (string, string) {
			t.Helper()
			b := make([]byte, 100)
			require.NoError(t, pc.SetReadDeadline(time.Now().Add(time.Second)))
			k, from, err := pc.ReadFrom(b)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return "", ""
			}
			require.NoError(t, err)
			return string(b[:k]), from.String()
		}
		_, err = sender.WriteTo([]byte("hello"), to)
		require.NoError(t, err)
		for _, pc := range socks[:3] {
			got, from := recv(pc)
			require.Equal(t, "hello", got)
			require.Equal(t, sender.LocalAddr().String(), from)
		}
		got, _ := recv(socks[3]) // not a member
		require.Empty(t, got)

		// unicast reaches the socket that bound last
		_, err = sender.WriteTo([]byte("uni"), socks[0].LocalAddr())
		require.NoError(t, err)
		got, _ = recv(socks[0])
		require.Empty(t, got)
		got, _ = recv(socks[1])
		require.Equal(t, "uni", got)

		// own host's sockets are left out without loopback
		require.NoError(t, socks[0].SetMulticastLoopback(false))
		_, err = socks[0].WriteTo([]byte("others"), to)
		require.NoError(t, err)
		got, _ = recv(socks[1])
		require.Empty(t, got)
		got, _ = recv(socks[2])
		require.Equal(t, "others", got)

		// partition and bounded queue
		n.Partition("10.0.0.3", "10.0.0.2")
		for range 5 {
			_, err = sender.WriteTo([]byte("x"), to)
			require.NoError(t, err)
		}
		got, _ = recv(socks[2])
		require.Empty(t, got)
		require.Equal(t, 3, socks[1].Dropped())
		require.NoError(t, socks[1].Close())
		_, _, err = socks[1].ReadFrom(nil)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = sender.WriteTo(make([]byte, MaxDatagram+1), to)
		require.ErrorIs(t, err, syscall.EMSGSIZE)
	})
}

func TestSeededLoss(t *testing.T) {
	run := func(seed uint64) (got []byte) {
		bubble.Test(t, func(t *testing.T) {
			n := New(Config{Seed: seed, Link: Link{Loss: 0.3, Duplicate: 0.3, Latency: time.Millisecond, Jitter: 10 * time.Millisecond}})
			defer n.Close()
			a, err := n.Host("10.0.0.1").ListenPacket(1)
			require.NoError(t, err)
			b, err := n.Host("10.0.0.2").ListenPacket(2)
			require.NoError(t, err)
			for i := range 200 {
				_, err := a.WriteTo([]byte{byte(i)}, b.LocalAddr())
				require.NoError(t, err)
			}
			require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Second)))
			buf := make([]byte, 1)
			for {
				if _, _, err := b.ReadFrom(buf); err != nil {
					break
				}
				got = append(got, buf[0])
			}
		})
		return got
	}
	one := run(1)
	require.Equal(t, one, run(1))
	require.NotEqual(t, one, run(2))
	seen := map[byte]int{}
	for _, b := range one {
		seen[b]++
	}
	require.Less(t, len(seen), 200, "some are lost")
	require.Greater(t, len(seen), 100, "most arrive")
	require.Greater(t, len(one), len(seen), "some arrive twice")
}

func TestHTTPAndTLS(t *testing.T) {
	cert := selfSigned(t)
	bubble.Test(t, func(t *testing.T) {
		n := New(Config{Link: Link{Latency: 5 * time.Millisecond}})
		defer n.Close()
		l, err := n.Host("10.0.0.2").Listen(443)
		require.NoError(t, err)
		srv := &http.Server{
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				_, _ = w.Write(append(b, '!'))
			}),
		}
		served := make(chan error)
		go func() { served <- srv.ServeTLS(l, "", "") }()
		tr := &http.Transport{
			DialContext:     n.Host("10.0.0.1").Dial,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}
		client := &http.Client{Transport: tr}
		body := bytes.Repeat([]byte("x"), 200<<10)
		for range 3 {
			res, err := client.Post("https://10.0.0.2/", "text/plain", bytes.NewReader(body))
			require.NoError(t, err)
			got, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Len(t, got, len(body)+1)
		}
		require.Equal(t, ListenerStats{Accepted: 1, Open: 1, Peak: 1}, l.Stats())
		tr.CloseIdleConnections()
		require.NoError(t, srv.Shutdown(t.Context()))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		require.Zero(t, l.Stats().Open)
	})
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), // bubbles start in 2000
		NotAfter:     time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		IPAddresses:  []net.IP{net.IPv4(10, 0, 0, 2)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
