package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/semeco/go-sdc/sdc"
)

// Bounds on documents and messages. A browser that asks and never reads keeps what it asked for in memory until its write deadline.
const (
	maxAnswers  = 64 << 20    // bytes of large ones on their way
	largeAnswer = 64 << 10    // bytes: smaller ones are bounded by the connections
	maxMaking   = 4           // made at a time
	piece       = 64 << 10    // bytes that a browser has Config.WriteTimeout for
	answerTime  = time.Minute // for all pieces of a document
)

var errNoRoom = errors.New("too much is on its way to browsers that do not read it")

// shares hands out an amount that is bounded as a whole and for each peer. Each peer may have one portion, of any size, as far as the others leave room for it,
// and somebody who is alone may have one portion in any case.
type shares struct {
	all, one int // one is not for peer ""

	mu    sync.Mutex
	empty sync.Cond // nothing is taken
	taken int
	of    map[string]int
}

func newShares(all, one int) *shares {
	s := &shares{all: all, one: one, of: map[string]int{}}
	s.empty.L = &s.mu
	return s
}

// take tells whether there was room for n. If so, give has to be called with the same.
func (s *shares) take(peer string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.of[peer]
	if s.taken > 0 && n > s.all-s.taken || peer != "" && own > 0 && n > s.one-own {
		return false
	}
	s.taken += n
	s.of[peer] = own + n
	return true
}

func (s *shares) give(peer string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[peer] -= n; s.of[peer] == 0 {
		delete(s.of, peer)
	}
	if s.taken -= n; s.taken == 0 {
		s.empty.Broadcast()
	}
}

// wait returns when nothing is taken.
func (s *shares) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.taken > 0 {
		s.empty.Wait()
	}
}

// peerOf tells browsers apart: by a certificate that has been checked, else by address. Whoever asks on loopback is "", which has no share: it is
// this host itself, or a proxy on it that stands for many.
func peerOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a = a.Unmap(); a.IsLoopback() {
			return ""
		}
		host = a.String()
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return sdc.Fingerprint(r.TLS.PeerCertificates[0])
	}
	return "address " + host
}

// make makes a document or message, in turn: how large one is shows only then.
func (h *Handler) make(ctx context.Context, message func() []byte) ([]byte, error) {
	select {
	case h.making <- struct{}{}:
		defer func() { <-h.making }()
		return message(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// document answers with what content returns. Large ones that find no room are refused.
func (h *Handler) document(w http.ResponseWriter, r *http.Request, content func() any) {
	data, err := h.make(r.Context(), func() []byte { return encode(content()) })
	if err != nil {
		return // the browser has gone
	}
	if peer, n := peerOf(r), len(data); n >= largeAnswer {
		if !h.answers.take(peer, n) {
			w.Header().Set("Retry-After", "1")
			h.refuse(w, r, http.StatusServiceUnavailable, errNoRoom.Error())
			return
		}
		defer h.answers.give(peer, n)
	}
	w.Header().Set("Content-Type", "application/json")
	conn, end := http.NewResponseController(w), time.Now().Add(answerTime)
	for len(data) > 0 {
		deadline := time.Now().Add(h.cfg.WriteTimeout)
		if deadline.After(end) {
			deadline = end
		}
		_ = conn.SetWriteDeadline(deadline) // what is no connection has none
		n, err := w.Write(data[:min(piece, len(data))])
		if err != nil {
			h.log.Debug("answer not delivered", "peer", r.RemoteAddr, "path", r.URL.Path, "error", err)
			return
		}
		data = data[n:]
	}
}
