package pairtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

func setNumber(p *provider.Provider, v string) error {
	return p.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.MustDecimal(v), time.Now()) })
}

func number(t *testing.T, s *mdib.Snapshot) string {
	t.Helper()
	st, ok := mdib.Get[*pm.NumericMetricState](s, "num")
	require.True(t, ok)
	require.NotNil(t, st.MetricValue)
	v, _ := st.MetricValue.Value.Get()
	return v.String()
}

func TestMirrorEqualsTheDeviceAndFollowsIt(t *testing.T) {
	// covers: CONS-3, SDPi R1006, SDPi R1007, SDPi R7002, SDPi-R DEV-35, SDPi-R DEV-36
	test := func(t *testing.T, p *pair) {
		d := p.connect(t)
		require.Equal(t, consumer.Live, d.Link().State)
		require.True(t, d.MDIB().Equal(p.dev.MDIB()), "the mirror is what the device has")
		f := follow(t, d)
		defer f.stop()
		for i := range 20 {
			require.NoError(t, setNumber(p.dev, fmt.Sprint(i)))
		}
		u := f.next("the last value", version(p.dev.MDIB().Version().MdibVersion))
		require.Equal(t, "19", number(t, u.Snapshot))
		require.Equal(t, mdib.KindMetric, u.Change.Kind)
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
	}
	t.Run("in memory", func(t *testing.T) { inBubble(t, setup{}, test) })
	t.Run("mutual TLS", func(t *testing.T) {
		// covers: SDPi R0502, GLUE R0063, GLUE R0064, SDPi R1003
		overTLS(t, setup{}, test)
	})
}

func TestReportsDuringTheReadingOfTheMDIBAreReplayed(t *testing.T) {
	// covers: CONS-3
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		p.net.SetLink(memnet.Link{Latency: 50 * time.Millisecond})
		stop, stopped := make(chan struct{}), make(chan int)
		go func() { // changes all the time while the consumer connects
			n := 0
			for {
				select {
				case <-stop:
					stopped <- n
					return
				case <-time.After(3 * time.Millisecond):
					n++
					_ = setNumber(p.dev, fmt.Sprint(n)) // an error would show as a wrong last value
				}
			}
		}()
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		close(stop)
		last := <-stopped
		u := f.next("the last value", version(p.dev.MDIB().Version().MdibVersion))
		require.Equal(t, fmt.Sprint(last), number(t, u.Snapshot))
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
	})
}

func TestUnknownTargetsAndWrongTrustAreRefusedWithAReason(t *testing.T) {
	t.Run("nobody there", func(t *testing.T) {
		inBubble(t, setup{}, func(t *testing.T, p *pair) {
			ep := p.endpoint()
			ep.XAddrs = []string{"http://" + deviceIP + ":9/"}
			_, err := p.consumer.Connect(t.Context(), ep)
			require.ErrorContains(t, err, "no address answers")
			ep.XAddrs = nil
			_, err = p.consumer.Connect(t.Context(), ep)
			require.ErrorContains(t, err, "no transport address")
		})
	})
	t.Run("another device answers", func(t *testing.T) {
		inBubble(t, setup{}, func(t *testing.T, p *pair) {
			ep := p.endpoint()
			ep.EPR = "urn:uuid:00000000-0000-0000-0000-000000000001"
			_, err := p.consumer.Connect(t.Context(), ep)
			require.Error(t, err)
		})
	})
	t.Run("a certificate without the provider's purpose", func(t *testing.T) {
		// covers: GLUE EKU provider
		overTLS(t, setup{provider: func(c *provider.Config) {
			c.Identity = identity(t, "impostor", sdc.RoleConsumer)
		}}, func(t *testing.T, p *pair) {
			_, err := p.consumer.Connect(t.Context(), p.endpoint())
			var refused *sdc.PeerError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, sdc.WrongRole, refused.Reason)
		})
	})
	t.Run("plain HTTP needs the switch", func(t *testing.T) {
		_, err := consumer.New(t.Context(), consumer.Config{})
		require.ErrorContains(t, err, "Insecure")
		_, err = consumer.New(t.Context(), consumer.Config{Insecure: true, Identity: identity(t, "x", sdc.RoleConsumer)})
		require.ErrorContains(t, err, "exclude")
	})
}

func TestSubscriptionsAreRenewedForAsLongAsItTakes(t *testing.T) {
	// covers: EVT-4
	inBubble(t, setup{provider: func(c *provider.Config) { c.MaxSubscription = 15 * time.Second }}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		<-time.After(10 * time.Minute) // virtual time
		require.NoError(t, setNumber(p.dev, "42"))
		u := f.next("the value", version(p.dev.MDIB().Version().MdibVersion))
		require.Equal(t, "42", number(t, u.Snapshot))
		require.Nil(t, u.Gap)
		require.Zero(t, p.dev.Stats().Expired)
	})
}

func TestLostConnectionHealsAndSaysWhatWasStale(t *testing.T) {
	// covers: CONS-2
	inBubble(t, setup{
		provider: func(c *provider.Config) { c.MaxSubscription = 15 * time.Second },
		consumer: func(c *consumer.Config) { c.LostAfter = 5 * time.Minute },
	}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		p.net.Partition(deviceIP, consumerIP)
		before := time.Now()
		require.NoError(t, setNumber(p.dev, "1")) // never arrives
		u := f.next("stale", linked(consumer.Stale))
		require.Error(t, u.Link.Cause)
		require.WithinRange(t, u.Link.StaleSince, before.Add(-time.Second), u.Link.Since, "counted from the last sign of life")
		require.LessOrEqual(t, time.Since(before), 10*time.Second, "a dead link is noticed within twice the interval of proof")
		p.net.Heal(deviceIP, consumerIP)
		u = f.next("live", linked(consumer.Live))
		require.NotNil(t, u.Gap, "the update after a loss says so")
		require.Equal(t, u.Before.Version(), u.Gap.From)
		require.Equal(t, u.Snapshot.Version(), u.Gap.To)
		require.Equal(t, u.Gap.From.MdibVersion+1, u.Gap.To.MdibVersion)
		require.Equal(t, "1", number(t, u.Snapshot))
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
		require.NoError(t, setNumber(p.dev, "2"))
		u = f.next("the next value", version(p.dev.MDIB().Version().MdibVersion))
		require.Equal(t, "2", number(t, u.Snapshot))
	})
}

func TestDeviceThatGoesAwayIsLostInBoundedTime(t *testing.T) {
	// covers: EVT-3
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		begin := time.Now()
		p.stop()
		f.next("lost", linked(consumer.Lost))
		require.LessOrEqual(t, time.Since(begin), 40*time.Second)
		<-d.Ended()
		require.ErrorIs(t, <-f.done, consumer.ErrLost)
		_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal("1"))
		require.Error(t, err)
		require.Equal(t, consumer.Lost, d.Link().State)
	})
}

func TestClosingIsCleanAndFinal(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		require.Positive(t, p.dev.Stats().Subscriptions)
		require.NoError(t, d.Close(t.Context()))
		require.NoError(t, d.Close(t.Context()))
		require.ErrorIs(t, <-f.done, consumer.ErrClosed)
		require.Zero(t, p.dev.Stats().Subscriptions, "nothing is left at the device")
		require.NoError(t, p.consumer.Close(t.Context()))
		_, err := p.consumer.Connect(t.Context(), p.endpoint())
		require.ErrorIs(t, err, consumer.ErrClosed)
	})
}

func TestSlowReaderIsToldAndDelaysNobody(t *testing.T) {
	inBubble(t, setup{consumer: func(c *consumer.Config) { c.UpdateQueue = 10 }}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		f := follow(t, d)
		defer f.stop()
		seen, release := make(chan struct{}), make(chan struct{})
		slow := make(chan error, 1)
		go func() {
			first := true
			for _, err := range d.Updates(context.Background()) {
				if err != nil {
					slow <- err
					return
				}
				if first {
					close(seen)
					<-release
					first = false
				}
			}
		}()
		<-seen
		for i := range 50 {
			require.NoError(t, setNumber(p.dev, fmt.Sprint(i)))
			f.next("the value", version(p.dev.MDIB().Version().MdibVersion))
		}
		close(release)
		err := <-slow
		require.True(t, errors.Is(err, consumer.ErrSlowReader), "%v", err)
	})
}

func TestConsumersOfAPriorityGroupWaitTheirTurn(t *testing.T) {
	// covers: GLUE R0076, SDPi R0002, SDPi R0003, SDPi R0004
	wait := func(group discovery.PriorityGroup) (d time.Duration) {
		inBubble(t, setup{consumer: func(c *consumer.Config) { c.Priority = group }}, func(t *testing.T, p *pair) {
			begin := time.Now()
			_, err := p.consumer.ConnectDiscovered(t.Context(), p.endpoint())
			require.NoError(t, err)
			d = time.Since(begin)
		})
		return d
	}
	require.Less(t, wait(0), time.Second, "nobody who did not choose has to wait")
	require.Less(t, wait(0), wait(5))
	require.Less(t, wait(5), wait(9))
	_, err := consumer.New(t.Context(), consumer.Config{Insecure: true, Priority: 10})
	require.ErrorContains(t, err, "10")
}

func TestSlowApplicationDoesNotDelayTheAnswerToADevice(t *testing.T) {
	// covers: EVT-5
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		d := p.connect(t)
		go func() {
			for _, err := range d.Updates(t.Context()) {
				if err != nil {
					return
				}
				<-t.Context().Done() // never comes back for the next one
			}
		}()
		begin := time.Now()
		for i := range 100 {
			require.NoError(t, setNumber(p.dev, fmt.Sprint(i)))
		}
		f := follow(t, d)
		defer f.stop()
		f.next("the last value", version(p.dev.MDIB().Version().MdibVersion))
		require.Less(t, time.Since(begin), time.Second)
	})
}

// A device that refuses a subscription as a whole for the one action it does not have is subscribed to without that.
func TestConnectToADeviceWithoutObservedValueStream(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, ln)
		defer f.serve(t, ln)()
		var filters []string
		f.fault = func(body []byte) string {
			_, filter, found := strings.Cut(string(body), "<wse:Filter")
			if !found {
				return ""
			}
			if strings.Contains(filter, sdc.ActionEpisodicMetricReport) {
				filters = append(filters, filter)
			}
			if strings.Contains(filter, sdc.ActionObservedValueStream) {
				return "ObservedValueStream is not in offered subscriptions"
			}
			return ""
		}
		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.NoError(t, err)
		require.Len(t, filters, 2)
		require.Contains(t, filters[0], sdc.ActionObservedValueStream)
		require.NotContains(t, filters[1], sdc.ActionObservedValueStream)
		require.Equal(t, consumer.Live, d.Link().State)
	})
}

// Any other refusal ends the attempt, after one more that is without that action.
func TestConnectToADeviceThatRefusesSubscriptions(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, ln)
		defer f.serve(t, ln)()
		asked := 0
		f.fault = func(body []byte) string {
			if !strings.Contains(string(body), "<wse:Filter") || !strings.Contains(string(body), sdc.ActionEpisodicMetricReport) {
				return ""
			}
			asked++
			return "not for you"
		}
		_, err = p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.ErrorContains(t, err, "not for you")
		require.Equal(t, 2, asked)
	})
}
