package soap

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

// Of what is plain net/http sees the same: path, length, header, and where the body begins.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"POST /a:b-c_d~e/f.g HTTP/1.1\r\nHost: x:1\r\nContent-Type: application/soap+xml\r\nContent-Length: 3\r\nPrefer: respond-async\r\nUser-Agent: a b\r\n\r\nabc",
		"POST / HTTP/1.1\r\ncontent-LENGTH: 0012\r\nhost: [::1]:80\r\n\r\nabcdefghijklm",
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
		"POST /a HTTP/1.1\r\nHost: x\nContent-Length: 3\r\n\r\nabc",
		"POST /a HTTP/1.1\r\nHost: x\r\n y\r\nContent-Length: 3\r\n\r\nabc",
		"POST //a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, s := parsePlain(b)
		if s != plain {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(b), len(b)+16)
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", b, err)
		}
		head := http.Header{}
		setHeader(head, "Content-Type", p.contentType)
		setHeader(head, "Prefer", p.prefer)
		for name, values := range r.Header {
			if name != "User-Agent" && name != "Content-Length" && (len(values) != 1 || head.Get(name) != values[0]) {
				t.Fatalf("%s is %q, not %q", name, values, head.Get(name))
			}
		}
		rest, _ := io.ReadAll(in)
		if r.Method != http.MethodPost || r.Proto != "HTTP/1.1" || r.URL.Path != string(p.path) || r.URL.RawQuery != "" || r.Host != string(p.host) ||
			r.ContentLength != int64(p.length) || len(r.TransferEncoding) > 0 || r.Close || !bytes.Equal(rest, b[p.size:]) {
			t.Fatalf("%q is not what net/http sees: %+v", b, r)
		}
	})
}
