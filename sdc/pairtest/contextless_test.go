package pairtest

import (
	"bytes"
	"regexp"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

var contextStates = regexp.MustCompile(`(?s)<pm:State xsi:type="pm:(?:Patient|Location)ContextState"(?:[^>]*/>|.*?</pm:State>)`)

// The context states of a device whose MDIB comes without are read from the Context service. What happens to them meanwhile is neither missed nor
// taken for a fault of the device.
func TestContextsReadApartFromTheMDIB(t *testing.T) {
	// covers: CONS-3
	inBubble(t, setup{}, func(t *testing.T, p *pair) {
		ln, err := p.net.Host(deviceIP).Listen(0)
		require.NoError(t, err)
		admit := func(id string) {
			_, err := p.dev.AssociatePatient(provider.Context{Identification: []pm.InstanceIdentifier{{Root: "urn:x", Extension: id}}}, nil)
			require.NoError(t, err)
		}
		admit("before")
		var asked []string
		c := newFront(p, ln)
		// The context states are taken out of the GetMdibResponse, as devices answer that leave them to the Context service.
		c.answer = func(answer []byte) []byte {
			if bytes.Contains(answer, []byte("GetMdibResponse")) {
				answer = contextStates.ReplaceAll(answer, nil)
			}
			return answer
		}
		c.asked = func(body []byte) {
			for _, action := range []string{sdc.ActionGetMdib, sdc.ActionGetContextStates} {
				if !bytes.Contains(body, []byte(">"+action+"<")) {
					continue
				}
				asked = append(asked, action)
				if action == sdc.ActionGetContextStates { // the MDIB has been read by now
					admit("meanwhile")
					admit("again")
				}
			}
		}
		defer c.serve(t, ln)()

		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{c.xaddr(p)}})
		require.NoError(t, err)
		require.NoError(t, p.dev.Flush(t.Context()))
		synctest.Wait()
		require.Equal(t, []string{sdc.ActionGetMdib, sdc.ActionGetContextStates}, asked, "once is enough")
		require.Equal(t, consumer.Live, d.Link().State, "%v", d.Link().Cause)
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))

		admit("later")
		require.NoError(t, p.dev.Flush(t.Context()))
		synctest.Wait()
		require.Equal(t, consumer.Live, d.Link().State, "%v", d.Link().Cause)
		require.True(t, d.MDIB().Equal(p.dev.MDIB()))
		require.Len(t, asked, 2)
	})
}
