package dpws_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

func message(local string) *dpws.Message {
	return &dpws.Message{Element: dpws.Name{Space: xmlscan.NsMsg, Local: local}, Action: xmlscan.NsGlue + "/" + local}
}

func wsdl() *dpws.Description {
	provider := dpws.Name{Space: "http://standards.ieee.org/downloads/11073/11073-10207-2017", Local: "ServiceProvider"}
	return &dpws.Description{
		TargetNamespace: xmlscan.NsGlue,
		PortTypes: []dpws.PortType{
			{Name: "GetService", DiscoveryType: provider, Operations: []dpws.Operation{
				{Name: "GetMdib", Input: message("GetMdib"), Output: message("GetMdibResponse")},
				{Name: "GetMdState", Input: message("GetMdState"), Output: message("GetMdStateResponse"), SOAPAction: "urn:own"},
			}},
			{Name: "WaveformService", DiscoveryType: provider, Operations: []dpws.Operation{
				{Name: "WaveformStream", Output: message("WaveformStream")},
			}},
			{Name: "Mixed", DiscoveryType: dpws.Name{Space: xmlscan.NsGlue, Local: "Own"}, Operations: []dpws.Operation{
				{Name: "Do", Input: &dpws.Message{Name: "DoIt", Element: dpws.Name{Space: "urn:own", Local: "do"}, Action: "urn:do"}},
				{Name: "Happened", Output: &dpws.Message{Element: dpws.Name{Space: "urn:own", Local: "happened"}, Action: "urn:happened"}},
				{Name: "GetMdib", Input: message("GetMdib"), Output: message("GetMdibResponse")},
			}},
		},
	}
}

func tree(t *testing.T, d *dpws.Description) *etree.Element {
	t.Helper()
	b := d.AppendXML(nil)
	_, err := xmlscan.ParseRaw(b, xmlscan.Limits{})
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	return doc.Root()
}

// resolve reads a QName against the declarations on the root.
func resolve(t *testing.T, root *etree.Element, qname string) dpws.Name {
	t.Helper()
	prefix, local, ok := strings.Cut(qname, ":")
	require.True(t, ok, "%q has a prefix", qname)
	space := root.SelectAttr("xmlns:" + prefix)
	require.NotNil(t, space, "prefix of %q is declared on the root", qname)
	return dpws.Name{Space: space.Value, Local: local}
}

func TestWSDL(t *testing.T) {
	// covers: GLUE 13, MDPWS R0010, MDPWS R0011, MDPWS R0014
	d := wsdl()
	require.NoError(t, d.Validate())
	root := tree(t, d)

	// GLUE 13
	require.Equal(t, "wsdl:definitions", root.FullTag())
	require.Equal(t, xmlscan.NsWSDL, root.NamespaceURI())
	require.Equal(t, "http://standards.ieee.org/downloads/11073/11073-20701-2018", root.SelectAttrValue("targetNamespace", ""))
	require.Empty(t, root.FindElements("//wsdl:import"))

	// MDPWS R0014, with the literal prefix, declared at the top
	require.Equal(t, xmlscan.NsDPWS, root.SelectAttrValue("xmlns:dpws", ""))
	ports := root.SelectElements("wsdl:portType")
	require.Len(t, ports, len(d.PortTypes))
	for i, p := range ports {
		want := d.PortTypes[i]
		require.Equal(t, want.Name, p.SelectAttrValue("name", ""))
		require.Equal(t, want.DiscoveryType, resolve(t, root, p.SelectAttrValue("dpws:DiscoveryType", "")))
		require.Equal(t, want.EventSource(), p.SelectAttrValue("wse:EventSource", "") == "true")
		require.Empty(t, p.FindElements(".//wsp:Policy"))
		ops := p.SelectElements("wsdl:operation")
		require.Len(t, ops, len(want.Operations))
		for j, op := range ops {
			require.Equal(t, want.Operations[j].Name, op.SelectAttrValue("name", ""))
			for tag, m := range map[string]*dpws.Message{"wsdl:input": want.Operations[j].Input, "wsdl:output": want.Operations[j].Output} {
				e := op.SelectElement(tag)
				require.Equal(t, m != nil, e != nil)
				if m == nil {
					continue
				}
				require.Equal(t, m.Action, e.SelectAttrValue("wsam:Action", ""))
				ref := resolve(t, root, e.SelectAttrValue("message", ""))
				require.Equal(t, xmlscan.NsGlue, ref.Space)
				part := root.FindElement("wsdl:message[@name='" + ref.Local + "']/wsdl:part")
				require.NotNil(t, part)
				require.Equal(t, m.Element, resolve(t, root, part.SelectAttrValue("element", "")))
			}
		}
	}

	// MDPWS R0010, R0011: inline, in each binding
	bindings := root.SelectElements("wsdl:binding")
	require.Len(t, bindings, len(d.PortTypes))
	for i, b := range bindings {
		require.Equal(t, dpws.Name{Space: xmlscan.NsGlue, Local: d.PortTypes[i].Name}, resolve(t, root, b.SelectAttrValue("type", "")))
		require.Equal(t, xmlscan.NsWSDLSOAP12, b.SelectElement("s12:binding").NamespaceURI())
		policy := b.SelectElement("wsp:Policy")
		require.NotNil(t, policy)
		require.Equal(t, xmlscan.NsPolicy, policy.NamespaceURI())
		for prefix, ns := range map[string]string{"dpws": xmlscan.NsDPWS, "mdpws": xmlscan.NsMDPWS} {
			profile := policy.SelectElement(prefix + ":Profile")
			require.NotNil(t, profile)
			require.Equal(t, ns, profile.NamespaceURI())
			require.Equal(t, "true", profile.SelectAttrValue("wsp:Optional", ""))
		}
		for _, op := range b.SelectElements("wsdl:operation") {
			require.NotEmpty(t, op.SelectElement("s12:operation").SelectAttrValue("soapAction", ""))
		}
	}
	require.Equal(t, "urn:own", bindings[0].SelectElements("wsdl:operation")[1].SelectElement("s12:operation").SelectAttrValue("soapAction", ""))

	// A message shared by two port types is written once; schemas are named, not located.
	require.Len(t, root.FindElements("wsdl:message[@name='GetMdib']"), 1)
	var imported []string
	for _, e := range root.FindElements("wsdl:types/xsd:schema/xsd:import") {
		imported = append(imported, e.SelectAttrValue("namespace", ""))
		require.Empty(t, e.SelectAttrValue("schemaLocation", ""))
	}
	require.Equal(t, []string{xmlscan.NsMsg, "urn:own"}, imported)
}

func TestWSDLEmbedsSchemas(t *testing.T) {
	d := wsdl()
	d.Schemas = []dpws.Schema{
		{TargetNamespace: "urn:own", XML: soap.RawBody(`<xs:schema xmlns:xs="` + xmlscan.NsXSD + `" targetNamespace="urn:own"/>`)},
		{TargetNamespace: xmlscan.NsMsg, XML: soap.RawBody(`<xs:schema xmlns:xs="` + xmlscan.NsXSD + `" targetNamespace="` + xmlscan.NsMsg + `"/>`)},
	}
	root := tree(t, d)
	require.Len(t, root.FindElements("wsdl:types/xs:schema"), 2)
	require.Empty(t, root.FindElements("//xsd:import"))
}

func TestWSDLValidate(t *testing.T) {
	tests := map[string]func(*dpws.Description){
		"no target namespace":    func(d *dpws.Description) { d.TargetNamespace = "" },
		"port type twice":        func(d *dpws.Description) { d.PortTypes[1].Name = "GetService" },
		"port type without name": func(d *dpws.Description) { d.PortTypes[1].Name = "" },
		"no discovery type":      func(d *dpws.Description) { d.PortTypes[1].DiscoveryType = dpws.Name{} },
		"operation twice":        func(d *dpws.Description) { d.PortTypes[0].Operations[1].Name = "GetMdib" },
		"no message":             func(d *dpws.Description) { d.PortTypes[1].Operations[0].Output = nil },
		"message of two elements": func(d *dpws.Description) {
			d.PortTypes[2].Operations[0].Input.Name = "GetMdib"
		},
		"message without name": func(d *dpws.Description) { d.PortTypes[1].Operations[0].Output.Element.Local = "" },
	}
	for name, breakIt := range tests {
		t.Run(name, func(t *testing.T) {
			d := wsdl()
			breakIt(d)
			require.Error(t, d.Validate())
		})
	}
}
