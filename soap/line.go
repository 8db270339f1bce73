package soap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Line is one connection to one host and port that is kept alive and over which messages go one after the other. It is what
// notifications are sent over: the goroutine that sends writes the message and reads the answer itself, whereas a [Client]
// hands both to goroutines of the transport, which costs more than the exchange. There is never a second connection beside
// the first (SDPi R1001).
//
// A message is written at most once, except that one of which nothing could be written to a kept-alive connection is written
// to a new one. Whoever repeats a message has to know whether the receiver recognises repetitions.
//
// A line is for one goroutine at a time. Close it when done.
type Line struct {
	c     *Client // configuration, memory, and reading of what is more than a confirmation
	conn  *lineConn
	out   []byte    // the message that is being sent
	noted *exchange // it, in the journal; nil without one
	guard guard
	bound deadline // of whatever is sent
	due   deadline // of the message that is being sent
}

// deadline is when something is given up, and the error then. The zero one is none.
type deadline struct {
	at    time.Time
	cause error
}

func (d deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// NewLine returns a line, without connection yet, for the senders that it makes. Of the configuration, Understood serves no
// purpose, and MaxConnsPerHost is 1. Who does not send for IdleTimeout should call [Line.Disconnect]. The error is that of [NewClient].
func NewLine(cfg ClientConfig) (*Line, error) {
	c, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Line{c: c}, nil
}

// Sender returns a sender to the URL, which shares the line with the other senders of the line. One to another host than that
// of the message before takes a new connection in the place of the old.
func (l *Line) Sender(url string) (*Sender, error) {
	s, err := l.c.Sender(url)
	if err != nil {
		return nil, err
	}
	s.line = l
	if s.route, err = newRoute(s.u, l.c.header); err != nil {
		return nil, fmt.Errorf("address %q: %w", url, err)
	}
	return s, nil
}

// SetDeadline bounds whatever is sent from now on: a message that has not been answered at that time, the making of a connection
// included, is given up with the error cause, or context.DeadlineExceeded if that is nil, and the connection is closed. The zero time,
// as in the beginning, is no bound. ClientConfig.Timeout and the context of a message bound it as well; a deadline costs less than a
// context made for a message.
func (l *Line) SetDeadline(at time.Time, cause error) {
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	l.bound = deadline{at, cause}
}

// Disconnect closes the connection, if there is one, and has closed it when it returns. The next message opens another.
func (l *Line) Disconnect() {
	l.guard.rest()
	if l.conn != nil {
		l.conn.close(true)
		l.conn = nil
	}
}

// Close disconnects and makes what is sent afterwards fail with ErrClosed.
func (l *Line) Close() {
	l.c.Close()
	l.Disconnect()
}

// route is what is the same for all messages to one URL.
type route struct {
	addr          string // host and port
	secure        bool
	before, after []byte // the request's header around the length of its body
	more          []byte // what stands for after if more follows
}

// newRoute lets net/http write the header: what peers see is what they see of a Client.
func newRoute(u *url.URL, header http.Header) (*route, error) {
	var head bytes.Buffer
	req := &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: header, Body: http.NoBody, ProtoMajor: 1, ProtoMinor: 1}
	if err := req.Write(&head); err != nil {
		return nil, err
	}
	const length = "\r\nContent-Length: "
	before, after, ok := bytes.Cut(head.Bytes(), []byte(length+"0\r\n"))
	if !ok {
		return nil, errors.New("net/http writes no length")
	}
	host, port := u.Hostname(), u.Port()
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		_, ascii, _ := strings.Cut(string(before), "\r\nHost: ")
		ascii, _, _ = strings.Cut(ascii, "\r\n")
		host = strings.TrimSuffix(ascii, ":"+port)
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return &route{
		addr: net.JoinHostPort(host, port), secure: u.Scheme == "https",
		before: append(before, length...),
		after:  append([]byte("\r\n"), after...),
		more:   append([]byte("\r\nPrefer: "+respondAsync+"\r\n"), after...),
	}, nil
}

// post sends one message and waits for its answer, over a connection that is there or a new one.
func (l *Line) post(ctx context.Context, s *Sender, more bool, parts [][]byte) error {
	to := s.route
	after, size := to.after, 0
	if more {
		after = to.more
	}
	for _, p := range parts {
		size += len(p)
	}
	l.out = append(slices.Grow(l.out[:0], len(to.before)+len(after)+20+size), to.before...)
	l.out = strconv.AppendInt(l.out, int64(size), 10)
	l.out = append(l.out, after...)
	head := len(l.out)
	for _, p := range parts {
		l.out = append(l.out, p...)
	}
	l.noted = l.c.exchange(KindNotification, http.MethodPost, s.u, l.out[head:])
	defer func() {
		if cap(l.out) > maxPooled {
			l.out = nil
		}
	}()
	l.due = l.bound
	if d := l.c.cfg.Timeout; d > 0 {
		if at := time.Now().Add(d); l.due.at.IsZero() || at.Before(l.due.at) {
			l.due = deadline{at, context.DeadlineExceeded}
		}
	}
	err := l.deliver(ctx, to)
	l.noted.failed(err)
	l.noted = nil
	return err
}

// deliver sends what has been written to l.out.
func (l *Line) deliver(ctx context.Context, to *route) error {
	for {
		if l.c.closed.Load() {
			return ErrClosed
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if l.due.passed() {
			return l.due.cause
		}
		kept := l.conn != nil && l.conn.to(to) && l.conn.quiet()
		if !kept {
			l.Disconnect()
			if err := l.connect(ctx, to); err != nil {
				return err
			}
		}
		written, err := l.exchange(ctx, kept)
		if err == nil || written || !kept || ctx.Err() != nil {
			return err
		}
		// The kept-alive connection was of no use any more.
	}
}

// exchange writes what is to be sent, to a connection that was kept alive or a new one, and reads the answer. written is false if nothing of it can have arrived. The connection
// is closed unless it is in order.
func (l *Line) exchange(ctx context.Context, kept bool) (written bool, err error) {
	conn := l.conn
	l.guard.begin(ctx, conn, l.due.at)
	inOrder := false
	defer func() {
		gone := l.guard.end()
		if gone || !inOrder {
			conn.close(false)
			l.conn = nil
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case gone:
			err = l.due.cause
		}
	}()
	if conn.check != nil {
		if err := conn.check(); err != nil {
			return false, err
		}
	}
	if l.noted != nil {
		l.noted.reached(conn.RemoteAddr().String(), conn.leaf)
	}
	n, werr := conn.Write(l.out)
	if werr != nil {
		if kept && n == 0 {
			return false, werr
		}
		// It may have refused the message before it had all of it, or us after the handshake, and then it says why.
		defer time.AfterFunc(answerAfterBreak, conn.abort).Stop()
	}
	if werr == nil {
		if status := conn.confirmed(); status != 0 {
			l.noted.answered(status, nil, false, "")
			inOrder = true
			return true, nil
		}
	}
	resp, err := conn.answer() //nolint:bodyclose // its body is part of the connection
	switch {
	case err != nil && werr != nil && !isAlert(err):
		return n > 0, werr
	case err != nil:
		return true, err
	}
	body := &tracked{Reader: resp.Body, ended: resp.ContentLength == 0}
	resp.Body = body
	if resp.StatusCode/100 != 2 || resp.ContentLength != 0 {
		_, err = l.c.answer(resp, l.noted)
	}
	l.noted.answered(resp.StatusCode, nil, false, "")
	inOrder = werr == nil && body.ended && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	return true, err
}

// answerAfterBreak is how long an answer is waited for from a peer that took a part of a message only.
const answerAfterBreak = 50 * time.Millisecond

// tracked is the body of an answer. Closing it reads nothing: what is left of it goes with the connection.
type tracked struct {
	io.Reader
	ended bool
}

// Read reads, and notes the end.
func (b *tracked) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// Close does nothing.
func (b *tracked) Close() error { return nil }

// lineConn is the connection of a line.
type lineConn struct {
	net.Conn               // with TLS, if any, and what is over it
	raw      net.Conn      // without
	idle     func() bool   // tells whether nothing has arrived on raw
	check    func() error  // judges the peer again; nil: nobody does
	in       bounded       // reads from Conn
	br       *bufio.Reader // reads from in
	post     *http.Request // for http.ReadResponse
	route    *route        // to where it leads
	pump     *ahead        // if idle is its business
	leaf     *x509.Certificate
	over     net.Conn // what the application laid on it; nil: nothing
}

// connect makes a connection.
func (l *Line) connect(ctx context.Context, to *route) (err error) {
	if !l.due.at.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, l.due.at, l.due.cause)
		defer cancel()
	}
	if l.conn, err = l.dial(ctx, to); err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

func (l *Line) dial(ctx context.Context, to *route) (*lineConn, error) {
	raw, err := l.c.cfg.Dial(ctx, "tcp", to.addr)
	if err != nil {
		return nil, err
	}
	c := &lineConn{Conn: raw, raw: raw, route: to, post: &http.Request{Method: http.MethodPost}}
	if c.idle = idleTest(raw); c.idle == nil {
		c.pump = newAhead(raw)
		c.Conn, c.raw, c.idle = c.pump, c.pump, c.pump.idle
	}
	if to.secure {
		conn, err := secured(ctx, l.c.transport.TLSClientConfig, c.raw, to.addr)
		if err != nil {
			c.close(false)
			return nil, err
		}
		c.Conn, c.leaf = conn, leafOf(conn.ConnectionState())
		if l.c.cfg.Recheck != nil {
			c.check = l.c.cfg.Recheck(conn.ConnectionState(), to.addr)
		}
	}
	if l.c.cfg.Over != nil {
		c.over = l.c.cfg.Over(c.Conn)
		c.Conn = c.over
		if i, ok := c.over.(interface{ Idle() bool }); ok {
			c.idle = i.Idle
		}
	}
	c.in.r = c.Conn
	c.br = bufio.NewReader(&c.in)
	return c, nil
}

func (c *lineConn) to(r *route) bool {
	return c.route == r || c.route.addr == r.addr && c.route.secure == r.secure
}

// quiet tells whether a kept-alive connection can be used: what has arrived on it since the last answer can only be its end.
func (c *lineConn) quiet() bool { return c.in.err == nil && c.br.Buffered() == 0 && c.idle() }

// abort ends what is being read or written, from another goroutine.
func (c *lineConn) abort() { _ = c.raw.Close() }

// close closes the connection. Only a peer that is not in doubt is told.
func (c *lineConn) close(polite bool) {
	if polite {
		_ = c.Conn.Close()
	}
	_ = c.raw.Close()
	if c.over != nil && !polite {
		_ = c.over.Close()
	}
	if c.pump != nil {
		c.pump.wait()
	}
}

// confirmed reads the answer that nearly every message gets, without taking memory: success, without a body, on a connection
// that stays, and returns its status. If it is something else that is 0, and nothing is consumed.
func (c *lineConn) confirmed() (status int) {
	c.in.left = maxAnswerHeader
	if _, err := c.br.Peek(1); err != nil { // waits
		return 0
	}
	b, _ := c.br.Peek(c.br.Buffered())
	n, ok := confirmation(b)
	if !ok {
		return 0
	}
	status = 200 + 10*int(b[10]-'0') + int(b[11]-'0') // as confirmation has seen them
	_, _ = c.br.Discard(n)                            // it is there
	return status
}

// confirmation tells how long the confirmation is with which b starts, if it is one that is plain enough.
func confirmation(b []byte) (n int, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, false
	}
	status, rest, _ := bytes.Cut(b[:end], []byte("\r\n"))
	if len(status) < len("HTTP/1.1 2xx ") || string(status[:10]) != "HTTP/1.1 2" || !digit(status[10]) || !digit(status[11]) || status[12] != ' ' || !plainText(status) {
		return 0, false
	}
	empty := false
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !plainName(name) || !plainText(value) {
			return 0, false
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if empty || string(bytes.TrimSpace(value)) != "0" {
				return 0, false
			}
			empty = true
		case bytes.EqualFold(name, []byte("Connection")), bytes.EqualFold(name, []byte("Transfer-Encoding")), bytes.EqualFold(name, []byte("Trailer")):
			return 0, false
		}
	}
	return end + 4, empty
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// plainName is stricter than HTTP, which costs no more than the longer way.
func plainName(name []byte) bool {
	for _, c := range name {
		if !digit(c) && !('a' <= c|0x20 && c|0x20 <= 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(name) > 0
}

// plainText has no control characters but tabs.
func plainText(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return true
}

const (
	maxAnswerHeader = 64 << 10 // bytes of any HTTP answer; here interim answers included
	maxInterim      = 5        // interim answers (1xx)
)

// answer reads the header of an answer.
func (c *lineConn) answer() (*http.Response, error) {
	c.in.left = maxAnswerHeader
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(c.br, c.post) //nolint:bodyclose // whoever gets it closes it
		if err != nil {
			if c.in.err != nil && !errors.Is(c.in.err, io.EOF) {
				err = c.in.err // better than what became of it
			}
			return nil, fmt.Errorf("answer: %w", err)
		}
		if resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.in.left = math.MaxInt64 // who reads the body has a bound for it
			return resp, nil
		}
	}
	return nil, errors.New("answer: too many interim ones")
}

// bounded reads so many bytes and remembers how it ended.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

var errHeaderTooLong = fmt.Errorf("the header is longer than %d bytes", maxAnswerHeader)

// Read reads while anything is left.
func (b *bounded) Read(p []byte) (int, error) {
	if b.err == nil && b.left <= 0 {
		b.err = errHeaderTooLong
	}
	if b.err != nil {
		return 0, b.err
	}
	var n int
	n, b.err = b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, b.err
}
