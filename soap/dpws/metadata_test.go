package dpws_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

func decode(t *testing.T, doc []byte) *dpws.Metadata {
	t.Helper()
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	require.NoError(t, s.Root())
	m, err := dpws.DecodeMetadata(s)
	require.NoError(t, err)
	require.NoError(t, s.End())
	return m
}

func device() *dpws.Metadata {
	return &dpws.Metadata{
		ThisModel: &dpws.ThisModel{
			Manufacturer:    []dpws.LocalizedString{{Text: "A & B", Lang: "en"}, {Text: "Ä und B", Lang: "de"}},
			ManufacturerURL: "http://a.example/?x=1&y=2", ModelName: dpws.Localized("Vent", ""),
			ModelNumber: "1", ModelURL: "http://a.example/m", PresentationURL: "http://a.example/p",
		},
		ThisDevice: &dpws.ThisDevice{FriendlyName: dpws.Localized("Bed 1", "en"), FirmwareVersion: "1.0", SerialNumber: "007"},
		Host:       &dpws.Host{Endpoint: soap.NewEndpoint("urn:uuid:1"), Types: dpws.DeviceTypes()},
		Hosted: []dpws.Hosted{
			{
				Endpoints: []soap.EndpointReference{soap.NewEndpoint("https://127.0.0.1:1/Get")},
				Types:     []dpws.Name{{Space: xmlscan.NsGlue, Local: "GetService"}, {Space: "urn:own", Local: "Own"}},
				ServiceID: "Get",
			},
			{
				Endpoints: []soap.EndpointReference{soap.NewEndpoint("https://127.0.0.1:1/Set"), soap.NewEndpoint("https://[::1]:1/Set")},
				Types:     []dpws.Name{{Space: xmlscan.NsGlue, Local: "SetService"}},
				ServiceID: "Set",
			},
		},
	}
}

func service() *dpws.Metadata {
	d := device()
	return &dpws.Metadata{Host: d.Host, Hosted: d.Hosted[:1], WSDL: []string{"https://127.0.0.1:1/Get?wsdl"}}
}

func TestMetadataRoundTrip(t *testing.T) {
	// covers: META-1
	for name, m := range map[string]*dpws.Metadata{"device": device(), "service": service(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, m.Validate())
			doc := m.AppendXML(nil)
			require.Equal(t, m, decode(t, doc))
			require.NotContains(t, string(doc), "ns0")
		})
	}
}

func TestMetadataKeepsWhatItDoesNotKnow(t *testing.T) {
	doc := `<m:Metadata xmlns:m="` + xmlscan.NsMEX + `" xmlns:d="` + xmlscan.NsDPWS + `">
		<m:MetadataSection Dialect="urn:other"><o:x xmlns:o="urn:o">1</o:x></m:MetadataSection>
		<m:MetadataSection Dialect="urn:none"/>
		<m:MetadataSection Dialect="` + xmlscan.NsWSDL + `"><w:definitions xmlns:w="` + xmlscan.NsWSDL + `"/></m:MetadataSection>
		<m:MetadataSection Dialect="` + dpws.DialectRelationship + `"><d:Relationship Type="urn:kin"/></m:MetadataSection>
		<m:MetadataSection Dialect="` + dpws.DialectThisModel + `"><d:ThisModel><o:x xmlns:o="urn:o"/><d:ModelName>n</d:ModelName><d:New/></d:ThisModel></m:MetadataSection>
		<m:MetadataSection Dialect="` + dpws.DialectThisDevice + `"><d:ThisDevice><o:x xmlns:o="urn:o"/><d:New/></d:ThisDevice></m:MetadataSection>
		<foreign/></m:Metadata>`
	m := decode(t, []byte(doc))
	require.Len(t, m.Other, 3)
	require.Equal(t, "urn:other", m.Other[0].Dialect)
	require.Equal(t, "x", m.Other[0].Content.Name.Local)
	require.True(t, m.Other[1].Content.IsZero())
	require.Len(t, m.InlineWSDL, 1)
	require.Equal(t, dpws.Localized("n", ""), m.ThisModel.ModelName)
	require.NotNil(t, m.ThisDevice)
	again := decode(t, m.AppendXML(nil))
	require.Len(t, again.Other, 3)
	require.True(t, again.Other[0].Content.Equal(m.Other[0].Content))
}

func TestMetadataLimits(t *testing.T) {
	// covers: META-2
	long, longURI := strings.Repeat("ä", 257), "urn:"+strings.Repeat("x", 2045)
	tests := map[string]func(*dpws.Metadata){
		"manufacturer missing":  func(m *dpws.Metadata) { m.ThisModel.Manufacturer = nil },
		"manufacturer long":     func(m *dpws.Metadata) { m.ThisModel.Manufacturer[1].Text = long },
		"manufacturer url long": func(m *dpws.Metadata) { m.ThisModel.ManufacturerURL = longURI },
		"model name missing":    func(m *dpws.Metadata) { m.ThisModel.ModelName = nil },
		"model number long":     func(m *dpws.Metadata) { m.ThisModel.ModelNumber = long },
		"model url long":        func(m *dpws.Metadata) { m.ThisModel.ModelURL = longURI },
		"presentation url long": func(m *dpws.Metadata) { m.ThisModel.PresentationURL = longURI },
		"friendly name missing": func(m *dpws.Metadata) { m.ThisDevice.FriendlyName = nil },
		"friendly name long":    func(m *dpws.Metadata) { m.ThisDevice.FriendlyName = dpws.Localized(long, "de") },
		"firmware long":         func(m *dpws.Metadata) { m.ThisDevice.FirmwareVersion = long },
		"serial number long":    func(m *dpws.Metadata) { m.ThisDevice.SerialNumber = long },
		"host without address":  func(m *dpws.Metadata) { m.Host.Endpoint.Address = "" },
		"host address long":     func(m *dpws.Metadata) { m.Host.Endpoint.Address = longURI },
		"service id missing":    func(m *dpws.Metadata) { m.Hosted[0].ServiceID = "" },
		"service id twice":      func(m *dpws.Metadata) { m.Hosted[0].ServiceID = "Set" },
		"service id long":       func(m *dpws.Metadata) { m.Hosted[0].ServiceID = longURI },
		"service no endpoint":   func(m *dpws.Metadata) { m.Hosted[0].Endpoints = nil },
		"service address long":  func(m *dpws.Metadata) { m.Hosted[1].Endpoints[1].Address = longURI },
		"wsdl location long":    func(m *dpws.Metadata) { m.WSDL = []string{longURI} },
	}
	for name, breakIt := range tests {
		t.Run(name, func(t *testing.T) {
			m := device()
			breakIt(m)
			require.Error(t, m.Validate())
		})
	}
	m := device()
	m.ThisDevice.SerialNumber = strings.Repeat("ä", 256) // characters, not bytes
	m.ThisModel.ModelURL = longURI[:2048]
	require.NoError(t, m.Validate())
}

func TestBrokenMetadata(t *testing.T) {
	section := func(dialect, content string) string {
		return `<m:Metadata xmlns:m="` + xmlscan.NsMEX + `" xmlns:d="` + xmlscan.NsDPWS + `" xmlns:wsa="` + xmlscan.NsAddressing + `"><m:MetadataSection Dialect="` + dialect + `">` + content + `</m:MetadataSection></m:Metadata>`
	}
	rel := func(content string) string {
		return section(dpws.DialectRelationship, `<d:Relationship Type="`+dpws.RelationshipHost+`">`+content+`</d:Relationship>`)
	}
	const epr = `<wsa:EndpointReference><wsa:Address>urn:a</wsa:Address></wsa:EndpointReference>`
	tests := map[string]string{
		"host without endpoint":    rel(`<d:Host/>`),
		"host with two":            rel(`<d:Host>` + epr + epr + `</d:Host>`),
		"endpoint without any":     rel(`<d:Hosted><wsa:EndpointReference/></d:Hosted>`),
		"unbound type":             rel(`<d:Hosted>` + epr + `<d:Types>q:x</d:Types></d:Hosted>`),
		"element as text":          section(dpws.DialectThisDevice, `<d:ThisDevice><d:FriendlyName><b/></d:FriendlyName></d:ThisDevice>`),
		"too many languages":       section(dpws.DialectThisDevice, `<d:ThisDevice>`+strings.Repeat(`<d:FriendlyName>x</d:FriendlyName>`, 300)+`</d:ThisDevice>`),
		"too many services":        rel(strings.Repeat(`<d:Hosted>`+epr+`</d:Hosted>`, 300)),
		"truncated":                rel("")[:300],
		"location with an element": section(xmlscan.NsWSDL, `<m:Location><x/></m:Location>`),
	}
	for name, doc := range tests {
		t.Run(name, func(t *testing.T) {
			s := xmlscan.NewScanner([]byte(doc), xmlscan.Limits{})
			require.NoError(t, s.Root())
			_, err := dpws.DecodeMetadata(s)
			require.Error(t, err)
		})
	}
}

// serve runs a device with its own and one hosted service's metadata.
func serve(t *testing.T, getAction string) string {
	t.Helper()
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(t, err)
	s.Handle("/dev", &soap.Endpoint{Actions: map[string]soap.Handler{dpws.ActionGet: dpws.HandleGet(func(*soap.Request) *dpws.Metadata { return device() })}})
	hosted := dpws.HandleGetMetadata(func(*soap.Request) *dpws.Metadata { return service() })
	s.Handle("/dev/Get", &soap.Endpoint{Actions: map[string]soap.Handler{
		dpws.ActionGetMetadata: func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
			resp, err := hosted(ctx, r)
			if err == nil && getAction != "" {
				resp.Action = getAction
			}
			return resp, err
		},
	}, Get: wsdl().Serve()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return "http://" + l.Addr().String() + "/dev"
}

func TestExchanges(t *testing.T) {
	// covers: META-1, SOAP-1
	c, err := soap.NewClient(soap.ClientConfig{Insecure: true})
	require.NoError(t, err)
	defer c.Close()
	ctx := t.Context()
	for name, action := range map[string]string{"right action": "", "the peer's wrong action": dpws.ActionGetResponse} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, action)
			m, err := dpws.GetDevice(ctx, c, url, "urn:uuid:1")
			require.NoError(t, err)
			require.Equal(t, device(), m)
			m, err = dpws.GetDevice(ctx, c, url, "")
			require.NoError(t, err)
			require.Equal(t, device(), m)
			m, err = dpws.GetHosted(ctx, c, soap.NewEndpoint(url+"/Get"))
			require.NoError(t, err)
			require.Equal(t, service(), m)
		})
	}
	url := serve(t, "")
	_, err = dpws.GetHosted(ctx, c, soap.NewEndpoint(url))
	var f *soap.Fault
	require.ErrorAs(t, err, &f)
	require.True(t, f.HasSubcode(xmlscan.NsAddressing, "ActionNotSupported"))
	_, err = c.Call(ctx, soap.NewEndpoint(url), dpws.ActionGet, dpws.GetMetadata{})
	require.ErrorAs(t, err, &f)
	require.Equal(t, soap.CodeSender, f.Code)
	require.NotEmpty(t, f.Subcodes)
	_, err = c.Call(ctx, soap.NewEndpoint(url+"/Get"), dpws.ActionGetMetadata, nil)
	require.ErrorAs(t, err, &f)

	// One dialect alone.
	for dialect, want := range map[string]*dpws.Metadata{
		dpws.DialectRelationship: {Host: service().Host, Hosted: service().Hosted},
		dpws.DialectWSDL:         {WSDL: service().WSDL},
		dpws.DialectThisModel:    {},
		"urn:no":                 {},
	} {
		env, err := c.Call(ctx, soap.NewEndpoint(url+"/Get"), dpws.ActionGetMetadata, dpws.GetMetadata{Dialect: dialect, Identifier: "urn:i"})
		require.NoError(t, err)
		got, err := soap.DecodeAnswer(env, dpws.MetadataName(), dpws.DecodeMetadata)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	doc, media, err := c.Get(ctx, url+"/Get?wsdl")
	require.NoError(t, err)
	require.Equal(t, "application/xml; charset=utf-8", media)
	require.Contains(t, string(doc), "<wsdl:definitions")
	_, _, err = c.Get(ctx, url+"/Get")
	require.Error(t, err)
}

func FuzzDecodeMetadata(f *testing.F) {
	f.Add(device().AppendXML(nil))
	f.Add(service().AppendXML(nil))
	f.Add([]byte(`<m:Metadata xmlns:m="` + xmlscan.NsMEX + `"><m:MetadataSection Dialect="urn:a"><b/></m:MetadataSection></m:Metadata>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s := xmlscan.NewScanner(doc, xmlscan.Limits{})
		if s.Root() != nil {
			return
		}
		m, err := dpws.DecodeMetadata(s)
		if err != nil {
			return
		}
		_ = m.Validate()
		first := m.AppendXML(nil)
		s = xmlscan.NewScanner(first, xmlscan.Limits{})
		if err := s.Root(); err != nil {
			t.Fatalf("own metadata refused: %v\n%s", err, first)
		}
		if _, err := dpws.DecodeMetadata(s); err != nil {
			t.Fatalf("own metadata refused: %v\n%s", err, first)
		}
	})
}
