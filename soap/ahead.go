package soap

import (
	"io"
	"net"
	"sync"
)

// ahead reads from a connection before it is asked, so that one can tell whether anything has arrived. It is for connections
// that cannot be asked; see idleTest. A goroutine reads until the connection is closed or broken.
type ahead struct {
	net.Conn
	done chan struct{}

	mu   sync.Mutex
	cond sync.Cond
	buf  [4096]byte
	have []byte // of buf, not consumed yet
	err  error
}

func newAhead(c net.Conn) *ahead {
	a := &ahead{Conn: c, done: make(chan struct{})}
	a.cond.L = &a.mu
	go a.run()
	return a
}

func (a *ahead) run() {
	defer close(a.done)
	for {
		n, err := a.Conn.Read(a.buf[:])
		a.mu.Lock()
		a.have, a.err = a.buf[:n], err
		a.cond.Broadcast()
		for len(a.have) > 0 && a.err == nil {
			a.cond.Wait()
		}
		err = a.err
		a.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Read waits until something is there.
func (a *ahead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.have) == 0 && a.err == nil {
		a.cond.Wait()
	}
	if len(a.have) == 0 {
		return 0, a.err
	}
	n := copy(p, a.have)
	if a.have = a.have[n:]; len(a.have) == 0 {
		a.cond.Broadcast()
	}
	return n, nil
}

// Close closes the connection; a Read that waits fails.
func (a *ahead) Close() error {
	err := a.Conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = io.ErrClosedPipe
	}
	a.cond.Broadcast()
	return err
}

// wait returns when the goroutine of a closed connection has ended.
func (a *ahead) wait() { <-a.done }

// idle tells whether neither data nor the end have arrived.
func (a *ahead) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.have) == 0 && a.err == nil
}
