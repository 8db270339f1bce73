package soap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// ServerConfig configures a [Server]. The zero value is usable once TLS or
// Insecure is set.
type ServerConfig struct {
	// TLS secures every connection. It is cloned; HTTP/1.1 is the only protocol offered
	// (SDPi R1003). Client authentication is its ClientAuth.
	TLS *tls.Config
	// Insecure permits serving plain HTTP when TLS is nil.
	Insecure bool
	// MaxBody bounds a request body in bytes, on the wire and inflated; 0 is 4 MiB.
	// Beyond it the answer is 413.
	MaxBody int64
	// MaxHeaderBytes bounds the HTTP request header; 0 is 16 KiB. Beyond it the answer is 431.
	MaxHeaderBytes int
	// Limits bounds what the XML of a request may hold; zero fields take defaults, MaxBytes that of MaxBody.
	Limits xmlscan.Limits
	// ReadHeaderTimeout bounds the TLS handshake and the request header; 0 is 5 s.
	ReadHeaderTimeout time.Duration
	// ReadTimeout bounds a whole request; 0 is 15 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds handler and answer together; 0 is 60 s.
	WriteTimeout time.Duration
	// IdleTimeout closes a kept-alive connection without requests; 0 is 120 s.
	IdleTimeout time.Duration
	// StopTimeout bounds how long Serve lets requests under way finish; 0 is 5 s.
	StopTimeout time.Duration
	// MaxConns bounds the open connections; 0 is 512. One more takes the place of the oldest
	// on which no request has come yet; without such a one it is closed at once.
	MaxConns int
	// MaxUnproven bounds the connections on which no request has come yet, handshakes
	// included; 0 is 128. One more takes the place of the oldest.
	MaxUnproven int
	// MaxConnsPerPeer bounds the connections with requests of one peer: one certificate, or
	// one IP address where there is none; 0 is 256. A request on one more is answered 429.
	MaxConnsPerPeer int
	// MaxRequests bounds the requests under way; 0 is 256. One more is answered 503.
	MaxRequests int
	// MaxRequestsPerPeer bounds those of one peer, which leaves places to others; 0 is 128. One more is answered 429. Both
	// answers carry Retry-After. A peer is one certificate, or one IP address where there is none: behind it many
	// clients may stand, as with a gateway, each with a request on each of its connections.
	MaxRequestsPerPeer int
	// MaxBodies bounds the memory of all bodies of requests under way together, one and a half times what has come of them beyond the first 16 KiB of each; 0 is 32 MiB.
	// A body that finds none left is answered 503 with Retry-After.
	MaxBodies int64
	// MaxAnswers bounds the memory of all answers of 64 KiB or more that are on their way together, those to one peer to a quarter; 0 is 64 MiB. A request whose answer finds none left is answered 503
	// with Retry-After. One answer alone is sent whatever its size, and to each peer one that leaves the others' share alone.
	MaxAnswers int64
	// Turns is how many handshakes and documents of 64 KiB or more, requests (from reading what is beyond the first 64 KiB) and answers to be compressed, are worked on at a time,
	// so that they leave processors to everything else; 0 is half of GOMAXPROCS, but one. Peers take turns: certificates, and IP
	// addresses where none is known. A handshake that gets no turn within ReadHeaderTimeout is ended; a request that gets none within
	// ReadTimeout is answered 503 with Retry-After.
	Turns int
	// GzipThreshold is the size in bytes from which an answer is compressed if the client
	// offered gzip; 0 is 1024, negative is never.
	GzipThreshold int
	// Understood are header blocks, beyond addressing, that requests may mark
	// mustUnderstand because the handlers know them.
	Understood []Name
	// Recheck, if set, judges peers again before each request over TLS; one that is refused gets 403 and its connection closed.
	Recheck Recheck
	// Journal, if set, is told of every message; see [Journal].
	Journal Journal
	// Logger receives refusals (debug), panics and internal errors (error); nil discards.
	Logger *slog.Logger
}

func (c *ServerConfig) setDefaults() {
	def(&c.MaxBody, 4<<20)
	if c.Limits.MaxBytes == 0 {
		c.Limits.MaxBytes = int(c.MaxBody) // from which MaxMemory follows
	}
	def(&c.MaxHeaderBytes, 16<<10)
	def(&c.ReadHeaderTimeout, 5*time.Second)
	def(&c.ReadTimeout, 15*time.Second)
	def(&c.WriteTimeout, 60*time.Second)
	def(&c.IdleTimeout, 120*time.Second)
	def(&c.StopTimeout, 5*time.Second)
	def(&c.MaxConns, 512)
	def(&c.MaxUnproven, 128)
	def(&c.MaxConnsPerPeer, 256)
	def(&c.MaxRequests, 256)
	def(&c.MaxRequestsPerPeer, 128)
	def(&c.MaxBodies, 32<<20)
	def(&c.MaxAnswers, 64<<20)
	def(&c.Turns, max(1, runtime.GOMAXPROCS(0)/2))
	if c.GzipThreshold == 0 {
		c.GzipThreshold = 1024
	}
}

func def[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Server answers messages over HTTP/1.1. Paths can be added and removed while it
// serves. A server may serve several listeners.
type Server struct {
	cfg   ServerConfig
	log   *slog.Logger
	mem   scratch
	adm   *admission
	turns *turns

	mu       sync.RWMutex
	paths    map[string]*Endpoint
	prefixes map[string]*Endpoint
}

// NewServer returns a server, or ErrInsecure when the configuration permits
// neither TLS nor plain HTTP.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.TLS == nil && !cfg.Insecure {
		return nil, ErrInsecure
	}
	cfg.setDefaults()
	if cfg.TLS != nil {
		cfg.TLS = cfg.TLS.Clone()
		cfg.TLS.NextProtos = []string{"http/1.1"}
		if cfg.TLS.MinVersion < tls.VersionTLS12 {
			cfg.TLS.MinVersion = tls.VersionTLS12
		}
	}
	return &Server{
		cfg: cfg, log: orDiscard(cfg.Logger), adm: newAdmission(&cfg), turns: newTurns(cfg.Turns),
		paths: make(map[string]*Endpoint), prefixes: make(map[string]*Endpoint),
	}, nil
}

// Handle puts an endpoint at a path, such as "/urn:uuid:.../Get", in the place of
// what was there. The path is compared unescaped; one trailing slash of a request
// is ignored. The endpoint must not be changed afterwards.
func (s *Server) Handle(path string, e *Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[cleanPath(path)] = e
}

// HandlePrefix puts an endpoint below a path: it gets what is posted to
// prefix + "/" + anything and has no path of its own. The longest prefix wins.
func (s *Server) HandlePrefix(prefix string, e *Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefixes[cleanPath(prefix)] = e
}

// Remove takes away what Handle and HandlePrefix put at the path.
func (s *Server) Remove(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paths, cleanPath(path))
	delete(s.prefixes, cleanPath(path))
}

func cleanPath(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return strings.TrimSuffix(p, "/")
}

func (s *Server) lookup(path string) *Endpoint {
	path = cleanPath(path)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.paths[path]; e != nil {
		return e
	}
	for {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return nil
		}
		path = path[:i]
		if e := s.prefixes[path]; e != nil {
			return e
		}
	}
}

// Serve accepts connections until ctx ends. Then it closes the listener, lets
// requests under way finish for StopTimeout, cuts off the rest, and returns once
// every handler and connection has ended. The error is nil after an orderly stop
// by ctx; otherwise it says why serving ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	run := newServing(l.Addr(), s.cfg.Journal)
	gate := newConnGate(l, &s.cfg, s.turns, s.log)
	l = gate
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	hs := &http.Server{
		Handler:                      http.HandlerFunc(s.serveHTTP),
		Protocols:                    &protocols,
		TLSNextProto:                 map[string]func(*http.Server, *tls.Conn, http.Handler){},
		DisableGeneralOptionsHandler: true,
		MaxHeaderBytes:               s.cfg.MaxHeaderBytes,
		ReadHeaderTimeout:            s.cfg.ReadHeaderTimeout,
		ReadTimeout:                  s.cfg.ReadTimeout,
		WriteTimeout:                 s.cfg.WriteTimeout,
		IdleTimeout:                  s.cfg.IdleTimeout,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return base },
		ConnContext:                  run.connContext,
		ConnState:                    run.connState,
	}
	if s.cfg.TLS != nil {
		l = tls.NewListener(l, s.cfg.TLS)
	}
	served, returned := make(chan error, 1), make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	go func() { returned <- hs.Serve(&run.back) }()

	var err error
	select {
	case err = <-served: // the listener broke
		served = nil
	case <-ctx.Done():
	}
	stop, stopCancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.StopTimeout)
	defer stopCancel()
	gate.stop()
	run.stop()
	orderly := hs.Shutdown(stop) == nil
	if served != nil {
		err = <-served // ErrServerClosed
	}
	_ = <-returned // ErrServerClosed, too
	if !orderly || !run.wait(stop) {
		cancel() // tells the handlers that are left
		_ = hs.Close()
		run.cut()
	}
	run.conns.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	}
	return nil
}

// admit decides whether a request may be read and handled, and answers it if not. The caller
// calls the function that it returns when the request is done; nil means refused.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) func() {
	conn := connOf(r)
	if conn == nil {
		return func() {}
	}
	c := conn.gated
	if c.who == "" {
		c.who = peerKey(r)
	}
	peer := c.who
	if !c.gate.prove(c, peer) {
		w.Header().Set("Connection", "close")
		s.refuseBusy(w, r, http.StatusTooManyRequests, "too many connections of this peer")
		return nil
	}
	if status := s.adm.enter(peer); status != http.StatusOK {
		s.refuseBusy(w, r, status, "too many requests under way")
		return nil
	}
	return func() { s.adm.leave(peer) }
}

// retryAfterBusy is when a refused peer may come again, in seconds: requests are short.
const retryAfterBusy = "1"

func (s *Server) refuseBusy(w http.ResponseWriter, r *http.Request, status int, why string) {
	w.Header().Set("Retry-After", retryAfterBusy)
	s.refuse(w, r, status, why)
}
