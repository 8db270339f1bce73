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

// Bounds of what peers have us remember and repeat.
const (
	// maxURI bounds addresses, actions and identifiers of messages, in bytes: MAX_URI_SIZE of DPWS 1.1, beyond which nobody has to go.
	maxURI = 2048
	// maxParameters bounds the reference parameters of an endpoint, what else is said of one, and the details of a fault. Peers have one or two.
	maxParameters = 64
	// maxParameterBytes bounds the reference parameters as they are written into every message to the endpoint, with the namespaces that each needs: otherwise a short request could make each
	// notification long.
	maxParameterBytes = 8 << 10
)

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
			if text = strings.TrimSpace(text); len(text) > maxURI {
				return e, s.Errorf("%w: address of more than %d bytes", xmlscan.ErrLimit, maxURI)
			}
			e.Address, found = text, true
		case Name{Space: xmlscan.NsAddressing, Local: "ReferenceParameters"}:
			e.ReferenceParameters = decodeRaws(s, e.ReferenceParameters, maxParameterBytes)
		case Name{Space: xmlscan.NsAddressing, Local: "Metadata"}:
			e.Metadata = decodeRaws(s, e.Metadata, xmlscan.DefaultMaxBytes)
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

// decodeRaws adds the children of the element the scanner stands on to those there are. Errors are sticky.
func decodeRaws(s *xmlscan.Scanner, raws []xmlscan.Raw, most int) []xmlscan.Raw {
	bytes := 0
	for _, r := range raws {
		bytes += r.Size()
	}
	for s.Child() {
		r, err := s.Raw()
		if err != nil {
			return raws
		}
		if bytes += r.Size(); len(raws) == maxParameters || bytes > most {
			_ = s.Errorf("%w: more than %d elements or %d bytes in one list", xmlscan.ErrLimit, maxParameters, most)
			return raws
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
