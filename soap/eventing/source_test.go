package eventing

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

func TestDelivery(t *testing.T) {
	// covers: SDPi R1003, SDPi R7001, SDPi R7003, MDPWS R0006
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		m1 := b.subscribeTo("/StateEvent", k, "one", time.Minute, actMetric, actAlert)
		m2 := b.subscribeTo("/StateEvent", k, "two", time.Minute, actAlert)
		require.NotEqual(t, m1.Address, m2.Address)
		require.True(t, b.source.Wants(actMetric))
		require.False(t, b.source.Wants(strings.ToLower(actMetric)))

		require.Equal(t, 1, b.source.Publish(actMetric, body("a")))
		require.Equal(t, 2, b.source.Publish(actAlert, body("b")))
		require.Equal(t, 0, b.source.Publish(actOp, body("c")))
		require.Equal(t, 0, b.source.Publish(actMetric[:len(actMetric)-1], body("d")))
		require.Equal(t, 0, b.source.Publish(strings.ToLower(actMetric), body("e")))
		pass(time.Second)
		got := k.take("/one")
		require.Equal(t, "a b", bodies(got))
		require.Equal(t, "b", bodies(k.take("/two")))
		m := got[0]
		require.Equal(t, actMetric, m.action)
		require.Equal(t, k.url+"/one", m.to)
		require.True(t, strings.HasPrefix(m.id, "urn:uuid:"))
		require.NotEqual(t, m.id, got[1].id)
		require.Equal(t, soap.ContentType, m.header.Get("Content-Type"))
		require.Equal(t, "HTTP/1.1", m.proto)
		require.NotContains(t, m.header, "Accept-Encoding")
		require.Equal(t, int64(len(m.doc)), m.length)
		require.Equal(t, SourceStats{Subscriptions: 2, Consumers: 1, Granted: 2, Delivered: 3}, b.source.Stats())
	})
}

// TestReferenceParameters: those of NotifyTo and EndTo come back as header blocks.
func TestReferenceParameters(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		epr := func(path, value string) string {
			return `<wsa:Address>` + k.url + path + `</wsa:Address><wsa:ReferenceParameters><my:Id xmlns:my="urn:my">` + value + `</my:Id></wsa:ReferenceParameters>`
		}
		_, err := b.client.Call(b.ctx, soap.NewEndpoint(b.url+"/StateEvent"), ActionSubscribe, soap.RawBody(
			`<wse:Subscribe xmlns:wse="`+xmlscan.NsEventing+`"><wse:EndTo>`+epr("/e", "7")+`</wse:EndTo><wse:Delivery><wse:NotifyTo>`+
				epr("/n", "8")+`</wse:NotifyTo></wse:Delivery><wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter></wse:Subscribe>`))
		require.NoError(t, err)
		b.source.Publish(actMetric, body(1))
		b.closeSource()
		got := k.take("")
		require.Len(t, got, 2)
		for i, want := range []string{"8", "7"} {
			env, err := soap.Parse([]byte(got[i].doc), xmlscan.Limits{})
			require.NoError(t, err)
			block, ok := env.Header.Block(xmlscan.Name{Space: "urn:my", Local: "Id"})
			require.True(t, ok)
			s := block.Scanner()
			require.NoError(t, s.Root())
			flag, _ := s.Attr(xmlscan.NsAddressing, "IsReferenceParameter")
			require.Equal(t, "true", flag)
			text, err := s.Text()
			require.NoError(t, err)
			require.Equal(t, want, text)
		}
	})
}

func TestExpiration(t *testing.T) {
	// covers: EVT-2, SDPi R7004, SDPi R7005
	inBubble(t, SourceConfig{MaxExpires: 15 * time.Second}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		long := b.subscribeTo("/StateEvent", k, "long", time.Hour, actMetric)
		short := b.subscribeTo("/StateEvent", k, "short", 5*time.Second, actMetric)
		d, err := b.status(long)
		require.NoError(t, err)
		require.Regexp(t, `^PT14\.99\d*S$`, d)

		pass(4 * time.Second)
		d, err = b.renew(short, 6*time.Second)
		require.NoError(t, err)
		require.Equal(t, "PT6S", d)
		d, err = b.renew(long, 24*time.Hour)
		require.NoError(t, err)
		require.Equal(t, "PT15S", d)

		pass(5 * time.Second) // the first five of short are over, not the second six
		require.Equal(t, 2, b.source.Publish(actMetric, body(1)))
		pass(1100 * time.Millisecond)
		require.Equal(t, 1, b.source.Publish(actMetric, body(2)))
		pass(time.Second)
		require.Equal(t, "1 2", bodies(k.take("/long")))
		require.Equal(t, "1", bodies(k.take("/short")))
		require.Empty(t, k.take(""), "expired silently")
		require.Equal(t, uint64(1), b.source.Stats().Expired)

		var f *soap.Fault
		_, err = b.renew(short, time.Second)
		require.ErrorAs(t, err, &f)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "UnableToRenew"))
		_, err = b.status(short)
		require.ErrorAs(t, err, &f)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "InvalidMessage"))
		require.Error(t, b.unsubscribe(short))

		require.NoError(t, b.unsubscribe(long))
		require.Error(t, b.unsubscribe(long))
		require.Equal(t, 0, b.source.Publish(actMetric, body(3)))
		pass(time.Second)
		require.Empty(t, k.take(""), "no message ends what was unsubscribed")
		require.Equal(t, SourceStats{Granted: 2, Expired: 1, Unsubscribed: 1, Delivered: 3}, b.source.Stats())
		require.Zero(t, k.mem.Stats().Open, "nobody needs the connection")
	})
}

// TestSlowConsumer: a consumer that does not answer loses what it cannot take; others do not notice.
func TestSlowConsumer(t *testing.T) {
	// covers: SDPi R1001, SDPi R1004, SDPi R1014, GLUE R0036_0
	inBubble(t, SourceConfig{MaxQueue: 20}, func(t *testing.T, b *bench) {
		good, stalled := b.listener(consumerIP), b.listener(consumerIP)
		stalled.answer = func(m message, w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(m.path, "_e") {
				<-r.Context().Done()
			}
		}
		b.subscribeTo("/StateEvent", good, "good", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", stalled, "stalled", time.Minute, actMetric)
		start := time.Now()
		var want []string
		for i := range 50 {
			b.source.Publish(actMetric, body(i))
			want = append(want, fmt.Sprint(i))
			pass(10 * time.Millisecond)
		}
		require.Equal(t, 500*time.Millisecond, time.Since(start), "Publish does not wait")
		got := good.take("/good")
		require.Equal(t, strings.Join(want, " "), bodies(got))
		for i, m := range got {
			require.Less(t, m.at.Sub(start), time.Duration(i)*10*time.Millisecond+5*time.Millisecond)
		}
		// 1 under way and 20 waiting; the next one ended it, and its sink was told at once
		ends := stalled.take("/stalled_e")
		require.Len(t, ends, 1)
		require.Contains(t, ends[0].body, string(StatusDeliveryFailure))
		require.Less(t, ends[0].at.Sub(start), 300*time.Millisecond)
		require.Len(t, stalled.take("/stalled"), 1)
		st := b.source.Stats()
		require.Equal(t, 1, st.Subscriptions)
		require.Equal(t, uint64(1), st.Overflowed)
		require.Equal(t, 1, good.mem.Stats().Accepted)
		require.Equal(t, 1, good.mem.Stats().Peak)
		require.Equal(t, 1, stalled.mem.Stats().Peak)
	})
}

func TestQueueBytes(t *testing.T) {
	inBubble(t, SourceConfig{MaxQueueBytes: 1000}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		k.answer = func(_ message, w http.ResponseWriter, _ *http.Request) { pass(time.Second) }
		b.subscribeTo("/StateEvent", k, "s", time.Minute, actMetric)
		big := body(strings.Repeat("x", 2000))
		require.Equal(t, 1, b.source.Publish(actMetric, big), "an empty queue takes any message")
		synctest.Wait()
		pass(100 * time.Millisecond) // under way
		require.Equal(t, 1, b.source.Publish(actMetric, body(strings.Repeat("x", 900))))
		st := b.source.Subscriptions()
		require.Equal(t, 1, st[0].Queued)
		require.Equal(t, 907, st[0].Bytes)
		require.Equal(t, 0, b.source.Publish(actMetric, body(strings.Repeat("x", 900))))
		require.Equal(t, uint64(1), b.source.Stats().Overflowed)
	})
}

// TestDeadSubscription: of two subscriptions of a consumer one is refused; it alone ends.
func TestDeadSubscription(t *testing.T) {
	// covers: GLUE R0036_0
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"fault": func(w http.ResponseWriter, _ *http.Request) {
			f := soap.Receiver("no")
			w.Header().Set("Content-Type", soap.ContentType)
			_, _ = w.Write(soap.AppendEnvelope(nil, f.Header(""), f)) // with 200, as some peers do
		},
		"time-out": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, SourceConfig{NotifyTimeout: 4 * time.Second}, func(t *testing.T, b *bench) {
				k := b.listener(consumerIP)
				k.answer = func(m message, w http.ResponseWriter, r *http.Request) {
					if m.path == "/bad" {
						answer(w, r)
					}
				}
				bad := b.subscribeTo("/StateEvent", k, "bad", time.Minute, actMetric)
				good := b.subscribeTo("/StateEvent", k, "good", time.Minute, actMetric)
				start := time.Now()
				for i := range 3 {
					require.Equal(t, 2, b.source.Publish(actMetric, body(i)))
				}
				pass(5 * time.Second)
				require.Equal(t, "0 1 2", bodies(k.take("/good")))
				require.Equal(t, "0", bodies(k.take("/bad")))
				ends := k.take("/bad_e")
				require.Len(t, ends, 1)
				require.Less(t, ends[0].at.Sub(start), 5*time.Second)
				require.Equal(t, ActionSubscriptionEnd, ends[0].action)
				require.Contains(t, ends[0].body, `<wse:Status>http://schemas.xmlsoap.org/ws/2004/08/eventing/DeliveryFailure</wse:Status>`)
				require.Contains(t, ends[0].body, bad.Address)
				require.Empty(t, k.take(""))
				_, err := b.status(good)
				require.NoError(t, err)
				_, err = b.status(bad)
				require.Error(t, err)
				require.Equal(t, 1, k.mem.Stats().Peak)
				require.Equal(t, uint64(1), b.source.Stats().Failed)
				require.Equal(t, uint64(3), b.source.Stats().Dropped)
			})
		})
	}
}

// TestDeadConsumer: nobody listens any more; the subscription ends and no goroutine stays.
func TestDeadConsumer(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		b.subscribeTo("/StateEvent", k, "s", time.Minute, actMetric)
		b.source.Publish(actMetric, body(1))
		pass(time.Second)
		require.NoError(t, k.mem.Close())
		b.net.Cut(providerIP, consumerIP)
		b.source.Publish(actMetric, body(2))
		pass(time.Second)
		st := b.source.Stats()
		require.Zero(t, st.Subscriptions)
		require.Zero(t, st.Consumers)
		require.Equal(t, uint64(1), st.Failed)
		require.Equal(t, "1", bodies(k.take("")))
	})
}

// TestPartition: a consumer that vanished from the network costs its own subscriptions only.
func TestPartition(t *testing.T) {
	inBubble(t, SourceConfig{AllowTarget: AnyTarget}, func(t *testing.T, b *bench) {
		gone, here := b.listener("10.0.0.3"), b.listener(consumerIP)
		b.subscribeTo("/StateEvent", gone, "s", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", here, "s", time.Minute, actMetric)
		b.net.Partition(providerIP, "10.0.0.3")
		for i := range 10 {
			b.source.Publish(actMetric, body(i))
			pass(time.Second)
		}
		require.Len(t, here.take(""), 10)
		st := b.source.Stats()
		require.Equal(t, 1, st.Subscriptions)
		require.Equal(t, uint64(1), st.Failed)
		b.net.Heal(providerIP, "10.0.0.3")
		pass(10 * time.Second)
		require.Equal(t, 1, b.source.Stats().Consumers)
	})
}

// TestConnectionCount: bursts over several subscriptions and services, time-outs and reconnects
// never make a second connection to a consumer, nor a second message under way.
func TestConnectionCount(t *testing.T) {
	// covers: SDPi R1001, SDPi R1014
	inBubble(t, SourceConfig{NotifyTimeout: time.Second, MaxExpires: time.Hour}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		var hang atomic.Int32
		k.answer = func(m message, w http.ResponseWriter, r *http.Request) {
			switch {
			case m.action == ActionSubscriptionEnd:
			case hang.Add(-1) >= 0:
				<-r.Context().Done()
			default:
				pass(time.Millisecond)
				_, _ = fmt.Fprint(w, "") // 200 without body
			}
		}
		for round := range 5 {
			for i := range 4 {
				path := fmt.Sprintf("s%d_%d", round, i)
				b.subscribeTo("/StateEvent", k, path, time.Hour, actMetric, actAlert)
				b.subscribeTo("/Set", k, path+"op", time.Hour, actOp)
			}
			hang.Store(int32(round % 3))
			for i := range 20 {
				b.source.Publish(actMetric, body(i))
				b.source.Publish(actOp, body(i))
				if i == 10 && round == 3 {
					b.net.Cut(providerIP, consumerIP)
				}
			}
			pass(time.Minute)
		}
		st := k.mem.Stats()
		require.Equal(t, 1, st.Peak)
		require.Greater(t, st.Accepted, 1, "there were reconnects")
		require.Equal(t, 1, k.max)
		require.Zero(t, b.source.Subscriptions()[0].Queued)
		require.Equal(t, 1, b.source.Stats().Consumers)
	})
}

// TestOrder: subscriptions of one consumer see notifications in the order of Publish, across services.
func TestOrder(t *testing.T) {
	// covers: SDPi R1004
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		b.subscribeTo("/StateEvent", k, "state", time.Minute, actMetric, actAlert)
		b.subscribeTo("/Set", k, "op", time.Minute, actOp, actMetric) // has no metric reports
		var want []string
		for i := range 300 {
			b.source.Publish([]string{actMetric, actOp, actAlert}[i%3], body(i))
			want = append(want, fmt.Sprint(i))
		}
		pass(10 * time.Second)
		require.Equal(t, strings.Join(want, " "), bodies(k.take("")))
		require.Equal(t, 1, k.mem.Stats().Accepted)
	})
}

// TestReportSequence: numbers start at 1 and move by one only after a confirmed delivery.
func TestReportSequence(t *testing.T) {
	// covers: SDPi R0800, SDPi R0801, SDPi R0802, SDPi R1030
	inBubble(t, SourceConfig{NumberHeader: numberHeader}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		var answers []func(w http.ResponseWriter)
		k.answer = func(_ message, w http.ResponseWriter, _ *http.Request) {
			if len(answers) > 0 {
				next := answers[0]
				answers = answers[1:]
				next(w)
			}
		}
		busy := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
		cut := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
		ok := func(http.ResponseWriter) {}
		b.subscribeTo("/StateEvent", k, "s", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", k, "other", time.Minute, actAlert)
		answers = append(answers, ok, busy, ok, cut, ok, ok)
		for _, text := range []string{"a", "b", "c", "d"} {
			b.source.Publish(actMetric, body(text))
		}
		pass(3 * time.Second)
		b.source.Publish(actAlert, body("e"))
		pass(time.Second)
		got := k.take("/s")
		require.Equal(t, "a b b c c d", bodies(got))
		var numbers []string
		for _, m := range got {
			numbers = append(numbers, m.number)
		}
		require.Equal(t, "1 2 2 3 3 4", strings.Join(numbers, " "))
		require.Equal(t, got[1].doc, got[2].doc)
		require.Equal(t, got[3].doc, got[4].doc)
		other := k.take("/other")
		require.Equal(t, "1", other[0].number, "every subscription counts for itself")
		require.Equal(t, 1, k.mem.Stats().Peak)

		// without numbers nobody could tell a repetition: a broken connection is a failure
		require.Equal(t, uint64(0), b.source.Stats().Failed)
	})
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		k.answer = func(m message, _ http.ResponseWriter, _ *http.Request) {
			if m.path == "/s" {
				panic(http.ErrAbortHandler)
			}
		}
		b.subscribeTo("/StateEvent", k, "s", time.Minute, actMetric)
		b.source.Publish(actMetric, body("a"))
		pass(3 * time.Second)
		require.Equal(t, "a", bodies(k.take("/s")))
		require.Len(t, k.take("/s_e"), 1)
	})
}

func TestShutdown(t *testing.T) {
	// covers: EVT-3
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, slow := b.listener(consumerIP), b.listener(consumerIP)
		slow.answer = func(message, http.ResponseWriter, *http.Request) { pass(time.Second) }
		m := b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", k, "b", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", slow, "c", time.Minute, actMetric)
		for i := range 3 {
			b.source.Publish(actMetric, body(i))
		}
		start := time.Now()
		b.closeSource()
		require.Less(t, time.Since(start), 5*time.Second)
		require.Equal(t, "0 1 2", bodies(k.take("/a")), "what waits is delivered")
		require.Equal(t, "0 1 2", bodies(k.take("/b")))
		require.Equal(t, "0 1 2", bodies(slow.take("/c")))
		for _, end := range []message{k.take("/a_e")[0], k.take("/b_e")[0], slow.take("/c_e")[0]} {
			require.Equal(t, ActionSubscriptionEnd, end.action)
			require.Contains(t, end.body, `<wse:Status>http://schemas.xmlsoap.org/ws/2004/08/eventing/SourceShuttingDown</wse:Status>`)
		}
		require.Empty(t, k.take(""))
		require.Equal(t, 0, b.source.Publish(actMetric, body(9)))
		_, err := b.status(m)
		require.Error(t, err)
		_, err = b.trySubscribe("/StateEvent", k, "late", time.Minute, actMetric)
		var f *soap.Fault
		require.ErrorAs(t, err, &f)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "EventSourceUnableToProcess"))
		require.NoError(t, b.source.Close(b.ctx), "closing twice is fine")
		synctest.Wait()
		require.Zero(t, k.mem.Stats().Open)
		require.Zero(t, slow.mem.Stats().Open)
	})
}

// TestEndOvertakes: a subscriber hears of the end before the backlog of his other subscriptions.
func TestEndOvertakes(t *testing.T) {
	// covers: GLUE R0036_0
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		k.answer = func(m message, w http.ResponseWriter, _ *http.Request) {
			if m.path == "/bad" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			pass(time.Second)
		}
		b.subscribeTo("/StateEvent", k, "good", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", k, "bad", time.Minute, actAlert)
		start := time.Now()
		b.source.Publish(actAlert, body("x"))
		for i := range 20 {
			b.source.Publish(actMetric, body(i))
		}
		pass(30 * time.Second)
		end := k.take("/bad_e")
		require.Len(t, end, 1)
		require.Less(t, end[0].at.Sub(start), 2*time.Second)
		require.Len(t, k.take("/good"), 20)
	})
}

// TestNothingAfterShutdown: a Publish that overlaps Close queues nothing behind the end.
func TestNothingAfterShutdown(t *testing.T) {
	// covers: EVT-3
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		k.answer = func(message, http.ResponseWriter, *http.Request) { pass(time.Second) }
		b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		b.source.Publish(actMetric, body(1))
		old := b.source.index.Load()
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			b.closeSource()
		}()
		synctest.Wait()
		require.Equal(t, gone, old.byAction[actMetric][0].enqueue(job{sub: old.byAction[actMetric][0], action: actMetric, body: body(2)}, b.source.now()))
		<-closed
		got := k.take("")
		require.Len(t, got, 2)
		require.Equal(t, ActionSubscriptionEnd, got[1].action)
	})
}

func TestShutdownDeadline(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k, good := b.listener(consumerIP), b.listener(consumerIP)
		k.answer = func(_ message, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", good, "b", time.Minute, actMetric)
		b.source.Publish(actMetric, body(1))
		start := time.Now()
		ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		defer cancel()
		require.ErrorIs(t, b.source.Close(ctx), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Len(t, good.take("/b_e"), 1, "others are told in time")
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		require.False(t, b.source.Cancel("nobody", ""))
		require.True(t, b.source.Cancel(b.source.Subscriptions()[0].ID, "maintenance & more"))
		pass(time.Second)
		end := k.take("/a_e")[0]
		require.Contains(t, end.body, string(StatusSourceCancelling))
		require.Contains(t, end.body, "maintenance &amp; more")
		require.Equal(t, uint64(1), b.source.Stats().Cancelled)
	})
}

func TestLimits(t *testing.T) {
	inBubble(t, SourceConfig{MaxSubscriptions: 3, MaxPerPeer: 2}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		first := b.subscribeTo("/StateEvent", k, "a", time.Minute, actMetric)
		b.subscribeTo("/StateEvent", k, "b", time.Minute, actMetric)
		_, err := b.trySubscribe("/StateEvent", k, "c", time.Minute, actMetric)
		var f *soap.Fault
		require.ErrorAs(t, err, &f)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "EventSourceUnableToProcess"))
		require.NoError(t, b.unsubscribe(first))
		b.subscribeTo("/StateEvent", k, "c", time.Minute, actMetric)

		// another peer has room for one more
		other, err := soap.NewClient(soap.ClientConfig{Insecure: true, Dial: b.net.Host("10.0.0.3").Dial})
		require.NoError(t, err)
		defer other.Close()
		b.client.Close()
		b.client = other
		k3 := b.listener("10.0.0.3")
		b.subscribeTo("/StateEvent", k3, "a", time.Minute, actMetric)
		_, err = b.trySubscribe("/StateEvent", k3, "b", time.Minute, actMetric)
		require.ErrorAs(t, err, &f)
		require.Equal(t, 3, b.source.Stats().Subscriptions)
	})
}

func TestSubscribeWhileConsumerEnds(t *testing.T) {
	// A subscription that comes while the last one of the consumer goes does not open a second connection.
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		for i := range 50 {
			m := b.subscribeTo("/StateEvent", k, "s", time.Minute, actMetric)
			b.source.Publish(actMetric, body(i))
			if i%2 == 0 {
				pass(time.Duration(i) * 100 * time.Microsecond)
			}
			require.NoError(t, b.unsubscribe(m))
		}
		pass(time.Second)
		require.Equal(t, 1, k.mem.Stats().Peak)
		require.Zero(t, b.source.Stats().Consumers)
		require.Zero(t, k.mem.Stats().Open)
	})
}
