package soap_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/soap"
)

// TestEarly: who prefers not to wait gets its answer before the handler has returned, everyone else that of the handler; messages of one
// connection are handled one after the other all the same.
func TestEarly(t *testing.T) {
	begun, release := make(chan bool), make(chan struct{})
	url := serveEarly(t, func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		begun <- r.Confirmed
		<-release
		return nil, soap.Receiver("too late")
	})
	l := newLine(t, soap.ClientConfig{})
	s, err := l.Sender(url)
	require.NoError(t, err)
	doc := soap.AppendEnvelope(nil, &soap.Header{Action: "urn:do"}, soap.RawBody("<a/>"))

	require.NoError(t, s.SendMore(t.Context(), doc))
	require.True(t, <-begun)
	second := make(chan error, 1)
	go func() { second <- s.SendMore(t.Context(), doc) }()
	select {
	case <-begun:
		t.Fatal("the first message is still being handled")
	case _ = <-second:
		t.Fatal("answered before it was looked at")
	case release <- struct{}{}:
	}
	require.NoError(t, <-second)
	require.True(t, <-begun)
	release <- struct{}{}

	go func() { second <- s.Send(t.Context(), doc) }()
	require.False(t, <-begun)
	release <- struct{}{}
	var f *soap.Fault
	require.ErrorAs(t, <-second, &f)
	require.Equal(t, "too late", f.Reason)
}

func serveEarly(t *testing.T, do soap.Handler) string {
	return serve(t, soap.ServerConfig{}, func(s *soap.Server) {
		s.Handle("/dev", &soap.Endpoint{
			Early:   true,
			Actions: handlers{"urn:do": do},
			Admit: func(_ context.Context, r *soap.Request) error {
				if r.Header.MessageID == "urn:refuse" {
					return &soap.Fault{Code: soap.CodeSender, Reason: "not you", Status: http.StatusForbidden}
				}
				return nil
			},
		})
	}) + "/dev"
}

// The preference may stand among others. It does not help who is refused before the handler.
func TestEarlyPreference(t *testing.T) {
	url := serveEarly(t, func(context.Context, *soap.Request) (*soap.Response, error) { return nil, soap.Receiver("no") })
	for prefer, want := range map[string]int{
		"respond-async": 202, "Respond-Async; x=y": 202, "wait=10, respond-async": 202,
		"": 500, "respond": 500, "return=minimal": 500,
	} {
		doc := string(soap.AppendEnvelope(nil, &soap.Header{Action: "urn:do"}, nil))
		got, body := exchange(t, post(t, url, strings.NewReader(doc), "Prefer", prefer))
		require.Equal(t, want, got.StatusCode, prefer)
		require.Equal(t, want == 202, len(body) == 0)
		for refused, status := range map[string]int{
			"<no": http.StatusBadRequest,
			string(soap.AppendEnvelope(nil, &soap.Header{Action: "urn:other"}, nil)):                       http.StatusBadRequest,
			string(soap.AppendEnvelope(nil, &soap.Header{Action: "urn:do", MessageID: "urn:refuse"}, nil)): http.StatusForbidden,
		} {
			got, body = exchange(t, post(t, url, strings.NewReader(refused), "Prefer", prefer))
			require.Equal(t, status, got.StatusCode)
			require.NotEmpty(t, body)
		}
	}
}

// The memory of a request serves the next one. What a handler has kept is not touched by that.
func TestRequestMemory(t *testing.T) {
	type kept struct {
		header soap.Header
		block  string
		text   string
		raw    []byte
	}
	var all []kept
	url := serveActions(t, soap.ServerConfig{}, handlers{"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		k := kept{header: r.Header}
		block, _ := r.Header.Block(soap.Name{Space: "urn:x", Local: "block"})
		k.block = string(block.XML)
		s := r.Body()
		for s.Child() {
			if s.Name().Local == "t" {
				text, err := s.Text()
				if err != nil {
					return nil, err
				}
				k.text = text
				continue
			}
			raw, err := s.Raw()
			if err != nil {
				return nil, err
			}
			k.raw = raw.XML
		}
		all = append(all, k)
		return nil, s.Err()
	}})
	l := newLine(t, soap.ClientConfig{})
	s, err := l.Sender(url)
	require.NoError(t, err)
	for _, c := range []string{"a", "b", "c"} {
		long := strings.Repeat(c, 2000)
		h := &soap.Header{Action: "urn:do", MessageID: "urn:" + long, Extra: []soap.Body{soap.RawBody(`<x:block xmlns:x="urn:x">` + long + `</x:block>`)}}
		require.NoError(t, s.Send(t.Context(), soap.AppendEnvelope(nil, h, soap.RawBody(`<b xmlns="urn:b"><t>`+long+`</t><r>`+long+`</r></b>`))))
	}
	for i, c := range []string{"a", "b", "c"} {
		long := strings.Repeat(c, 2000)
		require.Equal(t, "urn:"+long, all[i].header.MessageID)
		block, ok := all[i].header.Block(soap.Name{Space: "urn:x", Local: "block"})
		require.True(t, ok)
		require.Equal(t, all[i].block, string(block.XML))
		require.Contains(t, all[i].block, ">"+long+"<")
		require.Equal(t, long, all[i].text)
		require.Equal(t, "<r>"+long+"</r>", string(all[i].raw))
	}
}
