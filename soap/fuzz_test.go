package soap_test

import (
	"testing"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Whatever arrives, the parser answers or refuses, and what it accepts can be
// written and read again with the same header.
func FuzzParse(f *testing.F) {
	h := soap.NewHeader(soap.NewEndpoint("http://a/"), "urn:do")
	h.ReplyTo = &soap.EndpointReference{Address: soap.Anonymous}
	f.Add(soap.AppendEnvelope(nil, h, soap.RawBody(`<b xmlns="urn:b"/>`)))
	fault := soap.MustUnderstand(soap.Name{Space: "urn:x", Local: "y"})
	f.Add(soap.AppendEnvelope(nil, fault.Header("urn:uuid:1"), fault))
	fault = soap.ActionNotSupported("urn:a")
	f.Add(soap.AppendEnvelope(nil, fault.Header(""), fault))
	f.Add(envelope(ns11, action, ""))
	f.Add(envelope(xmlscan.NsSOAP12, action+`<x:r xmlns:x="urn:x" wsa:IsReferenceParameter="true" e:mustUnderstand="1" e:role="urn:r"/>`, "<a/><b/>"))
	f.Add([]byte(`<e:Envelope xmlns:e="` + xmlscan.NsSOAP12 + `"><e:Body>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		e, err := soap.Parse(doc, xmlscan.Limits{})
		if err != nil {
			if e != nil {
				_ = e.Header.MessageID // what could be read of a foreign version
			}
			return
		}
		checked := e.Check() == nil
		name := e.BodyName()
		if _, isFault, _ := e.Fault(); !isFault {
			if s := e.Body(); s != nil {
				_ = s.Skip()
			}
			_ = e.Close()
		}
		if !checked {
			return
		}
		in := e.Header
		out := in
		out.Blocks = nil
		out.ReferenceParameters = append(out.ReferenceParameters, in.Blocks...)
		written := soap.AppendEnvelope(nil, &out, nil)
		again, err := soap.Parse(written, xmlscan.Limits{})
		if err != nil {
			t.Fatalf("own message refused: %v\n%s\nfrom %s", err, written, doc)
		}
		got := again.Header
		if got.To != in.To || got.Action != in.Action || got.MessageID != in.MessageID || got.RelatesTo != in.RelatesTo ||
			(got.ReplyTo == nil) != (in.ReplyTo == nil) || len(got.Blocks) != len(in.Blocks) {
			t.Fatalf("header changed (body %v):\n%+v\n%+v\n%s", name, in, got, written)
		}
	})
}
