package soap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/semeco/go-sdc/internal/localnet"
	"github.com/semeco/go-sdc/internal/xmlscan"
)

// Header is the header of a message: the addressing properties of WS-Addressing
// 1.0 and whatever else stood there.
type Header struct {
	To        string // wsa:To; empty means anonymous
	Action    string // wsa:Action
	MessageID string // wsa:MessageID
	RelatesTo string // wsa:RelatesTo of a reply; RelationshipType is never written (DPWS R0019, R0040)

	ReplyTo *EndpointReference
	FaultTo *EndpointReference
	From    *EndpointReference

	// ReferenceParameters of the endpoint written to; each becomes a header block
	// marked wsa:IsReferenceParameter. Not set on received headers: there they are
	// among Blocks.
	ReferenceParameters []xmlscan.Raw

	// Extra header blocks to write, for example sdpi:ReportSequence. Not set on
	// received headers.
	Extra []Body

	// Blocks are the received header blocks other than the addressing properties
	// above, in document order.
	Blocks []xmlscan.Raw
}

// NewHeader returns the header of a new message to an endpoint: To without the zone of
// an IPv6 address, Action, a fresh MessageID and the endpoint's reference parameters.
func NewHeader(to EndpointReference, action string) *Header {
	return &Header{
		To: localnet.Strip(to.Address), Action: action, MessageID: NewMessageID(),
		ReferenceParameters: to.ReferenceParameters,
	}
}

// NewMessageID returns a fresh urn:uuid: identifier.
func NewMessageID() string { return uuid.New().URN() }

// Block returns the first received header block of the given name.
func (h *Header) Block(name Name) (xmlscan.Raw, bool) {
	for _, b := range h.Blocks {
		if b.Name == name {
			return b, true
		}
	}
	return xmlscan.Raw{}, false
}

func (h *Header) append(b []byte) []byte {
	if h.To != "" {
		b = xmlscan.AppendElement(b, "wsa:To", h.To)
	}
	if h.Action != "" {
		b = xmlscan.AppendElement(b, "wsa:Action", h.Action)
	}
	if h.MessageID != "" {
		b = xmlscan.AppendElement(b, "wsa:MessageID", h.MessageID)
	}
	if h.RelatesTo != "" {
		b = xmlscan.AppendElement(b, "wsa:RelatesTo", h.RelatesTo)
	}
	if h.From != nil {
		b = h.From.Append(b, "wsa:From")
	}
	if h.ReplyTo != nil {
		b = h.ReplyTo.Append(b, "wsa:ReplyTo")
	}
	if h.FaultTo != nil {
		b = h.FaultTo.Append(b, "wsa:FaultTo")
	}
	for _, r := range h.ReferenceParameters {
		b = appendReferenceParameter(b, r)
	}
	for _, x := range h.Extra {
		b = x.AppendXML(b)
	}
	return b
}

// decodeHeader reads the Header element the scanner stands on. Scanner errors
// are sticky; what is wrong with the properties is kept for Check.
func (e *Envelope) decodeHeader() {
	s, h := e.s, &e.Header
	var seenTo, seenAction, seenID bool
	for s.Child() {
		n := s.Name()
		if !e.count() {
			return
		}
		if n.Space != xmlscan.NsAddressing {
			e.decodeBlock(n)
			continue
		}
		switch n.Local {
		case "To":
			e.decodeURI(&h.To, &seenTo, n)
		case "Action":
			e.decodeURI(&h.Action, &seenAction, n)
		case "MessageID":
			e.decodeURI(&h.MessageID, &seenID, n)
		case "RelatesTo":
			kind, _ := s.Attr("", "RelationshipType")
			text, err := s.Text()
			// wsa:Reply is what one test tool writes; it means the same.
			isReply := kind == "" || kind == relationshipReply || kind == "wsa:Reply"
			if err == nil && isReply && h.RelatesTo == "" {
				h.RelatesTo = e.uri(text, n)
			}
		case "ReplyTo":
			e.decodeEndpoint(&h.ReplyTo, n)
		case "FaultTo":
			e.decodeEndpoint(&h.FaultTo, n)
		case "From":
			e.decodeEndpoint(&h.From, n)
		default:
			e.decodeBlock(n)
		}
	}
}

func (e *Envelope) decodeURI(dst *string, seen *bool, n Name) {
	text, err := e.s.Text()
	if err != nil {
		return
	}
	if *seen {
		e.refuse(InvalidAddressingHeader(n.Local, "InvalidCardinality"))
		return
	}
	*seen = true
	*dst = e.uri(text, n)
}

// uri returns a URI without the space around it, or refuses one that is too long.
func (e *Envelope) uri(text string, n Name) string {
	if text = strings.TrimSpace(text); len(text) > maxURI {
		e.refuse(InvalidMessage(fmt.Sprintf("%s of more than %d bytes", n.Local, maxURI)))
		return ""
	}
	return text
}

// decodeEndpoint reads an endpoint header. A broken one is a fault of the
// addressing (answered), not of the XML, hence the detour over Raw.
func (e *Envelope) decodeEndpoint(dst **EndpointReference, n Name) {
	raw, err := e.s.Raw()
	if err != nil {
		return
	}
	if *dst != nil {
		e.refuse(InvalidAddressingHeader(n.Local, "InvalidCardinality"))
		return
	}
	in := raw.Scanner()
	if err = in.Root(); err == nil {
		var epr EndpointReference
		if epr, err = DecodeEndpointReference(in); err == nil {
			*dst = &epr
			return
		}
	}
	if errors.Is(err, xmlscan.ErrLimit) {
		e.refuse(InvalidMessage(n.Local + ": " + err.Error()))
		return
	}
	e.refuse(InvalidAddressingHeader(n.Local, "MissingAddressInEPR"))
}

// maxBlocks bounds the header blocks. Peers send a handful. The rest of a message that has more is not looked at.
const maxBlocks = 64

// count tells whether one more header block may be read.
func (e *Envelope) count() bool {
	e.blocks++
	if e.blocks > maxBlocks {
		e.refuse(InvalidMessage(fmt.Sprintf("more than %d header blocks", maxBlocks)))
		return false
	}
	return true
}

// decodeBlock keeps a header block and notes whether it must be understood by
// us, that is by the next node or the ultimate receiver (SOAP 1.2, 2.2 and 5.2).
func (e *Envelope) decodeBlock(n Name) {
	s := e.s
	must, hasMust := s.Attr(xmlscan.NsSOAP12, "mustUnderstand")
	role, _ := s.Attr(xmlscan.NsSOAP12, "role")
	raw, err := s.Raw()
	if err != nil {
		return
	}
	e.Header.Blocks = append(e.Header.Blocks, raw)
	if !hasMust {
		return
	}
	switch strings.TrimSpace(must) {
	case "true", "1":
		switch strings.TrimSpace(role) {
		case "", roleNext, roleUltimate:
			e.must = append(e.must, n)
		}
	case "false", "0":
	default:
		e.refuse(InvalidMessage("mustUnderstand of " + n.String() + " is not a boolean"))
	}
}
