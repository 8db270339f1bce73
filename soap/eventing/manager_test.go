package eventing

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// subscribeXML puts a wse:Subscribe together from its parts.
func subscribeXML(parts ...string) string {
	return `<wse:Subscribe xmlns:wse="` + xmlscan.NsEventing + `">` + strings.Join(parts, "") + `</wse:Subscribe>`
}

func TestSubscribeFaults(t *testing.T) {
	// covers: EVT-1
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		const (
			here     = `http://` + consumerIP + `:5000/n`
			delivery = `<wse:Delivery><wse:NotifyTo><wsa:Address>` + here + `</wsa:Address></wse:NotifyTo></wse:Delivery>`
			filter   = `<wse:Filter Dialect="` + DialectAction + `">` + actOp + `</wse:Filter>`
			long     = `<wse:Expires>PT1H</wse:Expires>`
		)
		notify := func(address string) string { return strings.Replace(delivery, here, address, 1) }
		for name, c := range map[string]struct {
			body, subcode, code, detail string
		}{
			"other mode": {
				subscribeXML(`<wse:Delivery Mode="http://example.org/Pull">any <content/></wse:Delivery>`, filter),
				"DeliveryModeRequestedUnavailable", "Sender", ModePush,
			},
			"empty mode":    {subscribeXML(strings.Replace(delivery, "<wse:Delivery", `<wse:Delivery Mode=""`, 1), filter), "DeliveryModeRequestedUnavailable", "Sender", ModePush},
			"other dialect": {subscribeXML(delivery, long, `<wse:Filter Dialect="http://www.w3.org/TR/1999/REC-xpath-19991116">//a <b/></wse:Filter>`), "FilteringRequestedUnavailable", "Sender", DialectAction},
			"no dialect":    {subscribeXML(delivery, long, `<wse:Filter>`+actOp+`</wse:Filter>`), "FilteringRequestedUnavailable", "Sender", DialectAction},
			"no filter":     {subscribeXML(delivery, long), "EventSourceUnableToProcess", "Receiver", ""},
			"other host":    {subscribeXML(notify("http://10.0.0.99:1/n"), filter), "EventSourceUnableToProcess", "Receiver", ""},
			"other EndTo":   {subscribeXML(`<wse:EndTo><wsa:Address>http://10.0.0.99:1/n</wsa:Address></wse:EndTo>`, delivery, filter), "EventSourceUnableToProcess", "Receiver", ""},
			"https target":  {subscribeXML(notify("https://"+consumerIP+":1/n"), filter), "EventSourceUnableToProcess", "Receiver", ""},
			"no URL":        {subscribeXML(notify("urn:uuid:1"), filter), "EventSourceUnableToProcess", "Receiver", ""},
			"anonymous":     {subscribeXML(notify(soap.Anonymous), filter), "EventSourceUnableToProcess", "Receiver", ""},
			"zero":          {subscribeXML(delivery, `<wse:Expires>PT0S</wse:Expires>`, filter), "InvalidExpirationTime", "Sender", ""},
			"negative":      {subscribeXML(delivery, `<wse:Expires>-PT5S</wse:Expires>`, filter), "InvalidExpirationTime", "Sender", ""},
			"past":          {subscribeXML(delivery, `<wse:Expires>1999-01-01T00:00:00Z</wse:Expires>`, filter), "InvalidExpirationTime", "Sender", ""},
			"nonsense":      {subscribeXML(delivery, `<wse:Expires>tomorrow</wse:Expires>`, filter), "InvalidExpirationTime", "Sender", ""},
			"no delivery":   {subscribeXML(long, filter), "InvalidMessage", "Sender", ""},
			"no NotifyTo":   {subscribeXML(`<wse:Delivery Mode="`+ModePush+`"/>`, filter), "InvalidMessage", "Sender", ""},
			"no address":    {subscribeXML(`<wse:Delivery><wse:NotifyTo/></wse:Delivery>`, filter), "InvalidMessage", "Sender", ""},
			"two NotifyTo":  {subscribeXML(strings.Replace(delivery, "</wse:Delivery>", `<wse:NotifyTo><wsa:Address>`+here+`</wsa:Address></wse:NotifyTo></wse:Delivery>`, 1), filter), "InvalidMessage", "Sender", ""},
			"two filters":   {subscribeXML(delivery, filter, filter), "InvalidMessage", "Sender", ""},
			"wrong body":    {`<wse:Renew xmlns:wse="` + xmlscan.NsEventing + `"/>`, "InvalidMessage", "Sender", ""},
			"empty body":    {"", "InvalidMessage", "Sender", ""},
			"two bodies":    {subscribeXML(delivery, filter) + "<x/>", "InvalidMessage", "Sender", ""},
			"long action":   {subscribeXML(delivery, `<wse:Filter Dialect="`+DialectAction+`">`+actOp+strings.Repeat("x", maxURI)+`</wse:Filter>`), "InvalidMessage", "Sender", ""},
			"many parameters": {
				subscribeXML(strings.Replace(delivery, "</wse:NotifyTo>", `<wsa:ReferenceParameters><a>`+strings.Repeat("x", maxReferenceBytes)+`</a></wsa:ReferenceParameters></wse:NotifyTo>`, 1), filter),
				"InvalidMessage", "Sender", "",
			},
			"other actions": {subscribeXML(delivery, `<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "FilterActionNotSupported", "Sender", ""},
			"no actions":    {subscribeXML(delivery, `<wse:Filter Dialect="`+DialectAction+`"> </wse:Filter>`), "FilterActionNotSupported", "Sender", ""},
		} {
			_, err := b.client.Call(b.ctx, soap.NewEndpoint(b.url+"/Set"), ActionSubscribe, soap.RawBody(c.body))
			var f *soap.Fault
			require.ErrorAs(t, err, &f, name)
			require.Equal(t, soap.FaultCode(c.code), f.Code, name)
			require.Len(t, f.Subcodes, 1, name)
			require.Equal(t, c.subcode, f.Subcodes[0].Local, name)
			if c.subcode == "FilterActionNotSupported" {
				require.Equal(t, soap.ActionDPWSFault, f.Action, name)
			} else {
				require.Equal(t, xmlscan.NsEventing, f.Subcodes[0].Space, name)
				require.Equal(t, ActionFault, f.Action, name)
			}
			require.NotEmpty(t, f.Reason, name)
			require.NotEmpty(t, f.RelatesTo, name)
			if c.detail != "" {
				require.Len(t, f.Detail, 1, name)
				require.Contains(t, string(f.Detail[0].AppendXML(nil)), c.detail, name)
			}
			want := 400
			if c.code == "Receiver" {
				want = 500
			}
			require.Equal(t, want, f.Status, name)
		}
		require.Equal(t, SourceStats{}, b.source.Stats(), "what is refused changes nothing")
	})
}

// TestSubscribeAccepted: what is unusual but fine.
func TestSubscribeAccepted(t *testing.T) {
	// covers: EVT-1, EVT-2, SDCcc subscription set
	inBubble(t, SourceConfig{MaxExpires: time.Minute}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		delivery := `<wse:Delivery><wse:NotifyTo><wsa:Address>` + k.url + `/n</wsa:Address></wse:NotifyTo></wse:Delivery>`
		for name, c := range map[string]struct {
			body, granted string
			actions       int
		}{
			"no expires":      {subscribeXML(delivery, `<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "PT1M", 1},
			"instant":         {subscribeXML(delivery, `<wse:Expires>2000-01-01T00:00:30Z</wse:Expires><wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "PT29", 1},
			"months":          {subscribeXML(delivery, `<wse:Expires>P1M</wse:Expires><wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "PT1M", 1},
			"fraction":        {subscribeXML(delivery, `<wse:Expires>PT0.5S</wse:Expires><wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "PT0.5S", 1},
			"many, repeated":  {subscribeXML(delivery, `<wse:Filter Dialect="`+DialectAction+`">`+"\n\t"+actMetric+"  "+actAlert+"\n"+actMetric+` urn:never:sent</wse:Filter>`), "PT1M", 3},
			"other order":     {subscribeXML(`<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`, delivery), "PT1M", 1},
			"extension":       {subscribeXML(`<x xmlns="urn:x"><y/></x>`, delivery, `<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`, `<z xmlns="urn:z"/>`), "PT1M", 1},
			"EndTo anonymous": {subscribeXML(`<wse:EndTo><wsa:Address>`+soap.Anonymous+`</wsa:Address></wse:EndTo>`, delivery, `<wse:Filter Dialect="`+DialectAction+`">`+actMetric+`</wse:Filter>`), "PT1M", 1},
		} {
			env, err := b.client.Call(b.ctx, soap.NewEndpoint(b.url+"/StateEvent"), ActionSubscribe, soap.RawBody(c.body))
			require.NoError(t, err, name)
			m, err := soap.Decode(env, wse("SubscribeResponse"), decodeSubscribeResponse)
			require.NoError(t, err, name)
			require.True(t, strings.HasPrefix(m.expires, c.granted), "%s: %s", name, m.expires)
			st := b.source.Subscriptions()
			require.Len(t, st, 1, name)
			require.Len(t, st[0].Actions, c.actions, name)
			require.NoError(t, b.unsubscribe(*m.manager), name)
		}
	})
}

func TestManagerFaults(t *testing.T) {
	// covers: EVT-2
	inBubble(t, SourceConfig{}, func(t *testing.T, b *bench) {
		k := b.listener(consumerIP)
		m := b.subscribeTo("/StateEvent", k, "s", 30*time.Second, actMetric)
		refuse := func(epr soap.EndpointReference, action, body, subcode string) {
			t.Helper()
			_, err := b.client.Call(b.ctx, epr, action, soap.RawBody(body))
			var f *soap.Fault
			require.ErrorAs(t, err, &f)
			require.Equal(t, subcode, f.Subcodes[0].Local)
		}
		ns := ` xmlns:wse="` + xmlscan.NsEventing + `"`
		refuse(m, ActionRenew, `<wse:Renew`+ns+`><wse:Expires>PT0S</wse:Expires></wse:Renew>`, "InvalidExpirationTime")
		refuse(m, ActionRenew, `<wse:Renew`+ns+`><wse:Expires>later</wse:Expires></wse:Renew>`, "InvalidExpirationTime")
		refuse(m, ActionRenew, `<wse:GetStatus`+ns+`/>`, "InvalidMessage")
		refuse(m, ActionUnsubscribe, ``, "InvalidMessage")
		refuse(m, ActionGetStatus, `<wse:GetStatus`+ns+`/><x/>`, "InvalidMessage")
		refuse(m, ActionSubscribe, `<wse:Subscribe`+ns+`/>`, "ActionNotSupported")
		for _, path := range []string{m.Address + "0", m.Address + "/x", b.url + b.source.ManagerPath() + "/1"} {
			epr := soap.NewEndpoint(path)
			refuse(epr, ActionRenew, `<wse:Renew`+ns+`/>`, "UnableToRenew")
			refuse(epr, ActionGetStatus, `<wse:GetStatus`+ns+`/>`, "InvalidMessage")
			refuse(epr, ActionUnsubscribe, `<wse:Unsubscribe`+ns+`/>`, "InvalidMessage")
		}
		left, err := b.status(m)
		require.NoError(t, err)
		require.Regexp(t, `^PT29\.`, left, "the subscription is as it was")
		got, err := b.call(m, ActionRenew, soap.RawBody(`<wse:Renew`+ns+`/>`), "RenewResponse")
		require.NoError(t, err)
		require.Equal(t, "PT1M", got, "no expiration asks for all there is")
	})
}

func TestSameHost(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"10.0.0.2:999", "http://10.0.0.2:1/x", true},
		{"10.0.0.2:999", "http://10.0.0.3:1/x", false},
		{"10.0.0.2:999", "http://localhost:1/x", false},
		{"10.0.0.2:999", "http://127.0.0.1:1/x", false},
		{"10.0.0.2:999", "http://host.example/x", false},
		{"127.0.0.1:999", "http://localhost:1/x", true},
		{"127.0.0.1:999", "http://127.0.0.2:1/x", true},
		{"127.0.0.1:999", "http://10.0.0.3:1/x", false},
		{"[::1]:999", "http://127.0.0.1:1/x", true},
		{"[::ffff:10.0.0.2]:999", "http://10.0.0.2/x", true},
		{"[fe80::1%eth0]:999", "http://[fe80::2]/x", false},
		{"", "http://10.0.0.2/x", false},
	} {
		u, err := url.Parse(c.to)
		require.NoError(t, err)
		err = SameHost(&soap.Request{RemoteAddr: c.from}, u)
		require.Equal(t, c.ok, err == nil, "%s %s: %v", c.from, c.to, err)
	}
}

func FuzzDecodeSubscribe(f *testing.F) {
	for _, s := range []string{
		subscribeXML(`<wse:EndTo><wsa:Address xmlns:wsa="http://www.w3.org/2005/08/addressing">http://h/e</wsa:Address></wse:EndTo>`+
			`<wse:Delivery Mode="`+ModePush+`"><wse:NotifyTo><a:Address xmlns:a="http://www.w3.org/2005/08/addressing">http://h/n</a:Address>`+
			`<a:ReferenceParameters xmlns:a="http://www.w3.org/2005/08/addressing"><q xmlns="urn:q">1</q></a:ReferenceParameters></wse:NotifyTo></wse:Delivery>`,
			`<wse:Expires>PT1M</wse:Expires><wse:Filter Dialect="`+DialectAction+`">urn:a urn:b</wse:Filter>`),
		subscribeXML(`<wse:Delivery Mode="x"/><wse:Filter/>`),
		`<wse:Subscribe xmlns:wse="` + xmlscan.NsEventing + `"/>`,
		`<wse:SubscriptionEnd xmlns:wse="` + xmlscan.NsEventing + `"><wse:Status>SourceShuttingDown</wse:Status><wse:Reason xml:lang="en">off</wse:Reason></wse:SubscriptionEnd>`,
		`<wse:Renew xmlns:wse="` + xmlscan.NsEventing + `"><wse:Expires>PT1M</wse:Expires></wse:Renew>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		scan := func() *xmlscan.Scanner {
			s := xmlscan.NewScanner(doc, xmlscan.Limits{})
			if s.Root() != nil {
				t.Skip()
			}
			return s
		}
		if m, err := decodeSubscribe(scan()); err == nil {
			if m.mode == ModePush && m.notifyTo == nil {
				t.Fatal("no NotifyTo and no error")
			}
			if len(m.actions) > maxActions {
				t.Fatal("too many actions")
			}
			if m.mode == ModePush && len(m.actions) > 0 {
				// what a sink would write of it reads the same
				req := &subscribeRequest{notifyTo: *m.notifyTo, endTo: *m.notifyTo, expires: time.Second, dialect: DialectAction, filter: actionFilter(m.actions)}
				env, err := soap.Parse(soap.AppendEnvelope(nil, &soap.Header{Action: ActionSubscribe}, req), xmlscan.Limits{MaxBytes: 64 << 20})
				if err != nil {
					t.Fatal(err)
				}
				again, err := soap.Decode(env, wse("Subscribe"), decodeSubscribe)
				if err != nil {
					t.Fatal(err)
				}
				if again.notifyTo.Address != m.notifyTo.Address || len(again.actions) != len(m.actions) || again.expires != "PT1S" {
					t.Fatalf("%+v became %+v", m, again)
				}
			}
		}
		_, _ = decodeSubscriptionEnd(scan())
		_, _ = decodeSubscribeResponse(scan())
		_, _ = decodeExpires(scan())
	})
}
