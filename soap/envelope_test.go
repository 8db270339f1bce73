package soap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

const (
	ns11 = "http://schemas.xmlsoap.org/soap/envelope/"
	wsa  = xmlscan.NsAddressing
)

// envelope builds a message by hand; ns is that of the envelope.
func envelope(ns, header, body string) []byte {
	return []byte(`<e:Envelope xmlns:e="` + ns + `" xmlns:wsa="` + wsa + `"><e:Header>` + header + `</e:Header><e:Body>` + body + `</e:Body></e:Envelope>`)
}

const action = `<wsa:Action>urn:do</wsa:Action>`

func parse(t *testing.T, doc string) *soap.Envelope {
	t.Helper()
	e, err := soap.Parse([]byte(doc), xmlscan.Limits{})
	require.NoError(t, err)
	return e
}

func raw(t *testing.T, doc string) xmlscan.Raw {
	t.Helper()
	r, err := xmlscan.ParseRaw([]byte(doc), xmlscan.Limits{})
	require.NoError(t, err)
	return r
}

func TestEnvelopeRoundTrip(t *testing.T) {
	// covers: DPWS R0034, MDPWS encoding
	h := &soap.Header{
		To: "http://127.0.0.1:1/urn:uuid:a&b", Action: "urn:do", MessageID: "urn:uuid:1", RelatesTo: "urn:uuid:0",
		ReplyTo: &soap.EndpointReference{Address: soap.Anonymous},
		FaultTo: &soap.EndpointReference{Address: soap.None},
		From: &soap.EndpointReference{
			Address:             "urn:uuid:me",
			ReferenceParameters: []xmlscan.Raw{raw(t, `<x:id xmlns:x="urn:x">7</x:id>`)},
			Metadata:            []xmlscan.Raw{raw(t, `<x:m xmlns:x="urn:x"/>`)},
		},
		Extra: []soap.Body{soap.RawBody(`<x:seq xmlns:x="urn:x">1</x:seq>`)},
	}
	doc := soap.AppendEnvelope(nil, h, soap.RawBody(`<b:b xmlns:b="urn:b">text</b:b>`))
	require.True(t, strings.HasPrefix(string(doc), `<?xml version="1.0" encoding="UTF-8"?>`))
	require.NotContains(t, string(doc), "RelationshipType")

	e := parse(t, string(doc))
	require.Equal(t, h.To, e.Header.To)
	require.Equal(t, h.Action, e.Header.Action)
	require.Equal(t, h.MessageID, e.Header.MessageID)
	require.Equal(t, h.RelatesTo, e.Header.RelatesTo)
	require.Equal(t, soap.Anonymous, e.Header.ReplyTo.Address)
	require.Equal(t, soap.None, e.Header.FaultTo.Address)
	require.Equal(t, "urn:uuid:me", e.Header.From.Address)
	require.Len(t, e.Header.From.ReferenceParameters, 1)
	require.Len(t, e.Header.From.Metadata, 1)
	seq, ok := e.Header.Block(soap.Name{Space: "urn:x", Local: "seq"})
	require.True(t, ok)
	require.Equal(t, `<x:seq xmlns:x="urn:x">1</x:seq>`, string(seq.AppendXML(nil)))
	require.Equal(t, soap.Name{Space: "urn:b", Local: "b"}, e.BodyName())
	text, err := e.Body().Text()
	require.NoError(t, err)
	require.Equal(t, "text", text)
	require.NoError(t, e.Close())
	require.NoError(t, e.Check())
}

func TestHeadAndTailFrameABody(t *testing.T) {
	h := soap.NewHeader(soap.NewEndpoint("http://a/b"), "urn:do")
	whole := soap.AppendEnvelope(nil, h, soap.RawBody("<b/>"))
	parts := append(soap.AppendHead(nil, h), "<b/>"...)
	require.Equal(t, string(whole), string(soap.AppendTail(parts)))
	require.Regexp(t, `^urn:uuid:[0-9a-f-]{36}$`, h.MessageID)
}

func TestReferenceParametersAreEchoed(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain": {`<x:id xmlns:x="urn:x" a="b">7</x:id>`,
			`<x:id wsa:IsReferenceParameter="true" xmlns:x="urn:x" a="b">7</x:id>`},
		"empty element": {`<id/>`, `<id wsa:IsReferenceParameter="true" xmlns=""/>`},
		"prefix wsa taken": {`<wsa:id xmlns:wsa="urn:other"/>`,
			`<wsa:id xmlns:wsaref="` + wsa + `" wsaref:IsReferenceParameter="true" xmlns:wsa="urn:other"/>`},
		"marked already": {`<id xmlns:w="` + wsa + `" w:IsReferenceParameter="true"/>`,
			`<id xmlns="" xmlns:w="` + wsa + `" w:IsReferenceParameter="true"/>`},
		"both prefixes taken, behind a >": {`<wsa:id a="&gt;>" xmlns:wsaref="urn:b" xmlns:wsa="urn:other"/>`,
			`<wsa:id xmlns:wsarefx="` + wsa + `" wsarefx:IsReferenceParameter="true" a=`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			to := soap.EndpointReference{Address: "http://a/", ReferenceParameters: []xmlscan.Raw{raw(t, tt.in)}}
			doc := soap.AppendEnvelope(nil, soap.NewHeader(to, "urn:do"), nil)
			require.Contains(t, string(doc), tt.want)
			e := parse(t, string(doc))
			require.Len(t, e.Header.Blocks, 1)
			s := e.Header.Blocks[0].Scanner()
			require.NoError(t, s.Root())
			v, ok := s.Attr(wsa, "IsReferenceParameter")
			require.True(t, ok)
			require.Equal(t, "true", v)
		})
	}
}

// A reference parameter that got its prefix from around it keeps its meaning.
func TestReferenceParameterKeepsBindings(t *testing.T) {
	doc := `<r xmlns:x="urn:x" xmlns:wsa="` + wsa + `"><wsa:Address> http://a/ </wsa:Address><wsa:ReferenceParameters><x:id>x:v</x:id></wsa:ReferenceParameters><other/></r>`
	s := xmlscan.NewScanner([]byte(doc), xmlscan.Limits{})
	require.NoError(t, s.Root())
	epr, err := soap.DecodeEndpointReference(s)
	require.NoError(t, err)
	require.Equal(t, "http://a/", epr.Address)
	e := parse(t, string(soap.AppendEnvelope(nil, soap.NewHeader(epr, "urn:do"), nil)))
	require.Equal(t, soap.Name{Space: "urn:x", Local: "id"}, e.Header.Blocks[0].Name)
}

func TestCheckPrecedence(t *testing.T) {
	// covers: MDPWS R0013, SOAP-1
	const must = `<x:block xmlns:x="urn:x" e:mustUnderstand="true"/>`
	type fault struct {
		code soap.FaultCode
		sub  string
	}
	tests := map[string]struct {
		ns, header string
		want       fault
	}{
		"all three defects":                  {ns11, must, fault{soap.CodeVersionMismatch, ""}},
		"not understood and no action":       {xmlscan.NsSOAP12, must, fault{soap.CodeMustUnderstand, ""}},
		"not understood and broken ReplyTo":  {xmlscan.NsSOAP12, action + `<wsa:ReplyTo/>` + must, fault{soap.CodeMustUnderstand, ""}},
		"no action":                          {xmlscan.NsSOAP12, "", fault{soap.CodeSender, "MessageAddressingHeaderRequired"}},
		"empty action":                       {xmlscan.NsSOAP12, "<wsa:Action/>", fault{soap.CodeSender, "MessageAddressingHeaderRequired"}},
		"two actions":                        {xmlscan.NsSOAP12, action + action, fault{soap.CodeSender, "InvalidCardinality"}},
		"two message ids":                    {xmlscan.NsSOAP12, action + `<wsa:MessageID>a</wsa:MessageID><wsa:MessageID>b</wsa:MessageID>`, fault{soap.CodeSender, "InvalidCardinality"}},
		"two ReplyTo":                        {xmlscan.NsSOAP12, action + strings.Repeat(`<wsa:ReplyTo><wsa:Address>urn:a</wsa:Address></wsa:ReplyTo>`, 2), fault{soap.CodeSender, "InvalidCardinality"}},
		"ReplyTo without address":            {xmlscan.NsSOAP12, action + `<wsa:ReplyTo/>`, fault{soap.CodeSender, "MissingAddressInEPR"}},
		"mustUnderstand is no boolean":       {xmlscan.NsSOAP12, action + strings.Replace(must, "true", "yes", 1), fault{soap.CodeSender, "InvalidMessage"}},
		"mustUnderstand 1":                   {xmlscan.NsSOAP12, action + strings.Replace(must, "true", "1", 1), fault{soap.CodeMustUnderstand, ""}},
		"mustUnderstand 0":                   {xmlscan.NsSOAP12, action + strings.Replace(must, "true", "0", 1), fault{}},
		"for another role":                   {xmlscan.NsSOAP12, action + strings.Replace(must, "/>", ` e:role="urn:gateway"/>`, 1), fault{}},
		"for the next role":                  {xmlscan.NsSOAP12, action + strings.Replace(must, "/>", ` e:role="http://www.w3.org/2003/05/soap-envelope/role/next"/>`, 1), fault{soap.CodeMustUnderstand, ""}},
		"mustUnderstand of another envelope": {xmlscan.NsSOAP12, action + strings.Replace(must, "e:must", `s:must`, 1) + ``, fault{}},
		"addressing is understood":           {xmlscan.NsSOAP12, `<wsa:Action e:mustUnderstand="true">urn:do</wsa:Action>`, fault{}},
		"good":                               {xmlscan.NsSOAP12, action, fault{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := strings.ReplaceAll(tt.header, " s:must", ` xmlns:s="`+ns11+`" s:must`)
			e, err := soap.Parse(envelope(tt.ns, header, ""), xmlscan.Limits{})
			if err == nil {
				err = e.Check()
			}
			if tt.want.code == "" {
				require.NoError(t, err)
				return
			}
			var f *soap.Fault
			require.ErrorAs(t, err, &f)
			require.Equal(t, tt.want.code, f.Code)
			if tt.want.sub != "" {
				require.Equal(t, tt.want.sub, f.Subcodes[len(f.Subcodes)-1].Local)
			}
		})
	}
}

func TestUnderstoodBlocksAreListed(t *testing.T) {
	e := parse(t, string(envelope(xmlscan.NsSOAP12, action+
		`<x:a xmlns:x="urn:x" e:mustUnderstand="true"/><x:b xmlns:x="urn:x" e:mustUnderstand="true"/>`, "")))
	a, b := soap.Name{Space: "urn:x", Local: "a"}, soap.Name{Space: "urn:x", Local: "b"}
	var f *soap.Fault
	require.ErrorAs(t, e.Check(a), &f)
	require.Equal(t, []soap.Name{b}, f.NotUnderstood)
	require.NoError(t, e.Check(a, b))
}

func TestVersionMismatchStillRelates(t *testing.T) {
	// covers: DPWS R0040
	e, err := soap.Parse(envelope(ns11, `<wsa:MessageID>urn:uuid:9</wsa:MessageID>`, ""), xmlscan.Limits{})
	var f *soap.Fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, soap.CodeVersionMismatch, f.Code)
	require.Equal(t, "urn:uuid:9", e.Header.MessageID)
	_, err = soap.Parse([]byte(`<html/>`), xmlscan.Limits{})
	require.ErrorAs(t, err, &f)
	require.Equal(t, soap.CodeVersionMismatch, f.Code)
}

func TestRelatesTo(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"bare":          {`<wsa:RelatesTo> urn:a </wsa:RelatesTo>`, "urn:a"},
		"reply uri":     {`<wsa:RelatesTo RelationshipType="` + wsa + `/reply">urn:a</wsa:RelatesTo>`, "urn:a"},
		"test tool":     {`<wsa:RelatesTo RelationshipType="wsa:Reply">urn:a</wsa:RelatesTo>`, "urn:a"},
		"other kind":    {`<wsa:RelatesTo RelationshipType="urn:k">urn:a</wsa:RelatesTo>`, ""},
		"other, then a": {`<wsa:RelatesTo RelationshipType="urn:k">urn:x</wsa:RelatesTo><wsa:RelatesTo>urn:a</wsa:RelatesTo>`, "urn:a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := parse(t, string(envelope(xmlscan.NsSOAP12, action+tt.in, "")))
			require.NoError(t, e.Check())
			require.Equal(t, tt.want, e.Header.RelatesTo)
		})
	}
}

func TestMalformed(t *testing.T) {
	s12 := xmlscan.NsSOAP12
	tests := map[string]struct {
		doc   string
		parse bool // refused by Parse, else by Close or Check
	}{
		"empty":               {"", true},
		"no xml":              {"hello", true},
		"truncated header":    {`<e:Envelope xmlns:e="` + s12 + `"><e:Header><a>`, true},
		"dtd":                 {`<!DOCTYPE x [<!ENTITY a "b">]><e:Envelope xmlns:e="` + s12 + `"><e:Body/></e:Envelope>`, true},
		"text in envelope":    {`<e:Envelope xmlns:e="` + s12 + `">x<e:Body/></e:Envelope>`, true},
		"no body":             {`<e:Envelope xmlns:e="` + s12 + `"><e:Header/></e:Envelope>`, false},
		"two bodies":          {`<e:Envelope xmlns:e="` + s12 + `"><e:Body/><e:Body/></e:Envelope>`, false},
		"header after body":   {`<e:Envelope xmlns:e="` + s12 + `"><e:Body/><e:Header/></e:Envelope>`, false},
		"foreign before body": {`<e:Envelope xmlns:e="` + s12 + `"><a/><e:Body/></e:Envelope>`, false},
		"two headers":         {`<e:Envelope xmlns:e="` + s12 + `"><e:Header/><e:Header/><e:Body/></e:Envelope>`, false},
		"two in body":         {string(envelope(s12, action, "<a/><b/>")), false},
		"trailing":            {string(envelope(s12, action, "<a/>")) + "<x/>", false},
		"truncated":           {strings.TrimSuffix(string(envelope(s12, action, "<a/>")), "</e:Envelope>"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := soap.Parse([]byte(tt.doc), xmlscan.Limits{})
			if tt.parse {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			if s := e.Body(); s != nil {
				require.NoError(t, s.Skip())
			}
			require.Error(t, errors.Join(e.Close(), checkUnlessAction(e)))
		})
	}
}

// checkUnlessAction is Check for the tests above, whose messages lack an action anyway.
func checkUnlessAction(e *soap.Envelope) error {
	err := e.Check()
	var f *soap.Fault
	if errors.As(err, &f) && f.HasSubcode(wsa, "MessageAddressingHeaderRequired") {
		return nil
	}
	return err
}

func TestExpect(t *testing.T) {
	name := soap.Name{Space: "urn:b", Local: "b"}
	skip := func(s *xmlscan.Scanner) (bool, error) { return true, s.Skip() }
	ok, err := soap.Decode(parse(t, string(envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b"/>`))), name, skip)
	require.NoError(t, err)
	require.True(t, ok)
	for _, body := range []string{"", `<c xmlns="urn:b"/>`, `<b xmlns="urn:b"/><more/>`} {
		_, err = soap.Decode(parse(t, string(envelope(xmlscan.NsSOAP12, action, body))), name, skip)
		var f *soap.Fault
		require.ErrorAs(t, err, &f, body)
		require.True(t, f.HasSubcode(xmlscan.NsEventing, "InvalidMessage"))
		_, err = soap.DecodeAnswer(parse(t, string(envelope(xmlscan.NsSOAP12, action, body))), name, skip)
		require.Error(t, err)
		require.False(t, errors.As(err, &f))
	}
	require.NoError(t, parse(t, string(envelope(xmlscan.NsSOAP12, action, ""))).ExpectEmpty())
	require.Error(t, parse(t, string(envelope(xmlscan.NsSOAP12, action, "<a/>"))).ExpectEmpty())
}

func TestQNames(t *testing.T) {
	names := []soap.Name{
		{Space: xmlscan.NsDPWS, Local: "Device"}, {Space: xmlscan.NsMDPWS, Local: "MedicalDevice"},
		{Space: "urn:one", Local: "a"}, {Space: "urn:two", Local: "b"}, {Space: "urn:one", Local: "c"}, {Local: "plain"},
	}
	doc := soap.AppendQNames(nil, "Types", names)
	require.Contains(t, string(doc), ">dpws:Device mdpws:MedicalDevice t1:a t2:b t1:c plain<")
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	require.NoError(t, s.Root())
	got, err := soap.DecodeQNames(s)
	require.NoError(t, err)
	require.Equal(t, names, got)
}

func TestQNamesResolveInScope(t *testing.T) {
	// covers: SDPi R1012, R1013
	tests := map[string]struct {
		doc  string
		want []soap.Name
	}{
		"outer prefix":    {`<o xmlns:p="urn:a"><T>p:x</T></o>`, []soap.Name{{Space: "urn:a", Local: "x"}}},
		"shadowed prefix": {`<o xmlns:p="urn:a"><T xmlns:p="urn:b">p:x</T></o>`, []soap.Name{{Space: "urn:b", Local: "x"}}},
		"default namespace": {`<o xmlns="urn:a"><T> x
			y </T></o>`, []soap.Name{{Space: "urn:a", Local: "x"}, {Space: "urn:a", Local: "y"}}},
		"own default": {`<o xmlns:q="urn:q"><q:T xmlns="urn:d">x</q:T></o>`, []soap.Name{{Space: "urn:d", Local: "x"}}},
		"empty":       {`<o><T/></o>`, nil},
		"unbound":     {`<o><T>p:x</T></o>`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := xmlscan.NewScanner([]byte(tt.doc), xmlscan.Limits{})
			require.NoError(t, s.Root())
			require.True(t, s.Child())
			got, err := soap.DecodeQNames(s)
			if name == "unbound" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.False(t, s.Child())
			require.NoError(t, s.End())
		})
	}
}

func TestParserKeepsNothingOfTheLastMessage(t *testing.T) {
	var p soap.Parser
	first, err := p.Parse(envelope(xmlscan.NsSOAP12, action+`<x:a xmlns:x="urn:x">1</x:a>`, "<a/>"), xmlscan.Limits{})
	require.NoError(t, err)
	_, err = p.Parse(envelope(xmlscan.NsSOAP12, `<wsa:Action>urn:other</wsa:Action>`, "<b/>"), xmlscan.Limits{})
	require.NoError(t, err)
	require.Nil(t, first.Body())
	require.Error(t, first.Close())
	require.Equal(t, "urn:do", first.Header.Action)
	require.Equal(t, `<x:a xmlns:x="urn:x">1</x:a>`, string(first.Header.Blocks[0].AppendXML(nil)))
	_, err = p.Parse([]byte("<"), xmlscan.Limits{})
	require.Error(t, err)
	_, err = p.Parse(envelope(ns11, action, ""), xmlscan.Limits{})
	require.Error(t, err)
}
