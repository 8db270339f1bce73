package soap

import (
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// NewFault returns a fault with a reason in English and the given subcodes,
// outermost first.
func NewFault(code FaultCode, reason string, subcodes ...Name) *Fault {
	return &Fault{Code: code, Reason: reason, Subcodes: subcodes}
}

func wsa(local string) Name { return Name{Space: xmlscan.NsAddressing, Local: local} }
func wse(local string) Name { return Name{Space: xmlscan.NsEventing, Local: local} }

// element is a small fault detail: one element of simple content.
type element struct {
	name Name // of a namespace with a known prefix
	text string
}

func (d element) AppendXML(b []byte) []byte {
	p := Prefix(d.name.Space)
	tag := p + ":" + d.name.Local
	b = xmlscan.AppendStart(b, tag)
	b = xmlscan.AppendNS(b, p, d.name.Space)
	b = append(b, '>')
	b = xmlscan.AppendText(b, d.text)
	return xmlscan.AppendEnd(b, tag)
}

// VersionMismatch answers an envelope that is not SOAP 1.2; the message carries an Upgrade header block.
func VersionMismatch() *Fault {
	return NewFault(CodeVersionMismatch, "the envelope is not SOAP 1.2")
}

// MustUnderstand answers header blocks with mustUnderstand that are not
// understood; the message names them in NotUnderstood header blocks.
func MustUnderstand(blocks ...Name) *Fault {
	f := NewFault(CodeMustUnderstand, "a header block with mustUnderstand is not understood")
	f.NotUnderstood = blocks
	return f
}

// InvalidMessage is the Sender fault for a message that is malformed or not what
// the action asks for, with the subcode wse:InvalidMessage.
func InvalidMessage(reason string) *Fault {
	return NewFault(CodeSender, reason, wse("InvalidMessage"))
}

// Receiver is a fault that is not the sender's.
func Receiver(reason string, subcodes ...Name) *Fault {
	return NewFault(CodeReceiver, reason, subcodes...)
}

// ActionNotSupported answers an action unknown at this endpoint (WS-Addressing 1.0 SOAP binding, 6.4.4).
func ActionNotSupported(action string) *Fault {
	f := NewFault(CodeSender, "the action "+action+" is not supported here", wsa("ActionNotSupported"))
	f.Detail = []Body{problemAction(action)}
	return f
}

type problemAction string

func (p problemAction) AppendXML(b []byte) []byte {
	b = append(b, `<wsa:ProblemAction>`...)
	b = xmlscan.AppendElement(b, "wsa:Action", string(p))
	return append(b, `</wsa:ProblemAction>`...)
}

// AddressingHeaderRequired answers a message that lacks an addressing header, given by its local name.
func AddressingHeaderRequired(header string) *Fault {
	f := NewFault(CodeSender, "the header wsa:"+header+" is required", wsa("MessageAddressingHeaderRequired"))
	f.Detail = []Body{problemHeader(header)}
	return f
}

// InvalidAddressingHeader answers an addressing header that breaks a rule; detail
// is one of the inner subcodes of WS-Addressing, such as InvalidCardinality,
// MissingAddressInEPR or OnlyAnonymousAddressSupported.
func InvalidAddressingHeader(header, detail string) *Fault {
	f := NewFault(CodeSender, "the header wsa:"+header+" is not valid: "+detail,
		wsa("InvalidAddressingHeader"), wsa(detail))
	f.Detail = []Body{problemHeader(header)}
	return f
}

type problemHeader string

func (p problemHeader) AppendXML(b []byte) []byte {
	return xmlscan.AppendElement(b, "wsa:ProblemHeaderQName", "wsa:"+string(p))
}

// DestinationUnreachable says that nothing lives at the address, with HTTP status 404.
func DestinationUnreachable(address string) *Fault {
	f := NewFault(CodeSender, "no route to "+address, wsa("DestinationUnreachable"))
	f.Status = 404
	return f
}

// EndpointUnavailable says that the endpoint cannot take the message now, with
// HTTP status 503. A positive retryAfter is rounded up to full milliseconds and
// passed on.
func EndpointUnavailable(reason string, retryAfter time.Duration) *Fault {
	f := NewFault(CodeReceiver, reason, wsa("EndpointUnavailable"))
	f.Status = 503
	if retryAfter > 0 {
		ms := (retryAfter + time.Millisecond - 1) / time.Millisecond
		f.Detail = []Body{element{wsa("RetryAfter"), string(xmlscan.AppendUint(nil, uint64(ms)))}}
	}
	return f
}

// DeliveryModeUnavailable refuses a WS-Eventing delivery mode and names the one supported.
func DeliveryModeUnavailable(supported string) *Fault {
	f := NewFault(CodeSender, "the requested delivery mode is not supported", wse("DeliveryModeRequestedUnavailable"))
	f.Detail = []Body{element{wse("SupportedDeliveryMode"), supported}}
	return f
}

// FilteringUnavailable refuses a WS-Eventing filter dialect and names those supported.
func FilteringUnavailable(supported ...string) *Fault {
	f := NewFault(CodeSender, "the requested filter dialect is not supported", wse("FilteringRequestedUnavailable"))
	for _, d := range supported {
		f.Detail = append(f.Detail, element{wse("SupportedDialect"), d})
	}
	return f
}

// FilterActionNotSupported refuses a DPWS action filter none of whose actions the source has.
func FilterActionNotSupported() *Fault {
	f := NewFault(CodeSender, "no action of the filter is supported",
		Name{Space: xmlscan.NsDPWS, Local: "FilterActionNotSupported"})
	f.Action = ActionDPWSFault
	return f
}

// EventSourceUnable refuses a subscription the source cannot process.
func EventSourceUnable(reason string) *Fault {
	return NewFault(CodeReceiver, reason, wse("EventSourceUnableToProcess"))
}

// InvalidExpirationTime refuses a duration that is not positive or a time that has passed.
func InvalidExpirationTime(reason string) *Fault {
	return NewFault(CodeSender, reason, wse("InvalidExpirationTime"))
}

// UnsupportedExpirationType refuses an absolute expiration time.
func UnsupportedExpirationType() *Fault {
	return NewFault(CodeSender, "only durations are supported as expiration time", wse("UnsupportedExpirationType"))
}

// UnableToRenew refuses to renew a subscription that is not known any more.
func UnableToRenew(reason string) *Fault {
	return NewFault(CodeReceiver, reason, wse("UnableToRenew"))
}

// MatchingRuleNotSupported refuses a WS-Discovery scope matching rule and names those supported.
func MatchingRuleNotSupported(supported ...string) *Fault {
	f := NewFault(CodeSender, "the matching rule is not supported",
		Name{Space: xmlscan.NsDiscovery, Local: "MatchingRuleNotSupported"})
	f.Action = ActionDiscoveryFault
	list := ""
	for i, r := range supported {
		if i > 0 {
			list += " "
		}
		list += r
	}
	f.Detail = []Body{element{Name{Space: xmlscan.NsDiscovery, Local: "SupportedMatchingRules"}, list}}
	return f
}
