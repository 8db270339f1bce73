package pairtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// join makes consumers, connects them all at the same time and returns their devices and errors. They are closed at the end of the test.
func join(t *testing.T, p *pair, n int, cfg consumer.Config) (devices []*consumer.Device, errs []error) {
	t.Helper()
	devices, errs = make([]*consumer.Device, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		c, err := consumer.New(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_ = c.Close(ctx) // what the device makes of it is not looked at here
		})
		wg.Go(func() { devices[i], errs[i] = c.Connect(t.Context(), p.endpoint()) })
	}
	wg.Wait()
	return devices, errs
}

// Many consumers of one host, with one certificate, are no crowd that a device turns away: not when they connect, not when all ask at once.
func TestFiftyConsumersWithOneCertificate(t *testing.T) {
	id := identity(t, "gateway", sdc.RoleConsumer)
	overTLS(t, setup{}, func(t *testing.T, p *pair) {
		devices, errs := join(t, p, 50, consumer.Config{Identity: id})
		for _, err := range errs {
			require.NoError(t, err)
		}
		var wg sync.WaitGroup
		failed := make(chan error, 1000)
		for _, d := range devices {
			for range 4 {
				wg.Go(func() {
					for range 3 {
						if _, err := d.GetMdState(t.Context()); err != nil {
							failed <- err
						}
					}
				})
			}
		}
		wg.Wait()
		require.Empty(t, failed)
		require.NoError(t, setNumber(p.dev, "7"))
		require.NoError(t, p.dev.Flush(t.Context()))
		for i, d := range devices {
			require.Equal(t, consumer.Live, d.Link().State, "%d: %v", i, d.Link().Cause)
			require.Equal(t, "7", number(t, d.MDIB()))
		}
	})
}

// slowEnd keeps back the last byte of what is written until it is let go.
type slowEnd struct {
	net.Conn
	hold func() <-chan struct{} // nil while nothing is kept back
}

func (s slowEnd) Write(b []byte) (int, error) {
	until := s.hold()
	if until == nil || len(b) < 2 {
		return s.Conn.Write(b)
	}
	n, err := s.Conn.Write(b[:len(b)-1])
	if err != nil {
		return n, err
	}
	<-until
	m, err := s.Conn.Write(b[len(b)-1:])
	return n + m, err
}

// Each consumer has two connections, and on a slow network all of them bring a request for a while.
func TestRequestsOfManyConsumersBehindOneAddress(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		var mu sync.Mutex
		var until chan struct{}
		hold := func() <-chan struct{} {
			mu.Lock()
			defer mu.Unlock()
			return until
		}
		host := p.net.Host("192.0.2.5")
		devices, errs := join(t, p, 60, consumer.Config{
			Insecure: true, Listen: func(context.Context, string, string) (net.Listener, error) { return host.Listen(0) },
			ProofInterval: time.Hour,
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := host.Dial(ctx, network, addr)
				return slowEnd{c, hold}, err
			},
		})
		for _, err := range errs {
			require.NoError(t, err)
		}
		letGo := make(chan struct{})
		mu.Lock()
		until = letGo
		mu.Unlock()
		began := time.Now()
		var wg sync.WaitGroup
		failed := make(chan error, 1000)
		for _, d := range devices {
			for range 2 {
				wg.Go(func() {
					if _, err := d.GetMdState(t.Context(), "num"); err != nil {
						failed <- err
					}
				})
			}
		}
		synctest.Wait()
		close(letGo)
		wg.Wait()
		require.Empty(t, failed)
		require.Zero(t, time.Since(began), "nobody had to come again")
	})
}

// A device says how many consumers it expects behind one certificate or address. One more is told why it is refused, and the others keep what they have.
func TestHowManyConsumersMayStandBehindOneAddress(t *testing.T) {
	for _, tt := range []struct {
		crowd          sdc.Crowd
		come, admitted int
	}{
		{sdc.Crowd{}, 70, 64},
		{sdc.Crowd{BehindOne: 100}, 100, 100},
	} {
		t.Run(fmt.Sprint(tt.crowd), func(t *testing.T) {
			inBubble(t, setup{provider: func(c *provider.Config) { c.Consumers = tt.crowd }}, func(t *testing.T, p *pair) {
				host := p.net.Host("192.0.2.5")
				devices, errs := join(t, p, tt.come, consumer.Config{
					Insecure: true, Dial: host.Dial, Listen: func(context.Context, string, string) (net.Listener, error) { return host.Listen(0) },
				})
				admitted := 0
				for i, err := range errs {
					if err != nil {
						require.ErrorContains(t, err, "too many subscriptions of this peer")
						continue
					}
					admitted++
					require.Equal(t, consumer.Live, devices[i].Link().State)
				}
				if tt.admitted == tt.come {
					require.Equal(t, tt.admitted, admitted)
				} else { // the first subscription of one may have taken the place of the second of another
					require.LessOrEqual(t, admitted, tt.admitted)
					require.Greater(t, admitted, tt.admitted/2)
				}
				one := p.connect(t) // from another address
				require.Equal(t, consumer.Live, one.Link().State)
			})
		})
	}
}

// A device that says 429 has done nothing yet. The consumer comes again when it was told to, as long as a request may last.
func TestBusyDevicesAreAskedAgain(t *testing.T) {
	with := operating
	with.provider = func(c *provider.Config) {
		applying(c)
		c.Consumers = sdc.Crowd{BehindOne: 1} // two requests
	}
	inBubble(t, with, func(t *testing.T, p *pair) {
		// occupy begins two requests of the consumer's host that end only with their connections.
		occupy := func() (leave func()) {
			var conns []net.Conn
			for range 2 {
				c, err := p.net.Host(consumerIP).Dial(t.Context(), "tcp", listensAt(p))
				require.NoError(t, err)
				_, err = io.WriteString(c, "POST "+p.dev.XAddrs()[0][len("http://"+listensAt(p)):]+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nContent-Length: 100\r\n\r\n<")
				require.NoError(t, err)
				conns = append(conns, c)
			}
			synctest.Wait()
			return func() {
				for _, c := range conns {
					c.(*memnet.Conn).Reset()
				}
				synctest.Wait()
			}
		}
		leave := occupy()
		time.AfterFunc(1500*time.Millisecond, leave)
		began := time.Now()
		d := p.connect(t)
		require.Greater(t, time.Since(began), 1500*time.Millisecond)
		require.Less(t, time.Since(began), 5*time.Second)

		leave = occupy()
		time.AfterFunc(1500*time.Millisecond, leave)
		works(t, p, d, "3")

		leave = occupy()
		defer leave()
		began = time.Now()
		_, err := d.GetMdState(t.Context(), "num")
		var status *soap.HTTPError
		require.ErrorAs(t, err, &status)
		require.Equal(t, http.StatusTooManyRequests, status.Status)
		require.LessOrEqual(t, time.Since(began), 10*time.Second, "RequestTimeout")
		require.Greater(t, time.Since(began), 7*time.Second)
	})
}

// An operation is asked for again only if it is sure that it has not been done.
func TestOperationsAreRepeatedOnlyIfTurnedDown(t *testing.T) {
	for _, tt := range []struct {
		status     int
		retryAfter string
		again      bool
	}{
		{http.StatusTooManyRequests, "", true},
		{http.StatusTooManyRequests, "2", true},
		{http.StatusServiceUnavailable, "2", true},
		{http.StatusServiceUnavailable, "", false},
		{http.StatusInternalServerError, "2", false},
		{http.StatusBadGateway, "", false},
	} {
		t.Run(fmt.Sprintf("%d %q", tt.status, tt.retryAfter), func(t *testing.T) {
			inBubble(t, operating, func(t *testing.T, p *pair) {
				ln, err := p.net.Host(deviceIP).Listen(0)
				require.NoError(t, err)
				f := newFront(p, ln)
				came := 0
				f.refuse = func(body []byte) (int, string) {
					if !bytes.Contains(body, []byte(">"+sdc.NamespaceGlue+"/SetService/SetValue<")) {
						return 0, ""
					}
					if came++; came > 1 {
						return 0, ""
					}
					return tt.status, tt.retryAfter
				}
				defer f.serve(t, ln)()
				d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
				require.NoError(t, err)
				began := time.Now()
				_, err = d.SetValue(t.Context(), "value.set", pm.MustDecimal("5"))
				if !tt.again {
					var status *soap.HTTPError
					require.ErrorAs(t, err, &status)
					require.Equal(t, tt.status, status.Status)
					require.Equal(t, 1, came)
					return
				}
				require.NoError(t, err)
				require.Equal(t, 2, came)
				if tt.retryAfter != "" {
					require.GreaterOrEqual(t, time.Since(began), 2*time.Second)
				}
			})
		})
	}
}
