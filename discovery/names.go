package discovery

import (
	"net/netip"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// Name is an expanded XML name, used for types.
type Name = soap.Name

// Constants of WS-Discovery 1.1.
const (
	// DefaultPort is the UDP port of WS-Discovery.
	DefaultPort = 3702
	// To is the wsa:To of multicast messages (WSD-1).
	To = "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01"

	ActionHello          = xmlscan.NsDiscovery + "/Hello"
	ActionBye            = xmlscan.NsDiscovery + "/Bye"
	ActionProbe          = xmlscan.NsDiscovery + "/Probe"
	ActionProbeMatches   = xmlscan.NsDiscovery + "/ProbeMatches"
	ActionResolve        = xmlscan.NsDiscovery + "/Resolve"
	ActionResolveMatches = xmlscan.NsDiscovery + "/ResolveMatches"
)

// Scope matching rules of WS-Discovery 1.1, 5.1. An absent rule means MatchRFC3986.
const (
	MatchRFC3986 = xmlscan.NsDiscovery + "/rfc3986" // segment-wise prefix of URIs; the default
	MatchStrcmp0 = xmlscan.NsDiscovery + "/strcmp0" // equal strings
	MatchNone    = xmlscan.NsDiscovery + "/none"    // only endpoints that have no scope
	MatchUUID    = xmlscan.NsDiscovery + "/uuid"    // known, not supported
	MatchLDAP    = xmlscan.NsDiscovery + "/ldap"    // known, not supported
)

// MaxDatagram is the largest datagram sent, in bytes (DPWS MAX_ENVELOPE_SIZE, WSD-3).
const MaxDatagram = 4096

// GroupIPv4 is the multicast group of WS-Discovery for IPv4.
func GroupIPv4() netip.Addr { return netip.AddrFrom4([4]byte{239, 255, 255, 250}) }

// GroupIPv6 is the multicast group of WS-Discovery for IPv6, of the link.
func GroupIPv6() netip.Addr { return netip.MustParseAddr("ff02::c") }

// DeviceTypes are the types of every medical device: dpws:Device and
// mdpws:MedicalDevice (MDPWS R0008).
func DeviceTypes() []Name {
	return []Name{
		{Space: xmlscan.NsDPWS, Local: "Device"},
		{Space: xmlscan.NsMDPWS, Local: "MedicalDevice"},
	}
}
