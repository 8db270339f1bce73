package eventing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// holder makes a certificate of an authority that has certified the same name before or not.
func holder(t *testing.T, name, uri string, since time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(since.UnixNano()), NotBefore: since, NotAfter: since.Add(time.Hour)}
	if name != "" {
		tmpl.Subject = pkix.Name{CommonName: name}
	}
	if uri != "" {
		u, err := url.Parse(uri)
		require.NoError(t, err)
		tmpl.URIs = []*url.URL{u}
	}
	issuer := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// Whoever knows the address of a subscription manager, but is not who has subscribed, can neither end nor prolong the subscription nor ask about it.
func TestOnlyTheSubscriberManagesASubscription(t *testing.T) {
	// covers: EVT-2, SDPi R0502
	ns := ` xmlns:wse="` + xmlscan.NsEventing + `"`
	actions := map[string]string{ // what is refused has to do nothing, so Unsubscribe comes last where it is granted
		ActionRenew: `<wse:Renew` + ns + `/>`, ActionGetStatus: `<wse:GetStatus` + ns + `/>`, ActionUnsubscribe: `<wse:Unsubscribe` + ns + `/>`,
	}
	now := time.Now().Truncate(time.Second)
	subscriber := holder(t, "subscriber", "urn:uuid:1", now)
	for name, c := range map[string]struct {
		peer   *x509.Certificate
		remote string
		plain  bool // there are no certificates
		may    bool
	}{
		"the subscriber":                  {peer: subscriber, remote: "192.0.2.2:1", may: true},
		"from another port and host":      {peer: subscriber, remote: "192.0.2.3:2", may: true},
		"with a renewed certificate":      {peer: holder(t, "subscriber", "urn:uuid:1", now.Add(time.Hour)), remote: "192.0.2.2:1", may: true},
		"another peer":                    {peer: holder(t, "other", "", now), remote: "192.0.2.2:1"},
		"of the same name":                {peer: holder(t, "subscriber", "urn:uuid:1", now), remote: "192.0.2.2:1"},
		"of the same name, by other URIs": {peer: holder(t, "subscriber", "urn:uuid:2", now.Add(time.Hour)), remote: "192.0.2.2:1"},
		"without a name":                  {peer: holder(t, "", "urn:uuid:1", now.Add(time.Hour)), remote: "192.0.2.2:1"},
		"without a certificate":           {remote: "192.0.2.2:1"},
		"plain, the same host":            {remote: "192.0.2.2:7", plain: true, may: true},
		"plain, another host":             {remote: "192.0.2.3:1", plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := NewSource(SourceConfig{Client: soap.ClientConfig{Insecure: true}, BaseURL: "http://192.0.2.1"})
			require.NoError(t, err)
			defer func() { require.NoError(t, source.Close(context.Background())) }()
			request := func(path, action, body, remote string, peer *x509.Certificate) *soap.Request {
				env, err := soap.Parse(soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint("http://192.0.2.1"+path), action), soap.RawBody(body)), xmlscan.Limits{})
				require.NoError(t, err)
				return &soap.Request{Envelope: env, Peer: peer, RemoteAddr: remote, Path: path, Host: "192.0.2.1"}
			}
			first := subscriber
			if c.plain {
				first = nil
			}
			r, err := source.SubscribeHandler()(t.Context(), request("/e", ActionSubscribe, `<wse:Subscribe`+ns+`><wse:Delivery><wse:NotifyTo><wsa:Address>http://192.0.2.2:1/</wsa:Address></wse:NotifyTo></wse:Delivery>`+
				`<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter></wse:Subscribe>`, "192.0.2.2:1", first))
			require.NoError(t, err)
			manager := strings.TrimPrefix(r.Body.(subscribeResponse).manager, "http://192.0.2.1")
			manage := source.ManagerEndpoint().Actions
			for _, action := range []string{ActionGetStatus, ActionRenew, ActionUnsubscribe} {
				_, err := manage[action](t.Context(), request(manager, action, actions[action], c.remote, c.peer))
				if c.may {
					require.NoError(t, err, action)
					continue
				}
				var fault *soap.Fault
				require.ErrorAs(t, err, &fault, action)
				require.Contains(t, fault.Error(), "only the subscriber")
			}
			require.Equal(t, !c.may, source.Wants(actMetric), "it is as it was, or ended by the subscriber")
		})
	}
}
