package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/faults"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}

// every does a deed to every nth notification.
func every(n int, deed faults.Deed) func(int) faults.Deed {
	return func(i int) faults.Deed {
		if i%n == n-1 {
			return deed
		}
		return faults.Pass
	}
}

// box lets the interposer do something for a while.
func box(decide func(int) faults.Deed) func(*bench) {
	return func(b *bench) {
		b.box.Do(decide)
		b.wait(20 * time.Second)
		b.box.Do(nil)
	}
}

// cutOff parts device and consumer for a while.
func cutOff(d time.Duration) func(*bench) {
	return func(b *bench) {
		b.net.Partition(deviceIP, consumerIP)
		b.net.Partition(boxIP, consumerIP)
		b.wait(d)
		b.net.Heal(deviceIP, consumerIP)
		b.net.Heal(boxIP, consumerIP)
	}
}

// step is a clock that is set while the device runs.
type step struct{ by time.Duration }

func (s *step) now() time.Time { return time.Now().Add(s.by) }

func matrix() []fault {
	var forward, back step
	return []fault{
		{name: "none", run: func(b *bench) { b.wait(time.Minute) }},
		{name: "delay 20 ms and jitter 20 ms", run: func(b *bench) {
			b.net.SetLink(memnet.Link{Latency: 20 * time.Millisecond, Jitter: 20 * time.Millisecond})
			b.wait(30 * time.Second)
			b.net.SetLink(memnet.Link{})
		}},
		// Reports are sent one after the other, each when the one before was confirmed: the device falls behind, and what is shown
		// may be called live no longer than honesty allows.
		{name: "delay 200 ms and jitter 200 ms, ten changes a second", bound: 12 * time.Second, gaps: true, run: func(b *bench) {
			b.net.SetLink(memnet.Link{Latency: 200 * time.Millisecond, Jitter: 200 * time.Millisecond})
			b.wait(30 * time.Second)
			b.net.SetLink(memnet.Link{})
		}},
		{name: "every 10th notification lost though confirmed", bound: 12 * time.Second, gaps: true, run: box(every(10, faults.Swallow))},
		{name: "every 100th notification lost though confirmed", bound: 3 * time.Second, gaps: true, run: box(every(100, faults.Swallow))},
		{name: "the last notifications before silence lost", bound: 12 * time.Second, gaps: true, run: func(b *bench) {
			b.box.Do(every(1, faults.Swallow))
			b.wait(500 * time.Millisecond)
			b.pause(true)
			b.wait(time.Second)
			b.box.Do(nil)
			b.wait(12 * time.Second)
			require.Equal(b.t, b.history.Version(), b.mirror.MDIB().Version(), "noticed and healed without any further report")
			b.pause(false)
		}},
		{name: "every 10th notification twice", run: box(every(10, faults.Twice))},
		{name: "every 10th notification after the next", bound: 12 * time.Second, gaps: true, run: box(every(10, faults.Late))},
		{name: "connection broken after every 10th notification", run: box(every(10, faults.Break))},
		{name: "every 50th notification refused", bound: 3 * time.Second, gaps: true, run: box(every(50, faults.Refuse))},
		{name: "every 50th notification garbled", bound: 3 * time.Second, gaps: true, run: box(every(50, faults.Garble))},
		{name: "all connections reset every 300 ms", bound: 3 * time.Second, direct: true, gaps: false, run: func(b *bench) {
			for range 30 {
				b.wait(300 * time.Millisecond)
				b.net.Cut(deviceIP, consumerIP)
			}
		}},
		{name: "reset in the middle of a report", bound: 5 * time.Second, direct: true, run: func(b *bench) {
			b.net.SetLink(memnet.Link{Latency: 20 * time.Millisecond})
			for range 30 {
				b.wait(310 * time.Millisecond) // a change is made every 100 ms: this one is half way
				b.net.Cut(deviceIP, consumerIP)
			}
			b.net.SetLink(memnet.Link{})
		}},
		{name: "partition of 1 s", bound: time.Second, run: cutOff(time.Second)},
		{name: "partition of 30 s", bound: 15 * time.Second, gaps: true, run: cutOff(30 * time.Second)},
		{name: "partition of 2 min, longer than the subscription", bound: 15 * time.Second, gaps: true, run: cutOff(2 * time.Minute)},
		{name: "nothing from device to consumer for 30 s", bound: 15 * time.Second, gaps: true, direct: true, run: func(b *bench) {
			b.net.PartitionOneWay(deviceIP, consumerIP)
			b.wait(30 * time.Second)
			b.net.HealOneWay(deviceIP, consumerIP)
		}},
		{name: "nothing from consumer to device for 30 s", bound: 15 * time.Second, gaps: true, direct: true, run: func(b *bench) {
			b.net.PartitionOneWay(consumerIP, deviceIP)
			b.wait(30 * time.Second)
			b.net.HealOneWay(consumerIP, deviceIP)
		}},
		{name: "notifications cannot reach the consumer for 30 s, requests can", bound: 15 * time.Second, gaps: true, run: func(b *bench) {
			b.net.Partition(boxIP, consumerIP)
			b.wait(30 * time.Second)
			b.net.Heal(boxIP, consumerIP)
		}},
		{name: "half-open: the device dies in a partition and comes back", bound: 15 * time.Second, gaps: true, run: func(b *bench) {
			port := b.port()
			b.pause(true)
			b.net.Partition(deviceIP, consumerIP)
			b.net.Partition(boxIP, consumerIP)
			b.stop()
			b.wait(20 * time.Second)
			b.restart(deviceIP, port)
			b.net.Heal(deviceIP, consumerIP)
			b.net.Heal(boxIP, consumerIP)
		}},
		{name: "device killed and back at the same port", bound: 15 * time.Second, gaps: true, run: func(b *bench) {
			port := b.port()
			b.kill()
			b.wait(5 * time.Second)
			b.restart(deviceIP, port)
		}},
		// It can be read where it was, but knows nothing of its former life's subscriptions.
		{name: "device killed and back at once at the same port", bound: 12 * time.Second, gaps: true, most: 1, run: func(b *bench) {
			port := b.port()
			b.kill()
			b.restart(deviceIP, port)
			b.wait(5 * time.Second)
		}},
		{name: "device killed and back at another port", bound: 15 * time.Second, gaps: true, run: func(b *bench) {
			b.kill()
			b.wait(5 * time.Second)
			b.restart(deviceIP, 0)
		}},
		{name: "device killed and back at another address", bound: 15 * time.Second, gaps: true, run: func(b *bench) {
			b.kill()
			b.wait(5 * time.Second)
			b.restart("192.0.2.99", 0)
		}},
		{name: "device stopped in order and back after 20 s", bound: 10 * time.Second, gaps: true, run: func(b *bench) {
			b.pause(true)
			b.stop()
			b.wait(20 * time.Second)
			b.restart(deviceIP, 0)
		}},
		{name: "new sequence", bound: 3 * time.Second, gaps: true, run: func(b *bench) {
			b.pause(true)
			b.wait(time.Second)
			b.dev.NewSequence()
			b.history.Restart(b.dev)
			b.pause(false)
			b.wait(time.Second)
		}},
		// Numbers of the notifications would show that as a loss of its own.
		{name: "new sequence, the last report of the former one arrives after it was read", bound: 3 * time.Second, gaps: true, most: 1, run: func(b *bench) {
			b.pause(true)
			b.wait(time.Second)
			b.box.Do(func(i int) faults.Deed {
				if i == 0 {
					return faults.Late
				}
				return faults.Pass
			})
			require.NoError(b.t, b.history.Change())
			b.dev.NewSequence()
			b.history.Restart(b.dev)
			b.wait(7 * time.Second)
			require.Equal(b.t, b.history.Version(), b.mirror.MDIB().Version(), "found out by asking")
			require.Equal(b.t, consumer.Live, b.mirror.Link().State)
			b.pause(false)
			b.wait(5 * time.Second)
			require.Equal(b.t, 1, b.box.Done(faults.Late))
		}, provider: func(c *provider.Config) { c.NoReportSequence = true }},
		{name: "clock of the device set by +1 h", run: func(b *bench) {
			b.wait(time.Second)
			forward.by = time.Hour
			b.wait(time.Minute)
		}, provider: func(c *provider.Config) { c.Store.Now = forward.now }},
		{name: "clock of the device set by -1 h", run: func(b *bench) {
			b.wait(time.Second)
			back.by = -time.Hour
			b.wait(time.Minute)
		}, provider: func(c *provider.Config) { c.Store.Now = back.now }},
		{name: "other consumers stalled, slow, dead and lying", direct: true, run: func(b *bench) { badNeighbours(b) }},
		{name: fmt.Sprint(10_000/share, " parts put in and taken out"), run: func(b *bench) {
			b.pause(true)
			for range 10_000 / share {
				require.NoError(b.t, b.history.ChangeDescription())
				b.wait(time.Millisecond)
			}
			b.pause(false)
		}},
	}
}

// TestMatrix is the part of the fault matrix that needs no real network: in virtual time, and so the same every time.
func TestMatrix(t *testing.T) {
	for _, f := range matrix() {
		t.Run(f.name, func(t *testing.T) {
			record(t, inVirtualTime(t, f))
		})
	}
}

// badNeighbours are consumers that the device must bear with: none of them may cost it or our consumer anything.
func badNeighbours(b *bench) {
	t := b.t
	bad := func(ip string, handler http.HandlerFunc) {
		host := b.net.Host(ip)
		l, err := host.Listen(0)
		require.NoError(t, err)
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // before that a server does not notice that a connection ends
			handler(w, r)
		})}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(l)
		}()
		t.Cleanup(func() {
			_ = server.Close()
			<-served
		})
		c, err := consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: host.Dial, SubscriptionLength: time.Hour, LostAfter: time.Second,
			Listen: func(context.Context, string, string) (net.Listener, error) { return nowhere{l}, nil },
		})
		require.NoError(t, err)
		_, err = c.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: b.dev.XAddrs()})
		require.NoError(t, err)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = c.Close(ctx)
		})
	}
	release := make(chan struct{})
	bad("192.0.2.11", func(_ http.ResponseWriter, r *http.Request) { // stalled
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	bad("192.0.2.12", func(w http.ResponseWriter, r *http.Request) { // slow
		_, _ = io.Copy(io.Discard, r.Body) // from here on the server notices when the device leaves
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusAccepted)
	})
	bad("192.0.2.13", func(w http.ResponseWriter, _ *http.Request) { // lying
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte("<not-what-it-seems"))
	})
	bad("192.0.2.14", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	b.net.Partition(deviceIP, "192.0.2.14") // dead
	b.wait(time.Minute)
	stats := b.dev.Stats()
	require.GreaterOrEqual(t, stats.Failed, uint64(3), "the bad ones lost their subscriptions each time: %+v", stats)
	require.LessOrEqual(t, stats.Subscriptions, 20, "and do not heap up")
	close(release)
}

// nowhere is a listener whose connections somebody else accepts.
type nowhere struct{ net.Listener }

func (n nowhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }

func TestStateVersionsShowALoss(t *testing.T) {
	// Without all reports the MDIB version says nothing, and some devices do not number their notifications.
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(memnet.Config{})}
		defer b.net.Close()
		boxHost, there := b.net.Host(boxIP), b.net.Host(consumerIP)
		l, err := boxHost.Listen(0)
		require.NoError(t, err)
		b.box = faults.NewInterposer(l, b.net.Host(deviceIP).Dial, boxHost.Dial)
		defer func() { require.NoError(t, b.box.Close()) }()
		b.start(deviceIP, 0, &fault{provider: func(c *provider.Config) { c.NoReportSequence = true }})
		defer func() { b.stop() }()
		c, err := consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny, Actions: []string{sdc.ActionEpisodicMetricReport},
		})
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close(t.Context())) }()
		d, err := c.Connect(t.Context(), discovery.Endpoint{XAddrs: b.dev.XAddrs()})
		require.NoError(t, err)
		lost := make(chan *consumer.Gap, 1)
		joined := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for u, err := range d.Updates(ctx) {
				switch {
				case err != nil:
					return
				case u.Gap != nil:
					lost <- u.Gap
					return
				case u.Report == nil && u.Link.State == consumer.Live:
					close(joined)
				}
			}
		}()
		<-joined
		b.box.Do(func(i int) faults.Deed {
			if i == 1 {
				return faults.Swallow
			}
			return faults.Pass
		})
		for range 3 {
			require.NoError(t, b.history.ChangeMetric())
			<-time.After(time.Second)
		}
		var jump *consumer.StateGapError
		require.ErrorAs(t, (<-lost).Cause, &jump)
		require.Equal(t, jump.Have+2, jump.Got)
		require.True(t, d.MDIB().ContentEqual(b.dev.MDIB()))
	})
}

func TestThousandSubscriptions(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := &bench{t: t, net: memnet.New(memnet.Config{})}
		defer b.net.Close()
		b.start(deviceIP, 0, &fault{direct: true})
		defer func() { b.stop() }()
		there := b.net.Host(consumerIP)
		c, err := consumer.New(t.Context(), consumer.Config{
			Insecure: true, Dial: there.Dial, Listen: there.ListenAny,
		})
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close(t.Context())) }()
		// The runtime keeps the stopped timers of a bubble, and all that they refer to, until their time has come.
		settled := func() leaks {
			<-time.After(2 * time.Minute)
			return count()
		}
		var before leaks
		for i := range 1000 / share {
			d, err := c.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: b.dev.XAddrs()})
			require.NoError(t, err)
			// Past the history, which would keep every version.
			require.NoError(t, b.dev.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.NewDecimal(int64(i), 0), time.Now()) }))
			require.NoError(t, d.Close(t.Context()))
			synctest.Wait()
			if i == 9 {
				before = settled()
			}
		}
		require.Zero(t, b.dev.Stats().Subscriptions)
		after := settled()
		require.LessOrEqual(t, after.goroutines, before.goroutines)
		require.Less(t, after.heap, before.heap+1<<20, "bytes of heap, after ten cycles and after a thousand")
		record(t, Row{Fault: fmt.Sprint(1000/share, " times subscribed and unsubscribed"), Where: InMemory, Leaks: after.minus(before)})
	})
}
