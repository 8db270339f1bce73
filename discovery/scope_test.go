package discovery

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

func TestMatchScope(t *testing.T) {
	// covers: SDPi R7000
	for _, c := range []struct {
		probe, scope string
		want         bool
	}{
		// equal is a prefix
		{"http://example.com/a/b", "http://example.com/a/b", true},
		{"sdc.mds.pkp:1.2.840.10004.20701.1.1", "sdc.mds.pkp:1.2.840.10004.20701.1.1", true},
		// segments, not characters
		{"http://example.com/a", "http://example.com/a/b", true},
		{"http://example.com/a/b", "http://example.com/a/bc", false},
		{"http://example.com/a", "http://example.com/abc", false},
		{"http://example.com/a/b", "http://example.com/a", false},
		{"sdc.mds.pkp:1.2.840.10004.20701.1", "sdc.mds.pkp:1.2.840.10004.20701.1.1", false},
		// no path matches all of the same scheme and authority
		{"http://example.com", "http://example.com/a/b", true},
		{"http://example.com/", "http://example.com/a", true},
		{"http://example.com", "http://example.com", true},
		{"http://example.com", "http://example.com/", true},
		{"sdc.ctxt.loc:", "sdc.ctxt.loc:/sdc.ctxt.loc.detail/x?fac=1", true},
		{"sdc.ctxt.loc:/", "sdc.ctxt.loc:/sdc.ctxt.loc.detail/x", true},
		{"sdc.mds.pkp:", "sdc.mds.pkp:1.2.3", true},
		{"http://example.com", "http://example.org/a", false},
		{"http://example.com", "https://example.com/a", false},
		// scheme and authority without regard to case, the path with
		{"HTTP://EXAMPLE.com/a", "http://example.COM/a/b", true},
		{"SDC.CTXT.LOC:/root", "sdc.ctxt.loc:/root/x", true},
		{"http://example.com/A", "http://example.com/a", false},
		{"http://example.com:81/a", "http://example.com/a", false},
		// dot segments never match
		{"http://example.com/a/./b", "http://example.com/a/./b", false},
		{"http://example.com/../a", "http://example.com/../a", false},
		{"http://example.com/a", "http://example.com/a/..", false},
		{"http://example.com", "http://example.com/a/../b", false},
		{"http://example.com", "http://example.com/a/%2e%2E/b", false},
		{"http://example.com/a", "http://example.com/a/.b", true},
		{"http://example.com/a", "http://example.com/a/...", true},
		// decoded before they are compared, but split before they are decoded
		{"http://example.com/%61", "http://example.com/a/b", true},
		{"http://example.com/a%2fb", "http://example.com/a%2Fb/c", true},
		{"http://example.com/a%2Fb", "http://example.com/a/b", false},
		{"http://example.com/a", "http://example.com/a%2Fb", false},
		{"http://ex%61mple.com/a", "http://example.com/a", true},
		{"http://example.com/a%25", "http://example.com/a%25", true},
		// query and fragment do not count
		{"sdc.ctxt.loc:/r/e?fac=1", "sdc.ctxt.loc:/r/e?fac=2#x", true},
		{"http://example.com?a/b", "http://example.com/c", true},
		// trailing slash: an empty segment
		{"http://example.com/a/", "http://example.com/a/b", false},
		{"http://example.com/a", "http://example.com/a/", true},
		// empty parts, as in codes of the default coding system
		{"sdc.cdc.type:///69965", "sdc.cdc.type:///69965", true},
		{"sdc.cdc.type:///69965", "sdc.cdc.type:///69966", false},
		{"sdc.cdc.type:", "sdc.cdc.type:///69965", true},
		{"sdc.cdc.type:/urn:oid:1.2.3/1/5", "sdc.cdc.type:/urn:oid:1.2.3/1/5", true},
		{"a:b", "a:/b", false},
		// what is no URI never matches
		{"", "http://example.com", false},
		{"abc", "abc", false},
		{":a", ":a", false},
		{"1a:b", "1a:b", false},
		{"http://example.com/%zz", "http://example.com/%zz", false},
		{"http://example.com/%4", "http://example.com/%4", false},
		{"http://example.com", "http://example.com/%", false},
	} {
		require.Equal(t, c.want, MatchScope(c.probe, c.scope), "%q against %q", c.probe, c.scope)
	}
}

func TestFilter(t *testing.T) {
	e := testEndpoint(testEPR)
	bare := Endpoint{EPR: testEPR, Types: DeviceTypes()}
	printer := Name{Space: "http://schemas.example.org/print", Local: "PrintDeviceType"}
	for name, c := range map[string]struct {
		f    Filter
		e    Endpoint
		want bool
	}{
		"all":                      {Filter{}, e, true},
		"type":                     {Filter{Types: []Name{medical()}}, e, true},
		"all types":                {Filter{Types: DeviceTypes()}, e, true},
		"one type too many":        {Filter{Types: append(DeviceTypes(), printer)}, e, false},
		"same name elsewhere":      {Filter{Types: []Name{{Space: xmlscan.NsDPWS, Local: "MedicalDevice"}}}, e, false},
		"scope":                    {Filter{Scopes: []string{"sdc.mds.pkp:"}}, e, true},
		"each scope":               {Filter{Scopes: []string{"sdc.mds.pkp:", "sdc.ctxt.loc:"}}, e, true},
		"one scope too many":       {Filter{Scopes: []string{"sdc.mds.pkp:", "sdc.ctxt.pat:"}}, e, false},
		"rule by name":             {Filter{Scopes: []string{"sdc.mds.pkp:"}, MatchBy: MatchRFC3986}, e, true},
		"strings equal":            {Filter{Scopes: []string{e.Scopes[0]}, MatchBy: MatchStrcmp0}, e, true},
		"strings not equal":        {Filter{Scopes: []string{"SDC.MDS.PKP:1.2.840.10004.20701.1.1"}, MatchBy: MatchStrcmp0}, e, false},
		"none but has some":        {Filter{MatchBy: MatchNone}, e, false},
		"none and has none":        {Filter{MatchBy: MatchNone}, bare, true},
		"scope where there is non": {Filter{Scopes: []string{"sdc.mds.pkp:"}}, bare, false},
		"unsupported rule":         {Filter{MatchBy: MatchLDAP}, e, false},
	} {
		require.Equal(t, c.want, c.f.Match(c.e), name)
	}
	require.NoError(t, Filter{}.Validate())
	for _, rule := range SupportedRules() {
		require.NoError(t, Filter{MatchBy: rule}.Validate())
	}
	for _, rule := range []string{MatchUUID, MatchLDAP, "urn:x"} {
		require.ErrorIs(t, Filter{MatchBy: rule}.Validate(), ErrMatchingRule)
	}
}

func TestEndpointEqual(t *testing.T) {
	a := testEndpoint(testEPR)
	b := a.Clone()
	b.Scopes[0], b.Scopes[1] = b.Scopes[1], b.Scopes[0]
	require.True(t, a.Equal(b), "order of scopes")
	b.MetadataVersion++
	require.False(t, a.Equal(b))
	require.True(t, a.HasType(medical()))
	b.Types = b.Types[:1]
	require.False(t, b.HasType(medical()))
	require.True(t, a.HasType(medical()), "clone shares nothing")
}
