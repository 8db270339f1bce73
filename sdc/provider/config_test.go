package provider_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap/dpws"
)

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*provider.Config)
		want  string
	}{
		"no MDIB":             {func(c *provider.Config) { c.MDIB = nil }, "MDIB is missing"},
		"no security chosen":  {func(c *provider.Config) { c.Insecure = false }, "Identity is missing"},
		"both chosen":         {func(c *provider.Config) { c.Identity = &sdc.Identity{} }, "choose one"},
		"EPR":                 {func(c *provider.Config) { c.EPR = "device-1" }, "urn:uuid"},
		"EPR that is no UUID": {func(c *provider.Config) { c.EPR = "urn:uuid:1" }, "urn:uuid:1"},
		"foreign address":     {func(c *provider.Config) { c.Network.Address = netip.MustParseAddr("192.0.2.77") }, "192.0.2.77"},
		"negative time":       {func(c *provider.Config) { c.MaxSubscription = -time.Second }, "MaxSubscription"},
		"negative queue":      {func(c *provider.Config) { c.QueueLength = -1 }, "QueueLength"},
		"scope with a blank":  {func(c *provider.Config) { c.Scopes = []string{"urn:a urn:b"} }, "urn:a urn:b"},
		"key purpose":         {func(c *provider.Config) { c.KeyPurposes = []string{sdc.OIDProvider, "pump"} }, `"pump" is no object identifier`},
		"kind of context":     {func(c *provider.Config) { c.ContextScopes = []sdc.ContextKind{"patient"} }, `no kind "patient"`},
		"invocation":          {func(c *provider.Config) { c.Invocation = 9 }, "Invocation 9"},
		"proxy without URL":   {func(c *provider.Config) { c.DiscoveryProxy = "proxy:8080" }, `"proxy:8080"`},
		"name too long":       {func(c *provider.Config) { c.Device.FriendlyName = dpws.Localized(strings.Repeat("x", 257), "en") }, "FriendlyName"},
	} {
		cfg := provider.Config{MDIB: device(t), Insecure: true}
		c.spoil(&cfg)
		_, err := provider.New(cfg)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err := provider.New(provider.Config{EPR: "x", MaxSubscription: -1})
	require.ErrorContains(t, err, "MDIB")
	require.ErrorContains(t, err, "EPR", "everything that is wrong is named at once")
	require.ErrorContains(t, err, "MaxSubscription")

	a, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	b, err := provider.New(provider.Config{MDIB: device(t), Insecure: true})
	require.NoError(t, err)
	require.NotEqual(t, a.EPR(), b.EPR())
	require.Empty(t, a.XAddrs())
}
