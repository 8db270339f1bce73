package soap

import (
	"bytes"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// EndpointReference says where a message goes (WS-Addressing 1.0 core, 2).
type EndpointReference struct {
	// Address is an absolute URI: a URL, a urn:uuid: of a device, or [Anonymous].
	Address string
	// ReferenceParameters are echoed as header blocks by whoever writes to the endpoint.
	ReferenceParameters []xmlscan.Raw
	// Metadata is what else the reference said of the endpoint; kept, not interpreted.
	Metadata []xmlscan.Raw
}

// NewEndpoint returns a reference that is an address alone.
func NewEndpoint(address string) EndpointReference { return EndpointReference{Address: address} }

// IsZero reports whether the reference says nothing.
func (e *EndpointReference) IsZero() bool {
	return e.Address == "" && len(e.ReferenceParameters) == 0 && len(e.Metadata) == 0
}

// Append writes the reference as the element of the given name, for example
// "wse:NotifyTo" or "wsa:EndpointReference". The prefix wsa and that of the
// element must be in scope; every envelope of this package declares wsa and s12.
func (e *EndpointReference) Append(b []byte, element string) []byte {
	b = xmlscan.AppendStart(b, element)
	b = append(b, '>')
	b = xmlscan.AppendElement(b, "wsa:Address", e.Address)
	b = appendRaws(b, "wsa:ReferenceParameters", e.ReferenceParameters)
	b = appendRaws(b, "wsa:Metadata", e.Metadata)
	return xmlscan.AppendEnd(b, element)
}

func appendRaws(b []byte, element string, raws []xmlscan.Raw) []byte {
	if len(raws) == 0 {
		return b
	}
	b = xmlscan.AppendStart(b, element)
	b = append(b, '>')
	for _, r := range raws {
		b = r.AppendXML(b)
	}
	return xmlscan.AppendEnd(b, element)
}

// DecodeEndpointReference reads the element the scanner stands on, whatever its
// name, as an endpoint reference. Address is required; unknown children are skipped.
func DecodeEndpointReference(s *xmlscan.Scanner) (EndpointReference, error) {
	var e EndpointReference
	found := false
	for s.Child() {
		switch s.Name() {
		case Name{Space: xmlscan.NsAddressing, Local: "Address"}:
			text, err := s.Text()
			if err != nil {
				return e, err
			}
			if found {
				return e, s.Errorf("second wsa:Address")
			}
			e.Address, found = strings.TrimSpace(text), true
		case Name{Space: xmlscan.NsAddressing, Local: "ReferenceParameters"}:
			e.ReferenceParameters = decodeRaws(s, e.ReferenceParameters)
		case Name{Space: xmlscan.NsAddressing, Local: "Metadata"}:
			e.Metadata = decodeRaws(s, e.Metadata)
		default:
			_ = s.Skip() // the error is sticky and read below
		}
	}
	if err := s.Err(); err != nil {
		return e, err
	}
	if !found {
		return e, s.Errorf("endpoint reference without wsa:Address")
	}
	return e, nil
}

func decodeRaws(s *xmlscan.Scanner, raws []xmlscan.Raw) []xmlscan.Raw {
	for s.Child() {
		r, err := s.Raw()
		if err != nil {
			return raws // sticky
		}
		raws = append(raws, r)
	}
	return raws
}

// appendReferenceParameter writes a reference parameter as a header block,
// marked wsa:IsReferenceParameter (WS-Addressing 1.0 SOAP binding, 2.3).
func appendReferenceParameter(b []byte, r xmlscan.Raw) []byte {
	start := len(b)
	b = r.AppendXML(b)
	in := r.Scanner()
	if in.Root() != nil {
		return b[:start] // not an element: nothing can be echoed
	}
	if _, marked := in.Attr(xmlscan.NsAddressing, "IsReferenceParameter"); marked {
		return b
	}
	// The start tag is "<" name, then white space, "/" or ">".
	nameEnd := start + 1 + bytes.IndexAny(b[start+1:], " \t\r\n/>")
	mark := ` wsa:IsReferenceParameter="true"`
	if bytes.Contains(b[start:], []byte("xmlns:wsa")) {
		// wsa may mean something else here; a prefix of our own cannot clash.
		p := "wsaref"
		for bytes.Contains(b[start:], []byte("xmlns:"+p)) {
			p += "x"
		}
		mark = ` xmlns:` + p + `="` + xmlscan.NsAddressing + `" ` + p + `:IsReferenceParameter="true"`
	}
	tail := append([]byte(nil), b[nameEnd:]...)
	b = append(b[:nameEnd], mark...)
	return append(b, tail...)
}
