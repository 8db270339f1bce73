package memnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Conn is one end of a stream. It implements net.Conn and CloseWrite.
type Conn struct {
	rd, wr        *stream
	local, remote *net.TCPAddr
	life          *life
}

// life is what the two ends of a stream share.
type life struct {
	listener *Listener
	server   *Conn
	hosts    pair
	once     sync.Once
}

func (l *life) end() { l.once.Do(func() { l.listener.gone(l.server) }) }

func newPair(n *Network, l *Listener, p pair, clientAddr, serverAddr *net.TCPAddr) (client, server *Conn) {
	there := way{clientAddr.AddrPort().Addr().Unmap(), serverAddr.AddrPort().Addr().Unmap()}
	up, down := newStream(n, p, there), newStream(n, p, way{there.to, there.from})
	lf := &life{listener: l, hosts: p}
	client = &Conn{rd: down, wr: up, local: clientAddr, remote: serverAddr, life: lf}
	server = &Conn{rd: up, wr: down, local: serverAddr, remote: clientAddr, life: lf}
	lf.server = server
	return client, server
}

func (c *Conn) hosts() pair { return c.life.hosts }

func (c *Conn) opError(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.rd.read(b)
	return n, c.opError("read", err)
}

// Write implements net.Conn; it blocks while the buffer of the stream is full.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.wr.write(b)
	return n, c.opError("write", err)
}

// Close ends both directions. The peer reads what was written before and then io.EOF.
func (c *Conn) Close() error {
	err := c.rd.closeReader()
	c.wr.closeWriter(true)
	c.life.end()
	return c.opError("close", err)
}

// CloseWrite ends the sending direction: the peer reads io.EOF after the rest.
func (c *Conn) CloseWrite() error {
	c.wr.closeWriter(false)
	return nil
}

// Reset aborts the stream at both ends; pending and later calls fail with ECONNRESET.
func (c *Conn) Reset() { c.reset() }

func (c *Conn) reset() {
	c.rd.fail(syscall.ECONNRESET)
	c.wr.fail(syscall.ECONNRESET)
	c.life.end()
}

// LocalAddr returns a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn; it also ends a Read that is waiting.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.opError("set", c.rd.setReadDeadline(t))
}

// SetWriteDeadline implements net.Conn; it also ends a Write that is waiting.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.opError("set", c.wr.setWriteDeadline(t))
}

// stream is one direction of a connection: a bounded queue of segments with arrival times.
type stream struct {
	net   *Network
	hosts pair
	way   way

	mu            sync.Mutex
	cond          *sync.Cond
	segs          []segment
	size          int
	last          time.Time // arrival of the newest segment: later ones never overtake it
	fin           bool      // the writer is done
	finAt         time.Time
	writerClosed  bool // the writing end was closed completely
	readerClosed  bool
	err           error // reset
	readDeadline  time.Time
	writeDeadline time.Time
}

type segment struct {
	data []byte
	at   time.Time
}

func newStream(n *Network, p pair, w way) *stream {
	s := &stream{net: n, hosts: p, way: w}
	s.cond = sync.NewCond(&s.mu)
	return s
}

func (s *stream) wake() {
	s.mu.Lock()
	s.cond.Broadcast()
	s.mu.Unlock()
}

// waitUntil waits for a change or the given instants (zero = none). Called with s.mu held.
func (s *stream) waitUntil(instants ...time.Time) {
	var first time.Time
	for _, t := range instants {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if first.IsZero() {
		s.cond.Wait()
		return
	}
	timer := time.AfterFunc(time.Until(first), s.wake)
	s.cond.Wait()
	timer.Stop()
}

func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerClosed:
			return 0, net.ErrClosed
		case s.err != nil:
			return 0, s.err
		case passed(s.readDeadline):
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		}
		var arrival time.Time
		if !s.net.isBlocked(s.way) {
			if n := s.takeLocked(b); n > 0 {
				s.cond.Broadcast()
				return n, nil
			}
			switch {
			case len(s.segs) > 0:
				arrival = s.segs[0].at
			case s.fin && !time.Now().Before(s.finAt):
				return 0, io.EOF
			case s.fin:
				arrival = s.finAt
			}
		}
		s.waitUntil(s.readDeadline, arrival)
	}
}

// takeLocked copies what has arrived.
func (s *stream) takeLocked(b []byte) int {
	now := time.Now()
	n := 0
	for n < len(b) && len(s.segs) > 0 && !now.Before(s.segs[0].at) {
		seg := &s.segs[0]
		k := copy(b[n:], seg.data)
		n += k
		s.size -= k
		seg.data = seg.data[k:]
		if len(seg.data) == 0 {
			s.segs[0] = segment{}
			s.segs = s.segs[1:]
		}
	}
	return n
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for {
		switch {
		case s.writerClosed:
			return n, net.ErrClosed
		case s.err != nil:
			return n, s.err
		case s.fin:
			return n, syscall.EPIPE
		case passed(s.writeDeadline):
			return n, os.ErrDeadlineExceeded
		case s.readerClosed && !s.net.isBlocked(s.way):
			return n, syscall.EPIPE
		case n == len(b):
			return n, nil
		}
		if free := s.net.cfg.StreamBuffer - s.size; free > 0 {
			k := min(free, len(b)-n)
			at := time.Now().Add(s.net.delay(s.hosts))
			if at.Before(s.last) {
				at = s.last
			}
			s.last = at
			s.segs = append(s.segs, segment{data: append([]byte(nil), b[n:n+k]...), at: at})
			s.size += k
			n += k
			s.cond.Broadcast()
			if n == len(b) {
				return n, nil
			}
			continue
		}
		s.waitUntil(s.writeDeadline)
	}
}

func (s *stream) closeReader() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readerClosed {
		return net.ErrClosed
	}
	s.readerClosed = true
	s.segs, s.size = nil, 0
	s.cond.Broadcast()
	return nil
}

func (s *stream) closeWriter(completely bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if completely {
		s.writerClosed = true
	}
	if !s.fin {
		s.fin = true
		s.finAt = time.Now().Add(s.net.delay(s.hosts))
		if s.finAt.Before(s.last) {
			s.finAt = s.last
		}
	}
	s.cond.Broadcast()
}

func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.segs, s.size = nil, 0
	s.cond.Broadcast()
}

func (s *stream) setReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readerClosed {
		return net.ErrClosed
	}
	s.readDeadline = t
	s.cond.Broadcast()
	return nil
}

func (s *stream) setWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writerClosed {
		return net.ErrClosed
	}
	s.writeDeadline = t
	s.cond.Broadcast()
	return nil
}
