package soap_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/semeco/go-sdc/internal/xmlscan"
	"github.com/semeco/go-sdc/soap"
)

// echo answers with its body's text, repeated by the attribute-free number in it.
func echo(_ context.Context, r *soap.Request) (*soap.Response, error) {
	text, err := soap.Decode(r.Envelope, soap.Name{Space: "urn:b", Local: "b"}, (*xmlscan.Scanner).Text)
	if err != nil {
		return nil, err
	}
	return &soap.Response{Action: "urn:doResponse", Body: soap.RawBody(`<b xmlns="urn:b">` + text + `</b>`)}, nil
}

type handlers map[string]soap.Handler

// serve runs a server on a loopback port until the test ends and returns its URL.
func serve(t *testing.T, cfg soap.ServerConfig, setup func(*soap.Server)) string {
	t.Helper()
	if cfg.TLS == nil {
		cfg.Insecure = true
	}
	s, err := soap.NewServer(cfg)
	require.NoError(t, err)
	setup(s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return "http://" + l.Addr().String()
}

func serveActions(t *testing.T, cfg soap.ServerConfig, h handlers) string {
	t.Helper()
	return serve(t, cfg, func(s *soap.Server) { s.Handle("/dev", &soap.Endpoint{Actions: h}) }) + "/dev"
}

func newClient(t *testing.T, cfg soap.ClientConfig) *soap.Client {
	t.Helper()
	if cfg.TLS == nil {
		cfg.Insecure = true
	}
	c, err := soap.NewClient(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// answer is what came back, as sent.
type answer struct {
	StatusCode    int
	Proto         string
	Header        http.Header
	ContentLength int64
}

// exchange sends a request with a plain HTTP client.
func exchange(t *testing.T, req *http.Request) (answer, []byte) {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Proto, resp.Header, resp.ContentLength}, body
}

func post(t *testing.T, url string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", soap.ContentType)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func faultOf(t *testing.T, body []byte) *soap.Fault {
	t.Helper()
	e, err := soap.Parse(body, xmlscan.Limits{})
	require.NoError(t, err, string(body))
	f, ok, err := e.Fault()
	require.NoError(t, err)
	require.True(t, ok, string(body))
	f.RelatesTo = e.Header.RelatesTo
	return f
}

const msgID = `<wsa:MessageID>urn:uuid:42</wsa:MessageID>`

func TestServerFaults(t *testing.T) {
	// covers: MDPWS R0012, MDPWS R0013, DPWS R0013, DPWS R0019, DPWS R0031, DPWS R0040, SOAP-1, MDPWS R0006
	url := serveActions(t, soap.ServerConfig{Understood: []soap.Name{{Space: "urn:x", Local: "known"}}}, handlers{
		"urn:do":    echo,
		"urn:oops":  func(context.Context, *soap.Request) (*soap.Response, error) { return nil, errors.New("secret") },
		"urn:panic": func(context.Context, *soap.Request) (*soap.Response, error) { panic("secret") },
		"urn:busy": func(context.Context, *soap.Request) (*soap.Response, error) {
			return nil, soap.EndpointUnavailable("full", 0)
		},
		"urn:xml": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			return nil, fmt.Errorf("decode: %w", r.Body().Errorf("bad"))
		},
		"urn:event": func(context.Context, *soap.Request) (*soap.Response, error) { return nil, nil },
	})
	const (
		must  = `<x:block xmlns:x="urn:x" e:mustUnderstand="true"/>`
		known = `<x:known xmlns:x="urn:x" e:mustUnderstand="true"/>`
		good  = `<b xmlns="urn:b">hi</b>`
	)
	act := func(uri string) string { return `<wsa:Action>` + uri + `</wsa:Action>` }
	reply := func(uri string) string {
		return `<wsa:ReplyTo><wsa:Address>` + uri + `</wsa:Address></wsa:ReplyTo>`
	}
	s12 := xmlscan.NsSOAP12
	tests := []struct {
		name    string
		doc     []byte
		status  int
		code    soap.FaultCode // "" is no fault
		sub     string
		relates string
	}{
		{"good", envelope(s12, msgID+act("urn:do"), good), 200, "", "", "urn:uuid:42"},
		{"good without message id", envelope(s12, act("urn:do"), good), 200, "", "", ""},
		{"anonymous reply", envelope(s12, msgID+act("urn:do")+reply(soap.Anonymous), good), 200, "", "", "urn:uuid:42"},
		{"known block", envelope(s12, msgID+act("urn:do")+known, good), 200, "", "", "urn:uuid:42"},
		{"all three defects", envelope(ns11, msgID+must+act("urn:no"), ""), 500, soap.CodeVersionMismatch, "", "urn:uuid:42"},
		{"two defects", envelope(s12, msgID+must+act("urn:no"), ""), 500, soap.CodeMustUnderstand, "", "urn:uuid:42"},
		{"unknown action", envelope(s12, msgID+act("urn:no"), good), 400, soap.CodeSender, "ActionNotSupported", "urn:uuid:42"},
		{"no action", envelope(s12, msgID, good), 400, soap.CodeSender, "MessageAddressingHeaderRequired", "urn:uuid:42"},
		{"empty body", envelope(s12, msgID+act("urn:do"), ""), 400, soap.CodeSender, "InvalidMessage", "urn:uuid:42"},
		{"wrong body", envelope(s12, msgID+act("urn:do"), "<c/>"), 400, soap.CodeSender, "InvalidMessage", "urn:uuid:42"},
		{"two bodies", envelope(s12, msgID+act("urn:do"), good+good), 400, soap.CodeSender, "InvalidMessage", "urn:uuid:42"},
		{"not well-formed", envelope(s12, msgID+act("urn:do"), "<b>"), 400, soap.CodeSender, "InvalidMessage", "urn:uuid:42"},
		{"no xml", []byte("hello"), 400, soap.CodeSender, "InvalidMessage", ""},
		{"nothing", nil, 400, soap.CodeSender, "InvalidMessage", ""},
		{"dtd", append([]byte(`<!DOCTYPE a>`), envelope(s12, msgID+act("urn:do"), good)...), 400, soap.CodeSender, "InvalidMessage", ""},
		{"reply elsewhere", envelope(s12, msgID+act("urn:do")+reply("http://a/"), good), 400, soap.CodeSender, "OnlyAnonymousAddressSupported", "urn:uuid:42"},
		{"handler error", envelope(s12, msgID+act("urn:oops"), ""), 500, soap.CodeReceiver, "", "urn:uuid:42"},
		{"handler panic", envelope(s12, msgID+act("urn:panic"), ""), 500, soap.CodeReceiver, "", "urn:uuid:42"},
		{"handler fault", envelope(s12, msgID+act("urn:busy"), ""), 503, soap.CodeReceiver, "EndpointUnavailable", "urn:uuid:42"},
		{"scanner error", envelope(s12, msgID+act("urn:xml"), "<a/>"), 400, soap.CodeSender, "InvalidMessage", "urn:uuid:42"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := exchange(t, post(t, url, bytes.NewReader(tt.doc)))
			require.Equal(t, tt.status, resp.StatusCode, string(body))
			require.Equal(t, soap.ContentType, resp.Header.Get("Content-Type"))
			require.Equal(t, int64(len(body)), resp.ContentLength)
			require.NotContains(t, string(body), "secret")
			if tt.code == "" {
				e := parse(t, string(body))
				require.Equal(t, "urn:doResponse", e.Header.Action)
				require.Equal(t, tt.relates, e.Header.RelatesTo)
				return
			}
			f := faultOf(t, body)
			require.Equal(t, tt.code, f.Code)
			require.Equal(t, tt.relates, f.RelatesTo)
			if tt.sub != "" {
				require.Equal(t, tt.sub, f.Subcodes[len(f.Subcodes)-1].Local)
			}
			// A correct request still works afterwards.
			resp, _ = exchange(t, post(t, url, bytes.NewReader(tests[0].doc)))
			require.Equal(t, 200, resp.StatusCode)
		})
	}
	for name, doc := range map[string][]byte{
		"one-way":         envelope(s12, act("urn:event"), ""),
		"nobody to reply": envelope(s12, act("urn:do")+reply(soap.None), good),
	} {
		resp, body := exchange(t, post(t, url, bytes.NewReader(doc)))
		require.Equal(t, 202, resp.StatusCode, name)
		require.Empty(t, body, name)
	}
}

// An answer goes to an endpoint, and so carries its reference parameters, the anonymous one included; what
// goes to none is not sent (WS-Addressing 1.0 core, 2.1 and 3.4).
func TestAnswersAreAddressedToTheReplyEndpoint(t *testing.T) {
	url := serveActions(t, soap.ServerConfig{}, handlers{"urn:do": echo})
	const good = `<b xmlns="urn:b">hi</b>`
	act := func(uri string) string { return msgID + `<wsa:Action>` + uri + `</wsa:Action>` }
	endpoint := func(header, address, token string) string {
		return `<wsa:` + header + `><wsa:Address>` + address + `</wsa:Address><wsa:ReferenceParameters><x:token xmlns:x="urn:x">` + token +
			`</x:token></wsa:ReferenceParameters></wsa:` + header + `>`
	}
	tests := []struct {
		name, header, body string
		status             int
		token              string // "" is none
		empty              bool
	}{
		{"reply", act("urn:do") + endpoint("ReplyTo", soap.Anonymous, "r"), good, 200, "r", false},
		{"reply, not to the fault endpoint", act("urn:do") + endpoint("FaultTo", soap.Anonymous, "f"), good, 200, "", false},
		{"fault to the reply endpoint", act("urn:no") + endpoint("ReplyTo", soap.Anonymous, "r"), good, 400, "r", false},
		{"fault to its own endpoint", act("urn:no") + endpoint("ReplyTo", soap.Anonymous, "r") + endpoint("FaultTo", soap.Anonymous, "f"), good, 400, "f", false},
		{"reply nowhere", act("urn:do") + endpoint("ReplyTo", soap.None, "r"), good, 202, "", true},
		{"fault nowhere", act("urn:no") + endpoint("FaultTo", soap.None, "f"), good, 400, "", true},
		{"fault nowhere, as the reply", act("urn:no") + endpoint("ReplyTo", soap.None, "r"), good, 400, "", true},
		{"only the reply nowhere", act("urn:no") + endpoint("ReplyTo", soap.None, "r") + endpoint("FaultTo", soap.Anonymous, "f"), good, 400, "f", false},
		{"an endpoint that is refused", act("urn:do") + endpoint("ReplyTo", "http://a/", "r"), good, 400, "", false},
		{"a header that cannot be read", act("urn:do") + `<wsa:ReplyTo/>`, good, 400, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := exchange(t, post(t, url, bytes.NewReader(envelope(xmlscan.NsSOAP12, tt.header, tt.body))))
			require.Equal(t, tt.status, resp.StatusCode, string(body))
			if tt.empty {
				require.Empty(t, body)
				return
			}
			blocks := parse(t, string(body)).Header.Blocks
			if tt.token == "" {
				require.Empty(t, blocks)
				return
			}
			require.Len(t, blocks, 1)
			require.Equal(t, soap.Name{Space: "urn:x", Local: "token"}, blocks[0].Name)
			s := blocks[0].Scanner()
			require.NoError(t, s.Root())
			mark, ok := s.Attr(xmlscan.NsAddressing, "IsReferenceParameter")
			require.True(t, ok)
			require.Equal(t, "true", mark)
			token, err := s.Text()
			require.NoError(t, err)
			require.Equal(t, tt.token, token)
		})
	}
}

func TestServerHTTP(t *testing.T) {
	// covers: DPWS R0001, MDPWS R0006, SDPi R1003, SDPi R1602, HTTP-limits
	url := serveActions(t, soap.ServerConfig{MaxBody: 1 << 16, MaxHeaderBytes: 4096}, handlers{"urn:do": echo})
	good := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">hi</b>`)
	big := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">`+strings.Repeat("x", 1<<16)+`</b>`)
	body := func(b []byte) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request { return post(t, url, bytes.NewReader(b)) }
	}
	with := func(b []byte, header ...string) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request { return post(t, url, bytes.NewReader(b), header...) }
	}
	method := func(m string) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			r, err := http.NewRequest(m, url, nil)
			require.NoError(t, err)
			return r
		}
	}
	tests := []struct {
		name   string
		req    func(*testing.T) *http.Request
		status int
	}{
		{"good", body(good), 200},
		{"chunked", func(t *testing.T) *http.Request { return post(t, url, io.MultiReader(bytes.NewReader(good))) }, 200},
		{"chunked too large", func(t *testing.T) *http.Request { return post(t, url, io.MultiReader(bytes.NewReader(big))) }, 413},
		{"too large", body(big), 413},
		{"gzip", with(gz(good), "Content-Encoding", "gzip"), 200},
		{"gzip bomb", with(gz(big), "Content-Encoding", "gzip"), 413},
		{"huge gzip bomb", with(gz(make([]byte, 8<<20)), "Content-Encoding", "gzip"), 413},
		{"broken gzip", with([]byte("no gzip at all, really"), "Content-Encoding", "gzip"), 400},
		{"truncated gzip", with(gz(good)[:40], "Content-Encoding", "gzip"), 400},
		{"unknown coding", with(good, "Content-Encoding", "x-lz4"), 415},
		{"two codings", with(gz(gz(good)), "Content-Encoding", "gzip, gzip"), 415},
		{"text/xml", with(good, "Content-Type", "text/xml"), 200},
		{"application/xml", with(good, "Content-Type", "application/xml; charset=UTF-8"), 200},
		{"with action", with(good, "Content-Type", `application/soap+xml; charset="utf-8"; action="urn:do"`), 200},
		{"json", with(good, "Content-Type", "application/json"), 415},
		{"multipart", with(good, "Content-Type", "multipart/related; boundary=x"), 415},
		{"latin 1", with(good, "Content-Type", "application/soap+xml; charset=iso-8859-1"), 415},
		{"no content type", with(good, "Content-Type", ""), 415},
		{"broken content type", with(good, "Content-Type", "application/soap+xml; charset"), 415},
		{"get without document", method("GET"), 405},
		{"put", method("PUT"), 405},
		{"options", method("OPTIONS"), 405},
		{"header too large", with(good, "X-Big", strings.Repeat("x", 16<<10)), 431},
		{"other path", func(t *testing.T) *http.Request { return post(t, url+"/no", bytes.NewReader(good)) }, 404},
		{"trailing slash", func(t *testing.T) *http.Request { return post(t, url+"/", bytes.NewReader(good)) }, 200},
		{"expect continue", with(good, "Expect", "100-continue"), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := exchange(t, tt.req(t))
			require.Equal(t, tt.status, resp.StatusCode)
			require.Equal(t, "HTTP/1.1", resp.Proto)
			if tt.status != 431 { // answered by net/http, with its own text
				_, err := time.Parse(http.TimeFormat, resp.Header.Get("Date"))
				require.NoError(t, err)
				require.Equal(t, tt.status == 200, len(body) > 0)
			}
			if tt.status == 405 {
				require.Equal(t, "POST", resp.Header.Get("Allow"))
			}
		})
	}
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// talk writes raw bytes to the server at url and reads until it closes.
func talk(t *testing.T, url, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.Split(strings.TrimPrefix(url, "http://"), "/")[0])
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	out, _ := io.ReadAll(conn) // a reset is as good as an end
	return string(out)
}

func TestServerOldAndSlowClients(t *testing.T) {
	// covers: SDPi R1003, HTTP-limits
	// Patience is short only where it has to end: elsewhere a busy machine would use it up.
	shortHeader, shortBody := soap.ServerConfig{ReadHeaderTimeout: 100 * time.Millisecond}, soap.ServerConfig{ReadTimeout: 200 * time.Millisecond}
	tests := map[string]struct {
		cfg        soap.ServerConfig
		send, want string
	}{
		"http 1.0":    {soap.ServerConfig{}, "POST /dev HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "505"},
		"http 2":      {soap.ServerConfig{}, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
		"slow header": {shortHeader, "POST /dev HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		"slow body":   {shortBody, "POST /dev HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nContent-Length: 100\r\n\r\n<e:Env", "400"},
		"bad chunks":  {soap.ServerConfig{}, "POST /dev HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"smuggling":   {soap.ServerConfig{}, "POST /dev HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := talk(t, serveActions(t, tt.cfg, handlers{"urn:do": echo}), tt.send)
			if tt.want == "" {
				require.NotContains(t, got, "HTTP/1.1 200")
				return
			}
			require.Contains(t, got, tt.want)
		})
	}
}

func TestServerCompressesWhenOffered(t *testing.T) {
	// covers: SDPi R0005
	url := serveActions(t, soap.ServerConfig{GzipThreshold: 1000}, handlers{"urn:do": echo})
	long := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">`+strings.Repeat("x", 2000)+`</b>`)
	short := envelope(xmlscan.NsSOAP12, action, `<b xmlns="urn:b">x</b>`)
	tests := []struct {
		offer string
		doc   []byte
		want  string
	}{
		{"gzip", long, "gzip"}, {"x-lz4, gzip;q=0.5", long, "gzip"}, {"gzip", short, ""},
		{"", long, ""}, {"gzip;q=0", long, ""}, {"deflate", long, ""}, {"gzip;q=x", long, ""},
	}
	for _, tt := range tests {
		req := post(t, url, bytes.NewReader(tt.doc))
		if tt.offer != "" {
			req.Header.Set("Accept-Encoding", tt.offer)
		}
		resp, body := exchange(t, req)
		require.Equal(t, tt.want, resp.Header.Get("Content-Encoding"), tt.offer)
		require.Equal(t, int64(len(body)), resp.ContentLength)
		if tt.want != "" {
			zr, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			body, err = io.ReadAll(zr)
			require.NoError(t, err)
		}
		require.NoError(t, parse(t, string(body)).Check())
	}
}

func TestServerDocuments(t *testing.T) {
	url := serve(t, soap.ServerConfig{GzipThreshold: -1}, func(s *soap.Server) {
		s.Handle("/dev/Get", &soap.Endpoint{Get: func(_ context.Context, query string) (*soap.Document, error) {
			switch query {
			case "wsdl":
				return &soap.Document{ContentType: "text/xml", Body: []byte("<wsdl/>")}, nil
			case "err":
				return nil, errors.New("x")
			case "panic":
				panic("x")
			}
			return nil, nil
		}})
	})
	c := newClient(t, soap.ClientConfig{})
	for _, path := range []string{"/dev/Get?wsdl", "/dev/Get/?wsdl"} {
		doc, media, err := c.Get(t.Context(), url+path)
		require.NoError(t, err)
		require.Equal(t, "<wsdl/>", string(doc))
		require.Equal(t, "text/xml", media)
	}
	for path, status := range map[string]int{"/dev/Get": 404, "/dev/Get?err": 500, "/dev/Get?panic": 500, "/no": 404} {
		_, _, err := c.Get(t.Context(), url+path)
		var he *soap.HTTPError
		require.ErrorAs(t, err, &he, path)
		require.Equal(t, status, he.Status, path)
	}
	req, err := http.NewRequest(http.MethodHead, url+"/dev/Get?wsdl", nil)
	require.NoError(t, err)
	resp, _ := exchange(t, req)
	require.Equal(t, int64(7), resp.ContentLength)
	req, err = http.NewRequest(http.MethodDelete, url+"/dev/Get", nil)
	require.NoError(t, err)
	resp, _ = exchange(t, req)
	require.Equal(t, "GET, HEAD, POST", resp.Header.Get("Allow"))
}

func TestServerPaths(t *testing.T) {
	named := func(name string) *soap.Endpoint {
		return &soap.Endpoint{Fallback: func(_ context.Context, r *soap.Request) (*soap.Response, error) {
			return &soap.Response{Action: name, Body: soap.RawBody("<p>" + r.Path + "</p>")}, nil
		}}
	}
	var srv *soap.Server
	url := serve(t, soap.ServerConfig{}, func(s *soap.Server) {
		srv = s
		s.Handle("/urn:uuid:1/Get", named("exact"))
		s.HandlePrefix("/urn:uuid:1", named("short"))
		s.HandlePrefix("/urn:uuid:1/Set", named("long"))
	})
	c := newClient(t, soap.ClientConfig{})
	call := func(path string) string {
		env, err := c.Call(t.Context(), soap.NewEndpoint(url+path), "urn:any", nil)
		var he *soap.HTTPError
		if errors.As(err, &he) {
			return fmt.Sprint(he.Status)
		}
		require.NoError(t, err)
		return env.Header.Action
	}
	require.Equal(t, "exact", call("/urn:uuid:1/Get"))
	require.Equal(t, "exact", call("/urn%3Auuid%3A1/Get"))
	require.Equal(t, "short", call("/urn:uuid:1/Get/7"))
	require.Equal(t, "long", call("/urn:uuid:1/Set/7"))
	require.Equal(t, "short", call("/urn:uuid:1/Set"))
	require.Equal(t, "404", call("/urn:uuid:1"))
	require.Equal(t, "404", call("/"))
	srv.Remove("/urn:uuid:1/Get")
	srv.Remove("/urn:uuid:1")
	require.Equal(t, "404", call("/urn:uuid:1/Get"))
	require.Equal(t, "long", call("/urn:uuid:1/Set/7"))
}

func TestServerStops(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true, StopTimeout: 30 * time.Second})
	require.NoError(t, err)
	s.Handle("/dev", &soap.Endpoint{Actions: handlers{"urn:do": func(ctx context.Context, r *soap.Request) (*soap.Response, error) {
		close(entered)
		<-leave
		return echo(ctx, r)
	}}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()

	silent, err := net.Dial("tcp", l.Addr().String()) // would hold up http.Server.Shutdown
	require.NoError(t, err)
	defer silent.Close()
	c := newClient(t, soap.ClientConfig{})
	answered := make(chan error, 1)
	go func() {
		_, err := c.Call(t.Context(), soap.NewEndpoint("http://"+l.Addr().String()+"/dev"), "urn:do", soap.RawBody(`<b xmlns="urn:b">x</b>`))
		answered <- err
	}()
	<-entered
	cancel()
	close(leave)
	require.NoError(t, <-answered)
	require.NoError(t, <-done)
}

// A handler that does not end is told by its context.
func TestServerStopCutsOff(t *testing.T) {
	entered := make(chan struct{})
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true, StopTimeout: time.Millisecond})
	require.NoError(t, err)
	s.Handle("/dev", &soap.Endpoint{Fallback: func(ctx context.Context, _ *soap.Request) (*soap.Response, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	c := newClient(t, soap.ClientConfig{})
	answered := make(chan error, 1)
	go func() {
		_, err := c.Call(t.Context(), soap.NewEndpoint("http://"+l.Addr().String()+"/dev"), "urn:do", nil)
		answered <- err
	}()
	<-entered
	cancel()
	require.Error(t, <-answered)
	require.NoError(t, <-done)
}

func TestServeReportsABrokenListener(t *testing.T) {
	s, err := soap.NewServer(soap.ServerConfig{Insecure: true})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Error(t, s.Serve(t.Context(), l))
}

// A handler that keeps the request after its return finds the header but no body.
func TestRequestBodyEndsWithTheHandler(t *testing.T) {
	kept := make(chan *soap.Request, 1)
	url := serveActions(t, soap.ServerConfig{}, handlers{"urn:do": func(_ context.Context, r *soap.Request) (*soap.Response, error) {
		kept <- r
		return nil, nil
	}})
	resp, _ := exchange(t, post(t, url, bytes.NewReader(envelope(xmlscan.NsSOAP12, action, "<b/>"))))
	require.Equal(t, 202, resp.StatusCode)
	r := <-kept
	require.Equal(t, "urn:do", r.Header.Action)
	require.Equal(t, soap.Name{Local: "b"}, r.BodyName())
	require.Nil(t, r.Body())
	require.Error(t, r.Close())
	_, err := r.Expect(soap.Name{Local: "b"})
	require.Error(t, err)
}
