package eventing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// inbox collects what a subscription is notified of.
type inbox struct {
	mu  sync.Mutex
	got []string // "action-suffix body"
}

func (i *inbox) notify(_ context.Context, r *soap.Request) error {
	text, err := r.Body().Text()
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, r.Header.Action[strings.LastIndexByte(r.Header.Action, '/')+1:]+" "+text)
	return nil
}

func (i *inbox) take() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.got
	i.got = nil
	return got
}

func closeSink(t *testing.T, k *Sink) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	require.NoError(t, k.Close(ctx))
}

func TestSinkAndSource(t *testing.T) {
	// covers: EVT-4, EVT-6, SDPi R7001, SDPi R7003
	inBubble(t, SourceConfig{MaxExpires: 15 * time.Second}, func(t *testing.T, b *bench) {
		k, l := b.sink()
		defer closeSink(t, k)
		var one, two inbox
		s1, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric, actAlert}, Notify: one.notify})
		require.NoError(t, err)
		s2, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/Set"), Actions: []string{actOp}, Expires: 10 * time.Second, Notify: two.notify})
		require.NoError(t, err)
		require.Equal(t, 15*time.Second, s1.Granted())
		require.Equal(t, 10*time.Second, s2.Granted())
		stats := b.source.Subscriptions()
		require.NotEqual(t, stats[0].NotifyTo, stats[1].NotifyTo)
		require.NotEqual(t, stats[0].NotifyTo, stats[0].EndTo)

		// ten minutes go by; the subscriptions renew themselves at half time
		for i := range 600 {
			require.Equal(t, 1, b.source.Publish(actMetric, body(i)))
			require.Equal(t, 1, b.source.Publish(actOp, body(i)))
			pass(time.Second)
			require.Greater(t, time.Until(s1.Expires()), 7400*time.Millisecond)
			require.Greater(t, time.Until(s2.Expires()), 4900*time.Millisecond)
		}
		got := one.take()
		require.Len(t, got, 600)
		for i, text := range got {
			require.Equal(t, fmt.Sprintf("EpisodicMetricReport %d", i), text)
		}
		require.Len(t, two.take(), 600)
		require.Equal(t, 1, l.Stats().Peak)

		left, err := s1.GetStatus(b.ctx)
		require.NoError(t, err)
		require.InDelta(t, time.Until(s1.Expires()).Seconds(), left.Seconds(), 0.01)
		granted, err := s1.Renew(b.ctx, 3*time.Second)
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, granted)
		pass(5 * time.Second)
		require.NoError(t, s1.Err(), "the shorter grant was renewed in time")

		require.NoError(t, s1.Unsubscribe(b.ctx))
		require.ErrorIs(t, s1.Err(), ErrUnsubscribed)
		<-s1.Done()
		require.NoError(t, s1.Unsubscribe(b.ctx), "nothing to do")
		_, err = s1.GetStatus(b.ctx)
		require.ErrorIs(t, err, ErrUnsubscribed)
		require.NoError(t, s2.Err())
		require.Equal(t, 1, b.source.Stats().Subscriptions)
		require.NoError(t, k.Close(b.ctx))
		require.ErrorIs(t, s2.Err(), ErrUnsubscribed)
		require.Zero(t, b.source.Stats().Subscriptions)
		require.Equal(t, uint64(2), b.source.Stats().Unsubscribed)
		require.Zero(t, b.source.Stats().Expired)
		_, err = k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/Set"), Actions: []string{actOp}, Notify: two.notify})
		require.ErrorIs(t, err, ErrSinkClosed)
	})
}

func TestSinkSeesShutdown(t *testing.T) {
	// covers: EVT-3, EVT-4, EVT-6
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		var box inbox
		a, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric}, Notify: box.notify})
		require.NoError(t, err)
		c, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actAlert}, Notify: box.notify})
		require.NoError(t, err)
		for _, st := range b.source.Subscriptions() {
			if st.Actions[0] == actAlert {
				b.source.Cancel(st.ID, "only this one")
			}
		}
		<-c.Done()
		var end *EndError
		require.ErrorAs(t, c.Err(), &end)
		require.Equal(t, EndError{Status: StatusSourceCancelling, Reason: "only this one"}, *end)
		require.NoError(t, a.Err(), "the end is matched to its subscription")
		b.source.Publish(actMetric, body(1))
		b.closeSource()
		<-a.Done()
		require.ErrorAs(t, a.Err(), &end)
		require.Equal(t, StatusSourceShuttingDown, end.Status)
		require.Equal(t, []string{"EpisodicMetricReport 1"}, box.take())
	})
}

func TestRenewFails(t *testing.T) {
	// covers: EVT-4
	inBubble(t, SourceConfig{MaxExpires: 16 * time.Second}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		subscribe := func(noRenew bool) *Subscription {
			var box inbox
			s, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric}, NoRenew: noRenew, Notify: box.notify})
			require.NoError(t, err)
			return s
		}
		// nobody renews
		start := time.Now()
		s := subscribe(true)
		<-s.Done()
		require.ErrorIs(t, s.Err(), ErrExpired)
		require.Equal(t, 16*time.Second, time.Since(start).Round(100*time.Millisecond))

		// the source does not know it any more
		pass(time.Second) // the source counts from a little later
		s = subscribe(false)
		start = time.Now()
		b.source.drop(b.source.subs[b.source.Subscriptions()[0].ID], "test")
		<-s.Done()
		var re *RenewError
		var f *soap.Fault
		require.ErrorAs(t, s.Err(), &re)
		require.ErrorAs(t, s.Err(), &f)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "UnableToRenew"))
		require.Equal(t, 8*time.Second, time.Since(start).Round(100*time.Millisecond))

		// the network is away for a while: the subscription survives
		s = subscribe(false)
		b.net.Partition(providerIP, consumerIP)
		pass(12 * time.Second)
		b.net.Heal(providerIP, consumerIP)
		pass(10 * time.Second)
		require.NoError(t, s.Err())

		// and for good: it ends when it has expired
		b.net.Partition(providerIP, consumerIP)
		left := time.Until(s.Expires())
		start = time.Now()
		<-s.Done()
		require.ErrorAs(t, s.Err(), &re)
		require.ErrorIs(t, s.Err(), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(start), left+5*time.Second)
		require.GreaterOrEqual(t, time.Since(start), left)
	})
}

// TestQuirks: a source that behaves like a known independent one.
func TestQuirks(t *testing.T) {
	// covers: EVT-6, SDPi R0800
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		var box inbox
		var m *subscribe
		post := func(url, action, body string) int {
			t.Helper()
			req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(soap.AppendEnvelope(nil,
				&soap.Header{To: url, Action: action, MessageID: soap.NewMessageID()}, soap.RawBody(body)))))
			require.NoError(t, err)
			req.Header.Set("Content-Type", soap.ContentType)
			tr := &http.Transport{DialContext: b.net.Host(providerIP).Dial}
			defer tr.CloseIdleConnections()
			res, err := tr.RoundTrip(req)
			require.NoError(t, err)
			rest, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			if res.StatusCode == http.StatusAccepted {
				require.Empty(t, rest)
			}
			return res.StatusCode
		}
		renewals, unsubscribed := 0, false
		peer := &soap.Endpoint{Actions: map[string]soap.Handler{
			ActionSubscribe: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
				var err error
				if m, err = soap.Decode(r.Envelope, wse("Subscribe"), decodeSubscribe); err != nil {
					return nil, err
				}
				// a notification overtakes the answer
				require.Equal(t, http.StatusAccepted, post(m.notifyTo.Address, actMetric, "<x>early</x>"))
				return &soap.Response{Action: ActionSubscribeResponse, Body: soap.RawBody(`<wse:SubscribeResponse xmlns:wse="` + xmlscan.NsEventing +
					`"><wse:SubscriptionManager><wsa:Address>` + b.url + `/peer/1</wsa:Address><wsa:ReferenceParameters><i xmlns="urn:i">77</i></wsa:ReferenceParameters>` +
					`</wse:SubscriptionManager><wse:Expires>PT14.03S</wse:Expires></wse:SubscribeResponse>`)}, nil
			},
			ActionRenew: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
				block, ok := r.Header.Block(xmlscan.Name{Space: "urn:i", Local: "i"})
				require.True(t, ok)
				require.Contains(t, string(block.XML), "77")
				if renewals++; renewals == 1 {
					return &soap.Response{Action: ActionRenewResponse, Body: soap.RawBody(`<wse:RenewResponse xmlns:wse="` + xmlscan.NsEventing + `"/>`)}, nil
				}
				f := soap.Receiver("unknown subscription")
				f.Status = http.StatusOK
				return nil, f
			},
			ActionUnsubscribe: func(context.Context, *soap.Request) (*soap.Response, error) {
				unsubscribed = true
				return nil, nil // 202 without an envelope
			},
		}}
		b.server.Handle("/peer", peer)
		b.server.Handle("/peer/1", peer)
		subscribe := func() *Subscription {
			s, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/peer"), Actions: []string{actMetric}, Notify: box.notify})
			require.NoError(t, err)
			return s
		}
		s := subscribe()
		require.Equal(t, []string{"EpisodicMetricReport early"}, box.take())
		require.Equal(t, 14030*time.Millisecond, s.Granted())
		pass(8 * time.Second) // renewed, without an expiration in the answer
		require.Equal(t, 1, renewals)
		require.Equal(t, 14030*time.Millisecond, s.Granted())
		<-s.Done() // fault with 200
		require.Equal(t, 2, renewals)
		var f *soap.Fault
		require.ErrorAs(t, s.Err(), &f)

		// SubscriptionEnd with a bare status and a malformed address
		s = subscribe()
		require.Equal(t, http.StatusAccepted, post(m.endTo.Address, ActionSubscriptionEnd, `<wse:SubscriptionEnd xmlns:wse="`+xmlscan.NsEventing+
			`"><wse:SubscriptionManager><wsa:Address>http:10.0.0.1:1/x</wsa:Address></wse:SubscriptionManager><wse:Status>SourceShuttingDown</wse:Status>`+
			`<wse:Reason xml:lang="en-US">Event source going off line.</wse:Reason></wse:SubscriptionEnd>`))
		<-s.Done()
		var end *EndError
		require.ErrorAs(t, s.Err(), &end)
		require.Equal(t, EndError{Status: StatusSourceShuttingDown, Reason: "Event source going off line."}, *end)
		require.Equal(t, http.StatusNotFound, post(m.notifyTo.Address, actMetric, "<x>late</x>"))
		require.Equal(t, http.StatusNotFound, post(m.endTo.Address+"x", actMetric, "<x/>"))

		s = subscribe()
		require.NoError(t, s.Unsubscribe(b.ctx))
		require.True(t, unsubscribed)
		box.take()

		// an answer nobody can use: the source is told
		unsubscribed = false
		bad := peer.Actions[ActionSubscribe]
		b.server.Handle("/bad", &soap.Endpoint{Actions: map[string]soap.Handler{
			ActionSubscribe: func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
				resp, err := bad(ctx, r)
				if err == nil {
					resp.Body = soap.RawBody(strings.Replace(string(resp.Body.AppendXML(nil)), "PT14.03S", "soon", 1))
				}
				return resp, err
			},
		}})
		_, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/bad"), Actions: []string{actMetric}, Notify: box.notify})
		require.Error(t, err)
		require.True(t, unsubscribed)
		require.Equal(t, http.StatusNotFound, post(m.notifyTo.Address, actMetric, "<x>late</x>"))
	})
}

// TestGrantsUntilAnInstant: a source that grants until an instant, by a clock that is wrong. The subscription neither runs out at the source, nor is it renewed
// without end.
func TestGrantsUntilAnInstant(t *testing.T) {
	// covers: EVT-4
	for _, c := range []struct {
		name  string
		wrong time.Duration // the clock of the source
		grant time.Duration
	}{
		{"right", 0, 15 * time.Second},
		{"an hour ahead", time.Hour, 15 * time.Second},
		{"an hour behind", -time.Hour, 15 * time.Second},
		{"a little ahead", 30 * time.Second, 15 * time.Second},
		{"a little behind", -10 * time.Second, 15 * time.Second},
		{"behind by nearly all of it", -14990 * time.Millisecond, 15 * time.Second},
		{"years ahead", 30 * 365 * 24 * time.Hour, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			renewals, failed := renewed(t, c.grant, func() string {
				return time.Now().Add(c.wrong + c.grant).UTC().Format("2006-01-02T15:04:05.000Z")
			})
			require.NoError(t, failed)
			require.Greater(t, renewals, 10)
			require.LessOrEqual(t, renewals, 240, "in two minutes")
		})
	}
}

func TestTinyGrants(t *testing.T) {
	renewals, failed := renewed(t, time.Hour, func() string { return "PT0.001S" })
	require.NoError(t, failed)
	require.LessOrEqual(t, renewals, 240, "in two minutes")
}

// renewed subscribes for two minutes at a source that forgets what is not renewed within grant, and tells of it what text says. It returns how often
// the subscription was renewed, and why it ended.
func renewed(t *testing.T, grant time.Duration, text func() string) (renewals int, ended error) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		var until time.Time
		peer := &soap.Endpoint{Actions: map[string]soap.Handler{
			ActionSubscribe: func(context.Context, *soap.Request) (*soap.Response, error) {
				until = time.Now().Add(grant)
				return &soap.Response{Action: ActionSubscribeResponse, Body: soap.RawBody(`<wse:SubscribeResponse xmlns:wse="` + xmlscan.NsEventing +
					`"><wse:SubscriptionManager><wsa:Address>` + b.url + `/peer</wsa:Address></wse:SubscriptionManager><wse:Expires>` + text() +
					`</wse:Expires></wse:SubscribeResponse>`)}, nil
			},
			ActionRenew: func(context.Context, *soap.Request) (*soap.Response, error) {
				renewals++
				if time.Now().After(until) {
					return nil, soap.Receiver("it has run out")
				}
				until = time.Now().Add(grant)
				return &soap.Response{Action: ActionRenewResponse, Body: soap.RawBody(`<wse:RenewResponse xmlns:wse="` + xmlscan.NsEventing +
					`"><wse:Expires>` + text() + `</wse:Expires></wse:RenewResponse>`)}, nil
			},
			ActionUnsubscribe: func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil },
		}}
		b.server.Handle("/peer", peer)
		var box inbox
		s, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/peer"), Actions: []string{actMetric}, Notify: box.notify})
		require.NoError(t, err)
		pass(2 * time.Minute)
		ended = s.Err()
	})
	return renewals, ended
}

// TestNotifyError: what the handler refuses is a fault, and the source ends the subscription.
func TestNotifyError(t *testing.T) {
	// covers: GLUE R0036_0
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		s, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric},
			Notify: func(_ context.Context, r *soap.Request) error { return errors.New("cannot read it") }})
		require.NoError(t, err)
		b.source.Publish(actMetric, body(1))
		<-s.Done()
		var end *EndError
		require.ErrorAs(t, s.Err(), &end)
		require.Equal(t, StatusDeliveryFailure, end.Status)
	})
}

// TestSinkOrder: a handler sees one notification at a time even when a source sends several.
func TestSinkOrder(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		var mu sync.Mutex
		now, seen := 0, 0
		_, err := k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric},
			Notify: func(context.Context, *soap.Request) error {
				mu.Lock()
				now++
				seen++
				require.Equal(t, 1, now)
				mu.Unlock()
				pass(10 * time.Millisecond)
				mu.Lock()
				now--
				mu.Unlock()
				return nil
			}})
		require.NoError(t, err)
		to := b.source.Subscriptions()[0].NotifyTo
		client, err := soap.NewClient(soap.ClientConfig{Insecure: true, MaxConnsPerHost: 5, Dial: b.net.Host(providerIP).Dial})
		require.NoError(t, err)
		defer client.Close()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				require.NoError(t, client.Send(b.ctx, to, soap.AppendEnvelope(nil, &soap.Header{Action: actMetric}, soap.RawBody("<x/>"))))
			})
		}
		wg.Wait()
		require.Equal(t, 20, seen)
	})
}

// TestSubscribeFails: what is refused leaves nothing behind.
func TestSubscribeFails(t *testing.T) {
	inBubble(t, SourceConfig{MaxSubscriptions: 1}, func(t *testing.T, b *bench) {
		k, _ := b.sink()
		defer closeSink(t, k)
		var box inbox
		req := Request{Source: soap.NewEndpoint(b.url + "/StateEvent"), Actions: []string{actMetric}, Notify: box.notify}
		_, err := k.Subscribe(b.ctx, Request{Source: req.Source, Notify: box.notify})
		require.Error(t, err)
		_, err = k.Subscribe(b.ctx, Request{Source: req.Source, Actions: req.Actions})
		require.Error(t, err)
		_, err = k.Subscribe(b.ctx, req)
		require.NoError(t, err)
		_, err = k.Subscribe(b.ctx, req)
		var f *soap.Fault
		require.ErrorAs(t, err, &f)
		_, err = k.Subscribe(b.ctx, Request{Source: soap.NewEndpoint("http://" + providerIP + ":1/"), Actions: req.Actions, Notify: box.notify})
		require.Error(t, err)
		require.Len(t, k.subs, 1)

		// closing while a source does not answer to Subscribe
		b.net.Partition(providerIP, consumerIP)
		ctx, cancel := context.WithCancel(b.ctx)
		done := make(chan error)
		go func() {
			_, err := k.Subscribe(ctx, req)
			done <- err
		}()
		synctest.Wait()
		closing, stop := context.WithTimeout(b.ctx, time.Second)
		defer stop()
		require.ErrorIs(t, k.Close(closing), context.DeadlineExceeded)
		cancel()
		require.Error(t, <-done)
		require.Empty(t, k.subs)
	})
}
