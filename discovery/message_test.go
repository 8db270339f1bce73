package discovery

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// encodeAll returns one message of each kind as it goes on the wire.
func encodeAll(t testing.TB) map[kind][]byte {
	e := testEndpoint(testEPR)
	filter := Filter{Types: []Name{medical()}, Scopes: []string{"sdc.mds.pkp:1.2.840.10004.20701.1.1"}, MatchBy: MatchRFC3986}
	all := map[kind][]byte{}
	for _, m := range []body{
		{kind: kindHello, endpoints: []Endpoint{e}},
		{kind: kindBye, endpoints: []Endpoint{{EPR: testEPR}}},
		{kind: kindProbe, filter: filter},
		{kind: kindProbeMatches, endpoints: []Endpoint{e}},
		{kind: kindResolve, endpoints: []Endpoint{{EPR: testEPR}}},
		{kind: kindResolveMatches, endpoints: []Endpoint{e}},
	} {
		h := &soap.Header{To: To, Action: m.kind.action(), MessageID: "urn:uuid:0de5a3ea-d2f5-4d66-8c25-03a2d4b9a001"}
		switch m.kind {
		case kindProbeMatches, kindResolveMatches:
			h.To, h.RelatesTo = soap.Anonymous, "urn:uuid:0de5a3ea-d2f5-4d66-8c25-03a2d4b9a002"
			h.Extra = []soap.Body{appSequence{12, 34}}
		case kindHello, kindBye:
			h.Extra = []soap.Body{appSequence{12, 34}}
		}
		all[m.kind] = soap.AppendEnvelope(nil, h, m)
	}
	require.Len(t, all, 6)
	return all
}

func TestRoundTrip(t *testing.T) {
	for k, data := range encodeAll(t) {
		m, err := decodeDatagram(data)
		require.NoError(t, err, k)
		require.Equal(t, k, m.kind)
		require.Equal(t, "urn:uuid:0de5a3ea-d2f5-4d66-8c25-03a2d4b9a001", m.id)
		switch k {
		case kindHello, kindProbeMatches, kindResolveMatches:
			require.Equal(t, []Endpoint{testEndpoint(testEPR)}, m.endpoints)
		case kindBye, kindResolve:
			require.Equal(t, []Endpoint{{EPR: testEPR}}, m.endpoints)
		case kindProbe:
			require.Equal(t, []Name{medical()}, m.filter.Types)
			require.Equal(t, MatchRFC3986, m.filter.MatchBy)
			require.Equal(t, []string{"sdc.mds.pkp:1.2.840.10004.20701.1.1"}, m.filter.Scopes)
		}
		question := k == kindProbe || k == kindResolve
		require.Equal(t, !question, m.hasSequence, k)
		if m.hasSequence {
			require.Equal(t, appSequence{12, 34}, m.sequence)
		}
	}
}

func TestWritten(t *testing.T) {
	// covers: MDPWS R0008
	hello := string(encodeAll(t)[kindHello])
	require.Contains(t, hello, ">dpws:Device mdpws:MedicalDevice</wsd:Types>", "fixed prefixes")
	require.Contains(t, hello, "&amp;poc=poc1")
	require.Contains(t, hello, `InstanceId="12" MessageNumber="34"`)
	empty := string(body{kind: kindProbe}.AppendXML(nil))
	require.Equal(t, `<wsd:Probe xmlns:wsd="`+xmlscan.NsDiscovery+`"></wsd:Probe>`, empty)
}

func TestSchema(t *testing.T) {
	docs := map[string][]byte{}
	for k, data := range encodeAll(t) {
		docs[k.String()] = data
	}
	h := soap.MatchingRuleNotSupported(SupportedRules()...).Header("urn:uuid:1")
	docs["Fault"] = soap.AppendEnvelope(nil, h, soap.MatchingRuleNotSupported(SupportedRules()...))
	docs["empty ProbeMatches"] = soap.AppendEnvelope(nil, &soap.Header{Action: ActionProbeMatches}, body{kind: kindProbeMatches})
	reftest.Validate(t, docs)
}

// shape writes the elements and attributes of a document in order, without text.
func shape(t *testing.T, doc []byte) string {
	t.Helper()
	s := xmlscan.NewScanner(doc, xmlscan.Limits{})
	require.NoError(t, s.Root())
	var b strings.Builder
	var walk func()
	walk = func() {
		if s.Name().Space == xmlscan.NsAddressing && s.Name().Local != "EndpointReference" {
			b.WriteString(s.Name().Local)
			require.NoError(t, s.Skip())
			return
		}
		b.WriteString(s.Name().String())
		for _, a := range s.Attrs() {
			fmt.Fprintf(&b, " %s", a.Local())
		}
		switch s.Name() {
		case wsd("Types"), wsd("Scopes"), wsd("XAddrs"), wsd("MetadataVersion"), wsd("AppSequence"):
			require.NoError(t, s.Skip())
			return
		}
		b.WriteByte('(')
		for s.Child() {
			walk()
			b.WriteByte(' ')
		}
		require.NoError(t, s.Err())
		b.WriteByte(')')
	}
	walk()
	return b.String()
}

func TestSamples(t *testing.T) {
	ours := encodeAll(t)
	for file, k := range map[string]kind{
		"23-hello": kindHello, "24-probe": kindProbe, "24-probe-match": kindProbeMatches,
		"24-resolve": kindResolve, "24-resolve-match": kindResolveMatches,
	} {
		sample := reftest.Read(t, reftest.Samples(t, "sdpi-messages/*-dev-"+file+".xml")[0])
		want, got := shape(t, sample), shape(t, ours[k])
		// Header blocks have no order; the samples write Action first.
		_, want, _ = strings.Cut(want, "Body")
		_, got, _ = strings.Cut(got, "Body")
		if k == kindHello {
			// Ours names the address, which a Hello may leave to Resolve.
			got = strings.Replace(got, wsd("XAddrs").String()+" ", "", 1)
		}
		require.Equal(t, want, got, file)
	}
}

func TestWire(t *testing.T) {
	types := DeviceTypes()
	want := map[string]struct {
		kind  kind
		epr   string
		types []Name
		xaddr bool
	}{
		"01-Hello":                {kindHello, "urn:uuid:11111111-2222-4333-8444-555555555555", types, true},
		"02-Probe":                {kind: kindProbe, types: types},
		"03-ProbeMatches":         {kindProbeMatches, "urn:uuid:11111111-2222-4333-8444-555555555555", types, true},
		"04-Resolve":              {kindResolve, "urn:uuid:11111111-2222-4333-8444-555555555555", nil, false},
		"05-ResolveMatches":       {kindResolveMatches, "urn:uuid:11111111-2222-4333-8444-555555555555", types, true},
		"18-DirectedProbe":        {kind: kindProbe},
		"19-DirectedProbeMatches": {kindProbeMatches, "", types, true},
		"96-Bye":                  {kindBye, "urn:uuid:11111111-2222-4333-8444-555555555555", nil, false},
	}
	seen := 0
	for _, w := range reftest.Wire(t) {
		c, ok := want[w.Name]
		if !ok {
			continue
		}
		seen++
		m, err := decodeDatagram(w.XML)
		require.NoError(t, err, w.Name)
		require.Equal(t, c.kind, m.kind, w.Name)
		if c.kind == kindProbe {
			require.Equal(t, c.types, m.filter.Types, w.Name)
			continue
		}
		require.Len(t, m.endpoints, 1, w.Name)
		e := m.endpoints[0]
		require.Equal(t, c.epr, e.EPR, w.Name)
		require.Equal(t, c.types, e.Types, w.Name)
		require.Equal(t, c.xaddr, len(e.XAddrs) == 1, w.Name)
		if c.kind == kindHello {
			require.Equal(t, appSequence{91920865, 1}, m.sequence)
			require.Len(t, e.Scopes, 4)
			require.Contains(t, e.Scopes, "sdc.cdc.type:///67108865")
			require.EqualValues(t, 1, e.MetadataVersion)
		}
	}
	require.Equal(t, len(want), seen)
}

// refusedDatagrams are what must be ignored, by what is wrong.
func refusedDatagrams(t testing.TB) map[string][]byte {
	hello := string(encodeAll(t)[kindHello])
	replace := func(old, with string) []byte {
		require.Contains(t, hello, old)
		return []byte(strings.Replace(hello, old, with, 1))
	}
	return map[string][]byte{
		"empty":              nil,
		"garbage":            []byte("\x00\xff\x80GET / HTTP/1.1"),
		"truncated":          []byte(hello[:len(hello)/2]),
		"other version":      []byte(strings.ReplaceAll(hello, xmlscan.NsDiscovery, "http://schemas.xmlsoap.org/ws/2005/04/discovery")),
		"soap 1.1":           []byte(strings.ReplaceAll(hello, xmlscan.NsSOAP12, xmlscan.NsSOAP11)),
		"other body":         []byte(strings.ReplaceAll(hello, "wsd:Hello", "wsd:Greeting")),
		"action of Bye":      replace(ActionHello, ActionBye),
		"no id":              replace("<wsa:MessageID>urn:uuid:0de5a3ea-d2f5-4d66-8c25-03a2d4b9a001</wsa:MessageID>", ""),
		"overlong id":        replace("urn:uuid:0de5a3ea-d2f5-4d66-8c25-03a2d4b9a001", "urn:"+strings.Repeat("x", maxID)),
		"no version":         replace("<wsd:MetadataVersion>7</wsd:MetadataVersion>", ""),
		"negative version":   replace(">7<", ">-7<"),
		"large version":      replace(">7<", ">4294967296<"),
		"undeclared prefix":  replace("dpws:Device ", "nope:Device "),
		"no epr":             []byte(strings.ReplaceAll(hello, "EndpointReference", "Endpoint")),
		"sequence no number": replace(`MessageNumber="34"`, ``),
		"sequence too large": replace(`MessageNumber="34"`, `MessageNumber="99999999999"`),
		"must understand":    replace("</s12:Header>", `<x:Sec xmlns:x="urn:x" s12:mustUnderstand="true"/></s12:Header>`),
		"two bodies":         replace("</s12:Body>", "<a/></s12:Body>"),
		"after the end":      []byte(hello + "<a/>"),
		"dtd":                replace("<s12:Envelope", `<!DOCTYPE x [<!ENTITY a "b">]><s12:Envelope`),
		"deep":               replace("</wsd:Hello>", strings.Repeat("<a>", 30)+strings.Repeat("</a>", 30)+"</wsd:Hello>"),
		"many elements":      replace("</wsd:Hello>", strings.Repeat("<a/>", 1000)+"</wsd:Hello>"),
		"many scopes":        manySought(t, "Scopes"),
		"many types":         manySought(t, "Types"),
		"printer": []byte(`<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header/><soap:Body>` +
			`<p:Job xmlns:p="urn:printer"/></soap:Body></soap:Envelope>`),
	}
}

// manySought is a Probe that looks for more than it may; one that looks for as many as it may is read.
func manySought(t testing.TB, what string) []byte {
	probe := func(n int) []byte {
		doc := string(soap.AppendEnvelope(nil, &soap.Header{To: To, Action: ActionProbe, MessageID: soap.NewMessageID()}, body{kind: kindProbe}))
		head, _, _ := strings.Cut(doc, "<wsd:Probe")
		return []byte(head + `<wsd:Probe xmlns:wsd="` + xmlscan.NsDiscovery + `"><wsd:` + what + ">" + strings.Repeat("wsd:a ", n) + "</wsd:" + what + "></wsd:Probe></s12:Body></s12:Envelope>")
	}
	_, err := decodeDatagram(probe(maxSought))
	require.NoError(t, err)
	return probe(maxSought + 1)
}

func TestRefused(t *testing.T) {
	for name, data := range refusedDatagrams(t) {
		m, err := decodeDatagram(data)
		require.Error(t, err, name)
		require.Nil(t, m, name)
	}
	// A printer's Hello in this version is read; it is the filter that leaves it out.
	hello := strings.Replace(string(encodeAll(t)[kindHello]), "dpws:Device mdpws:MedicalDevice", "dpws:Device p:Print", 1)
	hello = strings.Replace(hello, "<wsd:Types", `<wsd:Types xmlns:p="urn:printer"`, 1)
	hello = strings.Replace(hello, "</wsd:Hello>", `<p:x xmlns:p="urn:printer">text<p:y/></p:x></wsd:Hello>`, 1)
	m, err := decodeDatagram([]byte(hello))
	require.NoError(t, err)
	require.False(t, Filter{Types: []Name{medical()}}.Match(m.endpoints[0]))
	require.True(t, m.endpoints[0].HasType(xmlscan.Name{Space: "urn:printer", Local: "Print"}))
}

func FuzzDatagram(f *testing.F) {
	for _, data := range encodeAll(f) {
		f.Add(data)
	}
	for _, data := range refusedDatagrams(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeDatagram(data)
		if err != nil {
			return
		}
		if m.kind == 0 || m.id == "" {
			t.Fatalf("accepted a message without kind or id: %+v", m)
		}
		// What was accepted can be written again, is well-formed, and says the same.
		h := &soap.Header{Action: m.kind.action(), MessageID: "urn:uuid:1"}
		again := soap.AppendEnvelope(nil, h, m.body)
		if err := xml.Unmarshal(again, new(struct{})); err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		n, err := decodeDatagram(again)
		if err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		for i := range m.endpoints {
			a, b := m.endpoints[i], n.endpoints[i]
			if m.kind == kindBye || m.kind == kindResolve {
				a = Endpoint{EPR: a.EPR}
			}
			if !a.Equal(b) {
				t.Fatalf("%+v became %+v", a, b)
			}
		}
		x := newTracker(m.filter, 4)
		for _, e := range append(m.endpoints, n.endpoints...) {
			x.apply(m.kind, e, m.sequence, m.hasSequence, netip.Addr{})
		}
		for range 8 {
			x.next()
		}
		if _, ok := x.next(); ok {
			t.Fatal("more events than messages")
		}
	})
}

func FuzzScope(f *testing.F) {
	f.Add("sdc.ctxt.loc:/a/b?x", "sdc.ctxt.loc:/a/b/c")
	f.Add("http://h/%2e", "http://H/..")
	f.Add("a:", "a:%")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := MatchScope(a, b)
		if MatchScope(a, a) && MatchScope(b, b) {
			// Among URIs the relation is transitive with equality of case in scheme.
			if got && !MatchScope(strings.ToUpper(a[:strings.IndexByte(a, ':')])+a[strings.IndexByte(a, ':'):], b) {
				t.Fatalf("case of scheme matters for %q and %q", a, b)
			}
		} else if got {
			t.Fatalf("%q matches %q though one of them does not match itself", a, b)
		}
	})
}
