package safety_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc/safety"
)

func setValue(value string) *msg.SetValue {
	return &msg.SetValue{AbstractSet: msg.AbstractSet{OperationHandleRef: "op"}, RequestedNumericValue: pm.MustDecimal(value)}
}

func operation(t *testing.T, content string) *pm.SetValueOperationDescriptor {
	t.Helper()
	raw, err := xmlscan.ParseRaw([]byte(`<s:SafetyReq xmlns:s="`+xmlscan.NsMDPWS+`" xmlns:m="`+xmlscan.NsMsg+`" xmlns:pm="urn:not-the-usual">`+content+`</s:SafetyReq>`), xmlscan.Limits{})
	require.NoError(t, err)
	op := &pm.SetValueOperationDescriptor{}
	op.Handle = "op"
	op.Extension.Set(pm.ExtensionElement{Raw: raw})
	return op
}

func dual(path string) string {
	return `<s:DualChannelDef><s:Selector Id="a">` + path + `</s:Selector></s:DualChannelDef>`
}

func TestDigest(t *testing.T) {
	// The SHA-1 of "abc" is a test vector of FIPS 180.
	require.Equal(t, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", safety.Digest("abc"))
	require.NotEqual(t, safety.Digest("<"), safety.Digest("&lt;"))
}

func TestSelectors(t *testing.T) {
	activate := &msg.Activate{AbstractSet: msg.AbstractSet{OperationHandleRef: "op"}, Argument: []msg.Argument{{ArgValue: "one"}, {ArgValue: "two"}}}
	for path, want := range map[string]string{
		"/m:Activate/m:OperationHandleRef/text()":       "op",
		"/m:Activate/m:Argument[2]/m:ArgValue/text()":   "two",
		" /m:Activate/m:Argument[1]/m:ArgValue/text() ": "one",
		"/m:Activate/m:Argument[ 1 ]/m:ArgValue/text()": "one",
		"/msg:Activate/msg:OperationHandleRef/text()":   "op",
	} {
		r, err := safety.Of(operation(t, dual(path)))
		require.NoError(t, err, path)
		info, err := r.Compute(activate, nil)
		require.NoError(t, err, path)
		require.Equal(t, []safety.Value{{Selector: "a", Text: safety.Digest(want)}}, info.DualChannel, path)
	}
	for path, want := range map[string]string{
		"/m:SetValue/m:OperationHandleRef/text()":             "points to nothing",
		"/m:Activate/m:Argument/m:ArgValue/text()":            "points to several values",
		"/m:Activate/m:Argument[3]/m:ArgValue/text()":         "points to nothing",
		"/m:Activate/m:Argument[@Name='x']/m:ArgValue/text()": "points to nothing",
		"/m:Activate/@Handle":                                 "points to nothing",
		"/Activate/OperationHandleRef/text()":                 "points to nothing",
		"/m:Activate/text()":                                  "",
	} {
		r, err := safety.Of(operation(t, dual(path)))
		require.NoError(t, err, path)
		_, err = r.Compute(activate, nil)
		require.ErrorContains(t, err, want, path)
	}
	for _, path := range []string{
		"", "/", "//m:a/text()", "m:a/text()", "/m:a", "/m:a/text()/", "/m:a/@", "/m:a[0]/text()", "/m:a[1.5]/text()", "/m:a[b]/text()", "/m:a[@b]/text()", "/m:a[@b=c]/text()",
		"/m:a[@b='c]/text()", "/m:a[@b='c'/text()", "/z:a/text()", "/m:a:b/text()", "/:a/text()", "/*/text()", "/m:a[last()]/text()", "/m:a[@b=concat('x'/text()", "/@x", "/text()",
		strings.Repeat("/m:a", 40) + "/text()",
	} {
		_, err := safety.Of(operation(t, dual(path)))
		require.Error(t, err, path)
	}
	for _, content := range []string{
		dual("/m:a/text()") + `<s:SafetyContextDef><s:Selector Id="a">/m:b/text()</s:Selector></s:SafetyContextDef>`, // the same Id
		`<s:DualChannelDef><s:Selector>/m:a/text()</s:Selector></s:DualChannelDef>`,
		`<s:DualChannelDef Algorithm="s:Base64SHA256"><s:Selector Id="a">/m:a/text()</s:Selector></s:DualChannelDef>`,
		`<s:DualChannelDef Transform="s:none"><s:Selector Id="a">/m:a/text()</s:Selector></s:DualChannelDef>`,
		`<s:More/>`, `<s:DualChannelDef><s:More/></s:DualChannelDef>`,
	} {
		_, err := safety.Of(operation(t, content))
		require.Error(t, err, content)
	}
	_, err := safety.Of(operation(t, `<s:DualChannelDef Algorithm="s:Base64SHA1" Transform="s:xml-exc-c14n"><s:Selector Id="a">/m:a[@b=concat('x', "y")][@c=1][2]/@d</s:Selector></s:DualChannelDef>`))
	require.NoError(t, err)
	none, err := safety.Of(&pm.SetValueOperationDescriptor{})
	require.NoError(t, err)
	require.Nil(t, none)
	require.Error(t, (&safety.Requirement{}).Set(&pm.SetValueOperationDescriptor{}))
	require.Error(t, (&safety.Requirement{Context: []safety.Selector{{ID: "x", Path: "nowhere"}}}).Set(&pm.SetValueOperationDescriptor{}))
}

func TestContextIsTakenFromTheMDIB(t *testing.T) {
	mds := &pm.MdsDescriptor{}
	mds.Handle = "mds"
	snap, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(t, err)
	op := &pm.SetValueOperationDescriptor{}
	require.NoError(t, (&safety.Requirement{Context: []safety.Selector{
		{ID: "type", Path: "/pm:MdState/pm:State[@DescriptorHandle='mds']/@xsi:type"}, {ID: "handle", Path: `/pm:MdDescription/pm:Mds[1]/@Handle`},
	}}).Set(op))
	r, err := safety.Of(op)
	require.NoError(t, err)
	info, err := r.Compute(setValue("1"), snap)
	require.NoError(t, err)
	require.Equal(t, []safety.Value{{Selector: "type", Text: "pm:MdsState"}, {Selector: "handle", Text: "mds"}}, info.Context)
	require.NoError(t, r.Check(info, setValue("1"), snap))
	require.ErrorContains(t, r.Check(nil, setValue("1"), snap), "missing")
}

func TestHeaderBlock(t *testing.T) {
	info := &safety.Info{DualChannel: []safety.Value{{Selector: "a", Text: "x="}}, Context: []safety.Value{{Selector: "b", Text: "<&>"}, {Selector: "c"}}}
	raw, err := xmlscan.ParseRaw(info.AppendXML(nil), xmlscan.Limits{})
	require.NoError(t, err)
	got, err := safety.Decode(raw)
	require.NoError(t, err)
	require.Equal(t, info, got)
	many := strings.Repeat(`<m:DcValue ReferencedSelector="a"/>`, 65)
	for _, content := range []string{
		`<m:DualChannel><m:DcValue/></m:DualChannel>`, `<m:DualChannel>` + many + `</m:DualChannel>`, `<m:SafetyContext><m:CtxtValue ReferencedSelector="a"><m:x/></m:CtxtValue></m:SafetyContext>`,
	} {
		raw, err := xmlscan.ParseRaw(fmt.Appendf(nil, `<m:SafetyInfo xmlns:m="%s">%s</m:SafetyInfo>`, xmlscan.NsMDPWS, content), xmlscan.Limits{})
		require.NoError(t, err)
		_, err = safety.Decode(raw)
		require.Error(t, err, content)
	}
	raw, err = xmlscan.ParseRaw([]byte(`<x/>`), xmlscan.Limits{})
	require.NoError(t, err)
	_, err = safety.Decode(raw)
	require.Error(t, err)
}

func FuzzDecode(f *testing.F) {
	f.Add((&safety.Info{DualChannel: []safety.Value{{Selector: "a", Text: "b"}}}).AppendXML(nil))
	f.Add([]byte(`<s:SafetyReq xmlns:s="` + xmlscan.NsMDPWS + `"><s:DualChannelDef><s:Selector Id="a">/msg:SetValue[@a='b'][2]/msg:RequestedNumericValue/text()</s:Selector></s:DualChannelDef></s:SafetyReq>`))
	mds := &pm.MdsDescriptor{}
	mds.Handle = "mds"
	snap, err := mdib.FromMdib(&pm.Mdib{MdDescription: &pm.MdDescription{Mds: []*pm.MdsDescriptor{mds}}})
	require.NoError(f, err)
	f.Fuzz(func(_ *testing.T, doc []byte) {
		raw, err := xmlscan.ParseRaw(doc, xmlscan.Limits{})
		if err != nil {
			return
		}
		_, _ = safety.Decode(raw)
		op := &pm.SetValueOperationDescriptor{}
		op.Extension.Set(pm.ExtensionElement{Raw: xmlscan.Raw{Name: safety.RequirementName(), XML: raw.XML, Bindings: raw.Bindings}})
		if r, err := safety.Of(op); err == nil && r != nil {
			_, _ = r.Compute(setValue("1"), snap)
		}
	})
}
