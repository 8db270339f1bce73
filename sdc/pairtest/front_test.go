package pairtest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// front stands before a device, at other addresses of its host, and is what the consumer takes for the device.
type front struct {
	device, own string // host and port
	transport   *http.Transport
	// asked, if set, is called with the body of a request before that is passed on.
	asked func(body []byte)
	// refuse, if set, may answer a request in the place of the device, with a status other than 0 and a Retry-After other than "".
	refuse func(body []byte) (status int, retryAfter string)
	// fault, if set, may answer a request in the place of the device, with a fault of the sender if it is not empty.
	fault func(body []byte) string
	// answer, if set, changes an answer that still names the device's own address.
	answer func(body []byte) []byte
}

// newFront returns a front for the device of p at the address of ln; serve puts it there.
func newFront(p *pair, ln net.Listener) *front {
	return &front{
		device: listensAt(p), own: ln.Addr().String(),
		transport: &http.Transport{DialContext: p.net.Host(consumerIP).Dial, DisableKeepAlives: true, DisableCompression: true},
	}
}

// listensAt is the host and port of the device of p.
func listensAt(p *pair) string { return strings.Split(p.dev.XAddrs()[0], "/")[2] }

// xaddr is where the front is to be asked for the device.
func (f *front) xaddr(p *pair) string {
	return strings.Replace(p.dev.XAddrs()[0], f.device, f.own, 1)
}

// serve answers at a listener until stop is called.
func (f *front) serve(t *testing.T, ln net.Listener) (stop func()) {
	server := &http.Server{Handler: f}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	return func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	}
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if f.asked != nil {
		f.asked(body)
	}
	if f.refuse != nil {
		if status, retryAfter := f.refuse(body); status != 0 {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(status)
			return
		}
	}
	if f.fault != nil {
		if reason := f.fault(body); reason != "" {
			w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `<s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing"><s12:Header>`+
				`<wsa:Action>http://www.w3.org/2005/08/addressing/fault</wsa:Action></s12:Header><s12:Body><s12:Fault><s12:Code><s12:Value>s12:Sender</s12:Value></s12:Code>`+
				`<s12:Reason><s12:Text xml:lang="en">`+reason+`</s12:Text></s12:Reason></s12:Fault></s12:Body></s12:Envelope>`)
			return
		}
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+f.device+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	out.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := f.transport.RoundTrip(out)
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
	if f.answer != nil {
		answer = f.answer(answer)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(bytes.ReplaceAll(answer, []byte(f.device), []byte(f.own)))
}
