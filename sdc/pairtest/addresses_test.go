package pairtest

import (
	"bytes"
	"net"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
)

var hostedAddress = regexp.MustCompile(`(<dpws:Hosted>)(<wsa:EndpointReference><wsa:Address>http://)([^/]*)(.*?</wsa:EndpointReference>)`)

// naming makes a front name further addresses of each hosted service, before its own one.
func naming(hostPorts ...string) func([]byte) []byte {
	return func(answer []byte) []byte {
		return hostedAddress.ReplaceAllFunc(answer, func(m []byte) []byte {
			var more []byte
			for _, at := range hostPorts {
				more = hostedAddress.Expand(more, []byte("${2}"+at+"${4}"), m, hostedAddress.FindSubmatchIndex(m))
			}
			i := len("<dpws:Hosted>")
			return bytes.Join([][]byte{m[:i], more, m[i:]}, nil)
		})
	}
}

// unusedPort is an address of a host where nobody listens.
func unusedPort(t *testing.T, p *pair, ip string) string {
	t.Helper()
	ln, err := p.net.Host(ip).Listen(0)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return ln.Addr().String()
}

// works shows that requests, operations and reports reach both sides.
func works(t *testing.T, p *pair, d *consumer.Device, value string) {
	t.Helper()
	_, err := d.SetValue(t.Context(), "value.set", pm.MustDecimal(value))
	require.NoError(t, err)
	require.NoError(t, p.dev.Flush(t.Context()))
	synctest.Wait()
	require.Equal(t, consumer.Live, d.Link().State, "%v", d.Link().Cause)
	require.True(t, d.MDIB().Equal(p.dev.MDIB()))
}

// A service is used at each of its addresses that can be reached, not only at the one that its device names first.
func TestAServiceIsReachedAtItsOtherAddresses(t *testing.T) {
	inBubble(t, operating, func(t *testing.T, p *pair) {
		first, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, first)
		defer f.serve(t, first)()
		nobody := unusedPort(t, p, deviceIP)
		second, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		stop := f.serve(t, second)
		f.answer = naming(nobody, second.Addr().String())

		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.NoError(t, err)
		works(t, p, d, "1")
		require.NotZero(t, second.Stats().Accepted, "the first that can be reached is used")

		stop() // while connected
		synctest.Wait()
		works(t, p, d, "2")
	})
}

// An address that does not even refuse takes its share of the time that a request may last, and the first request only.
func TestAServiceAtAnAddressThatIsSilent(t *testing.T) {
	const silentIP = "192.0.2.9"
	with := operating
	with.consumer = func(c *consumer.Config) { c.AllowAddress = consumer.AllowHosts(silentIP) }
	inBubble(t, with, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, ln)
		defer f.serve(t, ln)()
		f.answer = naming(unusedPort(t, p, silentIP))
		p.net.Partition(silentIP, consumerIP)

		began := time.Now()
		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Since(began), "half of RequestTimeout, once")
		works(t, p, d, "1")
		require.Equal(t, 5*time.Second, time.Since(began))
	})
}

// What may have reached the device is not sent to another of its addresses: an operation would be done twice.
func TestNothingIsSentToTwoAddressesOfAService(t *testing.T) {
	inBubble(t, operating, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, ln)
		defer f.serve(t, ln)()
		second, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		operation := func(body []byte) bool {
			return bytes.Contains(body, []byte(">"+sdc.NamespaceGlue+"/SetService/SetValue<"))
		}
		taken := 0
		hangsUp := newFront(p, second)
		hangsUp.asked = func(body []byte) {
			if operation(body) {
				taken++
				panic(http.ErrAbortHandler)
			}
		}
		defer hangsUp.serve(t, second)()
		f.answer = naming(second.Addr().String())
		f.asked = func(body []byte) { require.False(t, operation(body)) }
		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.NoError(t, err)
		_, err = d.SetValue(t.Context(), "value.set", pm.MustDecimal("1"))
		require.Error(t, err)
		require.Equal(t, 1, taken)
	})
}

// An address on another host is passed over, also when no other one can be reached.
func TestAServiceIsNotLookedForElsewhere(t *testing.T) {
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		f := newFront(p, ln)
		defer f.serve(t, ln)()
		elsewhere, err := p.net.Host("192.0.2.9").Listen(0)
		require.NoError(t, err)
		defer elsewhere.Close()
		nobody, neither := unusedPort(t, p, deviceIP), unusedPort(t, p, deviceIP)
		f.answer = func(answer []byte) []byte {
			answer = naming(nobody, elsewhere.Addr().String())(answer)
			return regexp.MustCompile(`(<wsa:Address>http://)`+regexp.QuoteMeta(f.device)).ReplaceAll(answer, []byte("${1}"+neither))
		}
		_, err = p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{f.xaddr(p)}})
		require.ErrorContains(t, err, nobody)
		require.ErrorContains(t, err, neither)
		var refused *net.OpError
		require.ErrorAs(t, err, &refused)
		require.Zero(t, elsewhere.Stats().Accepted)
	})
}
