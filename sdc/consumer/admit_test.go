package consumer

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
)

func TestAllowHosts(t *testing.T) {
	device := soap.Contact{URL: "https://192.0.2.1:1/x", Remote: "192.0.2.1:1"}
	allow := AllowHosts("192.0.2.7", "fe80::7", "[2001:db8::7]", "Gateway.example")
	for named, ok := range map[string]bool{
		"https://192.0.2.1/x": true, "https://192.0.2.7:9/x": true, "https://[fe80::7]:9/x": true, "https://[2001:db8::7]/x": true, "https://gateway.example/x": true,
		"http://192.0.2.7:9/x": false, "https://192.0.2.8/x": false, "https://192.0.2.7.example/x": false, "": false,
	} {
		err := allow(device, named)
		require.Equal(t, ok, err == nil, "%s: %v", named, err)
		if !ok {
			require.ErrorAs(t, err, new(*soap.ElsewhereError))
		}
	}
	require.NoError(t, AllowHosts()(device, "https://192.0.2.1/x"))
	require.Error(t, AllowHosts()(device, "https://192.0.2.7/x"))
}

// A device with several addresses names all of them for each service; the one that leads to where it was reached is taken.
func TestServicesAreCalledWhereTheyMayBe(t *testing.T) {
	at := func(urls ...string) (out []soap.EndpointReference) {
		for _, u := range urls {
			out = append(out, soap.NewEndpoint(u))
		}
		return out
	}
	glue := func(names ...string) (out []xmlscan.Name) {
		for _, n := range names {
			out = append(out, xmlscan.Name{Space: sdc.NamespaceGlue, Local: n})
		}
		return out
	}
	m := &dpws.Metadata{Hosted: []dpws.Hosted{
		{Types: glue(sdc.GetService), Endpoints: at("http://10.0.0.1:1/get", "http://192.0.2.1:1/get")},
		{Types: glue(sdc.SetService, sdc.ContextService), Endpoints: at("http://192.0.2.1:2/set", "http://10.0.0.1:2/set")},
		{Types: []xmlscan.Name{{Space: "urn:foreign", Local: "Print"}}, Endpoints: at("http://printer.example/")}, // of no matter to us
	}}
	device := soap.Contact{URL: "http://192.0.2.1:1/", Remote: "192.0.2.1:1"}
	c := new(Consumer)
	services, err := c.offered(m, device)
	require.NoError(t, err)
	require.Len(t, services, 3)
	require.Equal(t, "http://192.0.2.1:1/get", services[sdc.GetService].Address)
	require.Equal(t, "http://192.0.2.1:2/set", services[sdc.ContextService].Address)

	_, err = c.offered(m, soap.Contact{URL: "http://192.0.2.9/", Remote: "192.0.2.9:80"})
	var elsewhere *soap.ElsewhereError
	require.ErrorAs(t, err, &elsewhere)
	require.Equal(t, "http://10.0.0.1:1/get", elsewhere.Named)

	no := errors.New("no")
	c.cfg.AllowAddress = func(soap.Contact, string) error { return no }
	_, err = c.offered(m, device)
	require.ErrorIs(t, err, no)
	require.ErrorAs(t, err, &elsewhere)
	c.cfg.AllowAddress = nil
	_, err = c.offered(&dpws.Metadata{}, device)
	require.ErrorAs(t, err, new(*ServiceError))
}
