package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// exchanges abuse HTTP below SOAP, as a trusted consumer.
func exchanges() []Attack {
	const area = "HTTP"
	raw := func(name, about string, text func(t *Target) string, want ...int) Attack {
		return Attack{name, area, about, false, func(ctx context.Context, t *Target) error {
			if err := t.once(ctx, text(t), want...); err != nil {
				return err
			}
			return t.alive(ctx)
		}}
	}
	good := func() []byte { return envelope(transferGet, "", "") }
	line := func(method, path, version string) func(*Target) string {
		return func(t *Target) string {
			return method + " " + path + " " + version + "\r\nHost: " + t.host() + "\r\n\r\n"
		}
	}
	withHeader := func(more func(t *Target) string) func(*Target) string {
		return func(t *Target) string { return t.request(t.path(), more(t), good()) }
	}
	return []Attack{
		raw("unknown-method", "methods that nobody implements; 4xx", line("BREW", "/", "HTTP/1.1"), 404, 405),
		raw("trace", "TRACE, which would echo credentials; 4xx", line("TRACE", "/", "HTTP/1.1"), 404, 405, 400),
		raw("connect", "CONNECT, which would make a proxy of the device; 4xx", line("CONNECT", "192.0.2.1:80", "HTTP/1.1"), 404, 405, 400),
		raw("http-1.0", "HTTP/1.0; 505", line("POST", "/", "HTTP/1.0"), 505),
		raw("http-2", "the preface of HTTP/2; the connection is closed", func(*Target) string {
			return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		}, 0, 400, 505),
		raw("path-tricks", "a path that climbs to files; 404", line("GET", "/../../../../etc/passwd", "HTTP/1.1"), 404, 400),
		raw("encoded-path-tricks", "the same with percent-encoding; 404", line("GET", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd%00", "HTTP/1.1"), 404, 400),
		raw("wsdl-path-tricks", "a path in the place of the WSDL's query; 404", func(t *Target) string {
			return line("GET", t.path()+"/Get?wsdl=../../../etc/passwd", "HTTP/1.1")(t)
		}, 404, 400),
		raw("no-host", "no Host header; 400", func(t *Target) string {
			return "POST " + t.path() + " HTTP/1.1\r\n\r\n"
		}, 400),
		raw("long-uri", "a request line of 1 MB; refused", line("GET", "/"+strings.Repeat("a", 1<<20), "HTTP/1.1"), 0, 414, 431),
		raw("header-flood", "100 000 header lines; refused", withHeader(func(*Target) string {
			return strings.Repeat("X-Flood: 1\r\n", 100_000)
		}), 0, 431),
		raw("huge-header", "one header line of 1 MB; refused", withHeader(func(*Target) string {
			return "X-Huge: " + strings.Repeat("a", 1<<20) + "\r\n"
		}), 0, 431),
		raw("header-injection", "a NUL in a header; 400", withHeader(func(*Target) string { return "X-Nul: a\x00b\r\n" }), 400),
		raw("two-lengths", "two different Content-Length headers, as in request smuggling; 400", withHeader(func(*Target) string {
			return "Content-Length: 5\r\n"
		}), 400),
		raw("length-and-chunks", "Content-Length beside chunked coding; the rest is not read as a second request", func(t *Target) string {
			return "POST " + t.path() + " HTTP/1.1\r\nHost: " + t.host() + "\r\nContent-Type: application/soap+xml\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" +
				"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
		}, 400),
		raw("odd-transfer-coding", "transfer codings that only some understand; 4xx or 501", withHeader(func(*Target) string {
			return "Transfer-Encoding: xchunked\r\n"
		}), 400, 501),
		raw("space-before-colon", "a header name with a space; 400", withHeader(func(*Target) string { return "Transfer-Encoding : chunked\r\n" }), 400),
		raw("folded-header", "a folded header line; refused or harmless", withHeader(func(*Target) string { return "X-Fold: a\r\n b\r\n" }), 200, 400),
		raw("negative-length", "a negative Content-Length; 400", func(t *Target) string {
			return "POST " + t.path() + " HTTP/1.1\r\nHost: " + t.host() + "\r\nContent-Type: application/soap+xml\r\nContent-Length: -1\r\n\r\n"
		}, 400),
		raw("announced-giant", "a body of 1 TB announced; 413 before any of it is read", func(t *Target) string {
			return "POST " + t.path() + " HTTP/1.1\r\nHost: " + t.host() + "\r\nContent-Type: application/soap+xml\r\nContent-Length: 1099511627776\r\n\r\n"
		}, 413),
		raw("giant-chunk", "a chunk of 2^64-1 bytes; 4xx", chunked("ffffffffffffffff\r\n"+strings.Repeat(" ", 8<<20)), 0, 400, 413, 503),
		raw("broken-chunk", "a chunk size that is no number; 400", chunked("zz\r\nx\r\n0\r\n\r\n"), 400),
		raw("chunk-extensions", "a megabyte of chunk extension; 400", chunked("1;"+strings.Repeat("a", 1<<20)+"\r\nx\r\n0\r\n\r\n"), 0, 400),
		raw("tiny-chunks", "chunks of one byte with long extensions; refused", chunked(strings.Repeat("1;"+strings.Repeat("a", 400)+"\r\n \r\n", 5000)), 0, 400),
		raw("trailer-flood", "100 000 trailer lines; refused", chunked("0\r\n"+strings.Repeat("X-Flood: 1\r\n", 100_000)+"\r\n"), 0, 400, 413, 431),
		raw("upgrade", "an upgrade to another protocol; ignored", withHeader(func(*Target) string {
			return "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		}), 200),
		raw("expectation", "an expectation other than 100-continue; 417", withHeader(func(*Target) string { return "Expect: the-unexpected\r\n" }), 417),
		{"pipelining", area, "200 requests without waiting for an answer; answered in order, or the connection ends", false, func(ctx context.Context, t *Target) error {
			w, err := t.open(ctx)
			if err != nil {
				return err
			}
			defer w.Close()
			go func() { _, _ = io.WriteString(w, strings.Repeat(t.request(t.path(), "", good()), 200)) }()
			for range 200 {
				status, _, err := w.answer()
				if errors.Is(err, errClosed) {
					break
				}
				if err != nil {
					return err
				}
				if err := oneOf(status, []int{200, 429, 503}); err != nil {
					return err
				}
			}
			return t.alive(ctx)
		}},
		{"slow-header", area, "a header of one byte every now and then; closed within seconds, others are served meanwhile", true, func(ctx context.Context, t *Target) error {
			return t.slow(ctx, "POST "+t.path()+" HTTP/1.1\r\nX-Slow: ", "a")
		}},
		{"slow-body", area, "a body that trickles; closed within seconds, others are served meanwhile", true, func(ctx context.Context, t *Target) error {
			return t.slow(ctx, "POST "+t.path()+" HTTP/1.1\r\nHost: "+t.host()+"\r\nContent-Type: application/soap+xml\r\nContent-Length: 100000\r\n\r\n", " ")
		}},
		{"silent-connections", area, "connections without a request; the oldest make room for others", false, func(ctx context.Context, t *Target) error {
			return t.besides(ctx, 600, func() (io.Closer, error) { return t.flood(ctx) })
		}},
		{"unread-answers", area, "requests whose answers nobody reads; others are served meanwhile", false, func(ctx context.Context, t *Target) error {
			return t.besides(ctx, 20, func() (io.Closer, error) {
				w, err := t.open(ctx)
				if err != nil {
					return nil, err
				}
				go func() { _, _ = io.WriteString(w, strings.Repeat(t.request(t.path(), "", good()), 50)) }()
				return w, nil
			})
		}},
		{"held-bodies", area, "10 bodies of 3 MB that do not end; refused beyond the memory set aside for them, others are served meanwhile", false, func(ctx context.Context, t *Target) error {
			part := chunked(fmt.Sprintf("%x\r\n%s", 4<<20, strings.Repeat(" ", 3<<20)))(t)
			return t.besides(ctx, 10, func() (io.Closer, error) {
				w, err := t.open(ctx)
				if err != nil {
					return nil, err
				}
				_, _ = io.WriteString(w, part) // what cannot be written has been refused
				return w, nil
			})
		}},
		{"connect-and-leave", area, "200 connections that end at once; others are served meanwhile", false, func(ctx context.Context, t *Target) error {
			for range 200 {
				c, err := t.flood(ctx)
				if err != nil {
					return err
				}
				_ = c.Close()
			}
			return t.alive(ctx)
		}},
	}
}

// chunked is a POST whose body is given as chunks.
func chunked(body string) func(*Target) string {
	return func(t *Target) string {
		return "POST " + t.path() + " HTTP/1.1\r\nHost: " + t.host() + "\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\n" + body
	}
}

// slow sends the beginning of a request and then a drop at a time, on many connections, and expects each to be ended.
func (t *Target) slow(ctx context.Context, begin, drop string) error {
	const n = 20
	ended := make(chan error, n)
	for range n {
		w, err := t.open(ctx)
		if err != nil {
			return err
		}
		go func() {
			defer w.Close()
			if _, err := io.WriteString(w, begin); err != nil {
				ended <- nil
				return
			}
			stop := make(chan struct{})
			go func() {
				tick := time.NewTicker(500 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						if _, err := io.WriteString(w, drop); err != nil {
							return
						}
					case <-stop:
						return
					}
				}
			}()
			ended <- w.ended()
			close(stop)
		}()
	}
	err := t.alive(ctx)
	for range n {
		err = errors.Join(err, <-ended)
	}
	return err
}

// bodies abuse what a request carries before it is XML.
func bodies() []Attack {
	const area = "body"
	coded := func(name, about, more string, body func() []byte, want ...int) Attack {
		return Attack{name, area, about, false, func(ctx context.Context, t *Target) error {
			if err := t.once(ctx, t.request(t.path(), more, body()), want...); err != nil {
				return err
			}
			return t.alive(ctx)
		}}
	}
	good := func() []byte { return envelope(transferGet, "", "") }
	return []Attack{
		{"wrong-media-type", area, "a content type that is not SOAP's; 415", false, func(ctx context.Context, t *Target) error {
			return t.once(ctx, strings.Replace(t.request(t.path(), "", good()), "application/soap+xml; charset=utf-8", "application/json", 1), 415)
		}},
		{"wrong-charset", area, "a charset other than UTF-8 in the header; 415", false, func(ctx context.Context, t *Target) error {
			return t.once(ctx, strings.Replace(t.request(t.path(), "", good()), "charset=utf-8", "charset=utf-16", 1), 415)
		}},
		coded("unknown-coding", "a content coding nobody has; 415", "Content-Encoding: br\r\n", good, 415),
		coded("gzip-bomb", "256 MB of blanks in a megabyte of gzip; 413 or 503, not inflated", "Content-Encoding: gzip\r\n", gzipBomb, 413, 503),
		coded("gzip-garbage", "random bytes that claim to be gzip; 400", "Content-Encoding: gzip\r\n", func() []byte {
			return append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{0xa5}, 4096)...)
		}, 400),
		coded("gzip-in-gzip", "coding twice; 415", "Content-Encoding: gzip, gzip\r\n", good, 415),
		coded("oversized-body", "a body of 20 MB; 413", "", func() []byte { return bytes.Repeat([]byte(" "), 20<<20) }, 0, 413),
		coded("empty-body", "no body; a fault", "", func() []byte { return nil }, 400),
		{"truncated-body", area, "a body that ends before its announced length; nothing happens", false, func(ctx context.Context, t *Target) error {
			w, err := t.open(ctx)
			if err != nil {
				return err
			}
			text := t.request(t.path(), "", good())
			_, err = io.WriteString(w, text[:len(text)-20])
			if err := errors.Join(err, w.Close()); err != nil {
				return err
			}
			return t.alive(ctx)
		}},
		{"endless-body", area, "chunks without an end; 413 at the limit", false, func(ctx context.Context, t *Target) error {
			w, err := t.open(ctx)
			if err != nil {
				return err
			}
			defer w.Close()
			go func() {
				_, err := io.WriteString(w, chunked("")(t))
				chunk := fmt.Sprintf("10000\r\n%s\r\n", strings.Repeat(" ", 0x10000))
				for range 2000 { // 125 MB, should nobody stop it
					if err != nil {
						return
					}
					_, err = io.WriteString(w, chunk)
				}
			}()
			status, _, err := w.answer()
			if err != nil && !errors.Is(err, errClosed) {
				return err
			}
			return errors.Join(oneOf(status, []int{0, 413, 503}), t.alive(ctx))
		}},
	}
}
