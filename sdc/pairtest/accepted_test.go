package pairtest

import (
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/mdib/msg"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
	"github.com/semeco/go-sdc/soap"
)

// A notification that was accepted before it turned out to be of no use is a gap, and heals: the device has not been told and goes on.
func TestUnusableAfterItWasAccepted(t *testing.T) {
	for name, body := range map[string]soap.Body{
		"not well-formed": soap.RawBody(`<m:EpisodicMetricReport xmlns:m="` + msg.Namespace + `" MdibVersion="1"><m:ReportPart>`),
		"not valid":       soap.RawBody(`<m:EpisodicMetricReport xmlns:m="` + msg.Namespace + `" MdibVersion="x"/>`),
		"unknown":         soap.RawBody(`<m:Surprise xmlns:m="` + msg.Namespace + `"/>`),
		"no report":       &msg.GetMdib{},
	} {
		t.Run(name, func(t *testing.T) {
			spy := &eavesdropper{Handler: slog.DiscardHandler}
			inBubble(t, setup{provider: func(c *provider.Config) { c.Logger = slog.New(spy) }}, func(t *testing.T, p *pair) {
				d := p.connect(t)
				gaps := make(chan *consumer.Gap, 8)
				go func() {
					for u, err := range d.Updates(t.Context()) {
						if err != nil {
							return
						}
						if u.Gap != nil {
							gaps <- u.Gap
						}
					}
				}()
				synctest.Wait()
				line, err := soap.NewLine(soap.ClientConfig{Insecure: true, Dial: p.net.Host(impostorIP).Dial})
				require.NoError(t, err)
				defer line.Close()
				to := spy.heard()[0]
				s, err := line.Sender(to)
				require.NoError(t, err)
				doc := soap.AppendEnvelope(nil, soap.NewHeader(soap.NewEndpoint(to), sdc.ActionEpisodicMetricReport), body)
				require.NoError(t, s.SendMore(t.Context(), doc))
				require.Error(t, (<-gaps).Cause)
				require.NoError(t, setNumber(p.dev, "7"))
				require.NoError(t, p.dev.Flush(t.Context()))
				synctest.Wait()
				require.Equal(t, consumer.Live, d.Link().State)
				require.Equal(t, "7", number(t, d.MDIB()))
			})
		})
	}
}
