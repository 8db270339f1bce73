package msg_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/mdib/pm"
)

// doc puts declarations on the first element and lets %S stand for a SequenceId.
func doc(s string) []byte {
	const ns = ` xmlns:msg="` + msg.Namespace + `" xmlns:pm="` + pm.Namespace + `" xmlns:ext="` + xmlscan.NsExt + `" xmlns:xsi="` + xmlscan.NsXSI + `"`
	i := strings.IndexAny(s, " />")
	s = s[:i] + ns + s[i:]
	return []byte(strings.ReplaceAll(s, "%S", `SequenceId="urn:uuid:1"`))
}

func TestRefusals(t *testing.T) {
	const (
		metric  = `<msg:EpisodicMetricReport %S><msg:ReportPart><msg:MetricState xsi:type="pm:NumericMetricState" DescriptorHandle="m"`
		value   = metric + `><pm:MetricValue`
		end     = `</msg:MetricState></msg:ReportPart></msg:EpisodicMetricReport>`
		quality = `<pm:MetricQuality Validity="Vld"/>`
		path    = "/msg:EpisodicMetricReport/msg:ReportPart/msg:MetricState"
	)
	wave := strings.Replace(value, "Numeric", "RealTimeSampleArray", 1)
	for _, c := range []struct{ name, in, path, want string }{
		{"attribute missing", `<msg:GetMdibResponse/>`, "/msg:GetMdibResponse", "attribute SequenceId is missing"},
		{"element missing", `<msg:GetMdibResponse %S/>`, "/msg:GetMdibResponse", "element Mdib is missing"},
		{"second of two attributes missing", `<msg:OperationInvokedReport %S><msg:ReportPart/></msg:OperationInvokedReport>`, "/msg:OperationInvokedReport/msg:ReportPart", "attribute OperationHandleRef is missing"},
		{"list must not be empty", `<msg:SetMetricState><msg:OperationHandleRef>o</msg:OperationHandleRef></msg:SetMetricState>`, "/msg:SetMetricState", "element ProposedMetricState is missing"},
		{"xsi:type missing", strings.Replace(metric, `xsi:type="pm:NumericMetricState" `, "", 1) + "/>" + end, path, "xsi:type missing, pm:AbstractMetricState is abstract"},
		{"xsi:type unknown", strings.Replace(metric, "Numeric", "Fuzzy", 1) + "/>" + end, path, "FuzzyMetricState is not a known pm:AbstractMetricState"},
		{"xsi:type abstract", strings.Replace(metric, "pm:NumericMetricState", "pm:AbstractMetricState", 1) + "/>" + end, path, "AbstractMetricState is not a known pm:AbstractMetricState"},
		{"xsi:type of another kind", strings.Replace(metric, "pm:NumericMetricState", "pm:MdsState", 1) + "/>" + end, path, "MdsState is not a known pm:AbstractMetricState"},
		{"xsi:type in another namespace", strings.Replace(metric, "pm:NumericMetricState", "msg:NumericMetricState", 1) + "/>" + end, path, "is not a known pm:AbstractMetricState"},
		{"xsi:type with undeclared prefix", strings.Replace(metric, "pm:NumericMetricState", "x:NumericMetricState", 1) + "/>" + end, path, `prefix "x"`},
		{"xsi:type where nothing is derived", value + ` xsi:type="pm:StringMetricValue">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", "cannot stand for"},
		{"xsi:type of a derived type with content of its own", `<msg:GetContextStatesResponse %S><msg:ContextState xsi:type="pm:WorkflowContextState" DescriptorHandle="w" Handle="s"><pm:WorkflowDetail>` +
			`<pm:Patient xsi:type="pm:PersonParticipation"/></pm:WorkflowDetail></msg:ContextState></msg:GetContextStatesResponse>`,
			"/msg:GetContextStatesResponse/msg:ContextState/pm:WorkflowDetail/pm:Patient", "cannot stand for"},
		{"xsi:type of a base", `<msg:GetMdStateResponse %S><msg:MdState><pm:State xsi:type="pm:VmdState" DescriptorHandle="v"><pm:OperatingJurisdiction xsi:type="pm:InstanceIdentifier"/></pm:State></msg:MdState></msg:GetMdStateResponse>`,
			"/msg:GetMdStateResponse/msg:MdState/pm:State/pm:OperatingJurisdiction", "cannot stand for"},
		{"unknown attribute", metric + ` Valeu="1"/>` + end, path, "attribute Valeu is not allowed"},
		{"attribute on simple element", `<msg:GetMdState><msg:HandleRef x="1">a</msg:HandleRef></msg:GetMdState>`, "/msg:GetMdState/msg:HandleRef", "attribute x is not allowed"},
		{"unknown element", metric + `><pm:Bogus/>` + end, path + "/pm:Bogus", "is not allowed here"},
		{"element of another namespace", metric + `><msg:MetricValue/>` + end, path + "/msg:MetricValue", "is not allowed here"},
		{"foreign element", metric + `><o:x xmlns:o="urn:o"/>` + end, path + "/o:x", "is not allowed here"},
		{"element without namespace", metric + `><MetricValue/>` + end, path + "/MetricValue", "is not allowed here"},
		{"child in a simple element", `<msg:GetMdState><msg:HandleRef><x/></msg:HandleRef></msg:GetMdState>`, "/msg:GetMdState/msg:HandleRef/x", "child element"},
		{"child in an empty type", `<msg:GetStatesFromArchive><msg:TimeFrame><msg:x/></msg:TimeFrame></msg:GetStatesFromArchive>`, "/msg:GetStatesFromArchive/msg:TimeFrame/msg:x", "is not allowed here"},
		{"text between elements", metric + `>text` + end, path, "text in element"},
		{"order", metric + `><pm:MetricValue>` + quality + `</pm:MetricValue><pm:BodySite Code="1"/>` + end, path + "/pm:BodySite", "out of order or repeated"},
		{"repetition", value + `>` + quality + `</pm:MetricValue><pm:MetricValue>` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", "out of order or repeated"},
		{"extension too late", metric + `><pm:BodySite Code="1"/><ext:Extension/>` + end, path + "/ext:Extension", "out of order or repeated"},
		{"other ext element", metric + `><ext:Other/>` + end, path + "/ext:Other", "is not allowed here"},
		{"ext element in extension", metric + `><ext:Extension><ext:x/></ext:Extension>` + end, path + "/ext:Extension/ext:x", "is not allowed here"},
		{"text in extension", metric + `><ext:Extension>x</ext:Extension>` + end, path + "/ext:Extension", "text in element"},
		{"enumeration", metric + ` ActivationState="on"/>` + end, path, `ActivationState: not one of the values allowed: "on"`},
		{"enumeration with space", metric + ` ActivationState=" On"/>` + end, path, "ActivationState: not one of"},
		{"enumeration empty", metric + ` ActivationState=""/>` + end, path, "ActivationState: not one of"},
		{"enumeration in element", `<msg:GetLocalizedText><msg:TextWidth>xxxl</msg:TextWidth></msg:GetLocalizedText>`, "/msg:GetLocalizedText/msg:TextWidth", `not one of the values allowed: "xxxl"`},
		{"narrowed enumeration", `<msg:GetDescriptorResponse %S><msg:Descriptor xsi:type="pm:AlertConditionDescriptor" Handle="a" Kind="Phy" Priority="None" CanEscalate="None"/></msg:GetDescriptorResponse>`,
			"/msg:GetDescriptorResponse/msg:Descriptor", `CanEscalate: not one of the values allowed: "None"`},
		{"decimal with exponent", value + ` Value="1e3">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", `Value: not a decimal number: "1e3"`},
		{"decimal NaN", value + ` Value="NaN">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", "not a decimal number"},
		{"decimal empty", value + ` Value="">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", "not a decimal number"},
		{"decimal in element", `<msg:SetValue><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:RequestedNumericValue>INF</msg:RequestedNumericValue></msg:SetValue>`, "/msg:SetValue/msg:RequestedNumericValue", "not a decimal number"},
		{"sample", wave + ` Samples="1 2 x">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", `sample 2: not a decimal number: "x"`},
		{"quality out of range", value + `><pm:MetricQuality Validity="Vld" Qi="1.01"/></pm:MetricValue>` + end, path + "/pm:MetricValue/pm:MetricQuality", "Qi: out of range"},
		{"timestamp", value + ` DeterminationTime="-1">` + quality + `</pm:MetricValue>` + end, path + "/pm:MetricValue", "DeterminationTime: not a timestamp"},
		{"version too large", metric + ` StateVersion="18446744073709551616"/>` + end, path, "StateVersion: not an unsigned number"},
		{"version negative", metric + ` StateVersion="-1"/>` + end, path, "StateVersion: not an unsigned number"},
		{"duration", metric + ` LifeTimePeriod="5 s"/>` + end, path, `LifeTimePeriod: not an xs:duration: "5 s"`},
		{"empty handle", strings.Replace(metric, `"m"`, `""`, 1) + "/>" + end, path, "DescriptorHandle: empty text"},
		{"boolean", `<msg:GetMdStateResponse %S><msg:MdState><pm:State xsi:type="pm:ClockState" DescriptorHandle="c" RemoteSync="yes"/></msg:MdState></msg:GetMdStateResponse>`,
			"/msg:GetMdStateResponse/msg:MdState/pm:State", `RemoteSync: not an xs:boolean: "yes"`},
		{"integer", `<msg:GetLocalizedText><msg:NumberOfLines>1.5</msg:NumberOfLines></msg:GetLocalizedText>`, "/msg:GetLocalizedText/msg:NumberOfLines", "not an integer"},
		{"int out of range", `<msg:GetContainmentTreeResponse %S><msg:ContainmentTree ChildrenCount="2147483648"/></msg:GetContainmentTreeResponse>`, "/msg:GetContainmentTreeResponse/msg:ContainmentTree", "ChildrenCount: not an integer in range"},
		{"unsigned int out of range", `<msg:SetValueResponse %S><msg:InvocationInfo><msg:TransactionId>4294967296</msg:TransactionId></msg:InvocationInfo></msg:SetValueResponse>`,
			"/msg:SetValueResponse/msg:InvocationInfo/msg:TransactionId", "not an unsigned number in range"},
		{"language", `<msg:GetSupportedLanguagesResponse %S><msg:Lang>en_US</msg:Lang></msg:GetSupportedLanguagesResponse>`, "/msg:GetSupportedLanguagesResponse/msg:Lang", `not a language tag: "en_US"`},
		{"qualified name", `<msg:GetContextStatesByFilter ContextType="x:Y"/>`, "/msg:GetContextStatesByFilter", `prefix "x"`},
		{"truncated", `<msg:GetMdState><msg:HandleRef>a</msg:HandleRef>`, "/msg:GetMdState", "unexpected end of document"},
		{"must understand", metric + `><ext:Extension><o:x xmlns:o="urn:o" ext:MustUnderstand="true"/></ext:Extension>` + end, path + "/ext:Extension/o:x", "{urn:o}x must be understood"},
		{"must understand 1", metric + `><ext:Extension><o:x xmlns:o="urn:o" ext:MustUnderstand=" 1 "/></ext:Extension>` + end, path + "/ext:Extension/o:x", "{urn:o}x must be understood"},
		{"must understand maybe", metric + `><ext:Extension><o:x xmlns:o="urn:o" ext:MustUnderstand="maybe"/></ext:Extension>` + end, path + "/ext:Extension/o:x", "not an xs:boolean"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := msg.Unmarshal(doc(c.in))
			require.Nil(t, m)
			var at *xmlscan.Error
			require.True(t, errors.As(err, &at), "%v", err)
			require.Equal(t, c.path, at.Path, "%v", err)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

func TestToleratedForms(t *testing.T) {
	// covers: SDPi R1012, SDPi R1013
	for _, c := range []struct{ name, in, plain string }{
		{"attributes of other namespaces", `<msg:GetMdib xsi:schemaLocation="a b" xml:lang="en" o:x="1" xmlns:o="urn:o"/>`, `<msg:GetMdib/>`},
		{"white space around numbers and booleans", `<msg:GetMdStateResponse %S MdibVersion=" 5 "><msg:MdState><pm:State xsi:type=" pm:ClockState " DescriptorHandle="c" RemoteSync=" 1&#10;"/></msg:MdState></msg:GetMdStateResponse>`,
			`<msg:GetMdStateResponse %S MdibVersion="5"><msg:MdState><pm:State xsi:type="pm:ClockState" DescriptorHandle="c" RemoteSync="true"/></msg:MdState></msg:GetMdStateResponse>`},
		{"other prefixes, shadowed and default", `<GetMdStateResponse %S xmlns="` + msg.Namespace + `"><MdState><x:State xmlns:x="` + pm.Namespace + `" xmlns="` + pm.Namespace + `" xsi:type="MdsState" DescriptorHandle="c"/></MdState></GetMdStateResponse>`,
			`<msg:GetMdStateResponse %S><msg:MdState><pm:State xsi:type="pm:MdsState" DescriptorHandle="c"/></msg:MdState></msg:GetMdStateResponse>`},
		{"qualified name by default namespace", `<msg:GetContextStatesByFilter xmlns="` + pm.Namespace + `" ContextType="PatientContextState"/>`, `<msg:GetContextStatesByFilter ContextType="pm:PatientContextState"/>`},
		{"declared type named", `<msg:GetMdDescriptionResponse %S><msg:MdDescription xsi:type="pm:MdDescription"><pm:Mds xsi:type="pm:MdsDescriptor" Handle="m"/></msg:MdDescription></msg:GetMdDescriptionResponse>`,
			`<msg:GetMdDescriptionResponse %S><msg:MdDescription><pm:Mds Handle="m"/></msg:MdDescription></msg:GetMdDescriptionResponse>`},
		{"derived type that adds nothing named", `<msg:GetContextStatesByIdentification><msg:Identification xsi:type="pm:OperatingJurisdiction" Root="r"/></msg:GetContextStatesByIdentification>`,
			`<msg:GetContextStatesByIdentification><msg:Identification Root="r"/></msg:GetContextStatesByIdentification>`},
		{"typed argument", `<msg:Activate xmlns:xsd="` + xmlscan.NsXSD + `"><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:Argument><msg:ArgValue xsi:type="xsd:int">5</msg:ArgValue></msg:Argument></msg:Activate>`,
			`<msg:Activate><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:Argument><msg:ArgValue>5</msg:ArgValue></msg:Argument></msg:Activate>`},
		{"comments", `<msg:GetMdState><!-- a --><msg:HandleRef>a<!-- b -->b</msg:HandleRef><?p i?></msg:GetMdState>`, `<msg:GetMdState><msg:HandleRef>ab</msg:HandleRef></msg:GetMdState>`},
		{"empty extension", `<msg:GetMdState><ext:Extension/></msg:GetMdState>`, `<msg:GetMdState/>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := msg.Unmarshal(doc(c.in))
			require.NoError(t, err)
			b, err := msg.Unmarshal(doc(c.plain))
			require.NoError(t, err)
			require.True(t, msg.Equal(a, b), "%s\n%s", a.AppendXML(nil), b.AppendXML(nil))
		})
	}
}

func TestMustUnderstand(t *testing.T) {
	// covers: EXT-ns
	in := doc(`<msg:GetMdib><ext:Extension><o:a xmlns:o="urn:o" ext:MustUnderstand="true">x</o:a><o:b xmlns:o="urn:o" ext:MustUnderstand="false"/></ext:Extension></msg:GetMdib>`)
	_, err := msg.Unmarshal(in)
	var must *pm.MustUnderstandError
	require.ErrorAs(t, err, &must)
	require.Equal(t, pm.QName{Space: "urn:o", Local: "a"}, must.Name)
	m, err := msg.Options{Understands: func(n pm.QName) bool { return n.Local == "a" }}.Unmarshal(in)
	require.NoError(t, err)
	x := m.(*msg.GetMdib).Extension
	require.Len(t, x, 2)
	require.True(t, x[0].MustUnderstand)
	require.False(t, x[1].MustUnderstand)
	out := string(m.AppendXML(nil))
	require.Contains(t, out, `ext:MustUnderstand="true">x</o:a>`)
	require.Contains(t, out, ` ext:MustUnderstand="false"/>`)
	known := doc(`<msg:GetMdib><ext:Extension><s:Gender xmlns:s="` + xmlscan.NsSDPi + `" ext:MustUnderstand="true">Male</s:Gender></ext:Extension></msg:GetMdib>`)
	_, err = msg.Unmarshal(known)
	require.NoError(t, err)
}

// Unknown extensions come back byte for byte, with the bindings they need, wherever those stood.
func TestUnknownExtensionsSurvive(t *testing.T) {
	// covers: EXT-ns
	const inner = `<o:a o:x = '1'  y="p:q"><![CDATA[<&]]><!-- c --><?pi?> <o:b xsi:type="p:T">p:v</o:b></o:a>`
	in := doc(`<msg:GetMdib xmlns:o="urn:o" xmlns:p="urn:p" xmlns:unused="urn:u"><ext:Extension>` + inner + `</ext:Extension></msg:GetMdib>`)
	m, err := msg.Unmarshal(in)
	require.NoError(t, err)
	out := identity(t, m)
	require.Contains(t, string(out), inner[len("<o:a"):])
	require.NotContains(t, string(out), "unused")
	again, err := msg.Unmarshal(out)
	require.NoError(t, err)
	s := again.(*msg.GetMdib).Extension[0].Raw.Scanner()
	require.NoError(t, s.Root())
	q, err := s.ResolveQName("p:q")
	require.NoError(t, err)
	require.Equal(t, pm.QName{Space: "urn:p", Local: "q"}, q)
}

func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{
		`<msg:GetMdib/>`,
		`<msg:GetMdibResponse %S><msg:Mdib %S><pm:MdDescription><pm:Mds Handle="m"><ext:Extension><x/></ext:Extension><pm:Type Code="1"/></pm:Mds></pm:MdDescription></msg:Mdib></msg:GetMdibResponse>`,
		`<msg:WaveformStream %S><msg:State DescriptorHandle="w"><pm:MetricValue Samples="1.5 -2 .5"><pm:MetricQuality Validity="Vld" Qi="0.5"/></pm:MetricValue></msg:State></msg:WaveformStream>`,
		`<msg:EpisodicContextReport %S><msg:ReportPart><msg:ContextState xsi:type="pm:PatientContextState" Handle="p1" DescriptorHandle="p"><pm:CoreData xsi:type="pm:NeonatalPatientDemographicsCoreData"><pm:DateOfBirth>2026-11</pm:DateOfBirth></pm:CoreData></msg:ContextState></msg:ReportPart></msg:EpisodicContextReport>`,
		`<msg:GetContainmentTreeResponse %S><msg:ContainmentTree EntryType="pm:MdsDescriptor"/></msg:GetContainmentTreeResponse>`,
		`<msg:SetValue><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:RequestedNumericValue>123456789012345678901.5</msg:RequestedNumericValue></msg:SetValue>`,
	} {
		f.Add(doc(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := msg.Unmarshal(in)
		if err != nil {
			return
		}
		out := m.AppendXML(nil)
		again, err := msg.Unmarshal(out)
		if err != nil {
			t.Fatalf("written but not readable: %v\n%s", err, out)
		}
		if !msg.Equal(m, again) || string(again.AppendXML(nil)) != string(out) {
			t.Fatalf("not the same after a round trip:\n%s\n%s", out, again.AppendXML(nil))
		}
		if c := msg.Clone(m); !msg.Equal(m, c) || string(c.AppendXML(nil)) != string(out) {
			t.Fatal("clone differs")
		}
	})
}

// A short element may stand for a large value. What a message takes is bounded while it is read, however short its elements are.
func TestShortElementsDoNotFillMemory(t *testing.T) {
	const size = 12 << 20
	in := func(head, one, tail string) []byte {
		return doc(head + strings.Repeat(one, size/len(one)) + tail)
	}
	const metric = `<msg:EpisodicMetricReport %S><msg:ReportPart><msg:MetricState xsi:type="pm:RealTimeSampleArrayMetricState" DescriptorHandle="m"><pm:MetricValue Samples="`
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"MDSs", in(`<msg:GetMdibResponse %S><msg:Mdib %S><pm:MdDescription>`, `<pm:Mds Handle="m"/>`, `</pm:MdDescription></msg:Mdib></msg:GetMdibResponse>`)},
		{"VMDs", in(`<msg:GetMdibResponse %S><msg:Mdib %S><pm:MdDescription><pm:Mds Handle="m">`, `<pm:Vmd Handle="v"/>`, `</pm:Mds></pm:MdDescription></msg:Mdib></msg:GetMdibResponse>`)},
		{"values of a list", in(`<msg:SetContextState><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:ProposedContextState xsi:type="pm:PatientContextState" DescriptorHandle="p" Handle="h">`, `<pm:Validator/>`,
			`</msg:ProposedContextState></msg:SetContextState>`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := msg.Unmarshal(c.in)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, xmlscan.ErrMemory)
			took := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d MiB, garbage included", took>>20)
			require.Less(t, took, uint64(250<<20), "everything that was ever made")
		})
	}
	t.Run("samples", func(t *testing.T) {
		_, err := msg.Unmarshal(doc(metric + strings.Repeat("0 ", 2<<20-10) + `"><pm:MetricQuality Validity="Vld"/></pm:MetricValue></msg:MetricState></msg:ReportPart></msg:EpisodicMetricReport>`))
		require.NoError(t, err, "two million samples in four megabytes")
	})
}
