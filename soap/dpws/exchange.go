package dpws

import (
	"context"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// GetDevice asks a device for its metadata (WS-Transfer Get). url is one of its
// transport addresses, epr its stable address, which becomes wsa:To; "" takes the url.
// The action of the answer is not looked at: a peer is known to mix them up.
func GetDevice(ctx context.Context, c *soap.Client, url, epr string) (*Metadata, error) {
	if epr == "" {
		epr = url
	}
	env, err := c.Exchange(ctx, url, soap.NewHeader(soap.NewEndpoint(epr), ActionGet), nil)
	if err != nil {
		return nil, err
	}
	return soap.DecodeAnswer(env, MetadataName(), DecodeMetadata)
}

// GetHosted asks a hosted service for its metadata (WS-MetadataExchange
// GetMetadata). The action of the answer is not looked at.
func GetHosted(ctx context.Context, c *soap.Client, service soap.EndpointReference) (*Metadata, error) {
	env, err := c.Call(ctx, service, ActionGetMetadata, GetMetadata{})
	if err != nil {
		return nil, err
	}
	return soap.DecodeAnswer(env, MetadataName(), DecodeMetadata)
}

// GetMetadata is the request of WS-MetadataExchange; both fields are optional.
type GetMetadata struct {
	Dialect    string // asks for sections of one dialect
	Identifier string // asks for sections of one identifier
}

// AppendXML appends the mex:GetMetadata element.
func (g GetMetadata) AppendXML(b []byte) []byte {
	b = append(b, `<mex:GetMetadata xmlns:mex="`+xmlscan.NsMEX+`">`...)
	b = appendOptional(b, "mex:Dialect", g.Dialect)
	b = appendOptional(b, "mex:Identifier", g.Identifier)
	return xmlscan.AppendEnd(b, "mex:GetMetadata")
}

func getMetadataName() Name { return Name{Space: xmlscan.NsMEX, Local: "GetMetadata"} }

// DecodeGetMetadata reads the mex:GetMetadata element the scanner stands on.
func DecodeGetMetadata(s *xmlscan.Scanner) (GetMetadata, error) {
	var g GetMetadata
	for s.Child() {
		switch s.Name() {
		case Name{Space: xmlscan.NsMEX, Local: "Dialect"}:
			decodeString(s, &g.Dialect)
		case Name{Space: xmlscan.NsMEX, Local: "Identifier"}:
			decodeString(s, &g.Identifier)
		default:
			_ = s.Skip()
		}
	}
	return g, s.Err()
}

// HandleGet answers WS-Transfer Get with what metadata returns, which may depend on the
// address that the request came to. A request whose body is not empty is refused (SOAP-1).
func HandleGet(metadata func(r *soap.Request) *Metadata) soap.Handler {
	return func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		if err := r.ExpectEmpty(); err != nil {
			return nil, err
		}
		return &soap.Response{Action: ActionGetResponse, Body: metadata(r)}, nil
	}
}

// HandleGetMetadata answers WS-MetadataExchange GetMetadata with what metadata
// returns, or with the sections of one dialect if the request names one.
func HandleGetMetadata(metadata func(r *soap.Request) *Metadata) soap.Handler {
	return func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		g, err := soap.Decode(r.Envelope, getMetadataName(), DecodeGetMetadata)
		if err != nil {
			return nil, err
		}
		m := metadata(r)
		if g.Dialect != "" {
			m = m.only(g.Dialect)
		}
		return &soap.Response{Action: ActionGetMetadataResponse, Body: m}, nil
	}
}

// only returns the sections of one dialect.
func (m *Metadata) only(dialect string) *Metadata {
	o := new(Metadata)
	switch dialect {
	case DialectThisModel:
		o.ThisModel = m.ThisModel
	case DialectThisDevice:
		o.ThisDevice = m.ThisDevice
	case DialectRelationship:
		o.Host, o.Hosted = m.Host, m.Hosted
	case DialectWSDL:
		o.WSDL, o.InlineWSDL = m.WSDL, m.InlineWSDL
	}
	for _, s := range m.Other {
		if s.Dialect == dialect {
			o.Other = append(o.Other, s)
		}
	}
	return o
}
