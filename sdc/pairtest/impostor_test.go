package pairtest

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/eventing"
)

const impostorIP = "192.0.2.66"

// eavesdropper learns from a device's log where its notifications go.
type eavesdropper struct {
	slog.Handler

	mu        sync.Mutex
	addresses []string
}

func (*eavesdropper) Enabled(context.Context, slog.Level) bool { return true }
func (e *eavesdropper) WithAttrs([]slog.Attr) slog.Handler     { return e }
func (e *eavesdropper) WithGroup(string) slog.Handler          { return e }
func (e *eavesdropper) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "notify" {
			e.mu.Lock()
			e.addresses = append(e.addresses, a.Value.String())
			e.mu.Unlock()
		}
		return true
	})
	return nil
}

func (e *eavesdropper) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.addresses
}

// Another device that the consumer trusts, and that knows every address and identifier, can neither report nor end a subscription in the
// name of a device.
func TestNobodyElseReportsForADevice(t *testing.T) {
	// covers: SDPi R0502, SEC-1
	for name, allowed := range map[string]bool{"by default": false, "unless it may": true} {
		t.Run(name, func(t *testing.T) {
			spy := &eavesdropper{Handler: slog.DiscardHandler}
			var peers sync.Map
			inTrust(t, pki.Request{}, pki.Request{}, setup{
				provider: func(c *provider.Config) { c.Logger = slog.New(spy) },
				consumer: func(c *consumer.Config) {
					if allowed {
						c.AllowSender = func(d *consumer.Device, sender *x509.Certificate) bool {
							peers.Store(sender.Subject.CommonName, d.EPR())
							return true
						}
					}
				},
			}, func(t *testing.T, tr *trusting) {
				require.NoError(t, setNumber(tr.dev, "1"))
				d := tr.connect(t)
				client, err := soap.NewClient(soap.ClientConfig{
					TLS:  tr.identity(t, pki.Request{Name: "other", Role: sdc.RoleProvider, Identifiers: []string{deviceURN}}).ClientTLS(sdc.RoleConsumer),
					Dial: tr.net.Host(impostorIP).Dial,
				})
				require.NoError(t, err)
				defer client.Close()
				store := mdib.NewStore(tr.dev.MDIB(), mdib.Config{})
				change, err := store.Update(func(tx *mdib.Tx) error { return tx.SetNumeric("num", pm.MustDecimal("666"), time.Now()) })
				require.NoError(t, err)
				report, ok := change.Report().(*msg.EpisodicMetricReport)
				require.True(t, ok)
				report.MdibVersionGroup = tr.dev.MDIB().Version().Group()
				report.MdibVersion++
				require.Len(t, spy.heard(), 2)
				for _, address := range spy.heard() {
					for action, body := range map[string]soap.Body{
						sdc.ActionEpisodicMetricReport: report,
						eventing.ActionSubscriptionEnd: soap.RawBody(`<wse:SubscriptionEnd xmlns:wse="` + xmlscan.NsEventing + `"><wse:Status>` +
							string(eventing.StatusSourceShuttingDown) + `</wse:Status></wse:SubscriptionEnd>`),
					} {
						if allowed && action == eventing.ActionSubscriptionEnd {
							continue
						}
						err := client.Send(t.Context(), address, soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint(address), action), body))
						if allowed {
							require.NoError(t, err)
							continue
						}
						var fault *soap.Fault
						require.ErrorAs(t, err, &fault)
						require.Equal(t, http.StatusForbidden, fault.Status)
					}
				}
				if allowed {
					require.Equal(t, "666", number(t, d.MDIB()))
					who, ok := peers.Load("other")
					require.True(t, ok)
					require.Equal(t, deviceURN, who)
					return
				}
				require.Equal(t, "1", number(t, d.MDIB()))
				pass(time.Minute)
				require.Equal(t, consumer.Live, d.Link().State)
				require.NoError(t, setNumber(tr.dev, "2"))
				pass(time.Second)
				require.Equal(t, "2", number(t, d.MDIB()), "the device itself is heard")
				require.Len(t, spy.heard(), 2, "nothing had to be made anew")
			})
		})
	}
}

// While a device is away, another trusted one that claims its EPR does not take its place; the device itself does, with a renewed certificate too.
func TestNobodyElseTakesThePlaceOfADevice(t *testing.T) {
	for name, c := range map[string]struct {
		request pki.Request
		binding consumer.Binding
		taken   bool
	}{
		"another":            {pki.Request{Name: "other"}, consumer.BindNone, false},
		"bound to itself":    {pki.Request{Name: "other", Identifiers: []string{"urn:uuid:11111111-2222-4333-8444-555555555555"}}, consumer.BindEPR, false},
		"renewed":            {pki.Request{Name: "device"}, consumer.BindNone, true},
		"renewed for others": {pki.Request{Name: "device", Identifiers: []string{"urn:uuid:11111111-2222-4333-8444-555555555555"}}, consumer.BindNone, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := new(guide)
			var pc provider.Config
			var device pki.Request
			if c.binding != consumer.BindNone {
				device.Identifiers = []string{deviceURN}
			}
			inTrust(t, device, pki.Request{}, setup{
				provider: func(c *provider.Config) { pc = *c },
				consumer: func(cc *consumer.Config) {
					cc.Binding = c.binding
					g.join(cc)
				},
			}, func(t *testing.T, tr *trusting) {
				var where atomic.Pointer[[]string]
				g.where = func() []string { return *where.Load() }
				at := tr.dev.XAddrs()
				where.Store(&at)
				d := tr.connect(t)
				tr.stop()
				elsewhere := tr.net.Host(impostorIP)
				pc.Dial = elsewhere.Dial
				pc.Listen = elsewhere.ListenAny
				c.request.Role = sdc.RoleProvider
				pc.Identity = tr.identity(t, c.request)
				tr.start(t, setup{}, pc)
				now := tr.dev.XAddrs()
				where.Store(&now)
				require.NoError(t, setNumber(tr.dev, "666"))
				if c.taken {
					pass(4 * time.Second)
					require.Equal(t, consumer.Live, d.Link().State)
					require.Equal(t, "666", number(t, d.MDIB()))
					return
				}
				select {
				case <-d.Ended():
				case <-time.After(time.Minute):
				}
				link := d.Link()
				require.Equal(t, consumer.Lost, link.State)
				require.True(t, errors.Is(link.Cause, consumer.ErrLost))
				var refused *sdc.PeerError
				require.ErrorAs(t, link.Cause, &refused)
				require.Equal(t, sdc.NotBound, refused.Reason)
				require.Zero(t, tr.dev.Stats().Granted)
			})
		})
	}
}
