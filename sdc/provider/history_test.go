package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/mdib/hm"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
	"github.com/semeco/go-sdc/soap/dpws"
	"github.com/semeco/go-sdc/soap/eventing"
)

// subscribeFilter subscribes to the history with a filter as it stands.
func (p *peer) subscribeFilter(dialect, filter string) error {
	_, err := p.client.Call(p.t.Context(), soap.NewEndpoint(p.device+"/History"), eventing.ActionSubscribe, soap.RawBody(
		`<wse:Subscribe xmlns:wse="`+xmlscan.NsEventing+`" xmlns:hm="`+hm.Namespace+`"><wse:Delivery><wse:NotifyTo><wsa:Address>`+p.sink+
			`/sink/history</wsa:Address></wse:NotifyTo></wse:Delivery><wse:Filter Dialect="`+dialect+`">`+filter+`</wse:Filter></wse:Subscribe>`))
	return err
}

func TestHistoryIsRefusedByFaults(t *testing.T) {
	// covers: SDPi R0512, R0514, R0524, R0526, R0529
	inBubble(t, func(c *provider.Config) { c.History = true }, nil, func(t *testing.T, b *bench) {
		query := string((&hm.Query{Time: &hm.TimeRange{Start: 1, End: 2}}).AppendXML(nil))
		const foreign = `<x:more xmlns:x="urn:x">1</x:more>`
		for name, c := range map[string]struct{ dialect, filter, want string }{
			"another dialect":  {eventing.DialectAction, sdc.ActionHistoricMdibReport, "FilteringRequestedUnavailable"},
			"an unknown one":   {"urn:x", query, "FilteringRequestedUnavailable"},
			"no query":         {sdc.DialectHistory, "", "InvalidMessage"},
			"foreign alone":    {sdc.DialectHistory, foreign, "InvalidMessage"},
			"two queries":      {sdc.DialectHistory, query + query, "InvalidMessage"},
			"text":             {sdc.DialectHistory, "all of it", "InvalidMessage"},
			"no query of ours": {sdc.DialectHistory, "<hm:Query/>", "InvalidMessage"},
			"many handles":     {sdc.DialectHistory, string((&hm.Query{Time: &hm.TimeRange{Start: 1, End: 2}, Handles: slices.Repeat([]string{"num"}, 1001)}).AppendXML(nil)), "InvalidMessage"},
			"a large message":  {sdc.DialectHistory, query + `<x:more xmlns:x="urn:x">` + strings.Repeat("x", 128<<10) + `</x:more>`, "InvalidMessage"},
			"many languages":   {sdc.DialectHistory, string((&hm.Query{Time: &hm.TimeRange{Start: 1, End: 2}, Texts: true, Languages: slices.Repeat([]pm.Language{"en"}, 65)}).AppendXML(nil)), "InvalidMessage"},
			"many kinds":       {sdc.DialectHistory, string((&hm.Query{Time: &hm.TimeRange{Start: 1, End: 2}, Reports: slices.Repeat(hm.ReportTypes(), 10)}).AppendXML(nil)), "InvalidMessage"},
			"not the schema's": {sdc.DialectHistory, strings.Replace(query, "StartTime", "Start", 1), "InvalidMessage"},
		} {
			err := b.peer.subscribeFilter(c.dialect, c.filter)
			var fault *soap.Fault
			require.ErrorAs(t, err, &fault, name)
			require.Equal(t, soap.CodeSender, fault.Code, name)
			require.Equal(t, c.want, fault.Subcodes[0].Local, "%s: %s", name, fault.Reason)
			require.Equal(t, eventing.ActionFault, fault.Action, name)
		}
		require.Zero(t, b.dev.Stats().Granted)
		// Elements of others beside the query are no mistake (SDPi R0514).
		require.NoError(t, b.peer.subscribeFilter(sdc.DialectHistory, foreign+query+foreign))
		require.Equal(t, uint64(1), b.dev.Stats().Granted)
		note := b.peer.take(1)[0] // nothing was kept of that time, so this is all
		require.Equal(t, sdc.ActionHistoricMdibReport, note.action)
		require.Equal(t, "1", note.number)
		require.Contains(t, note.raw, `LastReport="true"`)
	})
}

func TestHistoryServiceInMetadataAndWSDL(t *testing.T) {
	// covers: SDPi R0511, SDPi R1026
	inBubble(t, func(c *provider.Config) { c.History = true }, nil, func(t *testing.T, b *bench) {
		m, err := dpws.GetDevice(t.Context(), b.peer.client, b.peer.device, "")
		require.NoError(t, err)
		last := m.Hosted[len(m.Hosted)-1]
		require.Equal(t, []xmlscan.Name{{Space: "urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.1", Local: "HistoryService"}}, last.Types)
		wsdl, _, err := b.peer.client.Get(t.Context(), last.Endpoints[0].Address+"/?wsdl")
		require.NoError(t, err)
		for _, want := range []string{
			`targetNamespace="urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.1"`, `<wsdl:portType name="HistoryService"`, `wse:EventSource="true"`,
			`element="n2:ChangeSequenceReport"`, `xmlns:n2="urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.2"`, `wsam:Action="urn:oid:1.3.6.1.4.1.19376.1.6.2.10.1.3.1.2"`,
		} {
			require.Contains(t, string(wsdl), want)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, b *bench) {
		m, err := dpws.GetDevice(t.Context(), b.peer.client, b.peer.device, "")
		require.NoError(t, err)
		require.NotEqual(t, "History", m.Hosted[len(m.Hosted)-1].ServiceID)
		require.Error(t, b.peer.subscribeFilter(sdc.DialectHistory, ""))
	})
}
