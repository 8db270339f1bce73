package consumer

import (
	"errors"
	"fmt"
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

// A device with several addresses names all of them for each service; those that lead to where it was reached are taken.
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
		{Types: glue(sdc.SetService, sdc.ContextService), Endpoints: at("http://192.0.2.1:2/set", "http://10.0.0.1:2/set", "http://192.0.2.1:2/set", "http://192.0.2.1:3/set")},
		{Types: []xmlscan.Name{{Space: "urn:foreign", Local: "Print"}}, Endpoints: at("http://printer.example/")}, // of no matter to us
	}}
	device := soap.Contact{URL: "http://192.0.2.1:1/", Remote: "192.0.2.1:1"}
	c := new(Consumer)
	services, err := c.offered(m, device)
	require.NoError(t, err)
	require.Len(t, services, 3)
	require.Equal(t, places(at("http://192.0.2.1:1/get")), services[sdc.GetService])
	require.Equal(t, places(at("http://192.0.2.1:2/set", "http://192.0.2.1:3/set")), services[sdc.ContextService])

	var many []string
	for port := range 2 * maxAddresses {
		many = append(many, fmt.Sprintf("http://192.0.2.1:%d/get", port+1))
	}
	services, err = c.offered(&dpws.Metadata{Hosted: []dpws.Hosted{{Types: glue(sdc.GetService), Endpoints: at(many...)}}}, device)
	require.NoError(t, err)
	require.Equal(t, places(at(many[:maxAddresses]...)), services[sdc.GetService])

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

// An address that could not be reached is the last one from then on, and so are those of the same host and port of other services.
func TestAddressesThatCannotBeReachedAreTriedLast(t *testing.T) {
	at := func(urls ...string) (out places) {
		for _, u := range urls {
			out = append(out, soap.NewEndpoint(u))
		}
		return out
	}
	get := at("http://192.0.2.1:1/get", "http://192.0.2.1:2/get", "http://192.0.2.1:3/get")
	d := &Device{services: map[string]places{"Get": get, "Set": at("http://192.0.2.1:1/set", "http://192.0.2.1:4/set"), "Other": at("http://192.0.2.1:4/")}}
	d.prefer(get[1].Address, get[:1])
	require.Equal(t, map[string]places{
		"Get": at("http://192.0.2.1:2/get", "http://192.0.2.1:3/get", "http://192.0.2.1:1/get"),
		"Set": at("http://192.0.2.1:4/set", "http://192.0.2.1:1/set"), "Other": at("http://192.0.2.1:4/"),
	}, d.services)
	require.Equal(t, "http://192.0.2.1:1/get", get[0].Address, "whoever has the list keeps it as it is")
	before := d.services
	d.prefer(get[0].Address, nil)
	require.Equal(t, before, d.services)
}
