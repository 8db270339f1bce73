package proxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

// Devices and clients that use a proxy need no multicast.
//
// covers: SDPi R1021, SDPi R1023, SDPi R7008, SDPi R7009
func TestManagedDiscovery(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		ear := w.ear()
		p, _ := w.proxy(Config{Quiet: true})
		c := w.client(consumerIP, discovery.ManagedConfig{URL: proxyURL})
		d := w.watch(c)
		pass(time.Second)
		require.Empty(t, d.told())
		require.Equal(t, 1, p.Stats().Events.Subscriptions)

		target, stop := w.device(deviceIP, epr(1), discovery.ManagedConfig{URL: proxyURL})
		pass(time.Second)
		require.Equal(t, "found", d.told())
		_, stopOther := w.device(otherIP, epr(2), discovery.ManagedConfig{URL: proxyURL})
		pass(time.Second)
		require.Equal(t, "found", d.told())
		require.NoError(t, target.SetScopes([]string{sdc.PKPScope(sdc.OIDProvider), "a:b"}))
		pass(time.Second)
		require.Equal(t, "changed", d.told())

		found, err := c.Probe(t.Context(), discovery.Filter{Scopes: []string{"a:b"}}, 0)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.True(t, found[0].Equal(target.Endpoint()))
		one, err := c.Resolve(t.Context(), epr(2))
		require.NoError(t, err)
		require.Equal(t, epr(2), one.EPR)
		_, err = c.Resolve(t.Context(), epr(3))
		require.ErrorIs(t, err, discovery.ErrNoAnswer)

		// A late Watch is told of what is there; an hour of repeated Hellos and checks is no news.
		late := w.watch(c)
		pass(time.Second)
		require.Equal(t, "found found", late.told())
		d.told() // alive
		pass(time.Hour)
		require.Empty(t, d.told())

		stop()
		pass(time.Second)
		require.Equal(t, "gone", d.told())
		stopOther()
		pass(time.Second)
		require.Equal(t, "gone", d.told())
		require.Zero(t, ear.heard(""), "something was multicast")
		require.Equal(t, uint64(2), p.Stats().Byes)
		require.Zero(t, p.Stats().Died)
	})
}

// Without a proxy discovery is ad hoc; when it comes, it is used.
//
// covers: SDPi R1022, SDPi R1024
func TestFallback(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		ear := w.ear()
		c := w.client(consumerIP, discovery.ManagedConfig{URL: proxyURL})
		d := w.watch(c)
		pass(time.Second)
		_, stop := w.device(deviceIP, epr(1), discovery.ManagedConfig{URL: proxyURL})
		pass(time.Second)
		require.Equal(t, "found", d.told())
		require.NotZero(t, ear.heard("Hello", epr(1)))

		p, stopProxy := w.proxy(Config{Quiet: true})
		pass(2 * time.Minute) // the longest pause between attempts, and some
		require.Equal(t, 1, p.Stats().Entries)
		require.Equal(t, 1, p.Stats().Events.Subscriptions)
		before := ear.heard("Hello", epr(1))
		pass(10 * time.Minute)
		require.Equal(t, before, ear.heard("Hello", epr(1)), "multicast though there is a proxy")
		require.NotContains(t, d.told(), "gone")

		// A forged Bye of the group is not believed in managed mode.
		forger, _ := w.device(otherIP, epr(1), discovery.ManagedConfig{})
		_ = forger
		pass(time.Second)
		require.Empty(t, d.told())

		stopProxy()
		pass(3 * time.Minute)
		require.Greater(t, ear.heard("Hello", epr(1)), before)
		require.NotContains(t, d.told(), "gone")
		found, err := c.Probe(t.Context(), discovery.Filter{}, 3*time.Second)
		require.NoError(t, err)
		require.NotEmpty(t, found)

		// Back again, without what it knew. Nobody is reported gone who is there.
		p, _ = w.proxy(Config{Quiet: true})
		pass(10 * time.Minute)
		require.Equal(t, 1, p.Stats().Entries)
		require.NotContains(t, d.told(), "gone")
		stop()
		pass(time.Second)
		require.Contains(t, d.told(), "gone")
	})
}

// A device that was switched off while the proxy was away is found gone once the others have had the time to register anew.
func TestGoneWhileAway(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		_, stopProxy := w.proxy(Config{Quiet: true})
		d := w.watch(w.client(consumerIP, discovery.ManagedConfig{URL: proxyURL}))
		pass(time.Second)
		w.device(deviceIP, epr(1), discovery.ManagedConfig{URL: proxyURL})
		w.device(otherIP, epr(2), discovery.ManagedConfig{URL: proxyURL})
		pass(time.Second)
		require.Equal(t, "found found", d.told())
		stopProxy()
		for _, ip := range []string{proxyIP, consumerIP} {
			w.net.Partition(otherIP, ip)
		}
		pass(time.Minute)
		w.proxy(Config{Quiet: true})
		pass(10 * time.Minute)
		told := d.told()
		require.Contains(t, told, "gone")
		require.NotContains(t, told, "gone gone")
	})
}

// A device that dies without a word is noticed, and subscribers are told.
//
// covers: SDPi R1025, SDPi R7006
func TestLiveness(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		p, _ := w.proxy(Config{Quiet: true, CheckEvery: 30 * time.Second})
		d := w.watch(w.client(consumerIP, discovery.ManagedConfig{URL: proxyURL}))
		pass(time.Second)
		w.device(deviceIP, epr(1), discovery.ManagedConfig{URL: proxyURL})
		pass(5 * time.Minute)
		require.Equal(t, "found", d.told())
		require.GreaterOrEqual(t, p.Stats().Checks, uint64(6))
		w.net.Partition(proxyIP, deviceIP)
		pass(55 * time.Second) // at most 37.5 s until the check, which takes twice 5 s
		require.Equal(t, "gone", d.told())
		require.Equal(t, uint64(1), p.Stats().Died)

		// When it is back, its next Hello brings it back.
		w.net.Heal(proxyIP, deviceIP)
		pass(4 * time.Minute)
		require.Equal(t, "found", d.told())

		// One that has told no address is asked nothing, and believed for as long as it says Hello.
		say(t, w, otherIP, discovery.ActionHello, discovery.HelloBody(discovery.Endpoint{EPR: epr(7), Types: discovery.DeviceTypes()}))
		pass(4 * time.Minute)
		require.Equal(t, 2, p.Stats().Entries)
		pass(2 * time.Minute)
		require.Equal(t, 1, p.Stats().Entries)
	})
}

func say(t *testing.T, w *ward, ip, action string, body soap.Body) {
	t.Helper()
	require.NoError(t, trySay(w, ip, action, body))
}

func trySay(w *ward, ip, action string, body soap.Body) error {
	h := &soap.Header{To: discovery.To, Action: action, MessageID: soap.NewMessageID()}
	return w.http(ip).Send(w.t.Context(), proxyURL, soap.AppendEnvelope(nil, h, body))
}

// A participant that is told no URL learns of a proxy from its Hello, or by asking for one.
//
// covers: SDPi R7007
func TestLearning(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		ear := w.ear()
		modes := make(chan string, 100)
		_, _ = w.device(deviceIP, epr(1), discovery.ManagedConfig{Learn: true, Changed: func(u string, _ error) { modes <- u }})
		pass(time.Second)
		require.Empty(t, <-modes)
		p, stop := w.proxy(Config{})
		pass(10 * time.Second)
		require.Equal(t, proxyURL, <-modes)
		require.Equal(t, 1, p.Stats().Entries)
		require.NotZero(t, ear.heard("Hello", "DiscoveryProxy", discovery.NamespaceProxy, proxyURL))

		// A client that comes later asks.
		d := w.watch(w.client(consumerIP, discovery.ManagedConfig{Learn: true}))
		pass(10 * time.Second)
		require.Equal(t, 1, p.Stats().Events.Subscriptions)
		require.Contains(t, d.told(), "found")
		stop()
		pass(3 * time.Minute)
		require.Empty(t, <-modes)
	})
}

// covers: SDPi R7008
func TestFilterDialect(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		w := newWard(t)
		p, _ := w.proxy(Config{Quiet: true})
		subscribe := func(filter string) error {
			const ns = `xmlns:wse="` + xmlscan.NsEventing + `" xmlns:wsa="` + xmlscan.NsAddressing + `"`
			_, err := w.http(consumerIP).Call(t.Context(), soap.NewEndpoint(proxyURL), eventing.ActionSubscribe, soap.RawBody(
				`<wse:Subscribe `+ns+`><wse:Delivery><wse:NotifyTo><wsa:Address>http://`+consumerIP+`:1/x</wsa:Address></wse:NotifyTo></wse:Delivery>`+filter+`</wse:Subscribe>`))
			return err
		}
		dialect := func(d, content string) string {
			return `<wse:Filter Dialect="` + d + `">` + content + `</wse:Filter>`
		}
		for filter, subcode := range map[string]string{
			dialect(eventing.DialectAction, discovery.ActionHello): "FilteringRequestedUnavailable",
			dialect("http://discoproxy", ""):                       "FilteringRequestedUnavailable",
			"":                                                     "EventSourceUnableToProcess",
		} {
			var f *soap.Fault
			require.ErrorAs(t, subscribe(filter), &f, filter)
			require.True(t, f.HasSubcode(xmlscan.NsEventing, subcode), "%v", f)
		}
		require.NoError(t, subscribe(dialect(discovery.DialectProxy, "")))
		require.NoError(t, subscribe(dialect(discovery.DialectProxy, discovery.ActionBye)))
		require.Equal(t, 2, p.Stats().Events.Subscriptions)
	})
}
