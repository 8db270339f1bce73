package pairtest

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func TestSilentDeviceIsAskedAndItsValuesStayFresh(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		for range 100 {
			<-time.After(3700 * time.Millisecond) // virtual time
			age, ok := d.Age("num")
			require.True(t, ok)
			require.LessOrEqual(t, age, 5*time.Second)
			_, err := consumer.Current[*pm.NumericMetricState](d, "num")
			require.NoError(t, err)
		}
		require.Equal(t, consumer.Live, d.Link().State)
		require.Len(t, f.c, 1, "asking is no update")
		_, ok := d.Age("unknown")
		require.False(t, ok)
		_, err := consumer.Current[*pm.StringMetricState](d, "num")
		require.ErrorIs(t, err, mdib.ErrUnknownHandle)
	})
}

func TestValuesOfASilentDeviceAreNotShownAsLive(t *testing.T) {
	inBubble(t, setup{consumer: func(c *consumer.Config) { c.LostAfter = time.Hour }}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		<-time.After(time.Minute)
		p.net.Partition(deviceIP, consumerIP)
		cut := time.Now()
		u := f.next("stale", linked(consumer.Stale))
		require.LessOrEqual(t, time.Since(cut), 10*time.Second)
		require.False(t, u.Link.StaleSince.After(cut), "nothing was known after the cut")
		require.LessOrEqual(t, cut.Sub(u.Link.StaleSince), 5*time.Second)
		var silence *consumer.SilenceError
		require.ErrorAs(t, u.Link.Cause, &silence)

		<-time.After(10 * time.Minute)
		_, err := consumer.Current[*pm.NumericMetricState](d, "num")
		var stale *consumer.StaleError
		require.ErrorAs(t, err, &stale)
		require.Equal(t, u.Link.StaleSince, stale.Confirmed)
		age, _ := d.Age("num")
		require.GreaterOrEqual(t, age, 10*time.Minute)
		require.False(t, d.View().Live())

		p.net.Heal(deviceIP, consumerIP)
		healed := time.Now()
		u = f.next("live", linked(consumer.Live))
		require.LessOrEqual(t, time.Since(healed), 15*time.Second)
		require.Equal(t, stale.Confirmed, u.Gap.Stale)
	})
}

func TestStatesNobodySubscribedToAgeFromTheReading(t *testing.T) {
	inBubble(t, setup{consumer: func(c *consumer.Config) { c.Actions = []string{sdc.ActionEpisodicMetricReport} }}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		<-time.After(10 * time.Minute)
		age, _ := d.Age("num")
		require.LessOrEqual(t, age, 10*time.Second)
		age, ok := d.Age("vmd")
		require.True(t, ok)
		require.GreaterOrEqual(t, age, 10*time.Minute)
		require.Equal(t, consumer.Live, d.Link().State)
	})
}

// guide knows where a device is, as discovery would.
type guide struct {
	where  func() []string
	events chan discovery.Event
}

// join makes a consumer ask the guide; it runs in the bubble, where the channel belongs.
func (g *guide) join(c *consumer.Config) {
	g.events = make(chan discovery.Event)
	c.Locators = []consumer.Locator{g}
}

func (g *guide) Resolve(ctx context.Context, _ string) (discovery.Endpoint, error) {
	if g.where == nil { // as multicast that nobody answers
		<-ctx.Done()
		return discovery.Endpoint{}, ctx.Err()
	}
	return discovery.Endpoint{EPR: deviceURN, XAddrs: g.where()}, nil
}

func (g *guide) Watch(ctx context.Context, _ discovery.Filter) iter.Seq[discovery.Event] {
	return func(yield func(discovery.Event) bool) {
		for {
			select {
			case e := <-g.events:
				if !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func TestDeviceThatMovesIsFoundAgain(t *testing.T) {
	for _, how := range []string{"by Resolve", "by Hello", "by Resolve of a locator that came later", "by Hello to a locator that came later"} {
		t.Run(how, func(t *testing.T) {
			g := new(guide)
			var pc provider.Config
			hello, later := strings.HasPrefix(how, "by Hello"), strings.HasSuffix(how, "later")
			inBubble(t, setup{
				provider: func(c *provider.Config) { pc = *c },
				consumer: func(c *consumer.Config) {
					if g.join(c); later {
						c.Locators = nil
					}
				},
			}, func(t *testing.T, p *pair) {
				if later {
					p.consumer.AddLocator(g)
				}
				var where atomic.Pointer[[]string]
				is := func() {
					at := p.dev.XAddrs()
					where.Store(&at)
				}
				is()
				g.where = func() []string { return *where.Load() }
				d := p.connect(t)
				f := follow(t, d)
				defer f.stop()
				old := d.XAddr()
				p.stop()
				elsewhere := p.net.Host("192.0.2.77")
				pc.Dial = elsewhere.Dial
				pc.Listen = elsewhere.ListenAny
				p.start(t, setup{}, pc)
				require.NoError(t, setNumber(p.dev, "7"))
				begin := time.Now()
				if hello {
					g.events <- discovery.Event{Kind: discovery.Restarted, Endpoint: p.endpoint()}
				} else {
					is()
				}
				f.next("stale", linked(consumer.Stale))
				u := f.next("live", linked(consumer.Live))
				require.LessOrEqual(t, time.Since(begin), 2*time.Second)
				require.NotEqual(t, old, d.XAddr())
				require.Equal(t, "7", number(t, u.Snapshot))
				require.NotEqual(t, u.Gap.From.SequenceID, u.Gap.To.SequenceID)
			})
		})
	}
}

// A device that comes back says Hello, but nobody answers the Resolve that was sent while it was away: its consumer does not wait for that answer.
func TestHelloIsHeardWhileTheDeviceIsLookedFor(t *testing.T) {
	for _, moves := range []bool{true, false} {
		t.Run(fmt.Sprintf("moves %v", moves), func(t *testing.T) {
			g := new(guide)
			var pc provider.Config
			inBubble(t, setup{
				provider: func(c *provider.Config) { pc = *c },
				consumer: func(c *consumer.Config) {
					g.join(c)
					c.LostAfter = 9 * time.Second // less than a Resolve may take
				},
			}, func(t *testing.T, p *pair) {
				d := p.connect(t)
				f := follow(t, d)
				defer f.stop()
				at := netip.MustParseAddrPort(strings.Split(d.XAddr(), "/")[2])
				p.stop()
				f.next("resyncing", linked(consumer.Resyncing))
				<-time.After(4 * time.Second)
				host, port := p.net.Host(deviceIP), int(at.Port())
				if moves {
					host, port = p.net.Host("192.0.2.77"), 0
				}
				pc.Dial = host.Dial
				pc.Listen = func(context.Context, string, string) (net.Listener, error) { return host.Listen(port) }
				p.start(t, setup{}, pc)
				begin := time.Now()
				g.events <- discovery.Event{Kind: discovery.Restarted, Endpoint: p.endpoint()}
				f.next("live", linked(consumer.Live))
				require.LessOrEqual(t, time.Since(begin), time.Second)
			})
		})
	}
}

// A device that is killed and comes back at the same address knows nothing of its subscriptions: what it reports from then on arrives all the same.
func TestDeviceThatRestartsWhereItWas(t *testing.T) {
	// covers: COEX-4, CONS-1
	var pc provider.Config
	var dead atomic.Bool
	inBubble(t, setup{provider: func(c *provider.Config) {
		pc = *c
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dead.Load() {
				return nil, net.ErrClosed
			}
			return pc.Dial(ctx, network, addr)
		}
	}}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		at := netip.MustParseAddrPort(strings.Split(d.XAddr(), "/")[2])
		dead.Store(true) // it cannot say goodbye
		p.net.Cut(deviceIP, consumerIP)
		p.stop()
		pc.Listen = func(context.Context, string, string) (net.Listener, error) {
			return p.net.Host(deviceIP).Listen(int(at.Port()))
		}
		p.start(t, setup{}, pc)
		f.next("stale", linked(consumer.Stale))
		f.next("live", linked(consumer.Live))
		require.Equal(t, 2, p.dev.Stats().Subscriptions)
		require.NoError(t, setNumber(p.dev, "7"))
		f.next("the report", version(p.dev.MDIB().Version().MdibVersion))
		require.NoError(t, d.Close(t.Context()))
	})
}

func TestByeAloneIsNoReasonToDoubt(t *testing.T) {
	// Anybody can send one: what counts is whether the device answers.
	g := &guide{where: func() []string { return nil }}
	inBubble(t, setup{consumer: g.join}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		<-time.After(2 * time.Second)
		g.events <- discovery.Event{Kind: discovery.Gone, Endpoint: p.endpoint()}
		<-time.After(time.Second)
		age, _ := d.Age("num")
		require.LessOrEqual(t, age, time.Second, "the device was asked at once")
		require.Len(t, f.c, 1)
		require.Equal(t, consumer.Live, d.Link().State)
	})
}

// Nothing is sent to where a device was once it has been given up: somebody else may be there.
func TestNothingIsInvokedAfterTheEnd(t *testing.T) {
	inBubble(t, setup{consumer: func(c *consumer.Config) { c.LostAfter = 10 * time.Second }}, func(t *testing.T, p *pair) {
		lost, closed := p.connect(t), p.connect(t)
		require.NoError(t, closed.Close(t.Context()))
		_, err := closed.SetValue(t.Context(), "value.set", pm.MustDecimal("5"))
		require.ErrorIs(t, err, consumer.ErrClosed)
		p.net.Partition(deviceIP, consumerIP)
		<-lost.Ended()
		p.net.Heal(deviceIP, consumerIP) // it would arrive
		before := p.dev.MDIB()
		_, err = lost.SetValue(t.Context(), "value.set", pm.MustDecimal("5"))
		require.ErrorIs(t, err, consumer.ErrLost)
		_, err = lost.GetContextStates(t.Context())
		require.ErrorIs(t, err, consumer.ErrLost)
		require.Same(t, before, p.dev.MDIB())
	})
}
