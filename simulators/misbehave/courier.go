package misbehave

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// courier is who the notifications of a device are entrusted to.
type courier struct {
	ctx   context.Context // when it has ended, nothing more is done to them
	plan  Plan
	phase struct{ lose, repeat, garble, swap int } // of the deeds
	log   *slog.Logger
}

func newCourier(ctx context.Context, p Plan, r *rand.Rand, log *slog.Logger) *courier {
	c := &courier{ctx: ctx, plan: p, log: log}
	for _, d := range []struct {
		n     int
		phase *int
	}{{p.Lose, &c.phase.lose}, {p.Repeat, &c.phase.repeat}, {p.Garble, &c.phase.garble}, {p.Swap, &c.phase.swap}} {
		if d.n > 0 {
			*d.phase = r.IntN(d.n)
		}
	}
	return c
}

const (
	maxAnswer = 1 << 20 // bytes of an answer to a notification
	maxHeld   = 256     // notifications of one connection that wait for their delay; then the device waits
)

// confirmation is what a device hears of a notification that did not arrive.
const confirmation = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

// over puts the courier on a connection that notifications go over.
func (c *courier) over(conn net.Conn) net.Conn {
	m := &messenger{Conn: conn, courier: c, closed: make(chan struct{}), broken: make(chan struct{})}
	m.in = io.LimitedReader{R: conn}
	m.br = bufio.NewReader(&m.in)
	if c.plan.Delay > 0 {
		c.log.Warn("misbehaving", "deed", "delay", "by", c.plan.Delay, "to", conn.RemoteAddr().String())
		m.parcels = make(chan parcel, maxHeld)
		m.wg.Go(m.deliver)
		return &late{m}
	}
	return m
}

// messenger is such a connection. Each Write is one request; what is read is one answer to it. It is for one goroutine at a time, Close excepted.
type messenger struct {
	net.Conn
	courier *courier
	in      io.LimitedReader
	br      *bufio.Reader

	n      int    // notifications so far
	held   []byte // handed on after the next; nil: none
	answer []byte // not read yet
	err    error  // read after it

	parcels chan parcel // nil without delay
	once    sync.Once
	closed  chan struct{} // by Close
	broken  chan struct{} // by deliver, when nothing more can be delivered
	wg      sync.WaitGroup
}

// late is a messenger whose answers come when nobody waits for them any more.
type late struct{ *messenger }

// Idle tells whether more can be sent.
func (l *late) Idle() bool {
	select {
	case <-l.broken:
		return false
	default:
		return true
	}
}

// parcel is a request that waits for its time.
type parcel struct {
	msg  []byte
	at   time.Time
	sent chan struct{} // closed when it has been delivered; nil: nobody waits
}

// Write hands a notification on, or does something else with it.
func (m *messenger) Write(b []byte) (int, error) {
	m.answer, m.err = nil, nil
	first, then := m.decide(b)
	if first == nil {
		m.answer = []byte(confirmation)
		return len(b), nil
	}
	if m.parcels != nil {
		for _, msg := range [][]byte{first, then} {
			if msg == nil {
				continue
			}
			if err := m.post(msg); err != nil {
				return 0, err
			}
		}
		m.answer = []byte(confirmation)
		return len(b), nil
	}
	if n, err := m.Conn.Write(first); err != nil {
		return min(n, len(b)), err
	}
	m.answer, m.err = m.receive()
	if then != nil && m.err == nil {
		if _, err := m.Conn.Write(then); err != nil {
			m.err = err
		} else {
			_, m.err = m.receive() // nobody asks what became of it
		}
	}
	return len(b), nil
}

// decide tells what is handed on now, in order; nothing, if first is nil.
func (m *messenger) decide(b []byte) (first, then []byte) {
	c, n := m.courier, m.n
	m.n++
	due := func(every, phase int) bool { return every > 0 && c.ctx.Err() == nil && n%every == phase }
	if m.held != nil {
		first, then = b, m.held
		m.held = nil
		return first, then
	}
	switch {
	case due(c.plan.Lose, c.phase.lose):
		m.tell("lose", b)
		return nil, nil
	case due(c.plan.Garble, c.phase.garble):
		m.tell("garble", b)
		return garbled(b), nil
	case due(c.plan.Swap, c.phase.swap):
		m.tell("swap", b)
		m.held = bytes.Clone(b)
		return nil, nil
	case due(c.plan.Repeat, c.phase.repeat):
		m.tell("repeat", b)
		return b, b
	}
	return b, nil
}

// tell logs a deed with what a consumer may know the notification by.
func (m *messenger) tell(deed string, b []byte) {
	m.courier.log.Warn("misbehaving", "deed", deed, "notification", m.n, "to", m.RemoteAddr().String(),
		"mdib_version", attribute(b, "MdibVersion"), "message_number", attribute(b, "MessageNumber"), "bytes", len(b))
}

// attribute is the first value of an attribute of that name; "" if there is none.
func attribute(b []byte, name string) string {
	_, rest, ok := bytes.Cut(b, []byte(name+`="`))
	value, _, closed := bytes.Cut(rest, []byte(`"`))
	if !ok || !closed || len(value) > 20 {
		return ""
	}
	return string(value)
}

// garbled is a request with a body of the same length that is no XML.
func garbled(b []byte) []byte {
	out := bytes.Clone(b)
	if i := bytes.Index(out, []byte("\r\n\r\n")); i >= 0 {
		body := out[i+4:]
		for n := copy(body, "\x00<garbled"); n < len(body); n++ {
			body[n] = '<'
		}
	}
	return out
}

// receive reads the answer to what was written.
func (m *messenger) receive() ([]byte, error) {
	m.in.N = maxAnswer
	resp, err := http.ReadResponse(m.br, &http.Request{Method: http.MethodPost})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return httputil.DumpResponse(resp, true)
}

// post gives a request to deliver. When the courier's context has ended it waits until it is delivered.
func (m *messenger) post(b []byte) error {
	p := parcel{msg: bytes.Clone(b), at: time.Now().Add(m.courier.plan.Delay)}
	if m.courier.ctx.Err() != nil {
		p.sent = make(chan struct{})
	}
	select {
	case <-m.broken:
		return net.ErrClosed
	case <-m.closed:
		return net.ErrClosed
	case m.parcels <- p:
	}
	if p.sent != nil {
		select {
		case <-m.broken:
		case <-m.closed:
		case <-p.sent:
		}
	}
	return nil
}

// deliver hands requests on when their time has come. It ends with Close.
func (m *messenger) deliver() {
	defer close(m.broken)
	for {
		var p parcel
		select {
		case p = <-m.parcels:
		case <-m.closed:
			return
		}
		t := time.NewTimer(time.Until(p.at))
		select {
		case <-t.C:
		case <-m.courier.ctx.Done():
		case <-m.closed:
		}
		t.Stop()
		if _, err := m.Conn.Write(p.msg); err != nil {
			return
		}
		if _, err := m.receive(); err != nil {
			return
		}
		if p.sent != nil {
			close(p.sent)
		}
	}
}

// Read reads the answer to what was written last.
func (m *messenger) Read(b []byte) (int, error) {
	if len(m.answer) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		return 0, io.EOF // nothing has been asked
	}
	n := copy(b, m.answer)
	m.answer = m.answer[n:]
	return n, nil
}

// Close closes the connection. What still waits is lost.
func (m *messenger) Close() error {
	m.once.Do(func() { close(m.closed) })
	err := m.Conn.Close()
	m.wg.Wait()
	return err
}
