package reftest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/testkit/reftest"
)

const envelope = `<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing"
 xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message" xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"
 xmlns:wse="http://schemas.xmlsoap.org/ws/2004/08/eventing" xmlns:mex="http://schemas.xmlsoap.org/ws/2004/09/mex"
 xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01">
<s12:Header><wsa:Action>urn:action</wsa:Action><wsa:MessageID>urn:uuid:b2b2e6a5-1f5c-4a9f-8a43-1e7f2b9a0000</wsa:MessageID></s12:Header>
<s12:Body>BODY</s12:Body></s12:Envelope>`

func soap(body string) []byte { return []byte(strings.Replace(envelope, "BODY", body, 1)) }

func TestValidateAcceptsEveryMessageFamily(t *testing.T) {
	reftest.Validate(t, map[string][]byte{
		"empty body": soap(""),
		"biceps":     soap(`<msg:GetMdState><msg:HandleRef>h1</msg:HandleRef></msg:GetMdState>`),
		"discovery":  soap(`<wsd:Probe><wsd:Types>dpws:Device</wsd:Types></wsd:Probe>`),
		"eventing":   soap(`<wse:Renew><wse:Expires>PT15S</wse:Expires></wse:Renew>`),
		"metadata": soap(`<mex:Metadata><mex:MetadataSection Dialect="urn:d"><dpws:ThisDevice>` +
			`<dpws:FriendlyName>a</dpws:FriendlyName></dpws:ThisDevice></mex:MetadataSection></mex:Metadata>`),
		"fault": soap(`<s12:Fault><s12:Code><s12:Value>s12:Sender</s12:Value></s12:Code>` +
			`<s12:Reason><s12:Text xml:lang="en">no</s12:Text></s12:Reason></s12:Fault>`),
		"bare element": []byte(`<msg:GetMdib xmlns:msg="http://standards.ieee.org/downloads/11073/11073-10207-2017/message"/>`),
	})
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	bad := map[string][]byte{
		"unknown body":        soap(`<msg:GetMdibs/>`),
		"unknown child":       soap(`<msg:GetMdState><msg:Handle>h1</msg:Handle></msg:GetMdState>`),
		"wrong order":         soap(`<wsd:Probe><wsd:Scopes>a:b</wsd:Scopes><wsd:Types>dpws:Device</wsd:Types></wsd:Probe>`),
		"bad duration":        soap(`<wse:Renew><wse:Expires>15 s</wse:Expires></wse:Renew>`),
		"inside metadata":     soap(`<mex:Metadata><mex:MetadataSection Dialect="urn:d"><dpws:ThisDevice/></mex:MetadataSection></mex:Metadata>`),
		"inside header":       soap(`<msg:GetMdib/>`),
		"not well-formed":     []byte(`<a>`),
		"undeclared root":     []byte(`<a/>`),
		"undeclared prefix":   []byte(`<msg:GetMdib/>`),
		"invalid xsi:type":    soap(`<msg:SetValue><msg:OperationHandleRef>o</msg:OperationHandleRef><msg:RequestedNumericValue>1e3</msg:RequestedNumericValue></msg:SetValue>`),
		"fault without value": soap(`<s12:Fault><s12:Code/></s12:Fault>`),
	}
	bad["inside header"] = []byte(strings.Replace(string(bad["inside header"]), "</s12:Header>", "<wsa:ReplyTo/></s12:Header>", 1))
	problems := reftest.Check(t, bad)
	for name := range bad {
		require.NotEmpty(t, problems[name], "%s was accepted", name)
	}
	require.Contains(t, problems["unknown child"][0], "Handle")
}

func TestReferenceMessages(t *testing.T) {
	wire := reftest.Wire(t)
	require.Len(t, wire, 96)
	docs := map[string][]byte{}
	for _, m := range wire {
		require.NotEmpty(t, m.Head, m.Name)
		// These are recorded as examples of what is wrong, or are no XML.
		if len(m.XML) == 0 || strings.Contains(m.Name, "notWellFormed") || strings.Contains(m.Name, "schemaInvalid") {
			continue
		}
		docs[m.Name] = m.XML
	}
	for _, f := range reftest.Samples(t, "mdibs/*.xml") {
		docs[f] = reftest.Read(t, f)
	}
	problems := reftest.Check(t, docs)
	require.Contains(t, problems, "84-Fault-unknownAction", "its body is declared nowhere")
	delete(problems, "84-Fault-unknownAction")
	require.Empty(t, problems)
}
