package soap

import (
	"slices"
	"sync"
	"time"
)

// costly is the size in bytes from which a document is worked on in turn only. Requests and reports are far smaller, as a rule.
const costly = 64 << 10

// turns shares out work that costs a peer little and us much: handshakes, and documents of many kilobytes. Otherwise dozens of them
// would be computed side by side, and whatever else becomes due, reports before all, would wait its turn among them for as long as
// all together take. There are only so many turns at a time, and peers get them one after the other, so that whoever asks for
// much waits for himself.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting map[string][]*waiter // by peer, who came first first
	order   []string             // of the peers that wait; the first is next
}

// waiter is somebody who waits for a turn.
type waiter struct {
	ready chan struct{} // closed, with turns.mu held, when the turn is his
}

func newTurns(n int) *turns { return &turns{free: n, waiting: make(map[string][]*waiter)} }

// take waits for a turn of a peer; false if none came within the patience or before left was closed. The caller gives it back.
func (t *turns) take(peer string, patience time.Duration, left <-chan struct{}) bool {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return true
	}
	w := &waiter{ready: make(chan struct{})}
	if t.waiting[peer] == nil {
		t.order = append(t.order, peer)
	}
	t.waiting[peer] = append(t.waiting[peer], w)
	t.mu.Unlock()

	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.ready:
		return true
	case <-timer.C:
	case <-left:
	}
	return !t.leave(peer, w)
}

// leave takes somebody out of the line; false if his turn has come meanwhile.
func (t *turns) leave(peer string, w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.waiting[peer]
	i := slices.Index(line, w)
	if i < 0 {
		return false
	}
	if len(line) == 1 {
		delete(t.waiting, peer)
		t.order = slices.DeleteFunc(t.order, func(p string) bool { return p == peer })
		return true
	}
	t.waiting[peer] = slices.Delete(line, i, i+1)
	return true
}

// give ends a turn: it is that of the next peer, if one waits, who then goes to the end of the line.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.order) == 0 {
		t.free++
		return
	}
	peer := t.order[0]
	t.order = slices.Delete(t.order, 0, 1)
	line := t.waiting[peer]
	close(line[0].ready)
	if len(line) == 1 {
		delete(t.waiting, peer)
		return
	}
	t.waiting[peer] = slices.Delete(line, 0, 1)
	t.order = append(t.order, peer)
}

// turn is that of one message, for as long as something is computed and nobody is waited for. It is used by one goroutine; nil is one that is not needed.
type turn struct {
	of       *turns
	peer     string
	patience time.Duration
	held     bool
}

// begin waits until the turn has come, unless it has already.
func (t *turn) begin() error {
	if t == nil || t.held {
		return nil
	}
	if !t.of.take(t.peer, t.patience, nil) {
		return errNoTurn
	}
	t.held = true
	return nil
}

// end gives the turn back, if it is held, and tells whether it was.
func (t *turn) end() bool {
	if t == nil || !t.held {
		return false
	}
	t.held = false
	t.of.give()
	return true
}

// Turn is that of a handler which computes for long: see [Request.Turn]. It is for one goroutine; nil is one that need not be waited for.
type Turn struct{ t turn }

// Begin waits until it is the turn of the peer. After an error, which is a fault for the peer, it has not come within ServerConfig.ReadTimeout.
func (t *Turn) Begin() error {
	if t != nil && t.t.begin() != nil {
		return EndpointUnavailable("too much is to be computed for others", time.Second)
	}
	return nil
}

// End gives the turn back, if it is held: before anybody is waited for, and when the work is done.
func (t *Turn) End() {
	if t != nil {
		t.t.end()
	}
}
