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

// admission bounds the requests under way, in number and in the memory of their bodies.
type admission struct {
	total, perPeer int
	memory         atomic.Int64 // bytes of bodies that may still be held

	mu     sync.Mutex
	active int
	byPeer map[string]int
}

func newAdmission(cfg *ServerConfig) *admission {
	a := &admission{total: cfg.MaxRequests, perPeer: cfg.MaxRequestsPerPeer, byPeer: make(map[string]int)}
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
	charge += charge / 2
	m.held += charge
	if m.from.memory.Add(-charge) < 0 {
		return n, errBusy
	}
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
