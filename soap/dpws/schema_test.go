package dpws_test

import (
	"testing"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

// Every kind of message that this package and soap write themselves.
func TestMessagesValidate(t *testing.T) {
	// covers: SDPi R0013, META-1
	param, err := xmlscan.ParseRaw([]byte(`<x:id xmlns:x="urn:x">7</x:id>`), xmlscan.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	to := soap.EndpointReference{Address: "http://127.0.0.1:1/", ReferenceParameters: []xmlscan.Raw{param}}
	full := soap.NewHeader(to, dpws.ActionGetMetadata)
	full.ReplyTo = &soap.EndpointReference{Address: soap.Anonymous}
	full.FaultTo = &soap.EndpointReference{Address: soap.None}
	full.From = &to
	header := func(action string) *soap.Header {
		return &soap.Header{Action: action, MessageID: "urn:uuid:1", RelatesTo: "urn:uuid:2"}
	}
	docs := map[string][]byte{
		"Get":                 soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint("urn:uuid:1"), dpws.ActionGet), nil),
		"GetResponse":         soap.AppendEnvelope(nil, header(dpws.ActionGetResponse), device()),
		"GetMetadata":         soap.AppendEnvelope(nil, full, dpws.GetMetadata{}),
		"GetMetadata dialect": soap.AppendEnvelope(nil, full, dpws.GetMetadata{Dialect: dpws.DialectWSDL, Identifier: "urn:i"}),
		"GetMetadataResponse": soap.AppendEnvelope(nil, header(dpws.ActionGetMetadataResponse), service()),
	}
	for _, f := range []*soap.Fault{
		soap.VersionMismatch(), soap.MustUnderstand(soap.Name{Space: "urn:x", Local: "b"}), soap.InvalidMessage("x"),
		soap.ActionNotSupported("urn:a"), soap.AddressingHeaderRequired("Action"), soap.InvalidAddressingHeader("To", "InvalidCardinality"),
		soap.DestinationUnreachable("/a"), soap.EndpointUnavailable("busy", 1), soap.DeliveryModeUnavailable("urn:push"),
		soap.FilteringUnavailable("urn:d"), soap.FilterActionNotSupported(), soap.EventSourceUnable("x"), soap.InvalidExpirationTime("x"),
		soap.UnsupportedExpirationType(), soap.UnableToRenew("x"), soap.MatchingRuleNotSupported("urn:r"),
	} {
		docs[f.Error()] = soap.AppendEnvelope(nil, f.Header("urn:uuid:1"), f)
	}
	docs["WSDL"] = wsdl().AppendXML(nil)
	reftest.Validate(t, docs)
}
