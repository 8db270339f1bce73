package pairtest

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/discovery"
	"github.com/semeco/go-sdc/mdib/pm"
	"github.com/semeco/go-sdc/sdc"
	"github.com/semeco/go-sdc/sdc/consumer"
	"github.com/semeco/go-sdc/sdc/provider"
)

// contextless stands before a device and takes the context states out of its GetMdibResponse, as devices answer that leave them to the
// Context service. asked is called before a request is passed on.
type contextless struct {
	device, own string // host and port
	transport   *http.Transport
	asked       func(action string)
}

var contextStates = regexp.MustCompile(`(?s)<pm:State xsi:type="pm:(?:Patient|Location)ContextState"(?:[^>]*/>|.*?</pm:State>)`)

func (c *contextless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, action := range []string{sdc.ActionGetMdib, sdc.ActionGetContextStates} {
		if bytes.Contains(body, []byte(">"+action+"<")) {
			c.asked(action)
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+c.device+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	out.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if bytes.Contains(answer, []byte("GetMdibResponse")) {
		answer = contextStates.ReplaceAll(answer, nil)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(bytes.ReplaceAll(answer, []byte(c.device), []byte(c.own)))
}

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
		direct := p.dev.XAddrs()[0]
		var asked []string
		c := &contextless{
			device: strings.Split(direct, "/")[2], own: ln.Addr().String(),
			transport: &http.Transport{DialContext: p.net.Host(consumerIP).Dial, DisableKeepAlives: true, DisableCompression: true},
			asked: func(action string) {
				asked = append(asked, action)
				if action == sdc.ActionGetContextStates { // the MDIB has been read by now
					admit("meanwhile")
					admit("again")
				}
			},
		}
		server := &http.Server{Handler: c}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		defer func() {
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		}()

		d, err := p.consumer.Connect(t.Context(), discovery.Endpoint{EPR: deviceURN, XAddrs: []string{strings.Replace(direct, c.device, c.own, 1)}})
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
