package pairtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/internal/testkit/bubble"
	"github.com/semeco/go-sdc/internal/testkit/memnet"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/ext"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/pki"
	"github.com/semeco/go-sdc/sdc/provider"
)

// trusting are the participants of a test with certificates of one authority.
type trusting struct {
	pair
	ca             *pki.CA
	device, client *sdc.Identity
}

func (tr *trusting) identity(t *testing.T, r pki.Request) *sdc.Identity {
	t.Helper()
	p, err := tr.ca.Issue(r)
	require.NoError(t, err)
	id, err := p.Identity()
	require.NoError(t, err)
	return id
}

// inTrust runs a device and a consumer over mutual TLS on an in-memory network in virtual time.
func inTrust(t *testing.T, device, client pki.Request, s setup, test func(t *testing.T, tr *trusting)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		network := memnet.New(memnet.Config{})
		defer network.Close()
		here, there := network.Host(deviceIP), network.Host(consumerIP)
		ca, err := pki.NewCA("", 0)
		require.NoError(t, err)
		tr := &trusting{ca: ca, pair: pair{net: network}}
		device.Name, device.Role, client.Name, client.Role = "device", sdc.RoleProvider, "client", sdc.RoleConsumer
		tr.device, tr.client = tr.identity(t, device), tr.identity(t, client)
		tr.run(t, s, provider.Config{
			EPR: deviceURN, MDIB: snapshot(t), Identity: tr.device, Dial: here.Dial, Listen: here.ListenAny, Transport: discovery.NewSilence(),
		}, consumer.Config{
			Identity: tr.client, Dial: there.Dial, Listen: there.ListenAny, LostAfter: 5 * time.Second,
		}, func(t *testing.T, p *pair) {
			tr.pair = *p
			test(t, tr)
		})
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) { time.Sleep(d) }

func denies(t *testing.T, id *sdc.Identity, pattern string) {
	t.Helper()
	p, err := sdc.ParsePeerPattern(pattern)
	require.NoError(t, err)
	c := id.Current()
	c.Deny = append(c.Deny, p)
	require.NoError(t, id.Replace(c))
}

// TestEstablishedPeersThatAreNoLongerTrusted: connections that exist do not outlive the trust they were made with.
func TestEstablishedPeersThatAreNoLongerTrusted(t *testing.T) {
	// covers: SEC-1, SEC-3
	t.Run("the device denies the consumer", func(t *testing.T) {
		inTrust(t, pki.Request{}, pki.Request{}, setup{}, func(t *testing.T, tr *trusting) {
			require.NoError(t, setNumber(tr.dev, "1"))
			d := tr.connect(t)
			denies(t, tr.device, "cn:client")
			require.NoError(t, setNumber(tr.dev, "12"))
			time.Sleep(time.Second)
			require.Equal(t, uint64(1), tr.dev.Stats().Failed, "the report was not sent, and its subscription has ended")
			require.NotEqual(t, "12", number(t, d.MDIB()))
			_, err := d.GetContextStates(t.Context())
			require.Error(t, err)
			<-d.Ended()
			require.Equal(t, consumer.Lost, d.Link().State)
			require.Contains(t, tr.device.Refusals(), sdc.Denied)
			time.Sleep(2 * time.Minute)
			require.Zero(t, tr.dev.Stats().Subscriptions, "the other one cannot be renewed")
			_, err = tr.consumer.Connect(t.Context(), tr.endpoint())
			var refused *sdc.PeerError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, sdc.RefusedByPeer, refused.Reason, "told in words, not as an alert of TLS: %v", err)
		})
	})
	t.Run("the consumer denies the device", func(t *testing.T) {
		inTrust(t, pki.Request{}, pki.Request{}, setup{}, func(t *testing.T, tr *trusting) {
			require.NoError(t, setNumber(tr.dev, "1"))
			d := tr.connect(t)
			denies(t, tr.client, "cn:device")
			_, err := d.GetContextStates(t.Context())
			var refused *sdc.PeerError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, sdc.Denied, refused.Reason)
			require.NoError(t, setNumber(tr.dev, "12"))
			time.Sleep(time.Second)
			require.NotEqual(t, "12", number(t, d.MDIB()), "its reports are not believed either")
			<-d.Ended()
		})
	})
	t.Run("the consumer's certificate expires", func(t *testing.T) {
		inTrust(t, pki.Request{}, pki.Request{Validity: 10 * time.Minute}, setup{}, func(t *testing.T, tr *trusting) {
			d := tr.connect(t)
			time.Sleep(9 * time.Minute)
			require.Equal(t, consumer.Live, d.Link().State)
			time.Sleep(3 * time.Minute)
			<-d.Ended()
			require.Contains(t, tr.device.Refusals(), sdc.OutsideValidity)
		})
	})
}

// TestRenewedCertificates: nothing is lost when both sides get new certificates.
func TestRenewedCertificates(t *testing.T) {
	inTrust(t, pki.Request{}, pki.Request{}, setup{}, func(t *testing.T, tr *trusting) {
		d := tr.connect(t)
		f := follow(t, d)
		defer f.stop()
		for i, id := range []*sdc.Identity{tr.device, tr.client} {
			role := id.Roles()
			c := id.Current()
			c.Certificate = tr.identity(t, pki.Request{Name: "renewed", Role: role}).Certificate
			require.NoError(t, id.Replace(c))
			require.NoError(t, setNumber(tr.dev, []string{"21", "22"}[i]))
			f.next("the value", version(tr.dev.MDIB().Version().MdibVersion))
			_, err := d.GetContextStates(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, "22", number(t, d.MDIB()))
		require.Equal(t, consumer.Live, d.Link().State)
	})
}

func TestBinding(t *testing.T) {
	// covers: SEC-1
	const other, equipment = "urn:uuid:11111111-2222-4333-8444-555555555555", "urn:oid:1.2.3.4.5"
	withEquipment := func(c *provider.Config) {
		store := mdib.NewStore(c.MDIB, mdib.Config{})
		_, err := store.Update(func(tx *mdib.Tx) error {
			d, err := mdib.EditDescriptorAs[*pm.MdsDescriptor](tx, "mds")
			if err == nil {
				ext.SetEquipmentIdentifier(&d.Extension, equipment)
			}
			return err
		})
		require.NoError(t, err)
		c.MDIB = store.Load()
	}
	for name, c := range map[string]struct {
		binding consumer.Binding
		names   []string
		refused bool
	}{
		"none":                             {consumer.BindNone, nil, false},
		"epr":                              {consumer.BindEPR, []string{deviceURN}, false},
		"epr among others":                 {consumer.BindEPR, []string{other, deviceURN}, false},
		"epr missing":                      {consumer.BindEPR, nil, true},
		"epr of another":                   {consumer.BindEPR, []string{other}, true},
		"equipment does not stand for epr": {consumer.BindEPR, []string{equipment}, true},
		"equipment":                        {consumer.BindEquipment, []string{equipment}, false},
		"epr stands for equipment":         {consumer.BindEquipment, []string{deviceURN}, false},
		"equipment of another":             {consumer.BindEquipment, []string{other}, true},
	} {
		for _, known := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				s := setup{provider: withEquipment, consumer: func(cc *consumer.Config) { cc.Binding = c.binding }}
				inTrust(t, pki.Request{Identifiers: c.names}, pki.Request{}, s, func(t *testing.T, tr *trusting) {
					target := tr.endpoint()
					if !known {
						target.EPR = "" // only the address is known
					}
					d, err := tr.consumer.Connect(t.Context(), target)
					if c.refused {
						var refused *sdc.PeerError
						require.ErrorAs(t, err, &refused)
						require.Equal(t, sdc.NotBound, refused.Reason)
						require.ErrorContains(t, err, deviceURN)
						if c.binding == consumer.BindEPR {
							require.Zero(t, tr.dev.Stats().Granted, "refused before anything was asked of it")
						}
						return
					}
					require.NoError(t, err)
					if c.binding == consumer.BindNone {
						return
					}
					// Renewed for somebody else: refused from the next message on.
					cr := tr.device.Current()
					cr.Certificate = tr.identity(t, pki.Request{Name: "device", Role: sdc.RoleProvider, Identifiers: []string{other}}).Certificate
					require.NoError(t, tr.device.Replace(cr))
					tr.net.Cut(deviceIP, consumerIP)
					<-d.Ended()
				})
			})
		}
	}
}
