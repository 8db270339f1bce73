package sdc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"
)

// Admission says which peers a connection is for, and who is told.
type Admission struct {
	// Role is what the peer's certificate must state: one of these roles.
	Role Role
	// Check, if set, is one more condition on the certificate, judged before Identity.Authorise: that it is bound to the device meant, for example. Its
	// error becomes part of a PeerError with reason NotBound.
	Check func(leaf *x509.Certificate) error
	// Refused, if set, is told of every peer refused, after Identity.Refused. It must return quickly.
	Refused func(*PeerError)
}

// recheckEvery bounds how long a peer on a connection that exists is trusted without looking at clock and lists again.
const recheckEvery = time.Minute

// aead are the suites of TLS 1.2 that are spoken: forward secrecy and authenticated encryption. Those of TLS 1.3 are all of that kind.
var aead = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// ServerTLS returns the configuration for accepting connections: TLS 1.2 or newer, a client certificate required, chained to the
// trusted authorities and stating one of the expected roles of the peer. A provider's HTTP server expects RoleConsumer, a
// consumer's notification sink RoleProvider. Host names are not compared (SEC-1). HTTP/1.1 only (SDPi R1003).
func (id *Identity) ServerTLS(peer Role) *tls.Config { return id.Accept(Admission{Role: peer}) }

// ClientTLS returns the configuration for opening connections, with the same rules as ServerTLS for the certificate of the server.
func (id *Identity) ClientTLS(peer Role) *tls.Config { return id.Open(Admission{Role: peer}) }

// Accept is ServerTLS with more to say about the peers.
func (id *Identity) Accept(a Admission) *tls.Config {
	cfg := id.config(a, "")
	// Not RequireAndVerifyClientCert: Go's own verifier would demand clientAuth, which SDC certificates need not carry.
	cfg.ClientAuth = tls.RequireAnyClientCert
	// One configuration a connection, because nothing else tells from where the peer comes that is refused.
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		own := id.config(a, hello.Conn.RemoteAddr().String())
		own.ClientAuth = tls.RequireAnyClientCert
		return own, nil
	}
	return cfg
}

// Open is ClientTLS with more to say about the peers.
func (id *Identity) Open(a Admission) *tls.Config {
	cfg := id.config(a, "")
	// Trust rests on chain and key purpose, checked in VerifyConnection; addresses are dynamic, so host names say nothing (SEC-1).
	cfg.InsecureSkipVerify = true
	// Our one certificate is offered whatever authorities the server names: a wrong one then fails with a readable reason at the server.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c := id.Current().Certificate
		return &c, nil
	}
	if id.Resume {
		sessions := &sessionCache{id: id, cache: tls.NewLRUClientSessionCache(0)}
		cfg.ClientSessionCache = sessions
		cfg.VerifyConnection = func(cs tls.ConnectionState) error {
			err := id.verify(cs, a, "")
			if err != nil && cs.DidResume {
				// The session remembers a certificate that is not accepted any more; the peer may have another by now.
				sessions.refused.Store(true)
			}
			return err
		}
	}
	return cfg
}

func (id *Identity) config(a Admission, remote string) *tls.Config {
	return &tls.Config{
		MinVersion:   max(id.MinTLS, tls.VersionTLS12),
		CipherSuites: aead,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := id.Current().Certificate
			return &c, nil
		},
		NextProtos:   []string{"http/1.1"},
		Time:         id.now,
		KeyLogWriter: id.KeyLog,
		// VerifyConnection, unlike VerifyPeerCertificate, also runs on resumed sessions.
		VerifyConnection: func(cs tls.ConnectionState) error { return id.verify(cs, a, remote) },
	}
}

// sessionCache forgets every session when the credentials change, so that the new certificate is shown, and when a session was refused.
type sessionCache struct {
	id      *Identity
	cache   tls.ClientSessionCache
	refused atomic.Bool
}

func (s *sessionCache) key(key string) string {
	return strconv.FormatUint(s.id.generation.Load(), 10) + " " + key
}

func (s *sessionCache) Get(key string) (*tls.ClientSessionState, bool) {
	if s.refused.Swap(false) {
		s.cache.Put(s.key(key), nil)
		return nil, false
	}
	return s.cache.Get(s.key(key))
}

func (s *sessionCache) Put(key string, cs *tls.ClientSessionState) { s.cache.Put(s.key(key), cs) }

// Recheck returns what judges a peer again on a connection that exists: made once a connection, called before each message in either direction, it costs next to nothing
// unless the credentials were replaced or a minute has passed. An error means that the peer is no longer accepted, and the connection has to be closed.
func (id *Identity) Recheck(a Admission) func(cs tls.ConnectionState, remote string) func() error {
	return func(cs tls.ConnectionState, remote string) func() error {
		generation, next := id.generation.Load(), id.now().Add(recheckEvery)
		var refused error
		return func() error {
			if refused != nil || id.generation.Load() == generation && id.now().Before(next) {
				return refused
			}
			generation, next = id.generation.Load(), id.now().Add(recheckEvery)
			refused = id.verify(cs, a, remote)
			return refused
		}
	}
}

func (id *Identity) verify(cs tls.ConnectionState, a Admission, remote string) error {
	err := id.judge(cs.PeerCertificates, a)
	if err == nil {
		return nil
	}
	err.Remote = remote
	id.mu.Lock()
	if id.refused == nil {
		id.refused = map[Reason]uint64{}
	}
	id.refused[err.Reason]++
	id.mu.Unlock()
	if ok, untold := id.telling.Tell(time.Now()); ok {
		attrs := []slog.Attr{slog.String("reason", string(err.Reason)), slog.String("subject", err.Subject),
			slog.String("sha256", err.Fingerprint), slog.String("remote", remote), slog.String("error", err.Error())}
		if untold > 0 {
			attrs = append(attrs, slog.Uint64("untold", untold))
		}
		id.log().LogAttrs(context.Background(), slog.LevelWarn, "peer refused", attrs...)
	}
	if id.Refused != nil {
		id.Refused(err)
	}
	if a.Refused != nil {
		a.Refused(err)
	}
	return err
}

// VerifyPeer applies the rules of ServerTLS and ClientTLS to a certificate chain (leaf first). The error is a *PeerError.
func (id *Identity) VerifyPeer(chain []*x509.Certificate, want Role) error {
	if err := id.judge(chain, Admission{Role: want}); err != nil {
		return err
	}
	return nil
}

// judge is every rule on a peer's certificate.
func (id *Identity) judge(chain []*x509.Certificate, a Admission) *PeerError {
	if len(chain) == 0 {
		return &PeerError{Reason: NoCertificate, Want: a.Role}
	}
	leaf, c := chain[0], id.Current()
	refuse := func(reason Reason, err error) *PeerError {
		return &PeerError{
			Reason: reason, Subject: clip(leaf.Subject.String()), Fingerprint: Fingerprint(leaf), Want: a.Role, Have: id.roles(leaf), Err: err,
		}
	}
	verified, err := verifyChain(leaf, chain[1:], c.CAs, id.now())
	if err != nil {
		if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			return refuse(OutsideValidity, err)
		}
		return refuse(Untrusted, err)
	}
	if err := checkRevocation(verified, c.Revoked, id.now()); err != nil {
		return refuse(Revoked, err)
	}
	if have := id.roles(leaf); have&a.Role == 0 {
		if have != 0 {
			return refuse(WrongRole, nil)
		}
		if !id.AllowMissingKeyPurpose {
			return refuse(NoKeyPurpose, nil)
		}
		id.log().LogAttrs(context.Background(), slog.LevelWarn, "peer accepted without SDC key purpose",
			slog.String("subject", leaf.Subject.String()), slog.String("role", a.Role.String()))
	}
	if err := id.requiredPurpose(leaf); err != nil {
		return refuse(NoKeyPurpose, err)
	}
	if p, ok := c.Deny.Match(leaf); ok {
		return refuse(Denied, errors.New("matches "+p.String()))
	}
	if c.Allow != nil {
		if _, ok := c.Allow.Match(leaf); !ok {
			return refuse(NotAllowed, nil)
		}
	}
	if a.Check != nil {
		if err := a.Check(leaf); err != nil {
			return refuse(NotBound, err)
		}
	}
	if id.Authorise != nil {
		if err := id.Authorise(leaf); err != nil {
			return refuse(Unauthorised, err)
		}
	}
	return nil
}
