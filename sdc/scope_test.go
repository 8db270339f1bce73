package sdc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/sdc"
)

func TestLocationScope(t *testing.T) {
	// covers: GLUE context scope, GLUE fallback location id
	for name, c := range map[string]struct {
		detail sdc.LocationDetail
		ext    string
		uri    string
	}{
		"three parts": {
			sdc.LocationDetail{Facility: "fac1", PoC: "poc1", Bed: "bed1"},
			"fac1///poc1//bed1",
			"sdc.ctxt.loc:/sdc.ctxt.loc.detail/fac1%2F%2F%2Fpoc1%2F%2Fbed1?fac=fac1&poc=poc1&bed=bed1",
		},
		"all six, in the two different orders": {
			sdc.LocationDetail{Facility: "f", Building: "b", Floor: "l", PoC: "p", Room: "r", Bed: "d"},
			"f/b/l/p/r/d",
			"sdc.ctxt.loc:/sdc.ctxt.loc.detail/f%2Fb%2Fl%2Fp%2Fr%2Fd?fac=f&bldng=b&poc=p&flr=l&rm=r&bed=d",
		},
		"reserved characters": {
			sdc.LocationDetail{Facility: "a/b?c", Bed: "Ä &=%"},
			"a%2Fb%3Fc/////%C3%84%20%26%3D%25",
			"sdc.ctxt.loc:/sdc.ctxt.loc.detail/a%252Fb%253Fc%2F%2F%2F%2F%2F%25C3%2584%2520%2526%253D%2525?fac=a%2Fb%3Fc&bed=%C3%84%20%26%3D%25",
		},
		"nothing": {sdc.LocationDetail{}, "/////", "sdc.ctxt.loc:/sdc.ctxt.loc.detail/%2F%2F%2F%2F%2F"},
	} {
		t.Run(name, func(t *testing.T) {
			root, ext := c.detail.Identification()
			require.Equal(t, sdc.FallbackLocationRoot, root)
			require.Equal(t, c.ext, ext)
			scope := c.detail.Scope()
			require.Equal(t, c.uri, scope.URI())
			back, err := sdc.ParseContextScope(c.uri)
			require.NoError(t, err)
			require.Equal(t, scope, back)
		})
	}
}

func TestContextScope(t *testing.T) {
	// covers: GLUE context scope, BICEPS R5008, BICEPS R0135
	for uri, want := range map[string]sdc.ContextScope{
		"sdc.ctxt.pat:/biceps.uri.unk/4711":                  {Kind: sdc.PatientContext, Extension: "4711"},
		"sdc.ctxt.ens:/urn%3Aoid%3A1.2.3/a%2Fb":              {Kind: sdc.EnsembleContext, Root: "urn:oid:1.2.3", Extension: "a/b"},
		"sdc.ctxt.wfl:/http%3A%2F%2Fhospital.example%2Fwfl/": {Kind: sdc.WorkflowContext, Root: "http://hospital.example/wfl"},
		"sdc.ctxt.opr:/r/e":                                  {Kind: sdc.OperatorContext, Root: "r", Extension: "e"},
		"sdc.ctxt.mns:/r/e":                                  {Kind: sdc.MeansContext, Root: "r", Extension: "e"},
		"sdc.ctxt.loc:/r/e?fac=A&bed=7":                      {Kind: sdc.LocationContext, Root: "r", Extension: "e", Location: sdc.LocationDetail{Facility: "A", Bed: "7"}},
	} {
		require.Equal(t, uri, want.URI())
		got, err := sdc.ParseContextScope(uri)
		require.NoError(t, err)
		if want.Root == "" {
			want.Root = sdc.UnknownRoot
		}
		require.Equal(t, want, got)
	}
	got, err := sdc.ParseContextScope("SDC.CTXT.LOC:/r?fac=A&future=x")
	require.NoError(t, err, "scheme without case, no extension, unknown key")
	require.Equal(t, sdc.ContextScope{Kind: sdc.LocationContext, Root: "r", Location: sdc.LocationDetail{Facility: "A"}}, got)

	for _, bad := range []string{
		"", "sdc.ctxt.loc", "http://host/path", "sdc.ctxt.loc:r/e", "sdc.ctxt.loc:/", "sdc.ctxt.loc://e", "sdc.ctxt.loc:/r/e/x",
		"sdc.ctxt.loc:/r%2/e", "sdc.ctxt.loc:/r/e%zz", "sdc.ctxt.loc:/r/e?fac=1&fac=2", "sdc.ctxt.loc:/r/e?fac=%4",
	} {
		_, err := sdc.ParseContextScope(bad)
		require.Error(t, err, bad)
	}
}

func TestMDSScopes(t *testing.T) {
	// covers: GLUE MDS type scope, GLUE PKP scope
	require.Equal(t, "sdc.mds.pkp:1.2.840.10004.20701.1.1", sdc.PKPScope(sdc.OIDProvider))
	oid, err := sdc.ParsePKPScope("sdc.mds.pkp:1.2.3")
	require.NoError(t, err)
	require.Equal(t, "1.2.3", oid)

	for uri, c := range map[string]sdc.CodeScope{
		"sdc.cdc.type:///69965":                   {Code: "69965"},
		"sdc.cdc.type:/urn%3Aoid%3A1.3.6/2/a%2Fb": {CodingSystem: "urn:oid:1.3.6", Version: "2", Code: "a/b"},
		"sdc.cdc.type://20041/69965":              {Version: "20041", Code: "69965"},
	} {
		require.Equal(t, uri, c.URI())
		got, err := sdc.ParseCodeScope(uri)
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	require.Equal(t, "sdc.cdc.type:///1", sdc.CodeScope{CodingSystem: sdc.DefaultCodingSystem, Code: "1"}.URI())
	for _, bad := range []string{"", "sdc.cdc.type:", "sdc.cdc.type:///", "sdc.cdc.type://1", "sdc.cdc.type:////1", "other:///1", "sdc.cdc.type:/%/1/2"} {
		_, err := sdc.ParseCodeScope(bad)
		require.Error(t, err, bad)
	}
	for _, bad := range []string{"", "sdc.mds.pkp:", "sdc.mds:1"} {
		_, err := sdc.ParsePKPScope(bad)
		require.Error(t, err, bad)
	}
}

func TestProdSpecAndAttrScopes(t *testing.T) {
	// covers: SDPi R0010, SDPi R0011
	for uri, s := range map[string]sdc.ProdSpecScope{
		"sdc.mds.prodspec:Acme%20Medical:531970":                             {Value: "Acme Medical", Code: "531970"},
		"sdc.mds.prodspec:SN%3A1%2C2:531972,urn%3Aoid%3A1.2.3":               {Value: "SN:1,2", Code: "531972", CodingSystem: "urn:oid:1.2.3"},
		"sdc.mds.prodspec:v:1,urn%3Aoid%3A1.2.3,2024:urn%3Aoid%3A9,part%2F1": {Value: "v", Code: "1", CodingSystem: "urn:oid:1.2.3", Version: "2024", Root: "urn:oid:9", Extension: "part/1"},
		"sdc.mds.prodspec:v:1:root":                                          {Value: "v", Code: "1", Root: "root"},
	} {
		require.Equal(t, uri, s.URI())
		got, err := sdc.ParseProdSpecScope(uri)
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	require.Equal(t, "sdc.mds.prodspec:v:1", sdc.ProdSpecScope{Value: "v", Code: "1", CodingSystem: sdc.DefaultCodingSystem}.URI())
	require.Equal(t, "sdc.mds.prodspec:v:1:biceps.uri.unk,e", sdc.ProdSpecScope{Value: "v", Code: "1", Extension: "e"}.URI())
	for _, bad := range []string{"", "sdc.mds.prodspec:v", "sdc.mds.prodspec:v:", "sdc.mds.prodspec:v:1,2,3,4", "sdc.mds.prodspec:v:1:", "sdc.mds.prodspec:v:1:a,b,c", "sdc.mds.prodspec:v:1:a:b", "sdc.mds.prodspec:%:1"} {
		_, err := sdc.ParseProdSpecScope(bad)
		require.Error(t, err, bad)
	}

	attr := sdc.AttrScope{Value: "ward monitor: 3", Code: "67886"}
	require.Equal(t, "sdc.mds.attr:ward%20monitor%3A%203:67886", attr.URI())
	back, err := sdc.ParseAttrScope(attr.URI())
	require.NoError(t, err)
	require.Equal(t, attr, back)
	for _, bad := range []string{"", "sdc.mds.attr:v", "sdc.mds.attr:v:", "sdc.mds.attr:v:1:2", "sdc.mds.attr:%1:2"} {
		_, err := sdc.ParseAttrScope(bad)
		require.Error(t, err, bad)
	}
}

func TestLocationDetailText(t *testing.T) {
	d, err := sdc.ParseLocationDetail("fac=HOSP, poc=ICU,bed=3")
	require.NoError(t, err)
	require.Equal(t, sdc.LocationDetail{Facility: "HOSP", PoC: "ICU", Bed: "3"}, d)
	require.Equal(t, "fac=HOSP,poc=ICU,bed=3", d.String())
	d, err = sdc.ParseLocationDetail("")
	require.NoError(t, err)
	require.True(t, d.IsZero())
	for _, bad := range []string{"fac", "nope=1", "fac=1,fac=2"} {
		_, err := sdc.ParseLocationDetail(bad)
		require.Error(t, err, bad)
	}
}

func FuzzParseScopes(f *testing.F) {
	for _, s := range []string{
		"sdc.ctxt.loc:/sdc.ctxt.loc.detail/fac1%2F%2F%2Fpoc1%2F%2Fbed1?fac=fac1&poc=poc1&bed=bed1", "sdc.cdc.type:///69965",
		"sdc.mds.prodspec:v:1,urn%3Aoid%3A1.2.3,2024:urn%3Aoid%3A9,part%2F1", "sdc.mds.attr:a%20b:67886", "sdc.ctxt.pat:/a/b?x#y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if s, err := sdc.ParseContextScope(uri); err == nil {
			again, err := sdc.ParseContextScope(s.URI())
			require.NoError(t, err)
			require.Equal(t, s, again)
		}
		if s, err := sdc.ParseCodeScope(uri); err == nil {
			_, err := sdc.ParseCodeScope(s.URI())
			require.NoError(t, err)
		}
		if s, err := sdc.ParseProdSpecScope(uri); err == nil && s.CodingSystem != "" && s.CodingSystem != sdc.DefaultCodingSystem {
			again, err := sdc.ParseProdSpecScope(s.URI())
			require.NoError(t, err)
			require.Equal(t, s, again)
		}
		if s, err := sdc.ParseAttrScope(uri); err == nil {
			again, err := sdc.ParseAttrScope(s.URI())
			require.NoError(t, err)
			require.Equal(t, s, again)
		}
	})
}
