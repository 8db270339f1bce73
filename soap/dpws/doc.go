// Package dpws describes devices and their services as the Devices Profile for
// Web Services 1.1 does: model, device and hosting metadata exchanged by
// WS-Transfer and WS-MetadataExchange, and the WSDL of hosted services.
//
// It knows no particular service: names, namespaces and operations are given by
// the caller.
package dpws

import "github.com/semeco/go-sdc/internal/xmlscan"

// Name is an expanded XML name.
type Name = xmlscan.Name

// Actions of the metadata exchanges.
const (
	ActionGet                 = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
	ActionGetResponse         = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse"
	ActionGetMetadata         = "http://schemas.xmlsoap.org/ws/2004/09/mex/GetMetadata/Request"
	ActionGetMetadataResponse = "http://schemas.xmlsoap.org/ws/2004/09/mex/GetMetadata/Response"
)

// Dialects of metadata sections.
const (
	DialectThisModel    = xmlscan.NsDPWS + "/ThisModel"
	DialectThisDevice   = xmlscan.NsDPWS + "/ThisDevice"
	DialectRelationship = xmlscan.NsDPWS + "/Relationship"
	DialectWSDL         = xmlscan.NsWSDL
)

// RelationshipHost is the type of the relationship between a host and what it hosts.
const RelationshipHost = xmlscan.NsDPWS + "/host"

// Limits of DPWS 1.1 appendix B: MAX_FIELD_SIZE in Unicode characters and MAX_URI_SIZE in bytes.
const (
	MaxField = 256
	MaxURI   = 2048
)

// Names of the types of a device.
func deviceType() Name { return Name{Space: xmlscan.NsDPWS, Local: "Device"} }

// DeviceTypes returns the types a medical device of MDPWS announces: dpws:Device and mdpws:MedicalDevice.
func DeviceTypes() []Name {
	return []Name{deviceType(), {Space: xmlscan.NsMDPWS, Local: "MedicalDevice"}}
}
