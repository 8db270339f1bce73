package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap/dpws"
)

func TestDeviceMetadata(t *testing.T) {
	// covers: META-1, GLUE R0034_0, SDPi R0500
	overTLS(t, nil, nil, func(t *testing.T, b *bench) {
		require.True(t, strings.HasPrefix(b.peer.device, "https://127.0.0.1:"))
		m, err := dpws.GetDevice(t.Context(), b.peer.client, b.peer.device, b.dev.EPR())
		require.NoError(t, err)
		require.NoError(t, m.Validate())
		require.Equal(t, "Example Devices", m.ThisModel.Manufacturer[0].Text)
		require.Equal(t, "Bench One", m.ThisModel.ModelName[0].Text)
		require.Equal(t, "B1", m.ThisModel.ModelNumber)
		require.Equal(t, "Test device", m.ThisDevice.FriendlyName[0].Text)
		require.Equal(t, "0815", m.ThisDevice.SerialNumber)
		require.Equal(t, b.dev.EPR(), m.Host.Endpoint.Address)
		require.Equal(t, dpws.DeviceTypes(), m.Host.Types)

		where := map[string]string{}
		for _, h := range m.Hosted {
			for _, typ := range h.Types {
				require.Equal(t, sdc.NamespaceGlue, typ.Space)
				require.Empty(t, where[typ.Local], "%s is hosted twice", typ.Local)
				where[typ.Local] = h.ServiceID
			}
			own, err := dpws.GetHosted(t.Context(), b.peer.client, h.Endpoints[0])
			require.NoError(t, err)
			require.Equal(t, []dpws.Hosted{h}, own.Hosted)
			require.Equal(t, b.dev.EPR(), own.Host.Endpoint.Address)
			require.Len(t, own.WSDL, 1)
			checkWSDL(t, b, own.WSDL[0], h)
		}
		require.Equal(t, "Get", where[sdc.GetService])
		require.Equal(t, "Set", where[sdc.SetService])
		for _, name := range []string{sdc.StateEventService, sdc.ContextService, sdc.DescriptionEventService, sdc.WaveformService} {
			require.Equal(t, "StateEvent", where[name])
		}
		require.Len(t, where, 6, "services that are not implemented are not offered")
	})
}

// checkWSDL compares the WSDL of a hosted service with the service table, operation for operation.
func checkWSDL(t *testing.T, b *bench, url string, h dpws.Hosted) {
	// covers: MDPWS R0006, GLUE 13, GLUE R0042_0, MDPWS R0010, MDPWS R0011, MDPWS R0014, BICEPS R0062, BICEPS R0064, BICEPS R0066, BICEPS R0068, BICEPS R0069, BICEPS R0104
	t.Helper()
	doc, contentType, err := b.peer.client.Get(t.Context(), url)
	require.NoError(t, err)
	require.Equal(t, "application/xml; charset=utf-8", contentType)
	wsdl := etree.NewDocument()
	require.NoError(t, wsdl.ReadFromBytes(doc))
	root := wsdl.Root()
	require.Equal(t, sdc.NamespaceGlue, root.SelectAttrValue("targetNamespace", ""))
	require.Empty(t, wsdl.FindElements("//wsdl:import"))
	var names []string
	for _, port := range root.SelectElements("portType") {
		name := port.SelectAttrValue("name", "")
		names = append(names, name)
		service, ok := sdc.ServiceByName(name)
		require.True(t, ok, name)
		prefix, local, _ := strings.Cut(port.SelectAttrValue("dpws:DiscoveryType", ""), ":")
		require.Equal(t, "ServiceProvider", local)
		require.Equal(t, "http://standards.ieee.org/downloads/11073/11073-10207-2017", root.SelectAttrValue("xmlns:"+prefix, ""))
		require.Equal(t, service.EventSource(), port.SelectAttrValue("wse:EventSource", "") == "true")
		require.Empty(t, port.FindElements(".//wsp:Policy"))
		var want, got []string
		for _, o := range service.Operations {
			want = append(want, o.Name+" "+o.Input()+" "+o.Output())
		}
		for _, o := range port.SelectElements("operation") {
			message := func(direction string) string {
				e := o.SelectElement(direction)
				if e == nil {
					return ""
				}
				_, name, _ := strings.Cut(e.SelectAttrValue("message", ""), ":")
				part := root.FindElement("message[@name='" + name + "']/part")
				require.NotNil(t, part, name)
				_, element, _ := strings.Cut(part.SelectAttrValue("element", ""), ":")
				return element
			}
			got = append(got, o.SelectAttrValue("name", "")+" "+message("input")+" "+message("output"))
		}
		require.ElementsMatch(t, want, got, name)
		binding := root.FindElement("binding[@type='tns:" + name + "']")
		require.NotNil(t, binding, name)
		require.NotNil(t, binding.FindElement("wsp:Policy/dpws:Profile[@wsp:Optional='true']"))
		require.NotNil(t, binding.FindElement("wsp:Policy/mdpws:Profile[@wsp:Optional='true']"))
	}
	var types []string
	for _, typ := range h.Types {
		types = append(types, typ.Local)
	}
	slices.Sort(names)
	slices.Sort(types)
	require.Equal(t, types, names)
}

func TestConfiguredMetadata(t *testing.T) {
	configure := func(c *provider.Config) {
		c.Model.Manufacturer = dpws.Localized("Acme", "en")
		c.Device.FriendlyName = dpws.Localized("Bed 3", "en")
		c.Device.FirmwareVersion = "1.2"
		c.EPR = "urn:uuid:11111111-2222-4333-8444-555555555555"
	}
	inBubble(t, configure, nil, func(t *testing.T, b *bench) {
		require.Equal(t, "urn:uuid:11111111-2222-4333-8444-555555555555", b.dev.EPR())
		m, err := dpws.GetDevice(t.Context(), b.peer.client, b.peer.device, b.dev.EPR())
		require.NoError(t, err)
		require.Equal(t, "Acme", m.ThisModel.Manufacturer[0].Text)
		require.Equal(t, "Bench One", m.ThisModel.ModelName[0].Text, "what is not configured comes from the MDIB")
		require.Equal(t, "Bed 3", m.ThisDevice.FriendlyName[0].Text)
		require.Equal(t, "1.2", m.ThisDevice.FirmwareVersion)
	})
}
