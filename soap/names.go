package soap

import "github.com/semeco/go-sdc/internal/xmlscan"

// Name is an expanded XML name: namespace name and local part.
type Name = xmlscan.Name

// URIs of WS-Addressing 1.0 that appear in messages.
const (
	// Anonymous is the address that stands for the back channel of a connection.
	Anonymous = "http://www.w3.org/2005/08/addressing/anonymous"
	// None is the address to which nothing is sent.
	None = "http://www.w3.org/2005/08/addressing/none"
	// ActionFault is the action of faults that WS-Addressing or an application defines.
	ActionFault = "http://www.w3.org/2005/08/addressing/fault"
	// ActionSOAPFault is the action of the faults SOAP itself defines, such as VersionMismatch.
	ActionSOAPFault = "http://www.w3.org/2005/08/addressing/soap/fault"
	// ActionDiscoveryFault is the action of faults of WS-Discovery.
	ActionDiscoveryFault = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/fault"
	// ActionDPWSFault is the action of faults that DPWS defines.
	ActionDPWSFault = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01/fault"

	relationshipReply = "http://www.w3.org/2005/08/addressing/reply"

	roleNext     = "http://www.w3.org/2003/05/soap-envelope/role/next"
	roleUltimate = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
)

// ContentType is the media type of every envelope written. The bytes are always UTF-8.
const ContentType = "application/soap+xml; charset=utf-8"

// Prefix returns the prefix under which this stack writes a well-known
// namespace, or "" when the namespace has none.
func Prefix(space string) string {
	switch space {
	case xmlscan.NsSOAP12:
		return "s12"
	case xmlscan.NsAddressing:
		return "wsa"
	case xmlscan.NsEventing:
		return "wse"
	case xmlscan.NsDiscovery:
		return "wsd"
	case xmlscan.NsDPWS:
		return "dpws"
	case xmlscan.NsMDPWS:
		return "mdpws"
	case xmlscan.NsMEX:
		return "mex"
	case xmlscan.NsTransfer:
		return "wxf"
	case xmlscan.NsXSD:
		return "xsd"
	case xmlscan.NsXSI:
		return "xsi"
	case xmlscan.NsPM:
		return "pm"
	case xmlscan.NsMsg:
		return "msg"
	case xmlscan.NsExt:
		return "ext"
	case xmlscan.NsGlue:
		return "sdc"
	case xmlscan.NsSDPi:
		return "sdpi"
	}
	return ""
}
