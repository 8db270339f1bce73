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
// One goroutine reads and answers, and has messages handled. Those that were confirmed early ([Endpoint.Early]) it leaves to another one, which handles one
// after the other, and reads on meanwhile: a message is parsed while others wait for their turn, and confirmed as soon as fewer than maxConfirmed do.
// Any other message is handled when those before have been. To the server it is the http.ResponseWriter of its requests.
type lineServer struct {
	s      *Server
	peer   *peerConn
	br     *bufio.Reader
	ctx    context.Context
	cancel context.CancelFunc

	// The request under way, and its answer.
	req     *http.Request
	body    lineBody
	began   time.Time // when the first byte had arrived
	header  http.Header
	status  int
	content []byte
	out     []byte
	sent    bool
	err     error // of sending
	foreign bool  // the next request is one for net/http

	// Messages that have been confirmed.
	confirmed chan *incoming // nil before the first; closed when nothing more is read
	room      chan struct{}  // holds a token for each
	handling  sync.WaitGroup // the goroutine that handles them

	mu       sync.Mutex
	idle     bool // waiting for the first byte of a request
	stopping bool
}

// maxConfirmed bounds the messages of a connection that have been confirmed and not handled: one that is being handled and some that wait, so that a goroutine that is woken
// late, which takes longer than handling a few messages does, leaves nobody without work. More would only be a queue in front of a handler that is too slow.
const maxConfirmed = 4

// takeOver takes the connection of a request that has been answered from net/http, if everything is plain enough.
func (s *Server) takeOver(w http.ResponseWriter, r *http.Request) {
	c := connOf(r)
	if c == nil || c.returned || !plainEnough(r) {
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(c.ctx, http.LocalAddrContextKey, c.conn.LocalAddr()))
	l := &lineServer{s: s, peer: c, ctx: ctx, cancel: cancel, header: make(http.Header)}
	l.req = (&http.Request{
		Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS,
		URL: new(url.URL), Header: make(http.Header), Body: &l.body,
	}).WithContext(ctx)
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
		l.stopping = true
	} else if n := rw.Reader.Buffered(); n > 0 {
		early, _ := rw.Reader.Peek(n) // they are there
		in = io.MultiReader(bytes.NewReader(bytes.Clone(early)), in)
	}
	l.br = bufio.NewReader(in)
	l.body.br = l.br
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
	for more := true; more; {
		more = l.read() && l.serveOne()
	}
	if l.confirmed != nil {
		close(l.confirmed)
		l.handling.Wait()
	}
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

// read reads the header of the next request, of which nothing is consumed if it is not plain.
func (l *lineServer) read() bool {
	if !l.await() {
		return false
	}
	l.began = time.Now()
	var p plainRequest
	for {
		b, _ := l.br.Peek(l.br.Buffered())
		var s shape
		p, s = parsePlain(b)
		if s == plain && string(p.host) == l.req.Host {
			break
		}
		if s != partial || len(b) == l.br.Size() {
			l.foreign = true
			return false
		}
		_ = l.peer.conn.SetReadDeadline(l.began.Add(l.s.cfg.ReadHeaderTimeout))
		if _, err := l.br.Peek(len(b) + 1); err != nil {
			var timeout net.Error
			l.foreign = !errors.As(err, &timeout) || !timeout.Timeout() // what has come is answered
			l.cancel()
			return false
		}
	}
	if string(p.path) != l.req.URL.Path {
		l.req.URL.Path = string(p.path)
	}
	setHeader(l.req.Header, "Content-Type", p.contentType)
	setHeader(l.req.Header, "Prefer", p.prefer)
	l.req.ContentLength = int64(p.length)
	l.body.left = p.length
	_, _ = l.br.Discard(p.size) // it is there
	if l.br.Buffered() < p.length {
		_ = l.peer.conn.SetReadDeadline(l.began.Add(l.s.cfg.ReadTimeout))
	}
	clear(l.header)
	l.status, l.content, l.sent = http.StatusOK, l.content[:0], false
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

// serveOne has the request handled and answers it; false if the connection has to be closed then.
func (l *lineServer) serveOne() (inOrder bool) {
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p)
			inOrder = false
		}
	}()
	l.s.handle(l, l.req)
	return l.FlushError() == nil && l.header.Get("Connection") != "close"
}

// Header is the header of the answer.
func (l *lineServer) Header() http.Header { return l.header }

// WriteHeader sets the status of the answer.
func (l *lineServer) WriteHeader(status int) { l.status = status }

// Write adds to the body of the answer, which is sent when the request has been handled.
func (l *lineServer) Write(p []byte) (int, error) {
	l.content = append(l.content, p...)
	return len(p), nil
}

// FlushError sends the answer, once, when the request has been read to its end.
func (l *lineServer) FlushError() error {
	if l.sent {
		return l.err
	}
	l.sent = true
	if l.body.left > 0 {
		if _, err := io.Copy(io.Discard, &l.body); err != nil {
			l.header.Set("Connection", "close")
		}
	}
	b := append(l.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(l.status), 10)
	b = append(append(b, ' '), http.StatusText(l.status)...)
	b = time.Now().UTC().AppendFormat(append(b, "\r\nDate: "...), http.TimeFormat)
	for name, values := range l.header {
		for _, v := range values {
			b = append(append(append(append(b, "\r\n"...), name...), ": "...), v...)
		}
	}
	l.out = append(append(b, "\r\n\r\n"...), l.content...)
	_ = l.peer.conn.SetWriteDeadline(l.began.Add(l.s.cfg.WriteTimeout))
	_, l.err = l.peer.conn.Write(l.out)
	if cap(l.out) > maxPooled {
		l.out, l.content = nil, nil
	}
	return l.err
}

// confirm confirms a message and leaves it to the goroutine that handles those. It waits while maxConfirmed are not done.
func (l *lineServer) confirm(m *incoming, noted *exchange) {
	if l.confirmed == nil {
		l.confirmed, l.room = make(chan *incoming, maxConfirmed), make(chan struct{}, maxConfirmed)
		l.handling.Go(l.handleConfirmed)
	}
	l.room <- struct{}{}
	confirm(l, noted)
	l.confirmed <- m // there is room
}

// handleConfirmed handles what has been confirmed.
func (l *lineServer) handleConfirmed() {
	for m := range l.confirmed {
		l.handleOne(m)
	}
}

func (l *lineServer) handleOne(m *incoming) {
	defer func() { <-l.room }()
	defer m.release()
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p)
		}
	}()
	m.handleConfirmed(l.ctx)
}

// panicked logs a panic of what is not a handler.
func (l *lineServer) panicked(p any) {
	l.s.log.Error("panic in a connection", "peer", l.req.RemoteAddr, "panic", p, "stack", string(debug.Stack()))
}

// settle waits until all that has been confirmed has been handled.
func (l *lineServer) settle() {
	for range cap(l.room) {
		l.room <- struct{}{}
	}
	for range cap(l.room) {
		<-l.room
	}
}

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
