package discovery

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// appSequence orders the messages of one sender (WS-Discovery 1.1, 7): InstanceID grows
// with each restart, MessageNumber with each message.
type appSequence struct {
	InstanceID    uint32
	MessageNumber uint32
}

// AppendXML writes the wsd:AppSequence header block.
func (a appSequence) AppendXML(b []byte) []byte {
	b = append(b, `<wsd:AppSequence xmlns:wsd="`+xmlscan.NsDiscovery+`"`...)
	b = xmlscan.AppendAttrUint(b, "InstanceId", uint64(a.InstanceID))
	b = xmlscan.AppendAttrUint(b, "MessageNumber", uint64(a.MessageNumber))
	return append(b, "/>"...)
}

// kind is one of the six messages.
type kind uint8

const (
	kindHello kind = iota + 1
	kindBye
	kindProbe
	kindProbeMatches
	kindResolve
	kindResolveMatches
)

func (k kind) action() string {
	switch k {
	case kindHello:
		return ActionHello
	case kindBye:
		return ActionBye
	case kindProbe:
		return ActionProbe
	case kindProbeMatches:
		return ActionProbeMatches
	case kindResolve:
		return ActionResolve
	case kindResolveMatches:
		return ActionResolveMatches
	}
	return ""
}

// String is the local name of the body element.
func (k kind) String() string { return k.action()[strings.LastIndexByte(k.action(), '/')+1:] }

// body is the content of a message: of the fields those that its kind has. It is the
// soap.Body of what is sent.
type body struct {
	kind      kind
	endpoints []Endpoint // Hello, Bye and Resolve have one, of the latter two only the EPR
	filter    Filter     // of a Probe
}

// AppendXML writes the body element.
func (m body) AppendXML(b []byte) []byte {
	tag := "wsd:" + m.kind.String()
	b = xmlscan.AppendStart(b, tag)
	b = xmlscan.AppendNS(b, "wsd", xmlscan.NsDiscovery)
	b = append(b, '>')
	switch m.kind {
	case kindHello:
		b = appendEndpoint(b, m.endpoints[0])
	case kindBye, kindResolve:
		b = appendEPR(b, m.endpoints[0].EPR)
	case kindProbe:
		b = appendFilter(b, m.filter)
	case kindProbeMatches, kindResolveMatches:
		match := strings.TrimSuffix(tag, "es")
		for _, e := range m.endpoints {
			b = xmlscan.AppendStart(b, match)
			b = append(b, '>')
			b = appendEndpoint(b, e)
			b = xmlscan.AppendEnd(b, match)
		}
	}
	return xmlscan.AppendEnd(b, tag)
}

func appendEPR(b []byte, epr string) []byte {
	e := soap.NewEndpoint(epr)
	return e.Append(b, "wsa:EndpointReference")
}

func appendEndpoint(b []byte, e Endpoint) []byte {
	b = appendEPR(b, e.EPR)
	if len(e.Types) > 0 {
		b = soap.AppendQNames(b, "wsd:Types", e.Types)
	}
	if len(e.Scopes) > 0 {
		b = xmlscan.AppendElement(b, "wsd:Scopes", strings.Join(e.Scopes, " "))
	}
	if len(e.XAddrs) > 0 {
		b = xmlscan.AppendElement(b, "wsd:XAddrs", strings.Join(withZone(e.XAddrs, ""), " "))
	}
	return xmlscan.AppendElement(b, "wsd:MetadataVersion", strconv.FormatUint(uint64(e.MetadataVersion), 10))
}

// withZone sets the zone of those URLs that are link-local, or takes it away. It makes a new list if that changes anything.
func withZone(urls []string, zone string) []string {
	same := func(u string) bool { return localnet.Complete(u, zone) == u }
	if !slices.ContainsFunc(urls, func(u string) bool { return !same(u) }) {
		return urls
	}
	out := make([]string, len(urls))
	for i, u := range urls {
		out[i] = localnet.Complete(u, zone)
	}
	return out
}

func appendFilter(b []byte, f Filter) []byte {
	if len(f.Types) > 0 {
		b = soap.AppendQNames(b, "wsd:Types", f.Types)
	}
	if len(f.Scopes) > 0 || f.MatchBy != "" {
		b = xmlscan.AppendStart(b, "wsd:Scopes")
		if f.MatchBy != "" {
			b = xmlscan.AppendAttr(b, "MatchBy", f.MatchBy)
		}
		b = append(b, '>')
		b = xmlscan.AppendText(b, strings.Join(f.Scopes, " "))
		b = xmlscan.AppendEnd(b, "wsd:Scopes")
	}
	return b
}

// message is a received message.
type message struct {
	body
	id          string // wsa:MessageID
	relatesTo   string
	sequence    appSequence
	hasSequence bool // peers may leave it out over HTTP
}

// errNotDiscovery says that a datagram is some other protocol's.
var errNotDiscovery = errors.New("not a discovery message of this version")

// maxID bounds the length of identifiers that are kept or echoed, in bytes.
const maxID = 256

// maxSought bounds the types and the scopes of a Probe: each is compared with all of every endpoint.
const maxSought = 64

// receiveLimits bounds what is parsed of a datagram.
func receiveLimits() xmlscan.Limits {
	return xmlscan.Limits{MaxBytes: maxReceive, MaxDepth: 16, MaxAttrs: 32, MaxElements: 512, MaxNamespaces: 64}
}

// decodeDatagram reads a message from a datagram. Nothing in it refers to doc.
func decodeDatagram(doc []byte) (*message, error) {
	env, err := soap.Parse(doc, receiveLimits())
	if err != nil {
		return nil, err
	}
	return decodeEnvelope(env)
}

func decodeEnvelope(env *soap.Envelope) (*message, error) {
	name := env.BodyName()
	if name.Space != xmlscan.NsDiscovery {
		return nil, errNotDiscovery
	}
	m := &message{id: env.Header.MessageID, relatesTo: env.Header.RelatesTo}
	for k := kindHello; k <= kindResolveMatches; k++ {
		if name.Local == k.String() {
			m.kind = k
		}
	}
	switch {
	case m.kind == 0:
		return nil, errNotDiscovery
	case env.Header.Action != m.kind.action():
		return nil, fmt.Errorf("action %q does not fit to %v", env.Header.Action, m.kind)
	case m.id == "" || len(m.id) > maxID || len(m.relatesTo) > maxID:
		return nil, errors.New("missing or overlong message id")
	}
	if err := env.Check(appSequenceName()); err != nil {
		return nil, err
	}
	if block, ok := env.Header.Block(appSequenceName()); ok {
		seq, err := decodeSequence(block)
		if err != nil {
			return nil, err
		}
		m.sequence, m.hasSequence = seq, true
	}
	if err := decodeBody(env.Body(), &m.body); err != nil {
		return nil, err
	}
	if err := env.Close(); err != nil {
		return nil, err
	}
	return m, nil
}

func wsd(local string) Name { return Name{Space: xmlscan.NsDiscovery, Local: local} }

func appSequenceName() Name { return wsd("AppSequence") }

func decodeSequence(block xmlscan.Raw) (appSequence, error) {
	var seq appSequence
	s := block.Scanner()
	if err := s.Root(); err != nil {
		return seq, err
	}
	for _, a := range []struct {
		name string
		v    *uint32
	}{{"InstanceId", &seq.InstanceID}, {"MessageNumber", &seq.MessageNumber}} {
		text, _ := s.Attr("", a.name)
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
		if err != nil {
			return seq, s.Errorf("%s of AppSequence: %q is no unsignedInt", a.name, text)
		}
		*a.v = uint32(n)
	}
	return seq, nil
}

// decodeBody reads the body element the scanner stands on; m.kind is set already.
func decodeBody(s *xmlscan.Scanner, m *body) error {
	switch m.kind {
	case kindProbe:
		f, err := decodeFilter(s)
		m.filter = f
		return err
	case kindProbeMatches, kindResolveMatches:
		match := wsd(strings.TrimSuffix(m.kind.String(), "es"))
		for s.Child() {
			if s.Name() != match {
				_ = s.Skip() // extensions; the error is sticky and read below
				continue
			}
			e, err := decodeEndpoint(s, true)
			if err != nil {
				return err
			}
			m.endpoints = append(m.endpoints, e)
		}
		return s.Err()
	}
	e, err := decodeEndpoint(s, m.kind == kindHello)
	m.endpoints = []Endpoint{e}
	return err
}

func decodeEndpoint(s *xmlscan.Scanner, needVersion bool) (Endpoint, error) {
	var e Endpoint
	var hasEPR, hasVersion bool
	for s.Child() {
		var err error
		switch s.Name() {
		case Name{Space: xmlscan.NsAddressing, Local: "EndpointReference"}:
			var epr soap.EndpointReference
			epr, err = soap.DecodeEndpointReference(s)
			e.EPR, hasEPR = epr.Address, true
			if len(e.EPR) > maxID {
				err = s.Errorf("overlong endpoint address")
			}
		case wsd("Types"):
			e.Types, err = soap.DecodeQNames(s)
		case wsd("Scopes"):
			e.Scopes, err = decodeURIs(s)
		case wsd("XAddrs"):
			e.XAddrs, err = decodeURIs(s)
			e.XAddrs = withZone(e.XAddrs, "") // one that comes from others means nothing here
		case wsd("MetadataVersion"):
			e.MetadataVersion, err = decodeUint(s)
			hasVersion = true
		default:
			err = s.Skip()
		}
		if err != nil {
			return e, err
		}
	}
	switch err := s.Err(); {
	case err != nil:
		return e, err
	case !hasEPR:
		return e, s.Errorf("no wsa:EndpointReference")
	case needVersion && !hasVersion:
		return e, s.Errorf("no wsd:MetadataVersion")
	}
	return e, nil
}

func decodeFilter(s *xmlscan.Scanner) (Filter, error) {
	var f Filter
	for s.Child() {
		var err error
		switch s.Name() {
		case wsd("Types"):
			f.Types, err = soap.DecodeQNames(s)
		case wsd("Scopes"):
			rule, _ := s.Attr("", "MatchBy")
			f.MatchBy = strings.TrimSpace(rule)
			f.Scopes, err = decodeURIs(s)
		default:
			err = s.Skip()
		}
		if err == nil && max(len(f.Types), len(f.Scopes)) > maxSought {
			err = s.Errorf("more than %d types or scopes are looked for", maxSought)
		}
		if err != nil {
			return f, err
		}
	}
	return f, s.Err()
}

func decodeURIs(s *xmlscan.Scanner) ([]string, error) {
	text, err := s.Text()
	if err != nil {
		return nil, err
	}
	if uris := strings.Fields(text); len(uris) > 0 {
		return uris, nil
	}
	return nil, nil
}

func decodeUint(s *xmlscan.Scanner) (uint32, error) {
	text, err := s.Text()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, s.Errorf("%q is no unsignedInt", text)
	}
	return uint32(n), nil
}
