package soap_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

func TestFaults(t *testing.T) {
	// covers: DPWS R0013, DPWS R0040, SOAP-1
	const wse, wsd = xmlscan.NsEventing, xmlscan.NsDiscovery
	block := soap.Name{Space: "urn:x", Local: "block"}
	tests := []struct {
		f        *soap.Fault
		code     soap.FaultCode
		subcodes []soap.Name
		status   int
		action   string
		detail   string // XML expected within the detail
	}{
		{soap.VersionMismatch(), soap.CodeVersionMismatch, nil, 500, soap.ActionSOAPFault, ""},
		{soap.MustUnderstand(block), soap.CodeMustUnderstand, nil, 500, soap.ActionSOAPFault, ""},
		{soap.InvalidMessage("x"), soap.CodeSender, []soap.Name{{Space: wse, Local: "InvalidMessage"}}, 400, soap.ActionFault, ""},
		{soap.Receiver("x"), soap.CodeReceiver, nil, 500, soap.ActionFault, ""},
		{soap.ActionNotSupported("urn:a"), soap.CodeSender, []soap.Name{{Space: wsa, Local: "ActionNotSupported"}}, 400, soap.ActionFault, "<wsa:Action>urn:a</wsa:Action>"},
		{soap.AddressingHeaderRequired("Action"), soap.CodeSender, []soap.Name{{Space: wsa, Local: "MessageAddressingHeaderRequired"}}, 400, soap.ActionFault, "wsa:Action"},
		{soap.InvalidAddressingHeader("To", "InvalidCardinality"), soap.CodeSender, []soap.Name{{Space: wsa, Local: "InvalidAddressingHeader"}, {Space: wsa, Local: "InvalidCardinality"}}, 400, soap.ActionFault, "wsa:To"},
		{soap.DestinationUnreachable("/a"), soap.CodeSender, []soap.Name{{Space: wsa, Local: "DestinationUnreachable"}}, 404, soap.ActionFault, ""},
		{soap.EndpointUnavailable("busy", time.Second), soap.CodeReceiver, []soap.Name{{Space: wsa, Local: "EndpointUnavailable"}}, 503, soap.ActionFault, ">1000<"},
		{soap.DeliveryModeUnavailable("urn:push"), soap.CodeSender, []soap.Name{{Space: wse, Local: "DeliveryModeRequestedUnavailable"}}, 400, soap.ActionFault, "urn:push"},
		{soap.FilteringUnavailable("urn:d"), soap.CodeSender, []soap.Name{{Space: wse, Local: "FilteringRequestedUnavailable"}}, 400, soap.ActionFault, "urn:d"},
		{soap.FilterActionNotSupported(), soap.CodeSender, []soap.Name{{Space: xmlscan.NsDPWS, Local: "FilterActionNotSupported"}}, 400, soap.ActionDPWSFault, ""},
		{soap.EventSourceUnable("x"), soap.CodeReceiver, []soap.Name{{Space: wse, Local: "EventSourceUnableToProcess"}}, 500, soap.ActionFault, ""},
		{soap.InvalidExpirationTime("x"), soap.CodeSender, []soap.Name{{Space: wse, Local: "InvalidExpirationTime"}}, 400, soap.ActionFault, ""},
		{soap.UnsupportedExpirationType(), soap.CodeSender, []soap.Name{{Space: wse, Local: "UnsupportedExpirationType"}}, 400, soap.ActionFault, ""},
		{soap.UnableToRenew("x"), soap.CodeReceiver, []soap.Name{{Space: wse, Local: "UnableToRenew"}}, 500, soap.ActionFault, ""},
		{soap.MatchingRuleNotSupported("urn:r", "urn:s"), soap.CodeSender, []soap.Name{{Space: wsd, Local: "MatchingRuleNotSupported"}}, 400, soap.ActionDiscoveryFault, ">urn:r urn:s<"},
		{soap.NewFault(soap.CodeSender, "<&>", soap.Name{Space: "urn:own", Local: "sub"}), soap.CodeSender, []soap.Name{{Space: "urn:own", Local: "sub"}}, 400, soap.ActionFault, ""},
	}
	for _, tt := range tests {
		t.Run(tt.f.Error(), func(t *testing.T) {
			require.Equal(t, tt.status, tt.f.HTTPStatus())
			doc := soap.AppendEnvelope(nil, tt.f.Header("urn:uuid:1"), tt.f)
			require.Contains(t, string(doc), `<s12:Text xml:lang="en">`)
			e := parse(t, string(doc))
			require.NoError(t, e.Check())
			require.Equal(t, tt.action, e.Header.Action)
			require.Equal(t, "urn:uuid:1", e.Header.RelatesTo)
			got, ok, err := e.Fault()
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, tt.code, got.Code)
			require.Equal(t, tt.subcodes, got.Subcodes)
			require.Equal(t, tt.f.Reason, got.Reason)
			require.Equal(t, tt.f.NotUnderstood, got.NotUnderstood)
			require.Equal(t, tt.f.Error(), got.Error())
			if tt.detail == "" {
				require.Empty(t, got.Detail)
				return
			}
			require.Contains(t, string(got.Detail[0].AppendXML(nil)), tt.detail)
		})
	}
}

func TestVersionMismatchCarriesUpgrade(t *testing.T) {
	f := soap.VersionMismatch()
	e := parse(t, string(soap.AppendEnvelope(nil, f.Header(""), f)))
	b, ok := e.Header.Block(soap.Name{Space: xmlscan.NsSOAP12, Local: "Upgrade"})
	require.True(t, ok)
	s := b.Scanner()
	require.NoError(t, s.Root())
	require.True(t, s.Child())
	q, _ := s.Attr("", "qname")
	n, err := s.ResolveQName(q)
	require.NoError(t, err)
	require.Equal(t, soap.Name{Space: xmlscan.NsSOAP12, Local: "Envelope"}, n)
}

func TestDecodeFaultOfPeers(t *testing.T) {
	const open = `<e:Fault><e:Code><e:Value>e:Sender</e:Value>`
	tests := map[string]struct {
		body string
		want string // "" is an error
	}{
		"english preferred": {open + `</e:Code><e:Reason><e:Text xml:lang="de">nein</e:Text><e:Text xml:lang="en-US">no</e:Text></e:Reason></e:Fault>`, "soap fault Sender: no"},
		"no reason":         {open + `</e:Code></e:Fault>`, "soap fault Sender"},
		"text as detail":    {open + `</e:Code><e:Detail>words</e:Detail></e:Fault>`, "soap fault Sender"},
		"nested subcodes": {open + `<e:Subcode><e:Value xmlns:a="urn:a">a:b</e:Value><e:Subcode><e:Value xmlns:a="urn:c">a:d</e:Value></e:Subcode></e:Subcode></e:Code></e:Fault>`,
			"soap fault Sender/{urn:a}b/{urn:c}d"},
		"no code":        {`<e:Fault/>`, ""},
		"unbound prefix": {`<e:Fault><e:Code><e:Value>q:Sender</e:Value></e:Code></e:Fault>`, ""},
		"unknown code":   {`<e:Fault><e:Code><e:Value>e:Client</e:Value></e:Code></e:Fault>`, ""},
		"foreign code":   {`<e:Fault><e:Code><e:Value>wsa:Sender</e:Value></e:Code></e:Fault>`, ""},
		"two codes":      {`<e:Fault><e:Code><e:Value>e:Sender e:Receiver</e:Value></e:Code></e:Fault>`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, ok, err := parse(t, string(envelope(xmlscan.NsSOAP12, action, tt.body))).Fault()
			require.True(t, ok)
			if tt.want == "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, f.Error())
		})
	}
}

func TestFaultIsAnError(t *testing.T) {
	cause := errors.New("why")
	f := soap.InvalidMessage("x")
	f.Cause = cause
	require.ErrorIs(t, f, cause)
	require.Equal(t, "soap fault Sender/wse:InvalidMessage: x", f.Error())
	f = soap.NewFault(soap.CodeReceiver, "")
	f.Status = 418
	require.Equal(t, 418, f.HTTPStatus())
	f.Status = 200 // as some peers send it
	require.Equal(t, 500, f.HTTPStatus())
}
