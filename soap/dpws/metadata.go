package dpws

import (
	"fmt"
	"strings"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Host is the device itself in its relationship metadata.
type Host struct {
	Endpoint soap.EndpointReference // the stable address of the device, a urn:uuid:
	Types    []Name                 // see DeviceTypes
}

// Hosted is one service of a device.
type Hosted struct {
	Endpoints []soap.EndpointReference // at least one; addresses are URLs
	Types     []Name                   // port types
	ServiceID string                   // unique within the device, stable over restarts
}

// Metadata is what a device or a hosted service says of itself. Which parts are
// there depends on whom one asks: META-1.
type Metadata struct {
	ThisModel  *ThisModel
	ThisDevice *ThisDevice
	// Host and Hosted are the relationship of type [RelationshipHost].
	Host   *Host
	Hosted []Hosted
	// WSDL are the URLs at which the WSDL can be fetched.
	WSDL []string
	// InlineWSDL are WSDLs embedded in the metadata.
	InlineWSDL []xmlscan.Raw
	// Other are the contents of sections in other dialects; kept, not interpreted.
	Other []Section
}

// Section is a metadata section in a dialect unknown here.
type Section struct {
	Dialect string
	Content xmlscan.Raw // zero for a section without content
}

// Validate checks required parts, unique service ids and the size limits (META-2).
func (m *Metadata) Validate() error {
	if m.ThisModel != nil {
		if err := m.ThisModel.Validate(); err != nil {
			return err
		}
	}
	if m.ThisDevice != nil {
		if err := m.ThisDevice.Validate(); err != nil {
			return err
		}
	}
	if m.Host != nil {
		if err := checkEndpoint("host", m.Host.Endpoint); err != nil {
			return err
		}
	}
	ids := make(map[string]bool, len(m.Hosted))
	for _, h := range m.Hosted {
		switch {
		case h.ServiceID == "":
			return fmt.Errorf("hosted service without dpws:ServiceId")
		case ids[h.ServiceID]:
			return fmt.Errorf("dpws:ServiceId %q is not unique", h.ServiceID)
		case len(h.Endpoints) == 0:
			return fmt.Errorf("hosted service %q has no endpoint", h.ServiceID)
		}
		ids[h.ServiceID] = true
		if err := checkURI("ServiceId", h.ServiceID); err != nil {
			return err
		}
		for _, e := range h.Endpoints {
			if err := checkEndpoint("hosted service "+h.ServiceID, e); err != nil {
				return err
			}
		}
	}
	for _, u := range m.WSDL {
		if err := checkURI("Location", u); err != nil {
			return err
		}
	}
	return nil
}

func checkEndpoint(what string, e soap.EndpointReference) error {
	if e.Address == "" {
		return fmt.Errorf("%s has no address", what)
	}
	return checkURI("EndpointReference of "+what, e.Address)
}

// AppendXML appends the mex:Metadata element.
func (m *Metadata) AppendXML(b []byte) []byte {
	b = append(b, `<mex:Metadata xmlns:mex="`+xmlscan.NsMEX+`" xmlns:dpws="`+xmlscan.NsDPWS+
		`" xmlns:wsa="`+xmlscan.NsAddressing+`">`...)
	if m.ThisModel != nil {
		b = appendSection(b, DialectThisModel, m.ThisModel)
	}
	if m.ThisDevice != nil {
		b = appendSection(b, DialectThisDevice, m.ThisDevice)
	}
	if m.Host != nil || len(m.Hosted) > 0 {
		b = appendSection(b, DialectRelationship, (*relationship)(m))
	}
	for _, u := range m.WSDL {
		b = appendSection(b, DialectWSDL, location(u))
	}
	for _, w := range m.InlineWSDL {
		b = appendSection(b, DialectWSDL, w)
	}
	for _, o := range m.Other {
		b = appendSection(b, o.Dialect, o.Content)
	}
	return xmlscan.AppendEnd(b, "mex:Metadata")
}

func appendSection(b []byte, dialect string, content soap.Body) []byte {
	b = xmlscan.AppendStart(b, "mex:MetadataSection")
	b = xmlscan.AppendAttr(b, "Dialect", dialect)
	b = append(b, '>')
	b = content.AppendXML(b)
	return xmlscan.AppendEnd(b, "mex:MetadataSection")
}

type location string

func (l location) AppendXML(b []byte) []byte {
	return xmlscan.AppendElement(b, "mex:Location", string(l))
}

type relationship Metadata

func (r *relationship) AppendXML(b []byte) []byte {
	b = xmlscan.AppendStart(b, "dpws:Relationship")
	b = xmlscan.AppendAttr(b, "Type", RelationshipHost)
	b = append(b, '>')
	if r.Host != nil {
		b = append(b, `<dpws:Host>`...)
		b = r.Host.Endpoint.Append(b, "wsa:EndpointReference")
		if len(r.Host.Types) > 0 {
			b = soap.AppendQNames(b, "dpws:Types", r.Host.Types)
		}
		b = append(b, `</dpws:Host>`...)
	}
	for _, h := range r.Hosted {
		b = append(b, `<dpws:Hosted>`...)
		for i := range h.Endpoints {
			b = h.Endpoints[i].Append(b, "wsa:EndpointReference")
		}
		b = soap.AppendQNames(b, "dpws:Types", h.Types)
		b = xmlscan.AppendElement(b, "dpws:ServiceId", h.ServiceID)
		b = append(b, `</dpws:Hosted>`...)
	}
	return xmlscan.AppendEnd(b, "dpws:Relationship")
}

// maxHosted bounds the services of one device.
const maxHosted = 256

// MetadataName is the body element of metadata answers.
func MetadataName() Name { return Name{Space: xmlscan.NsMEX, Local: "Metadata"} }

// DecodeMetadata reads the mex:Metadata element the scanner stands on. Sections
// are told apart by their dialect; unknown ones are kept.
func DecodeMetadata(s *xmlscan.Scanner) (*Metadata, error) {
	m := new(Metadata)
	for s.Child() {
		if s.Name() != (Name{Space: xmlscan.NsMEX, Local: "MetadataSection"}) {
			_ = s.Skip() // errors of the scanner are sticky
			continue
		}
		dialect, _ := s.Attr("", "Dialect")
		if err := m.decodeSection(s, strings.TrimSpace(dialect)); err != nil {
			return nil, err
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Metadata) decodeSection(s *xmlscan.Scanner, dialect string) (err error) {
	empty := true
	for s.Child() {
		empty = false
		switch n := s.Name(); {
		case dialect == DialectThisModel && n == dpws("ThisModel"):
			m.ThisModel, err = decodeThisModel(s)
		case dialect == DialectThisDevice && n == dpws("ThisDevice"):
			m.ThisDevice, err = decodeThisDevice(s)
		case dialect == DialectRelationship && n == dpws("Relationship"):
			err = m.decodeRelationship(s)
		case dialect == DialectWSDL && n == Name{Space: xmlscan.NsMEX, Local: "Location"}:
			var text string
			if text, err = s.Text(); err == nil {
				m.WSDL = append(m.WSDL, strings.TrimSpace(text))
			}
		default:
			var raw xmlscan.Raw
			if raw, err = s.Raw(); err != nil {
				break
			}
			if dialect == DialectWSDL && n.Space == xmlscan.NsWSDL {
				m.InlineWSDL = append(m.InlineWSDL, raw)
			} else {
				m.Other = append(m.Other, Section{Dialect: dialect, Content: raw})
			}
		}
		if err != nil {
			return err
		}
	}
	if empty && s.Err() == nil {
		m.Other = append(m.Other, Section{Dialect: dialect})
	}
	return s.Err()
}

func dpws(local string) Name { return Name{Space: xmlscan.NsDPWS, Local: local} }

func (m *Metadata) decodeRelationship(s *xmlscan.Scanner) error {
	if kind, _ := s.Attr("", "Type"); strings.TrimSpace(kind) != RelationshipHost {
		raw, err := s.Raw()
		m.Other = append(m.Other, Section{Dialect: DialectRelationship, Content: raw})
		return err
	}
	for s.Child() {
		switch s.Name() {
		case dpws("Host"):
			h, err := decodeHosted(s)
			if err != nil {
				return err
			}
			if len(h.Endpoints) != 1 {
				return s.Errorf("host with %d endpoint references, want 1", len(h.Endpoints))
			}
			m.Host = &Host{Endpoint: h.Endpoints[0], Types: h.Types}
		case dpws("Hosted"):
			h, err := decodeHosted(s)
			if err != nil {
				return err
			}
			if len(m.Hosted) == maxHosted {
				return s.Errorf("more than %d hosted services", maxHosted)
			}
			m.Hosted = append(m.Hosted, h)
		default:
			_ = s.Skip()
		}
	}
	return s.Err()
}

// decodeHosted reads a Hosted element, and a Host, which is the same without an id.
func decodeHosted(s *xmlscan.Scanner) (h Hosted, err error) {
	for s.Child() {
		switch s.Name() {
		case Name{Space: xmlscan.NsAddressing, Local: "EndpointReference"}:
			var e soap.EndpointReference
			if e, err = soap.DecodeEndpointReference(s); err == nil {
				h.Endpoints = append(h.Endpoints, e)
			}
		case dpws("Types"):
			h.Types, err = soap.DecodeQNames(s)
		case dpws("ServiceId"):
			decodeString(s, &h.ServiceID)
		default:
			_ = s.Skip()
		}
		if err != nil {
			return h, err
		}
	}
	return h, s.Err()
}
