package soap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// lineServer serves one connection over which notifications come, in the place of net/http: the other end of a [Line].
//
// For each request net/http starts a goroutine that watches the connection, makes contexts and headers and sets deadlines, which costs
// more than a small report does, and it cannot read the next message while one is being worked on. A connection is taken from it once it
// has brought a notification that was accepted, so that only those who may notify get here. It goes back, for good, with the first request
// that is not plain ([parsePlain]): everything odd is the business of net/http. What is above HTTP is the same on either way ([Server.handle]).
//
// Two workers take turns. One of them reads and handles a message; when that has been answered early ([Request.Accept]) the other one
// goes on reading, and has read and parsed the next message when the handler returns. Messages are handled one after the other.
type lineServer struct {
	s        *Server
	peer     *peerConn
	br       *bufio.Reader
	proto    *http.Request // what all requests have in common
	cancel   context.CancelFunc
	partner  sync.WaitGroup
	reading  chan struct{} // holds a token while a worker reads, and until it has answered
	handling chan struct{} // holds a token while a message is handled

	// Used by who holds the token of reading.
	paired  bool // the second worker exists
	over    bool // nothing more is read
	foreign bool // because the next request is one for net/http

	mu       sync.Mutex
	idle     bool // waiting for the first byte of a request
	stopping bool
}

// takeOver takes the connection of a request that has been answered from net/http, if everything is plain enough.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request) {
	c := connOf(r)
	if c == nil || c.returned || !plainEnough(r) {
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(c.ctx, http.LocalAddrContextKey, c.conn.LocalAddr()))
	l := &lineServer{
		s: s, peer: c, cancel: cancel, reading: make(chan struct{}, 1), handling: make(chan struct{}, 1),
		proto: (&http.Request{
			Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS,
		}).WithContext(ctx),
	}
	if !c.run.add(l) {
		cancel()
		return
	}
	_, rw, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		c.run.remove(l)
		cancel()
		return
	}
	in := io.Reader(c.conn)
	if err != nil { // net/http has let go of it without handing it over
		l.over = true
	} else if n := rw.Reader.Buffered(); n > 0 {
		early, _ := rw.Reader.Peek(n) // they are there
		in = io.MultiReader(bytes.NewReader(bytes.Clone(early)), in)
	}
	l.br = bufio.NewReader(in)
	go l.serve() // waited for by way of serving.conns, in which the connection is counted
}

// plainEnough tells whether the next requests of a connection are likely to be plain.
func plainEnough(r *http.Request) bool {
	for name := range r.Header {
		switch name {
		case "Content-Type", "Content-Length", "Prefer", "User-Agent":
		default:
			return false
		}
	}
	return r.ContentLength > 0 && !r.Close
}

// serve serves the connection until it ends or goes back.
func (l *lineServer) serve() {
	l.worker().work()
	l.partner.Wait()
	l.cancel()
	run := l.peer.run
	run.remove(l)
	if l.foreign {
		l.peer.returned = true
		early, _ := l.br.Peek(l.br.Buffered())
		first := early[:min(4, len(early))]
		early = early[len(first)-len(bytes.TrimLeft(first, "\r\n")):] // after a POST net/http, too, passes over empty lines
		if run.back.give(&returnedConn{Conn: l.peer.conn, in: io.MultiReader(bytes.NewReader(early), l.peer.conn), from: l.peer}) {
			return // and counted by net/http
		}
	}
	_ = l.peer.conn.Close()
	run.conns.Done()
}

// stop lets nothing more be read. A request under way is finished.
func (l *lineServer) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	if l.idle {
		_ = l.peer.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// await waits for the next request; false if there will be none.
func (l *lineServer) await() bool {
	l.mu.Lock()
	stopping := l.stopping
	if l.idle = !stopping; l.idle {
		_ = l.peer.conn.SetReadDeadline(time.Now().Add(l.s.cfg.IdleTimeout))
	}
	l.mu.Unlock()
	if stopping {
		return false
	}
	_, err := l.br.Peek(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idle = false
	if err != nil && !l.stopping {
		l.cancel() // the client has gone
	}
	return err == nil && !l.stopping
}

// lineWorker handles one message at a time. To the server it is the http.ResponseWriter of its request.
type lineWorker struct {
	l     *lineServer
	req   *http.Request
	body  lineBody
	began time.Time // when the first byte had arrived

	header  http.Header
	status  int
	content []byte
	out     []byte
	sent    bool
	err     error // of sending
	passed  bool  // the other worker reads
}

func (l *lineServer) worker() *lineWorker {
	w := &lineWorker{l: l, header: make(http.Header), body: lineBody{br: l.br}}
	w.req = l.proto.WithContext(l.proto.Context())
	w.req.URL, w.req.Header, w.req.Body = new(url.URL), make(http.Header), &w.body
	return w
}

func (w *lineWorker) work() {
	l := w.l
	for {
		l.reading <- struct{}{}
		l.over = l.over || !w.read()
		if l.over {
			<-l.reading
			return
		}
		inOrder := w.serve()
		switch {
		case !w.passed:
			l.over = !inOrder
			<-l.reading
		case !inOrder:
			_ = l.peer.conn.Close() // the other worker notices
		}
	}
}

// read reads the header of the next request, of which nothing is consumed if it is not plain.
func (w *lineWorker) read() bool {
	l := w.l
	if !l.await() {
		return false
	}
	w.began = time.Now()
	var p plainRequest
	for {
		b, _ := l.br.Peek(l.br.Buffered())
		var s shape
		p, s = parsePlain(b)
		if s == plain && string(p.host) == l.proto.Host {
			break
		}
		if s != partial || len(b) == l.br.Size() {
			l.foreign = true
			return false
		}
		_ = l.peer.conn.SetReadDeadline(w.began.Add(l.s.cfg.ReadHeaderTimeout))
		if _, err := l.br.Peek(len(b) + 1); err != nil {
			var timeout net.Error
			l.foreign = !errors.As(err, &timeout) || !timeout.Timeout() // what has come is answered
			l.cancel()
			return false
		}
	}
	if string(p.path) != w.req.URL.Path {
		w.req.URL.Path = string(p.path)
	}
	setHeader(w.req.Header, "Content-Type", p.contentType)
	setHeader(w.req.Header, "Prefer", p.prefer)
	w.req.ContentLength = int64(p.length)
	w.body.left = p.length
	_, _ = l.br.Discard(p.size) // it is there
	if l.br.Buffered() < p.length {
		_ = l.peer.conn.SetReadDeadline(w.began.Add(l.s.cfg.ReadTimeout))
	}
	clear(w.header)
	w.status, w.content, w.sent, w.passed = http.StatusOK, w.content[:0], false, false
	return true
}

// setHeader is Set for a value that most often is the one of the message before.
func setHeader(h http.Header, name string, value []byte) {
	switch have := h[name]; {
	case value == nil:
		delete(h, name)
	case len(have) != 1 || have[0] != string(value):
		h[name] = []string{string(value)}
	}
}

// serve has the request handled and answers it; false if the connection has to be closed then.
func (w *lineWorker) serve() (inOrder bool) {
	defer func() {
		if p := recover(); p != nil {
			w.l.s.log.Error("panic in a connection", "peer", w.req.RemoteAddr, "panic", p, "stack", string(debug.Stack()))
			inOrder = false
		}
	}()
	w.l.s.handle(w, w.req)
	return w.FlushError() == nil && w.header.Get("Connection") != "close"
}

// Header is the header of the answer.
func (w *lineWorker) Header() http.Header { return w.header }

// WriteHeader sets the status of the answer.
func (w *lineWorker) WriteHeader(status int) { w.status = status }

// Write adds to the body of the answer, which is sent when the request has been handled.
func (w *lineWorker) Write(p []byte) (int, error) {
	w.content = append(w.content, p...)
	return len(p), nil
}

// FlushError sends the answer, once, when the request has been read to its end.
func (w *lineWorker) FlushError() error {
	if w.sent {
		return w.err
	}
	w.sent = true
	if _, err := io.Copy(io.Discard, &w.body); err != nil {
		w.header.Set("Connection", "close")
	}
	b := append(w.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(append(b, ' '), http.StatusText(w.status)...)
	b = time.Now().UTC().AppendFormat(append(b, "\r\nDate: "...), http.TimeFormat)
	for name, values := range w.header {
		for _, v := range values {
			b = append(append(append(append(b, "\r\n"...), name...), ": "...), v...)
		}
	}
	w.out = append(append(b, "\r\n\r\n"...), w.content...)
	_ = w.l.peer.conn.SetWriteDeadline(w.began.Add(w.l.s.cfg.WriteTimeout))
	_, w.err = w.l.peer.conn.Write(w.out)
	if cap(w.out) > maxPooled {
		w.out, w.content = nil, nil
	}
	return w.err
}

// readOn lets the other worker read while the handler goes on.
func (w *lineWorker) readOn() {
	l := w.l
	w.passed = true
	if !l.paired {
		l.paired = true
		l.partner.Go(l.worker().work)
	}
	<-l.reading
}

// enter waits until the message before has been handled; leave ends it for this one.
func (w *lineWorker) enter() { w.l.handling <- struct{}{} }
func (w *lineWorker) leave() { <-w.l.handling }

// lineBody reads the body of one request.
type lineBody struct {
	br   *bufio.Reader
	left int
}

// Read reads; a connection that ends before the body does is io.ErrUnexpectedEOF.
func (b *lineBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.br.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close does nothing: what is left is read when the answer is out.
func (b *lineBody) Close() error { return nil }
