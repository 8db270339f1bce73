package dpws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

func wireMetadata(t *testing.T, name string) *dpws.Metadata {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(reftest.Dir(t), "wire", name))
	require.NoError(t, err)
	e, err := soap.Parse(doc, xmlscan.Limits{})
	require.NoError(t, err)
	require.NoError(t, e.Check())
	m, err := soap.DecodeAnswer(e, dpws.MetadataName(), dpws.DecodeMetadata)
	require.NoError(t, err)
	require.NoError(t, m.Validate())
	require.Equal(t, m, decode(t, m.AppendXML(nil)))
	return m
}

func TestMetadataOfPeer(t *testing.T) {
	// covers: META-1
	const base = "http://127.0.0.1:49655/urn:uuid:11111111-2222-4333-8444-555555555555"
	glue := func(locals ...string) (names []dpws.Name) {
		for _, l := range locals {
			names = append(names, dpws.Name{Space: xmlscan.NsGlue, Local: l})
		}
		return names
	}
	host := &dpws.Host{Endpoint: soap.NewEndpoint("urn:uuid:11111111-2222-4333-8444-555555555555"), Types: dpws.DeviceTypes()}
	hosted := []dpws.Hosted{
		{Endpoints: []soap.EndpointReference{soap.NewEndpoint(base + "/Get")}, Types: glue("GetService", "LocalizationService"), ServiceID: "Get"},
		{Endpoints: []soap.EndpointReference{soap.NewEndpoint(base + "/StateEvent")}, Types: glue("StateEventService", "ContextService", "DescriptionEventService", "WaveformService"), ServiceID: "StateEvent"},
		{Endpoints: []soap.EndpointReference{soap.NewEndpoint(base + "/Set")}, Types: glue("SetService"), ServiceID: "Set"},
		{Endpoints: []soap.EndpointReference{soap.NewEndpoint(base + "/ContainmentTree")}, Types: glue("ContainmentTreeService"), ServiceID: "ContainmentTree"},
	}
	require.Equal(t, &dpws.Metadata{
		ThisModel: &dpws.ThisModel{
			Manufacturer: dpws.Localized("sdc11073", ""), ManufacturerURL: "www.sdc11073.com", ModelName: dpws.Localized("TestDevice", ""),
			ModelNumber: "1.0", ModelURL: "www.sdc11073.com/model", PresentationURL: "www.sdc11073.com/model/presentation",
		},
		ThisDevice: &dpws.ThisDevice{FriendlyName: dpws.Localized("TestDevice", ""), FirmwareVersion: "Version1", SerialNumber: "12345"},
		Host:       host,
		Hosted:     hosted,
	}, wireMetadata(t, "07-TransferGetResponse.xml"))
	for i, name := range []string{
		"09-GetMetadata-GetResponse.xml", "11-GetMetadata-StateEventResponse.xml",
		"13-GetMetadata-SetResponse.xml", "15-GetMetadata-ContainmentTreeResponse.xml",
	} {
		require.Equal(t, &dpws.Metadata{
			Host: host, Hosted: hosted[i : i+1], WSDL: []string{hosted[i].Endpoints[0].Address + "/?wsdl"},
		}, wireMetadata(t, name))
	}
}

// The generator, given the operations of the standard's WSDLs, writes port types,
// messages and bindings that say the same.
func TestWSDLAgainstTheAnnex(t *testing.T) {
	// covers: GLUE 13, MDPWS R0010, MDPWS R0011, MDPWS R0014
	for _, name := range []string{"IEEE11073-20701-HighPriority-Services.wsdl", "IEEE11073-20701-LowPriority-Services.wsdl"} {
		t.Run(name, func(t *testing.T) {
			golden := etree.NewDocument()
			require.NoError(t, golden.ReadFromFile(filepath.Join(reftest.Dir(t), "samples", "wsdl", name)))
			d := &dpws.Description{TargetNamespace: golden.Root().SelectAttrValue("targetNamespace", "")}
			for _, p := range golden.Root().SelectElements("wsdl:portType") {
				port := dpws.PortType{
					Name:          p.SelectAttrValue("name", ""),
					DiscoveryType: resolve(t, golden.Root(), p.SelectAttrValue("dpws:DiscoveryType", "")),
				}
				binding := golden.Root().FindElement("wsdl:binding[@name='" + port.Name + "Binding']")
				require.NotNil(t, binding)
				for _, o := range p.SelectElements("wsdl:operation") {
					op := dpws.Operation{Name: o.SelectAttrValue("name", "")}
					op.SOAPAction = binding.FindElement("wsdl:operation[@name='"+op.Name+"']/s12:operation").SelectAttrValue("soapAction", "")
					op.Input = goldenMessage(t, golden.Root(), o.SelectElement("wsdl:input"))
					op.Output = goldenMessage(t, golden.Root(), o.SelectElement("wsdl:output"))
					port.Operations = append(port.Operations, op)
				}
				d.PortTypes = append(d.PortTypes, port)
			}
			require.NoError(t, d.Validate())
			ours := tree(t, d)
			for _, part := range []string{"wsdl:message", "wsdl:portType", "wsdl:binding"} {
				want := golden.Root().SelectElements(part)
				got := ours.SelectElements(part)
				require.Len(t, got, len(want), part)
				for i := range want {
					require.Equal(t, shape(t, golden.Root(), want[i]), shape(t, ours, got[i]))
				}
			}
		})
	}
}

func goldenMessage(t *testing.T, root, e *etree.Element) *dpws.Message {
	t.Helper()
	if e == nil {
		return nil
	}
	name := resolve(t, root, e.SelectAttrValue("message", "")).Local
	part := root.FindElement("wsdl:message[@name='" + name + "']/wsdl:part")
	require.NotNil(t, part)
	return &dpws.Message{Name: name, Element: resolve(t, root, part.SelectAttrValue("element", ""))}
}

// shape writes an element with expanded names, QName-valued attributes resolved.
func shape(t *testing.T, root, e *etree.Element) string {
	t.Helper()
	text := "{" + e.NamespaceURI() + "}" + e.Tag
	attrs := append([]etree.Attr(nil), e.Attr...)
	for _, key := range []string{"name", "message", "element", "type", "DiscoveryType", "EventSource", "style", "transport", "soapAction", "use", "Optional"} {
		for _, a := range attrs {
			if a.Key != key {
				continue
			}
			value := a.Value
			switch key {
			case "message", "element", "type", "DiscoveryType":
				value = resolve(t, root, value).String()
			}
			text += " {" + a.NamespaceURI() + "}" + key + "=" + value
		}
	}
	for _, c := range e.ChildElements() {
		text += "\n" + shape(t, root, c)
	}
	return text + "\n/"
}
