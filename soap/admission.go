package soap

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// errBusy refuses a body for which there is no memory at the moment.
var errBusy = errors.New("the bodies of other requests take all the memory set aside for them")

// errNoTurn refuses a document that has waited too long for its turn.
var errNoTurn = errors.New("documents of this size are worked on in turn, and too many wait")

// errAnswers refuses a request whose answer would take more memory than there is at the moment.
var errAnswers = errors.New("the answers to other requests take all the memory set aside for them")

// admission bounds the requests under way, in number and in the memory of their bodies and answers.
type admission struct {
	total, perPeer int
	answers        int64
	memory         atomic.Int64 // bytes of bodies that may still be held

	mu     sync.Mutex
	active int
	byPeer map[string]int

	answering     int64 // bytes of large answers on their way
	answeringPeer map[string]int64
}

func newAdmission(cfg *ServerConfig) *admission {
	a := &admission{total: cfg.MaxRequests, perPeer: cfg.MaxRequestsPerPeer, answers: cfg.MaxAnswers, byPeer: make(map[string]int), answeringPeer: make(map[string]int64)}
	a.memory.Store(cfg.MaxBodies)
	return a
}

// enter takes a place for a request of a peer; the status says why there is none: 429 for the
// peer's own share, 503 for everyone's.
func (a *admission) enter(peer string) (status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.byPeer[peer] >= a.perPeer:
		return http.StatusTooManyRequests
	case a.active >= a.total:
		return http.StatusServiceUnavailable
	}
	a.active++
	a.byPeer[peer]++
	return http.StatusOK
}

func (a *admission) leave(peer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active--
	if a.byPeer[peer]--; a.byPeer[peer] == 0 {
		delete(a.byPeer, peer)
	}
}

// answering is the memory that an answer takes on its way to a peer.
type answering struct {
	of   *admission
	peer string
	size int64 // what is counted of it
}

// resize sets memory aside for an answer that is of another size than was known before; false if there is none: more than a quarter for one peer, or more than all. Of each peer one is sent whatever its
// size as long as others leave room for it, and so is one that is alone. What is not large is not counted.
func (t *answering) resize(size int64) bool {
	if size < costly {
		size = 0
	}
	if size == t.size {
		return true
	}
	a := t.of
	a.mu.Lock()
	defer a.mu.Unlock()
	all, mine := a.answering-t.size, a.answeringPeer[t.peer]-t.size // of other answers
	if size > t.size && all > 0 && (all+size > a.answers || mine > 0 && mine+size > a.answers/4) {
		return false
	}
	a.answering = all + size
	if a.answeringPeer[t.peer] = mine + size; mine+size == 0 {
		delete(a.answeringPeer, t.peer)
	}
	t.size = size
	return true
}

// take takes memory for bodies, all or nothing; who needs none gets that whatever others take.
func (a *admission) take(bytes int64) bool {
	for {
		left := a.memory.Load()
		switch {
		case bytes == 0:
			return true
		case bytes > left:
			return false
		case a.memory.CompareAndSwap(left, left-bytes):
			return true
		}
	}
}

// free is how many bytes of each request come out of no common memory, so that requests of the usual size are served whoever holds all of that with large ones.
// There can be ServerConfig.MaxRequests of them.
const free = 16 << 10

// metered counts what a body really brings, not what it announces: an announcement costs
// a sender nothing. What comes beyond costly is worked on in turn.
type metered struct {
	r    io.Reader
	from *admission
	conn *gatedConn // that the body comes from; nil if it is not one of ours
	come int64      // on the wire and inflated
	held int64
}

// Read reads and is charged with what has come, and half as much again, since in the end pieces are put together; it fails with errBusy if that is too much.
func (m *metered) Read(p []byte) (int, error) {
	if m.conn != nil && m.come >= costly {
		m.conn.unsettle()
		defer m.conn.settle()
	}
	n, err := m.r.Read(p)
	before := max(m.come, free)
	m.come += int64(n)
	charge := max(m.come, free) - before
	if charge += charge / 2; !m.from.take(charge) {
		m.release() // what has come is dropped
		return n, errBusy
	}
	m.held += charge
	return n, err
}

// release gives back what was taken.
func (m *metered) release() {
	m.from.memory.Add(m.held)
	m.held = 0
}

// peerOf is peerKey, but worked out once a connection.
func peerOf(r *http.Request) string {
	if c := connOf(r); c != nil && c.gated != nil && c.gated.who != "" {
		return c.gated.who
	}
	return peerKey(r)
}

// peerKey names who sends a request: its certificate, or its IP address where there is none.
func peerKey(r *http.Request) string {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
		return string(sum[:])
	}
	return hostOf(addrString(r.RemoteAddr))
}

// addrString is a net.Addr of the text of one.
type addrString string

func (addrString) Network() string  { return "tcp" }
func (a addrString) String() string { return string(a) }
