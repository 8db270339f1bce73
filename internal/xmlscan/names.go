package xmlscan

// Namespace names used by SDC and the web service standards below it. A scanner
// hands out exactly these strings in [Name.Space], so comparing with them costs
// a pointer comparison in the common case.
const (
	NsXML        = "http://www.w3.org/XML/1998/namespace"          // prefix xml, bound by definition
	NsXMLNS      = "http://www.w3.org/2000/xmlns/"                 // prefix xmlns, never bound by a document
	NsXSI        = "http://www.w3.org/2001/XMLSchema-instance"     // prefix xsi
	NsXSD        = "http://www.w3.org/2001/XMLSchema"              // prefix xsd
	NsSOAP12     = "http://www.w3.org/2003/05/soap-envelope"       // prefix s12
	NsSOAP11     = "http://schemas.xmlsoap.org/soap/envelope/"     // SOAP 1.1, only to recognise a version mismatch
	NsAddressing = "http://www.w3.org/2005/08/addressing"          // prefix wsa
	NsWSAMeta    = "http://www.w3.org/2007/05/addressing/metadata" // prefix wsam
	NsEventing   = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
	NsDiscovery  = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
	NsDPWS       = "http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"
	NsMDPWS      = "http://standards.ieee.org/downloads/11073/11073-20702-2016"
	NsMEX        = "http://schemas.xmlsoap.org/ws/2004/09/mex"
	NsTransfer   = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	NsWSDL       = "http://schemas.xmlsoap.org/wsdl/"
	NsWSDLSOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
	NsPolicy     = "http://www.w3.org/ns/ws-policy"
	NsWSStream   = "http://docs.oasis-open.org/ws-dd/ns/ws-streaming/2009/01"               // not used by SDC, recognised only
	NsPM         = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" // prefix pm
	NsMsg        = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message"     // prefix msg
	NsExt        = "http://standards.ieee.org/downloads/11073/11073-10207-2017/extension"   // prefix ext
	NsGlue       = "http://standards.ieee.org/downloads/11073/11073-20701-2018"             // prefix sdc
	NsSDPi       = "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.1.1"                               // prefix sdpi
)

// Name is an expanded name: namespace name and local part. It is comparable;
// two names are the same exactly when both parts are equal.
type Name struct {
	Space string // namespace name, "" for none
	Local string
}

// String returns the name in the form {space}local, or local alone when it is in no namespace.
func (n Name) String() string {
	if n.Space == "" {
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

// wellKnown returns the constant for a namespace name, so that all names in it share one string.
func wellKnown(uri []byte) (string, bool) {
	switch string(uri) {
	case "":
		return "", true
	case NsXML:
		return NsXML, true
	case NsXMLNS:
		return NsXMLNS, true
	case NsXSI:
		return NsXSI, true
	case NsXSD:
		return NsXSD, true
	case NsSOAP12:
		return NsSOAP12, true
	case NsSOAP11:
		return NsSOAP11, true
	case NsAddressing:
		return NsAddressing, true
	case NsWSAMeta:
		return NsWSAMeta, true
	case NsEventing:
		return NsEventing, true
	case NsDiscovery:
		return NsDiscovery, true
	case NsDPWS:
		return NsDPWS, true
	case NsMDPWS:
		return NsMDPWS, true
	case NsMEX:
		return NsMEX, true
	case NsTransfer:
		return NsTransfer, true
	case NsWSDL:
		return NsWSDL, true
	case NsWSDLSOAP12:
		return NsWSDLSOAP12, true
	case NsPolicy:
		return NsPolicy, true
	case NsWSStream:
		return NsWSStream, true
	case NsPM:
		return NsPM, true
	case NsMsg:
		return NsMsg, true
	case NsExt:
		return NsExt, true
	case NsGlue:
		return NsGlue, true
	case NsSDPi:
		return NsSDPi, true
	}
	return "", false
}
